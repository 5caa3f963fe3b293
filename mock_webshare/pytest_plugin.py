"""The pytest plugin: one mock server for the session, and a world for each test.

Every test suite in an environment with this package loads the plugin, so it imports nothing but pytest until
a test uses a fixture.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mock_webshare.server.mock_world import MockWorld
    from mock_webshare.server.thread import MockServer
    from mock_webshare.service.settings import Settings

Sections = list[tuple[str, str]]
"""Titles and texts of sections of a report."""
_LONGEST_NUMBER = 20
_MARKER, _RUN = "webshare_mock", "mock_webshare.run"
_OPTION, _INI = "--webshare-mock", "webshare_mock_options"
_COVERAGE = "--webshare-coverage"
_HINTS = "webshare_mock_hints"
HINTS_VARIABLE = "_MOCK_WEBSHARE_HINTS"  # the same as `HintFolder.variable`
_HINT_MODES = ("off", "report", "error")
_WORLD_ARGUMENTS = ("seed", "credits", "data", "scenario")
_MARKER_ARGUMENTS = (*_WORLD_ARGUMENTS, "hints")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the setting."""
    group = parser.getgroup("mock-webshare")
    group.addoption(
        _OPTION,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the mock server, like credits=230; may be given several times; precedes the "
        f"fixture and the ini setting {_INI}",
    )
    parser.addini(_INI, "settings of the mock server, NAME=VALUE in each line", type="linelist", default=[])
    parser.addini(
        _HINTS,
        "what happens if a client does something wrong though nothing fails: off (nothing is looked for), "
        "report (a section at the end), error (its test fails)",
        default="report",
    )
    group.addoption(
        _COVERAGE, action="store_true", help="show which parts of the Webshare API the tests exercise"
    )
    group.addoption(f"{_COVERAGE}-file", metavar="FILE", help="file that gets the same as JSON")
    group.addoption(
        f"{_COVERAGE}-fail-under", metavar="PERCENT", help="minimum coverage; below it, the session fails"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the plugin that follows the tests."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}({', '.join(_MARKER_ARGUMENTS)}): the initial state of the test's world, and what happens "
        f"if there are hints: {', '.join(_HINT_MODES)}",
    )
    mode = config.getini(_HINTS)
    _runs.append(Run(mode))
    config.pluginmanager.register(_runs[-1], _RUN)
    if mode not in _HINT_MODES:
        raise pytest.UsageError(f"{_HINTS} {mode!r} is not allowed; allowed: {', '.join(_HINT_MODES)}")
    if mode != "off" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(HintsOfRun(), _HINTS)
    options = [config.getoption(_COVERAGE + end) for end in ("", "-file", "-fail-under")]
    # The workers of pytest-xdist count in the folder of the process that reports.
    if any(each not in (False, None) for each in options) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(CoverageOfRun(*options), _COVERAGE)


def pytest_unconfigure() -> None:
    """Forget the plugin that follows the tests of the innermost run."""
    _runs.pop()


@pytest.fixture(scope="session")
def webshare_mock_options() -> dict[str, Any]:
    """The settings of the server, as for `Settings`; override this to change them.

    The option `--webshare-mock` takes precedence over this fixture, and the fixture over the ini setting of
    the same name.
    """
    return {}


@pytest.fixture(scope="session")
def webshare_mock_server(
    webshare_mock_options: dict[str, Any], pytestconfig: pytest.Config
) -> Iterator[MockServer]:
    """A mock server on a free port, for the session."""
    from mock_webshare.server.thread import MockServer

    given = [_written(f"{_INI} in {pytestconfig.inipath}", pytestconfig.getini(_INI))]
    with _fail_without_traceback("webshare_mock_options"):
        _settings(webshare_mock_options)
    given += [webshare_mock_options, _written(_OPTION, pytestconfig.getoption(_OPTION))]
    with _fail_without_traceback("webshare_mock_options"):
        server = MockServer(_settings({name: value for each in given for name, value in each.items()}))
        server.start()
    run = _runs[-1]
    run.options[server] = webshare_mock_options
    yield server
    run.note_requests()
    run.note_not_served(server)
    server.stop()


