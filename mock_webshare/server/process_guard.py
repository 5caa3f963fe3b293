"""A process guard: it runs one command and leaves no process of it behind.

::

    run ── lifeline ── guard ── death signal ── the command ── its descendants

If `run` ends, even by SIGKILL, the lifeline, a pipe that only `run` writes to, closes; the guard kills the
command and its descendants. If the guard ends, the kernel kills the command; `run` adopts and kills what
remains. If the command ends, the guard adopts and ends what remains.

The guard is in a process group of its own, so that neither Ctrl-C nor a signal to the group of `run` ends it.
The command is in the group of `run`, as if it had been started directly: Ctrl-C, Ctrl-Z, terminal input and
pipelines work as usual.

A signal to `run` alone is forwarded to the command. A signal to the whole group, such as Ctrl-C, is not: the
command has received it already. A third process in that group, the *signal recorder*, distinguishes them.

Death signals and adoption are features of Linux. On other POSIX systems the descendants of a command that
ends by itself remain, and a guard that is killed takes nothing with it.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from mock_webshare.errors import CommandError, CommandKilled, CommandNotFound, ServerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn, Self

_GRACE = 2.0  # seconds between SIGTERM and SIGKILL for the descendants of a command that has ended
_KILL_TIMEOUT = 5.0  # seconds; a process that survives SIGKILL is another user's, or stuck in the kernel
_POLL_INTERVAL = 0.02  # seconds
_RECORDER_TIMEOUT = 200  # milliseconds; a recorder that is stopped never responds


def _signals(*names: str) -> set[signal.Signals]:
    """Return the signals with these names; a system without fork lacks some."""
    return {number for number in signal.Signals if number.name in names}


_INTERRUPTING = _signals("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM")
_FORWARDED = _INTERRUPTING | _signals("SIGUSR1", "SIGUSR2", "SIGWINCH")
_IGNORED_BY_PYTHON = _signals("SIGPIPE", "SIGXFSZ")

_YES, _NO = b"\1", b"\0"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class Guard:
    """A guard that is ready to run its command.

    Create it before any thread, because it forks. It forwards the signals of this process to the command, and
    leaves standard input and output to the command. Until the command runs, a signal ends this process, and
    with it the guard. Raise `UsageError` on a system without fork.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        if not hasattr(os, "fork"):
            raise UsageError(
                "run needs a POSIX system, like Linux or macOS; elsewhere, start mock-webshare serve beside "
                "the command"
            )
        self._program = command[0]
        if not self._program:  # execvp() would take it for a folder of the PATH
            raise CommandNotFound.from_reason(self._program, os.strerror(errno.ENOENT))
        self.is_interrupted = False  # whether a signal arrived that ends a command by default
        self._failure: BaseException | None = None
        self._status: int | None = None  # from waitpid(); None: the guard has not been reaped
        try:
            self._fork(command, environ)
        except OSError as error:
            raise ServerError(f"cannot start a process: {error.strerror}") from error

    def _fork(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        lifeline, self._lifeline = os.pipe()
        self._errors, errors = os.pipe()
        _adopt_orphans()
        signal.signal(signal.SIGCHLD, lambda *_: None)  # if ignored, waitpid() would not work
        # Blocked, so that the new process never handles a signal as this one would.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._lifeline)
            os.close(self._errors)
            _GuardProcess(command, environ, lifeline, errors, mask, os.getpgrp()).main()
        os.close(lifeline)
        os.close(errors)
        _end_by_interrupt()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def run(self, variables: Mapping[str, str]) -> int:
        """Run the command with these variables added, and return its exit code.

        The code is 128 + N after signal N. Raise `CommandError` if the command cannot be executed or was
        killed with its guard, and `ServerError` after a call of `fail`.
        """
        awaited = {*_FORWARDED, signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
        _redirect_to_null(0, 1)
        self._send(json.dumps(dict(variables)).encode() + b"\n")
        while not self._has_ended():
            if self._failure:
                raise ServerError(
                    f"the mock server has failed ({type(self._failure).__name__}), so the command was ended"
                )
            if (number := signal.sigwait(awaited)) != signal.SIGCHLD:
                self.is_interrupted |= number in _INTERRUPTING
                self._send(bytes([number]))
        return self._exit_code()

    def fail(self, error: BaseException) -> None:
        """Make `run`, in another thread, end the command and raise `ServerError`."""
        self._failure = error
        os.kill(os.getpid(), signal.SIGCHLD)

    def _send(self, content: bytes) -> None:
        with suppress(BrokenPipeError):  # the guard has just ended, which `_has_ended` notices
            os.write(self._lifeline, content)

    def _has_ended(self, options: int = os.WNOHANG) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self._pid, options)
            self._status = status if pid else None
        return self._status is not None

    def _exit_code(self) -> int:
        assert self._status is not None
        code = os.waitstatus_to_exitcode(self._status)
        if code < 0:
            _end_descendants(grace=0)
            raise CommandKilled(f"the guard of {self._program!r} was killed, so the command was, too")
        if reason := os.read(self._errors, 20):
            kind = CommandNotFound if int(reason) == errno.ENOENT else CommandError
            raise kind.from_reason(self._program, os.strerror(int(reason)))
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lifeline)
        self._has_ended(0)
        os.close(self._errors)


