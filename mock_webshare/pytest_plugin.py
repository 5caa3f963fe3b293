"""The pytest plugin: a stand-in for the session, and in it a world of its own for each test.

It is loaded in every test suite of an environment that has the package, so it imports nothing but
pytest until a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import pytest

if TYPE_CHECKING:
    from mock_webshare.server.mock_world import MockWorld
    from mock_webshare.server.thread import MockServer
    from mock_webshare.service.settings import Settings

_MARKER = "webshare_mock"
_ARRANGEMENT = ("seed", "credits", "data", "scenario")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and the fixture that needs to know which test runs."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}({', '.join(_ARRANGEMENT)}): what the world of the test begins with",
    )
    config.pluginmanager.register(Run(), "mock_webshare.run")


@pytest.fixture(scope="session")
def webshare_mock_options() -> dict[str, Any]:
    """The settings of the server, as for `mock_webshare.Settings`; override it to change them."""
    return {}


@pytest.fixture(scope="session")
def webshare_mock_server(webshare_mock_options: dict[str, Any]) -> Iterator[MockServer]:
    """A stand-in on a free port, for the session."""
    from mock_webshare.server.thread import MockServer

    with _told_in_one_line("webshare_mock_options"):
        server = MockServer(_settings(webshare_mock_options))
        server.start()
    served = _served[server] = Served(webshare_mock_options)
    yield server
    if served.run is not None:
        served.run.note_requests()
    server.stop()


class Served:
    """A server of ours: the options with which it was started, and the run that uses it, once one does."""

    def __init__(self, options: Any) -> None:
        self.options = options
        self.run: Run | None = None


_served: WeakKeyDictionary[MockServer, Served] = WeakKeyDictionary()


class Run:
    """One run of pytest: the test that runs, and its world.

    The fixtures `request` and `pytestconfig` would tell the test too, but each fixture that stands behind
    another one costs each test more than all the rest of this.
    """

    def __init__(self) -> None:
        self._numbers = count(1)
        self._test: pytest.Item | None = None
        self._world: MockWorld | None = None  # None: the test has not asked for one
        self._noted: str | None = None  # what it asked, if the server has been stopped since

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Note which test runs, and let the world of the one before go."""
        self._test = item
        if self._world is not None:
            self._world.discard()
            self._world = self._noted = None

    @pytest.fixture
    def webshare_mock(
        self, webshare_mock_server: MockServer, webshare_mock_options: dict[str, Any]
    ) -> MockWorld:
        """A world that no other test sees: `url` and `api_key` for the client, and verbs to arrange it."""
        if served := _served.get(webshare_mock_server):  # a suite may have a server of its own instead
            served.run = self
            if served.options != webshare_mock_options:
                pytest.fail(
                    "webshare_mock_options: the server of this session runs with other ones; override the "
                    "fixture once, in a conftest.py above all tests that use it",
                    pytrace=False,
                )
        key = f"test-{next(self._numbers)}"
        assert self._test
        if marker := self._test.get_closest_marker(_MARKER):
            _begin(webshare_mock_server, key, marker)
        self._world = webshare_mock_server.world(key)
        return self._world

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Show what a failed test asked."""
        report = yield
        if report.failed and self._world is not None:
            requests = self._noted or _transcript(self._world)
            report.sections.append(("webshare_mock: requests", requests))
        return report

    def note_requests(self) -> None:
        """Note what the last test asked, for the report of its tear-down: then the server is gone."""
        if self._world is not None:
            self._noted = _transcript(self._world)


def _settings(options: Any) -> Settings:
    from dataclasses import fields

    from mock_webshare.errors import UsageError
    from mock_webshare.service.settings import Settings

    names = [field.name for field in fields(Settings) if field.name != "api_keys"]
    if not isinstance(options, Mapping):
        raise UsageError(f"{options!r} is not allowed; allowed: a dictionary of {', '.join(names)}")
    if "api_keys" in options:
        raise UsageError("api_keys is not allowed, for each test has a key of its own: webshare_mock.api_key")
    _require_known(options, names)
    return Settings(**{"port": 0, **options})


def _begin(server: MockServer, key: str, marker: pytest.Mark) -> None:
    with _told_in_one_line(f"@pytest.mark.{_MARKER}"):
        _require_known([*map(repr, marker.args), *marker.kwargs], _ARRANGEMENT)
        server.begin(key, **marker.kwargs)


def _require_known(given: Iterable[str], allowed: Sequence[str]) -> None:
    from mock_webshare.errors import UsageError

    for name in given:
        if name not in allowed:
            raise UsageError(f"{name} is not allowed; allowed: {', '.join(allowed)}")


@contextmanager
def _told_in_one_line(where: str) -> Iterator[None]:
    """Fail without a traceback for a mistake that is the user's."""
    from mock_webshare.errors import MockWebshareError

    try:
        yield
    except MockWebshareError as error:
        raise pytest.fail.Exception(f"{where}: {error}", pytrace=False) from None


def _transcript(world: MockWorld) -> str:
    from mock_webshare.errors import MockWebshareError

    try:
        return world.transcript()
    except MockWebshareError as error:  # the test has stopped the server
        return str(error)
