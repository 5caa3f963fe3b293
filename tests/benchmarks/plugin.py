"""The figures of the pytest plugin, against those of pytest-httpserver in the same run."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from measuring import in_turn, report

OURS, THEIRS = "mock_webshare.pytest_plugin", "pytest_httpserver.pytest_plugin"
FIXTURES = {"ours": "webshare_mock", "theirs": "httpserver", "none": ""}
CONFTEST = """
import json, os, time
from pathlib import Path
import pytest

times = {}

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    started = time.perf_counter()
    result = yield
    times.setdefault(item.name.split("_")[1], []).append(time.perf_counter() - started)
    return result

def pytest_sessionfinish():
    Path(os.environ["TIMES"]).write_text(json.dumps(times), encoding="utf-8")
"""


def fixture(rounds: int = 5, tests: int = 1000) -> None:
    """Time empty tests with each fixture and with none, in turn in one process.

    What a fixture costs is what its test takes longer than one with none, in the middle: the first ones
    have the start of the server.
    """
    lines = [
        f"def test_{name}_{number}({argument}): ..."
        for number in range(tests)
        for name, argument in FIXTURES.items()
    ]
    costs = [_costs("\n".join(lines)) for _ in range(rounds)]
    report(
        "fixture, set-up and tear-down, a test",
        median(ours for ours, _ in costs),
        median(theirs for _, theirs in costs),
        "<= 1",
        "us",
    )


def _costs(suite: str) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "conftest.py").write_text(CONFTEST, encoding="utf-8")
        Path(folder, "test_suite.py").write_text(suite, encoding="utf-8")
        run_pytest(folder, OURS, THEIRS)
        times = json.loads(Path(folder, "times.json").read_text(encoding="utf-8"))
    ours, theirs, none = (1e6 * median(times[name]) for name in FIXTURES)
    return ours - none, theirs - none


def run_pytest(folder: str, *plugins: str) -> None:
    """Run the suite in a folder with these plugins only."""
    for name in plugins:
        if importlib.util.find_spec(name.partition(".")[0]) is None:
            raise SystemExit(f"{name} is missing: pip install pytest-httpserver")
    environment = os.environ | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "",
        "TIMES": f"{folder}/times.json",
    }
    options = [option for name in plugins for option in ("-p", name)]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, "test_suite.py"]
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)


REACHED = "import os, time; open(os.environ['TIMES'], 'w').write(str(time.monotonic()))"


class Session(NamedTuple):
    """The milliseconds until a test with a fixture runs, and until pytest has ended."""

    reached: float
    ended: float


def session(rounds: int = 15) -> None:
    """Time a process with one test that has a fixture, and what of that is due to the fixture.

    The latter is what a process takes less whose test has none, and no plugin either.
    """
    runs = [
        (_session("webshare_mock", OURS), _session("httpserver", THEIRS), _session("")) for _ in range(rounds)
    ]
    for what, place in (("start to the first test", 0), ("start to end", 1)):
        ours, theirs, none = (median(run[side][place] for run in runs) for side in range(3))
        report(f"session, {what}", ours, theirs, "<= 2", "ms")
        report(f"  of that due to the fixture ({none:.0f} without)", ours - none, theirs - none, "", "ms")


def unused(rounds: int = 15) -> None:
    """Time the process of a suite that does not use the plugin, with it and without it."""
    ours, theirs = in_turn(rounds, lambda: _session("", OURS).ended, lambda: _session("").ended)
    report("a suite that does not use the plugin", median(ours), median(theirs), "1", "ms")


WALKING = """
import http.client, json
from urllib.parse import urlsplit
import pytest

@pytest.mark.parametrize("number", range(300))
def test_walk(webshare_mock, number):
    connection = http.client.HTTPConnection(urlsplit(webshare_mock.url).netloc)
    headers = {"Authorization": f"Token {webshare_mock.api_key}"}
    target = "/api/v2/referral/credit/"
    while target:
        connection.request("GET", target, headers=headers)
        link = json.load(connection.getresponse())["next"]
        target = link and link.removeprefix(webshare_mock.url)
    connection.close()
"""


def hints(rounds: int = 5) -> None:
    """Compare what hints or coverage take of the processor time of a suite of walks with the rest of it.

    Both are measured in the same process: between two runs, a busy machine differs by more.
    """
    for mode, options in (("report", ""), ("error", ""), ("off", "--webshare-coverage")):
        shares = [_walking(mode, options) for _ in range(rounds)]
        rest = median(rest for _, rest in shares)
        report(
            f"300 walks, hints {mode} {options}",
            rest * (1 + median(used / rest for used, rest in shares)),
            rest,
            "<= 1.05",
            "ms",
        )


SHARE = """
import json, os, time
from mock_webshare import pytest_plugin
from mock_webshare.insight.coverage import Coverage
from mock_webshare.server.collectors import HintCollector

used = 0.0

def measure(owner, name):
    function = getattr(owner, name)
    def measured(*args, **options):
        global used
        began = time.process_time()
        try:
            return function(*args, **options)
        finally:
            used += time.process_time() - began
    setattr(owner, name, measured)

measure(pytest_plugin, "_hint_lines")
measure(HintCollector, "note")
measure(HintCollector, "finish")
measure(Coverage, "add")

def pytest_unconfigure():
    with open(os.environ["TIMES"], "w") as file:
        json.dump([1000 * used, 1000 * (time.process_time() - used)], file)
"""


def _walking(mode: str, options: str) -> tuple[float, float]:
    """Return the milliseconds that hints and coverage take, and those of everything else."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_suite.py").write_text(WALKING, encoding="utf-8")
        Path(folder, "conftest.py").write_text(SHARE, encoding="utf-8")
        settings = f"[pytest]\nwebshare_mock_hints = {mode}\naddopts = {options}\n"
        Path(folder, "pytest.ini").write_text(settings, encoding="utf-8")
        run_pytest(folder, OURS)
        used, rest = json.loads(Path(folder, "times.json").read_text(encoding="utf-8"))
    return used, rest


def _session(argument: str, *plugins: str) -> Session:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_suite.py").write_text(f"def test_it({argument}): {REACHED}", encoding="utf-8")
        started = time.monotonic()
        run_pytest(folder, *plugins)
        ended = time.monotonic()
        reached = float(Path(folder, "times.json").read_text(encoding="utf-8"))
    return Session(1000 * (reached - started), 1000 * (ended - started))
