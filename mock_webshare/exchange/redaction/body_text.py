"""Text of a body in any encoding, compressed or not."""

from __future__ import annotations

import codecs
import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_DECOMPRESSED = 64 * 1024 * 1024
"""Bytes of a compressed body that are decompressed."""
LARGEST_RATIO = 100
"""Bytes that are decompressed for each compressed byte; a mebibyte is always allowed."""
MOST_LAYERS = 4
"""Times that a body is decompressed: gzip can contain itself."""

_CHARSET = re.compile(r"charset\s*=\s*\"?(utf-(?:16|32)(?:-?[bl]e)?)", re.IGNORECASE)
_BYTE_ORDER_MARKS = {  # UTF-32 first, because its mark can begin like that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32-be",  # `utf-32` would be written in the other order
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_BY_ZEROS = {"x0x0": "utf-16-le", "0x0x": "utf-16-be", "x000": "utf-32-le", "000x": "utf-32-be"}
"""Encodings by the zeros in the first four octets of JSON, which begins with ASCII (RFC 4627)."""
_COMPRESSED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")  # gzip; levels of deflate
_GZIP_OR_DEFLATE = 32 + zlib.MAX_WBITS


def texts(body: bytes, content_type: str | None) -> Iterator[tuple[str, str]]:
    """Yield the text of a body and its encoding, then those of what is compressed in it, and so on."""
    for layer in _layers(body):
        encoding = codec(layer, content_type)
        yield layer.decode(encoding, "surrogateescape"), encoding


def codec(body: bytes, content_type: str | None) -> str:
    """Return the encoding of a body if it is UTF-16 or UTF-32, otherwise `utf-8`."""
    charset = _CHARSET.search(content_type or "")
    marked = next((name for mark, name in _BYTE_ORDER_MARKS.items() if body.startswith(mark)), None)
    zeros = "".join("0" if octet == 0 else "x" for octet in body[:4])
    for name in (charset and charset[1], marked, _BY_ZEROS.get(zeros)):
        try:
            if name and body.decode(name).encode(name) == body:
                return name
        except UnicodeError:
            continue
    return "utf-8"


def _layers(body: bytes) -> Iterator[bytes]:
    largest = min(LARGEST_DECOMPRESSED, max(1024 * 1024, LARGEST_RATIO * len(body)))
    yield body
    for _ in range(MOST_LAYERS):
        if body[:2] not in _COMPRESSED:
            return
        try:
            body = zlib.decompressobj(_GZIP_OR_DEFLATE).decompress(body, largest)
        except zlib.error:
            return
        yield body
