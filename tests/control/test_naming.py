"""How a request to the control plane names its world and its parameters, and that a look changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from mock_webshare import MockServer, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.control.query import choice, integer, read_query, text
from mock_webshare.control.routes import ROOT, Route
from mock_webshare.errors import UsageError
from mock_webshare.service.world import registry
from mock_webshare.service.world.registry import Worlds
from tests.control_plane import ROUTES, name

LIST = CREDIT_LIST.path
KEY = "the-key-of-this-world"
PARAMETERS = (
    integer("after", "", 0),
    integer("limit", "", 200, 200),
    text("search", ""),
    choice("by", "", "month"),
)

GOOD: dict[str, dict[str, Any]] = {
    "": {"after": 0, "limit": 200, "search": "", "by": "month"},
    "after=7": {"after": 7},
    "after=007&limit=0": {"after": 7, "limit": 0},
    "limit=200&by=month": {"limit": 200, "by": "month"},
    "search=a%20b+%C3%A9%00": {"search": "a b \u00e9\x00"},
    "search=": {"search": ""},
    f"after={10**15 - 1}": {"after": 10**15 - 1},
}
ALLOWED = "allowed here: after, limit, search, by"
BAD = {
    "page=2": f"there is no query parameter 'page'; {ALLOWED}",
    "limt=2": f"there is no query parameter 'limt'; did you mean limit?; {ALLOWED}",
    "Limit=2": f"there is no query parameter 'Limit'; did you mean limit?; {ALLOWED}",
    "=": f"there is no query parameter ''; {ALLOWED}",
    "after=1&after=1": "the query parameter after is sent more than once; send it once",
    "limit=201": "limit '201' is not allowed; allowed: a number from 0 to 200",
    "limit=-1": "limit '-1' is not allowed; allowed: a number from 0 to 200",
    "limit=": "limit '' is not allowed; allowed: a number from 0 to 200",
    "limit=1.0": "limit '1.0' is not allowed; allowed: a number from 0 to 200",
    "limit=%D9%A1": "limit '\u0661' is not allowed; allowed: a number from 0 to 200",
    f"after={'9' * 5000}": f"after '{'9' * 79} is not allowed; allowed: a number from 0 to {10**15 - 1}",
    f"search={'a' * 201}": f"search '{'a' * 79} is not allowed; allowed: up to 200 characters",
    "by=week": "by 'week' is not allowed; allowed: month",
    "&".join(["a"] * 101): "the query has too many parameters; allowed: after, limit, search, by",
}


@pytest.mark.parametrize("query", GOOD)
def test_parameters_are_read(query: str) -> None:
    found = read_query(PARAMETERS, query)
    assert found == {**GOOD[""], **GOOD[query]}


@pytest.mark.parametrize("query", BAD)
def test_another_parameter_or_value_is_refused_with_what_is_allowed(query: str) -> None:
    with pytest.raises(UsageError) as error:
        read_query(PARAMETERS, query)
    assert str(error.value) == BAD[query]


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer(Settings(port=0, data="edge-cases", rate_limit="off")) as server:
        yield server


def call(server: MockServer, method: str, path: str, **headers: str) -> requests.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.request(method, f"{server.url}{ROOT}{path}", headers=sent)


def id_of(server: MockServer, key: str = KEY) -> str:
    """Return the id of the world of a key, which exists then."""
    return server.call(lambda worlds: worlds.require(key).id)


@pytest.mark.parametrize("route", [each for each in ROUTES if not each.body], ids=name)
def test_each_route_refuses_an_unknown_parameter_before_it_does_anything(
    server: MockServer, route: Route
) -> None:
    path = route.path.format(name="before", id=1, number=1)
    response = call(server, route.method, f"{path}?frobnicate={KEY}", Authorization=f"Token {KEY}")
    assert response.status_code == 400
    allowed = ", ".join(each.name for each in route.query) or "none"
    detail = f"there is no query parameter 'frobnicate'; allowed here: {allowed}"
    assert response.json()["detail"] == detail
    assert server.call(len) == 0


def test_a_world_is_named_by_its_id_instead_of_its_key(server: MockServer) -> None:
    other, world = id_of(server, "other"), id_of(server)
    headers = {"Mock-Webshare-World": world}
    put = requests.put(f"{server.url}{ROOT}clock", json={"advance": "P1D"}, headers=headers)
    assert put.status_code == 200
    assert call(server, "GET", "clock", Mock_Webshare_World=world).json() == put.json()
    assert call(server, "GET", "clock", Mock_Webshare_World=other).json() != put.json()
    assert server.world(KEY).clock() == put.json()
    assert call(server, "DELETE", "requests", Mock_Webshare_World=world).status_code == 204


def test_a_use_by_id_does_not_keep_a_world_alive(server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MAX_WORLDS", 2)
    first = id_of(server, "first")
    id_of(server, "second")
    for method, path in (("GET", "credits"), ("DELETE", "faults"), ("POST", "reset")):
        assert call(server, method, path, Mock_Webshare_World=first).ok
    id_of(server, "third")
    response = call(server, "GET", "credits", Mock_Webshare_World=first)
    assert response.status_code == 404
    assert response.json()["detail"] == (
        f"there is no world with the id '{first}': it was deleted, or the server was started again; "
        "GET /__mock__/worlds lists the worlds"
    )


GONE = ["", "0" * 16, "any", KEY, "../..", "\u00e9", "x" * 5000]


@pytest.mark.parametrize("world", GONE)
@pytest.mark.parametrize("path", ["requests", "clock", "requests.har"])
def test_an_id_that_no_world_has_is_404_and_never_the_requests_without_a_key(
    server: MockServer, path: str, world: str
) -> None:
    response = requests.get(
        f"{server.url}{ROOT}{path}", headers={"Mock-Webshare-World": world.encode("latin-1")}
    )
    assert response.status_code == 404
    assert "there is no world with the id" in response.json()["detail"]


def test_a_request_with_key_and_id_is_refused(server: MockServer) -> None:
    world = id_of(server)
    response = call(server, "POST", "reset", Mock_Webshare_World=world, Authorization="Token other")
    assert response.status_code == 400
    assert response.json()["detail"] == (
        "the request names a world by Mock-Webshare-World and by Authorization; send one of them"
    )
    assert server.call(len) == 1


def test_the_key_of_a_world_that_is_named_by_its_id_is_in_no_error(server: MockServer) -> None:
    world = id_of(server)
    response = call(server, "DELETE", f"snapshots/{KEY}", Mock_Webshare_World=world)
    assert response.status_code == 404 and KEY not in response.text


@pytest.mark.parametrize("route", [each for each in ROUTES if each.method == "GET"], ids=name)
def test_a_look_by_the_key_does_not_create_the_world(server: MockServer, route: Route) -> None:
    path = route.path.format(name="before", id=1, number=1)
    assert call(server, "GET", path, Authorization=f"Token {KEY}").status_code in (200, 404)
    assert server.call(len) == 0


def test_a_count_of_requests_is_a_look_too(server: MockServer) -> None:
    body = {"method": "GET", "path": LIST}
    headers = {"Authorization": f"Token {KEY}"}
    response = requests.post(f"{server.url}{ROOT}requests/count", json=body, headers=headers)
    assert response.json() == {"count": 0}
    assert server.call(len) == 0


def test_a_look_by_the_key_does_not_keep_the_world_alive(
    server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MAX_WORLDS", 2)
    first = id_of(server, "first")
    id_of(server, "second")
    assert call(server, "GET", "state", Authorization="Token first").status_code == 200
    id_of(server, "third")

    def has_first(worlds: Worlds) -> bool:
        return worlds.key_of(first) is not None

    assert not server.call(has_first)


def test_the_document_has_the_parameters_and_both_ways_to_name_a_world(server: MockServer) -> None:
    document = call(server, "GET", "openapi.json").json()
    assert document["components"]["securitySchemes"]["world-id"]["name"] == "Mock-Webshare-World"
    for route in ROUTES:
        operation = document["paths"][ROOT + route.path][route.method.lower()]
        queries = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
        assert [each["name"] for each in queries] == [each.name for each in route.query]
        ways = {key for each in operation["security"] for key in each} - {"token"}
        assert ways in (set(), {"world", "world-id"}), json.dumps(operation)
