"""A journal: what was asked in one world, and what it answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import parse_qs, unquote

if TYPE_CHECKING:
    from mock_webshare.exchange.model import Exchange, Headers
    from mock_webshare.exchange.redaction.redactor import Redactor

MOST_ENTRIES = 1000
"""How many requests a journal keeps; of more, the oldest go."""
MOST_BYTES = 64 * 1024 * 1024
"""About how many bytes they have together; of more, the oldest go."""
LARGEST_BODY = 65_536
"""Bytes of a request's body that are kept."""
ENTRY_BYTES = 1024
"""About what an entry takes besides what was sent and answered."""


class Sent(Protocol):
    """A response, as far as it is noted."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def body(self) -> bytes: ...


class Entry(NamedTuple):
    """One request and its response, as they came; `response` is None if none was sent, or not yet."""

    started: int  # by the world's clock, when it came
    method: str
    target: str
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes
    response: Sent | None
    seconds: float
    faults: tuple[str, ...] = ()  # the actions of those that struck it

    def __repr__(self) -> str:
        """Return the request without its key: where an assertion fails, it is written into a log."""
        return f"<Entry {_line(self, _redactor([self]))}>"

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        response = 0 if self.response is None else len(self.response.body)
        return ENTRY_BYTES + len(self.target) + len(self.body) + headers_size(self.headers) + response

    @property
    def credentials(self) -> list[str]:
        """The words of its `Authorization`, one of which is the key."""
        values = [value for name, value in self.headers if name.lower() == b"authorization"]
        return b" ".join(values).decode("latin-1").split()

    @property
    def path(self) -> str:
        """The decoded path."""
        return unquote(self._parts[0])

    @property
    def query(self) -> Mapping[str, list[str]]:
        """The decoded values of each parameter."""
        return parse_qs(self._parts[2], keep_blank_values=True)

    @property
    def _parts(self) -> tuple[str, str, str]:
        """The path and the query, as they were sent, and what is between them."""
        # Not as a URL: `//[a` is a path here, and as one it would be a host that is none.
        target = self.target
        if not target.startswith(("/", "*")):  # the absolute form, which proxies send
            target = "/" + target.partition("://")[2].partition("/")[2]
        return target.partition("?")

    def exchange(self, number: int) -> Exchange:
        """Return the exchange that it is, the `number`th of its journal, with the keys that are in it."""
        from mock_webshare.exchange.model import Exchange

        response = self.response
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in self.headers)
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


def headers_size(headers: Sequence[tuple[bytes, bytes]]) -> int:
    """Return how many bytes some headers have."""
    return sum([len(name) + len(value) for name, value in headers])


class Wanted(NamedTuple):
    """What a request should have been; of the query only the parameters that are named count."""

    method: str
    path: str
    query: Mapping[str, Any]  # a text or a number, several of them as a list, or None: not there

    def differences(self, entry: Entry) -> list[str]:
        """Given a request, return a sentence for each thing in which it differs: none if it is wanted."""
        found = []
        if entry.method != self.method:
            found.append(f"method: {entry.method}, wanted {self.method}")
        if entry.path != self.path:
            found.append(f"path: {entry.path}, wanted {self.path}")
        query = entry.query if self.query else {}  # parsed once, not for each name
        for name, value in self.query.items():
            wanted = [] if value is None else [str(each) for each in _listed(value)]
            actual = query.get(name, [])
            if actual != wanted:
                found.append(f"{name}: {_said(actual)}, wanted {_said(wanted)}")
        return found


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _said(values: Sequence[str]) -> str:
    return ", ".join(map(repr, values)) or "none"


class Journal:
    """The last requests of one world, in the order in which they came."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self._sizes: deque[int] = deque()  # of the entries: counted once, for it is done for every request
        self.noted = 0
        self.size = 0
        """About how many bytes the requests take."""

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def dropped(self) -> int:
        """How many requests were noted once and had to go."""
        return self.noted - len(self._entries)

    def note(self, entry: Entry, size: int | None = None) -> None:
        """Note a request and its answer; `size` is its size, unless that has to be counted."""
        size = entry.size if size is None else size
        self.noted += 1
        self.size += size
        self._entries.append(entry)
        self._sizes.append(size)
        while len(self._sizes) > MOST_ENTRIES or (self.size > MOST_BYTES and len(self._sizes) > 1):
            self._entries.popleft()
            self.size -= self._sizes.popleft()

    def amend(self, entry: Entry, amended: Entry) -> None:
        """Put what has become of a request in the place of what was noted of it, unless that is gone."""
        for index in reversed(range(len(self._entries))):
            if self._entries[index] is entry:
                self._entries[index] = amended
                self.size += amended.size - self._sizes[index]
                self._sizes[index] = amended.size
                return

    def clear(self) -> None:
        """Forget all requests, also that there were any."""
        self.drop()
        self.noted = 0

    def drop(self) -> None:
        """Let all requests go, to make room."""
        self._entries.clear()
        self._sizes.clear()
        self.size = 0

    def count(self, wanted: Wanted) -> int:
        """Return how many requests are as wanted."""
        return sum(not wanted.differences(entry) for entry in self._entries)


def exchanges(entries: Iterable[Entry], secrets: Iterable[str] = ()) -> list[Exchange]:
    """Return requests as exchanges, without the keys that any of them sent, and some other `secrets`."""
    from mock_webshare.exchange.redaction.redactor import Redactor  # only for those who look

    redactor = Redactor(secrets)
    found = [entry.exchange(number) for number, entry in enumerate(entries)]
    for exchange in found:
        redactor.learn(replace(exchange, headers=None, body=b""))  # our own answers tell no new ones
    return list(map(redactor.exchange, found))


_NEAREST = 5


def transcript(entries: Iterable[Entry]) -> str:
    """Given requests, return a line for each: method, target, status, and the faults that struck it."""
    entries = list(entries)
    redactor = _redactor(entries)
    return "\n".join(_line(entry, redactor) for entry in entries) or "none"


def missed(wanted: Wanted, entries: Sequence[Entry], elsewhere: int = 0) -> str:
    """Given what nobody asked, and what was asked, say so: the nearest requests, and how they differ.

    `elsewhere` is how many came with other keys: where none came with this one, the key may be wrong.
    """
    asked = "&".join(f"{name}={value}" for name, value in wanted.query.items())
    text = f"{wanted.method} {wanted.path}{asked and f' with {asked}'} was not requested."
    if not entries:
        others = (
            f", but {elsewhere} with other keys or none: does the client use this one?" if elsewhere else "."
        )
        return f"{text} There were no requests with this key{others}"
    redactor = _redactor(entries)
    lines = [text, f"The nearest of {len(entries)} with this key:"]
    for entry in sorted(entries, key=lambda each: len(wanted.differences(each)))[:_NEAREST]:
        lines.append(f"  {_line(entry, redactor)}")
        lines += [f"    {redactor.text(difference)}" for difference in wanted.differences(entry)]
    return "\n".join(lines)


def _redactor(entries: Iterable[Entry]) -> Redactor:
    """Return what knows the keys of all these requests."""
    from mock_webshare.exchange.redaction.redactor import Redactor  # only for those who look

    return Redactor(secret for entry in entries for secret in entry.credentials)


def _line(entry: Entry, redactor: Redactor) -> str:
    status = "no response" if entry.response is None else entry.response.status
    struck = f" ({', '.join(entry.faults)})" if entry.faults else ""
    return f"{entry.method} {redactor.url(entry.target)} {status}{struck}"
