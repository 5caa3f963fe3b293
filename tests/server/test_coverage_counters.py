"""Counters that the mock servers of several processes fill, for whoever made their folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from mock_webshare import MockServer, Settings
from mock_webshare.contract.endpoints import CONFIG, CREDIT_LIST, WEBSHARE
from mock_webshare.insight.coverage import Row, rows_of
from mock_webshare.server.collectors import CoverageFolder, counter
from mock_webshare.service.data import dataset
from mock_webshare.service.faults import ACTIONS
from tests.capabilities import needs_signals
from tests.made_up import MADE_UP, TICKETS, data_set

GET = Row(CREDIT_LIST.path, "method", "GET")


def get(url: str, path: str = CREDIT_LIST.path, **headers: str) -> None:
    request = urllib.request.Request(url + path, headers={"Authorization": "Token key", **headers})
    with suppress(OSError, urllib.error.HTTPError), urllib.request.urlopen(request, timeout=60) as response:
        response.read()


def test_all_servers_of_the_context_count_together() -> None:
    with CoverageFolder() as folder:
        for _ in range(2):
            with MockServer() as server:
                get(server.url)
        with MockServer() as server:
            get(server.url)
            assert folder.counts(WEBSHARE)[GET] == 3
    with MockServer() as server:
        get(server.url)


def test_without_a_server_nothing_is_covered() -> None:
    with CoverageFolder() as folder:
        counts = folder.counts(WEBSHARE)
    assert list(counts) == list(rows_of(WEBSHARE, ACTIONS))
    assert not any(counts.values())


def test_only_the_rows_of_the_contract_that_is_served_are_there() -> None:
    held = dataset.from_wire(data_set(), source="test", contract=MADE_UP)
    settings = Settings(port=0, contract=MADE_UP)
    with CoverageFolder() as folder, MockServer(settings, dataset=held) as server:
        get(server.url, f"{TICKETS.path}?priority=low")
        counts = folder.counts(WEBSHARE)
    assert list(counts) == list(rows_of(MADE_UP, ACTIONS))
    assert counts[Row(TICKETS.path, "filter", "priority=low")] == 1


def test_the_control_plane_does_not_count() -> None:
    with CoverageFolder() as folder, MockServer() as server:
        get(server.url, "/__mock__/requests")
        get(server.url, "/__mock__/credits")
        assert not any(folder.counts(WEBSHARE).values())


@pytest.mark.parametrize("header", ["code=503", "code=429", "code=401"])
def test_a_fault_counts_with_its_status(header: str) -> None:
    with CoverageFolder() as folder, MockServer() as server:
        get(server.url, f"{CREDIT_LIST.path}?status=pending", Prefer=header)
        server.stop()
        found = {row[1:] for row, count in folder.counts(WEBSHARE).items() if count}
    status = {"code=503": "5xx", "code=429": "429", "code=401": "401 unknown key"}[header]
    assert found == {("method", "GET"), ("fault", "status"), ("status", status)}


def test_a_connection_that_breaks_counts_without_a_status() -> None:
    with CoverageFolder() as folder, MockServer() as server:
        server.world("key").add_fault(fault="EMPTY_RESPONSE", times=1)
        get(server.url, CONFIG.path)
        server.stop()
        found = {row[1:] for row, count in folder.counts(WEBSHARE).items() if count}
    assert found == {("method", "GET"), ("fault", "fault")}


KILLED = f"""
import os, signal, urllib.request
from mock_webshare import MockServer
server = MockServer()
server.start()
headers = {{"Authorization": "Token key"}}
urllib.request.urlopen(urllib.request.Request(server.url + {CREDIT_LIST.path!r}, headers=headers)).read()
os.kill(os.getpid(), signal.SIGKILL)
"""


@needs_signals
def test_the_requests_of_a_process_that_is_killed_count() -> None:
    with CoverageFolder() as folder:
        process = subprocess.run([sys.executable, "-c", KILLED], env=os.environ | dict(folder.variables))
        assert process.returncode == -signal.SIGKILL
        assert folder.counts(WEBSHARE)[GET] == 1


def test_an_inner_context_adds_to_the_outer_one() -> None:
    with CoverageFolder() as outer:
        with MockServer() as server:
            get(server.url)
        with CoverageFolder() as inner, MockServer() as server:
            get(server.url)
            assert inner.counts(WEBSHARE)[GET] == 1
        assert outer.counts(WEBSHARE)[GET] == 2
        with MockServer() as server:
            get(server.url)
        assert outer.counts(WEBSHARE)[GET] == 3


def test_nothing_remains() -> None:
    before = dict(os.environ)
    with CoverageFolder() as folder, MockServer() as server:
        (path,) = folder.variables.values()
        get(server.url)
        assert os.path.isdir(path)
    assert os.environ == before and not os.path.exists(path)


def test_a_file_that_is_not_complete_is_not_read() -> None:
    with CoverageFolder() as folder, MockServer() as server:
        get(server.url)
        Path(*folder.variables.values(), "tmp1").write_bytes(b'[["/a/", "met')
        assert folder.counts(WEBSHARE)[GET] == 1


def test_a_folder_that_is_gone_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with CoverageFolder() as folder:
        (name,) = folder.variables
    monkeypatch.setenv(name, str(tmp_path / "gone"))
    with MockServer() as server:
        get(server.url)
        assert server.worlds()["worlds"] == 1
    assert counter({name: ""}, WEBSHARE) is None
