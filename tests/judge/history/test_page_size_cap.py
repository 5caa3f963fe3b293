"""PageSizeCaps: which sizes count as a limit, and what is found on other pages."""

from __future__ import annotations

from typing import Any

import pytest

from mock_webshare.contract.model import Mark
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.history import page_size_cap
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from tests.recorded_responses import LIST, ROW, found, response

SHORT = ("list.page-size", "/results", Level.ERROR)
CAPPED = ("list.page-size-limit", "/results", Level.NOTE)
MISCOUNTED = ("list.count", "/count", Level.ERROR)


def listed(
    number: int, rows: int, count: int, *, wanted: int = 100, is_last: bool = False, **more: Any
) -> Exchange:
    """Return a page of so many rows that says that so many were found; ids go on where pages of 100 end."""

    def link(to: int) -> str:
        return f"{LIST}?page={to}&page_size={wanted}" if to > 1 else f"{LIST}?page_size={wanted}"

    body = {
        "count": count,
        "next": None if is_last else link(number + 1),
        "previous": link(number - 1) if number > 1 else None,
        "results": [ROW | {"id": 1000 * number + index} for index in range(rows)],
    }
    return response(body, link(number), number, **more)


@pytest.mark.parametrize(
    ("query", "mark"),
    [
        ("", Mark.DOCUMENTED),
        ("page_size=2", Mark.DOCUMENTED),
        ("page_size=02", Mark.FRAMEWORK),
        ("page_size=%202", Mark.FRAMEWORK),
        ("page_size=9&page_size=2", Mark.FRAMEWORK),
    ],
)
def test_the_mark_shows_whether_the_size_is_documented(query: str, mark: Mark) -> None:
    body = {"count": 30, "next": None, "previous": None, "results": [ROW | {"id": n} for n in range(26)]}
    findings = judge([response(body, f"{LIST}?{query}", 1)], Options()).findings
    assert [each.mark for each in findings if each.rule == "list.page-size"] == [mark]


@pytest.mark.parametrize("wanted", [30, 100, 1000])
def test_one_page_that_is_too_short_shows_no_cap(wanted: int) -> None:
    assert found(listed(1, 27, 300, wanted=wanted)) == [SHORT]


def test_a_round_number_may_be_a_cap() -> None:
    assert found(listed(1, 50, 300)) == [CAPPED]


def test_two_pages_of_one_length_may_show_a_cap() -> None:
    assert found(listed(1, 27, 300), listed(2, 27, 300)) == [CAPPED, CAPPED]


def test_the_same_page_again_shows_no_more_than_once() -> None:
    assert found(listed(1, 27, 300), listed(1, 27, 300)) == [SHORT, SHORT]


@pytest.mark.parametrize("order", [1, -1])
def test_a_longer_page_contradicts_a_cap(order: int) -> None:
    pages = [listed(1, 50, 300), listed(2, 100, 300)]
    assert found(*pages[::order]) == [SHORT]


def test_the_longest_of_several_lengths_is_the_cap() -> None:
    pages = listed(1, 50, 300), listed(2, 49, 300), listed(3, 50, 300)
    assert found(*pages) == [SHORT, CAPPED, CAPPED]


def test_pages_of_another_key_contradict_nothing() -> None:
    assert found(listed(1, 50, 300), listed(2, 100, 300, key="Token other")) == [CAPPED]


def test_a_last_page_fits_the_cap_that_other_pages_show() -> None:
    pages = listed(1, 50, 130), listed(2, 50, 130), listed(3, 30, 130, is_last=True)
    assert found(*pages) == [CAPPED] * 3


def test_a_last_page_that_fits_no_cap_is_miscounted() -> None:
    assert found(listed(1, 100, 500), listed(2, 30, 183, is_last=True)) == [
        MISCOUNTED,
        ("list.walk", "/count", Level.INCONCLUSIVE),
    ]


def test_a_page_with_rows_beyond_the_last_is_miscounted() -> None:
    assert found(listed(3, 73, 200, is_last=True)) == [MISCOUNTED]
    assert found(listed(4, 40, 230, is_last=True), listed(1, 100, 230)) == [MISCOUNTED]


def test_a_page_of_the_default_size_has_no_cap() -> None:
    body = {"count": 100, "next": f"{LIST}?page=2", "previous": None}
    rows = [ROW | {"id": index} for index in range(24)]
    assert found(response(body | {"results": rows}, LIST, 1)) == [SHORT]


def test_what_follows_from_a_page_that_is_too_short_is_not_reported() -> None:
    pages = listed(1, 27, 200), listed(2, 73, 200), listed(3, 100, 200, is_last=True)
    assert found(*pages) == [SHORT, SHORT]


def test_pages_under_a_higher_cap_fit_each_other() -> None:
    pages = listed(1, 500, 630, wanted=1000), listed(2, 130, 630, wanted=1000, is_last=True)
    assert found(*pages) == [CAPPED, CAPPED]


def test_pages_beyond_the_limit_are_decided_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_size_cap, "MOST_UNDECIDED", 1)
    monkeypatch.setattr(page_size_cap, "MOST_KEYS", 1)
    pages = listed(1, 50, 300), listed(2, 50, 300), listed(3, 27, 300, key="Token other")
    assert sorted(found(*pages)) == [SHORT, CAPPED, CAPPED]


def test_a_cap_below_the_usual_size_takes_two_pages_and_a_round_number() -> None:
    usual = response(
        {
            "count": 300,
            "next": f"{LIST}?page=2",
            "previous": None,
            "results": [ROW | {"id": n} for n in range(25)],
        },
        LIST,
        9,
    )
    assert found(usual, listed(1, 20, 300), listed(2, 20, 300)) == [CAPPED, CAPPED]
    assert found(usual, listed(1, 20, 300), listed(1, 20, 300, wanted=101)) == [CAPPED, CAPPED]
    assert found(usual, listed(1, 20, 300)) == [SHORT]
    assert found(usual, listed(1, 19, 300), listed(2, 19, 300)) == [SHORT, SHORT]
