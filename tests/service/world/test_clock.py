"""The clock of a world, which never leaves its years, and the throttle, which never admits too many."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mock_webshare.contract.timestamps import DAY, LIMIT, SECOND, format_instant
from mock_webshare.errors import UsageError
from mock_webshare.service.settings import RateLimit
from mock_webshare.service.world.clock import Clock, Throttle, lasting, parse_duration

HOUR = 3600 * SECOND

DURATIONS = [
    ("P30D", 30 * DAY),
    ("P2W", 14 * DAY),
    ("P1W1D", 8 * DAY),
    ("P1DT12H", 36 * HOUR),
    ("PT90S", 90 * SECOND),
    ("PT1H30M", 90 * 60 * SECOND),
    ("PT0.000001S", 1),
    ("PT0S", 0),
    (timedelta(days=30), 30 * DAY),
    (timedelta(0), 0),
]
NO_DURATIONS: list[Any] = [
    "", "P", "PT", "P1DT", "30D", "P30", "-P1D", "+P1D", "P-1D", "P1Y", "P1M", "P1.5D", "P1D ", "p1d", "P１D",
    "PT1.0000001S", "P1D1W", "P1H", "P9999999D", None, 30, 1.5, True, [],
    timedelta(microseconds=-1),
]  # fmt: skip


@pytest.mark.parametrize(("text", "microseconds"), DURATIONS)
def test_a_duration_is_read(text: object, microseconds: int) -> None:
    assert parse_duration(text) == microseconds


@pytest.mark.parametrize("text", NO_DURATIONS)
def test_what_is_not_a_duration_is_refused_with_what_is(text: object) -> None:
    with pytest.raises(UsageError, match=r"is not allowed; allowed: ISO 8601 .* like P30D or PT90S"):
        parse_duration(text)


def test_a_refused_duration_is_not_repeated_at_length() -> None:
    with pytest.raises(UsageError) as refusal:
        parse_duration("P" * 1_000_000)
    assert len(str(refusal.value)) < 250


def test_a_clock_stands_still_where_it_is_set() -> None:
    seconds = 0.0
    clock = Clock(5, lambda: seconds)
    seconds = 100.0
    assert (clock.now(), clock.is_running) == (5, False)


def test_a_running_clock_advances_with_the_timer() -> None:
    seconds = 1000.0
    clock = Clock(0, lambda: seconds)
    clock.set(DAY, is_running=True)
    assert (clock.now(), clock.is_running) == (DAY, True)
    seconds += 1.5
    assert clock.now() == DAY + 3 * SECOND // 2


def test_a_clock_that_is_stopped_stays_at_that_moment() -> None:
    seconds = 0.0
    clock = Clock(0, lambda: seconds)
    clock.set(0, is_running=True)
    seconds = 2.0
    clock.set(clock.now(), is_running=False)
    seconds = 9.0
    assert clock.now() == 2 * SECOND


def test_a_running_clock_stops_at_the_end_of_time() -> None:
    seconds = 0.0
    clock = Clock(0, lambda: seconds)
    clock.set(LIMIT - SECOND, is_running=True)
    seconds = 1e9
    assert clock.now() == LIMIT - 1
    assert format_instant(clock.now()) == "9998-12-31T15:59:59.999999-08:00"


@pytest.mark.parametrize("instant", [-1, LIMIT])
def test_a_clock_cannot_be_set_beyond_its_years(instant: int) -> None:
    clock = Clock(7, lambda: 0.0)
    with pytest.raises(UsageError, match="1970 to 9998"):
        clock.set(instant, is_running=False)
    assert clock.now() == 7


def test_one_more_than_the_limit_has_to_wait_for_the_first_to_lapse() -> None:
    throttle = Throttle(RateLimit(2, 60))
    assert [throttle.admit(0.0), throttle.admit(10.0), throttle.admit(18.0)] == [None, None, 42.0]


def test_a_refused_request_does_not_prolong_the_wait() -> None:
    throttle = Throttle(RateLimit(1, 60))
    assert [throttle.admit(now) for now in (0.0, 30.0, 59.0, 60.0)] == [None, 30.0, 1.0, None]


def test_when_the_clock_is_set_back_what_was_admitted_later_no_longer_counts() -> None:
    throttle = Throttle(RateLimit(1, 60))
    assert [throttle.admit(now) for now in (1000.0, 1001.0, 0.0, 1.0)] == [None, 59.0, None, 59.0]


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        (-60, "-60"),
        (-0.5, "-0.5"),
        (timedelta(days=-1), "-86400"),
        (timedelta(microseconds=-1), "-1e-06"),
        (-(10**9), "-1000000000"),
    ],
    ids=str,
)
def test_a_duration_below_zero_is_refused_with_what_sets_a_clock_back(duration: Any, seconds: str) -> None:
    with pytest.raises(UsageError) as error:
        lasting(duration)
    assert str(error.value) == (f"a clock cannot go back by a duration: {seconds} seconds; set it with now=")


@pytest.mark.parametrize("duration", [0, 60, 0.5, timedelta(0), "P30D", None, "-P1D", True])
def test_any_other_duration_goes_on(duration: Any) -> None:
    assert lasting(duration) is not None or duration is None
