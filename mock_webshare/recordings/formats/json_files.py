"""JSON files of bodies or exchanges: one document, an array, or one per line."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.exchange import limits, streams
from mock_webshare.exchange.model import Exchange, from_wire
from mock_webshare.exchange.streams import Broken, Malformed
from mock_webshare.recordings import content_encoding
from mock_webshare.recordings.formats import har, nock, postman, requests_cache, vcr, wiremock
from mock_webshare.recordings.input import Attached, Input
from mock_webshare.recordings.json_scanner import Members, Parts, Piece, elements, items, keys, members, whole
from mock_webshare.recordings.record import Found, Record, exchanges, parsed

Reader: TypeAlias = Callable[[Input], Iterator[Found]]
Values: TypeAlias = Mapping[str, bytes]
"""The texts of the values of an object, by their keys."""

_FIELDS = WEBSHARE.filter_names
"""What a field error may be about."""


def read(opened: Input) -> Iterator[Found]:
    """Yield what a JSON document holds: a HAR, a cassette or another recording, exchanges, or a body.

    An array is read by element if it holds exchanges, pages or errors. An array of anything else is itself
    a body: a wrong one in place of a page, or the right one of an endpoint that returns an array.
    """
    text = opened.beginning
    if text.startswith(b"["):
        is_read_by_element = has_element(text) or _may_be_body(keys(text[1:]))
        return _each(opened, elements(opened.stream)) if is_read_by_element else _body(opened)
    if reader := _reader(text):
        return reader(opened)
    return _each(opened, whole(opened.stream)) if has_element(text) else _body(opened)


class Document(NamedTuple):
    """A JSON document that is a list of exchanges."""

    keys: Set[str]
    """The keys that it has at the top."""
    read: Reader
    is_one: Callable[[Values], bool]
    """Whether its values are of this kind, too, even if one is malformed, or the document is cut off."""
    without: Set[str] = frozenset()
    """Keys that only another kind of document has."""


def _read_list(*path: tuple[str, ...]) -> Reader:
    """Return a reader of the list at the end of a path; its elements are in any form."""
    return lambda opened: _each(opened, elements(opened.stream, *path))


_PARTS_OF_MESSAGES = (
    ({"method", "requestmethod"},
     {"url", "uri", "path", "absoluteurl", "urlpath", "urlpattern", "urlpathpattern", "urlpathtemplate"}),
    ({"status", "statuscode", "code"},
     {"headers", "header", "responseheaders", "body", "content", "stream", "jsonbody", "base64body",
      "parsedbody", "bodyfilename", "bodyasbase64"}),
)  # fmt: skip
"""What a request has, and a response: one of each set, in small letters without `_` and Ruby's colon."""
_MOST_ITEMS = 10
"""How many items of a list are examined: the first ones may be malformed."""


def _plain(name: str) -> str:
    return name.removeprefix(":").replace("_", "").lower()


def _is_cut_off(text: bytes, found: Members) -> bool:
    """Whether a text ends before the first member of an object."""
    return not found.values and not found.is_whole and (text.startswith(b"{") or not text)


def _is_message(text: bytes) -> bool:
    """Whether a text is a request or a response in the form of any tool, or the beginning of one."""
    found = members(text)
    names = set(map(_plain, found.values))
    return _is_cut_off(text, found) or any(
        (names & first and names & second) or (not found.is_whole and names & (first | second))
        for first, second in _PARTS_OF_MESSAGES
    )


def _has_message(values: Values) -> bool:
    return any(_plain(key) in ("request", "response") and _is_message(value) for key, value in values.items())


def _lists_exchanges(text: bytes) -> bool:
    """Whether a text is a list of exchanges, one without items, or cut off before the first."""
    if not text.startswith(b"["):
        return not text
    found = [(each, members(each)) for each in items(text, _MOST_ITEMS)]
    return not found or any(_is_cut_off(*each) or _has_message(each[1].values) for each in found)


