"""A journal: the last requests of one world and their responses."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs

from mock_webshare.contract.timestamps import format_utc
from mock_webshare.service.framework.request import split_target
from mock_webshare.service.framework.response import Response
from mock_webshare.service.reasons import Reason

if TYPE_CHECKING:
    from mock_webshare.exchange.model import Exchange
    from mock_webshare.exchange.redaction.redactor import Redactor

MAX_ENTRIES = 1000
"""How many requests a journal keeps; beyond that, the oldest are dropped."""
MAX_BYTES = 64 * 1024 * 1024
"""About how many bytes the requests of a journal may take; beyond that, the oldest are dropped."""
LARGEST_BODY = 65_536
"""Bytes of a request's body that are kept."""
ENTRY_BYTES = 1024
"""About how many bytes an entry takes besides the texts of request and response."""
_CACHED = 256  # headers of requests, most of which repeat others
_NEAREST = 5  # requests that are shown if none matches


class Entry(NamedTuple):
    """One request and its response; `response` is None if no response was sent, or not yet."""

    started: int  # by the world's clock, when it arrived
    method: str
    target: str  # path and query as they were sent
    raw_headers: Sequence[tuple[bytes, bytes]]
    body: bytes  # without its content coding; only the first `LARGEST_BODY` bytes
    response: Response | None
    seconds: float
    faults: tuple[str, ...] = ()  # the actions of the faults that struck the request
    arrived: float = 0.0  # when it arrived in real time, in seconds since the epoch
    began: float = 0.0  # when it arrived by a monotonic clock, in seconds, to measure between two requests
    reason: str = ""  # why the response is not the ordinary one: codes of `Reason`; else empty
    is_waiting: bool = False  # whether the response is still to be sent

    def __repr__(self) -> str:
        """Return the request without its key: a failed assertion writes it into a log."""
        return f"<Entry {_line(self, _redactor([self]))}>"

    @property
    def hint(self) -> str:
        """What is wrong with the request, and what to do instead; empty: there is no hint."""
        return "" if self.response is None else self.response.hint

    @property
    def size(self) -> int:
        """The approximate memory of the entry, in bytes."""
        response = 0 if self.response is None else len(self.response.body)
        return ENTRY_BYTES + len(self.target) + len(self.body) + headers_size(self.raw_headers) + response

    @property
    def credentials(self) -> list[str]:
        """The words of the header `Authorization`; one of them is the key."""
        values = [value for name, value in self.raw_headers if name.lower() == b"authorization"]
        return b" ".join(values).decode("latin-1").split()

    @property
    def path(self) -> str:
        """The decoded path."""
        return split_target(self.target)[0]

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers by name, in any letter case; values of repeated ones are joined with commas."""
        return SentHeaders(self.raw_headers)

    def json(self) -> Any:
        """Return the parsed JSON of the request body; raise ValueError if the body is not JSON."""
        return json.loads(self.body)

    @property
    def query(self) -> Mapping[str, list[str]]:
        """The decoded values of each parameter, as lists."""
        return _query(self.target)

    def exchange(self, number: int) -> Exchange:
        """Return the request with its response as the exchange `number`, from which no key is removed."""
        from mock_webshare.exchange.model import Exchange

        response = self.response
        headers = _decoded(tuple(self.raw_headers))
        host = next((value for name, value in headers if name.lower() == "host"), "")
        return Exchange(
            source="journal",
            entry=number,
            method=self.method,
            url=f"http://{host}{self.target}" if self.target.startswith("/") else self.target,
            request_headers=headers,
            request_body=self.body,
            status=None if response is None else response.status,
            headers=None if response is None else response.headers,
            body=b"" if response is None or self.method == "HEAD" else response.body,
            started=self.started,
            seconds=self.seconds,
        )


@lru_cache(_CACHED)
def _decoded(headers: tuple[tuple[bytes, bytes], ...]) -> tuple[tuple[str, str], ...]:
    return tuple([(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers])


def _query(target: str) -> dict[str, list[str]]:
    return parse_qs(target.partition("?")[2], keep_blank_values=True)


def headers_size(headers: Sequence[tuple[bytes, bytes]]) -> int:
    return sum([len(name) + len(value) for name, value in headers])


class SentHeaders(Mapping[str, str]):
    """The headers of a request; a representation has only their names, because a value may be a key."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[str, str] = {}
        self._names: dict[str, str] = {}  # as they were first sent, by their lower case
        for name, value in ((each.decode("latin-1") for each in pair) for pair in raw):
            lower, value = name.lower(), value.strip(" \t")
            known = self._values.get(lower)
            self._values[lower] = value if known is None else f"{known}, {value}"
            self._names.setdefault(lower, name)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.values())

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<headers {', '.join(self)}>"


