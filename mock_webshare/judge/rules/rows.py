"""Rows: are they written as the service does, and are they the requested ones?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import combinations
from typing import Any

from mock_webshare.contract.model import Filter, Mark, Reference
from mock_webshare.contract.timestamps import DAY, SECOND, format_instant, parse_instant
from mock_webshare.exchange.request import RecordedRequest, read_int
from mock_webshare.judge.model.context import RuleContext
from mock_webshare.judge.model.finding import Finding
from mock_webshare.judge.model.response_time import TOLERANCE
from mock_webshare.judge.model.row_fields import LONGEST_DATE, read_instant, read_integer

_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d):\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_NUMBERS = frozenset({int, Decimal})
_CENT = Decimal("0.01")
_HOURS = 4096  # hours whose offset is cached


def dates_are_local(context: RuleContext) -> Iterator[Finding]:
    """A date has the offset of Los Angeles, six digits of fraction or none, and capital letters."""
    for index, row in context.objects:
        for name in context.fields.dates:
            text = row.get(name)
            match = _DATE.fullmatch(text) if type(text) is str else None
            if match is None and type(text) is str and len(text) <= LONGEST_DATE:
                match = _DATE.fullmatch(text.upper())
                if match is not None:
                    yield _small_letters(context, context.keys(index, name), text)
            if match is None:
                continue
            hour, fraction, offset = match.groups()
            wanted = _local_hour(hour, offset)
            if wanted not in (hour + offset, None):
                keys, expected = context.keys(index, name), wanted[-6:]
                yield context.finding("object.dates", *keys, check="offset", expected=expected, actual=text)
            elif fraction is not None and (len(fraction) != 7 or fraction == ".000000"):
                yield context.finding("object.microseconds", *context.keys(index, name), actual=text)


def _small_letters(context: RuleContext, keys: tuple[str | int, ...], text: str) -> Finding:
    """Return the finding that a date has small letters, which the schema allows."""
    expected, mark = text.upper(), Mark.FRAMEWORK
    return context.finding("object.dates", *keys, check="letters", expected=expected, actual=text, mark=mark)


@lru_cache(_HOURS)
def _local_hour(hour: str, offset: str) -> str | None:
    """Return an hour in the time of Los Angeles, with its offset at that hour.

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
                fixed_level = context.level_of_form
                yield context.finding(
                    "object.amount-form", *keys, expected=expected, actual=value, fixed_level=fixed_level
                )


def integers_are_digits(context: RuleContext) -> Iterator[Finding]:
    """An integer is written in digits alone, not as `1001.0` or `1e3`."""
    if context.request is None or context.endpoint is None or context.is_valid:
        return
    if isinstance(context.body, dict) and context.is_list:
        yield from _check_integer(context, context.body.get("count"), "count")
    for index, row in context.objects:
        for name in context.fields.integers:
            yield from _check_integer(context, row.get(name), *context.keys(index, name))


def _check_integer(context: RuleContext, value: Any, *keys: str | int) -> Iterator[Finding]:
    if isinstance(value, Decimal) and type(whole := read_integer(value)) is int:
        fixed_level = context.level_of_form
        yield context.finding(
            "object.integer-form", *keys, expected=whole, actual=value, fixed_level=fixed_level
        )


def filters_apply(context: RuleContext) -> Iterator[Finding]:
    """Every row has the values that the filters select."""
    request = context.request
    if context.endpoint is None or request is None or not request.query or not context.is_clear:
        return
    for each in context.endpoint.filters:
        value = request.params.get(each.name)
        if value is not None and selects(each, value):
            yield from _rows_that_differ(context, request, each, value)


def selects(each: Filter, value: str) -> bool:
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
    for index, row in context.plain_objects:
        actual = row.get(each.name, wanted)
        if actual != wanted and _is_possible(each, actual):
            keys = context.keys(index, each.name)
            yield context.finding(rule, *keys, check="filter", expected=wanted, actual=actual, mark=mark)


def _is_possible(each: Filter, value: Any) -> bool:
    """Whether a value is possible in a field at all; the schema reports other values."""
    return value in each.choices if each.resource is None else value is None or type(value) is int


def parts_fit_totals(context: RuleContext) -> Iterator[Finding]:
    """A part is not larger than its total, but for the rounding of floats."""
    totals = context.fields.resource.totals if context.endpoint else {}
    for index, row in context.plain_objects if totals else ():
        for part, total in totals.items():
            actual: Any = row.get(part)
            most: Any = row.get(total)
            if {type(actual), type(most)} <= _NUMBERS and actual > most + _CENT:
                keys = context.keys(index, part)
                yield context.finding("config.totals", *keys, check="total", expected=most, actual=actual)


def id_matches_the_request(context: RuleContext) -> Iterator[Finding]:
    """A single row has the requested id, or the code that was looked up."""
    if context.request is None:
        return
    if context.request.id is None:
        yield from _code_matches(context, context.request)
        return
    wanted = read_int(context.request.id)
    for _, row in context.plain_objects:
        actual = row.get("id")
        if wanted is not None and type(actual) is int and actual != wanted:
            mark = None if str(wanted) == context.request.id else Mark.FRAMEWORK
            yield context.finding("detail.id", "id", expected=wanted, actual=actual, mark=mark)


