"""Hints: the rules about clients that some requests break."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from mock_webshare.contract.model import Contract
from mock_webshare.exchange.model import Exchange
from mock_webshare.exchange.request import is_of
from mock_webshare.insight.client_requests import ClientRequest, of_recorded
from mock_webshare.insight.client_rules import RULES, Rule
from mock_webshare.insight.hint_report import MOST_SHOWN
from mock_webshare.insight.hints import HINTS
from mock_webshare.insight.walks import Span

MOST_REQUESTS = 1000
"""Requests of a recording that are examined together, at most."""
MOST_RECORDED = 10_000
"""Hints on recordings that are kept, at most."""


class Hint(NamedTuple):
    """What a client does wrong, and the requests in which it does."""

    rule: str
    explanation: str
    advice: str
    requests: Sequence[ClientRequest]

    def document(self) -> dict[str, Any]:
        """Return the hint as JSON data."""
        return {
            "rule": self.rule,
            "explanation": self.explanation,
            "advice": self.advice,
            "count": len(self.requests),
            "requests": [each.document() for each in self.requests[:MOST_SHOWN]],
        }


def hints(
    requests: Iterable[ClientRequest],
    contract: Contract,
    *,
    is_over: bool = True,
    can_wait: bool = True,
    are_apart: bool = False,
) -> list[Hint]:
    """Return the hints on requests, which are given in the order in which they were sent.

    `is_over`: the clients send no further requests. `can_wait`: real waiting helps against a 429.
    `are_apart`: it is not known which requests have the same client, so each is examined alone.
    """
    found: dict[tuple[str, str, str], list[ClientRequest]] = {}
    clients = [[each] for each in requests] if are_apart else _by_client(requests)
    for span in _spans(clients, Span(contract, (), is_over, can_wait)):
        for hint in (*_single(span), *_several(span)):
            found.setdefault(hint[:3], []).extend(hint.requests)
    return [Hint(*texts, concerned) for texts, concerned in found.items()]


_ALONE = tuple(rule._replace(find=rule.find_alone) for rule in RULES if rule.find_alone)


def hints_alone(request: ClientRequest, contract: Contract) -> Iterable[Hint]:
    """Return the hints that the parameters of one request show, whatever comes before and after."""
    return _several(Span(contract, [request]), _ALONE)


def _by_client(requests: Iterable[ClientRequest]) -> Iterable[Sequence[ClientRequest]]:
    clients: dict[str | None, list[ClientRequest]] = {}
    for request in requests:
        clients.setdefault(request.client, []).append(request)
    return clients.values()


def _spans(clients: Iterable[Sequence[ClientRequest]], span: Span) -> Iterator[Span]:
    """Yield the requests of each client, cut at those that a fault struck or whose response is not known."""
    for requests in clients:
        for is_broken, part in groupby(requests, _interrupts):
            if not is_broken:
                whole = list(part)
                is_over = span.is_over and whole[-1] is requests[-1]
                yield replace(span, requests=whole, is_over=is_over)


def _interrupts(request: ClientRequest) -> bool:
    return request.is_struck or request.status is None


def _single(span: Span) -> Iterator[Hint]:
    """Yield the hints that single requests got, but only hints that are about the client."""
    for request in span.requests:
        if request.hint and (rule := rule_of(request.hint)) in SINGLE:
            explanation, _, advice = request.hint.partition("; ")
            yield Hint(rule, explanation, advice, [request])


def _several(span: Span, rules: Iterable[Rule] = RULES) -> Iterator[Hint]:
    for rule in rules:
        for each in rule.find(span):
            names = {"path": each.requests[0].path, **each.names}
            yield Hint(rule.id, rule.explanation.format(**names), rule.advice.format(**names), each.requests)


def rule_of(message: str) -> str:
    """Return the id of the hint in `HINTS` to which a message belongs; empty if there is none."""
    starts = ((hint.message.partition("{")[0], hint.id) for hint in HINTS)
    return max((each for each in starts if message.startswith(each[0])), default=("", ""))[1]


SINGLE = (
    "path.doubled-prefix",
    "path.missing-prefix",
    "path.doubled-slash",
    "path.similar",
    "key.without-token",
    "key.misplaced",
)
"""The hints on single requests that are about the client, not about how the server is set up."""


class RecordedHints:
    """Collects the hints on the exchanges of recordings, file by file.

    Only requests to `hosts` count; if `hosts` is empty, all do. The clients may have sent more requests than
    a recording has.
    """

    def __init__(self, contract: Contract, hosts: Collection[str] = ()) -> None:
        self._contract, self._hosts = contract, hosts
        self._requests: list[ClientRequest] = []
        self._found: list[dict[str, Any]] = []

    def add(self, exchange: Exchange) -> None:
        """Add an exchange; the exchanges of a file have to be added in their order."""
        last = self._requests[-1].exchange if self._requests else exchange
        if last.source != exchange.source or len(self._requests) == MOST_REQUESTS:
            self._finish_part()
        if is_of(exchange.url or "", self._hosts):
            self._requests.append(of_recorded(exchange, self._contract))

    def documents(self) -> list[dict[str, Any]]:
        """Return the hints on all added exchanges, as JSON data."""
        self._finish_part()
        return self._found

    def _finish_part(self) -> None:
        room = MOST_RECORDED - len(self._found)
        found = hints(self._requests, self._contract, is_over=False)[:room]
        self._found += [each.document() for each in found]
        self._requests.clear()
