"""The encoding of a body by its octets and its media type."""

from __future__ import annotations

import codecs

import pytest

from mock_webshare.exchange.redaction import body_text

TEXT = '{"token":"abc"}'
ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_encoding_of_json_is_detected_by_its_octets(encoding: str) -> None:
    assert body_text.codec(TEXT.encode(encoding), None) == encoding


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_encoding_of_other_text_is_detected_by_its_media_type(encoding: str) -> None:
    body, content_type = "\u017e\u00e1".encode(encoding), f'text/plain; charset="{encoding}"'
    assert body_text.codec(body, content_type) == encoding
    assert body_text.codec(body, content_type.upper()) == encoding.upper()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_big_endian_byte_order_mark_is_detected(encoding: str) -> None:
    mark = {"utf-16": codecs.BOM_UTF16_BE, "utf-32": codecs.BOM_UTF32_BE}[encoding]
    body = mark + TEXT.encode(f"{encoding}-be")
    found = body_text.codec(body, None)
    assert TEXT in body.decode(found)
    assert body.decode(found).encode(found) == body


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe\x00", TEXT.encode("utf-16")[:-1]])
def test_other_bodies_are_utf_8(body: bytes) -> None:
    assert body_text.codec(body, None) == "utf-8"
