"""The figures: each as a ratio against a named reference, measured in turn in the same run.

`python tests/benchmarks [NAME …]`, from the root of the checkout, with the package installed; NAME
is one of `FIGURES`, and all of them by default. Throughput needs `wrk`; fixture and session need
`pytest-httpserver`.
The machine may be busy: what counts is the ratio of medians, with both sides measured alternately.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

from measuring import (
    COMMAND,
    KEY,
    LIST,
    await_first_200,
    free_port,
    get,
    in_turn,
    process,
    report,
    stand_in,
)
from mutating import mutate
from plugin import fixture, hints, session, unused
from worlds import worlds

BARE = str(Path(__file__).with_name("bare.py"))


@contextmanager
def bare(path: str, answer_file: str) -> Iterator[tuple[int, int]]:
    """Serve one answer and yield the port and the process id."""
    port = free_port()
    with process([sys.executable, BARE, str(port), path, answer_file]) as child:
        await_first_200(port, path)
        yield port, child.pid


def save_answer(port: int, target: str, file: str) -> str:
    """Save our answer, which the bare application is to repeat; of a list return the first credit's path."""
    response, content = get(http.client.HTTPConnection("127.0.0.1", port), target)
    headers = {name: value for name, value in response.getheaders() if name not in ("Date", "Content-Length")}
    body = content.decode()
    Path(file).write_text(json.dumps({"headers": headers, "body": body}), encoding="utf-8")
    return f"{LIST}{json.loads(body)['results'][0]['id']}/" if target == LIST else target


def throughput(rounds: int = 15) -> None:
    """Load both servers in turn, each with one core of its own to use up.

    By the clock the figure is that of the moment; by the processor time of the server it hardly minds what
    else the machine does.
    """
    if not shutil.which("wrk"):
        raise SystemExit("throughput needs wrk: apt-get install wrk")
    with stand_in() as served, tempfile.TemporaryDirectory() as folder:
        port, _ = served
        detail = save_answer(port, LIST, f"{folder}/list.json")
        save_answer(port, detail, f"{folder}/detail.json")
        for name, target, script in (
            ("list of 25", LIST, None),
            ("detail", detail, None),
            ("list, a new header each time", LIST, UNIQUE_HEADER),
        ):
            file = "list" if target == LIST else "detail"
            with bare(target, f"{folder}/{file}.json") as reference:
                pairs = [(wrk(served, target, script), wrk(reference, target, script)) for _ in range(rounds)]
            for unit in Load._fields:
                ours, theirs = (median(getattr(pair[side], unit) for pair in pairs) for side in (0, 1))
                report(f"throughput, {name}", ours, theirs, ">= 0.9", UNITS[unit])


UNIQUE_HEADER = str(Path(__file__).with_name("unique_header.lua"))


class Load(NamedTuple):
    """What a server did under load."""

    by_clock: float  # requests a second
    by_processor: float  # requests a second of its processor time


UNITS = {"by_clock": "req/s", "by_processor": "req/cpu-s"}


def polled(rounds: int = 5) -> None:
    """Load one server in turn with and without somebody who watches it once a second, as the page does."""
    with stand_in() as served:
        pairs = []
        for _ in range(rounds):
            with watching(served[0]):
                watched = wrk(served, LIST, None, seconds=12)
            pairs.append((watched, wrk(served, LIST, None, seconds=12)))
        for unit in Load._fields:
            ours, theirs = (median(getattr(pair[side], unit) for pair in pairs) for side in (0, 1))
            report("throughput, watched once a second", ours, theirs, ">= 0.97", UNITS[unit])


@contextmanager
def watching(port: int) -> Iterator[None]:
    """Ask for what the page asks for, until the context ends."""
    is_over = threading.Event()

    def watch() -> None:
        connection, known, seconds = http.client.HTTPConnection("127.0.0.1", port), 0, 0
        while not is_over.is_set():
            _, content = get(connection, f"/__mock__/activity?after={known}&limit=100")
            known = json.loads(content)["next"]
            for route in ("worlds?limit=50", "summary", *(["coverage"] if seconds % 10 == 0 else [])):
                get(connection, f"/__mock__/{route}")
            seconds += 1
            is_over.wait(1)
        connection.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield
    is_over.set()
    watcher.join()


