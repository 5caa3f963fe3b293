"""Scanner: splits a JSON text of any length into the texts of its values.

The scanner finds the end of a value by brackets and strings alone, and parses nothing. So only one value is
in memory at a time, a malformed value does not hide the next one, and the line of each value is known.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from itertools import islice
from typing import NamedTuple

from mock_webshare.exchange import limits, streams
from mock_webshare.exchange.streams import Broken, Readable

# Possessive (`++`): otherwise each of millions of escapes in a string would be a place to backtrack to.
_STRING_PART = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
_INSIDE = re.compile(_STRING_PART, re.DOTALL)
"""Matches the inside of a string, up to its closing quote or the end of the text."""
_PLAIN = rb'(?:[^"{}\[\]]++|"' + _STRING_PART + rb'")'
_OUTSIDE = re.compile(rb"(?:" + _PLAIN + rb"|[{\[]" + _PLAIN + rb"*+[}\]])*+", re.DOTALL)
"""Matches objects and arrays without others inside, up to any other bracket or an unfinished value."""
_LITERAL = re.compile(rb'[^ \t\r\n,:"{}\[\]]*+')
_BLANKS = re.compile(rb"[ \t\r\n]*+")


class Piece(NamedTuple):
    """The text of one record."""

    text: bytes
    line: int
    """The line where the text begins, counted from 1."""
    is_whole: bool = True
    """False: the record is longer than allowed, and `text` is only its beginning."""


class Parts:
    """Collects the parts of a text; of one longer than a record may be, keeps only the beginning."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self.size = 0

    def add(self, part: bytes) -> None:
        self.size += len(part)
        self._kept.append(part)
        if self.size > limits.LARGEST_RECORD:
            self._kept = [b"".join(self._kept)[: limits.BEGINNING]]

    def piece(self, line: int) -> Piece:
        return Piece(b"".join(self._kept), line, self.size <= limits.LARGEST_RECORD)


def elements(stream: Readable, *path: tuple[str, ...]) -> Iterator[Piece]:
    """Yield the text of each element of the array at the end of a path.

    Each step of the path has the keys that match it: `elements(stream, ("log",), ("entries",))` reads a HAR.
    Without a path the document is the array. Raise `Broken` if the stream is not JSON, has no such array, or
    goes on after the document.
    """
    scanner = Scanner(stream)
    yield from scanner.elements(*path)
    scanner.end()


def whole(stream: Readable) -> Iterator[Piece]:
    """Yield the text of a document, as one piece; raise `Broken` if it is not JSON, or something follows."""
    scanner = Scanner(stream)
    yield scanner.value()
    scanner.end()


def keys(text: bytes) -> set[str]:
    """Return the keys of the object that a text begins with; the object may be cut off."""
    return set(members(text).values)


class Members(NamedTuple):
    """The members of a JSON object whose text may end too early."""

    values: dict[str, bytes]
    """The text of each value, by its key; the text of the last value may be cut off."""
    is_whole: bool
    """Whether the object ends, and nothing before its end is broken."""


def members(text: bytes) -> Members:
    """Return the members of the object that a text begins with; without an object, no members."""
    scanner, found, is_whole = Scanner(BytesIO(text)), dict[str, list[bytes]](), False
    with suppress(Broken):
        for key in scanner.members():
            found[key] = []
            found[key].extend(scanner.parts())
        is_whole = True
    return Members({key: b"".join(parts) for key, parts in found.items()}, is_whole)


def items(text: bytes, most: int) -> list[bytes]:
    """Return the first `most` items of the array that a text begins with; the last may be cut off."""
    scanner, found = Scanner(BytesIO(text)), list[list[bytes]]()
    with suppress(Broken):
        for _ in islice(scanner.items(), most):
            found.append([])
            found[-1].extend(scanner.parts())
    return [b"".join(each) for each in found]


