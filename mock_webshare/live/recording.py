"""Recording: redacts, writes and judges exchanges, beside the process that serves clients.

One search for secrets in a huge body may keep all threads of a process waiting for seconds, so there are
two more processes: one receives exchanges at once and holds them, the other works on them in their order.
If the recorder is killed, both go on until they have written all exchanges that they received.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from io import BytesIO
from threading import Condition, Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mock_webshare import recordings
from mock_webshare.errors import MockWebshareError, UnreadableInput, UnwritableOutput, UsageError
from mock_webshare.exchange.model import BadRecord, Exchange, OtherFile
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.judge.reports import text
from mock_webshare.judge.run import judge
from mock_webshare.live.sinks import open_sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection
    from socket import socket
    from typing import TypeAlias

    from mock_webshare.judge.model.options import Options
    from mock_webshare.judge.verdict import Verdict
    from mock_webshare.live.sinks import Sink

    Closable: TypeAlias = Connection | socket

LARGEST_BACKLOG = 256 * 1024 * 1024
"""Bytes of exchanges that may wait to be written; if there are more, clients wait for their responses."""
# A fork takes no time, but on systems other than Linux it may break libraries of the system.
_CONTEXT = (
    multiprocessing.get_context("fork") if sys.platform == "linux" else multiprocessing.get_context("spawn")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Settings of a recorder: the service, the address to listen on, and the recording."""

    upstream: str
    """An origin (see `upstream.read_origin`)."""
    path: str
    """See `sinks.open_sink`."""
    host: str = "127.0.0.1"
    port: int = 0
    """The port to listen on; 0 takes a free one."""
    is_appended: bool = False
    is_redacted: bool = True
    secrets: tuple[str, ...] = ()
    """Secrets that are known from the start, such as the API key in the environment."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise UsageError(f"port {self.port} is not allowed; allowed: 0 (a free one) to 65535")


class RecordingProcess:
    """Writes exchanges in other processes, in the order in which they are added.

    `report` gets the lines of the log of each exchange, from a thread. Raise `MockWebshareError` if the
    recording cannot be opened.
    """

    def __init__(
        self,
        recording: Recording,
        report: Callable[[list[str]], object],
        validate: Callable[[Exchange], Iterable[str]] | None = None,
        *,
        others: Iterable[Closable] = (),
    ) -> None:
        """`others` belong to this process; the new processes close the copies that a fork gives them."""
        self.failure: MockWebshareError | None = None
        """The error that kept an exchange from being written; None without one."""
        self.on_failure: Callable[[], object] = lambda: None
        """Called after `failure` is set, from another thread."""
        self._path, self._report = recording.path, report
        received, self._exchanges = _CONTEXT.Pipe(duplex=False)
        self._replies, replies = _CONTEXT.Pipe(duplex=False)
        ours = (*others, self._exchanges, self._replies)
        self._process = _CONTEXT.Process(
            target=_hold, args=(_Work(recording, validate, replies), received, ours)
        )
        self._process.start()
        received.close()
        replies.close()
        self._sender = ThreadPoolExecutor(1)
        self._listener = Thread(target=self._listen)
        self._require_opened()
        self._listener.start()

    async def add(self, exchange: Exchange) -> None:
        """Hand over an exchange: once `add` returns, it will be written even if this process is killed."""
        loop = asyncio.get_running_loop()
        # A client that disconnects cancels the handler of its request, which must not cancel the hand-over.
        await asyncio.shield(loop.run_in_executor(self._sender, self._send, exchange))

    def close(self) -> None:
        """Return when all exchanges are written."""
        self._sender.shutdown()
        self._exchanges.close()
        self._listener.join()
        self._process.join()
        self._replies.close()

    def _require_opened(self) -> None:
        try:
            reply = self._replies.recv()
        except EOFError:
            reply = self._ended()
        if isinstance(reply, MockWebshareError):
            self._exchanges.close()
            self._process.join()
            raise reply

    def _send(self, exchange: Exchange) -> None:
        with suppress(OSError):  # the other processes have ended, which the listener reports
            self._exchanges.send(exchange)

    def _listen(self) -> None:
        try:
            for reply in iter(self._replies.recv, None):
                if isinstance(reply, MockWebshareError):
                    self._fail(reply)
                else:
                    self._report(reply)
        except (EOFError, OSError):
            self._fail(self._ended())

    def _fail(self, error: MockWebshareError) -> None:
        self.failure = self.failure or error
        self.on_failure()

    def _ended(self) -> UnwritableOutput:
        return UnwritableOutput(f"cannot write {self._path!r}: the process that writes it was killed")


@dataclass(frozen=True, slots=True)
class _Work:
    """What the writing process does, and where it sends replies: log lines, errors, and None at the end."""

    recording: Recording
    validate: Callable[[Exchange], Iterable[str]] | None
    replies: Connection

    def reply(self, reply: object) -> None:
        with suppress(OSError):  # the recorder was killed
            self.replies.send(reply)


def _hold(work: _Work, received: Connection, others: Iterable[Closable]) -> None:
    """Start the writing process, and hold received exchanges until it can take them."""
    _close_and_ignore_signals(others)
    source, target = _CONTEXT.Pipe(duplex=False)
    writing = _CONTEXT.Process(target=_write_all, args=(work, source, (received, target)))
    writing.start()
    source.close()
    work.replies.close()
    backlog = _Backlog()
    Thread(target=backlog.fill, args=(received,), daemon=True).start()
    with suppress(OSError):  # the writing process was killed
        for message in backlog:
            target.send_bytes(message)
    target.close()
    writing.join()


class _Backlog:
    """Pickled exchanges that wait to be written, in the order in which they came."""

    def __init__(self) -> None:
        self._messages: deque[bytes | None] = deque()
        self._size = 0
        self._changed = Condition()

    def fill(self, connection: Connection) -> None:
        """Receive exchanges until the sender closes the connection; pause while too many wait."""
        with suppress(EOFError, OSError):
            while True:
                self._put(connection.recv_bytes())
        self._put(None)

    def __iter__(self) -> Iterator[bytes]:
        while (message := self._next()) is not None:
            yield message

    def _put(self, message: bytes | None) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._size <= LARGEST_BACKLOG)
            self._messages.append(message)
            self._size += len(message or b"")
            self._changed.notify_all()

    def _next(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: self._messages)
            message = self._messages.popleft()
            self._size -= len(message or b"")
            self._changed.notify_all()
            return message


def _write_all(work: _Work, source: Connection, others: Iterable[Closable]) -> None:
    """Write the exchanges that `source` receives until the sender closes the connection."""
    _close_and_ignore_signals(others)
    recording = work.recording
    try:
        with closing(open_sink(recording.path, is_appended=recording.is_appended)) as sink:
            writing = _Writing(work, sink)
            work.reply([])
            with suppress(EOFError):
                while True:
                    work.reply(writing.add(source.recv()))
    except MockWebshareError as error:
        work.reply(error)
    work.reply(None)


def _close_and_ignore_signals(others: Iterable[Closable]) -> None:
    """Ignore the signals that Ctrl-C sends to all processes, so that only the recorder ends this one."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for each in others:
        each.close()


