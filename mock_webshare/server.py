"""A server: the stand-in on a port, for asynchronous users and for synchronous ones."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, TextIO
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from mock_webshare.app import create_app, make_dataset
from mock_webshare.errors import ServerError
from mock_webshare.seeding import Progress
from mock_webshare.settings import Settings

_GRACE = 0.3  # seconds that requests under way have when the server stops
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
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
    with _prepared(settings or Settings(port=0), timer) as prepared:
        async with _started(prepared, log):
            yield prepared.url


def serve(
    settings: Settings, *, announce: Callable[[str], object], log: TextIO, progress: Progress | None = None
) -> None:
    """Serve until SIGINT or SIGTERM; `announce` is called with the base URL once the server answers.

    For a process of its own: once it stops, it ignores further signals, so that it ends as it should.
    """
    interrupt = _Interrupt()
    with suppress(KeyboardInterrupt), _prepared(settings, time.monotonic, progress) as prepared:

        async def until_interrupted() -> None:
            interrupt.cancels(asyncio.current_task())
            # What was made up to here stays; without this each full collection walks all the credits again.
            gc.freeze()
            with suppress(asyncio.CancelledError):
                async with _started(prepared, log):
                    announce(prepared.url)
                    await asyncio.Event().wait()

        asyncio.run(until_interrupted())


class _Interrupt:
    """What SIGINT and SIGTERM do, once: cancel a task, or before there is one interrupt the program."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._has_struck = False
        for number in _SIGNALS:
            signal.signal(number, self._strike)

    def cancels(self, task: asyncio.Task[None] | None) -> None:
        """Given the task that serves, cancel it when a signal comes, or has come."""
        assert task
        self._task = task
        if self._has_struck:  # an exception that is raised while something is finalised gets lost
            task.cancel()

    def _strike(self, *_: object) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self._has_struck = True
        if self._task is None:
            raise KeyboardInterrupt
        self._task.get_loop().call_soon_threadsafe(self._task.cancel)


class _Prepared(NamedTuple):
    """All that can be had before anything is served: the port, and the application with its data."""

    listener: socket.socket
    app: web.Application
    url: str


@contextmanager
def _prepared(
    settings: Settings, timer: Callable[[], float], progress: Progress | None = None
) -> Iterator[_Prepared]:
    # A file is read before the port is taken, so that its mistakes are told first; what is generated
    # has none and may take a while.
    dataset = make_dataset(settings) if settings.data else None
    with _listening_socket(settings) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        app = create_app(settings, dataset=dataset or make_dataset(settings, progress), timer=timer)
        yield _Prepared(listener, app, f"http://{settings.authority}")


@asynccontextmanager
async def _started(prepared: _Prepared, log: TextIO | None) -> AsyncIterator[None]:
    request_log = RequestLog(log)
    runner = web.AppRunner(
        prepared.app,
        access_log_class=request_log.access_logger(),
        logger=_without_tracebacks(),
        shutdown_timeout=_GRACE,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, prepared.listener).start()
        yield
    finally:
        await runner.cleanup()
        request_log.flush()


def _without_tracebacks() -> logging.Logger:
    """Return where aiohttp tells of requests that are no HTTP: nowhere.

    It would write a traceback with the offending bytes, among which a key may be. The request log
    has a line for them, and a mistake of our own never gets as far as aiohttp.
    """
    logger = logging.Logger("mock_webshare.http")
    logger.addHandler(logging.NullHandler())
    return logger


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

    Lines are written together a moment later: a write a request would cost more than answering it.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._noted: list[tuple[str, str, int, float]] = []  # method, target, status, seconds

    def flush(self) -> None:
        """Write what has been noted; a stream that nobody reads any more is given up."""
        lines = "".join([f"{_described(*each)} {1000 * seconds:.1f} ms\n" for *each, seconds in self._noted])
        self._noted.clear()
        if self._stream and lines:
            try:
                self._stream.write(lines)
                self._stream.flush()
            except (OSError, ValueError):
                self._stream = None

    def access_logger(self) -> type[AbstractAccessLogger]:
        """Return the class of which aiohttp makes an instance for each connection."""
        noted, flush, is_enabled = self._noted, self.flush, self._stream is not None

        class Logger(AbstractAccessLogger):
            def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
                if not noted:
                    asyncio.get_running_loop().call_later(_FLUSH_AFTER, flush)
                noted.append((request.method, request.raw_path, response.status, time))

            @property
            def enabled(self) -> bool:
                return is_enabled

        return Logger


@lru_cache(256)
def _described(method: str, target: str, status: int) -> str:
    """Return a request in words; of a target that names a host, and perhaps a user, only the path."""
    path = target.partition("?")[0] if target.startswith("/") else urlsplit(target).path
    return f"{method} {path} {status}".encode("ascii", "backslashreplace").decode()


class MockServer:
    """A stand-in for synchronous users: it serves from a thread of its own while the context lasts.

    ::

        with MockServer() as server:
            client = Webshare(api_key="any", base_url=server.url)

    Without settings it takes a free port. `timer` returns seconds and drives the rate limit; `log`,
    unless None, gets one line a request.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        timer: Callable[[], float] = time.monotonic,
        log: TextIO | None = None,
    ) -> None:
        self._settings = settings
        self._timer = timer
        self._log = log
        self._url: str | None = None
        self._thread: threading.Thread | None = None
        self._stopped: Future[None] = Future()

    @property
    def url(self) -> str:
        """The base URL, `http://127.0.0.1:PORT`, while the server runs."""
        if self._url is None:
            raise ServerError(f"{self!r} does not run; use it as a context manager, or call start()")
        return self._url

    def start(self) -> None:
        """Start and return when the server answers; raise what `running_server` raises."""
        if self._thread:
            raise ServerError(f"{self!r} runs already; stop() it first")
        ready: Future[str] = Future()
        self._stopped = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="mock-webshare", daemon=True
        )
        self._thread.start()
        try:
            self._url = ready.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop and return when the port is free again; does nothing if the server does not run."""
        if self._thread:
            self._stopped.set_result(None)
            self._thread.join()
        self._url = self._thread = None

    async def _serve(self, ready: Future[str]) -> None:
        try:
            async with running_server(self._settings, timer=self._timer, log=self._log) as url:
                ready.set_result(url)
                await asyncio.wrap_future(self._stopped)
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    def __enter__(self) -> MockServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<MockServer {self._url or 'stopped'}>"
