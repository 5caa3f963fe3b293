"""Recorder: a proxy in front of the service that keeps the exchanges that pass through it."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, closing, suppress
from typing import TextIO

from aiohttp import web
from multidict import CIMultiDict

from mock_webshare.errors import ServerError
from mock_webshare.exchange.model import Exchange, Headers
from mock_webshare.live.recording import Recording, RecordingProcess
from mock_webshare.live.upstream import (
    LARGEST_BODY,
    LONGEST_HEADER,
    TooLarge,
    Upstream,
    UpstreamError,
    as_text,
    connected,
    decoded_headers,
    proxy_for,
    read_body,
    rewrite_links,
    rewrite_location,
)

_GRACE = 0.3  # seconds in which pending requests may end when the recorder stops
_HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
}  # RFC 9110, 7.6.1
_NOT_FORWARDED = _HOP_BY_HOP | {"host", "accept-encoding", "content-length", "expect"}
_NOT_RETURNED = _HOP_BY_HOP | {"content-encoding", "content-length"}
_HOST = re.compile(r"[A-Za-z0-9.\[\]:_-]+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_IN_A_TARGET = re.compile(r"[^!-~]|#")


def record(
    recording: Recording,
    *,
    announce: Callable[[str], object],
    log: TextIO,
    validate: Callable[[Exchange], Iterable[str]] | None = None,
) -> None:
    """Record until SIGINT or SIGTERM; call `announce` with the base URL once requests are accepted.

    `log` gets a line for each request, and the lines that `validate` returns for its redacted exchange.
    Raise `ServerError` if the address cannot be used, and `UnwritableOutput` if the recording cannot be
    created, or cannot be written later.
    """

    def report(lines: list[str]) -> None:
        with suppress(OSError, ValueError):  # the reader of the log is gone
            log.writelines(f"{line}\n" for line in lines)
            log.flush()

    proxy_for(recording.upstream)  # an error in it is raised before there is a file
    with (
        _listening_socket(recording.host, recording.port) as listener,
        closing(RecordingProcess(recording, report, validate, others=[listener])) as process,
    ):
        asyncio.run(_record(recording, announce, process, listener))
    if process.failure:
        raise process.failure


async def _record(
    recording: Recording,
    announce: Callable[[str], object],
    process: RecordingProcess,
    listener: socket.socket,
) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def stop_from_thread() -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(stop.set)

    _on_signal(stop_from_thread)
    process.on_failure = stop_from_thread
    authority = _authority(recording.host, listener.getsockname()[1])
    async with (
        connected(recording.upstream) as upstream,
        _serving(_Recorder(upstream, process, authority), listener),
    ):
        announce(f"http://{authority}")
        await stop.wait()


def _on_signal(act: Callable[[], object]) -> None:
    """Call `act` at the first SIGINT or SIGTERM; ignore further ones, so that the shutdown completes."""
    numbers = (signal.SIGINT, signal.SIGTERM)

    def handle(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        act()

    for number in numbers:
        signal.signal(number, handle)


@asynccontextmanager
async def _serving(recorder: _Recorder, listener: socket.socket) -> AsyncIterator[None]:
    quiet = logging.Logger("mock_webshare.record")  # aiohttp would log malformed requests with their keys
    quiet.addHandler(logging.NullHandler())
    server = web.Server(
        recorder.handle,
        access_log=None,
        logger=quiet,
        max_line_size=LONGEST_HEADER,
        max_field_size=LONGEST_HEADER,
    )
    runner = web.ServerRunner(server, shutdown_timeout=_GRACE)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()


class _Recorder:
    """Handles a request: forwards it, keeps the exchange, and returns the response."""

    def __init__(self, upstream: Upstream, process: RecordingProcess, authority: str) -> None:
        self._upstream, self._process, self._authority = upstream, process, authority

    async def handle(self, request: web.BaseRequest) -> web.Response:
        if not request.raw_path.startswith("/"):
            return _error(400, "this is not a proxy for other hosts: make it the base URL of your client")
        if self._process.failure:
            return _error(500, str(self._process.failure))
        headers = _without(decoded_headers(request.raw_headers), _NOT_FORWARDED)
        headers = (*headers, ("Accept-Encoding", "identity"))
        try:
            body = await read_body(request.content, LARGEST_BODY)
            exchange = await self._upstream.send(request.method, _target(request), headers, body)
        except TooLarge:
            return _error(413, f"a request may have no more than {LARGEST_BODY // 1024**2} MiB")
        except UpstreamError as error:
            await self._process.add(error.exchange)
            return _error(502, str(error))
        await self._process.add(exchange)
        return self._returned(exchange, self._origin(request))

    def _origin(self, request: web.BaseRequest) -> str:
        """Return the origin under which the client reached the recorder."""
        host = request.headers.get("Host", "")
        return f"http://{host if _HOST.fullmatch(host) else self._authority}"

    def _returned(self, exchange: Exchange, target: str) -> web.Response:
        """Return the response for the client, with links that lead to the recorder."""
        assert exchange.status is not None
        origin = self._upstream.origin
        body = rewrite_links(exchange.body, origin, target)
        headers = CIMultiDict[str]()
        for name, value in _without(exchange.headers or (), _NOT_RETURNED):
            is_link = name.lower() in ("location", "content-location")
            if not _CONTROL.search(value):  # HTTP forbids control characters, and aiohttp does not send them
                headers.add(name, as_text(rewrite_location(value, origin, target) if is_link else value))
        length = exchange.header("content-length") if exchange.method == "HEAD" else str(len(body))
        if length is not None and exchange.status not in (204, 304):
            headers["Content-Length"] = length
        return web.Response(status=exchange.status, headers=headers, body=body or None)


def _without(headers: Headers, names: set[str]) -> Headers:
    """Return headers without those that `names` or a header `Connection` names."""
    named = (value for name, value in headers if name.lower() == "connection")
    names = names | {each.strip().lower() for value in named for each in value.split(",")}
    return tuple((name, value) for name, value in headers if name.lower() not in names)


def _target(request: web.BaseRequest) -> str:
    """Return path and query of a request, percent-encoding the bytes that a URL must not contain."""
    return _NOT_IN_A_TARGET.sub(
        lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape")),
        request.raw_path,
    )


def _error(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"mock-webshare record: {text}\n")


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listening_socket(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        hint = "; choose another port, or 0 for a free one" if error.errno == errno.EADDRINUSE else ""
        reason = str(error.strerror).partition(" (")[0]
        raise ServerError(f"cannot listen on {_authority(host, port)}: {reason}{hint}") from error
    except UnicodeError as error:
        raise ServerError(f"cannot listen on {_authority(host, port)}: the host name is not valid") from error
