"""Company proxies: which one is used for an origin, and that requests go through it."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mock_webshare import MockServer, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.errors import UsageError
from mock_webshare.live.upstream import UpstreamError, connected, proxy_for
from tests.live.test_recorder import get, recording, stop
from tests.recordings import read_exchanges as read
from tests.waiting import PATIENCE

HOST = "service.example"
ORIGIN = f"https://{HOST}"
LIST = CREDIT_LIST.path
USER, PASSWORD = "company-user", "p@ss:word-of-the-proxy"
NETRC = "netrc-secret-that-nobody-sends"
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class ConnectProxy(threading.Thread):
    """An HTTP proxy on loopback that only knows CONNECT, and leads every host to one port."""

    def __init__(self, port: int, status: str = "200 OK") -> None:
        super().__init__(daemon=True)
        self._port, self._status = port, status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.heads: list[str] = []

    def run(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            self.heads.append(head.decode("latin-1"))
            client.sendall(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
            if self._status.startswith("200"):
                with socket.create_connection(("127.0.0.1", self._port)) as upstream:
                    back = threading.Thread(target=copy, args=(upstream, client), daemon=True)
                    back.start()
                    copy(client, upstream)
                    back.join(PATIENCE)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate for `HOST` and its key, made for this run."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={HOST} -keyout key.pem"
    names = f"-addext subjectAltName=DNS:{HOST} -out certificate.pem"
    subprocess.run(f"{command} {names}".split(), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def tls_port(certificate: Path) -> Iterator[int]:
    """The port of a mock server behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket, port: int) -> None:
        with (
            suppress(OSError),
            context.wrap_socket(client, server_side=True) as secured,
            socket.create_connection(("127.0.0.1", port)) as upstream,
        ):
            threading.Thread(target=copy, args=(upstream, secured), daemon=True).start()
            copy(secured, upstream)

    def accept(port: int) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0], port), daemon=True).start()

    with MockServer(Settings(port=0, public_url=ORIGIN)) as server:
        threading.Thread(target=accept, args=(int(server.url.rpartition(":")[2]),), daemon=True).start()
        yield listener.getsockname()[1]
        listener.close()


@contextmanager
def proxy(port: int, status: str = "200 OK") -> Iterator[ConnectProxy]:
    found = ConnectProxy(port, status)
    found.start()
    try:
        yield found
    finally:
        found.close()


@pytest.fixture
def environ(certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment: without any proxy, with a trusted certificate and a `.netrc` for all hosts."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    netrc = "".join(f"machine {host} login a password {NETRC}\n" for host in (HOST, "127.0.0.1"))
    (tmp_path / ".netrc").write_text(f"{netrc}default login a password {NETRC}\n", encoding="utf-8")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "certificate.pem"))
    return monkeypatch


def credentials(head: str) -> str:
    """Return user and password that a proxy was sent; empty if there are none."""
    for line in head.splitlines():
        name, _, value = line.partition(": ")
        if name.lower() == "proxy-authorization":
            return b64decode(value.removeprefix("Basic ")).decode()
    return ""


@pytest.mark.parametrize("user", ["", f"{USER}:p%40ss%3Aword-of-the-proxy@"])
def test_record_goes_through_the_proxy(
    environ: pytest.MonkeyPatch, tls_port: int, tmp_path: Path, user: str
) -> None:
    with proxy(tls_port) as company:
        environ.setenv("HTTPS_PROXY", f"http://{user}{company.address}")
        with recording(ORIGIN, tmp_path / "traffic.ndjson") as (process, url):
            environ.delenv("HTTPS_PROXY")
            status, _, body = get(url + LIST)
            log = stop(process)
    assert (status, body[:10]) == (200, b'{"count":1')
    assert PASSWORD not in log and NETRC not in log
    assert [head.partition("\r\n")[0] for head in company.heads] == [f"CONNECT {HOST}:443 HTTP/1.1"]
    assert credentials(company.heads[0]) == (f"{USER}:{PASSWORD}" if user else "")
    (exchange,) = read(tmp_path / "traffic.ndjson")
    written = (tmp_path / "traffic.ndjson").read_text(encoding="utf-8")
    assert exchange.url == ORIGIN + LIST and exchange.status == 200
    assert NETRC not in written and PASSWORD not in written and "company" not in written


def test_probe_goes_through_the_proxy(environ: pytest.MonkeyPatch, tls_port: int) -> None:
    with proxy(tls_port) as company:
        environ.setenv("https_proxy", company.address)
        command = [sys.executable, "-c", PROBED, ORIGIN]
        result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert result.stdout.startswith("0 broken")
    assert set(head.partition("\r\n")[0] for head in company.heads) == {f"CONNECT {HOST}:443 HTTP/1.1"}


