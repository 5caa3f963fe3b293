"""YAML: the records of a cassette, one at a time, from the events of a parser that executes nothing.

Every scalar is text, but for null and `!!binary`: what was recorded is not to be interpreted again. No
object of any class is ever built, whatever tag asks for it. Importing this module takes PyYAML.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from mock_webshare.exchange import json_limits
from mock_webshare.recordings import coerce
from mock_webshare.recordings.errors import Broken, Malformed
from mock_webshare.recordings.input import streams
from mock_webshare.recordings.record import Record

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from mock_webshare.recordings.input.streams import Readable

DEEPEST = 50
"""Collections inside each other. A cassette needs six."""
MOST_ANCHORS = 100_000
"""Values that aliases may refer to: they are kept to the end. Together they are no larger than a record."""
LARGEST_ANCHORED = 64 * 1024
"""Characters of such a value; PyYAML writes aliases for headers, and none for bodies. Or else a short file
would name one long body a million times."""

_TAG = "tag:yaml.org,2002:"
_TEXT = {
    None,
    "!",
    *(_TAG + name for name in ("str", "null", "int", "float", "python/unicode", "python/str")),
}
_BINARY = {_TAG + "binary", _TAG + "python/bytes"}
_COLLECTION = {None, "!", *(_TAG + name for name in ("map", "seq", "python/dict", "python/tuple"))}
_NULL = re.compile(r"~|null|Null|NULL|")

# libyaml is ten times as fast, where PyYAML was built with it.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def elements(stream: Readable, keys: Container[str]) -> Iterator[Record]:
    """Given a YAML document, yield each element of its list, or of the list under one of the keys.

    Raise `Broken` where it is no YAML, or if there is no such list.
    """
    metered = _Metered(stream)
    events = _Events(metered)
    for _ in _lists(events, keys):
        while not events.ends(SequenceEndEvent):
            metered.size = 0
            yield _record(events)


def _lists(events: _Events, keys: Container[str]) -> Iterator[None]:
    """Go to the beginning of each list that is asked for; who asks has to read its elements."""
    events.skip_to(CollectionStartEvent)
    if isinstance(events.next(), SequenceStartEvent):
        yield None
        return
    is_there = False
    while not events.ends(MappingEndEvent):
        key = _Builder(events).value()
        if isinstance(key, str) and key in keys and events.begins(SequenceStartEvent):
            events.next()
            is_there = True
            yield None
        else:
            _Builder(events).value()
    if not is_there:
        raise Broken("it has no list `interactions`")


def _record(events: _Events) -> Record:
    line, builder = events.line, _Builder(events)
    document = builder.value()
    return Record(document, line=line, problem=builder.problem)


class _Metered:
    """A stream that ends the reading of a record that is too long."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.size = 0

    def read(self, size: int = streams.PIECE, /) -> bytes:
        piece = self._stream.read(size)
        self.size += len(piece)
        if self.size > streams.LARGEST_RECORD:
            raise Broken(f"a record has more than {streams.LARGEST_RECORD // 1024**2} MiB")
        return piece


