"""Reasons: short codes for why a response is not the ordinary one, set where the response is decided."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """A code; some have a detail after a colon: `fault:1` has the id of a fault."""

    FAULT = "fault"
    PREFER = "prefer"
    THROTTLED = "throttled"
    NO_KEY = "no-key"
    MALFORMED_KEY = "malformed-key"
    UNKNOWN_KEY = "unknown-key"
    NOT_SERVED = "not-served"
    UNKNOWN_PATH = "unknown-path"
    NO_SLASH = "no-slash"
    BAD_HOST = "bad-host"
    BAD_QUERY = "bad-query"
    NOT_ACCEPTABLE = "not-acceptable"
    METHOD = "method"
    BAD_BODY = "bad-body"
    INVALID = "invalid"
    NOT_FOUND = "not-found"
    INTERNAL_ERROR = "internal-error"
    HINT = "hint"

    def of(self, detail: object) -> str:
        """Return the code with a detail."""
        return f"{self}:{detail}"


MEANINGS: Mapping[Reason, str] = {
    Reason.FAULT: "The fault with this id was applied.",
    Reason.PREFER: "The header `Prefer` of the request selected the response.",
    Reason.THROTTLED: "The rate limit is exceeded.",
    Reason.NO_KEY: "The request has no key.",
    Reason.MALFORMED_KEY: "The header `Authorization` is not the word `Token` and a key.",
    Reason.UNKNOWN_KEY: "The server does not accept the key, or the key names an unknown scenario.",
    Reason.NOT_SERVED: "The service has this operation, and the mock server does not.",
    Reason.UNKNOWN_PATH: "The service does not have the path.",
    Reason.NO_SLASH: "The path lacks the slash at its end: a redirect.",
    Reason.BAD_HOST: "The header `Host` is not the name of a host.",
    Reason.BAD_QUERY: "The query cannot be read, or names an unknown `format`.",
    Reason.NOT_ACCEPTABLE: "The header `Accept` refuses JSON.",
    Reason.METHOD: "The endpoint does not have the method.",
    Reason.BAD_BODY: "The body cannot be read.",
    Reason.INVALID: "A parameter, or a field of the body, has a value that is not allowed.",
    Reason.NOT_FOUND: "The row, the page or the referral code does not exist.",
    Reason.INTERNAL_ERROR: "The mock server has failed; please report it.",
    Reason.HINT: "The hint with this id is in the header `Mock-Webshare-Hint`.",
}
"""What each code means, in one sentence."""


def join(*codes: str) -> str:
    """Return several codes as one text, separated by blanks; empty ones are omitted."""
    return " ".join(filter(None, codes))
