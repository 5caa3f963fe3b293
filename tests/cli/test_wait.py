"""The command `wait`, against mock servers, other servers, and none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mock_webshare import MockServer, Settings
from mock_webshare.cli.wait import problem_at, wait_for
from tests.cli import Run
from tests.waiting import PATIENCE

NOWHERE = "http://127.0.0.1:1"
READY = b'{"status":"ready"}'
HEAD = b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n%b\r\n"
OURS = b"Mock-Webshare-Version: 1\r\n"


@contextmanager
def responding(response: bytes) -> Iterator[str]:
    """Serve one response, whatever is requested, and yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def respond() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(response)

        thread = threading.Thread(target=respond)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with MockServer() as server:
        yield server.url


@pytest.mark.parametrize("end", ["", "/"])
def test_it_is_silent_where_a_mock_server_is_ready(url: str, end: str) -> None:
    run = Run("wait", url + end, "--timeout", PATIENCE)
    assert (run.code, run.out, run.err) == (0, "", "")


def test_a_token_for_the_control_plane_is_not_needed() -> None:
    with MockServer(Settings(port=0, control_token="a-long-token")) as server:
        assert Run("wait", server.url, "--timeout", PATIENCE).code == 0


def test_without_a_server_it_says_so_in_one_line() -> None:
    run = Run("wait", NOWHERE, "--timeout", "0.2")
    assert (run.code, run.out) == (1, "")
    assert run.err == f"mock-webshare: no mock server at {NOWHERE} within 0.2 seconds: Connection refused\n"


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        (("--port", "{port}"), {}),
        (("--host", "127.0.0.1", "--port", "{port}"), {}),
        ((), {"MOCK_WEBSHARE_PORT": "{port}"}),
        ((), {"MOCK_WEBSHARE_PORT": "{port}", "MOCK_WEBSHARE_HOST": "0.0.0.0"}),
        (("--port", "{port}"), {"MOCK_WEBSHARE_PORT": "1"}),
    ],
)
def test_the_default_is_where_serve_listens(
    url: str, options: tuple[str, ...], variables: dict[str, str]
) -> None:
    port = url.rpartition(":")[2]
    given = [each.format(port=port) for each in options]
    environ = {name: value.format(port=port) for name, value in variables.items()}
    assert Run("wait", *given, "--timeout", PATIENCE, environ=environ).code == 0


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        (HEAD % (b"200 OK", 18, b"") + READY, "another server responds"),
        (HEAD % (b"404 Not Found", 0, b""), "another server responds"),
        (HEAD % (b"302 Found", 0, b"Location: http://127.0.0.1:1/\r\n"), "another server responds"),
        (HEAD % (b"403 Forbidden", 2, OURS) + b"{}", "it responds with status 403"),
        (HEAD % (b"200 OK", 2, OURS) + b"{}", "it responds with status 200"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "it does not speak HTTP"),
        (b"", "it does not speak HTTP"),
    ],
)
def test_another_server_is_not_taken_for_a_mock_server(response: bytes, problem: str) -> None:
    with responding(response) as url:
        assert problem_at(url, PATIENCE) == problem


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
@pytest.mark.parametrize("end", ["", "/"])
def test_a_url_without_a_scheme_is_one_of_http(url: str, host: str, end: str) -> None:
    port = url.rpartition(":")[2]
    assert Run("wait", f"{host}:{port}{end}", "--timeout", PATIENCE).code == 0


def test_a_variable_for_the_port_goes_with_a_url(url: str) -> None:
    run = Run("wait", url, "--timeout", PATIENCE, environ={"MOCK_WEBSHARE_PORT": "1"})
    assert (run.code, run.err) == (0, "")


def test_a_server_that_never_responds_does_not_keep_it_waiting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert problem_at(f"http://127.0.0.1:{listener.getsockname()[1]}", 0.1) is not None


def test_a_host_that_cannot_be_one_is_a_problem_like_any_other() -> None:
    assert problem_at(f"http://{'a' * 70}.example", PATIENCE) is not None


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_is_not_contacted(url: str, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, NOWHERE)
    assert Run("wait", url, "--timeout", PATIENCE).code == 0


@pytest.mark.parametrize(
    ("wrong", "allowed"),
    [
        (("http://user:password@127.0.0.1",), "scheme and host only"),
        (("http://127.0.0.1:8765/api/v2",), "scheme and host only"),
        (("127.0.0.1:8765/api/v2",), "scheme and host only"),
        (("user:password@localhost:8765",), "scheme and host only"),
        ((":8765",), "scheme and host only"),
        (("8765",), "write --port PORT"),
        (
            ("http://127.0.0.1:8765", "--port", "1"),
            "--port cannot go with URL, which names",
        ),
        (("-p", "8765", "localhost"), "--port cannot go with URL"),
        (("127.0.0.1:8765", "--host", "::1"), "--host cannot go with URL"),
        (("-H", "a", "http://b", "-p", "1"), "--host and --port cannot go with URL"),
        (("ftp://127.0.0.1",), "scheme and host only"),
        (("http://127.0.0.1:70000",), "scheme and host only"),
        (("--timeout", "soon"), "0 to 3600 seconds"),
        (("--timeout=-1",), "0 to 3600 seconds"),
        (("--timeout", "1e3"), "0 to 3600 seconds"),
        (("--timeout", "inf"), "0 to 3600 seconds"),
        (("--timeout", "3601"), "0 to 3600 seconds"),
        (("--timeout", "."), "0 to 3600 seconds"),
        (("--port", "70000"), "to 65535"),
    ],
)
def test_a_wrong_argument_is_refused(wrong: tuple[str, ...], allowed: str) -> None:
    run = Run("wait", *wrong)
    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert allowed in run.err and "password" not in run.err


class Clock:
    """A clock that advances only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("seconds", [0, 0.05, 1, 30])
def test_it_gives_up_when_the_time_is_over(seconds: float) -> None:
    clock, limits = Clock(), list[float]()

    def find_problem(limit: float) -> str:
        limits.append(limit)
        return "refused"

    assert wait_for(find_problem, seconds, lambda: clock.now, clock.sleep) == "refused"
    assert clock.now <= seconds and seconds - clock.now < 0.2
    assert max(limits) <= 5


def test_it_ends_as_soon_as_there_is_no_problem() -> None:
    clock, problems = Clock(), iter(["refused", "refused", None])
    assert wait_for(lambda _: next(problems), 30, lambda: clock.now, clock.sleep) is None
    assert clock.now == pytest.approx(0.2)
