"""Locating: the line on which a JSON pointer points, in a document that is valid JSON."""

from __future__ import annotations

import json
import re

_BLANKS = re.compile(r"[ \t\r\n]*")
_READER = json.JSONDecoder(parse_int=str, parse_float=str)  # a number may be too long for `int`


def line_of(text: str, pointer: str) -> int:
    """Given a document and a JSON pointer, return the line of the value, counted from 1.

    Of a value that is not there it is the line on which whatever should hold it begins.
    """
    position = _skip(text, 0)
    for key in pointer.split("/")[1:]:
        inside = _enter(text, position, key.replace("~1", "/").replace("~0", "~"))
        if inside is None:
            break
        position = inside
    return text.count("\n", 0, position) + 1


def _skip(text: str, position: int) -> int:
    match = _BLANKS.match(text, position)
    assert match
    return match.end()


def _enter(text: str, position: int, key: str) -> int | None:
    """Given where an object or array begins, return where its value of a key does; None: it has none."""
    is_object = text[position] == "{"
    if not is_object and text[position] != "[":
        return None
    index, position = 0, _skip(text, position + 1)
    found = None
    while text[position] not in "]}":
        name = str(index)
        if is_object:
            name, position = _READER.raw_decode(text, position)
            position = _skip(text, _skip(text, position) + 1)  # past the colon
        if name == key:
            found = position  # of a key that is there twice the last one counts, as it does elsewhere
            if not is_object:
                return found
        _, position = _READER.raw_decode(text, position)
        position = _skip(text, position)
        if text[position] == ",":
            position = _skip(text, position + 1)
        index += 1
    return found
