"""Line numbers of JSON pointers in a valid document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

_BLANKS = re.compile(r"[ \t\r\n]*")
_READER = json.JSONDecoder(parse_int=str, parse_float=str)  # a number may be too long for `int`


class Locator:
    """Finds the lines of values in a document; each object or array is searched once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._inside = cache(self._members)
        self._counted = (0, 1)  # the last position and its line: callers mostly ask for lines in order

    def line(self, pointer: str) -> int:
        """Return the line of the value at a JSON pointer, counted from 1.

        For a missing value, it is the first line of the object or array that should contain it.
        """
        position = _skip(self._text, 0)
        for key in pointer.split("/")[1:]:
            inside = self._inside(position).get(key.replace("~1", "/").replace("~0", "~"))
            if inside is None:
                break
            position = inside
        return self._line_at(position)

    def _line_at(self, position: int) -> int:
        start, line = self._counted if self._counted[0] <= position else (0, 1)
        line += self._text.count("\n", start, position)
        self._counted = position, line
        return line

    def _members(self, position: int) -> dict[str, int]:
        """Return the positions of the values inside the value at a position, by key or index."""
        return dict(_members(self._text, position))


def _members(text: str, position: int) -> Iterator[tuple[str, int]]:
    is_object = text[position] == "{"
    if not is_object and text[position] != "[":
        return
    index, position = 0, _skip(text, position + 1)
    while text[position] not in "]}":
        name = str(index)
        if is_object:
            name, position = _READER.raw_decode(text, position)
            position = _skip(text, _skip(text, position) + 1)  # past the colon
        yield name, position  # the last of repeated keys counts, as elsewhere
        _, position = _READER.raw_decode(text, position)
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
        index += 1


def _skip(text: str, position: int) -> int:
    match = _BLANKS.match(text, position)
    assert match
    return match.end()
