"""Harmful responses: judging and reporting each has a limit of time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sampling import sampled
from tests.unmeasured import unmeasured

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux shows a peak there"
)

MIB = 1024**2
SECONDS = 60
MEGABYTES = 200

JUDGE = """
import io, sys
from mock_webshare.cli import Streams, run
out = io.StringIO()
code = run(["validate", sys.argv[1]], Streams(io.BytesIO(), out, sys.stderr), {})
# Not `getrusage`: it begins with what the parent had.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(code, int(peak) // 1024, len(out.getvalue()))
print(out.getvalue()[-200:])
"""
LIST = "https://proxy.webshare.io/api/v2/referral/credit/"
MANY = 30_000


def page(rows: str) -> bytes:
    return b'{"count":1,"next":null,"previous":null,"results":[' + rows.encode() + b"]}"


def line(body: bytes = b"{}", url: str = LIST, seconds: str = "1", header: str = "") -> bytes:
    exchange = {
        "started": "2026-06-01T00:00:00-07:00",
        "seconds": "SECONDS",
        "request": {"method": "GET", "url": url, "headers": [["Authorization", "Token a"]]},
        "response": {"status": 200, "headers": [["X", header]], "body": body.decode()},
    }
    return json.dumps(exchange).encode().replace(b'"SECONDS"', seconds.encode()) + b"\n"


def fields(number: int) -> str:
    return ",".join(f'"field-{index}":1' for index in range(number))


def rows(number: int, row: Callable[[int], str]) -> str:
    return ",".join(map(row, range(number)))


BODIES: dict[str, Callable[[], bytes]] = {
    "rows without a field": lambda: page(rows(MANY, lambda index: "{}")),
    "rows of numbers": lambda: page(rows(MANY, str)),
    "new fields in one row": lambda: page("{" + fields(MANY) + "}"),
    "new fields beside the rows": lambda: page("")[:-1] + b"," + fields(MANY).encode() + b"}",
    "a new field in each row": lambda: page(rows(MANY // 10, lambda index: f'{{"field-{index}":1}}')),
    "rows on lines of their own": lambda: page(rows(MANY, lambda index: "\n{}")),
    "more values than there may be": lambda: page(rows(2 * MIB, lambda index: "{}")),
    "a key of megabytes": lambda: b'{"' + b"a" * (8 * MIB) + b'":1}',
    "a text of escapes": lambda: b'{"detail":"' + b"\\n" * (5 * MIB) + b'"}',
    "lists of lists": lambda: b'{"detail":' + b"[" * 99 + b"1," * MANY + b"1" + b"]" * 99 + b"}",
}
RECORDINGS: dict[str, Callable[[], Iterator[bytes]]] = {
    "a time that is not a number": lambda: iter([line(seconds="NaN"), line()]),
    "a time without an end": lambda: iter([line(seconds="1e400"), line()]),
    "a time before it began": lambda: iter([line(seconds="-5"), line()]),
    "half a character in an address": lambda: iter(
        [line(url="\ud800"), line(url=f"{LIST}?a=\udfff"), line()]
    ),
    "half a character in a link": lambda: iter([line(b'{"next":"http://a/?\\ud800"}'), line()]),
    "long addresses": lambda: (line(url=f"{LIST}?x={n}{'y' * MIB}") for n in range(100)),
    "long addresses of others": lambda: (line(url=f"http://a/{n}{'y' * MIB}") for n in range(100)),
    "long headers": lambda: (line(header=f"{n}{'y' * MIB}") for n in range(100)),
    "new fields, others each time": lambda: (
        line(json.dumps({"detail": "a", **{f"f{n}-{m}": 1 for m in range(100)}}).encode()) for n in range(300)
    ),
}


def judge(path: Path) -> tuple[int, int]:
    """Validate a file within the limits, and return the exit code and the length of the report."""
    command = [sys.executable, "-c", JUDGE, str(path)]
    process = subprocess.run(command, env=unmeasured(), capture_output=True, text=True, timeout=SECONDS)
    assert (process.returncode, process.stderr) == (0, "")
    code, megabytes, length = map(int, process.stdout.splitlines()[0].split())
    assert megabytes < MEGABYTES
    return code, length


@pytest.mark.parametrize(
    "is_alone", sampled([False, True], name=lambda is_alone: "alone" if is_alone else "recorded")
)
@pytest.mark.parametrize("case", sampled(BODIES, kind=lambda case: case.split()[0]))
def test_a_hostile_body_is_judged(case: str, is_alone: bool, tmp_path: Path) -> None:
    path = tmp_path / ("a.json" if is_alone else "a.ndjson")
    path.write_bytes(BODIES[case]() if is_alone else line(BODIES[case]()))
    code, length = judge(path)
    assert length < 3 * MIB
    assert code in (0, 1)


@pytest.mark.parametrize("case", sampled(RECORDINGS, kind=lambda case: case[:1]))
def test_a_hostile_recording_is_judged(case: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    with path.open("wb") as file:
        file.writelines(RECORDINGS[case]())
    code, length = judge(path)
    assert length < 3 * MIB
    assert code in (1, 2)
