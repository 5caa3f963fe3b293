"""The pytest plugin in suites of its users; it is loaded by its entry point, as from any wheel."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
import requests
import webshare

from mock_webshare import MockServer, MockWorld
from mock_webshare.service.data import dataset
from tests.sampling import sampled

pytest_plugins = ["pytester"]

# Imported here once, not in each suite again. What a suite in this process imports is unloaded at its end;
# httpx imports httpcore with its first request and would keep the exceptions of the unloaded one.
assert httpcore and requests and webshare

INI = """
[pytest]
addopts = --strict-markers --strict-config -p no:cacheprovider
filterwarnings = error
"""
OTHER_PLUGINS = ("aiohttp", "anyio", "asyncio", "faker", "hypothesispytest", "pytest_httpserver")
"""The other plugins of our own environment; some of them import aiohttp or Faker."""
HEAD = """
import pytest

LIST = "/api/v2/referral/credit/"

def get(mock, path=LIST, **options):
    import requests

    headers = {"Authorization": f"Token {mock.api_key}"}
    return requests.get(mock.url + path, headers=headers, **options)
"""
Suite = Callable[..., pytest.RunResult]


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    """Run tests as a separate suite, with some options, in this process or in another one."""
    pytester.makeini(INI)

    def run(text: str, *options: str, apart: bool = False, plugins: Collection[str] = ()) -> pytest.RunResult:
        pytester.makepyfile(test_stranger=f"{HEAD}\n{text}")
        start = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        unwanted = [
            option for name in OTHER_PLUGINS if name not in plugins for option in ("-p", f"no:{name}")
        ]
        return start(*unwanted, *options)

    return run


def messages(result: pytest.RunResult) -> list[str]:
    """Return the message of each test whose setup failed."""
    return re.findall(
        r"^_+ ERROR at setup of \w+ _+\n((?:(?!_{5}|={5}).*\n)*)", result.stdout.str(), re.MULTILINE
    )


# What a test is given.


def test_a_test_has_a_world_of_its_own_on_a_server(suite: Suite) -> None:
    suite("""
def test_it(webshare_mock, webshare_mock_server):
    assert webshare_mock.url == webshare_mock_server.url
    assert webshare_mock.env == {
        "WEBSHARE_BASE_URL": webshare_mock.url, "WEBSHARE_API_KEY": webshare_mock.api_key
    }
    assert get(webshare_mock).json()["count"] == 100
    webshare_mock.assert_requested("GET", LIST)
    assert [(request.method, request.response.status) for request in webshare_mock.requests] == [("GET", 200)]
""").assert_outcomes(passed=1)


def test_the_server_has_room_for_more_worlds_and_for_none(suite: Suite) -> None:
    suite("""
def test_another_key(webshare_mock_server):
    world = webshare_mock_server.world("shared")
    world.create_credit()
    assert get(world).json()["count"] == 101

def test_a_refused_key(webshare_mock_server):
    assert get(webshare_mock_server.world("invalid")).status_code == 401
""").assert_outcomes(passed=2)


def test_what_one_test_does_to_its_world_no_other_test_sees(suite: Suite) -> None:
    suite("""
@pytest.mark.parametrize("number", range(5))
def test_it(webshare_mock, number):
    assert webshare_mock.requests == ()
    assert get(webshare_mock).json()["count"] == 100
    assert webshare_mock.faults() == webshare_mock.snapshots() == []
    webshare_mock.create_credit()
    webshare_mock.take_snapshot("mine")
    webshare_mock.set_settings(max_page_size=1)
    webshare_mock.set_clock(advance="P1D")
    webshare_mock.add_fault(status=503)
    assert get(webshare_mock).status_code == 503
""").assert_outcomes(passed=5)


def test_a_world_is_called_like_its_test(suite: Suite) -> None:
    suite("""
import json
from urllib.request import urlopen

def names(server):
    return [each["name"] for each in json.load(urlopen(server.url + "/__mock__/worlds"))["list"]]

@pytest.mark.webshare_mock(credits=3)
@pytest.mark.parametrize("word", ["a b", "[c]"])
def test_it(request, webshare_mock, webshare_mock_server, word):
    webshare_mock.begin(credits=5)
    get(webshare_mock)
    assert names(webshare_mock_server) == [request.node.nodeid]
    webshare_mock.reset()
    assert names(webshare_mock_server) == [request.node.nodeid]

class TestIt:
    def test_it(self, request, webshare_mock, webshare_mock_server):
        get(webshare_mock)
        assert names(webshare_mock_server) == [request.node.nodeid]
        assert request.node.nodeid.endswith("::TestIt::test_it")
