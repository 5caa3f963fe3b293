"""Spellings: all the ways in which one secret can be written: in a URL, in JSON, in HTML, in base64."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_SPELT = 2000
"""Characters of a secret that is found in all spellings; a longer one is as it is only, to save time."""

_UNICODE_ESCAPE = re.compile(r"\\{1,8}u([0-9a-fA-F]{4})")
_INVISIBLE = str.maketrans("", "", "\\+ \t\r\n")
_ONE_ALPHABET = str.maketrans("-_", "+/", "\\")  # base64 has two
_DEEPEST = 4
"""Times that a text may be encoded, one way inside another, and is still read; no pattern here reads more."""


@dataclass(frozen=True)
class Spellings:
    """What finds a secret in a text: a quick look first, then a pattern."""

    secret: str

    def may_be_in(self, folded: Folded) -> bool:
        """Whether it is worth while to search a text with the pattern."""
        plain, *cores = self.forms
        return plain in folded.plain or any(core in folded.letters for core in cores)

    def replaced(self, text: str, by: str) -> str:
        """Given a text, return it with something else in place of the secret, in whatever spelling."""
        if "\\" not in text:  # nothing before the secret belongs to it, and to make a pattern takes long
            text = text.replace(self.secret, by)
        return self.pattern.sub(by, text) if self.may_be_in(Folded(text)) else text

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """How the secret looks in the text of a `Folded`: first in `plain`, then in `letters`."""
        return Folded(self.secret).plain, *(Folded(core).letters for _, core, _ in _in_base64(self.secret))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The secret in every spelling; a lone backslash before it too, which would escape what comes."""
        if len(self.secret) > LONGEST_SPELT:
            return re.compile(re.escape(self.secret))
        plain = r"(?:(?<!\\)\\)?" + "".join(_of_letter(letter) for letter in self.secret)
        encoded = (
            _ANY_LETTER * before + "".join(map(_of_base64, core)) + _ANY_LETTER * after
            for before, core, after in _in_base64(self.secret)
        )
        return re.compile("|".join((plain, *encoded)), re.IGNORECASE)


@dataclass(frozen=True)
class Folded:
    """A text in which all spellings of one secret look the same, to be compared only."""

    text: str

    @cached_property
    def plain(self) -> str:
        """Without escapes, blanks and capitals."""
        text = unescaped(self.text)
        if "\\" in text:
            text = text.replace("\\n", "").replace("\\t", "").replace("\\r", "")
        return (html.unescape(text) if "&" in text else text).translate(_INVISIBLE).lower()

    @cached_property
    def letters(self) -> str:
        """Without escapes and capitals, and in one alphabet of base64."""
        return unescaped(self.text).translate(_ONE_ALPHABET).lower()


def unescaped(text: str) -> str:
    """Return a text with what is percent-encoded or escaped written out, several times over."""
    for _ in range(_DEEPEST):
        if "%" in text:
            text = unquote(text, errors="surrogateescape")
        if "\\" in text:
            text = _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text).replace("\\/", "/")
    return text


_ENTITIES = {"&": "|&amp;", "<": "|&lt;", ">": "|&gt;", '"': "|&quot;", "'": "|&apos;"}
_ESCAPES = {"\n": r"|\\{1,8}n", "\t": r"|\\{1,8}t", "\r": r"|\\{1,8}r", " ": r"|\+", "\\": r"|\\{1,8}"}


def _of_letter(letter: str) -> str:
    """Return a pattern of the ways to write a letter, also of one way inside another.

    Numbers of repetitions are limited: without that, a million backslashes take hours.
    """
    forms = [
        (r"\\{0,8}" if letter in "\"'/" else "") + re.escape(letter),
        "".join(f"%(?:25){{0,3}}{octet:02x}" for octet in _octets(letter)),
        "".join(rf"\\{{1,8}}u{unit}" for unit in re.findall("....", _utf_16(letter))),
    ]
    more = _ESCAPES.get(letter, "")
    if not letter.isalnum():
        more += rf"|&\#0*{ord(letter)};|&\#x0*{ord(letter):x};" + _ENTITIES.get(letter, "")
    return f"(?:{'|'.join(forms)}{more})"


_ANY_LETTER = r"(?:[A-Za-z0-9+/_-]|%2B|%2F|\\/)"


def _of_base64(letter: str) -> str:
    return {"+": r"(?:[+-]|%2B|\\{1,8}u002b)", "/": r"(?:\\{0,8}/|_|%2F|\\{1,8}u002f)"}.get(letter, letter)


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


def _utf_16(letter: str) -> str:
    return letter.encode("utf-16-be", "surrogatepass").hex()
