"""An interrupt: what SIGINT and SIGTERM do to a process that serves, from its first moment to its last."""

from __future__ import annotations

import signal

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    import asyncio
    from collections.abc import Callable
    from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """The first signal that comes while the context lasts; all that come after it do nothing.

    It is only noted until it is said what it does, and done then: an import must not be torn. For a
    process of its own, which is to end with the context.
    """

    def __init__(self) -> None:
        self._act: Callable[[], object] | None = None
        self._has_struck = False

    def raises(self) -> None:
        """From now on raise KeyboardInterrupt, which ends the context and goes no further."""
        self._does(_raise)

    def cancels(self, task: asyncio.Task[None]) -> None:
        """From now on cancel a task."""

        def cancel() -> None:
            if not task.cancelling():  # a second one would break off what the first lets end in order
                task.cancel()

        self._does(lambda: task.get_loop().call_soon_threadsafe(cancel))

    def _does(self, act: Callable[[], object]) -> None:
        self._act = act
        if self._has_struck:  # what is raised while something is finalised gets lost, so it may have before
            act()

    def _strike(self, *_: object) -> None:
        if not self._has_struck:
            self._has_struck = True
            if self._act:
                self._act()

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            signal.signal(number, self._strike)
        return self

    def __exit__(self, _: object, error: object, __: object) -> bool:
        self._act = None
        # Blocked, not ignored: when it ends, Python complains of signals that it has and may not handle.
        if self._has_struck and hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        return isinstance(error, KeyboardInterrupt)


def _raise() -> None:
    raise KeyboardInterrupt
