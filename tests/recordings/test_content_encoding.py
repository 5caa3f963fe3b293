"""Which stored bodies are unpacked, which stay unchanged, and which are refused."""

from __future__ import annotations

import gzip
import importlib
import random
import zlib
from typing import Any

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from mock_webshare.exchange import limits
from mock_webshare.exchange.streams import Malformed
from mock_webshare.recordings.content_encoding import CODINGS, decode

BODY = '{"detail": "Caffè"}'.encode()


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PACKERS: dict[str, Any] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "deflate, bare": raw_deflate,
    "br": brotli.compress,
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("body", [b"{}", BODY, BODY * 1000], ids=["short", "usual", "long"])
def test_a_packed_body_is_unpacked(name: str, body: bytes) -> None:
    assert decode(PACKERS[name](body), name.partition(",")[0].upper()) == body


@pytest.mark.parametrize("coding", [*CODINGS, "identity", "compress", "nonsense", "", None])
@pytest.mark.parametrize("body", [b"", b"{}", BODY, b"\n[]", b"plain text", BODY * 1000])
def test_a_body_that_was_stored_unpacked_is_unchanged(coding: str | None, body: bytes) -> None:
    assert decode(body, coding) == body


def test_several_codings_are_decoded_in_reverse() -> None:
    assert decode(gzip.compress(brotli.compress(BODY)), "br, gzip") == BODY


def test_gzip_of_several_members_is_one_body() -> None:
    assert decode(gzip.compress(b"a") + gzip.compress(b"b"), "gzip") == b"ab"


@pytest.mark.parametrize("rest", [b"\0" * 10, b"garbage", b"\x1f"])
def test_bytes_after_gzip_are_ignored(rest: bytes) -> None:
    assert decode(gzip.compress(BODY) + rest, "gzip") == BODY


@pytest.mark.parametrize("name", ["gzip", "br", "zstd"])
def test_a_damaged_body_is_refused(name: str) -> None:
    packed = PACKERS[name](random.Random(0).randbytes(1000))
    for damaged in (packed[:-5], packed[:12] + b"\xff" * 30):
        with pytest.raises(Malformed, match="does not unpack"):
            decode(damaged, name)


@pytest.mark.parametrize("name", PACKERS)
def test_a_body_that_unpacks_to_too_much_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_RECORD", 1024**2)
    with pytest.raises(Malformed, match="more than 1 MiB"):
        decode(PACKERS[name](b"[" * (1024**2 + 1)), name.partition(",")[0])


def test_too_many_codings_are_refused() -> None:
    with pytest.raises(Malformed, match="too many"):
        decode(gzip.compress(BODY), "gzip," * 1000)


@pytest.mark.parametrize(("name", "package"), [("br", "brotli"), ("zstd", "zstandard")])
def test_a_missing_library_is_named(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(module: str) -> Any:
        raise ModuleNotFoundError(module)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(Malformed, match=f"to unpack it: pip install {package}"):
        decode(PACKERS[name](BODY), name)
    assert decode(BODY, name) == BODY


@given(st.binary(), st.sampled_from([*CODINGS]))
def test_any_bytes_are_decoded_or_malformed(body: bytes, coding: str) -> None:
    try:
        decode(body, coding)
    except Malformed as error:
        assert str(error).startswith("its ")


@given(st.binary(max_size=2000), st.sampled_from(list(PACKERS)))
def test_what_was_packed_comes_back(body: bytes, name: str) -> None:
    assert decode(PACKERS[name](body), name.partition(",")[0]) == body
