"""Recordings: files of recorded traffic, read into a stream of exchanges.

What cannot be read is in the stream as well: a record that is no exchange, a file that does not open.
One of them does not keep the others from being judged. Of a file no more is held than one record.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mock_webshare.errors import UnknownName, UnreadableInput
from mock_webshare.recordings import folders
from mock_webshare.recordings import formats as detect
from mock_webshare.recordings.formats import har, json_files, vcr
from mock_webshare.recordings.input import STANDARD_INPUT, opened
from mock_webshare.recordings.limits import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO, TypeAlias

    from mock_webshare.exchange.model import BadRecord, Exchange
    from mock_webshare.recordings.input import Input

    Progress: TypeAlias = Callable[[int, int], object]
    """Is told the bytes that were read, and those that all files have, as they are on disk; 0: not known."""

_READERS: dict[str, Callable[[Input], Iterator[Exchange | BadRecord]]] = {
    "body": json_files.read_body,
    "exchange": json_files.read_exchange,
    "list": json_files.read_list,
    "ndjson": json_files.read_lines,
    "journal": json_files.read_journal,
    "har": har.read,
    "vcr": vcr.read,
}
FORMATS = ("auto", "json", "ndjson", "har", "vcr", "journal")
"""The names of what `read` reads: `auto` tells each file by its name and content, `json` by its content."""


def read(
    paths: Iterable[str],
    stdin: BinaryIO,
    *,
    input_format: str = "auto",
    progress: Progress | None = None,
) -> Iterator[Exchange | BadRecord | UnreadableInput]:
    """Given paths of files and folders, or `-` for `stdin`, yield what is in each.

    Raise `UnknownName` for a format that is none of `FORMATS`.
    """
    if input_format not in FORMATS:
        raise UnknownName("input format", input_format, list(FORMATS))
    files: Iterable[str | UnreadableInput] = (each for path in paths for each in _files(path))
    count = _nothing
    if progress is not None:
        files = list(files)
        count = _Counter(progress, sum(map(_size, files))).add
    return (record for file in files for record in _read(file, stdin, input_format, count))


def _files(path: str) -> Iterable[str | UnreadableInput]:
    return [path] if path == STANDARD_INPUT else folders.files(path)


def _read(
    file: str | UnreadableInput, stdin: BinaryIO, input_format: str, count: Callable[[int], object]
) -> Iterator[Exchange | BadRecord | UnreadableInput]:
    if isinstance(file, UnreadableInput):
        yield file
        return
    try:
        with opened(file, stdin, count) as found:
            yield from _READERS[_reader(found, input_format)](found)
    except UnreadableInput as error:
        yield error
    except OSError as error:
        yield UnreadableInput.from_os_error(file, error)
    except (Broken, ValueError) as error:  # ValueError: a path that no file can have, "embedded null byte"
        yield UnreadableInput(f"cannot read {file!r}: {error}")


def _reader(found: Input, input_format: str) -> str:
    match input_format:
        case "auto":
            return detect.detect(found.source, found.head)
        case "json":
            return detect.detect_json(found.head)
        case _:
            return input_format


class _Counter:
    """Adds up what is read of all files."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._read = progress, total, 0

    def add(self, size: int) -> None:
        """Count some bytes and tell of them."""
        self._read += size
        self._progress(self._read, self._total)


def _nothing(size: int) -> None:
    """Count nothing."""


def _size(file: str | UnreadableInput) -> int:
    try:
        return os.path.getsize(file) if isinstance(file, str) else 0
    except (OSError, ValueError):
        return 0
