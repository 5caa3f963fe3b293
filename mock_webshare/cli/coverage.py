"""The options about coverage of the contract, which `run` and `validate` have."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from contextlib import suppress

from mock_webshare.cli.files import Streams, require_other_file, write_output
from mock_webshare.cli.options import CLEAN, FOUND, add_flag, add_text
from mock_webshare.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from mock_webshare.insight.coverage import Counts


def add_coverage_options(parser: argparse.ArgumentParser) -> None:
    minimum = "minimum coverage; below it, the exit code is 1 instead of 0 (default: none)"
    add_flag(parser, "--coverage", "show on standard error which parts of the contract were exercised")
    add_text(parser, "--coverage-file", "FILE", "file that gets the same as JSON (default: none)")
    add_text(parser, "--coverage-fail-under", "PERCENT", minimum)


class CoverageOutput:
    """Where the coverage is written, and its minimum; raise `UsageError` for an option with a wrong value."""

    def __init__(self, options: argparse.Namespace, inputs: Collection[str] = ()) -> None:
        self._is_shown, self._path, self._minimum = options.coverage, options.coverage_file, None
        if self._path == "-":
            raise UsageError("--coverage-file '-' is not allowed; allowed: the name of a file")
        require_other_file(self._path, inputs)
        if options.coverage_fail_under is not None:
            from mock_webshare.insight.coverage_report import require_percent

            self._minimum = require_percent("--coverage-fail-under", options.coverage_fail_under)

    @property
    def is_wanted(self) -> bool:
        return self._is_shown or self._path is not None or self._minimum is not None

    def write(self, counts: Counts, streams: Streams, code: int) -> int:
        """Write the coverage as the options say; return `code`, but 1 for 0 if the coverage is too low."""
        from mock_webshare.insight import coverage_report as report

        lines = list(report.lines(counts)) if self._is_shown else []
        problem = "" if self._minimum is None else report.shortfall(counts, self._minimum)
        if problem:
            lines.append(f"mock-webshare: {problem}")
        with suppress(OSError):  # a closed stream does not change the exit code
            streams.stderr.write("".join(f"{line}\n" for line in lines))
            streams.stderr.flush()
        if self._path is not None:
            write_output(self._path, streams, lambda stream: stream.write(report.text(counts)))
        return FOUND if problem and code == CLEAN else code
