"""Cassettes: interactions as vcrpy, VCR and the tools after their model write them, in YAML, JSON or TOML.

`{"interactions": [{"request": {"method", "uri", "headers", "body"}, "response": {"status", "headers",
"body": {"string"}}}]}`. The tools differ in where a part is and how it is called. The tables here have all
places and names: to read the files of another such tool, add its names.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange import limits
from mock_webshare.exchange.model import Exchange, Headers
from mock_webshare.exchange.streams import Broken, Malformed, Readable, read_all
from mock_webshare.recordings import content_encoding
from mock_webshare.recordings.formats import har
from mock_webshare.recordings.formats.parsed_body import Number, Plain, json_of, load_json
from mock_webshare.recordings.input import Attached, Input
from mock_webshare.recordings.json_scanner import elements
from mock_webshare.recordings.record import (
    Body,
    Found,
    Record,
    by_name,
    exchanges,
    first_value,
    from_base64,
    headers_of,
    listed,
    never_has_body,
    parsed,
    status_of,
    timestamp_of,
    typed,
    unpacked,
    utf_8,
    whole_number,
    with_origin,
)

KEYS = ("interactions", "http_interactions", "responses", "Interactions")
"""The keys of the list: of vcrpy and go-vcr, of VCR, Betamax and R's vcr, of Python's responses, and of
go-vcr in JSON."""
_PATHS = (*((key,) for key in KEYS), ("log", "entries"))
"""The paths to the list in YAML, which may also hold a HAR."""

# Names of parts in order of preference, as `_parts` spells them.
_METHOD = ("method", "requestmethod")
_URL = ("uri", "url")
_SCHEME = ("protocol", "scheme")
_QUERY = ("query", "rawquery")
_STATUS = ("code", "statuscode", "status")
"""In a response, or in a mapping that is its status. go-vcr has a `code` beside a `status: 200 OK`."""
_HEADERS = ("headers", "header", "requestheaders", "responseheaders", "contentheaders")
"""A message of .NET has two of them: some of its headers are in `contentheaders`."""
_STORES = ("_store", "_container", "_headers", "_list", "headers")
"""Where the header objects of Python's libraries keep the headers."""
_BODY = ("body", "content", "parsedbody")
_BYTES = ("base64string", "rawgzip", "string", "str")
"""If a body is a mapping: the members that may hold its content."""
_BESIDE = {"encoding", "file", "ondisk"}
"""The other members that such a mapping may have."""
_HAR_TEXTS = ("name", "value", "text", "url", "method", "startedDateTime", "encoding", "_file")
"""Members of a HAR whose values are texts, even if YAML writes them without quotes."""

_STATUS_LINE = re.compile(r"(?:HTTP/[0-9.]{1,3} )?([0-9]{1,3})(?: .*)?", re.DOTALL)
"""`200`, `200 OK` and `HTTP/1.1 200 OK`."""
_BEFORE = (
    rb"(?:[ \t]*(?:[#%][^\n]*|---[ \t]*(?:[#!&][^\n]*)?|(?:version|recorded_with)[ \t]*:[^\n]*)?\r?\n)*+"
    rb"(?:---[ \t]++)?"
)
_LIST = rb"\{?:?[\"']?(?:(?:http_)?interactions|responses)[\"']?[ \t]*:"
_ITEM = rb"-[ \t\r\n]++:?[\"']?[Rr]e(?:quest|sponse)[\"']?[ \t]*:|-[ ]!ruby/(?:struct|object):VCR"
_LOG = rb"log[ \t]*:[ \t]*\r?\n[ \t]+(?:_recordingName|version|creator|browser|pages|entries)[ \t]*:"
_YAML = re.compile(_BEFORE + rb"(?:" + rb"|".join((_LIST, _ITEM, _LOG)) + rb")")
_KEY = rb"^(?:---[ \t]++)?[{ ]?:?[\"']?(?:(?:http_)?interactions|Interactions|responses)[\"']?[ \t]*+:"
_BLANKS = rb"[ \t]*+(?:[!&][^ \t\r\n]++[ \t]*+)*+(?:#[^\n]*+)?(?:\r?\n[ \t]*+(?:#[^\n]*+)?)*+"
"""Blanks, tags, anchors and comments."""
_LISTED = re.compile(
    _KEY
    + _BLANKS
    + rb"(?:[-\[]|\Z)"
    + rb"|^(?:---[ \t]++)?(?:"
    + _ITEM
    + rb")|^[\"']?recorded_with[\"']?[ \t]*+:",
    re.MULTILINE,
)
"""A list of interactions, or the key that VCR writes after one."""
_EMPTY = re.compile(_KEY + _BLANKS + rb"(?:\[[ \t\r\n]*+\]|-?[ \t\r\n]*+\Z)", re.MULTILINE)
_HAR = re.compile(rb"^[\"']?log[\"']?[ \t]*+:", re.MULTILINE)
_OF_HAR = re.compile(rb"^[ \t]++[\"']?(?:entries|creator|_recordingName)[\"']?[ \t]*+:", re.MULTILINE)
_OF_INTERACTION = re.compile(
    rb"(?:^[ \t]*+|[-{,][ \t]*+):?[\"']?[Rr]e(?:quest|sponse)[\"']?[ \t]*+:"
    rb"|!ruby/(?:struct|object):VCR|^:?[\"']?(?:http_interactions|recorded_with)[\"']?[ \t]*+:",
    re.MULTILINE,
)
"""Occurs only in lists of interactions: requests and responses, and two keys of VCR's own."""
_TOML = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*+\[\[[ \t]*responses[ \t]*\]\]")
"""How a file of Python's responses before 0.23 begins; `[responses.response]` with the parts follows."""
_TOML_STRING = re.compile(
    r'"""(?:[^"\\]++|\\.|"(?!""))*+"{0,5}|"(?:[^"\\\n]++|\\.)*+"?|' + r"'[^'\n]*+'?", re.DOTALL
)
"""A string, or the beginning of a string that does not end."""
_MOST_DOTS = 100
"""Dots in a line of TOML, outside of strings: the time of `tomllib` grows with the square of their number."""
_LARGEST_TOML = 8 * 1024**2
"""Bytes of a file of TOML, which is read as a whole. A page of a hundred credits has about 25,000."""

