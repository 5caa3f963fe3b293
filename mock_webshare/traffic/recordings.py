"""Recordings: files of recorded traffic, read into a stream of exchanges.

What cannot be read is in the stream as well, as the error that says why: one bad file does
not keep the others from being judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_webshare.errors import UnreadableInput
from mock_webshare.traffic.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

STANDARD_INPUT = "-"

LARGEST_INPUT = 64 * 1024 * 1024
"""Bytes. A page of a hundred credits has about 25,000."""


def read(paths: Iterable[str], stdin: BinaryIO) -> Iterator[Exchange | UnreadableInput]:
    """Given paths, or `-` for `stdin`, yield what is in each."""
    for path in paths:
        yield _read_body(path, stdin)


def _read_body(path: str, stdin: BinaryIO) -> Exchange | UnreadableInput:
    """Given a file that holds the body of one response, return the exchange it was part of."""
    try:
        body = _read_bytes(path, stdin)
    except OSError as error:
        return UnreadableInput.from_os_error(path, error)
    except ValueError as error:  # a path that no file can have: "embedded null byte"
        return UnreadableInput(f"cannot read {path!r}: {error}")
    if len(body) > LARGEST_INPUT:
        limit = LARGEST_INPUT // 1024**2
        return UnreadableInput(f"cannot read {path!r}: it has more than {limit} MiB; split it")
    return Exchange(source=path, body=body)


def _read_bytes(path: str, stdin: BinaryIO) -> bytes:
    """Given a path, return at most one byte more than is allowed, even of a device that never ends."""
    if path == STANDARD_INPUT:
        return stdin.read(LARGEST_INPUT + 1)
    with open(path, "rb") as file:
        return file.read(LARGEST_INPUT + 1)
