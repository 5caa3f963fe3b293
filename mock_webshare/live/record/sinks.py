"""Tape: where a recording is written, exchange by exchange; whole at every moment, even if we are killed.

A tape asks for nothing but that what was written stays, which outlives the process (kill -9). Against a
power failure only `fsync` would help, at the price of milliseconds an exchange, so there is none.
Files are for the user alone (0600), also one that was there already and is appended to.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mock_webshare.errors import UnwritableOutput, UsageError
from mock_webshare.exchange.model import write_line
from mock_webshare.exchange.writers import write_har

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from mock_webshare.exchange.model import Exchange

_MODE = 0o600


class Tape(Protocol):
    """Takes exchanges; both methods raise `OSError` if the disk does not take what they write."""

    def add(self, exchange: Exchange) -> None:
        """Write an exchange; when this returns it is in the recording, and the recording is whole."""

    def close(self) -> None:
        """Leave nothing but the recording."""


def open_tape(path: str, *, is_appended: bool = False) -> Tape:
    """Given a path, return a tape of the form that its name tells: `.ndjson`, `.har`, or a folder.

    Raise `UsageError` for another name, and for a recording that is there already unless it is to be
    appended to; raise `UnwritableOutput` if it cannot be written.
    """
    make = _form(path)
    if not is_appended:
        _require_free(path, "--append adds to it, another name leaves it as it is")
    with _writing(path):
        return make(path)


def late_tape(path: str) -> Tape:
    """Given a path, return a tape that is not there before its first exchange, with which it is opened.

    Raise `UsageError` as `open_tape` does. Its methods raise `UnwritableOutput`.
    """
    make = _form(path)
    _require_free(path, "another name leaves it as it is")
    return LateTape(path, make)


def _require_free(path: str, way_out: str) -> None:
    if os.listdir(path) if os.path.isdir(path) else os.path.lexists(path):
        raise UsageError(f"{path!r} is there already; {way_out}")


@contextmanager
def _writing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnwritableOutput.from_os_error(path, error) from error


def _form(path: str) -> Callable[[str], Tape]:
    if os.path.isdir(path):
        return FolderTape
    suffix = os.path.splitext(path)[1].lower()
    forms = {".ndjson": _LINES, ".jsonl": _LINES, ".har": _HAR}
    if suffix in forms:
        return lambda path: FileTape(path, forms[suffix])
    if suffix:
        raise UsageError(f"{path!r} is no name of a recording; allowed: FILE.ndjson, FILE.har, or a folder")
    return FolderTape


class LateTape:
    """A tape that is opened by its first exchange: where nothing came, nothing is left."""

    def __init__(self, path: str, make: Callable[[str], Tape]) -> None:
        self._path, self._make = path, make
        self._tape: Tape | None = None

    def add(self, exchange: Exchange) -> None:
        """Write an exchange."""
        with _writing(self._path):
            self._tape = self._tape or self._make(self._path)
            self._tape.add(exchange)

    def close(self) -> None:
        """Close the tape, if it was opened."""
        if self._tape:
            with _writing(self._path):
                self._tape.close()


class FolderTape:
    """A folder with a file for each exchange: `000001.json`, `000002.json`, …"""

    def __init__(self, path: str) -> None:
        os.makedirs(path, mode=0o700, exist_ok=True)
        self._path = path
        numbers = (name.removesuffix(".json") for name in os.listdir(path))
        self._last = max((int(each) for each in numbers if each.isdecimal() and each.isascii()), default=0)

    def add(self, exchange: Exchange) -> None:
        """Write an exchange, under its name only once it is whole."""
        self._last += 1
        name = f"{self._last:06}.json"
        unfinished = os.path.join(self._path, f".{name}.part")
        _write_file(unfinished, write_line(exchange).encode())
        os.rename(unfinished, os.path.join(self._path, name))

    def close(self) -> None:
        """Do nothing: every file is whole."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How exchanges stand in one file: after a head, before a tail."""

    head: bytes
    tail: bytes
    entry: Callable[[Exchange], bytes]
    joint: Callable[[bytes], bytes]
    """Given the octet after which an entry is to stand, none in an empty file, returns what goes between."""


