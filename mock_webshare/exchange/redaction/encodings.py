"""Spellings: all the ways in which one secret can be written: in a URL, in JSON, in HTML, in base64.

Each spelling of a letter is one unit of a text, so a text is folded to plain letters in one pass, whatever
the number of secrets, and no pattern is made of a secret: one of backslashes could take exponential time.
"""

from __future__ import annotations

import base64
import html
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DEEPEST = 4
"""Times that a text may be encoded, one way inside another, and is still read by `unescaped`."""
_UNICODE_ESCAPE = re.compile(r"\\{1,8}u([0-9a-fA-F]{4})")
_UNIT = re.compile(  # each alternative begins with a letter of its own, so that the search is quick
    rb"%(?:25)*(?P<octet>[0-9A-Fa-f]{2})"
    rb"|\\\\*+u(?P<high>[Dd][89ABab][0-9A-Fa-f]{2})\\++u(?P<low>[Dd][C-Fc-f][0-9A-Fa-f]{2})"
    rb"|\\\\*+(?:u(?P<unit>[0-9A-Fa-f]{4}))?"
    rb"|&(?:\#(?:0*+(?P<decimal>[1-9][0-9]{0,6})|[xX]0*+(?P<hex>[1-9A-Fa-f][0-9A-Fa-f]{0,5}))"
    rb"|(?P<entity>amp|lt|gt|quot|apos));"
    rb"|\xed(?P<escaped>[\xb2\xb3][\x80-\xbf])"
)
"""A letter that is not written as itself, an octet that is not UTF-8, or backslashes, which are dropped."""
_PLAIN = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ\n\t\r\b\f", b"abcdefghijklmnopqrstuvwxyzntrbf")
"""Small letters, and those of the escapes of JSON, `\\n` to `\\f`, whose backslash is dropped."""
_TWO_DIGITS = re.compile(r"[0-9A-Fa-f]{2}")
_URL_ALPHABET = bytes.maketrans(b"+/", b"-_")
_BASE64 = b"abcdefghijklmnopqrstuvwxyz0123456789+/-_"


class Form(NamedTuple):
    """What a secret looks like in the letters of a `Folded`."""

    letters: bytes
    before: int = 0
    """1: the letter of base64 before it depends on the secret in part, too."""
    after: int = 0


class Span(NamedTuple):
    """A part of the letters of a `Folded`, and what goes in its place."""

    start: int
    stop: int
    by: str


def forms(secret: str) -> Iterator[Form]:
    """Yield each form of a secret."""
    plain = dict.fromkeys(_plain(secret))
    yield from map(Form, dict.fromkeys(each for one in plain for each in (one, one.replace(b" ", b"+"))))
    for before, core, after in _in_base64(secret):
        letters = core.lower().encode()
        for each in dict.fromkeys((letters, letters.translate(_URL_ALPHABET))):
            yield Form(each, before, after)


def _plain(secret: str) -> Iterator[bytes]:
    yield Folded(secret).letters
    yield _octets(secret).translate(_PLAIN, b"\\")  # `%41`, which looks like an escape, escaped in whole
    if _TWO_DIGITS.match(secret):  # after a percent sign they look like an escape
        yield Folded(f"%{secret}").letters


