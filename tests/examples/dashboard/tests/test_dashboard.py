"""What the dashboard shows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dashboard import (
    AccountBlocked,
    ApiError,
    BadKey,
    Dashboard,
    InvalidParameters,
    Unavailable,
    UnexpectedData,
)

CREDITS = "/api/v2/referral/credit/"


@pytest.mark.webshare_mock(credits=230)
def test_all_pages_are_read_once(board, webshare_mock):
    ids = [credit["id"] for credit in board.credits()]
    assert len(ids) == len(set(ids)) == 230
    webshare_mock.assert_requested("GET", CREDITS, page=3, page_size=100)
    assert webshare_mock.count_requests("GET", CREDITS, page=4) == 0


@pytest.mark.webshare_mock(credits=230)
def test_a_credit_that_moves_to_the_next_page_counts_once(board, webshare_mock):
    webshare_mock.add_fault(pages="repeated")
    assert board.summary().count == 230


@pytest.mark.parametrize(
    "fault",
    [
        {"drift": "retyped", "field": "amount"},
        {"drift": "null", "field": "amount"},
        {"drift": "enum", "field": "status", "to": "on_hold"},
    ],
    ids=str,
)
def test_data_that_are_not_documented_make_no_summary(board, webshare_mock, fault):
    webshare_mock.add_fault(**fault)
    with pytest.raises(UnexpectedData):
        board.summary()


def test_every_credit_has_its_id_and_its_code(board, webshare_mock):
    expected = {credit["id"]: credit["referral_channel_code"] for credit in webshare_mock.credits()}
    assert {credit["id"]: credit["referral_channel_code"] for credit in board.credits()} == expected


def test_pages_are_read_lazily(board, webshare_mock):
    next(board.credits(page_size=10))
    assert webshare_mock.count_requests("GET", CREDITS, page=2) == 0


@pytest.mark.parametrize("status", ["pending", "available", "reverted"])
def test_credits_are_filtered_by_status(board, webshare_mock, status):
    expected = [credit["id"] for credit in webshare_mock.credits() if credit["status"] == status]
    assert sorted(credit["id"] for credit in board.credits(status=status, page_size=20)) == sorted(expected)
    webshare_mock.assert_requested("GET", CREDITS, status=status, mode=None, ordering=None)


def test_credits_of_a_channel_newest_first(board, webshare_mock):
    channel = webshare_mock.channels()[0]
    webshare_mock.purchase(80, code=channel["code"])
    rows = list(board.credits(channel=channel["id"], ordering="-created_at"))
    assert {row["referral_channel_code"] for row in rows} == {channel["code"]}
    assert rows[0]["status"] == "pending"
    assert [row["created_at"] for row in rows] == sorted((row["created_at"] for row in rows), reverse=True)


def test_an_invalid_filter_is_explained(board):
    with pytest.raises(InvalidParameters) as caught:
        list(board.credits(status="paid", mode="cash"))
    assert set(caught.value.fields) == {"status", "mode"}
    assert "paid is not one of the available choices" in str(caught.value)


def test_one_credit(board, webshare_mock):
    made = webshare_mock.create_credit(amount=12.5)
    credit = board.credit(made["id"])
    assert credit is not None
    assert (credit["amount"], credit["status"]) == (12.5, "pending")
    assert board.credit(made["id"] + 1000) is None


@pytest.mark.webshare_mock(credits=0)
def test_summary(board, webshare_mock):
    code = webshare_mock.channels()[0]["code"]
    channel = webshare_mock.channels()[0]["id"]
    webshare_mock.create_credit(amount=0.1, referral_channel=channel)
    webshare_mock.create_credit(amount=0.2, status="available", referral_channel=channel)
    gone = webshare_mock.create_credit(amount=5, status="available")
    webshare_mock.create_credit(amount=4.25, status="available")
    webshare_mock.revert_credit(gone["id"])
    summary = board.summary()
    assert summary.count == 4
    assert summary.by_status == {
        "pending": Decimal("0.1"),
        "available": Decimal("4.45"),
        "reverted": Decimal("5.0"),
    }
    assert summary.by_channel == {code: Decimal("0.3"), "link": Decimal("4.25")}


def test_channels_are_ranked(board, webshare_mock):
    totals = [channel["total_commission"] for channel in board.channels()]
    assert totals == sorted(totals, reverse=True)
    assert len(totals) == len(webshare_mock.channels())
    assert all(channel["is_active"] for channel in board.channels(active_only=True))


def test_retry_after_is_honoured(board, webshare_mock, naps):
    webshare_mock.add_fault(status=429, retryAfter=7, times=2, query={"page": "2"})
    assert len(list(board.credits(page_size=50))) == 100
    assert naps == [7, 7]


def test_the_rate_limit_of_the_service_is_survived(board, webshare_mock, naps):
    webshare_mock.add_fault(throttle="5/min", clock="world")
    assert len(list(board.credits(page_size=10))) == 100
    assert naps and sum(naps) <= 120


def test_an_outage_is_retried_with_growing_pauses(board, webshare_mock, naps):
    webshare_mock.add_fault(status=503, form="proxy", times=3)
    assert len(list(board.credits())) == 100
    assert naps == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    "fault", ["CONNECTION_RESET_BY_PEER", "EMPTY_RESPONSE", "TRUNCATED_BODY", "MALFORMED_JSON"]
)
def test_broken_responses_are_retried(board, webshare_mock, fault):
    webshare_mock.add_fault(fault=fault, times=1)
    assert len(board.channels()) == len(webshare_mock.channels())
    assert webshare_mock.faults()[0]["struck"] == 1


@pytest.mark.webshare_mock(scenario="down")
def test_a_lasting_outage_is_reported(board, webshare_mock):
    with pytest.raises(Unavailable, match="in 4 attempts: 502"):
        board.summary()
    assert len(webshare_mock.requests) == 4


@pytest.mark.webshare_mock(scenario="suspended")
def test_a_suspended_account(board):
    with pytest.raises(AccountBlocked) as caught:
        board.channels()
    assert caught.value.code == "account_suspended"


def test_an_html_error_page_is_not_parsed(board, webshare_mock):
    webshare_mock.add_fault(status=500, form="html")
    with pytest.raises(ApiError) as caught:
        board.channels()
    assert caught.value.status == 500


def test_a_wrong_key(webshare_mock_server):
    with pytest.raises(BadKey, match="Invalid token"):
        Dashboard("invalid", webshare_mock_server.url).channels()
