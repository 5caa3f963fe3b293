"""How clients react to broken responses, and what the mock server notes of them."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import logging
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from mock_webshare import MockServer, MockWorld, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.contract.timestamps import format_instant
from mock_webshare.service.faults import CONNECTION_FAULTS, MAX_DELAY
from tests.paths import FETCH
from tests.waiting import PATIENCE, until

LIST = CREDIT_LIST.path
IMPATIENCE = 0.25
"""Seconds for which a client waits for what does not come."""

Get = Callable[[str, Mapping[str, str], float], object]
"""Requests a URL, with headers and a timeout in seconds, and returns the JSON of the response."""


def by_requests(url: str, headers: Mapping[str, str], timeout: float = PATIENCE) -> object:
    return requests.get(url, headers=headers, timeout=timeout).json()


def by_httpx(url: str, headers: Mapping[str, str], timeout: float = PATIENCE) -> object:
    return httpx.get(url, headers=headers, timeout=timeout).json()


def by_httpx_asynchronously(url: str, headers: Mapping[str, str], timeout: float = PATIENCE) -> object:
    async def get() -> object:
        async with httpx.AsyncClient(timeout=timeout) as client:
            return (await client.get(url, headers=headers)).json()

    return asyncio.run(get())


def by_aiohttp(url: str, headers: Mapping[str, str], timeout: float = PATIENCE) -> object:
    async def get() -> object:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as client,
            client.get(url, headers=headers) as response,
        ):
            return await response.json()

    return asyncio.run(get())


def by_urllib(url: str, headers: Mapping[str, str], timeout: float = PATIENCE) -> object:
    request = urllib.request.Request(url, headers=dict(headers))
    with urllib.request.urlopen(request, timeout=timeout) as response:
        return json.load(response)


CLIENTS: Mapping[str, Get] = {
    "requests": by_requests,
    "httpx": by_httpx,
    "httpx asynchronously": by_httpx_asynchronously,
    "aiohttp": by_aiohttp,
    "urllib": by_urllib,
}
FAULTS: Mapping[str, Mapping[str, Any]] = {
    **{name: {"fault": name} for name in CONNECTION_FAULTS},
    "delay": {"fixedDelayMilliseconds": MAX_DELAY},
    "drip": {"chunkedDribbleDelay": {"numberOfChunks": 4, "totalDuration": MAX_DELAY}},
    "contentType": {"contentType": "text/html"},
}
QUICK: Mapping[str, Mapping[str, Any]] = {
    **FAULTS,
    "delay": {"fixedDelayMilliseconds": 30},
    "drip": {"chunkedDribbleDelay": {"numberOfChunks": 4, "totalDuration": 40}},
}

# What each client raises; None: it returns the page.
KINDS: Mapping[str, tuple[type[Exception] | None, ...]] = {
    "CONNECTION_RESET_BY_PEER": (
        requests.ConnectionError,
        httpx.ReadError,
        httpx.ReadError,
        aiohttp.ClientOSError,
        ConnectionResetError,
    ),
    "CONNECTION_RESET_AFTER_HEADERS": (
        requests.exceptions.ChunkedEncodingError,
        httpx.ReadError,
        httpx.ReadError,
        aiohttp.ClientPayloadError,
        ConnectionResetError,
    ),
    "EMPTY_RESPONSE": (
        requests.ConnectionError,
        httpx.RemoteProtocolError,
        httpx.RemoteProtocolError,
        aiohttp.ServerDisconnectedError,
        http.client.RemoteDisconnected,
    ),
    "MALFORMED_RESPONSE_CHUNK": (
        requests.exceptions.ChunkedEncodingError,
        httpx.RemoteProtocolError,
        httpx.RemoteProtocolError,
        aiohttp.ClientError,  # which of them depends on how much arrives at once
        http.client.IncompleteRead,
    ),
    "RANDOM_DATA_THEN_CLOSE": (
        requests.ConnectionError,
        httpx.RemoteProtocolError,
        httpx.RemoteProtocolError,
        aiohttp.ClientResponseError,
        http.client.BadStatusLine,
    ),
    "TRUNCATED_BODY": (
        requests.exceptions.ChunkedEncodingError,
        httpx.RemoteProtocolError,
        httpx.RemoteProtocolError,
        aiohttp.ClientPayloadError,
        http.client.IncompleteRead,
    ),
    "MALFORMED_JSON": (
        requests.JSONDecodeError,
        json.JSONDecodeError,
        json.JSONDecodeError,
        json.JSONDecodeError,
        json.JSONDecodeError,
    ),
    "delay": (
        requests.ReadTimeout,
        httpx.ReadTimeout,
        httpx.ReadTimeout,
        TimeoutError,
        TimeoutError,
    ),
    "drip": (
        requests.ConnectionError,
        httpx.ReadTimeout,
        httpx.ReadTimeout,
        TimeoutError,
        TimeoutError,
    ),
    "contentType": (None, None, None, aiohttp.ContentTypeError, None),
}
TABLE = [
    (client, fault, kind)
    for fault, kinds in KINDS.items()
    for client, kind in zip(CLIENTS, kinds, strict=True)
]


def test_every_fault_is_in_the_table() -> None:
    assert KINDS.keys() == FAULTS.keys()


@pytest.mark.parametrize(("client", "fault", "kind"), TABLE)
def test_each_client_says_what_went_wrong(
    world: MockWorld, client: str, fault: str, kind: type[Exception] | None
) -> None:
    world.add_fault(**FAULTS[fault])
    try:
        CLIENTS[client](world.url + LIST, token(world), timeout_under(fault))
    except Exception as error:
        assert kind is not None and isinstance(error, kind), repr(error)
    else:
        assert kind is None


@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_waits_for_all_of_a_drip(world: MockWorld, client: str) -> None:
    world.add_fault(**QUICK["drip"])
    dripped = CLIENTS[client](world.url + LIST, token(world), PATIENCE)
    world.clear_faults()
    assert dripped == CLIENTS[client](world.url + LIST, token(world), PATIENCE)


def timeout_under(fault: str) -> float:
    """Return the seconds for which a client waits under a fault of `FAULTS`."""
    return IMPATIENCE if fault in ("delay", "drip") else PATIENCE


def token(world: MockWorld) -> dict[str, str]:
    return {"Authorization": f"Token {world.api_key}"}


FETCHED = {
    "CONNECTION_RESET_BY_PEER": "TypeError: fetch failed",
    "CONNECTION_RESET_AFTER_HEADERS": "TypeError: terminated",
    "EMPTY_RESPONSE": "TypeError: fetch failed",
    "MALFORMED_RESPONSE_CHUNK": "TypeError: terminated",
    "RANDOM_DATA_THEN_CLOSE": "TypeError: fetch failed",
    "TRUNCATED_BODY": "TypeError: terminated",
    "MALFORMED_JSON": "SyntaxError",
    "delay": "TimeoutError",
    "drip": "TimeoutError",
    "contentType": "none",
}


@pytest.fixture(scope="module")
def fetched(server: MockServer) -> Mapping[str, str]:
    """What Node's fetch says of each fault."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node in PATH")
    for name, fault in FAULTS.items():
        world = server.world(f"fetch-{name}")
        world.reset()
        world.add_fault(**fault)
    command = [
        node,
        str(FETCH),
        server.url + LIST,
        *(f"fetch-{name}={int(1000 * timeout_under(name))}" for name in FAULTS),
    ]
    said = subprocess.run(command, capture_output=True, check=True, timeout=2 * PATIENCE).stdout
    found: Mapping[str, str] = json.loads(said)
    return {name.removeprefix("fetch-"): error for name, error in found.items()}


