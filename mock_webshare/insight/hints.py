"""Hints: what a client that sends a wrong request should do instead, as one table.

A hint never repeats what a client sent, which may be a key: it contains only names from our own tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from mock_webshare.contract.messages import FORBIDDEN
from mock_webshare.contract.model import Contract
from mock_webshare.contract.paths import known_path, nearest_path, prefix_of

LONGEST_NAME = 100
"""Characters of the longest scenario name for which similar names are looked for."""


class Facts(NamedTuple):
    """What is known of one request and its response."""

    contract: Contract
    path: str
    """The decoded path."""
    is_routed: bool
    """Whether an endpoint has the path, with or without its slash."""
    status: int
    """The status of the response."""
    operation: str = ""
    """The requested operation of the real service that the mock does not serve; empty for other requests."""
    authorization: str | None = None
    """The header `Authorization`, perhaps with another key in place of the real one. None: not sent."""
    scenario: str | None = None
    """The name of the unknown scenario that the key selects. None: no scenario, or a known one."""
    scenarios: Sequence[str] = ()
    """The names of the scenarios that exist."""
    is_key_refused: bool = False
    """Whether the server accepts only the keys of its settings, and the request has another key."""
    key_place: str = ""
    """Where else the request has what may be its key (see `key_place`); empty: nowhere."""
    origin: str = ""
    """The kind of origin whose pages cannot read the response: `other` or `null`; empty: they can."""
    is_preflight: bool = False
    """Whether the request is a preflight: a browser asks whether a page may send its request."""
    preference: str = ""
    """The mistake in the header `Prefer`: `name`, `code` or `example`; empty if there is none."""


Names = Mapping[str, str]
"""What the placeholders of a message stand for."""


class Hint(NamedTuple):
    """One message, and the requests that it is for."""

    id: str
    names: Callable[[Facts], Names | None]
    """Returns the names in the message; None if the hint does not apply."""
    message: str


def hint_for(facts: Facts) -> tuple[str, str]:
    """Return id and message of the first hint that applies; two empty texts if none does."""
    for hint in HINTS:
        if (names := hint.names(facts)) is not None:
            return hint.id, hint.message.format(**names)
    return "", ""


KEY_HEADERS = ("X-API-Key", "API-Key", "ApiKey", "X-Auth-Token", "X-Access-Token", "X-Token", "Token")
KEY_PARAMETERS = ("token", "api_key", "apikey", "api-key", "key", "access_token", "auth_token")
"""Where other services read a key, but not this one."""


def key_place(headers: Iterable[str], parameters: Iterable[str]) -> str:
    """Return where a request may have its key by mistake: `header X-API-Key`, `parameter token`; or empty.

    The names of headers and parameters may be in any letter case.
    """
    for kind, usual, sent in (("header", KEY_HEADERS, headers), ("parameter", KEY_PARAMETERS, parameters)):
        lower = {name.lower() for name in sent}
        if found := next((name for name in usual if name.lower() in lower), None):
            return f"{kind} {found}"
    return ""


def _if(applies: Callable[[Facts], object]) -> Callable[[Facts], Names | None]:
    """Return the names of a message that has none."""
    return lambda facts: {} if applies(facts) else None


def _not_served(facts: Facts) -> Names | None:
    return {"operation": facts.operation} if facts.operation else None


def _is_unknown(facts: Facts) -> bool:
    """Return whether the service has no such path."""
    return facts.status == 404 and not facts.is_routed


def _doubled_prefix(facts: Facts) -> Names | None:
    prefix = prefix_of(facts.contract)
    if not (_is_unknown(facts) and facts.path.startswith(f"{prefix}/")):
        return None
    return {"prefix": prefix} if known_path(facts.contract, facts.path.removeprefix(prefix)) else None


def _missing_prefix(facts: Facts) -> Names | None:
    prefix = prefix_of(facts.contract)
    found = known_path(facts.contract, prefix + facts.path) if _is_unknown(facts) else None
    return {"prefix": prefix, "path": found} if found else None


def _has_doubled_slash(facts: Facts) -> bool:
    if not (_is_unknown(facts) and "//" in facts.path):
        return False
    single = "/" + "/".join(part for part in facts.path.split("/") if part)
    return known_path(facts.contract, single) is not None


def _similar_path(facts: Facts) -> Names | None:
    found = nearest_path(facts.contract, facts.path) if _is_unknown(facts) else None
    return {"path": found} if found else None


def _lacks_token(facts: Facts) -> bool:
    words = (facts.authorization or "").split()
    return facts.status == 401 and bool(words) and words[0].lower() != "token"


def _misplaced_key(facts: Facts) -> Names | None:
    return {"place": facts.key_place} if _lacks_key(facts) and facts.key_place else None


def _lacks_key(facts: Facts) -> bool:
    return facts.status == 401 and not (facts.authorization or "").strip()


def _wrong_example(facts: Facts) -> Names | None:
    return {"codes": ", ".join(FORBIDDEN)} if facts.preference == "example" else None


def _similar_scenario(facts: Facts) -> Names | None:
    name = facts.scenario
    if name is None or len(name) > LONGEST_NAME:
        return None
    found = get_close_matches(name, facts.scenarios, n=1)
    return {"name": found[0]} if found else None


# fmt: off
HINTS: Sequence[Hint] = (
    Hint("cors.null", _if(lambda facts: facts.origin == "null"),
         "a page without an origin, such as a file, cannot read responses; serve it over HTTP, and allow "
         "that origin with serve --cors-origin ORIGIN"),
    Hint("cors.preflight", _if(lambda facts: facts.is_preflight and facts.origin),
         "the origin of this page is not allowed to read responses; allow it with "
         "serve --cors-origin ORIGIN"),
    Hint("cors.response", _if(lambda facts: facts.origin),
         "the browser does not show this response to the page, for its origin is not allowed; allow it with "
         "serve --cors-origin ORIGIN"),
    Hint("operation.not-served", _not_served,
         "mock-webshare does not serve {operation}; a fault with the action respond can stand for it"),
    Hint("path.doubled-prefix", _doubled_prefix,
         "the path begins with {prefix} once too often; remove {prefix} from the base URL of the client"),
    Hint("path.missing-prefix", _missing_prefix, "the path lacks {prefix}; use {path}"),
    Hint("path.doubled-slash", _if(_has_doubled_slash),
         "the path has two slashes in a row; does the base URL end in a slash, or is an id empty?"),
    Hint("path.similar", _similar_path, "the service does not have this path; the nearest is {path}"),
    Hint("path.unknown", _if(_is_unknown),
         "the service does not have this path; /__mock__/service.openapi.json lists the paths"),
    Hint("key.without-token", _if(_lacks_token),
         "the key has to follow the word Token; send the header Authorization: Token KEY"),
    Hint("key.misplaced", _misplaced_key,
         "the service does not read a key from the {place}; send the header Authorization: Token KEY"),
    Hint("key.missing", _if(_lacks_key), "no key was sent; send the header Authorization: Token KEY"),
    Hint("key.refused", _if(lambda facts: facts.is_key_refused),
         "this server accepts only the keys of its --api-key options"),
    Hint("scenario.similar", _similar_scenario,
         "the key names a scenario that does not exist; the nearest is scenario:{name}"),
    Hint("scenario.unknown", _if(lambda facts: facts.scenario is not None),
         "the key names a scenario that does not exist; /__mock__/scenarios lists the scenarios"),
    Hint("prefer.name", _if(lambda facts: facts.preference == "name"),
         "a name in the header Prefer is not known; write it like code=429, or "
         "code=403, example=account_suspended"),
    Hint("prefer.code", _if(lambda facts: facts.preference == "code"),
         "the code in the header Prefer has to be a status from 400 to 599, like code=429; it was ignored"),
    Hint("prefer.example", _wrong_example,
         "the example in the header Prefer has to be one of {codes}, and goes with code=403"),
)
# fmt: on
"""The hints; if several apply to a request, the first one counts."""
