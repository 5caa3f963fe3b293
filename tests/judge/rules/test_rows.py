"""Rows: does the time of a response show that a status is too early or too late?"""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from typing import Any

import pytest

from mock_webshare.contract.timestamps import DAY, SECOND, format_instant
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.model.response_time import ended_at
from mock_webshare.judge.model.row_fields import read_instant
from mock_webshare.judge.model.rulebook import level, rules_of
from mock_webshare.judge.run import judge
from tests.recorded_responses import BEGIN, found, one

UNKNOWN = (None, -1, -0.001, float("nan"), float("inf"), 10**400)


@pytest.mark.parametrize("seconds", UNKNOWN)
def test_an_impossible_duration_is_unknown(seconds: float | None) -> None:
    assert ended_at(Exchange(source="", started=BEGIN, seconds=seconds)) is None


def test_a_response_ends_when_its_duration_is_over() -> None:
    assert ended_at(Exchange(source="", started=BEGIN, seconds=0)) == BEGIN
    assert ended_at(Exchange(source="", started=BEGIN, seconds=1.5)) == BEGIN + 1.5 * SECOND


def available(**created: int) -> dict[str, Any]:
    """Return a row that is available, created so long after the first request."""
    date = format_instant(BEGIN + created.get("days", 0) * DAY + created.get("seconds", 0) * SECOND)
    return {"status": "available", "created_at": date, "updated_at": date}


@pytest.mark.parametrize("seconds", UNKNOWN)
def test_a_response_that_may_have_come_late_shows_no_row_too_soon(seconds: float | None) -> None:
    assert found(one(0, changes=available(days=-30, seconds=60), seconds=seconds)) == []


@pytest.mark.parametrize("seconds", [0.1, *UNKNOWN])
def test_a_row_is_available_too_soon_however_late_the_response_came(seconds: float | None) -> None:
    expected = [("object.pending", "/status", Level.NOTE)]
    assert found(one(0, changes=available(days=-29), seconds=seconds)) == expected


def test_a_finding_of_the_pending_period_is_what_the_rule_is_listed_as() -> None:
    (finding,) = judge([one(0, changes=available(days=-29))], Options()).findings
    rule = rules_of()["object.pending"]
    assert (finding.mark, finding.level) == (rule.mark, level(rule))
    assert rule.setting == "--pending-days"


def test_a_long_text_that_should_be_a_date_is_not_kept() -> None:
    text = "9" * 1000
    before = sys.getrefcount(text)
    assert read_instant(text) is None
    gc.collect()
    assert sys.getrefcount(text) == before


OVERDUE = [("object.pending", "/status", Level.NOTE)]


@pytest.mark.parametrize(
    ("days", "expected"), [(-40, OVERDUE), (-31.1, OVERDUE), (-30.9, []), (-1, []), (1, [])]
)
def test_a_row_that_stays_pending_is_reported_a_day_after_its_period(
    days: float, expected: list[tuple[str, str, Level]]
) -> None:
    row = available(seconds=int(days * 86400)) | {"status": "pending"}
    assert found(one(0, changes=row)) == expected


def test_the_clock_of_a_mock_server_may_stand_still() -> None:
    row = available(days=-40) | {"status": "pending"}
    headers = (
        ("Mock-Webshare-Version", "0.1.0"),
        ("Content-Type", "application/json"),
        ("Allow", "GET, HEAD, OPTIONS"),
    )
    assert found(replace(one(0, changes=row), headers=headers)) == []
