"""Reports: a verdict written for people or programs, by name. All wording is here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from mock_webshare import contract
from mock_webshare.contract import Mark
from mock_webshare.errors import UnknownName
from mock_webshare.traffic import rules, strict_json
from mock_webshare.traffic.finding import printable, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_webshare.traffic.finding import Finding, Place
    from mock_webshare.traffic.judge import Verdict

LONGEST_POINTER = 200
"""Characters of a JSON pointer that the text report shows: its keys are the file's own."""


def write(name: str, verdict: Verdict, stream: TextIO) -> None:
    """Given the name of a report, write it; raise `UnknownName` if there is none.

    What the stream's encoding lacks is written as an escape.
    """
    if name not in REPORTS:
        raise UnknownName("report", name, sorted(REPORTS))
    encoding = getattr(stream, "encoding", None) or "utf-8"
    for line in REPORTS[name](verdict):
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _text(verdict: Verdict) -> Iterator[str]:
    for finding in verdict.findings:
        yield from _text_of(finding)
        yield ""
    for error in verdict.unreadable:
        yield f"error: {printable(str(error))}"
    yield _summary(verdict)


REPORTS: dict[str, Callable[[Verdict], Iterator[str]]] = {"text": _text}


def _text_of(finding: Finding) -> Iterator[str]:
    yield _where(finding.place)
    yield f"  {finding.rule}, {MARKS[finding.mark]}: {SAYS.get(finding.rule, '')}".rstrip()
    if finding.check in EXPECTED:
        yield f"  expected  {EXPECTED[finding.check](finding.expected)}"
    elif finding.expected is not None:
        yield f"  expected  {finding.check}: {json.dumps(finding.expected)}"
    yield f"  actual    {finding.actual or 'nothing'}"


def _where(place: Place) -> str:
    """Given a place, return it as `credit.json#/amount` or, where there is no pointer, `credit.json:3:14`."""
    source = printable(place.source)
    if place.line is not None:
        return f"{source}:{place.line}:{place.column}"
    if place.offset is not None:
        return f"{source}, byte {place.offset}"
    return f"{source}#{printable(shorten(place.pointer, LONGEST_POINTER))}" if place.pointer else source


def _summary(verdict: Verdict) -> str:
    parts = [
        _counted(verdict.files, "file", "files"),
        _counted(verdict.judged, "body", "bodies") + " judged",
        _counted(len(verdict.findings), "finding", "findings"),
    ]
    if verdict.unreadable:
        parts.append(f"{len(verdict.unreadable)} unreadable")
    return ", ".join(parts)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number or 'no'} {one if number == 1 else many}"


SAYS = {rule.id: rule.says for rule in (*contract.RULES, *strict_json.RULES, rules.KNOWN_SHAPE)}

MARKS = {
    Mark.DOCUMENTED: "documented",
    Mark.OBSERVED: "observed",
    Mark.FRAMEWORK: "from the framework",
    Mark.ASSUMED: "assumed",
}

TYPES = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}

FORMATS = {
    "date-time": "a date and time with its offset, such as 2022-06-14T11:58:10.246406-07:00",
    "uri": "an absolute URL",
}


def _type(names: str | list[str]) -> str:
    return " or ".join(TYPES[name] for name in ([names] if isinstance(names, str) else names))


def _one_of(values: list[Any]) -> str:
    return " or ".join(json.dumps(value) for value in values)


def _shape(signs: dict[str, str]) -> str:
    known = ", ".join(f"{schema} ({sign})" for schema, sign in signs.items())
    return f"one of {known}; --schema names what does not show it"


EXPECTED: dict[str, Callable[[Any], str]] = {
    "enum": _one_of,
    "format": lambda name: FORMATS.get(name, name),
    "minimum": lambda least: f"at least {least}",
    "minItems": lambda least: f"items: at least {least}",
    "minProperties": lambda least: f"fields: at least {least}",
    "not": lambda schema: f"anything but {_type(schema['type'])}",
    "required": lambda _: "this field",
    "type": _type,
    "json.syntax": lambda message: f"JSON (its reader says: {message})",
    rules.KNOWN_SHAPE.id: _shape,
}
"""How a check says what it wanted, by its name. One that is not here shows it as it is in the schema."""