class Scanner:
    """Reads a stream of JSON; every method raises `Broken` where the stream is not JSON."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._text = b""
        self._at = 0
        self._line = 1
        self._fill()
        if self._text.startswith(BOM_UTF8):
            self._at = len(BOM_UTF8)

    def elements(self, *path: tuple[str, ...]) -> Iterator[Piece]:
        """Yield each element of the array at the end of a path that begins in the next value."""
        if not path:
            for _ in self.items():
                yield self.value()
            return
        is_there = False
        for key in self.members():
            if key in path[0]:
                is_there = True
                yield from self.elements(*path[1:])
            else:
                self.skip()
        if not is_there:
            raise Broken(f"it has no `{path[0][0]}`", self._line)

    def members(self) -> Iterator[str]:
        """Yield each key of the next value, an object; the caller consumes the value of each key."""
        for _ in self._between(b"{", b"}"):
            yield self._key()

    def value(self) -> Piece:
        self._next()
        line, parts = self._line, Parts()
        for part in self.parts():
            parts.add(part)
        return parts.piece(line)

    def skip(self) -> None:
        for _ in self.parts():
            pass

    def end(self) -> None:
        """Raise `Broken` unless only blanks are left."""
        if self._next():
            raise Broken("something follows its end", self._line)

    def items(self) -> Iterator[None]:
        """Yield None before each item of the next value, an array; the caller consumes the item."""
        return self._between(b"[", b"]")

    def _between(self, start: bytes, end: bytes) -> Iterator[None]:
        self._expect(start)
        if self._next() == end:
            self._expect(end)
            return
        while True:
            yield
            if self._expect(b",", end) == end:
                return

    def _key(self) -> str:
        if self._next() != b'"':
            raise Broken("a key is missing", self._line)
        text = self.value().text
        self._expect(b":")
        try:
            return str(json.loads(text))
        except ValueError:
            return ""  # matches no key of any path

    def _expect(self, *marks: bytes) -> bytes:
        found = self._next()
        if found not in marks:
            wanted = " or ".join(f"`{mark.decode()}`" for mark in marks)
            raise Broken(f"it is not JSON: {wanted} is missing" if found else _ENDS, self._line)
        self._at += 1
        return found

    def _next(self) -> bytes:
        """Skip blanks and return the next byte without taking it; at the end, return `b""`."""
        skipped = 0
        while True:
            skipped += len(self._take(_end(_BLANKS, self._text, self._at)))
            if skipped > limits.LARGEST_SKIP:
                raise Broken("the blanks in a row are too many to be skipped", self._line)
            if self._at < len(self._text) or not self._fill():
                return self._text[self._at : self._at + 1]

    def parts(self) -> Iterator[bytes]:
        """Yield the text of the next value in parts."""
        is_nested = self._next() in (b'"', b"{", b"[")
        size = 0
        for part in self._nested() if is_nested else self._literal():
            size += len(part)
            if size > limits.LARGEST_SKIP:
                raise Broken("a value is too long to be skipped", self._line)
            yield part

    def _literal(self) -> Iterator[bytes]:
        """Yield the parts of a number, `true`, `false` or `null`."""
        size = 0
        while True:
            part = self._take(_end(_LITERAL, self._text, self._at))
            size += len(part)
            yield part
            if self._at < len(self._text) or not self._fill():
                break
        if not size:
            raise Broken("it is not JSON: a value is missing" if self._text else _ENDS, self._line)

    def _nested(self) -> Iterator[bytes]:
        """Yield the parts of a string, an object or an array."""
        is_inside = self._next() == b'"'
        depth, brackets, at = int(not is_inside), 0, self._at + 1
        while depth or is_inside:
            at = _end(_INSIDE if is_inside else _OUTSIDE, self._text, at)
            mark = self._text[at : at + 1]
            if mark in (b"", b"\\"):  # a backslash stops nothing but the end of the text
                yield self._take(at)
                if not self._fill():
                    raise Broken(_ENDS, self._line)
                at = 0
                continue
            at += 1
            if mark == b'"':
                is_inside = not is_inside
            else:
                depth += 1 if mark in b"{[" else -1
                brackets += 1
            if depth > limits.DEEPEST_JSON:
                raise Broken(f"it is nested more than {limits.DEEPEST_JSON} deep", self._line)
            if brackets > limits.MOST_PARTS:
                raise Broken(f"it has more than {limits.MOST_PARTS} parts", self._line)
        yield self._take(at)

    def _take(self, end: int) -> bytes:
        """Return the text up to `end` and move there."""
        part = self._text[self._at : end]
        self._line += part.count(b"\n")
        self._at = end
        return part

    def _fill(self) -> bool:
        """Read the next piece, drop what was taken, and return whether there was a piece."""
        piece = self._stream.read(streams.PIECE)
        self._text = self._text[self._at :] + piece
        self._at = 0
        return bool(piece)


_ENDS = "it ends in the middle of a record"


def _end(pattern: re.Pattern[bytes], text: bytes, start: int) -> int:
    found = pattern.match(text, start)
    assert found is not None  # every pattern matches an empty text too
    return found.end()
