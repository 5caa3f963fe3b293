"""The options about coverage of `run` and `validate`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.exchange.model import Exchange, write_line
from tests.capabilities import needs_fork
from tests.cli import Run
from tests.paths import EXAMPLE
from tests.sampling import sampled_rows
from tests.unmeasured import UNMEASURED
from tests.waiting import PATIENCE

GET = """
import os, urllib.request
headers = {"Authorization": "Token key"}
url = os.environ["WEBSHARE_BASE_URL"] + "/api/v2/referral/credit/?status=pending"
urllib.request.urlopen(urllib.request.Request(url, headers=headers)).read()
"""
UNUSED = ("asyncio", "aiohttp", "anyio", "cacheprovider", "faker", "hypothesispytest", "pytest_httpserver")
PYTEST = [
    *(*UNMEASURED, sys.executable, "-m", "pytest"),
    *(word for name in UNUSED for word in ("-p", f"no:{name}")),
]


def run(*options: object, command: list[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command under `mock-webshare run`."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    return subprocess.run(
        [sys.executable, "-m", "mock_webshare", "run", *map(str, options), "--", *command],
        cwd=folder,
        env=others,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
    )


def counts_of(path: Path) -> dict[tuple[str, str], int]:
    """Return the counts of the list of credits, and of faults, by aspect and value."""
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    wanted = (CREDIT_LIST.path, "faults")
    return {
        (row["aspect"], row["value"]): row["count"]
        for row in rows
        if row["endpoint"] in wanted and row["count"]
    }


@needs_fork
def test_run_reports_what_its_command_exercised(tmp_path: Path) -> None:
    ran = run("--coverage", "--coverage-file", tmp_path / "c.json", command=[sys.executable, "-c", GET])
    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr.startswith("coverage of the contract: 4 % (") and len(ran.stderr.splitlines()) <= 23
    assert counts_of(tmp_path / "c.json")["filter", "status=pending"] == 1


@needs_fork
def test_run_without_the_options_reports_nothing() -> None:
    ran = run(command=[sys.executable, "-c", GET + "assert '_MOCK_WEBSHARE_COVERAGE' not in os.environ"])
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


@needs_fork
@pytest.mark.parametrize(
    ("minimum", "command", "code", "is_short"),
    sampled_rows(
        [("4", GET, 0, False), ("0", GET, 0, False), ("90", GET, 1, True), ("90", GET + "exit(7)", 7, True)],
        kind=lambda row: row[2],
    ),
)
def test_run_can_require_a_minimum(minimum: str, command: str, code: int, is_short: bool) -> None:
    ran = run("--coverage-fail-under", minimum, command=[sys.executable, "-c", command])
    sentence = f"mock-webshare: the coverage is 4 %, and at least {minimum} % is required\n"
    assert (ran.returncode, ran.stderr) == (code, sentence if is_short else "")


@pytest.mark.parametrize("command", [["run"], ["validate"]])
@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--coverage-fail-under", "101", "'101' is not allowed; allowed: a whole number from 0 to 100"),
        ("--coverage-fail-under", "half", "'half' is not allowed; allowed: a whole number from 0 to 100"),
        ("--coverage-file", "-", "'-' is not allowed; allowed: the name of a file"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_done(
    command: list[str], option: str, value: str, message: str, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    rest = ["--", "touch", str(mark)] if command == ["run"] else [str(tmp_path)]
    refused = Run(*command, option, value, *rest)
    assert (refused.code, refused.out) == (2, "")
    assert f"{option} {message}" in refused.err
    assert not mark.exists()


@needs_fork
def test_the_servers_of_a_command_and_of_its_children_count(tmp_path: Path) -> None:
    code = """if True:
        from mock_webshare import MockServer
        child = os.fork()
        with MockServer() as server:
            url = server.url + "/api/v2/referral/credit/?status=available"
            urllib.request.urlopen(urllib.request.Request(url, headers=headers)).read()
        if child:
            os.waitpid(child, 0)
    """
    ran = run("--coverage-file", tmp_path / "c.json", command=[sys.executable, "-c", GET + code])
    assert ran.returncode == 0, ran.stderr
    counts = counts_of(tmp_path / "c.json")
    assert (counts["filter", "status=pending"], counts["filter", "status=available"]) == (1, 2)


@pytest.mark.exhaustive
@needs_fork
@pytest.mark.parametrize("number", [2, 4])
def test_the_servers_of_a_command_count_in_any_number_of_processes(number: int, tmp_path: Path) -> None:
    found: list[Any] = []
    for processes in ([], ["-n", str(number)]):
        ran = run("--coverage-file", tmp_path / "c.json", command=[*PYTEST, *processes], folder=EXAMPLE)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        found.append((tmp_path / "c.json").read_bytes())
    assert found[0] == found[1]
    counts = counts_of(tmp_path / "c.json")
    assert counts["page", "next"] > 10
    assert {value for aspect, value in counts if aspect == "page"} == {"first", "next", "last", "page_size"}
    assert {value for aspect, value in counts if aspect == "ordering"} == {"id"}
    assert ("filter", "status=available") in counts and ("filter", "mode=payout") not in counts
    assert {"status", "drift", "pages"} <= {value for aspect, value in counts if aspect == "fault"}


def recorded(*exchanges: Exchange, folder: Path) -> Path:
    path = folder / "recording.ndjson"
    path.write_text("".join(map(write_line, exchanges)), encoding="utf-8")
    return path


def pending(host: str) -> Exchange:
    return Exchange(
        source="",
        method="GET",
        url=f"https://{host}{CREDIT_LIST.path}?status=pending",
        status=200,
        headers=(("Content-Type", "application/json"), ("Allow", "GET, HEAD, OPTIONS")),
        body=b'{"count":0,"next":null,"previous":null,"results":[]}',
    )


@pytest.mark.parametrize(("hosts", "number"), [([], 2), (["--only-host", "a.example"], 1)])
def test_validate_reports_what_recordings_exercise(hosts: list[str], number: int, tmp_path: Path) -> None:
    path = recorded(pending("a.example"), pending("b.example"), folder=tmp_path)
    checked = Run("validate", path, "--coverage", "--coverage-file", tmp_path / "c.json", *hosts)
    assert checked.code == 0
    assert checked.out.startswith("1 file, 2 exchanges")
    assert checked.err.startswith("coverage of the contract: 1 % (4 of 242)")
    assert counts_of(tmp_path / "c.json") == {
        ("method", "GET"): number,
        ("filter", "status=pending"): number,
        ("page", "first"): number,
        ("status", "200"): number,
    }


def test_validate_counts_the_same_in_several_processes(tmp_path: Path) -> None:
    path = recorded(*[pending(f"host{number}.example") for number in range(200)], folder=tmp_path)
    texts = []
    for jobs in ("1", "2"):
        assert Run("validate", path, "--jobs", jobs, "--coverage-file", tmp_path / "c.json").code == 0
        texts.append((tmp_path / "c.json").read_bytes())
    assert texts[0] == texts[1]


@pytest.mark.parametrize(("minimum", "code"), [("1", 0), ("2", 1)])
def test_validate_can_require_a_minimum(minimum: str, code: int, tmp_path: Path) -> None:
    path = recorded(pending("a.example"), folder=tmp_path)
    checked = Run("validate", path, "--coverage-fail-under", minimum)
    assert checked.code == code
    assert ("at least" in checked.err) == (code == 1)


def test_validate_does_not_overwrite_a_recording(tmp_path: Path) -> None:
    path = recorded(pending("a.example"), folder=tmp_path)
    before = path.read_bytes()
    assert Run("validate", path, "--coverage-file", path).code == 2
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    path = recorded(pending("a.example"), folder=tmp_path)
    checked = Run("validate", path, "--coverage-file", tmp_path / "missing" / "c.json")
    assert checked.code == 2 and "cannot write" in checked.err
