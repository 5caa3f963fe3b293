"""Upstream: the real service, asked one thing at a time; what was said is an exchange."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace

import aiohttp
from yarl import URL

from mock_webshare.exchange.model import Exchange, Headers

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes. A page of a hundred credits has about 25,000."""
LONGEST_HEADER = 65_536
TIMEOUT = 60.0
"""Seconds that an answer may take."""
_CHUNK = 65_536
_OURS = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")  # what aiohttp would add of itself


class Unanswered(Exception):
    """No answer came, or not all of it; the message says why and repeats nothing of either side."""

    def __init__(self, exchange: Exchange, error: BaseException) -> None:
        missing = "no answer" if exchange.status is None else "no whole answer"
        super().__init__(f"{exchange.source} gave {missing}: {_reason(error)}")
        self.exchange = exchange
        """What was asked, without a response, or with one whose body is not known."""
        self.is_late = isinstance(error, TimeoutError)
        """Whether it took longer than it may."""


class Upstream:
    """A service at an origin. Redirects are not followed, cookies not kept, certificates are verified."""

    def __init__(self, origin: str, session: aiohttp.ClientSession, largest_body: int) -> None:
        self.origin = origin
        self._session = session
        self._largest_body = largest_body

    def __repr__(self) -> str:
        return f"<Upstream {self.origin}>"

    async def ask(self, method: str, target: str, headers: Headers, body: bytes = b"") -> Exchange:
        """Given a request, return the exchange; `target` is its path and query, sent as they are.

        The answer's body is without its compression. Raise `Unanswered` if there is none, or not all of it.
        """
        started, begun = time.time_ns() // 1000, time.perf_counter()
        asked = Exchange(
            source=self.origin,
            method=method,
            url=self.origin + target,
            request_headers=(("Host", self.origin.partition("://")[2]), *headers),
            request_body=body,
            started=started,
        )
        with _answering(asked):
            answered = await self._answer(asked)
        return replace(answered, seconds=round(time.perf_counter() - begun, 6))

    async def _answer(self, asked: Exchange) -> Exchange:
        async with self._session.request(
            asked.method or "GET",
            URL(asked.url or "", encoded=True),
            headers=[(name, _sent(value)) for name, value in asked.request_headers or ()],
            data=asked.request_body or None,
            allow_redirects=False,
        ) as response:
            begun = replace(
                asked,
                status=response.status,
                headers=tuple((_received(name), _received(value)) for name, value in response.raw_headers),
                is_body_known=False,
            )
            with _answering(begun):
                body = await _read(response, self._largest_body)
            return replace(begun, body=body, is_body_known=True)


@contextmanager
def _answering(exchange: Exchange) -> Iterator[None]:
    """Raise `Unanswered`, with what is known of an exchange by now, if its answer does not come."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise Unanswered(exchange, error) from error


@asynccontextmanager
async def connected(
    origin: str, timeout: float = TIMEOUT, largest_body: int = LARGEST_BODY
) -> AsyncIterator[Upstream]:
    """Given an origin, yield what asks it; an answer may take so many seconds and have so many bytes."""
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_OURS,
        timeout=aiohttp.ClientTimeout(total=timeout),
        max_line_size=LONGEST_HEADER,
        max_field_size=LONGEST_HEADER,
    ) as session:
        yield Upstream(origin, session, largest_body)


def as_text(value: str) -> str:
    """Given a header's value, each character an octet, return what aiohttp turns into these octets again.

    It writes UTF-8 only: what is none stays as it is here, and becomes other octets.
    """
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def _sent(value: str) -> str:
    text = as_text(value)
    if text == value and not value.isascii():
        raise _NoUtf8
    return text


class _NoUtf8(ValueError):
    """A header is no UTF-8."""


class _TooLarge(ValueError):
    """A body is larger than is allowed; given that in bytes."""

    def __init__(self, largest: int) -> None:
        super().__init__(f"it has more than {largest // 1024**2} MiB")


def _received(octets: bytes) -> str:
    return octets.decode("latin-1")


async def _read(response: aiohttp.ClientResponse, largest: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > largest:
            raise _TooLarge(largest)
    return bytes(body)


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (_NoUtf8, "a header of the request is no UTF-8"),
    (aiohttp.ClientConnectorDNSError, "there is no such host"),
    (aiohttp.ClientConnectorCertificateError, "its certificate is not valid"),
    (aiohttp.ClientSSLError, "there is no TLS to be had"),
    (ssl.SSLError, "there is no TLS to be had"),
    (asyncio.TimeoutError, "it took too long"),
    (aiohttp.ServerDisconnectedError, "it closed the connection"),
    (aiohttp.ClientPayloadError, "its answer was cut off, or does not unpack"),
    (aiohttp.ClientResponseError, "what it answered is no HTTP"),
    (aiohttp.InvalidURL, "the URL cannot be asked for"),
)


def _reason(error: BaseException) -> str:
    if isinstance(error, _TooLarge):
        return str(error)
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.partition(" [")[0]  # the rest repeats the address
    return type(error).__name__
