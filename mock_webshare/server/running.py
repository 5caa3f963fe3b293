"""A server: the stand-in on a port, for asynchronous users and for a process of its own."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import re
import selectors
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, TextIO
from urllib.parse import unquote, urlsplit

from aiohttp import web

from mock_webshare.contract.model import Contract
from mock_webshare.errors import ServerError
from mock_webshare.server.app import at_time, create_app, make_dataset
from mock_webshare.server.signals import Interrupt
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.data.generator import Progress
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.journal import Entry

_GRACE = 0.3  # seconds that requests under way have when the server stops
_FLUSH_AFTER = 0.05  # seconds that a line of the log may wait for others


@asynccontextmanager
async def running_server(
    settings: Settings | None = None,
    *,
    timer: Callable[[], float] = time.monotonic,
    log: TextIO | None = None,
) -> AsyncIterator[str]:
    """Serve while the context lasts; the value is the base URL, to which the server already answers.

    Without settings it takes a free port. `timer` returns seconds and drives the rate limit; `log`,
    unless None, gets one line a request. Raise `ServerError` if the address cannot be had, and what
    `create_app` raises.
    """
    async with running_app(settings, timer=timer, log=log) as (url, _):
        yield url


@asynccontextmanager
async def running_app(
    settings: Settings | None = None,
    *,
    dataset: Dataset | None = None,
    timer: Callable[[], float] = time.monotonic,
    log: TextIO | None = None,
) -> AsyncIterator[tuple[str, web.Application]]:
    """Serve while the context lasts, as `running_server` does; the values are the base URL and the app.

    `dataset`, unless None, is served instead of what the settings name.
    """
    with _prepared(settings or Settings(port=0), timer, log, dataset=dataset) as prepared:
        async with _started(prepared):
            yield prepared.url, prepared.app


def serve(
    settings: Settings,
    *,
    interrupt: Interrupt,
    announce: Callable[[str], object],
    log: TextIO,
    dataset: Dataset | None = None,
    progress: Progress | None = None,
) -> None:
    """Serve until the interrupt strikes; `announce` is called with the base URL once the server answers."""
    with _prepared(settings, time.monotonic, log, progress, dataset) as prepared:

        async def until_interrupted() -> None:
            task = asyncio.current_task()
            assert task
            interrupt.cancels(task)
            # What was made up to here stays; without this each full collection walks all the credits again.
            gc.freeze()
            with suppress(asyncio.CancelledError):
                async with _started(prepared):
                    announce(prepared.url)
                    await asyncio.Event().wait()

        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(until_interrupted())


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop; raise `ServerError` if the system refuses what it needs.

    That is tried first: a loop that is half made cannot be closed any more, and warns when it is collected.
    """
    try:
        with selectors.DefaultSelector():
            socket.socket(getattr(socket, "AF_UNIX", socket.AF_INET)).close()
            for end in socket.socketpair():
                end.close()
        return asyncio.new_event_loop()
    except OSError as error:
        raise ServerError(f"cannot start the mock server: {error.strerror or error}") from error


class _Prepared(NamedTuple):
    """All that can be had before anything is served: the port, and the application with its data."""

    listener: socket.socket
    app: web.Application
    url: str
    log: RequestLog | None


@contextmanager
def _prepared(
    settings: Settings,
    timer: Callable[[], float],
    log: TextIO | None,
    progress: Progress | None = None,
    dataset: Dataset | None = None,
) -> Iterator[_Prepared]:
    # A file is read before the port is taken, so that its mistakes are told first; what is generated
    # has none and may take a while.
    if dataset is not None:
        dataset = at_time(dataset, settings)
    elif settings.data:
        dataset = make_dataset(settings)
    secrets = [*settings.api_keys, *filter(None, [settings.control_token])]
    request_log = None if log is None else RequestLog(log, settings.contract, secrets)
    with _listening_socket(settings) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        app = create_app(
            settings,
            dataset=dataset or make_dataset(settings, progress),
            timer=timer,
            log=None if request_log is None else request_log.note,
        )
        yield _Prepared(listener, app, f"http://{settings.authority}", request_log)


@asynccontextmanager
async def _started(prepared: _Prepared) -> AsyncIterator[None]:
    logger = logging.Logger("mock_webshare.http")
    logger.addHandler(_NotHttp(prepared.log))
    runner = web.AppRunner(prepared.app, access_log=None, logger=logger, shutdown_timeout=_GRACE)
    await runner.setup()
    try:
        await web.SockSite(runner, prepared.listener).start()
        yield
    finally:
        await runner.cleanup()
        if prepared.log:
            prepared.log.flush()


def _listening_socket(settings: Settings) -> socket.socket:
    try:
        addresses = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, _, _, _, address = addresses[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except OSError as error:
        hint = "; choose another port, or 0 for a free one" if error.errno == errno.EADDRINUSE else ""
        reason = str(error.strerror).partition(" (")[0]  # the rest repeats the address
        raise ServerError(f"cannot listen on {settings.authority}: {reason}{hint}") from error
    except UnicodeError as error:  # no name of a host is that long, or has two dots in a row
        raise ServerError(f"cannot listen on {settings.authority}: this is no name of a host") from error


class RequestLog:
    """One line a request: method, path, status, milliseconds. Neither query nor headers, where keys may be.

    A key that is in the path too, or another of the `secrets`, is left out.

    Lines are written together a moment later: a write a request would cost more than answering it.
    """

    def __init__(self, stream: TextIO, contract: Contract, secrets: Sequence[str] = ()) -> None:
        self._stream: TextIO | None = stream
        # A path of an endpoint, with a number for an id, holds no key.
        paths = (re.escape(each.path).replace(r"\{id\}", "[0-9]{1,10}") for each in contract.endpoints)
        self._plain = re.compile("|".join(paths))
        self._secrets = secrets
        self._lines: list[str] = []

    def note(self, entry: Entry) -> None:
        """Note a request."""
        self.add(self._line(entry))

    def add(self, line: str) -> None:
        """Add a line."""
        if not self._lines:
            asyncio.get_running_loop().call_later(_FLUSH_AFTER, self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        """Write what has been noted; a stream that nobody reads any more is given up."""
        lines = "".join(self._lines)
        self._lines.clear()
        if self._stream and lines:
            try:
                self._stream.write(lines)
                self._stream.flush()
            except (OSError, ValueError):
                self._stream = None

    def _line(self, entry: Entry) -> str:
        path = _path(entry.target)
        if not self._plain.fullmatch(path):
            path = _without(path, (*entry.credentials, *self._secrets))
        status = "-" if entry.response is None else entry.response.status
        return f"{entry.method} {path} {status} {1000 * entry.seconds:.1f} ms\n"


@lru_cache(256)
def _path(target: str) -> str:
    """Return the path of a target, in ASCII, without the host and the user that it may name."""
    path = target.partition("?")[0] if target.startswith("/") else urlsplit(target).path
    return path.encode("ascii", "backslashreplace").decode()


@lru_cache(256)
def _without(path: str, secrets: tuple[str, ...]) -> str:
    """Return a path without the secrets that are in it."""
    if not any(secret in unquote(path) for secret in secrets):
        return path
    from mock_webshare.exchange.redaction.redactor import Redactor  # only for those who err

    return Redactor(secrets).url(path)


class _NotHttp(logging.Handler):
    """Hears from aiohttp of what is no HTTP, and says no more of it than that.

    aiohttp would show a traceback with the offending bytes, among which a key may be.
    """

    def __init__(self, log: RequestLog | None) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        if self._log:
            self._log.add("- - 400 no HTTP\n")
