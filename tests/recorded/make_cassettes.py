"""Record a cassette and its broken twin with a tool; see README.md.

python -m tests.recorded.make_cassettes NAME COMMAND...
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mock_webshare import MockServer

FOLDER = Path(__file__).parent / "cassettes"
KEY = "test-key"
CREDITS = "/api/v2/referral/credit/"
TARGETS = (f"{CREDITS}?page_size=2&status=reverted", f"{CREDITS}48318/", f"{CREDITS}999999/")
"""A page, a credit that is on it, and one that does not exist."""


def record(name: str, command: list[str]) -> None:
    """Run a command with the file to write and the URLs to get, and again while amounts are strings."""
    server = MockServer()
    server.start()
    try:
        urls = [server.url + target for target in TARGETS]
        subprocess.run([*command, FOLDER / name, *urls], check=True)
        server.world(KEY).add_fault(drift="retyped", field="amount")
        path = Path(name)
        subprocess.run([*command, FOLDER / f"{path.stem}-broken{path.suffix}", *urls], check=True)
    finally:
        server.stop()


if __name__ == "__main__":
    record(sys.argv[1], sys.argv[2:])
