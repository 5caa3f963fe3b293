"""Input: a file of recordings, opened and unpacked."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_webshare.exchange.streams import GZIP, Broken, Counted, Gunzipped, Joined, read_all
from mock_webshare.recordings import limits
from mock_webshare.recordings.input import attachments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_webshare.exchange.streams import Readable
    from mock_webshare.recordings.input.attachments import Attached

STANDARD_INPUT = "-"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Input:
    """What the reader of a format gets."""

    source: str
    """The file, as the user named it."""
    head: bytes
    """The first bytes, to detect the format; `stream` has them as well."""
    stream: Readable
    """The whole file, unpacked; it can be read once."""
    attached: Attached
    """Reads a body that the recording keeps in another file."""


@contextmanager
def opened(path: str, stdin: Readable, count: Callable[[int], object]) -> Iterator[Input]:
    """Open a path, or `stdin` for `-`, and yield it, unpacked if it is gzip or ZIP.

    `count` is called with the size of each piece that is read. Raise `OSError`, `Broken` if the file does
    not unpack, and ValueError for a path that no file can have.
    """
    if path == STANDARD_INPUT:
        yield _input(path, _unpacked(Counted(stdin, count)), attachments.nowhere)
        return
    with open(path, "rb") as file:
        if file.peek(len(_ZIP)).startswith(_ZIP):
            count(os.path.getsize(path))  # an archive is not read from start to end
            with attachments.har_in_zip(file) as (har, attached):
                yield _input(path, har, attached)
        else:
            beside = attachments.beside(os.path.dirname(path) or ".")
            yield _input(path, _unpacked(Counted(file, count)), beside)


def _input(path: str, stream: Readable, attached: Attached) -> Input:
    head = _head(stream)
    return Input(path, head, Joined(head, stream), attached)


def _head(stream: Readable) -> bytes:
    """Return the first bytes of a stream, up to where it breaks for good."""
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
    magic = read_all(stream, len(_ZIP) - 1)
    if magic == _ZIP:
        raise Broken("a ZIP archive is read from a file, not from standard input")
    whole = Joined(magic, stream)
    return Gunzipped(whole) if magic.startswith(GZIP) else whole
