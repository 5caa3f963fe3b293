"""Other files: what a file that is not a recording looks like, by its first bytes.

A file that the user names counts as a recording or a body unless it looks like something else, because a
broken body must be reported. A file that is found in a folder counts only if it looks like a recording or a
body, because a folder holds other files too; but a found `credits.json` counts as if the user had named it.
"""

from __future__ import annotations

import json
import os
import re
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, NamedTuple

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.exchange import limits
from mock_webshare.recordings import formats
from mock_webshare.recordings.content_encoding import ZSTANDARD
from mock_webshare.recordings.formats import dump, json_files, vcr
from mock_webshare.recordings.input import STANDARD_INPUT
from mock_webshare.recordings.json_scanner import keys, members

if TYPE_CHECKING:
    from collections.abc import Set


class Kind(NamedTuple):
    """A kind of files that are not recordings."""

    what: str
    advice: str = ""
    """How to make a recording of such a file. Empty: there is no way."""


def _begins(*marks: bytes) -> re.Pattern[bytes]:
    return re.compile(b"|".join(map(re.escape, marks)))


_CAPTURE = "decrypt it in Wireshark, or record with mitmproxy, a browser or `mock-webshare record`"
_TEXT_ADVICE = "a body of the service is JSON; name it FILE.json, or give --input-format json, if it is one"
_CHARLES = Kind("a session of Charles", "in Charles, File > Export Session > HTTP Archive (.har)")
_XML_DECLARATION = rb"\s{0,99}(?:<\?xml[^>]{0,500}>\s{0,99})?"

