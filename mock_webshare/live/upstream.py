"""Upstream: the real service at its origin; sending a request to it returns an exchange."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import lru_cache
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from mock_webshare.errors import UsageError
from mock_webshare.exchange.model import Exchange, Headers

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of a body; a page of a hundred credits has about 25,000."""
LONGEST_HEADER = 65_536
TIMEOUT = 60.0
"""Seconds that a response may take."""
_CHUNK = 65_536
_NOT_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")  # aiohttp adds them otherwise
_ORIGIN = re.compile(
    r"(https?)://([A-Za-z0-9._-]+|\[[A-Fa-f0-9:.]+\])(?::0*([0-9]{1,5}))?/?", re.ASCII | re.IGNORECASE
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|\[?::1\]?", re.IGNORECASE)


def read_origin(name: str, url: str) -> str:
    """Return the origin in the value of an option: `https://example.com` for `https://Example.com:443/`.

    Raise `UsageError` for a value that is not an origin, without the value: it may contain a password.
    """
    match = _ORIGIN.fullmatch(url)
    if match is None or (match[3] and not 0 < int(match[3]) < 65536):
        raise UsageError(
            f"the value of {name} is not allowed; allowed: scheme and host only, "
            "like https://proxy.webshare.io"
        )
    scheme, host, port = match[1].lower(), match[2].lower(), match[3]
    return f"{scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[scheme] else "")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: `localhost`, `127.…` or `::1`."""
    return _LOOPBACK.fullmatch(host) is not None


def rewrite_location(location: str, origin: str, target: str) -> str:
    """Return the value of a `Location` header with the origin `target` in place of `origin`."""
    if re.match(re.escape(origin) + r"(?=[/?#]|$)", location, re.IGNORECASE):
        return target + location[len(origin) :]
    return location


def rewrite_links(body: bytes, origin: str, target: str) -> bytes:
    """Return a JSON body with `target` in place of `origin` in its `next` and `previous`, else unchanged.

    A body that is not valid JSON is treated in the same way, for a client may parse it nevertheless.
    """
    host = origin.partition("://")[2].lower().encode()
    if host not in body.lower():  # in a huge body, the search below takes a second
        return body
    return _links(origin).sub(rb"\1" + target.encode().replace(b"\\", rb"\\"), body)


@lru_cache(16)
def _links(origin: str) -> re.Pattern[bytes]:
    # JSON may escape a slash. Within a string, quotes are escaped, so nothing inside one matches.
    written = re.escape(origin.encode()).replace(b"/", rb"\\?/")
    return re.compile(rb'((?<!\\)"(?:next|previous)"\s*:\s*")' + written + rb'(?=\\?/|[?#"])', re.IGNORECASE)


def proxy_for(origin: str) -> URL | None:
    """Return the URL of the proxy for an origin, perhaps with user and password; None: no proxy is used.

    The proxy is the one in `HTTPS_PROXY` or `HTTP_PROXY`, by the scheme of the origin, else the system's. No
    proxy is used if `NO_PROXY` has the host of the origin, or the host is this machine. Raise `UsageError`
    if the value is not the URL of an HTTP proxy; the message does not quote it.
    """
    scheme, _, authority = origin.partition("://")
    url = getproxies().get(scheme)
    if not url or is_loopback(URL(origin).host or "") or proxy_bypass(authority):
        return None
    proxy = _proxy_url(url if "://" in url else f"http://{url}")
    if proxy is None:
        raise UsageError(
            f"the value of {scheme.upper()}_PROXY is not allowed; allowed: a proxy that speaks HTTP, like "
            "http://proxy.example.com:3128; to use none, put the host of the service into NO_PROXY"
        )
    return proxy


def _proxy_url(text: str) -> URL | None:
    """Return the URL of a proxy; None if it is not the URL of an HTTP proxy."""
    try:
        url = URL(text)
        return url if url.scheme in _DEFAULT_PORTS and url.host and url.port else None
    except ValueError:
        return None


class UpstreamError(Exception):
    """The response is missing or incomplete; the message says why, without quoting request or response."""

    def __init__(self, exchange: Exchange, error: BaseException) -> None:
        response = "no response" if exchange.status is None else "an incomplete response"
        super().__init__(f"{exchange.source} sent {response}: {_reason(error)}")
        self.exchange = exchange
        """The request, and the status and headers of the response if they arrived."""
        self.is_late = isinstance(error, TimeoutError)
        """Whether the time limit for the response was exceeded."""


class Upstream:
    """A service at an origin. Redirects are not followed, cookies not kept, certificates are verified."""

    def __init__(
        self, origin: str, session: aiohttp.ClientSession, largest_body: int, proxy: URL | None = None
    ) -> None:
        self.origin = origin
        self._proxy = proxy
        self._session = session
        self._largest_body = largest_body

    async def send(self, method: str, target: str, headers: Headers, body: bytes = b"") -> Exchange:
        """Send a request and return the exchange; `target` is its path and query, sent unchanged.

        The body of the response is decompressed. Raise `UpstreamError` if the response is missing or
        incomplete.
        """
        started, begun = time.time_ns() // 1000, time.perf_counter()
        request = Exchange(
            source=self.origin,
            method=method,
            url=self.origin + target,
            request_headers=(("Host", self.origin.partition("://")[2]), *headers),
            request_body=body,
            started=started,
        )
        with _raising_upstream_error(request):
            exchange = await self._complete(request)
        return replace(exchange, seconds=round(time.perf_counter() - begun, 6))

    async def _complete(self, request: Exchange) -> Exchange:
        async with self._session.request(
            request.method or "GET",
            URL(request.url or "", encoded=True),
            headers=[(name, _encodable(value)) for name, value in request.request_headers or ()],
            data=request.request_body or None,
            allow_redirects=False,
            proxy=self._proxy,
        ) as response:
            begun = replace(
                request,
                status=response.status,
                headers=decoded_headers(response.raw_headers),
                is_body_known=False,
            )
            with _raising_upstream_error(begun):
                body = await read_body(response.content, self._largest_body)
            return replace(begun, body=body, is_body_known=True)


@contextmanager
def _raising_upstream_error(exchange: Exchange) -> Iterator[None]:
    """Turn an error of the connection into `UpstreamError`, with the exchange as far as it got."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise UpstreamError(exchange, error) from error


@asynccontextmanager
async def connected(
    origin: str, timeout: float = TIMEOUT, largest_body: int = LARGEST_BODY
) -> AsyncIterator[Upstream]:
    """Yield the service at an origin; limit a response to `timeout` seconds and `largest_body` bytes.

    Requests go through the proxy that the environment names (see `proxy_for`). The option `trust_env` of
    aiohttp would also send credentials from `~/.netrc`, which a recording would show as the client's.
    """
    proxy = proxy_for(origin)
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=_NOT_ADDED,
        timeout=aiohttp.ClientTimeout(total=timeout),
        max_line_size=LONGEST_HEADER,
        max_field_size=LONGEST_HEADER,
    ) as session:
        yield Upstream(origin, session, largest_body, proxy)


def decoded_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return raw headers as text, decoded as Latin-1, as in an exchange."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def as_text(value: str) -> str:
    """Return a header value that was read as Latin-1 as the text that aiohttp encodes to the same bytes.

    aiohttp encodes as UTF-8. If the bytes are not UTF-8, no text gives them: the value is returned unchanged.
    """
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def _encodable(value: str) -> str:
    text = as_text(value)
    if text == value and not value.isascii():
        raise _NotUtf8
    return text


class _NotUtf8(ValueError):
    """A header of the request is not UTF-8."""


class TooLarge(ValueError):
    """A body is larger than allowed."""

    def __init__(self, largest: int) -> None:
        super().__init__(f"it has more than {largest // 1024**2} MiB")


async def read_body(content: aiohttp.StreamReader, largest: int) -> bytes:
    """Read a body to its end; raise `TooLarge` if it has more than `largest` bytes."""
    body = bytearray()
    async for chunk in content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > largest:
            raise TooLarge(largest)
    return bytes(body)


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (_NotUtf8, "a header of the request is not UTF-8"),
    (aiohttp.ClientHttpProxyError, "the proxy that the environment names refused the connection"),
    (aiohttp.ClientProxyConnectionError, "the proxy that the environment names cannot be reached"),
    (aiohttp.ClientConnectorDNSError, "the host name cannot be resolved"),
    (aiohttp.ClientConnectorCertificateError, "its certificate is not valid"),
    (aiohttp.ClientSSLError, "the TLS connection failed"),
    (ssl.SSLError, "the TLS connection failed"),
    (asyncio.TimeoutError, "it took too long"),
    (aiohttp.ServerDisconnectedError, "it closed the connection"),
    (aiohttp.ClientPayloadError, "the body was cut off or cannot be decompressed"),
    (aiohttp.ClientResponseError, "what it sent is not valid HTTP"),
    (aiohttp.InvalidURL, "the URL is not valid"),
)


def _reason(error: BaseException) -> str:
    if isinstance(error, TooLarge):
        return str(error)
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.partition(" [")[0]  # the rest is the address again
    return type(error).__name__
