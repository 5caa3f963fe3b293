"""CORS: which responses a page of another origin may read, and that nothing else changes."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from mock_webshare import MockServer, MockWorld, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.errors import UsageError
from mock_webshare.server.cors import as_browsers_write
from tests.browser import needs_chromium, run
from tests.waiting import PATIENCE

LIST = CREDIT_LIST.path
PAGE = "http://localhost:3000"
KEY = {"Authorization": "Token any"}
ASKING = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    settings = Settings(port=0, cors_origins=(PAGE, "https://Example.com:443/"))
    with MockServer(settings) as server:
        yield server


@pytest.fixture
def world(server: MockServer) -> MockWorld:
    world = server.world("any")
    world.begin()
    return world


def send(
    server: MockServer, method: str, path: str, origin: str | None = PAGE, **headers: str
) -> requests.Response:
    if origin is not None:
        headers["Origin"] = origin
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(method, server.url + path, headers=sent, allow_redirects=False, timeout=PATIENCE)


def readable(response: requests.Response) -> bool:
    """Return whether a browser lets a page of `PAGE` read a response."""
    headers = response.headers
    names = {name for name in headers if name.startswith("Access-Control-") or name == "Vary"}
    assert names in (set(), {"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Vary"})
    assert not names or (headers["Access-Control-Allow-Origin"], headers["Vary"]) == (PAGE, "Origin")
    return bool(names)


READ: list[tuple[int, str, str, dict[str, str], dict[str, Any] | None]] = [
    (200, "GET", LIST, KEY, None),
    (200, "HEAD", LIST, KEY, None),
    (200, "OPTIONS", LIST, KEY, None),
    (301, "GET", LIST.rstrip("/"), KEY, None),
    (400, "GET", f"{LIST}?mode=bogus", KEY, None),
    (401, "GET", LIST, {}, None),
    (401, "GET", LIST, {"Authorization": "Token invalid"}, None),
    (404, "GET", f"{LIST}?page=99", KEY, None),
    (404, "GET", f"/api/v2{LIST}", KEY, None),
    (405, "POST", LIST, KEY, None),
    (406, "GET", LIST, {**KEY, "Accept": "text/csv"}, None),
    (501, "GET", "/api/v2/profile/", KEY, None),
    (429, "GET", LIST, {**KEY, "Prefer": "code=429"}, None),
    (503, "GET", LIST, KEY, {"status": 503}),
    (502, "GET", LIST, KEY, {"status": 502, "form": "proxy"}),
    (202, "GET", LIST, KEY, {"respond": 202, "body": "a"}),
    (200, "GET", LIST, KEY, {"fixedDelayMilliseconds": 1}),
    (200, "GET", LIST, KEY, {"chunkedDribbleDelay": {"numberOfChunks": 2, "totalDuration": 1}}),
    (200, "GET", LIST, KEY, {"drift": "removed", "field": "amount"}),
]
"""Status, method, path, headers and fault."""


@pytest.mark.parametrize(("status", "method", "path", "headers", "fault"), READ)
def test_each_response_can_be_read_from_the_origin_and_is_otherwise_the_same(
    server: MockServer,
    world: MockWorld,
    status: int,
    method: str,
    path: str,
    headers: dict[str, str],
    fault: dict[str, Any] | None,
) -> None:
    if fault:
        world.add_fault(**fault)
    response, plain = (send(server, method, path, origin, **headers) for origin in (PAGE, None))
    assert (response.status_code, readable(response), readable(plain)) == (status, True, False)
    assert response.content == plain.content
    ours = re.compile("Access-Control-.*|Vary|Date")
    kept = {name: value for name, value in response.headers.items() if not ours.fullmatch(name)}
    assert kept == {name: value for name, value in plain.headers.items() if name != "Date"}


def test_an_internal_error_can_be_read(server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_webshare.service.service.query.read_page", None)
    response = send(server, "GET", f"{LIST}?x=unseen", **KEY)
    assert (response.status_code, readable(response)) == (500, True)


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3001",
        "https://localhost:3000",
        "http://localhost",
        "null",
        "*",
        "",
        f"{PAGE}.example",
    ],
)
def test_a_response_for_another_origin_is_that_of_the_service(server: MockServer, origin: str) -> None:
    for method, more in (("GET", {}), ("OPTIONS", ASKING)):
        response = send(server, method, LIST, origin, **KEY, **more)
        assert (response.status_code, readable(response)) == (200, False)


@pytest.mark.parametrize(
    "path", ["/", "/favicon.ico", "/__mock__/health", "/__mock__/state", "/apis/", "//api/v2/"]
)
def test_nothing_but_the_api_can_be_read(server: MockServer, path: str) -> None:
    for method, more in (("GET", {}), ("OPTIONS", ASKING)):
        response = send(server, method, path, **KEY, **more)
        assert not readable(response) and response.status_code in (403, 404)


def test_without_the_setting_nothing_can_be_read() -> None:
    with MockServer() as server:
        assert not readable(send(server, "GET", LIST, **KEY))
        assert send(server, "OPTIONS", LIST, **ASKING, **KEY).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST", "DELETE", "PUT"])
@pytest.mark.parametrize("path", [LIST, LIST.rstrip("/"), "/api/v2/nowhere/", "/api/v2/profile/"])
def test_a_preflight_is_answered_before_the_service(
    server: MockServer, world: MockWorld, path: str, method: str
) -> None:
    world.add_fault(status=503)
    keyless = server.count_keyless()
    response = send(server, "OPTIONS", path, **{**ASKING, "Access-Control-Request-Method": method})
    headers = response.headers
    assert (response.status_code, response.content, headers["Vary"]) == (204, b"", "Origin")
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert headers["Access-Control-Allow-Methods"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
    assert headers["Access-Control-Allow-Headers"] == (
        "Authorization, Content-Type, Prefer, X-Subuser, X-Webshare-Federated-Access"
    )
    assert headers["Access-Control-Expose-Headers"] == (
        "Retry-After, Allow, WWW-Authenticate, Mock-Webshare-Hint"
    )
    assert "Access-Control-Allow-Credentials" not in headers
    assert (world.requests, server.count_keyless()) == ((), keyless)


def test_a_preflight_is_not_throttled() -> None:
    with MockServer(Settings(port=0, rate_limit="1/min", cors_origins=(PAGE,))) as server:
        statuses = [send(server, "OPTIONS", LIST, **KEY, **ASKING).status_code for _ in range(3)]
        statuses += [send(server, "GET", LIST, **KEY).status_code for _ in range(2)]
    assert statuses == [204, 204, 204, 200, 429]


def test_what_a_fault_says_of_origins_stands(server: MockServer, world: MockWorld) -> None:
    world.add_fault(respond=200, headers={"access-control-allow-origin": "null", "Vary": "Accept"})
    headers = send(server, "GET", LIST, **KEY).headers
    assert (headers["Access-Control-Allow-Origin"], headers["Vary"]) == ("null", "Accept, Origin")


def test_the_journal_has_none_of_these_headers(server: MockServer, world: MockWorld) -> None:
    send(server, "GET", LIST, **KEY)
    (entry,) = world.requests
    assert entry.response and [name for name, _ in entry.response.headers] == ["Content-Type", "Allow"]


@pytest.mark.parametrize(
    ("origin", "written"),
    [
        (PAGE, PAGE),
        ("https://Example.COM:443/", "https://example.com"),
        ("HTTP://a.example:80", "http://a.example"),
        ("http://a.example:8080", "http://a.example:8080"),
        ("https://[::1]:3000", "https://[::1]:3000"),
        ("https://a.example:80", "https://a.example:80"),
        ("chrome-extension://abc", "chrome-extension://abc"),
    ],
)
def test_an_origin_is_compared_as_browsers_write_it(origin: str, written: str) -> None:
    assert Settings(cors_origins=(origin,)) and as_browsers_write(origin) == written


@pytest.mark.parametrize(
    "origins",
    [
        *(
            (each,)
            for each in ("*", "null", "", "localhost:3000", f"{PAGE}/app", f"{PAGE}?a", "//a", 5, None)
        ),
        *(
            (each,)
            for each in ("http://*.example", "http://user@a", "http://a b", f"{PAGE},{PAGE}", "http://a\n")
        ),
        PAGE,
        [PAGE],
        None,
    ],
    ids=repr,
)
def test_what_is_not_an_origin_is_refused(origins: Any) -> None:
    with pytest.raises(
        UsageError, match=r"CORS origins? .* is not allowed; allowed: .*http://localhost:3000"
    ):
        Settings(cors_origins=origins)


SCRIPT = """
(async () => {
  const base = %s;
  const read = async (path, options) => {
    try {
      const response = await fetch(base + path, options);
      const names = ["Retry-After", "Allow", "WWW-Authenticate", "Mock-Webshare-Hint", "Server"];
      const headers = names.map((name) => response.headers.get(name));
      return [response.status, (await response.text()).slice(0, 10), ...headers];
    } catch (error) {
      return ["denied"];
    }
  };
  const headers = { Authorization: "Token browser", "X-Subuser": "7" };
  const path = "/api/v2/referral/";
  const json = { ...headers, "Content-Type": "application/json" };
  return {
    page: await read(`${path}credit/`, { headers }),
    unauthorized: await read(`${path}credit/`),
    throttled: await read(`${path}credit/`, { headers: { ...headers, Prefer: "code=429" } }),
    wrong: await read("/api/v2/api/v2/referral/credit/", { headers }),
    redirected: await read(`${path}credit`, { headers }),
    changed: await read(`${path}config/`, { method: "PATCH", headers: json, body: '{"mode": "credits"}' }),
    control: await read("/__mock__/health"),
    state: await read("/__mock__/state", { headers }),
  };
})()
"""


@needs_chromium
async def test_a_page_in_a_browser_reads_a_page_a_401_and_a_429(browser: str) -> None:
    log = io.StringIO()
    with MockServer() as other, MockServer(Settings(port=0, cors_origins=(other.url,)), log=log) as server:
        found = await run(browser, f"{other.url}/x", SCRIPT % json.dumps(server.url))
        methods = [entry.method for entry in server.world("browser").requests]
    allow = "GET, HEAD, OPTIONS"
    assert found["page"] == [200, '{"count":1', None, allow, None, None, None]
    assert found["unauthorized"][:5] == [401, '{"detail":', None, allow, "Token"]
    assert "Authorization: Token KEY" in found["unauthorized"][5]
    assert found["throttled"] == [429, '{"detail":', "60", allow, None, None, None]
    assert (found["wrong"][0], found["wrong"][5][:28]) == (404, "the path begins with /api/v2")
    assert found["redirected"][0] == found["changed"][0] == 200
    assert found["control"] == found["state"] == ["denied"]
    assert methods == ["GET", "GET", "GET", "GET", "GET", "PATCH"]


@needs_chromium
async def test_a_page_of_another_origin_reads_nothing(browser: str) -> None:
    with MockServer() as other, MockServer(Settings(port=0, cors_origins=("http://localhost:1",))) as server:
        found = await run(browser, f"{other.url}/x", SCRIPT % json.dumps(server.url))
    assert list(found.values()) == [["denied"]] * len(found)
