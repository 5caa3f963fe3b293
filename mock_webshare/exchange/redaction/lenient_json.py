"""Values of JSON that may be malformed, cut off or followed by something else.

Each value has its place in the text, so that it can be replaced while the rest stays unchanged.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TOKEN = re.compile(
    r"\"(?P<string>[^\"\\]*(?:\\.[^\"\\]*)*\\?)(?:\"|\Z)|(?P<mark>[{}\[\]:,])|(?P<other>[^\s\"{}\[\]:,]+)",
    re.DOTALL,
)
_COLON = re.compile(r"\s*:")
_MESSAGE_FIELDS = frozenset({"code", "detail", "message"})
"""Fields that describe an error of the field that contains them, and not its value."""


class Value(NamedTuple):
    """A string, or another value that is not an object or array, and its place in the text."""

    start: int
    stop: int
    """Of a string, these are the places inside its quotes."""
    written: str
    is_string: bool
    is_named: bool
    """Whether it is the value of a wanted field, or inside it."""


def values(text: str, is_wanted: Callable[[str], bool]) -> Iterator[Value]:
    """Yield the values in a text; `is_wanted` decides on the name of a field."""
    context = _Context(is_wanted)
    for match in _TOKEN.finditer(text):
        written = match["string"]
        if mark := match["mark"]:
            context.pass_mark(mark)
        elif written is None:
            yield Value(*match.span(), match[0], False, context.is_named)
        elif _COLON.match(text, match.end()):
            context.pass_name(decoded(written))
        else:
            is_named = context.is_named and not context.is_error(written)
            yield Value(*match.span("string"), written, True, is_named)


def decoded(written: str) -> str:
    """Decode the inside of a JSON string; return it unchanged if it is malformed."""
    if "\\" not in written:
        return written
    try:
        return str(json.loads(f'"{written}"', strict=False))
    except ValueError:
        return written


class _Context:
    """The brackets around the current place of a JSON reader, and the name before it."""

    def __init__(self, is_wanted: Callable[[str], bool]) -> None:
        self._is_wanted = is_wanted
        self._brackets: list[tuple[str, bool]] = [("", False)]
        """Each with whether it is in a wanted field."""
        self._is_wanted_name = is_wanted("")
        self._is_message = False
        self.is_named = False
        """Whether the next value is that of a wanted field, or inside it."""

    def pass_name(self, name: str) -> None:
        """Enter a field; its name is checked once, however many colons follow."""
        self._is_wanted_name = self._is_wanted(name)
        self._is_message = name in _MESSAGE_FIELDS

    def pass_mark(self, mark: str) -> None:
        """Pass a bracket, a colon or a comma."""
        if mark in "[{":
            self._brackets.append((mark, self.is_named))
        elif mark in "]}" and len(self._brackets) > 1:
            self._brackets.pop()
        self.is_named = self._brackets[-1][1]
        if mark == ":":
            self.is_named = self._is_wanted_name or (self.is_named and not self._is_message)

    def is_error(self, written: str) -> bool:
        """Return whether a string is the message in `{"email": ["Enter a valid address."]}`."""
        return self._brackets[-1][0] == "[" and " " in written and written.endswith(".")
