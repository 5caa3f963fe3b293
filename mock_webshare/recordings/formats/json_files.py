"""Document: JSON by itself, as one file, one element of an array, or one line."""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.model import BadRecord, Exchange, from_wire
from mock_webshare.recordings.formats import har, vcr
from mock_webshare.recordings.input import content_encoding, streams
from mock_webshare.recordings.json_scanner import Parts, Scanner
from mock_webshare.recordings.limits import Broken, Malformed
from mock_webshare.recordings.record import exchanges, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.recordings.input import Input
    from mock_webshare.recordings.json_scanner import Piece
    from mock_webshare.recordings.record import Convert, Record


def read_body(opened: Input) -> Iterator[Exchange]:
    """Given a file that is a body, yield it, byte for byte."""
    body = streams.read_all(opened.stream, streams.LARGEST_RECORD)
    if len(body) > streams.LARGEST_RECORD:
        limit = streams.LARGEST_RECORD // 1024**2
        raise UnreadableInput(f"cannot read {opened.source!r}: it has more than {limit} MiB; split it")
    yield Exchange(source=opened.source, body=body)


def read_exchange(opened: Input) -> Iterator[Exchange | BadRecord]:
    """Given a file that is an exchange, yield it."""
    return exchanges(opened.source, parsed(_whole(opened)), _converter(opened))


def read_list(opened: Input) -> Iterator[Exchange | BadRecord]:
    """Given an array, yield an exchange for each element, which may be one, or a body."""
    return exchanges(opened.source, parsed(_elements(opened)), _converter(opened))


def read_lines(opened: Input) -> Iterator[Exchange | BadRecord]:
    """Given NDJSON, yield an exchange for each line, which may be one, or a body."""
    return exchanges(opened.source, parsed(_lines(opened)), _converter(opened))


def read_journal(opened: Input) -> Iterator[Exchange | BadRecord]:
    """Given a journal of ours, yield the exchange of each line."""
    return exchanges(opened.source, parsed(_lines(opened)), lambda record: _exchange(record.document))


def _whole(opened: Input) -> Iterator[Piece]:
    scanner = Scanner(opened.stream)
    yield scanner.value()
    scanner.end()


def _elements(opened: Input) -> Iterator[Piece]:
    scanner = Scanner(opened.stream)
    yield from scanner.elements()
    scanner.end()


def _lines(opened: Input) -> Iterator[Piece]:
    """Yield each line that is not blank."""
    for piece in _split(opened.stream):
        text = piece.text.removeprefix(BOM_UTF8) if piece.line == 1 else piece.text
        if text.strip():
            yield piece._replace(text=text)


def _split(stream: streams.Readable) -> Iterator[Piece]:
    parts, line = Parts(), 1
    while piece := stream.read(streams.PIECE):
        if not parts.size and piece.isspace():
            line += piece.count(b"\n")  # a gigabyte of them is soon made
            continue
        for number, part in enumerate(piece.split(b"\n")):
            if number:
                yield parts.piece(line)
                parts, line = Parts(), line + 1
            parts.add(part)
        if parts.size > streams.LARGEST_SKIP:
            raise Broken("a line is too long to wait for its end", line)
    yield parts.piece(line)


def _converter(opened: Input) -> Convert:
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

    return convert


def _exchange(document: Any) -> Exchange:
    """Given the JSON object that `Exchange.wire` returns, return the exchange."""
    try:
        found = from_wire(document, source="")
    except ValueError as error:
        raise Malformed(str(error)) from error
    return replace(found, body=content_encoding.decode(found.body, found.header("content-encoding")))