_UNKNOWN = Body(is_known=False)


def _is_har(text: bytes) -> bool:
    return _HAR.search(text) is not None and _OF_HAR.search(text) is not None


def has_list(text: bytes) -> bool:
    """Whether a text of YAML has a list of interactions, or of a HAR's entries."""
    return _is_har(text) or _LISTED.search(text) is not None


def has_interactions(text: bytes) -> bool:
    """Whether the list of a YAML text (see `has_list`) has interactions, even broken ones, or is empty."""
    return _is_har(text) or any(each.search(text) for each in (_OF_INTERACTION, _EMPTY))


def begins(head: bytes) -> bool:
    """Whether a file begins as a cassette that is not JSON."""
    return _YAML.match(head.removeprefix(BOM_UTF8)) is not None or is_toml(head)


def read(opened: Input) -> Iterator[Found]:
    return exchanges(opened.source, _records(opened), lambda record: _exchange(record, opened.attached))


def _records(opened: Input) -> Iterator[Record]:
    if is_toml(opened.head):
        return _toml_records(opened.stream)
    match opened.beginning[:1]:
        case b"{":
            return parsed(elements(opened.stream, KEYS))
        case b"[":
            return parsed(elements(opened.stream))
        case _:
            return _yaml_records(opened)


def is_toml(head: bytes) -> bool:
    """Whether a file begins as one of Python's responses in TOML."""
    return _TOML.match(head.decode(errors="replace")) is not None


def _toml_records(stream: Readable) -> Iterator[Record]:
    """Yield each response; raise `Broken` if the file is not TOML, or too large."""
    import tomllib

    content = read_all(stream, _LARGEST_TOML)
    if len(content) > _LARGEST_TOML:
        raise Broken(f"a file of TOML has more than {_LARGEST_TOML // 1024**2} MiB; write it as YAML")
    try:
        text = content.decode()
        _limit_keys(text)
        document = tomllib.loads(text, parse_float=Plain)
    except (ValueError, RecursionError) as error:
        raise Broken("it is not readable TOML") from error
    yield from map(Record, document.get("responses", ()))


def _limit_keys(text: str) -> None:
    if any(line.count(".") > _MOST_DOTS for line in _TOML_STRING.sub("s", text).split("\n")):
        raise Broken(f"it has a key of more than {_MOST_DOTS} parts")


def _yaml_records(opened: Input) -> Iterator[Record]:
    try:
        from mock_webshare.recordings.formats import vcr_yaml
    except ModuleNotFoundError as error:
        problem = "a cassette in YAML requires PyYAML; install mock-webshare[yaml]"
        raise UnreadableInput(f"cannot read {opened.source!r}: {problem}") from error
    return vcr_yaml.Document(opened.stream).elements(_PATHS)


def _exchange(record: Record, attached: Attached) -> Exchange:
    if isinstance(record.document, dict) and "startedDateTime" in record.document:
        return har.exchange(json.loads(json_of(record.document, texts=_HAR_TEXTS)), attached)
    return exchange(record.document, record.text)


