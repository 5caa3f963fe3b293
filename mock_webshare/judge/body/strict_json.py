"""Strict JSON: RFC 8259 without what parsers understand differently.

Python's own parser is lenient: it accepts NaN, drops repeated keys, and fails with three different
exceptions. Here each of these is a finding, and the document is judged all the same, as far as it can be
read. A document is parsed quickly first; only a doubtful one is parsed again, slowly, to find what is wrong
and where.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NoReturn, TypeAlias

from mock_webshare.contract.model import Mark, Rule
from mock_webshare.exchange.limits import MOST_PARTS, has_many
from mock_webshare.judge.model.finding import Finding, Level, Place, excerpt, pointer, printable, shorten

DEEPEST = 100
"""Levels of objects and arrays inside each other. The service needs four."""
LONGEST_NUMBER = 300
"""Characters of a number: more than any amount has, and fewer than the lowest limit of `int()` (640)."""
LARGEST_EXPONENT = 307
"""The largest decimal exponent, positive or negative, with which a double holds every number."""

_BLANKS = " \t\r\n"
_LARGEST = Decimal(f"1E{LARGEST_EXPONENT}")
"""The value with which a larger number is replaced, so that rules can compare it."""

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
    """A parsed document: its value, and what is wrong with its text.

    Numbers with a fraction or an exponent are `Decimal`s, which keep every digit. NaN and Infinity are
    `NotJson`. Of repeated keys the last one counts, as in most parsers.
    """

    value: Any = None
    """None: JSON `null`, or the text cannot be parsed (see `is_parsed`)."""
    findings: tuple[Finding, ...] = ()
    is_parsed: bool = True
    """False: the findings say why the text cannot be parsed."""


@dataclass(frozen=True, slots=True)
class NotJson:
    """The value of a literal that is not JSON, such as `NaN`; it has no JSON type."""

    text: str

    def __str__(self) -> str:
        return self.text


def parse(body: bytes, place: Place) -> Document:
    """Parse the bytes of a document at a place; raise nothing."""
    if has_many(body):
        return _unparsed(_finding("json.size", place, f"more than {MOST_PARTS:,}"))
    try:
        value = _FAST.decode(body.decode())
    except (ValueError, RecursionError):
        return _parse_slowly(body, place)
    return Document(value) if _is_shallow(value) else _parse_slowly(body, place)


class _Doubt(ValueError):
    """Raised by the fast parser where the slow parser may refuse something."""


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
    value: Any
    """The value that then takes its place."""


def _parse_slowly(body: bytes, place: Place) -> Document:
    text, wrong_encoding = _decoded(body, place)
    document = _load(text.removeprefix("\ufeff"), place)
    if wrong_encoding and not document.is_parsed:
        return _unparsed(wrong_encoding)
    mark = _finding("json.byte-order-mark", place, excerpt("\ufeff")) if text.startswith("\ufeff") else None
    findings = (each for each in (wrong_encoding, mark, *document.findings) if each)
    return replace(document, findings=tuple(findings))


def _decoded(body: bytes, place: Place) -> tuple[str, Finding | None]:
    """Return the text of a body, and the finding if it is not UTF-8; U+FFFD replaces wrong bytes."""
    encoding = json.detect_encoding(body).removesuffix("-sig")  # the mark has a rule of its own
    if encoding != "utf-8":
        return body.decode(encoding, "replace"), _finding("json.utf-8", place, encoding.upper())
    try:
        return body.decode(), None
    except UnicodeDecodeError as error:
        wrong = _finding("json.utf-8", replace(place, offset=error.start), f"0x{body[error.start]:02x}")
        return body.decode(errors="replace"), wrong


def text_of(body: bytes) -> str:
    """Return the text of a body, without a byte order mark, and with U+FFFD for what is not text."""
    encoding = json.detect_encoding(body)
    return body.decode(encoding, "replace")


def _unparsed(finding: Finding) -> Document:
    """Return a document that cannot be parsed, which is severe: its content was not judged."""
    return Document(findings=(replace(finding, fixed_level=Level.ERROR),), is_parsed=False)


def _finding(rule: str, place: Place, actual: str | None, expected: str | None = None) -> Finding:
    return Finding(rule=rule, mark=_MARKS[rule], place=place, check=rule, actual=actual, expected=expected)


def _too_deep(place: Place) -> Finding:
    return _finding("json.depth", place, f"more than {DEEPEST}")


def _load(text: str, place: Place) -> Document:
    if not text.strip(_BLANKS):
        return _unparsed(_finding("json.empty", place, None))
    repeated = _RepeatedKeys()
    reader = json.JSONDecoder(
        object_pairs_hook=repeated.build,
        parse_int=_integer,
        parse_float=_decimal,
        parse_constant=_constant,
    )
    start = len(text) - len(text.lstrip(_BLANKS))
    try:
        value, end = reader.raw_decode(text, start)
    except json.JSONDecodeError as error:
        return _unparsed(_syntax_error(text, error.pos, error.msg, place))
    except RecursionError:
        return _unparsed(_too_deep(place))
    rest = len(text) - len(text[end:].lstrip(_BLANKS))
    extra = [_syntax_error(text, rest, "Extra data", place)] if rest < len(text) else []
    if extra and not isinstance(value, dict | list):
        return _unparsed(extra[0])  # a text that begins with a number is no number
    root = [value]
    findings = (*_inspect(root, repeated, place), *extra)
    return Document(root[0], findings)


def _syntax_error(text: str, position: int, message: str, place: Place) -> Finding:
    there = text[position : position + 1]
    actual = excerpt(there) if there else None
    return _finding("json.syntax", _where(text, position, place), actual, message)


def _where(text: str, position: int, place: Place) -> Place:
    if not place.is_file:
        return replace(place, offset=len(text[:position].encode(errors="replace")))
    line = text.count("\n", 0, position) + 1
    return replace(place, line=line, column=position - text.rfind("\n", 0, position))


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
    if len(text) <= LONGEST_NUMBER:
        return int(text)
    return _Refused("json.number", text, int(text[:LONGEST_NUMBER]))


def _decimal(text: str) -> Decimal | _Refused:
    try:
        value = Decimal(text)
    except ArithmeticError:  # an exponent of more than 18 digits
        return _Refused("json.number", text, _LARGEST)
    if len(text) <= LONGEST_NUMBER and abs(value.adjusted()) <= LARGEST_EXPONENT:
        return value
    return _Refused("json.number", text, min(max(value, -_LARGEST), _LARGEST))


def _constant(text: str) -> _Refused:
    return _Refused("json.constant", text, NotJson(text))


def _inspect(root: list[Any], repeated: _RepeatedKeys, place: Place) -> Iterator[Finding]:
    """Yield the findings whose pointers are known only after parsing; replace each `_Refused` by its value.

    `root` is a list with the document as its only item. Parts that are nested too deeply become null.
    """
    is_deep = False
    for path, inside, key in _parts(root):
        part = inside[key]
        if isinstance(part, _Refused):
            inside[key] = part.value
            yield _finding(part.rule, replace(place, pointer=pointer(path)), printable(shorten(part.text)))
        elif len(path) >= DEEPEST:
            inside[key] = None
            if not is_deep:
                yield _too_deep(place)
            is_deep = True
        else:
            for name in repeated.of(part):
                yield _finding("json.duplicate-key", replace(place, pointer=pointer(path)), excerpt(name))


_DOUBTFUL = (dict, list, _Refused)
_Path: TypeAlias = tuple[str | int, ...]


def _parts(root: list[Any]) -> Iterator[tuple[_Path, Any, Any]]:
    """Yield each part that may be wrong, outer parts first: its path, what it is in, and its key there."""
    waiting: list[tuple[_Path, Any, Any]] = [((), root, 0)] if type(root[0]) in _DOUBTFUL else []
    while waiting:
        path, inside, key = waiting.pop()
        yield path, inside, key
        part = inside[key]
        keys: Iterable[Any] = ()
        if isinstance(part, dict):
            keys = part
        elif isinstance(part, list):
            keys = range(len(part))
        waiting.extend(
            reversed([((*path, each), part, each) for each in keys if type(part[each]) in _DOUBTFUL])
        )