def _leads_to_list(text: bytes, key: str, before: Set[str], enough: Set[str]) -> bool:
    """Whether an object has a list of exchanges under a key, or is cut off where it may follow.

    `before` are the keys that may be before that one, and `enough` those that no other object has.
    """
    found = members(text)
    if found.values.keys() >= enough:
        return True
    if key in found.values:
        return _lists_exchanges(found.values[key])
    is_object_or_end = text.startswith(b"{") or not text
    return is_object_or_end and not found.is_whole and found.values.keys() <= before


_BEFORE_ENTRIES = {"version", "creator", "browser", "pages", "comment", "_recordingName"}
_BEFORE_EXECUTIONS = {"stats", "timings", "transfers", "failures", "error"}


def _is_har(values: Values) -> bool:
    return _leads_to_list(values["log"], "entries", _BEFORE_ENTRIES, enough={"version", "creator"})


def _is_run(values: Values) -> bool:
    return _leads_to_list(values["run"], "executions", _BEFORE_EXECUTIONS, enough={"stats", "timings"})


def _is_list(key: str) -> Callable[[Values], bool]:
    return lambda values: _lists_exchanges(values[key])


_OF_PACT = {"consumer", "provider"}
DOCUMENTS = (
    Document({"log"}, har.read, _is_har),
    *(Document({key}, vcr.read, _is_list(key), without=_OF_PACT) for key in vcr.KEYS),
    Document({"run", "collection"}, postman.read_run, _is_run),
    Document({"run"}, postman.read_run, _is_run, without={"id", "name"}),
    Document({"info", "item"}, postman.read_collection, lambda values: values["info"].startswith(b"{")),
    Document({"collection"}, postman.read_collection,
             lambda values: not keys(values["collection"]).isdisjoint({"info", "item"}),
             without={"results", "detail"}),
    Document({"mappings"}, _read_list(("mappings",)), _is_list("mappings")),
    Document({"requests", "meta"}, _read_list(("requests",)), _is_list("requests")),
)  # fmt: skip
"""The documents of all tools, HAR first. What is none of them is an element or a body."""


class Element(NamedTuple):
    """One exchange in the form of a tool."""

    keys: frozenset[str]
    exchange: Callable[[Record, Attached], Exchange]
    is_one: Callable[[Members], bool] = lambda found: _has_message(found.values)
    """Whether its values are of this kind, too, even if one is malformed, or the text is cut off."""


ELEMENTS = (
    Element(requests_cache.KEYS, lambda record, _: requests_cache.exchange(record.document)),
    Element(nock.KEYS, lambda record, _: nock.exchange(record.document),
            lambda found: found.values["scope"].startswith(b'"http')),
    Element(postman.EXAMPLE, lambda record, _: postman.example(record.document),
            lambda found: _is_message(found.values["originalRequest"])),
    Element(frozenset({"request"}), lambda record, attached: _exchange_in_any_form(record, attached),
            lambda found: _has_message(found.values) and ("response" in found.values or not found.is_whole)),
    Element(frozenset({"Request", "Response"}), lambda record, _: vcr.exchange(record.document, record.text)),
)  # fmt: skip
"""The exchanges of all tools, by their keys."""


def _document(found: Set[str]) -> Document | None:
    """Return the kind of a document with these keys at the top; None if it is not of a tool."""
    return next((each for each in DOCUMENTS if each.keys <= found and not each.without & found), None)


def _reader(text: bytes) -> Reader | None:
    """Return the reader of the document that a text begins with; None if it is not of a tool."""
    kind = _document(keys(text))
    is_setting = kind is not None and "log" in kind.keys and _LOG.search(text) is None
    return None if kind is None or is_setting else kind.read


_LOG = re.compile(rb'"log"\s{0,9}:\s{0,9}\{')
"""A text under `log` is somebody's setting."""


def has_element(text: bytes) -> bool:
    """Whether the object, or first object of an array, that a text begins with is an exchange."""
    found = keys(text.removeprefix(b"["))
    return any(each.keys <= found for each in ELEMENTS)


