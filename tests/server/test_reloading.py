"""Data that are read again while the server runs: by request, or because the file has changed."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mock_webshare import MockServer, Settings
from mock_webshare.control.routes import ROOT
from mock_webshare.errors import Conflict
from mock_webshare.server.reloading import Reloader, state_of
from mock_webshare.service.data import dataset, generator
from tests.capabilities import needs_signals
from tests.cli import Run
from tests.control_plane import send
from tests.sampling import sampled
from tests.server.test_running import LIST, get, line, serving
from tests.waiting import PATIENCE, until

AUTHORIZED = "Authorization: Token changed"
LATER = "2026-09-01T09:00:00-07:00"


def write(path: Path, credits: int, **fields: Any) -> None:
    """Write a data set with so many credits."""
    document = {**generator.generate(0, credits).wire(), **fields}
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def count(url: str, key: str = "any") -> int:
    """Return how many credits a key sees."""
    found: int = json.loads(get(url + LIST, key)[1])["count"]
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "mine.json"
    write(path, 3)
    return path


@pytest.fixture
def server(path: Path) -> Iterator[MockServer]:
    with MockServer(Settings(port=0, data=path, rate_limit="off")) as server:
        yield server


class TestWorlds:
    def test_an_unchanged_one_sees_the_new_data(self, server: MockServer, path: Path) -> None:
        assert count(server.url, "seen") == 3
        write(path, 5, now=LATER)
        assert server.reload() == {"renewed": 1, "kept": 0}
        assert count(server.url, "seen") == count(server.url, "new") == 5
        assert server.world("seen").clock()["now"] == LATER
        assert len(server.world("seen").requests) == 2

    @pytest.mark.parametrize(
        "change",
        [
            lambda world: world.create_credit(),
            lambda world: world.delete_credit(world.credits()[0]["id"]),
            lambda world: world.change_credit(world.credits()[0]["id"], amount=1.5),
            lambda world: world.put_state(generator.generate(1, 3).wire()),
            lambda world: world.set_clock(now="2026-03-16T09:00:01-07:00"),
            lambda world: world.set_clock(running=True),
            lambda world: world.change("config", mode="credits"),
        ],
    )
    def test_a_changed_one_keeps_its_changes_until_its_reset(
        self, server: MockServer, path: Path, change: Any
    ) -> None:
        world = server.world("changed")
        change(world)
        before = world.state()
        write(path, 8)
        assert server.reload() == {"renewed": 0, "kept": 1}
        assert world.state() == before or world.clock()["running"]
        assert count(server.url, "changed") < 8
        world.reset()
        assert count(server.url, "changed") == 8

    def test_faults_settings_and_snapshots_stay(self, server: MockServer, path: Path) -> None:
        world = server.world("arranged")
        world.take_snapshot("before")
        world.add_fault(status=503, times=1)
        world.set_settings(max_page_size=2)
        write(path, 6)
        assert server.reload() == {"renewed": 1, "kept": 0}
        assert world.settings()["max_page_size"] == 2 and len(world.faults()) == 1
        assert len(world.credits()) == 6
        world.restore_snapshot("before")
        assert len(world.credits()) == 3

    def test_one_that_began_otherwise_is_not_concerned(self, server: MockServer, path: Path) -> None:
        server.world("own").begin(seed=7, credits=4)
        server.world("scenario:empty").reset()
        server.world("scenario:suspended").reset()
        write(path, 6)
        assert server.reload() == {"renewed": 1, "kept": 0}
        assert len(server.world("own").credits()) == 4
        assert server.world("scenario:empty").credits() == []
        assert len(server.world("scenario:suspended").credits()) == 6

    def test_one_that_begins_again_has_the_new_data(self, server: MockServer, path: Path) -> None:
        server.world("again").begin()
        write(path, 6)
        server.reload()
        server.world("again").begin()
        assert len(server.world("again").credits()) == 6

    def test_a_second_time_counts_from_the_first(self, server: MockServer, path: Path) -> None:
        server.world("changed").create_credit()
        for credits in (5, 6, 7):
            write(path, credits)
            assert server.reload() == {"renewed": 0, "kept": 1}
        server.world("changed").reset()
        assert len(server.world("changed").credits()) == 7
        write(path, 8)
        assert server.reload() == {"renewed": 1, "kept": 0}

    def test_a_running_clock_goes_on_from_the_new_time(self, path: Path) -> None:
        with MockServer(Settings(port=0, data=path, clock="running")) as server:
            server.world("running").reset()
            write(path, 5, now=LATER)
            assert server.reload() == {"renewed": 1, "kept": 0}
            clock = server.world("running").clock()
            assert clock["running"] and clock["now"] >= LATER

    def test_requests_without_a_key_see_the_new_data(self, server: MockServer, path: Path) -> None:
        def statuses() -> list[int]:
            target = "/api/v2/referral/code/info/?referral_code="
            return [
                send(server.url, "GET", target + each, "Host: a").status for each in ("FIRST1", "SECOND2")
            ]

        config = generator.generate(0, 3).wire()["config"]
        write(path, 3, config={**config, "referral_code": "FIRST1"})
        server.reload()
        assert statuses() == [200, 404]
        write(path, 3, config={**config, "referral_code": "SECOND2"})
        server.reload()
        assert statuses() == [404, 200]


def misspelt(path: Path) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace('"available"', '"payable"'), encoding="utf-8")


REFUSED: Mapping[str, tuple[Any, str]] = {
    "value": (misspelt, r"/credits/\d/status: .*payable.* is not allowed; .*\(line \d\d\)"),
    "syntax": (
        lambda path: path.write_text('{\n"now": \n}', encoding="utf-8"),
        "is not JSON: .*line 3 column 1",
    ),
    "empty": (lambda path: path.write_text("", encoding="utf-8"), "is empty, not JSON"),
    "half": (lambda path: path.write_bytes(path.read_bytes()[:500]), "is not JSON"),
    "missing": (lambda path: path.unlink(), "cannot read .*: No such file"),
    "recording": (
        lambda path: path.write_text('{"log": {"entries": []}}', encoding="utf-8"),
        "lacks|is a recording",
    ),
    "bytes": (lambda path: path.write_bytes(b"\xff\xfe\xff"), "UTF-8|not JSON"),
}
"""What is wrong with a file, and how it is said."""


@pytest.mark.parametrize("wrong", REFUSED)
class TestABadFile:
    def test_changes_nothing(self, server: MockServer, path: Path, wrong: str) -> None:
        assert count(server.url) == 3
        spoil, message = REFUSED[wrong]
        spoil(path)
        with pytest.raises(Conflict, match=f"{message}.*; the data are unchanged"):
            server.reload()
        assert count(server.url) == count(server.url, "new") == 3

    def test_is_a_problem_over_http(self, server: MockServer, path: Path, wrong: str) -> None:
        REFUSED[wrong][0](path)
        reply = send(server.url, "POST", f"{ROOT}reload", f"Host: {server.url.removeprefix('http://')}")
        assert reply.status == 409
        assert "mine.json" in reply.problem["detail"] and "unchanged" in reply.problem["detail"]
        assert count(server.url) == 3


def test_the_line_is_that_of_the_value(server: MockServer, path: Path) -> None:
    misspelt(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    with pytest.raises(Conflict) as refusal:
        server.reload()
    number = int(str(refusal.value).rpartition("(line ")[2].partition(")")[0])
    assert '"payable"' in lines[number - 1]


def test_the_control_plane_reloads(server: MockServer, path: Path) -> None:
    own = server.url.removeprefix("http://")
    send(server.url, "POST", f"{ROOT}credits", f"Host: {own}", AUTHORIZED, body=b"{}")
    count(server.url, "seen")
    write(path, 9)
    reply = send(server.url, "POST", f"{ROOT}reload", f"Host: {own}")
    assert (reply.status, json.loads(reply.body)) == (200, {"renewed": 1, "kept": 1})
    assert count(server.url, "seen") == 9


@pytest.mark.parametrize("header", ["Origin: http://evil.example", "Sec-Fetch-Site: cross-site"])
def test_a_foreign_page_cannot_reload(server: MockServer, path: Path, header: str) -> None:
    write(path, 9)
    own = server.url.removeprefix("http://")
    assert send(server.url, "POST", f"{ROOT}reload", f"Host: {own}", header).status == 403
    assert count(server.url) == 3


def test_generated_data_cannot_be_reloaded() -> None:
    with MockServer() as generated, MockServer(dataset=generator.generate(0, 1)) as given:
        for server in (generated, given):
            with pytest.raises(Conflict, match="not from a file; start the server with --data FILE"):
                server.reload()
            own = server.url.removeprefix("http://")
            assert send(server.url, "POST", f"{ROOT}reload", f"Host: {own}").status == 409


async def test_what_is_read_last_is_served_at_the_end(server: MockServer) -> None:
    numbers = iter(range(1, 9))
    served = list[int]()

    class Worlds:
        def renew(self, data: Any) -> dict[str, int]:
            served.append(data)
            return {"renewed": 0, "kept": 0}

    reloader = Reloader(Worlds(), lambda: next(numbers))  # type: ignore[arg-type, return-value]
    await asyncio.gather(*(reloader.reload() for _ in range(8)))
    assert served == list(range(1, 9))


class TestWatch:
    def test_an_edited_file_is_served_and_a_bad_one_is_refused(self, path: Path) -> None:
        with serving("--data", str(path), "--watch") as (process, url):
            assert count(url) == 3
            write(path, 5)
            until(lambda: count(url) == 5)
            misspelt(path)
            assert process.stderr
            logged = iter(process.stderr.readline, b"")
            notes = [each.decode() for each in _until_refused(logged)]
            assert count(url) == 5
            write(path, 6)
            until(lambda: count(url) == 6)
        assert "reloaded: 1 renewed, 0 kept until their reset" in notes[0]
        assert "mine.json#/credits/" in notes[-1] and "(line " in notes[-1]

    def test_a_file_that_is_replaced_is_served(self, path: Path, tmp_path: Path) -> None:
        with serving("--data", str(path), "--watch") as (_, url):
            path.unlink()
            write(tmp_path / "other.json", 7)
            (tmp_path / "other.json").rename(path)
            until(lambda: count(url) == 7)

    def test_a_recording_is_watched_too(self, tmp_path: Path) -> None:
        path = tmp_path / "page.json"
        rows = generator.generate(0, 3).wire()["credits"]
        page: dict[str, Any] = {"count": 1, "next": None, "previous": None, "results": rows[:1]}
        path.write_text(json.dumps(page), encoding="utf-8")
        with serving("--data", str(path), "--watch") as (_, url):
            assert count(url) == 1
            path.write_text(json.dumps({**page, "count": 2, "results": rows[:2]}), encoding="utf-8")
            until(lambda: count(url) == 2)

    def test_without_it_nothing_changes_until_it_is_requested(self, path: Path) -> None:
        with serving("--data", str(path)) as (_, url):
            write(path, 5)
            assert count(url) == 3
            assert send(url, "POST", f"{ROOT}reload", f"Host: {url.removeprefix('http://')}").status == 200
            assert count(url) == 5

    @needs_signals
    @pytest.mark.parametrize("number", sampled([signal.SIGINT, signal.SIGTERM]))
    def test_a_signal_ends_it_cleanly(self, path: Path, number: signal.Signals) -> None:
        with serving("--data", str(path), "--watch") as (process, _):
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
            assert line(process.stderr) == ""

    @pytest.mark.parametrize("options", [(), ("--credits", "3"), ("--data", "default"), ("--data", ".")])
    def test_it_needs_a_file(self, options: tuple[str, ...]) -> None:
        run = Run("serve", "--watch", "--port", "0", *options)
        assert (run.code, run.out) == (2, "")
        assert "--watch needs a file to watch; name one with --data FILE" in run.err

    async def test_a_file_that_is_changing_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        states, reloaded = iter(["a", "b", "c", "c", "c", None, None, "c", "d", "d"]), list[int]()
        monkeypatch.setattr("mock_webshare.server.reloading._WATCH_SECONDS", 0)

        def next_state(_: str) -> str | None:
            for state in states:
                return state
            raise EOFError

        class Watched(Reloader):
            async def reload(self) -> Mapping[str, int]:
                reloaded.append(1)
                return {}

        monkeypatch.setattr("mock_webshare.server.reloading.state_of", next_state)
        with pytest.raises(EOFError):
            await Watched(None, None).watch("mine.json", "a")  # type: ignore[arg-type]
        assert len(reloaded) == 2


def _until_refused(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the notes of a log up to a refusal."""
    for each in lines:
        if b"reloaded" in each:
            yield each
        if b"not reloaded" in each:
            return


