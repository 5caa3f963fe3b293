"""Names of headers, parameters and fields that hold secrets."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_CACHED = 200
"""Characters of a name whose result is cached: a recording may contain huge ones."""

# The letters of a name are searched for these parts in any case, so that compounds are found: HTTP/2 writes
# `X-AuthKey` as `x-authkey`. Words are compared whole, because other words contain them: `sid` is in `side`.
_PARTS = (
    "token", "secret", "passw", "passphrase", "passcode", "passkey", "session", "sessid", "credential",
    "cookie", "csrf", "xsrf", "oauth", "authoris", "authoriz", "authn", "authentication", "bearer", "jwt",
    "signature", "mail", "username",
)  # fmt: skip
_WORDS = frozenset({"auth", "creds", "key", "keys", "otp", "totp", "pass", "pin", "pwd", "sid", "sig"})
_ENDINGS = ("auth", "key", "keys", "pass", "pwd")
"""Those with which a compound may end: `x-authkey`, `userpwd`."""
_HARMLESS_COMPOUNDS = frozenset({"bypass", "compass", "hotkey", "monkey", "trespass", "turkey", "turnkey"})
_DOCUMENTED = frozenset(
    {"authentication_method", "authentication_type"}
    | {f"ip_authorization_{part}" for part in ("asn", "city", "country_codes", "postalcode", "state")}
)
"""Fields of other endpoints of the service that hold no secrets (the models of the vendor's client)."""
_SEGMENT = re.compile(r"[A-Za-z]+")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SIGNS = (*_PARTS, *_WORDS, "\\u", '\\"', "&#")  # the last three: a name may be escaped
_SHORTEST_SIGNS = tuple(sign for sign in _SIGNS if not any(each in sign for each in _SIGNS if each != sign))


def is_secret_name(name: str) -> bool:
    """Return whether the header, parameter or field of this name holds a secret."""
    return _is_secret_name(name) if len(name) > LONGEST_CACHED else _cached(name)


def may_contain_secret_name(text: str) -> bool:
    """Return whether a text may contain such a name that is not percent-encoded; this is quick."""
    lowered = text.lower()
    return any(sign in lowered for sign in _SHORTEST_SIGNS)


def _is_secret_name(name: str) -> bool:
    return name.lower() not in _DOCUMENTED and any(map(_is_secret_compound, _SEGMENT.findall(name)))


def _is_secret_compound(letters: str) -> bool:
    """Return whether letters that no other character divides, such as `sessionID`, indicate a secret."""
    lowered = letters.lower()
    if lowered in _WORDS or any(part in lowered for part in _PARTS):
        return True
    if lowered.endswith(_ENDINGS) and lowered not in _HARMLESS_COMPOUNDS:
        return True
    return any(word.lower() in _WORDS for word in _WORD.findall(letters))


_cached = lru_cache(4096)(_is_secret_name)