def is_recording(text: bytes) -> bool:
    """Whether a text begins as the JSON recording of a tool does, and its values fit its keys."""
    found = members(text.removeprefix(b"[").lstrip())
    values = found.values
    kind = _document(values.keys()) if text.startswith(b"{") else None
    if kind is not None:
        return kind.is_one(values)
    return any(each.keys <= values.keys() and each.is_one(found) for each in ELEMENTS)


def _may_be_body(keys: set[str]) -> bool:
    """Whether an object with these keys is a page or an error."""
    return not keys.isdisjoint({"results", "detail"}) or (bool(keys) and keys <= _FIELDS)


def _body(opened: Input) -> Iterator[Exchange]:
    """Yield a file as a body, byte for byte."""
    yield Exchange(source=opened.source, body=opened.read(), is_body_exact=opened.is_exact)


def read_lines(opened: Input) -> Iterator[Found]:
    """Yield an exchange for each line of NDJSON, which may be an exchange or a body."""
    return _each(opened, _lines(opened))


def read_journal(opened: Input) -> Iterator[Found]:
    """Yield the exchange of each line of a journal of the mock server."""
    return exchanges(opened.source, parsed(_lines(opened)), lambda record: _exchange(record.document))


def begins_lines(head: bytes, *, of_exchanges: bool = False) -> bool:
    """Whether a file begins with two lines of an object each, or an exchange each."""
    first, _, rest = head.removeprefix(BOM_UTF8).lstrip().partition(b"\n")
    if not rest.lstrip().startswith(b"{"):
        return False
    try:
        document = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and (not of_exchanges or has_element(first))


def _lines(opened: Input) -> Iterator[Piece]:
    """Yield each line that is not blank."""
    for piece in _split(opened.stream):
        text = piece.text.removeprefix(BOM_UTF8) if piece.line == 1 else piece.text
        if text.strip():
            yield piece._replace(text=text)


def _split(stream: streams.Readable) -> Iterator[Piece]:
    parts, line, blanks = Parts(), 1, 0
    while piece := stream.read(streams.PIECE):
        if not parts.size and piece.isspace():
            line += piece.count(b"\n")  # a gigabyte of blank lines is easily made
            blanks += len(piece)
            if blanks > limits.LARGEST_SKIP:
                raise Broken("the blank lines are too many to be skipped", line)
            continue
        for number, part in enumerate(piece.split(b"\n")):
            if number:
                yield parts.piece(line)
                parts, line = Parts(), line + 1
            parts.add(part)
        if parts.size > limits.LARGEST_SKIP:
            raise Broken("a line is too long to be skipped", line)
    yield parts.piece(line)


def _each(opened: Input, pieces: Iterable[Piece]) -> Iterator[Found]:
    """Yield an exchange for each text, which may be an exchange in any form or a body."""

    def convert(record: Record) -> Exchange:
        document = record.document
        for each in ELEMENTS if isinstance(document, dict) else ():
            if each.keys <= document.keys():
                return each.exchange(record, opened.attached)
        return Exchange(source="", body=record.text, is_body_exact=opened.is_exact)

    return exchanges(opened.source, parsed(pieces), convert)


def _exchange_in_any_form(record: Record, attached: Attached) -> Exchange:
    """Return the exchange of an object with a request, whose shape shows which tool wrote it."""
    document = record.document
    request, response = document["request"], document.get("response")
    if isinstance(request, dict):
        if "uri" in request or ("path" in request and "url" not in request):
            return vcr.exchange(document, record.text)
        if "absoluteUrl" in request:
            return wiremock.served(document, attached)
        if wiremock.is_mapping(document):
            return wiremock.exchange(document, attached)
        if isinstance(request.get("url"), dict):
            return postman.execution(document)
    if vcr.is_interaction(document):
        return vcr.exchange(document, record.text)
    if isinstance(response, dict) and ("content" in response or "startedDateTime" in document):
        return har.exchange(document, attached)
    return _exchange(document)


def _exchange(document: Any) -> Exchange:
    """Return the exchange of a JSON object that `Exchange.wire` returned."""
    try:
        found = from_wire(document)
    except ValueError as error:
        raise Malformed(str(error)) from error
    return replace(found, body=content_encoding.decode(found.body, found.header("content-encoding")))