class _Writing:
    """Redacts, writes and judges one exchange after another."""

    def __init__(self, work: _Work, sink: Sink) -> None:
        self._recording, self._validate, self._sink = work.recording, work.validate, sink
        self._redactor = _redactor(work.recording)
        self._entries = 0

    def add(self, exchange: Exchange) -> list[str] | UnwritableOutput:
        """Write an exchange; return its lines for the log, or the error that kept it from being written."""
        exchange = replace(exchange, source=self._recording.path, entry=self._entries)
        redacted = self._redactor.exchange(exchange)
        try:
            self._sink.add(redacted if self._recording.is_redacted else exchange)
        except UnwritableOutput as error:
            return error
        self._entries += 1
        return [_described(redacted), *(self._validate(redacted) if self._validate else ())]


def _redactor(recording: Recording) -> Redactor:
    """Return a redactor that does not use the pseudonyms that an existing recording contains.

    Raise `UnreadableInput` if the recording cannot be read.
    """
    redactor = Redactor(recording.secrets)
    for record in recordings.read([recording.path], BytesIO()):
        if isinstance(record, UnreadableInput):
            raise record
        if isinstance(record, Exchange):
            redactor.reserve_pseudonyms(record)
    return redactor


def _described(redacted: Exchange) -> str:
    """Return an exchange as a line of the log: method, path, status, milliseconds."""
    path = urlsplit(redacted.url or "").path
    return f"{redacted.method} {path} {_outcome(redacted)}".encode("ascii", "backslashreplace").decode()


def _outcome(redacted: Exchange) -> str:
    if redacted.status is None:
        return "no response"
    return f"{redacted.status} " + (
        "without its body" if redacted.seconds is None else f"{1000 * redacted.seconds:.1f} ms"
    )


class LiveValidation:
    """Judges a recording while it is written; redacts `secrets`, which the recording may contain."""

    def __init__(self, path: str, options: Options, secrets: Iterable[str] = ()) -> None:
        self._path, self._options, self._secrets = path, options, tuple(secrets)
        self._reported: set[tuple[str, ...]] = set()

    def new_findings(self, exchange: Exchange) -> Iterator[str]:
        """Yield the lines of a report on an exchange, unless all its findings were reported before."""
        verdict = judge([exchange], self._options)
        found = {group.likeness for group in verdict.groups}
        if found - self._reported:
            self._reported |= found
            *lines, _summary = text.lines(verdict)
            yield from lines

    def verdict(self) -> Verdict:
        """Return the verdict on the whole recording; the verdict contains no secrets."""
        return judge(self._recorded(), self._options)

    def _recorded(self) -> Iterator[Exchange | BadRecord | UnreadableInput]:
        redactor = Redactor(self._secrets)
        for record in recordings.read([self._path], BytesIO()):
            assert not isinstance(record, OtherFile)  # only a folder has them
            yield redactor.exchange(record) if isinstance(record, Exchange) else record