PROBED = """
import asyncio, sys
from mock_webshare.live.prober import Outcome, probe

async def pause(): ...

found = asyncio.run(probe(sys.argv[1], "any", pause=pause))
print(found.count(Outcome.BROKEN), "broken")
"""


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("407 Proxy Authentication Required", "the proxy that the environment names refused the connection"),
        ("403 Forbidden", "the proxy that the environment names refused the connection"),
        ("502 Bad Gateway", "the proxy that the environment names refused the connection"),
    ],
)
async def test_a_proxy_that_refuses_is_the_reason(
    environ: pytest.MonkeyPatch, status: str, reason: str
) -> None:
    with proxy(1, status) as company:
        environ.setenv("HTTPS_PROXY", f"http://{USER}:{USER}@{company.address}")
        async with connected(ORIGIN) as upstream:
            with pytest.raises(UpstreamError) as error:
                await upstream.send("GET", LIST, ())
    assert str(error.value) == f"{ORIGIN} sent no response: {reason}"


async def test_a_proxy_that_is_not_there_is_the_reason(environ: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    environ.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    async with connected(ORIGIN) as upstream:
        with pytest.raises(UpstreamError, match="the proxy that the environment names cannot be reached"):
            await upstream.send("GET", LIST, ())


USED: list[tuple[Mapping[str, str], str, str | None]] = [
    ({}, ORIGIN, None),
    ({"HTTPS_PROXY": "http://p.example:3128"}, ORIGIN, "http://p.example:3128"),
    ({"https_proxy": "p.example:3128"}, ORIGIN, "http://p.example:3128"),
    ({"HTTPS_PROXY": "http://p.example/"}, ORIGIN, "http://p.example/"),
    ({"HTTPS_PROXY": "https://p.example"}, ORIGIN, "https://p.example"),
    ({"HTTPS_PROXY": "http://a:b@p.example:1"}, ORIGIN, "http://a:b@p.example:1"),
    ({"HTTP_PROXY": "http://p.example:1"}, ORIGIN, None),
    ({"HTTP_PROXY": "http://p.example:1"}, f"http://{HOST}", "http://p.example:1"),
    ({"HTTPS_PROXY": ""}, ORIGIN, None),
    ({"HTTPS_PROXY": "http://p.example", "NO_PROXY": HOST}, ORIGIN, None),
    ({"HTTPS_PROXY": "http://p.example", "no_proxy": "a.example, .example"}, ORIGIN, None),
    ({"HTTPS_PROXY": "http://p.example", "NO_PROXY": "*"}, ORIGIN, None),
    ({"HTTPS_PROXY": "http://p.example", "NO_PROXY": f"{HOST}:8443"}, f"{ORIGIN}:8443", None),
    ({"HTTPS_PROXY": "http://p.example:1", "NO_PROXY": "other.example"}, ORIGIN, "http://p.example:1"),
    ({"HTTPS_PROXY": "http://p.example"}, "https://127.0.0.1:8443", None),
    ({"HTTPS_PROXY": "http://p.example"}, "https://localhost", None),
    ({"HTTPS_PROXY": "http://p.example"}, "https://[::1]:1", None),
    ({"HTTP_PROXY": "http://p.example"}, "http://127.0.0.1:1", None),
]


@pytest.mark.parametrize(("given", "origin", "used"), USED)
def test_the_proxy_of_an_origin(
    given: Mapping[str, str], origin: str, used: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.lower() in VARIABLES]:
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = proxy_for(origin)
    assert (found and str(found)) == used


@pytest.mark.parametrize(
    "value",
    [
        "socks5://secret:secret@p.example:1",
        "http://",
        "http://secret@:80",
        "ftp://secret",
        "http://secret:99999",
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_without_its_value(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.lower() in VARIABLES]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HTTPS_PROXY", value)
    with pytest.raises(UsageError, match="the value of HTTPS_PROXY is not allowed; allowed: ") as error:
        proxy_for(ORIGIN)
    assert "secret" not in str(error.value)


def test_record_refuses_such_a_proxy_before_there_is_a_file(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name.lower() not in VARIABLES}
    out = tmp_path / "traffic.ndjson"
    command = [sys.executable, "-m", "mock_webshare", "record", "--upstream", ORIGIN, "-o", str(out)]
    environ = {**kept, "HTTPS_PROXY": "socks5://secret@p.example:1"}
    result = subprocess.run([*command, "--port", "0"], env=environ, capture_output=True, text=True)
    assert (result.returncode, result.stdout, out.exists()) == (2, "", False)
    assert "the value of HTTPS_PROXY is not allowed" in result.stderr and "secret" not in result.stderr
