"""The command line. Exit codes: 0, a report; 1, the service is not what it documents; 2, no report."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

from earnings_report.errors import ContractError, ReportError
from earnings_report.report import GROUPINGS, STATUSES, read, summed, table
from earnings_report.service import Service


def main(
    arguments: Sequence[str] | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> int:
    """Print the report and return the exit code."""
    options = _parser().parse_args(arguments)
    filters = {"status": options.status} if options.status else {}
    try:
        service = Service.from_environment(environment, sleep=sleep, timeout=options.timeout)
        sums = summed(map(read, service.credits(**filters)), options.by)
    except ReportError as error:
        print(f"earnings-report: {error}", file=stderr or sys.stderr)
        return 1 if isinstance(error, ContractError) else 2
    (stdout or sys.stdout).write(table(sums, options.by))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="earnings-report", description="Sum up the referral credits.")
    parser.add_argument(
        "--by", choices=GROUPINGS, default="status", help="what the rows are (default: status)"
    )
    parser.add_argument("--status", choices=STATUSES, help="count only these")
    parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS", help="for each answer")
    return parser
