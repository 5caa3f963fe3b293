"""Recordings: files of recorded traffic, read into a stream of exchanges.

Unreadable input is part of the stream: a malformed record as a `BadRecord`, a file that does not open as
an `UnreadableInput`. Neither ends the reading of the others. Only one record is in memory at a time.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from mock_webshare.errors import UnknownName, UnreadableInput
from mock_webshare.exchange.streams import Broken
from mock_webshare.recordings import formats
from mock_webshare.recordings.input import STANDARD_INPUT, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO, TypeAlias

    from mock_webshare.exchange.model import BadRecord, Exchange

    Progress: TypeAlias = Callable[[int, int], object]
    """Called with the bytes read so far and the size of all files on disk; a size of 0 is not known."""

# Playwright keeps bodies beside the HAR that refers to them, and names them by their SHA-1.
_ATTACHMENT = re.compile(r"[0-9a-f]{40}\.\w+")


def read(
    paths: Iterable[str],
    stdin: BinaryIO,
    *,
    input_format: str = "auto",
    progress: Progress | None = None,
) -> Iterator[Exchange | BadRecord | UnreadableInput]:
    """Yield the content of files, of folders, and of `stdin` where a path is `-`.

    `input_format` is a name in `formats.FORMATS`, or `auto` to detect the format of each file by its name
    and content. Raise `UnknownName` for any other.
    """
    known = ["auto", *formats.FORMATS]
    if input_format not in known:
        raise UnknownName("input format", input_format, known)
    files: Iterable[str | UnreadableInput] = (each for path in paths for each in _files(path))
    total = 0
    if progress is not None:
        files = list(files)
        total = sum(map(_size, files))
    count = _Counter(progress or (lambda *_: None), total).add
    return (record for file in files for record in _read(file, stdin, input_format, count))


def _read(
    file: str | UnreadableInput, stdin: BinaryIO, input_format: str, count: Callable[[int], object]
) -> Iterator[Exchange | BadRecord | UnreadableInput]:
    if isinstance(file, UnreadableInput):
        yield file
        return
    try:
        with opened(file, stdin, count) as found:
            name = formats.detect(found.source, found.head) if input_format == "auto" else input_format
            yield from formats.FORMATS[name].read(found)
    except UnreadableInput as error:
        yield error
    except OSError as error:
        yield UnreadableInput.from_os_error(file, error)
    except (Broken, ValueError) as error:  # ValueError: a path that no file can have, "embedded null byte"
        yield UnreadableInput(f"cannot read {file!r}: {error}")


def _files(path: str) -> Iterator[str | UnreadableInput]:
    """Yield a path, or the recordings in and below a folder, by their extensions.

    They come in the order of their names, without hidden ones. A folder is read once, even if several
    links lead to it.
    """
    seen: set[tuple[int, int]] = set()
    waiting: list[str | UnreadableInput] = [path]
    while waiting:
        each = waiting.pop()
        if isinstance(each, UnreadableInput) or each == STANDARD_INPUT or not os.path.isdir(each):
            yield each
            continue
        found = os.stat(each)
        if (identity := (found.st_dev, found.st_ino)) not in seen:
            seen.add(identity)
            waiting += reversed(list(_inside(each)))


def _inside(folder: str) -> Iterator[str | UnreadableInput]:
    """Yield the folders in a folder, and the files that look like recordings."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        yield UnreadableInput.from_os_error(folder, error)
        return
    has_har = any(formats.of_name(name) == "har" for name in names)
    for name in names:
        path = os.path.join(folder, name)
        is_attachment = has_har and _ATTACHMENT.fullmatch(name)
        if not name.startswith(".") and (os.path.isdir(path) or (_is_recording(path) and not is_attachment)):
            yield path


def _is_recording(path: str) -> bool:
    """Whether to read a path in a folder: a file, or a broken link to report it."""
    if formats.of_name(path) is None:
        return False
    return os.path.isfile(path) or not os.path.exists(path)


class _Counter:
    """Adds up the bytes that are read of all files."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._read = progress, total, 0

    def add(self, size: int) -> None:
        self._read += size
        self._progress(self._read, self._total)


def _size(file: str | UnreadableInput) -> int:
    try:
        return os.path.getsize(file) if isinstance(file, str) else 0
    except (OSError, ValueError):
        return 0
