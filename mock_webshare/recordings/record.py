"""Record: one entry of a file, checked part by part and converted to an exchange."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any, NamedTuple, TypeAlias, TypeVar

from mock_webshare.contract.endpoints import ORIGIN
from mock_webshare.contract.timestamps import parse_instant
from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange import limits
from mock_webshare.exchange.model import LONGEST, BadRecord, Exchange, Headers, read_status
from mock_webshare.exchange.request import read_url
from mock_webshare.exchange.streams import Broken, Malformed
from mock_webshare.recordings import content_encoding
from mock_webshare.recordings.content_encoding import MissingLibrary
from mock_webshare.recordings.input import NotARecording
from mock_webshare.recordings.json_scanner import Piece

Found: TypeAlias = Exchange | BadRecord | UnreadableInput
"""What the reader of a format yields."""
Convert: TypeAlias = "Callable[[Record], Exchange]"
"""Returns the exchange of a record, without its place in the file; raises `Malformed`."""

_T = TypeVar("_T", dict[str, Any], list[Any], str)

_TYPES = {dict: "an object", list: "a list", str: "a string"}
_URL = re.compile(rb'"(?:url|uri)"\s*:\s*(' + limits.STRING.pattern + rb")", re.DOTALL)


class Record(NamedTuple):
    """One record of a file."""

    document: Any
    """The content as JSON values; also bytes, in formats that have them."""
    text: bytes = b""
    """The text in the file. Empty: the record is not JSON."""
    line: int | None = None
    problem: str | None = None
    """Why the record cannot be read. None: it can."""
    url: str | None = None
    """The URL of the request, if it is known although the record cannot be read."""


def parsed(pieces: Iterable[Piece]) -> Iterator[Record]:
    """Yield a record for each text of JSON."""
    for piece in pieces:
        try:
            yield Record(_document(piece), piece.text, piece.line)
        except Malformed as error:
            yield Record(None, line=piece.line, problem=str(error), url=_url_in_text(piece.text))
        except RecursionError:
            yield Record(None, line=piece.line, problem="it is nested too deeply")
        except ValueError:  # not JSON, not UTF-8, or a number of thousands of digits
            yield Record(None, line=piece.line, problem="it is not readable JSON")


def _document(piece: Piece) -> Any:
    if not piece.is_whole:
        raise Malformed(f"it has more than {limits.LARGEST_RECORD // 1024**2} MiB")
    if limits.has_many(piece.text):
        raise Malformed(f"it has more than {limits.MOST_PARTS} parts")
    return json.loads(piece.text)


def _url_in_text(text: bytes) -> str | None:
    """Return the URL of the request in the text of a malformed record; None if there is none."""
    found = _URL.search(text, text.find(b'"request"'))
    try:
        return found and json.loads(found[1])
    except ValueError:
        return None


class Body(NamedTuple):
    """The body of a message."""

    content: bytes = b""
    is_known: bool = True
    """This and `is_exact` mean the same as `is_body_known` and `is_body_exact` of an exchange."""
    is_exact: bool = True


def exchanges(source: str, records: Iterable[Record], convert: Convert) -> Iterator[Found]:
    """Yield the exchange of each record of a file, or a bad record in its place.

    If a library is missing, an `UnreadableInput` is yielded once, and the other records are read. Raise
    `NotARecording` if `convert` raises it for all records.
    """
    entry, bad, is_recording = -1, 0, False
    other: NotARecording | None = None
    missing: set[str] = set()
    try:
        for entry, record in enumerate(records):
            found = _exchange(source, entry, record, convert)
            if isinstance(found, NotARecording):
                other = found
                continue
            is_recording = True
            if not isinstance(found, UnreadableInput) or str(found) not in missing:
                yield found
            if isinstance(found, UnreadableInput):
                missing.add(str(found))
            bad = bad + 1 if isinstance(found, BadRecord) else 0
            if bad >= limits.MOST_BAD_RECORDS:
                raise Broken(f"{bad} records in a row are malformed; the rest is not read", record.line)
    except Broken as error:
        yield BadRecord(source=source, problem=str(error), entry=entry + 1, line=error.line)
        return
    if other and not is_recording:
        raise other


def _exchange(source: str, entry: int, record: Record, convert: Convert) -> Found | NotARecording:
    try:
        if record.problem:
            raise Malformed(record.problem)
        return replace(convert(record), source=source, entry=entry, line=record.line)
    except NotARecording as error:
        return error
    except Malformed as error:
        url = record.url or _url(record.document)
        if isinstance(error, MissingLibrary) and (url is None or read_url(url) is not None):
            return UnreadableInput(f"cannot read {source!r}: {error}")
        return BadRecord(source=source, problem=str(error), entry=entry, line=record.line, url=url)


def _url(document: Any) -> str | None:
    """Return the URL of the request in a document of any format."""
    request = document.get("request") if isinstance(document, dict) else None
    found = (request.get("url") or request.get("uri")) if isinstance(request, dict) else None
    return found if isinstance(found, str) else None


def typed(value: Any, kind: type[_T], name: str) -> _T:
    """Return `value` if it has the type `kind`; raise `Malformed`, which calls it `name`, if not."""
    if not isinstance(value, kind):
        raise Malformed(f"its {name} must be {_TYPES[kind]}")
    return value


def method_of(value: Any) -> str:
    return typed(value, str, "method").upper()


def received_status(value: Any) -> int:
    """Return a status; raise `Malformed` for anything else, even where `status_of` returns None."""
    if (status := status_of(value)) is None:
        raise Malformed("its status is not a number from 100 to 999")
    return status


def status_of(value: Any) -> int | None:
    """Return a status; None if the value means that no response came; else raise `Malformed`."""
    try:
        return read_status(value)
    except ValueError as error:
        raise Malformed(str(error)) from error


def headers_of(pairs: Iterable[tuple[Any, Any]]) -> Headers:
    """Return names and values as headers, without pseudo-headers of HTTP/2 (`:authority`)."""
    some = islice(pairs, limits.MOST_HEADERS + 1)
    headers = [(_header_text(name), _header_text(value)) for name, value in some]
    if len(headers) > limits.MOST_HEADERS:
        raise Malformed(f"it has more than {limits.MOST_HEADERS} headers")
    return tuple(pair for pair in headers if not pair[0].startswith(":"))


def _header_text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else typed(value, str, "header")


def named_headers(named: Any) -> Headers:
    """Return headers from a mapping of each name to a value, or to a list of values."""
    return headers_of(by_name(typed(named or {}, dict, "headers")))


def by_name(headers: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each name and value from a mapping of each name to a value, or to a list of values."""
    return ((name, value) for name, values in headers.items() for value in listed(values))


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def first_value(headers: Headers | None, name: str) -> str | None:
    """Return the value of the first header called `name`, which is in lower case; None without one."""
    return next((value for each, value in headers or () if each.lower() == name), None)


