"""Subject: what a probe requests of a contract, its first list and the detail of the same resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from mock_webshare.contract.model import Kind, Paging
from mock_webshare.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_webshare.contract.model import Contract, Endpoint, Field, Filter, Resource

Row = dict[str, Any]


class Undecidable(Exception):
    """A rule cannot be decided; the message says why, as a phrase."""


class Subject:
    """A list and the detail of its rows. Targets of requests name attributes of it in braces."""

    def __init__(self, contract: Contract) -> None:
        listing = next((each for each in contract.endpoints if each.kind is Kind.LIST), None)
        if listing is None:
            raise UsageError("the contract has no list; a probe starts from one")
        details = [each for each in contract.endpoints if each.is_detail]
        self._detail = next((each for each in details if each.resource == listing.resource), None)
        resource = contract.resource_of(listing)
        self.singular, self.plural = resource.singular, resource.name
        self.list, self.orderings, self.methods = listing.path, listing.orderings, listing.methods
        self.list_without_slash = self.list.rstrip("/")
        # Two levels up, where no segment can be the id of a row.
        self.unknown_route = self.list.rsplit("/", 3)[0] + "/mock-webshare-probe/"
        self.max_page_size = (listing.paging or Paging()).max_page_size
        self.large_page, self.larger_page = self.max_page_size + 1, self.max_page_size * 10
        self.fields = {each.name: each for each in contract.fields[self.plural]}
        self.has_text_ids = "id" in self.fields and self.fields["id"].type == "string"
        self.dates = [each.name for each in self.fields.values() if each.is_date]
        ordered = [self.fields[name] for name in self.orderings if name in self.fields]
        self.ordering = next(iter(self.orderings), None)
        self.tied_ordering = _tied_ordering(ordered)
        self.nullable_ordering = next((each.name for each in ordered if each.is_nullable), None)
        self.filter = next((each.name for each in _probed(listing.filters)), None)
        self.filter_without_nulls = _filter_without_nulls(resource, listing, self.nullable_ordering)

    def __getitem__(self, name: str) -> Any:
        """Return an attribute; raise `Undecidable` if the contract does not have it."""
        if not (value := getattr(self, name)):
            raise Undecidable(f"the list has no {name.replace('_', ' ')}")
        return value

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
        if value in each.choices:  # any other is not sent back to the service
            return str(value)
        raise Undecidable(f"the first {self.singular} has an undocumented {each.name}")


def _probed(filters: Sequence[Filter]) -> Sequence[Filter]:
    """Return the filters by a choice, or else those by a relation."""
    return [each for each in filters if each.choices] or filters


def _tied_ordering(fields: Sequence[Field]) -> str | None:
    """Return a field in which rows tie: the first of few values, or else the first."""
    few = [each for each in fields if each.choices or each.type == "boolean"]
    return next((each.name for each in (*few, *fields) if each.name != "id"), None)


def _filter_without_nulls(resource: Resource, listing: Endpoint, nullable: str | None) -> str | None:
    """Return the filter that selects the rows whose `nullable` is not null, if the list has it."""
    cycle, names = resource.lifecycle, [each.name for each in listing.filters]
    if cycle and cycle.ended_at == nullable and cycle.field in names:
        return urlencode({cycle.field: cycle.ended})
    return None
