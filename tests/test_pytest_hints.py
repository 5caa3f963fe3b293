"""What the pytest plugin does about hints, in suites of its users."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]

HEAD = """
import http.client
import pytest
from urllib.parse import urlsplit
from mock_webshare import MockServer, Settings

def get(mock, target, key=None, word="Token "):
    connection = http.client.HTTPConnection(urlsplit(mock.url).netloc)
    if target[0] == "?":
        target = "/api/v2/referral/credit/" + target
    connection.request("GET", target, headers={"Authorization": word + (key or mock.api_key)})
    connection.getresponse().read()
    connection.close()
"""
SUITE = """
pytestmark = pytest.mark.webshare_mock(credits=230)

def test_large(webshare_mock):
    get(webshare_mock, "?page_size=500")

def test_larger(webshare_mock):
    get(webshare_mock, "?page_size=900")
    webshare_mock.reset()

@pytest.mark.webshare_mock(hints="off")
def test_deliberate(webshare_mock):
    get(webshare_mock, "?page_size=500&stauts=1")
    get(webshare_mock, "?page=1", word="")

def test_right(webshare_mock):
    assert len(webshare_mock.credits()) == 230
    get(webshare_mock, "?page_size=50")

def test_wrong_word(webshare_mock):
    get(webshare_mock, "?page=1", word="Bearer ")

def test_own_server():
    with MockServer() as server:
        get(server, "/api/v2/api/v2/referral/credit/", key="any")
"""
SECTION = [
    "*= webshare_mock: hints =*",
    "key.without-token: the key has to follow the word Token",
    "  do    send the header Authorization: Token KEY",
    "  seen  GET /api/v2/referral/credit/?page=1 401",
    "  test  test_stranger.py::test_wrong_word",
    "page-size.capped: a page of /api/v2/referral/credit/ has at most 100 rows, however *",
    "  do    ask for at most 100, and follow `next` until it is null",
    "  seen  GET /api/v2/referral/credit/?page_size=500 200",
    "        GET /api/v2/referral/credit/?page_size=900 200",
    "  test  test_stranger.py::test_large",
    "        test_stranger.py::test_larger",
    "path.doubled-prefix: the path begins with /api/v2 once too often",
    "  do    remove /api/v2 from the base URL of the client",
    "  seen  GET /api/v2/api/v2/referral/credit/ 404",
]
RULE = re.compile(r"^([a-z-]+\.[a-z-]+): ", re.MULTILINE)
OTHERS = [
    option
    for name in ("aiohttp", "anyio", "asyncio", "faker", "hypothesispytest", "pytest_httpserver")
    for option in ("-p", f"no:{name}")
]
Suite = Callable[..., pytest.RunResult]


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    for name in ("CI", "BUILD_NUMBER"):  # with one of them the summary repeats all lines of a failure
        monkeypatch.delenv(name, raising=False)

    def run(
        *options: str, text: str = SUITE, mode: str | None = None, apart: bool = False
    ) -> pytest.RunResult:
        setting = "" if mode is None else f"webshare_mock_hints = {mode}"
        pytester.makeini(f"[pytest]\naddopts = --strict-markers -p no:cacheprovider\n{setting}")
        pytester.makepyfile(test_stranger=HEAD + text)
        start = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return start(*OTHERS, *options)

    return run


def shown(result: pytest.RunResult) -> list[str]:
    """Return the rules in the section at the end."""
    _, _, section = result.stdout.str().partition("webshare_mock: hints =")
    return RULE.findall(section)


def test_a_session_ends_with_its_hints_and_their_tests(suite: Suite) -> None:
    result = suite()
    assert result.ret == 0
    result.stdout.fnmatch_lines(SECTION, consecutive=True)


@pytest.mark.parametrize("processes", ["0", "2"])
def test_any_number_of_processes_shows_the_same(suite: Suite, processes: str) -> None:
    result = suite("-n", processes, apart=processes != "0")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(SECTION, consecutive=True)


def test_without_hints_there_is_no_section(suite: Suite) -> None:
    result = suite(text='def test_it(webshare_mock):\n    get(webshare_mock, "?page_size=10")')
    assert "webshare_mock: hints" not in result.stdout.str()


def test_off_collects_nothing(suite: Suite) -> None:
    result = suite(mode="off", text=SUITE + "\nimport os\nassert '_MOCK_WEBSHARE_HINTS' not in os.environ")
    result.assert_outcomes(passed=6)
    assert "webshare_mock: hints" not in result.stdout.str()


def test_error_fails_the_tests_that_cause_hints(suite: Suite) -> None:
    result = suite("-rf", mode="error")
    result.assert_outcomes(passed=3, failed=3)
    result.stdout.fnmatch_lines_random(
        [f"FAILED test_stranger.py::{name} *" for name in ("test_large", "test_larger", "test_wrong_word")]
    )
    result.stdout.fnmatch_lines(["webshare_mock: hints", *SECTION[5:8]], consecutive=True)
    assert shown(result) == ["path.doubled-prefix"]


def test_a_test_that_stops_the_server_does_not_fail_for_that(suite: Suite) -> None:
    result = suite(
        mode="error",
        text="""
