"""Asked: what a request asks of the service, as far as its URL tells.

This is the judge's own reading of the contract. The stand-in has another one, and neither knows the
other, lest they agree on a mistake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode, urlsplit

from mock_webshare.contract import ENDPOINTS

if TYPE_CHECKING:
    from mock_webshare.contract import Endpoint

MOST_PARAMETERS = 1000
"""More are refused (framework: Django's `DATA_UPLOAD_MAX_NUMBER_FIELDS`)."""
_REMEMBERED = 1024  # recordings ask the same again and again

_ROUTES = tuple(
    (re.compile(re.escape(endpoint.path).replace(r"\{id\}", "(?P<id>[^/.]+)")), endpoint)
    for endpoint in ENDPOINTS
)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A request of one of the contract's endpoints."""

    endpoint: Endpoint
    id: str | None
    """As in the path, decoded. None: the endpoint has none."""
    is_slashed: bool
    """Whether the path ends in the slash that it should have."""
    origin: str
    """Scheme and authority in lower case, without user and password: `https://proxy.webshare.io`."""
    path: str
    """As it was sent."""
    query: str
    """As it was sent, without the `?`."""
    pairs: tuple[tuple[str, str], ...]
    """The parameters, decoded, in the order in which they were sent."""
    params: dict[str, str]
    """The same by name; of repeated ones the last counts (framework: `QueryDict`)."""
    is_clear: bool
    """False: something in the URL may mean something else to the service than to us."""

    @property
    def host(self) -> str:
        """The authority alone: `proxy.webshare.io`, `127.0.0.1:8765`."""
        return self.origin.partition("://")[2]

    def is_plain(self, name: str) -> bool:
        """Whether a parameter is given once: what repeated ones mean is the framework's choice."""
        return sum(each == name for each, _ in self.pairs) == 1

    def without_page(self) -> str:
        """The list that is asked for, whichever page of it: `a=1&page=2` is `a=1`."""
        return urlencode(sorted(pair for pair in self.pairs if pair[0] != "page"))


@lru_cache(_REMEMBERED)
def read_url(url: str) -> Asked | None:
    """Given the URL of a request, return what it asks; None if that is no endpoint of the contract."""
    try:
        parts = urlsplit(url)
    except ValueError:  # "Invalid IPv6 URL"
        return None
    octets = unquote_to_bytes(parts.path)
    path = octets.decode(errors="replace")
    found = _route(path)
    if found is None:
        return None
    endpoint, row_id, is_slashed = found
    pairs = tuple(parse_qsl(parts.query, keep_blank_values=True))
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()
    is_clear = url.isascii() and not parts.fragment and path.encode() == octets
    return Asked(endpoint, row_id, is_slashed, origin, parts.path, parts.query, pairs, dict(pairs), is_clear)


def _route(path: str) -> tuple[Endpoint, str | None, bool] | None:
    for pattern, endpoint in _ROUTES:
        for is_slashed in (True, False):
            if match := pattern.fullmatch(path if is_slashed else f"{path}/"):
                return endpoint, match["id"] if endpoint.is_detail else None, is_slashed
    return None


def read_int(text: str) -> int | None:
    """Given a parameter, return the number that `int()` makes of it, as in the service; None: it is none."""
    try:
        return int(text)
    except ValueError:
        return None


_HARMLESS = {"page", "page_size", "ordering", "format"} | {
    each.name for endpoint in ENDPOINTS for each in endpoint.filters
}


def shown(url: str) -> str:
    """Given any URL, return it without what may be secret: user, password, values of unknown parameters.

    `https://me:secret@a/b/?page=2&token=x#y` is `https://a/b/?page=2&token=...`.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(no URL)"
    query = "&".join(map(_shown_pair, parts.query.split("&"))) if parts.query else ""
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""
    return origin + parts.path + (f"?{query}" if query else "")


def _shown_pair(pair: str) -> str:
    name, sign, _ = pair.partition("=")
    return pair if name in _HARMLESS else f"{name}{sign}..."
