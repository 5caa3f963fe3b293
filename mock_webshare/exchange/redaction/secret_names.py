"""Telling: does the name of a header, parameter or field tell that a secret is in it?"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_REMEMBERED = 200
"""Characters of a name of which it is remembered whether it tells: a recording may hold huge ones."""

# A name tells of a secret if one of its words contains one of these, or is one of those.
_TELLING_PARTS = (
    "token", "secret", "passw", "passphrase", "apikey", "session", "credential", "cookie", "csrf", "xsrf",
    "authoriz", "oauth", "jwt", "signature", "mail", "username",
)  # fmt: skip
_TELLING_WORDS = frozenset({"auth", "authentication", "key", "keys", "otp", "pass", "pin", "pwd", "sig"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SIGNS = (*_TELLING_PARTS, *_TELLING_WORDS, "\\u", '\\"')  # escaped, a name is hard to see
HINTS = tuple(sign for sign in _SIGNS if not any(each in sign for each in _SIGNS if each != sign))
"""What is in every telling name, or may be escaped in it: a text without any of them has none."""


def is_telling(name: str) -> bool:
    """Return whether the name of a header, parameter or field tells that a secret is in it."""
    return _is_telling(name) if len(name) > LONGEST_REMEMBERED else _remembered(name)


def _is_telling(name: str) -> bool:
    words = [word.lower() for word in _WORD.findall(name)]
    return any(word in _TELLING_WORDS or any(part in word for part in _TELLING_PARTS) for word in words)


_remembered = lru_cache(4096)(_is_telling)
