"""The figures of many worlds in one process: what each costs in memory and in time."""

from __future__ import annotations

import http.client
import re
import time
from pathlib import Path
from statistics import median

from measuring import LIST, report, stand_in

from mock_webshare.server.app import make_dataset
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.registry import Worlds


def worlds(many: int = 10_000) -> None:
    """Make worlds by direct calls, then by a request each, against as many requests in one world."""
    settings = Settings(rate_limit="off")
    made = Worlds(make_dataset(settings), settings, time.monotonic)
    before, started = resident("self"), time.perf_counter()
    for number in range(many):
        made.get(f"key-{number}")
    micros = 1e6 * (time.perf_counter() - started) / many
    print(
        f"{many} worlds by direct calls: {micros:.1f} us, {(resident('self') - before) / many:.0f} bytes each"
    )
    with stand_in() as (port, pid):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        one = [ask(connection, "key") for _ in range(many)]
        before = resident(str(pid))
        each = [ask(connection, f"key-{number}") for number in range(many)]
        size = (resident(str(pid)) - before) / many
    print(f"{many} worlds by a request each: {size:.0f} bytes each, with the request in its journal")
    report("a request in a new world, against an old one", median(each), median(one), "", "us")


def resident(pid: str) -> int:
    """Return the bytes that a process holds in memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    match = re.search(r"VmRSS:\s+(\d+)", status)
    assert match
    return 1024 * int(match[1])


def ask(connection: http.client.HTTPConnection, key: str) -> float:
    """Return the microseconds that a request with a key takes."""
    started = time.perf_counter()
    connection.request("GET", LIST, headers={"Authorization": f"Token {key}"})
    response = connection.getresponse()
    response.read()
    assert response.status == 200
    return 1e6 * (time.perf_counter() - started)
