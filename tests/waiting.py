"""Waiting for what has to become so, by looking again and again: the deadline is only for what never does."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 30.0
"""Seconds; below the minute for which aiohttp waits, at its end, for connections that are still open."""


def until(is_so: Callable[[], object]) -> None:
    """Return when something has become so."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)