def test_a_state_tells_apart_what_was_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a"
    assert state_of(str(path)) is None
    path.write_text("1", encoding="utf-8")
    first = state_of(str(path))
    path.write_text("12", encoding="utf-8")
    assert state_of(str(path)) != first
    (tmp_path / "b").write_text("12", encoding="utf-8")
    second = state_of(str(path))
    (tmp_path / "b").rename(path)
    assert state_of(str(path)) != second


class TestGenerate:
    @pytest.mark.parametrize("content", ["", "{}", "notes of mine"])
    def test_a_file_that_exists_is_not_overwritten(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "mine.json"
        path.write_text(content, encoding="utf-8")
        run = Run("generate", "--credits", "1", "-o", path)
        assert (run.code, run.out, path.read_text(encoding="utf-8")) == (2, "", content)
        assert "exists already; write to another file, or overwrite it with --force" in run.err

    def test_with_force_it_is(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.json"
        path.write_text("notes", encoding="utf-8")
        assert Run("generate", "--credits", "1", "--force", "-o", path).code == 0
        assert len(dataset.load(path).rows["credits"]) == 1

    def test_an_input_is_not_overwritten_even_with_force(self, path: Path) -> None:
        run = Run("generate", "--data", path, "--force", "-o", path)
        assert run.code == 2 and "is also an input" in run.err
