"""YAML cassettes, read by interaction from the events of PyYAML's safe parser.

Every scalar is text, except null and `!!binary`: a recorded `1.50` must not become a number. No tag ever
creates an object: the node under it is read, whatever the tag is. PyYAML's composer is not used: it has no
limits, and fails for the whole file at an alias without an anchor, or an anchor that is defined twice.
Importing this module requires PyYAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from mock_webshare.exchange import limits
from mock_webshare.exchange.streams import Broken, Counted, Malformed, Readable
from mock_webshare.recordings.formats.parsed_body import Plain
from mock_webshare.recordings.record import Record, from_base64

_TAG = "tag:yaml.org,2002:"
_NULLS = (_TAG + "null", _TAG + "python/none")
_BINARY = ("binary", "python/bytes")
"""How the tags of bytes end: `!!binary`, and `!binary` of Ruby."""
_TYPES = ("bool", "int", "float", "long")
_PLAIN = {None, *(_TAG + prefix + name for name in _TYPES for prefix in ("", "python/"))}
_CALLS = ("python/object/new:", "python/object/apply:")
"""A node with such a tag is a list of the arguments of a call, or a mapping with some of `_STATE`."""
_STATE = ("dictitems", "listitems", "state", "args", "elements", "internal")
"""Where Python and Ruby keep what an object contains, in this order: only the first one is read."""
_OBJECT = {*_STATE, "kwds", "ivars"}
_NULL = re.compile(r"~|null|Null|NULL|")

# If PyYAML was built with libyaml, this loader is ten times as fast.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Document:
    """Builds the values of one YAML document from its events, within the limits.

    A malformed part of a record is only noted, so that the events after it are still read.
    """

    def __init__(self, stream: Readable) -> None:
        self._events: Iterator[Any] = yaml.parse(Counted(stream, self._count), Loader=_Loader)
        self._size = 0  # of the current record, in bytes
        self._end = 0  # where the last event ended, in characters
        self._anchored: dict[str, Any] = {}
        self._anchored_size = 0
        self._parts = 0
        self._problem: str | None = None
        self._has_list = False

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > limits.LARGEST_RECORD:
            raise Broken(f"a record has more than {limits.LARGEST_RECORD // 1024**2} MiB")

    def elements(self, paths: tuple[tuple[str, ...], ...]) -> Iterator[Record]:
        """Yield each element of the list at the top, or at the end of one of the paths.

        Raise `Broken` if the document is not YAML, or has no such list.
        """
        while not isinstance(event := self._next(), CollectionStartEvent):
            pass
        if isinstance(event, SequenceStartEvent):
            yield from self._records()
            return
        yield from self._members(paths)
        if not self._has_list:
            raise Broken(f"it has no list `{'`, `'.join('.'.join(path) for path in paths)}`")

    def _members(self, paths: tuple[tuple[str, ...], ...]) -> Iterator[Record]:
        for event in self._until(MappingEndEvent):
            key, value = _name(self._record(event).document), self._next()
            rests = tuple(path[1:] for path in paths if path[0] == str(key).removeprefix(":"))
            if () in rests and isinstance(value, SequenceStartEvent):
                self._has_list = True
                yield from self._records()
            elif any(rests) and isinstance(value, MappingStartEvent):
                yield from self._members(rests)
            else:
                self._record(value)

    def _records(self) -> Iterator[Record]:
        for event in self._until(SequenceEndEvent):
            self._size = 0
            yield self._record(event)

    def _record(self, event: Any) -> Record:
        self._parts, self._problem = 0, None
        document = self._value(event, 1)
        return Record(document, line=event.start_mark.line + 1, problem=self._problem)

    def _until(self, end: type) -> Iterator[Any]:
        """Yield the first event of each value in a collection; the caller reads the rest."""
        while not isinstance(event := self._next(), end):
            yield event

    def _next(self) -> Any:
        try:
            event = next(self._events)
        except StopIteration:
            raise Broken("it ends before a list of interactions") from None
        except (yaml.YAMLError, UnicodeError) as error:
            mark = getattr(error, "problem_mark", None)
            raise Broken("it is not readable YAML", mark and mark.line + 1) from error
        self._end = event.end_mark.index
        return event

    def _value(self, event: Any, depth: int) -> Any:
        """Return the value that begins with an event: text, bytes, None, list or dict."""
        self._parts += 1
        if self._parts > limits.MOST_PARTS:
            raise Broken(f"it has more than {limits.MOST_PARTS} parts", event.start_mark.line + 1)
        try:
            if isinstance(event, AliasEvent):
                return self._recall(event.anchor)
            value = _scalar(event) if isinstance(event, ScalarEvent) else self._collection(event, depth)
        except Malformed as error:
            self._problem = self._problem or str(error)
            return None
        if event.anchor is not None:
            self._keep(event.anchor, value, self._end - event.start_mark.index)
        return value

    def _collection(self, event: Any, depth: int) -> Any:
        if depth > limits.DEEPEST_YAML:
            # Skipping the rest would take libyaml a time that grows with the square of the depth.
            raise Broken(f"it is nested more than {limits.DEEPEST_YAML} deep", event.start_mark.line + 1)
        is_list = isinstance(event, SequenceStartEvent)
        return _content(event.tag or "", self._sequence(depth + 1) if is_list else self._mapping(depth + 1))

    def _sequence(self, depth: int) -> list[Any]:
        return [self._value(event, depth) for event in self._until(SequenceEndEvent)]

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self._until(MappingEndEvent):
            key, value = self._value(event, depth), self._value(self._next(), depth)
            if key is None and isinstance(event, ScalarEvent):
                key = str(event.value)
            if isinstance(key, str | bytes):
                found[_name(key)] = value
            else:
                self._problem = self._problem or "it has a key that is not text"
        return found

    def _keep(self, anchor: str, value: Any, size: int) -> None:
        """Keep the value of an anchor for its aliases, unless it is too large."""
        if size > limits.LARGEST_ANCHORED:
            return
        self._anchored[anchor] = value
        self._anchored_size += size
        if len(self._anchored) > limits.MOST_ANCHORS or self._anchored_size > limits.LARGEST_RECORD:
            raise Broken("it has too many anchors")

    def _recall(self, anchor: str | None) -> Any:
        if anchor not in self._anchored:
            raise Malformed("it has an alias whose anchor is missing or too large")
        return self._anchored[anchor]


def _content(tag: str, value: Any) -> Any:
    """Return what an object of Python or Ruby contains; any other collection is returned unchanged."""
    if tag and isinstance(value, dict) and value and value.keys() <= _OBJECT:
        value = next((value[key] for key in _STATE if value.get(key)), None)
    is_one_argument = isinstance(value, list) and len(value) == 1
    return value[0] if is_one_argument and tag.removeprefix(_TAG).startswith(_CALLS) else value


def _name(key: Any) -> Any:
    return key.decode("latin-1") if isinstance(key, bytes) else key


def _scalar(event: Any) -> str | bytes | None:
    tag = event.tag
    if tag in _NULLS:
        return None
    if tag and tag.endswith(_BINARY):
        return from_base64(event.value)
    is_plain = event.implicit[0] if tag is None else tag in _PLAIN
    if not is_plain:
        return str(event.value)
    return None if _NULL.fullmatch(event.value) else Plain(event.value)
