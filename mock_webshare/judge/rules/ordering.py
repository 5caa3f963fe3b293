"""Order: do the rows of a page follow each other as was asked?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mock_webshare.contract.model import Mark
from mock_webshare.judge.rules.rows import read_instant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from mock_webshare.judge.model.context import RuleContext
    from mock_webshare.judge.model.finding import Finding
    from mock_webshare.judge.model.schema_fields import Fields


class Term(NamedTuple):
    """A field by which rows are ordered."""

    field: str
    descends: bool

    def __str__(self) -> str:
        return ("-" if self.descends else "") + self.field


class Ordering(NamedTuple):
    """The terms that count, the rule that says so, and how that rule is known."""

    terms: tuple[Term, ...]
    rule: str
    mark: Mark


def terms_of(value: str, allowed: Collection[str]) -> tuple[Term, ...]:
    """Given the value of `ordering`, return the terms that count: ` -amount,x` is `amount`, descending."""
    terms = [each.strip() for each in value.split(",")]
    return tuple(
        Term(each.removeprefix("-"), each.startswith("-"))
        for each in terms
        if each.removeprefix("-") in allowed
    )


def ordering_of(context: RuleContext) -> Ordering | None:
    """Return the order that a list must have; None if there is none that is known."""
    request, endpoint = context.request, context.endpoint
    if request is None or endpoint is None or not endpoint.orderings:
        return None
    value = request.params.get("ordering", "")
    if terms := terms_of(value, endpoint.orderings):
        deciding = _deciding(terms)
        if len(terms) <= value.count(","):
            return Ordering(deciding, "order.unknown", Mark.FRAMEWORK)
        is_plain = request.is_plain("ordering") and " " not in value
        return Ordering(deciding, "order.fields", Mark.DOCUMENTED if is_plain else Mark.FRAMEWORK)
    terms = terms_of(context.options.default_ordering, endpoint.orderings)
    return Ordering(terms, "order.default", Mark.ASSUMED) if terms else None


def _deciding(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Return the first term of each field: a URL has room for a thousand, and each row is held to all."""
    first: dict[str, Term] = {}
    for term in terms:
        first.setdefault(term.field, term)
    return tuple(first.values())


class Breach(NamedTuple):
    """Why a row cannot follow another one."""

    term: Term
    value: Any
    """What the second row has there."""
    rule: str
    mark: Mark


def rows_are_in_order(context: RuleContext) -> Iterator[Finding]:
    """Each row of a page stands where the ordering puts it."""
    if not context.is_list or context.request is None or (ordering := ordering_of(context)) is None:
        return
    rows, fields = context.rows, context.fields
    for index in range(1, len(rows)):
        before, after = rows[index - 1], rows[index]
        if not isinstance(before, dict) or not isinstance(after, dict):
            continue
        if breach := breach_of(ordering, fields, before, after):
            yield context.finding(
                breach.rule,
                *context.keys(index, breach.term.field),
                check="order",
                expected=str(breach.term),
                actual=breach.value,
                mark=breach.mark,
            )


def breach_of(
    ordering: Ordering, fields: Fields, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Breach | None:
    """Given two neighbours, return what the first term in which they differ has against them."""
    for term in ordering.terms:
        first, second = before.get(term.field), after.get(term.field)
        if first == second:
            continue
        if first is None or second is None:
            is_due = (first is None) == term.descends
            return None if is_due else Breach(term, second, "order.nulls", Mark.FRAMEWORK)
        order = _order(term.field in fields.dates, first, second)
        if order == 0:  # one instant in two spellings
            continue
        is_wrong = order is not None and (order < 0) == term.descends
        return Breach(term, second, ordering.rule, _mark(ordering, term, fields)) if is_wrong else None
    return _breach_of_ties(ordering, before, after)


_TIE = Term("id", False)


def _breach_of_ties(ordering: Ordering, before: Mapping[str, Any], after: Mapping[str, Any]) -> Breach | None:
    first, second = before.get("id"), after.get("id")
    if type(first) is not int or type(second) is not int or second >= first:
        return None
    is_ordered = any(term.field == "id" for term in ordering.terms)
    return None if is_ordered else Breach(_TIE, second, "order.ties", Mark.ASSUMED)


def _order(are_dates: bool, first: Any, second: Any) -> int | None:
    """Return 1 if the first value is larger, -1 if smaller, 0 if neither; None if they do not compare."""
    if are_dates:
        first, second = read_instant(first), read_instant(second)
    try:
        return int(first > second) - int(first < second)
    except TypeError:
        return None


def _mark(ordering: Ordering, term: Term, fields: Fields) -> Mark:
    """Text is ordered as the database does, of which nothing is documented."""
    is_text = term.field in fields.strings and ordering.mark is Mark.DOCUMENTED
    return Mark.FRAMEWORK if is_text else ordering.mark
