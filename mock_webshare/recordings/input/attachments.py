"""Attachment: a body that a HAR keeps in a file of its own, beside it or in the same ZIP archive.

Playwright writes them (`content: "attach"`) and names them in the HAR as `_file`.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from mock_webshare.recordings.input import streams
from mock_webshare.recordings.limits import Broken, Malformed

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Iterator

    from mock_webshare.recordings.input.streams import Readable

    Attached: TypeAlias = Callable[[str], bytes]
    """Given the name of an attachment, return it; raise `Malformed` if that cannot be."""

LARGEST_TOTAL = 16 * 1024**3
"""Bytes of all attachments of a HAR: one small file may be named in a million entries."""
LARGEST_DIRECTORY = 8 * 1024**2
"""Bytes of the list of files in a ZIP archive, which is read as a whole."""

_MISSING = "the file that holds its body cannot be read"


def nowhere(name: str) -> bytes:
    """Nothing is beside standard input."""
    raise Malformed("its body is in another file, and standard input is beside none")


def beside(folder: str) -> Attached:
    """Given the folder of a HAR, return what reads the files in it and below, and no others."""

    meter = _Meter()

    def read_file(name: str) -> bytes:
        try:
            path = _inside(folder, name)
            if not os.path.isfile(path):  # a pipe would make us wait for its writer
                raise Malformed(_MISSING)
            with open(path, "rb") as file:
                return meter.read(file)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise Malformed(_MISSING) from error

    return read_file


def _inside(folder: str, name: str) -> str:
    home = os.path.realpath(folder)
    path = os.path.realpath(os.path.join(home, name))
    if os.path.commonpath([home, path]) != home:
        raise Malformed("its body is in a file outside the folder of the HAR")
    return path


@contextmanager
def har_in_zip(file: BinaryIO) -> Iterator[tuple[Readable, Attached]]:
    """Given a ZIP archive, yield the HAR in it, and what reads the other files in it.

    Raise `Broken` unless there is exactly one HAR.
    """
    import zipfile

    _check_directory(file)
    try:
        archive = zipfile.ZipFile(file)
        hars = [name for name in archive.namelist() if name.lower().endswith(".har")]
        if len(hars) != 1:
            raise Broken(f"it is a ZIP archive with {len(hars)} files that end in .har, not one")
        har = archive.open(hars[0])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise Broken("it is a ZIP archive that is damaged, encrypted or packed in an unknown way") from error
    with archive, har:
        yield streams.Unzipped(har), _members(archive)


def _members(archive: zipfile.ZipFile) -> Attached:
    import zipfile
    import zlib

    meter = _Meter()

    def read_member(name: str) -> bytes:
        try:
            with archive.open(name) as member:
                return meter.read(member)
        except (
            KeyError,
            EOFError,
            zlib.error,
            zipfile.BadZipFile,
            NotImplementedError,
            RuntimeError,
        ) as error:
            raise Malformed(_MISSING) from error

    return read_member


def _check_directory(file: BinaryIO) -> None:
    """Raise `Broken` if the archive lists more files than any recording has."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 65_557))  # the record at the end, with the longest comment
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    has_another = tail[max(0, at - 20) : max(0, at)].startswith(b"PK\x06\x07")  # ZIP64 says it elsewhere
    if at >= 0 and (has_another or size > LARGEST_DIRECTORY):
        raise Broken("it is a ZIP archive of too many files")


class _Meter:
    """Reads attachments, each within the limit of a record, and all of them within theirs."""

    def __init__(self) -> None:
        self._left = LARGEST_TOTAL

    def read(self, stream: Readable) -> bytes:
        limit = min(streams.LARGEST_RECORD, self._left)
        body = streams.read_all(stream, limit)
        self._left = max(0, self._left - len(body))
        if len(body) > limit:
            raise Malformed("its body is too long, or all that are in files of their own are, together")
        return body
