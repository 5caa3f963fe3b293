"""Processes whose coverage .ci/run does not measure: it would take longer than what they do."""

from __future__ import annotations

import os

VARIABLES = ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")
"""By these, coverage.py starts to measure in a new process."""
UNMEASURED = ["env", *(word for name in VARIABLES for word in ("-u", name))]
"""Before the words of a command that a measured process starts."""


def unmeasured() -> dict[str, str]:
    """Return the environment without these variables."""
    return {name: value for name, value in os.environ.items() if name not in VARIABLES}
