"""What is at the edge of HTTP, or beyond it, over raw connections."""

from __future__ import annotations

import gzip
import json
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from mock_webshare import MockServer, MockWorld
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.service.framework.response import html_page
from tests.waiting import PATIENCE

LIST = CREDIT_LIST.path
KEY = "Authorization: Token any\r\n"
FOREIGN = re.compile(rb"aiohttp|python|traceback|brotli|invalid|expected|^\d{3}: ", re.IGNORECASE)


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture
def world(server: MockServer) -> MockWorld:
    world = server.world("any")
    world.begin()
    return world


def talk(server: MockServer, request: str | bytes) -> tuple[int, bytes, bytes]:
    """Send a request, and return status, head and body of the response, up to its end."""
    content = request.encode("latin-1") if isinstance(request, str) else request
    with socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port)) as connection:
        connection.settimeout(PATIENCE)
        connection.sendall(content)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


def head(target: str, *headers: str, method: str = "GET") -> str:
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    return "\r\n".join(lines) + f"\r\n{KEY}\r\n"


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip", "deflate", "br, gzip", "unknown"])
@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("POST", 405)])
def test_the_service_does_not_look_at_the_coding_of_a_body(
    server: MockServer, coding: str, method: str, status: int
) -> None:
    request = head(LIST, f"Content-Encoding: {coding}", "Content-Length: 3", method=method)
    found, sent, _ = talk(server, f"{request}abc")
    assert (found, b"Server: mock-webshare" in sent) == (status, True)


def test_the_journal_keeps_a_body_as_it_was_before_it_was_packed(
    server: MockServer, world: MockWorld
) -> None:
    packed = gzip.compress(b'{"a": 1}')
    request = head(LIST, "Content-Encoding: gzip", f"Content-Length: {len(packed)}", method="POST")
    talk(server, request.encode() + packed)
    assert world.requests[0].body == b'{"a": 1}'


@pytest.mark.parametrize("body", [gzip.compress(b"[1]", mtime=0)[:-9], b"\x1f\x8babc"])
def test_the_control_plane_reports_a_body_that_does_not_unpack(server: MockServer, body: bytes) -> None:
    json_type = "Content-Type: application/json"
    length = f"Content-Length: {len(body)}"
    request = head("/__mock__/faults", json_type, "Content-Encoding: gzip", length, method="POST")
    status, _, problem = talk(server, request.encode() + body)
    assert status == 400 and "Content-Encoding 'gzip'" in json.loads(problem)["detail"]


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (head("http://localhost"), 404),
        (head("http://localhost?a=b"), 404),
        (head("http://user@localhost:80"), 404),
        (head("https://localhost"), 404),
        (head("localhost:443", method="CONNECT"), 404),
        (head("*", method="OPTIONS"), 404),
    ],
)
def test_a_target_without_a_path_is_a_page_that_does_not_exist(
    server: MockServer, request_head: str, status: int
) -> None:
    found, _, body = talk(server, request_head)
    assert (found, body) == (status, html_page(404).body)


def test_connect_is_a_method_that_an_endpoint_does_not_allow(server: MockServer) -> None:
    status, _, body = talk(server, head(LIST, method="CONNECT"))
    assert (status, body) == (405, b'{"detail":"Method \\"CONNECT\\" not allowed."}')


@pytest.mark.parametrize("expectation", ["foo", "100-continue, foo", "", "200-ok"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_expectation_that_is_unknown_is_ignored(
    server: MockServer, expectation: str, version: str
) -> None:
    request = head(LIST, f"Expect: {expectation}").replace("HTTP/1.1", f"HTTP/{version}")
    assert talk(server, request)[0] == 200


def test_a_client_that_waits_for_it_may_continue(server: MockServer) -> None:
    request = head(LIST, "Expect: 100-Continue", "Content-Length: 2", method="POST")
    status, _, rest = talk(server, f"{request}{{}}")
    assert status == 100 and rest.startswith(b"HTTP/1.1 405 ")


NOT_HTTP = {
    "unknown method": head(LIST, method="FOO"),
    "lower case": head(LIST, method="get"),
    "no host": f"GET {LIST} HTTP/1.1\r\n\r\n",
    "bad length": head(LIST, "Content-Length: abc"),
    "two lengths": head(LIST, "Content-Length: 1", "Content-Length: 2"),
    "length and chunks": head(LIST, "Content-Length: 5", "Transfer-Encoding: chunked") + "0\r\n\r\n",
    "unknown transfer": head(LIST, "Transfer-Encoding: foo"),
    "bad chunk": head(LIST, "Transfer-Encoding: chunked") + "zz\r\n",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": head(LIST).replace("HTTP/1.1", "HTTP/9.9"),
    "TLS": b"\x16\x03\x01\x00\xb5\x01\x00\x00\xb1\x03\x03" + bytes(50),
    "NUL in a header": head(LIST, "A: b\0c"),
    "NUL in the target": head("/\0"),
    "no path": head("foo"),
    "bad port": head("http://localhost:abc/"),
    "star": head("*"),
    "long header": head(LIST, f"A: {'x' * 20_000}"),
    "folded header": head(LIST, "A: b", " c"),
    "garbage": b"\xff\xfe\xfd\r\n\r\n",
}


@pytest.mark.parametrize("request_text", NOT_HTTP.values(), ids=NOT_HTTP)
def test_what_is_not_http_gets_a_status_and_nothing_of_aiohttp(
    server: MockServer, request_text: str | bytes
) -> None:
    status, sent, body = talk(server, request_text)
    assert (status, body) == (400, b"")
    assert b"Server: mock-webshare" in sent and not FOREIGN.search(sent)


@pytest.mark.parametrize(
    "upgrade", [("websocket", "Sec-WebSocket-Version: 13"), ("h2c", "HTTP2-Settings: AAMAAABkAA")]
)
def test_an_upgrade_is_not_offered(server: MockServer, upgrade: tuple[str, str]) -> None:
    request = head(LIST, f"Upgrade: {upgrade[0]}", upgrade[1])
    assert talk(server, request.replace("close", "Upgrade, close"))[0] == 200
