"""Order: what counts as out of order on a page."""

from __future__ import annotations

from typing import Any

import pytest

from mock_webshare.judge.rules import ordering
from tests.recorded_responses import LIST, ROW, found, response

IN_WINTER = "2026-02-01T10:00:00-08:00"
SPELT_OUT = "2026-02-01T10:00:00.000000-08:00"


def breaches(ordering: str, *rows: dict[str, Any]) -> list[tuple[str, str]]:
    results = [ROW | {"id": index} | row for index, row in enumerate(rows)]
    body = {"count": len(rows), "next": None, "previous": None, "results": results}
    findings = found(response(body, f"{LIST}?ordering={ordering}", 0))
    return [(rule, pointer) for rule, pointer, _ in findings if rule.startswith("order.")]


@pytest.mark.parametrize("ordering", ["created_at", "-created_at"])
@pytest.mark.parametrize("dates", [(IN_WINTER, SPELT_OUT), (SPELT_OUT, IN_WINTER)])
def test_the_same_instant_written_differently_is_a_tie(ordering: str, dates: tuple[str, str]) -> None:
    assert breaches(ordering, *({"created_at": date} for date in dates)) == []


def test_where_instants_tie_the_next_term_counts() -> None:
    rows = {"created_at": IN_WINTER, "amount": 2.5}, {"created_at": SPELT_OUT, "amount": 1.5}
    assert breaches("-created_at,amount", *rows) == [("order.fields", "/results/1/amount")]


def test_where_all_terms_tie_the_id_counts() -> None:
    rows = {"created_at": IN_WINTER, "id": 2}, {"created_at": SPELT_OUT, "id": 1}
    assert breaches("-created_at", *rows) == [("order.ties", "/results/1/id")]


def test_of_the_terms_of_one_field_the_first_counts() -> None:
    rows = {"amount": 1.5}, {"amount": 2.5}
    assert breaches("amount,-amount", *rows) == []
    assert breaches("-amount,amount", *rows) == [("order.fields", "/results/1/amount")]
    terms = ordering.terms_of("amount,-amount," * 1000, ["amount"])
    assert terms == (ordering.Term("amount", False),)
