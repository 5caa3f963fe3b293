"""The requests of a journal as they arrive: a short row for each, or one of them in full; without keys."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

from mock_webshare.contract.model import Contract
from mock_webshare.contract.timestamps import format_utc
from mock_webshare.control import hints
from mock_webshare.control.coverage import Counter
from mock_webshare.exchange.redaction.patterns import may_contain_secret_name
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.service.reasons import MEANINGS, Reason
from mock_webshare.service.world.journal import Entry, Journal, wire
from mock_webshare.service.world.registry import Worlds
from mock_webshare.service.world.world import World

MOST_ROWS = 200
"""Rows of one response; a thousand would keep a client of the service waiting."""
_MOST_READERS = 16
_FEW = 5
"""Requests up to which redaction runs in the event loop; more requests are redacted in a thread."""
_MOST_KNOWN = 1000
_SIGNS = ("%", "@", ":", "download")
"""A target that has a secret, but no name that indicates a secret, contains one of these."""
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
COUNTS = ("seen", "struck", "warning")
"""What is known of a fault besides its options and its id."""
LARGE = ("headers", "jsonBody", "body")
"""Options of faults that may be large; `GET faults` lists them."""
_NOT_DESCRIBED = ("id", *COUNTS, *LARGE)

Why = Callable[[Entry, Callable[[str], str]], Sequence[str]]
"""Returns sentences on why a response is not the ordinary one, and what is wrong with its request.

The second argument redacts texts of users in these sentences.
"""


class Reader:
    """Reads the requests of one journal: redacts them, and counts their coverage.

    A secret that is found in one request is replaced in all.

    Each request is searched for secrets once; `secrets` are known from the start. Any thread may call the
    methods.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._redactor = Redactor(secrets)
        self._lock = Lock()
        self._current: Entry | None = None  # the last request whose secrets were collected
        self._known = set[object]()  # headers whose secrets were collected
        self.counter = Counter()
        self.searched = 0
        """The number of the last request that was searched for secrets."""

    def rows(
        self, unsearched: Sequence[Entry], shown: Sequence[Entry], last: int, why: Why
    ) -> list[dict[str, Any]]:
        """Return rows of the last requests; `unsearched` are those that arrived since the last call."""
        with self._lock:
            self._search(unsearched, last)
            return [self._row(number, each, why) for number, each in enumerate(shown, last - len(shown) + 1)]

    def exchange(
        self, unsearched: Sequence[Entry], entry: Entry, number: int, last: int, why: Why
    ) -> dict[str, Any]:
        """Return one request and its response in full, as JSON data."""
        with self._lock:
            self._search(unsearched, last)
            document = wire(self._redactor.exchange(entry.exchange(number)), entry)
            sentences = why(entry, self._redactor.text)
        return {"number": number, "waiting": entry.is_waiting, **document, "why": sentences}

    def _search(self, entries: Sequence[Entry], last: int) -> None:
        for each in entries:
            if not (_is_plain(each) and each.raw_headers in self._known):
                self._collect(each)
        self.searched = max(self.searched, last)

    def _collect(self, entry: Entry) -> None:
        """Collect the secrets of a request, and note its headers: clients send the same ones repeatedly."""
        self._redactor.collect_secrets(replace(entry.exchange(0), headers=None, body=b""))
        self._current = entry
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known.add(entry.raw_headers)

    def _row(self, number: int, entry: Entry, why: Why) -> dict[str, Any]:
        before = self._current
        # The redactor knows short secrets of the last collected request only.
        if before is None or not (
            _is_plain(before) and _is_plain(entry) and before.raw_headers == entry.raw_headers
        ):
            self._collect(entry)
        response, is_waiting = entry.response, entry.is_waiting
        return {
            "number": number,
            "at": format_utc(int(1000 * entry.arrived)),
            "method": entry.method if entry.method in _METHODS else self._redactor.text(entry.method),
            "target": self._redactor.text(entry.target),
            "status": None if response is None else response.status,
            "ms": None if is_waiting else round(1000 * entry.seconds, 3),
            "bytes": None if response is None else len(response.body),
            "faults": list(entry.faults),
            "reason": entry.reason,
            "hint": entry.hint or None,
            "why": why(entry, self._redactor.text),
            "waiting": is_waiting,
        }