def is_interaction(document: dict[str, Any]) -> bool:
    """Whether a JSON object is an interaction, by what differs from an exchange: URL, status or headers."""
    interaction = _parts(document)
    request, response = (_parts(interaction.get(name)) for name in ("request", "response"))
    mappings = (request.get("headers"), response.get("headers"), response.get("status"))
    return not {"uri", "path"}.isdisjoint(request) or any(isinstance(each, dict) for each in mappings)


def exchange(document: Any, text: bytes = b"") -> Exchange:
    """Return the exchange of an interaction; raise `Malformed` if it is not one.

    `text` is the JSON that was parsed to `document`; empty if it was not JSON. If the body is stored as JSON
    values, `text` is parsed again, to keep the digits of their numbers.
    """
    request, response = _messages(document)
    method = _text(_first(request, _METHOD), "method").removeprefix(":").upper()
    status, headers = _status(response), _response_headers(response)
    body = _body(response)
    if text and not body.is_exact:
        body = _body(_messages(load_json(text))[1])
    return Exchange(
        source="",
        method=method,
        url=_url(request, headers, body.content),
        request_headers=None if request.keys().isdisjoint(_HEADERS) else _headers(request),
        request_body=_request_body(request),
        status=status,
        headers=headers if status and (headers or not response.keys().isdisjoint(_HEADERS)) else None,
        body=unpacked(body.content, headers if body.is_exact else None),
        is_body_known=_is_known(body, _length(response, headers), method, status),
        is_body_exact=body.is_exact,
        started=_instant(_parts(document).get("recordedat")),
    )