@pytest.mark.parametrize(("fault", "error"), FETCHED.items())
def test_fetch_says_what_went_wrong(fetched: Mapping[str, str], fault: str, error: str) -> None:
    assert fetched[fault].startswith(error)


@pytest.mark.parametrize(("fault", "times"), [("EMPTY_RESPONSE", 2), ("TRUNCATED_BODY", 1)])
def test_aiohttp_retries_once_if_nothing_came(world: MockWorld, fault: str, times: int) -> None:
    world.add_fault(fault=fault)
    with pytest.raises(aiohttp.ClientError):
        by_aiohttp(world.url + LIST, token(world))
    assert world.faults()[0]["struck"] == times


def converse(world: MockWorld, method: str = "GET", target: str = LIST) -> bytes:
    """Ask on a connection of its own, and return all that comes until it ends."""
    with connected(world, method, target) as connection:
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def connected(world: MockWorld, method: str = "GET", target: str = LIST) -> socket.socket:
    host, _, port = world.url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), timeout=PATIENCE)
    lines = [f"{method} {target} HTTP/1.1", "Host: a", f"Authorization: Token {world.api_key}"]
    connection.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    return connection


def noted(world: MockWorld) -> list[int | None]:
    """Return the status of each noted response; None: there was none."""
    return [entry.response.status if entry.response else None for entry in world.requests]


