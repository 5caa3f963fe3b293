"""Streams: bytes that are read piece by piece, unpacked on the way."""

from __future__ import annotations

import codecs
import os
import select
import stat
import zlib
from collections.abc import Callable
from io import BufferedReader, BytesIO
from typing import IO, Any, Protocol

from mock_webshare.errors import UnreadableInput

PIECE = 256 * 1024
"""Bytes of one read."""
_PACKED_PIECE = 16 * 1024
"""Bytes of one read of gzip: what follows a member is copied, and thousands of members may be in one read."""
GZIP = b"\x1f\x8b"
"""The first bytes of every gzip member."""
_PACKED = (GZIP, b"\x78\x01", b"\x78\x9c", b"\x78\xda")
"""The first bytes of gzip, and of zlib's format, which Ruby's VCR can write."""
ZIP = b"PK\x03\x04"
"""The first bytes of a ZIP archive."""
MOST_EMPTY = 16 * 1024**2
"""Bytes of gzip in a row that unpack to nothing: a header or empty members that may never end."""
PATIENCE = 10.0
"""Seconds that a named pipe may be silent after it is opened."""

DAMAGED = "it does not unpack: it is damaged or cut off"


class Broken(Exception):
    """The rest of a file cannot be split into records.

    The message shows nothing of the file.
    """

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


class Malformed(Exception):
    """One record is not an exchange, but the next one may be.

    The message shows no value of the record.
    """


class Readable(Protocol):
    """Anything that reads bytes."""

    def read(self, size: int, /) -> bytes:
        """Return at least one byte and up to `size`, or `b""` at the end."""


def open_file(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a file to read it; raise `OSError` if that fails, `UnreadableInput` if a pipe sends nothing."""
    if not _is_pipe(path):
        return open(path, "rb")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # else opening it waits for a writer
    ready, _, _ = select.select([descriptor], [], [], PATIENCE)
    if not ready:
        os.close(descriptor)
        problem = f"it is a pipe that sent nothing for {PATIENCE:g} seconds; start its writer first"
        raise UnreadableInput(f"cannot read {os.fspath(path)!r}: {problem}")
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb")


def _is_pipe(path: str | os.PathLike[str]) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):  # opening the path reports it
        return False


def unpacked(stream: Readable) -> Readable:
    """Return a stream unchanged, or unpacked if it is gzip or zlib; raise `Broken` if it is packed twice."""
    magic = read_all(stream, len(GZIP) - 1)
    whole = Joined(magic, stream)
    if magic not in _PACKED:
        return whole
    content = Gunzipped(whole)
    head = read_all(content, len(GZIP) - 1)
    if head in _PACKED:
        raise Broken("it is compressed twice; decompress it once")
    return Joined(head, content)


def read_all(stream: Readable, limit: int) -> bytes:
    """Return all of a stream, or `limit + 1` bytes if it is longer than `limit`."""
    content, wanted = BytesIO(), limit + 1  # joining pieces would take the memory twice
    while wanted and (piece := stream.read(min(wanted, PIECE))):
        content.write(piece)
        wanted -= len(piece)
    return content.getvalue()


class Joined:
    """A stream whose beginning was already read."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int, /) -> bytes:
        if not self._head:
            return self._rest.read(size)
        piece, self._head = self._head[:size], self._head[size:]
        return piece


WIDE = {
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf-16-le": tuple(mark + b"\0" for mark in (b"{", b"[", b"H", b"#")),
    "utf-16-be": tuple(b"\0" + mark for mark in (b"{", b"[", b"H", b"#")),
}
"""Encodings of two or four bytes, and what a text in them begins with: a byte order mark, or the first
character of a recording. UTF-32 comes first, because its mark begins with that of UTF-16."""


def as_utf_8(stream: Readable) -> tuple[Readable, bool]:
    """Return a stream in UTF-8, and whether it was UTF-16 or UTF-32, which PowerShell writes."""
    head = read_all(stream, 3)
    whole = Joined(head, stream)
    encoding = next((name for name, marks in WIDE.items() if head.startswith(marks)), None)
    return (Transcoded(whole, encoding), True) if encoding else (whole, False)


class Transcoded:
    """A stream in another encoding, read as UTF-8 without a mark; `read` raises `Broken` at invalid text."""

    def __init__(self, stream: Readable, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        self._waiting = b""

    def read(self, size: int, /) -> bytes:
        while not self._waiting:
            piece = self._stream.read(size)
            self._waiting = self._decoded(piece)
            if not piece:
                break
        piece, self._waiting = self._waiting[:size], self._waiting[size:]
        return piece

    def _decoded(self, piece: bytes) -> bytes:
        try:
            return self._decoder.decode(piece, not piece).encode("utf-8", "surrogatepass")
        except UnicodeError as error:
            raise Broken("it is not text in the encoding that its first bytes promise") from error


class Counted:
    """A stream that calls `count` with the size of each piece that is read."""

    def __init__(self, stream: Readable, count: Callable[[int], object]) -> None:
        self._stream, self._count = stream, count

    def read(self, size: int = PIECE, /) -> bytes:
        piece = self._stream.read(size)
        self._count(len(piece))
        return piece


class Gunzipped:
    """The content of gzip or zlib; `read` raises `Broken` where the packed bytes are damaged or cut off.

    Gzip may have several members. Bytes after the last member are ignored, as by `gunzip` and HTTP clients.
    """

    def __init__(self, packed: Readable) -> None:
        self._packed = packed
        self._waiting = b""
        self._unpacker = _new_unpacker()

    def read(self, size: int, /) -> bytes:
        try:
            return self._read(size)
        except zlib.error as error:
            raise Broken(DAMAGED) from error

    def _read(self, size: int) -> bytes:
        empty = 0
        while not self._unpacker.eof or self._has_another():
            self._waiting = self._waiting or self._packed.read(_PACKED_PIECE)
            if not self._waiting:
                raise Broken(DAMAGED)
            before = len(self._waiting)
            piece: bytes = self._unpacker.decompress(self._waiting, size)
            self._waiting = self._unpacker.unconsumed_tail or self._unpacker.unused_data
            if piece:
                return piece
            empty += before - len(self._waiting)
            if empty > MOST_EMPTY:
                raise Broken(f"{MOST_EMPTY // 1024**2} MiB of its gzip in a row have no content")
        return b""

    def _has_another(self) -> bool:
        """Whether another member follows; if so, prepare for it."""
        if len(self._waiting) < len(GZIP):
            self._waiting += self._packed.read(_PACKED_PIECE)
        if not self._waiting.startswith(GZIP):
            return False
        self._unpacker = _new_unpacker()
        return True


def _new_unpacker() -> Any:
    return zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)


class Unzipped:
    """A file in a ZIP archive; `read` raises `Broken` where it is damaged."""

    def __init__(self, member: IO[bytes]) -> None:
        self._member: Any = member

    def read(self, size: int, /) -> bytes:
        import zipfile

        try:
            piece: bytes = self._member.read1(size)
        except (EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise Broken(DAMAGED) from error
        return piece
