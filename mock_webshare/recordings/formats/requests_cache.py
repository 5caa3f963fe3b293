"""Responses that requests-cache keeps as JSON (`backend="filesystem", serializer="json"`), one a file.

`{"request": {"method", "url", "headers"}, "url", "status_code", "headers", "_decoded_content",
"created_at", "elapsed"}`. Without `decode_content` the body is in `_content`, as base64; in files of older
releases, as base85.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from functools import partial
from typing import Any

from mock_webshare.exchange.model import Exchange
from mock_webshare.exchange.streams import Malformed
from mock_webshare.recordings.record import (
    Body,
    any_body,
    method_of,
    named_headers,
    received_status,
    seconds_of,
    timestamp_of,
    typed,
    unpacked,
)

KEYS = frozenset({"status_code", "request", "url"})


def exchange(response: dict[str, Any]) -> Exchange:
    """Return the exchange of a response; raise `Malformed` if it is not one."""
    request = typed(response["request"], dict, "request")
    headers = named_headers(response.get("headers"))
    status = received_status(response["status_code"])
    body = _body(response)
    seconds, received = seconds_of(response.get("elapsed")), timestamp_of(response.get("created_at"))
    return Exchange(
        source="",
        method=method_of(request.get("method")),
        url=typed(request.get("url") or response["url"], str, "URL"),
        request_headers=named_headers(request.get("headers")),
        request_body=_bytes(request.get("body")),
        status=status,
        headers=headers,
        body=unpacked(body.content, headers),
        is_body_exact=body.is_exact,
        started=None if received is None else received - int((seconds or 0) * 1_000_000),
        seconds=seconds,
    )


def _body(response: dict[str, Any]) -> Body:
    decoded = response.get("_decoded_content")
    return Body(_bytes(response.get("_content"))) if decoded in (None, "") else any_body(decoded)


def _bytes(value: Any) -> bytes:
    """Return the bytes that a text stands for in base64, or, if it is not base64, in base85."""
    text = typed(value or "", str, "body")
    for decode in (partial(base64.b64decode, validate=True), base64.b85decode):
        with suppress(ValueError):
            return bytes(decode(text))
    raise Malformed("its body is neither base64 nor base85")
