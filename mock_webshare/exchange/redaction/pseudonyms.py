"""Pseudonym: what stands for a secret, `REDACTED-1` or `redacted-1@example.com`; no two share a number."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict

MOST_REMEMBERED = 100_000
"""Secrets of which the pseudonym is remembered; of more, those not met for longest get new ones."""
LONGEST_REMEMBERED = 100
"""Characters of a secret that is remembered as it is; of a longer one the digest is."""

_DIGITS = "([0-9]{1,18})"  # more than that is no number of ours
PSEUDONYM = re.compile(rf"REDACTED(?:-{_DIGITS})?\xff?|redacted-{_DIGITS}@example\.com", re.IGNORECASE)
_NUMBERED = re.compile(rf"redacted-{_DIGITS}(?![0-9])")


class Pseudonyms:
    """Gives each secret a pseudonym, and no number twice, whatever was forgotten in between."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._given: OrderedDict[str | bytes, str] = OrderedDict()
        self._last = 0

    def __len__(self) -> int:
        return len(self._given)

    def of(self, secret: str, *, is_mail: bool) -> str:
        """Given a secret, return its pseudonym, for an e-mail address one of that form."""
        key = secret if len(secret) <= LONGEST_REMEMBERED else _digest(secret)
        if key not in self._given:
            self._last += 1
            self._given[key] = f"redacted-{self._last}@example.com" if is_mail else f"REDACTED-{self._last}"
        self._given.move_to_end(key)
        if len(self._given) > self._most:
            self._given.popitem(last=False)
        return self._given[key]

    def heed(self, text: str) -> None:
        """Given a text with pseudonyms that somebody else has given, do not give their numbers again."""
        lowered = text.lower()
        if "redacted-" in lowered:
            self._last = max(self._last, *map(int, _NUMBERED.findall(lowered)), 0)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
