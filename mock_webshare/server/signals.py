"""A shutdown by SIGINT or SIGTERM, at any moment of a process that serves."""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    import asyncio
    from collections.abc import Callable
    from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Shutdown:
    """Handles the first signal that arrives in its context, and ignores the rest.

    A signal that arrives before its effect is set waits for it, so that no import is interrupted. It is for
    a process that ends with the context.
    """

    def __init__(self) -> None:
        self._effect: Callable[[], object] | None = None
        self._is_requested = False

    def on_signal_raise(self) -> None:
        """From now on raise KeyboardInterrupt, which the end of the context swallows."""
        self._set_effect(_raise)

    def on_signal_cancel(self, task: asyncio.Task[None]) -> None:
        """From now on cancel a task."""

        def cancel() -> None:
            if not task.cancelling():  # a second request would interrupt the clean-up after the first
                task.cancel()

        self._set_effect(lambda: task.get_loop().call_soon_threadsafe(cancel))

    def _set_effect(self, effect: Callable[[], object]) -> None:
        self._effect = effect
        if self._is_requested:  # a KeyboardInterrupt may have been lost: raised in a finaliser, it is
            effect()

    def _handle(self, *_: object) -> None:
        if not self._is_requested:
            self._is_requested = True
            if self._effect:
                self._effect()

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            signal.signal(number, self._handle)
        return self

    def __exit__(self, _: object, error: object, __: object) -> bool:
        self._effect = None
        # Blocked, not ignored: at exit Python complains of pending signals without a handler.
        if self._is_requested and hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        return isinstance(error, KeyboardInterrupt)


def _raise() -> None:
    raise KeyboardInterrupt