# fmt: off
SIGNATURES: tuple[tuple[re.Pattern[bytes], Kind], ...] = (
    (_begins(b"SQLite format 3\0"),
     Kind("an SQLite database",
          "if it is the cache of requests-cache, record with backend='filesystem' and serializer='json'")),
    (_begins(b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"M<\xb2\xa1", b"\xa1\xb2<M"),
     Kind("a packet capture (pcap)", _CAPTURE)),
    (_begins(b"\x0a\x0d\x0d\x0a"), Kind("a packet capture (pcapng)", _CAPTURE)),
    (re.compile(rb"[0-9]{1,12}:(?:[0-9]{1,12}:[a-z_]{1,40}[;,]|[0-9]{1,12}:)"),
     Kind("flows of mitmproxy", "mitmdump -nr FILE --set hardump=FILE.har")),
    (_begins(b"%PDF-"), Kind("a PDF document")),
    (_begins(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM\0", b"\0\0\x01\0"), Kind("an image")),
    (_begins(ZSTANDARD), Kind("a file compressed with Zstandard", "zstd -d FILE")),
    (_begins(b"\xfd7zXZ\0"), Kind("a file compressed with xz", "xz -d FILE")),
    (_begins(b"BZh9", b"BZh1", b"BZh5"), Kind("a file compressed with bzip2", "bzip2 -d FILE")),
    (_begins(b"PK\5\6"), Kind("an empty ZIP archive")),
    (_begins(b"7z\xbc\xaf\x27\x1c", b"Rar!"), Kind("an archive", "unpack it first")),
    (re.compile(rb".{257}ustar", re.DOTALL), Kind("a tar archive", "unpack it first")),
    (re.compile(rb"\x80[\x02-\x05][^\xff]"),
     Kind("a Python pickle", "nothing in it is run to read it; write JSON instead")),
    (re.compile(_XML_DECLARATION + rb"(?:<!DOCTYPE items|<items[\s>])"),
     Kind("an export of Burp Suite", "import it in a tool that writes HAR, or record with mitmproxy")),
    (re.compile(_XML_DECLARATION + rb"<charles-session"), _CHARLES),
    (re.compile(rb"\s{0,99}(?:<<<<<<-- cut here -->>>>>>\s{0,99})?nock\(['\"]"),
     Kind("JavaScript of nock's recorder", "record with output_objects: true, and write them as JSON")),
    (re.compile(rb"== Info:"), Kind("a trace of curl", "use curl -v or curl -i instead of --trace-ascii")),
)
# fmt: on
"""The beginnings of files that are never recordings, whatever their names."""

_NAMES: tuple[tuple[tuple[str, ...], Kind], ...] = (
    ((".chls", ".chlz"), _CHARLES),
    ((".saz",), Kind("an archive of Fiddler", "in Fiddler, File > Export Sessions > HTTPArchive")),
    ((".msgpack", ".mpk"), Kind("MessagePack", "write it as JSON")),
    ((".pb", ".protobuf"), Kind("a message of Protocol Buffers", "write it as JSON")),
)

_REQUESTS_ONLY = "it has requests, not what the service sent; record with a proxy that writes HAR"

DOCUMENTS: tuple[tuple[frozenset[str], Kind], ...] = tuple(
    (frozenset(names.split()), kind)
    for names, kind in (
        ("openapi", Kind("an OpenAPI document")),
        ("swagger", Kind("an OpenAPI document")),
        ("$schema", Kind("a JSON Schema, or a file that names one")),
        ("name scripts", Kind("a package.json")),
        ("name dependencies", Kind("a package.json")),
        ("name devDependencies", Kind("a package.json")),
        ("lockfileVersion", Kind("a lock file")),
        ("compilerOptions", Kind("a tsconfig.json")),
        ("nbformat", Kind("a Jupyter notebook")),
        ("constants events", Kind("a network log of Chromium", "export a HAR from the network panel")),
        ("traceEvents", Kind("a trace of Chromium", "export a HAR from the network panel")),
        ("consumer provider", Kind("a contract of Pact", "it has examples, not what the service sent")),
        ("imposters", Kind("imposters of mountebank", "record with a proxy that writes HAR")),
        ("data meta", Kind("a simulation of Hoverfly", "record with a proxy that writes HAR")),
        ("items environments", Kind("a collection of Bruno", _REQUESTS_ONLY)),
        ("name folders requests", Kind("a collection of Hoppscotch", _REQUESTS_ONLY)),
        ("clientName collectionName", Kind("a collection of Thunder Client", _REQUESTS_ONLY)),
        ("client collectionName", Kind("a collection of Thunder Client", _REQUESTS_ONLY)),
        ("yaakVersion resources", Kind("an export of Yaak", _REQUESTS_ONLY)),
        ("meta entry", Kind("a collection of HTTPie", _REQUESTS_ONLY)),
        ("_postman_variable_scope", Kind("an environment of Postman", "export the run with newman")),
        ("collection_id results", Kind("a run of Postman's app, without bodies", "run it with newman")),
        ("_type __export_format", Kind("an export of Insomnia", "export the responses as HAR")),
        ("protocolVersion scheme", _CHARLES),
        ("credits channels", Kind("a data set of the mock server", "serve it with --data")),
        ("version runs", Kind("a SARIF report")),
        ("requests dropped", Kind("a list of GET requests", "save GET requests.har or requests.ndjson")),
        # Other kinds of documents have these keys too, so these rows are last.
        ("name private", Kind("a package.json")),
        ("private workspaces", Kind("a package.json")),
        ("name license", Kind("a package.json")),
        ("name require", Kind("a composer.json")),
        ("name version", Kind("a package.json, or a list of packages")),
    )
)
"""JSON documents that are neither recordings nor bodies, by keys that they have at the top."""

_JSON = re.compile(
    rb"\{\s{0,9999}(?:[\"}]|\Z)|\[\s{0,9999}(?:[\[{\"\]0-9-]|true|false|null|NaN|-?Infinity|\Z)"
)
_COMMENTED = re.compile(rb"[\[{]\s{0,9999}(?://|/\*|#)")
_COMMENT = (b"//", b"/*", b"#", b"version https://git-lfs")
_NAME_OF_OURS = re.compile(r"credit|referral|earn-?_?out", re.IGNORECASE)
_HTML = re.compile(rb"\s{0,999}(?:<!--|<!doctype html|<html|<head|<body|<h1|<title|<p>)", re.IGNORECASE)
_XML = re.compile(rb"\s{0,999}<")
_PAGE_ADVICE = "the service's JSON is checked; record the response with its status and URL"


def other_kind(source: str, head: bytes, *, is_found: bool) -> Kind | None:
    """Return what a file is instead of a recording; None if it is to be read.

    `is_found`: the file was found in a folder, not named by the user.
    """
    named = formats.of_name(source)
    if named in ("json", "ndjson") and _NAME_OF_OURS.search(os.path.basename(source)):
        is_found = False
    if kind := _by_signature(source, head):
        return kind
    text = head.removeprefix(BOM_UTF8).lstrip()
    if dump.begins(head) or vcr.is_toml(head):
        return None
    if _JSON.match(text):
        return _other_json(text, is_found=is_found and named != "har")
    if named == "vcr" or vcr.begins(head):
        return _other_yaml(text, is_found=is_found)
    return _other_text(source, text, named, is_found=is_found)


def _by_signature(source: str, head: bytes) -> Kind | None:
    if kind := next((kind for pattern, kind in SIGNATURES if pattern.match(head)), None):
        return kind
    return next((kind for ends, kind in _NAMES if source.lower().endswith(ends)), None)


def _other_json(text: bytes, *, is_found: bool) -> Kind | None:
    """Return what a JSON text is, if it is neither a recording nor a body."""
    found = keys(text.removeprefix(b"[").lstrip())
    if kind := next((kind for signs, kind in DOCUMENTS if signs <= found), None):
        return kind
    if json_files.is_recording(text) or not is_found:
        return None
    return None if _looks_like_ours(text) else Kind("JSON of something else")


def _other_yaml(text: bytes, *, is_found: bool) -> Kind | None:
    is_cut_off = len(text) >= limits.HEAD and not is_found  # the keys may follow
    is_cassette = vcr.has_list(text) and (not is_found or vcr.has_interactions(text))
    return None if is_cut_off or is_cassette else Kind("YAML without a list of interactions")


def _looks_like_ours(text: bytes) -> bool:
    """Whether a JSON text resembles a body of the service, even a broken one."""
    if text.startswith(b"["):
        return _is_like_row(keys(text[1:].lstrip()))
    values = members(text).values
    found = set(values) - {key for key in _PAGE & values.keys() if _WORDS.match(values[key])}
    rows = _first_row(text) if "results" in found else set()
    if found & _PAGE and not rows:
        return len(found & _PAGE) > 1 or found <= _PAGE
    if found >= _PAGE and any(rows <= fields for fields in _FIELDS):  # even if it is cut off after an id
        return True
    return any(map(_is_like_row, (rows, found, _names(text)))) or _is_like_error(values.keys(), text)


_RESULTS = re.compile(rb'"results"\s{0,99}:\s{0,99}\[\s{0,999}(?=\{)')


def _first_row(text: bytes) -> set[str]:
    """Return the keys of the first object in `results`; without one, no keys."""
    found = _RESULTS.search(text)
    return keys(text[found.end() :]) if found else set()


_NAME = re.compile(rb'"([a-z_]{1,40})"\s{0,99}:')


def _names(text: bytes) -> set[str]:
    """Return all strings that look like names of fields, also those after a syntax error."""
    return {name.decode() for name in _NAME.findall(text)}


_PAGE = frozenset({"count", "next", "previous", "results"})
_WORDS = re.compile(rb'"(?![0-9-]|https?:|[/?])')
"""Matches a text that is neither a number nor a link: files of translations have texts by keys of a page."""
_COMMON = frozenset(
    {"id", "user_id", "code", "name", "description", "mode", "status", "amount", "is_active", "is_recurring"}
    | {"start_date", "end_date", "created_at", "updated_at", "error_reason"}
)
"""Fields of ours that objects of any API may have."""
_ENOUGH, _PAIR = 5, frozenset({"user_id", "mode"})
"""How many common fields, or which ones, are enough to recognise a row that is cut off."""


_FIELDS = tuple(frozenset(field.name for field in fields) for fields in WEBSHARE.served.values())
_OWN = frozenset().union(*_FIELDS) - _COMMON


def _is_like_row(found: Set[str]) -> bool:
    """Whether an object has a field of the service's own, or many common fields of one resource."""
    if found & _OWN:
        return True
    is_many = len(found) >= _ENOUGH or found >= _PAIR
    return is_many and any(found <= fields for fields in _FIELDS)


def _is_like_error(found: Set[str], text: bytes) -> bool:
    """Whether an object is `{"detail": ...}`, or lists of messages by the names of filters."""
    if "detail" in found:
        return found <= {"detail", "code", "message"}
    return bool(found) and found <= WEBSHARE.filter_names and b"[" in text


def _other_text(source: str, text: bytes, named: str | None, *, is_found: bool) -> Kind | None:
    """Return what a file is that does not begin as JSON; None if its name is that of a body or recording."""
    if source == STANDARD_INPUT:
        return None
    if not text and (is_found or named not in ("json", "ndjson")):  # else an empty body, or recording
        return Kind("an empty file")
    if is_found and named and (_COMMENTED.match(text) or _is_json_value(text)):
        return None if _looks_like_ours(text) else Kind("JSON of something else")
    if named and not (is_found and text.startswith(_COMMENT)):
        return None
    if _HTML.match(text):
        return Kind("an HTML page", _PAGE_ADVICE)
    if _XML.match(text):
        return Kind("XML")
    if not _is_text(text):
        return Kind("binary data")
    return None if not is_found and _is_json_value(text) else Kind("plain text", _TEXT_ADVICE)


def _is_text(text: bytes) -> bool:
    return b"\0" not in text and text[:4096].decode(errors="replace").count("\ufffd") < 4


def _is_json_value(text: bytes) -> bool:
    """Whether a text is JSON, such as `null` or a number: a body, though no body that the service sends."""
    try:
        json.loads(text[:4096])
    except (ValueError, RecursionError):
        return False
    return True
