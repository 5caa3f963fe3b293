"""Rules across exchanges: what they must not mistake for a defect, and what they keep in mind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mock_webshare.traffic.exchange import Exchange
from mock_webshare.traffic.finding import Level
from mock_webshare.traffic.judge import judge
from mock_webshare.traffic.rules import lives, walks
from mock_webshare.traffic.terms import Terms
from tests.traffic.answers import LATER, found, one, page

AVAILABLE = {"status": "available", "updated_at": LATER}
REVERTED = {"status": "reverted", "updated_at": LATER, "reverted_at": LATER}


@pytest.mark.parametrize(
    "changes", [AVAILABLE, REVERTED, {"status": "available"}, {"updated_at": LATER, "amount": 3.5}]
)
def test_what_may_happen_to_a_row_is_no_finding(changes: dict[str, Any]) -> None:
    assert found(one(0), one(60, changes=changes)) == []


def test_the_time_counts_and_not_the_order_in_the_file() -> None:
    assert found(one(60, changes=AVAILABLE), one(0)) == []


def test_answers_that_overlap_may_have_been_given_in_either_order() -> None:
    assert found(one(0, changes=AVAILABLE, seconds=10), one(5, seconds=1)) == []


def test_without_times_the_order_in_the_file_counts() -> None:
    assert found(one(None), one(None, changes=AVAILABLE)) == []
    assert ("object.lifecycle", "/status", Level.ERROR) in found(one(None, changes=AVAILABLE), one(None))


def test_without_times_nobody_knows_the_order_of_two_files() -> None:
    assert found(one(None, changes=AVAILABLE, source="a.json"), one(None, source="b.json")) == []


def test_what_cannot_be_in_either_order_is_found_without_times() -> None:
    other = one(None, changes={"mode": "payout"}, source="b.json")
    assert found(one(None, source="a.json"), other) == [("object.mode", "/mode", Level.ERROR)]


def test_each_key_has_rows_of_its_own() -> None:
    assert found(one(0), one(60, changes={"mode": "payout"}, key="Token other")) == []


def test_a_key_that_was_taken_out_is_one_for_each_file() -> None:
    hidden = {"key": "Token REDACTED-1"}
    other = one(60, changes={"mode": "payout"}, source="b.ndjson", **hidden)
    assert found(one(0, **hidden), other) == []
    assert found(one(0, **hidden), replace(other, source="a.ndjson")) != []


def test_a_state_that_comes_back_is_found_among_many() -> None:
    records = [one(0), one(10, changes=AVAILABLE), one(20)]
    assert ("object.lifecycle", "/status", Level.ERROR) in found(*records)


def walk(*, count: int = 5, **more: Any) -> Iterator[Exchange]:
    for number, ids in ((1, range(1, 3)), (2, range(3, 5)), (3, range(5, 6))):
        yield page(number, ids, count, number, "page_size=2", **more)


def test_a_walk_that_shows_every_row_once_is_no_finding() -> None:
    assert found(*walk()) == []


def test_a_row_that_comes_again_is_found() -> None:
    first, _, last = walk()
    second = page(2, range(2, 4), 5, 2, "page_size=2")
    assert found(first, second, last) == [("list.walk", "/results/0/id", Level.ERROR)]


def test_a_walk_whose_count_moves_is_inconclusive() -> None:
    first, _, last = walk()
    second = page(2, range(2, 4), 6, 2, "page_size=2")
    levels = {level for rule, _, level in found(first, second, last) if rule == "list.walk"}
    assert levels == {Level.INCONCLUSIVE}


@pytest.mark.parametrize("query", ["page_size=2&status=pending", "ordering=updated_at&page_size=2"])
def test_a_list_of_what_changes_is_inconclusive(query: str) -> None:
    records = page(1, range(1, 3), 4, 1, query), page(2, range(2, 4), 4, 2, query)
    assert [level for rule, _, level in found(*records) if rule == "list.walk"] == [Level.INCONCLUSIVE]


def test_ties_may_come_again() -> None:
    query = "ordering=mode&page_size=2"
    records = page(1, range(1, 3), 4, 1, query), page(2, range(2, 4), 4, 2, query)
    assert found(*records) == [("list.walk", "/results/0/id", Level.NOTE)]


def test_pages_of_different_days_are_no_walk() -> None:
    assert (
        found(page(1, range(1, 3), 4, 1, "page_size=2"), page(2, range(2, 4), 4, 90_000, "page_size=2")) == []
    )


def test_pages_of_different_files_without_times_are_no_walk() -> None:
    first = page(1, range(1, 3), 4, None, "page_size=2", source="a.json")
    assert found(first, page(2, range(2, 4), 4, None, "page_size=2", source="b.json")) == []


def test_what_is_forgotten_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lives.Lives.__init__, "__defaults__", (3,))
    monkeypatch.setattr(walks.Walks.__init__, "__defaults__", (1,))
    verdict = judge(list(walk()), Terms())
    assert verdict.findings == ()
    assert verdict.forgotten > 0
