"""Requests and responses as bytes on a socket, and the differences between two responses.

Nothing here normalises a URL or a header, because the responses to odd ones are what is compared.

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
- the `Content-Length` of responses for which the framework sets none, so that the server adds one or does
  without: the 301 and the 400 for a bad host, which end in the middleware (their bodies are compared);
- the `Content-Length` of a 204, which the framework sets to 0 and HTTP forbids (RFC 9110, 8.6);
- bodies beyond a megabyte;
- `Date`, `Server`, `Connection` and `Keep-Alive`, and our own `Mock-Webshare-Version`.

Outside it, since the framework itself responds by chance (it looks through a `set` of strings):

- an `Accept` with several matching media types of the same precision that differ in their `indent`.

Outside it, since the framework itself fails (with Django's 500) or nobody knows what the service does:

- a lone surrogate or a JSON text nested too deep where the response would repeat it, as for `mode`;
- coupon codes with characters whose upper case is longer, or the upper case of another one's lower case
  (`ß`, `ı`): what "case-insensitive" means for them depends on the database.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

Headers = tuple[tuple[str, str], ...]
"""Names and values in order, repeated ones too; each character stands for one byte."""

HOST = ("Host", "proxy.webshare.io")
KEY = ("Authorization", "Token conformance")
TIMEOUT = 20.0
"""How many seconds a response may take."""

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
"""The headers that must be present in both responses, with the same values, or in neither."""


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
class Response:
    """One response exactly as it was received, and the method and target that it responds to."""

    method: str
    status: int
    headers: Headers
    body: bytes
    target: str = ""

    def values(self, name: str) -> list[str]:
        """Return the values of a header in order; its name may be in any case."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def with_header(self, name: str, value: str) -> Response:
        """Return the same response with one value of a header."""
        others = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=(*others, (name, value)))


@dataclass(frozen=True, slots=True)
class KnownText:
    """A text that we write differently from this version of the framework, where, and why."""

    path: str
    reference: str
    ours: str
    reason: str


KNOWN = tuple(
    KnownText(
        path=f"/api/v2/referral/{name}/",
        reference=f"No {model} matches the given query.",
        ours="Not found.",
        reason="The vendor's clients are tested with the text that the framework had before 3.15.",
    )
    for name, model in (("credit", "ReferralCredit"), ("earnout", "ReferralEarnout"))
)
"""Every text in which we differ on purpose; `differences` reads the reference's as ours."""


UPDATED = re.compile(rb'(?<="updated_at":)( ?)"[^"]*"')


def differences(reference: Response, ours: Response, *, is_updated: bool = False) -> list[str]:
    """Return a sentence for each difference of the responses to one request.

    After an update, `updated_at` is the server's time: then only the presence of the field is compared.
    """
    expected = _translated(reference)
    if is_updated:
        expected, ours = _without_time(expected), _without_time(ours)
    has_length = expected.status != 204 and expected.values("Content-Length")
    headers = [name for name in COMPARED if name != "Content-Length" or has_length]
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


def _without_time(response: Response) -> Response:
    """Return a response with each `updated_at` an empty string, in body and length."""
    body = UPDATED.sub(rb'\1""', response.body)
    if response.method == "HEAD" or not response.values("Content-Length"):
        return replace(response, body=body)
    length = int(response.values("Content-Length")[0]) - len(response.body) + len(body)
    return replace(response, body=body).with_header("Content-Length", str(length))


def _translated(response: Response) -> Response:
    """Return a response of the reference with every known text as ours."""
    for known in KNOWN:
        if _is_concerned(response, known):
            response = _with_text(response, known)
    return response


def _is_concerned(response: Response, known: KnownText) -> bool:
    """Return whether a 404 has a known text in its body.

    HEAD has none: there the path and the length tell, for no other JSON 404 is as long as the text alone.
    """
    if response.status != 404 or response.values("Content-Type") != ["application/json"]:
        return False
    if response.method == "HEAD":
        length = int(response.values("Content-Length")[0])
        return known.path in unquote(response.target) and length > len(known.reference)
    return known.reference.encode() in response.body


def _with_text(response: Response, known: KnownText) -> Response:
    """Return a response with our text instead of a known one, in body and length."""
    length = int(response.values("Content-Length")[0]) - len(known.reference) + len(known.ours)
    body = response.body.replace(known.reference.encode(), known.ours.encode())
    return replace(response, body=body).with_header("Content-Length", str(length))


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

    def send(self, request: Request) -> Response:
        """Send a request and return its response; raise `OSError` if the server gives none in time.

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

    def _exchange(self, request: Request) -> Response:
        if self._socket is None or self._input is None:
            parts = urlsplit(self.url)
            self._socket = socket.create_connection((parts.hostname, parts.port), TIMEOUT)
            self._input = self._socket.makefile("rb")
        try:
            self._socket.sendall(bytes(request))
            response = _read_response(self._input, request)
        except BaseException:
            self.close()  # or the rest of this response would be taken for the next
            raise
        if "close" in response.values("Connection"):
            self.close()
        return response


@dataclass(frozen=True, slots=True)
class Pair:
    """The reference and our server, which get the same requests."""

    reference: Client
    ours: Client

    def send(self, request: Request) -> tuple[Response, Response]:
        """Send a request to both, and return the reference's response and ours."""
        return self.reference.send(request), self.ours.send(request)


def _read_response(stream: BinaryIO, request: Request) -> Response:
    """Read the response to a request from the stream."""
    status_line = stream.readline()
    if not status_line:
        raise ConnectionResetError("the server closed the connection without a response")
    headers = tuple(_read_headers(stream))
    response = Response(request.method, int(status_line.split()[1]), headers, b"", request.target)
    return replace(response, body=_read_body(stream, response))


def _read_headers(stream: BinaryIO) -> list[tuple[str, str]]:
    """Read the headers from the stream after a status line, up to the empty line."""
    headers = []
    while line := stream.readline().rstrip(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name, value.strip(" \t")))
    return headers


def _read_body(stream: BinaryIO, response: Response) -> bytes:
    """Read the body from the stream after the headers: of its length, or the rest."""
    lengths = response.values("Content-Length")
    if response.status == 204 and response.method != "HEAD" and lengths in ([], ["0"]):
        return b""
    if response.method == "HEAD" or not lengths:
        return stream.read()
    return stream.read(int(lengths[0]))
