"""Coverage: which parts of a contract the requests of a client have exercised.

Each thing that a client can provoke is a row. The rows follow from the contract alone; docs/coverage.md
explains them. An exchange counts for each row that it exercises, and for nothing else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from mock_webshare.contract import messages
from mock_webshare.contract.model import Contract, Endpoint, Field, Kind
from mock_webshare.exchange.limits import has_many, parsed
from mock_webshare.exchange.model import Exchange
from mock_webshare.exchange.request import RecordedRequest, read_int, read_url

ANY_ENDPOINT = "faults"
"""Stands for the endpoint in rows that do not belong to one endpoint."""
_CACHED, _LARGEST_CACHED = 512, 65_536  # exchanges, and about the bytes of one
_MOST_WALKS = 1000  # pairs of client and list whose last page is remembered


class Row(NamedTuple):
    """One thing that a client can provoke, such as the `status` with the value `404 page` at a list."""

    endpoint: str
    aspect: str
    value: str


Counts = Mapping[Row, int]
"""How many exchanges exercised each row that a client can provoke, in the order of the contract."""

# What a client can provoke.


def rows_of(contract: Contract, faults: Iterable[str] = ()) -> Iterator[Row]:
    """Yield the rows of a contract, and a row for each of the fault actions `faults`."""
    for endpoint in contract.endpoints:
        for aspect, values in _PROVOKED.items():
            yield from (Row(endpoint.path, aspect, value) for value in values(endpoint, contract))
    yield from (Row(ANY_ENDPOINT, "fault", action) for action in faults)


def _filters(endpoint: Endpoint, _: Contract) -> Iterator[str]:
    for each in endpoint.filters:
        values = each.choices if each.resource is None else ("ID", "")
        yield from (f"{each.name}={value}" for value in values)


def _orderings(endpoint: Endpoint, _: Contract) -> Iterator[str]:
    return (sign + name for name in endpoint.orderings for sign in ("", "-"))


def _pages(endpoint: Endpoint, _: Contract) -> Collection[str]:
    return ("first", "next", "previous", "last", "number", "page_size") if endpoint.paging else ()


def _statuses(endpoint: Endpoint, _: Contract) -> Iterator[str]:
    yield from dict.fromkeys(["200", *(str(write.status) for write in endpoint.writes), "301"])
    for status, _schema in endpoint.errors:
        kinds = _ERROR_KINDS[status](endpoint) if status in _ERROR_KINDS else ("",)
        yield from (f"{status} {kind}".rstrip() for kind in kinds)
    yield "5xx"


def _checked(endpoint: Endpoint) -> Collection[str]:
    """Return the names of the parameters and fields whose values can be wrong, which is a 400."""
    names = [each.name for each in endpoint.filters] + [each.name for each in filter(None, [endpoint.lookup])]
    return dict.fromkeys([*names, *(each.name for write in endpoint.writes for each in write.inputs)])


_MISSING = {Kind.LIST: ("page",), Kind.DETAIL: ("row",), Kind.LOOKUP: ("row",)}
_ERROR_KINDS: Mapping[int, Callable[[Endpoint], Collection[str]]] = {
    400: _checked,
    401: lambda endpoint: () if endpoint.is_open else ("no key", "unknown key"),
    403: lambda endpoint: () if endpoint.is_open else messages.FORBIDDEN,
    404: lambda endpoint: _MISSING.get(endpoint.kind, ()),
    429: lambda endpoint: () if endpoint.is_open else ("",),
}
"""By status, the kinds of errors of an endpoint; a status that is not here has one kind."""


def _field_states(endpoint: Endpoint, contract: Contract) -> Iterator[str]:
    for field in contract.served[endpoint.path]:
        states = field.choices or (("not null",) if field.is_nullable else ())
        yield from (f"{field.name}: {state}" for state in states)
        if field.is_nullable:
            yield f"{field.name}: null"


_PROVOKED: Mapping[str, Callable[[Endpoint, Contract], Iterable[str]]] = {
    "method": lambda endpoint, _: endpoint.methods,
    "filter": _filters,
    "ordering": _orderings,
    "page": _pages,
    "status": _statuses,
    "field": _field_states,
}


# What an exchange has exercised.


@dataclass(frozen=True, eq=False)
class _Response:
    """A response of an endpoint, as far as coverage looks at it."""

    contract: Contract
    request: RecordedRequest
    method: str
    status: int | None
    body: bytes

    @property
    def endpoint(self) -> Endpoint:
        return self.request.endpoint

    @cached_property
    def document(self) -> Any:
        """The JSON of the body; None if it is not JSON."""
        return None if has_many(self.body) else parsed(self.body)

    @property
    def object(self) -> dict[str, Any]:
        return self.document if isinstance(self.document, dict) else {}

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows in the body, without those that are not objects."""
        kind, rows = self.endpoint.kind, self.document
        if kind is Kind.LIST:
            rows = self.object.get("results")
        elif kind is not Kind.ARRAY:
            rows = [rows]
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _methods_seen(response: _Response) -> Iterator[str]:
    yield response.method


