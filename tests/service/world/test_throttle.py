from __future__ import annotations

from mock_webshare.service.settings import RateLimit
from mock_webshare.service.world.throttle import Throttle


def test_one_more_than_the_limit_has_to_wait_for_the_first_to_lapse() -> None:
    throttle = Throttle(RateLimit(2, 60))
    assert [throttle.admit(0.0), throttle.admit(10.0), throttle.admit(18.0)] == [None, None, 42.0]


def test_a_refused_request_does_not_prolong_the_wait() -> None:
    throttle = Throttle(RateLimit(1, 60))
    assert [throttle.admit(now) for now in (0.0, 30.0, 59.0, 60.0)] == [None, 30.0, 1.0, None]


def test_when_the_clock_is_set_back_what_was_admitted_later_no_longer_counts() -> None:
    throttle = Throttle(RateLimit(1, 60))
    assert [throttle.admit(now) for now in (1000.0, 1001.0, 0.0, 1.0)] == [None, 59.0, None, 59.0]
