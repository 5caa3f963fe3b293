"""Lenient JSON: the values in whatever looks like JSON, malformed, cut off or followed by something else.

Each is told with its place in the text, so that one can be replaced and all else stays as it is.
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
"""Fields that tell what is wrong with the field that they are in, not its value."""


class Value(NamedTuple):
    """A string, or something else that is no object or array, and where it is written."""

    start: int
    stop: int
    """Of a string these are the places inside its quotes."""
    written: str
    is_string: bool
    is_named: bool
    """Whether a name that was asked for is above it, at once or further up."""


def values(text: str, is_wanted: Callable[[str], bool]) -> Iterator[Value]:
    """Given text and what tells whether the name of a field is wanted, yield the values in it."""
    context = _Context(is_wanted)
    for match in _TOKEN.finditer(text):
        written = match["string"]
        if mark := match["mark"]:
            context.meet(mark)
        elif written is None:
            yield Value(*match.span(), match[0], False, context.is_named)
        elif _COLON.match(text, match.end()):
            context.take_name(meaning(written))
        else:
            is_named = context.is_named and not context.tells(written)
            yield Value(*match.span("string"), written, True, is_named)


def meaning(written: str) -> str:
    """Given the inside of a JSON string, return what it means, or itself if it means nothing."""
    if "\\" not in written:
        return written
    try:
        return str(json.loads(f'"{written}"', strict=False))
    except ValueError:
        return written


class _Context:
    """Where a reader of JSON is: in which brackets, after which name."""

    def __init__(self, is_wanted: Callable[[str], bool]) -> None:
        self._is_wanted = is_wanted
        self._inside: list[tuple[str, bool]] = [("", False)]  # bracket, and whether a wanted name is above
        self._is_wanted_name = is_wanted("")
        self._is_message = False
        self.is_named = False
        """Whether a wanted name is above the value that comes next."""

    def take_name(self, name: str) -> None:
        """Go past the name of a field; it is looked at once, however many colons follow."""
        self._is_wanted_name = self._is_wanted(name)
        self._is_message = name in _MESSAGE_FIELDS

    def meet(self, mark: str) -> None:
        """Go past a bracket, a colon or a comma."""
        if mark in "[{":
            self._inside.append((mark, self.is_named))
        elif mark in "]}" and len(self._inside) > 1:
            self._inside.pop()
        is_inside = self._inside[-1][1]
        if mark == ":":
            self.is_named = self._is_wanted_name or (is_inside and not self._is_message)
        else:
            self.is_named = is_inside

    def tells(self, written: str) -> bool:
        """Whether a string says what is wrong with a field: `{"email": ["Enter a valid address."]}`."""
        return self._inside[-1][0] == "[" and " " in written and written.endswith(".")
