"""Subject: what a probe requests of a contract, its first list and the detail of the same resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from mock_webshare.contract.model import Kind, Paging
from mock_webshare.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_webshare.contract.model import Contract, Field, Filter

Row = dict[str, Any]


class Undecidable(Exception):
    """A rule cannot be decided; the message says why, as a phrase."""


class Subject:
    """A list and the detail of its rows; its items are what the targets of requests name in braces."""

    def __init__(self, contract: Contract) -> None:
        listing = next((each for each in contract.endpoints if each.kind is Kind.LIST), None)
        if listing is None:
            raise UsageError("the contract has no list; a probe starts from one")
        details = (
            each for each in contract.endpoints if each.is_detail and each.resource == listing.resource
        )
        self._detail = next(details, None)
        self._resource = contract.resource_of(listing)
        self.singular, self.plural = self._resource.singular, self._resource.name
        self.fields = {each.name: each for each in contract.fields[self.plural]}
        self.dates = [each.name for each in self.fields.values() if each.is_date]
        self.id_type = str if self.fields["id"].type == "string" else int
        self.path, self.orderings, self.methods = listing.path, listing.orderings, listing.methods
        self.max_page_size = (listing.paging or Paging()).max_page_size
        self.large_page, self.larger_page = self.max_page_size + 1, self.max_page_size * 10
        self.filter_of_nulls = self._filter_of_nulls(listing.filters)
        self._items = self._make_items(listing.filters)

    def __getitem__(self, name: str) -> Any:
        """Return an item; raise `Undecidable` if the contract does not have it."""
        if self._items[name] is None:
            raise Undecidable(f"the list has no {name.replace('_', ' ')}")
        return self._items[name]

    def _make_items(self, filters: Sequence[Filter]) -> dict[str, Any]:
        fields = self._fields_to_order_by()
        # Those of few values first.
        ties = sorted(fields, key=lambda each: not (each.choices or each.type == "boolean"))
        return {
            "list": self.path,
            "list_without_slash": self.path.rstrip("/"),
            # Two levels up, where no segment can be the id of a row.
            "unknown_route": self.path.rsplit("/", 3)[0] + "/mock-webshare-probe/",
            "max_page_size": self.max_page_size,
            "large_page": self.large_page,
            "larger_page": self.larger_page,
            "dates": self.dates or None,
            "filter": next((each.name for each in _probed(filters)), None),
            "filter_of_nulls": self.filter_of_nulls,
            "ordering": next(iter(self.orderings), None),
            "tied_ordering": next((each.name for each in ties if each.name != "id"), None),
            "nullable_ordering": next((each.name for each in fields if each.is_nullable), None),
        }

    def _fields_to_order_by(self) -> list[Field]:
        return [self.fields[name] for name in self.orderings if name in self.fields]

    def _filter_of_nulls(self, filters: Sequence[Filter]) -> str | None:
        """Return the filter for the rows whose value of the nullable ordering is not null, if any."""
        nullable = [each.name for each in self._fields_to_order_by() if each.is_nullable]
        cycle, names = self._resource.lifecycle, [each.name for each in filters]
        if cycle and [cycle.ended_at] == nullable[:1] and cycle.field in names:
            return urlencode({cycle.field: cycle.ended})
        return None

    def selected(self, row: Row) -> str:
        """Return the target of a row, with filters that select it: those of the two targets below."""
        filters = self._detail_filters()
        return self._target(
            row, {each.name: self._selecting(each, row) for each in (filters[-1], filters[0])}
        )

    def excluded(self, row: Row) -> str:
        """Return the target of a row, with a filter that excludes it."""
        last = self._detail_filters()[-1]
        for value in last.choices or ("",):
            if value != (row.get(last.name) or ""):
                return self._target(row, {last.name: value})
        raise Undecidable(f"every {last.name} selects the first {self.singular}")

    def refused(self, row: Row) -> str:
        """Return the target of a row, with a filter whose value is refused."""
        return self._target(row, {self._detail_filters()[0].name: "bogus"})

    def _detail_filters(self) -> Sequence[Filter]:
        filters = _probed(self._detail.filters) if self._detail else ()
        if not filters:
            raise Undecidable(f"a single {self.singular} cannot be requested with a filter")
        return filters

    def _target(self, row: Row, filters: dict[str, str]) -> str:
        assert self._detail
        path = self._detail.path.format(id=quote(str(row["id"]), safe=""))
        return f"{path}?{urlencode(filters)}"

    def _selecting(self, each: Filter, row: Row) -> str:
        value = row.get(each.name)
        if each.resource and (value is None or type(value) is int):
            return "" if value is None else str(value)
        if value in each.choices:  # what is not documented has no place in a URL of ours
            return str(value)
        raise Undecidable(f"the first {self.singular} has a {each.name} that is not documented")


def _probed(filters: Sequence[Filter]) -> Sequence[Filter]:
    """Return the filters by a choice, or else those by a relation."""
    return [each for each in filters if each.choices] or filters
