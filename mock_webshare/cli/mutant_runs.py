"""The runs of `mutate`: each executes the command `run` in a new process, with a mutant and a time limit.

Everything that `run` needs is imported once. Each run is a fork of this process, which has one thread. A run
is over when all its processes, the guard included, have closed the pipe that they inherit.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, NamedTuple, NoReturn, Self

from mock_webshare.cli import run_command
from mock_webshare.cli.files import Streams
from mock_webshare.cli.serve import without_certificates
from mock_webshare.errors import MockWebshareError, ServerError, UnwritableOutput, UsageError
from mock_webshare.insight.coverage import Counts
from mock_webshare.insight.mutants import Mutant, Result, verdict_of
from mock_webshare.server.environment import MUTANT_FLAG_VARIABLE, Flag, variables_of
from mock_webshare.server.process_guard import end_with_parent

_TIMES, _EXTRA_SECONDS = 3, 10.0
"""A run may take so many times as long as the first run, or so many seconds longer if that is more."""


class Ended(NamedTuple):
    """A run that is over; `code` is None if it was ended at its time limit."""

    code: int | None
    seconds: float
    output: str
    has_struck: bool
    """Whether the mutant has changed a response."""


class _Run:
    """A process that executes the command `run`, with a mutant or without one; it starts at once."""

    def __init__(
        self,
        options: argparse.Namespace,
        environ: Mapping[str, str],
        output: IO[bytes],
        mutant: Mutant | None = None,
        limit: float | None = None,
    ) -> None:
        self.mutant = mutant
        self._flag = Flag(MUTANT_FLAG_VARIABLE)
        self._output = output
        self._began = time.monotonic()
        self._deadline = None if limit is None else self._began + limit
        self._is_killed = False
        self.done, inherited = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            self._pid = os.fork()
        except OSError as error:
            raise ServerError(f"cannot start a process: {error.strerror}") from error
        if self._pid == 0:
            os.close(self.done)
            _execute(options, {**environ, **self._flag.variables}, output.fileno())
        os.close(inherited)

    @property
    def seconds_left(self) -> float | None:
        """The seconds until the time limit; None if the run has no limit, or has been killed."""
        if self._deadline is None or self._is_killed:
            return None
        return max(0.0, self._deadline - time.monotonic())

    def kill(self) -> None:
        """End the run; its guard ends the command, and then the pipe is closed."""
        if not self._is_killed:
            self._is_killed = True
            os.kill(self._pid, signal.SIGKILL)

    def end(self) -> Ended:
        """Wait until all processes of the run have ended, and return how it ended."""
        os.read(self.done, 1)
        os.close(self.done)
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        seconds = time.monotonic() - self._began
        with self._output, self._flag:
            self._output.seek(0)
            output = self._output.read().decode(errors="replace")
            return Ended(None if self._is_killed else code, seconds, output, self._flag.is_set)


def _execute(options: argparse.Namespace, environ: Mapping[str, str], output: int) -> NoReturn:
    """Execute the command `run` in this new process, then end the process."""
    code = MockWebshareError.exit_code
    try:
        os.setpgid(0, 0)  # Ctrl-C is for `mutate` alone, which then ends its runs
        end_with_parent()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.update(environ)
        code = run_command.run_once(options, Streams(sys.stdin.buffer, sys.stdout, sys.stderr), environ)
    except MockWebshareError as error:
        os.write(2, f"mock-webshare: {error}\n".encode(errors="backslashreplace"))
        code = error.exit_code
    finally:
        os._exit(code)


class Runner:
    """Runs the command that the options name, as often as needed, several at a time if wanted.

    `logs`, unless None, is a folder that gets the output of each run. At the end of the context, runs that
    have not ended are killed.
    """

    def __init__(self, options: argparse.Namespace, environ: Mapping[str, str], logs: str | None) -> None:
        if not hasattr(os, "fork"):
            raise UsageError("mutate needs a POSIX system, like Linux or macOS")
        self._options, self._environ, self._logs = options, environ, logs
        self._running: dict[int, _Run] = {}
        with without_certificates():
            import mock_webshare.server.thread  # noqa: F401  # so that each fork has it
        if logs is not None:
            try:
                os.makedirs(logs, exist_ok=True)
            except OSError as error:
                raise UnwritableOutput.from_os_error(logs, error) from error

    def run(self, variables: Mapping[str, str]) -> Ended:
        """Run the command unchanged, without a time limit."""
        run = _Run(self._options, {**self._environ, **variables}, self._output(None))
        self._running[run.done] = run
        (run,) = self._ready()
        return run.end()

    def results(
        self, mutants: Sequence[Mutant], jobs: int, seconds: float, counts: Counts
    ) -> Iterator[Result]:
        """Run the command with each mutant, and yield the result of each run when it ends.

        `seconds` is how long the run without a mutant took, `counts` is what it exercised. A run that reaches
        its time limit is repeated once, after the others. The machine may become busier: a run that passes
        but takes longer than `seconds` raises the limits of later runs.
        """
        waiting, repeated = deque(mutants), set[str]()
        while waiting or self._running:
            while waiting and len(self._running) < jobs:
                mutant = waiting.popleft()
                limit = max(_TIMES * seconds, seconds + _EXTRA_SECONDS) + mutant.wait(counts)
                environ = {**self._environ, **variables_of(mutant)}
                run = _Run(self._options, environ, self._output(mutant), mutant, limit)
                self._running[run.done] = run
            for run in self._ready():
                ended = run.end()
                assert run.mutant
                if ended.code is None and run.mutant.id not in repeated:
                    repeated.add(run.mutant.id)
                    waiting.append(run.mutant)
                    continue
                if ended.code == 0 and run.mutant.is_breaking:  # a tolerable mutant may let a client wait
                    seconds = max(seconds, ended.seconds)
                verdict = verdict_of(run.mutant, ended.code, ended.has_struck)
                yield Result(run.mutant, verdict, ended.code, ended.seconds)

    def _output(self, mutant: Mutant | None) -> IO[bytes]:
        """Return the file for the output of a run, which can be read back and shown if `mutant` is None."""
        if self._logs is None:
            return TemporaryFile() if mutant is None else open(os.devnull, "w+b")
        name = "first" if mutant is None else mutant.id
        words = "".join(" " if each in "/{}" else each for each in name).split()
        path = os.path.join(self._logs, f"{'-'.join(words)}.log")
        try:
            return open(path, "w+b")
        except OSError as error:
            raise UnwritableOutput.from_os_error(path, error) from error

    def _ready(self) -> Sequence[_Run]:
        """Wait until a run ends or reaches its time limit; return the ended runs, kill those at the limit."""
        poll = select.poll()
        for done in self._running:
            poll.register(done, select.POLLIN)
        left = [each.seconds_left for each in self._running.values()]
        nearest = min((each for each in left if each is not None), default=None)
        ready = [self._running.pop(done) for done, _ in poll.poll(nearest and 1000 * nearest + 1)]
        for each in self._running.values():
            if each.seconds_left == 0:
                each.kill()
        return ready

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._running.values():
            each.kill()
        for each in self._running.values():
            with suppress(KeyboardInterrupt):
                each.end()
        self._running.clear()
