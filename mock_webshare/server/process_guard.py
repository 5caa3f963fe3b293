"""A guard: a process of ours that runs one command and lets nothing of it outlive us.

::

    run ── lifeline ── guard ── death signal ── the command ── whatever it starts

`run` ends, even by SIGKILL: the lifeline, a pipe that only `run` writes to, ends; the guard kills everything.
The guard ends: the kernel kills the command; what it had started falls to `run`, which kills that.
The command ends: what it leaves behind falls to the guard, which ends that.

The guard stands in a process group of its own, so that neither Ctrl-C nor a signal to the whole group of
`run` can end it. The command stands in the group of `run`, as if it had been started in its place: Ctrl-C,
Ctrl-Z, reading from the terminal and pipelines are as ever.

A signal to `run` alone is passed on, one to the whole group, as Ctrl-C sends it, is not, for the command has
it already. Which of the two it was is known from a *witness*: a third process, in that group, that does
nothing but note the signals it gets.

The death signal and the adoption of orphans are Linux's. On other POSIX systems what the command leaves
behind when it ends by itself stays, and a guard that is killed takes nothing with it.
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

from mock_webshare.errors import CommandError, CommandKilled, CommandNotFound, ServerError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from collections.abc import Mapping, Sequence
    from typing import NoReturn, Self

_GRACE = 2.0  # seconds between SIGTERM and SIGKILL for what the command leaves behind
_PATIENCE = 5.0  # seconds until we give up on what SIGKILL does not end: it is another user's, or stuck
_STEP = 0.02  # seconds between two looks at what is left
_ANSWER = 200  # milliseconds that a witness has to answer: if it is stopped, it never does

_PASSED_ON = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH")
_INTERRUPTING = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM")
_IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFSZ")

_YES, _NO = b"\1", b"\0"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class Guard:
    """A guard that waits for the word to run its command; made before any thread, for it is a fork.

    For a process of its own: its signals are passed on to the command, and its standard input and output
    are the command's alone. Until the command runs, a signal ends the process, and the guard with it.
    Raise `UsageError` where there is no fork.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        if not hasattr(os, "fork"):
            raise UsageError(
                "run needs a POSIX system, like Linux or macOS; elsewhere, start mock-webshare serve beside "
                "the command"
            )
        self._program = command[0]
        if not self._program:  # which to execvp() is a folder of the PATH
            raise CommandNotFound.from_reason(self._program, os.strerror(errno.ENOENT))
        self.is_interrupted = False  # whether a signal came that is to end the command
        self._failure: BaseException | None = None
        self._status: int | None = None  # as waitpid returns it; None: the guard has not been reaped
        try:
            self._fork(command, environ)
        except OSError as error:
            raise ServerError(f"cannot start a process: {error.strerror}") from error

    def _fork(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        lifeline, self._lifeline = os.pipe()
        self._report, report = os.pipe()
        _adopt_orphans()
        signal.signal(signal.SIGCHLD, lambda *_: None)  # where it is ignored, no child can be waited for
        # Blocked, so that the new process never acts on a signal as this one would.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._lifeline)
            os.close(self._report)
            _stand_guard(_Post(command, environ, lifeline, report, mask))
        os.close(lifeline)
        os.close(report)
        _end_by_interrupt()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def run(self, variables: Mapping[str, str]) -> int:
        """Run the command with these variables in its environment and return its exit code.

        The code is 128 + N if it ended by signal N. Raise `CommandError` if it cannot be executed or has
        been lost, and `ServerError` if `abandon` was called.
        """
        awaited = {*_signals(_PASSED_ON), signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
        _let_go_of(0, 1)
        self._tell(json.dumps(dict(variables)).encode() + b"\n")
        while not self._has_ended():
            if self._failure:
                raise ServerError(
                    f"the stand-in has failed ({type(self._failure).__name__}), so the command was ended"
                )
            if (number := signal.sigwait(awaited)) != signal.SIGCHLD:
                self.is_interrupted |= number in _signals(_INTERRUPTING)
                self._tell(bytes([number]))
        return self._exit_code()

    def abandon(self, error: BaseException) -> None:
        """Let `run`, in another thread, end the command and raise, because of this error."""
        self._failure = error
        os.kill(os.getpid(), signal.SIGCHLD)

    def _tell(self, what: bytes) -> None:
        with suppress(BrokenPipeError):  # a guard that has just ended is noticed by its end
            os.write(self._lifeline, what)

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
        if reason := os.read(self._report, 20):
            kind = CommandNotFound if int(reason) == errno.ENOENT else CommandError
            raise kind.from_reason(self._program, os.strerror(int(reason)))
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lifeline)
        self._has_ended(0)
        os.close(self._report)


class _Post:
    """What a guard is given: the command, where to look and where to report, and the signal mask of old."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        lifeline: int,
        report: int,
        mask: set[signal.Signals | int],
    ) -> None:
        self.command = command
        self.environ = environ
        self.lifeline = lifeline
        self.report = report
        self.mask = mask
        self.group = os.getpgrp()


class _Witness:
    """A process in a group that tells which signals that whole group gets; it ends when its maker does."""

    def __init__(self, group: int) -> None:
        asked, self._ask = os.pipe()
        self._answer, answer = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._ask)
            _testify(asked, answer)
        os.setpgid(self._pid, group)
        os.close(asked)
        os.close(answer)

    def saw(self, number: int) -> bool:
        """Tell whether the group has got this signal since it was last asked for; a dead witness saw none.

        Of two that come within the same moment it may have seen one: better twice than not at all.
        """
        poll = select.poll()
        poll.register(self._answer, select.POLLIN)
        with suppress(BrokenPipeError):
            os.write(self._ask, bytes([number]))
            return bool(poll.poll(_ANSWER)) and os.read(self._answer, 1) == _YES
        return False

    def dismiss(self) -> None:
        with suppress(ChildProcessError):  # it has been reaped, so that another process may have its number
            if not os.waitpid(self._pid, os.WNOHANG)[0]:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)


def _testify(asked: int, answer: int) -> NoReturn:
    """Be the witness: all signals are blocked here, so those that come are kept until they are asked for."""
    try:
        for number in _signals(_PASSED_ON):  # what is ignored might not be kept
            signal.signal(number, lambda *_: None)
        _let_go_of(0, 1, 2)
        while number_asked := os.read(asked, 1):
            is_seen = number_asked[0] in signal.sigpending()
            if is_seen:
                signal.sigwait({number_asked[0]})
            os.write(answer, _YES if is_seen else _NO)
    finally:
        os._exit(0)


def _stand_guard(post: _Post) -> NoReturn:
    """Be the guard, and end with the exit code of the command."""
    try:
        os.setpgid(0, 0)
        _take_a_name()
        _adopt_orphans()
        code = _guard(post)
        os._exit(code)
    finally:  # a guard that fails is one that is killed: `run` sees to the rest
        os.kill(os.getpid(), signal.SIGKILL)


def _guard(post: _Post) -> int:
    witness = _Witness(post.group)
    woken = _wakes_by_the_end_of_a_child()
    variables = _line(post.lifeline)
    if not variables.endswith(b"\n"):
        return 0  # it has ended before there was anything to run; so will the witness
    command = _spawn(post, json.loads(variables))
    _let_go_of(0, 1, 2)
    code = _watch(command, post.lifeline, woken, witness)
    witness.dismiss()
    _end_descendants(grace=0 if code is None else _GRACE)
    return code or 0


def _line(stream: int) -> bytes:
    """Read up to the end of a line and no further."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(stream, 1)):
        line += byte
    return line


def _spawn(post: _Post, variables: Mapping[str, str]) -> int:
    guard = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == guard:  # else it had ended before it could signal its death
            os.setpgid(0, post.group)
            _restore_signals(post.mask)
            environ = {**post.environ, **variables}
            os.execvpe(post.command[0], list(post.command), environ)  # noqa: S606  # no shell is the point
    except OSError as error:
        os.write(post.report, str(error.errno).encode())
    finally:
        os._exit(CommandError.exit_code)


def _watch(command: int, lifeline: int, woken: int, witness: _Witness) -> int | None:
    """Pass signals on until the command ends; return its exit code, or None if the lifeline ended first."""
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while True:
        ready = {stream for stream, _ in poll.poll()}
        if woken in ready:
            os.read(woken, 4096)
            if (code := _reap().get(command)) is not None:
                return code
        if lifeline in ready:
            numbers = os.read(lifeline, 4096)
            if not numbers:
                return None
            for number in numbers:
                if not witness.saw(number):
                    _signal(command, number)


def _reap() -> dict[int, int]:
    """Return the exit codes of the children that have ended."""
    codes = {}
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            code = os.waitstatus_to_exitcode(ended[1])
            codes[ended[0]] = code if code >= 0 else 128 - code
    return codes


def _end_descendants(*, grace: float) -> None:
    """End all that descends from this process: by SIGTERM, and what is left after the grace by SIGKILL."""
    began, asked = time.monotonic(), set[int]()
    # Orphans become our children, so that who has no child has no descendant.
    while _has_children() and (elapsed := time.monotonic() - began) < grace + _PATIENCE:
        found = _descendants()
        for pid in found - asked if elapsed < grace else found:
            _signal(pid, signal.SIGTERM if elapsed < grace else signal.SIGKILL)
        asked |= found
        time.sleep(_STEP)


def _has_children() -> bool:
    """Tell whether any child is left, once those that have ended are reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _descendants() -> set[int]:
    parents, found = _parents(), {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def _parents() -> dict[int, int]:
    """Return the parent of each process of this machine."""
    if sys.platform != "linux":
        with os.popen("ps -A -o pid= -o ppid=") as lines:  # noqa: S605, S607  # POSIX has no other way
            return {int(pid): int(parent) for pid, parent in map(str.split, lines)}
    parents = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError), open(f"/proc/{name}/stat", "rb") as stream:
            # `PID (NAME) STATE PARENT …`, where the name may hold blanks and brackets
            parents[int(name)] = int(stream.read().rpartition(b")")[2].split()[1])
    return parents


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _signals(names: Sequence[str]) -> set[signal.Signals]:
    return {signal.Signals[name] for name in names}


def _end_by_interrupt() -> None:
    """Let SIGINT end this process as it does any other, unless it was started with SIGINT ignored."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _restore_signals(mask: set[signal.Signals | int]) -> None:
    """Give the command the signals as we were given them; what Python ignores is not ignored."""
    _end_by_interrupt()
    for number in _signals(_IGNORED_BY_PYTHON):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _wakes_by_the_end_of_a_child() -> int:
    """Return a stream that can be read from whenever a child has ended."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    return woken


def _let_go_of(*streams: int) -> None:
    """Leave these streams to the command, so that it alone decides when the other end sees them close."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in streams:
        os.dup2(nothing, stream)
    os.close(nothing)


def _take_a_name() -> None:
    """Show what this process is; and let `killall mock-webshare` not mean it."""
    with suppress(OSError), open("/proc/self/comm", "w", encoding="ascii") as stream:
        stream.write("webshare-guard")


def _adopt_orphans() -> None:
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3)
