"""Known secrets: the pseudonym of each, and an index that finds all of them in one pass over a text."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple

from mock_webshare.exchange.redaction import patterns
from mock_webshare.exchange.redaction.encodings import Folded, Form, forms

FEW = 32
"""Up to this many secrets, a text is first searched for each of them: most texts contain none."""
ANCHOR = 4
"""Octets of an anchor. A shorter form is not searched for: every text would contain it."""
MOST_PER_ANCHOR = 8
"""Forms that may share an anchor, because all are compared where it occurs; then the oldest is dropped."""
_FEW_PER_ANCHOR = 4
"""Forms that may share an anchor before a better one is searched for, which takes time."""
MOST_CHARACTERS = 8 * 1024**2
"""Characters of all secrets together: each is held in several forms."""
LONGEST_ENCODED = 2000
"""Characters of a secret that is found in all encodings; a longer one is found unencoded only."""
MOST_LONG = 32
"""Secrets longer than `LONGEST_ENCODED`; a text is searched once for each of them."""
_ANCHOR_RANGE = 64
"""Octets at the start of a form, and at its end, among which its anchor is chosen."""
MOST_REMEMBERED = 100_000
"""Secrets whose pseudonyms are remembered; beyond, the least recently used get new ones."""
LONGEST_REMEMBERED = 100
"""Characters of a secret that is itself remembered; of a longer secret, its digest is remembered."""


class _Anchored(NamedTuple):
    """A form of a secret, and the place of its anchor in it."""

    secret: str
    form: Form
    offset: int

    @property
    def anchor(self) -> bytes:
        return self.form.letters[self.offset : self.offset + ANCHOR]


class SecretIndex:
    """Up to `most` secrets, of `MOST_CHARACTERS` in all; beyond, the least recently added are dropped.

    Each form of a secret has an anchor: `ANCHOR` octets of it that few other forms have, because many
    secrets may begin alike. A text contains the form only where it contains the anchor.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[str, list[_Anchored]] = OrderedDict()
        self._long: OrderedDict[str, None] = OrderedDict()
        self._anchored: defaultdict[bytes, list[_Anchored]] = defaultdict(list)
        self._characters = 0
        self._clean = ""
        """The last text in which no secret was found."""

    def add(self, secret: str) -> None:
        """Add a secret, or move it to the end of the order in which secrets are dropped."""
        held: OrderedDict[str, None] | OrderedDict[str, list[_Anchored]]
        held = self._long if len(secret) > LONGEST_ENCODED else self._held
        if secret in held:
            held.move_to_end(secret)
            return
        self._clean = ""
        if held is self._long:
            self._long[secret] = None
        else:
            self._held[secret] = self._anchor(secret)
            self._characters += len(secret)
        self._drop_oldest()

    def replace(self, text: str, replacement: Callable[[str], str]) -> str:
        """Return the text with each secret, in whatever encoding, replaced by its `replacement`.

        Secrets that overlap are replaced together, by the replacement of the longest of them.
        """
        if text == self._clean:
            return text
        without = text
        for secret in sorted(self._long, key=len, reverse=True):
            if secret in without:
                without = without.replace(secret, replacement(secret))
        folded = Folded(without)
        if self._may_be_in(folded.letters) and (found := self._found(folded)):
            return folded.replace((start, stop, replacement(secret)) for start, stop, secret in found)
        if without == text:
            self._clean = text
        return without

    def _may_be_in(self, letters: bytes) -> bool:
        return len(self._held) > FEW or any(
            each.form.letters in letters for each in chain.from_iterable(self._held.values())
        )

    def _found(self, folded: Folded) -> list[tuple[int, int, str]]:
        """Return the places of secrets in order; those that overlap become one."""
        found: list[tuple[int, int, str]] = []
        for start, stop, secret in self._matches(folded):
            while found and found[-1][1] > start:
                other_start, other_stop, other = found.pop()
                start, stop = min(start, other_start), max(stop, other_stop)
                secret = max(other, secret, key=len)
            found.append((start, stop, secret))
        return found

    def _matches(self, folded: Folded) -> Iterator[tuple[int, int, str]]:
        """Yield each place of a secret, in the order of the anchors."""
        letters, anchored = folded.letters, self._anchored
        places = range(len(letters) - ANCHOR + 1)
        for place in [place for place in places if letters[place : place + ANCHOR] in anchored]:
            for each in anchored[letters[place : place + ANCHOR]]:
                start = place - each.offset
                if start >= 0 and letters.startswith(each.form.letters, start):
                    yield *folded.with_neighbours(start, each.form), each.secret

    def _anchor(self, secret: str) -> list[_Anchored]:
        """File each form of a new secret under an anchor."""
        filed = []
        for form in forms(secret):
            if len(form.letters) >= ANCHOR:
                filed.append(each := _Anchored(secret, form, self._offset(form.letters)))
                others = self._anchored[each.anchor]
                if len(others) >= MOST_PER_ANCHOR and others[0].secret != secret:
                    self._drop(others[0].secret)
                self._anchored[each.anchor].append(each)
        return filed

    def _offset(self, letters: bytes) -> int:
        """Return the place of the first anchor that few forms share, or else of the one that fewest share."""
        last = len(letters) - ANCHOR
        near_end = range(max(_ANCHOR_RANGE, last - _ANCHOR_RANGE), last + 1)
        best, least = 0, MOST_PER_ANCHOR + 1
        for place in chain(range(min(_ANCHOR_RANGE, last + 1)), near_end):
            others = len(self._anchored.get(letters[place : place + ANCHOR], ()))
            if others < _FEW_PER_ANCHOR:
                return place
            if others < least:
                best, least = place, others
        return best

    def _drop_oldest(self) -> None:
        while len(self._long) > MOST_LONG:
            self._long.popitem(last=False)
        while len(self._held) > self._most or self._characters > MOST_CHARACTERS:
            self._drop(next(iter(self._held)))

    def _drop(self, secret: str) -> None:
        self._characters -= len(secret)
        for each in self._held.pop(secret):
            self._anchored[each.anchor].remove(each)
            if not self._anchored[each.anchor]:
                del self._anchored[each.anchor]


class Pseudonyms:
    """The pseudonym of each secret; no number is used twice, even if its secret is forgotten."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._pseudonyms: OrderedDict[str | bytes, str] = OrderedDict()
        self._last = 0

    def __len__(self) -> int:
        return len(self._pseudonyms)

    def of(self, secret: str, *, is_mail: bool) -> str:
        """Return the pseudonym of a secret; an e-mail address gets one in the form of an address."""
        key = secret if len(secret) <= LONGEST_REMEMBERED else _digest(secret)
        if key not in self._pseudonyms:
            self._last += 1
            number = self._last
            self._pseudonyms[key] = f"redacted-{number}@example.com" if is_mail else f"REDACTED-{number}"
        self._pseudonyms.move_to_end(key)
        if len(self._pseudonyms) > self._most:
            self._pseudonyms.popitem(last=False)
        return self._pseudonyms[key]

    def reserve(self, text: str) -> None:
        """Do not use the numbers of the pseudonyms that a text contains already."""
        lowered = text.lower()
        if "redacted-" in lowered:
            self._last = max(self._last, *map(int, patterns.NUMBERED.findall(lowered)), 0)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
