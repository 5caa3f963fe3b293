"""Mutants: the ways in which the service may change, to see whether the tests of a client notice.

The mutants follow from the contract alone. The tests should fail with a *breaking* mutant. They should pass
with a *tolerable* one, which is a change that the API announces, or a problem that soon goes away. What a
mutant does is a fault of the mock server, as data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import Any, NamedTuple

from mock_webshare.contract import messages
from mock_webshare.contract.model import Contract, Endpoint, Field
from mock_webshare.contract.model import Kind as EndpointKind
from mock_webshare.insight.coverage import Counts, Row

Fault = Mapping[str, Any]
"""A fault of the mock server in its JSON form: `{"drift": "removed", "field": "amount"}`."""
_UNKNOWN, _NEW_FIELD = "unheard_of", "added_by_mutant"
_SLOW, _RETRY_SECONDS = 1000, 2.0  # milliseconds; about what a client waits before it tries again


class Kind(NamedTuple):
    """A kind of mutants: which ones an endpoint has, and what a wrong reaction of the tests means."""

    make: Callable[[Endpoint, Contract], Iterable[tuple[str, Fault]]]
    """Yields field and fault of each mutant; the field is empty if the mutant changes no single field."""
    means: str
    """What a breaking mutant means if it survives, or a tolerable one if the tests fail with it."""
    is_breaking: bool = True
    needs_success: bool = True
    """Whether a mutant can change only the responses to requests that succeed."""
    wait: float = 0.0
    """Seconds that a mutant may add to a run for each request."""


class Mutant(NamedTuple):
    """One change of the service at one endpoint, named by its path."""

    kind: str
    endpoint: str
    field: str
    fault: Fault
    rows: tuple[Row, ...]
    """Rows of coverage: the mutant changes nothing in a run that exercises none of them."""

    @property
    def id(self) -> str:
        """A readable name that stays the same: `field.removed /api/v2/referral/credit/ amount`."""
        return f"{self.kind} {self.endpoint} {self.field}".rstrip()

    @property
    def is_breaking(self) -> bool:
        """Whether the tests should fail with the mutant."""
        return KINDS[self.kind].is_breaking

    @property
    def means(self) -> str:
        """What it means if the tests pass with a breaking mutant, or fail with a tolerable one."""
        return KINDS[self.kind].means

    @property
    def world_fault(self) -> dict[str, Any]:
        """The fault with which a test has the same change in its world."""
        return {**self.fault, "path": self.endpoint.replace("{id}", "*")}

    def is_reached(self, counts: Counts) -> bool:
        """Return whether a run with this coverage may have reached the mutant."""
        return any(counts.get(row) for row in self.rows)

    def wait(self, counts: Counts) -> float:
        """Return the seconds that the mutant may add to a run with this coverage."""
        requests = sum(counts.get(row, 0) for row in self.rows)
        return KINDS[self.kind].wait * requests


def mutants_of(contract: Contract) -> Iterator[Mutant]:
    """Yield the mutants of the service of a contract, by endpoint."""
    for endpoint in contract.endpoints:
        for name, kind in KINDS.items():
            rows = tuple(_rows(endpoint, kind))
            for field, fault in kind.make(endpoint, contract):
                yield Mutant(name, endpoint.path, field, fault, rows)


def _rows(endpoint: Endpoint, kind: Kind) -> Iterator[Row]:
    if kind.needs_success:
        yield Row(endpoint.path, "status", "200")
    else:
        methods = endpoint.methods if kind.is_breaking else ("GET",)
        yield from (Row(endpoint.path, "method", method) for method in methods)


# Which mutants a kind has at an endpoint.


def _fields(endpoint: Endpoint, contract: Contract) -> Iterator[Field]:
    """Yield the fields of the rows of an endpoint, then the fields of its pages with other names."""
    rows = contract.served[endpoint.path]
    names = [field.name for field in rows]
    yield from rows
    yield from (field for field in contract.pages.get(endpoint.path, ()) if field.name not in names)


def _each_field(drift: str) -> Callable[[Endpoint, Contract], Iterator[tuple[str, Fault]]]:
    def make(endpoint: Endpoint, contract: Contract) -> Iterator[tuple[str, Fault]]:
        for field in _fields(endpoint, contract):
            if drift != "null" or not field.is_nullable:
                yield field.name, {"drift": drift, "field": field.name}

    return make


def _unknown_choices(endpoint: Endpoint, contract: Contract) -> Iterator[tuple[str, Fault]]:
    for field in _fields(endpoint, contract):
        if field.choices:
            unknown = _unknown_choice(field.name, contract)
            yield field.name, {"drift": "enum", "field": field.name, "to": unknown}


def _unknown_choice(name: str, contract: Contract) -> Any:
    """Return a value that is not a choice of any field named `name`; a number if all choices are numbers."""
    fields = (field for fields in contract.served.values() for field in fields if field.name == name)
    choices = [choice for field in fields for choice in field.choices]
    return max(choices) + 1 if all(isinstance(each, int) for each in choices) else _UNKNOWN


def _each(
    kinds: Collection[EndpointKind] = tuple(EndpointKind), *, needs_key: bool = False, **fault: Any
) -> Callable[[Endpoint, Contract], Iterator[tuple[str, Fault]]]:
    """Return a function that yields one mutant for each endpoint of these kinds."""

    def make(endpoint: Endpoint, _: Contract) -> Iterator[tuple[str, Fault]]:
        if endpoint.kind in kinds and not (needs_key and endpoint.is_open):
            yield "", fault

    return make


_LISTS, _ROWS = (EndpointKind.LIST,), (EndpointKind.LIST, EndpointKind.ARRAY)


def _broken(means: str, *, needs_key: bool = False, **fault: Any) -> Kind:
    """Return a kind that concerns every response of an endpoint."""
    return Kind(_each(needs_key=needs_key, **fault), means, needs_success=False)


def _once(means: str, wait: float, *, needs_key: bool = False, **fault: Any) -> Kind:
    """Return a tolerable kind: a fault in the first GET of each world, which a client can repeat."""
    make = _each(needs_key=needs_key, **fault, method="GET", times=1)
    return Kind(make, means, is_breaking=False, needs_success=False, wait=wait)


_REFUSED = "Every request is refused, and no test fails:"
_AGAIN = "your client does not try again, or a test counts requests or waits."

# fmt: off
KINDS: Mapping[str, Kind] = {
    "field.removed": Kind(_each_field("removed"),
        "The field is gone: the program goes on without it, or breaks where no test looks."),
    "field.null": Kind(_each_field("null"),
        "A null where none is documented goes through, perhaps into a sum or a database."),
    "field.retyped": Kind(_each_field("retyped"),
        'A value of another type goes through, such as "2.5" for 2.5, and may be compared or sorted '
        "wrongly."),
    "field.enum": Kind(_unknown_choices,
        "A value that the documentation does not list goes through, and may be treated like any other."),
    "page.unlinked": Kind(_each(_LISTS, pages="unlinked"),
        "`next` is null although more rows follow: only the first page is read, or no test misses the rows "
        "of the others."),
    "page.short": Kind(_each(_ROWS, pages="short"),
        "The last row of each page is missing: no test knows how many rows there are."),
    "page.empty": Kind(_each(_ROWS, pages="empty"),
        "Pages have no rows although `count` is not 0: no test misses the rows."),
    "page.miscounted": Kind(_each(_LISTS, pages="miscounted"),
        "`count` is too high: your client does not read it, or no test compares it with the rows."),
    "page.reversed": Kind(_each(_ROWS, pages="reversed"),
        "The rows are in the opposite order: your client does not rely on it, or no test looks at it."),
    "status.400": _broken(f"{_REFUSED} your client takes an error for a result, or hides it.", status=400),
    "status.401": _broken(f"{_REFUSED} a key that has expired would not be noticed.",
        needs_key=True, status=401),
    **{
        f"status.403.{code}": _broken(f"{_REFUSED} your client hides the reason ({text.rstrip('.')}).",
            needs_key=True, status=403, code=code)
        for code, text in messages.FORBIDDEN.items()
    },
    "status.404": _broken(f"{_REFUSED} your client takes what is not found for nothing.", status=404),
    "status.500": _broken("The service fails with a page of HTML: your client hides the error.",
        status=500, form="html"),
    "status.503": _broken("The service stays unavailable: your client hides the error.",
        status=503, form="proxy"),
    "body.truncated": _broken(
        "Each body ends half-way: your client takes it for complete, or does not read it.",
        fault="TRUNCATED_BODY"),
    "field.added": Kind(_each(drift="added", field=_NEW_FIELD, to="new"),
        "A new field makes the tests fail; the API announces that fields may be added at any time.",
        is_breaking=False),
    "page.repeated": Kind(_each(_LISTS, pages="repeated"),
        "A row that moves to the next page during a walk makes the tests fail: your client counts it twice.",
        is_breaking=False),
    "once.slow": _once("The first response takes a second, and the tests fail: a time limit is too short.",
        _SLOW / 1000, fixedDelayMilliseconds=_SLOW),
    "once.429": _once(f"One 429 with `Retry-After: 1` makes the tests fail: {_AGAIN}",
        _RETRY_SECONDS, needs_key=True, status=429, retryAfter=1),
    "once.503": _once(f"One 503 makes the tests fail: {_AGAIN}", _RETRY_SECONDS, status=503, form="proxy"),
    "once.reset": _once(f"One connection that is reset makes the tests fail: {_AGAIN}",
        _RETRY_SECONDS, fault="CONNECTION_RESET_BY_PEER"),
}
# fmt: on
"""All kinds of mutants, by their names."""


# Which of them are run.


def matching(mutants: Iterable[Mutant], patterns: Collection[str]) -> list[Mutant]:
    """Return the mutants whose ids contain one of the patterns; without patterns, all mutants.

    In a pattern, `*` stands for any characters; all other characters stand for themselves.
    """
    literal = [f"*{each.replace('[', '[[]').replace('?', '[?]')}*" for each in patterns or ("*",)]
    return [each for each in mutants if any(fnmatchcase(each.id, pattern) for pattern in literal)]


def sampled(mutants: Sequence[Mutant], most: int | None) -> list[Mutant]:
    """Return at most `most` of the mutants, in their order; if `most` is None, all.

    The choice covers as many kinds as possible and depends on the ids alone: it is the same each time, and a
    new mutant changes little of it.
    """
    ranks = Counter[str]()
    ranked = []
    for mutant in sorted(mutants, key=_digest):
        ranks[mutant.kind] += 1
        ranked.append((ranks[mutant.kind], _digest(mutant), mutant))
    kept = {mutant.id for *_, mutant in sorted(ranked)[:most]}
    return [mutant for mutant in mutants if mutant.id in kept]


def _digest(mutant: Mutant) -> bytes:
    return sha256(mutant.id.encode()).digest()


# What came of them.


class Verdict(StrEnum):
    """What a run with a mutant showed."""

    KILLED = "killed"  # breaking, and the command failed
    SURVIVED = "survived"  # breaking, and the command passed
    PASSED = "passed"  # tolerable, and the command passed
    TOO_STRICT = "too strict"  # tolerable, and the command failed
    TIMED_OUT = "timed out"
    NOT_REACHED = "not reached"  # no response was changed
    NOT_RUN = "not run"  # left out of the sample, or interrupted


class Result(NamedTuple):
    """A mutant, and how the run with it ended; `seconds` is 0 if it was not run."""

    mutant: Mutant
    verdict: Verdict
    exit_code: int | None = None  # of the command. None: it was not run, or ended at its time limit
    seconds: float = 0.0


def verdict_of(mutant: Mutant, code: int | None, has_struck: bool) -> Verdict:
    """Return the verdict on a run; `code` is its exit code, None if it was ended at its time limit."""
    if not has_struck:
        return Verdict.NOT_REACHED
    if code is None:
        return Verdict.TIMED_OUT
    if mutant.is_breaking:
        return Verdict.KILLED if code else Verdict.SURVIVED
    return Verdict.TOO_STRICT if code else Verdict.PASSED


_NOTICED = (Verdict.KILLED, Verdict.TIMED_OUT)


def scored(results: Iterable[Result]) -> tuple[int, int]:
    """Return how many breaking mutants were noticed, and how many could have been.

    A mutant with which the command does not end in time is noticed: the command would fail in a pipeline.
    """
    verdicts = Counter(each.verdict for each in results if each.mutant.is_breaking)
    noticed = sum(verdicts[each] for each in _NOTICED)
    return noticed, noticed + verdicts[Verdict.SURVIVED]


def score(results: Iterable[Result]) -> int | None:
    """Return the per cent of reached breaking mutants that were noticed, rounded down; None without any."""
    noticed, total = scored(results)
    return 100 * noticed // total if total else None


def unread(results: Iterable[Result]) -> list[tuple[str, str]]:
    """Return endpoint and name of each field that seems unread: every breaking mutant of it survived."""
    verdicts: dict[tuple[str, str], set[Verdict]] = {}
    for mutant, verdict, *_ in results:
        if mutant.is_breaking and mutant.field:
            verdicts.setdefault((mutant.endpoint, mutant.field), set()).add(verdict)
    return [field for field, found in verdicts.items() if found == {Verdict.SURVIVED}]