def wrk(server: tuple[int, int], target: str, script: str | None, seconds: int = 2) -> Load:
    """Load a server, its port and process id, for some seconds."""
    port, pid = server
    command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-H", f"Authorization: {KEY['Authorization']}"]
    command += ["-s", script] if script else []
    before = processor_seconds(pid)
    output = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{target}"], capture_output=True, text=True, check=True
    ).stdout
    used = processor_seconds(pid) - before
    assert "Non-2xx" not in output, output
    rate, count = re.search(r"Requests/sec:\s+([\d.]+)", output), re.search(r"(\d+) requests in", output)
    assert rate and count, output
    return Load(float(rate[1]), int(count[1]) / used)


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used, its own and the system's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def startup(rounds: int = 15) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with stand_in() as (port, _):
            save_answer(port, LIST, f"{folder}/list.json")

        def until_200(make_command: Callable[[str], list[str]]) -> float:
            port = free_port()
            started = time.perf_counter()
            with process(make_command(str(port))):
                await_first_200(port, LIST)
                return 1000 * (time.perf_counter() - started)

        for name, options in (("default", []), ("--seed 7 (imports Faker)", ["--seed", "7"])):
            ours, theirs = in_turn(
                rounds,
                partial(until_200, partial(serve, options)),
                lambda: until_200(lambda port: [sys.executable, BARE, port, LIST, f"{folder}/list.json"]),
            )
            report(f"process start to first 200, {name}", median(ours), median(theirs), "<= 1.2", "ms")


def serve(options: list[str], port: str) -> list[str]:
    return [*COMMAND, "serve", "--port", port, *options]


PAGES = {
    "first page": "?x={x}",
    "middle page": "?page={middle}&x={x}",
    "last page": "?page=last&x={x}",
    "filtered": "?status=pending&mode=payout&x={x}",
    "ordered": "?ordering=-amount,updated_at&x={x}",
    "filtered, ordered, middle": "?mode=payout&ordering=-created_at&page={half}&x={x}",
}


def pages(requests: int = 400) -> None:
    with stand_in() as (small, _), stand_in("--credits", "1000000") as (large, _):
        for name, template in PAGES.items():
            ours, theirs = in_turn(
                5,
                partial(page_time, large, template.replace("{middle}", "20000"), 8000, requests),
                partial(page_time, small, template.replace("{middle}", "2"), 1, requests),
            )
            report(f"{name}, 1,000,000 credits against 100", median(ours), median(theirs), "<= 1.2", "us")


def page_time(port: int, template: str, half: int, requests: int) -> float:
    """Return the microseconds a request; each has a query of its own, so no answer is one remembered."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    template = LIST + template.replace("{half}", str(half))
    get(connection, template.format(x=f"warm{time.time_ns()}"))
    times = []
    for _ in range(requests):
        target = template.format(x=time.time_ns())
        started = time.perf_counter()
        response, _ = get(connection, target)
        times.append(time.perf_counter() - started)
        assert response.status == 200, (response.status, target)
    connection.close()
    return 1e6 * median(times)


def memory() -> None:
    def resident(credits: str) -> tuple[int, int]:
        with stand_in("--credits", credits) as (_, pid):
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        now, peak = (int(re.search(rf"{name}:\s+(\d+)", status)[1]) for name in ("VmRSS", "VmHWM"))  # type: ignore[index]  # Linux has both
        return now * 1024, peak * 1024

    (few, _), (many, peak) = resident("100"), resident("1000000")
    print(
        f"memory a credit at 1,000,000: {(many - few) / 1e6:.0f} bytes, "
        f"peak {peak / 2**20:.0f} MiB  goal <= 1536"
    )


def imports(rounds: int = 15) -> None:
    def run(*arguments: str) -> float:
        started = time.perf_counter()
        subprocess.run([*arguments], check=True, stdout=subprocess.DEVNULL)
        return 1000 * (time.perf_counter() - started)

    script = shutil.which("mock-webshare") or os.path.join(os.path.dirname(sys.executable), "mock-webshare")
    commands = {
        "import mock_webshare": (sys.executable, "-c", "import mock_webshare"),
        "mock-webshare --help": (script, "--help"),
    }
    for name, command in commands.items():
        ours, theirs = in_turn(rounds, partial(run, *command), partial(run, sys.executable, "-c", "pass"))
        report(f"{name} against python -c pass", median(ours), median(theirs), "<= 3", "ms")


FIGURES = {
    each.__name__: each
    for each in (
        throughput,
        polled,
        startup,
        pages,
        memory,
        imports,
        fixture,
        session,
        unused,
        hints,
        worlds,
        mutate,
    )
}

if __name__ == "__main__":
    for figure in sys.argv[1:] or FIGURES:
        FIGURES[figure]()
