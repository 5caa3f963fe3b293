"""The hints of mock servers in several processes, for whoever made their folder."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mock_webshare import MockServer, MockWorld, Settings, pytest_plugin
from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.server.collectors import LARGEST_FILE, MOST_HINTS, HintFolder, collector
from tests.waiting import PATIENCE

LIST = CREDIT_LIST.path
SETTINGS = Settings(port=0, credits=230, rate_limit="off")


def get(server: MockServer, target: str, key: str = "key", word: str = "Token ") -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    connection.request("GET", target, headers={"Authorization": word + key})
    connection.getresponse().read()
    connection.close()


def rules(folder: HintFolder) -> list[tuple[str, str]]:
    return sorted((each["rule"], each["test"]) for each in folder.hints())


def test_all_servers_of_the_context_report_when_they_stop() -> None:
    with HintFolder() as folder:
        with MockServer(SETTINGS) as server:
            get(server, f"{LIST}?page_size=500")
            assert folder.hints() == []
        with MockServer(SETTINGS) as server:
            get(server, f"{LIST}?stauts=1")
            get(server, f"/api/v2{LIST}", "other")
        assert rules(folder) == [
            ("page-size.capped", ""), ("parameter.ignored", ""), ("path.doubled-prefix", "")
        ]  # fmt: skip


def test_a_world_reports_before_it_goes() -> None:
    ways: dict[str, Callable[[MockWorld], object]] = {
        "reset": lambda world: world.reset(),
        "begin": lambda world: world.begin(credits=3),
        "clear_requests": lambda world: world.clear_requests(),
        "discard": lambda world: world.discard(),
        "delete_worlds": lambda world: world._server.delete_worlds(),
        "nothing": lambda world: None,
    }
    for way in ways.values():
        with HintFolder() as folder:
            with MockServer(SETTINGS) as server:
                get(server, f"{LIST}?page_size=500")
                way(server.world("key"))
            assert rules(folder) == [("page-size.capped", "")]


def test_the_least_recently_used_world_reports_before_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_webshare.service.world.registry.MAX_WORLDS", 1)
    with HintFolder() as folder, MockServer(SETTINGS) as server:
        get(server, f"{LIST}?page_size=500", "first")
        get(server, LIST, "second")
        assert rules(folder) == [("page-size.capped", "")]


def test_a_walk_that_a_reset_interrupts_is_not_one_with_what_follows() -> None:
    with HintFolder() as folder:
        with MockServer(SETTINGS) as server:
            for page in (1, 2):
                get(server, f"{LIST}?page={page}")
            server.world("key").reset()
            for page in (3, 4, 5):
                get(server, f"{LIST}?page={page}")
        assert folder.hints() == []


def test_a_walk_goes_on_after_its_first_requests_are_cleared() -> None:
    with HintFolder() as folder:
        with MockServer(SETTINGS) as server:
            for page in ("?page_size=100", "?page=2&page_size=100", "?page=3&page_size=100"):
                get(server, LIST + page)
                server.world("key").clear_requests()
        assert folder.hints() == []


def test_hints_are_reported_for_the_test_that_uses_the_key() -> None:
    with HintFolder() as folder:
        with MockServer(SETTINGS) as server:
            get(server, LIST, word="")
            for number, test in enumerate(("first", None, "third")):
                server.note_test(f"key{number}", test)
                get(server, f"{LIST}?page_size=500", f"key{number}")
                get(server, f"{LIST}?page={number}", word="Bearer ")
                server.world(f"key{number}").reset()
                server.discard(f"key{number}")
            get(server, LIST, word="ApiKey ")
        assert rules(folder) == [
            ("key.without-token", ""), ("key.without-token", "first"), ("key.without-token", "third"),
            ("page-size.capped", "first"), ("page-size.capped", "third"),
        ]  # fmt: skip


def test_a_client_that_a_failed_test_interrupts_has_not_ended_a_walk() -> None:
    with HintFolder() as folder:
        with MockServer(SETTINGS) as server:
            for key in ("passed", "failed"):
                server.note_test(key, key)
                get(server, f"{LIST}?page_size=100", key)
            server.note_failure("failed")
        assert rules(folder) == [("walk.one-page", "passed")]


def test_requests_without_a_key_are_shown_before_they_are_cleared() -> None:
    with HintFolder() as folder:
        with MockServer(SETTINGS) as server:
            for _ in range(2):
                get(server, LIST, word="")
                server.call(lambda worlds: worlds.clear_keyless())
        assert rules(folder) == [("key.without-token", "")]


def test_a_full_file_takes_no_more_and_stays_readable() -> None:
    with HintFolder() as folder:
        with MockServer(SETTINGS) as server:
            for number in range(900):
                server.note_test(f"key{number}", f"test{number}")
                get(server, f"{LIST}?stauts=1", f"key{number}")
        (path,) = Path(folder.folder).iterdir()
        assert path.stat().st_size == LARGEST_FILE
        assert 300 < len(folder.hints()) < 900


def test_a_client_that_is_wrong_in_ever_new_ways_is_not_kept_entirely() -> None:
    with HintFolder() as folder:
        with MockServer(SETTINGS) as server:
            for number in range(2 * MOST_HINTS):
                get(server, f"{LIST}?status_{number}=1")
                if number % 50 == 0:
                    server.world("key").clear_requests()
        assert len(folder.hints()) == MOST_HINTS


KILLED = f"""
import os, signal
from mock_webshare import MockServer, Settings
from tests.server.test_hint_collector import get
with MockServer(Settings(port=0, credits=230)) as server:
    get(server, "{LIST}?page_size=500")
    server.world("key").discard()
    get(server, "{LIST}", "next")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_has_reported_the_worlds_that_had_gone() -> None:
    with HintFolder() as folder:
        subprocess.run([sys.executable, "-c", KILLED], env=os.environ | folder.variables, check=False)
        assert rules(folder) == [("page-size.capped", "")]


