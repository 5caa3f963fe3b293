"""Names of headers, parameters and fields that hold secrets."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_CACHED = 200
"""Characters of a name whose result is cached: a recording may contain huge ones."""

# A name is one of a secret if one of its words contains one of these parts, or is one of these words.
_PARTS = (
    "token", "secret", "passw", "passphrase", "apikey", "session", "credential", "cookie", "csrf", "xsrf",
    "authoriz", "oauth", "jwt", "signature", "mail", "username",
)  # fmt: skip
_WORDS = frozenset({"auth", "authentication", "key", "keys", "otp", "pass", "pin", "pwd", "sig"})
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SIGNS = (*_PARTS, *_WORDS, "\\u", '\\"')  # the last two: a name may be escaped
_SHORTEST_SIGNS = tuple(sign for sign in _SIGNS if not any(each in sign for each in _SIGNS if each != sign))


def is_secret_name(name: str) -> bool:
    """Return whether the header, parameter or field of this name holds a secret."""
    return _is_secret_name(name) if len(name) > LONGEST_CACHED else _cached(name)


def may_contain_secret_name(text: str) -> bool:
    """Return whether a text may contain such a name that is not percent-encoded; this is quick."""
    lowered = text.lower()
    return any(sign in lowered for sign in _SHORTEST_SIGNS)


def _is_secret_name(name: str) -> bool:
    words = [word.lower() for word in _WORD.findall(name)]
    return any(word in _WORDS or any(part in word for part in _PARTS) for word in words)


_cached = lru_cache(4096)(_is_secret_name)
