"""Delivery: how a response is sent, in order or as its faults demand."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from asyncio import sleep  # a test may replace the attribute of asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from email.utils import formatdate
from itertools import pairwise
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from mock_webshare.service.framework.response import Response, phrase
from mock_webshare.version import __version__

if TYPE_CHECKING:
    from mock_webshare.service.effects import Outcome

OWN_HEADERS = (("Server", "mock-webshare"), ("Mock-Webshare-Version", __version__))
HINT = "Mock-Webshare-Hint"
_GARBAGE = bytes(range(128, 256))
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER for no seconds: the other end gets a reset
_READ_SECONDS = 0.05  # for the client to read what was sent before a reset


def all_headers(response: Response) -> CIMultiDict[str]:
    """Return the headers that are sent with a response, except the date."""
    own = (*OWN_HEADERS, *response.added, *(((HINT, response.hint),) if response.hint else ()))
    return CIMultiDict([*response.headers, ("Content-Length", str(len(response.body))), *own])


def _head(status: int, reason: str, headers: Mapping[str, str]) -> str:
    """Return the status line and the headers, each with its line break."""
    lines = [f"HTTP/1.1 {status} {reason}", *map(": ".join, headers.items())]
    return "\r\n".join([*lines, ""])


class CachedResponse(web.StreamResponse):
    """A response that is encoded once, for all requests that are `is_cacheable`.

    An aiohttp response serves one request and encodes its head each time, which takes longer than all our
    decisions about a request. A `CachedResponse` keeps no data of a request; only its date changes, once a
    second.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(status=response.status, headers=all_headers(response))
        self._head = f"{_head(self.status, self.reason, self.headers)}Date: ".encode("latin-1")
        self._dated_head = b""
        self._second = -1
        self._content = response.body

    @property
    def keep_alive(self) -> bool:
        """Whether the connection stays open: always, as `is_cacheable` requires."""
        return True

    @property
    def body_length(self) -> int:
        """The number of bytes sent, with status line and headers, because aiohttp counts them too."""
        return len(self._dated_head) + len(self._content)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Send head and body."""
        if (second := int(time.time())) != self._second:
            self._second = second
            self._dated_head = self._head + formatdate(second, usegmt=True).encode() + b"\r\n\r\n"
        writer = request.writer
        await writer.write_eof(self._dated_head + self._content)
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: `prepare` has sent everything."""


def is_cacheable(request: web.Request) -> bool:
    """Return whether a request can get a `CachedResponse`.

    HEAD, HTTP/1.0 and a connection that closes need another head; middlewares and signals of an enclosing
    application may change the response.
    """
    return (
        request.version == HttpVersion11
        and request.method != "HEAD"
        and request.keep_alive
        and not any(app.middlewares or app.on_response_prepare for app in request.match_info.apps)
    )


async def deliver(request: web.Request, outcome: Outcome) -> web.StreamResponse:
    """Send a response with its delay, slow body or broken connection."""
    response, headers = outcome.response, all_headers(outcome.response)
    if outcome.seconds:
        await sleep(outcome.seconds)
    if outcome.delivery is not None:
        return await _break(request, outcome.delivery, response, headers)
    if outcome.chunks:
        return await _drip(request, outcome, headers)
    return web.Response(status=response.status, headers=headers, body=response.body)


async def _drip(request: web.Request, outcome: Outcome, headers: CIMultiDict[str]) -> web.StreamResponse:
    """Send the body in chunks, with the `Content-Length` of the whole."""
    response = web.StreamResponse(status=outcome.response.status, headers=headers)
    body, count = _body(request, outcome.response), outcome.chunks
    bounds = [len(body) * index // count for index in range(count + 1)]
    with suppress(ConnectionError):  # the client has closed the connection
        await response.prepare(request)
        for start, end in pairwise(bounds):
            await sleep(outcome.drip_seconds / count)
            await response.write(body[start:end])
        await response.write_eof()
    return response


async def _break(
    request: web.Request, name: str, response: Response, headers: CIMultiDict[str]
) -> web.StreamResponse:
    """Break the connection in one of the ways of `_BREAKS`."""
    if request.transport is not None:
        head = f"{_head(response.status, phrase(response.status), headers)}\r\n".encode("latin-1")
        await _BREAKS[name](request.transport, head, _body(request, response))
    # aiohttp notices by itself that it cannot send this any more.
    return web.Response(status=response.status)


def _body(request: web.Request, response: Response) -> bytes:
    return b"" if request.method == "HEAD" else response.body


Break = Callable[[asyncio.Transport, bytes, bytes], Awaitable[None]]
"""Sends a part of a head and a body, or nothing, and closes the connection."""


async def _reset(transport: asyncio.Transport, head: bytes, body: bytes) -> None:
    """Reset the connection without sending anything, unless the client has closed it."""
    if not transport.is_closing():
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()


async def _reset_after_headers(transport: asyncio.Transport, head: bytes, body: bytes) -> None:
    """Send the headers and half of the body, then reset the connection."""
    transport.write(head + body[: len(body) // 2])
    # A reset discards what the client has received but not read.
    await sleep(_READ_SECONDS)
    await _reset(transport, head, body)


def _send(content: Callable[[bytes, bytes], bytes]) -> Break:
    """Return a `Break` that sends `content(head, body)` and then closes the connection normally."""

    async def send(transport: asyncio.Transport, head: bytes, body: bytes) -> None:
        transport.write(content(head, body))
        transport.close()

    return send


_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"

_BREAKS: Mapping[str, Break] = {
    "CONNECTION_RESET_BY_PEER": _reset,
    "CONNECTION_RESET_AFTER_HEADERS": _reset_after_headers,
    "EMPTY_RESPONSE": _send(lambda head, body: b""),
    "MALFORMED_RESPONSE_CHUNK": _send(lambda head, body: _CHUNKED + _GARBAGE),
    "RANDOM_DATA_THEN_CLOSE": _send(lambda head, body: _GARBAGE),
    "TRUNCATED_BODY": _send(lambda head, body: head + body[: len(body) // 2]),
}
