"""What the figures share: a stand-in in a process of its own, and two sides measured in turn."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

KEY = {"Authorization": "Token benchmark"}
LIST = "/api/v2/referral/credit/"
COMMAND = [sys.executable, "-m", "mock_webshare"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def get(connection: http.client.HTTPConnection, target: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection.request("GET", target, headers=KEY)
    response = connection.getresponse()
    return response, response.read()


@contextmanager
def process(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(10)


def await_first_200(port: int, target: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            if get(connection, target)[0].status == 200:
                return
        except OSError:
            time.sleep(0.001)
        finally:
            connection.close()
    raise TimeoutError(f"no 200 from port {port}")


@contextmanager
def stand_in(*options: str) -> Iterator[tuple[int, int]]:
    """Serve and yield the port and the process id."""
    port = free_port()
    with process([*COMMAND, "serve", "--port", str(port), "--rate-limit", "off", *options]) as child:
        await_first_200(port, LIST)
        yield port, child.pid


def in_turn(
    rounds: int, ours: Callable[[], float], reference: Callable[[], float]
) -> tuple[list[float], list[float]]:
    """Measure both alternately, so that a busy spell of the machine meets both."""
    pairs = [(ours(), reference()) for _ in range(rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def report(what: str, ours: float, reference: float, goal: str, unit: str) -> None:
    print(f"{what:<46} {ours:>11.2f} {reference:>11.2f} {unit:<6} ratio {ours / reference:5.2f}  goal {goal}")
