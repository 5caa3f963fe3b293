"""Recordings of nock's recorder (`output_objects: true`): an array of calls.

`{"scope": "https://host:443", "method", "path", "status", "response", "rawHeaders", "reqheaders", "body"}`.
The response is a JSON value, a text, or hexadecimal digits: one string, or a list of strings if the body
was compressed.
"""

from __future__ import annotations

from typing import Any

from mock_webshare.exchange.model import Exchange, Headers
from mock_webshare.exchange.streams import Malformed
from mock_webshare.recordings.record import (
    Body,
    any_body,
    first_value,
    from_hex,
    headers_of,
    listed,
    method_of,
    named_headers,
    received_status,
    typed,
    unpacked,
)

KEYS = frozenset({"scope", "path", "response"})


def exchange(call: dict[str, Any]) -> Exchange:
    """Return the exchange of a call; raise `Malformed` if it is not one."""
    headers = _headers(call.get("rawHeaders", call.get("headers")))
    status = received_status(call.get("status"))
    body = _response(call, headers)
    return Exchange(
        source="",
        method=method_of(call.get("method", "GET")),
        url=typed(call["scope"], str, "scope") + typed(call["path"], str, "path"),
        request_headers=named_headers(call.get("reqheaders")),
        request_body=any_body(call.get("body")).content,
        status=status,
        headers=headers,
        body=body.content,
        is_body_exact=body.is_exact,
    )


def _headers(raw: Any) -> Headers:
    """Return headers from a list of names and values in turn, or from a mapping of names to values."""
    if not isinstance(raw, list):
        return named_headers(raw)
    if len(raw) % 2:
        raise Malformed("its headers must be names and values in turn")
    return headers_of(zip(raw[::2], raw[1::2], strict=True))


def _response(call: dict[str, Any], headers: Headers) -> Body:
    response = call["response"]
    is_packed = bool(first_value(headers, "content-encoding")) and isinstance(response, list)
    if is_packed or call.get("responseIsBinary"):
        content = b"".join(from_hex(typed(each, str, "body")) for each in listed(response))
        return Body(unpacked(content, headers))
    return any_body(response)
