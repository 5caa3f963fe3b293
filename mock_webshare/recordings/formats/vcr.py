"""Cassettes of vcrpy, pytest-recording, Ruby's VCR and Betamax, in YAML or JSON.

`{"interactions": [{"request": {"method", "uri", "headers", "body"}, "response": {"status", "headers",
"body": {"string"}}}]}`. vcrpy before 1.0 wrote only the list, with the URL in parts, and before 6.0
`status_code` and `content` if the client was httpx.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any

from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.model import BadRecord, Exchange, Headers
from mock_webshare.exchange.streams import Malformed
from mock_webshare.recordings import content_encoding
from mock_webshare.recordings.input import Input
from mock_webshare.recordings.json_scanner import elements
from mock_webshare.recordings.record import (
    Record,
    exchanges,
    first_value,
    from_base64,
    headers_of,
    parsed,
    status_of,
    timestamp_of,
    typed,
)

KEYS = ("interactions", "http_interactions")
"""The keys of the list of interactions: vcrpy's, and that of Ruby's VCR and Betamax."""

_YAML = re.compile(
    rb"(?:[ \t]*(?:[#%][^\n]*|---[^\n]*)?\r?\n)*+"
    rb"(?:(?:http_)?interactions|version|recorded_with|-[ ]+request)[ \t]*:"
)


def begins_yaml(head: bytes) -> bool:
    return _YAML.match(head.removeprefix(BOM_UTF8)) is not None


def read(opened: Input) -> Iterator[Exchange | BadRecord | UnreadableInput]:
    match opened.head.lstrip()[:1]:
        case b"{":
            records = parsed(elements(opened.stream, KEYS))
        case b"[":
            records = parsed(elements(opened.stream))
        case _:
            records = _yaml_records(opened)
    return exchanges(opened.source, records, lambda record: exchange(record.document))


def _yaml_records(opened: Input) -> Iterator[Record]:
    try:
        from mock_webshare.recordings.formats import vcr_yaml
    except ModuleNotFoundError as error:
        problem = "a cassette in YAML requires PyYAML; install mock-webshare[yaml]"
        raise UnreadableInput(f"cannot read {opened.source!r}: {problem}") from error
    return vcr_yaml.Document(opened.stream).elements(KEYS)


def exchange(interaction: Any) -> Exchange:
    """Return the exchange of an interaction; raise `Malformed` if it is not one."""
    interaction = typed(interaction, dict, "interaction")
    request = typed(interaction.get("request"), dict, "request")
    response = typed(interaction.get("response") or {}, dict, "response")
    status, headers = _status(response), _headers(response)
    body = _stored(response["content"] if "content" in response else response.get("body"))
    return Exchange(
        source="",
        method=typed(request.get("method"), str, "method").upper(),
        url=_url(request),
        request_headers=_headers(request),
        request_body=_stored(request.get("body")),
        status=status,
        headers=headers if status else None,
        body=content_encoding.decode(body, first_value(headers, "content-encoding")),
        started=timestamp_of(interaction.get("recorded_at")),
    )


def _url(request: dict[str, Any]) -> str:
    if "path" in request and "uri" not in request:
        keys = ("protocol", "host", "port", "path")
        return "{}://{}:{}{}".format(*(_number_or_text(request.get(key)) for key in keys))
    return typed(request.get("uri"), str, "URI")


def _number_or_text(value: Any) -> str:
    return str(value) if isinstance(value, int) else typed(value, str, "URL")


def _status(response: dict[str, Any]) -> int | None:
    status = response.get("status_code", response.get("status"))
    if isinstance(status, dict):
        status = status.get("code")
    if isinstance(status, str) and len(status) == 3 and status.isdecimal():  # in YAML it is text
        status = int(status)
    return status_of(status)


def _headers(message: dict[str, Any]) -> Headers:
    """Return the headers: values or lists of values by name; before 1.0, pairs."""
    headers = message.get("headers") or {}
    if isinstance(headers, list):
        pairs = [typed(pair, list, "headers") for pair in headers]
        if any(len(pair) != 2 for pair in pairs):
            raise Malformed("its headers must be pairs")
        return headers_of((name, value) for name, value in pairs)
    named = typed(headers, dict, "headers").items()
    return headers_of(
        (name, value)
        for name, values in named
        for value in (values if isinstance(values, list) else [values])
    )


def _stored(body: Any) -> bytes:
    if isinstance(body, dict):
        if "base64_string" in body:
            return from_base64(typed(body["base64_string"], str, "body"))
        body = body.get("string")
    if body is None or isinstance(body, bytes):
        return body or b""
    text = typed(body, str, "body")
    if text.startswith("\x1f\x8b") and all(each < "\u0100" for each in text):
        return text.encode("latin-1")  # gzip that Python 2 took for text
    return text.encode(errors="surrogatepass")
