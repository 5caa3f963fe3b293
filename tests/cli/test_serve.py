"""The options of `serve` that are about the process: the file that says that it is ready."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from mock_webshare.cli.files import ready_file
from mock_webshare.errors import UnwritableOutput
from tests.server.test_running import COMMAND, line, serving
from tests.waiting import PATIENCE

URL = "http://127.0.0.1:1"


class TestBeyondLoopback:
    @pytest.mark.parametrize("host", ["0.0.0.0", "::"])
    def test_a_line_says_what_is_closed_and_how_to_open_it(self, host: str) -> None:
        with serving("--host", host) as (process, _):
            note = line(process.stderr)
        assert note.startswith("mock-webshare: beyond loopback without --control-token, /__mock__/ is closed")
        assert "MOCK_WEBSHARE_CONTROL_TOKEN" in note

    @pytest.mark.parametrize(
        "options", [(), ("--host", "localhost"), ("--host", "0.0.0.0", "--control-token", "a-long-token")]
    )
    def test_nothing_is_said_where_nothing_is_closed(self, options: tuple[str, ...]) -> None:
        with serving(*options) as (process, _):
            process.terminate()
            assert line(process.stderr) == ""


class TestReadyFile:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_it_has_the_url_until_a_signal_ends_the_server(
        self, tmp_path: Path, number: signal.Signals
    ) -> None:
        path = tmp_path / "mock.url"
        with serving("--ready-file", str(path)) as (process, url):
            assert path.read_text() == f"{url}\n"
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
        path.write_text("http://127.0.0.1:2\n")
        with ready_file(str(path)):
            assert not path.exists()

    def test_one_of_another_server_stays(self, tmp_path: Path) -> None:
        path = tmp_path / "mock.url"
        with ready_file(str(path)) as announce:
            announce(URL)
            path.write_text("http://127.0.0.1:2\n")
        assert path.read_text() == "http://127.0.0.1:2\n"

    def test_it_is_never_seen_half_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path, seen = tmp_path / "mock.url", list[str]()

        def replace(source: str, target: str) -> None:
            seen.append(Path(source).read_text())
            assert not path.exists()
            rename(source, target)

        rename = os.rename
        monkeypatch.setattr(os, "replace", replace)
        with ready_file(str(path)) as announce:
            announce(URL)
            assert path.read_text() == f"{URL}\n" == seen[0]

    def test_without_a_name_nothing_is_written(self, tmp_path: Path) -> None:
        with ready_file(None) as announce:
            announce(URL)
        assert list(tmp_path.iterdir()) == []

    def test_a_pipe_gets_the_url_and_stays(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", "--ready-file", str(pipe)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                assert pipe.read_text() == f"{line(process.stdout)}\n"
            finally:
                process.terminate()
                process.wait(PATIENCE)
        assert pipe.is_fifo()

    @pytest.mark.parametrize("path", ["no/such/folder/mock.url", "/dev/null/mock.url"])
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
