"""Cassette: what vcrpy and pytest-recording keep in YAML or JSON, and Ruby's VCR and Betamax before them.

`{"interactions": [{"request": {"method", "uri", "headers", "body"}, "response": {"status", "headers",
"body": {"string"}}}]}`; releases before 1.0 had the list alone and the URL in parts, and those before 6.0
had `status_code` and `content` if the client was httpx.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.model import Exchange
from mock_webshare.recordings import coerce
from mock_webshare.recordings.formats import CASSETTE_KEYS
from mock_webshare.recordings.input import content_encoding
from mock_webshare.recordings.json_scanner import Scanner
from mock_webshare.recordings.limits import Malformed
from mock_webshare.recordings.record import exchanges, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.exchange.model import BadRecord, Headers
    from mock_webshare.recordings.input import Input
    from mock_webshare.recordings.json_scanner import Piece
    from mock_webshare.recordings.record import Record


def read(opened: Input) -> Iterator[Exchange | BadRecord]:
    """Given a cassette, yield the exchange of each interaction."""
    is_json = opened.head.lstrip()[:1] in (b"{", b"[")
    records = parsed(_pieces(opened)) if is_json else _yaml_records(opened)
    return exchanges(opened.source, records, lambda record: exchange(record.document))


def _pieces(opened: Input) -> Iterator[Piece]:
    scanner = Scanner(opened.stream)
    is_list = opened.head.lstrip().startswith(b"[")
    yield from scanner.elements() if is_list else scanner.elements(CASSETTE_KEYS)
    scanner.end()


def _yaml_records(opened: Input) -> Iterator[Record]:
    try:
        from mock_webshare.recordings.formats import vcr_yaml
    except ModuleNotFoundError as error:
        problem = "a cassette in YAML takes PyYAML; install mock-webshare[yaml]"
        raise UnreadableInput(f"cannot read {opened.source!r}: {problem}") from error
    return vcr_yaml.elements(opened.stream, CASSETTE_KEYS)


def exchange(interaction: Any) -> Exchange:
    """Given an interaction, return its exchange; raise `Malformed` if it is none."""
    interaction = coerce.an_object(interaction, "interaction")
    request = coerce.an_object(interaction.get("request"), "request")
    response = coerce.an_object(interaction.get("response") or {}, "response")
    status, headers = _status(response), _headers(response)
    coding = next((value for name, value in headers if name.lower() == "content-encoding"), None)
    body = _stored(response["content"] if "content" in response else response.get("body"))
    return Exchange(
        source="",
        method=coerce.a_text(request.get("method"), "method").upper(),
        url=_url(request),
        request_headers=_headers(request),
        request_body=_stored(request.get("body")),
        status=status,
        headers=headers if status else None,
        body=content_encoding.decode(body, coding),
        started=coerce.an_instant(interaction.get("recorded_at")),
    )


def _url(request: dict[str, Any]) -> str:
    if "path" in request and "uri" not in request:
        keys = ("protocol", "host", "port", "path")
        return "{}://{}:{}{}".format(*(_number_or_text(request.get(key)) for key in keys))
    return coerce.a_text(request.get("uri"), "URI")


def _number_or_text(value: Any) -> str:
    return str(value) if isinstance(value, int) else coerce.a_text(value, "URL")


def _status(response: dict[str, Any]) -> int | None:
    status = response.get("status_code", response.get("status"))
    if isinstance(status, dict):
        status = status.get("code")
    if isinstance(status, str) and len(status) == 3 and status.isdecimal():  # YAML's numbers are left as text
        status = int(status)
    return coerce.a_status(status)


def _headers(message: dict[str, Any]) -> Headers:
    """Each name has one value or a list of them; before 1.0 there were lists of names and values."""
    headers = message.get("headers") or {}
    if isinstance(headers, list):
        pairs = [coerce.a_list(pair, "headers") for pair in headers]
        if any(len(pair) != 2 for pair in pairs):
            raise Malformed("its headers are no pairs")
        return coerce.some_headers((name, value) for name, value in pairs)
    named = coerce.an_object(headers, "headers").items()
    return coerce.some_headers(
        (name, value)
        for name, values in named
        for value in (values if isinstance(values, list) else [values])
    )


def _stored(body: Any) -> bytes:
    if isinstance(body, dict):
        if "base64_string" in body:
            return coerce.from_base64(coerce.a_text(body["base64_string"], "body"))
        body = body.get("string")
    if body is None or isinstance(body, bytes):
        return body or b""
    text = coerce.a_text(body, "body")
    if text.startswith("\x1f\x8b") and all(each < "\u0100" for each in text):
        return text.encode("latin-1")  # gzip, of which Python 2 thought that it was text
    return text.encode(errors="surrogatepass")
