"""The rate limit, request by request, on two servers whose clocks the test turns."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.conformance.conftest import Clock
from tests.conformance.corpus.cases import (
    CHANNELS,
    CODE,
    CONFIG,
    COUPON,
    EARNOUT,
    EARNOUTS,
    INFO,
    LIST,
    MANY,
    ONE,
    with_body,
)
from tests.conformance.corpus.sequences import with_key
from tests.conformance.wire import HOST, KEY, Pair, Request, differences
from tests.sampling import sampled

REQUEST = Request(ONE)


@dataclass(frozen=True, slots=True)
class Step:
    """So many times the same request, `at` seconds after the start, with the status that it must have."""

    at: float
    status: int
    request: Request = REQUEST
    times: int = 1


def _headed(name: str, value: str, target: str = ONE) -> Request:
    """Return a request with a header."""
    return Request(target, headers=(HOST, KEY, (name, value)))


def _keyed(authorization: str) -> Request:
    """Return a request with another `Authorization` than the usual one."""
    return Request(ONE, headers=(HOST, ("Authorization", authorization)))


UNCOUNTED = (
    (401, Request(ONE, headers=(HOST,))),
    (401, _keyed("Token invalid")),
    (401, _keyed("Token conformance x")),
    (406, _headed("Accept", "text/html")),
    (404, Request(ONE + "?format=xml")),
    (400, Request(ONE + "?" + MANY)),
    (301, Request(ONE[:-1])),
    (404, Request("/api/v2/")),
)
COUNTED = (
    (200, Request(LIST + "?page_size=1")),
    (200, Request(ONE, "HEAD")),
    (200, Request(ONE, "OPTIONS")),
    (400, Request(LIST + "?mode=bogus")),
    (404, Request(LIST + "?page=9")),
    (404, Request(LIST + "9001/")),
    (404, Request(LIST + "x/")),
    (405, Request(ONE, "POST")),
    (200, _keyed("token \t conformance")),
    (200, _headed("Accept", "application/json; indent=2")),
)
FAMILY = (
    (200, Request(CONFIG)),
    (405, Request(CONFIG, "PUT")),
    (200, Request(CHANNELS)),
    (200, Request(EARNOUTS + "?page_size=1")),
    (404, Request(EARNOUTS + "9/")),
    (200, Request(EARNOUT, "OPTIONS")),
    (200, Request(COUPON)),
    (204, Request(COUPON, "DELETE")),
)
BROKEN = with_key(with_body(CONFIG, "PATCH", b"{"), "conformance")
UNKNOWN_TYPE = with_key(with_body(COUPON, "POST", b"{}", "text/plain"), "conformance")
CODE_INFO = Request(f"{INFO}?referral_code={CODE}")
FULL = Step(0, 200, times=240)

SCENARIOS = {
    "the 241st is refused": (FULL, Step(0, 429), Step(0.001, 429), Step(59.999, 429), Step(60, 200)),
    "the wait is rounded up": (
        FULL,
        *(Step(at, 429) for at in (0.5, 17, 17.25, 58, 58.5, 58.999, 59, 59.5, 59.999)),
    ),
    "refused requests do not prolong the wait": (FULL, Step(30, 429, times=300), Step(60, 200)),
    "each request counts for a minute of its own": (
        Step(0, 200, times=100),
        Step(30, 200, times=140),
        Step(30, 429),
        Step(59.5, 429),
        Step(60, 200, times=100),
        Step(60, 429),
        Step(90, 200, times=140),
        Step(90, 429),
        Step(119.5, 429),
        Step(120, 200, times=100),
        Step(120, 429),
    ),
    "a pause forgets everything": (FULL, Step(1000, 200, times=240), Step(1000, 429)),
    "some responses do not count": (
        *(Step(0, status, request, times=30) for status, request in UNCOUNTED),
        FULL,
        Step(0, 429),
        *(Step(0, status, request) for status, request in UNCOUNTED),
    ),
    "all other responses count": (
        *(Step(0, status, request, times=24) for status, request in COUNTED),
        Step(0, 429),
        *(Step(0, 429, request) for _, request in COUNTED),
    ),
    "the whole family counts together": (
        *(Step(0, status, request, times=25) for status, request in FAMILY),
        Step(0, 400, BROKEN, times=36),
        Step(0, 415, UNKNOWN_TYPE, times=2),
        Step(0, 200, times=2),
        Step(0, 429),
        *(Step(0, 429, request) for _, request in FAMILY),
        Step(0, 429, BROKEN),
        Step(0, 429, UNKNOWN_TYPE),
    ),
    "the code info is not limited": (
        Step(0, 200, CODE_INFO, times=300),
        Step(0, 400, Request(INFO), times=10),
        FULL,
        Step(0, 429),
        Step(0, 200, CODE_INFO),
        Step(0, 405, Request(INFO, "POST")),
    ),
    "each key has a limit of its own": (
        FULL,
        Step(1, 429),
        Step(1, 200, _keyed("Token other"), times=240),
        Step(1, 429, _keyed("Token other")),
        Step(1, 200, _keyed("Token CONFORMANCE")),
        Step(60, 200),
        Step(60, 429, _keyed("Token other")),
    ),
}


@pytest.mark.parametrize("name", sampled(SCENARIOS))
def test_the_limit_is_the_framework_s(limited_pair: Pair, clock: Clock, name: str) -> None:
    steps = SCENARIOS[name]
    start = clock.now
    for step in steps:
        clock.now = start + step.at
        for _ in range(step.times):
            expected, ours = limited_pair.send(step.request)
            assert expected.status == step.status
            assert differences(expected, ours) == []


def test_one_second_is_singular(limited_pair: Pair, clock: Clock) -> None:
    for _ in range(240):
        limited_pair.reference.send(REQUEST)
    clock.now += 59.5
    response = limited_pair.reference.send(REQUEST)
    assert response.body == b'{"detail":"Request was throttled. Expected available in 1 second."}'
    assert response.values("Retry-After") == ["1"]
