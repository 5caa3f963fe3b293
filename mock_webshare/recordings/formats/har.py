"""HAR 1.2, which browsers and proxies export.

http://www.softwareishard.com/blog/har-12-spec/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_webshare.exchange.model import LONGEST, Exchange
from mock_webshare.exchange.streams import Malformed
from mock_webshare.recordings import content_encoding
from mock_webshare.recordings.json_scanner import elements
from mock_webshare.recordings.record import (
    exchanges,
    first_value,
    from_base64,
    headers_of,
    parsed,
    status_of,
    timestamp_of,
    typed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.exchange.model import BadRecord, Headers
    from mock_webshare.recordings.input import Attached, Input

_FAILED = ("_error", "_failureText")
"""Where Chromium, Playwright and mitmproxy note that the response did not come, or not all of it."""


def read(opened: Input) -> Iterator[Exchange | BadRecord]:
    records = parsed(elements(opened.stream, ("log",), ("entries",)))
    return exchanges(opened.source, records, lambda record: exchange(record.document, opened.attached))


def exchange(entry: Any, attached: Attached) -> Exchange:
    """Return the exchange of an entry; raise `Malformed` if it is not one."""
    entry = typed(entry, dict, "entry")
    request = typed(entry.get("request"), dict, "request")
    response = typed(entry.get("response") or {}, dict, "response")
    headers = _headers(response)
    status, body = _status_and_body(entry, response, headers, attached)
    return Exchange(
        source="",
        method=typed(request.get("method"), str, "method") or None,
        url=typed(request.get("url"), str, "URL") or None,
        request_headers=_headers(request),
        request_body=_stored(request.get("postData") or {}, attached) or b"",
        status=status,
        headers=headers if status else None,
        body=body or b"",
        is_body_known=body is not None,
        started=timestamp_of(entry.get("startedDateTime")) or None,  # 1970 stands for "not known"
        seconds=_seconds(entry.get("time")),
    )


def _status_and_body(
    entry: dict[str, Any], response: dict[str, Any], headers: Headers, attached: Attached
) -> tuple[int | None, bytes | None]:
    """Return the status, None without a response, and the body, None if unknown."""
    status = status_of(response.get("status"))
    if status is None or entry.get("_fromCache"):  # no request was sent, the response is an older one
        return None, b""
    if entry["request"].get("method") == "HEAD" or status in (204, 304) or status < 200:  # RFC 9110, 6.4.1
        return status, b""  # some browsers show what they have in their cache
    content = typed(response.get("content") or {}, dict, "content")
    body = _stored(content, attached)
    if body is None and first_value(headers, "content-length") == "0":
        body = b""  # a `size` of 0 proves nothing: it is also written if no body was read
    if body is None and any(response.get(key) for key in _FAILED):
        return None, b""
    return status, body and content_encoding.decode(body, first_value(headers, "content-encoding"))


def _stored(content: Any, attached: Attached) -> bytes | None:
    """Return the bytes in `content` or `postData`; None if they are not stored."""
    content = typed(content, dict, "content")
    if content.get("_file") is not None:
        return attached(typed(content["_file"], str, "file name"))
    if content.get("text") is None:
        return None
    text = typed(content["text"], str, "text")
    if not content.get("encoding"):
        return text.encode(errors="surrogatepass")
    if content["encoding"] != "base64":
        raise Malformed("its body has an encoding other than base64")
    return from_base64(text)


def _headers(message: dict[str, Any]) -> Headers:
    listed = [typed(each, dict, "header") for each in typed(message.get("headers") or [], list, "headers")]
    return headers_of((each.get("name"), each.get("value")) for each in listed)


def _seconds(value: Any) -> float | None:
    """Return milliseconds as seconds; None if they are not a plausible number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value / 1000 if is_number and 0 <= value < 1000 * LONGEST else None