def _is_plain(entry: Entry) -> bool:
    """Return whether all secrets of a request are in its headers."""
    target = entry.target.lower()
    has_sign = any(sign in target for sign in _SIGNS) or may_contain_secret_name(target)
    return not (entry.body or has_sign)


class Readers:
    """The readers of the journals that were shown most recently."""

    def __init__(self) -> None:
        self._readers: OrderedDict[str, Reader] = OrderedDict()

    def of(self, journal: Journal, secrets: Iterable[str]) -> Reader:
        """Return the reader of a journal, until the journal is cleared."""
        reader = self._readers.pop(journal.id, None) or Reader(secrets)
        if journal.total:
            self._readers[journal.id] = reader
        if len(self._readers) > _MOST_READERS:
            self._readers.popitem(last=False)
        return reader


Content = dict[str, Any] | Callable[[], dict[str, Any]]
"""The content of a response, or a function that returns it and is called in a thread."""


def why_of(world: World | None, contract: Contract) -> Why:
    """Return the `Why` of the requests of a world; None: of the requests without a known key."""
    faults = {} if world is None else {str(each["id"]): description(each) for each in world.faults()}
    is_scenario = world is not None and world.initial.is_scenario

    def why(entry: Entry, redacted: Callable[[str], str]) -> Sequence[str]:
        found = hints.of_parameters(entry, contract) if not (entry.reason or is_scenario) else ()
        return [*_reasons(entry, faults, redacted), *map(redacted, found)]

    return why


def _reasons(entry: Entry, faults: Mapping[str, str], redacted: Callable[[str], str]) -> Iterator[str]:
    """Yield the faults that struck; the hint, or else what other codes mean; that a response is missing."""
    for code in entry.reason.split():
        name, _, detail = code.partition(":")
        if name == Reason.FAULT:
            text = faults.get(detail)
            yield f"fault {detail}: {redacted(text)}" if text else f"fault {detail}, which was removed"
        elif not entry.hint:
            meaning = MEANINGS[name]
            yield f"{meaning.rstrip('.')}: {detail}" if detail else meaning
    if entry.hint:
        yield entry.hint
    if entry.is_waiting:
        yield "waiting for its response"
    elif entry.response is None:
        yield "no response was sent"


def description(fault: Mapping[str, Any]) -> str:
    """Return a fault in short: `status 503, probability 0.15`."""
    options = {name: value for name, value in fault.items() if name not in _NOT_DESCRIBED}
    return ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value)}" for name, value in options.items()
    )


def activity(
    journal: Journal, world: World | None, server: Worlds, reader: Reader, why: Why, after: int, limit: int
) -> Content:
    """Return the newest requests of a journal, at most `limit`, with numbers above `after`.

    `world` is None for the requests without a known key.
    """
    last, arrived = journal.total, max(journal.total - after, 0)
    unsearched = journal.since(reader.searched) if limit and last > reader.searched else []
    shown = journal.since(max(after, last - limit)) if limit and arrived else []
    head = {
        "server": server.id,
        "newest": next((each.id for _, each in server.recent() if each.journal.total), None),
        "keyless": server.keyless.total,
        "journal": journal.id,
        "next": last,
        "skipped": arrived - len(shown),
        "version": version_of(world, journal),
    }
    if not shown:
        return {**head, "requests": []}

    def content() -> dict[str, Any]:
        return {**head, "requests": reader.rows(unsearched, shown, last, why)}

    return content() if len(shown) + len(unsearched) <= _FEW else content


def one_request(
    journal: Journal, reader: Reader, why: Why, number: int
) -> Callable[[], dict[str, Any]] | None:
    """Return a function that returns one request; None: the journal does not have the request."""
    if not journal.dropped < number <= journal.total:
        return None
    last, unsearched, entry = journal.total, journal.since(reader.searched), journal.since(number - 1)[0]
    return lambda: reader.exchange(unsearched, entry, number, last, why)


def version_of(world: World | None, journal: Journal) -> str:
    """Return a text that differs after each change of a world, and after each request."""
    return f"{0 if world is None else world.changes}.{journal.total}"
