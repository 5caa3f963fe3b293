"""RecordedRequest: what a request of a recording means, as far as its URL shows.

The mock server reads requests with code of its own, and neither imports the other: sharing it would hide
an error in both.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, unquote_to_bytes, urlencode, urlsplit

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import Contract, Endpoint

MOST_PARAMETERS = 1000
"""Parameters of a query; the service refuses more (framework: Django's `DATA_UPLOAD_MAX_NUMBER_FIELDS`)."""
LONGEST_URL = 16_384
"""Characters: twice as many as servers take. A longer URL was never sent, and is not worth caching."""
_CACHED = 256  # recordings repeat the same requests

_CONTRACTS = 16  # contracts whose routes are remembered


@lru_cache(_CONTRACTS)
def _routes(contract: Contract) -> Sequence[tuple[re.Pattern[str], Endpoint]]:
    return [
        (re.compile(re.escape(endpoint.path).replace(r"\{id\}", "(?P<id>[^/.]+)")), endpoint)
        for endpoint in contract.endpoints
    ]


@dataclass(frozen=True, slots=True, eq=False)
class RecordedRequest:
    """A request to an endpoint of the contract."""

    endpoint: Endpoint
    id: str | None
    """The id in the path, decoded. None: paths of this endpoint have no id."""
    is_slashed: bool
    """Whether the path ends in the slash that it should have."""
    origin: str
    """Scheme and authority in lower case, without user and password: `https://proxy.webshare.io`."""
    path: str
    """The path as it was sent."""
    query: str
    """The query as it was sent, without the `?`."""
    pairs: tuple[tuple[str, str], ...]
    """The parameters, decoded, in the order in which they were sent."""
    params: dict[str, str]
    """The parameters by name; the last of those with the same name counts (framework: `QueryDict`)."""
    is_clear: bool
    """False: the path is not valid UTF-8, so the service may decode it differently."""

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return self.origin.partition("://")[0]

    @property
    def host(self) -> str:
        """The authority alone: `proxy.webshare.io`, `127.0.0.1:8765`."""
        return self.origin.partition("://")[2]

    def is_of(self, hosts: Collection[str]) -> bool:
        """Whether `host`, with or without its port, is one of `hosts`; always True if `hosts` is empty."""
        return _is_one_of(self.host, hosts)

    def is_plain(self, name: str) -> bool:
        """Whether a parameter is given exactly once: what it means if repeated is not documented."""
        return sum(each == name for each, _ in self.pairs) == 1

    def without_page(self) -> str:
        """The query without `page`, its parameters sorted: `a=1&b=2` of `b=2&page=2&a=1`."""
        return urlencode(sorted(pair for pair in self.pairs if pair[0] != "page"))


def read_url(url: str, contract: Contract = WEBSHARE) -> RecordedRequest | None:
    """Parse the URL of a request; return None if no endpoint of the contract matches.

    The origin lacks the default port of its scheme, and a fragment is ignored: clients send neither.
    """
    return _read_url(url, contract) if len(url) <= LONGEST_URL else None


@lru_cache(_CACHED)
def _read_url(url: str, contract: Contract) -> RecordedRequest | None:
    parts = split(url)
    if parts is None:
        return None
    path_bytes = unquote_to_bytes(parts.path)
    path = path_bytes.decode(errors="replace")
    found = _route(path, contract)
    if found is None:
        return None
    endpoint, row_id, is_slashed = found
    pairs = tuple(parse_qsl(parts.query, keep_blank_values=True))
    is_clear = path.encode() == path_bytes
    origin = origin_of(parts)
    return RecordedRequest(
        endpoint, row_id, is_slashed, origin, parts.path, parts.query, pairs, dict(pairs), is_clear
    )


def is_of(url: str, hosts: Collection[str]) -> bool:
    """Return whether the host of a URL is one of `hosts`, like `RecordedRequest.is_of`."""
    parts = split(url) if hosts else None
    return not hosts or (parts is not None and _is_one_of(origin_of(parts).partition("://")[2], hosts))


def _is_one_of(authority: str, hosts: Collection[str]) -> bool:
    return not hosts or not {authority, authority.rpartition(":")[0]}.isdisjoint(hosts)


def split(url: str) -> SplitResult | None:
    """Split a URL into its parts; return None if it is not valid, or too long."""
    try:
        if len(url) > LONGEST_URL:  # `urlsplit` caches its last arguments
            return None
        url.encode()  # JSON may contain a lone surrogate, which cannot be encoded
        return urlsplit(url)
    except ValueError:  # "Invalid IPv6 URL"
        return None


_PORTS = {"http": ":80", "https": ":443"}


def origin_of(parts: SplitResult) -> str:
    """Return scheme and authority of a URL: `https://a` of `HTTPS://me@A:443`."""
    authority = parts.netloc.rpartition("@")[2].lower()
    return f"{parts.scheme}://{authority.removesuffix(_PORTS.get(parts.scheme, ''))}"


def _route(path: str, contract: Contract) -> tuple[Endpoint, str | None, bool] | None:
    for pattern, endpoint in _routes(contract):
        for is_slashed in (True, False):
            if match := pattern.fullmatch(path if is_slashed else f"{path}/"):
                return endpoint, match["id"] if endpoint.is_detail else None, is_slashed
    return None


def read_int(text: str) -> int | None:
    """Parse a parameter with `int()`, as the service does; None: not a number."""
    try:
        return int(text)
    except ValueError:
        return None


_HARMLESS_NAMES = frozenset({"page", "page_size", "ordering", "format"})
_LONGEST_SHOWN = 20
"""Characters of a part of a URL that is shown: a key has 40, the longest word of a documented URL 16."""


def shown(url: str, contract: Contract = WEBSHARE) -> str:
    """Return a URL without user, password and values of unknown parameters.

    Parts that are long enough to be a key are replaced too, wherever they are.
    `https://me:secret@a/b/?page=2&token=x#y` is `https://a/b/?page=2&token=...`.
    """
    parts = split(url)
    if parts is None:
        return "(no URL)"
    names = _HARMLESS_NAMES | contract.filter_names
    query = "&".join(_shown_pair(pair, names) for pair in parts.query.split("&")) if parts.query else ""
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""
    path = "/".join(map(_shown_part, parts.path.split("/")))
    return origin + path + (f"?{query}" if query else "")


def _shown_pair(pair: str, harmless: Collection[str]) -> str:
    name, sign, value = pair.partition("=")
    is_harmless = name in harmless and all(len(each) <= _LONGEST_SHOWN for each in re.split("%2C|,", value))
    return f"{_shown_part(name)}{sign}{value if is_harmless else '...'}"


def _shown_part(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else "..."
