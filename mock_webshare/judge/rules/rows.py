"""Rows: are they written as the service does, and are they the requested ones?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from mock_webshare.contract.model import Filter, Mark
from mock_webshare.contract.timestamps import DAY, SECOND, format_instant, parse_instant
from mock_webshare.exchange.model import Exchange
from mock_webshare.exchange.request import RecordedRequest, read_int
from mock_webshare.judge.model.context import RuleContext
from mock_webshare.judge.model.finding import Finding

_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d):\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_NUMBERS = frozenset({int, Decimal})
_HOURS = 4096  # hours whose offset is cached


def dates_are_local(context: RuleContext) -> Iterator[Finding]:
    """A date has the offset of Los Angeles, and six digits of fraction or none."""
    for index, row in context.objects:
        for name in context.fields.dates:
            text = row.get(name)
            match = _DATE.fullmatch(text) if type(text) is str else None
            if match is None:
                continue
            hour, fraction, offset = match.groups()
            wanted = _local_hour(hour, offset)
            if wanted not in (hour + offset, None):
                keys, expected = context.keys(index, name), wanted[-6:]
                yield context.finding("object.dates", *keys, check="offset", expected=expected, actual=text)
            elif fraction is not None and (len(fraction) != 7 or fraction == ".000000"):
                yield context.finding("object.microseconds", *context.keys(index, name), actual=text)


@lru_cache(_HOURS)
def _local_hour(hour: str, offset: str) -> str | None:
    """Return an hour with the offset that Los Angeles has then.

    `2022-06-14T18` and `+00:00` are `2022-06-14T11-07:00`. None: such an hour does not exist.
    """
    try:
        written = format_instant(parse_instant(f"{hour}:00:00{offset}"))
    except ValueError:
        return None
    return written[:13] + written[-6:]


def fields_are_in_order(context: RuleContext) -> Iterator[Finding]:
    """The fields of a row come in the documented order."""
    if context.request is None or not context.exchange.is_body_exact:
        return
    for index, row in context.objects:
        wanted, known = context.fields.all, context.fields.known
        if tuple(row) == wanted:  # the usual case, decided fast
            continue
        if [name for name in row if name in known] != [name for name in wanted if name in row]:
            keys, expected, mark = context.keys(index), list(wanted), Mark.FRAMEWORK
            yield context.finding("object.fields", *keys, check="order", expected=expected, mark=mark)


def numbers_are_floats(context: RuleContext) -> Iterator[Finding]:
    """A number is written as the shortest text of a float: `2.5`, not `2.50` or `3`."""
    if context.request is None or not context.exchange.is_body_exact:
        return
    for index, row in context.objects:
        for name in context.fields.numbers:
            value: Any = row.get(name)
            if type(value) not in _NUMBERS:
                continue
            expected = repr(float(value))
            if type(value) is int or Decimal(expected).as_tuple() != value.as_tuple():
                keys = context.keys(index, name)
                grade = context.grade_of_form
                yield context.finding(
                    "object.amount-form", *keys, expected=expected, actual=value, grade=grade
                )


def filters_apply(context: RuleContext) -> Iterator[Finding]:
    """Every row has the values that the filters select."""
    request = context.request
    if context.endpoint is None or request is None or not request.query or not context.is_clear:
        return
    for each in context.endpoint.filters:
        value = request.params.get(each.name)
        if value is not None and _selects(each, value):
            yield from _rows_that_differ(context, request, each, value)


def _selects(each: Filter, value: str) -> bool:
    """Whether the value of a filter selects rows, instead of being ignored or refused."""
    if each.resource is None:
        return value in each.choices
    return value == "" or read_int(value) is not None


def _rows_that_differ(
    context: RuleContext, request: RecordedRequest, each: Filter, value: str
) -> Iterator[Finding]:
    wanted: Any = value if each.resource is None else read_int(value)
    is_plain = request.is_plain(each.name) and str(wanted or "") == value
    mark = None if is_plain else Mark.FRAMEWORK
    of_list = "filter.no-channel" if wanted is None else "filter.and"
    rule = of_list if context.is_list else "detail.filters"
    for index, row in context.objects:
        actual = row.get(each.name, wanted)
        if actual != wanted and _is_possible(each, actual):
            keys = context.keys(index, each.name)
            yield context.finding(rule, *keys, check="filter", expected=wanted, actual=actual, mark=mark)


def _is_possible(each: Filter, value: Any) -> bool:
    """Whether a field may have a value at all; the schema reports others."""
    return value in each.choices if each.resource is None else value is None or type(value) is int


def id_matches_the_request(context: RuleContext) -> Iterator[Finding]:
    """A single row has the requested id."""
    if context.request is None or context.request.id is None:
        return
    wanted = read_int(context.request.id)
    for _, row in context.objects:
        actual = row.get("id")
        if wanted is not None and type(actual) is int and actual != wanted:
            mark = None if str(wanted) == context.request.id else Mark.FRAMEWORK
            yield context.finding("detail.id", "id", expected=wanted, actual=actual, mark=mark)


def status_matches_the_age(context: RuleContext) -> Iterator[Finding]:
    """A row is pending for its period, and at most a day longer."""
    life = context.lifecycle
    if life is None or (now := _completed_by(context)) is None:
        return
    days = life.period if context.options.pending_days is None else context.options.pending_days
    is_mock = bool(context.exchange.header("mock-webshare-version"))
    for index, row in context.objects:
        status, created = row.get(life.field), read_instant(row.get("created_at"))
        if created is None:
            continue
        is_too_soon = status == life.ripe and created > now - days * DAY
        # A service may update rows once a day only; the clock of a mock server may stand still.
        is_overdue = status == life.pending and created < now - (days + 1) * DAY and not is_mock
        if is_too_soon or is_overdue:
            keys, check = context.keys(index, life.field), "overdue" if is_overdue else None
            yield context.finding("object.pending", *keys, check=check, expected=days, actual=status)


LONGEST_WAIT = 3600 * SECOND
"""The longest time that a response may have taken if its duration was not recorded."""


def _completed_by(context: RuleContext) -> int | None:
    """Return the instant by which the response was complete; None: unknown."""
    exchange = context.exchange
    if (ended := ended_at(exchange)) is not None:
        return ended
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(exchange.header("date") or "")
        return int(date.timestamp()) * SECOND + SECOND
    except (ValueError, OverflowError):
        return None if exchange.started is None else exchange.started + LONGEST_WAIT


def ended_at(exchange: Exchange) -> int | None:
    """Return the instant at which a response was complete; None: not recorded."""
    seconds = exchange.seconds
    # Some recorders write -1 for an unknown duration, and a file may contain NaN.
    if exchange.started is None or seconds is None or not 0 <= seconds < _LONGEST_SECONDS:
        return None
    return exchange.started + int(seconds * SECOND)


_LONGEST_SECONDS = 1e9
_LONGEST_DATE = 64  # characters; a longer text is not a date, and not worth caching


def read_instant(value: Any) -> int | None:
    """Return the instant of a date; None if the value is not a date."""
    return _instant(value) if type(value) is str and len(value) <= _LONGEST_DATE else None


@lru_cache(_HOURS)
def _instant(text: str) -> int | None:
    try:
        return parse_instant(text)
    except ValueError:
        return None
