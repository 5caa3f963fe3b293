"""Values in malformed JSON, and whether they are in a wanted field."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_webshare.exchange.redaction.lenient_json import decoded, values

NAMED = [
    ('{"key":"a","b":"c"}', ["a"]),
    ('{"key" :\n "a"}', ["a"]),
    ('{"key":{"b":"a","c":["d"]},"e":"f"}', ["a", "d"]),
    ('{"key":["a",{"b":"c"},"d"],"e":"f"}', ["a", "c", "d"]),
    ('{"key":["Enter a valid key."]}', []),
    ('{"key":{"message":"a","code":"b","value":"c"}}', ["c"]),
    ('{"b":{"key":"a"},"c":"d"}', ["a"]),
    ('{"k\\u0065y":"a\\"b"}', ['a\\"b']),
    ('{"key":"a', ["a"]),
    ('{"key":"a\\', ["a\\"]),
    ('}]"key":"a"', ["a"]),
    ('{"key":1.5,"b":2}', ["1.5"]),
    ('{"b":"key","c":"d"}', []),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), NAMED)
def test_values_under_a_name(text: str, expected: list[str]) -> None:
    assert [value.written for value in values(text, "key".__eq__) if value.is_named] == expected


@given(st.text(st.characters(codec="utf-8")) | st.text('{}[]",:\\ nu'))
def test_any_text_is_read_with_the_places_of_its_values(text: str) -> None:
    for value in values(text, "".__eq__):
        assert text[value.start : value.stop] == value.written


@given(st.text(st.characters(codec="utf-8")), st.booleans())
def test_encoded_strings_are_decoded(text: str, is_ascii: bool) -> None:
    assert decoded(json.dumps(text, ensure_ascii=is_ascii)[1:-1]) == text
