"""How places are named and values are shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_webshare.judge.model.finding import LONGEST_EXCERPT, excerpt, pointer, printable


@pytest.mark.parametrize(
    ("keys", "expected"),
    [([], ""), (["results", 0, "id"], "/results/0/id"), (["a/b", "c~d", ""], "/a~1b/c~0d/")],
)
def test_a_pointer_escapes_its_keys(keys: list[str | int], expected: str) -> None:
    assert pointer(keys) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2.50", '"2.50"'),
        (Decimal("2.50"), "2.50"),
        (True, "true"),
        (None, "null"),
        ("caffè", '"caffè"'),
        ({"secret": "x"}, "{...} (fields: 1)"),
        (["secret", 2], "[...] (items: 2)"),
        ("\x1b[31m\n\x7f\x9b\u202e", r'"\u001b[31m\n\u007f\u009b\u202e"'),
        ("\ud800", r'"\ud800"'),
        ("x" * 1000, f'"{"x" * LONGEST_EXCERPT}"... (1000 characters)'),
    ],
)
def test_an_excerpt_shows_the_value_and_no_more(value: Any, expected: str) -> None:
    assert excerpt(value) == expected


@settings(deadline=None)
@given(st.text())
def test_printable_text_is_printable(text: str) -> None:
    assert printable(text).isprintable()
