"""The options of the pytest plugin about coverage, in suites of its users."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mock_webshare.contract.endpoints import CREDIT_LIST
from tests.sampling import sampled

pytest_plugins = ["pytester"]

SUITE = """
import urllib.request

import pytest
from mock_webshare import MockServer

def get(mock, query, key=None):
    headers = {"Authorization": f"Token {key or mock.api_key}"}
    url = f"{mock.url}/api/v2/referral/credit/{query}"
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers)).read()

@pytest.mark.parametrize("status", ["pending", "available"])
def test_status(webshare_mock, status):
    get(webshare_mock, f"?status={status}")

def test_walk(webshare_mock):
    get(webshare_mock, "?page_size=40")
    get(webshare_mock, "?page=2&page_size=40")

def test_number(webshare_mock):
    get(webshare_mock, "?page=2&page_size=40")

def test_own_server_that_is_never_stopped():
    server = MockServer()
    server.start()
    get(server, "?ordering=-id", key="any")
"""
OTHERS = [
    option
    for name in ("aiohttp", "anyio", "asyncio", "faker", "hypothesispytest", "pytest_httpserver")
    for option in ("-p", f"no:{name}")
]
Suite = Callable[..., pytest.RunResult]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    pytester.makeini("[pytest]\naddopts = --strict-markers -p no:cacheprovider")

    def run(*options: str, text: str = SUITE, apart: bool = False) -> pytest.RunResult:
        pytester.makepyfile(test_stranger=text)
        start = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return start(*OTHERS, *options)

    return run


def counts_in(path: Path) -> dict[str, int]:
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return {
        f"{row['aspect']} {row['value']}": row["count"]
        for row in rows
        if row["count"] and row["endpoint"] == CREDIT_LIST.path and row["aspect"] != "field"
    }


def test_the_session_ends_with_what_is_not_covered(suite: Suite) -> None:
    result = suite("--webshare-coverage")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*= webshare_mock: coverage =*",
            "coverage of the contract: 7 % (20 of 252)",
            "  0 %  /api/v2/referral/config/ (0 of 30), none of it requested",
        ]
    )


@pytest.mark.parametrize("processes", sampled(["0", "2", "4"], kind=lambda number: number != "0"))
def test_any_number_of_processes_counts_the_same(
    suite: Suite, pytester: pytest.Pytester, processes: str
) -> None:
    options = ("--webshare-coverage-file", "coverage.json", "-n", processes)
    suite(*options, apart=processes != "0").assert_outcomes(passed=5)
    assert counts_in(pytester.path / "coverage.json") == {
        "method GET": 6, "filter status=pending": 1, "filter status=available": 1, "ordering -id": 1,
        "page first": 4, "page next": 1, "page number": 1, "page page_size": 3, "status 200": 6,
    }  # fmt: skip


def test_without_the_options_nothing_is_counted_or_shown(suite: Suite) -> None:
    result = suite(text="import os\n\ndef test_it():\n    assert '_MOCK_WEBSHARE_COVERAGE' not in os.environ")
    assert result.ret == 0
    assert "coverage" not in result.stdout.str()


@pytest.mark.parametrize(("minimum", "code"), [("0", 0), ("7", 0), ("8", 1), ("100", 1)])
def test_a_session_can_require_a_minimum(suite: Suite, minimum: str, code: int) -> None:
    result = suite("--webshare-coverage-fail-under", minimum)
    assert result.ret == code
    sentence = f"the coverage is 7 %, and at least {minimum} % is required"
    assert (sentence in result.stdout.str()) == (code == 1)


def test_a_failed_session_keeps_its_exit_code(suite: Suite) -> None:
    assert suite("--webshare-coverage-fail-under", "50", text="").ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize("minimum", ["101", "-1", "half", ""])
def test_a_wrong_minimum_is_refused(suite: Suite, minimum: str) -> None:
    result = suite(f"--webshare-coverage-fail-under={minimum}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--webshare-coverage-fail-under * is not allowed; allowed: a whole*"])


def test_a_file_that_cannot_be_written_fails_the_session(suite: Suite) -> None:
    result = suite("--webshare-coverage-file", "missing/coverage.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["cannot write 'missing/coverage.json': No such file or directory"])


def test_nothing_remains_in_the_environment(suite: Suite) -> None:
    before = dict(os.environ)
    suite("--webshare-coverage", text="def test_it(webshare_mock): ...")
    assert {name: value for name, value in os.environ.items() if "WEBSHARE" in name} == {
        name: value for name, value in before.items() if "WEBSHARE" in name
    }


def test_a_flag_does_not_swallow_the_path_of_a_test(suite: Suite) -> None:
    suite("--webshare-coverage", "test_stranger.py").assert_outcomes(passed=5)