""").assert_outcomes(passed=3)


def test_worlds_of_past_tests_are_let_go(suite: Suite) -> None:
    suite("""
@pytest.mark.parametrize("number", range(50))
def test_it(webshare_mock, webshare_mock_server, number):
    get(webshare_mock)
    assert webshare_mock_server.worlds()["worlds"] == 1
""").assert_outcomes(passed=50)


def test_a_request_that_the_client_gave_up_waiting_for_has_been_made_all_the_same(suite: Suite) -> None:
    suite("""
def test_it(webshare_mock):
    webshare_mock.add_fault(fixedDelayMilliseconds=30_000)
    with pytest.raises(Exception, match="timed out"):
        get(webshare_mock, timeout=0.05)
    webshare_mock.assert_requested("GET", LIST)
    assert webshare_mock.transcript() == f"GET {LIST} no response (fault:1, fixedDelayMilliseconds)"
""").assert_outcomes(passed=1)


def test_fixtures_and_unittest_classes_use_it_too(suite: Suite) -> None:
    suite("""
import unittest

@pytest.fixture
def count(webshare_mock):
    return get(webshare_mock).json()["count"]

def test_a_fixture(count, webshare_mock):
    assert count == 100
    webshare_mock.assert_requested("GET", LIST)

class TestClass(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _use(self, webshare_mock):
        self.mock = webshare_mock

    def test_it(self):
        self.assertEqual(get(self.mock).json()["count"], 100)
""").assert_outcomes(passed=2)


# Clients.

SYNCHRONOUS = {
    "requests": """
    import requests
    headers = {"Authorization": f"Token {webshare_mock.api_key}"}
    with requests.Session() as session:
        count = session.get(webshare_mock.url + LIST, headers=headers).json()["count"]
""",
    "httpx": """
    import httpx
    with httpx.Client(base_url=webshare_mock.url) as client:
        count = client.get(LIST, headers={"Authorization": f"Token {webshare_mock.api_key}"}).json()["count"]
""",
    "sdk": """
    from webshare import Webshare
    with Webshare(api_key=webshare_mock.api_key, base_url=webshare_mock.url) as client:
        count = len(list(client.referral.list_credits()))
""",
    "environment": """
    from os import environ
    from webshare import Webshare
    monkeypatch.setenv("WEBSHARE_API_KEY", webshare_mock.env["WEBSHARE_API_KEY"])
    with Webshare(base_url=webshare_mock.env["WEBSHARE_BASE_URL"]) as client:
        count = client.referral.list_credits().count
""",
}
ASYNCHRONOUS = {
    "httpx": """
    import httpx
    async with httpx.AsyncClient(base_url=webshare_mock.url) as client:
        response = await client.get(LIST, headers={"Authorization": f"Token {webshare_mock.api_key}"})
        count = response.json()["count"]
""",
    "aiohttp": """
    import aiohttp
    headers = {"Authorization": f"Token {webshare_mock.api_key}"}
    async with aiohttp.ClientSession(webshare_mock.url, headers=headers) as session:
        async with session.get(LIST) as response:
            count = (await response.json())["count"]
""",
    "sdk": """
    from webshare import AsyncWebshare
    async with AsyncWebshare(api_key=webshare_mock.api_key, base_url=webshare_mock.url) as client:
        count = len([credit async for credit in await client.referral.list_credits()])
""",
}


@pytest.mark.parametrize("client", SYNCHRONOUS)
def test_a_synchronous_test_uses_any_client(suite: Suite, client: str) -> None:
    suite(f"""
def test_it(webshare_mock, monkeypatch):
    webshare_mock.create_credit()
{SYNCHRONOUS[client]}
    assert count == 101
    webshare_mock.assert_requested("GET", LIST)
""").assert_outcomes(passed=1)


@pytest.mark.parametrize("client", ASYNCHRONOUS)
def test_an_asynchronous_test_uses_any_client(suite: Suite, client: str) -> None:
    text = f"""
async def test_it(webshare_mock):
    webshare_mock.create_credit()
{ASYNCHRONOUS[client]}
    assert count == 101
    webshare_mock.assert_requested("GET", LIST)
"""
    loop = ("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")
    suite(text, *loop, plugins=["asyncio"]).assert_outcomes(passed=1)


# The marker.


def test_each_argument_of_the_marker_arranges_the_world(suite: Suite, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text('{"credits": [], "channels": []}', encoding="utf-8")
    edge_cases = len(dataset.load("edge-cases").rows["credits"])
    suite(f"""
from pathlib import Path
mark = pytest.mark.webshare_mock
seeds = []

@pytest.mark.parametrize("count", [
    pytest.param(7, marks=mark(credits=7)),
    pytest.param(100, marks=mark(seed=5)),
    pytest.param(9, marks=mark(seed=5, credits=9)),
    pytest.param({edge_cases}, marks=mark(data="edge-cases")),
    pytest.param(0, marks=mark(data={str(path)!r})),
    pytest.param(0, marks=mark(data=Path({str(path)!r}))),
    pytest.param(0, marks=mark(scenario="empty")),
    pytest.param(3, marks=mark(scenario="moving-pages", credits=3)),
    pytest.param({edge_cases}, marks=mark(scenario="moving-pages", data="edge-cases")),
    pytest.param(100, marks=mark()),
])
def test_it(webshare_mock, count):
    assert get(webshare_mock).json()["count"] == count

@mark(seed=5)
def test_one_seed(webshare_mock):
    seeds.append(get(webshare_mock).content)

@mark(seed=6)
def test_another_seed(webshare_mock):
    assert get(webshare_mock).content not in seeds
""").assert_outcomes(passed=12)


def test_the_nearest_marker_counts(suite: Suite) -> None:
    suite("""
pytestmark = pytest.mark.webshare_mock(credits=1)

def test_of_the_module(webshare_mock):
    assert len(webshare_mock.credits()) == 1

@pytest.mark.webshare_mock(credits=2)
def test_of_its_own(webshare_mock):
    assert len(webshare_mock.credits()) == 2
""").assert_outcomes(passed=2)


def test_a_reset_world_is_as_the_marker_has_it(suite: Suite) -> None:
    suite("""
@pytest.mark.webshare_mock(scenario="down", credits=3)
def test_it(webshare_mock):
    webshare_mock.clear_faults()
    webshare_mock.create_credit()
    assert get(webshare_mock).json()["count"] == 4
    webshare_mock.reset()
    assert get(webshare_mock).status_code == 502
    assert len(webshare_mock.credits()) == 3
""").assert_outcomes(passed=1)


MISTAKES = {
    "colour='red'": "colour is not allowed; allowed: seed, credits, data, scenario",
    "7": "7 is not allowed; allowed: seed, credits, data, scenario",
    "'seed'": "'seed' is not allowed; allowed: seed, credits, data, scenario",
    "credits=-1": "credits -1 is not allowed; allowed: a whole number from 0 to 1000000",
    "credits='5'": "credits '5' is not allowed; allowed: a whole number from 0 to 1000000",
    "seed=[1]": "seed [1] is not allowed; allowed: ",
    "seed=1, data='edge-cases'": "seed cannot go with data, which is not generated",
    "data=5": "data 5 is not allowed; allowed: a text",
    "data='edge-case'": "there is no data set file or data set named 'edge-case'; there are: ",
    "data='nowhere/mine.json'": "cannot read 'nowhere/mine.json': No such file or directory",
    "scenario='flakey'": "there is no scenario named 'flakey'; there are: 2fa, ",
    "scenario=['flaky']": "there is no scenario named ['flaky']; there are: 2fa, ",
}


@pytest.mark.parametrize("arguments", sampled(MISTAKES, kind=lambda arguments: arguments.partition("=")[0]))
def test_an_error_in_the_marker_is_one_line_without_a_traceback(suite: Suite, arguments: str) -> None:
    result = suite(f"""
@pytest.mark.webshare_mock({arguments})
def test_it(webshare_mock): ...
""")
    result.assert_outcomes(errors=1)
    (message,) = messages(result)
    assert message.startswith(f"@pytest.mark.webshare_mock: {MISTAKES[arguments]}")
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    "line",
    sampled(
        [
            "webshare_mock.add_fault(status='503')",
            "webshare_mock.set_clock(days=3)",
            "webshare_mock.set_clock()",
            "webshare_mock.credit('x')",
            "webshare_mock.begin(data='missing.json')",
            "webshare_mock.assert_requested('GET', '/')",
            "webshare_mock.remove_fault(7)",
            "webshare_mock.create_credit(amonut=5)",
            "webshare_mock.restore_snapshot('nowhere')",
        ],
        kind=lambda line: "assert" in line,
    ),
)
def test_a_failed_call_shows_no_frame_of_the_package(suite: Suite, line: str) -> None:
    result = suite(f"def test_it(webshare_mock):\n    {line}")
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert line in text
    assert "__tracebackhide__" not in text
    assert not re.search(r"^\S*mock_webshare/\S+:\d+: ", text, re.MULTILINE)


def test_an_invalid_argument_is_an_error_after_an_equal_valid_one(suite: Suite) -> None:
    """To Python, `True` is the same key of a dictionary as `1`."""
    suite("""
@pytest.mark.webshare_mock(credits=1)
def test_right(webshare_mock): ...

@pytest.mark.webshare_mock(credits=True)
def test_wrong(webshare_mock): ...
""").assert_outcomes(passed=1, errors=1)


def test_the_marker_is_listed_with_its_arguments(suite: Suite) -> None:
    suite("", "--markers").stdout.fnmatch_lines(
        ["@pytest.mark.webshare_mock(seed, credits, data, scenario, hints): *"]
    )


# Options of the server.


def test_options_are_overridden_in_a_conftest(suite: Suite, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
import pytest

@pytest.fixture(scope="session")
def webshare_mock_options():
    return {"credits": 3, "rate_limit": "2/min"}
""")
    suite("""
def test_it(webshare_mock):
    assert [get(webshare_mock).status_code for _ in range(3)] == [200, 200, 429]
    assert len(webshare_mock.credits()) == 3
""").assert_outcomes(passed=1)


