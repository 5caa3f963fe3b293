"""Replay: a data set of the credits in recordings, each in its latest state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.contract.timestamps import parse_instant
from mock_webshare.exchange.limits import parsed
from mock_webshare.exchange.model import Exchange

_CHANNEL = ("referral_channel", "referral_channel_code")
Fits = Callable[[dict[str, Any]], bool]
"""Returns whether a data set can hold a credit that is valid by the schema, which has fewer limits."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The part of a recording that the mock server can serve."""

    document: Mapping[str, Any]
    """A data set: `{"credits": [wire objects], "channels": [{"id", "code"}]}`, both by ascending id."""
    left_out: int
    """The number of rows that are not what the documentation says a credit is."""


class _State(NamedTuple):
    """A credit as one response shows it; the newer of two is the one with the larger first three fields."""

    updated: int
    started: int
    """The instant at which the request was sent; -1 if it was not recorded."""
    order: int
    row: dict[str, Any]


def replay(exchanges: Iterable[Exchange], fits: Fits = lambda credit: True) -> Replay:
    """Return the data set of all credits in the responses.

    If a credit occurs several times, the state with the latest `updated_at` wins; if there are several, the
    one of the latest request. A row of the older edition, without the channel fields, gets null in them.
    Undocumented fields, which a data set cannot hold, and rows that break the schema are left out.
    """
    newest: dict[int, _State] = {}
    left_out = 0
    for order, (started, row) in enumerate(_rows(exchanges)):
        if (credit := _credit(row)) is None or not fits(credit):
            left_out += 1
            continue
        state = _State(parse_instant(credit["updated_at"]), started, order, credit)
        known = newest.get(credit["id"])
        newest[credit["id"]] = state if known is None else max(known, state, key=lambda each: each[:3])
    states = sorted(newest.values(), key=lambda each: each[:3])
    codes = {each.row["referral_channel"]: each.row["referral_channel_code"] for each in states}
    codes.pop(None, None)
    credits = [_with_code(each.row, codes) for each in states]
    document = {
        "credits": sorted(credits, key=lambda row: int(row["id"])),
        "channels": [{"id": channel, "code": code} for channel, code in sorted(codes.items())],
    }
    return Replay(document, left_out)


def _rows(exchanges: Iterable[Exchange]) -> Iterator[tuple[int, Any]]:
    """Yield the instant of the request (-1 if not recorded) and each object that may be a credit."""
    for exchange in exchanges:
        if exchange.status not in (None, 200):
            continue
        document = parsed(exchange.body)
        if not isinstance(document, dict):
            continue
        started = -1 if exchange.started is None else exchange.started
        results = document.get("results")
        if isinstance(results, list):
            yield from ((started, row) for row in results if _may_be_credit(row))
        elif _may_be_credit(document):
            yield started, document


def _may_be_credit(row: Any) -> bool:
    """Whether a row is meant as a credit; a recording may hold other objects, such as proxies."""
    return isinstance(row, dict) and "user_id" in row and "reverted_at" in row


def _credit(row: dict[str, Any]) -> dict[str, Any] | None:
    """Return the documented fields of a row; None if they break the schema."""
    if not any(name in row for name in _CHANNEL):
        row = row | dict.fromkeys(_CHANNEL)
    credit = {name: row[name] for name in _fields() if name in row}
    return credit if SERVICE_SCHEMAS.validator("referral-credit").is_valid(credit) else None


@cache
def _fields() -> tuple[str, ...]:
    return tuple(SERVICE_SCHEMAS.document("referral-credit")["properties"])


def _with_code(row: dict[str, Any], codes: Mapping[int, str]) -> dict[str, Any]:
    """Return a row with the newest code of its channel."""
    channel = row["referral_channel"]
    return row if channel is None else row | {"referral_channel_code": codes[channel]}