class _GuardProcess(NamedTuple):
    """The guard's side: it reads `lifeline`, and writes the errno of a failed start."""

    command: Sequence[str]
    environ: Mapping[str, str]
    lifeline: int
    errors: int
    mask: set[signal.Signals | int]
    """The signals that were blocked at first."""
    group: int

    def main(self) -> NoReturn:
        """Run and watch the command, and exit with its exit code."""
        try:
            os.setpgid(0, 0)
            _set_process_name()
            _adopt_orphans()
            code = self._run()
            os._exit(code)
        finally:  # a guard that fails is like one that is killed: `run` ends the command
            os.kill(os.getpid(), signal.SIGKILL)

    def _run(self) -> int:
        recorder = _SignalRecorder(self.group)
        child_ended = _child_end_stream()
        with open(self.lifeline, "rb", buffering=0, closefd=False) as lifeline:
            variables = lifeline.readline()  # without a buffer it reads no further
        if not variables.endswith(b"\n"):
            return 0  # `run` has ended before it had a command to run; the recorder ends by itself
        command = self._spawn(json.loads(variables))
        _redirect_to_null(0, 1, 2)
        code = self._watch(command, child_ended, recorder)
        recorder.close()
        _end_descendants(grace=0 if code is None else _GRACE)
        return code or 0

    def _spawn(self, variables: Mapping[str, str]) -> int:
        """Start the command and return its process id."""
        guard = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        try:
            end_with_parent()
            if os.getppid() == guard:  # otherwise the guard ended before the death signal was set
                os.setpgid(0, self.group)
                _restore_signals(self.mask)
                environ = {**self.environ, **variables}
                os.execvpe(self.command[0], list(self.command), environ)  # noqa: S606  # no shell on purpose
        except OSError as error:
            os.write(self.errors, str(error.errno).encode())
        finally:
            os._exit(CommandError.exit_code)

    def _watch(self, command: int, child_ended: int, recorder: _SignalRecorder) -> int | None:
        """Forward signals; return the exit code of the command, or None if `run` ends."""
        poll = select.poll()
        poll.register(self.lifeline, select.POLLIN)
        poll.register(child_ended, select.POLLIN)
        while True:
            ready = {stream for stream, _ in poll.poll()}
            if child_ended in ready:
                os.read(child_ended, 4096)
                if (code := _reap().get(command)) is not None:
                    return code
            if self.lifeline in ready:
                numbers = os.read(self.lifeline, 4096)
                if not numbers:
                    return None
                for number in numbers:
                    if not recorder.has_received(number):
                        _signal(command, number)


