"""Counters of coverage that processes share: files in a folder that the environment names.

`run` and the pytest plugin create the folder. Each mock server in a process with that variable counts in a
file of its own, which is always complete, however its process ends. It maps the file when it is made, because
tests may fake the file system later.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Self

    from mock_webshare.contract.model import Contract
    from mock_webshare.insight.coverage import Counts, Row
    from mock_webshare.service.world.journal import Entry

_VARIABLE = "_MOCK_WEBSHARE_COVERAGE"
_SUFFIX = ".counts"
_BYTES = 8  # of a count


class CoverageFolder:
    """The folder in which mock servers count while the context lasts, in this process and below it."""

    def __enter__(self) -> Self:
        from tempfile import TemporaryDirectory

        self._outer = os.environ.get(_VARIABLE)
        self._folder = TemporaryDirectory(prefix="mock-webshare-", ignore_cleanup_errors=True)
        os.environ[_VARIABLE] = self._folder.name
        return self

    def __exit__(self, *_: object) -> None:
        """Delete the folder; what was counted in it goes to that of an outer context, if there is one."""
        del os.environ[_VARIABLE]
        if self._outer is not None:
            os.environ[_VARIABLE] = self._outer
            for path in self._files():
                with suppress(OSError):
                    path.replace(Path(self._outer, path.name))
        self._folder.cleanup()

    @property
    def variables(self) -> Mapping[str, str]:
        """The variable for the environment of a command."""
        return {_VARIABLE: self._folder.name}

    def counts(self, contract: Contract) -> Counts:
        """Return the sum of all files; without any, nothing of a contract is covered."""
        from mock_webshare.insight.coverage import rows_of
        from mock_webshare.service.faults import ACTIONS

        total: dict[Row, int] = {}
        for path in self._files():
            for row, count in _read(path.read_bytes()):
                total[row] = total.get(row, 0) + count
        return total or dict.fromkeys(rows_of(contract, ACTIONS), 0)

    def _files(self) -> list[Path]:
        return sorted(Path(self._folder.name).glob(f"*{_SUFFIX}"))


def counter(environ: Mapping[str, str], contract: Contract) -> Callable[[Entry], object] | None:
    """Return a function that counts requests in a new file; None if there is no folder for it."""
    folder = environ.get(_VARIABLE)
    if not folder:
        return None
    from mock_webshare.insight.coverage import Coverage, rows_of
    from mock_webshare.service.faults import ACTIONS

    try:
        counters = _mapped(folder, list(rows_of(contract, ACTIONS)))
    except OSError:  # the run that made the folder has ended
        return None
    coverage = Coverage(contract, ACTIONS, counters=counters)
    return lambda entry: coverage.add(entry.exchange(0), entry.faults)


def _mapped(folder: str, rows: Sequence[Row]) -> memoryview[int]:
    """Return the counts in a new file: a line of JSON with the rows, and a number for each."""
    from mmap import mmap
    from tempfile import mkstemp

    head = json.dumps(rows).encode() + b"\n"
    head = b" " * (-len(head) % _BYTES) + head
    file, path = mkstemp(dir=folder)
    with os.fdopen(file, "r+b") as stream:
        stream.write(head + bytes(_BYTES * len(rows)))
        stream.flush()
        mapped = memoryview(mmap(stream.fileno(), 0))
    os.replace(path, path + _SUFFIX)  # only a complete file is read
    return mapped[len(head) :].cast("Q")


def _read(content: bytes) -> Iterator[tuple[Row, int]]:
    """Yield the rows of a file, and their counts."""
    from mock_webshare.insight.coverage import Row

    head, _, counts = content.partition(b"\n")
    return (
        (Row(*row), count) for row, count in zip(json.loads(head), memoryview(counts).cast("Q"), strict=True)
    )
