"""Headlines: what is wrong, in one line, by the check that has found it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mock_webshare.contract.model import Rule
from mock_webshare.judge.model.finding import Finding, keys_of, printable, shorten
from mock_webshare.judge.model.shapes import ERROR_BODIES

LONGEST_NAME = 60
"""Characters of the name of a field, which comes from the recording."""
LONGEST_VALUE = 200
"""Characters of an expected value."""

TYPES = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}

KINDS = {
    "body-errors": "errors of a request body",
    "error-detail": "an error with `detail`",
    "field-errors": "errors of fields",
    "referral-channel": "a referral channel",
    "referral-channel-list": "the array of referral channels",
    "referral-code-info": "the description of a referral code",
    "referral-config": "the referral configuration",
    "referral-coupon-code": "the applied coupon code",
    "referral-credit": "a referral credit",
    "referral-credit-page": "a page of referral credits",
    "referral-earnout": "an earn-out",
    "referral-earnout-page": "a page of earn-outs",
}
"""The kinds of bodies by their schema; any other is called by the name of its schema."""


def headline(finding: Finding, rule: Rule) -> str:
    """Return what is wrong, without the level: `"amount" is a string, not a number`."""
    words = HEADLINES.get(finding.check)
    if words is None:
        return f"{subject(finding)} breaks the rule: {rule.says}"
    if not isinstance(words, str):
        return words(finding)
    return words.format(subject=subject(finding), actual=finding.actual, expected=plain(finding.expected))


def subject(finding: Finding) -> str:
    """Return what a finding is about: `"amount"`, `item 2 of "results"`, or `the body`."""
    keys = keys_of(finding.place.pointer)
    if not keys:
        return "the body"
    if not keys[-1].isdecimal():
        return _quoted(keys[-1])
    return f"item {_short(keys[-1])} of " + (_quoted(keys[-2]) if len(keys) > 1 else "the body")


def plain(value: Any) -> str:
    """Return an expected value as one short line of JSON."""
    return printable(shorten(json.dumps(value, ensure_ascii=False, default=str), LONGEST_VALUE))


def one_of(values: list[Any]) -> str:
    """Return the allowed values as alternatives."""
    return " or ".join(map(plain, values))


def type_names(names: str | list[str]) -> str:
    """Return the allowed JSON types as alternatives."""
    return " or ".join(TYPES[name] for name in ([names] if isinstance(names, str) else names))


def kind(name: str) -> str:
    """Return a kind of body, or a JSON type, in words."""
    return KINDS.get(name) or TYPES.get(name) or f"a body of the schema {_short(name)}"


def _quoted(key: str) -> str:
    return f'"{_short(key)}"'


def _short(text: str) -> str:
    return printable(shorten(text, LONGEST_NAME))


def _header(name: str, else_words: str = "") -> Callable[[Finding], str]:
    def write(finding: Finding) -> str:
        if finding.actual is None:
            return f"{name} is missing"
        return f"{name} is {finding.actual}, not {else_words or plain(finding.expected)}"

    return write


def _of_kind(finding: Finding) -> str:
    due, actual, where = finding.expected["kind"], finding.actual or "", subject(finding)
    status = finding.expected["status"]
    if actual == "object":
        return f"{where} has none of the fields of {kind(due)}"
    if status is not None and (actual in ERROR_BODIES) != (due in ERROR_BODIES):
        return f"the status is {status}, but the body is {kind(actual)}"
    if where == "the body":
        return f"the body is {kind(actual)}, not {kind(due)}"
    return f"each row of {where} is {kind(actual)}, not {kind(due)}"


def _of_type(finding: Finding) -> str:
    actual = _value(finding)
    if finding.expected == "null":
        return f"{subject(finding)} is {actual}, but must be null here"
    return f"{subject(finding)} is {actual}, not {type_names(finding.expected)}"


def _of_enum(finding: Finding) -> str:
    if finding.actual is None:
        return f"field {subject(finding)} is missing"
    actual = _value(finding) if finding.actual_type in ("object", "array") else finding.actual
    return f"{subject(finding)} is {actual}, not {one_of(finding.expected)}"


def _value(finding: Finding) -> str:
    """Return the actual value if it is a word such as `null`; otherwise its type in words."""
    is_word = finding.actual_type in ("boolean", "null", "")
    return str(finding.actual) if is_word else kind(finding.actual_type)


def _of_text(finding: Finding) -> str:
    if len(finding.expected) > 1:
        return f"{subject(finding)} is {finding.actual}, which is not one of the known texts"
    return f"{subject(finding)} is {finding.actual}, not {one_of(finding.expected)}"


def _of_format(finding: Finding) -> str:
    return f"{subject(finding)} is {finding.actual}, not {FORMATS.get(finding.expected, finding.expected)}"


FORMATS = {"date-time": "a date and time with an offset", "uri": "an absolute URL"}


def _of_order(finding: Finding) -> str:
    if not isinstance(finding.expected, str):
        return f"the fields of {subject(finding)} are in another order"
    term, rows = finding.expected, finding.neighbours
    field = _short(term.removeprefix("-"))
    order = f"{field} {'descends' if term.startswith('-') else 'ascends'}"
    if "null" in (finding.actual, rows and rows.first_value):
        order += f", nulls {'first' if term.startswith('-') else 'last'}"
    if rows is None:
        return f"{subject(finding)} {finding.actual} is out of order, as {order}"
    if field == "id":
        return f"row {rows.first_id} is before row {rows.second_id}, but {order}"
    return (
        f"row {rows.first_id} ({field} {rows.first_value}) is before "
        f"row {rows.second_id} ({field} {finding.actual}), but {order}"
    )


def _of_filter(finding: Finding) -> str:
    wanted = "rows without one" if finding.expected is None else plain(finding.expected)
    return f"{subject(finding)} is {finding.actual}, but the request filters for {wanted}"


def _of_syntax(finding: Finding) -> str:
    place = finding.place
    is_at_start = place.offset == 0 or (place.line, place.column) == (1, 1)
    if finding.actual == '"<"' and is_at_start:
        return "the body is HTML or XML, not JSON"
    message = plain(finding.expected)[1:-1].removesuffix(" at")
    return f"the body is not JSON: {message} at {finding.actual or 'its end'}"


def _of_change(finding: Finding) -> str:
    name, expected = subject(finding), finding.expected
    if not finding.place.pointer:
        return f"the status is {finding.actual}, but an earlier response shows the row"
    if expected is None and finding.rule != "object.same":
        return f"{name} has become {finding.actual}, but never changes"
    if expected is None:
        return f'{name} has become {finding.actual}, but "updated_at" is the same'
    if isinstance(expected, list):
        allowed = f"only {one_of(expected)} may follow" if expected else "its earlier value is final"
        return f"{name} has become {finding.actual}, but {allowed}"
    change = "gone back" if name == '"updated_at"' else "changed"
    return f"{name} has {change} from {plain(expected)} to {finding.actual}"


def _of_date_order(finding: Finding) -> str:
    ((name, date),) = finding.expected.items()
    return f"{subject(finding)} is {finding.actual}, before {_quoted(name)} ({plain(date)})"


def _of_page_size_limit(finding: Finding) -> str:
    assumed = f"than the assumed limit of {finding.expected}"
    actual = finding.actual or ""
    if actual.isdecimal() and int(actual) < finding.expected:
        return f"pages have at most {actual} rows, fewer {assumed}"
    return f"the page has {actual} rows, more {assumed}"


def _of_link(finding: Finding) -> str:
    if finding.rule == "list.links-query":
        return f"the query of {subject(finding)} is not written as the framework does"
    return f"{subject(finding)} does not link to the neighbouring page"


HEADLINES: dict[str, str | Callable[[Finding], str]] = {
    "again": "row {actual} was on an earlier page already",
    "allow": _header("Allow"),
    "at-least": "{subject} is {actual}, less than the {expected} rows of a list with more filters",
    "at-most": "{subject} is {actual}, more than the {expected} rows of a list with fewer filters",
    "before": _of_date_order,
    "beyond": "a page after the last one has the status {actual}, not {expected}",
    "body": lambda finding: f"the response to HEAD has a body of {(finding.actual or '').strip(chr(34))}",
    "body.shape": "the body is not recognised as a documented one",
    "changed": _of_change,
    "compact": "the body has blanks between its tokens",
    "const": "{subject} is {actual}, not {expected}",
    "content-type": _header("Content-Type"),
    "copy": "{subject} is {actual}, but {expected} where the id is the same",
    "count": "{subject} is {actual}, but was {expected} on the page before",
    "detail.id": "{subject} is {actual}, but {expected} was requested",
    "enum": _of_enum,
    "filter": _of_filter,
    "format": _of_format,
    "future": "{subject} is {actual}, later than the response",
    "gone": "the status is {actual}, although the page before links to this one",
    "json.byte-order-mark": "the body begins with a byte order mark",
    "json.constant": "{subject} is {actual}, which is not JSON",
    "json.depth": "the body is nested too deeply: {actual}",
    "json.duplicate-key": "key {actual} occurs more than once in {subject}",
    "json.empty": "the body is empty",
    "json.number": "{subject} is a number that not every reader holds",
    "json.size": "the body has {actual} values",
    "json.syntax": _of_syntax,
    "json.utf-8": "the body is not UTF-8: it has the byte {actual}",
    "kind": _of_kind,
    "letters": "{subject} is {actual}, written in small letters",
    "link": "{subject} is null, but that page exists",
    "list.count": "{subject} is {actual}, but the pages end after {expected} rows",
    "list.page-size": "the page has {actual} rows, not {expected}",
    "list.page-size-limit": _of_page_size_limit,
    "location": _header("Location"),
    "lost": "the pages show {expected} rows, but {subject} is {actual}",
    "minItems": "{subject} has fewer items than {expected}",
    "minProperties": "{subject} has fewer fields than {expected}",
    "minimum": "{subject} is {actual}, less than {expected}",
    "missing": "the list lacks row {expected}, which an earlier response shows",
    "no-etag": "the response has the header ETag",
    "no-link": "{subject} is a link, but that page does not exist",
    "no-vary": "the response has the header Vary with {actual}",
    "not": "{subject} is {actual}, which is not allowed here",
    "object.amount-form": "{subject} is written {actual}, not as the shortest float",
    "object.integer-form": "{subject} is written {actual}, not {expected}",
    "object.microseconds": "{subject} does not have six digits of fraction: {actual}",
    "object.new-fields": "field {subject} is not documented",
    "object.older-edition": "{subject} has the fields of an earlier edition only",
    "object.pending": "{subject} is {actual} less than {expected} days after created_at",
    "offset": "{subject} is {actual}, not in Los Angeles time",
    "order": _of_order,
    "origin": "{subject} leads to {actual}, not to {expected}",
    "overdue": "{subject} is still {actual} more than {expected} days after created_at",
    "owner": "{subject} is {actual}, but {expected} where the name is the same",
    "pattern": "{subject} is {actual}, not written as documented",
    "record.malformed": "the record cannot be read: {actual}",
    "required": "field {subject} is missing",
    "retry-after": _header("Retry-After", "a whole number of seconds"),
    "rows": "the page lacks row {expected}, which it had in an earlier response",
    "same": _of_link,
    "status": "the status is {actual}, not {expected}",
    "text": _of_text,
    "throttled": "{subject} is {actual}, which does not fit Retry-After",
    "total": "{subject} is {actual}, more than its total {expected}",
    "twice": "row {actual} occurs twice in one response",
    "type": _of_type,
    "unlisted": "row {actual} is missing from an earlier list that selects it",
    "wrong-field": "the errors name {subject}, for which the request has no wrong value",
    "www-authenticate": _header("WWW-Authenticate"),
}
"""The headline of each check; one that is not listed gets the text of its rule.

In a text, `subject`, `actual` and `expected` are replaced.
"""
