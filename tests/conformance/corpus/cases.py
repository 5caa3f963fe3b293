"""What a case is, how tables become cases, and the values that many tables share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from zlib import crc32

from tests.conformance.wire import HOST, KEY, Request

V = TypeVar("V")
Table = Mapping[str, tuple[int, tuple[V, ...]]]

LIST = "/api/v2/referral/credit/"
ONE = LIST + "1/"
BRIEF = LIST + "?page_size=1&page=2"
"""A list in few bytes that nevertheless has both links."""

CONFIG = "/api/v2/referral/config/"
CHANNELS = "/api/v2/referral/channel/"
EARNOUTS = "/api/v2/referral/earnout/"
EARNOUT = EARNOUTS + "501/"
INFO = "/api/v2/referral/code/info/"
COUPON = "/api/v2/referral/coupon-code/"
CODE = "zxjp2vd2r8vv"
"""The referral code of the config of `dataset.py`."""

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"

NINES = "9" * 4300
ONES = "0" * 4299 + "1"
MANY = "&" * 1000
"""One parameter too many for Django, which counts the separators."""


@dataclass(frozen=True, slots=True)
class Case:
    """One request, the rule that it is about, and the status that the rule says."""

    rule: str
    name: str
    status: int
    request: Request

    @property
    def id(self) -> str:
        """What the case is called in a report; a long name is cut."""
        name = self.name if len(self.name) <= 80 else f"{self.name[:60]}…{len(self.name)} characters"
        return f"{self.rule}: {name}"


def table_cases(table: Table[V], build: Callable[[V], Request]) -> Iterator[Case]:
    """Given a table and how a request is made of one of its values, yield its cases."""
    for rule, (status, values) in table.items():
        for value in values:
            yield Case(rule, value if isinstance(value, str) else repr(value), status, build(value))


def listed_cases(rule: str, rows: tuple[tuple[str, int, Request], ...]) -> Iterator[Case]:
    """Given a rule and its named requests, yield its cases."""
    for name, status, request in rows:
        yield Case(rule, name, status, request)


def with_body(target: str, method: str, body: bytes, kind: str | None = JSON) -> Request:
    """Return a request with a body of a `Content-Type`, or of none, that changes no other one's state.

    Its key is one of its own, the same for the same request: what it changes is that key's.
    """
    kinds = () if kind is None else (("Content-Type", kind),)
    framing = ("Content-Length", str(len(body)))
    return with_own_key(Request(target, method, (HOST, KEY, *kinds, framing), body))


def with_own_key(request: Request) -> Request:
    """Return a request with a key that no other request of the corpus has."""
    key = ("Authorization", f"Token own-{crc32(bytes(request)):08x}")
    return replace(request, headers=tuple(key if each == KEY else each for each in request.headers))
