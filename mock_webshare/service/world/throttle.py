"""A throttle: a limited number of requests within any window of some seconds."""

from __future__ import annotations

from collections import deque

from mock_webshare.service.settings import RateLimit


class Throttle:
    """The requests of one key that still count (framework: `SimpleRateThrottle`)."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._admitted: deque[float] = deque()

    def copy(self) -> Throttle:
        """Return an independent copy in the same state."""
        twin = Throttle(self._limit)
        twin._admitted = self._admitted.copy()
        return twin

    def admit(self, now: float) -> float | None:
        """Admit a request at a time in seconds, or return the seconds to wait.

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
