"""JSON files of bodies or exchanges: one document, an array, or a document per line."""

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
"""The fields that a body of field errors may name."""


def read(opened: Input) -> Iterator[Found]:
    """Yield what a JSON document holds: a HAR, a cassette or another recording, exchanges, or a body.

    An array of exchanges, pages or errors is read by element. An array of anything else is itself a body: of
    an endpoint that returns an array, or a wrong one in place of a page.
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
    """The keys that the document has at the top."""
    read: Reader
    is_one: Callable[[Values], bool]
    """Whether the values of a document with these keys fit too; a malformed or cut-off value may."""
    without: Set[str] = frozenset()
    """Keys that only another kind of document has."""


def _read_list(*path: tuple[str, ...]) -> Reader:
    """Return a reader of the list at the end of a path, whose elements may be exchanges of any tool."""
    return lambda opened: _each(opened, elements(opened.stream, *path))


_PARTS_OF_MESSAGES = (
    ({"method", "requestmethod"},
     {"url", "uri", "path", "absoluteurl", "urlpath", "urlpattern", "urlpathpattern", "urlpathtemplate"}),
    ({"status", "statuscode", "code"},
     {"headers", "header", "responseheaders", "body", "content", "stream", "jsonbody", "base64body",
      "parsedbody", "bodyfilename", "bodyasbase64"}),
)  # fmt: skip
"""A request has a name of each of the first two sets, a response of the others (names as in `_plain`)."""
_MOST_ITEMS = 10
"""How many items of a list are examined, because the first one may be malformed."""


def _plain(name: str) -> str:
    return name.removeprefix(":").replace("_", "").lower()


def _is_cut_off(text: bytes, found: Members) -> bool:
    """Whether the text of an object is cut off before its first member."""
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
    """Whether a text is a list of exchanges, an empty list, or a list that is cut off before an item."""
    if not text.startswith(b"["):
        return not text
    found = [(each, members(each)) for each in items(text, _MOST_ITEMS)]
    return not found or any(_is_cut_off(*each) or _has_message(each[1].values) for each in found)


def _leads_to_list(text: bytes, key: str, before: Set[str], enough: Set[str]) -> bool:
    """Whether an object has a list of exchanges under a key, or is cut off where the key may follow.

    `before` are the keys that may precede `key`. An object with all keys in `enough` needs no list.
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
"""The documents of all tools, HAR first. Any other JSON document is an element or a body."""


class Element(NamedTuple):
    """One exchange in the form of a tool."""

    keys: frozenset[str]
    exchange: Callable[[Record, Attached], Exchange]
    is_one: Callable[[Members], bool] = lambda found: _has_message(found.values)
    """Whether the values of an object with these keys fit too; a malformed or cut-off value may."""


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
"""Matches a `log` that is an object; any other `log` is the setting of some program."""


def has_element(text: bytes) -> bool:
    """Whether a text begins with an exchange, or with an array whose first element is one."""
    found = keys(text.removeprefix(b"["))
    return any(each.keys <= found for each in ELEMENTS)


def is_recording(text: bytes) -> bool:
    """Whether a text begins with the keys of a JSON recording of a tool, and with values that fit them."""
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
    """Yield one exchange, whose body is the file, byte for byte."""
    yield Exchange(source=opened.source, body=opened.read(), is_body_exact=opened.is_exact)


def read_lines(opened: Input) -> Iterator[Found]:
    """Yield an exchange for each line of NDJSON, which may be an exchange or a body."""
    return _each(opened, _lines(opened))


def read_journal(opened: Input) -> Iterator[Found]:
    """Yield the exchange of each line of a journal of the mock server."""
    return exchanges(opened.source, parsed(_lines(opened)), lambda record: _exchange(record.document))


def begins_lines(head: bytes, *, of_exchanges: bool = False) -> bool:
    """Whether a file begins with two lines that are objects, the first an exchange if `of_exchanges`."""
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
