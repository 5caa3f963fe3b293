"""The judge's figures, against check-jsonschema doing only the shape of the same bodies in the same run.

`python tests/benchmarks/judging.py [MEGABYTES]`, from the root of the checkout, with the test extras
installed; 1000 by default. The recordings, NDJSON and HAR, are of pages and single credits of 100,000. The
machine may be busy, so throughput is told for each second of a processor that was used.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from itertools import chain, repeat
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

from mock_webshare import MockServer, Settings
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.contract.timestamps import SECOND, parse_instant
from mock_webshare.exchange.model import Exchange
from mock_webshare.exchange.writers import write_har, write_ndjson

LIST = "/api/v2/referral/credit/"
KEY = (("Authorization", "Token benchmark"),)
ROOT = Path(__file__).parent.parent.parent
MEGABYTE = 1024**2
PAGES, SHAPES, STARTS = 2000, 400, 9
VALIDATE = [sys.executable, "-m", "mock_webshare", "validate"]
CHECK = [str(Path(sys.executable).with_name("check-jsonschema")), "--schemafile"]


def exchanges() -> list[Exchange]:
    """Return a walk through the pages of 100,000 credits, with a single credit after each page."""
    with MockServer(Settings(port=0, credits=100_000, rate_limit="off")) as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
        found = []
        for page in range(1, PAGES + 1):
            found.append(_get(connection, server.url, f"{LIST}?page={page}" if page > 1 else LIST))
            row_id = json.loads(found[-1].body)["results"][0]["id"]
            found.append(_get(connection, server.url, f"{LIST}{row_id}/"))
    return found


def _get(connection: http.client.HTTPConnection, origin: str, target: str) -> Exchange:
    connection.request("GET", target, headers=dict(KEY))
    response = connection.getresponse()
    return Exchange(
        source="",
        method="GET",
        url=origin + target,
        request_headers=KEY,
        status=response.status,
        headers=tuple(response.getheaders()),
        body=response.read(),
    )


def timed(found: list[Exchange], rounds: int) -> Iterator[Exchange]:
    """Return the exchanges again and again, a second between one and the next."""
    started = parse_instant("2026-06-01T00:00:00-07:00")
    for number, exchange in enumerate(chain.from_iterable(repeat(found, rounds))):
        yield replace(exchange, started=started + number * SECOND, seconds=0.01)


def write_recording(path: Path, found: list[Exchange], size: int) -> int:
    """Write the exchanges so often that the file has so many bytes; return how many were written."""
    write = write_har if path.suffix == ".har" else write_ndjson
    once = StringIO()
    write(timed(found, 1), once)
    rounds = -(-size // once.tell())
    with path.open("w", encoding="utf-8") as file:
        write(timed(found, rounds), file)
    return rounds * len(found)


def write_bodies(folder: Path, found: list[Exchange]) -> Iterator[str]:
    for index, exchange in enumerate(found):
        path = folder / f"{index}.json"
        path.write_bytes(exchange.body)
        yield str(path)


def write_schema(folder: Path) -> str:
    """Write the schema of a page with that of its rows inside, lest check-jsonschema look for it online."""
    page = SERVICE_SCHEMAS.document("referral-credit-page")
    page["$defs"] = {"row": SERVICE_SCHEMAS.document("referral-credit")}
    path = folder / "page.schema.json"
    path.write_text(json.dumps(page), encoding="utf-8")
    return str(path)


class Cost(NamedTuple):
    """What a command took: seconds by the clock, seconds of a processor, and the most megabytes."""

    seconds: float
    processor: float
    memory: float


def run(command: list[str], code: int = 0) -> Cost:
    """Run a command that must end with an exit code; return what it took, the memory of its first process."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == code, child.returncode
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def starts() -> float:
    body = str(ROOT / "fixtures" / "recordings" / "credit.json")
    schema = str(ROOT / "schemas" / "referral-credit.schema.json")
    ours, theirs = [], []
    for _ in range(STARTS):
        ours.append(run([*VALIDATE, body]).seconds)
        theirs.append(run([*CHECK, schema, body]).seconds)
    print(f"validate, one small file: {median(ours):.3f} s, check-jsonschema {median(theirs):.3f} s")
    return median(ours) / median(theirs)


def finding() -> float:
    """Return what a file with a finding costs of a processor, against a clean one."""
    recordings = ROOT / "fixtures" / "recordings"
    clean, broken = (str(recordings / name) for name in ("credit.json", "broken-credit.json"))
    costs = [
        (run([*VALIDATE, broken], code=1).processor, run([*VALIDATE, clean]).processor) for _ in range(STARTS)
    ]
    return min(cost for cost, _ in costs) / min(cost for _, cost in costs)


def throughput(folder: Path, megabytes: int) -> None:
    found = exchanges()
    pages = list(write_bodies(folder, [each for each in found if b'"count"' in each.body[:9]][:SHAPES]))
    schema = write_schema(folder)
    start = run([*CHECK, schema, pages[0]]).processor
    theirs = len(pages) / (run([*CHECK, schema, *pages]).processor - start)
    print(f"check-jsonschema: {theirs:,.0f} pages a second of a processor, its start not counted")
    for name in ("recording.ndjson", "recording.har"):
        recording = folder / name
        number = write_recording(recording, found, megabytes * MEGABYTE)
        size = recording.stat().st_size / MEGABYTE
        for jobs in ("1", "2"):
            cost = run([*VALIDATE, "--jobs", jobs, str(recording)])
            print(
                f"validate --jobs {jobs} {name}: {size:,.0f} MB, {number:,} exchanges in {cost.seconds:.1f} s"
            )
            # Every other exchange is a page; the others are for nothing.
            rate = number / 2 / cost.processor
            print(f"  {rate:,.0f} pages a second of a processor, {rate / theirs:.1f} x; {cost.memory:.0f} MB")
        recording.unlink()


if __name__ == "__main__":
    print(f"start: {starts():.2f} x")
    # What the test extras install beside it makes jsonschema build a grammar: only an environment with the
    # run-time dependencies alone shows what a user pays.
    print(f"a file with a finding against a clean one: {finding():.2f} x")
    with tempfile.TemporaryDirectory() as name:
        throughput(Path(name), int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
