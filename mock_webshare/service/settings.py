"""The settings of a stand-in, spelled alike in Python, on the command line and in the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from os import PathLike, fspath
from typing import NamedTuple

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import Contract, Paging
from mock_webshare.contract.timestamps import parse_instant
from mock_webshare.errors import UsageError

MOST_CREDITS = 1_000_000
MOST_ROWS = 10_000
"""The largest page that can be set: a page is one answer, made in memory."""
REFUSED_KEY = "invalid"
"""The one well-formed key that no stand-in accepts, so that a 401 can always be had."""
SCENARIO_PREFIX = "scenario:"
"""How the keys of scenarios begin."""

_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+|\[[A-Fa-f0-9:.]+\])(:([0-9]{1,5}))?/?", re.ASCII)
_LARGEST_PORT = 65535
_RATE = re.compile(r"([1-9][0-9]{0,8})/(s|sec|second|m|min|minute|h|hour|d|day)", re.ASCII)
_KEY = re.compile(r"[!-~]+")
_OPTIONAL_TEXTS = ("data", "now", "public_url")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class RateLimit(NamedTuple):
    """So many requests in so many seconds, for each key."""

    requests: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> RateLimit | None:
        """Given `240/min` (or `/s`, `/hour`, `/day`), return the limit; given `off`, return None."""
        if text == "off":
            return None
        if not (match := _RATE.fullmatch(text)):
            raise UsageError(
                f"rate limit {text!r:.80} is not allowed; allowed: off, or a number of requests for each "
                "sec, min, hour or day, like 240/min"
            )
        return cls(requests=int(match[1]), seconds=_SECONDS[match[2][0]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a stand-in is set up; the defaults are the service's, as far as they are known.

    Raise `UsageError` for a value that is not allowed.
    """

    host: str = "127.0.0.1"
    port: int = 8765  # 0: a free one
    seed: int = 0
    credits: int = 100
    data: str | PathLike[str] | None = (
        None  # a data set's file or name; None: generated from seed and credits
    )
    # Empty: every well-formed key but `invalid`. A secret, as the token is.
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    now: str | None = None  # ISO 8601 with offset; None: the moment at which the data set was taken
    max_page_size: int = Paging().max_page_size
    default_ordering: str = "id"
    rate_limit: str = "240/min"  # or off
    rate_limit_clock: str = "real"  # or world: by which clock the seconds of the limit pass
    # What the control plane asks for; None: nothing, but loopback only.
    control_token: str | None = field(default=None, repr=False)
    public_url: str | None = None  # None: links are built from each request's Host
    contract: Contract = field(default=WEBSHARE, repr=False)  # the service that is mocked

    def __post_init__(self) -> None:
        if isinstance(self.data, PathLike):
            object.__setattr__(self, "data", fspath(self.data))
        _require_whole("port", self.port, 0, _LARGEST_PORT, f"0 (a free one) to {_LARGEST_PORT}")
        _require_whole("credits", self.credits, 0, MOST_CREDITS)
        _require_whole("max page size", self.max_page_size, 1, MOST_ROWS)
        _require_whole("seed", self.seed, -(2**63), 2**63 - 1)
        for name in ("host", "default_ordering", "rate_limit", *_OPTIONAL_TEXTS):
            value = getattr(self, name)
            is_optional = name in _OPTIONAL_TEXTS
            is_text = isinstance(value, str) or (is_optional and value is None)
            _require(name.replace("_", " "), value, is_text, "a text")
        _require(
            "host",
            self.host,
            self.host.strip() != "" and self.host.isprintable(),
            "a host name or an IP address",
        )
        orderings = self.contract.orderings or ("id",)  # of no use where there are no lists
        _require(
            "default ordering",
            self.default_ordering,
            {term.removeprefix("-") for term in self.ordering_terms} <= set(orderings),
            f"{', '.join(orderings)}, each with or without a leading '-', separated by commas",
        )
        _require_keys(self.api_keys)
        _require_token(self.control_token)
        RateLimit.parse(self.rate_limit)
        _require(
            "rate limit clock",
            self.rate_limit_clock,
            self.rate_limit_clock in ("real", "world"),
            "real, world",
        )
        _ = self.now_instant
        _require(
            "public URL",
            self.public_url,
            self.public_url is None or _is_origin(self.public_url),
            "scheme and host only, like https://proxy.example.com, perhaps with a port up to 65535",
        )

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        try:
            from ipaddress import ip_address  # the control plane alone asks

            return ip_address(self.host).is_loopback
        except ValueError:  # a name
            return self.host == "localhost"

    @property
    def now_instant(self) -> int | None:
        """The instant that `now` names; None if it names none."""
        try:
            return None if self.now is None else parse_instant(self.now)
        except ValueError as error:
            raise UsageError(f"now {self.now!r} is not allowed: {error}") from error

    @property
    def ordering_terms(self) -> tuple[str, ...]:
        """The default ordering as terms: `-amount,id` is `("-amount", "id")`."""
        return tuple(term.strip() for term in self.default_ordering.split(","))


def _is_origin(url: str) -> bool:
    match = _ORIGIN.fullmatch(url)
    return match is not None and int(match[3] or 0) <= _LARGEST_PORT


def _require(name: str, value: object, is_allowed: bool, allowed: str) -> None:
    if not is_allowed:
        raise UsageError(f"{name} {value!r:.80} is not allowed; allowed: {allowed}")


def _require_whole(name: str, value: object, least: int, most: int, allowed: str = "") -> None:
    # bool is a subclass of int, and True is no port.
    is_allowed = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
    _require(name, value, is_allowed, allowed or f"{least} to {most}")


def _require_keys(keys: object) -> None:
    """Refuse what no request could carry; the value is a secret, so it is not repeated."""
    if not isinstance(keys, tuple):
        raise UsageError('API keys are not allowed as one text; allowed: a tuple of them, like ("key",)')
    for key in keys:
        require_key(key)
        if key == REFUSED_KEY:
            raise UsageError(f"the API key {key!r} is not allowed, for it is always refused; choose another")


def require_key(key: object) -> None:
    """Raise `UsageError` for what no client could send as a key; it is a secret, so it is not repeated."""
    if not (isinstance(key, str) and _KEY.fullmatch(key)):
        raise UsageError("an API key is not allowed; allowed: one word of visible ASCII characters")


def _require_token(token: object) -> None:
    """Refuse what no header could carry; the value is a secret, so it is not repeated."""
    if token is not None and not (isinstance(token, str) and re.fullmatch(r"[!-~]{8,200}", token)):
        raise UsageError(
            "the control token is not allowed; allowed: one word of 8 to 200 visible ASCII characters"
        )