FIXTURE = """
@pytest.fixture(scope="session")
def webshare_mock_options():
    return {"credits": 2, "max_page_size": 20}
"""
SOURCES = {
    "none": ("", "", (), 100, 100),
    "ini": ("credits = 1", "", (), 1, 100),
    "fixture": ("", FIXTURE, (), 2, 20),
    "option": ("", "", ("credits=3",), 3, 100),
    "fixture before ini": ("credits=1\n    max_page_size=10", FIXTURE, (), 2, 20),
    "option before ini": ("credits=1\n    max_page_size=10", "", ("credits=3",), 3, 10),
    "option before fixture": ("max_page_size=10", FIXTURE, ("credits=3",), 3, 20),
    "the last of two": ("credits=5\n    credits=1", "", (), 1, 100),
    "several options": ("", FIXTURE, ("credits=5", "credits=4", "max_page_size = 40"), 4, 40),
}


@pytest.mark.parametrize("case", SOURCES)
def test_the_command_line_precedes_the_fixture_and_that_the_ini_file(
    suite: Suite, pytester: pytest.Pytester, case: str
) -> None:
    ini, fixture, options, credits, largest = SOURCES[case]
    pytester.makeini(f"{INI}\nwebshare_mock_options =\n    {ini}\n")
    suite(
        f"""{fixture}
def test_it(webshare_mock):
    assert len(webshare_mock.credits()) == {credits}
    assert webshare_mock.settings()["max_page_size"] == {largest}
""",
        *(word for option in options for word in ("--webshare-mock", option)),
    ).assert_outcomes(passed=1)


