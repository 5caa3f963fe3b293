"""The command `mutate`: its runs, its reports, its exit codes, and how it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.contract.schemas import OWN_SCHEMAS
from tests.cli import Run
from tests.paths import EXAMPLE
from tests.sampling import sampled
from tests.unmeasured import UNMEASURED
from tests.waiting import PATIENCE, until

MUTATE = [sys.executable, "-m", "mock_webshare", "mutate"]
LIST = CREDIT_LIST.path
GET = f"""
import json, os, sys, urllib.request
url = os.environ["WEBSHARE_BASE_URL"]

def get(path, key=os.environ["WEBSHARE_API_KEY"]):
    headers = {{"Authorization": "Token " + key}}
    return json.load(urllib.request.urlopen(urllib.request.Request(url + path, headers=headers)))

path = {LIST!r}
"""
READ_AMOUNTS = GET + 'assert sum(row["amount"] for row in get(path)["results"]) > 0'


def mutate(*options: object, code: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program of Python under `mutate`."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("COV_")}
    return subprocess.run(
        [*MUTATE, *map(str, options), "--", *UNMEASURED, sys.executable, "-c", code],
        cwd=folder,
        env=others,
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE,
    )


def report_of(*options: object, code: str) -> dict[str, Any]:
    """Return the JSON report on a program."""
    ran = mutate("--format", "json", *options, code=code)
    assert ran.returncode == 0, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout)
    OWN_SCHEMAS.validator("mutation").validate(document)
    return document


def verdicts_of(document: dict[str, Any]) -> dict[str, str]:
    """Return the verdicts of the mutants of the list of credits, by kind and field."""
    of_list = [each for each in document["mutants"] if each["endpoint"] == LIST]
    return {f"{each['kind']} {each['field'] or ''}".strip(): each["verdict"] for each in of_list}


def test_the_command_is_run_with_each_mutant_that_it_reaches() -> None:
    only = ["--only", "amount", "--only", "user_id", "--only", "once.reset", "--only", "field.added"]
    document = report_of(*only, code=READ_AMOUNTS)
    found = verdicts_of(document)
    assert found == {
        "field.removed amount": "killed",
        "field.null amount": "killed",
        "field.retyped amount": "killed",
        "field.removed user_id": "survived",
        "field.null user_id": "survived",
        "field.retyped user_id": "survived",
        "field.added": "passed",
        "once.reset": "too strict",
    }
    others = {each["verdict"] for each in document["mutants"] if each["endpoint"] != LIST}
    assert others == {"not reached"}
    assert (document["score"], document["noticed"], document["scored"]) == (50, 3, 6)


SURVIVES = f"curl -so {os.devnull} -H 'Authorization: Token any' \"$WEBSHARE_BASE_URL{LIST}\" || true"


@pytest.mark.exhaustive
def test_a_command_that_never_fails_scores_0() -> None:
    only = ["--only", "page", "--only", "once", "--only", "amount", "--only", "field.added"]
    ran = subprocess.run(
        [*MUTATE, *only, "--format", "json", "--jobs", "2", "--", *UNMEASURED, "sh", "-c", SURVIVES],
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE,
    )
    document = json.loads(ran.stdout)
    assert (document["score"], document["noticed"]) == (0, 0)
    assert set(verdicts_of(document).values()) == {"survived", "passed", "not reached"}
    unreached = [name for name, verdict in verdicts_of(document).items() if verdict == "not reached"]
    assert unreached == ["page.repeated"]  # it read the first page alone


ASSERTS_ALL = f"""
import time, urllib.error
{GET}
def patiently(path):
    for attempt in range(3):
        try:
            return get(path)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503) or attempt == 2:
                raise
        except OSError:
            if attempt == 2:
                raise

TYPES = dict(
    id=int, user_id=int, mode=str, amount=float, status=str, referral_channel=(int, type(None)),
    referral_channel_code=(str, type(None)), created_at=str, updated_at=str, reverted_at=(str, type(None)),
)
ENUMS = dict(mode=("payout", "credits"), status=("pending", "available", "reverted"))
PAGE = dict(count=int, next=(str, type(None)), previous=(str, type(None)), results=list)

def check(document, types):
    for name, kind in types.items():
        assert isinstance(document[name], kind), name

def read(row):
    check(row, TYPES)
    assert all(row[name] in values for name, values in ENUMS.items())
    assert (row["referral_channel"] is None) == (row["referral_channel_code"] is None)
    assert (row["reverted_at"] is None) == (row["status"] != "reverted")
    assert row["referral_channel_code"] != "null" and row["reverted_at"] != "null"
    return row

