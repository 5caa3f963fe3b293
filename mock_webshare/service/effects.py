"""Effects: which faults strike a request, and what they change in response, delivery and data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from mock_webshare.contract import messages
from mock_webshare.contract.model import Contract, Endpoint, Kind
from mock_webshare.errors import DataError, UsageError
from mock_webshare.exchange.limits import parsed
from mock_webshare.service.faults import Fault, Strike, parse
from mock_webshare.service.framework import query
from mock_webshare.service.framework import response as responses
from mock_webshare.service.framework.request import Request
from mock_webshare.service.framework.response import Headers, Response, render
from mock_webshare.service.reasons import join
from mock_webshare.service.world.world import World

_PAIR = re.compile(r"\s*([A-Za-z]+)\s*=\s*\"?([A-Za-z0-9_-]{1,100})\"?\s*")
_PREFERENCES = {"code": "status", "example": "code"}
_LIKE_PREFERENCES = (*_PREFERENCES, "status")
_MOST_PREFERENCES, _LONGEST_PREFERENCE = 20, 40


def strikes(world: World, request: Request) -> Sequence[Strike]:
    """Return the strikes on a request; the strike of its `Prefer` header comes first."""
    preferred = preferred_fault(request.headers.prefer)
    struck = world.strike(request, has_response=preferred is not None)
    return [Strike(preferred, request, is_preferred=True), *struck] if preferred else struck


def preferred_fault(header: str | None) -> Fault | None:
    """Return the fault that a `Prefer` header (RFC 7240) selects; None if it selects no allowed fault.

    The names are those of Prism: `code=403, example=account_suspended` is the 403 with that `code`. If a
    name is repeated, its first value counts.
    """
    if header is None:
        return None
    pairs = [match.groups() for part in re.split("[,;]", header) if (match := _PAIR.fullmatch(part))]
    preferred: Mapping[str, Any] = {
        _PREFERENCES[name.lower()]: int(value) if value.isdecimal() else value
        for name, value in reversed(pairs)
        if name.lower() in _PREFERENCES
    }
    if "status" not in preferred:
        return None
    try:
        return parse(preferred)
    except DataError:
        return None


def preference_mistake(header: str | None) -> str:
    """Return which part of a `Prefer` header has a mistake: a `name`, or the value of `code` or `example`.

    Empty: there is no mistake. A name unlike `code` and `example` is taken for another preference.
    """
    parts = re.split("[,;]", header or "")[:_MOST_PREFERENCES]
    names = [part.partition("=")[0].strip().lower() for part in parts]
    if any(map(_is_misspelt, names)):
        return "name"
    fault = preferred_fault(header)
    applied = () if fault is None else ("code", "example") if "code" in fault.options else ("code",)
    return next((name for name in ("example", "code") if name in names and name not in applied), "")


def _is_misspelt(name: str) -> bool:
    """Return whether a name is a number, or not `code` or `example` but similar to them or to `status`."""
    is_like = get_close_matches(name[:_LONGEST_PREFERENCE], _LIKE_PREFERENCES, n=1)
    return name not in _PREFERENCES and bool(name.isdecimal() or is_like)


def response_instead(strikes: Sequence[Strike], endpoint: Endpoint) -> Response | None:
    """Return the response of the first fault that responds instead of the service; None if no fault does."""
    for strike in strikes:
        if strike.fault.is_response:
            response = replace(_RESPONSES[strike.fault.action](strike, endpoint), reason="")
            if strike.is_preferred:
                return _with_header(response, "Preference-Applied", f"code={strike.fault.value}")
            return response
    return None


def _with_header(response: Response, name: str, value: str) -> Response:
    return replace(response, headers=(*response.headers, (name, value)))


def _status(strike: Strike, endpoint: Endpoint) -> Response:
    status, options = strike.fault.value, strike.fault.options
    form = options.get("form", "json")
    if form == "json":
        return _json_error(strike, endpoint)
    page = responses.html_page(status) if form == "html" else responses.proxy_page(status)
    if "retryAfter" not in options:
        return page
    return _with_header(page, "Retry-After", str(options["retryAfter"]))


def _json_error(strike: Strike, endpoint: Endpoint) -> Response:
    """Return the JSON error of a status, whatever the request; options replace the usual text."""
    status, options, request = strike.fault.value, strike.fault.options, strike.request
    text, code, wait = options.get("detail"), options.get("code"), options.get("retryAfter")
    headers: Headers = () if wait is None else (("Retry-After", str(wait)),)
    if status == 400:
        body: Any = {"non_field_errors": [{"message": text or messages.INVALID_INPUT, "code": "invalid"}]}
    elif status == 401:
        body = {"detail": text or messages.UNKNOWN_KEY}
        headers = (("WWW-Authenticate", "Token"), *headers)
    elif status == 429 and text is None:
        return responses.throttled(endpoint, 60 if wait is None else wait, None)
    else:
        known = messages.FORBIDDEN.get(code) if code else _DETAILS.get(status)
        content_type = request.headers.content_type or ""
        usual = (known or responses.phrase(status)).format(method=request.method, content_type=content_type)
        body = {"detail": text or usual} if code is None else {"detail": text or usual, "code": code}
    return responses.routed(endpoint, status, render(body), headers)


_DETAILS: Mapping[int, str] = {
    403: messages.PERMISSION_DENIED,
    404: messages.NOT_FOUND,
    405: messages.METHOD_NOT_ALLOWED,
    406: messages.NOT_ACCEPTABLE,
    415: messages.UNSUPPORTED_MEDIA_TYPE,
    500: messages.SERVER_ERROR,
}
"""The `detail` of an error by its status."""


def _respond(strike: Strike, endpoint: Endpoint) -> Response:
    """Return the response that the fault describes."""
    options = strike.fault.options
    body, content_type = options.get("body", "").encode(), "text/plain; charset=utf-8"
    if "jsonBody" in options:
        body, content_type = render(options["jsonBody"]), "application/json"
    headers: Headers = tuple(options.get("headers", {}).items())
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers = (("Content-Type", content_type), *headers)
    return Response(strike.fault.value, headers, body)


def _throttle(strike: Strike, endpoint: Endpoint) -> Response:
    return responses.throttled(endpoint, strike.seconds, None)


_RESPONSES: Mapping[str, Callable[[Strike, Endpoint], Response]] = {
    "status": _status,
    "respond": _respond,
    "throttle": _throttle,
}


@dataclass(slots=True)
class Outcome:
    """The response to a request under faults, and how it is delivered."""

    response: Response
    seconds: float = 0.0  # of delay
    delivery: str | None = None  # one of `CONNECTION_FAULTS`. None: the connection does not fail
    chunks: int = 0  # of the body. 0: it is sent as usual
    drip_seconds: float = 0.0  # for all chunks together
    faults: tuple[str, ...] = ()  # the actions of the faults that struck, without a mutation's
    reason: str = ""  # the codes of these faults

    @property
    def is_usual(self) -> bool:
        """Whether the response can be sent like any other."""
        return not (self.faults or self.seconds or self.delivery or self.chunks)


def outcome(response: Response, request: Request, strikes: Sequence[Strike], contract: Contract) -> Outcome:
    """Return the outcome of a response under all strikes on its request."""
    shown = [strike for strike in strikes if strike.mutation is None]
    result = Outcome(
        response,
        faults=tuple(strike.fault.action for strike in shown),
        reason=join(*(strike.reason for strike in shown)),
    )
    for strike in strikes:
        if strike.fault.action == "drift":
            result.response = _drifted(result.response, request, strike.fault, contract)
        elif effect := _EFFECTS.get(strike.fault.action):
            effect(result, strike)
    return result


def is_noticeable(outcome: Outcome, usual: Outcome, request: Request) -> bool:
    """Return whether a client can notice that the outcome of a request is not the usual one."""
    has_body = request.method != "HEAD" and outcome.response.body != b""
    if outcome.delivery != usual.delivery:
        return has_body or outcome.delivery != "TRUNCATED_BODY"
    if has_body and outcome.response.body != usual.response.body:
        return True
    times = (outcome.seconds, outcome.chunks) != (usual.seconds, usual.chunks)
    return times or outcome.response.status != usual.response.status


def _delay(outcome: Outcome, strike: Strike) -> None:
    outcome.seconds += strike.seconds


def _dribble(outcome: Outcome, strike: Strike) -> None:
    outcome.chunks = strike.fault.value["numberOfChunks"]
    outcome.drip_seconds = strike.fault.value["totalDuration"] / 1000


def _break(outcome: Outcome, strike: Strike) -> None:
    if strike.fault.value == "MALFORMED_JSON":
        outcome.response = replace(outcome.response, body=_cut(outcome.response.body))
    else:
        outcome.delivery = strike.fault.value


def _cut(body: bytes) -> bytes:
    """Replace the second half of a body by garbage of the same length."""
    kept = len(body) // 2
    return body[:kept] + b"<" * (len(body) - kept)


def _content_type(outcome: Outcome, strike: Strike) -> None:
    kept = [pair for pair in outcome.response.headers if pair[0] != "Content-Type"]
    outcome.response = replace(outcome.response, headers=(("Content-Type", strike.fault.value), *kept))


def _break_page(outcome: Outcome, strike: Strike) -> None:
    """Change the page or the array in a response, unless the fault adds or removes rows of the list."""
    change, page = _PAGES.get(strike.fault.value), _page_of(outcome.response, strike.request)
    if change is not None and page is not None:
        changed = change(page)
        is_array = strike.request.endpoint is not None and strike.request.endpoint.kind is Kind.ARRAY
        body = render(changed["results"] if is_array else changed)
        outcome.response = replace(outcome.response, body=body)


def _page_of(response: Response, request: Request) -> dict[str, Any] | None:
    """Return the page in a response, or `{"results": array}`; None if the body is neither page nor array."""
    endpoint = request.endpoint
    if endpoint is None or endpoint.kind not in (Kind.LIST, Kind.ARRAY):
        return None
    if response.status != 200 or request.method == "OPTIONS":
        return None
    document = parsed(response.body)
    page = {"results": document} if endpoint.kind is Kind.ARRAY else document
    return page if _is_row(page) and isinstance(page.get("results"), list) else None


_PAGES: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "unlinked": lambda page: page | ({"next": None} if "next" in page else {}),
    "short": lambda page: page | {"results": page["results"][:-1]},
    "empty": lambda page: page | {"results": []},
    "miscounted": lambda page: (
        page | ({"count": page["count"] + 1} if type(page.get("count")) is int else {})
    ),
    "reversed": lambda page: page | {"results": page["results"][::-1]},
}
"""Functions that return a changed page; an array is passed as a page without links and count."""

_EFFECTS: Mapping[str, Callable[[Outcome, Strike], None]] = {
    "fixedDelayMilliseconds": _delay,
    "delayDistribution": _delay,
    "chunkedDribbleDelay": _dribble,
    "fault": _break,
    "contentType": _content_type,
    "pages": _break_page,
}


def _drifted(response: Response, request: Request, fault: Fault, contract: Contract) -> Response:
    """Return a response with the drift in its rows or its page; unchanged if neither has the field."""
    endpoint = request.endpoint
    if endpoint is None or response.status != 200 or request.method == "OPTIONS":
        return response
    of_rows, of_page = contract.served[endpoint.path], contract.pages.get(endpoint.path, ())
    name = fault.options["field"]
    if fault.value == "added" or name in [field.name for field in of_rows]:
        return replace(response, body=drifted(response.body, fault))
    if name in [field.name for field in of_page]:
        return replace(response, body=_drifted_page(response.body, fault))
    return response


def _drifted_page(body: bytes, fault: Fault) -> bytes:
    """Return a page with the drift in the page itself, not in rows; a body that is no object is unchanged."""
    page = parsed(body)
    return render(_drifted_row(page, fault)) if _is_row(page) else body


def _drifted_row(row: dict[str, Any], fault: Fault) -> dict[str, Any]:
    return _DRIFTS[fault.value](row, fault.options["field"], fault.options.get("to"))


def drifted(body: bytes, fault: Fault) -> bytes:
    """Return the JSON of a page, array or row, with the drift in each row; any other body is unchanged."""
    document = parsed(body)
    rows = document.get("results", [document]) if isinstance(document, dict) else document
    rows = rows if isinstance(rows, list) else []
    for row in filter(_is_row, rows):
        changed = _drifted_row(row, fault)
        row.clear()
        row.update(changed)
    return render(document) if any(map(_is_row, rows)) else body


def _is_row(row: Any) -> bool:
    return isinstance(row, dict)


def _renamed(row: dict[str, Any], name: str, to: Any) -> dict[str, Any]:
    return {to if each == name else each: value for each, value in row.items()}


def _with(row: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return {**row, name: value}


def _retyped(value: Any) -> Any:
    """Return a value changed to another type: a string as a list of it, anything else as a string."""
    return [value] if isinstance(value, str) else json.dumps(value)


_DRIFTS: Mapping[str, Callable[[dict[str, Any], str, Any], dict[str, Any]]] = {
    "removed": lambda row, name, to: {each: value for each, value in row.items() if each != name},
    "renamed": _renamed,
    "retyped": lambda row, name, to: _with(row, name, _retyped(row.get(name))),
    "added": _with,
    "enum": _with,
    "null": lambda row, name, to: _with(row, name, None),
}


def move_pages(world: World, request: Request, response: Response, strikes: Sequence[Strike]) -> None:
    """Add or remove rows of the world after a page was read, if a fault with one of `MOVES` strikes."""
    endpoint = request.endpoint
    if endpoint is None or endpoint.kind is not Kind.LIST:
        return
    if response.status != 200 or request.method == "OPTIONS":
        return
    for strike in strikes:
        if strike.fault.action == "pages" and strike.fault.value in _MOVES:
            _MOVES[strike.fault.value](world, request, endpoint, strike.fault.options.get("rows", 1))


def _insert(world: World, request: Request, endpoint: Endpoint, rows: int) -> None:
    for _ in range(rows):
        with suppress(DataError, UsageError):  # the world is full, or a field has no default
            world.create(endpoint.resource)


def _remove(world: World, request: Request, endpoint: Endpoint, rows: int) -> None:
    """Remove the first rows of the list that was read."""
    view = world.view
    criteria, _ = query.read_filters(endpoint.filters, request.params, view.account.owned(endpoint))
    table = view.table(endpoint).rows
    first = view.positions(endpoint, criteria, request.params)[:rows]
    for row in [table[position] for position in first]:
        with suppress(UsageError):  # another row refers to it
            world.delete(endpoint.resource, row.id)


_MOVES = {"inserted": _insert, "removed": _remove}
