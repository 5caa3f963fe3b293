"""Orders: what the answers of a probe say about the order of the rows."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.contract.timestamps import parse_instant
from mock_webshare.live.probe.objections import Against, expect, unless_it_moved
from mock_webshare.live.probe.responses import Answers, Undecidable, described

if TYPE_CHECKING:
    from collections.abc import Iterator

_BY_TIME = ("created_at", "updated_at", "reverted_at")
PREFERRED = ("-created_at", "-id", "-updated_at", "created_at", "updated_at")
"""What a default order is most often, of those that the rows show alike."""
ORDERINGS = (
    "id",
    *PREFERRED,
    *(
        sign + name
        for name in CREDIT_LIST.orderings
        for sign in ("", "-")
        if sign + name not in ("id", *PREFERRED)
    ),
)


def _keys(rows: list[dict[str, Any]], name: str) -> list[tuple[bool, Any]]:
    """Given rows, return what they sort by: a null is larger than all values, as PostgreSQL has it."""
    try:
        values = [row[name] for row in rows]
        if name in _BY_TIME:
            values = [value and parse_instant(value) for value in values]
        return [(value is None, 0 if value is None else value) for value in values]
    except (KeyError, TypeError, ValueError) as error:
        raise Undecidable(f"a row has a {name} that cannot be compared") from error


def _fits(rows: list[dict[str, Any]], term: str, *, ties_by_id: bool) -> bool:
    name, is_descending = term.removeprefix("-"), term.startswith("-")
    keys, ids = _keys(rows, name), [row["id"] for row in rows]
    for (key, row_id), (next_key, next_id) in pairwise(zip(keys, ids, strict=True)):
        if key == next_key:
            if ties_by_id and row_id > next_id:
                return False
        elif _is_larger(key, next_key) != is_descending:
            return False
    return True


def _is_larger(one: Any, other: Any) -> bool:
    try:
        return bool(one > other)
    except TypeError as error:
        raise Undecidable("rows have values that cannot be compared") from error


def default_order(answers: Answers) -> Iterator[Against]:
    pages = list(_in_default_order(answers))
    if len(pages[0]) < 2:
        raise Undecidable(f"the account has {len(pages[0])} credits, and an order takes 2")
    fitting = _fitting(pages, ties_by_id=True) or _fitting(pages, ties_by_id=False)
    if not fitting:
        yield Against("rows come in an order that none of the fields explains")
        return
    first, *others = fitting
    alike = f" (or {', '.join(others)}, which these rows show alike)" if others else ""
    if first != "id":
        yield Against(f"rows come by {first}{alike}", f"--default-ordering={first}")
    elif others:
        raise Undecidable(f"rows come by id{alike}")


def _in_default_order(answers: Answers) -> Iterator[list[dict[str, Any]]]:
    """Yield all pages in the order of a list that asks for none, the longest first."""
    yield max(answers.rows("first"), answers.rows("large page"), key=len)
    for name in ("larger page", "last page"):
        with suppress(Undecidable):
            yield answers.rows(name)


def _fitting(pages: list[list[dict[str, Any]]], *, ties_by_id: bool) -> list[str]:
    return [term for term in ORDERINGS if all(_fits(rows, term, ties_by_id=ties_by_id) for rows in pages)]


def unknown_order(answers: Answers) -> Iterator[Against]:
    for one, other, says in (
        ("first", "by nothing known", "ordering=bogus is not the default order"),
        ("by id down", "by id down and unknown", "ordering=bogus,-id is not that of -id"),
    ):
        yield from expect(answers.to(other), 200)
        if answers.ids(one) != answers.ids(other):
            unless_it_moved(answers)
            yield Against(says)


def ties(answers: Answers) -> Iterator[Against]:
    are_any = False
    for name in ("by mode", "by mode down"):
        rows = answers.rows(name)
        ties = [
            (one["id"], other["id"]) for one, other in pairwise(rows) if one.get("mode") == other.get("mode")
        ]
        are_any = are_any or bool(ties)
        if wrong := [pair for pair in ties if pair[0] > pair[1]]:
            yield Against(f"{len(wrong)} of {len(ties)} ties in {described(answers.to(name))} are not by id")
    if not are_any:
        raise Undecidable("no two credits tie")


def nulls(answers: Answers) -> Iterator[Against]:
    reverted, count = answers.count("reverted"), answers.count()
    if not 0 < reverted < count:
        raise Undecidable(f"{reverted} of {count} credits are reverted, and it takes some of both kinds")
    for name, is_null, where in (("nulls up", False, "ascending"), ("nulls down", True, "descending")):
        rows = answers.rows(name)
        if rows and (rows[0].get("reverted_at") is None) != is_null:
            yield Against(f"{where}, nulls come {'last' if is_null else 'first'}")
