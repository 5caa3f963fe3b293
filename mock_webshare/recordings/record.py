"""Record: what stands for one exchange in a file, before anybody knows whether it is one."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mock_webshare.exchange import json_limits
from mock_webshare.exchange.model import BadRecord, Exchange
from mock_webshare.recordings.input import streams
from mock_webshare.recordings.limits import Broken, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mock_webshare.recordings.json_scanner import Piece

    Convert: TypeAlias = "Callable[[Record], Exchange]"
    """Given a record, return its exchange, wherever it was found; raise `Malformed` if it is none."""


MOST_BAD = 100_000
"""Malformed records in a row, after which a file is taken for something else."""

_URL = re.compile(rb'"(?:url|uri)"\s*:\s*(' + json_limits.STRING.pattern + rb")", re.DOTALL)


class Record(NamedTuple):
    """One record of a file."""

    document: Any
    """What it says, as JSON values, and bytes if its format has them."""
    text: bytes = b""
    """How it says so. Empty: it is not JSON."""
    line: int | None = None
    problem: str | None = None
    """Why there is no document. None: there is one."""
    url: str | None = None
    """What was asked for, if that is known though there is no document."""


def parsed(pieces: Iterable[Piece]) -> Iterator[Record]:
    """Given texts of JSON, yield each as a record."""
    for piece in pieces:
        problem = _problem(piece)
        if problem:
            yield Record(None, line=piece.line, problem=problem, url=_asked(piece.text))
            continue
        try:
            yield Record(json.loads(piece.text), piece.text, piece.line)
        except RecursionError:
            yield Record(None, line=piece.line, problem="it is nested too deeply")
        except ValueError:  # no JSON, no UTF-8, or a number of thousands of digits
            yield Record(None, line=piece.line, problem="it is no JSON that can be read")


def _problem(piece: Piece) -> str | None:
    """Given a text, return why it is not read at all."""
    if not piece.is_whole:
        return f"it has more than {streams.LARGEST_RECORD // 1024**2} MiB"
    return f"it has more than {json_limits.MOST_PARTS} parts" if json_limits.has_many(piece.text) else None


def _asked(text: bytes) -> str | None:
    """Given the beginning of a record, return the URL that it asked for, if that can be told."""
    found = _URL.search(text, text.find(b'"request"'))
    try:
        return found and json.loads(found[1])
    except ValueError:
        return None


def exchanges(source: str, records: Iterable[Record], convert: Convert) -> Iterator[Exchange | BadRecord]:
    """Given the records of a file, yield the exchange of each, or the record that is none."""
    entry, bad = -1, 0
    try:
        for entry, record in enumerate(records):
            found = _exchange(source, entry, record, convert)
            yield found
            bad = bad + 1 if isinstance(found, BadRecord) else 0
            if bad >= MOST_BAD:
                raise Broken(f"{MOST_BAD} records in a row are malformed; the rest is not read", record.line)
    except Broken as error:
        yield BadRecord(source=source, problem=str(error), entry=entry + 1, line=error.line)


def _exchange(source: str, entry: int, record: Record, convert: Convert) -> Exchange | BadRecord:
    try:
        if record.problem:
            raise Malformed(record.problem)
        return replace(convert(record), source=source, entry=entry, line=record.line)
    except Malformed as error:
        url = record.url or _url(record.document)
        return BadRecord(source=source, problem=str(error), entry=entry, line=record.line, url=url)


def _url(document: Any) -> str | None:
    """Given any document, return what it asked for, by the name that any of the formats has for it."""
    request = document.get("request") if isinstance(document, dict) else None
    found = (request.get("url") or request.get("uri")) if isinstance(request, dict) else None
    return found if isinstance(found, str) else None
