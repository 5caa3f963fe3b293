"""The process of `mock-webshare run`: the environment of its command, and what remains after it."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from mock_webshare import MockServer, cli
from mock_webshare.cli import run_command
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.errors import UsageError
from mock_webshare.server import environment, process_guard
from mock_webshare.server.mock_world import proxy_exemptions
from tests.capabilities import needs_bash, needs_fork
from tests.sampling import sampled, sampled_rows
from tests.waiting import PATIENCE, until

RUN = [sys.executable, "-m", "mock_webshare", "run"]
LIST = CREDIT_LIST.path
SECRET = "a-very-secret-key"

NOT_REACHED = f"mock-webshare: {run_command.NOT_REACHED}\n"

pytestmark = needs_fork
linux = pytest.mark.skipif(
    sys.platform != "linux", reason="the death signal and orphans' adoption are Linux's"
)


def run(
    *command: str, options: tuple[str, ...] = (), stdin: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUN, *options, "--", *command],
        input=stdin,
        capture_output=True,
        text=True,
        env=os.environ | variables,
        timeout=2 * PATIENCE,
    )


def sh(script: str, options: tuple[str, ...] = (), **variables: str) -> subprocess.CompletedProcess[str]:
    return run("sh", "-c", script, options=options, **variables)


ENVIRONMENT = {
    "WEBSHARE_BASE_URL": "https://proxy.webshare.io",
    "WEBSHARE_API_KEY": SECRET,
    "NO_PROXY": "a.example",
    "no_proxy": "b.example, ",
    "SSL_CERT_FILE": "/ours.pem",
}


@pytest.fixture(scope="module")
def shown() -> subprocess.CompletedProcess[str]:
    """One run of a command that shows its environment and its input, complains, and ends with 77."""
    show = "".join(f'echo "{name}=${name}"; ' for name in ENVIRONMENT)
    script = f"{show} cat; echo on standard error >&2; exit 77"
    return run("sh", "-c", script, options=(), stdin="one\ntwo\n", **ENVIRONMENT)


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended but is not reaped does not."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
    return bool(state.strip()) and not state.startswith("Z")


def is_free(port: int) -> bool:
    """Return whether nothing listens on a port; to bind it would keep a server that starts from it."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Family:
    """A run whose command has difficult children: ignoring signals, orphaned, in their own session."""

    SCRIPT = """
import json, os, signal, subprocess, sys, time
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # what is started from here inherits both
sleep = ["sleep", "600"]
orphan = subprocess.run(["sh", "-c", "sleep 600 >&- 2>&- & echo $!"], stdout=subprocess.PIPE).stdout
pids = {
    "command": os.getpid(),
    "guard": os.getppid(),
    "child": subprocess.Popen(sleep).pid,
    "session": subprocess.Popen(sleep, start_new_session=True).pid,
    "orphan": int(orphan),
    "port": int(os.environ["WEBSHARE_BASE_URL"].rpartition(":")[2]),
}
with open(sys.argv[1] + ".part", "w") as stream:
    json.dump(pids, stream)
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(float(sys.argv[2]))
"""

    def __init__(self, folder: Path, *, seconds: float = 600) -> None:
        where = folder / "pids.json"
        self.process = subprocess.Popen(
            [*RUN, "--", sys.executable, "-c", self.SCRIPT, str(where), str(seconds)],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        until(where.exists)
        self.pids: dict[str, int] = json.loads(where.read_text(encoding="utf-8"))
        self.port = self.pids.pop("port")
        self.pids["run"] = self.process.pid

    def assert_gone(self) -> None:
        """Return when nothing of it is left."""
        until(lambda: self.process.poll() is not None)
        until(lambda: not [name for name, pid in self.pids.items() if is_alive(pid)])
        assert is_free(self.port)

    def end(self) -> None:
        for pid in self.pids.values():
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        with self.process:
            pass


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    family = Family(tmp_path)
    yield family
    family.end()


class TestCommand:
    @pytest.mark.exhaustive
    def test_pytest(self, tmp_path: Path) -> None:
        test = tmp_path / "test_credits.py"
        test.write_text(
            "import os\n"
            "from webshare import Webshare\n\n"
            "def test_credits():\n"
            "    key, url = os.environ['WEBSHARE_API_KEY'], os.environ['WEBSHARE_BASE_URL']\n"
            "    with Webshare(api_key=key, base_url=url) as client:\n"
            "        assert client.referral.list_credits().count == 100\n",
            encoding="utf-8",
        )
        process = run(sys.executable, "-m", "pytest", "-q", str(test))
        assert (process.returncode, "1 passed" in process.stdout) == (0, True)
        test.write_text("def test_that_fails():\n    assert False\n", encoding="utf-8")
        assert run(sys.executable, "-m", "pytest", "-q", str(test)).returncode == 1

    def test_the_certificates_that_we_do_not_read_are_there_for_the_command(
        self, shown: subprocess.CompletedProcess[str]
    ) -> None:
        assert "\nSSL_CERT_FILE=/ours.pem\n" in shown.stdout

    @pytest.mark.exhaustive
    def test_no_certificates_are_there_where_we_had_none(self) -> None:
        environ = {name: value for name, value in os.environ.items() if name != "SSL_CERT_FILE"}
        command = [*RUN, "--", "sh", "-c", "echo ${SSL_CERT_FILE-none}"]
        assert subprocess.run(command, capture_output=True, text=True, env=environ).stdout == "none\n"

    @pytest.mark.skipif(not shutil.which("node"), reason="there is no Node here")
    def test_a_script_for_node(self, tmp_path: Path) -> None:
        script = tmp_path / "credits.mjs"
        script.write_text(
            f"const response = await fetch(process.env.WEBSHARE_BASE_URL + '{LIST}', "
            "{headers: {Authorization: `Token ${process.env.WEBSHARE_API_KEY}`}});\n"
            "console.log((await response.json()).count);\n"
            "process.exitCode = response.status === 200 ? 5 : 1;\n",
            encoding="utf-8",
        )
        process = run("node", str(script))
        assert (process.returncode, process.stdout, process.stderr) == (5, "100\n", "")

    def test_a_pipeline_of_a_shell(self) -> None:
        url = f'"$WEBSHARE_BASE_URL{LIST}?page_size=1"'
        process = sh(f'curl -sH "Authorization: Token $WEBSHARE_API_KEY" {url} | cut -c 2-12')
        assert (process.returncode, process.stdout, process.stderr) == (0, '"count":100\n', "")


class TestEnvironment:
    SHOW = "echo $WEBSHARE_BASE_URL $WEBSHARE_API_KEY"

    def test_it_names_the_mock_server_and_a_key(self, shown: subprocess.CompletedProcess[str]) -> None:
        assert shown.stdout.startswith("WEBSHARE_BASE_URL=http://127.0.0.1:")
        assert "\nWEBSHARE_API_KEY=mock-webshare\n" in shown.stdout

    def test_a_real_key_never_reaches_the_mock_server(self, shown: subprocess.CompletedProcess[str]) -> None:
        assert SECRET not in shown.stdout + shown.stderr

    @pytest.mark.parametrize("names", sampled([("HTTP_PROXY", "http_proxy"), ("ALL_PROXY", "all_proxy")]))
    def test_a_proxy_is_not_contacted_for_the_mock_server(self, names: tuple[str, ...]) -> None:
        script = f'curl -sH "Authorization: Token k" "$WEBSHARE_BASE_URL{LIST}" | cut -c 2-12'
        nothing_listens = dict.fromkeys(names, f"http://127.0.0.1:{free_port()}")
        assert sh(script, (), NO_PROXY="corp.example", **nothing_listens).stdout == '"count":100\n'

    @pytest.mark.parametrize(
        ("upper", "lower", "expected"),
        [
            ("", "", ("127.0.0.1,localhost", "127.0.0.1,localhost")),
            ("a.example", "", ("a.example,127.0.0.1,localhost", "a.example,127.0.0.1,localhost")),
            ("a.example", "b.example, ", ("a.example,127.0.0.1,localhost", "b.example,127.0.0.1,localhost")),
            ("", "localhost, .a.example", 2 * ("localhost, .a.example,127.0.0.1",)),
            ("*", "", ("*", "*")),
            ("*", "a.example", ("*", "a.example,127.0.0.1,localhost")),
        ],
    )
    def test_hosts_without_a_proxy_stay(self, upper: str, lower: str, expected: tuple[str, str]) -> None:
        added = proxy_exemptions("http://127.0.0.1:8765", {"NO_PROXY": upper, "no_proxy": lower})
        assert (added["NO_PROXY"], added["no_proxy"]) == expected

    def test_the_command_gets_them_with_ours(self, shown: subprocess.CompletedProcess[str]) -> None:
        assert "\nNO_PROXY=a.example,127.0.0.1,localhost\n" in shown.stdout
        assert "\nno_proxy=b.example,127.0.0.1,localhost\n" in shown.stdout

    def test_the_address_of_the_server_needs_no_proxy_either(self) -> None:
        process = sh('printf "$NO_PROXY"', ("--host", "127.0.0.2"), NO_PROXY="", no_proxy="")
        assert process.stdout == "127.0.0.1,localhost,127.0.0.2"

    def test_the_first_key_that_is_set_is_the_one(self) -> None:
        assert sh(self.SHOW, ("--api-key", "one", "--api-key", "two")).stdout.endswith(" one\n")
        assert sh(self.SHOW, MOCK_WEBSHARE_API_KEY="three four").stdout.endswith(" three\n")

    def test_the_options_are_those_of_serve(self) -> None:
        script = f'curl -sH "Authorization: Token k" "$WEBSHARE_BASE_URL{LIST}" | cut -c 2-10'
        assert sh(script, ("--credits", "7")).stdout == '"count":7\n'
        assert sh(script, MOCK_WEBSHARE_CREDITS="8").stdout == '"count":8\n'

    def test_requests_are_logged_where_the_option_says(self, tmp_path: Path) -> None:
        log = tmp_path / "log.txt"
        process = sh(f'curl -so /dev/null "$WEBSHARE_BASE_URL{LIST}?a=b"', ("--log", str(log)))
        assert (process.stdout, process.stderr) == ("", "")
        assert log.read_text(encoding="utf-8").partition(" ")[2].startswith(f"GET {LIST} 401 ")

    def test_a_log_that_cannot_be_opened_is_reported_before_anything_runs(self, tmp_path: Path) -> None:
        process = sh(f"touch {tmp_path}/ran", ("--log", f"{tmp_path}/no/log.txt"))
        assert process.returncode == 2 and "cannot write" in process.stderr
        assert not (tmp_path / "ran").exists()

    @pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="only Linux has such a device")
    def test_a_log_on_a_full_disk_changes_nothing(self) -> None:
        process = sh('curl -so /dev/null "$WEBSHARE_BASE_URL"; exit 3', ("--log", "/dev/full"))
        assert (process.returncode, process.stderr) == (3, "")


