"""Recorder: a proxy in front of the service that keeps what passes through it."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TextIO
from urllib.parse import urlsplit

from aiohttp import web
from multidict import CIMultiDict

from mock_webshare import recordings
from mock_webshare.errors import ServerError, UnreadableInput, UnwritableOutput, UsageError
from mock_webshare.exchange.model import Exchange, Headers
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.live.record.link_rewriting import moved_links, moved_location
from mock_webshare.live.record.sinks import Sink, open_sink
from mock_webshare.live.upstream import LARGEST_BODY, LONGEST_HEADER, Unanswered, Upstream, as_text, connected

_GRACE = 0.3  # seconds that requests under way have when the recorder stops
_OF_ONE_CONNECTION = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}  # RFC 9110, 7.6.1
_NOT_PASSED_ON = _OF_ONE_CONNECTION | {"host", "accept-encoding", "content-length", "expect"}
_NOT_PASSED_BACK = _OF_ONE_CONNECTION | {"content-encoding", "content-length"}
_HOST = re.compile(r"[A-Za-z0-9.\[\]:_-]+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NO_PART_OF_A_TARGET = re.compile(r"[^!-~]|#")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What is to be recorded, and where to."""

    upstream: str
    """An origin (see `origins.read_origin`)."""
    path: str
    """See `sinks.open_sink`."""
    host: str = "127.0.0.1"
    port: int = 0
    """0: a free one."""
    is_appended: bool = False
    is_redacted: bool = True
    secrets: tuple[str, ...] = ()
    """Those that are known before they are met."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise UsageError(f"port {self.port} is not allowed; allowed: 0 (a free one) to 65535")


def record(
    recording: Recording,
    *,
    announce: Callable[[str], object],
    log: TextIO,
    watch: Callable[[Exchange], Iterable[str]] | None = None,
) -> None:
    """Record until SIGINT or SIGTERM; `announce` is called with the base URL once it answers.

    `log` gets a line for each request, and what `watch` says of each exchange, which it is given
    without its secrets. Raise `ServerError` if the address cannot be had, `UnwritableOutput` if the
    recording cannot be written, then or later.
    """

    async def until_interrupted() -> None:
        stop = asyncio.Event()
        _on_signal(stop.set, asyncio.get_running_loop())
        async with running_recorder(recording, log=log, watch=watch, stop=stop) as url:
            announce(url)
            await stop.wait()

    asyncio.run(until_interrupted())


def _on_signal(act: Callable[[], object], loop: asyncio.AbstractEventLoop) -> None:
    """Do something at the first SIGINT or SIGTERM; further ones are ignored, so that we end as we should."""
    numbers = (signal.SIGINT, signal.SIGTERM)

    def strike(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        loop.call_soon_threadsafe(act)

    for number in numbers:
        signal.signal(number, strike)


@asynccontextmanager
async def running_recorder(
    recording: Recording,
    *,
    log: TextIO,
    watch: Callable[[Exchange], Iterable[str]] | None = None,
    stop: asyncio.Event | None = None,
) -> AsyncIterator[str]:
    """Record while the context lasts; the value is the base URL. `stop` is set if it cannot go on."""
    with _listening_socket(recording.host, recording.port) as listener:
        authority = _authority(recording.host, listener.getsockname()[1])
        with closing(open_sink(recording.path, is_appended=recording.is_appended)) as sink:
            async with connected(recording.upstream) as upstream:
                recorder = _Recorder(recording, upstream, sink, authority, stop or asyncio.Event())
                recorder.tells(log, watch)
                async with _serving(recorder, listener):
                    yield f"http://{authority}"
        if recorder.failure:
            raise recorder.failure


def _redactor(recording: Recording) -> Redactor:
    """Return a redactor whose pseudonyms are none of those that are in the recording already.

    Raise `UnreadableInput` if nobody can tell which these are.
    """
    redactor = Redactor(recording.secrets)
    for record in recordings.read([recording.path], BytesIO()):
        if isinstance(record, UnreadableInput):
            raise record
        if isinstance(record, Exchange):
            redactor.heed(record)
    return redactor


@asynccontextmanager
async def _serving(recorder: _Recorder, listener: socket.socket) -> AsyncIterator[None]:
    quiet = logging.Logger(
        "mock_webshare.record"
    )  # aiohttp would write requests that are no HTTP, keys and all
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
    """What happens to a request: it is passed on, kept, and its answer passed back."""

    def __init__(
        self, recording: Recording, upstream: Upstream, sink: Sink, authority: str, stop: asyncio.Event
    ) -> None:
        self.failure: UnwritableOutput | None = None
        """Why it cannot go on."""
        self._recording, self._upstream, self._sink = recording, upstream, sink
        self._authority, self._stop = authority, stop
        self._redactor = _redactor(recording)
        self._entries = 0
        self._log: TextIO | None = None
        self._watch: Callable[[Exchange], Iterable[str]] | None = None

    def tells(self, log: TextIO, watch: Callable[[Exchange], Iterable[str]] | None) -> None:
        """Given a stream and what comments on an exchange, write there from now on."""
        self._log, self._watch = log, watch

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer a request as the service does."""
        if not request.raw_path.startswith("/"):
            return _sentence(400, "this is no proxy for other hosts: make it the base URL of your client")
        body = await _body(request)
        if body is None:
            return _sentence(413, f"a request may have no more than {LARGEST_BODY // 1024**2} MiB")
        headers = _passed(_latin(request.raw_headers), _NOT_PASSED_ON)
        try:
            exchange = await self._upstream.ask(request.method, _target(request), _plain(headers), body)
        except Unanswered as error:
            self._keep(error.exchange)
            return _sentence(502, str(error))
        if not self._keep(exchange):
            return _sentence(500, str(self.failure))
        return self._passed_back(exchange, self._origin(request))

    def _keep(self, exchange: Exchange) -> bool:
        """Write an exchange, and tell of it; return whether it is written."""
        exchange = replace(exchange, source=self._recording.path, entry=self._entries)
        redacted = self._redactor.exchange(exchange)
        try:
            self._sink.add(redacted if self._recording.is_redacted else exchange)
        except UnwritableOutput as error:
            self.failure = error
            self._stop.set()
            return False
        self._entries += 1
        self._tell(redacted)
        return True

    def _tell(self, redacted: Exchange) -> None:
        lines = [_described(redacted), *(self._watch(redacted) if self._watch else ())]
        if self._log:
            with suppress(OSError, ValueError):  # nobody reads it any more
                self._log.writelines(f"{line}\n" for line in lines)
                self._log.flush()

    def _origin(self, request: web.BaseRequest) -> str:
        """Return the origin by which a client knows us."""
        host = request.headers.get("Host", "")
        return f"http://{host if _HOST.fullmatch(host) else self._authority}"

    def _passed_back(self, exchange: Exchange, target: str) -> web.Response:
        """Return the answer for the client, with links that lead to us."""
        assert exchange.status is not None
        origin = self._upstream.origin
        body = moved_links(exchange.body, origin, target)
        headers = CIMultiDict[str]()
        for name, value in _passed(exchange.headers or (), _NOT_PASSED_BACK):
            is_link = name.lower() in ("location", "content-location")
            if not _CONTROL.search(value):  # no server may send one, and ours does not
                headers.add(name, as_text(moved_location(value, origin, target) if is_link else value))
        length = exchange.header("content-length") if exchange.method == "HEAD" else str(len(body))
        if length is not None and exchange.status not in (204, 304):
            headers["Content-Length"] = length
        return web.Response(status=exchange.status, headers=headers, body=body or None)


