"""Where the files are that tests read; no test works out a path from its own place."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PACKAGE = ROOT / "mock_webshare"
CASES = TESTS / "cases"
RECORDED = TESTS / "recorded"
EXAMPLE = TESTS / "examples" / "earnings-report"
FETCH = TESTS / "fetch.mjs"