def _statuses_seen(response: _Response) -> Iterator[str]:
    status, body = response.status, response.object
    if status is None:
        return
    yield f"{status // 100}xx"
    yield str(status)
    if status == 400:
        yield from (f"400 {name}" for name in _checked(response.endpoint) if name in body)
    elif status == 401:
        yield f"401 {_KINDS_OF_401.get(str(body.get('detail')), '')}"
    elif status == 403:
        yield f"403 {body.get('code')!s:.80}"
    elif status == 404:
        is_page = body.get("detail") == messages.INVALID_PAGE
        yield "404 page" if is_page else "404 row"


_KINDS_OF_401 = {
    **dict.fromkeys(messages.UNAUTHORIZED, "unknown key"),
    **dict.fromkeys((messages.NO_CREDENTIALS, messages.KEYWORD_ALONE), "no key"),
}


def _filters_seen(response: _Response) -> Iterator[str]:
    for each in response.endpoint.filters:
        value = response.request.params.get(each.name)
        if value is not None:
            yield f"{each.name}={'ID' if value and each.resource else value}"


def _orderings_seen(response: _Response) -> Iterator[str]:
    return (term.strip() for term in response.request.params.get("ordering", "").split(","))


def _pages_seen(response: _Response) -> Iterator[str]:
    """Yield what the response alone shows of a page; `Coverage` adds how the client came to it."""
    page, params = response.object, response.request.params
    if page.get("previous", ...) is None:
        yield "first"
    if page.get("next", ...) is None and isinstance(page.get("previous"), str):
        yield "last"
    if (read_int(params.get("page_size", "")) or 0) > 0:
        yield "page_size"


def _states_seen(response: _Response) -> Iterator[str]:
    rows = response.rows
    for field in response.contract.served[response.endpoint.path]:
        if field.choices or field.is_nullable:
            values = [row.get(field.name, ...) for row in rows]
            yield from (f"{field.name}: {state}" for state in _states(field, values))


def _states(field: Field, values: Sequence[Any]) -> Iterator[str]:
    """Yield the states of a field; `values` has its value in each row, `...` for a row without the field."""
    yield from (str(choice) for choice in field.choices if choice in values)
    if None in values:
        yield "null"
    if any(value is not None and value is not ... for value in values):
        yield "not null"


_SEEN_ALWAYS = {"method": _methods_seen, "status": _statuses_seen}
_SEEN_OF_THE_SERVICE = {
    "filter": _filters_seen,
    "ordering": _orderings_seen,
    "page": _pages_seen,
    "field": _states_seen,
}
"""Counts only for a request that succeeded, and that no fault struck."""


class _Page(NamedTuple):
    """A page of a list, and where its links lead; pages are identified by hashes."""

    path: str
    itself: int
    next: int | None
    previous: int | None
    """None also for a link to the first page: a request for the first page may begin a new walk."""
    is_numbered: bool
    """Whether the request has the number of the page."""
    is_struck: bool
    """Whether a fault struck the response, so that only its links count."""


class _Reading(NamedTuple):
    """What an exchange exercises by itself; `page` is None if the response is not a page."""

    rows: frozenset[Row] = frozenset()
    page: _Page | None = None


