"""Responses: what a service returned to the requests of a probe, and the subject of the requests."""

from __future__ import annotations

from contextlib import suppress
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

from mock_webshare.contract.endpoints import PAGES
from mock_webshare.contract.model import Kind
from mock_webshare.errors import UsageError
from mock_webshare.exchange.limits import parsed
from mock_webshare.judge.model.finding import excerpt, printable, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mock_webshare.contract.model import Contract, Endpoint, Field, Filter, Resource
    from mock_webshare.exchange.model import Exchange

Row = dict[str, Any]


def _unknown(endpoint: Endpoint) -> str:
    """Return path and query of a lookup that finds nothing."""
    assert endpoint.lookup
    return f"{endpoint.path}?{endpoint.lookup.name}=mock-webshare-probe"


class Undecidable(Exception):
    """A rule cannot be decided; the message is a phrase with the reason."""


class Subject:
    """The list that a probe requests, and the detail of its rows. Targets name its attributes in braces."""

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
        self.lookup = next((_unknown(each) for each in contract.endpoints if each.lookup), None)
        self.max_page_size = (listing.paging or PAGES).max_page_size
        self.large_page, self.larger_page = self.max_page_size + 1, self.max_page_size * 10
        self.fields = {each.name: each for each in contract.served[listing.path]}
        self.has_text_ids = "id" in self.fields and self.fields["id"].type == "string"
        self.dates = [each.name for each in self.fields.values() if each.is_date]
        self.past_dates = [name for name in self.dates if name not in resource.ahead]
        self.date_orders = [pair for each in resource.date_orders for pair in combinations(each.dates, 2)]
        ordered = [self.fields[name] for name in self.orderings if name in self.fields]
        self.ordering = next(iter(self.orderings), None)
        self.tied_ordering = _tied_ordering(ordered)
        self.nullable_ordering = next((each.name for each in ordered if each.is_nullable), None)
        self.filter = next((each.name for each in _probed(listing.filters)), None)
        self.filter_without_nulls = _filter_without_nulls(resource, listing, self.nullable_ordering)

    def __getitem__(self, name: str) -> Any:
        """Return the attribute `name`; raise `Undecidable` if it is empty: the contract has no such thing."""
        if not (value := getattr(self, name)):
            raise Undecidable(f"the list has no {name.replace('_', ' ')}")
        return value

    def selected(self, row: Row) -> str:
        """Return the target of a row, with the filters of `excluded` and `refused` set to select the row."""
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
        if value in each.choices:  # an undocumented value is not sent back to the service
            return str(value)
        raise Undecidable(f"the first {self.singular} has an undocumented {each.name}")


def _probed(filters: Sequence[Filter]) -> Sequence[Filter]:
    """Return the filters that have choices; if none has, all filters, which select by a relation."""
    return [each for each in filters if each.choices] or filters


def _tied_ordering(fields: Sequence[Field]) -> str | None:
    """Return the field by which rows probably tie: one with few values, or else the first but `id`."""
    few = [each for each in fields if each.choices or each.type == "boolean"]
    return next((each.name for each in (*few, *fields) if each.name != "id"), None)


def _filter_without_nulls(resource: Resource, listing: Endpoint, nullable: str | None) -> str | None:
    """Return a query that selects the rows whose field `nullable` is not null; None if the list has none."""
    cycle, names = resource.lifecycle, [each.name for each in listing.filters]
    if cycle and cycle.ended_at == nullable and cycle.field in names:
        return urlencode({cycle.field: cycle.ended})
    return None


class Responses:
    """The responses so far. Methods raise `Undecidable` if the response that they need is missing."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.received: dict[str, Exchange] = {}
        self.missing: dict[str, str] = {}
        """The reason why there is no response, by the name of the request."""

    def to(self, name: str) -> Exchange:
        if name not in self.received:
            raise Undecidable(self.missing.get(name, "the request was not sent"))
        exchange = self.received[name]
        if (exchange.status or 500) >= 500:
            raise Undecidable(f"the service responded with {exchange.status} to {described(exchange)}")
        return exchange

    def document(self, name: str) -> Any:
        """Return the JSON of a response; None if its body is not JSON."""
        return parsed(self.to(name).body)

    def detail(self, name: str) -> Any:
        """Return the `detail` of an error; None if it has no such field."""
        document = self.document(name)
        return document.get("detail") if isinstance(document, dict) else None

    def page(self, name: str) -> Mapping[str, Any]:
        """Return the page of the list in a response; raise `Undecidable` if it is not a documented page."""
        exchange, document = self.to(name), self.document(name)
        if exchange.status != 200 or not self._is_page(document):
            raise Undecidable(f"the response to {described(exchange)} is not a page of {self.subject.plural}")
        page: Mapping[str, Any] = document
        return page

    def rows(self, name: str) -> list[Row]:
        rows: list[Row] = self.page(name)["results"]
        return rows

    def count(self, name: str = "first") -> int:
        return int(self.page(name)["count"])

    def require_unchanged(self) -> None:
        """Raise `Undecidable` if the number of rows changed from the first request to the last."""
        counts = set()
        for name in ("first", "descending", "last page", "indented"):
            with suppress(Undecidable):
                counts.add(self.count(name))
        if len(counts) > 1:
            raise Undecidable(f"the number of {self.subject.plural} changed during the probe")

    def _is_page(self, document: Any) -> bool:
        if not isinstance(document, dict) or not isinstance(document.get("results"), list):
            return False
        id_type = str if self.subject.has_text_ids else int
        # The exact types, because a bool is an int too.
        return type(document.get("count")) is int and all(
            isinstance(row, dict) and type(row.get("id")) is id_type for row in document["results"]
        )


class Objection(NamedTuple):
    """What contradicts a rule, as a phrase, and the option of `serve` with which the mock does the same."""

    says: str
    option: str | None = None


class Expected(NamedTuple):
    """What a rule expects of a response. None stands for anything; in `headers`, for an absent header."""

    status: int | None = None
    detail: str | None = None
    rows: int | None = None
    headers: Mapping[str, str | None] = {}

    def objections(self, responses: Responses, name: str) -> Iterator[Objection]:
        """Yield how the response to the request `name` differs from what is expected."""
        exchange, request = responses.to(name), described(responses.to(name))
        if self.status not in (None, exchange.status):
            yield Objection(f"{request} is {exchange.status}, not {self.status}")
        elif self.detail is not None and (detail := responses.detail(name)) != self.detail:
            yield Objection(f"{request} says {excerpt(detail)}, not {excerpt(self.detail)}")
        elif self.rows is not None and (rows := len(responses.rows(name))) != self.rows:
            yield Objection(f"{request} has {rows} rows, not {self.rows}")
        for header, wanted in self.headers.items():
            if (value := exchange.header(header)) != wanted:
                yield Objection(f"{header} of {request} is {_shown(value)}, not {_shown(wanted)}")


def _shown(value: str | None) -> str:
    return "absent" if value is None else printable(shorten(value))


def described(exchange: Exchange) -> str:
    """Return a request in short: `GET /api/v2/referral/credit/?page=0`."""
    target = (exchange.url or "").removeprefix(exchange.source)
    return printable(shorten(f"{exchange.method} {target}", 100))
