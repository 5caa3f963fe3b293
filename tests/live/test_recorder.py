"""The recorder between real clients and a service: what it forwards, what it keeps, what a kill leaves."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

import pytest
from webshare import NotFoundError, Webshare

from mock_webshare import MockServer, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.exchange.model import Exchange, write_line
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.reports import text
from mock_webshare.judge.run import judge
from mock_webshare.live.recording import LiveValidation
from mock_webshare.recordings.dataset import replay
from mock_webshare.service.data import dataset
from tests.capabilities import needs_signals
from tests.cli import Run
from tests.conformance.dataset import edge_cases
from tests.conformance.reference import reference_server
from tests.recordings import read_exchanges as read
from tests.sampling import sampled, sampled_rows
from tests.waiting import PATIENCE, until

pytestmark = needs_signals
LIST = CREDIT_LIST.path
KEY = "aVerySecretKeyThatNobodyMaySee"
FORMS = (
    "traffic.ndjson",
    pytest.param("traffic.har", marks=pytest.mark.exhaustive),
    pytest.param("traffic", marks=pytest.mark.exhaustive),
)


def line(stream: IO[bytes] | None) -> str:
    assert stream
    return stream.readline().decode().rstrip("\n")


@contextmanager
def recording(upstream: str, out: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run `mock-webshare record` and yield the process and the URL that it printed."""
    command = [sys.executable, "-m", "mock_webshare", "record", "--upstream", upstream, "--output", str(out)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WEBSHARE")}
    # In a session of its own: while a test stops a process, the kernel may send SIGHUP to its whole group.
    process = subprocess.Popen(
        [*command, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        start_new_session=True,
    )
    with process:
        try:
            yield process, line(process.stdout)
        finally:
            process.kill()


def connect(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def stop(process: subprocess.Popen[bytes]) -> str:
    """End a recorder as Ctrl-C does, and return its standard error."""
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    return errors.decode()


def get(url: str, method: str = "GET", data: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
    class Opener(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    request = urllib.request.Request(url, data, {"Authorization": f"Token {KEY}", **headers}, method=method)
    try:
        with urllib.request.build_opener(Opener).open(request, timeout=PATIENCE) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def writing_processes(pid: int) -> list[int]:
    """Return the ids of the processes that a recorder has started, in the order of their start."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return [each for child in map(int, children) for each in (child, *writing_processes(child))]


@pytest.fixture(params=sampled(["mock", "reference"]))
def upstream(request: pytest.FixtureRequest, server: MockServer) -> Iterator[str]:
    """The URL of a service: the mock server, and the real framework."""
    if request.param == "mock":
        yield server.url
    else:
        with reference_server(edge_cases()) as url:
            yield url


@pytest.mark.parametrize("form", FORMS)
def test_the_official_client_works_through_the_recorder(upstream: str, form: str, tmp_path: Path) -> None:
    out = tmp_path / form
    with recording(upstream, out) as (process, url):
        with Webshare(api_key=KEY, base_url=url) as client:
            ids = [credit.id for credit in client.referral.list_credits(page_size=40)]
            assert client.referral.get_credit(ids[0]).id == ids[0]
            with pytest.raises(NotFoundError):
                client.referral.get_credit(999_999_999)
        log = stop(process)
        assert process.returncode == 0
    exchanges = read(out)
    assert len(ids) == len(set(ids)) and len(ids) > 90
    assert [each.status for each in exchanges] == [200] * (len(exchanges) - 1) + [404]
    assert [each.entry for each in exchanges][-1] is None or len(exchanges) > 1
    assert all(each.url and each.url.startswith(upstream + LIST) for each in exchanges)
    assert json.loads(exchanges[0].body)["next"].startswith(upstream + LIST)
    assert all(each.request_header("host") == upstream.removeprefix("http://") for each in exchanges)
    assert {each.request_header("authorization") for each in exchanges} == {"Token REDACTED-1"}
    assert all(each.started and each.seconds is not None for each in exchanges)
    assert log.count(f"GET {LIST} 200 ") == len(exchanges) - 2
    assert KEY not in log
    files = sorted(out.iterdir()) if out.is_dir() else [out]
    assert all(
        KEY not in each.read_text(encoding="utf-8") and stat.S_IMODE(each.stat().st_mode) == 0o600
        for each in files
    )
    assert not [each for each in tmp_path.iterdir() if each != out]


@pytest.mark.parametrize("form", FORMS)
def test_a_recording_can_be_replayed(upstream: str, form: str, tmp_path: Path) -> None:
    out, data = tmp_path / form, tmp_path / "data.json"
    with recording(upstream, out) as (process, url):
        with Webshare(api_key=KEY, base_url=url) as client:
            theirs = list(client.referral.list_credits(page_size=40))
        stop(process)
    data.write_text(json.dumps(replay(read(out)).document), encoding="utf-8")
    with (
        MockServer(Settings(port=0, data=str(data))) as again,
        Webshare(api_key="any", base_url=again.url) as client,
    ):
        assert list(client.referral.list_credits(page_size=40)) == theirs


@pytest.mark.parametrize("number", sampled([signal.SIGINT, signal.SIGTERM]))
def test_a_signal_ends_the_recorder_at_once_and_cleanly(
    server: MockServer, number: signal.Signals, tmp_path: Path
) -> None:
    with recording(server.url, tmp_path / "a.har") as (process, url):
        with connect(url):  # a client that keeps its connection
            get(url + LIST)
            process.send_signal(number)
            process.send_signal(number)
            assert process.wait(PATIENCE) == 0
        assert line(process.stdout) == ""
    assert [each.name for each in tmp_path.iterdir()] == ["a.har"]


def test_listening_beyond_loopback_is_warned_of(server: MockServer, tmp_path: Path) -> None:
    with recording(server.url, tmp_path / "a.ndjson", "--host", "0.0.0.0") as (process, _):
        assert "warning: anyone who can reach '0.0.0.0' can use the proxy" in stop(process)


def test_curl_gets_the_responses_of_the_service(upstream: str, tmp_path: Path) -> None:
    targets = [
        f"{LIST}?page_size=2&page=2&z=%20&ordering=-id",
        f"{LIST}?mode=bogus",
        "/api/v2/referral/credit?a=b%2Fc",
        "/nothing/here/%FF",
        f"{LIST}?page=9999",
    ]
    with recording(upstream, tmp_path / "a.ndjson") as (_, url):
        for target in targets:
            for options in ([], ["-I"], ["-X", "OPTIONS"], ["-X", "POST", "-d", "a=b"]):
                direct, through = (
                    subprocess.run(
                        [
                            "curl",
                            "-si",
                            "--compressed",
                            "-H",
                            f"Authorization: Token {KEY}",
                            *options,
                            base + target,
                        ],
                        capture_output=True,
                        check=True,
                    ).stdout
                    for base in (upstream, url)
                )
                assert _comparable(through.replace(url.encode(), upstream.encode())) == _comparable(direct)


def _comparable(response: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """Return status, headers and body, without headers about the server and the connection."""
    head, _, body = response.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(b": ") for each in lines)}
    for name in (b"date", b"server", b"connection", b"content-length"):
        headers.pop(name, None)
    if not body:  # aiohttp names a type even then
        headers.pop(b"content-type", None)
    return b" ".join(status.split()[1:2]), headers, body


class Service(ThreadingHTTPServer):
    """A service that sends the status, headers and body that a test sets."""

    response: tuple[int, list[tuple[str, str]], bytes] | None = (200, [], b"")
    missing = 0
    """Bytes of the body that `Content-Length` counts and that are never sent."""
    seen: list[tuple[str, str, list[tuple[str, str]], bytes]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def do(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, self.headers.items(), body))
        if self.server.response is None:
            self.close_connection = True
            return
        status, headers, content = self.server.response
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(content) + self.server.missing))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = self.server.missing > 0

    do_GET = do_POST = do_PATCH = do

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def service() -> Iterator[Service]:
    with Service(("127.0.0.1", 0), Handler) as service:
        service.seen = []
        thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield service
        service.shutdown()
        thread.join()


def address(service: Service) -> str:
    return f"http://127.0.0.1:{service.server_port}"


def test_a_request_is_forwarded_unchanged(service: Service, tmp_path: Path) -> None:
    with recording(address(service), tmp_path / "a.ndjson") as (_, url), connect(url) as connection:
        connection.sendall(
            b"POST /a%2fb/../c?d=%7e&&e HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nConnection: close, X-Gone\r\n"
            b"X-Gone: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nAccept-Encoding: br\r\nX-A: \xc3\xa9\r\n"
            b"Content-Length: 2\r\n\r\nhi"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
    ((method, path, headers, body),) = service.seen
    assert (method, path, body) == ("POST", "/a%2fb/../c?d=%7e&&e", b"hi")
    assert [(name, value) for name, value in headers if name != "Content-Length"] == [
        ("Host", address(service).removeprefix("http://")),
        ("X-A", "1"),
        ("X-A", "Ã©"),
        ("Accept-Encoding", "identity"),
    ]


def test_response_headers_are_returned_unchanged(service: Service, tmp_path: Path) -> None:
    # The server of the test writes Latin-1.
    service.response = (200, [("X-A", "1"), ("X-A", "\xc3\xa9"), ("X-B", "a\x7fb"), ("Trailer", "X")], b"")
    out = tmp_path / "a.ndjson"
    with recording(address(service), out) as (process, url):
        _, headers, _ = get(url + "/")
        stop(process)
    assert headers.get_all("X-A") == ["1", "\xc3\xa9"]
    assert "X-B" not in headers and "Trailer" not in headers
    (exchange,) = read(out)
    assert exchange.header("x-a") == "1, \xc3\xa9" and exchange.header("x-b") == "a\x7fb"


def test_a_header_that_is_not_utf_8_cannot_be_forwarded(service: Service, tmp_path: Path) -> None:
    out = tmp_path / "a.ndjson"
    with recording(address(service), out) as (process, url):
        status, _, body = get(url + "/", Authorization="Token \xff")
        stop(process)
    assert status == 502 and body.endswith(b"sent no response: a header of the request is not UTF-8\n")
    assert [each.request_header("authorization") for each in read(out)] == ["Token REDACTED-1\xff"]


def test_a_compressed_response_is_kept_and_returned_decompressed(service: Service, tmp_path: Path) -> None:
    page = json.dumps({"next": f"{address(service)}/a", "detail": f"{address(service)}/a"}).encode()
    service.response = (
        200,
        [("Content-Encoding", "gzip"), ("Content-Type", "application/json")],
        gzip.compress(page),
    )
    out = tmp_path / "a.ndjson"
    with recording(address(service), out) as (process, url):
        _, headers, body = get(url + "/")
        stop(process)
    assert "Content-Encoding" not in headers
    assert json.loads(body) == {"next": f"{url}/a", "detail": f"{address(service)}/a"}
    assert [each.body for each in read(out)] == [page]


def test_redirects_are_returned_and_lead_to_the_recorder(service: Service, tmp_path: Path) -> None:
    with recording(address(service), tmp_path / "a.ndjson") as (_, url):
        for location, expected in [
            (f"{address(service)}/b?c", f"{url}/b?c"),
            (address(service) + "0/b", address(service) + "0/b"),
            ("https://elsewhere.example.com/", "https://elsewhere.example.com/"),
            ("/b", "/b"),
        ]:
            service.response = (302, [("Location", location)], b"")
            status, headers, _ = get(url + "/a")
            assert (status, headers["Location"]) == (302, expected)


def test_a_missing_response_is_a_502_and_a_record(service: Service, tmp_path: Path) -> None:
    service.response = None
    out = tmp_path / "a.ndjson"
    with recording(address(service), out) as (process, url):
        status, _, body = get(f"{url}/a?token=abc")
        log = stop(process)
    assert status == 502
    assert (
        body.decode()
        == f"mock-webshare record: {address(service)} sent no response: it closed the connection\n"
    )
    assert [(each.status, each.url) for each in read(out)] == [
        (None, f"{address(service)}/a?token=REDACTED-1")
    ]
    assert log == "GET /a no response\n"


@pytest.mark.parametrize("form", FORMS)
def test_status_and_headers_of_an_incomplete_response_are_kept(
    service: Service, form: str, tmp_path: Path
) -> None:
    headers = [("Content-Type", "application/json"), ("Allow", "GET, HEAD, OPTIONS"), ("X-Key", KEY)]
    service.response = (200, headers, b'{"count":')
    service.missing = 10
    out = tmp_path / form
    with recording(address(service), out, "--validate") as (process, url):
        status, _, body = get(url + LIST)
        log = stop(process)
        assert process.returncode == 2
    assert (status, body.decode()) == (
        502,
        f"mock-webshare record: {address(service)} sent an incomplete response: "
        "the body was cut off or cannot be decompressed\n",
    )
    (exchange,) = read(out)
    assert (exchange.status, exchange.body, exchange.is_body_known) == (200, b"", False)
    assert exchange.header("content-type") == "application/json"
    assert exchange.header("x-key") == "REDACTED-1"
    assert exchange.header("content-length") == "19"
    assert log.startswith(f"GET {LIST} 200 without its body\n")
    assert "no body recorded" in log.splitlines()[-1]


def test_a_service_that_does_not_listen_is_named(tmp_path: Path) -> None:
    with recording("http://127.0.0.1:9", tmp_path / "a.ndjson") as (_, url):
        assert b"sent no response: Connect call failed" in get(url + "/")[2]


def test_requests_that_cannot_be_forwarded_are_refused(service: Service, tmp_path: Path) -> None:
    out = tmp_path / "a.ndjson"
    with recording(address(service), out) as (process, url):
        for request in (
            b"GET http://example.com/ HTTP/1.1\r\nHost: a\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
            f"nonsense {KEY}\r\n\r\n".encode(),
        ):
            with connect(url) as connection:
                connection.sendall(request)
                assert b" 400 " in connection.recv(1000)
        assert KEY not in stop(process)
    assert service.seen == [] and read(out) == []


@pytest.mark.parametrize("form", FORMS)
def test_an_existing_recording_is_kept_and_can_be_appended_to(
    server: MockServer, form: str, tmp_path: Path
) -> None:
    out = tmp_path / form
    for options in ([], ["--append"]):
        with recording(server.url, out, *options) as (process, url):
            get(url + LIST)
            stop(process)
    assert len(read(out)) == 2
    with recording(server.url, out) as (process, url):
        assert url == ""
        assert b"already exists; add to it with --append" in process.communicate()[1]
        assert process.returncode == 2
    assert len(read(out)) == 2


@pytest.mark.parametrize("form", FORMS)
def test_appended_exchanges_have_pseudonyms_of_their_own(form: str, tmp_path: Path) -> None:
    """Two accounts have other credits of the same id: taken for one key, they would break the contract."""
    out = tmp_path / form
    for seed, key in enumerate(("accountA1", "accountB1", "accountA1")):
        with (
            MockServer(Settings(port=0, seed=seed)) as upstream,
            recording(upstream.url, out, "--append") as (process, url),
        ):
            for target in (f"{LIST}?email={seed}@a.io", f"{LIST}REDACTED-40/" if seed == 1 else LIST):
                get(url + target, Authorization=f"Token {key}")
            stop(process)
    exchanges = read(out)
    keys = [each.request_header("authorization") for each in exchanges]
    mails = [str(each.url).partition("=")[2] for each in exchanges[::2]]
    assert keys[::2] == keys[1::2] and len(set(keys)) == len(set(mails)) == 3
    assert keys[0] == "Token REDACTED-2" and mails[2] == "redacted-41@example.com"
    assert judge(exchanges, Options()).findings == ()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("after", sampled(range(1, 24, 3)))
def test_a_kill_leaves_a_whole_recording_of_all_responses(
    server: MockServer, after: int, form: str, tmp_path: Path
) -> None:
    out = tmp_path / form
    with recording(server.url, out) as (process, url):
        received = _requests_until_killed(url, process.kill, after=after)
        process.communicate(timeout=PATIENCE)  # until the processes that write have ended too
    exchanges = read(out)
    assert len(exchanges) >= received > 0
    assert all(each.status == 200 and json.loads(each.body)["count"] == 100 for each in exchanges)


def _requests_until_killed(url: str, kill: Callable[[], object], *, after: int) -> int:
    """Request pages with several clients, kill the recorder after so many; return how many they got."""
    counts = [0] * 3

    def request_pages(client: int) -> None:
        with contextlib.suppress(OSError, ConnectionError, Exception):
            while True:
                get(f"{url}{LIST}?page_size=100")
                counts[client] += 1

    threads = [threading.Thread(target=request_pages, args=(client,)) for client in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: sum(counts) >= after)
    kill()
    for thread in threads:
        thread.join()
    return sum(counts)


def test_exchanges_are_validated_as_they_are_recorded(service: Service, tmp_path: Path) -> None:
    credit = dataset.load("default").wire()["credits"][0] | {"amount": "2.50"}
    headers = [("Content-Type", "application/json"), ("Allow", "GET, HEAD, OPTIONS")]
    service.response = (200, headers, json.dumps(credit, separators=(",", ":")).encode())
    with recording(address(service), tmp_path / "a.ndjson", "--validate") as (process, url):
        for _ in range(3):
            get(f"{url}{LIST}{credit['id']}/?token={KEY}")
        log = stop(process)
        assert process.returncode == 1
    assert "object.amount" in log.partition("GET")[2].partition("GET")[0]  # right after the first request
    assert "3 exchanges, 3 judged" in log.splitlines()[-1]
    assert KEY not in log


def test_a_recording_that_keeps_the_contract_has_no_findings(server: MockServer, tmp_path: Path) -> None:
    with recording(server.url, tmp_path / "a.ndjson", "--validate") as (process, url):
        with Webshare(api_key=KEY, base_url=url) as client:
            assert len(list(client.referral.list_credits(page_size=50))) == 100
        log = stop(process)
        assert process.returncode == 0
    assert log.splitlines()[-1].endswith("no findings")


def test_a_recording_in_which_nothing_was_judged_does_not_pass(service: Service, tmp_path: Path) -> None:
    with recording(address(service), tmp_path / "a.ndjson", "--validate") as (process, url):
        get(f"{url}/elsewhere")
        log = stop(process)
    assert process.returncode == 2
    assert "1 exchange, 0 judged" in log.splitlines()[-1]


def test_a_deleted_recording_does_not_pass(server: MockServer, tmp_path: Path) -> None:
    out = tmp_path / "a.ndjson"
    with recording(server.url, out, "--validate") as (process, url):
        get(url + LIST)
        assert line(process.stderr).startswith("GET ")  # it is written
        out.unlink()
        log = stop(process)
    assert process.returncode == 2
    assert "cannot read" in log and log.splitlines()[-1].endswith("1 unreadable")


@pytest.mark.parametrize(
    ("options", "code"),
    sampled_rows(
        [
            (["--fail-on", "note"], 1),
            (["--fail-on", "note", "--max-page-size", "60"], 0),
            ([], 0),
        ],
        kind=lambda row: row[1],
    ),
)
def test_validation_takes_the_options_of_validate(options: list[str], code: int, tmp_path: Path) -> None:
    with (
        MockServer(Settings(port=0, max_page_size=60)) as upstream,
        recording(upstream.url, tmp_path / "a.ndjson", "--validate", *options) as (process, url),
    ):
        get(f"{url}{LIST}?page_size=100")
        log = stop(process)
    assert (process.returncode, "list.page-size-limit" in log) == (code, "60" not in options)


def test_secrets_are_kept_only_with_no_redact(server: MockServer, tmp_path: Path) -> None:
    out = tmp_path / "a.ndjson"
    with recording(server.url, out, "--no-redact") as (process, url):
        get(url + LIST)
        log = stop(process)
    assert KEY in out.read_text(encoding="utf-8")
    assert "warning: the recording will contain keys, cookies and e-mail addresses" in log
    assert KEY not in log


@pytest.fixture
def held(server: MockServer, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, int]]:
    """A recorder with its URL and the id of its writing process, which works on nothing until SIGCONT."""
    with recording(server.url, tmp_path / "a.ndjson") as (process, url):
        *_, writing = writing_processes(process.pid)
        os.kill(writing, signal.SIGSTOP)
        yield process, url, writing


def numbers(path: Path) -> list[str]:
    return [str(each.url).rpartition("=")[2] for each in read(path)]


def request_pages(url: str) -> list[str]:
    """Request pages of 25 KB, more than any pipe holds, and return the numbers that they have."""
    pages = [str(number) for number in range(30)]
    for page in pages:
        assert get(f"{url}{LIST}?page_size=100&n={page}")[0] == 200
    return pages


Held = tuple[subprocess.Popen[bytes], str, int]


def test_clients_get_responses_while_nothing_is_written(held: Held, tmp_path: Path) -> None:
    process, url, writing = held
    pages = request_pages(url)
    assert numbers(tmp_path / "a.ndjson") == []
    os.kill(writing, signal.SIGCONT)
    log = stop(process)
    assert numbers(tmp_path / "a.ndjson") == pages
    assert log.count("GET") == len(pages) and process.returncode == 0


@pytest.mark.parametrize(
    "name", sampled(["SIGKILL", "SIGTERM", "SIGINT"], kind=lambda name: name == "SIGKILL")
)
def test_a_signal_during_the_work_loses_no_exchange(name: str, held: Held, tmp_path: Path) -> None:
    process, url, writing = held
    pages = request_pages(url)
    process.send_signal(signal.Signals[name])
    os.kill(writing, signal.SIGCONT)
    process.communicate(timeout=PATIENCE)
    assert numbers(tmp_path / "a.ndjson") == pages
    assert process.returncode == (-signal.SIGKILL if name == "SIGKILL" else 0)


def test_a_client_that_disconnects_leaves_its_exchange(held: Held, tmp_path: Path) -> None:
    process, url, writing = held
    with connect(url) as connection:
        connection.sendall(f"GET {LIST}?page_size=100&n=0 HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert connection.recv(1)
    assert get(f"{url}{LIST}?n=1")[0] == 200
    os.kill(writing, signal.SIGCONT)
    stop(process)
    assert numbers(tmp_path / "a.ndjson") == ["0", "1"]


def test_a_killed_writing_process_ends_the_recorder(held: Held, tmp_path: Path) -> None:
    process, _, writing = held
    os.kill(writing, signal.SIGKILL)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert errors.decode().endswith("a.ndjson': the process that writes it was killed\n")


@pytest.mark.parametrize("form", FORMS)
def test_a_full_disk_ends_the_recorder(server: MockServer, form: str, tmp_path: Path) -> None:
    resource, out = pytest.importorskip("resource"), tmp_path / form
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux limits the files of others")
    with recording(server.url, out) as (process, url):
        get(f"{url}{LIST}?page_size=1")
        for pid in writing_processes(process.pid):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, 4096))
        status, _, _ = get(url + LIST)
        assert process.wait(PATIENCE) == 2
        assert process.stderr
        assert f"cannot write '{out}': File too large\n".encode() in process.stderr.read()
    assert status == 200  # a client does not wait until an exchange is written
    assert len(read(out)) == 1


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--output", "a.txt"), "allowed: FILE.ndjson, FILE.har, or a folder"),
        (("--upstream", "https://me:secret@example.com"), "allowed: scheme and host only"),
        (("--upstream", "ftp://example.com"), "allowed: scheme and host only"),
        (("--upstream", "https://example.com/api"), "allowed: scheme and host only"),
        (("--fail-on", "note"), "--fail-on has no effect without --validate"),
        (("--validate", "--fail-on", "news"), "allowed: error, warning, note"),
        (("--port", "70000"), "allowed: 0 (a free one) to 65535"),
    ],
)
def test_a_wrong_option_is_reported_in_one_sentence(
    options: tuple[str, ...], part: str, tmp_path: Path
) -> None:
    usual = ("--upstream", "http://127.0.0.1:9", "--output", tmp_path / "a.ndjson", "--port", "0")
    run = Run("record", *usual, *options)
    assert (run.out, run.code) == ("", 2)
    *_, last = run.err.splitlines()
    assert last.startswith("mock-webshare: ") and part in last
    assert "secret" not in run.err


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--output", "no/such/a.ndjson"), "cannot write"),
        (("--host", "nowhere.invalid"), "cannot listen on"),
    ],
)
def test_what_prevents_the_start_is_reported_in_one_sentence(
    options: tuple[str, ...], part: str, tmp_path: Path
) -> None:
    with recording("http://127.0.0.1:9", tmp_path / "a.ndjson", *options) as (process, url):
        output, errors = process.communicate()
    assert (url, output, process.returncode) == ("", b"", 2)
    *_, last = errors.decode().splitlines()
    assert last.startswith("mock-webshare: ") and part in last


def judged(body: str, status: int = 200) -> Exchange:
    headers = (("Content-Type", "application/json"), ("Allow", "GET, HEAD, OPTIONS"))
    return Exchange(
        source="a.ndjson",
        method="GET",
        url=f"https://proxy.webshare.io{LIST}",
        request_headers=(),
        status=status,
        headers=headers,
        body=body.encode(),
    )


def test_a_finding_is_reported_once() -> None:
    validation, wrong = LiveValidation("a.ndjson", Options()), judged('{"count":"1"}')
    assert any("count" in line for line in validation.new_findings(wrong))
    assert list(validation.new_findings(wrong)) == []


def test_the_verdict_is_on_the_whole_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    page = judged('{"count":0,"next":null,"previous":null,"results":[]}')
    path.write_text(write_line(page) + write_line(page), encoding="utf-8")
    verdict = LiveValidation(str(path), Options()).verdict()
    assert (verdict.exchanges, verdict.judged, verdict.exit_code) == (2, 2, 0)


def test_the_verdict_shows_no_secret_of_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(
        write_line(judged(f'{{"count":"{KEY}","next":null,"previous":null,"results":[]}}')), encoding="utf-8"
    )
    report = "\n".join(text.lines(LiveValidation(str(path), Options(), [KEY]).verdict()))
    assert "REDACTED-1" in report and KEY not in report