def test_a_truncated_body_ends_halfway_under_its_full_length(world: MockWorld) -> None:
    world.add_fault(fault="TRUNCATED_BODY")
    head, _, body = converse(world).partition(b"\r\n\r\n")
    length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
    assert len(body) == length // 2


def test_before_the_reset_after_the_headers_come_the_headers(world: MockWorld) -> None:
    world.add_fault(fault="CONNECTION_RESET_AFTER_HEADERS")
    with connected(world) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        with pytest.raises(ConnectionResetError):
            while connection.recv(65536):
                pass


def test_an_empty_response_is_an_end_and_no_reset(world: MockWorld) -> None:
    world.add_fault(fault="EMPTY_RESPONSE")
    assert converse(world) == b""


def test_a_drip_takes_its_time_and_all_arrives(world: MockWorld) -> None:
    whole = converse(world).partition(b"\r\n\r\n")[2]
    world.add_fault(**QUICK["drip"])
    began = time.monotonic()
    assert converse(world).partition(b"\r\n\r\n")[2] == whole
    assert time.monotonic() - began >= 0.04


def test_a_drip_of_one_piece_takes_its_time_too(world: MockWorld) -> None:
    world.add_fault(chunkedDribbleDelay={"numberOfChunks": 1, "totalDuration": 100})
    began = time.monotonic()
    converse(world)
    assert time.monotonic() - began >= 0.1


def test_a_range_of_delays_holds_each_back_for_at_least_the_least(world: MockWorld) -> None:
    world.add_fault(delayDistribution={"type": "uniform", "lower": 50, "upper": 100})
    began = time.monotonic()
    converse(world)
    assert time.monotonic() - began >= 0.05


def test_a_delay_and_a_break_come_one_after_the_other(world: MockWorld) -> None:
    world.add_fault(fixedDelayMilliseconds=50)
    world.add_fault(fault="EMPTY_RESPONSE")
    began = time.monotonic()
    assert converse(world) == b""
    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize("fault", ["TRUNCATED_BODY", "MALFORMED_JSON", "drip", "delay"])
def test_head_has_no_body_under_any_fault(world: MockWorld, fault: str) -> None:
    world.add_fault(**QUICK[fault])
    response = converse(world, "HEAD")
    assert response.startswith(b"HTTP/1.1 200 OK\r\n") and response.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("fault", ["TRUNCATED_BODY", "drip", "delay", "contentType"])
def test_what_has_an_empty_body_goes_through(world: MockWorld, fault: str) -> None:
    world.add_fault(**QUICK[fault])
    assert converse(world, target=LIST.rstrip("/")).startswith(b"HTTP/1.1 301 ")


@pytest.mark.parametrize("fault", [name for name in CONNECTION_FAULTS if name != "MALFORMED_JSON"])
def test_no_response_is_noted_for_a_broken_connection(world: MockWorld, fault: str) -> None:
    world.add_fault(fault=fault)
    with pytest.raises(requests.RequestException):
        requests.get(world.url + LIST, headers=token(world), timeout=PATIENCE)
    assert noted(world) == [None]
    assert world.requests[0].faults == ("fault",)


