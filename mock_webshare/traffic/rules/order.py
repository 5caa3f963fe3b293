"""Order: do the rows of a page follow each other as was asked?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mock_webshare.contract import Mark
from mock_webshare.traffic.rules.rows import read_instant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from mock_webshare.traffic.case import Case
    from mock_webshare.traffic.finding import Finding


class Term(NamedTuple):
    """A field by which rows are ordered."""

    field: str
    descends: bool


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


def ordering_of(case: Case) -> Ordering | None:
    """Return the order that a list must have; None if there is none that is known."""
    asked, endpoint = case.asked, case.endpoint
    if asked is None or endpoint is None or not endpoint.orderings:
        return None
    value = asked.params.get("ordering", "")
    if terms := terms_of(value, endpoint.orderings):
        if len(terms) <= value.count(","):
            return Ordering(terms, "order.unknown", Mark.FRAMEWORK)
        is_plain = asked.is_plain("ordering") and " " not in value
        return Ordering(terms, "order.fields", Mark.DOCUMENTED if is_plain else Mark.FRAMEWORK)
    terms = terms_of(case.terms.default_ordering, endpoint.orderings)
    return Ordering(terms, "order.default", Mark.ASSUMED) if terms else None


def rows_are_in_order(case: Case) -> Iterator[Finding]:
    """Each row of a page stands where the ordering puts it."""
    if not case.is_list or case.asked is None or (ordering := ordering_of(case)) is None:
        return
    rows = case.rows
    for index in range(1, len(rows)):
        before, after = rows[index - 1], rows[index]
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _compare(case, ordering, index, before, after)


def _compare(
    case: Case, ordering: Ordering, index: int, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[Finding]:
    """Given two neighbours, yield what the first term in which they differ has to say."""
    for term in ordering.terms:
        first, second = before.get(term.field), after.get(term.field)
        if first == second:
            continue
        if first is None or second is None:
            if (first is None) != term.descends:
                yield _out_of_order(case, index, term, second, "order.nulls", Mark.FRAMEWORK)
            return
        if (order := _order(case, term.field, first, second)) is not None and (order < 0) == term.descends:
            yield _out_of_order(case, index, term, second, ordering.rule, _mark(case, ordering, term))
        return
    yield from _compare_ties(case, ordering, index, before, after)


def _compare_ties(
    case: Case, ordering: Ordering, index: int, before: dict[str, Any], after: dict[str, Any]
) -> Iterator[Finding]:
    first, second = before.get("id"), after.get("id")
    if (
        any(term.field == "id" for term in ordering.terms)
        or type(first) is not int
        or type(second) is not int
    ):
        return
    if second < first:
        yield _out_of_order(case, index, Term("id", False), second, "order.ties", Mark.ASSUMED)


def _order(case: Case, field: str, first: Any, second: Any) -> int | None:
    """Return whether the first value is larger (1) or smaller (-1); None if they do not compare."""
    if field in case.fields.dates:
        first, second = read_instant(first), read_instant(second)
    try:
        return 1 if first > second else -1
    except TypeError:
        return None


def _mark(case: Case, ordering: Ordering, term: Term) -> Mark:
    """Text is ordered as the database does, of which nothing is documented."""
    is_text = term.field in case.fields.strings and ordering.mark is Mark.DOCUMENTED
    return Mark.FRAMEWORK if is_text else ordering.mark


def _out_of_order(case: Case, index: int, term: Term, value: Any, rule: str, mark: Mark) -> Finding:
    return case.finding(
        rule,
        *case.keys(index, term.field),
        check="order",
        expected=("-" if term.descends else "") + term.field,
        actual=value,
        mark=mark,
    )
