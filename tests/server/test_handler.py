"""The service over HTTP; `tests/conformance` compares the same with the framework, byte by byte."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from mock_webshare import __version__, create_app
from mock_webshare.contract.endpoints import CONFIG, CREDIT_LIST
from mock_webshare.service.settings import Settings
from tests.conftest import Client

LIST = CREDIT_LIST.path
KEY = {"Authorization": "Token key"}

AiohttpClient = Callable[..., Awaitable[Client]]


async def test_a_page_is_the_rows_of_the_data_set(client: Client) -> None:
    page = await (await client.get(LIST, params={"page_size": "2"})).json()
    assert list(page) == ["count", "next", "previous", "results"]
    assert (page["count"], page["previous"], len(page["results"])) == (30, None, 2)
    assert page["next"] == f"{client.make_url(LIST)}?page=2&page_size=2"


async def test_following_next_meets_every_credit_once(client: Client) -> None:
    url, ids = f"{LIST}?page_size=7&ordering=-amount", []
    while url:
        page = await (await client.get(url)).json()
        ids += [credit["id"] for credit in page["results"]]
        url = page["next"] and page["next"].removeprefix(str(client.make_url("")).rstrip("/"))
    assert len(ids) == len(set(ids)) == 30


async def test_a_row_of_the_list_is_the_object_of_the_detail(client: Client) -> None:
    page = await (await client.get(LIST)).read()
    for credit in json.loads(page)["results"]:
        alone = await (await client.get(f"{LIST}{credit['id']}/")).read()
        assert alone in page


async def test_a_response_names_the_mock_server(client: Client) -> None:
    assert (await client.get(LIST)).headers["Mock-Webshare-Version"] == __version__


async def test_head_is_get_without_the_body(client: Client) -> None:
    head, get = await client.head(LIST), await client.get(LIST)
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    assert await head.read() == b""


async def test_an_indented_response_has_the_same_data(client: Client) -> None:
    compact = await client.get(LIST)
    indented = await client.get(LIST, headers={"Accept": "application/json; indent=2"})
    text = await indented.text()
    assert text.startswith('{\n  "count": 30,\n')
    assert json.loads(text) == await compact.json()
    assert indented.headers["Content-Type"] == "application/json"


async def test_equal_requests_get_equal_responses(client: Client) -> None:
    assert await (await client.get(LIST)).read() == await (await client.get(LIST)).read()


@pytest.mark.parametrize("path", ["/", "/api/v2/", "/favicon.ico", "/api/v2/referral/credit/1.5/"])
async def test_an_unknown_route_is_the_html_page(client: Client, path: str) -> None:
    response = await client.get(path)
    assert (response.status, response.content_type) == (404, "text/html")
    assert "Allow" not in response.headers


async def test_options_describes_the_endpoint(client: Client) -> None:
    assert (await (await client.options(LIST)).json())["name"] == "Referral Credit List"
    assert (await (await client.options(f"{LIST}1/")).json())["name"] == "Referral Credit Instance"


async def test_a_smaller_page_limit_is_a_setting(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_app(Settings(max_page_size=10)), headers=KEY)
    page = await (await client.get(LIST, params={"page_size": "50"})).json()
    assert len(page["results"]) == 10


async def test_the_default_order_is_a_setting(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_app(Settings(default_ordering="-id")), headers=KEY)
    ids = [credit["id"] for credit in (await (await client.get(LIST)).json())["results"]]
    assert ids == sorted(ids, reverse=True)


async def test_later_what_was_pending_is_available(aiohttp_client: AiohttpClient) -> None:
    app = create_app(Settings(now="2026-12-31T00:00:00-08:00"))
    client = await aiohttp_client(app, headers=KEY)
    assert (await (await client.get(LIST, params={"status": "pending"})).json())["count"] == 0


async def test_the_rate_limit_is_counted_for_each_key(aiohttp_client: AiohttpClient) -> None:
    now = 0.0
    app = create_app(Settings(rate_limit="2/min"), timer=lambda: now)
    client = await aiohttp_client(app)

    async def status(key: str) -> int:
        return (await client.get(LIST, headers={"Authorization": f"Token {key}"})).status

    assert [await status(key) for key in ("a", "a", "a", "b")] == [200, 200, 429, 200]
    now = 59.5
    refused = await client.get(LIST, headers={"Authorization": "Token a"})
    assert refused.headers["Retry-After"] == "1"
    assert (await refused.json())["detail"] == "Request was throttled. Expected available in 1 second."
    now = 60.0
    assert await status("a") == 200


async def test_many_at_once_are_each_counted(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_app(Settings(rate_limit="10/min"), timer=lambda: 0.0), headers=KEY)
    statuses = await asyncio.gather(*(_status(client) for _ in range(30)))
    assert sorted(statuses) == [200] * 10 + [429] * 20


async def _status(client: Client) -> int:
    return (await client.get(LIST)).status


async def test_an_internal_error_is_the_error_page_of_the_service(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("mock_webshare.service.framework.query.read_page", broken)
    response = await client.get(LIST, params={"x": "unseen"})
    assert response.status == 500
    assert "Server Error (500)" in await response.text()


async def test_a_body_that_cannot_be_decompressed_is_not_an_internal_error(client: Client) -> None:
    response = await client.post(LIST, data=b"{}", headers={"Content-Encoding": "gzip"})
    assert response.status == 405


def test_the_application_is_one_of_aiohttp() -> None:
    assert isinstance(create_app(), web.Application)


@pytest.mark.parametrize(("size", "status"), [(100_000, 200), (2_621_440 - 40, 200), (2_621_441, 400)])
async def test_a_large_body_is_read_whole_up_to_the_limit(client: Client, size: int, status: int) -> None:
    body = json.dumps({"mode": "credits", "unknown": ""})[:-2] + "x" * (size - 34) + '"}'
    headers = {"Content-Type": "application/json"}
    async with client.patch(CONFIG.path, data=io.BytesIO(body.encode()), headers=headers) as response:
        assert response.status == status
        assert response.content_type == ("application/json" if status == 200 else "text/html")
