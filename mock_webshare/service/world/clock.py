"""The time of one world: its clock, and the throttle that limits requests within some seconds."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from mock_webshare.contract.timestamps import LIMIT, SECOND
from mock_webshare.errors import UsageError
from mock_webshare.service.data.fields import parsed
from mock_webshare.service.settings import RateLimit

_UNITS = (("weeks", 7 * 86_400), ("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
_DURATION = re.compile(
    r"P(?=[\dT])((?P<weeks>\d{1,6})W)?((?P<days>\d{1,6})D)?"
    r"(T(?=\d)((?P<hours>\d{1,8})H)?((?P<minutes>\d{1,9})M)?((?P<seconds>\d{1,10}(\.\d{1,6})?)S)?)?",
    re.ASCII,
)
_ALLOWED = (
    "ISO 8601 with weeks, days, hours, minutes and seconds, like P30D or PT90S; "
    "in Python also a timedelta or seconds, not negative"
)


def parse_duration(text: object) -> int:
    """Return the microseconds of an ISO 8601 duration: `P1DT12H` is 129,600,000,000.

    A timedelta is allowed too. Raise `UsageError` for anything else: also for years and months, because
    their length varies, and for a negative one, because a clock is set back by an instant.
    """
    if isinstance(text, timedelta) and text >= timedelta(0):
        return text // timedelta(microseconds=1)
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise UsageError.invalid("duration", text, _ALLOWED)
    return sum(round(float(match[unit] or 0) * seconds * SECOND) for unit, seconds in _UNITS)


DURATION = parsed(parse_duration, _ALLOWED)


def lasting(value: Any) -> Any:
    """Return a number of seconds as a timedelta, and anything else unchanged.

    Raise `UsageError` for a negative duration.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError, ValueError):
            value = timedelta(seconds=value)
    if isinstance(value, timedelta) and value < timedelta(0):
        seconds = f"{value.total_seconds():.15g} seconds"
        raise UsageError(f"a clock cannot go back by a duration: {seconds}; set it with now=")
    return value


class Clock:
    """An instant that stands still, or advances with `timer`, which returns seconds."""

    def __init__(self, now: int, timer: Callable[[], float]) -> None:
        self._now = now
        self._timer = timer
        self._since: float | None = None  # the timer's time when the clock was set. None: it stands still

    @property
    def is_running(self) -> bool:
        return self._since is not None

    def now(self) -> int:
        if self._since is None:
            return self._now
        return min(self._now + int((self._timer() - self._since) * SECOND), LIMIT - 1)

    def set(self, now: int, *, is_running: bool) -> None:
        """Set the clock to an instant, and start or stop it; raise `UsageError` if it is out of range."""
        if not 0 <= now < LIMIT:
            raise UsageError("a clock can show the years 1970 to 9998 only; choose a shorter duration")
        self._now = now
        self._since = self._timer() if is_running else None


class Throttle:
    """A rate limit of one key, with the requests that count (framework: `SimpleRateThrottle`).

    Within any window of `limit.seconds`, it admits `limit.requests` requests.
    """

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._admitted: deque[float] = deque()

    def admit(self, now: float) -> float | None:
        """Admit a request at `now`, in seconds, and return None; or return the seconds to wait.

        A refused request is not counted, so it does not prolong the wait.
        """
        admitted, limit = self._admitted, self._limit
        if admitted and admitted[-1] > now:  # the clock of a world was set back
            admitted.clear()
        while admitted and admitted[0] <= now - limit.seconds:
            admitted.popleft()
        if len(admitted) < limit.requests:
            admitted.append(now)
            return None
        return limit.seconds - (now - admitted[0])

    def left(self, now: float) -> int:
        """Return how many more requests `admit` would admit at `now`, in seconds; nothing is counted."""
        if self._admitted and self._admitted[-1] > now:
            return self._limit.requests
        counting = len(self._admitted) - bisect_right(self._admitted, now - self._limit.seconds)
        return max(self._limit.requests - counting, 0)