class _Events:
    """The events of one document, and what its anchors stand for."""

    def __init__(self, stream: _Metered) -> None:
        self._parser: Any = None
        self._stream = stream
        self._anchored: dict[str, Any] = {}
        self._kept = 0
        self.position = 0
        """Characters up to the end of the last event that was taken."""

    @property
    def line(self) -> int:
        """Where the next event begins."""
        return int(self._peek().start_mark.line) + 1

    def next(self) -> Any:
        """Take the next event; raise `Broken` if there is none."""
        event = self._peek()
        self._parser.get_event()
        self.position = event.end_mark.index
        return event

    def begins(self, kind: type) -> bool:
        """Whether the next event is of a kind."""
        return isinstance(self._peek(), kind)

    def ends(self, kind: type) -> bool:
        """Whether the next event is of a kind; then take it."""
        return self.begins(kind) and self.next() is not None

    def skip_to(self, kind: type) -> None:
        """Pass over events to the next one of a kind."""
        while not self.begins(kind):
            self.next()

    def keep(self, anchor: str, value: Any, size: int) -> None:
        """Remember what an anchor stands for, unless that is too large."""
        if size > LARGEST_ANCHORED:
            return
        self._anchored[anchor] = value
        self._kept += size
        if len(self._anchored) > MOST_ANCHORS or self._kept > streams.LARGEST_RECORD:
            raise Broken("it has too many anchors")

    def recall(self, anchor: str | None) -> Any:
        """Return what an anchor stands for; raise `Malformed` if that was not kept, or is not known yet."""
        if anchor not in self._anchored:
            raise Malformed("it has an alias that stands for nothing, or for too much")
        return self._anchored[anchor]

    def _peek(self) -> Any:
        try:
            self._parser = self._parser or _Parser(self._stream)
            event = self._parser.peek_event()
        except (yaml.YAMLError, UnicodeError) as error:
            mark = getattr(error, "problem_mark", None)
            raise Broken("it is no YAML that can be read", mark and mark.line + 1) from error
        if event is None:
            raise Broken("it ends before there is a list of interactions")
        return event


class _Builder:
    """Builds one value. What is wrong with it is in `problem`, so that the events after it are not lost."""

    def __init__(self, events: _Events) -> None:
        self._events = events
        self.problem: str | None = None
        self._parts = 0

    def value(self, depth: int = 1) -> Any:
        """Take the events of a value and return it: text, bytes, None, list or dict."""
        event = self._events.next()
        self._parts += 1
        if self._parts > json_limits.MOST_PARTS:
            raise Broken(f"it has more than {json_limits.MOST_PARTS} parts", event.start_mark.line + 1)
        try:
            value = self._begun(event, depth)
        except Malformed as error:
            self.problem = self.problem or str(error)
            return None
        if getattr(event, "anchor", None) and not isinstance(event, AliasEvent):
            self._events.keep(event.anchor, value, self._events.position - event.start_mark.index)
        return value

    def _begun(self, event: Any, depth: int) -> Any:
        match event:
            case AliasEvent():
                return self._events.recall(event.anchor)
            case ScalarEvent():
                return _scalar(event)
            case CollectionStartEvent():
                self._check(event, depth)
                return self._mapping(depth) if isinstance(event, MappingStartEvent) else self._sequence(depth)
        raise Broken("it is no YAML that can be read")

    def _check(self, event: Any, depth: int) -> None:
        if depth > DEEPEST:
            # Passing over the rest would take libyaml a time that grows with the square of the depth.
            raise Broken(f"it is nested more than {DEEPEST} deep", event.start_mark.line + 1)
        if event.tag not in _COLLECTION:
            self._skip()
            raise Malformed("it has a YAML tag that asks for an object of a program")

    def _mapping(self, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        while not self._events.ends(MappingEndEvent):
            key, value = self.value(depth + 1), self.value(depth + 1)
            if not isinstance(key, str):
                self.problem = self.problem or "it has a key that is no text"
            else:
                found[key] = value
        return found

    def _sequence(self, depth: int) -> list[Any]:
        found = []
        while not self._events.ends(SequenceEndEvent):
            found.append(self.value(depth + 1))
        return found

    def _skip(self) -> None:
        """Pass over the rest of a collection that was begun."""
        depth = 1
        while depth:
            event = self._events.next()
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > DEEPEST:
                raise Broken(f"it is nested more than {DEEPEST} deep", event.start_mark.line + 1)


def _scalar(event: Any) -> str | bytes | None:
    if event.tag in _BINARY:
        return coerce.from_base64(event.value)
    if event.tag not in _TEXT:
        raise Malformed("it has a YAML tag that asks for an object of a program")
    is_plain = event.implicit[0] and event.tag is None
    return None if is_plain and _NULL.fullmatch(event.value) else str(event.value)
