"""State: a world for each API key, all over one account that they share until one changes it."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import attrgetter
from typing import Any

from mock_webshare import query
from mock_webshare.contract import PENDING_DAYS
from mock_webshare.dataset import Dataset
from mock_webshare.instants import DAY
from mock_webshare.query import Criteria
from mock_webshare.rendering import render
from mock_webshare.settings import REFUSED_KEY, RateLimit, Settings
from mock_webshare.throttle import Throttle

MOST_WORLDS = 10_000
_MOST_ORDERS = 32


class Table:
    """The rows of one collection: each encoded once, each order of them computed once.

    So a page costs a page, however many rows there are. `positions(criteria, terms)` is
    `query.arrange` over the rows, remembered for the orders used last.
    """

    def __init__(self, rows: Sequence[Any]) -> None:
        self.rows = rows
        self._encoded: list[bytes | None] = [None] * len(rows)
        self.positions = lru_cache(_MOST_ORDERS)(self._arrange)

    def _arrange(self, criteria: Criteria, terms: tuple[str, ...]) -> Sequence[int]:
        return query.arrange(self.rows, criteria, terms)

    def encoded(self, position: int) -> bytes:
        """Given the position of a row, return the JSON of it."""
        if (body := self._encoded[position]) is None:
            body = self._encoded[position] = render(self.rows[position].wire())
        return body

    def find(self, row_id: int) -> int | None:
        """Given an id, return the position of its row, or None."""
        position = bisect_left(self.rows, row_id, key=attrgetter("id"))
        return position if position < len(self.rows) and self.rows[position].id == row_id else None


class Account:
    """What one account holds: a table for each collection, and the ids that it owns."""

    def __init__(self, dataset: Dataset) -> None:
        self.tables = {"credits": Table(dataset.credits)}
        self.owned: Mapping[str, Collection[int]] = {
            "channels": frozenset(channel.id for channel in dataset.channels)
        }


@dataclass(slots=True)
class World:
    """All that belongs to one key: what its account holds, and which of its requests still count."""

    account: Account
    throttle: Throttle | None  # None: no rate limit


class Worlds:
    """The worlds by key, made on first use; of too many, the one not used for longest goes."""

    def __init__(self, dataset: Dataset, settings: Settings) -> None:
        self._account = Account(dataset)
        self._limit = RateLimit.parse(settings.rate_limit)
        self._keys = frozenset(settings.api_keys)
        self._worlds: OrderedDict[str, World] = OrderedDict()

    def get(self, key: str) -> World | None:
        """Given a well-formed key, return its world, or None if the key is not known."""
        world = self._worlds.get(key)
        if world is None:
            if key == REFUSED_KEY or (self._keys and key not in self._keys):
                return None
            throttle = Throttle(self._limit) if self._limit else None
            world = self._worlds[key] = World(self._account, throttle)
            if len(self._worlds) > MOST_WORLDS:
                self._worlds.popitem(last=False)
        self._worlds.move_to_end(key)
        return world


def advance(dataset: Dataset, now: int) -> Dataset:
    """Given a data set and an instant, return it as it is then: what was pending long enough is available.

    `updated_at` becomes the moment at which the period had passed (documented:
    `referral_payment_pending_days`).
    """
    period = PENDING_DAYS * DAY

    def settled(credit: Any) -> Any:
        due = credit.created_at + period
        if credit.status != "pending" or due > now:
            return credit
        return credit._replace(status="available", updated_at=max(due, credit.updated_at))

    return replace(dataset, credits=[settled(credit) for credit in dataset.credits])
