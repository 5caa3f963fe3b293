"""PageWalks: what is wrong with a walk, what is not, and what is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mock_webshare.contract.timestamps import SECOND
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.history import page_walk, row_history
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from tests.recorded_responses import LIST, found, page, response


def walk(*, count: int = 5, **more: Any) -> Iterator[Exchange]:
    for number, ids in ((1, range(1, 3)), (2, range(3, 5)), (3, range(5, 6))):
        yield page(number, ids, count, number, "page_size=2", **more)


def test_a_walk_that_shows_every_row_once_is_not_a_finding() -> None:
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


TWICE = [("list.walk", "/results/0/id", Level.ERROR)]


def broken_walk(**more: Any) -> list[Exchange]:
    """Return a walk whose last page shows a row of the first one."""
    first, second, _ = walk(**more)
    return [first, second, page(3, range(2, 3), 5, 5, "page_size=2", **more)]


def test_a_page_that_is_requested_again_continues_its_walk() -> None:
    first, second, last = broken_walk()
    assert found(first, second, later(second, 1), last) == TWICE
    assert found(*walk(), *walk()) == []


def later(record: Exchange, seconds: int) -> Exchange:
    assert record.started is not None
    return replace(record, started=record.started + seconds * SECOND)


def test_a_page_that_shows_other_rows_when_requested_again_has_moved() -> None:
    first, second, last = broken_walk()
    other = page(2, range(13, 15), 5, 3, "page_size=2")
    assert found(first, second, other, last) == [
        ("list.complete", "/results", Level.INCONCLUSIVE),
        ("list.walk", "/results/0/id", Level.INCONCLUSIVE),
    ]


def test_a_row_that_came_twice_is_reported_once_however_often_its_page_is_requested() -> None:
    first = page(1, range(1, 3), 5, 1, "page_size=2")
    second = page(2, range(2, 4), 5, 2, "page_size=2")
    assert found(first, second, later(second, 1)) == TWICE


OTHER_ROWS = ("list.complete", "/results", Level.INCONCLUSIVE)


def test_clients_with_one_key_do_not_disturb_each_other() -> None:
    mine, others = broken_walk(), [later(each, 1) for each in walk()]
    assert found(mine[0], mine[1], others[0], mine[2], others[1], others[2]) == [*TWICE, OTHER_ROWS]
    assert found(mine[0], others[0], mine[1], others[1], mine[2], others[2]) == [*TWICE, OTHER_ROWS]


@pytest.mark.parametrize("order", [(0, 2, 1), (1, 0, 2)])
def test_a_file_that_is_a_little_out_of_order_is_walked_through(order: tuple[int, ...]) -> None:
    records = broken_walk()
    assert found(*(records[index] for index in order)) == TWICE
    assert found(*(list(walk())[index] for index in order)) == []


def test_a_walk_whose_pages_are_too_far_out_of_order_is_counted() -> None:
    first, second, last = broken_walk()
    middle = page(3, range(5, 7), 8, 3, "page_size=2"), page(4, range(7, 9), 8, 4, "page_size=2")
    pages = [page(1, range(1, 3), 8, 1, "page_size=2"), *middle, page(2, range(3, 5), 8, 2, "page_size=2")]
    verdict = judge(pages, Options())
    assert (verdict.findings, verdict.forgotten) == ((), 1)
    assert judge([last, second, first], Options()).forgotten == 1


def test_pages_read_backwards_are_not_a_walk() -> None:
    records = [replace(each, started=-(each.started or 0)) for each in broken_walk()]
    verdict = judge(records[::-1], Options())
    assert (verdict.findings, verdict.forgotten) == ((), 0)


@pytest.mark.parametrize(
    ("query", "level"),
    [("ordering=-amount", Level.ERROR), ("ordering=-amount&status=pending", Level.INCONCLUSIVE)],
)
def test_the_order_goes_on_from_page_to_page(query: str, level: Level) -> None:
    query = "&".join(sorted([*query.split("&"), "page_size=2"]))
    pages = [amounts(number, amounts_, query) for number, amounts_ in ((1, (5.0, 1.0)), (2, (9.0, 0.5)))]
    assert found(*pages) == [("order.fields", "/results/0/amount", level)]


def amounts(number: int, amounts: tuple[float, float], query: str) -> Exchange:
    """Return one of two pages, of credits with two amounts."""
    plain = page(number, range(2 * number - 1, 2 * number + 1), 4, number, query)
    body = json.loads(plain.body)
    for row, amount in zip(body["results"], amounts, strict=True):
        row["amount"] = amount
    return replace(plain, body=json.dumps(body, separators=(",", ":")).encode())


def test_pages_in_order_are_not_a_finding() -> None:
    query = "ordering=-amount&page_size=2"
    assert found(amounts(1, (9.0, 5.0), query), amounts(2, (5.0, 0.5), query)) == []


def test_the_order_is_not_known_when_data_has_moved() -> None:
    query = "ordering=-amount&page_size=2"
    first, second = amounts(1, (5.0, 1.0), query), amounts(2, (9.0, 0.5), query)
    moved = replace(
        second, body=second.body.replace(b'"count":4', b'"count":5').replace(b"null,", b"null,", 1)
    )
    levels = {level for rule, _, level in found(first, moved) if rule == "order.fields"}
    assert levels == {Level.INCONCLUSIVE}


def test_accounts_whose_keys_are_not_known_are_distinguished_by_their_rows() -> None:
    mine = page(1, range(1, 3), 4, 1, "page_size=2"), page(2, range(3, 5), 4, 3, "page_size=2")
    others = page(1, range(11, 13), 4, 2, "page_size=2"), page(2, range(13, 15), 4, 4, "page_size=2")
    levels = {level for _, _, level in found(mine[0], others[0], mine[1], others[1])}
    assert levels <= {Level.INCONCLUSIVE}


def no_page(number: int, at: int, **more: Any) -> Exchange:
    url = f"{LIST}?page={number}&page_size=2"
    return response({"detail": "Invalid page."}, url, at, status=404, **more)


def test_a_linked_page_that_is_not_found_is_inconclusive() -> None:
    first, second, _ = walk()
    expected = [("list.walk", "", Level.INCONCLUSIVE)]
    assert found(first, no_page(2, 2)) == expected
    assert found(first, second, no_page(3, 3)) == expected


def test_a_page_without_a_link_may_be_missing() -> None:
    first, *_ = walk()
    assert found(*walk(), no_page(4, 4)) == []
    assert found(first, no_page(3, 2)) == []
    assert found(first, no_page(2, 9000)) == []
    assert found(first, no_page(2, 2, key="Token other")) == []


def test_pages_of_different_hours_are_not_a_walk() -> None:
    assert (
        found(page(1, range(1, 3), 4, 1, "page_size=2"), page(2, range(2, 4), 4, 9000, "page_size=2")) == []
    )


def test_pages_of_different_files_without_times_are_not_a_walk() -> None:
    first = page(1, range(1, 3), 4, None, "page_size=2", source="a.json")
    assert found(first, page(2, range(2, 4), 4, None, "page_size=2", source="b.json")) == []


def test_dropped_walks_and_rows_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_history.RowHistory.__init__, "__defaults__", (3,))
    monkeypatch.setattr(page_walk.PageWalks.__init__, "__defaults__", (1,))
    verdict = judge(list(walk()), Options())
    assert verdict.findings == ()
    assert verdict.forgotten > 0
