"""A session: clean traffic between a client and the stand-in, as exchanges, for tests of the judge."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import NamedTuple
from urllib.parse import urlsplit

from mock_webshare.contract.timestamps import SECOND, parse_instant
from mock_webshare.exchange.model import Exchange

LIST = "/api/v2/referral/credit/"
KEY = ("Authorization", "Token session")
BEGIN = parse_instant("2026-03-16T12:00:00-07:00")
LIVE = "https://proxy.webshare.io"


class Request(NamedTuple):
    target: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = (KEY,)


WALK = tuple(Request(f"{LIST}{query}") for query in ("", "?page=2", "?page=3", "?page=4"))
REQUESTS = (
    *WALK,
    *(
        Request(f"{LIST}?ordering={terms}&page_size=40")
        for terms in ("-amount", "created_at", "-updated_at,id")
    ),
    Request(f"{LIST}?ordering=reverted_at&page_size=100"),
    Request(f"{LIST}?ordering=-reverted_at&page_size=100"),
    Request(f"{LIST}?ordering=status,bogus,-mode"),
    Request(f"{LIST}?mode=payout"),
    Request(f"{LIST}?mode=payout&status=available&page_size=10&page=2"),
    Request(f"{LIST}?status=reverted"),
    Request(f"{LIST}?referral_channel="),
    Request(f"{LIST}?page=last&page_size=30"),
    Request(f"{LIST}?page_size=1000"),
    Request(f"{LIST}?z=%20a&page=2&a=&z=2"),
    Request(f"{LIST}?page=0"),
    Request(f"{LIST}?page=77"),
    Request(f"{LIST}?mode=bogus&status=bogus"),
    Request(f"{LIST}?referral_channel=1"),
    Request(f"{LIST}?format=xml"),
    Request(f"{LIST}1/"),
    Request(f"{LIST}x/"),
    Request(LIST, "HEAD"),
    Request(LIST, "OPTIONS"),
    Request(LIST, "POST"),
    Request(f"{LIST[:-1]}?a=1"),
    Request(LIST, headers=()),
    Request(LIST, headers=(("Authorization", "Token invalid"),)),
    Request(LIST, headers=(KEY, ("Accept", "text/html"))),
)


def record(url: str, source: str = "session.ndjson") -> list[Exchange]:
    """Given the URL of a stand-in with the default data, return a session, as if it were the service."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    session = [_send(connection, request) for request in REQUESTS]
    ids = [row["id"] for exchange in session[:2] for row in json.loads(exchange.body)["results"][:6]]
    session += [_send(connection, Request(f"{LIST}{row_id}/")) for row_id in ids]
    connection.close()
    return [_placed(each, index, source) for index, each in enumerate(session)]


def exchange(url: str, target: str) -> Exchange:
    """Return the exchange of one GET of a target, as if it were with the service."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    try:
        return _placed(_send(connection, Request(target)), 0, "session.ndjson")
    finally:
        connection.close()


def _send(connection: http.client.HTTPConnection, request: Request) -> Exchange:
    headers = (*request.headers, ("Host", "proxy.webshare.io"), ("X-Forwarded-Proto", "https"))
    connection.request(request.method, request.target, headers=dict(headers))
    response = connection.getresponse()
    body = response.read().replace(b"http://proxy.webshare.io", LIVE.encode())
    return Exchange(
        source="",
        method=request.method,
        url=LIVE + request.target,
        request_headers=request.headers,
        status=response.status,
        headers=tuple(response.getheaders()),
        body=body,
    )


def _placed(exchange: Exchange, index: int, source: str) -> Exchange:
    started = BEGIN + index * SECOND
    own = ("Server", "Mock-Webshare-Version", "Date")
    headers = [each for each in exchange.headers or () if each[0] not in own]
    date = ("Date", formatdate(started // SECOND, usegmt=True))
    placed = replace(exchange, headers=(*headers, date), source=source, entry=index, line=index + 1)
    return replace(placed, started=started, seconds=0.1)


def lists(session: list[Exchange]) -> Iterator[Exchange]:
    """Yield the answers that are pages."""
    return (each for each in session if each.status == 200 and each.body.startswith(b'{"count"'))
