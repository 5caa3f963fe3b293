"""ListComparison: lists, filtered or not, that disagree about the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from mock_webshare.contract.endpoints import CHANNEL_LIST, EARNOUT_LIST, WEBSHARE
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.history import list_comparison
from mock_webshare.judge.model.finding import Level
from tests.judge.rules.test_row_values import dated
from tests.recorded_responses import LIST, ROW, found, one, response

OLD = ROW | {"status": "available"}
NEW = "2026-03-16T12:00:30-07:00"


def listed(ids: Sequence[int], at: int | None, query: str = "", *, row: Any = OLD, **more: Any) -> Exchange:
    """Return a whole list of rows, with the `Date` of its time."""
    rows = [row | {"id": each} for each in ids]
    body = {"count": more.pop("count", len(rows)), "next": None, "previous": None, "results": rows}
    record = response(body, f"{LIST}?{query}", at, **more)
    return record if at is None else dated(record)


def disagreements(*records: Exchange) -> list[tuple[str, Level]]:
    return [(at, level) for rule, at, level in found(*records) if rule == "list.complete"]


ALL, SOME = listed((1, 2, 3), 0), listed((1, 3), 60, "status=available")
UNSURE = [("", Level.INCONCLUSIVE)]


def test_a_row_that_a_filtered_list_lacks_is_inconclusive() -> None:
    assert disagreements(ALL, SOME) == UNSURE


@pytest.mark.parametrize("query", ["mode=credits", "referral_channel=", "mode=credits&status=available"])
def test_so_it_is_with_each_filter(query: str) -> None:
    assert disagreements(ALL, listed((1, 3), 60, query)) == UNSURE


def test_a_row_that_is_shown_unchanged_later_cannot_have_moved() -> None:
    expected = [("", Level.ERROR)]
    assert disagreements(ALL, SOME, listed((1, 2, 3), 90)) == expected
    assert disagreements(ALL, SOME, dated(one(90, changes=OLD | {"id": 2}))) == expected


def test_a_row_that_has_changed_since_explains_it() -> None:
    reverted = OLD | {"id": 2, "status": "reverted", "reverted_at": NEW, "updated_at": NEW}
    assert disagreements(ALL, SOME, dated(one(90, changes=reverted))) == []


def test_a_row_that_was_not_updated_since_must_have_been_listed() -> None:
    later = listed((1, 2, 3), 120)
    assert disagreements(listed((1, 3), 60, "status=available"), later) == [("/results/1/id", Level.ERROR)]
    assert disagreements(listed((1, 3), 60), later) == [("/results/1/id", Level.ERROR)]


@pytest.mark.parametrize(
    "records",
    [
        (listed((1,), 0, row=OLD | {"updated_at": NEW}), listed((1, 3), 60, row=OLD | {"updated_at": NEW})),
        (ALL, listed((), 60, "status=pending")),
        (ALL, listed((1, 3), 9000, "status=available")),
        (ALL, listed((1, 3), 60, "status=available", key="Token other")),
        (ALL, listed((1, 3), 60, "status=available&status=available")),
        (ALL, listed((1, 2), 60, "page_size=2", count=2), listed((3,), 61, "status=reverted", row=ROW)),
    ],
)
def test_lists_that_may_differ_are_not_a_finding(records: tuple[Exchange, ...]) -> None:
    assert Level.ERROR not in [level for _, level in disagreements(*records)]


def test_one_list_twice_with_as_many_rows_but_other_ones() -> None:
    again = listed((1, 2, 4), 60)
    assert disagreements(ALL, again) == [("/results/2/id", Level.ERROR), *UNSURE]
    moved = listed((1, 2, 4), 60, row=OLD | {"updated_at": NEW})
    assert disagreements(ALL, moved) == UNSURE


def test_one_page_twice_with_as_many_rows_but_other_ones() -> None:
    def second_page(ids: Sequence[int], at: int) -> Exchange:
        rows = [OLD | {"id": each} for each in ids]
        links = {"next": f"{LIST}?page=3&page_size=2", "previous": f"{LIST}?page_size=2"}
        return response({"count": 9, **links, "results": rows}, f"{LIST}?page=2&page_size=2", at)

    assert disagreements(second_page((3, 4), 0), second_page((3, 5), 60)) == [
        ("/results", Level.INCONCLUSIVE)
    ]
    assert disagreements(second_page((3, 4), 0), second_page((3, 4), 60)) == []


def test_a_filtered_list_has_no_more_rows_than_all() -> None:
    few = listed((1,), 0, "page_size=1")
    assert ("/count", Level.ERROR) in disagreements(few, listed((1, 2), 60, "mode=credits&page_size=9"))
    young = listed((1, 2), 60, "mode=credits", row=OLD | {"updated_at": NEW})
    assert ("/count", Level.INCONCLUSIVE) in disagreements(few, young)


def test_all_rows_are_no_fewer_than_those_of_a_filter() -> None:
    filtered = listed((1, 2), 0, "mode=credits")
    assert ("/count", Level.INCONCLUSIVE) in disagreements(filtered, listed((1,), 60))


def test_a_walk_shows_a_whole_list_too() -> None:
    def of_walk(number: int, ids: Sequence[int], at: int) -> Exchange:
        def link(to: int) -> str | None:
            query = f"page={to}&page_size=1" if to > 1 else "page_size=1"
            return f"{LIST}?{query}" if 0 < to < 3 else None

        rows = [OLD | {"id": each} for each in ids]
        body = {"count": 2, "next": link(number + 1), "previous": link(number - 1), "results": rows}
        return dated(response(body, str(link(number)), at))

    assert disagreements(ALL, of_walk(1, (1,), 30), of_walk(2, (3,), 40)) == UNSURE


def test_earn_outs_and_channels_are_compared_too() -> None:
    row = WEBSHARE.schemas.document("referral-earnout")["examples"][0]
    url = f"https://proxy.webshare.io{EARNOUT_LIST.path}"

    def page(ids: Sequence[int], at: int) -> Exchange:
        rows = [row | {"id": each} for each in ids]
        return dated(response({"count": len(ids), "next": None, "previous": None, "results": rows}, url, at))

    assert disagreements(page((1, 2), 0), page((1,), 60), page((1, 2), 90)) == [("", Level.ERROR)]
    channel = WEBSHARE.schemas.document("referral-channel")["examples"][0]
    url = f"https://proxy.webshare.io{CHANNEL_LIST.path}"
    arrays = [dated(response([channel] * length, url, at)) for length, at in ((1, 0), (0, 60))]
    assert disagreements(*arrays) == UNSURE


def test_without_times_the_order_in_the_file_counts() -> None:
    assert disagreements(listed((1, 2, 3), None), listed((1, 3), None, "status=available")) == UNSURE


def test_the_data_of_a_mock_server_may_be_restored() -> None:
    own = ("Mock-Webshare-Version", "1.0")
    records = [dated(each, own) for each in (ALL, SOME, listed((1, 2, 3), 90))]
    assert disagreements(*records) == UNSURE


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_comparison, "MOST_ROWS", 5)
    monkeypatch.setattr(list_comparison, "MOST_GROUPS", 1)
    others = [listed((1,), at, key=f"Token {at}") for at in range(3)]
    assert disagreements(ALL, *others, SOME) == []
    assert disagreements(ALL, SOME, *others) == UNSURE