class FileTape:
    """A file that is a whole recording at every moment.

    A long write may be cut off by a signal, so nothing is ever written into the file itself: it has a
    twin beside it that lacks the last entry. The twin gets what it lacks and the new entry, and takes
    the name of the file; what had the name is the twin from then on. So an entry is written twice,
    however long the file is.
    """

    def __init__(self, path: str, form: _Form) -> None:
        self._form = form
        self._path = os.path.realpath(path)  # a link stays a link
        self._twin, self._spare = (_beside(self._path, purpose) for purpose in ("twin", "spare"))
        if os.path.exists(self._path) and not os.path.isfile(self._path):
            raise UsageError(f"{path!r} is no file, so it cannot be a recording of that name")
        if not os.path.exists(self._path) or not os.path.getsize(self._path):
            _write_file(self._path, form.head + form.tail)
        if not _has_form(self._path, form):
            raise UsageError(f"{path!r} was not recorded by us, so nothing can be appended to it")
        _make_private(self._path)
        _copy(self._path, self._twin)
        self._identity = os.stat(self._twin).st_ino
        self._end = os.path.getsize(self._twin) - len(form.tail)
        """Where the entries end in the file."""
        self._last = _octet_before(self._twin, self._end)
        self._lacking = b""
        """What the twin lacks of the file."""

    def add(self, exchange: Exchange) -> None:
        """Write an exchange."""
        entry = self._form.joint(self._last) + self._form.entry(exchange)
        with open(self._twin, "r+b") as twin:
            if not self._is_ours(twin):
                raise OSError(errno.EBUSY, "another recorder writes it")
            twin.seek(self._end - len(self._lacking))
            twin.write(self._lacking + entry + self._form.tail)
            twin.truncate()  # what an earlier write that failed has left
        _name_again(self._path, self._spare)
        os.rename(self._twin, self._path)
        os.rename(self._spare, self._twin)
        self._identity = os.stat(self._twin).st_ino
        self._end, self._lacking, self._last = self._end + len(entry), entry, entry[-1:]

    def close(self) -> None:
        """Remove the twin."""
        with suppress(FileNotFoundError), open(self._twin, "rb") as twin:
            if self._is_ours(twin):
                os.unlink(self._twin)
        with suppress(FileNotFoundError):
            os.unlink(self._spare)

    def _is_ours(self, twin: BinaryIO) -> bool:
        """Whether the twin is the one that we made, and not that of another tape on the same file."""
        return os.fstat(twin.fileno()).st_ino == self._identity


def _har(exchanges: list[Exchange]) -> bytes:
    stream = io.StringIO()
    write_har(exchanges, stream)
    return stream.getvalue().encode()


_HAR_TAIL = b"\n]}}\n"
_HAR_HEAD = _har([]).removesuffix(_HAR_TAIL)
_HAR = _Form(
    _HAR_HEAD,
    _HAR_TAIL,
    entry=lambda exchange: _har([exchange]).removeprefix(_HAR_HEAD).removesuffix(_HAR_TAIL),
    joint=lambda last: b"," if last == b"}" else b"",
)
_LINES = _Form(
    b"",
    b"",
    entry=lambda exchange: write_line(exchange).encode(),
    joint=lambda last: b"" if last in (b"", b"\n") else b"\n",  # a last line that was cut off stays alone
)


def _has_form(path: str, form: _Form) -> bool:
    with open(path, "rb") as file:
        is_begun = file.read(len(form.head)) == form.head
        file.seek(max(os.path.getsize(path) - len(form.tail), 0))
        return is_begun and file.read() == form.tail


def _octet_before(path: str, end: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(max(end - 1, 0))
        return file.read(min(end, 1))


def _beside(path: str, purpose: str) -> str:
    """Return a hidden name in the same folder, which readers of recordings pass over."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.{purpose}")


def _name_again(path: str, name: str) -> None:
    """Give a file a second name, or where there is no such thing the second name to a copy."""
    with suppress(FileNotFoundError):
        os.unlink(name)
    try:
        os.link(path, name)
    except OSError:
        _copy(path, name)


def _copy(path: str, copy: str) -> None:
    """Copy a file to another name, under which nobody else can read it at any moment."""
    with suppress(FileNotFoundError):
        os.unlink(copy)
    with open(path, "rb") as source, open(copy, "xb", opener=_open) as target:
        shutil.copyfileobj(source, target)


def _open(path: str, flags: int) -> int:
    _make_private(path)
    return os.open(path, flags, _MODE)


def _make_private(path: str) -> None:
    """Give a file that is there already the mode of a new one."""
    if os.path.isfile(path):
        os.chmod(path, _MODE)


def _write_file(path: str, content: bytes) -> None:
    file = _open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        _write(file, content)
    finally:
        os.close(file)


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
