"""Input: a file of recordings, opened and unpacked, with the bodies that a HAR keeps in other files.

These attachments are beside the HAR or in the same ZIP archive. Playwright writes them
(`content: "attach"`) and names them in the HAR as `_file`.
"""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO, TypeAlias

from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange import limits, streams
from mock_webshare.exchange.streams import ZIP, Broken, Counted, Joined, Malformed, Readable

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Callable, Iterator, Sequence


Attached: TypeAlias = "Callable[[str], bytes]"
"""Returns the content of an attachment by its name; raises `Malformed` if it cannot be read."""

STANDARD_INPUT = "-"
_MISSING = "the file that holds its body cannot be read"


class NotARecording(Exception):
    """The file is not a recording.

    `what` says in a phrase what it looks like, such as `an SQLite database`; `advice` says how to make a
    recording of it, or is empty.
    """

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(f"it looks like {what}, which is not read" + (f"; {advice}" if advice else ""))
        self.what = what


@dataclass(frozen=True, slots=True)
class Input:
    """A file as the reader of a format gets it."""

    source: str
    """The name of the file, as the user wrote it."""
    head: bytes
    """The first bytes, to detect the format; `stream` has them as well."""
    stream: Readable
    """The whole file, unpacked; it can be read once."""
    attached: Attached
    """Reads a body that the recording keeps in another file."""
    is_exact: bool = True
    """False: the stream was converted to UTF-8, so its bytes are not those of the file."""

    @property
    def beginning(self) -> bytes:
        """The head without byte order mark and blanks."""
        return self.head.removeprefix(BOM_UTF8).lstrip()

    def read(self) -> bytes:
        """Return the whole file; raise `UnreadableInput` if it has more than one record may have."""
        content = streams.read_all(self.stream, limits.LARGEST_RECORD)
        if len(content) > limits.LARGEST_RECORD:
            limit = limits.LARGEST_RECORD // 1024**2
            raise UnreadableInput(f"cannot read {self.source!r}: it has more than {limit} MiB; split it")
        return content


def inputs(path: str, stdin: Readable, count: Callable[[int], object]) -> Iterator[Input]:
    """Yield the file at a path, or `stdin` for `-`, unpacked if it is gzip; of a ZIP, yield each HAR in it.

    Each input has to be read before the next. `count` is called with the bytes of each piece that is read.
    Raise `OSError` if the file cannot be read, `Broken` if it does not unpack, and ValueError for a path that
    no file can have.
    """
    if path == STANDARD_INPUT:
        yield _input(path, _unpacked(Counted(stdin, count)), _nowhere)
        return
    with streams.open_file(path) as file:
        if file.peek(len(ZIP)).startswith(ZIP):
            count(os.path.getsize(path))  # an archive is not read from start to end
            yield from _hars_in_zip(path, file)
        else:
            attached = _beside(os.path.dirname(path) or ".")
            yield _input(path, _unpacked(Counted(file, count)), attached)


def _input(source: str, packed: Readable, attached: Attached) -> Input:
    stream, is_wide = streams.as_utf_8(packed)
    head = _head(stream)
    return Input(source, head, Joined(head, stream), attached, is_exact=not is_wide)