WRITTEN = {
    "credits": "'credits' is not allowed; allowed: NAME=VALUE, like credits=230",
    "prot=1": "prot is not allowed; allowed: host, port, seed, ",
    "credits=many": "credits 'many' is not allowed; allowed: a whole number from 0 to 1000000",
    "credits=": "credits '' is not allowed; allowed: a whole number from 0 to 1000000",
    "credits=" + "1" * 5000: "credits '1111",
    "api_keys=mine": "api_keys is not allowed, because each test has its own key",
    "cors_origins=*": "CORS origin '*' is not allowed; allowed: ",
    "clock=fast": "clock 'fast' is not allowed; allowed: frozen, running",
    "=": " is not allowed; allowed: host, ",
}


@pytest.mark.parametrize("written", sampled(WRITTEN, kind=lambda written: "=" in written))
@pytest.mark.parametrize("source", ["--webshare-mock", "webshare_mock_options in "])
def test_an_error_in_an_option_or_the_ini_file_is_one_line_with_its_source(
    suite: Suite, pytester: pytest.Pytester, source: str, written: str
) -> None:
    ini = "" if source.startswith("--") else written
    pytester.makeini(f"{INI}\nwebshare_mock_options =\n    {ini}\n")
    options = (source, written) if source.startswith("--") else ()
    result = suite("def test_it(webshare_mock): ...", *options)
    result.assert_outcomes(errors=1)
    (message,) = messages(result)
    assert message.startswith(source) and f": {WRITTEN[written]}" in message
    assert message.count("\n") == 1


def test_values_of_each_type_are_read(suite: Suite) -> None:
    options = (
        "seed=-5",
        "rate_limit=off",
        "cors_origins=http://localhost:1  http://localhost:2",
        "pending_days=3",
    )
    suite(
        """
def test_it(webshare_mock, webshare_mock_server):
    settings = webshare_mock_server._settings
    assert (settings.seed, settings.rate_limit, settings.pending_days) == (-5, "off", 3)
    assert settings.cors_origins == ("http://localhost:1", "http://localhost:2")
""",
        *(word for option in options for word in ("--webshare-mock", option)),
    ).assert_outcomes(passed=1)


