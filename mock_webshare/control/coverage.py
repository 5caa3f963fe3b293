"""The coverage of the requests in a journal, each counted once, also after the journal has dropped it."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

from mock_webshare.contract.model import Contract
from mock_webshare.insight import coverage_report
from mock_webshare.insight.coverage import Coverage
from mock_webshare.service.faults import ACTIONS
from mock_webshare.service.world.journal import Entry


class Counter:
    """Counts the requests of one journal until it is cleared. It may be used in any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._coverage: Coverage | None = None
        self._counted = 0
        self.last = 0
        """The number of the last request that was counted."""

    def document(self, entries: Sequence[Entry], total: int, contract: Contract) -> dict[str, Any]:
        """Count the last requests of a journal, unless that was done, and return all counts as JSON data.

        `total` is the number of the last of them.
        """
        with self._lock:
            coverage = self._coverage = self._coverage or Coverage(contract, ACTIONS)
            for number, entry in enumerate(entries, total - len(entries) + 1):
                if entry.is_waiting:  # it is counted with its response
                    break
                if number > self.last:
                    coverage.add(entry.exchange(0), entry.faults)
                    self.last, self._counted = number, self._counted + 1
            return {
                "requests": self._counted,
                "dropped": self.last - self._counted,
                "endpoints": coverage_report.by_endpoint(coverage.counts),
            }