rows, link = {{}}, path
while link is not None:
    page = patiently(link)
    check(page, PAGE)
    ids = [row["id"] for row in page["results"]]
    assert ids == sorted(ids)
    assert page["next"] != "null" and (page["previous"] is None) == ("page=" not in link)
    rows |= {{row["id"]: read(row) for row in page["results"]}}
    link = page["next"] and page["next"].removeprefix(url)
assert len(rows) == page["count"] == 100
"""


@pytest.mark.exhaustive
def test_a_suite_that_asserts_every_field_of_what_it_reads_scores_100() -> None:
    document = report_of("--jobs", "2", code=ASSERTS_ALL)
    assert document["score"] == 100, [
        name for name, verdict in verdicts_of(document).items() if verdict == "survived"
    ]
    assert Counter(verdicts_of(document).values()) == {"killed": 53, "passed": 6}


def test_the_first_run_has_to_pass_and_its_output_is_shown() -> None:
    ran = mutate(code="print('all that it writes'); raise SystemExit(7)")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("all that it writes\n")
    assert "the command fails unchanged, with exit code 7; mutate needs a command that passes" in ran.stderr


@pytest.mark.exhaustive
def test_a_command_that_does_not_exist_is_named() -> None:
    ran = subprocess.run([*MUTATE, "--", "no-such-command"], capture_output=True, text=True)
    assert ran.returncode == 2
    assert "cannot run 'no-such-command'" in ran.stderr


@pytest.mark.exhaustive
def test_a_command_that_requests_nothing_is_told_how() -> None:
    ran = mutate(code="pass")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "give them base_url=" in ran.stderr
    assert ran.stderr.endswith("mock-webshare: no request reached an endpoint of the mock server\n")


def test_the_number_of_mutants_and_the_time_come_first() -> None:
    ran = mutate("--only", "amount", "--budget", "2", code=READ_AMOUNTS)
    first, *_ = ran.stderr.splitlines()
    assert first.startswith("mock-webshare: the command passes in ")
    assert "running it with 2 of " in first and first.endswith(" seconds")
    assert "not run: 1 mutant" in ran.stdout.splitlines()


@pytest.mark.exhaustive
@pytest.mark.parametrize(("minimum", "code"), [("50", 0), ("51", 1)])
def test_a_minimum_can_be_required(minimum: str, code: int) -> None:
    only = ["--only", "removed*amount", "--only", "removed*user_id"]
    ran = mutate(*only, "--fail-under", minimum, code=READ_AMOUNTS)
    assert ran.returncode == code
    assert ("the mutation score is 50 %, and at least 51 % is required" in ran.stderr) == (code == 1)


@pytest.mark.exhaustive
def test_without_a_score_no_minimum_is_met() -> None:
    ran = mutate("--only", "field.added", "--fail-under", "1", code=READ_AMOUNTS)
    assert ran.returncode == 2
    assert "there is no mutation score" in ran.stderr


def test_runs_have_logs_and_ports_of_their_own(tmp_path: Path) -> None:
    code = READ_AMOUNTS + "\nprint(url)"
    logs, report = tmp_path / "logs", tmp_path / "report.xml"
    options = ["--jobs", "2", "--logs", logs, "--format", "junit", "-o", report, "--only", "user_id"]
    ran = mutate(*options, code=code)
    assert (ran.returncode, ran.stdout) == (0, "")
    names = [
        "first",
        *(f"field.{kind}-api-v2-referral-credit-user_id" for kind in ("null", "removed", "retyped")),
    ]
    assert sorted(path.name for path in logs.iterdir()) == sorted(f"{name}.log" for name in names)
    assert len({path.read_text(encoding="utf-8") for path in logs.iterdir()}) > 1
    assert '<testsuite name="mock-webshare mutate"' in report.read_text(encoding="utf-8")


@pytest.mark.exhaustive
def test_a_run_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """A program that waits for its pages for ever, and that has a child that waits with it."""
    code = f"""
import subprocess, time
{GET}
if not get(path)["results"]:
    child = subprocess.Popen(["sleep", "600"])
    open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
    time.sleep(600)
"""
    document = report_of("--only", "page.empty", code=code)
    assert verdicts_of(document)["page.empty"] == "timed out"
    assert (document["score"], document["noticed"]) == (100, 1)
    (found,) = [each for each in document["mutants"] if each["verdict"] == "timed out"]
    assert found["seconds"] > 10 and found["exit_code"] is None
    pid = int((tmp_path / "pid").read_text(encoding="utf-8"))
    assert not os.path.exists(f"/proc/{pid}") or sys.platform != "linux"


@pytest.mark.parametrize("number", sampled([signal.SIGINT, signal.SIGTERM]))
def test_an_interruption_gives_the_report_so_far(number: int, tmp_path: Path) -> None:
    code = f"""
