"""Archives: exchanges written as NDJSON, a line each, or as a HAR 1.2 document."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import parse_qsl, urlsplit

from mock_webshare import __version__
from mock_webshare.instants import format_instant
from mock_webshare.traffic.exchange import Exchange, Headers, write_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNKNOWN = -1  # what HAR writes for a size or a time that is not known


def write_ndjson(exchanges: Iterable[Exchange], stream: TextIO) -> None:
    """Write exchanges, one a line."""
    for exchange in exchanges:
        stream.write(write_line(exchange))


def write_har(exchanges: Iterable[Exchange], stream: TextIO) -> None:
    """Write exchanges as a HAR 1.2 document, one entry a line."""
    creator = json.dumps({"name": "mock-webshare", "version": __version__})
    stream.write(f'{{"log":{{"version":"1.2","creator":{creator},"entries":[')
    separator = "\n"
    for exchange in exchanges:
        stream.write(separator + json.dumps(har_entry(exchange), ensure_ascii=False))
        separator = ",\n"
    stream.write("\n]}}\n")


def har_entry(exchange: Exchange) -> dict[str, Any]:
    """Given an exchange, return its HAR entry; of one without a response the status is 0."""
    milliseconds = _UNKNOWN if exchange.seconds is None else 1000 * exchange.seconds
    return {
        "startedDateTime": format_instant(exchange.started or 0),
        "time": max(milliseconds, 0),
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": max(milliseconds, 0), "receive": 0},
    }


def _request(exchange: Exchange) -> dict[str, Any]:
    request: dict[str, Any] = {
        "method": exchange.method or "",
        "url": exchange.url or "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(exchange.request_headers or ()),
        "queryString": _pairs(parse_qsl(urlsplit(exchange.url or "").query, keep_blank_values=True)),
        "headersSize": _UNKNOWN,
        "bodySize": len(exchange.request_body),
    }
    if exchange.request_body:
        content_type = exchange.request_header("Content-Type") or ""
        request["postData"] = {"mimeType": content_type, **_text(exchange.request_body)}
    return request


def _response(exchange: Exchange) -> dict[str, Any]:
    return {
        "status": exchange.status or 0,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(exchange.headers or ()),
        "content": {
            "size": len(exchange.body),
            "mimeType": exchange.header("Content-Type") or "",
            **_text(exchange.body),
        },
        "redirectURL": exchange.header("Location") or "",
        "headersSize": _UNKNOWN,
        "bodySize": len(exchange.body),
    }


def _pairs(pairs: Headers | Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _text(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode("ascii"), "encoding": "base64"}
