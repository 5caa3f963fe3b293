"""JSON limits: how many values a text may have, for each takes far more memory than its text."""

from __future__ import annotations

import re

MOST_PARTS = 1_000_000
"""Values in a record, and in a body. A page of a hundred credits has about a thousand."""

STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
"""A string of JSON, with its quotes."""
STRING_OR_REST = re.compile(STRING.pattern + rb"?", re.DOTALL)
"""The same, or one without an end, in which no other one is looked for: that would take quadratic time."""


def has_many(text: bytes) -> bool:
    """Return whether a JSON text has more than about `MOST_PARTS` values."""
    if len(text) <= MOST_PARTS or _commas_and_brackets(text) <= MOST_PARTS:
        return False
    return _commas_and_brackets(STRING_OR_REST.sub(b"", text)) > MOST_PARTS


def _commas_and_brackets(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")
