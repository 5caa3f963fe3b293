"""The known paths of a service: which one matches a path or pattern, and which one is most like a path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache

from mock_webshare.contract.model import Contract

LONGEST = 200
"""Characters of the longest path that is compared with known paths, of which the longest has 84."""
_TOKEN = re.compile(r"\{[a-z_]{1,40}\}|.")
SIMILAR = 0.8
"""The least similarity, from 0 to 1, at which a known path may be what an unknown path means."""


@lru_cache(16)
def known_paths(contract: Contract) -> Sequence[str]:
    """Return the paths of all endpoints and operations; those with fewer names in braces are first."""
    served = [each.path for each in contract.endpoints]
    operations = [each.path for each in contract.operations]
    return sorted(dict.fromkeys(served + operations), key=lambda path: path.count("{"))


def prefix_of(contract: Contract) -> str:
    """Return the first two parts of the paths of the endpoints: `/api/v2`."""
    return "/".join(contract.endpoints[0].path.split("/")[:3])


def known_path(contract: Contract, path: str) -> str | None:
    """Return the known path that matches a decoded path, with or without its final slash; None: unknown.

    `/api/v2/referral/credit/17` is `/api/v2/referral/credit/{id}/`.
    """
    return None if "*" in path else _fitting(contract, path)


def is_pattern_known(contract: Contract, pattern: str) -> bool:
    """Return whether a known path can match a pattern, in which `*` stands for any characters.

    A pattern longer than `LONGEST` counts as known, because comparing it would take long.
    """
    return len(pattern) > LONGEST or _fitting(contract, pattern) is not None


def _fitting(contract: Contract, pattern: str) -> str | None:
    if len(pattern) > LONGEST:
        return None
    return next((path for path in known_paths(contract) if _fits(pattern, path)), None)


@lru_cache(256)
def _tokens(path: str) -> Sequence[str]:
    return _TOKEN.findall(path)


def _fits(pattern: str, path: str) -> bool:
    """Return whether some text matches both a pattern with `*` and a known path with names in braces."""
    tokens = _tokens(path)
    places = {0}  # numbers of tokens of the known path that may have been read so far
    for character in pattern:
        if character == "*":
            places = set(range(min(places), len(tokens) + 1))
        else:
            places = {after for place in places for after in _read(tokens, place, character)}
        if not places:
            return False
    without_slash = len(tokens) - 1 if tokens[-1] == "/" else len(tokens)
    return not places.isdisjoint({len(tokens), without_slash})


def _read(tokens: Sequence[str], place: int, character: str) -> Sequence[int]:
    """Return the places after one more character; a name in braces takes all characters up to a slash."""
    if place == len(tokens):
        return ()
    if len(tokens[place]) > 1:
        return () if character == "/" else (place, place + 1)
    return (place + 1,) if tokens[place] == character else ()


def nearest_path(contract: Contract, path: str, similarity: float = SIMILAR) -> str | None:
    """Return the known path most like `path`; None if none has at least this similarity, from 0 to 1."""
    if len(path) > LONGEST:
        return None
    prefix = prefix_of(contract)
    known = {each.removeprefix(prefix): each for each in known_paths(contract)}
    found = get_close_matches(_with_names(path).removeprefix(prefix), known, n=1, cutoff=similarity)
    return known[found[0]] if found else None


def _with_names(path: str) -> str:
    """Return a path in which each number is `{id}`."""
    return "/".join("{id}" if part.isdecimal() else part for part in path.split("/"))
