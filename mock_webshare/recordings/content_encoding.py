"""Content codings (RFC 9110, 8.4): stored bodies are unpacked, within a limit.

Some tools store a body as it was sent, others unpack it but keep the header that says `gzip`. So a body is
unpacked only if it looks packed.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any

from mock_webshare.exchange import limits, streams
from mock_webshare.exchange.streams import Broken, Malformed

ZSTANDARD = b"\x28\xb5\x2f\xfd"
_BROTLI_PIECE = 32
"""Bytes to unpack at a time: ten may become 16 MiB, and most releases of the library have no limit."""
_ZSTANDARD_PIECE = 256
"""Bytes to unpack at a time: four may become 128 KiB."""
_ZSTANDARD_WINDOW = 8 * 1024**2
"""Bytes of the window at most; RFC 9659 requires decoders to support no larger one."""


class _Unpackable(Malformed):
    """The body does not unpack in the named content coding."""


class MissingLibrary(Malformed):
    """The library that unpacks the body is not installed; the message says how to install it."""


def decode(body: bytes, content_encoding: str | None) -> bytes:
    """Return a body without its content codings; raise `Malformed` if it does not unpack."""
    if not body:
        return body
    names = [name.strip().lower() for name in (content_encoding or "").split(",")]
    codings = [CODINGS[name] for name in names if name in CODINGS]
    if len(codings) > limits.MOST_CODINGS:
        raise Malformed("its body has too many content codings")
    for unpack in reversed(codings):
        body = unpack(body)
    return body


def _gzip(body: bytes) -> bytes:
    if not body.startswith(streams.GZIP):
        return body
    stream = streams.Gunzipped(BytesIO(body))
    try:
        return _limited(iter(lambda: stream.read(streams.PIECE), b""))
    except Broken as error:
        raise Malformed("its gzip body does not unpack") from error


def _deflate(body: bytes) -> bytes:
    """Unpack zlib's format, or bare deflate, which some servers send instead (RFC 9110, 8.4.1.2)."""
    for wbits in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        unpacker = zlib.decompressobj(wbits)
        try:
            unpacked = _limited([unpacker.decompress(body, limits.LARGEST_RECORD + 1)])
        except zlib.error:
            continue
        if unpacker.eof and not unpacker.unused_data:
            return unpacked
    return body


def _brotli(body: bytes) -> bytes:
    """Unpack Brotli, which has no signature: text that does not unpack was stored unpacked, and stays."""
    try:
        return _unbrotlied(body)
    except (_Unpackable, MissingLibrary):
        if _is_text(body):
            return body
        raise


def _unbrotlied(body: bytes) -> bytes:
    brotli = _library("brotli", "brotlicffi", coding="br")
    unpacker = brotli.Decompressor()
    try:
        unpacked = _limited(unpacker.process(piece) for piece in _cut(body, _BROTLI_PIECE))
    except brotli.error as error:
        raise _Unpackable("its br body does not unpack") from error
    if not unpacker.is_finished():
        raise _Unpackable("its br body does not unpack")
    return unpacked


def _zstandard(body: bytes) -> bytes:
    if not body.startswith(ZSTANDARD):
        return body
    zstandard = _library("zstandard", coding="zstd")
    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTANDARD_WINDOW).decompressobj()
    try:
        unpacked = _limited(unpacker.decompress(piece) for piece in _cut(body, _ZSTANDARD_PIECE))
    except zstandard.ZstdError as error:
        raise Malformed("its zstd body does not unpack") from error
    if not getattr(unpacker, "eof", True):  # older releases do not report it
        raise Malformed("its zstd body does not unpack")
    return unpacked


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstandard,
}
"""The function that unpacks each coding. A body with any other coding stays unchanged."""


def _limited(parts: Iterable[bytes]) -> bytes:
    found, size = [], 0
    for part in parts:
        found.append(part)
        size += len(part)
        if size > limits.LARGEST_RECORD:
            raise Malformed(f"its body unpacks to more than {limits.LARGEST_RECORD // 1024**2} MiB")
    return b"".join(found)


def _cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def _is_text(body: bytes) -> bool:
    try:
        return body.lstrip(b"\t\r\n")[:1] >= b" " and bool(body.decode())
    except UnicodeDecodeError:
        return False


def _library(*names: str, coding: str) -> Any:
    """Import the first installed one of several equivalent packages."""
    for name in names:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise MissingLibrary(f"a body in it is packed as {coding}; to unpack it: pip install {names[0]}")
