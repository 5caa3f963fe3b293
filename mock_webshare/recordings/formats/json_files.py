"""JSON files of bodies or exchanges: one document, an array, or one per line."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.exchange import limits, streams
from mock_webshare.exchange.model import Exchange, from_wire
from mock_webshare.exchange.streams import Broken, Malformed
from mock_webshare.recordings import content_encoding
from mock_webshare.recordings.formats import har, nock, postman, requests_cache, vcr, wiremock
from mock_webshare.recordings.input import Attached, Input
from mock_webshare.recordings.json_scanner import Parts, Piece, elements, keys, whole
from mock_webshare.recordings.record import Found, Record, exchanges, parsed

Reader: TypeAlias = Callable[[Input], Iterator[Found]]

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
    without: Set[str] = frozenset()
    """Keys that only another kind of document has."""


def _read_list(*path: tuple[str, ...]) -> Reader:
    """Return a reader of the list at the end of a path; its elements are in any form."""
    return lambda opened: _each(opened, elements(opened.stream, *path))


DOCUMENTS = (
    Document({"log"}, har.read),
    *(Document({key}, vcr.read, without={"consumer", "provider"}) for key in vcr.KEYS),  # Pact has them
    Document({"run", "collection"}, postman.read_run),
    Document({"run"}, postman.read_run, without={"id", "name"}),
    Document({"info", "item"}, postman.read_collection),
    Document({"collection"}, postman.read_collection, without={"results", "detail"}),
    Document({"mappings"}, _read_list(("mappings",))),
    Document({"requests", "meta"}, _read_list(("requests",))),
)
"""The documents of all tools, HAR first. What is none of them is an element or a body."""

ELEMENTS: tuple[tuple[frozenset[str], Callable[[Record, Attached], Exchange]], ...] = (
    (requests_cache.KEYS, lambda record, _: requests_cache.exchange(record.document)),
    (nock.KEYS, lambda record, _: nock.exchange(record.document)),
    (postman.EXAMPLE, lambda record, _: postman.example(record.document)),
    (frozenset({"request"}), lambda record, attached: _exchange_in_any_form(record, attached)),
    (frozenset({"Request", "Response"}), lambda record, _: vcr.exchange(record.document, record.text)),
)
"""The keys of one exchange in the form of each tool, and what converts it."""


def _reader(text: bytes) -> Reader | None:
    """Return the reader of the document that a text begins with; None if it is not of a tool."""
    found = keys(text)
    for each in DOCUMENTS:
        if each.keys <= found and not each.without & found:
            is_har = "log" not in each.keys or _LOG.search(text) is not None
            return each.read if is_har else None
    return None


_LOG = re.compile(rb'"log"\s{0,9}:\s{0,9}\{')
"""A text under `log` is somebody's setting."""


def has_element(text: bytes) -> bool:
    """Whether the object, or first object of an array, that a text begins with is an exchange."""
    found = keys(text.removeprefix(b"["))
    return any(signs <= found for signs, _ in ELEMENTS)


def is_recording(text: bytes) -> bool:
    """Whether a text begins as the JSON recording of a tool, and not as a body."""
    return has_element(text) or (text.startswith(b"{") and _reader(text) is not None)


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
        for signs, exchange in ELEMENTS if isinstance(document, dict) else ():
            if signs <= document.keys():
                return exchange(record, opened.attached)
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
