"""Reloading: the data of a running server are read again from their file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import suppress

from mock_webshare.errors import Conflict, DataError, MockWebshareError
from mock_webshare.exchange.line_numbers import Locator
from mock_webshare.service.data import dataset as datasets
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.registry import Worlds, arranged

Source = Callable[[], Dataset]
"""Reads the data of a server from their file; raises `MockWebshareError` if they are bad."""
_WATCH_SECONDS = 0.25


class Reloader:
    """Reads the data of a server again, as a whole or not at all.

    `source` is None if the data are not from a file. `report` is called with a line about each attempt.
    """

    def __init__(self, worlds: Worlds, source: Source | None) -> None:
        self._worlds = worlds
        self._source = source
        self._lock = asyncio.Lock()  # so that the data that were read last are served in the end
        self.report: Callable[[str], object] = lambda line: None

    async def reload(self) -> Mapping[str, int]:
        """Read the data in a thread and serve them; return the counts of `Worlds.renew`.

        Raise `Conflict` if the data cannot be read; then the server keeps its data.
        """
        async with self._lock:
            try:
                counts = self._worlds.renew(await asyncio.to_thread(read, self._source))
            except Conflict as error:
                self.report(f"not reloaded: {error}")
                raise
        self.report(f"reloaded: {counts['renewed']} renewed, {counts['kept']} kept until their reset")
        return counts

    async def watch(self, path: str, seen: object) -> None:
        """Reload whenever the `state_of` a path is not `seen`, the state at the last reload; never return.

        A file that is changing is left alone until it stays the same.
        """
        before = seen
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            now = await asyncio.to_thread(state_of, path)
            if now == before and now not in (seen, None):
                seen = now
                with suppress(Conflict):  # reported
                    await self.reload()
            before = now


def state_of(path: str) -> tuple[int, int, int] | None:
    """Return time, size and inode of a file, which change if it is written or replaced; None: no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def make_source(settings: Settings) -> Source | None:
    """Return a function that loads the data set that the settings name; None if they name no data set."""
    data = settings.data
    if data is None:
        return None
    return lambda: arranged(datasets.load(data, settings.contract), settings)


def read(source: Source | None) -> Dataset:
    """Load the data again; raise `Conflict` with the reason and, if it is known, the line of the file."""
    if source is None:
        raise Conflict("the data are not from a file; start the server with --data FILE")
    try:
        return source()
    except MockWebshareError as error:
        raise Conflict(f"{error}{_line(error)}; the data are unchanged") from error


def _line(error: Exception) -> str:
    """Return the line of the value that an error is about, for the end of its message."""
    if not isinstance(error, DataError) or not error.pointer:
        return ""  # an error of the whole file, or a syntax error, whose message has the line already
    with suppress(MockWebshareError, ValueError, IndexError, RecursionError):  # changed meanwhile
        text = datasets.read_content(error.source).decode("utf-8-sig")
        return f" (line {Locator(text).line(error.pointer)})"
    return ""
