"""The mock server on a port, for asynchronous users and for `mock-webshare serve`."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import logging
import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, TextIO
from urllib.parse import unquote, urlsplit

from aiohttp import web

from mock_webshare.contract.model import Contract
from mock_webshare.contract.timestamps import format_utc
from mock_webshare.errors import ServerError
from mock_webshare.server.app import LOAD, RELOADER, create_app, make_dataset
from mock_webshare.server.loop import monotonic, new_loop
from mock_webshare.server.protocol import SPOKE_TLS, Runner
from mock_webshare.server.reloading import Source, make_source, state_of
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.data.generator import Progress
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.journal import Entry
from mock_webshare.service.world.registry import arranged

_SHUTDOWN_SECONDS = 0.3  # for the requests in progress when the server stops
_LOAD_SECONDS = 1.0  # after which `serve` loads what the first requests rarely need
_FLUSH_SECONDS = 0.05  # for which a line of the log waits for others


@asynccontextmanager
async def running_server(
    settings: Settings | None = None,
    *,
    timer: Callable[[], float] = monotonic,
    log: TextIO | None = None,
) -> AsyncIterator[str]:
    """Serve while the context lasts; the value is the base URL, ready for requests.

    Without settings the server takes a free port. `timer` returns seconds and drives the rate limit; `log`,
    unless None, gets one line for each request. Raise `ServerError` if the server cannot listen on the
    address, and the errors of `create_app`.
    """
    async with running_app(settings, timer=timer, log=log) as (url, _):
        yield url


@asynccontextmanager
async def running_app(
    settings: Settings | None = None,
    *,
    dataset: Dataset | None = None,
    timer: Callable[[], float] = monotonic,
    log: TextIO | None = None,
) -> AsyncIterator[tuple[str, web.Application]]:
    """Serve like `running_server`; the values are the base URL and the application.

    `dataset`, unless None, is served instead of the data that the settings name.
    """
    with _prepared(settings or Settings(port=0), timer, log, dataset=dataset) as prepared:
        prepared.app[LOAD]()  # now, because the program around it may replace the file system
        async with _started(prepared):
            yield prepared.url, prepared.app


def serve(
    settings: Settings,
    *,
    announce: Callable[[str], object],
    cancel_on_signal: Callable[[asyncio.Task[None]], object],
    log: TextIO,
    logged: Logged | None = None,
    source: Source | None = None,
    is_watched: bool = False,
    progress: Progress | None = None,
) -> None:
    """Serve until the task that `cancel_on_signal` receives is cancelled.

    `announce` is called with the base URL once the server is ready. `source` loads the data; None: the data
    are those of the settings. If `is_watched`, the file of the data is read again when it changes.
    """
    path = str(settings.data)
    seen = state_of(path)  # before the file is read
    with _prepared(settings, monotonic, log, progress, source=source, logged=logged) as prepared:

        async def until_shutdown() -> None:
            task = asyncio.current_task()
            assert task
            cancel_on_signal(task)
            # What exists now stays; unfrozen, each full collection would visit all the credits again.
            gc.freeze()
            with suppress(asyncio.CancelledError):
                async with _started(prepared):
                    announce(prepared.url)
                    asyncio.get_running_loop().call_later(_LOAD_SECONDS, prepared.app[LOAD])
                    reloader = prepared.app[RELOADER]
                    await (reloader.watch(path, seen) if is_watched else asyncio.Event().wait())

        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(until_shutdown())


class Logged(NamedTuple):
    """What a log contains, and in which format."""

    format: str = "text"  # or json
    is_quiet: bool = False  # without requests
    is_verbose: bool = False  # with requests to the control plane


class _Prepared(NamedTuple):
    """A server that is ready to start: its port, and the application with its data."""

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
    source: Source | None = None,
    logged: Logged | None = None,
) -> Iterator[_Prepared]:
    # A file is read before the port is taken, so that its errors are reported first; generated data has no
    # errors and may take long.
    if dataset is not None:
        dataset = arranged(dataset, settings)
    elif source := source or make_source(settings):
        dataset = source()
    secrets = [*settings.api_keys, *filter(None, [settings.control_token])]
    logged = logged or Logged()
    request_log = None if log is None else RequestLog(log, settings.contract, secrets, logged.format)
    note = None if request_log is None else request_log.note
    with _listening_socket(settings) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        app = create_app(
            settings,
            dataset=dataset or make_dataset(settings, progress),
            source=source,
            timer=timer,
            log=None if logged.is_quiet else note,
            control_log=note if logged.is_verbose else None,
        )
        if request_log is not None:
            app[RELOADER].report = request_log.note_event
        yield _Prepared(listener, app, f"http://{settings.authority}", request_log)


@asynccontextmanager
async def _started(prepared: _Prepared) -> AsyncIterator[None]:
    logger = logging.Logger("mock_webshare.http")
    logger.addHandler(_BadRequests(prepared.log))
    runner = Runner(prepared.app, access_log=None, logger=logger, shutdown_timeout=_SHUTDOWN_SECONDS)
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
        reason = str(error.strerror).partition(" (")[0]  # what follows repeats the address
        raise ServerError(f"cannot listen on {settings.authority}: {reason}{hint}") from error
    except UnicodeError as error:  # a label is too long or empty
        raise ServerError(f"cannot listen on {settings.authority}: this is not a host name") from error


class RequestLog:
    """Logs a line for each request: time, method, path, status, milliseconds; as text or as JSON.

    Query and headers, where keys may be, are omitted; a key of the request or one of the `secrets` in the
    path is redacted. Lines are written in batches: a write for each would take longer than its response.
    """

    def __init__(
        self, stream: TextIO, contract: Contract, secrets: Sequence[str] = (), form: str = "text"
    ) -> None:
        self._write = _FORMATS[form]
        self._stream: TextIO | None = stream
        # The path of an endpoint with a short number as its id contains no key.
        paths = (re.escape(each.path).replace(r"\{id\}", "[0-9]{1,10}") for each in contract.endpoints)
        self._safe_path = re.compile("|".join(paths))
        self._secrets = secrets
        self._lines: list[str] = []

    def note(self, entry: Entry) -> None:
        """Log a request."""
        self.add(self._write(self._fields(entry)))

    def note_bad_request(self, problem: str) -> None:
        """Log what is wrong with a request that is not valid HTTP."""
        fields: Fields = {
            "method": "-",
            "path": "-",
            "status": 400,
            "milliseconds": None,
            "problem": problem,
        }
        self.add(self._write(fields))

    def note_event(self, text: str) -> None:
        """Log a line that is not about a request."""
        self.add(self._write({"message": text}))

    def add(self, line: str) -> None:
        """Add a line."""
        if not self._lines:
            asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)
        self._lines.append(line)

    def flush(self) -> None:
        """Write the lines that are waiting; stop logging if the stream is closed."""
        lines = "".join(self._lines)
        self._lines.clear()
        if self._stream and lines:
            try:
                self._stream.write(lines)
                self._stream.flush()
            except (OSError, ValueError):
                self._stream = None

    def _fields(self, entry: Entry) -> Fields:
        path = _path(entry.target)
        if not self._safe_path.fullmatch(path):
            path = _redacted(path, (*entry.credentials, *self._secrets))
        response = entry.response
        fields: dict[str, str | int | float | None] = {
            "method": entry.method,
            "path": path,
            "status": None if response is None else response.status,
            "milliseconds": round(1000 * entry.seconds, 1),
        }
        if entry.reason:
            fields["reason"] = entry.reason
        if entry.hint:
            fields["hint"] = entry.hint
        return fields


Fields = Mapping[str, str | int | float | None]
"""What a line of the log says, by name; a status of None: there was no response."""
_MEASURED = ("method", "path", "status", "milliseconds")


def _as_text(fields: Fields) -> str:
    """Return a line: time, method, path, status and duration; then the other fields with their names."""
    if "message" in fields:
        return f"{_time()} mock-webshare: {fields['message']}\n"
    method, path, status, milliseconds = (fields[name] for name in _MEASURED)
    rest = "".join(f" {name}: {value}" for name, value in fields.items() if name not in _MEASURED)
    duration = "-" if milliseconds is None else f"{milliseconds:.1f} ms"
    return f"{_time()} {method} {path} {'-' if status is None else status} {duration}{rest}\n"


def _as_json(fields: Fields) -> str:
    named = {name.replace(" ", "_"): value for name, value in fields.items()}
    return json.dumps({"time": _time(), **named}) + "\n"


_FORMATS: Mapping[str, Callable[[Fields], str]] = {"text": _as_text, "json": _as_json}


def _time() -> str:
    """Return the real time in UTC, to the millisecond."""
    return format_utc(time.time_ns() // 1_000_000)


@lru_cache(256)
def _path(target: str) -> str:
    """Return the path of a target in ASCII, without the host and user that an absolute target has."""
    path = target.partition("?")[0] if target.startswith("/") else urlsplit(target).path
    return path.encode("ascii", "backslashreplace").decode()


@lru_cache(256)
def _redacted(path: str, secrets: tuple[str, ...]) -> str:
    """Return a path with the secrets in it redacted."""
    if not any(secret in unquote(path) for secret in secrets):
        return path
    from mock_webshare.exchange.redaction.redactor import Redactor  # rarely needed

    return Redactor(secrets).url(path)


class _BadRequests(logging.Handler):
    """Logs a fixed line for each request that is not valid HTTP.

    aiohttp's own record has a traceback with the bytes of the request, which may contain a key.
    """

    def __init__(self, log: RequestLog | None) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        if self._log:
            self._log.note_bad_request(SPOKE_TLS if record.msg == SPOKE_TLS else "not HTTP")
