"""The settings of a mock server: in Python, on the command line, in the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike, fspath
from typing import Any, NamedTuple

from mock_webshare.contract.endpoints import PAGES, WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.contract.timestamps import parse_instant, written, zone
from mock_webshare.errors import UsageError
from mock_webshare.service.data.fields import DATE, FieldType, choice, integer, pattern

MAX_ROWS = 1_000_000
"""The most rows of each resource."""
MAX_PAGE_SIZE = 10_000
"""The largest page that can be set: a page is one response, made in memory."""
MAX_DAYS = 3650
"""Days of the longest pending period that can be set."""
REFUSED_KEY = "invalid"
"""The one well-formed key that no mock accepts, so that a client can always provoke a 401."""
SCENARIO_PREFIX = "scenario:"
"""How the keys of scenarios begin."""
RATE = r"([1-9][0-9]{0,8})/(s|sec|second|m|min|minute|h|hour|d|day)"
"""How a rate limit is written, as a regular expression."""

_LARGEST_PORT = 65535
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+|\[[A-Fa-f0-9:.]+\])(:([0-9]{1,5}))?/?", re.ASCII)
_CORS_ORIGIN = pattern(
    r"[A-Za-z][A-Za-z0-9+.-]{0,30}://([A-Za-z0-9._-]{1,253}|\[[A-Fa-f0-9:.]{2,45}\])(:[0-9]{1,5})?/?",
    "scheme and host of the pages, perhaps with a port, like http://localhost:3000; * is not, because any "
    "page could then read the responses",
)
_KEY = pattern(r"[!-~]+", "one word of visible ASCII characters")
_TOKEN = pattern(r"[!-~]{8,200}", "one word of 8 to 200 visible ASCII characters")


def _written(moment: datetime) -> str:
    try:
        return written(moment)
    except ValueError as error:
        raise UsageError(f"now: {error}") from error


def is_origin(value: object) -> bool:
    """Return whether a value is a scheme and a host, perhaps with a port."""
    match = _ORIGIN.fullmatch(value) if isinstance(value, str) else None
    return match is not None and int(match[3] or 0) <= _LARGEST_PORT


_FIELD_TYPES: Mapping[str, FieldType] = {
    "host": FieldType(
        lambda value: isinstance(value, str) and value.strip() != "" and value.isprintable(),
        "a host name or an IP address",
    ),
    "port": integer(0, _LARGEST_PORT, f"0 (a free one) to {_LARGEST_PORT}"),
    "seed": integer(-(2**63), 2**63 - 1),
    "credits": integer(0, MAX_ROWS),
    "data": FieldType(lambda value: isinstance(value, str), "a text"),
    "now": DATE,
    "shift": choice("now", "today"),
    "clock": choice("frozen", "running"),
    "pending_days": integer(0, MAX_DAYS),
    "unknown_code": choice(404, 400),
    "max_page_size": integer(1, MAX_PAGE_SIZE),
    "rate_limit": pattern(
        f"off|{RATE}", "off, or a number of requests for each sec, min, hour or day, like 240/min"
    ),
    "rate_limit_clock": choice("real", "world"),
    "public_url": FieldType(
        is_origin, "scheme and host only, like https://proxy.example.com, perhaps with a port up to 65535"
    ),
}
_OPTIONAL = ("data", "now", "shift", "pending_days", "public_url")


class RateLimit(NamedTuple):
    """The number of requests that each key may make within a number of seconds."""

    requests: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> RateLimit | None:
        """Parse a valid rate like `240/min` (or `/s`, `/hour`, `/day`); None for `off`."""
        match = re.fullmatch(RATE, text)
        return cls(requests=int(match[1]), seconds=_SECONDS[match[2][0]]) if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a mock; the defaults are the service's, as far as they are known.

    Raise `UsageError` for a value that is not allowed.
    """

    host: str = "127.0.0.1"
    port: int = 8765  # 0: a free one
    seed: int = 0
    credits: int = 100
    data: str | PathLike[str] | None = None  # a data set's file or name; None: from seed and credits
    # The accepted keys. Empty: every well-formed key but `invalid`. Secret, like the control token.
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    # ISO 8601 with offset, or an aware datetime. None: the moment at which the data set was taken.
    now: str | datetime | None = None
    shift: str | None = None  # now or today: all dates are moved, so that the data set was taken then
    clock: str = "frozen"  # or running
    pending_days: int | None = None  # None: the period in the config of the data set
    unknown_code: int = 404  # or 400: the status of the response to an unknown referral code
    max_page_size: int = PAGES.max_page_size
    default_ordering: str = "id"
    rate_limit: str = "240/min"  # or off
    rate_limit_clock: str = "real"  # or world: the clock that measures the limit
    # The token that the control plane requires. None: it requires none, and serves loopback only.
    control_token: str | None = field(default=None, repr=False)
    public_url: str | None = None  # None: links are built from each request's Host
    scenario: str | None = None  # of worlds whose key names no scenario. None: these have no scenario
    faults: tuple[str | Mapping[str, Any], ...] = ()  # of every world from the start; kept as JSON
    cors_origins: tuple[str, ...] = ()  # of pages that may read responses in a browser. Empty: no page may
    contract: Contract = field(default=WEBSHARE, repr=False)  # the service that is mocked

    def __post_init__(self) -> None:
        if isinstance(self.data, PathLike):
            object.__setattr__(self, "data", fspath(self.data))
        if isinstance(self.now, datetime):
            object.__setattr__(self, "now", _written(self.now))
        for name, field_type in _FIELD_TYPES.items():
            value = getattr(self, name)
            if value is not None or name not in _OPTIONAL:
                field_type.require(name.replace("_", " ").replace("url", "URL"), value)
        self._check_ordering()
        self._check_start()
        if self.now is not None and self.shift is not None:
            raise UsageError("now cannot go with shift: the one sets the clock, the other moves the data")
        _check_keys(self.api_keys)
        _check_origins(self.cors_origins)
        if self.control_token is not None and not _TOKEN.is_allowed(self.control_token):
            # A secret, so the message does not repeat it.
            raise UsageError(f"the control token is not allowed; allowed: {_TOKEN.allowed}")

    def _check_ordering(self) -> None:
        orderings = dict.fromkeys((*self.contract.orderings, "id"))
        is_text = isinstance(self.default_ordering, str)
        if not is_text or not {term.removeprefix("-") for term in self.ordering_terms} <= set(orderings):
            allowed = f"{', '.join(orderings)}, each with or without a leading '-', separated by commas"
            raise UsageError.invalid("default ordering", self.default_ordering, allowed)

    def _check_start(self) -> None:
        """Check scenario and faults, and write each fault as JSON, which can be hashed."""
        if self.scenario is not None:
            from mock_webshare.service.world import scenarios  # which imports this module

            choice(*scenarios.of(self.contract)).require("scenario", self.scenario)
        if self.faults != ():
            from mock_webshare.service.faults import read_texts

            object.__setattr__(self, "faults", read_texts(self.faults, self.contract))

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        try:
            from ipaddress import ip_address  # only for the control plane

            return ip_address(self.host).is_loopback
        except ValueError:  # a name
            return self.host == "localhost"

    @property
    def now_instant(self) -> int | None:
        """The instant of `now`; None if it is not set."""
        return None if self.now is None else parse_instant(self.now)

    @property
    def shifted_to(self) -> int | None:
        """The instant to which `shift` moves the data: now, or 9 o'clock today in Los Angeles; or None."""
        if self.shift is None:
            return None
        now = datetime.now(zone())
        moved = now if self.shift == "now" else now.replace(hour=9, minute=0, second=0, microsecond=0)
        return parse_instant(moved.isoformat())

    @property
    def ordering_terms(self) -> tuple[str, ...]:
        """The default ordering as terms: `-amount,id` is `("-amount", "id")`."""
        return tuple(term.strip() for term in self.default_ordering.split(","))


def _check_keys(keys: object) -> None:
    if not isinstance(keys, tuple):
        raise UsageError('API keys are not allowed as one text; allowed: a tuple of them, like ("key",)')
    for key in keys:
        require_key(key)
        if key == REFUSED_KEY:
            raise UsageError(f"the API key {key!r} is not allowed, for it is always refused; choose another")


def _check_origins(origins: object) -> None:
    if not isinstance(origins, tuple):
        allowed = 'a tuple of origins, like ("http://localhost:3000",)'
        raise UsageError.invalid("CORS origins", origins, allowed)
    for origin in origins:
        _CORS_ORIGIN.require("CORS origin", origin)


def require_key(key: object) -> None:
    """Raise `UsageError`, without the value, if no client could send it as a key."""
    if not _KEY.is_allowed(key):
        raise UsageError(f"an API key is not allowed; allowed: {_KEY.allowed}")