def _head(stream: Readable) -> bytes:
    """Return the first bytes of a stream, fewer if it breaks; raise `Broken` if it breaks at once."""
    pieces, wanted = [], limits.HEAD
    try:
        while wanted and (piece := stream.read(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
    except Broken:
        if not pieces:
            raise
    return b"".join(pieces)


def _unpacked(stream: Readable) -> Readable:
    """Return a stream, or its unpacked content if it is gzip."""
    content = streams.unpacked(stream)
    magic = streams.read_all(content, len(ZIP) - 1)
    if magic == ZIP:
        raise Broken("a ZIP archive is read from a file, not from standard input or inside gzip")
    return Joined(magic, content)


def _nowhere(name: str) -> bytes:
    """Refuse any attachment, because standard input has no folder."""
    raise Malformed("its body is in another file, which standard input gives no access to")


def _beside(folder: str) -> Attached:
    """Return a function that reads attachments in and below a folder, and refuses all others."""
    meter = _Meter()

    def read_file(name: str) -> bytes:
        try:
            path = _inside(_home(folder, name), name)
            if not os.path.isfile(path):  # a pipe would block
                raise Malformed(_MISSING)
            with open(path, "rb") as file:
                return meter.read(file, os.fstat(file.fileno()).st_size)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise Malformed(_MISSING) from error

    return read_file


WIREMOCK_FILES = "__files/"
"""The folder in which WireMock keeps bodies; it is beside the folder `mappings`."""


def _home(folder: str, name: str) -> str:
    """Return the folder that the names of attachments start from, and may not leave."""
    above, found, below = os.path.realpath(folder).rpartition("/mappings")
    is_of_wiremock = found and name.startswith(WIREMOCK_FILES) and (not below or below.startswith("/"))
    return above if is_of_wiremock else folder


def _inside(folder: str, name: str) -> str:
    home = os.path.realpath(folder)
    path = os.path.realpath(os.path.join(home, name))
    if os.path.commonpath([home, path]) != home:
        raise Malformed("its body is in a file outside the folder of the recording")
    return path


def _hars_in_zip(path: str, file: BinaryIO) -> Iterator[Input]:
    """Yield each HAR in a ZIP archive, with a reader of the archive's other files.

    Raise `Broken` if the archive is damaged or encrypted, and `NotARecording` if it has no HAR.
    """
    import zipfile

    _check_directory(file)
    try:
        with zipfile.ZipFile(file) as archive:
            hars = [name for name in archive.namelist() if _is_har(name)]
            if not hars:
                raise NotARecording(*_other_archive(archive.namelist()))
            attached = _members(archive)
            for name in hars:
                source = path if len(hars) == 1 else f"{path}!{name}"
                with _member(archive, name) as har:
                    yield _input(source, streams.Unzipped(har), attached)
    except (zipfile.BadZipFile, RuntimeError) as error:
        raise Broken(
            "it is a ZIP archive that is damaged, encrypted, or neither stored nor deflated; pack it again"
        ) from error


def _is_har(name: str) -> bool:
    """Whether a file in an archive is a HAR, and not what macOS adds for each file: `__MACOSX/._a.har`."""
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    return name.lower().endswith(".har") and not is_hidden


def _other_archive(names: Sequence[str]) -> tuple[str, str]:
    """Return what an archive without a HAR is, and what to do with it."""
    if any(name.startswith("raw/") for name in names):
        return "a Fiddler archive", "in Fiddler, File > Export Sessions > HTTPArchive"
    return "a ZIP archive without a file that ends in .har", "unpack it, and name the files or the folder"


def _member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """Open a file of an archive; raise NotImplementedError unless it is stored or deflated.

    `zipfile` unpacks bzip2 and LZMA without a limit: a kilobyte becomes gigabytes.
    """
    import zipfile

    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError
    return archive.open(name)


def _members(archive: zipfile.ZipFile) -> Attached:
    import zipfile

    meter = _Meter()

    def read_member(name: str) -> bytes:
        try:
            with _member(archive, name) as member:
                return meter.read(streams.Unzipped(member), archive.getinfo(name).file_size)
        except (KeyError, Broken, zipfile.BadZipFile, RuntimeError) as error:
            raise Malformed(_MISSING) from error

    return read_member


def _check_directory(file: BinaryIO) -> None:
    """Raise `Broken` if the archive lists more files than any recording has."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 65_557))  # the record at the end, with the longest comment
    tail = file.read()
    at = _end_record(tail)
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    has_another = tail[max(0, at - 20) : max(0, at)].startswith(b"PK\x06\x07")  # ZIP64: the size is elsewhere
    if at >= 0 and (has_another or size > limits.LARGEST_ZIP_DIRECTORY):
        raise Broken("it is a ZIP archive of too many files")


def _end_record(tail: bytes) -> int:
    """Return the offset at which `zipfile` finds the end record of an archive; -1 without one.

    The record itself may contain the bytes of its signature, so the last signature is not always its start.
    """
    at = len(tail) - 22  # without a comment
    if at >= 0 and tail.startswith(b"PK\x05\x06", at) and tail.endswith(b"\0\0"):
        return at
    return tail.rfind(b"PK\x05\x06")


class _Meter:
    """Reads attachments within the limits of one body and of all attachments."""

    def __init__(self) -> None:
        self._left = limits.LARGEST_ATTACHMENTS

    def read(self, stream: Readable, size: int) -> bytes:
        """Return an attachment; raise `Malformed` if it is too large, unread if `size` already shows this."""
        limit = min(limits.LARGEST_RECORD, self._left)
        body = streams.read_all(stream, limit) if size <= limit else b""
        self._left = max(0, self._left - len(body))
        if max(size, len(body)) > limit:
            raise Malformed(
                f"its body has more than {limits.LARGEST_RECORD // 1024**2} MiB, or all attached bodies "
                f"together more than {limits.LARGEST_ATTACHMENTS // 1024**3} GiB"
            )
        return body
