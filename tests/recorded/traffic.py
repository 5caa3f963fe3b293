"""Traffic: the calls that every tool records, and the servers that answer them.

The API is the conformance application: Django REST framework itself. Beside it stands another host,
as in every recording of a browser, which the judge has no business with.
"""

from __future__ import annotations

import gzip
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.conformance.dataset import edge_cases
from tests.conformance.reference import reference_server

if TYPE_CHECKING:
    from collections.abc import Iterator

API_HOST, OTHER_HOST = "proxy.webshare.io", "other.example"
KEY = {"Authorization": "Token conformance"}
CREDITS = "/api/v2/referral/credit/"


class Call(NamedTuple):
    """One request to the API and the status that it is answered with, redirects not followed."""

    path: str
    status: int = 200
    method: str = "GET"
    headers: dict[str, str] = KEY

    @property
    def is_json(self) -> bool:
        """Whether the answer has a body of JSON: neither HEAD's nor the redirect's, nor that of no route."""
        return self.method != "HEAD" and self.status != 301 and "nowhere" not in self.path


CALLS = (
    Call(CREDITS + "?page_size=5"),
    Call(CREDITS + "?page=2&page_size=5"),
    Call(CREDITS + "?page=last&page_size=5"),
    Call(CREDITS + "?mode=payout&ordering=-amount&page_size=3&status=reverted"),
    Call(CREDITS + "?page_size=3&referral_channel="),
    Call(CREDITS + "1/"),
    Call(CREDITS + "4/"),
    Call(CREDITS + "999999/", 404),
    Call(CREDITS + "?page=99", 404),
    Call(CREDITS + "?mode=bogus&status=", 400),
    Call(CREDITS, 401, headers={}),
    Call(CREDITS, 401, headers={"Authorization": "Token invalid"}),
    Call(CREDITS, 405, method="POST"),
    Call(CREDITS, 406, headers={**KEY, "Accept": "text/html"}),
    Call(CREDITS + "?page_size=1", method="HEAD"),
    Call(CREDITS + "?page_size=1", method="OPTIONS"),
    Call("/api/v2/nowhere/", 404),
    Call("/api/v2/referral/credit?page_size=1", 301),
)


@contextmanager
def api() -> Iterator[str]:
    """Serve the API and yield its base URL."""
    with reference_server(edge_cases()) as url:
        yield url


@contextmanager
def other_host() -> Iterator[str]:
    """Serve what is none of the API's, and yield the base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Other)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


_BODIES: dict[str, tuple[str, bytes]] = {
    "/": ("text/html", b"<!doctype html><title>Other</title><h1>Other</h1>"),
    "/pixel.png": ("image/png", b"\x89PNG\r\n\x1a\n\x00\xff"),
    "/cached.json": ("application/json", b'{"results": "none of ours"}'),
    "/packed.json": ("application/json", json.dumps({"user_id": "none of ours"}).encode() * 20),
}


OTHER_PATHS = ("/pixel.png", "/cached.json", "/cached.json", "/packed.json")


class _Other(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        kind, body = _BODIES.get(self.path, ("text/plain", b""))
        headers = {"Content-Type": kind, "Access-Control-Allow-Origin": "*"}
        if self.path == "/cached.json":
            headers["Cache-Control"] = "max-age=3600"
        if self.path == "/packed.json":
            headers["Content-Encoding"], body = "gzip", gzip.compress(body, mtime=0)
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""