import pathlib, time
{GET}
page = get(path)
if "id" not in page["results"][0]:
    exit(1)
if "user_id" not in page["results"][0]:
    pathlib.Path({str(tmp_path / "waits")!r}).touch()
    time.sleep(600)
"""
    only = [
        "--only",
        "field.removed*credit/ id",
        "--only",
        "field.removed*user_id",
        "--only",
        "field.removed*mode",
    ]
    process = subprocess.Popen(
        [*MUTATE, *only, "--format", "json", "--", sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until((tmp_path / "waits").exists)
    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    document = json.loads(out)
    assert document["interrupted"] is True
    assert {name: verdict for name, verdict in verdicts_of(document).items()} == {
        "field.removed id": "killed",
        "field.removed user_id": "not run",
        "field.removed mode": "not run",
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--budget", "0"], "--budget '0' is not allowed; allowed: a whole number from 1 to 999999"),
        (["--budget", "10s"], "--budget '10s' is not allowed"),
        (
            ["--only", "nothing like it"],
            "--only 'nothing like it' is not allowed; allowed: a part of a name like",
        ),
        (["--jobs", "65"], "--jobs 65 is not allowed; allowed: 0 to 64"),
        (["--format", "html"], "--format 'html' is not allowed; allowed: text, json, junit"),
        (["--fail-under", "101"], "--fail-under '101' is not allowed; allowed: a whole number from 0 to 100"),
        (["--port", "70000"], "port 70000 is not allowed"),
        (["--logs", "/dev/null/logs"], "cannot write '/dev/null/logs'"),
        (["--nothing"], "unknown option '--nothing'"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_run(
    options: list[str], message: str, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    refused = Run("mutate", *options, "--", "touch", str(mark))
    assert (refused.code, refused.out) == (2, "")
    assert message in refused.err
    assert not mark.exists()


@pytest.mark.parametrize("words", [["mutate"], ["mutate", "pytest", "-q"]])
def test_a_command_is_needed(words: list[str]) -> None:
    refused = Run(*words)
    assert refused.code == 2
    assert "like mock-webshare mutate -- pytest -q" in refused.err


_UNUSED = (
    "aiohttp",
    "anyio",
    "asyncio",
    "cacheprovider",
    "faker",
    "hypothesispytest",
    "pytest_httpserver",
    "xdist",
)
_PYTEST = ["python", "-m", "pytest", "-x", "-q", *(word for name in _UNUSED for word in ("-p", f"no:{name}"))]
EXAMPLES = {
    "earnings-report": (
        _PYTEST,
        {
            "field.removed amount": "killed",
            "field.removed previous": "survived",
            "page.unlinked": "killed",
            "page.miscounted": "survived",
            "page.repeated": "passed",
            "once.503": "too strict",
        },
    ),
    "dashboard": (
        _PYTEST,
        {
            "field.retyped amount": "killed",
            "field.enum status": "killed",
            "field.removed user_id": "survived",
            "page.miscounted": "survived",
            "page.repeated": "passed",
        },
    ),
    "credit-export": (
        ["python", "-m", "unittest", "-f"],
        {
            "field.null amount": "killed",
            "field.retyped id": "survived",
            "page.reversed": "killed",
            "page.repeated": "passed",
            "once.429": "too strict",
        },
    ),
    "payout-checker": (
        ["node", "--test"],
        {"field.null amount": "killed", "field.retyped amount": "survived", "field.removed next": "survived"},
    ),
}
"""Test suites of clients, and verdicts; those of `dashboard` and `credit-export` were found in another way,
too: with the fault in each world."""


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_report_on_an_example_is_right(name: str, tmp_path: Path) -> None:
    (program, *arguments), expected = EXAMPLES[name]
    if program == "node" and not shutil.which(program):
        pytest.skip("there is no node")
    project = shutil.copytree(EXAMPLE.parent / name, tmp_path / name)
    only = [word for each in expected for word in ("--only", _pattern(each))]
    variables = {
        each: value for each, value in os.environ.items() if not each.startswith(("PYTEST_", "COV_"))
    }
    ran = subprocess.run(
        [
            *MUTATE,
            *only,
            "--format",
            "json",
            "--",
            *UNMEASURED,
            sys.executable if program == "python" else program,
            *arguments,
        ],
        cwd=project,
        env=variables,
        capture_output=True,
        text=True,
        timeout=20 * PATIENCE,
    )
    assert ran.returncode == 0, ran.stderr
    assert verdicts_of(json.loads(ran.stdout)) == expected


def _pattern(name: str) -> str:
    """Return a pattern of a mutant of the list of credits, and of no other endpoint."""
    kind, _, field = name.partition(" ")
    return f"{kind} {LIST} {field}" if field else f"{kind} {LIST}"
