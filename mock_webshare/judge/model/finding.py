"""Finding: one thing that is wrong, as data. The words for it are in `reports`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mock_webshare.contract.model import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_EXCERPT = 80
"""Characters of an offending value that a finding shows."""


class Level(StrEnum):
    """How grave a finding is, the gravest first."""

    ERROR = "error"  # the documented contract is broken
    WARNING = "warning"  # the service has changed, or is set up differently
    NOTE = "note"  # something assumed is otherwise: the rule names the setting
    NEWS = "news"  # allowed, and worth knowing
    INCONCLUSIVE = "inconclusive"  # data may have moved between two requests


LEVELS = {
    Mark.DOCUMENTED: Level.ERROR,
    Mark.OBSERVED: Level.WARNING,
    Mark.FRAMEWORK: Level.WARNING,
    Mark.ASSUMED: Level.NOTE,
}
"""What breaking a rule weighs, by how the rule is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something was found: in a file, and as exactly as it is known inside."""

    source: str
    """The file, as the user named it."""
    pointer: str = ""
    """JSON pointer (RFC 6901) into the body of the response. Empty: the whole of it."""
    entry: int | None = None
    """Which record of the file it is, counted from 0. None: the file is this one record."""
    line: int | None = None
    """The line of the file, counted from 1. None: the format has no lines, or the pointer says it."""
    column: int | None = None
    """Counted from 1, in characters. None: the whole line."""
    offset: int | None = None
    """Counted from 0, in bytes of the body. None: the other fields say it."""
    method: str | None = None
    """None: not recorded."""
    url: str | None = None
    """What was asked for, without what may be secret in it. None: not recorded."""

    @property
    def is_file(self) -> bool:
        """Whether the body is the whole file, so that lines and columns of the one are those of the other."""
        return self.entry is None and self.url is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule says about a place."""

    rule: str
    """The id of the rule: one of the contract's, or of the reader's own."""
    mark: Mark
    place: Place
    check: str
    """Which check of the rule failed: a JSON Schema keyword, or the rule's id where it has one check only."""
    expected: Any = None
    """What the check wanted, as JSON data. None: the check says it all."""
    actual: str | None = None
    """An `excerpt` of what is there. None: nothing is there."""
    grade: Level | None = None
    """The level, where it is not the one that follows from the mark."""
    other: Place | None = None
    """The earlier answer that this one contradicts. None: it needs no other one to be wrong."""

    @property
    def level(self) -> Level:
        """How grave it is."""
        return self.grade or LEVELS[self.mark]


def pointer(keys: Iterable[str | int]) -> str:
    """Given keys from the root down, return the pointer: `["results", 0, "a/b"]` is `/results/0/a~1b`."""
    return "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)


def printable(text: str) -> str:
    """Given any text, return it with everything that could drive a terminal as JSON escapes."""
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def shorten(text: str, limit: int = LONGEST_EXCERPT) -> str:
    """Given any text, return it, or its first `limit` characters and how many there are."""
    return text[:limit] + _rest(text, limit)


def _rest(text: str, limit: int) -> str:
    return f"... ({len(text)} characters)" if len(text) > limit else ""


def excerpt(value: Any) -> str:
    """Given a JSON value, return it as one short, harmless line.

    Of an object or array only the size is told: what is in it may be none of the reader's business.
    """
    match value:
        case dict():
            return f"{{...}} (fields: {len(value)})"
        case list():
            return f"[...] (items: {len(value)})"
        case str():
            quoted = json.dumps(value[:LONGEST_EXCERPT], ensure_ascii=False)
            return printable(quoted) + _rest(value, LONGEST_EXCERPT)
        case Decimal():
            return shorten(str(value))
        case _:
            return shorten(json.dumps(value))
