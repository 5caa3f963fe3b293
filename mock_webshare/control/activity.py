"""The requests of a journal as they arrive: a row for each, and one with all that was sent; without keys."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any

from mock_webshare.contract.timestamps import format_utc
from mock_webshare.exchange.redaction.patterns import may_contain_secret_name
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.service.world.journal import Entry, Journal, wire
from mock_webshare.service.world.registry import Worlds
from mock_webshare.service.world.world import World

MOST_ROWS = 200
"""Rows of one response; a thousand would keep a client of the service waiting."""
_MOST_READERS = 16
_FEW = 5
"""Requests that are redacted at once; more are in a thread."""
_MOST_KNOWN = 1000
_SIGNS = ("%", "@", ":", "download")
"""What is in each target that has a secret without a name that indicates it."""
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class Reader:
    """Redacts the requests of one journal; each is searched for secrets once, and found in all others.

    `secrets` are known from the start. Its methods may be called in any thread.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._redactor = Redactor(secrets)
        self._lock = Lock()
        self._current: Entry | None = None  # the last one whose secrets were collected
        self._known = set[object]()  # headers whose secrets were collected
        self.searched = 0
        """The number of the last request that was searched for secrets."""

    def rows(self, unsearched: Sequence[Entry], shown: Sequence[Entry], last: int) -> list[dict[str, Any]]:
        """Return rows of the last requests; `unsearched` are those that arrived since the last call."""
        with self._lock:
            self._search(unsearched, last)
            return [self._row(number, each) for number, each in enumerate(shown, last - len(shown) + 1)]

    def exchange(self, unsearched: Sequence[Entry], entry: Entry, number: int, last: int) -> dict[str, Any]:
        """Return one request with all that was sent."""
        with self._lock:
            self._search(unsearched, last)
            document = wire(self._redactor.exchange(entry.exchange(number)), entry)
        return {"number": number, "waiting": entry.is_waiting, **document}

    def _search(self, entries: Sequence[Entry], last: int) -> None:
        for each in entries:
            if not (_is_plain(each) and each.raw_headers in self._known):
                self._collect(each)
        self.searched = max(self.searched, last)

    def _collect(self, entry: Entry) -> None:
        """Collect the secrets of a request; clients send the same headers again and again."""
        self._redactor.collect_secrets(replace(entry.exchange(0), headers=None, body=b""))
        self._current = entry
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known.add(entry.raw_headers)

    def _row(self, number: int, entry: Entry) -> dict[str, Any]:
        before = self._current
        # Short secrets are known in their own request only.
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
            "waiting": is_waiting,
        }


def _is_plain(entry: Entry) -> bool:
    """Return whether all secrets of a request are in its headers."""
    target = entry.target.lower()
    has_sign = any(sign in target for sign in _SIGNS) or may_contain_secret_name(target)
    return not (entry.body or has_sign)


class Readers:
    """The readers of the journals that were looked at last."""

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
"""What is responded, or a function that returns it in a thread."""


def activity(
    journal: Journal, world: World | None, server: Worlds, reader: Reader, after: int, limit: int
) -> Content:
    """Return the newest requests of a journal after the one with the number `after`, up to `limit`.

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
        return {**head, "requests": reader.rows(unsearched, shown, last)}

    return content() if len(shown) + len(unsearched) <= _FEW else content


def one_request(journal: Journal, reader: Reader, number: int) -> Callable[[], dict[str, Any]] | None:
    """Return a function that returns one request; None: the journal does not have it."""
    if not journal.dropped < number <= journal.total:
        return None
    last, unsearched, entry = journal.total, journal.since(reader.searched), journal.since(number - 1)[0]
    return lambda: reader.exchange(unsearched, entry, number, last)


def version_of(world: World | None, journal: Journal) -> str:
    """Return a text that differs after each change of a world, and after each request."""
    return f"{0 if world is None else world.changes}.{journal.total}"
