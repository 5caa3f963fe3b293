"""JSON files of bodies or exchanges: one document, an array, or one per line."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange import limits, streams
from mock_webshare.exchange.model import BadRecord, Exchange, from_wire
from mock_webshare.exchange.streams import Broken, Malformed
from mock_webshare.recordings import content_encoding
from mock_webshare.recordings.formats import har, vcr
from mock_webshare.recordings.input import Input
from mock_webshare.recordings.json_scanner import Parts, Piece, elements, keys, whole
from mock_webshare.recordings.record import Record, exchanges, parsed

_FIELDS = WEBSHARE.filter_names
"""What a field error may be about."""


def read(opened: Input) -> Iterator[Exchange | BadRecord]:
    """Yield what a JSON document holds: a HAR, a cassette, exchanges, or a body.

    An array is read by element if it holds exchanges, pages or errors. An array of anything else is itself
    a body: a wrong one in place of a page, or the right one of an endpoint that returns an array.
    """
    text = opened.head.removeprefix(BOM_UTF8).lstrip()
    if text.startswith(b"["):
        return _each(opened, elements(opened.stream)) if _is_element(keys(text[1:])) else _body(opened)
    found = keys(text)
    if "log" in found:
        return har.read(opened)
    if not found.isdisjoint(vcr.KEYS):
        return vcr.read(opened)
    return _each(opened, whole(opened.stream)) if "request" in found else _body(opened)


def _is_element(keys: set[str]) -> bool:
    """Whether an object with these keys is an exchange, a page or an error."""
    return not keys.isdisjoint({"request", "results", "detail"}) or (bool(keys) and keys <= _FIELDS)


def _body(opened: Input) -> Iterator[Exchange]:
    """Yield a file as a body, byte for byte."""
    body = streams.read_all(opened.stream, limits.LARGEST_RECORD)
    if len(body) > limits.LARGEST_RECORD:
        limit = limits.LARGEST_RECORD // 1024**2
        raise UnreadableInput(f"cannot read {opened.source!r}: it has more than {limit} MiB; split it")
    yield Exchange(source=opened.source, body=body)


def read_lines(opened: Input) -> Iterator[Exchange | BadRecord]:
    """Yield an exchange for each line of NDJSON, which may be an exchange or a body."""
    return _each(opened, _lines(opened))


def read_journal(opened: Input) -> Iterator[Exchange | BadRecord]:
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
    return isinstance(document, dict) and (not of_exchanges or "request" in document)


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


def _each(opened: Input, pieces: Iterable[Piece]) -> Iterator[Exchange | BadRecord]:
    """Yield an exchange for each text, which may be an exchange in any form or a body."""

    def convert(record: Record) -> Exchange:
        document = record.document
        if not isinstance(document, dict) or "request" not in document:
            return Exchange(source="", body=record.text)
        request, response = document["request"], document.get("response")
        if isinstance(request, dict) and ("uri" in request or "path" in request):
            return vcr.exchange(document)
        if isinstance(response, dict) and ("content" in response or "startedDateTime" in document):
            return har.exchange(document, opened.attached)
        return _exchange(document)

    return exchanges(opened.source, parsed(pieces), convert)


def _exchange(document: Any) -> Exchange:
    """Return the exchange of a JSON object that `Exchange.wire` returned."""
    try:
        found = from_wire(document)
    except ValueError as error:
        raise Malformed(str(error)) from error
    return replace(found, body=content_encoding.decode(found.body, found.header("content-encoding")))
