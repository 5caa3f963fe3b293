"""The settings of a stand-in, spelled alike in Python, on the command line and in the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from mock_webshare.contract import CREDIT_LIST
from mock_webshare.errors import UsageError

MOST_CREDITS = 1_000_000
REFUSED_KEY = "invalid"
"""The one well-formed key that no stand-in accepts, so that a 401 can always be had."""

_RATE = re.compile(r"([1-9][0-9]{0,8})/(s|sec|second|m|min|minute|h|hour|d|day)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class RateLimit:
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
                f"rate limit {text!r} is not allowed; allowed: off, or a number of requests for each "
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
    data: str | None = None  # a data set's file or name; None: generated from seed and credits
    api_keys: tuple[str, ...] = ()  # empty: every well-formed key but `invalid`
    now: str | None = None  # ISO 8601 with offset; None: the moment at which the data set was taken
    max_page_size: int = 100
    default_ordering: str = "id"
    rate_limit: str = "240/min"  # or off
    public_url: str | None = None  # None: links are built from each request's Host

    def __post_init__(self) -> None:
        _require("port", self.port, 0 <= self.port <= 65535, "0 (a free one) to 65535")
        _require("credits", self.credits, 0 <= self.credits <= MOST_CREDITS, f"0 to {MOST_CREDITS}")
        _require("max page size", self.max_page_size, self.max_page_size >= 1, "1 or more")
        _require("host", self.host, self.host.strip() != "", "a host name or an IP address")
        orderings = CREDIT_LIST.orderings
        terms = [term.removeprefix("-") for term in self.ordering_terms]
        _require(
            "default ordering",
            self.default_ordering,
            bool(terms) and set(terms) <= set(orderings),
            f"{', '.join(orderings)}, each with or without a leading '-', separated by commas",
        )
        for key in self.api_keys:
            # The value is a secret, perhaps a real key given by mistake: it is not repeated.
            if not re.fullmatch(r"[!-~]+", key, re.ASCII) or key == REFUSED_KEY:
                raise UsageError(
                    f"an API key is not allowed; allowed: one word of visible ASCII characters, "
                    f"except {REFUSED_KEY!r}, which is always refused"
                )
        RateLimit.parse(self.rate_limit)
        if self.public_url is not None:
            _require("public URL", self.public_url, _is_origin(self.public_url), "scheme and host only, "
                     "like https://proxy.example.com")  # fmt: skip

    @property
    def ordering_terms(self) -> tuple[str, ...]:
        """The default ordering as terms: `-amount,id` is `("-amount", "id")`."""
        return tuple(term.strip() for term in self.default_ordering.split(","))


def _require(name: str, value: object, is_allowed: bool, allowed: str) -> None:
    if not is_allowed:
        raise UsageError(f"{name} {value!r} is not allowed; allowed: {allowed}")


def _is_origin(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        has_port
        and parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and url.isascii()
        and parts.path in ("", "/")
        and not parts.query
        and not parts.fragment
    )
