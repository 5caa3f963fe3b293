"""Fixtures of all tests: servers, and a check of every response that any test causes."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from mock_webshare import MockServer, MockWorld, Settings, create_app
from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.judge.body.fast_schema import acceptor
from mock_webshare.server.handler import Handler
from mock_webshare.service.framework.request import Parser, split_target
from mock_webshare.service.world.journal import Entry
from tests.browser import browser  # noqa: F401  # a fixture
from tests.page_view import chromium, new_view, view  # noqa: F401  # fixtures
from tests.paths import ROOT
from tests.unmeasured import VARIABLES

collect_ignore = ["examples"]  # projects of their own, which test_example.py runs as such
Client = TestClient[web.Request, web.Application]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--conformance-examples",
        type=int,
        default=None,
        metavar="N",
        help="generate N requests for the comparison with Django REST framework, new ones in each run",
    )
    parser.addoption(
        "--exhaustive",
        action="store_true",
        help="run the tests that are marked so, too: whole corpora, all seeds, growth",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Where .ci/run measures the everyday tests, measure this process, not those that it starts.

    The exhaustive tests, which start the same commands, are measured with all their processes.
    """
    if not config.getoption("--exhaustive"):
        hypothesis.settings.register_profile("everyday", hypothesis.settings(), max_examples=25)
        hypothesis.settings.load_profile("everyday")
    if hasattr(config, "workerinput") and "COVERAGE_PROCESS_START" in os.environ:
        for name in VARIABLES:
            os.environ.pop(name, None)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Start no processes for tests that are named: that would take longer than most of them do."""
    return 0 if config.args_source is pytest.Config.ArgsSource.ARGS else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests with the mark `exhaustive`, unless --exhaustive is given."""
    if config.getoption("--exhaustive"):
        return
    left_out = [item for item in items if item.get_closest_marker("exhaustive")]
    items[:] = [item for item in items if not item.get_closest_marker("exhaustive")]
    config.hook.pytest_deselected(items=left_out)


def pytest_collection() -> None:
    """Search for no garbage among the tests while they are collected: there is hardly any."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave the collected tests out of every later search for garbage, and search all of the rest rarely."""
    gc.freeze()
    gc.enable()
    youngest, young, old = gc.get_threshold()
    gc.set_threshold(youngest, young, 10 * old)


class Watch:
    """The reason of every response of the service, and its JSON, by the schema that the contract names."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self._clean: set[tuple[Contract, str, bytes]] = set()

    def look_at_reason(self, entry: Entry) -> None:
        """Note a response without a reason, or an ordinary one with a reason."""
        response = entry.response
        is_ordinary = response is None or (response.status < 300 and not (entry.faults or entry.hint))
        if response is not None and is_ordinary == bool(entry.reason):
            self.broken.append(f"{entry.method} {entry.target} {response.status}: reason {entry.reason!r}")

    def look(self, entry: Entry, contract: Contract) -> None:
        response, schema = entry.response, schema_of(entry, contract)
        if response is None or schema is None or (contract, schema, response.body) in self._clean:
            return
        errors = errors_of(response.body, schema, contract)
        if errors:
            self.broken.append(f"{entry.method} {entry.target} {response.status} breaks {schema}: {errors}")
        else:
            self._clean.add((contract, schema, response.body))


def errors_of(body: bytes, schema: str, contract: Contract) -> list[str]:
    """Return what jsonschema has against a body, which it need not read if an acceptor accepts it."""
    if acceptor(contract.schemas, schema)(json.loads(body, parse_float=Decimal)):
        return []
    return [error.message for error in contract.schemas.validator(schema).iter_errors(json.loads(body))]


def schema_of(entry: Entry, contract: Contract = WEBSHARE) -> str | None:
    """Return the schema of a response; None for HTML, redirects and metadata, or without a response."""
    response, route = entry.response, Parser(contract).find_route(split_target(entry.target)[0])
    if response is None or route is None or ("Content-Type", "application/json") not in response.headers:
        return None
    if entry.method == "OPTIONS" and response.status == 200:
        return None
    endpoint, _ = route
    return (
        endpoint.schema
        if response.status == 200
        else dict(endpoint.errors).get(response.status, "error-detail")
    )


BREAKING = {"drift", "fault", "contentType"}
"""The faults whose purpose is a response that breaks the contract."""


@pytest.fixture(scope="session")
def watch() -> Iterator[Watch]:
    """Check every response of a mock server in this process."""
    watch = Watch()
    report = Handler.report

    def watched(self: Handler, entry: Entry) -> None:
        report(self, entry)
        watch.look_at_reason(entry)
        if not BREAKING & set(entry.faults):
            watch.look(entry, self.contract)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Handler, "report", watched)
        yield watch


@pytest.fixture(scope="session", autouse=True)
def signals_are_not_ignored() -> Iterator[None]:
    """Let processes that tests start get SIGINT and SIGHUP, even if this one is in the background."""
    numbers = [signal.Signals[name] for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session", autouse=True)
def started_processes_share_bytecode(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[None]:
    """Let processes that tests start keep what they compile, if need be apart from the sources."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent
    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):
            patch.delenv("PYTHONDONTWRITEBYTECODE")
            patch.setenv("PYTHONPYCACHEPREFIX", str(shared / "bytecode"))
        yield


@pytest.fixture(autouse=True)
def every_response_keeps_the_contract(watch: Watch) -> Iterator[None]:
    """Fail a test that caused a response which breaks our own schemas."""
    watch.broken.clear()
    yield
    assert not watch.broken


@pytest.fixture
async def client(aiohttp_client: Callable[..., Awaitable[Client]]) -> AsyncIterator[Client]:
    """A client of a mock server with the data set `edge-cases`, no rate limit, and a key."""
    app = create_app(Settings(data="edge-cases", rate_limit="off"))
    yield await aiohttp_client(app, headers={"Authorization": "Token key"})


@pytest.fixture(scope="session")
def server(watch: Watch) -> Iterator[MockServer]:
    """A mock server with the default data set, in a thread, for synchronous clients."""
    with MockServer(Settings(port=0, rate_limit="off")) as server:
        yield server


@pytest.fixture
def world(server: MockServer) -> Iterator[MockWorld]:
    """A world of that server for this test alone."""
    world = server.world(uuid.uuid4().hex)
    yield world
    server.discard(world.api_key)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a source distribution, and a wheel from that, and return their folder."""
    folder = tmp_path_factory.mktemp("dist")
    # Without hatchling, `build` gets it from a package index, into an environment of its own.
    isolation = ["--no-isolation"] if find_spec("hatchling") else []
    command = [sys.executable, "-m", "build", *isolation, "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return folder
