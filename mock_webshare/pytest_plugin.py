"""The pytest plugin: a stand-in for the session, and in it a world of its own for each test.

It is loaded in every test suite of an environment that has the package, so it imports nothing but
pytest until a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mock_webshare import MockServer, MockWorld

_MARKER = "webshare_mock"
_ARRANGEMENT = ("seed", "credits", "data", "scenario")
_numbers = count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}({', '.join(_ARRANGEMENT)}): what the world of the test begins with",
    )


@pytest.fixture(scope="session")
def webshare_mock_options() -> dict[str, Any]:
    """The settings of the server, as for `mock_webshare.Settings`; override it to change them."""
    return {}


@pytest.fixture(scope="session")
def webshare_mock_server(webshare_mock_options: dict[str, Any]) -> Iterator[MockServer]:
    """A stand-in on a free port, for the session."""
    from mock_webshare import MockServer, Settings

    with MockServer(Settings(**{"port": 0, **webshare_mock_options})) as server:
        yield server


@pytest.fixture
def webshare_mock(webshare_mock_server: MockServer, request: pytest.FixtureRequest) -> Iterator[MockWorld]:
    """A world that no other test sees: `url` and `api_key` for the client, and verbs to arrange it."""
    key = f"test-{next(_numbers)}"
    if marker := request.node.get_closest_marker(_MARKER):
        _begin(webshare_mock_server, key, marker)
    yield webshare_mock_server.world(key)
    webshare_mock_server.retire(key)


def _begin(server: MockServer, key: str, marker: pytest.Mark) -> None:
    from mock_webshare import MockWebshareError

    unknown = [*map(repr, marker.args), *(marker.kwargs.keys() - set(_ARRANGEMENT))]
    problem = f"{unknown[0]} is not allowed; allowed: {', '.join(_ARRANGEMENT)}" if unknown else ""
    try:
        if not problem:
            server.begin(key, **marker.kwargs)
    except MockWebshareError as error:
        problem = str(error)
    if problem:
        pytest.fail(f"@pytest.mark.{_MARKER}: {problem}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what a failed test asked."""
    report = yield
    world = getattr(item, "funcargs", {}).get("webshare_mock")
    if report.failed and report.when == "call" and world is not None:
        report.sections.append(("webshare_mock: requests", world.transcript()))
    return report