def test_it(webshare_mock, webshare_mock_server):
    get(webshare_mock, "?page_size=all")
    webshare_mock_server.stop()
""",
    )
    result.assert_outcomes(passed=1)
    assert shown(result) == ["page-size.ignored"]


def test_a_marker_chooses_for_one_test(suite: Suite) -> None:
    text = """
@pytest.mark.webshare_mock(hints="error")
def test_error(webshare_mock):
    get(webshare_mock, "?stauts=1")

@pytest.mark.webshare_mock(hints="report", credits=5)
def test_report(webshare_mock):
    get(webshare_mock, "?page_size=all")
    assert len(webshare_mock.credits()) == 5
"""
    for mode, rules in (("off", []), ("report", ["page-size.ignored"])):
        result = suite(text=text, mode=mode)
        result.assert_outcomes(failed=1, passed=1)
        result.stdout.fnmatch_lines(["*_ test_error _*"])
        assert shown(result) == rules


def test_the_nearest_marker_about_hints_leaves_the_data_of_another(suite: Suite) -> None:
    result = suite(
        text="""
@pytest.mark.webshare_mock(hints="error", credits=7)
class TestClass:
    @pytest.mark.webshare_mock(hints="off")
    def test_off(self, webshare_mock):
        get(webshare_mock, "?stauts=1")
        assert len(webshare_mock.credits()) == 7

    @pytest.mark.webshare_mock(credits=8)
    def test_error(self, webshare_mock):
        assert len(webshare_mock.credits()) == 8
        get(webshare_mock, "?stauts=1")
"""
    )
    result.assert_outcomes(passed=1, failed=1)


def test_a_failed_test_fails_for_its_own_reason(suite: Suite) -> None:
    result = suite(
        mode="error",
        text='def test_it(webshare_mock):\n    get(webshare_mock, "?page_size=all")\n    assert 1 == 2',
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * assert 1 == 2"])
    assert shown(result) == ["page-size.ignored"]


def test_a_test_that_fails_in_the_middle_of_a_walk_has_not_ended_it(suite: Suite) -> None:
    result = suite(
        text="""
@pytest.mark.webshare_mock(credits=230)
def test_it(webshare_mock):
    for page in range(1, 4):
        get(webshare_mock, f"?page={page}" if page > 1 else "/api/v2/referral/credit/")
    assert False
"""
    )
    assert shown(result) == []


def test_tests_that_share_a_key_give_none_by_accident(suite: Suite) -> None:
    result = suite(
        text="""
@pytest.fixture
def shared(webshare_mock_server):
    return webshare_mock_server.world("shared")

@pytest.mark.parametrize("target", [
    "?page_size=10", "?page_size=10&page=2", "?page=last", "?page=1&page_size=10", "?page=2&page_size=10",
    "/api/v2/referral/credit/1/", "/api/v2/referral/credit/1/", "?status=paid", "?status=paid", "?page=99",
    "/api/v2/referral/credit", "/api/v2/referral/config/", "/api/v2/referral/config/",
])
def test_it(shared, target):
    get(shared, target)
"""
    )
    result.assert_outcomes(passed=13)
    assert "webshare_mock: hints" not in result.stdout.str()


@pytest.mark.parametrize("mode", ["warn", "on", "", "ERROR"])
def test_a_wrong_setting_is_refused(suite: Suite, mode: str) -> None:
    result = suite(mode=mode)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    message = f"webshare_mock_hints {mode!r} is not allowed; allowed: off, report, error"
    assert message in result.stderr.str() + result.stdout.str()


@pytest.mark.parametrize("value", ["'on'", "None", "True", "['off']", "1"])
def test_a_wrong_marker_is_refused(suite: Suite, value: str) -> None:
    result = suite(text=f"@pytest.mark.webshare_mock(hints={value})\ndef test_it(webshare_mock): ...")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*webshare_mock: hints=* is not allowed; allowed: off, report, error"])


def test_nothing_remains_in_the_environment(suite: Suite) -> None:
    before = dict(os.environ)
    suite()
    assert {name: value for name, value in os.environ.items() if "WEBSHARE" in name} == {
        name: value for name, value in before.items() if "WEBSHARE" in name
    }


def test_the_setting_and_the_marker_are_listed(suite: Suite) -> None:
    suite("--markers", text="").stdout.fnmatch_lines(["*webshare_mock(*, hints): *off, report, error"])
    assert "webshare_mock_hints" in suite("--help", text="").stdout.str()
