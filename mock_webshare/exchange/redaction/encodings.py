"""Encodings of a secret in URLs, JSON, HTML and base64.

A text is folded to plain letters in one pass, whatever the number of secrets. Secrets are not compiled to
patterns: a secret that consists of backslashes could take exponential time.
"""

from __future__ import annotations

import base64
import html
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

_DEEPEST = 4
"""Times that `unescaped` decodes a text: one encoding may be inside another."""
_UNICODE_ESCAPE = re.compile(r"\\{1,8}u([0-9a-fA-F]{4})")
_UNIT = re.compile(  # no two alternatives begin with the same letter, so that the search is quick
    rb"%(?:25)*(?P<octet>[0-9A-Fa-f]{2})"
    rb"|\\\\*+u(?P<high>[Dd][89ABab][0-9A-Fa-f]{2})\\++u(?P<low>[Dd][C-Fc-f][0-9A-Fa-f]{2})"
    rb"|\\\\*+(?:u(?P<unit>[0-9A-Fa-f]{4}))?"
    rb"|&(?:\#(?:0*+(?P<decimal>[1-9][0-9]{0,6})|[xX]0*+(?P<hex>[1-9A-Fa-f][0-9A-Fa-f]{0,5}))"
    rb"|(?P<entity>amp|lt|gt|quot|apos));"
    rb"|\xed(?P<escaped>[\xb2\xb3][\x80-\xbf])"
)
"""A letter that is escaped, an octet that is not UTF-8, or backslashes, which are dropped."""
_PLAIN = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ\n\t\r\b\f", b"abcdefghijklmnopqrstuvwxyzntrbf")
"""Upper case to lower case, and control characters to the letters of their escapes: `\\n` is `n`."""
_TWO_DIGITS = re.compile(r"[0-9A-Fa-f]{2}")
_URL_ALPHABET = bytes.maketrans(b"+/", b"-_")
_BASE64 = b"abcdefghijklmnopqrstuvwxyz0123456789+/-_"


class Form(NamedTuple):
    """Letters that a `Folded` text contains if it contains a secret in a certain encoding."""

    letters: bytes
    before: int = 0
    """1 if the letter of base64 before `letters` holds bits of the secret, else 0."""
    after: int = 0
    """The same for the letter after `letters`."""


def forms(secret: str) -> Iterator[Form]:
    plain = dict.fromkeys(_plain(secret))
    yield from map(Form, dict.fromkeys(each for one in plain for each in (one, one.replace(b" ", b"+"))))
    for form in _in_base64(_octets(secret)[0]):
        yield form
        for_urls = form.letters.translate(_URL_ALPHABET)
        if for_urls != form.letters:
            yield form._replace(letters=for_urls)


def _plain(secret: str) -> Iterator[bytes]:
    yield Folded(secret).letters
    # A secret that looks like an escape itself, `%41`, may be escaped in a text: `%2541`.
    yield _octets(secret)[0].translate(_PLAIN, b"\\")
    if _TWO_DIGITS.match(secret):  # if a percent sign precedes the secret, its digits look like an escape
        yield Folded(f"%{secret}").letters


def _in_base64(octets: bytes) -> Iterator[Form]:
    """Yield a form for each place where a secret can begin in one of base64's groups of three octets."""
    for distance in range(3):
        letters = base64.b64encode(bytes(distance) + octets).lower()
        before, after = 8 * distance, 8 * (distance + len(octets))  # in bits; a letter has six
        yield Form(letters[-(-before // 6) : after // 6], int(before % 6 > 0), int(after % 6 > 0))


class Folded:
    """The letters of a text, the same in whatever encoding it is, with their places in the original text."""

    def __init__(self, text: str) -> None:
        self._octets, self._errors = _octets(text)
        self._at, self._units = list[int](), list[tuple[int, int, int]]()
        """Each unit's place among the letters; the number of its letters, its start and stop in `_octets`."""
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

    def replace(self, spans: Iterable[tuple[int, int, str]]) -> str:
        """Return the text with spans of its letters replaced; the spans are sorted and do not overlap.

        A backslash that would escape the first letter is dropped, so that JSON stays well-formed.
        """
        pieces, end = list[str](), 0
        for first, last, replacement in spans:
            start = self._without_backslash(self._start(first), end)
            pieces += (self._text(end, start), replacement)
            end = self._stop(last)
        return "".join((*pieces, self._text(end, len(self._octets))))

    def with_neighbours(self, start: int, form: Form) -> tuple[int, int]:
        """Return the span of a form at `start`, widened by base64 letters beside it that hold its bits."""
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
        """Return whether a character of several octets begins before a place and ends after it."""
        for start in range(place, max(place - 4, -1), -1):
            lead = self._octets[start : start + 1]
            if lead and not b"\x80" <= lead < b"\xc0":
                character = self._octets[start : start + 4].decode("utf-8", self._errors)[:1]
                return start + len(character.encode("utf-8", self._errors)) > place > start
        return False

    def _unit(self, place: int) -> tuple[int, int, int, int]:
        """Return the last unit that starts at or before a letter, and the distance of the letter from it."""
        index = bisect_right(self._at, place) - 1
        return (*self._units[index], place - self._at[index]) if index >= 0 else (0, 0, 0, place)

    def _without_backslash(self, start: int, least: int) -> int:
        bare = start
        while bare > least and self._octets[bare - 1] == ord("\\"):
            bare -= 1
        return start - (start - bare) % 2

    def _text(self, start: int, stop: int) -> str:
        return self._octets[start:stop].decode("utf-8", self._errors)


def unescaped(text: str) -> str:
    """Decode percent-encoding and the escapes of JSON, several times over."""
    for _ in range(_DEEPEST):
        if "%" in text:
            text = unquote(text, errors="surrogateescape")
        if "\\" in text:
            text = _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text).replace("\\/", "/")
    return text


def _letters(match: re.Match[bytes]) -> bytes:
    kind = match.lastgroup
    written = match[kind] if kind else b""
    match kind:
        case "octet":
            letters = bytes.fromhex(written.decode())
        case "low":
            letters = bytes.fromhex((match["high"] + written).decode()).decode("utf-16-be").encode()
        case "unit" | "hex":
            letters = _octets(_character(int(written, 16)))[0]
        case "decimal":
            letters = _octets(_character(int(written)))[0]
        case "entity":
            letters = html.unescape(f"&{written.decode()};").encode()
        case "escaped":
            letters = _octets(match[0].decode("utf-8", "surrogatepass"))[0]
        case _:
            letters = b""
    return letters.replace(b"\\", b"")


def _character(number: int) -> str:
    return chr(number) if number <= 0x10FFFF else ""


def _octets(text: str) -> tuple[bytes, str]:
    """Return a text as UTF-8, and the name of the error handler that encodes the surrogates in it."""
    try:
        return text.encode("utf-8", "surrogateescape"), "surrogateescape"
    except UnicodeEncodeError:  # half of a character, as in JSON ("\\ud800")
        return text.encode("utf-8", "surrogatepass"), "surrogatepass"
