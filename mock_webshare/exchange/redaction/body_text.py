"""Text: what is written in the octets of a body, whatever its encoding and compression."""

from __future__ import annotations

import codecs
import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_OPENED = 64 * 1024 * 1024
"""Bytes of a compressed body, opened, that are looked into."""
LARGEST_RATIO = 100
"""Bytes that are looked into for each byte of a compressed body, unless all are fewer than a mebibyte."""
MOST_LAYERS = 4
"""Times that a body may be compressed and is still opened: gzip can hold itself."""

_CHARSET = re.compile(r"charset\s*=\s*\"?(utf-(?:16|32)(?:-?[bl]e)?)", re.IGNORECASE)
_BYTE_ORDER_MARKS = {  # the longer ones first, for one of UTF-32 begins like that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32-be",  # because `utf-32` is written in the other order
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_COMPRESSED = (
    b"\x1f\x8b",
    b"\x78\x01",
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
)  # gzip, and deflate four times
_EITHER = 32 + zlib.MAX_WBITS  # zlib's word for: look at the first octets


def codec(body: bytes, content_type: str | None) -> str:
    """Return the encoding of a body that is UTF-16 or UTF-32, and for all others `utf-8`."""
    charset = _CHARSET.search(content_type or "")
    marked = next((name for mark, name in _BYTE_ORDER_MARKS.items() if body.startswith(mark)), None)
    for name in (charset and charset[1], marked, _by_zeros(body)):
        try:
            if name and body.decode(name).encode(name) == body:
                return name
        except UnicodeError:
            continue
    return "utf-8"


def layers(body: bytes) -> Iterator[bytes]:
    """Yield a body, what is compressed in it (gzip, deflate), what is compressed in that, and so on."""
    largest = min(LARGEST_OPENED, max(1024 * 1024, LARGEST_RATIO * len(body)))
    layer: bytes | None = body
    for _ in range(MOST_LAYERS + 1):
        if layer is not None:
            yield layer
            layer = _opened(layer, largest)


def _opened(body: bytes, largest: int) -> bytes | None:
    if body[:2] not in _COMPRESSED:
        return None
    try:
        return zlib.decompressobj(_EITHER).decompress(body, largest)
    except zlib.error:
        return None


def _by_zeros(body: bytes) -> str | None:
    """Given a body, tell its encoding by RFC 4627: the first characters of JSON are ASCII."""
    zeros = "".join("0" if octet == 0 else "x" for octet in body[:4])
    return {"x0x0": "utf-16-le", "0x0x": "utf-16-be", "x000": "utf-32-le", "000x": "utf-32-be"}.get(zeros)
