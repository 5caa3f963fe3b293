"""Responses that requests-cache keeps as JSON (`backend="filesystem", serializer="json"`), one a file.

`{"request": {"method", "url", "headers"}, "url", "status_code", "headers", "_decoded_content",
"created_at", "elapsed"}`. Without `decode_content` the body is in `_content`, in base64, or in base85 as
older releases wrote it.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from functools import partial
from typing import Any

from mock_webshare.exchange.model import Exchange
from mock_webshare.exchange.streams import Malformed
from mock_webshare.recordings import content_encoding
from mock_webshare.recordings.record import (
    first_value,
    named_headers,
    seconds_of,
    status_of,
    timestamp_of,
    typed,
    written_again,
)

KEYS = frozenset({"status_code", "request", "url"})


def exchange(response: dict[str, Any]) -> Exchange:
    """Return the exchange of a response; raise `Malformed` if it is not one."""
    request = typed(response["request"], dict, "request")
    headers = named_headers(response.get("headers"))
    status = status_of(response["status_code"])
    if status is None:
        raise Malformed("its status is not a number from 100 to 999")
    body, is_exact = _body(response)
    seconds, received = seconds_of(response.get("elapsed")), timestamp_of(response.get("created_at"))
    return Exchange(
        source="",
        method=typed(request.get("method"), str, "method").upper(),
        url=typed(request.get("url") or response["url"], str, "URL"),
        request_headers=named_headers(request.get("headers")),
        request_body=_bytes(request.get("body")),
        status=status,
        headers=headers,
        body=content_encoding.decode(body, first_value(headers, "content-encoding")),
        is_body_exact=is_exact,
        started=None if received is None else received - int((seconds or 0) * 1_000_000),
        seconds=seconds,
    )


def _body(response: dict[str, Any]) -> tuple[bytes, bool]:
    """Return the body, and whether it is what was sent."""
    decoded = response.get("_decoded_content")
    if decoded is None or decoded == "":
        return _bytes(response.get("_content")), True
    if isinstance(decoded, str):
        return decoded.encode(errors="surrogatepass"), True
    return written_again(decoded), False


def _bytes(value: Any) -> bytes:
    """Return the bytes of base64, or of base85, which has other characters too."""
    text = typed(value or "", str, "body")
    for decode in (partial(base64.b64decode, validate=True), base64.b85decode):
        with suppress(ValueError):
            return bytes(decode(text))
    raise Malformed("its body is neither base64 nor base85")
