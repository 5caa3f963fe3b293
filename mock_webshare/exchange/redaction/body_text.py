"""Text of a body in any encoding, compressed or not."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module

LARGEST_DECOMPRESSED = 64 * 1024 * 1024
"""Bytes up to which a body is decompressed."""
LARGEST_RATIO = 100
"""Bytes that are decompressed for each compressed byte; a mebibyte is always allowed."""
MOST_LAYERS = 4
"""Times that a body is decompressed: gzip can contain itself."""
LARGEST_UNTYPED = 64 * 1024
"""Bytes up to which even a binary body is searched as text; of a larger one, only its printable runs are."""

_CHARSET = re.compile(r"charset\s*=\s*\"?(utf-(?:16|32)(?:-?[bl]e)?)", re.IGNORECASE)
_BYTE_ORDER_MARKS = {  # UTF-32 first, because its mark can begin like that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32-be",  # `utf-32` would be written in the other order
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_BY_ZEROS = {"x0x0": "utf-16-le", "0x0x": "utf-16-be", "x000": "utf-32-le", "000x": "utf-32-be"}
"""Encodings by the zeros in the first four octets of JSON, which begins with ASCII (RFC 4627)."""
_MOST_CONTROLS = 0.02
"""Share of control characters above which octets that are not UTF-8 are binary, not an old encoding."""
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\r\f"))
_PRINTABLE = re.compile(rb"[\t\x20-\x7e]{6,}")
_ZSTANDARD = b"\x28\xb5\x2f\xfd"
_PIECE = 32
"""Bytes of Brotli and Zstandard that are decompressed at once: few bytes may become 16 MiB."""


def layers(body: bytes) -> Iterator[bytes]:
    """Yield a body, then what it decompresses to, then what this decompresses to, and so on."""
    largest = min(LARGEST_DECOMPRESSED, max(1024 * 1024, LARGEST_RATIO * len(body)))
    layer: bytes | None = body
    for _ in range(MOST_LAYERS + 1):
        if layer is None:
            return
        yield layer
        layer = _decompressed(layer, largest)


def text(layer: bytes, content_type: str | None) -> str:
    """Return the text of a layer; if the layer is binary, its runs of printable characters, a line each."""
    if is_binary(layer):
        return b"\n".join(_PRINTABLE.findall(layer)).decode()
    return layer.decode(codec(layer, content_type), "surrogateescape")


def substitute(layer: bytes, content_type: str | None, redact: Callable[[str], str]) -> bytes:
    """Return a layer with its text redacted; binary octets around it stay unchanged."""
    written = text(layer, content_type)
    if (redacted := redact(written)) == written:
        return layer
    if is_binary(layer):
        runs = redacted.split("\n")
        if len(runs) != written.count("\n") + 1:  # a secret reached from one run into another
            return _PRINTABLE.sub(lambda match: redact(match[0].decode()).encode(), layer)
        following = iter(runs)
        return _PRINTABLE.sub(lambda match: next(following).encode(), layer)
    return redacted.encode(codec(layer, content_type), "surrogateescape")


def is_binary(layer: bytes) -> bool:
    """Return whether a layer is longer than `LARGEST_UNTYPED` and is not text in any encoding."""
    if len(layer) <= LARGEST_UNTYPED or is_utf_8(layer):
        return False
    controls = len(layer) - len(layer.translate(None, _CONTROLS))
    return controls > _MOST_CONTROLS * len(layer) and codec(layer, None) == "utf-8"


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


def is_utf_8(body: bytes) -> bool:
    """Return whether a body is a text in UTF-8."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decompressed(body: bytes, largest: int) -> bytes | None:
    """Return a body decompressed, up to `largest` bytes; None if no known coding compressed it."""
    if body.startswith(b"\x1f\x8b"):
        return _inflated(body, 16 + zlib.MAX_WBITS, largest)
    if len(body) > 1 and body[0] & 0x8F == 8 and int.from_bytes(body[:2]) % 31 == 0:  # RFC 1950, 2.2
        return _inflated(body, zlib.MAX_WBITS, largest)
    if body.startswith(_ZSTANDARD):
        return _with_library(body, largest, "zstandard", "ZstdDecompressor", "ZstdError")
    if is_utf_8(body):
        return None
    # Raw deflate and Brotli have no signature, but compressed octets are not UTF-8.
    raw = _inflated(body, -zlib.MAX_WBITS, largest)
    return raw or _with_library(body, largest, "brotli", "Decompressor", "error")


def _inflated(body: bytes, window: int, largest: int) -> bytes | None:
    """Decompress all members of gzip, or one stream of zlib or deflate; return None if that fails at once."""
    members, size = list[bytes](), 0
    with suppress(zlib.error):
        while body and size < largest:
            unpacker = zlib.decompressobj(window)
            members.append(unpacker.decompress(body, largest - size))
            size += len(members[-1])
            if not unpacker.eof and window < 0:  # any octets may begin like deflate, so it must be complete
                return None
            body = unpacker.unused_data if window > zlib.MAX_WBITS else b""
    return b"".join(members) or None


def _with_library(body: bytes, largest: int, module: str, name: str, error: str) -> bytes | None:
    """Decompress with a library; return None if it is not installed, or the body is something else."""
    try:
        library = import_module(module)
    except ModuleNotFoundError:
        return None
    unpacker = getattr(library, name)()
    unpack = unpacker.process if hasattr(unpacker, "process") else unpacker.decompressobj().decompress
    pieces, size = list[bytes](), 0
    for start in range(0, len(body), _PIECE):
        try:
            pieces.append(unpack(body[start : start + _PIECE]))
        except getattr(library, error):
            return None
        size += len(pieces[-1])
        if size > largest:
            break
    return b"".join(pieces) or None