class RequestMatcher(NamedTuple):
    """An expected request; parameters that are not named can have any value."""

    method: str
    path: str
    query: Mapping[str, Any]  # a text, a number, or a list of these; None: the parameter is absent

    def differences(self, entry: Entry) -> list[str]:
        """Return each difference from the expected request in words; empty if it matches."""
        found = []
        if entry.method != self.method:
            found.append(f"method: {entry.method}, expected {self.method}")
        if entry.path != self.path:
            found.append(f"path: {entry.path}, expected {self.path}")
        query = entry.query if self.query else {}  # parsed once, not for each name
        for name, value in self.query.items():
            values = value if isinstance(value, list | tuple) else [] if value is None else [value]
            actual, expected = query.get(name, []), list(map(str, values))
            if actual != expected:
                found.append(f"{name}: {_joined(actual)}, expected {_joined(expected)}")
        return found

    def distance(self, entry: Entry) -> tuple[int, bool]:
        """Return how far a request is from the expected one, to sort by; a missing slash counts least."""
        is_other = entry.path.rstrip("/") != self.path.rstrip("/")
        return len(self.differences(entry)), is_other


def _joined(values: Sequence[str]) -> str:
    return ", ".join(map(repr, values)) or "none"


def new_id() -> str:
    """Return a random id, from which nothing can be inferred."""
    return os.urandom(8).hex()


class Journal:
    """The last requests of one world, in the order in which they arrived."""

    def __init__(self) -> None:
        self._id: str | None = None  # None: not made yet, because `id` was not read
        self._entries: deque[Entry] = deque()
        self._sizes: deque[int] = deque()  # of the entries, computed once for speed
        self.total = 0
        """How many requests were added since the journal was cleared."""
        self.size = 0
        """About how many bytes the requests take."""
        self.is_time_real = True
        """False: when a request came, the timer or a `sleep` of the process was not the real one."""

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def id(self) -> str:
        """A random id, a new one after the journal is cleared; requests are numbered from 1 again then."""
        if self._id is None:
            self._id = new_id()
        return self._id

    @property
    def last(self) -> Entry | None:
        """The newest request; None if there is none."""
        return self._entries[-1] if self._entries else None

    @property
    def dropped(self) -> int:
        """How many requests were added and then dropped since the journal was cleared."""
        return self.total - len(self._entries)

    def since(self, total: int) -> list[Entry]:
        """Return the requests that were added after the first `total` ones, unless they were dropped."""
        return list(self._entries)[max(total - self.dropped, 0) :]

    def add(self, entry: Entry, size: int | None = None) -> None:
        """Add a request; `size` is its size, if that is known already."""
        size = entry.size if size is None else size
        self.total += 1
        self.size += size
        self._entries.append(entry)
        self._sizes.append(size)
        while len(self._sizes) > MAX_ENTRIES or (self.size > MAX_BYTES and len(self._sizes) > 1):
            self._entries.popleft()
            self.size -= self._sizes.popleft()

    def replace(self, entry: Entry, replacement: Entry) -> None:
        """Replace an entry, unless it was dropped."""
        for index in reversed(range(len(self._entries))):
            if self._entries[index] is entry:
                self._entries[index] = replacement
                self.size += replacement.size - self._sizes[index]
                self._sizes[index] = replacement.size
                return

    def clear(self) -> None:
        """Remove all requests, and reset `total`; the journal gets another id."""
        self.drop()
        self.total = 0
        self._id = None

    def drop(self) -> None:
        """Drop all requests to free memory; unlike cleared ones, they stay in `total` and `dropped`."""
        self._entries.clear()
        self._sizes.clear()
        self.size = 0

    def count(self, matcher: RequestMatcher) -> int:
        return sum(not matcher.differences(entry) for entry in self._entries)


