"""Runs that newman exports (`--reporter-json-export`), and the examples saved in a Postman collection (v2.1).

A run: `{"run": {"executions": [{"request", "response": {"code", "header", "stream"}}]}}`. A collection:
`{"info", "item": [{"item": [...]}, {"response": [{"originalRequest", "code", "header", "body"}]}]}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from mock_webshare.exchange.model import Exchange, Headers
from mock_webshare.exchange.streams import Broken, Malformed
from mock_webshare.recordings.input import Input, NotARecording
from mock_webshare.recordings.json_scanner import elements, whole
from mock_webshare.recordings.record import (
    Body,
    Found,
    Record,
    exchanges,
    headers_of,
    method_of,
    parsed,
    received_status,
    seconds_of,
    text_body,
    typed,
    unpacked,
    utf_8,
    with_origin,
)

Substitute: TypeAlias = Callable[[str], str]
"""Returns a text with the values of a collection in place of its variables."""

EXAMPLE = frozenset({"originalRequest", "code"})

_VARIABLE = re.compile(r"\{\{([^{}]{1,100})\}\}")


def read_run(opened: Input) -> Iterator[Found]:
    """Yield the exchange of each execution of a run."""
    records = parsed(elements(opened.stream, ("run",), ("executions",)))
    return exchanges(opened.source, records, lambda record: execution(record.document))


def read_collection(opened: Input) -> Iterator[Found]:
    """Yield the exchange of each example; raise `NotARecording` if there is none."""
    (record,) = parsed(whole(opened.stream))
    if record.problem:
        raise Broken(record.problem)
    document = record.document.get("collection", record.document)
    examples = list(_examples(document))
    if not examples:
        raise NotARecording(
            "a Postman collection without saved examples",
            "run it: newman run COLLECTION -r json --reporter-json-export run.json",
        )
    substitute = _substitute(document)
    return exchanges(opened.source, examples, lambda each: example(each.document, substitute))


def execution(document: Any) -> Exchange:
    """Return the exchange of an execution; raise `Malformed` if it is not one."""
    document = typed(document, dict, "execution")
    response = typed(document.get("response") or {}, dict, "response")
    return _exchange(document.get("request"), response, _sent(response))


def example(document: Any, substitute: Substitute = str) -> Exchange:
    """Return the exchange of a saved example; raise `Malformed` if it is not one."""
    document = typed(document, dict, "example")
    body = text_body(document.get("body"))._replace(is_exact=False)
    return _exchange(document.get("originalRequest"), document, body, substitute)


def _exchange(request: Any, response: dict[str, Any], body: Body, substitute: Substitute = str) -> Exchange:
    request = {"url": request} if isinstance(request, str) else typed(request, dict, "request")
    status = received_status(response.get("code")) if response else None
    headers = _headers(response.get("header"))
    return Exchange(
        source="",
        method=method_of(request.get("method", "GET")),
        url=with_origin(substitute(_url(request.get("url"))), headers, body.content),
        request_headers=_headers(request.get("header")),
        request_body=_request_body(request.get("body")),
        status=status,
        headers=headers if status else None,
        body=unpacked(body.content, headers),
        is_body_exact=body.is_exact,
        seconds=seconds_of(response.get("responseTime"), unit=0.001),
    )


def _sent(response: dict[str, Any]) -> Body:
    """Return the body of the response of an execution."""
    stream = response.get("stream")
    if stream is None:
        return text_body(response.get("body"))
    numbers = stream.get("data") if isinstance(stream, dict) else stream
    try:
        return Body(bytes(typed(numbers, list, "stream")))
    except (TypeError, ValueError) as error:
        raise Malformed("its stream must be a list of bytes") from error


def _headers(listed: Any) -> Headers:
    if isinstance(listed, str):  # as the app stores headers that were edited as text
        pairs = [line.partition(":") for line in listed.splitlines() if ":" in line]
        return headers_of((name.strip(), value.strip()) for name, _, value in pairs)
    found = [typed(each, dict, "header") for each in typed(listed or [], list, "headers")]
    return headers_of((each.get("key"), each.get("value", "")) for each in found if not each.get("disabled"))


def _url(url: Any) -> str:
    """Return a URL that is stored as text, or in parts."""
    if isinstance(url, str):
        return url
    parts = typed(url, dict, "URL")
    if "host" not in parts and "path" not in parts:
        return typed(parts.get("raw"), str, "URL")
    scheme = f"{parts['protocol']}://" if parts.get("protocol") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    host, path = _joined(parts.get("host"), "."), _joined(parts.get("path"), "/").removeprefix("/")
    return f"{scheme}{host}{port}/{path}{_query(parts.get('query'))}"


def _joined(parts: Any, separator: str) -> str:
    if parts is None or isinstance(parts, str):
        return parts or ""
    return separator.join(_text(each) for each in typed(parts, list, "URL"))


def _text(part: Any) -> str:
    return typed(part.get("value") if isinstance(part, dict) else part, str, "URL")


def _query(listed: Any) -> str:
    found = [typed(each, dict, "query") for each in typed(listed or [], list, "query")]
    pairs = [_pair(each) for each in found if not each.get("disabled")]
    return f"?{'&'.join(pairs)}" if pairs else ""


def _pair(parameter: dict[str, Any]) -> str:
    name, value = typed(parameter.get("key") or "", str, "query"), parameter.get("value")
    return name if value is None else f"{name}={typed(value, str, 'query')}"


def _request_body(body: Any) -> bytes:
    raw = body.get("raw") if isinstance(body, dict) else None
    return utf_8(raw) if isinstance(raw, str) else b""


def _substitute(collection: Any) -> Substitute:
    listed = collection.get("variable") if isinstance(collection, dict) else None
    variables = {
        each["key"]: each["value"]
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict) and isinstance(each.get("key"), str) and isinstance(each.get("value"), str)
    }
    return lambda text: _VARIABLE.sub(lambda found: variables.get(found[1].strip(), found[0]), text)


def _examples(collection: Any) -> Iterator[Record]:
    """Yield a record for each example in a collection, whose folders may be nested."""
    waiting = [collection]
    while waiting:
        each = waiting.pop()
        if not isinstance(each, dict):
            continue
        listed = each.get("response")
        yield from (Record(example) for example in (listed if isinstance(listed, list) else []))
        inside = each.get("item")
        waiting += reversed(inside) if isinstance(inside, list) else []
