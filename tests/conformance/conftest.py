"""Both servers with the same credits, and a client to each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mock_webshare import MockServer, Settings
from tests.conformance.dataset import edge_cases
from tests.conformance.reference import reference_server
from tests.conformance.wire import Client, Pair


@pytest.fixture(scope="session")
def dataset() -> dict[str, Any]:
    """Return what both servers respond with, in the data-set format."""
    return edge_cases()


@pytest.fixture(scope="session")
def data_file(dataset: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with the data set."""
    path = tmp_path_factory.mktemp("conformance") / "credits.json"
    path.write_text(json.dumps(dataset), encoding="utf-8")
    return path


@contextmanager
def _reference(dataset: dict[str, Any], timer: Callable[[], float] | None) -> Iterator[Client]:
    with reference_server(dataset, timer=timer) as url, Client(url) as client:
        yield client


@contextmanager
def _ours(settings: Settings, timer: Callable[[], float]) -> Iterator[Client]:
    with MockServer(settings, timer=timer) as server, Client(server.url) as client:
        yield client


@pytest.fixture(scope="session")
def reference(dataset: dict[str, Any]) -> Iterator[Client]:
    """Yield a client of the reference, which has no rate limit."""
    with _reference(dataset, None) as client:
        yield client


@pytest.fixture(scope="session")
def pair(reference: Client, data_file: Path) -> Iterator[Pair]:
    """Yield clients of both servers, which have no rate limit."""
    with _ours(Settings(data=str(data_file), port=0, rate_limit="off"), lambda: 0.0) as ours:
        yield Pair(reference, ours)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return the clock by which `limited_pair` counts."""
    return Clock()


@pytest.fixture
def limited_pair(dataset: dict[str, Any], data_file: Path, clock: Clock) -> Iterator[Pair]:
    """Yield clients of two new servers that allow 240 requests a minute, by the test's clock."""
    settings = Settings(data=str(data_file), port=0, rate_limit="240/min")
    with _reference(dataset, clock) as reference, _ours(settings, clock) as ours:
        yield Pair(reference, ours)
