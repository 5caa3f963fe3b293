"""Sink: a recording that exchanges are added to, and that is never incomplete, even after a kill.

Nothing is synced to the disk: what was written outlives the process, but perhaps not a power failure.
Only `fsync` would help against a power failure, at the price of milliseconds per exchange.
Only the user can read the files (0600); an existing file that is appended to gets this mode too.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from mock_webshare.errors import UnwritableOutput, UsageError
from mock_webshare.exchange.model import Exchange, write_line
from mock_webshare.exchange.writers import HAR_HEAD, HAR_TAIL, har_entry

_PRIVATE = 0o600


def open_sink(path: str, *, is_appended: bool = False) -> Sink:
    """Create or open the recording that a path names: `.ndjson`, `.har`, or a folder.

    Raise `UsageError` for another name, and for an existing recording unless `is_appended`.
    """
    hint = "add to it with --append, or choose another name"
    sink = Sink(path) if is_appended else deferred_sink(path, hint)
    sink.open()
    return sink


def deferred_sink(path: str, hint: str = "choose another name") -> Sink:
    """Return a sink that creates its recording at the first exchange; raise the errors of `open_sink`."""
    sink = Sink(path)
    if os.listdir(path) if os.path.isdir(path) else os.path.lexists(path):
        raise UsageError(f"{path!r} already exists; {hint}")
    return sink


class Sink:
    """A recording to write. Its methods raise `UnwritableOutput`."""

    def __init__(self, path: str) -> None:
        self._path, self._open = path, _writer_of(path)
        self._writer: _Writer | None = None

    def open(self) -> _Writer:
        """Create or open the recording, unless it is open already."""
        with self._writing():
            self._writer = self._writer or self._open(Path(self._path))
        return self._writer

    def add(self, exchange: Exchange) -> None:
        """Write an exchange; when `add` returns, the exchange is in the recording."""
        with self._writing():
            self.open().add(exchange)

    def close(self) -> None:
        """Remove the auxiliary files beside the recording."""
        if self._writer:
            with self._writing():
                self._writer.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UnwritableOutput.from_os_error(self._path, error) from error


class _Writer(Protocol):
    def add(self, exchange: Exchange) -> None: ...
    def close(self) -> None: ...


def _writer_of(path: str) -> Callable[[Path], _Writer]:
    suffix = os.path.splitext(path)[1].lower()
    if os.path.isdir(path) or not suffix:
        return _FolderWriter
    if suffix not in _FORMATS:
        raise UsageError(
            f"{path!r} is not a name for a recording; allowed: FILE.ndjson, FILE.har, or a folder"
        )
    return lambda path: _FileWriter(path, _FORMATS[suffix])


class _FolderWriter:
    """A folder with a file for each exchange: `000001.json`, `000002.json`, …"""

    def __init__(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        stems = (each.stem for each in path.glob("*.json"))
        self._last = max((int(each) for each in stems if each.isdecimal() and each.isascii()), default=0)

    def add(self, exchange: Exchange) -> None:
        """Write an exchange to a new file, which gets its final name once it is complete."""
        self._last += 1
        name = f"{self._last:06}.json"
        unfinished = self._path / f".{name}.part"
        _write(unfinished, write_line(exchange).encode())
        unfinished.rename(self._path / name)

    def close(self) -> None:
        """Do nothing: every file is complete."""


class _Format(NamedTuple):
    """A file format that has entries between a head and a tail."""

    head: bytes
    tail: bytes
    entry: Callable[[Exchange], bytes]
    separator: Callable[[bytes], bytes]
    """Takes the byte before a new entry (`b""` in an empty file); returns what to write between the two."""


_HAR = _Format(
    head=HAR_HEAD.encode(),
    tail=HAR_TAIL.encode(),
    entry=lambda exchange: b"\n" + har_entry(exchange).encode(),
    separator=lambda last: b"," if last == b"}" else b"",
)
_LINES = _Format(
    head=b"",
    tail=b"",
    entry=lambda exchange: write_line(exchange).encode(),
    separator=lambda last: b"" if last in (b"", b"\n") else b"\n",  # another program left half a line
)
_HIDDEN = ("twin", "spare")
_FORMATS = {".ndjson": _LINES, ".jsonl": _LINES, ".har": _HAR}


class _FileWriter:
    """A file that is complete at every moment.

    A signal or a full disk can interrupt a write, so the file itself is never written to. Beside it is a
    hidden twin that lacks the last entry: the twin gets the last entry and the new one, then file and twin
    swap names. So each entry is written twice, however long the file is.
    """

    def __init__(self, path: Path, form: _Format) -> None:
        self._form = form
        self._path = path.resolve()  # a symbolic link is not replaced by a file
        self._twin, self._spare = (self._path.with_name(f".{self._path.name}.{end}") for end in _HIDDEN)
        if self._path.exists() and not self._path.is_file():
            raise UsageError(f"{str(path)!r} is not a file, so it cannot be a recording of that name")
        if not self._path.exists() or not self._path.stat().st_size:
            _write(self._path, form.head + form.tail)
        last = _byte_before_tail(self._path, form)
        if last is None:
            raise UsageError(f"{str(path)!r} is not a recording of ours, so nothing can be appended to it")
        self._path.chmod(_PRIVATE)
        _copy(self._path, self._twin)
        self._inode = self._twin.stat().st_ino
        self._end = self._twin.stat().st_size - len(form.tail)
        """The offset in bytes at which the entries of the file end."""
        self._last = last
        self._lacking = b""
        """The last entry of the file, which the twin lacks; empty if the two are equal."""

    def add(self, exchange: Exchange) -> None:
        """Write an exchange to the twin, then let it and the file swap names."""
        entry = self._form.separator(self._last) + self._form.entry(exchange)
        with open(self._twin, "r+b") as twin:
            if not self._is_ours(twin):
                raise OSError(errno.EBUSY, "another recorder writes it")
            twin.seek(self._end - len(self._lacking))
            twin.write(self._lacking + entry + self._form.tail)
            twin.truncate()  # an earlier write that failed may have left more
        _link_or_copy(self._path, self._spare)
        self._twin.rename(self._path)
        self._spare.rename(self._twin)
        self._inode = self._twin.stat().st_ino
        self._end, self._lacking, self._last = self._end + len(entry), entry, entry[-1:]

    def close(self) -> None:
        """Remove the twin, unless another recorder has replaced it by its own."""
        with suppress(FileNotFoundError), open(self._twin, "rb") as twin:
            if self._is_ours(twin):
                self._twin.unlink()
        self._spare.unlink(missing_ok=True)

    def _is_ours(self, twin: BinaryIO) -> bool:
        return os.fstat(twin.fileno()).st_ino == self._inode


def _byte_before_tail(path: Path, form: _Format) -> bytes | None:
    """Return the byte before the tail, `b""` if the tail is first; None if the file has another format."""
    with open(path, "rb") as file:
        is_begun = file.read(len(form.head)) == form.head
        file.seek(max(path.stat().st_size - len(form.tail) - 1, 0))
        end = file.read()
    return end.removesuffix(form.tail) if is_begun and end.endswith(form.tail) else None


def _link_or_copy(path: Path, name: Path) -> None:
    """Give a file a second name; where the file system has no hard links, copy the file to that name."""
    name.unlink(missing_ok=True)
    try:
        name.hardlink_to(path)
    except OSError:
        _copy(path, name)


def _copy(path: Path, copy: Path) -> None:
    with open(path, "rb") as source, _create(copy) as target:
        shutil.copyfileobj(source, target)


def _write(path: Path, content: bytes) -> None:
    with _create(path) as file:
        file.write(content)


def _create(path: Path) -> BinaryIO:
    """Create and open a file that only the user can ever read, after removing any file of that name."""
    path.unlink(missing_ok=True)
    return open(path, "xb", opener=lambda name, flags: os.open(name, flags, _PRIVATE))
