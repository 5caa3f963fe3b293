"""Stub mappings that WireMock recorded: one a file in `mappings/`, or `{"mappings": [...]}`.

`{"request": {"method", "url", or "urlPath" and "queryParameters"}, "response": {"status", "headers", "body",
"base64Body", "jsonBody" or "bodyFileName"}}`. A stub whose URL is a pattern is a rule, not an exchange.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus

from mock_webshare.exchange.model import Exchange, Headers
from mock_webshare.recordings.input import WIREMOCK_FILES, Attached, NotARecording
from mock_webshare.recordings.record import (
    Body,
    from_base64,
    method_of,
    named_headers,
    parsed_body,
    received_status,
    status_of,
    text_body,
    typed,
    unpacked,
    with_origin,
)

_URLS = ("url", "urlPath", "urlPattern", "urlPathPattern", "urlPathTemplate")


def is_mapping(document: dict[str, Any]) -> bool:
    """Whether a JSON object with the key `request` is a stub mapping; the URL of a stub has no host."""
    request = document["request"]
    urls = [request[key] for key in _URLS if key in request] if isinstance(request, dict) else []
    return bool(urls) and all(isinstance(each, str) and not each.startswith("http") for each in urls)


def exchange(mapping: Any, attached: Attached) -> Exchange:
    """Return the exchange of a mapping; raise `NotARecording` if it is a pattern."""
    mapping = typed(mapping, dict, "mapping")
    request = typed(mapping.get("request"), dict, "request")
    response = typed(mapping.get("response"), dict, "response")
    path = _path(request)
    if "fault" in response or "proxyBaseUrl" in response or response.get("transformers"):
        raise _pattern()
    status, headers = received_status(response.get("status", 200)), named_headers(response.get("headers"))
    stored = _body(response, attached)
    body = unpacked(stored.content, headers)
    return Exchange(
        source="",
        method=method_of(request.get("method", "GET")),
        url=with_origin(path, headers, body),
        request_headers=_request_headers(request.get("headers")),
        status=status,
        headers=headers,
        body=body,
        is_body_exact=stored.is_exact,
    )


def _path(request: dict[str, Any]) -> str:
    """Return path and query; raise `NotARecording` if they are patterns."""
    url = request.get("url", request.get("urlPath"))
    if not isinstance(url, str) or request.get("method") == "ANY":
        raise _pattern()
    named = typed(request.get("queryParameters") or {}, dict, "query")
    pairs = [(name, value) for name, matcher in named.items() for value in _values(matcher)]
    query = "&".join(f"{name}={quote_plus(value)}" for name, value in pairs)
    return f"{url}?{query}" if query else url


def _values(matcher: Any) -> list[str]:
    """Return the values that a matcher requires: `{"equalTo": "1"}`, or a list of such matchers."""
    for key in ("hasExactly", "includes"):
        if isinstance(matcher, dict) and key in matcher:
            return [value for each in typed(matcher[key], list, "query") for value in _values(each)]
    if not _is_exact(matcher):
        raise _pattern()
    return [matcher["equalTo"]]


def _request_headers(matchers: Any) -> Headers:
    """Return the headers whose values are known: those that WireMock was set up to capture."""
    named = typed(matchers or {}, dict, "headers")
    return named_headers({name: each["equalTo"] for name, each in named.items() if _is_exact(each)})


def _is_exact(matcher: Any) -> bool:
    return isinstance(matcher, dict) and isinstance(matcher.get("equalTo"), str)


def _body(response: dict[str, Any], attached: Attached) -> Body:
    if "jsonBody" in response:
        return parsed_body(response["jsonBody"])
    if "base64Body" in response:
        return Body(from_base64(typed(response["base64Body"], str, "body")))
    if "bodyFileName" in response:
        return Body(attached(WIREMOCK_FILES + typed(response["bodyFileName"], str, "file name")))
    return text_body(response.get("body"))


def served(event: dict[str, Any], attached: Attached) -> Exchange:
    """Return the exchange of an entry of the request journal (`/__admin/requests`)."""
    request, response = event["request"], typed(event.get("response"), dict, "response")
    status, headers = status_of(response.get("status")), named_headers(response.get("headers"))
    if "bodyAsBase64" in response:
        response = {"base64Body": response["bodyAsBase64"]}
    body = _body(response, attached)
    return Exchange(
        source="",
        method=method_of(request.get("method")),
        url=typed(request["absoluteUrl"], str, "URL"),
        request_headers=named_headers(request.get("headers")),
        status=status,
        headers=headers if status else None,
        body=unpacked(body.content, headers),
        is_body_exact=body.is_exact,
        started=_started(request.get("loggedDate")),
    )


def _started(milliseconds: Any) -> int | None:
    """Return milliseconds since 1970 as an instant; None if they are not plausible."""
    is_number = isinstance(milliseconds, int) and not isinstance(milliseconds, bool)
    return milliseconds * 1000 if is_number and 0 < milliseconds < 10**13 else None


def _pattern() -> NotARecording:
    return NotARecording(
        "a WireMock stub that is a pattern", "record the service: http://HOST/__admin/recorder"
    )
