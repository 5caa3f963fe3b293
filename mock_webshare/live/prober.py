"""Prober: sends the requests of all checks, slowly and read-only, decides the rules, and reports."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import Contract, Mark, Rule
from mock_webshare.errors import ServiceError, UnknownName
from mock_webshare.exchange.model import Exchange, Headers
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.judge.model.finding import excerpt, printable, shorten
from mock_webshare.live.checks import CHECKS, Check, Request, checks_of
from mock_webshare.live.responses import Objection, Responses, Subject, Undecidable, described
from mock_webshare.live.upstream import Upstream, UpstreamError, connected
from mock_webshare.version import __version__

TIMEOUT = 30.0
"""Seconds that a response may take."""
LARGEST_BODY = 4 * 1024 * 1024
"""Bytes of a body: all bodies are kept until the end, and a thousand rows have about 250,000 bytes."""
LONGEST_WHY = 250
"""Characters of a reason, in which a service may put numbers, such as a count of four thousand digits."""
FASTEST = 60
"""Requests a minute; the documented limit is 240, and leaves room for the other clients of the account."""
DECIDED = (Mark.FRAMEWORK, Mark.ASSUMED)
"""The marks of the rules that a probe decides: neither documented nor observed."""


class Outcome(StrEnum):
    """Whether a service keeps a rule."""

    KEPT = "kept"
    BROKEN = "broken"
    UNDECIDABLE = "not decidable"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the responses show about a rule."""

    rule: Rule
    outcome: Outcome
    why: tuple[str, ...] = ()
    """Phrases that say what contradicts the rule, or why it cannot be decided."""
    options: tuple[str, ...] = ()
    """Options of `serve` with which the mock does the same as the service."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All decisions about a service."""

    origin: str
    requests: int
    decisions: tuple[Decision, ...]
    """One for each rule that is neither documented nor observed, in the contract's order."""

    @property
    def options(self) -> tuple[str, ...]:
        """The options with which the mock does the same as the service, as far as it can."""
        return tuple(option for each in self.decisions for option in each.options)

    def count(self, outcome: Outcome) -> int:
        return sum(each.outcome is outcome for each in self.decisions)


def report(name: str) -> Callable[[Findings], Iterator[str]]:
    """Return the writer of a report, which yields lines; raise `UnknownName` for an unknown name."""
    if name not in REPORTS:
        raise UnknownName("report", name, sorted(REPORTS))
    return REPORTS[name]


def _text(findings: Findings) -> Iterator[str]:
    width = max(len(each.rule.id) for each in findings.decisions)
    for outcome in Outcome:
        for each in findings.decisions:
            if each.outcome is outcome:
                yield f"{outcome:13}  {each.rule.id:{width}}  {each.rule.mark}  {each.rule.says}"
                yield from (f"{'':13}  {printable(why)}" for why in each.why)
    yield ""
    counts = ", ".join(f"{findings.count(outcome)} {outcome}" for outcome in Outcome)
    yield f"{findings.origin}, {findings.requests} requests: {counts}"
    if findings.options:
        yield f"To make the mock do the same: mock-webshare serve {' '.join(findings.options)}"


def _json(findings: Findings) -> Iterator[str]:
    document = {
        "origin": findings.origin,
        "requests": findings.requests,
        "rules": [
            {
                "id": each.rule.id,
                "mark": each.rule.mark,
                "says": each.rule.says,
                "outcome": each.outcome,
                "why": each.why,
                "options": each.options,
            }
            for each in findings.decisions
        ],
        "options": findings.options,
    }
    yield json.dumps(document, indent=2)


REPORTS: dict[str, Callable[[Findings], Iterator[str]]] = {"text": _text, "json": _json}