@pytest.mark.exhaustive
def test_the_processes_of_xdist_have_the_same_options(suite: Suite) -> None:
    suite(
        """
@pytest.mark.parametrize("number", range(4))
def test_it(webshare_mock, number):
    assert len(webshare_mock.credits()) == 3
""",
        *("-n", "2", "--webshare-mock", "credits=3"),
        apart=True,
        plugins=["xdist"],
    ).assert_outcomes(passed=4)


def test_the_plugin_can_be_left_out(suite: Suite) -> None:
    result = suite("def test_it(webshare_mock): ...", "-p", "no:mock_webshare")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'webshare_mock' not found*"])


@pytest.mark.exhaustive
def test_a_suite_that_lets_sockets_reach_this_machine_only_uses_it(suite: Suite) -> None:
    pytest.importorskip("pytest_socket")
    suite(
        """
def test_it(webshare_mock):
    import pytest_socket

    assert get(webshare_mock).status_code == 200
    with pytest.raises((pytest_socket.SocketConnectBlockedError, UserWarning)):
        __import__("socket").create_connection(("192.0.2.1", 80), timeout=1)
""",
        "--allow-hosts=127.0.0.1",
        apart=True,
    ).assert_outcomes(passed=1)


def test_a_request_has_what_a_test_looks_at(webshare_mock: MockWorld) -> None:
    url = f"{webshare_mock.url}/api/v2/referral/caf%C3%A9/?page=2&page=3&empty="
    headers = {"Authorization": f"Token {webshare_mock.api_key}", "X-Subuser": "7", "Accept": "a/b"}
    httpx.patch(url, headers=[*headers.items(), ("accept", "c/d")], json={"mode": "credits"})
    httpx.get(f"{webshare_mock.url}/api/v2/referral/credit/", headers=headers | {"Accept": "*/*"})
    wrong, right = webshare_mock.requests
    assert (wrong.method, wrong.path) == ("PATCH", "/api/v2/referral/café/")
    assert wrong.query == {"page": ["2", "3"], "empty": [""]}
    assert wrong.json() == {"mode": "credits"}
    assert wrong.headers["x-subuser"] == wrong.headers["X-Subuser"] == "7"
    assert wrong.headers["ACCEPT"] == "a/b, c/d" and "X-None" not in wrong.headers
    assert wrong.headers["Authorization"] == f"Token {webshare_mock.api_key}"
    assert webshare_mock.api_key not in repr(wrong.headers) and "Authorization" in repr(wrong.headers)
    assert len(wrong.headers) == len(list(wrong.headers)) == len({each.lower() for each in wrong.headers})
    assert wrong.response and wrong.response.status == 404
    with pytest.raises(ValueError, match="Expecting value"):
        wrong.response.json()
    assert right.response and right.response.json()["count"] == 100
    control = httpx.get(f"{webshare_mock.url}/__mock__/requests", headers=headers).json()["requests"]
    for ours, theirs in zip(webshare_mock.requests, control, strict=True):
        sent, received = theirs["request"], theirs["response"]
        assert (ours.method, ours.path, ours.query) == (sent["method"], sent["path"], sent["query"])
        assert ours.response and ours.response.status == received["status"]
        assert {name.lower() for name, _ in sent["headers"]} == {name.lower() for name in ours.headers}


def test_a_suite_without_sockets_sees_what_refuses_them(suite: Suite) -> None:
    result = suite("""
import socket

class Blocked(socket.socket):
    def __init__(self, *_, **__):
        raise RuntimeError("no sockets in this suite")

@pytest.fixture(scope="session")
def webshare_mock_options():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", Blocked)
        yield {}

def test_one(webshare_mock): ...

def test_another(webshare_mock): ...
""")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [f"ERROR *::{name} - RuntimeError: no sockets in this suite" for name in ("test_one", "test_another")]
    )


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("{'prot': 1}", "prot is not allowed; allowed: host, port, seed, "),
        ("{'credits': 'many'}", "credits 'many' is not allowed; allowed: a whole number from 0 to 1000000"),
        ("{'data': 'mine'}", "there is no data set file or data set named 'mine'; there are: "),
        ("{'host': '192.0.2.1'}", "cannot listen on 192.0.2.1:0: "),
        ("{'api_keys': ('mine',)}", "api_keys is not allowed, because each test has its own key"),
        ("None", "None is not allowed; allowed: a dictionary of host, port, "),
    ],
)
def test_an_error_in_the_options_is_one_line_without_a_traceback(
    suite: Suite, options: str, problem: str
) -> None:
    result = suite(f"""
@pytest.fixture(scope="session")
def webshare_mock_options():
    return {options}

def test_it(webshare_mock): ...
""")
    result.assert_outcomes(errors=1)
    (message,) = messages(result)
    assert message.startswith(f"webshare_mock_options: {problem}")
    assert message.count("\n") == 1


