"""The event loop of a mock server; its clock goes on while a test freezes time."""

from __future__ import annotations

import asyncio
import selectors
import socket
import time
from functools import partial
from types import BuiltinFunctionType

from mock_webshare.errors import ServerError

# freezegun replaces `time.monotonic` wherever it is the attribute of a module.
if hasattr(time, "clock_gettime"):  # real even if this module is imported in frozen time
    monotonic = partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    real_time = partial(time.clock_gettime, time.CLOCK_REALTIME)
else:
    monotonic, real_time = partial(time.monotonic), partial(time.time)

_sleep = asyncio.sleep


def is_waiting_real() -> bool:
    """Return whether `time.sleep` and `asyncio.sleep` are the originals: a test may have replaced them."""
    return type(time.sleep) is BuiltinFunctionType and asyncio.sleep is _sleep


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop; raise `ServerError` if the system refuses one.

    Its resources are tried first: a loop that is half made cannot be closed, and warns when it is collected.
    """
    try:
        with selectors.DefaultSelector():
            socket.socket(getattr(socket, "AF_UNIX", socket.AF_INET)).close()
            for end in socket.socketpair():
                end.close()
        loop = asyncio.new_event_loop()
    except OSError as error:
        raise ServerError(f"cannot start the mock server: {error.strerror or error}") from error
    loop.time = monotonic  # type: ignore[method-assign]  # its delays end while a test freezes time
    return loop
