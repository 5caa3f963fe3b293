"""Who may control the mock, tried by hand, and that no key is ever repeated; `test_browser` has a browser."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import Mock

import pytest
from aiohttp.test_utils import make_mocked_request

from mock_webshare import MockServer, MockWebshareError, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.control import Control
from mock_webshare.control.routes import ROOT
from mock_webshare.errors import ServerError
from mock_webshare.server.reloading import Reloader
from mock_webshare.service.world.registry import Worlds
from tests.control_plane import KEY, Reply, digest_of, send
from tests.service.world.test_registry import EDGE_CASES

LIST = CREDIT_LIST.path
AUTHORIZED = f"Authorization: Token {KEY}"
TRIED = (
    ("POST", f"{ROOT}reset"),
    ("GET", f"{ROOT}state"),
    ("GET", f"{ROOT}scenarios"),
    ("GET", f"{ROOT}openapi.json"),
    ("POST", f"{ROOT}health"),
    ("GET", f"{ROOT}health/"),
    ("GET", f"{ROOT}health%2F..%2Fworlds"),
    ("GET", f"{ROOT}requests"),
    ("DELETE", f"{ROOT}worlds"),
    ("OPTIONS", f"{ROOT}reset"),
    ("POST", f"{ROOT}nothing"),
    ("POST", "/%5F%5Fmock__/reset"),
    ("POST", f"{ROOT}%72eset"),
)
"""What is tried in each disguise; that the path is spelled otherwise must not help."""


@contextmanager
def unchanged(server: MockServer) -> Iterator[None]:
    """Check that the world, which was changed once, and the number of worlds stay unchanged."""
    server.world(KEY).take_snapshot("changed")
    before = server.call(digest_of)
    yield
    assert server.call(digest_of) == before


def refused(server: MockServer, *headers: str, host: str | None = None) -> list[Reply]:
    """Try everything with some headers, check that all is refused without effect; return the responses."""
    name = f"Host: {server.url.removeprefix('http://') if host is None else host}"
    with unchanged(server):
        replies = [send(server.url, *tried, name, AUTHORIZED, *headers) for tried in TRIED]
    for reply in replies:
        assert reply.status in (400, 403), reply
        assert "access-control-" not in reply.head.lower()
        assert EDGE_CASES.rows["channels"][0].code not in reply.body
    return replies


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(Settings(port=0, data="edge-cases", rate_limit="off")) as server:
        yield server


@pytest.fixture(scope="module")
def own(server: MockServer) -> str:
    """The `Host` of the server."""
    return server.url.removeprefix("http://")


class TestAForeignPage:
    @pytest.mark.parametrize(
        "origin",
        [
            "http://evil.example",
            "null",
            "",
            "https://{own}",
            "http://127.0.0.1",
            "http://127.0.0.1:1",
            "http://localhost:{port}",
            "http://{own}.evil.example",
            "http://{own}/",
            "http://{own} http://{own}",
            "http://evil.example http://{own}",
            "file://",
            "chrome-extension://abcdefghijklmnop",
        ],
    )
    def test_is_refused_by_its_origin(self, server: MockServer, own: str, origin: str) -> None:
        origin = origin.format(own=own, port=own.rpartition(":")[2])
        for reply in refused(server, f"Origin: {origin}"):
            assert reply.problem["detail"] == "a page of another origin must not control the mock server"

    @pytest.mark.parametrize("site", ["cross-site", "same-site", "", "Same-Origin", "none, cross-site"])
    def test_is_refused_by_the_word_of_the_browser(self, server: MockServer, site: str) -> None:
        for reply in refused(server, f"Sec-Fetch-Site: {site}"):
            assert reply.problem["detail"] == "a page of another site must not control the mock server"

    @pytest.mark.parametrize(
        "headers",
        [
            ("Origin: http://{own}", "Origin: http://evil.example"),
            ("Origin: http://evil.example", "Origin: http://{own}"),
            ("Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"),
            ("Sec-Fetch-Site: cross-site", "Origin: http://{own}"),
        ],
    )
    def test_is_refused_by_any_of_several_headers(
        self, server: MockServer, own: str, headers: tuple[str, ...]
    ) -> None:
        refused(server, *(header.format(own=own) for header in headers))

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
    def test_is_promised_nothing_before_it_asks(self, server: MockServer, method: str) -> None:
        preflight = (
            f"Access-Control-Request-Method: {method}",
            "Access-Control-Request-Headers: authorization",
        )
        refused(server, "Origin: http://evil.example", *preflight)

    @pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
    def test_is_promised_nothing_by_the_service(self, server: MockServer, own: str, method: str) -> None:
        headers = ("Origin: http://evil.example", "Access-Control-Request-Method: GET")
        reply = send(server.url, method, LIST, f"Host: {own}", AUTHORIZED, *headers)
        assert "access-control-" not in reply.head.lower()

    @pytest.mark.parametrize(
        "headers",
        [
            (),
            ("Origin: http://{own}",),
            ("Sec-Fetch-Site: same-origin", "Origin: http://{own}"),
            ("Sec-Fetch-Site: none",),
        ],
    )
    def test_is_what_a_page_of_our_own_is_not(
        self, server: MockServer, own: str, headers: tuple[str, ...]
    ) -> None:
        sent = [header.format(own=own) for header in headers]
        assert send(server.url, "POST", f"{ROOT}reset", f"Host: {own}", AUTHORIZED, *sent).status == 204


class TestAReboundName:
    @pytest.mark.parametrize(
        "host",
        [
            "rebound.example",
            "rebound.example:{port}",
            "127.0.0.1.rebound.example",
            "localhost.rebound.example",
            "rebound.localhost",
            "localhost.",
            "127.0.0.1.:{port}",
            "127.0.0.2",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0.0.0.0:{port}",
            "192.168.0.1",
            "[::]",
            "[::2]:{port}",
            "[::ffff:127.0.0.1]",
            "[::1",
            "user@127.0.0.1",
            "rebound.example#@127.0.0.1",
            "rebound.example\\@127.0.0.1",
            "127.0.0.1, rebound.example",
            "127.0.0.1:x",
            "",
        ],
    )
    def test_is_refused(self, server: MockServer, own: str, host: str) -> None:
        host = host.format(port=own.rpartition(":")[2])
        refused(server, host=host)
        refused(server, f"Origin: http://{host}", "Sec-Fetch-Site: same-origin", host=host)

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "127.0.0.1:1", "localhost", "LocalHost:{port}", "[::1]:80"]
    )
    def test_is_none_of_ours(self, server: MockServer, own: str, host: str) -> None:
        host = host.format(port=own.rpartition(":")[2])
        assert send(server.url, "GET", f"{ROOT}worlds", f"Host: {host}").status == 200

    def test_is_refused_among_several(self, server: MockServer, own: str) -> None:
        refused(server, "Host: rebound.example")
        refused(server, f"Host: {own}", host="rebound.example")

    def test_is_refused_in_a_target_that_is_a_whole_url(self, server: MockServer, own: str) -> None:
        with unchanged(server):
            target = f"http://rebound.example{ROOT}reset"
            assert send(server.url, "POST", target, f"Host: {own}", AUTHORIZED).status == 403
            target = f"http://{own}{ROOT}reset"
            assert send(server.url, "POST", target, "Host: rebound.example", AUTHORIZED).status == 403
        assert send(server.url, "POST", target, f"Host: {own}", AUTHORIZED).status == 204

    def test_does_not_matter_to_the_service(self, server: MockServer) -> None:
        reply = send(server.url, "GET", LIST, "Host: rebound.example", AUTHORIZED)
        assert "http://rebound.example/api" in reply.body

    def test_is_ours_if_it_is_the_public_one(self) -> None:
        with MockServer(Settings(port=0, public_url="https://mock.example/")) as server:
            headers = ("Host: mock.example", "Origin: https://mock.example", AUTHORIZED)
            assert send(server.url, "POST", f"{ROOT}reset", *headers).status == 204


@pytest.mark.parametrize(
    "target",
    [
        "//__mock__/reset",
        "/x/../__mock__/reset",
        "/api/v2/../../__mock__/reset",
        "/api/%2e%2e/__mock__/reset",
        "/__mock__/../__mock__/reset",
        "/__mock__/%2e%2e/__mock__/reset",
        "/__mock__/./reset",
        "/__mock__//reset",
        "/__mock__%2Freset",
        "/__mock__/x%2F..%2Freset",
        "/__mock__;x/reset",
        "/__mock__/reset;x",
        "/__mock__/reset/",
        "/__mock__/reset%00",
        "/__MOCK__/reset",
        "/\\__mock__/reset",
        "\\__mock__\\reset",
        "/__mock__/reset#",
        "*",
    ],
)
def test_a_path_that_is_spelled_otherwise_is_not_an_endpoint(
    server: MockServer, own: str, target: str
) -> None:
    server.world(KEY).take_snapshot("changed")
    assert send(server.url, "POST", target, f"Host: {own}", AUTHORIZED).status in (400, 404)
    assert server.world(KEY).snapshots() == ["changed"]


TOKEN = "the-control-token"


@pytest.fixture(scope="module")
def open_server() -> Iterator[MockServer]:
    with MockServer(Settings(host="0.0.0.0", port=0, data="edge-cases")) as server:
        yield server


@pytest.fixture(scope="module")
def guarded() -> Iterator[MockServer]:
    settings = Settings(host="0.0.0.0", port=0, data="edge-cases", control_token=TOKEN)
    with MockServer(settings) as server:
        yield server


class TestBeyondLoopback:
    def test_without_a_token_all_is_refused(self, open_server: MockServer) -> None:
        for host in ("127.0.0.1", "localhost", None):
            for reply in refused(open_server, f"Mock-Webshare-Token: {TOKEN}", host=host):
                assert "beyond loopback the control plane needs a token" in reply.problem["detail"]

    def test_the_service_responds_all_the_same(self, open_server: MockServer) -> None:
        assert send(open_server.url, "GET", LIST, "Host: anywhere.example", AUTHORIZED).status == 200

    @pytest.mark.parametrize(
        "tokens",
        [
            (),
            ("",),
            ("the-control-toke",),
            ("the-control-tokens",),
            ("THE-CONTROL-TOKEN",),
            ("tökén",),
            ("\udcff",),
            (TOKEN, TOKEN),
            (TOKEN, "other"),
            (f"{TOKEN}, {TOKEN}",),
        ],
    )
    def test_without_the_right_token_all_is_refused(
        self, guarded: MockServer, tokens: tuple[str, ...]
    ) -> None:
        for reply in refused(guarded, *(f"Mock-Webshare-Token: {token}" for token in tokens)):
            assert "the control token is missing or wrong" in reply.problem["detail"]
            assert TOKEN not in reply.body

    @pytest.mark.parametrize(
        "header",
        [f"Authorization: Token {TOKEN}", f"Cookie: Mock-Webshare-Token={TOKEN}", f"X-Token: {TOKEN}"],
    )
    def test_the_token_counts_in_its_header_alone(self, guarded: MockServer, header: str) -> None:
        target = f"{ROOT}worlds?Mock-Webshare-Token={TOKEN}"
        assert send(guarded.url, "GET", target, "Host: a", header).status == 403

    @pytest.mark.parametrize("host", ["127.0.0.1", "mock.example:80", "[::1]"])
    def test_with_the_right_token_any_name_will_do(self, guarded: MockServer, host: str) -> None:
        headers = (f"Host: {host}", AUTHORIZED, f"Mock-Webshare-Token: {TOKEN}")
        assert send(guarded.url, "POST", f"{ROOT}reset", *headers).status == 204

    @pytest.mark.parametrize("header", ["Origin: http://evil.example", "Sec-Fetch-Site: cross-site"])
    def test_a_foreign_page_is_refused_even_with_the_token(self, guarded: MockServer, header: str) -> None:
        refused(guarded, f"Mock-Webshare-Token: {TOKEN}", header)

    @pytest.mark.parametrize(
        ("address", "status"),
        [
            ("127.0.0.1", 200),
            ("127.8.9.1", 200),
            ("::1", 200),
            ("::ffff:127.0.0.1", 200),
            ("", 200),
            ("192.0.2.7", 403),
            ("::ffff:192.0.2.7", 403),
            ("fe80::1%eth0", 403),
        ],
    )
    async def test_an_application_that_does_not_know_where_it_is_served_looks_who_asks(
        self, address: str, status: int
    ) -> None:
        transport = Mock()
        transport.get_extra_info.side_effect = lambda name, default=None: (
            (address, 80) if name == "peername" and address else default
        )
        request = make_mocked_request(
            "GET", f"{ROOT}worlds", headers={"Host": "localhost"}, transport=transport
        )
        worlds = Worlds(EDGE_CASES, Settings(), lambda: 0.0)
        control = Control(worlds, Settings(), Reloader(worlds, None).reload)
        assert (await control.handle(request)).status == status


PUBLIC = ("health", "version", "%68ealth")


@pytest.mark.parametrize("path", PUBLIC)
class TestWhatIsPublic:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("host", ["127.0.0.1", "mock:8765", "rebound.example", "10.0.0.7"])
    def test_needs_neither_token_nor_name(
        self, guarded: MockServer, open_server: MockServer, path: str, method: str, host: str
    ) -> None:
        for server in (guarded, open_server):
            assert send(server.url, method, ROOT + path, f"Host: {host}").status == 200

    def test_is_not_secret_on_loopback_either(self, server: MockServer, path: str) -> None:
        assert send(server.url, "GET", ROOT + path, "Host: rebound.example").status == 200

    @pytest.mark.parametrize(
        "header", ["Origin: http://evil.example", "Origin: null", "Sec-Fetch-Site: cross-site"]
    )
    def test_is_refused_to_a_foreign_page(self, guarded: MockServer, path: str, header: str) -> None:
        assert send(guarded.url, "GET", ROOT + path, "Host: 127.0.0.1", header).status == 403

    def test_says_nothing_about_worlds_and_keys(self, guarded: MockServer, path: str) -> None:
        before = guarded.worlds()
        reply = send(guarded.url, "GET", ROOT + path, "Host: 127.0.0.1", "Authorization: Token unseen")
        assert json.loads(reply.body).keys() <= {"status", "version"}
        assert guarded.worlds() == before


CANARY = "Canary-Key-5f3a9c"
SECRETS = (CANARY, TOKEN)
BODY = json.dumps({"mode": CANARY, "code": TOKEN, CANARY: 1, "nested": [{"x": f"{TOKEN} {CANARY}"}]}).encode()

PLANTED: list[tuple[str, str, tuple[str, ...]]] = [
    # Before the request that shows the key.
    ("GET", f"/{CANARY}/", ("Authorization: Basic x",)),
    ("GET", f"{LIST}?q={CANARY}", (f"Authorization: Token {CANARY} {CANARY}",)),
    ("GET", LIST, (f"Authorization: Token {CANARY}",)),
    ("GET", f"{LIST}?q={CANARY}&api_key={CANARY}&t={TOKEN}", (f"Authorization: Token {CANARY}",)),
    ("GET", f"{LIST}%43anary-Key-5f3a9c/", (f"Authorization: Token {CANARY}",)),
    ("GET", f"/{CANARY}/{TOKEN}/", (f"Authorization: Token {CANARY}",)),
    ("GET", f"http://{CANARY}:{TOKEN}@a{LIST}", (f"Authorization: Token {CANARY}",)),
    ("GET", LIST, (f"Authorization: Token {CANARY}", f"Cookie: a={CANARY}; b={TOKEN}")),
    ("GET", LIST, (f"Authorization: Token {CANARY}", f"Referer: http://a/{CANARY}?t={TOKEN}")),
    ("GET", LIST, (f"Authorization: Token {CANARY}", f"Mock-Webshare-Token: {TOKEN}")),
    ("GET", LIST, (f"Authorization: Token {CANARY}", f"X-{CANARY}: {TOKEN}")),
    ("POST", LIST, (f"Authorization: Token {CANARY}",)),
]
"""Requests to the service with the secrets in every place."""

MISTAKEN: list[tuple[str, str]] = [
    ("GET", f"credits/{CANARY}"),
    ("GET", CANARY),
    ("GET", TOKEN),
    ("DELETE", f"snapshots/{CANARY}"),
    ("DELETE", f"snapshots/{TOKEN}"),
    ("PUT", f"snapshots/{CANARY}%0A"),
    ("POST", "credits"),
    ("PATCH", "credits/1"),
    ("POST", "channels"),
    ("POST", "faults"),
    ("PUT", "settings"),
    ("PUT", "clock"),
    ("PUT", "state"),
    ("POST", "requests/count"),
]
"""Requests to the control plane that are refused."""


@contextmanager
def planting(log: io.StringIO) -> Iterator[MockServer]:
    """Serve, with the secrets sent already."""
    settings = Settings(port=0, data="edge-cases", rate_limit="off", control_token=TOKEN)
    with MockServer(settings, log=log) as server:
        for method, target, headers in PLANTED:
            body = BODY if method == "POST" else b""
            send(server.url, method, target, "Host: a", *headers, body=body)
        yield server


@pytest.fixture(scope="module")
def planted() -> Iterator[MockServer]:
    with planting(io.StringIO()) as server:
        yield server


def send_with_token(server: MockServer, method: str, path: str, *headers: str, body: bytes = b"") -> Reply:
    """Send a request to the control plane with its token."""
    return send(
        server.url, method, ROOT + path, "Host: a", f"Mock-Webshare-Token: {TOKEN}", *headers, body=body
    )


class TestAKey:
    """The canary: nothing that we write has it, wherever it was planted."""

    @pytest.mark.parametrize("path", ["requests", "requests.har", "requests.ndjson"])
    def test_is_in_no_journal(self, planted: MockServer, path: str) -> None:
        of_the_key = send_with_token(planted, "GET", path, f"Authorization: Token {CANARY}")
        of_none = send_with_token(planted, "GET", path)
        assert of_the_key.body.count(LIST) >= 8 and of_none.body.count("/") >= 2
        for reply in (of_the_key, of_none):
            assert reply.status == 200
            assert not any(secret in reply.head + reply.body for secret in SECRETS)

    def test_is_in_nothing_that_python_shows(self, planted: MockServer) -> None:
        ours = planted.world(CANARY)
        with pytest.raises(AssertionError) as missed:
            ours.assert_requested("GET", "/nothing")
        shown = [ours.har(), ours.ndjson(), ours.transcript(), repr(ours), repr(planted), str(missed.value)]
        shown += map(repr, ours.requests)
        assert sum(map(len, shown)) > 10_000
        assert not any(CANARY in each for each in shown)

    def test_is_in_no_log(self) -> None:
        log = io.StringIO()
        with planting(log):
            pass
        lines = log.getvalue().splitlines()
        assert len(lines) == len(PLANTED)
        # The first request has it in its path and nowhere else: it cannot be recognised as a key.
        assert not any(secret in line for line in lines[1:] for secret in SECRETS)

    @pytest.mark.parametrize(("method", "path"), MISTAKEN)
    def test_is_in_no_problem(self, planted: MockServer, method: str, path: str) -> None:
        body = BODY if method in ("POST", "PATCH", "PUT") and "snapshots" not in path else b""
        reply = send_with_token(planted, method, path, f"Authorization: Token {CANARY}", body=body)
        assert reply.problem["detail"]
        assert not any(secret in reply.head + reply.body for secret in SECRETS)

    @pytest.mark.parametrize("body", [{"mode": CANARY}, {"status": TOKEN}, {CANARY: 1}, {"id": [CANARY]}])
    def test_is_not_repeated_as_a_value(self, planted: MockServer, body: object) -> None:
        reply = send_with_token(
            planted, "POST", "credits", f"Authorization: Token {CANARY}", body=json.dumps(body).encode()
        )
        assert "REDACTED-" in reply.problem["detail"]
        assert not any(secret in reply.body for secret in SECRETS)

    def test_is_in_no_response_without_the_token(self, planted: MockServer) -> None:
        reply = send(planted.url, "GET", f"{ROOT}{CANARY}", "Host: a", f"Authorization: Token {CANARY}")
        assert reply.status == 403
        assert not any(secret in reply.head + reply.body for secret in SECRETS)

    def test_is_in_no_representation_of_settings(self) -> None:
        settings = Settings(api_keys=(CANARY,), control_token=TOKEN)
        assert not any(secret in repr(settings) for secret in SECRETS)

    def test_is_in_no_error_of_ours(self) -> None:
        with (
            pytest.raises(ServerError) as refusal,
            MockServer(Settings(host="nowhere.invalid", api_keys=(CANARY,), control_token=TOKEN)),
        ):
            pass
        errors: list[MockWebshareError] = [refusal.value]
        with MockServer(Settings(port=0, api_keys=("other-key",))) as server:
            with pytest.raises(MockWebshareError) as unknown:
                server.world(CANARY).clock()
            errors.append(unknown.value)
        assert not any(secret in str(error) for error in errors for secret in SECRETS)