def _plain(headers: Headers) -> Headers:
    """Given a client's headers, return them with the wish for an answer that is not compressed."""
    return (*headers, ("Accept-Encoding", "identity"))


def _latin(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers)


def _passed(headers: Headers, without: set[str]) -> Headers:
    """Return headers without those that are of one connection only, or named here."""
    named = (value for name, value in headers if name.lower() == "connection")
    without = without | {each.strip().lower() for value in named for each in value.split(",")}
    return tuple((name, value) for name, value in headers if name.lower() not in without)


def _target(request: web.BaseRequest) -> str:
    """Return the target as it came; octets that no URL may have are percent-encoded."""
    return _NO_PART_OF_A_TARGET.sub(
        lambda match: "".join(f"%{octet:02X}" for octet in match[0].encode("utf-8", "surrogateescape")),
        request.raw_path,
    )


async def _body(request: web.BaseRequest) -> bytes | None:
    """Return the body of a request, None if it is too large."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def _sentence(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"mock-webshare record: {text}\n")


def _described(redacted: Exchange) -> str:
    """Return an exchange as a line: method, path, status, milliseconds."""
    path = urlsplit(redacted.url or "").path
    return f"{redacted.method} {path} {_outcome(redacted)}".encode("ascii", "backslashreplace").decode()


def _outcome(redacted: Exchange) -> str:
    if redacted.status is None:
        return "no answer"
    return f"{redacted.status} " + (
        "without its body" if redacted.seconds is None else f"{1000 * redacted.seconds:.1f} ms"
    )


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
        raise ServerError(f"cannot listen on {_authority(host, port)}: this is no name of a host") from error
