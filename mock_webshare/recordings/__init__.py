"""Recordings: files of recorded traffic, read into a stream of exchanges.

Unreadable input is part of the stream: a malformed record is a `BadRecord`, a file that does not open is an
`UnreadableInput`, and a file in a folder that is not a recording is an `OtherFile`. After each of these,
reading goes on. Only one record is in memory at a time.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from mock_webshare.errors import UnknownName, UnreadableInput
from mock_webshare.exchange.model import OtherFile
from mock_webshare.exchange.streams import Broken
from mock_webshare.recordings import formats
from mock_webshare.recordings.input import STANDARD_INPUT, NotARecording, inputs
from mock_webshare.recordings.other_files import other_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

    from mock_webshare.exchange.model import BadRecord, Exchange
    from mock_webshare.recordings.input import Input

    Progress: TypeAlias = Callable[[int, int], object]
    """Called with the bytes read so far and the bytes of all files on disk, 0 if these are not known."""

# Playwright keeps bodies beside the HAR that refers to them, and names them by their SHA-1.
_ATTACHMENT = re.compile(r"[0-9a-f]{40}\.\w+")


class _File(NamedTuple):
    """A file to read."""

    path: str
    is_found: bool = False
    """Whether the file was found in a folder; False if the user named it."""


_Result: TypeAlias = "Exchange | BadRecord | OtherFile | UnreadableInput"


def read(
    paths: Iterable[str],
    stdin: BinaryIO,
    *,
    input_format: str = "auto",
    are_bodies: bool = False,
    skip_others: bool = False,
    progress: Progress | None = None,
) -> Iterator[Exchange | BadRecord | OtherFile | UnreadableInput]:
    """Yield the records of files, of the files in folders, and of `stdin` where a path is `-`.

    `input_format` is a name in `formats.FORMATS`, or `auto` to detect the format of each file by its name
    and content. A file that does not look like a recording is an `UnreadableInput` if it is in `paths`, and
    an `OtherFile` if it was found in a folder; `skip_others` makes both an `OtherFile`. What a file looks
    like does not matter if a format is given, or, for the files in `paths`, if `are_bodies`. Raise
    `UnknownName` for an unknown format.
    """
    known = ["auto", *formats.FORMATS]
    if input_format not in known:
        raise UnknownName("input format", input_format, known)
    files: Iterable[_File | UnreadableInput] = (each for path in paths for each in _files(path, skip_others))
    total = 0
    if progress is not None:
        files = list(files)
        total = sum(map(_size, files))
    reader = _Reader(stdin, input_format, are_bodies, _Counter(progress or (lambda *_: None), total))
    return (record for file in files for record in reader.read(file))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one file after another."""

    stdin: BinaryIO
    input_format: str
    are_bodies: bool
    counter: _Counter

    def read(self, file: _File | UnreadableInput) -> Iterator[_Result]:
        if isinstance(file, UnreadableInput):
            yield file
            return
        self.counter.begin(_size(file))
        try:
            for found in inputs(file.path, self.stdin, self.counter.add):
                yield from self._read(file, found)
        except UnreadableInput as error:
            yield error
        except NotARecording as error:
            yield _other(file, file.path, error)
        except OSError as error:
            yield UnreadableInput.from_os_error(file.path, error)
        except (Broken, ValueError) as error:  # ValueError: a path with a NUL, which no file can have
            yield _unreadable(file, error)
        self.counter.end()

    def _read(self, file: _File, found: Input) -> Iterator[_Result]:
        name, is_trusted = self.input_format, self.are_bodies and not file.is_found
        try:
            if name == "auto":
                kind = None if is_trusted else other_kind(found.source, found.head, is_found=file.is_found)
                if kind:
                    raise NotARecording(*kind)
                name = formats.detect(found.source, found.head)
            yield from formats.FORMATS[name].read(found)
        except NotARecording as error:
            yield _other(file, found.source, error)


def _other(file: _File, source: str, error: NotARecording) -> OtherFile | UnreadableInput:
    """Return an `OtherFile` for a file that is not a recording; an `UnreadableInput` if the user named it."""
    if file.is_found:
        return OtherFile(source=source, what=error.what)
    return UnreadableInput(f"cannot read {source!r}: {error}")


def _unreadable(file: _File, error: Exception) -> OtherFile | UnreadableInput:
    """Return an `UnreadableInput` for a damaged file; an `OtherFile` if found by a name of no format."""
    if file.is_found and formats.of_name(file.path) is None:
        return OtherFile(source=file.path, what="a file that does not unpack")
    return UnreadableInput(f"cannot read {file.path!r}: {error}")


def _files(path: str, skip_others: bool) -> Iterator[_File | UnreadableInput]:
    """Yield a path, or the files in and below a folder, in the order of their names.

    Hidden files, hidden folders and folders of dependencies are left out. A folder is read once, even if
    several links lead to it.
    """
    seen: set[tuple[int, int]] = set()
    waiting: list[_File | UnreadableInput] = [_File(path, skip_others)]
    while waiting:
        each = waiting.pop()
        if isinstance(each, UnreadableInput) or each.path == STANDARD_INPUT or not os.path.isdir(each.path):
            yield each
            continue
        found = os.stat(each.path)
        if (identity := (found.st_dev, found.st_ino)) not in seen:
            seen.add(identity)
            waiting += reversed(list(_inside(each.path)))


FOREIGN_FOLDERS = frozenset({"node_modules", "__pycache__", "__MACOSX", "site-packages", "venv", "env"})
"""Names of folders that hold the dependencies of a project, not its recordings."""


def _inside(folder: str) -> Iterator[_File | UnreadableInput]:
    """Yield the files and folders in a folder, without the bodies to which a HAR or mapping there refers."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        yield UnreadableInput.from_os_error(folder, error)
        return
    has_har = any(formats.of_name(name) == "har" for name in names)
    has_mappings = "mappings" in names  # WireMock keeps bodies beside its mappings
    for name in names:
        is_attachment = (has_har and _ATTACHMENT.fullmatch(name)) or (has_mappings and name == "__files")
        path = os.path.join(folder, name)
        if not name.startswith(".") and not is_attachment and _is_to_be_read(path, name):
            yield _File(path, is_found=True)


def _is_to_be_read(path: str, name: str) -> bool:
    """Whether to read a path in a folder: a folder, a file, or a broken link, whose failure is reported."""
    if os.path.isdir(path):
        return name not in FOREIGN_FOLDERS and not os.path.exists(os.path.join(path, "pyvenv.cfg"))
    return os.path.isfile(path) or (formats.of_name(name) is not None and not os.path.exists(path))


class _Counter:
    """Adds up the bytes that are read from all files, and reports the progress."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._read, self._end = progress, total, 0, 0

    def begin(self, size: int) -> None:
        self._end = self._read + size

    def add(self, size: int) -> None:
        self._read += size
        self._progress(self._read, self._total)

    def end(self) -> None:
        """Count the rest of a file that was not read to its end."""
        if self._read < self._end:
            self.add(self._end - self._read)


def _size(file: _File | UnreadableInput) -> int:
    try:
        return os.path.getsize(file.path) if isinstance(file, _File) else 0
    except (OSError, ValueError):
        return 0
