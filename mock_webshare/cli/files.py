"""The standard streams, and files to write."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from mock_webshare.errors import UnwritableOutput, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from typing import BinaryIO, TextIO


class Streams:
    """The three standard streams: bytes in, text out."""

    def __init__(self, stdin: BinaryIO, stdout: TextIO, stderr: TextIO) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.color = "auto"

    def is_coloured(self, stream: TextIO, environ: Mapping[str, str]) -> bool:
        """Return whether a report on a stream has colors; on any stream but standard output it has none.

        `--color` decides first, then NO_COLOR, then FORCE_COLOR, then whether the stream is a terminal.
        """
        if stream is not self.stdout or self.color == "never":
            return False
        if self.color == "always":
            return True
        if environ.get("NO_COLOR"):
            return False
        return environ.get("FORCE_COLOR", "0") not in ("", "0") or stream.isatty()

    def announce(self, url: str) -> None:
        """Write the URL of a server that is ready to standard output."""
        self.stdout.write(f"{url}\n")
        self.stdout.flush()

    def warn(self, text: str) -> None:
        """Write a warning as one line to standard error."""
        self.note(f"warning: {text}")

    def note(self, text: str) -> None:
        """Write one line to standard error."""
        self.stderr.write(f"mock-webshare: {text}\n")
        self.stderr.flush()


def require_other_file(path: str | None, inputs: Iterable[str]) -> None:
    """Raise `UsageError` if `path` is a file of `inputs`: a recording cannot be made again."""
    if path is None or not os.path.isfile(path):
        return
    if any(os.path.isfile(each) and os.path.samefile(path, each) for each in inputs):
        raise UsageError(f"{path!r} is also an input; write to another file")


def require_new_file(path: str | None) -> None:
    """Raise `UsageError` if `path` is a file that exists; a device or pipe is allowed."""
    if path is not None and os.path.isfile(path):
        raise UsageError(f"{path!r} exists already; write to another file, or overwrite it with --force")


def write_output(path: str | None, streams: Streams, write: Callable[[TextIO], object]) -> None:
    """Write to standard output if `path` is None or `-`, else to a file."""
    if path is None or path == "-":
        write(streams.stdout)
    else:
        write_file(path, write)


def write_file(path: str, write: Callable[[TextIO], object]) -> None:
    """Write a text file, whole or not at all; a device or pipe directly."""
    target = os.path.realpath(path)
    is_special = os.path.exists(target) and not os.path.isfile(target)
    unfinished = target if is_special else f"{target}.{os.getpid()}.part"
    try:
        with open(unfinished, "w" if is_special else "x", encoding="utf-8", newline="\n") as stream:
            write(stream)
        if not is_special:
            os.replace(unfinished, target)
    except OSError as error:
        if not is_special and os.path.exists(unfinished):
            os.unlink(unfinished)
        raise UnwritableOutput.from_os_error(path, error) from error


@contextmanager
def ready_file(path: str | None) -> Iterator[Callable[[str], object]]:
    """Yield a function that writes the URL of a server to a file, which is removed at the end.

    A file of an earlier server is removed first. At the end, a file that another server has written by then
    is kept. If `path` is None, nothing is written.
    """
    if path is None:
        yield lambda url: None
        return
    written = list[str]()

    def announce(url: str) -> None:
        written.append(f"{url}\n")
        write_file(path, lambda stream: stream.write(written[0]))

    _remove(path)
    try:
        yield announce
    finally:
        if written and _content(path) == written[0]:
            _remove(path)


def _content(path: str) -> str | None:
    """Return the text of a file; None if it cannot be read, or is not a file."""
    if not os.path.isfile(path):  # opening a pipe would wait for a writer
        return None
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except (OSError, ValueError):
        return None


def _remove(path: str) -> None:
    try:
        if os.path.isfile(path):
            os.unlink(path)
    except OSError as error:
        raise UnwritableOutput.from_os_error(path, error) from error


@contextmanager
def log_file(path: str | None) -> Iterator[TextIO | None]:
    """Yield a text file, opened for writing and closed at the end; None if `path` is None."""
    if path is None:
        yield None
        return
    try:
        stream = open(path, "w", encoding="utf-8")  # noqa: SIM115  # closed below
    except OSError as error:
        raise UnwritableOutput.from_os_error(path, error) from error
    try:
        yield stream
    finally:
        with suppress(OSError):  # a full disk does not change the exit code
            stream.close()


def progress_bar(stderr: TextIO, unit: str) -> Callable[[int, int], None] | None:
    """Return a function `show(done, total)` that draws progress; None if `stderr` is not a terminal."""
    if not stderr.isatty():
        return None
    done_sign, left_sign = "█░" if _can_write("█░", stderr) else "#."

    def show(done: int, total: int) -> None:
        bar = (done_sign * (20 * done // total)).ljust(20, left_sign)
        line = f"{bar} {done:,} of {total:,} {unit}"[:_COLUMNS]
        stderr.write(f"\r{line}" if done < total else "\r\x1b[K")
        stderr.flush()

    return show


_COLUMNS = 79  # a full line of 80 would move the cursor to the next one


def _can_write(text: str, stream: TextIO) -> bool:
    try:
        return text.encode(stream.encoding or "utf-8") is not None
    except UnicodeEncodeError:
        return False