MOCKS = {
    "MockServer": "from mock_webshare import MockServer\nwith MockServer() as server: get(server.url)",
    "running_server": """if True:
        import asyncio
        from mock_webshare import running_server
        async def main():
            async with running_server() as url:
                await asyncio.to_thread(get, url)
        asyncio.run(main())""",
    "serve": """if True:
        import subprocess, sys
        command = [sys.executable, "-m", "mock_webshare", "serve", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            get(process.stdout.readline().strip())
            process.kill()""",
    "run": """if True:
        import subprocess, sys
        code = "from mock_webshare import MockServer\\nwith MockServer() as server: get(server.url)"
        command = [sys.executable, "-m", "mock_webshare", "run", "--", sys.executable, "-c"]
        subprocess.run([*command, f"{GET}\\n{code}"], check=True)""",
    "fork": """if True:
        import os
        from mock_webshare import MockServer
        if pid := os.fork():
            os.waitpid(pid, 0)
        else:
            with MockServer() as server: get(server.url)""",
}
GET = """
import urllib.error, urllib.request
def get(url, path="/api/v2/referral/credit/"):
    try:
        urllib.request.urlopen(url + path).close()
    except urllib.error.HTTPError as error:
        error.close()
"""


class TestAMockThatNoRequestReached:
    def test_it_is_reported_and_the_exit_code_stays(self, shown: subprocess.CompletedProcess[str]) -> None:
        assert (shown.returncode, shown.stderr.splitlines(keepends=True)[-1]) == (77, NOT_REACHED)
        assert NOT_REACHED.count("\n") == 1 and "base_url=" in NOT_REACHED and "baseURL" in NOT_REACHED

    @pytest.mark.exhaustive
    def test_it_is_reported_after_a_success_too(self) -> None:
        process = sh("exit 0")
        assert (process.returncode, process.stdout, process.stderr) == (0, "", NOT_REACHED)

    @pytest.mark.parametrize("path", sampled([LIST, "/nowhere"]))
    def test_a_request_that_is_refused_has_reached_it_too(self, path: str) -> None:
        assert sh(f'curl -so /dev/null "$WEBSHARE_BASE_URL{path}"').stderr == ""

    @pytest.mark.parametrize("path", sampled(["state", "health", "requests"]))
    def test_the_control_plane_does_not_count(self, path: str) -> None:
        script = f'curl -so /dev/null -H "Authorization: Token k" "$WEBSHARE_BASE_URL/__mock__/{path}"'
        assert sh(script).stderr == NOT_REACHED

    def test_a_journal_that_was_emptied_changes_nothing(self) -> None:
        request, empty = f'"$WEBSHARE_BASE_URL{LIST}"', '-X DELETE "$WEBSHARE_BASE_URL/__mock__/worlds"'
        assert sh(f"curl -so /dev/null {request}; curl -s {empty}").stderr == ""

    @pytest.mark.parametrize("mock", sampled(MOCKS))
    def test_a_mock_that_the_command_starts_counts(self, mock: str) -> None:
        process = run(sys.executable, "-c", f"GET = {GET!r}\n{GET}\n{MOCKS[mock]}")
        assert NOT_REACHED not in process.stderr

    def test_one_that_no_request_reaches_does_not(self) -> None:
        code = (
            "from mock_webshare import MockServer\nwith MockServer() as server: server.world('k').credits()"
        )
        assert run(sys.executable, "-c", code).stderr == NOT_REACHED

    @pytest.mark.exhaustive
    def test_in_the_processes_of_xdist(self, tmp_path: Path) -> None:
        text = f"{GET}\ndef test_it(webshare_mock): get(webshare_mock.url)\n"
        (tmp_path / "test_it.py").write_text(text, encoding="utf-8")
        process = run(sys.executable, "-m", "pytest", "-q", "-n1", "-p", "no:cacheprovider", str(tmp_path))
        assert (process.returncode, NOT_REACHED in process.stderr) == (0, False)

    def test_a_command_without_environment_gets_the_same_report(self) -> None:
        process = sh("exec env -i /bin/sh -c 'exit 4'")
        assert (process.returncode, process.stderr) == (4, NOT_REACHED)

    @pytest.mark.parametrize("name", sampled(["SIGINT", "SIGTERM", "SIGHUP"]))
    def test_an_interrupted_run_says_nothing(self, name: str) -> None:
        command = [*RUN, "--", "sh", "-c", "echo ready; exec sleep 600"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout and process.stdout.readline() == b"ready\n"
            process.send_signal(signal.Signals[name])
            assert process.stderr and process.stderr.read() == b""
            assert process.wait(10) == 128 + signal.Signals[name]

    @needs_bash
    @pytest.mark.parametrize("redirection", sampled(["2>&-", "2>/dev/full", "2> >(exec true)"]))
    def test_without_standard_error_the_exit_code_stays(self, redirection: str) -> None:
        script = f"{' '.join(RUN)} -- sh -c 'sleep 0.2; exit 5' {redirection}"
        assert subprocess.run(["bash", "-c", script]).returncode == 5

    @pytest.mark.parametrize("content", [b"", b"somebody's", environment.FLAG_HEAD, b"\0" * 19])
    def test_a_file_that_is_not_a_flag_is_left_alone(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "file"
        path.write_bytes(content)
        for each in (path, tmp_path, tmp_path / "missing"):
            environment.flag_setter({environment.REACHED_VARIABLE: str(each)})()
        assert path.read_bytes() == content

    @pytest.mark.parametrize("has_memory_files", [False, True])
    def test_a_flag_leaves_no_file_behind(
        self, has_memory_files: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        if not has_memory_files:
            monkeypatch.delattr(os, "memfd_create", raising=False)
        with environment.Flag() as made:
            assert not made.is_set
            environment.flag_setter(made.variables)()
            assert made.is_set
        assert list(tmp_path.iterdir()) == []

    def test_without_a_file_only_the_mock_server_of_run_counts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse() -> None:
            raise PermissionError

        monkeypatch.setattr(environment, "_create_file", refuse)
        with environment.Flag() as made:
            assert (made.variables, made.is_set) == ({}, False)


class TestStreams:
    def test_standard_input_is_the_command_s(self, shown: subprocess.CompletedProcess[str]) -> None:
        assert shown.stdout.endswith("\none\ntwo\n")

    def test_the_output_is_the_command_s_alone(self, shown: subprocess.CompletedProcess[str]) -> None:
        assert len(shown.stdout.splitlines()) == 5 + 2
        assert shown.stderr == f"on standard error\n{NOT_REACHED}"

    @needs_bash
    def test_a_reader_that_has_gone_ends_the_command(self) -> None:
        command = f"{' '.join(RUN)} -- seq 10000000"
        process = subprocess.run(
            ["bash", "-c", f"{command} | head -1; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True
        )
        assert (process.stdout, process.stderr) == ("1\n141\n", NOT_REACHED)

    def test_a_reader_sees_the_end_when_the_command_closes_its_output(self) -> None:
        with subprocess.Popen(
            [*RUN, "--", "sh", "-c", "exec >&-; sleep 600"], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout and process.stdout.read() == b""
            assert process.poll() is None
            process.terminate()

    @pytest.mark.parametrize("redirection", sampled([">&-", "<&-", "2>&-"]))
    def test_a_stream_that_is_closed_is_closed_to_the_command_too(self, redirection: str) -> None:
        assert subprocess.run(["sh", "-c", f"{' '.join(RUN)} -- true {redirection}"]).returncode == 0

    @needs_bash
    def test_other_open_files_are_passed_on(self) -> None:
        script = f"{' '.join(RUN)} -- cat <(echo passed on)"
        assert subprocess.run(["bash", "-c", script], capture_output=True).stdout == b"passed on\n"


class TestExitCode:
    def test_it_is_the_command_s(self, shown: subprocess.CompletedProcess[str]) -> None:
        assert shown.returncode == 77

    @pytest.mark.exhaustive
    @pytest.mark.parametrize("code", [0, 1, 2, 255])
    def test_each_is_the_command_s(self, code: int) -> None:
        assert sh(f"exit {code}").returncode == code

    @pytest.mark.parametrize("name", sampled(["KILL", "TERM", "INT"]))
    def test_a_signal_counts_from_128(self, name: str) -> None:
        assert sh(f"kill -{name} $$").returncode == 128 + signal.Signals[f"SIG{name}"]

    def test_a_command_that_does_not_exist(self) -> None:
        process = run("no-such-command", SECRET)
        assert (process.returncode, process.stdout) == (127, "")
        assert process.stderr.startswith("mock-webshare: cannot run 'no-such-command': No such file")
        assert process.stderr.count("\n") == 1 and SECRET not in process.stderr

    @pytest.mark.parametrize("content", sampled(["", "no program"], name=lambda content: content or "empty"))
    def test_a_command_that_cannot_be_executed(self, tmp_path: Path, content: str) -> None:
        program = tmp_path / "program"
        program.write_text(content, encoding="utf-8")
        program.chmod(0o755 if content else 0o644)
        process = run(str(program), SECRET)
        assert (process.returncode, process.stdout) == (126, "")
        assert process.stderr.startswith(f"mock-webshare: cannot run '{program}': ")
        assert process.stderr.count("\n") == 1 and SECRET not in process.stderr

    def test_no_command_is_run_without_a_mock_server(self, tmp_path: Path) -> None:
        ran = tmp_path / "ran"
        with MockServer() as server:
            port = server.url.rpartition(":")[2]
            process = run("touch", str(ran), options=("--port", port))
        assert (process.returncode, process.stdout) == (2, "")
        assert "choose another port" in process.stderr and process.stderr.count("\n") == 1
        assert not ran.exists()

    def test_a_mock_server_that_fails_ends_the_command(self, tmp_path: Path) -> None:
        code = """if True:
            import asyncio, os, sys
            from contextlib import asynccontextmanager
            from mock_webshare import cli
            from mock_webshare.server import thread
            from mock_webshare.server.app import WORLDS

            @asynccontextmanager
            async def failing(*_, **__):
                asyncio.create_task(fail(asyncio.current_task()))
                yield "http://127.0.0.1:1", {WORLDS: None}

            async def fail(task):
                while not os.path.exists(sys.argv[-1]):
                    await asyncio.sleep(0.01)
                task.cancel()

            thread.running_app = failing
            sys.argv[1:1] = ["run", "--", "sh", "-c", "touch $0; exec sleep 600"]
            cli.main()
        """
        command = [sys.executable, "-c", code, str(tmp_path / "runs")]
        process = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert process.returncode == 2
        assert process.stderr == (
            "mock-webshare: the mock server has failed (CancelledError), so the command was ended\n"
        )

    def test_a_system_without_fork_is_reported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(os, "fork")
        with pytest.raises(UsageError, match="run needs a POSIX system"):
            process_guard.Guard(["true"], {})


class Tally:
    """A run whose command notes the signals it gets, in a session of its own and perhaps on a terminal."""

    SCRIPT = """
import os, signal, sys
def note(number, _):
    os.write(1, f"{signal.Signals(number).name}\\n".encode())
    if number == signal.SIGWINCH:
        sys.exit(9)
for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH"):
    signal.signal(signal.Signals[name], note)
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""

    def __init__(self, *, on_terminal: bool = False) -> None:
        self.ours, theirs = os.openpty() if on_terminal else os.pipe()
        self.process = subprocess.Popen(
            [*RUN, "--", sys.executable, "-c", self.SCRIPT],
            stdin=theirs if on_terminal else subprocess.DEVNULL,
            stdout=theirs,
            start_new_session=True,
            preexec_fn=(lambda: _take_terminal(theirs)) if on_terminal else None,
        )
        os.close(theirs)
        self.lines: list[str] = []

    def see(self, line: str, do: Callable[[], object] = lambda: None) -> None:
        """Do something and return when the line has been seen that it leads to."""
        do()
        seen = b""
        while not seen.endswith(b"\n"):
            assert select.select([self.ours], [], [], PATIENCE)[0], f"no {line} after {self.lines}"
            seen += os.read(self.ours, 1)
        self.lines.append(seen.decode().strip())
        assert self.lines[-1] == line

    def ends(self) -> list[str]:
        """Return the lines of the whole run.

        Signals are passed on one after the other, so that one that came twice would be before the last.
        """
        self.see("SIGTERM", self.process.terminate)
        self.see("SIGWINCH", lambda: self.process.send_signal(signal.SIGWINCH))
        assert self.process.wait(PATIENCE) == 9
        return self.lines

    def __enter__(self) -> Self:
        self.see("ready")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.ours)
        with self.process:
            self.process.kill()


def _take_terminal(terminal: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    attributes = termios.tcgetattr(terminal)
    attributes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)


class TestSignals:
    @pytest.mark.parametrize("name", sampled(["SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"]))
    @pytest.mark.parametrize("on_terminal", sampled([False, True]))
    def test_one_for_us_is_passed_on_once(self, name: str, on_terminal: bool) -> None:
        with Tally(on_terminal=on_terminal) as tally:
            tally.see(name, lambda: tally.process.send_signal(signal.Signals[name]))
            assert tally.ends() == ["ready", name, "SIGTERM", "SIGWINCH"]

    @pytest.mark.parametrize(("typed", "name"), sampled_rows([(b"\x03", "SIGINT"), (b"\x1c", "SIGQUIT")]))
    def test_one_that_is_typed_comes_once(self, typed: bytes, name: str) -> None:
        with Tally(on_terminal=True) as tally:
            tally.see(name, lambda: os.write(tally.ours, typed))
            assert tally.ends() == ["ready", name, "SIGTERM", "SIGWINCH"]

    @pytest.mark.parametrize("name", sampled(["SIGINT", "SIGHUP", "SIGUSR1"]))
    def test_one_for_our_whole_group_comes_once(self, name: str) -> None:
        with Tally() as tally:
            for _ in range(2):
                tally.see(name, lambda: os.killpg(tally.process.pid, signal.Signals[name]))
                # Two that come at the same moment may count as one; when this has come, the first is over.
                tally.see("SIGUSR2", lambda: tally.process.send_signal(signal.SIGUSR2))
            assert tally.ends() == ["ready", *2 * [name, "SIGUSR2"], "SIGTERM", "SIGWINCH"]

    def test_the_command_may_read_from_the_terminal(self) -> None:
        ours, theirs = os.openpty()
        process = subprocess.Popen(
            [*RUN, "--", "sh", "-c", "read line; exit $line"],
            stdin=theirs,
            start_new_session=True,
            preexec_fn=lambda: _take_terminal(theirs),
        )
        os.write(ours, b"23\n")
        assert process.wait(PATIENCE) == 23
        os.close(ours)
        os.close(theirs)

    def test_a_command_that_ignores_a_signal_continues(self) -> None:
        script = """if True:
            import signal, sys
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGWINCH, lambda *_: sys.exit(4))
            print("ready", flush=True)
            signal.pause()
        """
        with subprocess.Popen([*RUN, "--", sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
            assert process.stdout and process.stdout.readline() == b"ready\n"
            process.terminate()
            process.send_signal(signal.SIGWINCH)  # which is passed on after the other
            assert process.wait(PATIENCE) == 4

    @pytest.mark.parametrize("number", sampled([signal.SIGINT, signal.SIGTERM]))
    def test_before_the_command_runs_they_end_the_run(self, number: int, tmp_path: Path) -> None:
        ran = tmp_path / "ran"
        port = free_port()  # which is taken before the data is made
        options = ["--port", str(port), "--credits", "1000000"]
        with subprocess.Popen([*RUN, *options, "--", "touch", str(ran)]) as process:
            until(lambda: not is_free(port))
            process.send_signal(number)
            assert process.wait(PATIENCE) == -number
        assert not ran.exists()

    @pytest.mark.parametrize(
        "ignored", sampled(["trap '' HUP INT;", ""], name=lambda ignored: ignored or "none")
    )
    def test_the_command_gets_its_signals_as_we_got_ours(self, ignored: str) -> None:
        look = "grep Sig[BI] /proc/self/status" if sys.platform == "linux" else "trap"
        shown = [
            subprocess.run(["sh", "-c", f"{ignored} {command}"], capture_output=True).stdout
            for command in (look, f"{' '.join(RUN)} -- {look}")
        ]
        assert shown[0] == shown[1]


@linux
class TestNothingIsLeft:
    @pytest.mark.parametrize("whom", sampled(["run", "guard", "command"], kind=lambda whom: whom != "run"))
    def test_if_one_of_them_is_killed(self, family: Family, whom: str) -> None:
        os.kill(family.pids[whom], signal.SIGKILL)
        family.assert_gone()
        assert family.process.returncode == (-signal.SIGKILL if whom == "run" else 128 + signal.SIGKILL)
        assert family.process.stderr
        assert ("the guard of " in family.process.stderr.read()) == (whom == "guard")

    def test_not_even_if_the_whole_group_is_killed(self, family: Family) -> None:
        os.killpg(family.process.pid, signal.SIGKILL)
        family.assert_gone()

    def test_when_the_command_ends_by_itself(self, tmp_path: Path) -> None:
        family = Family(tmp_path, seconds=0)
        try:
            family.assert_gone()
            assert family.process.returncode == 0
        finally:
            family.end()

    def test_remaining_processes_are_given_time_to_end(self, tmp_path: Path) -> None:
        note = tmp_path / "note"
        leftover = f"trap 'echo terminated > {note}; exit' TERM; touch {note}; while :; do sleep 0.05; done"
        script = f'sh -c "{leftover}" & while ! [ -e {note} ]; do sleep 0.05; done'
        # With endless grace, a guard that waits for more than the end of the descendants never returns.
        patient = (
            "from mock_webshare import cli; from mock_webshare.server import process_guard; "
            "process_guard._GRACE = 3600; cli.main()"
        )
        command = [sys.executable, "-c", patient, "run", "--", "sh", "-c", script]
        assert subprocess.run(command, timeout=2 * PATIENCE).returncode == 0
        assert note.read_text(encoding="utf-8") == "terminated\n"

    def test_not_even_of_processes_that_multiply(self) -> None:
        seconds = f"60{os.getpid()}"
        orphan = f"setsid sh -c 'sleep {seconds} & sleep 0.01' &"
        process = subprocess.Popen([*RUN, "--", "sh", "-c", f"while :; do {orphan} sleep 0.02; done"])

        def count() -> int:
            shown = subprocess.run(["pgrep", "-fx", f"sleep {seconds}"], capture_output=True).stdout
            return shown.count(b"\n")

        until(lambda: count() > 20)
        process.kill()
        process.wait()
        until(lambda: count() == 0)


def test_a_run_within_a_run() -> None:
    inner = " ".join(RUN)
    process = sh(f"{inner} -- sh -c 'echo $WEBSHARE_BASE_URL; exit 6'; echo $? $WEBSHARE_BASE_URL")
    inside, code, outside = process.stdout.split()
    assert code == "6" and inside != outside


def test_the_help_shows_where_the_command_goes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["mock-webshare", "run", "--help"])
        cli.main()
    assert ended.value.code == 0
    assert "-- COMMAND [ARGUMENT ...]" in capsys.readouterr().out


def test_an_empty_command_is_reported() -> None:
    process = run("")
    assert process.returncode == 127
    assert process.stderr == (
        "mock-webshare: cannot run '': No such file or directory; is it installed, and on the PATH?\n"
    )


def test_the_variable_of_the_port_is_not_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = sh("echo $WEBSHARE_BASE_URL", MOCK_WEBSHARE_PORT=port)
    assert process.returncode == 0
    assert process.stdout.strip().rpartition(":")[2] != port


@pytest.mark.parametrize(("host", "address"), sampled_rows([("0.0.0.0", "127.0.0.1"), ("::", "[::1]")]))
def test_the_command_gets_an_address_that_it_can_reach(host: str, address: str) -> None:
    process = sh("echo $WEBSHARE_BASE_URL", options=("--host", host))
    if "Address family not supported" in process.stderr:
        pytest.skip("this machine has no IPv6")
    assert process.stdout.startswith(f"http://{address}:")
