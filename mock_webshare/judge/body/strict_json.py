"""Strict JSON: RFC 8259 without what parsers understand differently.

Python's own parser is lenient: it accepts NaN, drops repeated keys, and fails with three different
exceptions. Here each of these is a finding. A document is parsed quickly first; only a doubtful one is
parsed again, slowly, to find what is wrong and where.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NoReturn

from mock_webshare.contract.model import Mark, Rule
from mock_webshare.exchange.limits import MOST_PARTS, has_many
from mock_webshare.judge.model.finding import Finding, Place, excerpt, pointer, printable, shorten

DEEPEST = 100
"""Objects and arrays inside each other. The service needs four."""
LONGEST_NUMBER = 300
"""Characters of a number: more than any amount has, and fewer than the lowest limit of `int()` (640)."""
LARGEST_EXPONENT = 307
"""The largest decimal exponent, positive or negative, with which a double holds every number."""

_D, _F = Mark.DOCUMENTED, Mark.FRAMEWORK

RULES = (
    Rule("json.utf-8", _F, "JSON is written in UTF-8."),
    Rule("json.byte-order-mark", _F, "JSON does not begin with a byte order mark."),
    Rule("json.empty", _D, "A body is a JSON document; it is not empty."),
    Rule("json.syntax", _D, "A body is one JSON document and nothing else."),
    Rule("json.depth", _F, f"Objects and arrays are nested no deeper than {DEEPEST}."),
    Rule("json.duplicate-key", _F, "A key occurs once in an object: readers disagree on which one counts."),
    Rule("json.constant", _F, "NaN and Infinity are not JSON."),
    Rule("json.number", _F, "A number has a size that every reader holds."),
    Rule("json.size", _F, f"A body has no more than {MOST_PARTS:,} values."),
)
"""The rules for a body, whatever it contains."""

_MARKS = {rule.id: rule.mark for rule in RULES}


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document: its value, or the findings because of which it has none.

    Numbers with a fraction or an exponent are `Decimal`s, which keep every digit.
    """

    value: Any = None
    """If there are no findings; None is JSON `null`."""
    findings: tuple[Finding, ...] = ()


def parse(body: bytes, place: Place) -> Document:
    """Parse the bytes of a document at a place; raise nothing."""
    if has_many(body):
        return _refuse("json.size", place, f"more than {MOST_PARTS:,}")
    try:
        value = _FAST.decode(body.decode())
    except (ValueError, RecursionError):
        return _parse_slowly(body, place)
    return Document(value) if _is_shallow(value) else _parse_slowly(body, place)


class _Doubt(ValueError):
    """Raised by the fast parser for what the slow one may refuse."""


def _plain_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) < len(pairs):
        raise _Doubt
    return built


_LONGEST_PLAIN = 30  # characters of a number that is not doubtful


def _plain_integer(text: str) -> int:
    if len(text) > _LONGEST_PLAIN:
        raise _Doubt
    return int(text)


def _plain_decimal(text: str) -> Decimal:
    if len(text) > _LONGEST_PLAIN or "e" in text or "E" in text:
        raise _Doubt
    return Decimal(text)


def _no_constant(text: str) -> NoReturn:
    raise _Doubt


_FAST = json.JSONDecoder(
    object_pairs_hook=_plain_object,
    parse_int=_plain_integer,
    parse_float=_plain_decimal,
    parse_constant=_no_constant,
)


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inside
            for part in level
            if type(part) is dict or type(part) is list
            for inside in (part.values() if type(part) is dict else part)
            if type(inside) is dict or type(inside) is list
        ]
        if not level:
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Refused:
    """Stands in a document for a literal that is refused, until its pointer is known."""

    rule: str
    text: str


def _parse_slowly(body: bytes, place: Place) -> Document:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        there = replace(place, offset=error.start)
        return _refuse("json.utf-8", there, f"0x{body[error.start]:02x}")
    if text.startswith("\ufeff"):
        return _refuse("json.byte-order-mark", place, excerpt("\ufeff"))
    if not text.strip(" \t\r\n"):
        return _refuse("json.empty", place)
    return _load(text, place)


def _refuse(rule: str, place: Place, actual: str | None = None, expected: str | None = None) -> Document:
    return Document(findings=(_finding(rule, place, actual, expected),))


def _finding(rule: str, place: Place, actual: str | None, expected: str | None = None) -> Finding:
    return Finding(rule=rule, mark=_MARKS[rule], place=place, check=rule, actual=actual, expected=expected)


def _too_deep(place: Place) -> Finding:
    return _finding("json.depth", place, f"more than {DEEPEST}")


def _load(text: str, place: Place) -> Document:
    repeated = _RepeatedKeys()
    try:
        value = json.loads(
            text,
            object_pairs_hook=repeated.build,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        there = text[error.pos : error.pos + 1]
        return _refuse("json.syntax", _where(error, place), excerpt(there) if there else None, error.msg)
    except RecursionError:
        return Document(findings=(_too_deep(place),))
    return Document(value, tuple(_inspect(value, repeated, place)))


def _where(error: json.JSONDecodeError, place: Place) -> Place:
    if place.is_file:
        return replace(place, line=error.lineno, column=error.colno)
    return replace(place, offset=len(error.doc[: error.pos].encode()))


class _RepeatedKeys:
    """Builds the objects of a document, and notes the repeated keys of each."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[dict[str, Any], list[str]]] = {}

    def build(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) < len(pairs):
            times = Counter(key for key, _ in pairs)
            # The object is kept, so that no other one gets its id.
            self._found[id(built)] = built, [key for key in built if times[key] > 1]
        return built

    def of(self, value: Any) -> list[str]:
        """Return the repeated keys of a part of the document."""
        return self._found[id(value)][1] if id(value) in self._found else []


def _integer(text: str) -> int | _Refused:
    return int(text) if len(text) <= LONGEST_NUMBER else _Refused("json.number", text)


def _decimal(text: str) -> Decimal | _Refused:
    try:
        value = Decimal(text)
    except ArithmeticError:  # an exponent of more than 18 digits
        return _Refused("json.number", text)
    is_held = len(text) <= LONGEST_NUMBER and abs(value.adjusted()) <= LARGEST_EXPONENT
    return value if is_held else _Refused("json.number", text)


def _constant(text: str) -> _Refused:
    return _Refused("json.constant", text)


def _inspect(value: Any, repeated: _RepeatedKeys, place: Place) -> Iterator[Finding]:
    """Yield the findings whose pointers are only known after parsing."""
    for path, part in _parts(value):
        if len(path) >= DEEPEST and isinstance(part, dict | list):
            yield _too_deep(place)
            return
        if isinstance(part, _Refused):
            found = [(part.rule, printable(shorten(part.text)))]
        else:
            found = [("json.duplicate-key", excerpt(key)) for key in repeated.of(part)]
        for rule, actual in found:
            yield _finding(rule, replace(place, pointer=pointer(path)), actual)


_DOUBTFUL = (dict, list, _Refused)


def _parts(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the path and value of each part that may be wrong, outer parts first."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while waiting:
        path, part = waiting.pop()
        yield path, part
        inside: Any = ()
        if isinstance(part, dict):
            inside = part.items()
        elif isinstance(part, list):
            inside = enumerate(part)
        waiting.extend(reversed([((*path, key), each) for key, each in inside if type(each) in _DOUBTFUL]))