class Run:
    """One run of pytest: its server, the current test, and the world of that test.

    The fixtures `request` and `pytestconfig` know the test and the run, but one more fixture would take
    longer than everything else that this plugin does for a test.
    """

    def __init__(self, hints: str) -> None:
        self._hints = self._mode = hints  # what happens if there are hints: in the run, in the current test
        self._numbers = count(1)
        self.options: dict[MockServer, Any] = {}  # of the server that the fixture started
        self._test: pytest.Item | None = None
        self._world: MockWorld | None = None  # None: the test has not used the fixture
        self._server: MockServer | None = None  # of this world
        self._keyless = 0  # how many requests had come without a known key before the test
        self._noted: Sections | None = None  # of the test's report, if the server has been stopped since
        self.not_served = Counter[str]()  # requests of the session by the operation that is not served

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Note the current test, and discard the world of the previous one."""
        self._test = item
        if self._world is not None:
            self._world.discard()
            self._world = self._noted = None

    @pytest.fixture
    def webshare_mock(
        self, webshare_mock_server: MockServer, webshare_mock_options: dict[str, Any]
    ) -> MockWorld:
        """A world for this test alone, with `url` and `api_key` for the client."""
        # A server from a fixture of the suite has no options to compare.
        if self.options.get(webshare_mock_server, webshare_mock_options) != webshare_mock_options:
            pytest.fail(
                "webshare_mock_options: the server of this session runs with other options; override the "
                "fixture once, in a conftest.py above all tests that use it",
                pytrace=False,
            )
        key = f"test-{next(self._numbers)}"
        assert self._test
        for marker in self._test.iter_markers(_MARKER):
            if marker.args or marker.kwargs.keys() != {"hints"}:
                _begin(webshare_mock_server, key, marker)
                break
        self._world = webshare_mock_server.world(key, name=self._test.nodeid)
        self._server, self._keyless = webshare_mock_server, webshare_mock_server.count_keyless()
        self._mode = _hints_of(self._test, self._hints)
        webshare_mock_server.note_test(key, None if self._mode == "off" else self._test.nodeid)
        return self._world

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        """Let a test that has hints fail, if its mode is `error`."""
        result = yield
        if self._world is not None and self._server is not None and self._mode == "error":
            lines = _hint_lines(self._world, self._server, self._keyless)
            if lines:
                pytest.fail("\n".join([f"{_MARKER}: hints", *lines]), pytrace=False)
        return result

    def _sections(self, world: MockWorld) -> Sections:
        assert self._server
        return list(_sections(world, self._server, self._keyless))

    def note_requests(self) -> None:
        """Note the requests of the last test for its report, before the server stops."""
        if self._world is not None:
            self._noted = self._sections(self._world)

    def note_not_served(self, server: MockServer) -> None:
        """Note which operations were not served, unless a test has stopped the server."""
        from mock_webshare.errors import ServerError

        with suppress(ServerError):
            self.not_served.update(server.not_served())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add to the report of a failed test its requests, and the faults that did not strike."""
        report = yield
        if report.failed and self._world is not None and self._server is not None:
            self._server.note_failure(self._world.api_key)
            report.sections += self._noted or self._sections(self._world)
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """In a worker of pytest-xdist, pass what was not served to the process that reports."""
        if output := getattr(session.config, "workeroutput", None):
            output[_RUN] = dict(self.not_served)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add what was not served in a worker of pytest-xdist; a worker that crashed reports nothing."""
        self.not_served.update(getattr(node, "workeroutput", {}).get(_RUN, {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show which operations were not served, even if all tests pass: a client may hide a 501."""
        if self.not_served:
            terminalreporter.section(f"{_MARKER}: not served")
            for name, number in sorted(self.not_served.items()):
                terminalreporter.line(f"{name}: {number} {'request' if number == 1 else 'requests'}")
            terminalreporter.line("The fault action `respond` can stand for them.")