def exchanges(entries: Iterable[Entry], secrets: Iterable[str] = ()) -> list[Exchange]:
    """Return requests as exchanges, without their keys and without other `secrets`."""
    redactor = _redactor((), secrets)
    found = [entry.exchange(number) for number, entry in enumerate(entries)]
    for exchange in found:
        # The mock's responses have no secrets that their requests do not have.
        redactor.collect_secrets(replace(exchange, headers=None, body=b""))
    return list(map(redactor.exchange, found))


def listed(entries: Sequence[Entry], secrets: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return requests as JSON data, without their keys and without other `secrets`.

    Beside the exchange there are path and query as `Entry` has them, the time of arrival, the actions of
    faults, the reason, and the hint.
    """
    return [wire(*each) for each in zip(exchanges(entries, secrets), entries, strict=True)]


def wire(exchange: Exchange, entry: Entry) -> dict[str, Any]:
    """Return one request as JSON data; `exchange` is without secrets."""
    target, document = exchange.url or "", exchange.wire()
    document["request"] |= {"path": split_target(target)[0], "query": _query(target)}
    return {
        **document,
        "arrived": format_utc(int(1000 * entry.arrived)),
        "faults": list(entry.faults),
        "reason": entry.reason,
        "hint": entry.hint or None,
    }


def transcript(entries: Sequence[Entry]) -> str:
    """Return a line for each request: method, target, status, reasons, and faults that struck it.

    A request with a hint has a second line.
    """
    redactor = _redactor(entries)
    return "\n".join(line for entry in entries for line in _lines(entry, redactor)) or "none"


def _lines(entry: Entry, redactor: Redactor) -> Iterator[str]:
    yield _line(entry, redactor)
    if entry.hint:
        yield f"  hint: {entry.hint}"


def not_requested(matcher: RequestMatcher, entries: Sequence[Entry], others: int, url: str) -> str:
    """Return the message of a failed assertion, with the nearest requests.

    `others` is the number of requests with other keys: if no request has this key, the client may use
    another. `url` is the base URL that the client should use.
    """
    query = "&".join(f"{name}={value}" for name, value in matcher.query.items())
    text = f"{matcher.method} {matcher.path}{query and f' with {query}'} was not requested."
    if not entries:
        more = f" or another: does the client have the base URL {url}?"
        if others:
            more = f", but {others} with other keys or none: does the client use this one?"
        return f"{text} There were no requests with this key{more}"
    redactor = _redactor(entries)
    lines = [text, f"The nearest of {len(entries)} with this key:"]
    for entry in sorted(entries, key=matcher.distance)[:_NEAREST]:
        lines += [f"  {line}" for line in _lines(entry, redactor)]
        lines += [f"    {redactor.text(difference)}" for difference in matcher.differences(entry)]
    return "\n".join(lines)


def _redactor(entries: Iterable[Entry], secrets: Iterable[str] = ()) -> Redactor:
    from mock_webshare.exchange.redaction.redactor import Redactor  # `serve` loads it after its start

    return Redactor((*secrets, *(secret for entry in entries for secret in entry.credentials)))


def _line(entry: Entry, redactor: Redactor) -> str:
    status = "no response" if entry.response is None else entry.response.status
    # `_lines` shows a hint in a line of its own.
    codes = [each for each in entry.reason.split() if not each.startswith(Reason.HINT)]
    why = ", ".join([*codes, *entry.faults])
    return f"{entry.method} {redactor.url(entry.target)} {status}{why and f' ({why})'}"