async def probe(
    origin: str,
    key: str,
    *,
    contract: Contract = WEBSHARE,
    pause: Callable[[], Awaitable[object]],
    keep: Callable[[Exchange], object] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Findings:
    """Send all requests to a service, with a pause between them, and return what they show.

    `keep` is called with each exchange, without secrets, and `progress` with two numbers: of the requests
    that are done, and of all requests.
    Raise `ServiceError` if the first response is not a page of the list, the rate limit is reached, or a
    response does not come in time.
    """
    responses = Responses(Subject(contract))
    requests = [request for check in CHECKS for request in check.requests]
    async with connected(origin, TIMEOUT, LARGEST_BODY) as upstream:
        sender = _Sender(upstream, key, keep or (lambda exchange: None))
        for number, request in enumerate(requests, start=1):
            await sender.send(request, responses, pause if responses.received else None)
            if number == 1:
                _require_a_list(responses, origin)
            if progress:
                progress(number, len(requests))
    checks, rules = checks_of(responses.subject), contract.rules.values()
    decisions = (_decision(rule, checks.get(rule.id), responses) for rule in rules if rule.mark in DECIDED)
    return Findings(origin, len(responses.received), tuple(decisions))


def _decision(rule: Rule, check: Check | None, responses: Responses) -> Decision:
    found: list[Objection] = []
    try:
        if check is None:
            raise Undecidable("there is no check of this rule")
        for objection in check.objections(responses):
            found += [objection] * (objection not in found)
    except Undecidable as reason:
        if not found:  # an objection counts, whatever else cannot be decided
            return Decision(rule, Outcome.UNDECIDABLE, (shorten(str(reason), LONGEST_WHY),))
    if not found:
        return Decision(rule, Outcome.KEPT)
    why = tuple(shorten(each.says, LONGEST_WHY) for each in found)
    return Decision(rule, Outcome.BROKEN, why, tuple(each.option for each in found if each.option))


class _Sender:
    """Sends requests to one service with one key."""

    def __init__(self, upstream: Upstream, key: str, keep: Callable[[Exchange], object]) -> None:
        self._upstream, self._keep = upstream, keep
        self._redactor = Redactor([key])
        self._key = key

    async def send(
        self, request: Request, responses: Responses, pause: Callable[[], Awaitable[object]] | None
    ) -> None:
        """Send a request, unless the responses so far make it pointless; add its response, or the reason."""
        try:
            target = request.resolve(responses)
        except Undecidable as reason:
            responses.missing[request.name] = str(reason)
            return
        if pause:
            await pause()
        try:
            exchange = await self._upstream.send(request.method, target, self._headers(request))
        except UpstreamError as error:
            responses.missing[request.name] = str(error)
            self._keep(self._redactor.exchange(error.exchange))
            _require_not_late(error)
            return
        responses.received[request.name] = redacted = self._redactor.exchange(exchange)
        self._keep(redacted)
        _require_no_limit(redacted)

    def _headers(self, request: Request) -> Headers:
        ours = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": f"Token {self._key}",
            "User-Agent": f"mock-webshare/{__version__} probe",
        }
        if request.is_anonymous:
            del ours["Authorization"]
        return tuple({**ours, **dict(request.headers)}.items())


def _require_not_late(error: UpstreamError) -> None:
    if error.is_late:
        raise ServiceError(
            f"{error.exchange.source} did not respond to {described(error.exchange)} "
            f"within {TIMEOUT:g} seconds; no further requests are sent"
        ) from error


def _require_no_limit(exchange: Exchange) -> None:
    if exchange.status == 429:
        wait = exchange.header("retry-after") or ""
        when = f"in {wait} seconds" if wait.isdigit() and len(wait) < 6 else "in a minute"
        raise ServiceError(f"{exchange.source} is at the rate limit of this key; try again {when}")


def _require_a_list(responses: Responses, origin: str) -> None:
    """Raise `ServiceError` unless the first response is a page of the list."""
    try:
        status = responses.to("first").status
        if status == 401:
            raise ServiceError(
                f"{origin} does not accept the key; WEBSHARE_API_KEY has to hold one of its keys"
            )
        if status in range(300, 400):
            raise ServiceError(
                f"{origin} redirects to another place, which is not followed; give that base URL"
            )
        if status != 200:
            detail = responses.detail("first")
            says = "" if detail is None else f" and says {excerpt(detail)}"
            raise ServiceError(f"{origin} cannot be probed: it responds with {status}{says}")
        responses.page("first")
    except Undecidable as reason:
        raise ServiceError(f"{origin} cannot be probed: {reason}") from reason
