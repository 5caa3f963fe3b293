"""The semantics of a list as tables; `tests/conformance` holds the same against the framework itself."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from mock_webshare.contract.endpoints import CREDIT_FILTERS, CREDIT_LIST, PAGES
from mock_webshare.service.framework import query
from mock_webshare.service.framework.query import FieldError

OWNED = {"channels": {7, 9}}


class Row(NamedTuple):
    id: int
    mode: str
    amount: float
    reverted_at: int | None


ROWS = [
    Row(1, "payout", 2.5, None),
    Row(2, "credits", 2.5, 20),
    Row(3, "payout", 9.0, 10),
    Row(4, "credits", 0.5, None),
]


@pytest.mark.parametrize(
    ("params", "criteria"),
    [
        ({}, ()),
        ({"mode": "", "status": ""}, ()),
        ({"mode": "payout", "status": "reverted"}, (("mode", "payout"), ("status", "reverted"))),
        ({"referral_channel": ""}, (("referral_channel", None),)),
        ({"referral_channel": " 7 "}, (("referral_channel", 7),)),
        ({"referral_channel": "٧"}, (("referral_channel", 7),)),
        ({"mode__in": "payout", "search": "x"}, ()),
    ],
)
def test_filters_are_read(params: query.Params, criteria: query.Criteria) -> None:
    assert query.read_filters(CREDIT_FILTERS, params, OWNED) == (criteria, [])


def test_several_wrong_filters_are_reported_together_in_order() -> None:
    params = {"referral_channel": "8", "status": "Pending", "mode": "payouts"}
    _, errors = query.read_filters(CREDIT_FILTERS, params, OWNED)
    choice = "Select a valid choice. {} is not one of the available choices."
    assert errors == [
        FieldError("mode", choice.format("payouts"), "invalid_choice"),
        FieldError("status", choice.format("Pending"), "invalid_choice"),
        FieldError("referral_channel", choice.format("That choice"), "invalid_choice"),
    ]


@pytest.mark.parametrize("value", ["8", "x", "7.0", "null", "1" * 5000])
def test_a_channel_of_another_account_is_an_invalid_choice(value: str) -> None:
    _, (error,) = query.read_filters(CREDIT_FILTERS, {"referral_channel": value}, OWNED)
    assert error.code == "invalid_choice"


def test_a_channel_with_a_null_character_has_its_own_error() -> None:
    _, (error,) = query.read_filters(CREDIT_FILTERS, {"referral_channel": "7\0"}, OWNED)
    assert error.code == "null_characters_not_allowed"


@pytest.mark.parametrize(
    ("value", "terms"),
    [
        (None, ("id",)),
        ("", ("id",)),
        ("-amount", ("-amount",)),
        (" -amount , status ", ("-amount", "status")),
        ("bogus,--id,-,user_id", ("id",)),
        ("bogus,mode", ("mode",)),
        ("Amount", ("id",)),
    ],
)
def test_ordering_terms(value: str | None, terms: tuple[str, ...]) -> None:
    assert query.ordering_terms(value, CREDIT_LIST.orderings, ("id",)) == terms


@pytest.mark.parametrize(
    ("terms", "ids"),
    [
        (("id",), [1, 2, 3, 4]),
        (("-id",), [4, 3, 2, 1]),
        (("amount",), [4, 1, 2, 3]),
        (("-amount",), [3, 1, 2, 4]),  # ties by ascending id, whatever the direction
        (("amount", "-id"), [4, 2, 1, 3]),
        (("mode", "-amount"), [2, 4, 3, 1]),
        (("amount", "-amount"), [4, 1, 2, 3]),
        (("-id", "amount"), [4, 3, 2, 1]),
        (("reverted_at",), [3, 2, 1, 4]),  # nulls last
        (("-reverted_at",), [1, 4, 2, 3]),  # nulls first
    ],
)
def test_rows_are_arranged(terms: tuple[str, ...], ids: list[int]) -> None:
    assert [ROWS[position].id for position in query.arrange(ROWS, (), terms)] == ids


def test_criteria_combine_with_and() -> None:
    criteria = (("mode", "payout"), ("reverted_at", None))
    assert [ROWS[position].id for position in query.arrange(ROWS, criteria, ("id",))] == [1]


@pytest.mark.parametrize(
    ("params", "count", "number", "size"),
    [
        ({}, 100, 1, 25),
        ({}, 0, 1, 25),
        ({"page": "last"}, 101, 5, 25),
        ({"page": "last"}, 0, 1, 25),
        ({"page": ""}, 100, 1, 25),
        ({"page": " +2 "}, 100, 2, 25),
        ({"page": "0_2"}, 100, 2, 25),
        ({"page": "２"}, 100, 2, 25),
        ({"page_size": "10"}, 100, 1, 10),
        ({"page_size": "1000"}, 100, 1, 100),
        ({"page_size": "0"}, 100, 1, 25),
        ({"page_size": "-3"}, 100, 1, 25),
        ({"page_size": "ten"}, 100, 1, 25),
        ({"page_size": ""}, 100, 1, 25),
        ({"page_size": "9" * 5000}, 100, 1, 25),
    ],
)
def test_pages_are_read(params: query.Params, count: int, number: int, size: int) -> None:
    assert query.read_page(params, PAGES, count) == query.Page(number, size, count)


@pytest.mark.parametrize("page", ["0", "-1", "5", "1.0", "1e1", "LAST", "two", "9" * 5000])
def test_an_impossible_page_is_none(page: str) -> None:
    assert query.read_page({"page": page}, PAGES, 100) is None


def test_page_one_of_an_empty_list_has_no_neighbours() -> None:
    page = query.Page(1, 25, 0)
    assert (page.next_number, page.previous_number, page.rows) == (None, None, slice(0, 25))


def test_a_page_in_the_middle_has_both_neighbours() -> None:
    page = query.Page(2, 25, 51)
    assert (page.next_number, page.previous_number, page.rows) == (3, 1, slice(25, 50))


@pytest.mark.parametrize(
    ("sent", "number", "written"),
    [
        ("", 2, "?page=2"),
        ("page=1", 2, "?page=2"),
        ("page=2", 1, ""),
        ("b=1&page=2&a=%20", 3, "?a=+&b=1&page=3"),
        ("page=7&page=2&x=2&x=1", 3, "?page=3&x=2&x=1"),
        ("mode=&bare", 2, "?bare=&mode=&page=2"),
        ("q=%FF%2B+", 2, "?page=2&q=%EF%BF%BD%2B+"),
        ("a=1;b=2&&", 2, "?a=1%3Bb%3D2&page=2"),
    ],
)
def test_links_repeat_the_query(sent: str, number: int, written: str) -> None:
    assert query.link("http://host/list/", sent, number) == f"http://host/list/{written}"


def test_of_the_terms_of_one_field_the_first_decides() -> None:
    terms = ("-amount", "amount", "status", "-amount", "id", "status")
    assert query._deciding(terms) == ("-amount", "status", "id")
    assert query.arrange(ROWS, (), ("-amount", "amount")) == query.arrange(ROWS, (), ("-amount",))
