"""Sought: the secrets that are looked for everywhere, and a quick look which of them a text may hold."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_webshare.exchange.redaction.encodings import Folded, Spellings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

FEW = 32
"""Secrets up to which it is quicker to look for each than to look at every place of a text."""
ANCHOR = 4
"""Characters."""
MOST_LETTERS = 8 * 1024**2
"""Characters that all secrets together may have: each is held in several forms."""
_LOOKED_AT = 64
"""Characters of a form of which one part is made its anchor."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A secret, the anchors of its forms, and when it was met last, by a count of all meetings."""

    spellings: Spellings
    anchors: frozenset[str]
    met: int


class Sought:
    """Up to `most` secrets, of `MOST_LETTERS` in all; of more, those not met for longest are forgotten.

    Each form of a secret has an anchor, `ANCHOR` characters of it: of all that it could have, the one that
    the fewest others have, for many secrets may begin alike. A text holds the form only if it holds the
    anchor, so it takes one pass over the text to tell the few secrets that are worth a closer look.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._anchored: defaultdict[str, set[str]] = defaultdict(set)
        """The secrets by their anchors; under `""` those of which a form is too short to have one."""
        self._meetings, self._letters = 0, 0
        self._free = ""
        """The last text that held none."""

    def add(self, secret: str) -> None:
        """Look for a secret from now on; it is the last of those that are forgotten."""
        self._meetings += 1
        held = self._held.pop(secret, None)
        spellings = held.spellings if held else Spellings(secret)
        anchors = held.anchors if held else self._anchor(secret, spellings.forms)
        self._held[secret] = _Held(spellings, anchors, self._meetings)
        self._letters += 0 if held else len(secret)
        while len(self._held) > self._most or self._letters > MOST_LETTERS:
            self._forget()

    def in_text(self, text: str) -> list[Spellings]:
        """Return those that a text may hold, the longest first: one may be a part of another."""
        if text == self._free:
            return []
        folded = Folded(text)
        found = [self._held[secret] for secret in self._nominees(folded)]
        found = [held for held in found if held.spellings.may_be_in(folded)]
        if not found:
            self._free = text
        found.sort(key=lambda held: (-len(held.spellings.secret), held.met))
        return [held.spellings for held in found]

    def _anchor(self, secret: str, forms: Iterable[str]) -> frozenset[str]:
        """Given a new secret and its forms, put it under an anchor of each."""
        self._free = ""
        anchors = frozenset(min(_anchors(form), key=self._number_at, default="") for form in forms)
        for anchor in anchors:
            self._anchored[anchor].add(secret)
        return anchors

    def _number_at(self, anchor: str) -> int:
        return len(self._anchored.get(anchor, ()))

    def _forget(self) -> None:
        secret, held = self._held.popitem(last=False)
        self._letters -= len(secret)
        for anchor in held.anchors:
            self._anchored[anchor].remove(secret)
            if not self._anchored[anchor]:
                del self._anchored[anchor]

    def _nominees(self, folded: Folded) -> Collection[str]:
        """Return the secrets of which an anchor is in a text."""
        if len(self._held) <= FEW:
            return self._held
        anchored = self._anchored
        found = set(anchored.get("", ()))
        for text in (folded.plain, folded.letters):
            places = range(len(text) - ANCHOR + 1)
            found.update(
                *(anchored[part] for place in places if (part := text[place : place + ANCHOR]) in anchored)
            )
        return found


def _anchors(form: str) -> Iterator[str]:
    """Yield all parts of a form that can be its anchor."""
    end = min(len(form), _LOOKED_AT)
    return (form[place : place + ANCHOR] for place in range(end - ANCHOR + 1))
