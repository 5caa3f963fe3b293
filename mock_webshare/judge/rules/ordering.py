"""Ordering: are the rows of a page in the requested order?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from mock_webshare.contract.model import Mark
from mock_webshare.judge.model.context import RuleContext
from mock_webshare.judge.model.finding import Finding, Neighbours, excerpt
from mock_webshare.judge.model.row_fields import RowFields, read_instant


class Term(NamedTuple):
    """A field by which rows are ordered."""

    field: str
    descends: bool

    def __str__(self) -> str:
        return ("-" if self.descends else "") + self.field


class Ordering(NamedTuple):
    """The terms that apply, the rule that requires them, and the mark of a violation."""

    terms: tuple[Term, ...]
    rule: str
    mark: Mark


def terms_of(value: str, allowed: Collection[str]) -> tuple[Term, ...]:
    """Return the first term of each allowed field: only `-amount` of ` -amount,x`."""
    terms: dict[str, Term] = {}
    for each in map(str.strip, value.split(",")):
        field = each.removeprefix("-")
        if field in allowed:
            terms.setdefault(field, Term(field, each.startswith("-")))
    return tuple(terms.values())


def ordering_of(context: RuleContext) -> Ordering | None:
    """Return the order that a list must have; None if it is not known."""
    request, endpoint = context.request, context.endpoint
    if request is None or endpoint is None:
        return None
    if not endpoint.orderings:
        rule, mark = (
            ("channel.array", Mark.DOCUMENTED) if context.is_array else ("order.default", Mark.ASSUMED)
        )
        return Ordering((Term("id", descends=False),), rule, mark)
    value = request.params.get("ordering", "")
    if terms := terms_of(value, endpoint.orderings):
        if not all(terms_of(each, endpoint.orderings) for each in value.split(",")):
            return Ordering(terms, "order.unknown", Mark.FRAMEWORK)
        is_plain = request.is_plain("ordering") and " " not in value
        return Ordering(terms, "order.fields", Mark.DOCUMENTED if is_plain else Mark.FRAMEWORK)
    terms = terms_of(context.options.default_ordering, endpoint.orderings)
    return Ordering(terms, "order.default", Mark.ASSUMED) if terms else None


class Violation(NamedTuple):
    """Why one row cannot follow another."""

    term: Term
    value: Any
    """The value of the second row."""
    rule: str
    mark: Mark


def rows_are_in_order(context: RuleContext) -> Iterator[Finding]:
    """The rows of a page or an array are in the order that the request selects."""
    if (ordering := ordering_of(context)) is None:
        return
    for (above, before), (index, after) in pairwise(context.plain_objects):
        if index != above + 1:
            continue  # what is between them is not an object
        if violation := violation_of(ordering, context.fields, before, after):
            term, value, rule, mark = violation
            keys, rows = context.keys(index, term.field), neighbours(before, after, term)
            yield context.finding(
                rule, *keys, check="order", expected=str(term), actual=value, mark=mark, neighbours=rows
            )


def neighbours(before: Mapping[str, Any], after: Mapping[str, Any], term: Term) -> Neighbours:
    """Return excerpts of two adjacent rows in the wrong order, for a report."""
    return Neighbours(excerpt(before.get("id")), excerpt(after.get("id")), excerpt(before.get(term.field)))


def violation_of(
    ordering: Ordering, fields: RowFields, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Violation | None:
    """Return why the order of two neighbours is wrong, by their first difference; None if it is right."""
    for term in ordering.terms:
        first, second = before.get(term.field), after.get(term.field)
        if first == second:
            continue
        if first is None or second is None:
            is_due = (first is None) == term.descends
            return None if is_due else Violation(term, second, "order.nulls", Mark.FRAMEWORK)
        order = _order(term.field in fields.dates, first, second)
        if order == 0:  # the same instant, written differently
            continue
        is_wrong = order is not None and (order < 0) == term.descends
        return Violation(term, second, ordering.rule, _mark(ordering, term, fields)) if is_wrong else None
    return _violation_of_ties(ordering, before, after)


def _violation_of_ties(
    ordering: Ordering, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Violation | None:
    first, second = before.get("id"), after.get("id")
    is_ordered = any(term.field == "id" for term in ordering.terms)
    if is_ordered or type(first) is not int or type(second) is not int or second >= first:
        return None
    return Violation(Term("id", descends=False), second, "order.ties", Mark.ASSUMED)


def _order(are_dates: bool, first: Any, second: Any) -> int | None:
    """Compare two values: 1, 0 or -1; None if they cannot be compared."""
    if are_dates:
        first, second = read_instant(first), read_instant(second)
    try:
        return int(first > second) - int(first < second)
    except TypeError:
        return None


def _mark(ordering: Ordering, term: Term, fields: RowFields) -> Mark:
    """Return the mark of a violation, `FRAMEWORK` for text, whose order in the database is not documented."""
    is_text = term.field in fields.strings and ordering.mark is Mark.DOCUMENTED
    return Mark.FRAMEWORK if is_text else ordering.mark
