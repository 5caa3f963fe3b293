"""Values of JSON that may be malformed, cut off or followed by something else.

Each value has its place in the text, so that it can be replaced while the rest stays unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

_TOKEN = re.compile(
    r"\"(?P<string>[^\"\\]*(?:\\.[^\"\\]*)*\\?)(?:\"|\Z)|(?P<mark>[{}\[\]:,])|(?P<other>[^\s\"{}\[\]:,]+)",
    re.DOTALL,
)
_COLON = re.compile(r"\s*:")
_MESSAGE_FIELDS = frozenset({"code", "detail", "message", "type", "label", "help_text"})
"""Fields that describe the field around them, or an error of that field: they do not hold its value."""
_NAMING_FIELDS = frozenset(
    {"name", "key", "k", "id", "label", "field", "header", "parameter", "param", "variable"}
)
_CONTENT_FIELDS = frozenset({"value", "values", "val", "v", "content", "text", "data", "secret"})
_FLAT_PAIRS = frozenset({"rawHeaders", "raw_headers"})
"""Arrays in which names and values take turns, as Node.js has them."""


class Value(NamedTuple):
    """A string, or another value that is not an object or array, and its place in the text."""

    start: int
    stop: int
    """`start` and `stop` of a string are the places inside its quotes."""
    written: str
    is_string: bool
    is_named: bool
    """Whether this is the value of a wanted field, or inside the value of one."""


def values(text: str, is_wanted: Callable[[str], bool]) -> list[Value]:
    """Return the values in a text in their order; `is_wanted(name)` decides which fields are wanted.

    The name of a field may also be a value: `{"name": "api_key", "value": "abc"}`, `["api_key", "abc"]`.
    """
    context = _Context(is_wanted)
    for match in _TOKEN.finditer(text):
        written = match["string"]
        if mark := match["mark"]:
            context.pass_mark(mark)
        elif written is None and _COLON.match(text, match.end()):  # a name without quotes, as in JavaScript
            context.pass_name(match[0])
        elif written is None:
            context.pass_value(Value(*match.span(), match[0], False, context.is_named))
        elif _COLON.match(text, match.end()):
            context.pass_name(decoded(written))
        else:
            is_named = context.is_named and not context.is_error(written)
            context.pass_value(Value(*match.span("string"), written, True, is_named))
    return context.values()


def decoded(written: str) -> str:
    """Decode the inside of a JSON string; return it unchanged if it is malformed."""
    if "\\" not in written:
        return written
    try:
        return str(json.loads(f'"{written}"', strict=False))
    except ValueError:
        return written


class _Bracket:
    """An object or array that is being read."""

    def __init__(self, mark: str, name: str, is_named: bool, start: int) -> None:
        self.mark, self.name, self.is_named = mark, name, is_named
        """`[` or `{`, empty at the top; the field around the bracket; whether this field is wanted."""
        self.start = start
        """The index of the first value in the bracket."""
        self.name_index: int | None = None
        """The index of the value in an object that may be a name."""
        self.content: list[range] = []
        """The indexes of the values that may have that name: a range for each field or element."""


class _Context:
    """The brackets around the current place of a JSON reader, and the name before it."""

    def __init__(self, is_wanted: Callable[[str], bool]) -> None:
        self._is_wanted = is_wanted
        self._brackets = [_Bracket("", "", False, 0)]
        self._name = ""
        self._is_wanted_name = is_wanted("")
        self._values: list[Value] = []
        self._names: set[int] = set()
        self._content: list[range] = []
        """The indexes of values that are names (`_names`), and of the values that have these names."""
        self.is_named = False
        """Whether the next value is the value of a wanted field, or inside the value of one."""

    def pass_name(self, name: str) -> None:
        """Enter a field; its name is checked once, however many colons follow."""
        self._name = name
        self._is_wanted_name = self._is_wanted(name)

    def pass_value(self, value: Value) -> None:
        """Keep a value, and note whether it may name another one."""
        number = len(self._values)
        self._values.append(value)
        bracket = self._brackets[-1]
        if bracket.mark == "{" and self._name.lower() in _NAMING_FIELDS:
            bracket.name_index = number
        else:
            self._note_content(bracket, self._name, number)

    def pass_mark(self, mark: str) -> None:
        if mark in "[{":
            self._brackets.append(_Bracket(mark, self._name, self.is_named, len(self._values)))
        elif mark in "]}" and len(self._brackets) > 1:
            self._close(self._brackets.pop())
        self.is_named = self._brackets[-1].is_named
        if mark == ":":
            is_message = self._name in _MESSAGE_FIELDS
            self.is_named = self._is_wanted_name or (self.is_named and not is_message)

    def is_error(self, written: str) -> bool:
        """Return whether a string is the message in `{"email": ["Enter a valid address."]}`."""
        return self._brackets[-1].mark == "[" and " " in written and written.endswith(".")

    def values(self) -> list[Value]:
        """Return all values, with `is_named` set also for those whose name is another value."""
        depths = [0] * (len(self._values) + 1)
        for each in self._content:
            depths[each.start] += 1
            depths[each.stop] -= 1
        found = []
        for number, (value, depth) in enumerate(zip(self._values, accumulate(depths), strict=False)):
            is_named = (value.is_named or depth > 0) and number not in self._names
            found.append(value._replace(is_named=is_named) if is_named != value.is_named else value)
        return found

    def _note_content(self, bracket: _Bracket, name: str, start: int) -> None:
        if bracket.mark == "[" or (bracket.mark and name.lower() in _CONTENT_FIELDS):
            bracket.content.append(range(start, len(self._values)))

    def _close(self, bracket: _Bracket) -> None:
        """Note the pairs of a name and a value that a bracket contains."""
        self._note_content(self._brackets[-1], bracket.name, bracket.start)
        content = bracket.content
        if bracket.mark == "{":
            pairs = [([bracket.name_index], each) for each in content if bracket.name_index is not None]
        elif len(content) == 2 or bracket.name in _FLAT_PAIRS:
            pairs = [(list(name), each) for name, each in zip(content[::2], content[1::2], strict=False)]
        else:
            return
        for names, each in pairs:
            value = self._values[names[0]] if len(names) == 1 else None
            if value and value.is_string and self._is_wanted(decoded(value.written)):
                self._names.update(names)
                self._content.append(each)
