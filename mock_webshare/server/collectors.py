"""What mock servers write into files, which other processes may read: their coverage, and their hints."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager, suppress

from mock_webshare.server.environment import SharedFolder, files_in, map_file

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, Self

    from mock_webshare.contract.model import Contract
    from mock_webshare.insight.client_hints import Hint
    from mock_webshare.insight.coverage import Counts, Row
    from mock_webshare.service.world.journal import Entry
    from mock_webshare.service.world.world import World

Documents = dict[tuple[str, ...], "dict[str, Any]"]
"""Hints as JSON data, by their texts."""
_BYTES = 8  # of a count of coverage
_log = logging.getLogger(__name__)
LARGEST_FILE = 256 * 1024
"""Bytes of the hints of one server; what does not fit is left out."""
MOST_HINTS = 100
"""Different hints that are kept of one client, or of one test."""


# Coverage.


class CoverageFolder(SharedFolder):
    """The folder in which mock servers of this process and its descendants count while the context lasts."""

    variable = "_MOCK_WEBSHARE_COVERAGE"
    is_passed_on = True

    def counts(self, contract: Contract) -> Counts:
        """Return the sums of the counts in all files; if there is no file, 0 for each row of the contract."""
        from mock_webshare.insight.coverage import rows_of
        from mock_webshare.service.faults import ACTIONS

        total: dict[Row, int] = {}
        for path in files_in(self.folder):
            for row, count in _read_counts(path.read_bytes()):
                total[row] = total.get(row, 0) + count
        return total or dict.fromkeys(rows_of(contract, ACTIONS), 0)


def counter(environ: Mapping[str, str], contract: Contract) -> Callable[[Entry], object] | None:
    """Return a function that counts requests in a new file; None if there is no folder for it."""
    folder = environ.get(CoverageFolder.variable)
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
    head = json.dumps(rows).encode() + b"\n"
    head = b" " * (-len(head) % _BYTES) + head
    return map_file(folder, head + bytes(_BYTES * len(rows)))[len(head) :].cast("Q")


def _read_counts(content: bytes) -> Iterator[tuple[Row, int]]:
    """Yield the rows of a file, and their counts."""
    from mock_webshare.insight.coverage import Row

    head, _, counts = content.partition(b"\n")
    return (
        (Row(*row), count) for row, count in zip(json.loads(head), memoryview(counts).cast("Q"), strict=True)
    )


# Hints.


class HintFolder(SharedFolder):
    """The folder in which mock servers write hints."""

    variable = "_MOCK_WEBSHARE_HINTS"
    is_passed_on = False  # the hints are shown where the context ends

    def __enter__(self) -> Self:
        """Make the folder; if it cannot be made, there are no hints."""
        self._is_open = False
        with suppress(OSError):
            super().__enter__()
            self._is_open = True
        return self

    def __exit__(self, *error: object) -> None:
        if self._is_open:
            super().__exit__(*error)

    @property
    def variables(self) -> dict[str, str]:
        return super().variables if self._is_open else {}

    def hints(self) -> list[dict[str, Any]]:
        """Return all hints (see `read_hints`)."""
        return read_hints(self.folder) if self._is_open else []


def read_hints(folder: str) -> list[dict[str, Any]]:
    """Return the hints in a folder as JSON data, each with the name of its test, or an empty one."""
    return [hint for path in files_in(folder) for hint in _read_hints(path.read_bytes())]


def _read_hints(content: bytes) -> Iterator[dict[str, Any]]:
    lines, _, _ = content.partition(b"\0")
    return (json.loads(line) for line in lines.splitlines() if line.endswith(b"}"))


class HintCollector:
    """Finds the hints on requests before the requests are dropped, and writes the hints into a file.

    Its methods are called in the thread of the server.
    """

    def __init__(self, file: memoryview, contract: Contract) -> None:
        from mock_webshare.control import hints

        self._find, self._contract = hints, contract
        self._file, self._end = file, 0
        self._noted: dict[str, Documents] = {}
        self._written: set[tuple[str, ...]] = set()

    def note(self, key: str, world: World, is_over: bool) -> None:
        """Find the hints on the requests of a world, and keep them until `finish` names their test."""
        if world.journal:
            with _logging_errors():
                found = self._find.of_world(world, self._contract, is_over=is_over)
                _add(self._noted.setdefault(key, {}), found)

    def noted(self, key: str) -> list[dict[str, Any]]:
        """Return the hints that `note` has kept of a key, which are not written yet."""
        return list(self._noted.get(key, {}).values())

    def note_keyless(self, entries: Sequence[Entry], test: str | None) -> None:
        """Write the hints on requests without a known key."""
        if test is not None:
            with _logging_errors():
                self._write(_add({}, self._find.of_keyless(entries, self._contract)), test)

    def finish(self, key: str, test: str | None) -> None:
        """Write the hints that `note` has kept of a key; if the test is None, drop them."""
        noted = self._noted.pop(key, None)
        if noted and test is not None:
            self._write(noted, test)

    def _write(self, documents: Documents, test: str) -> None:
        for texts, document in documents.items():
            line = json.dumps({**document, "test": test}).encode() + b"\n"
            end = self._end + len(line)
            if (*texts, test) not in self._written and end <= len(self._file):
                self._file[self._end : end] = line
                self._end = end
                self._written.add((*texts, test))


@contextmanager
def _logging_errors() -> Iterator[None]:
    """Log an internal error, and go on: responses are more important than hints."""
    try:
        yield
    except Exception as error:
        _log.error("internal error of mock-webshare, please report it: %s", type(error).__name__)
        _log.debug("traceback:", exc_info=True)


def _add(documents: Documents, found: Iterable[Hint]) -> Documents:
    """Add hints to `documents`, and return these; equal hints are one, with a count."""
    for hint in found:
        known = documents.get(hint[:3])
        if known is not None:
            known["count"] += len(hint.requests)
        elif len(documents) < MOST_HINTS:
            documents[hint[:3]] = hint.document()
    return documents


def collector(environ: Mapping[str, str], contract: Contract) -> HintCollector | None:
    """Return a collector with a new file; None if the environment names no folder for it."""
    folder = environ.get(HintFolder.variable)
    if not folder:
        return None
    try:
        return HintCollector(map_file(folder, bytes(LARGEST_FILE)), contract)
    except OSError:  # the run that made the folder has ended
        return None
