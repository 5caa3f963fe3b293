"""Effects: what each kind of fault does to an answer, and to how it is delivered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.contract.model import Endpoint
from mock_webshare.service.faults.fault import Fault, Strike
from mock_webshare.service.framework import response
from mock_webshare.service.framework.rendering import render
from mock_webshare.service.framework.response import Answer


@dataclass(slots=True)
class Outcome:
    """What becomes of a request under faults."""

    answer: Answer
    seconds: float = 0.0
    """How long it is held back."""
    delivery: str | None = None
    """How the connection misbehaves, as in `faults.CONNECTION_FAULTS`. None: it does not."""
    chunks: int = 0
    """In how many pieces the body goes, one after the other. 0: as usual."""
    drip_seconds: float = 0.0
    """Over how many seconds the pieces are spread."""
    faults: tuple[str, ...] = ()
    """The actions of all that struck."""


def answer_instead(strikes: Sequence[Strike], endpoint: Endpoint | None) -> Answer | None:
    """Given what strikes a request, return the answer that is given instead of the service's, if one is."""
    for strike in strikes:
        if strike.fault.is_answer:
            return _ANSWERS[strike.fault.action](strike, endpoint or CREDIT_LIST)
    return None


def outcome(answer: Answer, strikes: Sequence[Strike]) -> Outcome:
    """Given an answer and what strikes its request, return what becomes of it."""
    result = Outcome(answer, faults=tuple(strike.fault.action for strike in strikes))
    for strike in strikes:
        if effect := _EFFECTS.get(strike.fault.action):
            effect(result, strike)
    return result


def _status(strike: Strike, endpoint: Endpoint) -> Answer:
    status, options = strike.fault.value, strike.fault.options
    form = options.get("form", "json")
    if form == "json":
        return response.refused(
            endpoint,
            status,
            method=strike.asked.method,
            content_type=strike.asked.content_type,
            text=options.get("detail"),
            code=options.get("code"),
            wait=options.get("retryAfter"),
        )
    page = response.html_page(status) if form == "html" else response.proxy_page(status)
    if "retryAfter" not in options:
        return page
    return replace(page, headers=(*page.headers, ("Retry-After", str(options["retryAfter"]))))


def _throttle(strike: Strike, endpoint: Endpoint) -> Answer:
    return response.throttled(endpoint, strike.seconds, None)


_ANSWERS: Mapping[str, Callable[[Strike, Endpoint], Answer]] = {"status": _status, "throttle": _throttle}


def _delay(outcome: Outcome, strike: Strike) -> None:
    outcome.seconds += strike.seconds


def _dribble(outcome: Outcome, strike: Strike) -> None:
    outcome.chunks = strike.fault.value["numberOfChunks"]
    outcome.drip_seconds = strike.fault.value["totalDuration"] / 1000


def _break(outcome: Outcome, strike: Strike) -> None:
    if strike.fault.value == "MALFORMED_JSON":
        outcome.answer = replace(outcome.answer, body=_cut(outcome.answer.body))
    else:
        outcome.delivery = strike.fault.value


def _cut(body: bytes) -> bytes:
    """Return a body with its end lost and something else in its place, of the same length."""
    kept = len(body) // 2
    return body[:kept] + b"<" * (len(body) - kept)


def _content_type(outcome: Outcome, strike: Strike) -> None:
    kept = [pair for pair in outcome.answer.headers if pair[0] != "Content-Type"]
    outcome.answer = replace(outcome.answer, headers=(("Content-Type", strike.fault.value), *kept))


def _drift(outcome: Outcome, strike: Strike) -> None:
    body = drifted(outcome.answer.body, strike.fault)
    outcome.answer = replace(outcome.answer, body=body)


_EFFECTS: Mapping[str, Callable[[Outcome, Strike], None]] = {
    "fixedDelayMilliseconds": _delay,
    "delayDistribution": _delay,
    "chunkedDribbleDelay": _dribble,
    "fault": _break,
    "contentType": _content_type,
    "drift": _drift,
}


def drifted(body: bytes, fault: Fault) -> bytes:
    """Given the body of a page or a credit, return it as if the contract had drifted; any other stays."""
    try:
        document = json.loads(body)
    except ValueError:
        return body
    rows = document.get("results", [document]) if isinstance(document, dict) else []
    credits = [row for row in rows if isinstance(row, dict) and "user_id" in row]
    for credit in credits:
        changed = _DRIFTS[fault.value](credit, fault.options["field"], fault.options.get("to"))
        credit.clear()
        credit.update(changed)
    return render(document) if credits else body


def _renamed(row: dict[str, Any], name: str, to: Any) -> dict[str, Any]:
    return {to if each == name else each: value for each, value in row.items()}


def _with(row: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return {**row, name: value}


def _retyped(value: Any) -> Any:
    """Return a value as of another type: a string becomes a list of it, all else a string."""
    return [value] if isinstance(value, str) else json.dumps(value)


_DRIFTS: Mapping[str, Callable[[dict[str, Any], str, Any], dict[str, Any]]] = {
    "removed": lambda row, name, to: {each: value for each, value in row.items() if each != name},
    "renamed": _renamed,
    "retyped": lambda row, name, to: _with(row, name, _retyped(row.get(name))),
    "added": _with,
    "enum": _with,
    "null": lambda row, name, to: _with(row, name, None),
}
