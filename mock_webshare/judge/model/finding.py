"""Finding: one thing that is wrong, as data; `reports` has the wording."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from mock_webshare.contract.model import Mark

LONGEST_EXCERPT = 80
"""Characters of an offending value that a finding shows."""


class Level(StrEnum):
    """The severity of a finding, the most severe first."""

    ERROR = "error"  # the documented contract is broken
    WARNING = "warning"  # the service has changed, or is set up differently
    NOTE = "note"  # something assumed is otherwise: the rule names the setting
    INFO = "info"  # allowed, and worth knowing
    INCONCLUSIVE = "inconclusive"  # data may have moved between two requests

    @property
    def rank(self) -> int:
        """The position in the order of levels, 0 for the most severe."""
        return [*Level].index(self)


LEVELS = {
    Mark.DOCUMENTED: Level.ERROR,
    Mark.OBSERVED: Level.WARNING,
    Mark.FRAMEWORK: Level.WARNING,
    Mark.ASSUMED: Level.NOTE,
}
"""The severity of breaking a rule, by how the rule is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was found: the file, and what is known of the place inside."""

    source: str
    """The file, as the user named it."""
    pointer: str = ""
    """JSON pointer (RFC 6901) into the body of the response. Empty: the whole body."""
    entry: int | None = None
    """Which record of the file it is, counted from 0. None: the file is this one record."""
    line: int | None = None
    """The line of the file, counted from 1. None: the format has no lines, or the pointer is enough."""
    column: int | None = None
    """Counted from 1, in characters. None: the whole line."""
    offset: int | None = None
    """Counted from 0, in bytes of the body. None: the other fields identify the place."""
    method: str | None = None
    """None: not recorded."""
    url: str | None = None
    """The URL of the request, without what may be secret. None: not recorded."""

    @property
    def is_file(self) -> bool:
        """Whether the body is the whole file, so that lines and columns of both are the same."""
        return self.entry is None and self.url is None

    def at(self, *keys: str | int) -> Place:
        """Return the place of a value in the body by the keys that lead to it."""
        return replace(self, pointer=pointer(keys))


class Line(NamedTuple):
    """A line of a body whose values are hidden, except the one that a finding is about."""

    number: int | None
    """Counted from 1. None: the body does not have the line, but should."""
    text: str
    is_marked: bool = False
    """Whether the finding is about this line."""


class Neighbours(NamedTuple):
    """Excerpts of two neighbouring rows; the finding is about the second one."""

    first_id: str
    second_id: str
    first_value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One violation of a rule, at one place."""

    rule: str
    """The id of the rule, a key of `rulebook.rules_of(contract)`."""
    mark: Mark
    place: Place
    check: str
    """Which check of the rule failed: a JSON Schema keyword, or the rule's id if it has one check only."""
    expected: Any = None
    """What the check expects, as JSON data. None: the name of the check is enough."""
    actual: str | None = None
    """An `excerpt` of the value. None: there is no value."""
    fixed_level: Level | None = None
    """The level if it does not follow from the mark. None: it does."""
    other: Place | None = None
    """The earlier response that this one contradicts. None: this response is wrong by itself."""
    neighbours: Neighbours | None = None
    """The rows whose order is wrong. None: the finding is not about two rows."""
    outline: tuple[Line, ...] = ()
    """The lines of the body around the value. Empty: not kept, or the finding is not about a value."""

    @property
    def level(self) -> Level:
        """The severity."""
        return self.fixed_level or LEVELS[self.mark]

    @property
    def actual_type(self) -> str:
        """The JSON type of the actual value, `number` for any number; empty: no value, or not a JSON one."""
        start = (self.actual or "N").removeprefix("-")[:1]
        return _TYPES_BY_START.get(start, "number")


_TYPES_BY_START = {
    '"': "string",
    "{": "object",
    "[": "array",
    "t": "boolean",
    "f": "boolean",
    "n": "null",
    "N": "",
    "I": "",
}
"""JSON types by the first character of an excerpt."""


def pointer(keys: Iterable[str | int]) -> str:
    """Return the JSON pointer of keys: `/a/0/b~1c` of `["a", 0, "b/c"]`."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


_INDEX = re.compile(r"/\d+(?=/|$)")


def starred(path: str) -> str:
    """Return a pointer or path with a star for each index or id: `/results/*/id` of `/results/7/id`."""
    return _INDEX.sub("/*", path)


def keys_of(pointer: str) -> list[str]:
    """Return the keys of a JSON pointer: `["a", "0", "b/c"]` of `/a/0/b~1c`."""
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def printable(text: str) -> str:
    """Return a text with everything that could drive a terminal as JSON escapes."""
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def shorten(text: str, limit: int = LONGEST_EXCERPT) -> str:
    """Return a text; of a longer one, its first `limit` characters and the number of all characters."""
    return text[:limit] + _rest(text, limit)


def _rest(text: str, limit: int) -> str:
    return f"... ({len(text)} characters)" if len(text) > limit else ""


def excerpt(value: Any) -> str:
    """Return a JSON value as one short, harmless line.

    Of an object or array, it shows only the size: the content may be private.
    """
    match value:
        case dict():
            return f"{{...}} (fields: {len(value)})"
        case list():
            return f"[...] (items: {len(value)})"
        case str():
            quoted = json.dumps(value[:LONGEST_EXCERPT], ensure_ascii=False)
            return printable(quoted) + _rest(value, LONGEST_EXCERPT)
        case None | bool() | int() | float():
            return shorten(json.dumps(value))
        case _:  # a `Decimal`, or a literal that is not JSON
            return shorten(str(value))
