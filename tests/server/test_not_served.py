"""What the service has and the mock does not serve is a 501, and is named wherever requests are shown."""

from __future__ import annotations

import io
from itertools import product
from typing import Any

import pytest
import requests
from webshare import InternalServerError, Webshare

from mock_webshare import MockServer, MockWorld, Settings
from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import Operation

SERVED = {endpoint.path for endpoint in WEBSHARE.endpoints}
NOT_SERVED = [each for each in WEBSHARE.operations if each.path not in SERVED]
TOKEN = "k7wq2m9x4tk7wq2m9x4t"
DOWNLOAD = f"/api/v2/proxy/list/download/{TOKEN}/-/any/username/direct/-/"


@pytest.fixture
def world(server: MockServer) -> MockWorld:
    world = server.world("a-world-of-its-own")
    world.reset()
    return world


HEADERS: list[dict[str, str]] = [{}, {"Authorization": "Token not-served"}, {"Accept": "text/csv"}]


@pytest.mark.parametrize("operation", NOT_SERVED, ids=lambda each: each.name)
def test_it_is_a_501_in_our_words(operation: Operation, server: MockServer) -> None:
    url = server.url + operation.path.rstrip("/")
    for slash, headers in product(("/", ""), HEADERS):
        response = requests.request(operation.method, url + slash, headers=headers, allow_redirects=False)
        assert (response.status_code, response.headers["Content-Type"]) == (501, "application/json")
        text = f"mock-webshare does not serve this operation of the service ({operation.name})."
        assert response.json() == {"detail": text}


@pytest.mark.parametrize(
    "path", ["/api/v2/", "/api/v2/proxies/", "/api/v2/proxy/list/1/", "/api/v1/profile/"]
)
def test_a_path_that_is_not_known_stays_the_page_of_django(path: str, server: MockServer) -> None:
    response = requests.get(server.url + path)
    assert (response.status_code, response.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_it_is_not_throttled(server: MockServer) -> None:
    with MockServer(Settings(port=0, rate_limit="1/min")) as other, requests.Session() as session:
        session.headers["Authorization"] = "Token a"
        statuses = [session.get(f"{other.url}/api/v2/profile/").status_code for _ in range(3)]
        statuses += [session.get(f"{other.url}/api/v2/referral/credit/").status_code for _ in range(2)]
    assert statuses == [501, 501, 501, 200, 429]


def test_a_fault_strikes_before_it(world: MockWorld) -> None:
    with Webshare(api_key=world.api_key, base_url=world.url, max_retries=0) as client:
        world.add_fault(status=503, path="/api/v2/profile/", times=1)
        for status in (503, 501):
            with pytest.raises(InternalServerError) as error:
                client.profile.get()
            assert error.value.status_code == status
    assert world.transcript().splitlines()[:2] == [
        "GET /api/v2/profile/ 503 (fault:1, status)",
        "GET /api/v2/profile/ 501 (not-served:profile.get)",
    ]


def test_a_fault_can_stand_for_it(world: MockWorld) -> None:
    page: dict[str, Any] = {"count": 0, "next": None, "previous": None, "results": []}
    world.add_fault(respond=200, jsonBody=page, path="/api/v2/proxy/list/")
    with Webshare(api_key=world.api_key, base_url=world.url) as client:
        assert list(client.proxies.list(mode="direct")) == []
    world.reset()
    world.add_fault(
        respond=201, body="a,b\n", headers={"Content-Type": "text/csv", "X-A": "b"}, method="POST"
    )
    response = requests.post(
        f"{world.url}/api/v2/subuser/", headers={"Authorization": f"Token {world.api_key}"}
    )
    assert (response.status_code, response.text, response.headers["X-A"]) == (201, "a,b\n", "b")
    assert response.headers["Content-Type"] == "text/csv"
    assert world.transcript() == "POST /api/v2/subuser/ 201 (fault:1, respond)"


def test_the_server_counts_it_with_and_without_a_key() -> None:
    with MockServer() as server:
        for headers in ({}, {"Authorization": "Token a"}):
            requests.get(f"{server.url}/api/v2/profile/", headers=headers)
        requests.get(f"{server.url}/api/v2/proxy/config")
        requests.get(f"{server.url}/api/v2/referral/credit/")
        assert server.not_served() == {"profile.get": 2, "proxy_config.update": 1}


def test_log_and_journal_name_it_without_the_token_of_a_download() -> None:
    stream = io.StringIO()
    with MockServer(log=stream) as server:
        requests.get(server.url + DOWNLOAD, headers={"Authorization": "Token a"})
        journal = server.world("a").transcript() + repr(server.world("a").requests)
        recorded = requests.get(
            f"{server.url}/__mock__/requests.ndjson", headers={"Authorization": "Token a"}
        ).text
    assert "not-served:proxies.download" in stream.getvalue()
    assert "not-served:proxies.download" in journal
    assert TOKEN not in stream.getvalue() + journal + recorded
