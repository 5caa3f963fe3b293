"""The control plane over HTTP: every route, every refusal, and the document that describes them."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pkgutil import resolve_name
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from mock_webshare import Settings, control, create_app
from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.control.activity import Readers
from mock_webshare.control.routes import ROOT, ControlRequest, Route, routes_of
from mock_webshare.control.summary import Remembered
from mock_webshare.errors import MockWebshareError
from mock_webshare.server.app import WORLDS
from mock_webshare.service import faults
from mock_webshare.service.data import dataset
from mock_webshare.service.settings import MAX_ROWS
from mock_webshare.service.world.registry import Worlds
from tests.conftest import Client
from tests.control_plane import (
    BY_NAME,
    HEADERS,
    KEY,
    ROUTES,
    Controlled,
    digest_of,
    document,
    look,
    name,
    validator,
)
from tests.sampling import examples, sampled
from tests.waiting import PATIENCE

LIST = CREDIT_LIST.path
EDGE_CASES = dataset.load("edge-cases")
NULLABLE = [field.name for field in WEBSHARE.fields["credits"] if field.is_nullable]
CREDIT, CHANNEL = EDGE_CASES.rows["credits"][0].id, 99

BODIES: dict[str, Any] = {
    "PUT state": {"credits": [], "channels": [{"id": 7, "code": "SPRING10"}]},
    "POST credits": {"amount": 12.5},
    "PATCH credits/{id}": {"status": "available"},
    "POST channels": {"code": "SUMMER20"},
    "PATCH channels/{id}": {"code": "WINTER20"},
    "PATCH config": {"mode": "credits"},
    "POST earnouts": {"amount": 12.5},
    "PATCH earnouts/{id}": {"status": "failed", "error_reason": "No."},
    "PATCH applied_coupon": {"coupon": 5},
    "POST coupons": {"code": "FRIENDS20"},
    "PATCH coupons/{id}": {"is_active": False},
    "POST purchases": {"amount": 50, "code": "SPRING10"},
    "POST simulate": {"months": 2, "purchases": 5},
    "PUT clock": {"advance": "P1D"},
    "POST faults": {"status": 503, "times": 2},
    "POST requests/count": {"method": "GET", "path": LIST},
    "PUT settings": {"max_page_size": 10},
}
"""A body for each route that takes one."""

FOREIGN_TYPES = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
    "text/plain;application/json",
    "text/json",
    "",
)
"""What a form of a foreign page can send, and the like."""

IDS = {"credits": CREDIT, "channels": CHANNEL, "faults": 1, "earnouts": 3, "coupons": 5}


def filled(route: Route) -> str:
    """Return the path of a route with names and ids in it that the prepared world has."""
    return route.path.format(name="before", number=1, id=IDS.get(route.path.partition("/")[0]))


@pytest.fixture
async def worlds() -> Worlds:
    """Worlds, one of them with every kind of state."""
    app_worlds = Worlds(EDGE_CASES, Settings(rate_limit="off"), lambda: 0.0)
    world = app_worlds.get(KEY)
    assert world
    world.create("channels", id=CHANNEL, code="UNUSED")
    world.create("earnouts", id=3)
    world.create("coupons", id=5, code="PARTNER10")
    world.add_fault(status=503, method="PATCH")
    world.take_snapshot("before")
    return app_worlds


@pytest.fixture
async def controlled(
    aiohttp_client: Callable[..., Awaitable[Client]], worlds: Worlds, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Controlled]:
    """The control plane of those worlds, after one request to the service."""
    monkeypatch.setattr("mock_webshare.server.app.Worlds", lambda *_: worlds)
    client = await aiohttp_client(create_app(dataset=EDGE_CASES, source=lambda: EDGE_CASES), headers=HEADERS)
    assert client.app and client.app[WORLDS] is worlds
    await client.get(LIST)
    yield Controlled(client)


class TestEveryVerb:
    def test_has_a_body_here_if_it_takes_one(self) -> None:
        assert BODIES.keys() == {name(route) for route in ROUTES if route.body}

    @pytest.mark.parametrize("route", ROUTES, ids=name)
    async def test_responds_as_its_schema_says(self, controlled: Controlled, route: Route) -> None:
        await controlled.done(route.method, filled(route), BODIES.get(name(route)), route=name(route))

    @pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "GET"], ids=name)
    @pytest.mark.parametrize("method", sampled(["GET", "HEAD"]))
    async def test_of_get_changes_nothing(
        self, controlled: Controlled, worlds: Worlds, route: Route, method: str
    ) -> None:
        before = digest_of(worlds)
        response = await controlled.client.request(method, ROOT + filled(route))
        assert response.status == 200
        assert bool(await response.read()) == (method == "GET")
        assert digest_of(worlds) == before

    @pytest.mark.parametrize("route", [route for route in ROUTES if route.method != "GET"], ids=name)
    async def test_that_changes_something_does_not_by_a_safe_method(
        self, controlled: Controlled, worlds: Worlds, route: Route
    ) -> None:
        before = digest_of(worlds)
        for method in ("GET", "HEAD", "OPTIONS", "TRACE"):
            await controlled.client.request(method, ROOT + filled(route), json=BODIES.get(name(route)))
        assert digest_of(worlds) == before

    @pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
    async def test_names_the_methods_that_are_allowed(self, controlled: Controlled, path: str) -> None:
        methods = {route.method for route in ROUTES if route.path == path}
        allowed = methods | ({"HEAD"} if "GET" in methods else set())
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - allowed:
            route = next(route for route in ROUTES if route.path == path)
            response = await controlled.client.request(method, ROOT + filled(route))
            assert response.status == 405
            assert set(response.headers["Allow"].split(", ")) == allowed
            if method != "HEAD":
                problem = await controlled.refused(method, filled(route))
                assert problem["detail"].startswith(f"{method} is not a method of this endpoint; allowed: ")


class TestWorlds:
    async def test_health_survives_a_reset(self, controlled: Controlled) -> None:
        await controlled.done("POST", "reset")
        assert await controlled.done("GET", "health") == {"status": "ready"}

    async def test_health_needs_no_world(self, controlled: Controlled, worlds: Worlds) -> None:
        await controlled.client.get(f"{ROOT}health", headers={"Authorization": ""})
        assert len(worlds) == 1

    async def test_the_world_is_that_of_the_key(self, controlled: Controlled, worlds: Worlds) -> None:
        before = digest_of(worlds)
        other = {"Authorization": "Token other"}
        await controlled.client.put(f"{ROOT}settings", json={"max_page_size": 1}, headers=other)
        assert digest_of(worlds).replace('"worlds": 2', '"worlds": 1') == before

    async def test_a_key_is_read_as_the_service_reads_it(
        self, controlled: Controlled, worlds: Worlds
    ) -> None:
        for authorization in ("token \t clé".encode(), b"TOKEN cl\xc3\xa9"):
            headers = {"Authorization": authorization.decode("utf-8", "surrogateescape")}
            response = await controlled.client.put(f"{ROOT}clock", json={"running": False}, headers=headers)
            assert response.status == 200
        assert len(worlds) == 2 and worlds.get("clé") and len(worlds) == 2

    @pytest.mark.parametrize(
        "authorization", ["", "Token", "Basic x", "Token a b", "Token \udcff", "Token invalid"]
    )
    async def test_without_a_known_key_the_response_is_401(
        self, controlled: Controlled, authorization: str
    ) -> None:
        headers = {"Authorization": authorization}
        problem = await controlled.refused("GET", "state", headers=headers)
        assert (problem["status"], problem["title"]) == (401, "Unauthorized")
        assert "with the header Authorization: Token KEY" in problem["detail"]
        response = await controlled.client.get(f"{ROOT}state", headers=headers)
        assert response.headers["WWW-Authenticate"] == "Token"

    async def test_requests_without_a_known_key_are_in_a_journal_of_their_own(
        self, controlled: Controlled
    ) -> None:
        await controlled.client.get(LIST, headers={"Authorization": "Token invalid"})
        response = await controlled.client.get(f"{ROOT}requests", headers={"Authorization": ""})
        [request] = (await response.json())["requests"]
        assert request["response"]["status"] == 401

    async def test_all_worlds_can_be_let_go(self, controlled: Controlled) -> None:
        await controlled.done("DELETE", "worlds")
        assert (await controlled.done("GET", "worlds"))["worlds"] == 0

    async def test_a_change_is_in_the_response_of_the_service(self, controlled: Controlled) -> None:
        credit = await controlled.done("POST", "credits", {"amount": 12.5})
        page = await (await controlled.client.get(f"{LIST}{credit['id']}/")).json()
        assert page == credit

    async def test_a_state_that_is_read_can_be_put(self, controlled: Controlled, worlds: Worlds) -> None:
        state = await controlled.done("GET", "state")
        before = digest_of(worlds)
        await controlled.done("PUT", "state", state)
        assert digest_of(worlds) == before

    async def test_the_journal_has_the_request_and_its_response(self, controlled: Controlled) -> None:
        noted = await controlled.done("GET", "requests")
        [request] = noted["requests"]
        assert request["request"]["url"].endswith(LIST)
        assert json.loads(request["response"]["body"])["count"] == 30
        har = await controlled.done("GET", "requests.har")
        assert [entry["response"]["status"] for entry in har["log"]["entries"]] == [200]
        ndjson = await controlled.done("GET", "requests.ndjson")
        assert [json.loads(line)["request"]["method"] for line in ndjson.splitlines()] == ["GET"]

    @pytest.mark.parametrize(
        "body",
        [
            'form-data; name="token"' * 300,
            "-eyJaaaaaaaa" * 5000,
            '{"token":"' + "\\\\" * 40 + 'abcdefgh","note":"' + "\\\\" * 200 + 'abcdefg abcdefgh"}',
            '{"' + "token" * 5000 + '"' + ":" * 30_000,
        ],
        ids=lambda body: body[:9],
    )
    async def test_a_request_that_is_made_to_take_long_is_redacted_like_others(
        self, controlled: Controlled, body: str
    ) -> None:
        secret = "c4naryBird9xKq7"
        headers = {"X-Token": secret, "Content-Type": "text/plain"}
        await (await controlled.client.post(LIST, data=f"{body} {secret}", headers=headers)).read()
        ndjson = await controlled.done("GET", "requests.ndjson")
        sent = json.loads(ndjson.splitlines()[-1])["request"]
        assert sent["method"] == "POST" and "REDACTED-" in sent["body"]
        assert secret not in ndjson and "abcdefgh" not in ndjson

    @pytest.mark.parametrize(
        ("wanted", "count"),
        [
            ({"method": "GET", "path": LIST}, 1),
            ({"method": "POST", "path": LIST}, 0),
            ({"method": "GET", "path": LIST, "query": {"page": None}}, 1),
            ({"method": "GET", "path": LIST, "query": {"page": 2}}, 0),
        ],
    )
    async def test_requests_are_counted(
        self, controlled: Controlled, wanted: dict[str, Any], count: int
    ) -> None:
        assert await controlled.done("POST", "requests/count", wanted) == {"count": count}

    @pytest.mark.parametrize("text", ["é x", "日本", "100%", "a?b#c", "'\"<>", "..."])
    async def test_a_snapshot_may_have_any_printable_name(self, controlled: Controlled, text: str) -> None:
        path = f"snapshots/{quote(text, safe='')}"
        await controlled.done("PUT", path, route="PUT snapshots/{name}")
        assert text in await controlled.done("GET", "snapshots")
        await controlled.done("POST", f"{path}/restore", route="POST snapshots/{name}/restore")
        await controlled.done("DELETE", path, route="DELETE snapshots/{name}")


class TestARefusal:
    @pytest.mark.parametrize(
        "path", ["nothing", "health/", "state//", "credits/1/2", "reset/x", "snapshots/a/b"]
    )
    async def test_of_an_unknown_endpoint_is_404(self, controlled: Controlled, path: str) -> None:
        problem = await controlled.refused("GET", path)
        assert problem["status"] == 404
        assert f"GET {ROOT}openapi.json lists them" in problem["detail"]

    @pytest.mark.parametrize(
        ("method", "path", "detail"),
        [
            ("GET", "credits/7000000", "there is no credit 7000000 in this world"),
            ("GET", "credits/1.0", "there is no id '1.0' in this world"),
            ("GET", "credits/true", "there is no id 'true' in this world"),
            ("GET", "credits/%2B1", "there is no id '+1' in this world"),
            ("GET", "credits/1_0", "there is no id '1_0' in this world"),
            ("GET", "credits/%D9%A1", "there is no id '\u0661' in this world"),
            ("GET", f"credits/{'9' * 5000}", f"there is no id '{'9' * 79} in this world"),
            ("DELETE", "credits/-1", "there is no id '-1' in this world"),
            ("POST", "credits/7000000/revert", "there is no credit 7000000 in this world"),
            ("DELETE", "channels/7000000", "there is no channel 7000000 in this world"),
            ("DELETE", "faults/7000000", "there is no fault 7000000 in this world"),
            ("DELETE", "snapshots/after", "there is no snapshot 'after' in this world"),
            ("POST", "snapshots/after/restore", "there is no snapshot 'after' in this world"),
        ],
    )
    async def test_of_what_is_not_there_is_404(
        self, controlled: Controlled, method: str, path: str, detail: str
    ) -> None:
        assert await controlled.refused(method, path) == {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": detail,
        }

    @pytest.mark.parametrize("text", ["%00", "%0A", "x" * 201, "%E2%80%A8"])
    async def test_of_a_name_says_what_a_name_is(self, controlled: Controlled, text: str) -> None:
        problem = await controlled.refused("PUT", f"snapshots/{text}")
        assert "is not allowed; allowed: 1 to 200 printable characters" in problem["detail"]

    async def test_of_a_channel_in_use_says_by_how_many(self, controlled: Controlled) -> None:
        channel = EDGE_CASES.rows["channels"][0].id
        problem = await controlled.refused("DELETE", f"channels/{channel}")
        assert f"channel {channel} is named by " in problem["detail"]

    @pytest.mark.parametrize("route", [route for route in ROUTES if route.body], ids=name)
    async def test_of_another_type_of_body_is_415(
        self, controlled: Controlled, worlds: Worlds, route: Route
    ) -> None:
        before = digest_of(worlds)
        for content_type in FOREIGN_TYPES:
            problem = await controlled.refused(
                route.method, filled(route), data=b"{}", headers={"Content-Type": content_type}
            )
            assert problem["status"] == 415
            assert problem["detail"].endswith("is not allowed; allowed: application/json")
        assert digest_of(worlds) == before

    async def test_of_too_large_a_body_is_413(
        self, controlled: Controlled, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(control, "LARGEST_BODY", 100)
        await controlled.done("POST", "credits", {"amount": 1})
        problem = await controlled.refused("POST", "credits", json={"amount": 1, "x": "x" * 100})
        assert (problem["status"], problem["detail"]) == (413, "the body is too large; allowed: 100 bytes")

    async def test_of_a_small_body_that_unfolds_is_413_too(
        self, controlled: Controlled, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(control, "LARGEST_BODY", 100_000)
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        body = gzip.compress(b" " * 10_000_000)
        assert len(body) < 100_000
        problem = await controlled.refused("PUT", "state", data=body, headers=headers)
        assert problem["status"] == 413

    async def test_of_a_broken_encoding_says_so(self, controlled: Controlled) -> None:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        problem = await controlled.refused("POST", "credits", data=b"{}", headers=headers)
        assert problem["status"] == 400
        assert "Content-Encoding" in problem["detail"]

    async def test_is_not_sent_if_the_client_has_disconnected(
        self, controlled: Controlled, caplog: pytest.LogCaptureFixture
    ) -> None:
        url = controlled.client.make_url(f"{ROOT}state")
        _, writer = await asyncio.open_connection(url.host, url.port)
        head = f"PUT {url.path} HTTP/1.1\r\nHost: {url.host}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await controlled.done("GET", "health")
        assert "internal error of mock-webshare" not in caplog.text

    async def test_of_an_internal_error_is_a_problem_too(
        self, controlled: Controlled, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError(KEY)

        monkeypatch.setattr("mock_webshare.service.world.world.World.reset", broken)
        problem = await controlled.refused("POST", "reset")
        assert (problem["status"], problem["detail"]) == (
            500,
            "internal error of mock-webshare, please report it: RuntimeError",
        )
        assert KEY not in caplog.text

    async def test_of_too_many_credits_says_how_many_are_allowed(self, worlds: Worlds) -> None:
        body = {"credits": [None] * (MAX_ROWS + 1), "channels": []}
        with pytest.raises(MockWebshareError, match="has 1000001 rows; allowed: 1000000"):
            BY_NAME["PUT state"].read(body)

    async def test_of_too_many_faults_says_how_many_are_allowed(
        self, controlled: Controlled, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(faults, "MAX_FAULTS", 1)
        problem = await controlled.refused("POST", "faults", json={"status": 503})
        assert problem["status"] == 409
        assert problem["detail"] == "1 faults are set already; remove some before you set another"

    async def test_of_too_many_snapshots_says_what_to_do(
        self, controlled: Controlled, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("mock_webshare.service.world.world.MAX_SNAPSHOTS", 1)
        await controlled.done("PUT", "snapshots/before", route="PUT snapshots/{name}")
        problem = await controlled.refused("PUT", "snapshots/after")
        assert problem["status"] == 409
        assert problem["detail"] == "there are 1 snapshots already; delete some first"

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PUT", "snapshots/one", None),
            ("POST", "credits", {}),
            ("PUT", "state", {"credits": [], "channels": []}),
            ("PUT", "clock", {"advance": "P400D"}),
        ],
    )
    async def test_of_too_many_bytes_says_what_to_do(
        self, controlled: Controlled, method: str, path: str, body: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("mock_webshare.service.world.world.MAX_HELD_BYTES", 500)
        problem = await controlled.refused(method, path, **({} if body is None else {"json": body}))
        assert problem["status"] == 409
        assert re.fullmatch(
            r"changed accounts and snapshots of all worlds take [0-9]+ bytes, and this needs [0-9]+ more; "
            r"allowed: 500; delete snapshots, reset or delete worlds",
            problem["detail"],
        )


@pytest.mark.parametrize(
    ("route", "slow"),
    [
        ("PUT state", "mock_webshare.service.data.dataset.from_wire"),
        ("GET state", "mock_webshare.service.data.dataset.Dataset.wire"),
        ("GET credits", "mock_webshare.service.data.resources.format_instant"),
        ("GET requests", "mock_webshare.control.routes.listed"),
        ("GET requests.har", "mock_webshare.control.routes.exchanges"),
        ("GET requests.ndjson", "mock_webshare.control.routes.exchanges"),
    ],
)
async def test_others_are_served_while_one_takes_long(
    controlled: Controlled, monkeypatch: pytest.MonkeyPatch, route: str, slow: str
) -> None:
    began, served, act = threading.Event(), threading.Event(), resolve_name(slow)

    def held(*args: Any, **kwargs: Any) -> Any:
        began.set()
        assert served.wait(PATIENCE)
        return act(*args, **kwargs)

    monkeypatch.setattr(slow, held)
    monkeypatch.setattr(control, "_SMALL_BODY", 0)
    method, path = route.split()
    task = asyncio.ensure_future(controlled.done(method, path, BODIES.get(route)))
    assert await asyncio.to_thread(began.wait, PATIENCE)
    await controlled.done("GET", "health")
    served.set()
    await task


def schemas(part: Any) -> Iterator[dict[str, Any]]:
    """Yield each schema with examples in a part of the document."""
    if isinstance(part, dict):
        if isinstance(part.get("examples"), list):
            yield part
        for each in part.values():
            yield from schemas(each)
    elif isinstance(part, list):
        for each in part:
            yield from schemas(each)


EXAMPLES = [
    pytest.param(route, example, id=f"{name(route)} {json.dumps(example)[:40]}")
    for route in ROUTES
    for example in document()["components"]["schemas"].get(route.body, {}).get("examples", ())
]

NO_ITEMS: list[Any] = []
NO_KEYS: dict[str, Any] = {}
# Route, body, and the pointer to what is wrong with it.
BROKEN: list[tuple[str, Any, str]] = [
    *((route, body, "") for route in BODIES for body in (None, NO_ITEMS, "text", 1, True)),
    *((route, {"self": 1}, "") for route in BODIES),
    *((route, {"unknown": None}, "") for route in BODIES),
    *(
        ("POST credits", {"id": value}, "/id")
        for value in (0, -1, 1.5, True, "1", None, NO_ITEMS, NO_KEYS, 2**63)
    ),
    ("POST credits", {"id": 10**300}, "/id"),
    ("POST credits", {"user_id": 0}, "/user_id"),
    ("POST credits", {"mode": "credit"}, "/mode"),
    *(
        ("POST credits", {"amount": value}, "/amount")
        for value in ("2.50", True, None, NO_ITEMS, 1e300, -(10**301))
    ),
    *(("POST credits", {"status": value}, "/status") for value in ("Pending", None, ["pending"])),
    *(("POST credits", {"referral_channel": value}, "/referral_channel") for value in (0, "7", True, 1.5)),
    ("POST credits", {"referral_channel_code": ""}, "/referral_channel_code"),
    *(
        ("POST credits", {"created_at": value}, "/created_at")
        for value in ("2026-03-16", "2026-02-30T09:00:00Z", "now", None, 1742140800)
    ),
    ("POST credits", {"reverted_at": 0}, "/reverted_at"),
    ("PATCH credits/{id}", {"amount": "1"}, "/amount"),
    ("PATCH credits/{id}", {"credit_id": 1}, ""),
    ("POST channels", {}, ""),
    ("POST channels", {"code": ""}, "/code"),
    ("POST channels", {"code": None}, "/code"),
    ("POST channels", {"id": 1.5, "code": "A"}, "/id"),
    ("PUT state", {"credits": []}, ""),
    ("PUT state", {"credits": {}, "channels": []}, "/credits"),
    ("PUT state", {"credits": [[]], "channels": []}, "/credits/0"),
    ("PUT state", {"credits": [], "channels": [{"code": "A"}]}, "/channels/0"),
    ("PUT state", {"credits": [], "channels": [], "now": "today"}, "/now"),
    ("PUT state", {"credits": [], "channels": [], "now": None}, "/now"),
    *(("PUT clock", {"now": value}, "/now") for value in ("", "tomorrow", None, 0)),
    *(("PUT clock", {"advance": value}, "/advance") for value in ("-P1D", "P1Y", "PT", "P", 30, None)),
    *(("PUT clock", {"running": value}, "/running") for value in (0, "true", None)),
    ("POST faults", {}, ""),
    ("POST faults", {"times": 2}, ""),
    ("POST faults", {"status": 503, "fault": "EMPTY_RESPONSE"}, ""),
    *(("POST faults", {"status": value}, "/status") for value in (200, 399, 600, "503", True, 503.5, None)),
    ("POST faults", {"status": 503, "code": "2fa_needed"}, "/code"),
    ("POST faults", {"status": 503, "retryAfter": -1}, "/retryAfter"),
    ("POST faults", {"status": 503, "detail": ""}, "/detail"),
    ("POST faults", {"status": 503, "detail": "x" * 2001}, "/detail"),
    ("POST faults", {"status": 503, "form": "xml"}, "/form"),
    ("POST faults", {"status": 503, "clock": "real"}, ""),
    *(("POST faults", {"status": 503, "times": value}, "/times") for value in (0, -1, "2", True, 10**10)),
    ("POST faults", {"status": 503, "after": -1}, "/after"),
    *(
        ("POST faults", {"status": 503, "probability": value}, "/probability")
        for value in (-0.1, 1.1, "1", True)
    ),
    ("POST faults", {"status": 503, "seed": 2**63}, "/seed"),
    *(
        ("POST faults", {"status": 503, "method": value}, "/method")
        for value in ("get", "", "Ä", "G T", None)
    ),
    *(("POST faults", {"status": 503, "path": value}, "/path") for value in ("api", "", 1, "/" * 2001)),
    *(
        ("POST faults", {"status": 503, "query": value}, "/query")
        for value in (
            NO_ITEMS,
            {"page": [2]},
            {"page": True},
            {"page": None},
            {str(n): "" for n in range(101)},
            {"x" * 2001: ""},
        )
    ),
    *(("POST faults", {"throttle": value}, "/throttle") for value in ("off", "5", "0/min", "5/year", 5)),
    ("POST faults", {"throttle": "5/min", "clock": "sun"}, "/clock"),
    *(
        ("POST faults", {"fixedDelayMilliseconds": value}, "/fixedDelayMilliseconds")
        for value in (-1, 600_001, "1")
    ),
    ("POST faults", {"delayDistribution": {"type": "uniform"}}, "/delayDistribution"),
    ("POST faults", {"delayDistribution": {"type": [], "lower": 1, "upper": 2}}, "/delayDistribution"),
    (
        "POST faults",
        {"chunkedDribbleDelay": {"numberOfChunks": 0, "totalDuration": 1}},
        "/chunkedDribbleDelay",
    ),
    ("POST faults", {"fault": "NONE"}, "/fault"),
    *(
        ("POST faults", {"contentType": value}, "/contentType")
        for value in ("", "a\r\nb: c", "é", "x" * 201, None)
    ),
    ("POST faults", {"drift": "removed"}, ""),
    ("POST faults", {"drift": "removed", "field": "colour"}, "/field"),
    ("POST faults", {"drift": "renamed", "field": "amount"}, ""),
    ("POST faults", {"drift": "renamed", "field": "amount", "to": 1}, "/to"),
    ("POST faults", {"drift": "added", "field": ""}, "/field"),
    *(("POST faults", {"drift": "null", "field": value}, "/field") for value in NULLABLE),
    ("POST faults", {"drift": "enum", "field": "amount", "to": "x"}, "/field"),
    ("POST faults", {"drift": "enum", "field": "status", "to": "pending"}, "/to"),
    ("POST faults", {"drift": "enum", "field": "mode", "to": "credits"}, "/to"),
    ("POST faults", {"pages": "inserted", "rows": 1001}, "/rows"),
    ("POST requests/count", {"method": "GET"}, ""),
    ("POST requests/count", {"method": "GET", "path": None}, "/path"),
    *(
        ("POST requests/count", {"method": "GET", "path": "/", "query": query}, "/query")
        for query in (NO_ITEMS, {"page": True}, {"page": NO_KEYS}, {"page": [NO_ITEMS]}, {"page": [None]})
    ),
    *(
        ("PUT settings", {"max_page_size": value}, "/max_page_size")
        for value in (0, 10_001, "10", True, 1.5, None)
    ),
    *(("PUT settings", {"rate_limit": value}, "/rate_limit") for value in ("", "5", "off/min", 5, None)),
    *(("PUT settings", {"rate_limit_clock": value}, "/rate_limit_clock") for value in ("", NO_ITEMS, None)),
    *(
        ("PUT settings", {"default_ordering": value}, "/default_ordering")
        for value in ("", "colour", "id,", "--id", 1)
    ),
    ("PUT settings", {"port": 80}, ""),
    ("POST credits", {"created_at": "1969-12-31T23:59:59Z"}, "/created_at"),
    ("PATCH credits/{id}", {"id": CREDIT}, "/id"),
    ("PUT clock", {"now": "9999-01-01T00:00:00Z"}, "/now"),
]

# Invalid too, which a schema cannot express: half characters, and sizes of whole values.
BROKEN_FOR_PARSERS: list[tuple[str, Any, str]] = [
    ("POST credits", {"created_at": "1970-01-01T00:00:00+00:01"}, "/created_at"),
    ("POST channels", {"code": "\ud800"}, "/code"),
    ("POST faults", {"status": 503, "detail": "\ud800"}, "/detail"),
    *(
        ("POST faults", {"drift": "added", "field": "x", "to": value}, "/to")
        for value in (["\ud800"], "x" * 10_000, [[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]])
    ),
]  # fmt: skip

# Valid alone, but not beside other rows, other fields or the time.
CONTRADICTIONS: list[tuple[str, Any, str]] = [
    ("POST credits", {"id": CREDIT}, "/id"),
    ("POST credits", {"id": 7.0}, "/id"),
    ("POST credits", {"status": "reverted", "reverted_at": None}, "/reverted_at"),
    ("POST credits", {"reverted_at": "2026-03-16T09:00:00Z"}, "/reverted_at"),
    ("POST earnouts", {"status": "failed", "error_reason": None}, "/error_reason"),
    ("POST earnouts", {"error_reason": "No."}, "/error_reason"),
    ("POST earnouts", {"mode": "credits", "paypal_payout_email": "a@b.example"}, "/paypal_payout_email"),
    ("POST credits", {"referral_channel": 7_000_000}, "/referral_channel"),
    ("POST credits", {"referral_channel_code": "NOBODYS"}, "/referral_channel_code"),
    ("POST channels", {"id": CHANNEL, "code": "A"}, "/id"),
    (
        "PUT state",
        {"credits": [], "channels": [{"id": 1, "code": "A"}, {"id": 1, "code": "B"}]},
        "/channels/1/id",
    ),
    ("PUT clock", {"advance": "P999999W"}, "/advance"),
]


@pytest.mark.parametrize("path", ["reset", "payments", "credits/{id}/revert", "snapshots/before/restore"])
@pytest.mark.parametrize("body", [{"credits": 0}, [], "x", 0], ids=str)
async def test_a_body_is_refused_where_it_would_be_ignored(
    controlled: Controlled, path: str, body: Any
) -> None:
    problem = await controlled.refused("POST", path.format(id=CREDIT), json=body)
    assert (problem["status"], problem["detail"].partition(";")[0]) == (400, "this endpoint reads no body")


@pytest.mark.parametrize(
    ("path", "similar"),
    [("fault", "faults"), ("faults/", "faults"), ("credit", "credits"), ("clok", "clock"), ("zzzz", "")],
)
async def test_a_path_that_does_not_exist_gets_the_nearest(
    controlled: Controlled, path: str, similar: str
) -> None:
    problem = await controlled.refused("GET", path)
    assert problem["status"] == 404
    assert problem["detail"].partition("did you mean ")[2] == f"{similar}?" * bool(similar)


async def test_an_empty_object_is_no_body(controlled: Controlled) -> None:
    await controlled.done("POST", "reset", {})


class TestTheDocument:
    def test_is_valid(self) -> None:
        assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []

    async def test_is_what_the_server_says(self, controlled: Controlled) -> None:
        assert await controlled.done("GET", "openapi.json") == document()

    def test_has_each_route_and_no_other(self) -> None:
        paths = document()["paths"]
        documented = {(method.upper(), path.removeprefix(ROOT)) for path in paths for method in paths[path]}
        assert documented == {(route.method, route.path) for route in routes_of()}

    @pytest.mark.parametrize(
        ("method", "path", "route", "body"),
        [
            ("PUT", "settings", "PUT settings", {"max_page_size": 20.0}),
            ("POST", "faults", "POST faults", {"status": 503.0, "times": 2.0, "retryAfter": 1e1}),
            ("POST", "faults", "POST faults", {"fixedDelayMilliseconds": 50.0, "seed": -7.0}),
            (
                "POST",
                "faults",
                "POST faults",
                {"chunkedDribbleDelay": {"numberOfChunks": 3.0, "totalDuration": 5.0}},
            ),
            ("PATCH", f"credits/{CREDIT}", "PATCH credits/{id}", {"user_id": 5.0, "amount": 2.0}),
            ("POST", "channels", "POST channels", {"id": 77.0, "code": "SUMMER21"}),
            (
                "POST",
                "requests/count",
                "POST requests/count",
                {"method": "GET", "path": "/", "query": {"a": 2.0}},
            ),
        ],
    )
    async def test_takes_a_whole_float_for_an_integer_and_so_does_the_server(
        self, controlled: Controlled, method: str, path: str, route: str, body: dict[str, Any]
    ) -> None:
        assert validator(BY_NAME[route].body or "").is_valid(body)
        await controlled.done(method, path, body, route=route)

    @given(
        st.text(max_size=201) | st.sampled_from(["a\u2028", "\x7f", "\x85", "\xa0", "\U0010ffff", "x" * 201])
    )
    @hypothesis_settings(max_examples=examples(200), deadline=None, database=None)
    def test_describes_the_names_that_the_server_takes(self, name: str) -> None:
        world = Worlds(EDGE_CASES, Settings(), lambda: 0.0).require(KEY)
        try:
            world.take_snapshot(name)
        except MockWebshareError:
            assert not validator("name").is_valid(name)
        else:
            assert validator("name").is_valid(name)

    @pytest.mark.parametrize("path", [f"credits/{CREDIT}", "channels/1"])
    async def test_has_no_id_among_the_fields_that_change(self, controlled: Controlled, path: str) -> None:
        one = path.partition("/")[0].removesuffix("s")
        assert not validator(f"{one}-fields").is_valid({"id": 5})
        problem = await controlled.refused("PATCH", path, json={"id": 5})
        assert problem["status"] in (400, 404)

    @pytest.mark.parametrize("path", ["requests", "requests.har", "requests.ndjson"])
    async def test_needs_a_key_only_where_the_server_does(self, controlled: Controlled, path: str) -> None:
        assert {} in document()["paths"][ROOT + path]["get"]["security"]
        url = controlled.client.make_url(ROOT + path)
        async with controlled.client.session.get(url, headers={"Authorization": ""}) as response:
            assert response.status == 200
        assert {} not in document()["paths"][f"{ROOT}requests/count"]["post"]["security"]

    def test_uses_each_of_its_schemas(self) -> None:
        text = json.dumps(document())
        for schema in document()["components"]["schemas"]:
            assert f'"#/components/schemas/{schema}"' in text

    def test_has_valid_schemas(self) -> None:
        for schema in document()["components"]["schemas"].values():
            Draft202012Validator.check_schema(schema)

    @pytest.mark.parametrize("schema", list(schemas(document()["components"]["schemas"])))
    def test_has_valid_examples(self, schema: dict[str, Any]) -> None:
        for example in schema["examples"]:
            assert (
                list(validator("problem").evolve(schema={**document(), **schema}).iter_errors(example)) == []
            )

    def test_has_an_example_of_each_body(self) -> None:
        assert {route.values[0] for route in EXAMPLES} == {route for route in ROUTES if route.body}

    @pytest.mark.parametrize(("route", "example"), EXAMPLES)
    async def test_has_examples_that_are_accepted(
        self, controlled: Controlled, route: Route, example: Any
    ) -> None:
        await controlled.done(route.method, filled(route), example, route=name(route))


class TestABrokenBody:
    @pytest.mark.parametrize("route", sorted({route for route, _, _ in BROKEN}))
    def test_is_refused_by_the_schema(self, route: str) -> None:
        schema = validator(BY_NAME[route].body or "")
        assert [body for name, body, _ in BROKEN if name == route and schema.is_valid(body)] == []

    @pytest.mark.parametrize("broken", sampled([*BROKEN, *BROKEN_FOR_PARSERS], kind=lambda broken: broken[0]))
    async def test_is_refused_by_the_server_with_its_place(
        self, controlled: Controlled, worlds: Worlds, broken: tuple[str, Any, str]
    ) -> None:
        (route, body, pointer), before = broken, digest_of(worlds)
        problem = await controlled.refused(
            BY_NAME[route].method, filled(BY_NAME[route]), data=json.dumps(body), headers=JSON
        )
        assert (problem["status"], problem["pointer"]) == (400, pointer)
        assert len(problem["detail"]) < 800
        assert digest_of(worlds) == before

    @pytest.mark.parametrize(("route", "body", "pointer"), CONTRADICTIONS)
    async def test_that_only_contradicts_the_state_is_a_conflict(
        self, controlled: Controlled, worlds: Worlds, route: str, body: Any, pointer: str
    ) -> None:
        before = digest_of(worlds)
        assert validator(BY_NAME[route].body or "").is_valid(body)
        problem = await controlled.refused(BY_NAME[route].method, filled(BY_NAME[route]), json=body)
        assert (problem["status"], problem["pointer"]) == (409, pointer)
        assert digest_of(worlds) == before

    @pytest.mark.parametrize(
        ("body", "detail"),
        [
            (b"", "is empty, not JSON"),
            (b'{"amount": 1', "is not JSON: Expecting ',' delimiter: line 1 column 13 (char 12)"),
            (b"\xff", "is not UTF-8 at byte 0"),
            (b"[" * 100_000, "is nested too deeply"),
            (b'{"amount": NaN}', "is not JSON: NaN is not a JSON number"),
            (b'{"amount": 1e999}', "is not JSON: the number 1e999 is too large"),
            (b'{"amount": %b}' % (b"1" * 401), "is not JSON: a number with 401 digits is too long"),
            (b'{"amount": 1, "amount": 2}', "is not JSON: the key 'amount' occurs twice in one object"),
            (
                b'{"amount": "%b"}' % (b"x" * 1000),
                f'"{"x" * 79}… is not allowed; allowed: a number, up to 1e300 either way',
            ),
            (b'{"mode": "\\ud800"}', '"\\ud800" is not allowed; allowed: payout, credits'),
            (b'{"%b": 1}' % (b"x" * 1000), None),
        ],
        ids=range(11),
    )
    async def test_is_refused_in_few_words(
        self, controlled: Controlled, body: bytes, detail: str | None
    ) -> None:
        problem = await controlled.refused("POST", "credits", data=body, headers=JSON)
        assert problem["status"] == 400
        assert detail in (None, problem["detail"])
        assert len(problem["detail"]) < 300

    @pytest.mark.parametrize("depth", [100, 500, 900, 950, 980, 1500])
    async def test_may_be_nested_as_deeply_as_it_likes(self, controlled: Controlled, depth: int) -> None:
        body = b'{"amount":' + b"[" * depth + b"]" * depth + b"}"
        assert (await controlled.refused("POST", "credits", data=body, headers=JSON))["status"] == 400

    async def test_with_many_keys_of_which_two_are_the_same_is_refused_soon(
        self, controlled: Controlled
    ) -> None:
        keys = ",".join(f'"{number}":0' for number in [*range(100_000), 99_999])
        async with asyncio.timeout(PATIENCE):
            problem = await controlled.refused("POST", "credits", data=f"{{{keys}}}", headers=JSON)
        assert problem["detail"] == "is not JSON: the key '99999' occurs twice in one object"


JSON = {"Content-Type": "application/json"}

_names = sorted(
    {key for schema in document()["components"]["schemas"].values() for key in schema.get("properties", ())}
    | {key for each in document()["components"]["schemas"]["fault"]["anyOf"] for key in each["properties"]}
)
_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.sampled_from(
        ["pending", "P1D", "off", "5/min", "id", "payout", "2026-03-16T09:00:00-07:00", "/api", "added"]
    ),
)
_values = st.recursive(
    _leaves, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3)
)
_bodies = _values | st.dictionaries(st.sampled_from(_names), _values, max_size=4)


async def not_reloaded() -> dict[str, int]:
    """Stand for what reads data again, which no route with a body does."""
    raise NotImplementedError


@pytest.mark.parametrize("route", sampled((route for route in ROUTES if route.body), name=name))
@hypothesis_settings(max_examples=examples(40), deadline=None, database=None)
@given(body=_bodies)
def test_what_a_schema_refuses_its_parser_refuses_and_nothing_breaks(route: Route, body: Any) -> None:
    worlds = Worlds(EDGE_CASES, Settings(), lambda: 0.0)
    try:
        path = {"id": str(CREDIT)}
        request = ControlRequest(
            WEBSHARE, worlds, KEY, path, route.read(body), not_reloaded, Readers(), Remembered()
        )
        response = route.run(request)
    except MockWebshareError:
        return
    assert validator(route.body or "").is_valid(body)
    assert route.response is None or validator(route.response).is_valid(response)


class TestThePage:
    @pytest.mark.parametrize(
        "accept",
        [
            "text/html",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/xml;q=0.9, Text/HTML;q=0.8",
        ],
    )
    async def test_is_for_a_browser(self, controlled: Controlled, accept: str) -> None:
        response = await controlled.client.get(ROOT, headers={"Accept": accept})
        text = await response.text()
        look(response.headers)
        assert (response.status, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        links = re.findall('<a href="([^#"]*)"', text)
        assert "openapi.json" in links
        for link in links:
            assert (await controlled.client.get(ROOT + link, headers={"Authorization": ""})).status == 200

    async def test_has_nothing_of_a_world(self, controlled: Controlled) -> None:
        pages = set()
        for key in ("one", "two"):
            headers = {"Accept": "text/html", "Authorization": f"Token {key}"}
            pages.add(await (await controlled.client.get(ROOT, headers=headers)).text())
        assert len(pages) == 1

    @pytest.mark.parametrize("accept", ["*/*", "application/json", "", "text/plain", "text/htmlx", "text/*"])
    async def test_is_a_list_of_links_for_any_other_client(self, controlled: Controlled, accept: str) -> None:
        response = await controlled.client.get(ROOT, headers={"Accept": accept})
        look(response.headers)
        assert (response.status, response.content_type) == (200, "application/json")
        text = await response.text()
        assert text.endswith("}\n") and text.count("\n") > 10
        links = json.loads(text)
        assert links[f"{ROOT}requests.har"] == "Return the journal as HAR 1.2."
        for link in links:
            assert (await controlled.client.get(link)).status == 200

    @pytest.mark.parametrize("accept", ["text/html", "*/*"])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    async def test_is_found_without_the_slash(self, controlled: Controlled, method: str, accept: str) -> None:
        for path in (ROOT.rstrip("/"), "/%5F_mock__"):
            response = await controlled.client.request(
                method, path, headers={"Accept": accept}, allow_redirects=False
            )
            assert (response.status, response.headers["Location"]) == (307, ROOT)
        assert (await controlled.client.request(method, ROOT[:-1], headers={"Accept": accept})).status == 200

    async def test_is_read_only(self, controlled: Controlled) -> None:
        await controlled.refused("POST", "", headers={"Accept": "text/html"})
        assert (await controlled.client.post(ROOT.rstrip("/"))).status == 404

    @pytest.mark.parametrize("path", [ROOT, ROOT.rstrip("/")])
    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "http://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Host": "evil.example"},
            {"Origin": "null", "Accept": "text/html"},
            {"Host": "evil.example", "Accept": "text/html"},
        ],
        ids=str,
    )
    async def test_is_for_no_other_site(
        self, controlled: Controlled, path: str, headers: dict[str, str]
    ) -> None:
        assert (await controlled.client.get(path, headers=headers, allow_redirects=False)).status == 403