class Folded:
    """A text in which all spellings of one secret look the same, and where its letters are written."""

    def __init__(self, text: str) -> None:
        self._octets = text.encode("utf-8", "surrogatepass")
        self._at, self._units = list[int](), list[tuple[int, int, int]]()
        """Where the letters of each unit begin; how many there are, and where it begins and ends."""
        pieces, size, end = list[bytes](), 0, 0
        for match in _UNIT.finditer(self._octets):
            letters = _letters(match)
            pieces += (self._octets[end : match.start()], letters)
            size += match.start() - end
            end = match.end()
            self._at.append(size)
            self._units.append((len(letters), *match.span()))
            size += len(letters)
        self.letters = b"".join((*pieces, self._octets[end:])).translate(_PLAIN)

    def replaced(self, spans: Iterable[Span]) -> str:
        """Return the text with other text in some places, which do not overlap, in their order.

        A backslash that would escape the first letter goes as well: the rest of JSON stays well-formed.
        """
        pieces, end = list[str](), 0
        for span in spans:
            start = self._without_backslash(self._start(span.start), end)
            pieces += (self._text(end, start), span.by)
            end = self._stop(span.stop)
        return "".join((*pieces, self._text(end, len(self._octets))))

    def with_neighbours(self, start: int, form: Form) -> tuple[int, int]:
        """Given where a form is, return its place with the letters of base64 beside it that belong to it."""
        stop = start + len(form.letters)
        before = form.before and start > 0 and self.letters[start - 1] in _BASE64
        after = form.after and stop < len(self.letters) and self.letters[stop] in _BASE64
        return start - bool(before), stop + bool(after)

    def _start(self, place: int) -> int:
        size, start, stop, inside = self._unit(place)
        if inside < size:
            return start
        start = stop + inside - size
        while self._is_inside_character(start):
            start -= 1
        return start

    def _stop(self, place: int) -> int:
        size, _, stop, inside = self._unit(place - 1)
        if inside >= size:
            stop += inside - size + 1
        while self._is_inside_character(stop):
            stop += 1
        return stop

    def _is_inside_character(self, place: int) -> bool:
        return place < len(self._octets) and self._octets[place] & 0xC0 == 0x80

    def _unit(self, place: int) -> tuple[int, int, int, int]:
        """Return the last unit that begins before a place or there, and how far the place is from it."""
        index = bisect_right(self._at, place) - 1
        return (*self._units[index], place - self._at[index]) if index >= 0 else (0, 0, 0, place)

    def _without_backslash(self, start: int, least: int) -> int:
        bare = start
        while bare > least and self._octets[bare - 1] == ord("\\"):
            bare -= 1
        return start - (start - bare) % 2

    def _text(self, start: int, stop: int) -> str:
        return self._octets[start:stop].decode("utf-8", "surrogatepass")


def unescaped(text: str) -> str:
    """Return a text with what is percent-encoded or escaped written out, several times over."""
    for _ in range(_DEEPEST):
        if "%" in text:
            text = unquote(text, errors="surrogateescape")
        if "\\" in text:
            text = _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text).replace("\\/", "/")
    return text


def _letters(match: re.Match[bytes]) -> bytes:
    """Return the octets that a unit stands for."""
    kind = match.lastgroup
    written = match[kind] if kind else b""
    match kind:
        case "octet":
            letters = bytes.fromhex(written.decode())
        case "low":
            letters = bytes.fromhex((match["high"] + written).decode()).decode("utf-16-be").encode()
        case "unit" | "hex":
            letters = _octets(_character(int(written, 16)))
        case "decimal":
            letters = _octets(_character(int(written)))
        case "entity":
            letters = html.unescape(f"&{written.decode()};").encode()
        case "escaped":
            letters = _octets(match[0].decode("utf-8", "surrogatepass"))
        case _:
            letters = b""
    return letters.replace(b"\\", b"")


def _character(number: int) -> str:
    return chr(number) if number <= 0x10FFFF else ""


def _in_base64(secret: str) -> Iterator[tuple[int, str, int]]:
    """Yield what a secret looks like in base64, once for each distance from a whole group of three octets.

    That is: the letters that depend on the secret alone, and how many before and after do so in part.
    """
    octets = _octets(secret)
    for distance in range(3):
        letters = base64.b64encode(bytes(distance) + octets).decode("ascii")
        before, after = 8 * distance, 8 * (distance + len(octets))  # in bits, of which a letter has six
        yield int(before % 6 > 0), letters[-(-before // 6) : after // 6], int(after % 6 > 0)


def _octets(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, which JSON can escape ("\\ud800")
        return text.encode("utf-8", "surrogatepass")
