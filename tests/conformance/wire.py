"""Requests and answers as bytes on a socket, and the differences between two answers.

Nothing here normalises a URL or a header, because the answers to odd ones are what is compared.

Outside the comparison, since they are decided by the HTTP server in front of an application, and
Django's development server is not what anybody deploys:

- a target that begins with `//` (collapsed by Python's own parser), is an absolute URI or `*`, or has
  raw blanks, raw bytes beyond ASCII, control characters or a `#`;
- methods that are no HTTP method, in lower case, or `CONNECT`;
- header names with an underscore, folded headers, control characters in a value, and the bytes 0x85
  and 0xA0 at either end of one (blanks to Python's own server);
- several `Host` or `Content-Type` headers, no `Host` at all, and HTTP/1.0;
- a request line beyond 8190 bytes, or headers beyond what a server cares to read;
- malformed framing, `Expect`, `Upgrade`, chunked bodies;
- the `Content-Length` of answers for which the framework sets none, so that the server adds one or does
  without: the 301 and the 400 for a bad host, which end in the middleware (their bodies are compared);
- `Date`, `Server`, `Connection` and `Keep-Alive`, and our own `Mock-Webshare-Version`.

Outside it, since the framework itself answers by chance (it looks through a `set` of strings):

- an `Accept` with several matching media types of the same precision that differ in their `indent`.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

Headers = tuple[tuple[str, str], ...]
"""Names and values in order, repeated ones too; each character stands for one byte."""

HOST = ("Host", "proxy.webshare.io")
KEY = ("Authorization", "Token conformance")
TIMEOUT = 20.0
"""How many seconds an answer may take."""

COMPARED = (
    "Allow",
    "WWW-Authenticate",
    "Location",
    "Retry-After",
    "Content-Type",
    "Content-Length",
    "Vary",
    "ETag",
)
"""The headers that must be present in both answers, with the same values, or in neither."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request exactly as it is sent; a body brings its own `Content-Length`."""

    target: str
    method: str = "GET"
    headers: Headers = (HOST, KEY)
    body: bytes = b""

    def __bytes__(self) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1", *map(": ".join, self.headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer exactly as it was received, and the method that it answers."""

    method: str
    status: int
    headers: Headers
    body: bytes

    def values(self, name: str) -> list[str]:
        """Given a header's name in any case, return its values in order."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def with_header(self, name: str, value: str) -> Answer:
        """Given a header, return the same answer with this value as its only one."""
        others = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=(*others, (name, value)))


@dataclass(frozen=True, slots=True)
class KnownText:
    """A text that we write differently from this version of the framework, and why."""

    reference: str
    ours: str
    reason: str


KNOWN = (
    KnownText(
        reference="No ReferralCredit matches the given query.",
        ours="Not found.",
        reason="The vendor's clients are tested with the text that the framework had before 3.15.",
    ),
)
"""Every text in which we differ on purpose; `differences` reads the reference's as ours."""


def differences(reference: Answer, ours: Answer) -> list[str]:
    """Given the answers of both servers to one request, return a sentence for each difference."""
    expected = _translated(reference)
    headers = [name for name in COMPARED if name != "Content-Length" or expected.values(name)]
    pairs = [
        ("status", expected.status, ours.status),
        *((name, expected.values(name), ours.values(name)) for name in headers),
        ("body", expected.body, ours.body),
    ]
    return [
        f"{name}: the framework has {theirs!r}, we have {own!r}"
        for name, theirs, own in pairs
        if theirs != own
    ]


def _translated(answer: Answer) -> Answer:
    """Given an answer of the reference, return it with every known text as ours."""
    for known in KNOWN:
        if _is_concerned(answer, known):
            answer = _with_text(answer, known)
    return answer


def _is_concerned(answer: Answer, known: KnownText) -> bool:
    """Given a 404 and a known text, return whether the text is in its body.

    HEAD has none: there the length tells, for no other JSON 404 is as long as the text alone.
    """
    if answer.status != 404 or answer.values("Content-Type") != ["application/json"]:
        return False
    if answer.method == "HEAD":
        return int(answer.values("Content-Length")[0]) > len(known.reference)
    return known.reference.encode() in answer.body


def _with_text(answer: Answer, known: KnownText) -> Answer:
    """Given an answer with a known text, return it with ours, in the body and in the length."""
    length = int(answer.values("Content-Length")[0]) - len(known.reference) + len(known.ours)
    body = answer.body.replace(known.reference.encode(), known.ours.encode())
    return replace(answer, body=body).with_header("Content-Length", str(length))


@dataclass(slots=True)
class Client:
    """A keep-alive connection to one server, opened again when the server has closed it."""

    url: str
    _socket: socket.socket | None = field(default=None, repr=False)
    _input: BinaryIO | None = field(default=None, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        for each in (self._input, self._socket):
            if each is not None:
                each.close()
        self._socket = self._input = None

    def send(self, request: Request) -> Answer:
        """Given a request, return its answer; raise `OSError` if the server gives none in time.

        HEAD has a connection of its own, read to the end, so that a body would be noticed.
        """
        if request.method == "HEAD":
            last = replace(request, headers=(*request.headers, ("Connection", "close")))
            with Client(self.url) as client:
                return client._exchange(last)
        is_kept = self._socket is not None
        try:
            return self._exchange(request)
        except ConnectionError:
            if not is_kept:
                raise
            return self._exchange(request)  # the server had closed the idle connection

    def _exchange(self, request: Request) -> Answer:
        if self._socket is None or self._input is None:
            parts = urlsplit(self.url)
            self._socket = socket.create_connection((parts.hostname, parts.port), TIMEOUT)
            self._input = self._socket.makefile("rb")
        try:
            self._socket.sendall(bytes(request))
            answer = _read_answer(self._input, request.method)
        except BaseException:
            self.close()  # or the rest of this answer would be taken for the next
            raise
        if "close" in answer.values("Connection"):
            self.close()
        return answer


@dataclass(frozen=True, slots=True)
class Pair:
    """The reference and our server, which are asked the same."""

    reference: Client
    ours: Client

    def send(self, request: Request) -> tuple[Answer, Answer]:
        """Given a request, return the reference's answer and ours."""
        return self.reference.send(request), self.ours.send(request)


def _read_answer(stream: BinaryIO, method: str) -> Answer:
    """Given the stream after a request, return the answer to it."""
    status_line = stream.readline()
    if not status_line:
        raise ConnectionResetError("the server closed the connection without an answer")
    headers = tuple(_read_headers(stream))
    answer = Answer(method, int(status_line.split()[1]), headers, b"")
    return replace(answer, body=_read_body(stream, answer))


def _read_headers(stream: BinaryIO) -> list[tuple[str, str]]:
    """Given the stream after a status line, return the headers up to the empty line."""
    headers = []
    while line := stream.readline().rstrip(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name, value.strip(" \t")))
    return headers


def _read_body(stream: BinaryIO, answer: Answer) -> bytes:
    """Given the stream after the headers, return the body: of its length, or all there is."""
    lengths = answer.values("Content-Length")
    if answer.method == "HEAD" or not lengths:
        return stream.read()
    return stream.read(int(lengths[0]))
