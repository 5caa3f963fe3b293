"""An account: an immutable value; a change makes a new one that shares most of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from operator import attrgetter
from typing import Any

from mock_webshare.contract.model import Contract, Endpoint, Paging, Reference, Resource
from mock_webshare.errors import Conflict, pluralize
from mock_webshare.service.data import settlement
from mock_webshare.service.data.computed import COMPUTED, Compute, Tables
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.data.resources import size_of
from mock_webshare.service.framework import query
from mock_webshare.service.framework.query import Criteria, Params
from mock_webshare.service.framework.response import render

_ORDERS, _VIEWS = 32, 8  # sizes of the caches of a table and of an account
_ORDERS_CHANGED = 8  # size of the cache of a changed table, which only one world uses
_SAMPLE = 1000  # rows that are counted if there are more
_TABLE_BYTES = 6144  # of a changed table besides its rows; most are in caches: its own, and its account's
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
        """Return the JSON of the row at a position, without fields that are only stored."""
        if (body := self._encoded[position]) is None:
            body = self._encoded[position] = render(self.rows[position].sent())
        return body

    @cached_property
    def ids(self) -> frozenset[int]:
        return frozenset(row.id for row in self.rows)

    @property
    def size(self) -> int:
        """About how many bytes the table takes besides its origin.

        A changed row shares values with the row that it replaces, so most of its bytes are its JSON.
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
        """Return the table with `change(row)` in place of each row; rows returned unchanged stay encoded."""
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
        if 2 * len(added) > len(rows):  # it shares few rows, so it becomes an origin for other tables
            return Table(rows, encoded, own=size * len(rows) // len(added))
        origin = self.origin or self
        before = self._own or 0 if self.origin else 0
        freed = _total(lambda row: 0 if origin.has(row) else size_of(row), removed)
        return Table(rows, encoded, origin=origin, own=max(before + size - freed, 0))

    def has(self, row: Any) -> bool:
        """Return whether the table has this same object, and not just an equal row."""
        position = self.find(row.id)
        return position is not None and self.rows[position] is row


def _without_computed(tables: Tables) -> Compute:
    return lambda row: {}


def _total(size: Callable[[Any], int], rows: Sequence[Any]) -> int:
    """Return the sum of the sizes of rows, estimated from a sample if they are many."""
    sample = rows[:: len(rows) // _SAMPLE + 1]
    return sum(map(size, sample)) * len(rows) // max(len(sample), 1)


class Account:
    """A table for each resource.

    `view(…)` makes a `View` of the account, the same one for equal arguments. An account is shared by many
    worlds (`is_shared`), or the result of a change and used by one world only.
    """

    def __init__(self, contract: Contract, tables: Mapping[str, Table], *, is_shared: bool = False) -> None:
        self.contract = contract
        self.tables = tables
        self.is_shared = is_shared
        self.view = lru_cache(_VIEWS)(partial(View, self))
        self._computes: dict[str, Compute] = {}

    @classmethod
    def of(cls, dataset: Dataset) -> Account:
        tables = {name: Table(rows, own=dataset.sizes.get(name)) for name, rows in dataset.rows.items()}
        return cls(dataset.contract, tables, is_shared=True)

    def at(self, now: int) -> Dataset:
        """Return the rows of the account, unchanged, as a data set whose time is `now`."""
        return Dataset(self.contract, self.rows, now)

    def owned(self, endpoint: Endpoint) -> dict[str, Collection[int]]:
        """Return the ids to which the filters of an endpoint can refer, by the resource of the ids."""
        return {each.resource: self.tables[each.resource].ids for each in endpoint.filters if each.resource}

    def encoder(self, endpoint: Endpoint) -> Callable[[int], bytes]:
        """Return a function that returns the JSON of the row at a position, as an endpoint serves it."""
        if endpoint.path in self.contract.served_as_stored:
            return self.tables[endpoint.resource].encoded
        return lambda position: self._encode(endpoint, position)

    def _encode(self, endpoint: Endpoint, position: int) -> bytes:
        row = self.tables[endpoint.resource].rows[position]
        values = {**row.sent(), **self._compute(endpoint.resource)(row)}
        return render({field.name: values[field.name] for field in self.contract.served[endpoint.path]})

    def _compute(self, resource: str) -> Compute:
        """Return the function that computes fields of rows of a resource, made once for the account."""
        if resource not in self._computes:
            self._computes[resource] = COMPUTED.get(resource, _without_computed)(self.tables)
        return self._computes[resource]

    @cached_property
    def rows(self) -> Mapping[str, Sequence[Any]]:
        return {name: table.rows for name, table in self.tables.items()}

    @cached_property
    def next_due(self) -> int | None:
        """The first instant at which time changes a row; None if it never does."""
        return settlement.next_due(self.contract, self.rows)

    def settled(self, now: int) -> Account:
        """Return the account as of an instant, with all changes that are due by then."""
        if self.next_due is None or self.next_due > now:
            return self
        ripe = {
            name: self.tables[name].mapped(
                partial(settlement.ripened, life=life, lasting=settlement.period(life, self.rows), now=now)
            )
            for name, life in settlement.lifecycles(self.contract)
        }
        account = Account(self.contract, {**self.tables, **ripe})
        for name, rows in settlement.paid(self.contract, account.rows, now).items():
            for row in rows:
                if not account.tables[name].has(row):
                    account = account.with_row(self.contract.resources[name], row)
        return account

    def with_row(self, resource: Resource, row: Any) -> Account:
        """Return the account with a row added, or replaced if there is one with its id.

        Rows that refer to this row have copies of its fields; these copies are updated too.
        """
        table = Table([row]) if resource.is_object else self.tables[resource.name].with_row(row)
        tables = {**self.tables, resource.name: table}
        for each, reference in self._references_to(resource):
            if any(_is_stale(other, reference, row) for other in tables[each.name].rows):
                tables[each.name] = tables[each.name].mapped(partial(_copied, reference, row))
        return Account(self.contract, tables)

    def without_row(self, resource: Resource, row_id: int) -> Account:
        """Return the account without a row; raise `Conflict` if other rows refer to it."""
        for each, reference in self._references_to(resource):
            rows = self.tables[each.name].rows
            number = sum(getattr(row, reference.field) == row_id for row in rows)
            if each is resource:  # a row that refers to itself can be removed, and its reference with it
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
    """Return whether a row refers to `source`, and its copy of a field of `source` is out of date."""
    if getattr(row, reference.field) != source.id:
        return False
    return bool(getattr(row, reference.copy) != getattr(source, reference.source))


def _copied(reference: Reference, source: Any, row: Any) -> Any:
    if not _is_stale(row, reference, source):
        return row
    return row._replace(**{reference.copy: getattr(source, reference.source)})


class View:
    """All that a response depends on besides the request; responses are cached by it."""

    __slots__ = ("account", "default_ordering", "max_page_size", "unknown_code")

    def __init__(
        self,
        account: Account,
        max_page_size: int,
        default_ordering: tuple[str, ...],
        unknown_code: int = 404,
    ) -> None:
        self.account = account
        self.max_page_size = max_page_size
        self.unknown_code = unknown_code
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
