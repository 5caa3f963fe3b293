"""What `mutate` takes beside the runs of its command."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from measuring import COMMAND, report

SUITE = """
import json, urllib.request

def test_amounts(webshare_mock):
    headers = {"Authorization": f"Token {webshare_mock.api_key}"}
    url = webshare_mock.url + "/api/v2/referral/credit/"
    page = json.load(urllib.request.urlopen(urllib.request.Request(url, headers=headers)))
    assert page["results"]
"""
PYTEST = [
    sys.executable,
    "-m",
    "pytest",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:asyncio",
    "-p",
    "no:aiohttp",
]
ONLY = ["--only", "field.removed /api/v2/referral/credit/ "]
"""Mutants that provoke no waiting; all but one survive, so that their runs are whole ones."""


def mutate(rounds: int = 3) -> None:
    """Time `mutate`, and as many runs of its command alone, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_suite.py").write_text(SUITE, encoding="utf-8")
        pairs = []
        for _ in range(rounds):
            total, runs = _mutated(folder)
            pairs.append((total, runs * median(_seconds(PYTEST, folder) for _ in range(5))))
    report("mutate", median(ours for ours, _ in pairs), median(runs for _, runs in pairs), "<= 1.3", "s")


def _mutated(folder: str) -> tuple[float, int]:
    """Return how long `mutate` takes, and how many runs it makes."""
    began = time.perf_counter()
    command = [*COMMAND, "mutate", *ONLY, "--format", "json", "--", *PYTEST]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return time.perf_counter() - began, 1 + done.stdout.count('"exit_code": 0') + done.stdout.count(
        '"exit_code": 1'
    )


def _seconds(command: list[str], folder: str) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
