"""Delivery: how an answer goes over the wire, well or badly."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from itertools import pairwise

from aiohttp import web
from multidict import CIMultiDict

from mock_webshare.service.faults.effects import Outcome
from mock_webshare.service.framework.response import reason

_GARBAGE = bytes(range(128, 256))
_NO_LINGERING = struct.pack("ii", 1, 0)  # so that the other end gets a reset, not an end
_UNTIL_READ = 0.05  # seconds


async def deliver(request: web.Request, outcome: Outcome, headers: CIMultiDict[str]) -> web.StreamResponse:
    """Given a request and what becomes of it, send that; `headers` are all that go with the answer."""
    if outcome.seconds:
        await asyncio.sleep(outcome.seconds)
    if outcome.delivery is not None:
        return await _break(request, outcome, headers)
    if outcome.chunks:
        return await _drip(request, outcome, headers)
    return web.Response(status=outcome.response.status, headers=headers, body=outcome.response.body)


async def _drip(request: web.Request, outcome: Outcome, headers: CIMultiDict[str]) -> web.StreamResponse:
    """Send the body piece by piece, under its full length."""
    response = web.StreamResponse(status=outcome.response.status, headers=headers)
    body, count = _body(request, outcome), outcome.chunks
    bounds = [len(body) * index // count for index in range(count + 1)]
    with suppress(ConnectionError):  # the client had enough
        await response.prepare(request)
        for start, end in pairwise(bounds):
            await asyncio.sleep(outcome.drip_seconds / count)
            await response.write(body[start:end])
        await response.write_eof()
    return response


async def _break(request: web.Request, outcome: Outcome, headers: CIMultiDict[str]) -> web.StreamResponse:
    """Break the connection in the way that is asked for."""
    transport = request.transport
    assert outcome.delivery
    if transport is not None:
        await _BREAKS[outcome.delivery](transport, _head(outcome, headers), _body(request, outcome))
    # Nothing more can be sent, which aiohttp notices by itself.
    return web.Response(status=outcome.response.status)


def _body(request: web.Request, outcome: Outcome) -> bytes:
    return b"" if request.method == "HEAD" else outcome.response.body


def _head(outcome: Outcome, headers: CIMultiDict[str]) -> bytes:
    lines = [f"HTTP/1.1 {outcome.response.status} {reason(outcome.response.status)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


Break = Callable[[asyncio.Transport, bytes, bytes], Awaitable[None]]


async def _reset(transport: asyncio.Transport, head: bytes, body: bytes) -> None:
    """Reset the connection without a word, unless the client has left already."""
    if not transport.is_closing():
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        transport.abort()


async def _reset_after_headers(transport: asyncio.Transport, head: bytes, body: bytes) -> None:
    """Send the headers and a part of the body, then reset the connection."""
    transport.write(head + body[: len(body) // 2])
    # A reset overtakes what has arrived and was not read yet.
    await asyncio.sleep(_UNTIL_READ)
    await _reset(transport, head, body)


def _say(words: Callable[[bytes, bytes], bytes]) -> Break:
    """Return a break that sends some bytes and then ends the connection in order."""

    async def say(transport: asyncio.Transport, head: bytes, body: bytes) -> None:
        transport.write(words(head, body))
        transport.close()

    return say


_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"

_BREAKS: Mapping[str, Break] = {
    "CONNECTION_RESET_BY_PEER": _reset,
    "CONNECTION_RESET_AFTER_HEADERS": _reset_after_headers,
    "EMPTY_RESPONSE": _say(lambda head, body: b""),
    "MALFORMED_RESPONSE_CHUNK": _say(lambda head, body: _CHUNKED + _GARBAGE),
    "RANDOM_DATA_THEN_CLOSE": _say(lambda head, body: _GARBAGE),
    "TRUNCATED_BODY": _say(lambda head, body: head + body[: len(body) // 2]),
}