class _SignalRecorder:
    """A process that records the signals to its group; it ends with its creator."""

    def __init__(self, group: int) -> None:
        queries, self._queries = os.pipe()
        self._replies, replies = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._queries)
            _record_signals(queries, replies)
        os.setpgid(self._pid, group)
        os.close(queries)
        os.close(replies)

    def has_received(self, number: int) -> bool:
        """Return whether the group received this signal since the last call.

        A recorder that has ended has received no signal. Of two equal signals at one moment only one may be
        recorded: better the command gets a signal twice than not at all.
        """
        poll = select.poll()
        poll.register(self._replies, select.POLLIN)
        with suppress(BrokenPipeError):
            os.write(self._queries, bytes([number]))
            return bool(poll.poll(_RECORDER_TIMEOUT)) and os.read(self._replies, 1) == _YES
        return False

    def close(self) -> None:
        """End the process."""
        with suppress(ChildProcessError):  # already reaped, so another process may have its id
            if not os.waitpid(self._pid, os.WNOHANG)[0]:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)


def _record_signals(queries: int, replies: int) -> NoReturn:
    """Run the signal recorder; its signals are blocked, so they pend until a query."""
    try:
        for number in _FORWARDED:  # an ignored signal might not become pending
            signal.signal(number, lambda *_: None)
        _redirect_to_null(0, 1, 2)
        while query := os.read(queries, 1):
            is_pending = query[0] in signal.sigpending()
            if is_pending:
                signal.sigwait({query[0]})
            os.write(replies, _YES if is_pending else _NO)
    finally:
        os._exit(0)


def _reap() -> dict[int, int]:
    """Return the exit codes of the children that have ended, by process id."""
    codes = {}
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            code = os.waitstatus_to_exitcode(ended[1])
            codes[ended[0]] = code if code >= 0 else 128 - code
    return codes


def _end_descendants(*, grace: float) -> None:
    """End all descendants by SIGTERM, and those left after the grace by SIGKILL."""
    began, terminated = time.monotonic(), set[int]()
    # Orphans become our children, so a process without children has no descendants.
    while _has_children() and (elapsed := time.monotonic() - began) < grace + _KILL_TIMEOUT:
        found = _descendants()
        for pid in found - terminated if elapsed < grace else found:
            _signal(pid, signal.SIGTERM if elapsed < grace else signal.SIGKILL)
        terminated |= found
        time.sleep(_POLL_INTERVAL)


def _has_children() -> bool:
    """Reap the children that have ended, and return whether any are left."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    return False


def _descendants() -> set[int]:
    parents, found = _parents(), {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def _parents() -> dict[int, int]:
    """Return the parent of each process of this machine."""
    if not os.path.exists("/proc/self/stat"):
        with os.popen("ps -A -o pid= -o ppid=") as lines:  # noqa: S605, S607  # POSIX has no other way
            return {int(pid): int(parent) for pid, parent in map(str.split, lines)}
    parents = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as stream:
            # `PID (NAME) STATE PARENT …`; the name may contain spaces and parentheses
            parents[int(name)] = int(stream.read().rpartition(b")")[2].split()[1])
    return parents


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _end_by_interrupt() -> None:
    """Let SIGINT end this process, unless it was started with SIGINT ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _restore_signals(mask: set[signal.Signals | int]) -> None:
    """Restore the signal handling of the time before Python started."""
    _end_by_interrupt()
    for number in _IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _child_end_stream() -> int:
    """Return a stream that becomes readable whenever a child has ended."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    return readable


def _redirect_to_null(*streams: int) -> None:
    """Replace these streams of this process by the null device, so that only the command holds them."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in streams:
        os.dup2(null, stream)
    os.close(null)


def _set_process_name() -> None:
    """Name this process for `ps`, and exclude it from `killall mock-webshare`."""
    with suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as stream:
        stream.write("webshare-guard")


def end_with_parent() -> None:
    """Let the kernel kill this process when its parent ends, on Linux."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _adopt_orphans() -> None:
    """Become the parent of descendants whose parent ends, on Linux."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3)
