"""Pseudonyms that replace secrets: `REDACTED-1`, `redacted-1@example.com`."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict

MOST_REMEMBERED = 100_000
"""Secrets whose pseudonyms are remembered; beyond, the least recently used get new ones."""
LONGEST_REMEMBERED = 100
"""Characters of a secret that is itself remembered; of a longer one, the digest is."""

_DIGITS = "([0-9]{1,18})"  # a number with more is not ours
PSEUDONYM = re.compile(rf"REDACTED(?:-{_DIGITS})?\xff?|redacted-{_DIGITS}@example\.com\xff?", re.IGNORECASE)
_NUMBERED = re.compile(rf"redacted-{_DIGITS}(?![0-9])")


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
            self._last = max(self._last, *map(int, _NUMBERED.findall(lowered)), 0)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
