"""State: what one account holds, as a value. A change makes a new account that shares what stays."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any

from mock_webshare.contract.endpoints import CREDIT_LIST, PENDING_DAYS
from mock_webshare.contract.model import Endpoint
from mock_webshare.contract.timestamps import DAY
from mock_webshare.service.data.dataset import Channel, Credit, Dataset
from mock_webshare.service.framework import query
from mock_webshare.service.framework.query import Criteria, Params
from mock_webshare.service.framework.rendering import render

_MOST_ORDERS, _MOST_VIEWS = 32, 8
_PERIOD = PENDING_DAYS * DAY


class Table:
    """The rows of one collection: each encoded once, each order of them computed once.

    So a page costs a page, however many rows there are. `positions(criteria, terms)` is
    `query.arrange` over the rows, remembered for the orders used last.
    """

    def __init__(self, rows: Sequence[Any], encoded: list[bytes | None] | None = None) -> None:
        self.rows = rows
        self._encoded: list[bytes | None] = encoded or [None] * len(rows)
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
        position = self._place(row_id)
        return position if position < len(self.rows) and self.rows[position].id == row_id else None

    def _place(self, row_id: int) -> int:
        return bisect_left(self.rows, row_id, key=attrgetter("id"))

    def with_row(self, row: Any) -> Table:
        """Return the table with a row, in the place of the one that has its id, if there is one."""
        position = self._place(row.id)
        following = position if self.find(row.id) is None else position + 1
        return self._spliced(position, following, [row])

    def without_row(self, row_id: int) -> Table:
        """Return the table without the row of an id."""
        position = self._place(row_id)
        return self._spliced(position, position + 1, [])

    def _spliced(self, start: int, stop: int, rows: list[Any]) -> Table:
        unknown: list[bytes | None] = [None] * len(rows)
        return Table(
            [*self.rows[:start], *rows, *self.rows[stop:]],
            [*self._encoded[:start], *unknown, *self._encoded[stop:]],
        )

    def mapped(self, change: Callable[[Any], Any]) -> Table:
        """Return the table with each row changed; a row that is returned as it is stays encoded."""
        rows = [change(row) for row in self.rows]
        pairs = zip(rows, self.rows, self._encoded, strict=True)
        return Table(rows, [body if new is old else None for new, old, body in pairs])


class Account:
    """What one account holds: a table for each collection, and the ids that it owns.

    `view(max_page_size, default_ordering)` is the `View` of it, one and the same for all who ask.
    `is_shared` tells whether many worlds may hold it: one that was made by a change is of one alone.
    """

    def __init__(self, credits: Table, channels: Sequence[Channel], *, is_shared: bool = False) -> None:
        self.is_shared = is_shared
        self.view = lru_cache(_MOST_VIEWS)(self._make_view)
        self.credits = credits
        self.channels = channels
        self.tables = {"credits": credits}
        self.owned: Mapping[str, Collection[int]] = {
            "channels": frozenset(channel.id for channel in channels)
        }

    @classmethod
    def of(cls, dataset: Dataset) -> Account:
        """Return the account that a data set describes."""
        return cls(Table(dataset.credits), dataset.channels, is_shared=True)

    def _make_view(self, max_page_size: int, default_ordering: tuple[str, ...]) -> View:
        return View(self, max_page_size, default_ordering)

    def at(self, now: int) -> Dataset:
        """Return the data set that describes the account, as of an instant."""
        return Dataset(credits=self.credits.rows, channels=self.channels, now=now)

    @cached_property
    def next_due(self) -> int | None:
        """The instant at which the first pending credit becomes available; None if none is pending."""
        pending = (credit for credit in self.credits.rows if credit.status == "pending")
        return min((credit.created_at + _PERIOD for credit in pending), default=None)

    def settled(self, now: int) -> Account:
        """Return the account as it is at an instant: what was pending long enough is available."""
        if self.next_due is None or self.next_due > now:
            return self
        return Account(self.credits.mapped(lambda credit: settle(credit, now)), self.channels)

    def with_credit(self, credit: Credit) -> Account:
        """Return the account with a credit, in the place of the one that has its id, if there is one."""
        return Account(self.credits.with_row(credit), self.channels)

    def without_credits(self, ids: Iterable[int]) -> Account:
        """Return the account without the credits of some ids."""
        table = self.credits
        for each in ids:
            table = table.without_row(each)
        return Account(table, self.channels)

    def with_channels(self, channels: Iterable[Channel]) -> Account:
        """Return the account with other channels and the same credits."""
        return Account(self.credits, sorted(channels))


class View:
    """All that an answer depends on besides the request, so answers are remembered by it."""

    __slots__ = ("account", "default_ordering", "paging")

    def __init__(self, account: Account, max_page_size: int, default_ordering: tuple[str, ...]) -> None:
        assert CREDIT_LIST.paging
        self.account = account
        self.paging = CREDIT_LIST.paging._replace(max_page_size=max_page_size)
        self.default_ordering = default_ordering

    def positions(self, endpoint: Endpoint, criteria: Criteria, params: Params) -> Sequence[int]:
        """Return the positions of the rows that match, in the order that the parameters ask for."""
        asked = params.get("ordering")
        terms = query.ordering_terms(asked, endpoint.orderings, self.default_ordering)
        return self.account.tables[endpoint.resource].positions(criteria, terms)


def settle(credit: Credit, now: int) -> Credit:
    """Given a credit and an instant, return it as it is then: available once its period has passed.

    `updated_at` becomes the moment at which it had (documented: `referral_payment_pending_days`).
    """
    due = credit.created_at + _PERIOD
    if credit.status != "pending" or due > now:
        return credit
    return credit._replace(status="available", updated_at=max(due, credit.updated_at))


def advance(dataset: Dataset, now: int) -> Dataset:
    """Given a data set and an instant, return it as it is then."""
    return replace(dataset, credits=[settle(credit, now) for credit in dataset.credits], now=now)