def test_an_inner_context_keeps_its_hints() -> None:
    with HintFolder() as outer:
        with HintFolder() as inner:
            with MockServer(SETTINGS) as server:
                get(server, f"{LIST}?page_size=500")
            assert rules(inner) == [("page-size.capped", "")]
        assert outer.hints() == []
        assert os.environ[HintFolder.variable] == outer.folder


def test_nothing_remains() -> None:
    before = dict(os.environ)
    with HintFolder() as folder, MockServer(SETTINGS) as server:
        get(server, f"{LIST}?page_size=500")
        path = folder.folder
    assert os.environ == before and not os.path.exists(path)


def test_where_no_folder_can_be_made_there_are_no_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HintFolder.variable, raising=False)
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with HintFolder() as folder, MockServer(SETTINGS) as server:
        get(server, f"{LIST}?page_size=500")
        assert (folder.variables, folder.hints()) == ({}, [])


def test_without_a_folder_nothing_is_collected(tmp_path: Path) -> None:
    assert collector({}, WEBSHARE) is None
    assert collector({HintFolder.variable: str(tmp_path / "gone")}, WEBSHARE) is None


def test_an_error_in_a_rule_does_not_stop_the_server(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("mock_webshare.control.hints.of_world", wrong)
    with HintFolder() as folder:
        with MockServer(SETTINGS) as server:
            get(server, f"{LIST}?page_size=500")
            server.world("key").reset()
            get(server, LIST)
        assert folder.hints() == []
    assert "internal error of mock-webshare, please report it: ZeroDivisionError" in caplog.text
    assert "secret" not in [record.getMessage() for record in caplog.records]


def test_no_file_has_a_key() -> None:
    key = "k7wq2m9x4tk7wq2m9x4t1"
    with HintFolder() as folder:
        with MockServer(SETTINGS) as server:
            get(server, f"{LIST}?stauts={key}&status{key}=1&page_size=500", key)
            get(server, f"/api/v2{LIST}{key}/", key)
            get(server, f"{LIST}?token={key}", key, word="")
        (path,) = Path(folder.folder).iterdir()
        content = path.read_bytes()
    assert key.encode() not in content
    assert len([json.loads(line) for line in content.partition(b"\0")[0].splitlines()]) >= 3


def test_the_plugin_names_the_same_variable() -> None:
    assert HintFolder.variable == pytest_plugin.HINTS_VARIABLE
