"""Sought: the secrets that are looked for everywhere, all of them in one pass over a text."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from mock_webshare.exchange.redaction.encodings import Folded, Form, Span, forms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FEW = 32
"""Secrets up to which it is quicker to look for each first: most texts hold none."""
ANCHOR = 4
"""Octets. A form that is shorter is not looked for: it would be found in every text."""
MOST_ALIKE = 32
"""Forms with one anchor, each of which is compared there; of more, the secret held for longest goes."""
_FEW_ALIKE = 4
"""Forms with one anchor up to which another one may have it, too: to look for a better one takes time."""
MOST_LETTERS = 8 * 1024**2
"""Characters that all secrets together may have: each is held in several forms."""
LONGEST_SPELT = 2000
"""Characters of a secret that is found in all spellings; a longer one is as it is only, to save time."""
MOST_LONG = 32
"""Longer secrets; for each of them a text is searched."""
_LOOKED_AT = 64
"""Octets at the beginning of a form, and at its end, of which one part is made its anchor."""


class _Anchored(NamedTuple):
    """A form of a secret, and where in it its anchor is."""

    secret: str
    form: Form
    offset: int

    @property
    def anchor(self) -> bytes:
        return self.form.letters[self.offset : self.offset + ANCHOR]


@dataclass(frozen=True, slots=True)
class _Held:
    """The forms of a secret, and when it was met last, by a count of all meetings."""

    forms: tuple[_Anchored, ...]
    met: int


class Sought:
    """Up to `most` secrets, of `MOST_LETTERS` in all; of more, those not met for longest are forgotten.

    Each form of a secret has an anchor, `ANCHOR` octets of it: of all that it could have, one that few
    others have, for many secrets may begin alike. A text holds the form only where it holds the anchor.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._long: OrderedDict[str, int] = OrderedDict()
        self._anchored: defaultdict[bytes, list[_Anchored]] = defaultdict(list)
        self._meetings, self._letters = 0, 0
        self._free = ""
        """The last text that held none."""

    def add(self, secret: str) -> None:
        """Look for a secret from now on; it is the last of those that are forgotten."""
        self._meetings += 1
        if len(secret) > LONGEST_SPELT:
            self._add_long(secret)
            return
        held = self._held.pop(secret, None)
        if held is None:
            self._free = ""
            self._letters += len(secret)
        self._held[secret] = _Held(held.forms if held else self._anchor(secret), self._meetings)
        while len(self._held) > self._most or self._letters > MOST_LETTERS:
            self._forget(next(iter(self._held)))

    def replaced(self, text: str, by: Callable[[str], str]) -> str:
        """Return a text with what `by` returns for a secret in its place, in whatever spelling.

        Where some overlap, the longest stands for all; of equal ones, that met first.
        """
        if text == self._free:
            return text
        without = text
        for secret in sorted(self._long, key=len, reverse=True):
            if secret in without:
                without = without.replace(secret, by(secret))
        folded = Folded(without)
        if self._may_be_in(folded.letters) and (found := self._found(folded)):
            return folded.replaced(Span(start, stop, by(secret)) for start, stop, secret in found)
        if without == text:
            self._free = text
        return without

    def _may_be_in(self, letters: bytes) -> bool:
        return len(self._held) > FEW or any(
            each.form.letters in letters for held in self._held.values() for each in held.forms
        )

    def _found(self, folded: Folded) -> list[tuple[int, int, str]]:
        """Return where secrets are, in order, as places that do not overlap."""
        found: list[tuple[int, int, str]] = []
        for start, stop, secret in self._matches(folded):
            while found and found[-1][1] > start:
                other = found.pop()
                start, stop = min(start, other[0]), max(stop, other[1])
                secret = min(secret, other[2], key=self._rank)
            found.append((start, stop, secret))
        return found

    def _rank(self, secret: str) -> tuple[int, int]:
        return -len(secret), self._held[secret].met

    def _matches(self, folded: Folded) -> Iterator[tuple[int, int, str]]:
        """Yield each place of a secret, by the place of its anchor."""
        letters, anchored = folded.letters, self._anchored
        places = range(len(letters) - ANCHOR + 1)
        for place in [place for place in places if letters[place : place + ANCHOR] in anchored]:
            for each in anchored[letters[place : place + ANCHOR]]:
                start = place - each.offset
                if start >= 0 and letters.startswith(each.form.letters, start):
                    yield *folded.with_neighbours(start, each.form), each.secret

    def _add_long(self, secret: str) -> None:
        if secret not in self._long:
            self._free = ""
        self._long[secret] = self._meetings
        self._long.move_to_end(secret)
        if len(self._long) > MOST_LONG:
            self._long.popitem(last=False)

    def _anchor(self, secret: str) -> tuple[_Anchored, ...]:
        """Put a new secret under an anchor of each of its forms."""
        held = []
        for form in forms(secret):
            if len(form.letters) >= ANCHOR:
                held.append(each := _Anchored(secret, form, self._offset(form.letters)))
                others = self._anchored[each.anchor]
                if len(others) >= MOST_ALIKE and others[0].secret != secret:
                    self._forget(others[0].secret)
                self._anchored[each.anchor].append(each)
        return tuple(held)

    def _offset(self, letters: bytes) -> int:
        """Return where the anchor of a form is best: the first place whose part few others have."""
        last = len(letters) - ANCHOR
        near_end = range(max(_LOOKED_AT, last - _LOOKED_AT), last + 1)
        best, least = 0, MOST_ALIKE + 1
        for place in chain(range(min(_LOOKED_AT, last + 1)), near_end):
            others = len(self._anchored.get(letters[place : place + ANCHOR], ()))
            if others < _FEW_ALIKE:
                return place
            if others < least:
                best, least = place, others
        return best

    def _forget(self, secret: str) -> None:
        self._letters -= len(secret)
        for each in self._held.pop(secret).forms:
            self._anchored[each.anchor].remove(each)
            if not self._anchored[each.anchor]:
                del self._anchored[each.anchor]
