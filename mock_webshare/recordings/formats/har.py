"""HAR 1.2, which browsers and proxies export.

http://www.softwareishard.com/blog/har-12-spec/
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from mock_webshare.exchange.model import Exchange, Headers
from mock_webshare.exchange.streams import Malformed
from mock_webshare.recordings.input import Attached, Input
from mock_webshare.recordings.json_scanner import elements
from mock_webshare.recordings.record import (
    Found,
    exchanges,
    first_value,
    from_base64,
    from_hex,
    headers_of,
    never_has_body,
    parsed,
    seconds_of,
    status_of,
    timestamp_of,
    typed,
    unpacked,
    utf_8,
    whole_number,
)

_FAILED = ("_error", "_failureText")
"""Fields in which Chromium, Playwright and mitmproxy note that a response is missing or incomplete."""

_CACHES: dict[str, frozenset[Any]] = {
    "_fromCache": frozenset({None, False, "", "none", "false", "network"}),  # Chromium, Edge
    "_servedFromCache": frozenset({None, False}),
    "_fromDiskCache": frozenset({None, False}),
    "_fromPrefetchCache": frozenset({None, False}),
    "_fetchType": frozenset({None, "", "Network Load", "Other", "Unknown"}),  # Safari
    "_serviceWorkerResponseSource": frozenset({None, "", "network"}),  # Chromium
    "_serviceWorkerRouterActualSourceType": frozenset({None, "", "network", "fetch-event"}),
    "_responseCacheStorageCacheName": frozenset({None, ""}),
}
"""Fields of an entry or a response that say where the response came from, with the values that do not mean
a cache: browsers export responses from their caches like responses from the network."""


def read(opened: Input) -> Iterator[Found]:
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
        is_body_exact=_is_exact(response),
        started=timestamp_of(entry.get("startedDateTime")) or None,  # 1970 stands for "not known"
        seconds=seconds_of(entry.get("time"), unit=0.001),
    )


def _status_and_body(
    entry: dict[str, Any], response: dict[str, Any], headers: Headers, attached: Attached
) -> tuple[int | None, bytes | None]:
    """Return the status, None without a response, and the body, None if unknown."""
    status = status_of(response.get("status"))
    content = typed(response.get("content") or {}, dict, "content")
    if _is_from_cache(entry, response):
        return None, b""  # the response is older than the request
    if status is None:
        _check_absence(response, content)
        return None, b""
    if never_has_body(entry["request"].get("method"), status):
        return status, b""  # some browsers export the body from their cache
    body = _stored(content, attached)
    length = first_value(headers, "content-length")
    if body == b"" and _had_body(response, content, length):
        body = None
    if body is None and length == "0":
        body = b""  # a `size` of 0 proves nothing: it is also written if no body was read
    if body is None and any(response.get(key) for key in _FAILED):
        return None, b""
    return status, body and unpacked(body, headers)


def _check_absence(response: dict[str, Any], content: dict[str, Any]) -> None:
    """Raise `Malformed` if a response came, though it has no status."""
    status = response.get("status")
    is_hidden = status == 0 and not response.get("httpVersion")  # how Firefox shows what CORS blocked
    has_failed = is_hidden or not response.get("headers") or any(response.get(key) for key in _FAILED)
    if content.get("text") and (status is None or not has_failed):
        raise Malformed("its response has a body but no status")


def _is_from_cache(entry: dict[str, Any], response: dict[str, Any]) -> bool:
    for part in (entry, response):
        for key in part.keys() & _CACHES.keys():
            if not isinstance(part[key], str | bool | None) or part[key] not in _CACHES[key]:
                return True
    is_of_worker = any(part.get("_fetchedViaServiceWorker") is True for part in (entry, response))
    is_untransferred = is_of_worker and response.get("_transferSize") == 0
    cache = entry.get("cache")
    if is_untransferred or not isinstance(cache, dict):
        return is_untransferred
    size = _number(response.get("bodySize"))
    # Firefox writes `afterRequest` only for responses from its cache, other tools for received ones too.
    is_firefox = "afterRequest" in cache and "beforeRequest" not in cache and response.get("status") != 304
    return (bool(cache.get("beforeRequest")) and size == 0) or (is_firefox and (size or 0) <= 0)


def _had_body(response: dict[str, Any], content: dict[str, Any], length: str | None) -> bool:
    """Whether the sizes in an entry show that there was a body, although the stored text is empty."""
    if (size := whole_number(length)) is not None:
        return size > 0
    sizes = (content.get("size"), content.get("compression"), response.get("bodySize"))
    return any((_number(size) or 0) > 0 for size in sizes)


def _number(value: Any) -> float | None:
    """Return a size, which some tools write as text; None if it is not a number."""
    if isinstance(value, str):
        return whole_number(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _stored(content: Any, attached: Attached) -> bytes | None:
    """Return the bytes in `content` or `postData`; None if they are not stored."""
    content = typed(content, dict, "content")
    if content.get("_file") is not None:
        return attached(typed(content["_file"], str, "file name"))
    if isinstance(content.get("_textBase64"), str):  # apps on iOS
        return from_base64(content["_textBase64"])
    if content.get("text") is None:
        return None
    text, encoding = typed(content["text"], str, "text"), content.get("encoding")
    encoding = encoding.lower() if isinstance(encoding, str) else encoding
    if encoding not in (None, "", "base64"):
        raise Malformed("its body has an encoding other than base64")
    if content.get("_isBinary") is True or (encoding and text.startswith("[")):
        return _packed(text, from_base64 if encoding else from_hex)
    return from_base64(text) if encoding else utf_8(text)


def _packed(text: str, decode: Callable[[str], bytes]) -> bytes:
    """Return a binary body, which Polly.JS stores as encoded text, or as a JSON list of encoded pieces."""
    if not text.startswith("["):
        return decode(text)
    try:
        pieces = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed("its body must be a list of encoded pieces") from error
    return b"".join(decode(typed(each, str, "body")) for each in pieces)


def _headers(message: dict[str, Any]) -> Headers:
    listed = [typed(each, dict, "header") for each in typed(message.get("headers") or [], list, "headers")]
    return headers_of((each.get("name"), each.get("value")) for each in listed)


def _is_exact(response: dict[str, Any]) -> bool:
    content = response.get("content")
    return not isinstance(content, dict) or content.get("_is_body_exact") is not False