def whole_number(text: str | None) -> int | None:
    """Return the whole number in a text; None unless it has only digits, fewer than 20."""
    text = text or ""
    is_plausible = len(text) < 20 and text.strip().isdecimal()
    return int(text) if is_plausible else None


def never_has_body(method: str | None, status: int | None) -> bool:
    """Whether there was no response, or one without a body, whatever its headers say (RFC 9110, 6.4.1)."""
    return status is None or method == "HEAD" or status in (204, 304) or status < 200


def unpacked(body: bytes, headers: Headers | None) -> bytes:
    """Return a body without the content codings that its headers name."""
    return content_encoding.decode(body, first_value(headers, "content-encoding"))


def from_base64(text: str) -> bytes:
    """Return the bytes that base64 stands for, with or without line breaks."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError as error:
        raise Malformed("its base64 does not decode") from error


def from_hex(text: str) -> bytes:
    """Return the bytes that hexadecimal digits stand for."""
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise Malformed("its hexadecimal body does not decode") from error


def utf_8(text: str) -> bytes:
    return text.encode(errors="surrogatepass")  # JSON may contain a lone `\ud800`


def text_body(value: Any) -> Body:
    """Return a body that is stored as text; empty if none is stored."""
    return Body(utf_8(typed(value or "", str, "body")))


def any_body(value: Any) -> Body:
    """Return a body that is stored as text, or as the JSON that the recorder parsed."""
    return text_body(value) if isinstance(value, str) else parsed_body(value)


def parsed_body(document: Any) -> Body:
    """Return a body that the recorder parsed, written as JSON again; None stands for no body."""
    text = "" if document is None else json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Body(utf_8(text), is_exact=False)


def seconds_of(value: Any, unit: float = 1.0) -> float | None:
    """Return a duration in seconds; `value` counts units of `unit` seconds. None if it is not plausible."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value * unit if is_number and 0 <= value < LONGEST / unit else None


_LINK = re.compile(rb'"(?:next|previous)"\s{0,9}:\s{0,9}"(https?://[^/"\\?#]{1,300})/')
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://(?!\{)")


def with_origin(url: str, headers: Headers | None, body: bytes, host: str | None = None) -> str:
    """Return an absolute URL; add the origin if the recorder left it out, or kept only its host.

    If the body is a page, its links show the origin; a guess must not contradict them. Without links, the
    origin is made from `host`, or is that of the service if `host` is None.
    """
    if _SCHEME.match(url):
        return url
    path = url[max(0, url.find("/")) :]
    link = _LINK.search(body)
    origin = link[1].decode("latin-1") if link else ORIGIN
    if host is None or (link and origin.lower().endswith(f"://{host.lower()}")):
        return origin + path
    moved = _SCHEME.match(first_value(headers, "location") or "")
    return f"{moved[0] if moved else _scheme_of(host)}{host}{path}"


def _scheme_of(host: str) -> str:
    """Return the likely scheme of a host, with `://`: HTTP if it is local or has a port, like a mock."""
    name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    is_local = "." not in host or host.startswith(("127.", "[")) or (bool(name) and port != "443")
    return "http://" if is_local else "https://"


def timestamp_of(value: Any) -> int | None:
    """Return a date of ISO 8601 or HTTP as an instant; None if it is neither, or has no offset."""
    if not isinstance(value, str) or len(value) > 100:
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(value)
            return parse_instant(moment.isoformat()) if moment.tzinfo else None
        except (ValueError, TypeError, OverflowError):
            continue
    return None