def test_options_that_come_too_late_are_an_error_in_any_order(
    suite: Suite, pytester: pytest.Pytester
) -> None:
    """pytest creates a session fixture once: a module's override would reach other modules, or none."""
    pytester.makepyfile(test_aside="def test_usual(webshare_mock): ...")
    override = """
@pytest.fixture(scope="session")
def webshare_mock_options():
    return {"credits": 3}

def test_unusual(webshare_mock): ...
"""
    for order in (["test_aside.py", "test_stranger.py"], ["test_stranger.py", "test_aside.py"]):
        result = suite(override, *order)
        result.assert_outcomes(passed=1, errors=1)
        (message,) = messages(result)
        assert message.startswith("webshare_mock_options: the server of this session runs with other options")


def test_a_server_of_ones_own_takes_the_place_of_ours(suite: Suite) -> None:
    suite("""
from mock_webshare import MockServer, Settings

@pytest.fixture(scope="session")
def webshare_mock_server():
    with MockServer(Settings(port=0, credits=3), timer=lambda: 0.0) as server:
        yield server

def test_it(webshare_mock):
    assert len(webshare_mock.credits()) == 3
""").assert_outcomes(passed=1)


# What a failed test shows.


def test_a_missing_request_is_reported_with_the_nearest_ones(suite: Suite) -> None:
    result = suite("""
def test_it(webshare_mock):
    for page in (2, 3, 4):
        get(webshare_mock, params={"page": page, "page_size": 5})
    webshare_mock.assert_requested("GET", LIST, page=9, page_size=5)
""")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">   *webshare_mock.assert_requested(*",
            "E   *AssertionError: GET /api/v2/referral/credit/ with page=9&page_size=5 was not requested.",
            "E   *The nearest of 3 with this key:",
            "E   *  GET /api/v2/referral/credit/[?]page=2&page_size=5 200",
            "E   *    page: '2', expected '9'",
        ]
    )
    assert "journal.py" not in result.stdout.str()


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        ('"GET", LIST', "There were no requests with this key or another: does the client have the base URL"),
        ('"GET", LIST, page=None', "There were no requests with this key or another: "),
    ],
)
def test_a_world_without_requests_is_reported(suite: Suite, requested: str, message: str) -> None:
    result = suite(f"""
def test_it(webshare_mock):
    webshare_mock.assert_requested({requested})
""")
    result.assert_outcomes(failed=1)
    assert message in result.stdout.str()


def differences(world: MockWorld, *wanted: str, **query: Any) -> list[str]:
    """Return what the message of a failure says of the nearest request."""
    with pytest.raises(AssertionError) as error:
        world.assert_requested(*wanted, **query)
    lines = str(error.value).splitlines()
    assert lines[1] == "The nearest of 1 with this key:"
    return [line.removeprefix("    ") for line in lines[3:]]


def test_each_difference_of_a_request_is_reported(webshare_mock: MockWorld) -> None:
    path = "/api/v2/referral/credit/"
    headers = {"Authorization": f"Token {webshare_mock.api_key}"}
    httpx.get(f"{webshare_mock.url}{path}?page=2&mode=payout&mode=credits&empty=", headers=headers)
    webshare_mock.assert_requested("GET", path)
    webshare_mock.assert_requested("GET", path, page=2, mode=["payout", "credits"], empty="", status=None)
    assert differences(webshare_mock, "POST", path) == ["method: GET, expected POST"]
    assert differences(webshare_mock, "GET", "/api/") == [f"path: {path}, expected /api/"]
    assert differences(webshare_mock, "GET", path, page=None) == ["page: '2', expected none"]
    assert differences(webshare_mock, "GET", path, mode="payout", status="pending") == [
        "mode: 'payout', 'credits', expected 'payout'",
        "status: none, expected 'pending'",
    ]


