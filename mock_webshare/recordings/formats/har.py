"""HAR 1.2: what browsers and proxies export (http://www.softwareishard.com/blog/har-12-spec/)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_webshare.exchange.model import Exchange
from mock_webshare.recordings import coerce
from mock_webshare.recordings.input import content_encoding
from mock_webshare.recordings.json_scanner import Scanner
from mock_webshare.recordings.limits import Malformed
from mock_webshare.recordings.record import exchanges, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.exchange.model import BadRecord, Headers
    from mock_webshare.recordings.input import Input
    from mock_webshare.recordings.input.attachments import Attached
    from mock_webshare.recordings.json_scanner import Piece

_FAILED = ("_error", "_failureText")
"""Where Chromium, Playwright and mitmproxy say that the response did not come, or not all of it."""


def read(opened: Input) -> Iterator[Exchange | BadRecord]:
    """Given a HAR, yield the exchange of each entry."""
    records = parsed(_entries(opened))
    return exchanges(opened.source, records, lambda record: exchange(record.document, opened.attached))


def _entries(opened: Input) -> Iterator[Piece]:
    scanner = Scanner(opened.stream)
    yield from scanner.elements(("log",), ("entries",))
    scanner.end()


def exchange(entry: Any, attached: Attached) -> Exchange:
    """Given an entry, return its exchange; raise `Malformed` if it is none."""
    entry = coerce.an_object(entry, "entry")
    request = coerce.an_object(entry.get("request"), "request")
    response = coerce.an_object(entry.get("response") or {}, "response")
    headers = _headers(response)
    status, body = _answer(entry, response, headers, attached)
    return Exchange(
        source="",
        method=coerce.a_text(request.get("method"), "method") or None,
        url=coerce.a_text(request.get("url"), "URL") or None,
        request_headers=_headers(request),
        request_body=_stored(request.get("postData") or {}, attached) or b"",
        status=status,
        headers=headers if status else None,
        body=body or b"",
        is_body_known=body is not None,
        started=coerce.an_instant(entry.get("startedDateTime")) or None,  # 1970 stands for "not known"
        seconds=coerce.a_duration(entry.get("time")),
    )


def _answer(
    entry: dict[str, Any], response: dict[str, Any], headers: Headers, attached: Attached
) -> tuple[int | None, bytes | None]:
    """Return the status, None if no response came, and the body, None if it is not known."""
    status = coerce.a_status(response.get("status"))
    if status is None or entry.get("_fromCache"):  # then nobody was asked, and the answer is of another time
        return None, b""
    if not coerce.has_body(entry["request"].get("method"), status):
        return status, b""  # some browsers show what they have in their cache
    content = coerce.an_object(response.get("content") or {}, "content")
    body = _stored(content, attached)
    if body is None and _value(headers, "content-length") == "0":
        body = b""  # a `size` of 0 tells nothing: it is also written if none was read
    if body is None and any(response.get(key) for key in _FAILED):
        return None, b""
    return status, body and content_encoding.decode(body, _value(headers, "content-encoding"))


def _stored(content: Any, attached: Attached) -> bytes | None:
    """Given `content` or `postData`, return the bytes of it; None if they are not stored."""
    content = coerce.an_object(content, "content")
    if content.get("_file") is not None:
        return attached(coerce.a_text(content["_file"], "file name"))
    if content.get("text") is None:
        return None
    text = coerce.a_text(content["text"], "text")
    if not content.get("encoding"):
        return text.encode(errors="surrogatepass")
    if content["encoding"] != "base64":
        raise Malformed("its body has an encoding other than base64")
    return coerce.from_base64(text)


def _headers(message: dict[str, Any]) -> Headers:
    listed = [
        coerce.an_object(each, "header") for each in coerce.a_list(message.get("headers") or [], "headers")
    ]
    return coerce.some_headers((each.get("name"), each.get("value")) for each in listed)


def _value(headers: Headers, name: str) -> str | None:
    return next((value for each, value in headers if each.lower() == name), None)
