"""Exchange: one request and its response, and where they were found; or a record that is not an exchange."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mock_webshare.contract.timestamps import format_instant, parse_instant

Headers = tuple[tuple[str, str], ...]
"""Names and values in the order in which they were sent, repeated ones too; bytes are Latin-1."""

LONGEST = 1_000_000
"""A recorded duration must be less than this, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A recorded request and its response; for a body that was stored alone, the request is not recorded."""

    source: str
    """The file, as the user named it; `-` is standard input."""
    body: bytes = b""
    """The body of the response, as a client sees it: without transfer or content encoding."""
    is_body_known: bool = True
    """False: there was a body, or may have been, but the recording does not hold it; `body` is empty."""
    is_body_exact: bool = True
    """False: the recorder parsed the body and wrote it again, so that its bytes are not the service's."""
    entry: int | None = None
    """The index of the record in its file, from 0. None: the file is this one record."""
    line: int | None = None
    """The line of the file where the record begins, counted from 1. None: the format has no lines."""
    method: str | None = None
    """None: not recorded."""
    url: str | None = None
    """The absolute URL of the request. None: not recorded."""
    request_headers: Headers | None = None
    """None: not recorded."""
    request_body: bytes = b""
    status: int | None = None
    """None: not recorded, or no response came."""
    headers: Headers | None = None
    """The headers of the response. None: not recorded."""
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

        `response` is null if no response came. A body that is not UTF-8 is in `body_base64`; an unknown body
        is null. A body that is not exact has `"is_body_exact": false` beside it.
        """
        response = None
        if self.status is not None:
            body = _body(self.body) if self.is_body_known else {"body": None}
            exact = {} if self.is_body_exact else {"is_body_exact": False}
            response = {"status": self.status, "headers": _pairs(self.headers), **body, **exact}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRecord:
    """A record that is not an exchange, in a file that can be read."""

    source: str
    """`source`, `entry` and `line` are the same as those of an `Exchange`."""
    problem: str
    """What is wrong, as a short phrase that quotes no value of the record: `its status is not a number`."""
    entry: int | None = None
    line: int | None = None
    url: str | None = None
    """The URL of the request: it decides whether the judge counts the record. None: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFile:
    """A file in a folder that is not a recording."""

    source: str
    """The file, like `Exchange.source`."""
    what: str
    """What the file looks like, as a short phrase: `an OpenAPI document`."""


def from_wire(document: Any) -> Exchange:
    """Return the exchange of a JSON object that `Exchange.wire` returned; its `source` is empty.

    Raise ValueError, with a phrase that quotes no value, if the object is not an exchange.
    """
    try:
        request, response = document["request"], document["response"] or {}
        if response and "status" not in response:
            raise KeyError("status")
        return Exchange(
            source="",
            method=_optional(request["method"], str),
            url=_optional(request["url"], str),
            request_headers=_read_pairs(request.get("headers")),
            request_body=_read_body(request),
            status=read_status(response.get("status")),
            headers=_read_pairs(response.get("headers")),
            body=_read_body(response),
            is_body_known="body_base64" in response or response.get("body", "") is not None,
            is_body_exact=response.get("is_body_exact") is not False,
            started=None if document.get("started") is None else parse_instant(document["started"]),
            seconds=_read_seconds(document.get("seconds")),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError("not an exchange: an object with `request` and `response`") from error


def read_status(value: Any) -> int | None:
    """Return the status in a recording; None if it is null, 0 or less, which means that no response came.

    Raise ValueError if the value is not a status.
    """
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if value is None or (is_number and value <= 0):
        return None
    if not is_number or value not in range(100, 1000):
        raise ValueError("its status is not a number from 100 to 999")
    return int(value)


def write_line(exchange: Exchange) -> str:
    """Return an exchange as a line of an NDJSON recording, with its line feed.

    The line is ASCII: some readers end a line at U+2028 too, and no encoding has a lone surrogate.
    """
    return json.dumps(exchange.wire(), separators=(",", ":")) + "\n"


def _header(headers: Headers, name: str) -> str | None:
    wanted = name.lower()
    values = [value for each, value in headers if each.lower() == wanted]
    return ", ".join(values) if values else None


def _pairs(headers: Headers | None) -> list[list[str]] | None:
    return None if headers is None else [[name, value] for name, value in headers]


def _read_pairs(pairs: Iterable[tuple[str, str]] | None) -> Headers | None:
    return None if pairs is None else tuple((_text(name), _text(value)) for name, value in pairs)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value))
    return value


def _read_seconds(value: Any) -> float | None:
    seconds: float | None = _optional(value, float, int)
    if seconds is not None and not 0 <= seconds < LONGEST:  # False for NaN too, which Python reads
        raise ValueError
    return seconds


def _optional(value: Any, *kinds: type) -> Any:
    if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
        raise TypeError(type(value))
    return value


def _body(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode("ascii")}


def _read_body(message: Any) -> bytes:
    if encoded := message.get("body_base64"):
        return base64.b64decode(encoded, validate=True)
    body: str = message.get("body") or ""
    return body.encode(errors="surrogatepass")  # JSON may contain a lone `\ud800`
