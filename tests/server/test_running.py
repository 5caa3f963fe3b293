"""The server on a real port, and the process of `mock-webshare serve`."""

from __future__ import annotations

import asyncio
import errno
import gc
import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NoReturn

import pytest

from mock_webshare import MockServer, Settings, running_server
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.errors import DataError, MockWebshareError, ServerError
from tests.capabilities import needs_fork, needs_limits, needs_signals
from tests.sampling import sampled
from tests.waiting import PATIENCE

LIST = CREDIT_LIST.path
COMMAND = [sys.executable, "-m", "mock_webshare"]
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
SECRET = "a-very-secret-key"


def get(url: str, key: str = SECRET) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={"Authorization": f"Token {key}"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def send(url: str, request: bytes) -> bytes:
    """Send bytes that no HTTP client would, and return what comes back first."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(request)
        return connection.recv(65536)


def line(stream: IO[bytes] | None) -> str:
    assert stream
    return stream.readline().decode().rstrip("\n")


@contextmanager
def serving(*options: str, **variables: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run `mock-webshare serve` and yield the process and the URL that it printed."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | variables,
    )
    with process:
        try:
            yield process, line(process.stdout)
        finally:
            process.kill()


class TestMockServer:
    def test_it_serves_from_the_first_moment_on(self) -> None:
        with MockServer() as server:
            assert get(server.url + LIST)[0] == 200

    def test_the_port_is_free_again_afterwards(self) -> None:
        with MockServer() as server:
            port = int(server.url.rpartition(":")[2])
        with MockServer(Settings(port=port)) as again:
            assert again.url == f"http://127.0.0.1:{port}"

    def test_two_at_once_do_not_meet(self) -> None:
        with MockServer() as one, MockServer(Settings(port=0, api_keys=("other",))) as other:
            assert (get(one.url + LIST)[0], get(other.url + LIST)[0]) == (200, 401)

    def test_it_can_be_started_again(self) -> None:
        server = MockServer()
        for _ in range(2):
            with server:
                assert get(server.url + LIST)[0] == 200

    def test_twice_at_once_is_refused(self) -> None:
        with MockServer() as server, pytest.raises(ServerError, match="runs already"):
            server.start()

    def test_without_running_it_has_no_url(self) -> None:
        with pytest.raises(ServerError, match="does not run"):
            _ = MockServer().url

    def test_an_error_is_raised_by_start(self, tmp_path: object) -> None:
        path = f"{tmp_path}/set.json"
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("[]")
        server = MockServer(Settings(port=0, data=path))
        for _ in range(50):  # whichever thread is first, the error is raised
            with pytest.raises(DataError):
                server.start()
        assert "stopped" in repr(server)

    def test_a_call_that_comes_when_the_loop_closes_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        server, calls, is_queued = MockServer(), ThreadPoolExecutor(), threading.Event()

        class Loop(asyncio.SelectorEventLoop):
            def call_soon_threadsafe(  # type: ignore[override]  # whatever its arguments
                self, *args: Any, **options: Any
            ) -> asyncio.Handle:
                handle = super().call_soon_threadsafe(*args, **options)
                is_queued.set()
                return handle

            def close(self) -> None:
                is_queued.clear()
                late.append(calls.submit(server.worlds))
                is_queued.wait(PATIENCE)
                super().close()

        late: list[Future[dict[str, int]]] = []
        monkeypatch.setattr("asyncio.new_event_loop", Loop)
        with server:
            pass
        with pytest.raises(ServerError, match="does not run"):
            late[0].result(PATIENCE)
        calls.shutdown()

    def test_a_call_after_the_server_has_failed_is_refused(self) -> None:
        ended: Future[BaseException] = Future()
        server = MockServer(failed=ended.set_result)
        with server:
            server.call(lambda worlds: asyncio.get_running_loop().stop())
            assert isinstance(ended.result(PATIENCE), RuntimeError)
            with pytest.raises(ServerError, match="does not run"):
                server.worlds()

    @needs_fork
    def test_a_call_in_a_forked_process_is_refused(self) -> None:
        program = """if True:
            import os, signal
            from mock_webshare import MockServer
            from mock_webshare.errors import ServerError

            with MockServer() as server:
                if pid := os.fork():
                    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), server.worlds()["worlds"])
                else:
                    signal.alarm(30)
                    try:
                        server.worlds()
                    except ServerError:
                        os._exit(3)
        """
        command = [sys.executable, "-c", program]
        assert subprocess.run(command, capture_output=True, text=True, timeout=60).stdout == "3 0\n"

    def test_no_thread_stays(self) -> None:
        before = threading.active_count()
        with MockServer():
            pass
        assert threading.active_count() == before


def refuse(error: BaseException) -> Callable[..., NoReturn]:
    def refused(*_: object, **__: object) -> NoReturn:
        raise error

    return refused


class Blocked(RuntimeError):
    """What a plugin of a test suite raises that forbids sockets."""


class BlockedSocket(socket.socket):
    def __init__(self, *_: object, **__: object) -> None:
        raise Blocked


NO_FILES = OSError(errno.EMFILE, "Too many open files")
FAILURES = [
    ("socket.socketpair", refuse(PermissionError("refused")), ServerError),
    ("socket.socket", BlockedSocket, Blocked),
    ("selectors.DefaultSelector", refuse(NO_FILES), ServerError),
    ("asyncio.new_event_loop", refuse(MemoryError()), MemoryError),
    ("asyncio.new_event_loop", refuse(SystemExit(3)), SystemExit),
    *(
        [("signal.pthread_sigmask", refuse(ValueError("refused")), ValueError)]
        if hasattr(signal, "pthread_sigmask")
        else []
    ),
    ("threading.Thread.start", refuse(RuntimeError("can't start new thread")), RuntimeError),
    ("mock_webshare.server.thread.running_app", refuse(ImportError("no aiohttp")), ImportError),
    ("mock_webshare.server.thread.running_app", refuse(KeyboardInterrupt()), KeyboardInterrupt),
    ("mock_webshare.server.thread.running_app", refuse(asyncio.CancelledError()), BaseException),
    ("mock_webshare.server.running.create_app", refuse(RecursionError()), RecursionError),
]
NAMES = [f"{name} {error.__name__}" for name, _, error in FAILURES]


class TestAStartThatFails:
    @pytest.mark.parametrize(("name", "refused", "error"), FAILURES, ids=NAMES)
    def test_it_raises_what_ended_the_thread(
        self, name: str, refused: object, error: type[BaseException]
    ) -> None:
        server, threads = MockServer(), threading.active_count()
        with pytest.MonkeyPatch.context() as patch, pytest.raises(error):
            patch.setattr(name, refused)
            server.start()
        gc.collect()  # a loop that was not closed would complain
        assert threading.active_count() == threads
        server.stop()
        with server:
            assert get(server.url + LIST)[0] == 200

    @needs_limits
    def test_with_however_few_files_it_may_open(self) -> None:
        program = """if True:
            import asyncio, gc, os, resource
            from mock_webshare import MockServer, running_server
            from mock_webshare.errors import ServerError

            async def run():
                async with running_server():
                    pass

            def attempt(act):
                try:
                    act()
                except ServerError as error:
                    return "Too many open files" in str(error)
                except OSError as error:
                    return error.strerror == "Too many open files"

            server = MockServer()
            with server:
                asyncio.run(run())  # all that is ever opened for an import has been
            usual = resource.getrlimit(resource.RLIMIT_NOFILE)
            lowest = os.dup(0)
            os.close(lowest)
            outcomes = []
            for spare in range(9):
                for act in (server.start, lambda: asyncio.Runner(loop_factory=lambda: loop).run(run())):
                    loop = asyncio.new_event_loop()
                    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 3 + spare, usual[1]))
                    outcomes.append(attempt(act))
                    resource.setrlimit(resource.RLIMIT_NOFILE, usual)
                    loop.close()
                    server.stop()
                    gc.collect()
            print(outcomes)
            with server:
                print(server.url)
        """
        command = [sys.executable, "-W", "error", "-c", program]
        process = subprocess.run(command, capture_output=True, text=True, timeout=60)
        outcomes, url = process.stdout.splitlines()
        assert process.stderr == ""
        assert outcomes.startswith("[True, ") and outcomes.endswith(", None]") and "False" not in outcomes
        assert url.startswith("http://127.0.0.1:")

    @pytest.mark.exhaustive
    @needs_limits
    @pytest.mark.parametrize("arguments", sampled([("serve", "--port", "0"), ("run", "--", "true")]))
    def test_the_command_line_reports_that_no_more_files_may_be_opened(
        self, arguments: tuple[str, ...]
    ) -> None:
        program = """if True:
            import resource, sys
            from mock_webshare import cli
            from mock_webshare.server import process_guard, thread  # opened for an import, no more is
            resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv.pop(1)),) * 2)
            cli.main()
        """
        # Where coverage is measured, it would need files too.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
        errors = []
        for limit in range(4, 64):
            command = [sys.executable, "-c", program, str(limit), *arguments]
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ
            ) as process:
                if line(process.stdout) or not process.wait(PATIENCE):
                    process.kill()
                    break
                assert process.stderr
                errors.append((process.stderr.read().decode(), process.returncode))
        assert errors
        for message, code in errors:
            assert message.startswith("mock-webshare: cannot ") and message.endswith("Too many open files\n")
            assert (message.count("\n"), "output" in message, code) == (1, False, 2)

    async def test_an_asynchronous_user_sees_it_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("socket.socket", BlockedSocket)
            with pytest.raises(Blocked):
                async with running_server():
                    pass
        gc.collect()
        async with running_server() as url:
            assert url.startswith("http://127.0.0.1:")


async def test_an_asynchronous_user_has_a_context_too() -> None:
    async with running_server() as url:
        assert url.startswith("http://127.0.0.1:")


async def test_a_taken_port_is_named_with_what_to_do() -> None:
    async with running_server() as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(ServerError, match=f"127.0.0.1:{port}: .*choose another port, or 0"):
            async with running_server(Settings(port=port)):
                pass


async def test_a_host_that_does_not_exist_is_named() -> None:
    with pytest.raises(ServerError, match=r"nowhere\.invalid"):
        async with running_server(Settings(host="nowhere.invalid")):
            pass


async def test_an_ipv6_address_stands_in_brackets() -> None:
    try:
        async with running_server(Settings(host="::1", port=0)) as url:
            assert url.startswith("http://[::1]:")
    except ServerError as error:  # a machine without IPv6 says so
        assert "[::1]:0" in str(error)


def test_the_log_has_a_line_for_each_request_and_no_key() -> None:
    log = io.StringIO()
    with MockServer(log=log) as server:
        get(f"{server.url}{LIST}?key={SECRET}")
        get(server.url + "/caf%C3%A9")
    first, second = log.getvalue().splitlines()
    assert re.fullmatch(rf"{TIME} GET {LIST} 200 \d+\.\d ms", first)
    assert re.fullmatch(
        rf"{TIME} GET /caf%C3%A9 404 \d+\.\d ms reason: unknown-path hint:path\.unknown hint: .+", second
    )
    assert SECRET not in log.getvalue()


@needs_signals
def test_invalid_http_is_refused_without_a_traceback() -> None:
    with serving() as (process, url):
        for request in (
            b"nonsense\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Token a-very-secret-key\0\r\n\r\n",
            b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        ):
            assert b" 400 " in send(url, request)
        process.send_signal(signal.SIGTERM)
        assert process.stderr
        log = process.stderr.read().decode()
    assert "Traceback" not in log
    assert SECRET not in log
    assert log.count(" 400 ") == 3


def test_a_client_of_http_1_0_without_a_host_gets_links_to_the_address() -> None:
    with MockServer() as server:
        response = send(server.url, f"GET {LIST} HTTP/1.0\r\nAuthorization: Token key\r\n\r\n".encode())
        assert f'"next":"{server.url}{LIST}?page=2"'.encode() in response


def test_links_to_an_ipv6_address_have_brackets() -> None:
    assert Settings(host="::1", port=80).authority == "[::1]:80"


@pytest.mark.parametrize("host", ["a..b", "a" * 70])
def test_a_host_that_cannot_be_one_is_named(host: str) -> None:
    with pytest.raises(ServerError, match=host):
        MockServer(Settings(host=host)).start()


def test_the_log_has_the_path_alone_of_a_target_that_names_a_user() -> None:
    log = io.StringIO()
    with MockServer(log=log) as server:
        target = f"http://user:{SECRET}@example.com{LIST}?q={SECRET}"
        send(server.url, f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert re.match(rf"{TIME} GET {LIST} 401 ", log.getvalue())
    assert SECRET not in log.getvalue()


def test_a_log_that_is_closed_is_ignored() -> None:
    log = io.StringIO()
    with MockServer(log=log) as server:
        log.close()
        assert get(server.url + LIST)[0] == 200


@needs_signals
@pytest.mark.parametrize("number", sampled([signal.SIGINT, signal.SIGTERM]))
def test_a_signal_ends_it_cleanly_though_a_client_keeps_its_connection(number: signal.Signals) -> None:
    with serving() as (process, url):
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))):
            assert get(url + LIST)[0] == 200
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
        assert line(process.stdout) == ""


@needs_signals
@pytest.mark.exhaustive
def test_signals_that_come_again_and_again_end_it_cleanly_too() -> None:
    for _ in range(5):
        with serving() as (process, _):
            for _ in range(4):
                process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0


@needs_signals
@pytest.mark.exhaustive
def test_two_signals_at_once_end_it_silently() -> None:
    for first, second in 5 * [(signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)]:
        with serving() as (process, _):
            process.send_signal(first)
            process.send_signal(second)
            assert process.stderr
            assert (process.stderr.read(), process.wait(PATIENCE)) == (b"", 0)


@needs_signals
@pytest.mark.parametrize("number", sampled([signal.SIGINT, signal.SIGTERM]))
def test_a_signal_while_it_starts_ends_it_cleanly_too(number: signal.Signals, tmp_path: Path) -> None:
    # This module is imported in place of the first heavy one: it waits for a line, then imports that one.
    (tmp_path / "aiohttp.py").write_text(
        "import sys; print('importing', flush=True); input()\n"
        f"sys.path.remove({str(tmp_path)!r}); del sys.modules['aiohttp']; import aiohttp\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    with process:
        assert line(process.stdout) == "importing"
        process.send_signal(number)
        assert (*process.communicate(b"\n", timeout=PATIENCE), process.returncode) == (b"", b"", 0)


@needs_signals
def test_a_signal_while_the_data_is_made_ends_it_too() -> None:
    program = (
        "import io, os, sys; from mock_webshare.cli import Streams, run, serve; "
        "serve.progress_bar = lambda *_: lambda done, total: print(done, flush=True); "
        "run(('serve', '--port', '0', '--credits', '1000000'), "
        "Streams(io.BytesIO(), sys.stdout, sys.stderr), os.environ)"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert line(process.stdout).isdecimal()  # so many are made
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert line(process.stderr) == ""


def test_options_are_read_from_the_environment() -> None:
    variables = {"MOCK_WEBSHARE_API_KEY": "one two", "MOCK_WEBSHARE_MAX_PAGE_SIZE": "3"}
    with serving(**variables) as (_, url):
        assert [get(url + LIST, key)[0] for key in ("one", "two", "three")] == [200, 200, 401]
        assert get(f"{url}{LIST}?page_size=9", "one")[1].count(b'"user_id"') == 3


def test_a_public_url_is_where_links_begin() -> None:
    with serving("--public-url", "https://proxy.example.com/") as (_, url):
        assert f'"next":"https://proxy.example.com{LIST}?page=2"'.encode() in get(url + LIST)[1]


def test_all_errors_are_one_family() -> None:
    assert issubclass(ServerError, MockWebshareError)
