"""Wording: the English texts of findings, which are data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mock_webshare.contract.model import Mark, Rule
from mock_webshare.judge.model.finding import Finding, Level, Place, printable, shorten
from mock_webshare.judge.reports.headlines import headline, kind, one_of, plain, type_names
from mock_webshare.judge.verdict import Verdict

LONGEST_POINTER = 200
"""Characters of a JSON pointer or a URL that a report shows; both come from the file."""

MARKS = {
    Mark.DOCUMENTED: "documented",
    Mark.OBSERVED: "observed",
    Mark.FRAMEWORK: "from the framework",
    Mark.ASSUMED: "assumed",
}

PLURALS = {
    Level.ERROR: "errors",
    Level.WARNING: "warnings",
    Level.NOTE: "notes",
    Level.INFO: "info",
    Level.INCONCLUSIVE: "inconclusive",
}

OF_THE_RECORDING = frozenset({"record.malformed", "body.shape"})
"""The rules that say nothing about the service."""

_FORMATS = {
    "date-time": "a date and time with its offset, such as 2022-06-14T11:58:10.246406-07:00",
    "uri": "an absolute URL",
}


def lines(finding: Finding, rule: Rule) -> Iterator[str]:
    """Yield the lines of a finding: what is wrong, where, the rule, expected and actual value."""
    yield f"{finding.level}: {headline(finding, rule)}"
    yield from (f"  {name:9} {value}" for name, value in details(finding, rule))
    if hint := advice(finding, rule):
        yield f"  {hint}"


def details(finding: Finding, rule: Rule) -> Iterator[tuple[str, str]]:
    """Yield what is known of a finding: a name of one word, and the text."""
    parts = (
        ("at", where(finding.place)),
        ("rule", f"{rule.id}, {provenance(finding)}: {rule.says}"),
        ("request", request(finding.place)),
        ("expected", expected(finding)),
        ("actual", actual(finding)),
        ("earlier", None if finding.other is None else where(finding.other)),
    )
    yield from ((name, value) for name, value in parts if value is not None)


def provenance(finding: Finding) -> str:
    """Return how the rule of a finding is known."""
    return "about the recording" if finding.rule in OF_THE_RECORDING else MARKS[finding.mark]


def where(place: Place) -> str:
    """Return a place as `credit.json#/amount`, `live.ndjson:7#/count` or `credit.json:3:14`."""
    source = printable(place.source)
    if place.line is not None:
        source += f":{place.line}" + (f":{place.column}" if place.column is not None else "")
    if place.entry is not None:
        source += f", entry {place.entry}"
    if place.offset is not None:
        source += f", byte {place.offset}"
    return source + (f"#{_short(place.pointer)}" if place.pointer else "")


def request(place: Place) -> str | None:
    """Return the request of the response at a place; None if it is not known."""
    if place.url is None:
        return None
    return _short(f"{place.method} {place.url}" if place.method else f"{place.url} (method not recorded)")


def expected(finding: Finding) -> str | None:
    """Return the expected value in words; None if the text of the rule is enough."""
    words = _EXPECTED.get(finding.check, "{}" if finding.expected is not None else None)
    if words is None or isinstance(words, str):
        return words and words.format(plain(finding.expected))
    return words(finding.expected)


def actual(finding: Finding) -> str | None:
    """Return the actual value in words; None if there is none, or if the headline says it."""
    if finding.actual is None or finding.check in _SAID_BY_HEADLINE:
        return None
    return _ACTUAL[finding.check](finding.actual) if finding.check in _ACTUAL else finding.actual


def advice(finding: Finding, rule: Rule) -> str | None:
    """Return what to do about a finding; None if there is nothing to add to its level."""
    if finding.level is Level.INCONCLUSIVE:
        return "data may have moved between the two requests"
    if finding.check == "body.shape":
        return f"it was not judged; name its schema with {rule.setting}"
    if finding.level is Level.NOTE and rule.setting:
        return f"if the service does so, set {rule.setting}"
    return None


def levels(verdict: Verdict) -> str:
    """Return how many findings have which level: `3 errors, 1 warning`."""
    counts = [(level, verdict.count(level)) for level in Level]
    return ", ".join(counted(number, level, PLURALS[level]) for level, number in counts if number)


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun: `no files`, `1 file`, `2,000 files`."""
    return f"{number:,} {one if number == 1 else many}" if number else f"no {many}"


def _short(text: str) -> str:
    return printable(shorten(text, LONGEST_POINTER))


def _shape(nearest: dict[str, str]) -> str:
    known = ", ".join(f"{schema} ({sign})" for schema, sign in nearest.items())
    return "a document that `mock-webshare schema` lists" + (f"; the nearest: {known}" if known else "")


def _ordered(term: str) -> str:
    direction = "descending" if term.startswith("-") else "ascending"
    return f"{direction} values of {term.removeprefix('-')}"


def _changed(value: Any) -> str:
    if value is None:
        return "the value in the earlier response"
    if isinstance(value, list):
        return one_of(value) if value else "no further change"
    return f"{plain(value)}, as in the earlier response"


_EXPECTED: dict[str, str | Callable[[Any], str]] = {
    "again": "a row that no earlier page of the walk has",
    "at-least": "{} or more",
    "at-most": "{} or less",
    "before": lambda dates: " and ".join(f"not before {name} {plain(date)}" for name, date in dates.items()),
    "body.shape": _shape,
    "changed": _changed,
    "compact": "no blanks between the tokens, as no indent was requested",
    "count": "{}, as on the page before",
    "enum": one_of,
    "format": lambda name: _FORMATS.get(name, name),
    "kind": lambda due: kind(due["kind"]),
    "json.syntax": lambda message: f"JSON (the parser reports: {message})",
    "link": "a link, as that page exists",
    "future": "not later than {}, the date of the response",
    "gone": "{}, as the row existed just before",
    "lost": "{}, the rows on the pages of the walk",
    "missing": "row {}",
    "minItems": "items: at least {}",
    "minProperties": "fields: at least {}",
    "minimum": "at least {}",
    "no-link": "null, as that page does not exist",
    "not": lambda schema: f"anything but {type_names(schema['type'])}",
    "object.pending": "pending, for {} days from created_at on",
    "offset": lambda offset: f"{offset}, the offset of Los Angeles at that time",
    "order": lambda term: _ordered(term) if isinstance(term, str) else f"this order: {', '.join(term)}",
    "overdue": "no longer pending, more than {} days after created_at",
    "required": "this field",
    "retry-after": "Retry-After with a whole number of seconds",
    "rows": "row {}",
    "text": one_of,
    "throttled": lambda wait: f"Request was throttled. Expected available in {wait or 'some'} seconds.",
    "twice": "an id that no other row of the page has",
    "total": "{} or less",
    "type": type_names,
    "wrong-field": "nothing: the value that was sent for it is allowed",
    "copy": "{}, as another row that refers to the same id has it",
    "letters": "{}, with capital letters",
    "object.integer-form": "{}, in digits alone",
    "owner": "{}, to which the same name belongs elsewhere",
    "unlisted": "a row that the earlier list has too, as it has not changed since",
}
"""By check: what it expects in words, `{}` for the JSON value; for other checks, the value is enough."""

_SAID_BY_HEADLINE = frozenset({"json.depth", "json.size", "record.malformed", "required"})
"""The checks whose actual value is a phrase of the headline."""

_ACTUAL: dict[str, Callable[[str], str]] = {
    "body": lambda size: size.strip('"'),
    "kind": kind,
}
"""By check: the function that puts the actual value into words; for other checks, the excerpt is enough."""
