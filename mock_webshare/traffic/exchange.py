"""Exchange: one request and its response, and where they were found."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mock_webshare.instants import format_instant, parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable

Headers = tuple[tuple[str, str], ...]
"""Names and values in the order in which they came, repeated ones too; bytes are Latin-1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What is recorded and what is judged.

    A body that was stored alone tells nothing of its request: then all but two fields are None.
    """

    source: str
    """The file, as the user named it; `-` is standard input."""
    body: bytes = b""
    """The body of the response, as a client sees it: without transfer or content encoding."""
    entry: int | None = None
    """Which record of its file it is, counted from 0. None: the file is this one record."""
    line: int | None = None
    """The line of its file where the record begins, counted from 1. None: the format has no lines."""
    method: str | None = None
    """None: not recorded."""
    url: str | None = None
    """The absolute URL that was asked for. None: not recorded."""
    request_headers: Headers | None = None
    """None: not recorded."""
    request_body: bytes = b""
    status: int | None = None
    """None: not recorded, or no response came."""
    headers: Headers | None = None
    """Those of the response. None: not recorded."""
    started: int | None = None
    """When the request was sent, an instant (microseconds since 1970 in UTC). None: not recorded."""
    seconds: float | None = None
    """How long the response took. None: not recorded."""

    def request_header(self, name: str) -> str | None:
        """Return the value of a request header by its name in any case; None if it was not sent."""
        return _header(self.request_headers or (), name)

    def header(self, name: str) -> str | None:
        """Return the value of a response header by its name in any case; None if it was not sent."""
        return _header(self.headers or (), name)

    def wire(self) -> dict[str, Any]:
        """Return the exchange as the JSON object that a line of an NDJSON recording holds.

        The response is null if none came. A body that is no UTF-8 is under `body_base64`.
        """
        response = None
        if self.status is not None:
            response = {"status": self.status, "headers": _pairs(self.headers), **_body(self.body)}
        return {
            "started": None if self.started is None else format_instant(self.started),
            "seconds": self.seconds,
            "request": {
                "method": self.method,
                "url": self.url,
                "headers": _pairs(self.request_headers),
                **_body(self.request_body),
            },
            "response": response,
        }


def from_wire(document: Any, *, source: str, entry: int | None = None, line: int | None = None) -> Exchange:
    """Given the JSON object that `Exchange.wire` returns, return the exchange.

    Raise ValueError if it is none.
    """
    try:
        request, response = document["request"], document["response"] or {}
        return Exchange(
            source=source,
            entry=entry,
            line=line,
            method=request["method"],
            url=request["url"],
            request_headers=_read_pairs(request.get("headers")),
            request_body=_read_body(request),
            status=response.get("status"),
            headers=_read_pairs(response.get("headers")),
            body=_read_body(response),
            started=None if document.get("started") is None else parse_instant(document["started"]),
            seconds=document.get("seconds"),
        )
    except (AttributeError, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise ValueError("not an exchange: an object with `request` and `response`") from error


def write_line(exchange: Exchange) -> str:
    """Given an exchange, return the line of an NDJSON recording that holds it, its line feed included."""
    return json.dumps(exchange.wire(), ensure_ascii=False, separators=(",", ":")) + "\n"


def _header(headers: Headers, name: str) -> str | None:
    wanted = name.lower()
    values = [value for each, value in headers if each.lower() == wanted]
    return ", ".join(values) if values else None


def _pairs(headers: Headers | None) -> list[list[str]] | None:
    return None if headers is None else [[name, value] for name, value in headers]


def _read_pairs(pairs: Iterable[tuple[str, str]] | None) -> Headers | None:
    return None if pairs is None else tuple((str(name), str(value)) for name, value in pairs)


def _body(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode("ascii")}


def _read_body(message: Any) -> bytes:
    if encoded := message.get("body_base64"):
        return base64.b64decode(encoded, validate=True)
    body: str = message.get("body") or ""
    return body.encode()
