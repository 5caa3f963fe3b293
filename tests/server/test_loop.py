"""A mock server in a thread while a test freezes time."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests

from mock_webshare import MockServer, MockWorld
from mock_webshare.contract.endpoints import CREDIT_LIST
from tests.waiting import PATIENCE

LIST = CREDIT_LIST.path
YEAR_2000 = 946_684_800.0
LEFT_ALONE = ("_pytest.", "threading")
"""The modules for which freezegun leaves time real, among those that matter here."""

DELAYS: Mapping[str, Mapping[str, Any]] = {
    "delay": {"fixedDelayMilliseconds": 50},
    "distribution": {"delayDistribution": {"type": "uniform", "lower": 20, "upper": 50}},
    "drip": {"chunkedDribbleDelay": {"numberOfChunks": 3, "totalDuration": 50}},
}


def freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clocks like freezegun: as attributes of `time` and of all modules that have them."""
    real = {id(each) for each in (time.time, time.monotonic, time.perf_counter)}
    for name, module in list(sys.modules.items()):
        for attribute, value in list(getattr(module, "__dict__", {}).items()):
            if id(value) in real and not name.startswith(LEFT_ALONE):
                monkeypatch.setattr(module, attribute, lambda: YEAR_2000)


@pytest.fixture
def world() -> Iterator[MockWorld]:
    with MockServer() as server:
        yield server.world("any")


@pytest.fixture
def frozen(world: MockWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze(monkeypatch)
    assert time.time() == time.monotonic() == YEAR_2000


def get(world: MockWorld, timeout: float = PATIENCE) -> requests.Response:
    headers = {"Authorization": f"Token {world.api_key}"}
    return requests.get(world.url + LIST, headers=headers, timeout=timeout)


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("fault", DELAYS.values(), ids=DELAYS)
def test_a_delay_ends_while_time_is_frozen(world: MockWorld, fault: Mapping[str, Any]) -> None:
    world.add_fault(**fault)
    assert get(world).status_code == 200


@pytest.mark.usefixtures("frozen")
def test_a_connection_is_broken_while_time_is_frozen(world: MockWorld) -> None:
    world.add_fault(fault="CONNECTION_RESET_AFTER_HEADERS")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="reset"):
        get(world)


@pytest.mark.usefixtures("frozen")
def test_the_journal_has_real_durations(world: MockWorld) -> None:
    world.add_fault(fixedDelayMilliseconds=50)
    get(world)
    assert world.requests[0].seconds >= 0.05


def test_the_journal_has_the_real_time_of_arrival(world: MockWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add_fault(fixedDelayMilliseconds=50, times=1)
    before = time.time()
    freeze(monkeypatch)
    get(world)
    get(world)
    monkeypatch.undo()
    delayed, other = world.requests
    assert before <= delayed.arrived <= delayed.arrived + 0.05 <= other.arrived <= time.time()
    assert other.began - delayed.began >= delayed.seconds


@pytest.mark.usefixtures("frozen")
def test_a_running_clock_runs_while_time_is_frozen(world: MockWorld) -> None:
    began = world.set_clock(running=True)["now"]
    world.add_fault(fixedDelayMilliseconds=50)
    get(world)
    assert world.clock()["now"] > began


class Log(io.StringIO):
    """A log that reports its first line."""

    def __init__(self) -> None:
        super().__init__()
        self.is_written = threading.Event()

    def flush(self) -> None:
        self.is_written.set()


def test_the_log_is_written_while_time_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    with MockServer(log=log) as server:
        freeze(monkeypatch)
        get(server.world("any"))
        assert log.is_written.wait(PATIENCE)


def test_a_server_stops_during_a_delay_while_time_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    freeze(monkeypatch)
    with MockServer() as server:
        world = server.world("any")
        world.add_fault(fixedDelayMilliseconds=60_000)
        with pytest.raises(requests.Timeout):
            get(world, timeout=0.2)


def test_a_replaced_sleep_of_asyncio_shortens_no_delay(
    world: MockWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def do_not_sleep(*_: object) -> None: ...

    get(world)
    monkeypatch.setattr(asyncio, "sleep", do_not_sleep)
    world.add_fault(fixedDelayMilliseconds=60_000)
    with pytest.raises(requests.Timeout):
        get(world, timeout=0.2)


def test_the_package_may_be_loaded_in_frozen_time() -> None:
    program = f"""
import asyncio, time, requests
time.monotonic = time.perf_counter = lambda: 5.0
from mock_webshare import MockServer
with MockServer() as server:
    world = server.world("any")
    world.add_fault(fixedDelayMilliseconds=50)
    print(requests.get(world.url + "{LIST}", headers={{"Authorization": "Token any"}}).status_code)
"""
    command = [sys.executable, "-c", program]
    process = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE)
    assert (process.stdout, process.stderr) == ("200\n", "")