REPORTED = {
    "a hint": (
        'get(webshare_mock, "/api/v2/referral/credits/")',
        [
            "*: requests -*",
            "  hint: the service does not have this path; the nearest is /api/v2/referral/credit/",
        ],
    ),
    "a key without Token": (
        'import requests; requests.get(webshare_mock.url + LIST, headers={"Authorization": "very-secret"})',
        [
            "*: requests without a known key -*",
            "GET /api/v2/referral/credit/ 401 (malformed-key)",
            "  hint: the key has to follow the word Token; send the header Authorization: Token KEY",
        ],
    ),
    "a scenario": (
        'get(webshare_mock_server.world("scenario:flakey"))',
        ["*: requests without a known key -*", "  hint: *; the nearest is scenario:flaky"],
    ),
    "a fault that did not strike": (
        'webshare_mock.add_fault(status=503, path="/api/v2/referral/credits/"); get(webshare_mock)',
        [
            "*: faults that did not strike -*",
            '{"status": 503, "path": "/api/v2/referral/credits/"}: 0 requests matched; the service has *',
        ],
    ),
    "a fault that was to strike later": (
        "webshare_mock.add_fault(status=503, after=2); get(webshare_mock)",
        ["*: faults that did not strike -*", '{"status": 503, "after": 2}: 1 request matched'],
    ),
}


@pytest.mark.parametrize("case", REPORTED)
def test_the_report_of_a_failed_test_says_what_to_do(suite: Suite, case: str) -> None:
    statement, lines = REPORTED[case]
    result = suite(f"""
def test_before(webshare_mock, webshare_mock_server):
    get(webshare_mock_server.world("invalid"), LIST + "7/")

def test_failing(webshare_mock, webshare_mock_server):
    {statement}
    pytest.fail()
""")
    result.assert_outcomes(passed=1, failed=1)
    escaped = [re.sub(r"\[|\?", lambda it: f"[{it[0]}]", line) for line in lines]
    result.stdout.fnmatch_lines(escaped)
    result.stdout.no_fnmatch_line("*/credit/7/*")
    result.stdout.no_fnmatch_line("GET *very-secret*")


def test_a_report_without_such_mistakes_has_only_the_requests(suite: Suite) -> None:
    result = suite("""
def test_failing(webshare_mock):
    webshare_mock.add_fault(status=503, times=1)
    get(webshare_mock)
    pytest.fail()
""")
    result.stdout.fnmatch_lines(["*- webshare_mock: requests -*"])
    result.stdout.no_fnmatch_line("*without a known key*")
    result.stdout.no_fnmatch_line("*did not strike*")
    result.stdout.no_fnmatch_line("*hint:*")


def test_the_report_of_a_failed_test_lists_its_requests_without_keys(suite: Suite) -> None:
    result = suite("""
def test_failing(webshare_mock):
    webshare_mock.add_fault(status=503, times=1)
    get(webshare_mock)
    get(webshare_mock, LIST + "1/?api_key=very-secret-key")
    assert webshare_mock.requests == ()

def test_passing(webshare_mock):
    get(webshare_mock, LIST + "2/")
""")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- webshare_mock: requests -*",
            "GET /api/v2/referral/credit/ 503 (fault:1, status)",
            "GET /api/v2/referral/credit/1/[?]api_key=REDACTED-* 404 (not-found)",
        ]
    )
    result.stdout.no_fnmatch_line("*/credit/2/*")
    result.stdout.no_fnmatch_line("*Token test-*")


@pytest.mark.parametrize(
    "test",
    [
        """
@pytest.fixture
def count(webshare_mock):
    return get(webshare_mock).json()["no such thing"]

def test_it(count): ...
""",
        """
def test_it(request):
    get(request.getfixturevalue("webshare_mock"))
    raise ValueError
""",
    ],
    ids=["in a fixture", "with a world that was requested late"],
)
def test_requests_are_listed_wherever_a_test_fails(suite: Suite, test: str) -> None:
    suite(test).stdout.fnmatch_lines(["*- webshare_mock: requests -*", "GET /api/v2/referral/credit/ 200"])


def test_a_failed_test_that_stopped_the_server_is_a_failed_test(suite: Suite) -> None:
    result = suite("""
def test_it(webshare_mock_server, webshare_mock):
    webshare_mock_server.stop()
    raise ValueError
""")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- webshare_mock: requests -*", "<MockServer stopped> does not run; *"])


