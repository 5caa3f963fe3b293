"""Cached responses: the same bytes as a response of aiohttp, for any client and any number of times."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import parsedate_to_datetime

import pytest
from aiohttp import web

from mock_webshare import create_app
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.server import delivery
from mock_webshare.service.framework.response import Response
from tests.conftest import Client
from tests.waiting import PATIENCE

LIST = CREDIT_LIST.path
AiohttpClient = Callable[..., Awaitable[Client]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
GET = f"GET {LIST}?page_size=1 HTTP/1.1\r\nHost: here\r\nAuthorization: Token key\r\n"


async def exchange(client: Client, *requests: str) -> bytes:
    """Send some requests over one connection, and return all that comes until it closes."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write("".join(f"{request}\r\n" for request in requests).encode())
    response = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    await writer.wait_closed()
    return response


def lines(response: bytes) -> tuple[list[bytes], bytes]:
    """Return the lines of a head, sorted, without those that say when it was, and the body."""
    head, _, body = response.partition(b"\r\n\r\n")
    return sorted(line for line in head.split(b"\r\n") if not line.startswith((b"Date", b"Connection"))), body


async def test_it_is_what_the_framework_would_send(client: Client) -> None:
    quick_and_plain = await exchange(client, GET, f"{GET}Connection: close\r\n")
    quick, start, plain = quick_and_plain.partition(b"HTTP/1.1 200 OK")[2].partition(b"HTTP/1.1 200 OK")
    assert lines(b"HTTP/1.1 200 OK" + quick) == lines(start + plain)
    assert b"Connection: close" in plain and b"Connection" not in quick


async def test_a_connection_that_is_to_close_closes(client: Client) -> None:
    assert b"\r\nConnection: close\r\n" in await exchange(client, f"{GET}Connection: close\r\n")


async def test_a_client_of_http_1_0_gets_its_own(client: Client) -> None:
    response = await exchange(client, GET.replace("HTTP/1.1", "HTTP/1.0"))
    assert response.startswith(b"HTTP/1.0 200 OK\r\n") and response.endswith(b"]}")


async def test_pipelined_requests_get_responses_in_their_order(client: Client) -> None:
    targets = ("?page=1", "?page=2", "?page=oops")
    requests = [GET.replace("?", f"{target}&") for target in targets]
    response = await exchange(client, *requests, f"{GET}Connection: close\r\n")
    assert re.findall(rb"HTTP/1\.1 (\d+)", response) == [b"200", b"200", b"404", b"200"]


async def test_its_length_is_that_of_what_is_sent(client: Client) -> None:
    alone = await exchange(client, f"{GET}Connection: close\r\n")
    both = await exchange(client, GET, f"{GET}Connection: close\r\n")
    page = Response(
        200, (("Content-Type", "application/json"), ("Allow", "GET, HEAD, OPTIONS")), lines(alone)[1]
    )
    quick, sent = delivery.CachedResponse(page), []

    class Request:
        class writer:
            @staticmethod
            async def write_eof(content: bytes) -> None:
                sent.append(content)

    await quick.prepare(Request())  # type: ignore[arg-type]  # it needs no more
    assert quick.body_length == len(sent[0]) == len(both) - len(alone)


async def test_links_begin_with_the_scheme_of_the_request(
    aiohttp_client: AiohttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await aiohttp_client(create_app(), headers={"Authorization": "Token key"})
    for scheme in ("http", "https", "http"):
        monkeypatch.setattr(web.Request, "scheme", scheme)
        page = await (await client.get(LIST)).json()
        assert page["next"] == f"{scheme}://{client.host}:{client.port}{LIST}?page=2"


async def test_what_a_middleware_notes_of_a_request_is_of_that_request(aiohttp_client: AiohttpClient) -> None:
    seen = []

    @web.middleware
    async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
        seen.append(dict(request.match_info))
        request.match_info["user"] = "somebody"
        return await handler(request)

    app = create_app()
    app.middlewares.append(note)
    client = await aiohttp_client(app)
    for _ in range(3):
        await client.get(LIST)
    assert seen == [{}, {}, {}]


async def test_the_application_around_ours_stays_its_own_for_each_of_many_requests(
    aiohttp_client: AiohttpClient,
) -> None:
    key = web.AppKey("key", str)

    @web.middleware
    async def mark(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        response.headers["Outer"] = request.app[key]
        return response

    outer = web.Application(middlewares=[mark])
    outer[key] = "ours"
    outer.add_domain("127.0.0.1", create_app())
    client = await aiohttp_client(outer, headers={"Authorization": "Token key"})

    together = asyncio.Barrier(20)

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        await together.wait()  # so that all requests are in progress before the first response
        yield b"x"

    responses = await asyncio.gather(*(client.post(LIST, data=body()) for _ in range(together.parties)))
    assert {response.headers.get("Outer") for response in responses} == {"ours"}


async def test_the_date_goes_on(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    async def date() -> float:
        return parsedate_to_datetime((await client.get(LIST)).headers["Date"]).timestamp()

    for now in (1_700_000_000.9, 1_700_000_001.0, 1_800_000_000.0):
        monkeypatch.setattr("mock_webshare.server.delivery.time.time", lambda now=now: now)
        assert await date() == int(now)


async def test_a_signal_may_change_what_is_sent(aiohttp_client: AiohttpClient) -> None:
    async def sign(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Signed"] = "yes"

    app = create_app()
    app.on_response_prepare.append(sign)
    client = await aiohttp_client(app)
    for _ in range(2):
        assert (await client.get(LIST)).headers["Signed"] == "yes"


@pytest.mark.parametrize("is_mounted", [False, True])
async def test_a_middleware_may_change_what_is_sent(aiohttp_client: AiohttpClient, is_mounted: bool) -> None:
    @web.middleware
    async def teapot(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        response.set_status(418)
        return response

    app = create_app()
    if is_mounted:
        outer = web.Application(middlewares=[teapot])
        outer.add_subapp("/api/", app)
    else:
        outer = app
        outer.middlewares.append(teapot)
    client = await aiohttp_client(outer)
    for _ in range(2):
        assert (await client.get(LIST)).status == 418
