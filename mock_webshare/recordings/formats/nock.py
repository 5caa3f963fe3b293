"""Recordings of nock's recorder (`output_objects: true`): an array of calls.

`{"scope": "https://host:443", "method", "path", "status", "response", "rawHeaders", "reqheaders", "body"}`.
The response is what JSON holds, a text, or hexadecimal: a string, or a list of them if it was compressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_webshare.exchange.model import Exchange
from mock_webshare.exchange.streams import Malformed
from mock_webshare.recordings import content_encoding
from mock_webshare.recordings.record import (
    first_value,
    from_hex,
    headers_of,
    named_headers,
    status_of,
    typed,
    written_again,
)

if TYPE_CHECKING:
    from mock_webshare.exchange.model import Headers

KEYS = frozenset({"scope", "path", "response"})


def exchange(call: dict[str, Any]) -> Exchange:
    """Return the exchange of a call; raise `Malformed` if it is not one."""
    headers = _headers(call.get("rawHeaders", call.get("headers")))
    status = status_of(call.get("status"))
    if status is None:
        raise Malformed("its status is not a number from 100 to 999")
    body, is_exact = _response(call, first_value(headers, "content-encoding"))
    return Exchange(
        source="",
        method=typed(call.get("method", "GET"), str, "method").upper(),
        url=typed(call["scope"], str, "scope") + typed(call["path"], str, "path"),
        request_headers=named_headers(call.get("reqheaders")),
        request_body=_request_body(call.get("body")),
        status=status,
        headers=headers,
        body=body,
        is_body_exact=is_exact,
    )


def _headers(raw: Any) -> Headers:
    """Return headers: names and values in turn, or values by name."""
    if not isinstance(raw, list):
        return named_headers(raw)
    if len(raw) % 2:
        raise Malformed("its headers must be names and values in turn")
    return headers_of(zip(raw[::2], raw[1::2], strict=True))


def _response(call: dict[str, Any], coding: str | None) -> tuple[bytes, bool]:
    """Return the body, and whether it is what was sent."""
    response = call["response"]
    is_hex_list = bool(coding) and isinstance(response, list)
    if is_hex_list or call.get("responseIsBinary"):
        pieces = response if isinstance(response, list) else [response]
        packed = b"".join(from_hex(typed(each, str, "body")) for each in pieces)
        return content_encoding.decode(packed, coding), True
    if isinstance(response, str):
        return response.encode(errors="surrogatepass"), True
    return written_again(response), False


def _request_body(body: Any) -> bytes:
    return body.encode(errors="surrogatepass") if isinstance(body, str) else written_again(body)