class HintsOfRun:
    """The hints on the requests of one run of pytest, in all processes that it starts.

    It makes the folder that `HintFolder` would make, and imports code of ours only if the folder was used.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._folder: TemporaryDirectory[str] | None = None
        with suppress(OSError):  # if the folder cannot be made, there are no hints
            self._folder = TemporaryDirectory(prefix="mock-webshare-", ignore_cleanup_errors=True)
            self._outer = os.environ.get(HINTS_VARIABLE)
            os.environ[HINTS_VARIABLE] = self._folder.name

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Read the hints, once the servers have stopped."""
        if self._folder is not None and os.listdir(self._folder.name):
            from mock_webshare.insight import hint_report as report
            from mock_webshare.server.collectors import read_hints

            self._lines = list(report.lines(report.merged(read_hints(self._folder.name))))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the hints, if there are any."""
        if self._lines:
            terminalreporter.section(f"{_MARKER}: hints")
        for line in self._lines:
            terminalreporter.line(line)

    def pytest_unconfigure(self) -> None:
        """Delete the folder."""
        if self._folder is not None:
            del os.environ[HINTS_VARIABLE]
            if self._outer is not None:
                os.environ[HINTS_VARIABLE] = self._outer
            self._folder.cleanup()


class CoverageOfRun:
    """The coverage of the contract in one run of pytest, including all processes that it starts."""

    def __init__(self, is_shown: bool, path: str | None, minimum: str | None) -> None:
        from mock_webshare.errors import UsageError
        from mock_webshare.insight.coverage_report import require_percent
        from mock_webshare.server.collectors import CoverageFolder

        self._is_shown, self._path = is_shown, path
        try:
            self._minimum = 0 if minimum is None else require_percent(f"{_COVERAGE}-fail-under", minimum)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        self._folder = CoverageFolder()
        self._folder.__enter__()
        self._lines: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the file, and let the session fail if the coverage is too low."""
        from mock_webshare.contract.endpoints import WEBSHARE
        from mock_webshare.insight import coverage_report as report

        counts = self._folder.counts(WEBSHARE)
        problem = report.shortfall(counts, self._minimum)
        if self._path is not None:
            try:
                Path(self._path).write_text(report.text(counts), encoding="utf-8")
            except OSError as error:
                problem = f"cannot write {self._path!r}: {error.strerror}"
        self._lines = [*(report.lines(counts) if self._is_shown else ()), *([problem] if problem else ())]
        if problem and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the coverage, or that it is too low."""
        if self._lines:
            terminalreporter.section(f"{_MARKER}: coverage")
        for line in self._lines:
            terminalreporter.line(line)

    def pytest_unconfigure(self) -> None:
        """Delete the folder."""
        self._folder.__exit__()


_runs: list[Run] = []  # the innermost last, because a suite may run another one in its process


def _settings(options: Any) -> Settings:
    from dataclasses import fields

    from mock_webshare.errors import UsageError
    from mock_webshare.service.settings import Settings

    names = [field.name for field in fields(Settings) if field.name != "api_keys"]
    if not isinstance(options, Mapping):
        raise UsageError(f"{options!r} is not allowed; allowed: a dictionary of {', '.join(names)}")
    if "api_keys" in options:
        raise UsageError("api_keys is not allowed, because each test has its own key: webshare_mock.api_key")
    _require_known(options, names)
    return Settings(**{"port": 0, **options})


def _written(source: str, pairs: Sequence[str]) -> dict[str, Any]:
    """Return settings that are written as `NAME=VALUE`; fail with their source if one is not allowed."""
    from mock_webshare.errors import UsageError

    values = {}
    with _fail_without_traceback(source):
        for pair in pairs:
            name, equals, text = pair.partition("=")
            if not equals:
                raise UsageError(f"{pair!r:.80} is not allowed; allowed: NAME=VALUE, like credits=230")
            name = name.strip().replace("-", "_")  # as an option of serve is written
            values[name] = _read(name, text.strip())
        _settings(values)
    return values


def _read(name: str, text: str) -> Any:
    """Return the value of a setting; a wrong value, or the value of an unknown setting, stays a text."""
    from mock_webshare.service.settings import Settings

    annotation = str(Settings.__annotations__.get(name, ""))
    if annotation.startswith("tuple"):
        return tuple(text.split())
    is_number = text.removeprefix("-").isdecimal() and len(text) < _LONGEST_NUMBER
    return int(text) if annotation.startswith("int") and is_number else text


def _begin(server: MockServer, key: str, marker: pytest.Mark) -> None:
    with _fail_without_traceback(f"@pytest.mark.{_MARKER}"):
        _require_known([*map(repr, marker.args), *marker.kwargs], _MARKER_ARGUMENTS)
        server.begin(key, **{name: value for name, value in marker.kwargs.items() if name != "hints"})


def _hints_of(test: pytest.Item, mode: str) -> str:
    """Return what happens if a test has hints: what its nearest marker says, or else the setting."""
    wanted = (each.kwargs["hints"] for each in test.iter_markers(_MARKER) if "hints" in each.kwargs)
    chosen: str = next(wanted, mode)
    if chosen not in _HINT_MODES:
        allowed = f"allowed: {', '.join(_HINT_MODES)}"
        pytest.fail(f"@pytest.mark.{_MARKER}: hints={chosen!r} is not allowed; {allowed}", pytrace=False)
    return chosen


def _require_known(given: Iterable[str], allowed: Sequence[str]) -> None:
    from mock_webshare.errors import UsageError, suggestion

    for name in given:
        if name not in allowed:
            nearest = suggestion(name, allowed)
            raise UsageError(f"{name} is not allowed; allowed: {', '.join(allowed)}{nearest}")


@contextmanager
def _fail_without_traceback(where: str) -> Iterator[None]:
    """Fail the test without a traceback if a value of the user is not allowed."""
    from mock_webshare.errors import MockWebshareError

    try:
        yield
    except MockWebshareError as error:
        raise pytest.fail.Exception(f"{where}: {error}", pytrace=False) from None


def _hint_lines(world: MockWorld, server: MockServer, keyless: int) -> list[str]:
    """Return the hints on a test as lines of text; these hints are not reported again.

    `keyless` is the number of requests without a known key before the test.
    """
    from mock_webshare.errors import MockWebshareError
    from mock_webshare.insight import hint_report as report

    try:
        hints = report.merged(server.hints_since(world.api_key, keyless))
    except MockWebshareError:  # the test has stopped the server, which has reported its hints
        return []
    server.note_shown(world.api_key)
    return list(report.lines(hints))


def _sections(world: MockWorld, server: MockServer, keyless: int) -> Iterator[tuple[str, str]]:
    """Yield title and text of each section about a test: its requests, and what it may have got wrong.

    `keyless` is the number of requests without a known key before the test.
    """
    from mock_webshare.errors import MockWebshareError
    from mock_webshare.service.faults import not_struck
    from mock_webshare.service.world.journal import transcript

    try:
        yield f"{_MARKER}: requests", world.transcript()
        if others := server.keyless_since(keyless):
            yield f"{_MARKER}: requests without a known key", transcript(others)
        if faults := not_struck(world.faults()):
            yield f"{_MARKER}: faults that did not strike", "\n".join(faults)
    except MockWebshareError as error:  # the test has stopped the server
        yield f"{_MARKER}: requests", str(error)
