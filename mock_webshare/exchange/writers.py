"""Writers: exchanges written to a stream one by one, as NDJSON or as HAR 1.2; `recordings` reads both.

Nothing is redacted here: callers that write real traffic redact it first.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, TextIO
from urllib.parse import parse_qsl, urlsplit

from mock_webshare.contract.timestamps import format_instant
from mock_webshare.exchange.model import Exchange, Headers, write_line
from mock_webshare.version import __version__

_UNKNOWN_SIZE = -1
_HTTP = "HTTP/1.1"
"""A HAR has to name a version, and exchanges do not hold one."""


def write_ndjson(exchanges: Iterable[Exchange], stream: TextIO) -> None:
    """Write exchanges as NDJSON, one per line, in ASCII."""
    stream.writelines(map(write_line, exchanges))


def write_har(exchanges: Iterable[Exchange], stream: TextIO) -> None:
    """Write exchanges as HAR 1.2, one entry per line, in ASCII."""
    stream.write(HAR_HEAD)
    for number, exchange in enumerate(exchanges):
        stream.write((",\n" if number else "\n") + har_entry(exchange))
    stream.write(HAR_TAIL)


def har_entry(exchange: Exchange) -> str:
    """Return an exchange as an entry of a HAR, in one line of ASCII.

    A HAR must have values that the exchange may lack: then the start is `1970-01-01T00:00:00+00:00`, the
    duration and the status are 0, texts are `""`, and the size of a body that is not known is -1.
    """
    return _text(_entry(exchange))


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


HAR_HEAD = (
    '{"log":{"version":"1.2","creator":'
    + _text({"name": "mock-webshare", "version": __version__})
    + ',"entries":['
)
HAR_TAIL = "\n]}}\n"


def _entry(exchange: Exchange) -> dict[str, Any]:
    started, milliseconds = exchange.started, (exchange.seconds or 0) * 1000
    return {
        "startedDateTime": format_instant(started) if started else "1970-01-01T00:00:00+00:00",
        "time": milliseconds,
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }


def _request(exchange: Exchange) -> dict[str, Any]:
    request = {
        "method": exchange.method or "",
        "url": exchange.url or "",
        "queryString": _query(exchange.url or ""),
        **_message(exchange.request_headers, len(exchange.request_body)),
    }
    if exchange.request_body:
        kind = exchange.request_header("content-type") or ""
        request["postData"] = {"mimeType": kind, "params": [], **_stored(exchange.request_body)}
    return request


def _response(exchange: Exchange) -> dict[str, Any]:
    size = len(exchange.body) if exchange.is_body_known else _UNKNOWN_SIZE
    text: dict[str, Any] = _stored(exchange.body) if exchange.is_body_known and exchange.status else {}
    if not exchange.is_body_exact:
        text = {**text, "_is_body_exact": False}
    return {
        "status": exchange.status or 0,
        "statusText": _phrase(exchange.status),
        "content": {"size": size, "mimeType": exchange.header("content-type") or "", **text},
        "redirectURL": exchange.header("location") or "",
        **_message(exchange.headers, size),
    }


def _message(headers: Headers | None, size: int) -> dict[str, Any]:
    """Return the fields that requests and responses of a HAR share."""
    return {
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": [{"name": name, "value": value} for name, value in headers or ()],
        "headersSize": _UNKNOWN_SIZE,
        "bodySize": size,
    }


def _stored(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode("ascii"), "encoding": "base64"}


def _query(url: str) -> list[dict[str, str]]:
    try:
        pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except ValueError:  # not a URL that can be parsed
        return []
    return [{"name": name, "value": value} for name, value in pairs]


def _phrase(status: int | None) -> str:
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return ""