def _code_matches(context: RuleContext, request: RecordedRequest) -> Iterator[Finding]:
    lookup = request.endpoint.lookup
    if lookup is None or not context.is_clear or (wanted := request.params.get(lookup.name)) is None:
        return
    for _, row in context.objects:
        actual = row.get(lookup.name, wanted)
        if isinstance(actual, str) and actual.casefold() != wanted.strip().casefold():
            yield context.finding("detail.id", lookup.name, expected=wanted, actual=actual)


def status_matches_the_age(context: RuleContext) -> Iterator[Finding]:
    """A row is pending for its period, and at most a day longer."""
    life, time = context.lifecycle, context.time
    latest = time.complete_by if time.made_by is None else time.made_by
    # The clock of a mock server may stand still, or be years ahead.
    if life is None or time.is_mock or latest is None:
        return
    earliest = latest if time.made_from is None else time.made_from
    days = life.period if context.options.pending_days is None else context.options.pending_days
    for index, row in context.plain_objects:
        status, created = row.get(life.field), read_instant(row.get("created_at"))
        if created is None:
            continue
        is_too_soon = status == life.ripe and created > latest - days * DAY
        # A service may update rows once a day only.
        is_overdue = status == life.pending and created < earliest - (days + 1) * DAY
        if is_too_soon or is_overdue:
            keys, check = context.keys(index, life.field), "overdue" if is_overdue else None
            yield context.finding("object.pending", *keys, check=check, expected=days, actual=status)


def dates_are_in_order(context: RuleContext) -> Iterator[Finding]:
    """No date of a row is before a date that has to come first, as creation comes before update."""
    if context.endpoint is None:
        return
    for order in context.fields.resource.date_orders:
        for earlier, later in combinations(order.dates, 2):
            for index, row in context.plain_objects:
                if _is_reversed(row.get(earlier), row.get(later)) and _has_due_dates(
                    context, row, earlier, later
                ):
                    keys, expected = context.keys(index, later), {earlier: row[earlier]}
                    yield context.finding(
                        order.rule, *keys, check="before", expected=expected, actual=row[later]
                    )


def _is_reversed(first: Any, second: Any) -> bool:
    """Whether `second` is a second or more before `first`: one change reads the clock several times."""
    if first == second or type(first) is not str or type(second) is not str:
        return False
    if first[4:5] == second[4:5] == "-" and first < second:
        # Most are in order as text, by days in any offset or in one form: decided fast.
        is_later_month = first[:7] < second[:7] and first[8:10] < "28"
        if is_later_month or (first[-6:] == second[-6:] and first[10:11] == second[10:11]):
            return False
    one, other = read_instant(first), read_instant(second)
    return one is not None and other is not None and other <= one - SECOND


def _has_due_dates(context: RuleContext, row: Mapping[str, Any], *names: str) -> bool:
    """Whether a row should have all these dates; a date that should be null, the schema reports."""
    life = context.lifecycle
    return life is None or life.ended_at not in names or row.get(life.field) == life.ended


def past_dates_are_past(context: RuleContext) -> Iterator[Finding]:
    """No date of what has happened is later than the `Date` of the response."""
    time = context.time
    if context.request is None or context.endpoint is None or time.made_by is None or time.is_mock:
        return
    limit = time.made_by + TOLERANCE
    long_ago = _day(limit // DAY - 2)
    for index, row in context.objects:
        for name in context.fields.past:
            value = row.get(name)
            # Null, and dates of earlier days, are decided fast.
            if value is None or (type(value) is str and value[4:5] == "-" and value < long_ago):
                continue
            if (instant := read_instant(value)) is not None and instant > limit:
                date, keys = context.exchange.header("date"), context.keys(index, name)
                yield context.finding("object.past-dates", *keys, check="future", expected=date, actual=value)


@lru_cache(_HOURS)
def _day(number: int) -> str:
    """Return a day by its number since 1970: `2022-06-14`."""
    return format_instant(number * DAY)[:10]


def references_agree(context: RuleContext) -> Iterator[Finding]:
    """In a response, an id that rows refer to has one name; where names are unique, a name has one id."""
    if context.endpoint is None or not context.fields.resource.references:
        return
    for each in context.fields.resource.references:
        yield from _disagreements(context, each)


def _disagreements(context: RuleContext, each: Reference) -> Iterator[Finding]:
    copies: dict[Any, Any] = {}
    ids: dict[str, Any] = {}
    for index, row in context.plain_objects:
        row_id, copy = row.get(each.field), row.get(each.copy)
        if type(row_id) is not int or type(copy) is not str:
            continue
        if copies.setdefault(row_id, copy) != copy:
            keys, expected = context.keys(index, each.copy), copies[row_id]
            yield context.finding("object.copy", *keys, check="copy", expected=expected, actual=copy)
        elif each.is_unique and ids.setdefault(copy.casefold(), row_id) != row_id:
            keys, expected, mark = context.keys(index, each.field), ids[copy.casefold()], Mark.FRAMEWORK
            yield context.finding(
                "object.copy", *keys, check="owner", expected=expected, actual=row_id, mark=mark
            )
