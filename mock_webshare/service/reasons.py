"""Reasons: short codes for why a response is not the ordinary one, set where the response is decided."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """A code, and what it means; some have a detail after a colon: `fault:1` has the id of a fault."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> Reason:
        reason = str.__new__(cls, code)
        reason._value_, reason.meaning = code, meaning
        return reason

    FAULT = "fault", "The fault with this id was applied."
    PREFER = "prefer", "The header `Prefer` of the request selected the response."
    THROTTLED = "throttled", "The rate limit is exceeded."
    NO_KEY = "no-key", "The request has no key."
    MALFORMED_KEY = "malformed-key", "The header `Authorization` is not the word `Token` and a key."
    UNKNOWN_KEY = "unknown-key", "The server does not accept the key, or the key names an unknown scenario."
    NOT_SERVED = "not-served", "The service has this operation, and the mock server does not."
    UNKNOWN_PATH = "unknown-path", "The service does not have the path."
    NO_SLASH = "no-slash", "The path lacks the slash at its end: a redirect."
    BAD_HOST = "bad-host", "The header `Host` is not the name of a host."
    BAD_QUERY = "bad-query", "The query cannot be read, or names an unknown `format`."
    NOT_ACCEPTABLE = "not-acceptable", "The header `Accept` refuses JSON."
    METHOD = "method", "The endpoint does not have the method."
    BAD_BODY = "bad-body", "The body cannot be read."
    INVALID = "invalid", "A parameter, or a field of the body, has a value that is not allowed."
    NOT_FOUND = "not-found", "The row, the page or the referral code does not exist."
    INTERNAL_ERROR = "internal-error", "The mock server has failed; please report it."
    HINT = "hint", "The hint with this id is in the header `Mock-Webshare-Hint`."

    def of(self, detail: object) -> str:
        """Return the code with a detail."""
        return f"{self}:{detail}"


MEANINGS: Mapping[str, str] = {each: each.meaning for each in Reason}
"""What each code means, in one sentence."""


def join(*codes: str) -> str:
    """Return several codes as one text, separated by blanks; empty ones are omitted."""
    return " ".join(filter(None, codes))
