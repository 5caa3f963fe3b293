"""Trouble: what the program does when the service has a bad day."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run
    from mock_webshare import MockWorld

LIST = "/api/v2/referral/credit/"


def test_without_a_key_nothing_is_asked(run: Callable[..., Run], webshare_mock: MockWorld) -> None:
    outcome = run(WEBSHARE_API_KEY="")
    assert (outcome.code, outcome.err) == (2, "earnings-report: there is no API key; set WEBSHARE_API_KEY\n")
    assert webshare_mock.requests == ()


def test_a_refused_key_is_not_tried_again(run: Callable[..., Run]) -> None:
    outcome = run(WEBSHARE_API_KEY="invalid")
    assert (outcome.code, outcome.waits) == (2, [])
    assert "check WEBSHARE_API_KEY" in outcome.err


@pytest.mark.webshare_mock(scenario="suspended")
def test_a_suspended_account_is_told_what_the_service_says(run: Callable[..., Run]) -> None:
    outcome = run()
    assert outcome.code == 2
    assert outcome.err.startswith("earnings-report: the service answers 403: ")


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500, "form": "html"},
        {"status": 502, "form": "proxy"},
        {"status": 429, "retryAfter": 1},
        {"fault": "CONNECTION_RESET_BY_PEER"},
        {"fault": "CONNECTION_RESET_AFTER_HEADERS"},
        {"fault": "EMPTY_RESPONSE"},
        {"fault": "TRUNCATED_BODY"},
    ],
    ids=str,
)
def test_what_fails_twice_is_tried_again(
    run: Callable[..., Run], webshare_mock: MockWorld, fault: dict[str, object]
) -> None:
    webshare_mock.add_fault(**fault, times=2, query={"page": "2"})
    outcome = run()
    assert (outcome.code, outcome.total[0]) == (0, "230")
    assert len(outcome.waits) == 2
    assert webshare_mock.count_requests("GET", LIST, page=2) == 3


def test_a_service_that_keeps_failing_is_given_up(run: Callable[..., Run], webshare_mock: MockWorld) -> None:
    webshare_mock.add_fault(status=503, form="proxy")
    outcome = run()
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "earnings-report: the service fails with 503; try again later\n"
    assert outcome.waits == [1.0, 2.0, 4.0]


def test_an_answer_that_does_not_come_is_given_up(run: Callable[..., Run], webshare_mock: MockWorld) -> None:
    webshare_mock.add_fault(fixedDelayMilliseconds=60_000)
    outcome = run("--timeout", "0.05")
    assert outcome.code == 2
    assert "no answer in time" in outcome.err
    assert len(webshare_mock.requests) == 4


@pytest.mark.webshare_mock(scenario="flaky", credits=1000)
def test_a_service_that_fails_now_and_then_is_no_trouble(run: Callable[..., Run]) -> None:
    outcome = run()
    assert (outcome.code, outcome.total[0]) == (0, "1000")
    assert outcome.waits


def test_the_rate_limit_is_waited_out(run: Callable[..., Run], webshare_mock: MockWorld) -> None:
    """The limit counts by the clock of the world, which the program's sleep moves on: nobody waits."""
    webshare_mock.set_settings(rate_limit="2/min", rate_limit_clock="world")
    outcome = run()
    assert (outcome.code, outcome.total[0]) == (0, "230")
    assert outcome.waits == [60.0]


def test_a_wait_that_is_too_long_is_told_instead(run: Callable[..., Run], webshare_mock: MockWorld) -> None:
    webshare_mock.add_fault(status=429, retryAfter=3600)
    outcome = run()
    assert (outcome.code, outcome.waits) == (2, [])
    assert "wait for 3600 seconds" in outcome.err
