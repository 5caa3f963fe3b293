"""Outline: the lines of a body around one value, without any other value.

The lines are those of the body if each level is indented by two blanks, as `python -m json.tool --indent 2`
prints it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import accumulate
from typing import Any

from mock_webshare.judge.body import strict_json
from mock_webshare.judge.model.finding import Finding, Line, keys_of, printable, shorten, starred

LARGEST = 256 * 1024
"""Bytes of the largest body that is worth an outline."""
NEAR = 2
"""Fields that are shown before and after the one in question."""
MOST_MEMBERS = 12
"""Fields and items that are shown of the value in question."""
LONGEST_KEY = 60
"""Characters of a field's name that are shown."""
MOST_OUTLINES = 10
"""Outlines of one body."""
_HIDDEN = "…"
_OF_THE_WHOLE = frozenset({"kind", "body.shape"})
"""The checks whose findings are about the names of fields."""


def outlined(findings: Iterable[Finding], body: bytes) -> Iterator[Finding]:
    """Yield findings about a body, the first ones about different values with an outline."""
    known: set[tuple[str, str, str]] = set()
    document = None
    for finding in findings:
        about = (finding.rule, finding.check, starred(finding.place.pointer))
        is_new = about not in known and len(known) < MOST_OUTLINES and len(body) <= LARGEST
        if is_new and (finding.place.pointer or finding.check in _OF_THE_WHOLE):
            known.add(about)
            document = document or strict_json.parse(body, finding.place)
            actual = _shown(finding)
            finding = replace(finding, outline=outline(document.value, finding.place.pointer, actual))
        yield finding


def _shown(finding: Finding) -> str | None:
    """Return the excerpt of the value to show; None if the finding is about more than one value."""
    return None if finding.check in (*_OF_THE_WHOLE, "json.duplicate-key") else finding.actual


def outline(body: Any, pointer: str, actual: str | None) -> tuple[Line, ...]:
    """Return the lines around the value at a JSON pointer, which is shown as `actual`.

    `{`, `  "id": …`, `  "amount": "2.50"`, `}` for `/amount`. A missing field is a marked line without
    a number.
    """
    keys = keys_of(pointer)
    return tuple(_lines(body, keys, actual, "", 1, 0))


def _lines(
    value: Any, keys: list[str], actual: str | None, label: str, number: int, depth: int
) -> Iterator[Line]:
    indent = "  " * depth
    if not keys:
        yield from _marked(value, actual, indent, label, number)
        return
    members, near = _members(value), 0 if isinstance(value, list) else NEAR
    index = next((index for index, (key, _) in enumerate(members) if key == keys[0]), len(members))
    # The line number of each member, then that of the closing bracket.
    numbers = [*accumulate((_size(inside) for _, inside in members), initial=number + 1)]
    first, last = max(0, index - near), index + near + 1
    yield Line(number, indent + label + _start(value))
    if first:
        yield Line(numbers[0], f"{indent}  {_HIDDEN} {first} more")
    for (key, inside), line in [*zip(members, numbers, strict=False)][first:last]:
        if key == keys[0]:
            yield from _lines(inside, keys[1:], actual, _label(value, key), line, depth + 1)
        else:
            yield Line(line, f"{indent}  {_label(value, key)}{_hidden(inside)}")
    if index == len(members):
        yield Line(None, f"{indent}  {_label(value, keys[0])}(missing)", is_marked=True)
    if last < len(members):
        yield Line(numbers[last], f"{indent}  {_HIDDEN} {len(members) - last} more")
    yield Line(numbers[-1], indent + _end(value))


def _marked(value: Any, actual: str | None, indent: str, label: str, number: int) -> Iterator[Line]:
    if not isinstance(value, dict | list) or not value:
        yield Line(number, f"{indent}{label}{actual or _HIDDEN}", is_marked=True)
        return
    yield Line(number, indent + label + _start(value), is_marked=True)
    members, line = _members(value), number + 1
    for key, inside in members[:MOST_MEMBERS]:
        yield Line(line, f"{indent}  {_label(value, key)}{_hidden(inside)}", is_marked=True)
        line += _size(inside)
    if rest := members[MOST_MEMBERS:]:
        yield Line(line, f"{indent}  {_HIDDEN} {len(rest)} more", is_marked=True)
    yield Line(number + _size(value) - 1, indent + _end(value), is_marked=True)


def _members(value: Any) -> list[tuple[str, Any]]:
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    return [(str(key), inside) for key, inside in pairs]


def _label(of: Any, key: str) -> str:
    if isinstance(of, list):
        return ""
    return printable(json.dumps(shorten(key, LONGEST_KEY), ensure_ascii=False)) + ": "


def _start(value: Any) -> str:
    return "[" if isinstance(value, list) else "{" if isinstance(value, dict) else _HIDDEN


def _end(value: Any) -> str:
    return "]" if isinstance(value, list) else "}" if isinstance(value, dict) else _HIDDEN


def _hidden(value: Any) -> str:
    if isinstance(value, dict | list) and value:
        return f"{_start(value)}{_HIDDEN}{_end(value)}"
    return _HIDDEN


def _size(value: Any) -> int:
    """Return the number of lines of a value."""
    if not isinstance(value, dict | list) or not value:
        return 1
    inside = value.values() if isinstance(value, dict) else value
    return 2 + sum(map(_size, inside))
