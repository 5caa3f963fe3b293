"""The options of `serve` that are about the process: the file that says that it is ready."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from mock_webshare.cli.files import ready_file
from mock_webshare.errors import UnwritableOutput
from tests.capabilities import needs_pipes, needs_signals
from tests.cli import Run
from tests.sampling import sampled
from tests.server.test_running import COMMAND, LIST, TIME, get, line, serving
from tests.waiting import PATIENCE

URL = "http://127.0.0.1:1"


class TestBeyondLoopback:
    @pytest.mark.parametrize("host", sampled(["0.0.0.0", "::"]))
    def test_a_line_says_what_is_closed_and_how_to_open_it(self, host: str) -> None:
        with serving("--host", host) as (process, _):
            note = line(process.stderr)
        assert note.startswith("mock-webshare: beyond loopback without --control-token, /__mock__/ is closed")
        assert "MOCK_WEBSHARE_CONTROL_TOKEN" in note

    @pytest.mark.parametrize(
        "options",
        sampled(
            [("--host", "0.0.0.0", "--control-token", "a-long-token"), (), ("--host", "localhost")], kind=bool
        ),
    )
    def test_nothing_is_said_where_nothing_is_closed(self, options: tuple[str, ...]) -> None:
        with serving(*options) as (process, _):
            process.terminate()
            assert line(process.stderr) == ""


class TestReadyFile:
    @needs_signals
    @pytest.mark.parametrize("number", sampled([signal.SIGINT, signal.SIGTERM]))
    def test_it_has_the_url_until_a_signal_ends_the_server(
        self, tmp_path: Path, number: signal.Signals
    ) -> None:
        path = tmp_path / "mock.url"
        with serving("--ready-file", str(path)) as (process, url):
            assert path.read_text(encoding="utf-8") == f"{url}\n"
            assert list(tmp_path.iterdir()) == [path]
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
        assert list(tmp_path.iterdir()) == []

    def test_it_is_removed_after_an_error(self, tmp_path: Path) -> None:
        path = tmp_path / "mock.url"
        with pytest.raises(ZeroDivisionError), ready_file(str(path)) as announce:
            announce(URL)
            assert path.exists()
            raise ZeroDivisionError
        assert not path.exists()

    def test_one_of_an_earlier_server_does_not_stay_until_this_one_is_ready(self, tmp_path: Path) -> None:
        path = tmp_path / "mock.url"
        path.write_text("http://127.0.0.1:2\n", encoding="utf-8")
        with ready_file(str(path)):
            assert not path.exists()

    def test_one_of_another_server_stays(self, tmp_path: Path) -> None:
        path = tmp_path / "mock.url"
        with ready_file(str(path)) as announce:
            announce(URL)
            path.write_text("http://127.0.0.1:2\n", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "http://127.0.0.1:2\n"

    def test_it_is_never_seen_half_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path, seen = tmp_path / "mock.url", list[str]()

        def replace(source: str, target: str) -> None:
            seen.append(Path(source).read_text(encoding="utf-8"))
            assert not path.exists()
            rename(source, target)

        rename = os.rename
        monkeypatch.setattr(os, "replace", replace)
        with ready_file(str(path)) as announce:
            announce(URL)
            assert path.read_text(encoding="utf-8") == f"{URL}\n" == seen[0]

    def test_without_a_name_nothing_is_written(self, tmp_path: Path) -> None:
        with ready_file(None) as announce:
            announce(URL)
        assert list(tmp_path.iterdir()) == []

    @needs_pipes
    def test_a_pipe_gets_the_url_and_stays(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", "--ready-file", str(pipe)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                assert pipe.read_text(encoding="utf-8") == f"{line(process.stdout)}\n"
            finally:
                process.terminate()
                process.wait(PATIENCE)
        assert pipe.is_fifo()

    @pytest.mark.parametrize("path", sampled(["no/such/folder/mock.url", f"{os.devnull}/mock.url"]))
    def test_a_path_that_cannot_be_written_ends_the_server(self, path: str) -> None:
        command = [*COMMAND, "serve", "--port", "0", "--ready-file", path]
        process = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert (process.returncode, process.stdout) == (2, "")
        assert process.stderr.startswith(f"mock-webshare: cannot write {path!r}: ")

    def test_a_file_that_cannot_be_removed_is_an_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "mock.url"
        path.touch()

        def refuse(_: str) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "unlink", refuse)
        with pytest.raises(UnwritableOutput, match="Permission denied"), ready_file(str(path)):
            pytest.fail("it must not begin")


class TestTheLog:
    @staticmethod
    def logged(*options: str) -> list[str]:
        """Serve, send some requests, and return the lines of the log."""
        with serving(*options) as (process, url):
            for target in (LIST, "/nowhere/?key=a-secret", "/__mock__/version", "/api/v2/profile/"):
                get(url + target)
            process.terminate()
            assert process.stderr
            return process.stderr.read().decode().splitlines()

    def test_has_a_time_in_each_line(self) -> None:
        lines = self.logged()
        assert len(lines) == 3
        for each, path in zip(lines, (LIST, "/nowhere/", "/api/v2/profile/"), strict=True):
            assert re.match(rf"{TIME} GET {re.escape(path)} \d{{3}} \d+\.\d ms", each)
        assert " ms reason: not-served:profile.get hint:operation.not-served hint: " in lines[2]

    def test_as_json_is_an_object_a_line(self) -> None:
        entries = [json.loads(each) for each in self.logged("--log-format", "json")]
        assert [(each["method"], each["path"], each["status"]) for each in entries] == [
            ("GET", LIST, 200),
            ("GET", "/nowhere/", 404),
            ("GET", "/api/v2/profile/", 501),
        ]
        assert all(re.fullmatch(TIME, each["time"]) and each["milliseconds"] >= 0 for each in entries)
        assert entries[2]["reason"] == "not-served:profile.get hint:operation.not-served"

    @pytest.mark.parametrize("option", sampled(["-q", "--quiet"]))
    def test_is_empty_if_it_is_to_be_quiet(self, option: str) -> None:
        assert self.logged(option) == []

    @pytest.mark.parametrize("option", sampled(["-v", "--verbose"]))
    def test_has_the_control_plane_if_it_is_to_be_verbose(self, option: str) -> None:
        lines = self.logged(option)
        assert len(lines) == 4 and " GET /__mock__/version 200 " in lines[2]

    def test_does_not_repeat_a_key_in_the_path_of_the_control_plane(self) -> None:
        with serving("-v", "--api-key", "a-very-secret-key") as (process, url):
            get(f"{url}/__mock__/snapshots/a-very-secret-key")
            process.terminate()
            assert process.stderr
            log = process.stderr.read().decode()
        assert "/__mock__/snapshots/" in log and "a-very-secret-key" not in log

    @pytest.mark.parametrize("form", ["text", "json"])
    def test_says_what_is_not_http(self, form: str) -> None:
        with serving("--log-format", form) as (process, url):
            host, _, port = url.removeprefix("http://").partition(":")
            with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
                connection.sendall(b"nonsense\r\n\r\n")
                connection.recv(100)
            process.terminate()
            assert process.stderr
            log = process.stderr.read().decode()
        if form == "json":
            assert json.loads(log)["problem"] == "not HTTP"
        assert "400" in log and "not HTTP" in log and log.count("\n") == 1

    def test_in_another_format_is_refused(self) -> None:
        run = Run("serve", "--log-format", "xml")
        assert (run.code, run.out) == (2, "")
        assert "--log-format 'xml' is not allowed; allowed: text, json" in run.err

    def test_is_either_quiet_or_verbose(self) -> None:
        run = Run("serve", "-q", "-v")
        assert (run.code, run.err.count("\n")) == (2, 1)