def _messages(document: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return request and response; the Python library responses stores method and URL in the response."""
    interaction = _parts(typed(document, dict, "interaction"))
    if "response" not in interaction:
        raise Malformed("it has no response")
    response = _parts(typed(interaction["response"] or {}, dict, "response"))
    if "request" not in interaction and "method" in response:
        return {name: response.get(name) for name in ("method", "url")}, response
    return _parts(typed(interaction.get("request"), dict, "request")), response


def _parts(mapping: Any) -> dict[str, Any]:
    """Return the members of a mapping by their names in small letters, without `_` and Ruby's colon.

    `statusCode`, `status_code`, `:status_code` and `StatusCode` are all `statuscode`.
    """
    members = mapping.items() if isinstance(mapping, dict) else ()
    return {name.removeprefix(":").replace("_", "").lower(): value for name, value in members}


def _first(parts: dict[str, Any], names: Iterable[str]) -> Any:
    return next((parts[name] for name in names if parts.get(name) is not None), None)


def _text(value: Any, name: str) -> str:
    if type(value) is str:  # as nearly all are
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value if is_number else typed(value, str, name))


def _url(request: dict[str, Any], headers: Headers, body: bytes) -> str:
    """Return the URL of a request; add its origin if a recorder left it out, or a filter replaced it."""
    stored, host = _first(request, _URL), request.get("host")
    if stored is None and "path" in request:
        url = _joined(request)
    else:
        url = _joined(_parts(stored)) if isinstance(stored, dict) else _text(stored, "URL")
    return with_origin(url, headers, body, host if isinstance(host, str) else None) if "/" in url else url


def _joined(parts: dict[str, Any]) -> str:
    """Return a URL that is stored in parts."""
    stored = (_first(parts, _SCHEME), parts.get("host"), parts.get("path"))
    scheme, host, path = (_text(each, "URL") for each in stored)
    port, query = parts.get("port"), _first(parts, _QUERY)
    address = host if port is None else f"{host}:{_text(port, 'URL')}"
    return f"{scheme}://{address}{path}" + (f"?{_text(query, 'URL')}" if query else "")


def _status(response: dict[str, Any]) -> int | None:
    """Return the status; None only if there is no response, or if its status is 0, which means the same."""
    status = _first(response, _STATUS)
    if isinstance(status, dict):
        status = _first(_parts(status), _STATUS)
    if isinstance(status, list):
        status = status[0] if status else None
    if isinstance(status, bytes | str) and (found := _STATUS_LINE.fullmatch(_text(status, "status"))):
        status = int(found[1])
    if status is None and response:
        raise Malformed("its status is missing or has an unknown form")
    return status_of(status)


def _response_headers(response: dict[str, Any]) -> Headers:
    """Return the headers of a response, with the media type that the library responses stores beside them.

    If that is the default of the library, `text/plain`, it is left out: the service has not sent it.
    """
    headers = _headers(response)
    media_type = response.get("contenttype")
    if media_type in (None, "text/plain") or first_value(headers, "content-type") is not None:
        return headers
    return headers + headers_of([("Content-Type", media_type)])


def _headers(message: dict[str, Any]) -> Headers:
    pairs = chain.from_iterable(_pairs(message[name]) for name in _HEADERS if name in message)
    return headers_of(
        (_text(name, "header"), "" if value is None else _text(value, "header")) for name, value in pairs
    )


def _pairs(headers: Any) -> Iterator[tuple[Any, Any]]:
    """Yield names and values of headers in any form."""
    if isinstance(headers, dict | list) and len(headers) > limits.MOST_HEADERS:
        raise Malformed(f"it has more than {limits.MOST_HEADERS} headers")
    if isinstance(headers, dict):
        store = next((headers[key] for key in _STORES if isinstance(headers.get(key), dict | list)), None)
        yield from by_name(headers) if store is None else _in_store(store)
    elif isinstance(headers, list):
        for each in headers:
            yield from _pair(each)
    elif headers is not None:
        raise Malformed("its headers must be an object or a list")


def _in_store(store: dict[str, Any] | list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the headers in a list, or in a mapping by names in small letters: `{"a": ["A", "b"]}`."""
    if isinstance(store, list):
        yield from _pairs(store)
        return
    for name, *values in filter(None, map(listed, store.values())):
        for value in values:
            yield name, value


def _pair(item: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the headers in an item of a list.

    It may be `A: b` as text, `[A, b]`, `[A, [b, c]]`, `{name: A, value: b}` or `{A: b}`.
    """
    match item:
        case str() | bytes():
            name, colon, value = _text(item, "header").partition(":")
            if not colon and name.strip():
                raise Malformed("its headers must be pairs or lines of a name, a colon and a value")
            if colon:
                yield name.strip(), value.strip()
        case [name, *_, values]:
            yield from by_name({name: values})
        case {"name": name, "value": value} | {"key": name, "value": value}:
            yield name, value
        case dict() if len(item) == 1:
            yield from by_name(item)
        case _:
            raise Malformed("its headers must be pairs")


def _length(response: dict[str, Any], headers: Headers) -> int | None:
    """Return the length of the body in bytes, as the header or go-vcr has it; None if it is not known."""
    return whole_number(first_value(headers, "content-length") or str(response.get("contentlength")))


def _is_known(body: Body, length: int | None, method: str, status: int | None) -> bool:
    """Whether the received body was recorded; False if an empty one seems to be in its place."""
    if never_has_body(method, status):
        return True
    return bool(body.content) or (not length if body.is_known else length == 0)


def _request_body(request: dict[str, Any]) -> bytes:
    """Return the body of a request; empty if it is stored in an unknown form: no rule depends on it."""
    try:
        return _body(request).content
    except Malformed:
        return b""


def _body(message: dict[str, Any]) -> Body:
    body = _first(message, _BODY)
    holder = _parts(body)
    if name := next((name for name in _BYTES if holder.get(name) is not None), None):
        return _held(holder, name)
    if body is None or (isinstance(body, dict) and holder.keys() <= {*_BYTES, *_BESIDE}):
        return _UNKNOWN
    return _value(body)


def _held(holder: dict[str, Any], name: str) -> Body:
    """Return the body that the member `name` of a mapping holds."""
    value, encoding = holder[name], str(holder.get("encoding")).lower()
    if isinstance(value, dict):  # `string: !ruby/string {str: …}`
        value = value.get("str", value)
    if value == {} or str(holder.get("file")).lower() in ("yes", "true"):
        return _UNKNOWN  # an object of Ruby, or the name of a file
    if name == "base64string" or encoding == "base64":
        return Body(from_base64(_text(value, "body")))
    if name == "rawgzip":  # zlib's format, for all its name
        return Body(content_encoding.decode(from_base64(_text(value, "body")), "deflate"))
    return _value(value, is_binary=encoding in ("ascii-8bit", "binary"))


def _value(value: Any, *, is_binary: bool = False) -> Body:
    if isinstance(value, bytes):
        return Body(value)
    if not isinstance(value, str) or type(value) is Number:
        return Body(utf_8(json_of(value)), is_exact=False)
    return Body(_octets(value, is_binary) or utf_8(value))


def _octets(text: str, is_binary: bool) -> bytes | None:
    """Return the bytes of a text in which each character stands for a byte; None for any other text.

    Python 2 took gzip for text, and Syck escaped all bytes that are not ASCII.
    """
    is_packed = text.startswith("\x1f\x8b")
    try:
        octets = text.encode("latin-1") if is_packed or is_binary else None
        return octets if is_packed or not octets or octets.decode() != text else None
    except UnicodeError:
        return None


def _instant(value: Any) -> int | None:
    """Return a recorded date as an instant; R and Ruby write `2026-06-01 00:00:00 GMT` or `… -07:00`."""
    if not isinstance(value, str):
        return None
    date, _, zone = value.rpartition(" ")
    return timestamp_of(value) or timestamp_of(date + ("+00:00" if zone in ("GMT", "UTC", "Z") else zone))
