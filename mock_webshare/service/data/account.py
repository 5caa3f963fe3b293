"""An account: an immutable value; a change makes a new one that shares most of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from operator import attrgetter
from typing import Any

from mock_webshare.contract.model import Contract, Endpoint, Lifecycle, Paging, Reference, Resource
from mock_webshare.contract.timestamps import DAY
from mock_webshare.errors import Conflict, pluralize
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.data.resources import UPDATED_AT, size_of
from mock_webshare.service.framework import query
from mock_webshare.service.framework.query import Criteria, Params
from mock_webshare.service.framework.response import render

_ORDERS, _VIEWS = 32, 8  # sizes of the caches of a table and of an account
_ORDERS_CHANGED = 8  # the same of a changed table, which only one world uses
_SAMPLE = 1000  # rows that are counted if there are more
_TABLE_BYTES = 6144  # of a changed table besides its rows; most are in the caches of it and its account
_POSITION_BYTES = 8 * (2 + _ORDERS_CHANGED)  # of a row in the lists of a table, and in its orders


class Table:
    """The rows of one resource, by ascending id, with the JSON of each, encoded once.

    `positions(criteria, terms)` is `query.arrange` over the rows, cached for the orders used last, so the
    cost of a page does not depend on the number of rows.

    A changed table shares most rows with its `origin`, which it keeps in memory; None: it shares none.
    """

    def __init__(
        self,
        rows: Sequence[Any],
        encoded: list[bytes | None] | None = None,
        *,
        origin: Table | None = None,
        own: int | None = None,
    ) -> None:
        self.rows = rows
        self._encoded: list[bytes | None] = encoded or [None] * len(rows)
        self.origin = origin
        self._own = own
        self.positions = lru_cache(_ORDERS_CHANGED if origin else _ORDERS)(partial(query.arrange, rows))

    def encoded(self, position: int) -> bytes:
        """Return the JSON of the row at a position."""
        if (body := self._encoded[position]) is None:
            body = self._encoded[position] = render(self.rows[position].wire())
        return body

    @cached_property
    def ids(self) -> frozenset[int]:
        return frozenset(row.id for row in self.rows)

    @property
    def size(self) -> int:
        """About how many bytes it takes besides its origin.

        A changed row has the values of the row before, so that most of what it takes is its JSON.
        """
        if self._own is None:
            self._own = sum(map(size_of, self.rows))
        return _TABLE_BYTES + _POSITION_BYTES * len(self.rows) + self._own

    def find(self, row_id: int) -> int | None:
        position = self._place(row_id)
        return position if position < len(self.rows) and self.rows[position].id == row_id else None

    def _place(self, row_id: int) -> int:
        return bisect_left(self.rows, row_id, key=attrgetter("id"))

    def with_row(self, row: Any) -> Table:
        """Return the table with a row added, or replaced if there is one with its id."""
        position = self._place(row.id)
        following = position if self.find(row.id) is None else position + 1
        return self._spliced(position, following, [row])

    def without_row(self, row_id: int) -> Table:
        """Return the table without the row with an id."""
        position = self._place(row_id)
        return self._spliced(position, position + 1, [])

    def _spliced(self, start: int, stop: int, rows: list[Any]) -> Table:
        unknown: list[bytes | None] = [None] * len(rows)
        return self._changed(
            [*self.rows[:start], *rows, *self.rows[stop:]],
            [*self._encoded[:start], *unknown, *self._encoded[stop:]],
            added=rows,
            removed=self.rows[start:stop],
        )

    def mapped(self, change: Callable[[Any], Any]) -> Table:
        """Return the table with each row changed; unchanged ones stay encoded."""
        rows = [change(row) for row in self.rows]
        places = [place for place, row in enumerate(rows) if row is not self.rows[place]]
        encoded = self._encoded.copy()
        for place in places:
            encoded[place] = None
        added, removed = [rows[place] for place in places], [self.rows[place] for place in places]
        return self._changed(rows, encoded, added, removed)

    def _changed(
        self, rows: list[Any], encoded: list[bytes | None], added: Sequence[Any], removed: Sequence[Any]
    ) -> Table:
        size = _total(size_of, added)
        if 2 * len(added) > len(rows):  # it shares so little that other tables can share its own rows
            return Table(rows, encoded, own=size * len(rows) // len(added))
        origin = self.origin or self
        before = self._own or 0 if self.origin else 0
        freed = _total(lambda row: 0 if origin.has(row) else size_of(row), removed)
        return Table(rows, encoded, origin=origin, own=max(before + size - freed, 0))

    def has(self, row: Any) -> bool:
        """Return whether the table has this same object, and not just an equal row."""
        position = self.find(row.id)
        return position is not None and self.rows[position] is row


def _total(size: Callable[[Any], int], rows: Sequence[Any]) -> int:
    """Return the sum of the sizes of rows, estimated from a sample if they are many."""
    sample = rows[:: len(rows) // _SAMPLE + 1]
    return sum(map(size, sample)) * len(rows) // max(len(sample), 1)


class Account:
    """A table for each resource.

    `view(max_page_size, default_ordering)` is its `View`, the same one for equal arguments. An account is
    shared by many worlds (`is_shared`), or the result of a change and used by one world only.
    """

    def __init__(self, contract: Contract, tables: Mapping[str, Table], *, is_shared: bool = False) -> None:
        self.contract = contract
        self.tables = tables
        self.is_shared = is_shared
        self.view = lru_cache(_VIEWS)(partial(View, self))

    @classmethod
    def of(cls, dataset: Dataset) -> Account:
        tables = {name: Table(rows, own=dataset.sizes.get(name)) for name, rows in dataset.rows.items()}
        return cls(dataset.contract, tables, is_shared=True)

    def at(self, now: int) -> Dataset:
        """Return the data set of the account at an instant."""
        return Dataset(self.contract, {name: table.rows for name, table in self.tables.items()}, now)

    def owned(self, endpoint: Endpoint) -> dict[str, Collection[int]]:
        """Return the ids by resource to which the filters of an endpoint can refer."""
        return {each.resource: self.tables[each.resource].ids for each in endpoint.filters if each.resource}

    @cached_property
    def next_due(self) -> int | None:
        """The instant at which the first pending row ripens; None if none is pending."""
        due = (
            row.created_at + life.period * DAY
            for name, life in _lifecycles(self.contract)
            for row in self.tables[name].rows
            if getattr(row, life.field) == life.pending
        )
        return min(due, default=None)

    def settled(self, now: int) -> Account:
        """Return the account at an instant: rows are ripe if their period has passed."""
        if self.next_due is None or self.next_due > now:
            return self
        settled = {
            name: self.tables[name].mapped(partial(settle, life=life, now=now))
            for name, life in _lifecycles(self.contract)
        }
        return Account(self.contract, {**self.tables, **settled})

    def with_row(self, resource: Resource, row: Any) -> Account:
        """Return the account with a row added, or replaced if there is one with its id.

        Copies of its fields in rows that refer to it are updated.
        """
        table = Table([row]) if resource.is_object else self.tables[resource.name].with_row(row)
        tables = {**self.tables, resource.name: table}
        for each, reference in self._references_to(resource):
            if any(_is_stale(other, reference, row) for other in tables[each.name].rows):
                tables[each.name] = tables[each.name].mapped(partial(_copied, reference, row))
        return Account(self.contract, tables)

    def without_row(self, resource: Resource, row_id: int) -> Account:
        """Return the account without a row; raise `Conflict` if others refer to it."""
        for each, reference in self._references_to(resource):
            rows = self.tables[each.name].rows
            number = sum(getattr(row, reference.field) == row_id for row in rows)
            if each is resource:  # a row that names itself goes with the reference
                number -= any(row.id == row_id == getattr(row, reference.field) for row in rows)
            if number:
                named = f"{resource.singular} {row_id} is named by {pluralize(number, each.singular)}"
                raise Conflict(f"{named}; change what names it first")
        table = self.tables[resource.name].without_row(row_id)
        return Account(self.contract, {**self.tables, resource.name: table})

    def _references_to(self, resource: Resource) -> Iterator[tuple[Resource, Reference]]:
        for each in self.contract.resources.values():
            for reference in each.references:
                if reference.resource == resource.name:
                    yield each, reference


def _is_stale(row: Any, reference: Reference, source: Any) -> bool:
    """Return whether a row refers to another one, and has an old copy of its field."""
    if getattr(row, reference.field) != source.id:
        return False
    return bool(getattr(row, reference.copy) != getattr(source, reference.source))


def _copied(reference: Reference, source: Any, row: Any) -> Any:
    if not _is_stale(row, reference, source):
        return row
    return row._replace(**{reference.copy: getattr(source, reference.source)})


class View:
    """All that a response depends on besides the request; responses are cached by it."""

    __slots__ = ("account", "default_ordering", "max_page_size")

    def __init__(self, account: Account, max_page_size: int, default_ordering: tuple[str, ...]) -> None:
        self.account = account
        self.max_page_size = max_page_size
        self.default_ordering = default_ordering

    def table(self, endpoint: Endpoint) -> Table:
        """Return the rows that an endpoint serves."""
        return self.account.tables[endpoint.resource]

    def paging(self, endpoint: Endpoint) -> Paging:
        assert endpoint.paging
        return endpoint.paging._replace(max_page_size=self.max_page_size)

    def positions(self, endpoint: Endpoint, criteria: Criteria, params: Params) -> Sequence[int]:
        """Return the positions of the rows that match, in the requested order."""
        default = tuple(
            term for term in self.default_ordering if term.removeprefix("-") in endpoint.orderings
        )
        terms = query.ordering_terms(params.get("ordering"), endpoint.orderings, default)
        return self.table(endpoint).positions(criteria, terms)


def _lifecycles(contract: Contract) -> Iterator[tuple[str, Lifecycle]]:
    for name, resource in contract.resources.items():
        if resource.lifecycle:
            yield name, resource.lifecycle


def settle(row: Any, life: Lifecycle, now: int) -> Any:
    """Return a row at an instant: ripe if its pending period has passed by then.

    `updated_at` becomes the end of the period (documented: `referral_payment_pending_days`).
    """
    due = row.created_at + life.period * DAY
    if getattr(row, life.field) != life.pending or due > now:
        return row
    updated = {UPDATED_AT: max(due, row.updated_at or due)} if hasattr(row, UPDATED_AT) else {}
    return row._replace(**{life.field: life.ripe, **updated})


def advance(dataset: Dataset, now: int) -> Dataset:
    """Return a data set at an instant: rows are ripe if their period has passed."""
    # Not as an account, which would stay in memory until the next search for cycles.
    settled = {
        name: [settle(row, life, now) for row in dataset.rows[name]]
        for name, life in _lifecycles(dataset.contract)
    }
    return replace(dataset, rows={**dataset.rows, **settled}, now=now)