@pytest.mark.parametrize("tests", ["", "def test_another(webshare_mock): ..."], ids=["the last", "another"])
def test_a_failed_teardown_lists_the_requests_before_it(suite: Suite, tests: str) -> None:
    result = suite(f"""
@pytest.fixture
def untidy(webshare_mock):
    yield
    get(webshare_mock, LIST + "7/")
    raise ValueError

def test_it(webshare_mock, untidy):
    get(webshare_mock)

{tests}
""")
    result.assert_outcomes(passed=1 + bool(tests), errors=1)
    result.stdout.fnmatch_lines(
        [
            "*- webshare_mock: requests -*",
            "GET /api/v2/referral/credit/ 200",
            "GET /api/v2/referral/credit/7/ 404 (not-found)",
        ]
    )


def test_requests_with_another_key_are_counted(suite: Suite) -> None:
    result = suite("""
def test_before(webshare_mock, webshare_mock_server):
    get(webshare_mock)
    get(webshare_mock_server.world("before"))

def test_it(webshare_mock, webshare_mock_server):
    for key in ("wrong", "invalid", "wrong"):
        get(webshare_mock_server.world(key))
    webshare_mock.assert_requested("GET", LIST)
""")
    result.stdout.fnmatch_lines(["*There were no requests with this key, but 3 with other keys or none: *"])


# Suites that run otherwise, and those that do without.

MANY = """
@pytest.mark.parametrize("number", range(40))
def test_it(webshare_mock, number):
    for _ in range(number % 3):
        webshare_mock.create_credit()
    assert get(webshare_mock).json()["count"] == 100 + number % 3
    assert len(webshare_mock.requests) == 1
"""


NOT_SERVED = """
@pytest.mark.parametrize("number", range(4))
def test_it(webshare_mock, number):
    get(webshare_mock, "/api/v2/profile/")
    if number == 3:
        get(webshare_mock, "/api/v2/proxy/list/")
"""


@pytest.mark.parametrize("processes", sampled(["0", "2"]))
def test_the_summary_names_what_is_not_served_though_all_tests_pass(suite: Suite, processes: str) -> None:
    result = suite(NOT_SERVED, "-n", processes, apart=processes != "0")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        ["*= webshare_mock: not served =*", "profile.get: 4 requests", "proxies.list: 1 request"]
    )


def test_the_summary_names_nothing_if_all_is_served(suite: Suite) -> None:
    suite(MANY).stdout.no_fnmatch_line("*not served*")


@pytest.mark.exhaustive
def test_processes_of_xdist_and_random_order_do_not_meet(suite: Suite) -> None:
    result = suite(MANY, "-n", "2", "--random-order", apart=True)
    result.assert_outcomes(passed=40)


def test_random_order_in_one_process(suite: Suite) -> None:
    suite(MANY, "--random-order").assert_outcomes(passed=40)


def test_a_suite_that_does_not_use_it_imports_nothing_for_it(suite: Suite, pytester: pytest.Pytester) -> None:
    pytester.makeconftest("""
import sys

def loaded(name):
    return sorted(module for module in sys.modules if module.split(".")[0] == name)

def pytest_collection_finish(session):
    ours = ["mock_webshare", "mock_webshare.pytest_plugin", "mock_webshare.version"]
    assert loaded("mock_webshare") == ours

def pytest_sessionfinish(session):
    pytest_collection_finish(session)
    assert not {"aiohttp", "asyncio", "faker", "jsonschema"} & {*sys.modules}
""")
    result = suite("def test_it(): ...\ndef test_failing(): assert False", apart=True)
    result.assert_outcomes(passed=1, failed=1)


def test_a_suite_that_uses_it_needs_neither_faker_nor_jsonschema(suite: Suite) -> None:
    result = suite(
        """
import sys

def test_it(webshare_mock):
    get(webshare_mock)
    assert not {"faker", "jsonschema"} & {*sys.modules}
""",
        apart=True,
    )
    result.assert_outcomes(passed=1)


def test_what_is_offered_is_listed_with_its_purpose(suite: Suite) -> None:
    suite("", "--fixtures").stdout.fnmatch_lines_random(
        [
            "webshare_mock_options ?session scope? *",
            "webshare_mock_server ?session scope? *",
            "webshare_mock -- *",
        ]
    )


# What the plugin needs of the server.


def test_a_data_file_is_read_again_each_time(tmp_path: Path, server: MockServer) -> None:
    path, world = tmp_path / "mine.json", server.world("file")
    row = {
        **dataset.load("default").rows["credits"][0].wire(),
        "referral_channel": None,
        "referral_channel_code": None,
    }
    for amount in (1.5, 2.5):
        document = str([{**row, "amount": amount}]).replace("'", '"').replace("None", "null")
        path.write_text(f'{{"credits": {document}, "channels": []}}', encoding="utf-8")
        world.begin(data=path)
        assert [credit["amount"] for credit in world.credits()] == [amount]
