"""Counters of coverage that processes share, in a folder that `run` or the pytest plugin creates."""

from __future__ import annotations

import json

from mock_webshare.server.environment import SharedFolder, files_in, map_file

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mock_webshare.contract.model import Contract
    from mock_webshare.insight.coverage import Counts, Row
    from mock_webshare.service.world.journal import Entry

_BYTES = 8  # of a count


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
            for row, count in _read(path.read_bytes()):
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


def _read(content: bytes) -> Iterator[tuple[Row, int]]:
    """Yield the rows of a file, and their counts."""
    from mock_webshare.insight.coverage import Row

    head, _, counts = content.partition(b"\n")
    return (
        (Row(*row), count) for row, count in zip(json.loads(head), memoryview(counts).cast("Q"), strict=True)
    )