class Coverage:
    """Counts the rows of a contract that exchanges exercise.

    `faults` are the actions of faults that have rows. If `hosts` is not empty, exchanges with other hosts
    are ignored. `counters`, unless None, has a zero for each row, and the counts are kept in it. Nothing else
    of an exchange is kept, except hashes of the last links.
    """

    def __init__(
        self,
        contract: Contract,
        faults: Iterable[str] = (),
        *,
        hosts: Collection[str] = (),
        counters: MutableSequence[int] | memoryview[int] | None = None,
    ) -> None:
        self._contract, self._hosts = contract, hosts
        self._rows = tuple(rows_of(contract, faults))
        self._counts = [0] * len(self._rows) if counters is None else counters
        self._indexes = {row: index for index, row in enumerate(self._rows)}
        self._cached = lru_cache(_CACHED)(self._read)
        # The last page of each client and list, and how the client came to it.
        self._walks: OrderedDict[int, tuple[_Page | None, str]] = OrderedDict()

    @property
    def counts(self) -> Counts:
        """How many exchanges exercised each row."""
        return dict(zip(self._rows, self._counts, strict=True))

    def add(self, exchange: Exchange, faults: Collection[str] = ()) -> None:
        """Count an exchange; `faults` are the actions of the faults that struck it."""
        rows = {Row(ANY_ENDPOINT, "fault", action) for action in faults}
        if exchange.url is not None and exchange.method is not None and not _is_preflight(exchange):
            size = len(exchange.method) + len(exchange.url) + len(exchange.body)
            read = self._cached if size <= _LARGEST_CACHED else self._read
            reading = read(exchange.method, exchange.url, exchange.status, exchange.body, bool(faults))
            rows |= reading.rows
            if reading.page is not None:
                rows.update(self._walked(exchange.request_header("authorization"), reading.page))
        for row in rows & self._indexes.keys():
            self._counts[self._indexes[row]] += 1

    def _read(self, method: str, url: str, status: int | None, body: bytes, is_struck: bool) -> _Reading:
        request = read_url(url, self._contract)
        if request is None or not request.is_of(self._hosts):
            return _Reading()
        response = _Response(self._contract, request, method, status, body)
        is_done = status in range(200, 300) and method not in ("HEAD", "OPTIONS")
        seen = _SEEN_ALWAYS | (_SEEN_OF_THE_SERVICE if is_done and not is_struck else {})
        path = request.endpoint.path
        rows = {Row(path, aspect, value) for aspect, values in seen.items() for value in values(response)}
        is_page = is_done and request.endpoint.paging is not None
        return _Reading(
            frozenset(rows & self._indexes.keys()), _page(response, is_struck) if is_page else None
        )

    def _walked(self, client: str | None, page: _Page) -> Iterator[Row]:
        """Yield the row that says how a client came to a page, unless a fault struck; remember the page."""
        walk = hash((client, page.path))
        way = _way(page, *self._walks.pop(walk, (None, "")))
        self._walks[walk] = page, way
        if len(self._walks) > _MOST_WALKS:
            self._walks.popitem(last=False)
        if not page.is_struck:
            yield Row(page.path, "page", way)


def _way(page: _Page, before: _Page | None, way_before: str) -> str:
    """Return how a client came to `page` after `before`; `way_before` if both are the same page."""
    if before is None:
        return "number" if page.is_numbered else ""
    if page.itself == before.itself:
        return way_before
    links = {before.previous: "previous", before.next: "next"}
    return links.get(page.itself, "number" if page.is_numbered else "")


def _is_preflight(exchange: Exchange) -> bool:
    """Whether the request is a preflight, which a browser sends by itself."""
    return exchange.method == "OPTIONS" and bool(exchange.request_header("access-control-request-method"))


def _page(response: _Response, is_struck: bool) -> _Page:
    request, body = response.request, response.object
    return _Page(
        path=request.endpoint.path,
        itself=_identity(request),
        next=_linked(response.contract, body.get("next"), 1),
        previous=_linked(response.contract, body.get("previous"), 2),
        is_numbered=read_int(request.params.get("page", "")) is not None,
        is_struck=is_struck,
    )


def _linked(contract: Contract, link: Any, least: int) -> int | None:
    """Return the identity of the page that a link leads to; None if its number is lower than `least`."""
    request = read_url(link, contract) if isinstance(link, str) else None
    if request is None or (read_int(request.params.get("page", "1")) or 0) < least:
        return None
    return _identity(request)


def _identity(request: RecordedRequest) -> int:
    return hash((request.endpoint.path, tuple(sorted(request.pairs))))
