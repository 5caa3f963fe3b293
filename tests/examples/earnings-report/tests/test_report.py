"""The report, over worlds that are arranged for it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run
    from mock_webshare import MockWorld

LIST = "/api/v2/referral/credit/"
THREE_CREDITS = Path(__file__).with_name("three-credits.json")


@pytest.mark.webshare_mock(data=THREE_CREDITS)
@pytest.mark.parametrize(
    ("grouping", "rows"),
    [
        ("status", ["available 2 0.30", "pending 1 40.00"]),
        ("mode", ["credits 1 40.00", "payout 2 0.30"]),
        ("channel", ["(link) 1 40.00", "SPRING10 2 0.30"]),
        ("month", ["2025-12 1 0.10", "2026-01 1 0.20", "2026-03 1 40.00"]),
    ],
)
def test_each_grouping_has_its_rows_and_the_same_total(
    run: Callable[..., Run], grouping: str, rows: list[str]
) -> None:
    header, *lines = (" ".join(line.split()) for line in run("--by", grouping).out.splitlines())
    assert header == f"{grouping} credits amount"
    assert lines == [*rows, "total 3 40.30"]


def test_all_pages_are_read_once(run: Callable[..., Run], webshare_mock: MockWorld) -> None:
    total = sum(Decimal(str(credit["amount"])) for credit in webshare_mock.credits())
    assert run().total == ["230", f"{total:.2f}"]
    assert [request.query.get("page") for request in webshare_mock.requests] == [None, ["2"], ["3"]]


def test_only_the_status_that_is_asked_for_is_fetched(
    run: Callable[..., Run], webshare_mock: MockWorld
) -> None:
    run("--status", "available")
    webshare_mock.assert_requested("GET", LIST, status="available", ordering="id", page=None)
    assert webshare_mock.count_requests("GET", LIST, status=None) == 0


@pytest.mark.webshare_mock(scenario="empty")
def test_an_account_without_credits_has_a_report_too(run: Callable[..., Run]) -> None:
    assert run().total == ["0", "0.00"]


@pytest.mark.webshare_mock(scenario="empty")
def test_a_purchase_is_earned_when_its_thirty_days_are_over(
    run: Callable[..., Run], webshare_mock: MockWorld
) -> None:
    webshare_mock.create_credit(amount=12.5)
    assert run("--status", "available").total == ["0", "0.00"]
    webshare_mock.set_clock(advance="P30D")
    assert run("--status", "available").total == ["1", "12.50"]


@pytest.mark.webshare_mock(data=THREE_CREDITS)
def test_a_refund_takes_the_credit_back(run: Callable[..., Run], webshare_mock: MockWorld) -> None:
    webshare_mock.revert_credit(102)
    assert run("--status", "available").total == ["1", "0.10"]


@pytest.mark.webshare_mock(seed=7, credits=205)
def test_another_account_has_another_report(run: Callable[..., Run]) -> None:
    assert run().total[0] == "205"


@pytest.mark.webshare_mock(scenario="moving-pages", credits=230)
def test_credits_that_come_in_the_meantime_are_counted_once(
    run: Callable[..., Run], webshare_mock: MockWorld
) -> None:
    assert run().total[0] == "232"
    assert len(webshare_mock.credits()) == 233  # the last one came after the last page