@pytest.mark.parametrize("fault", ["MALFORMED_JSON", "drip", "contentType"])
def test_what_was_sent_badly_is_noted_as_it_was_sent(world: MockWorld, fault: str) -> None:
    world.add_fault(**QUICK[fault])
    sent = requests.get(world.url + LIST, headers=token(world), timeout=PATIENCE)
    until(lambda: noted(world) == [200])
    response = world.requests[0].response
    assert response and (response.body, dict(response.headers)["Content-Type"]) == (
        sent.content,
        sent.headers["Content-Type"],
    )


def test_a_request_is_noted_when_it_arrives_and_its_response_when_it_is_sent(world: MockWorld) -> None:
    world.add_fault(fixedDelayMilliseconds=MAX_DELAY, times=1)
    with connected(world):
        until(lambda: noted(world) == [None])
        converse(world, target=f"{LIST}?page=2")
        until(lambda: noted(world) == [None, 200])


def test_a_request_is_noted_with_the_time_that_its_response_took(world: MockWorld) -> None:
    world.add_fault(fixedDelayMilliseconds=50)
    converse(world)
    until(lambda: noted(world) == [200])
    assert world.requests[0].seconds >= 0.05


def test_a_request_is_noted_with_the_time_at_which_it_came(world: MockWorld) -> None:
    began = world.clock()["now"]
    world.add_fault(fixedDelayMilliseconds=50)
    with connected(world) as connection:
        until(lambda: noted(world))
        world.set_clock(advance="P1D")
        assert connection.recv(1)
    until(lambda: noted(world) == [200])
    assert format_instant(world.requests[0].started) == began


def test_after_a_reset_nothing_is_noted_of_what_came_before(world: MockWorld) -> None:
    world.add_fault(fixedDelayMilliseconds=100)
    with connected(world) as connection:
        until(lambda: noted(world))
        world.reset()
        assert connection.recv(1)
    assert noted(world) == []


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logged(watch: object, log: io.StringIO, caplog: pytest.LogCaptureFixture) -> Iterator[MockServer]:
    """A mock server with a log, which reported no internal error."""
    with MockServer(Settings(port=0), log=log) as server, caplog.at_level(logging.ERROR):
        yield server
    assert not caplog.records


@pytest.mark.parametrize(
    "fault",
    [
        {"fixedDelayMilliseconds": 2000},
        {"chunkedDribbleDelay": {"numberOfChunks": 4, "totalDuration": 2000}},
        {"fault": "CONNECTION_RESET_AFTER_HEADERS"},
    ],
    ids=lambda fault: next(iter(fault)),
)
def test_a_client_that_disconnects_early_is_not_an_internal_error(
    logged: MockServer, log: io.StringIO, fault: dict[str, Any]
) -> None:
    world = logged.world("key")
    world.add_fault(**fault)
    with connected(world):
        until(lambda: noted(world) == [None])
    until(lambda: log.getvalue() != "")
    assert log.getvalue().partition(" ")[2].startswith(f"GET {LIST} - ") and log.getvalue().count("\n") == 1
    assert noted(world) == [None]


def test_a_client_that_disconnects_within_its_body_is_not_an_internal_error(
    logged: MockServer, log: io.StringIO
) -> None:
    host, _, port = logged.url.removeprefix("http://").partition(":")
    head = f"POST {LIST} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"half")
    until(lambda: log.getvalue() != "")
    assert (
        log.getvalue().partition(" ")[2].startswith(f"POST {LIST} 401 ") and log.getvalue().count("\n") == 1
    )


def test_a_body_that_cannot_be_decoded_is_not_an_internal_error(logged: MockServer) -> None:
    headers = {"Content-Encoding": "gzip", "Authorization": "Token key"}
    response = requests.post(logged.url + LIST, data=b"no gzip", headers=headers, timeout=PATIENCE)
    assert response.status_code == 405


def test_the_server_stops_soon_however_long_a_delay_still_is() -> None:
    log = io.StringIO()
    with MockServer(log=log) as server:
        world = server.world("key")
        world.add_fault(fixedDelayMilliseconds=MAX_DELAY)
        connection = connected(world)
        until(lambda: noted(world) == [None])
    with connection:
        assert connection.recv(1) == b""
    assert log.getvalue().partition(" ")[2].startswith(f"GET {LIST} - "), "no response was sent"
