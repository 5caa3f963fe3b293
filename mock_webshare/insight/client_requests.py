"""ClientRequest: one request and its response, as far as the client could see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from mock_webshare.contract.messages import NO_CREDENTIALS
from mock_webshare.contract.model import Contract, Kind
from mock_webshare.contract.paths import prefix_of
from mock_webshare.contract.timestamps import SECOND
from mock_webshare.exchange.limits import has_many, parsed
from mock_webshare.exchange.model import Exchange
from mock_webshare.exchange.request import RecordedRequest, read_int, read_url, shown, split
from mock_webshare.insight.hints import Facts, hint_for, key_place

MOST_IDS = 1000
"""Rows of a page whose ids are kept."""
_CACHED, _LARGEST_CACHED, _LONGEST_CACHED = 256, 65_536, 1000  # bytes of a page, characters of a URL
_LONGEST_SHOWN = 200  # characters of a URL
_LONGEST_WAIT = 9  # digits of a `Retry-After`


class Link(NamedTuple):
    """Where a link leads; two links that differ in the order of their parameters are different."""

    origin: str
    path: str
    pairs: tuple[tuple[str, str], ...]


class Page(NamedTuple):
    """What a client sees of a page of a list."""

    size: int
    """The number of rows on the page."""
    ids: frozenset[Any]
    has_next: bool
    next: Link | None
    """None: the page has no `next`, or the link does not lead to an endpoint."""
    previous: Link | None


class Target(NamedTuple):
    """What a URL leads to; cached by URL, because clients request most URLs again."""

    endpoint: RecordedRequest | None
    """The endpoint, and the parameters. None: no endpoint has the path."""
    link: Link | None
    """The URL as a link. None: no endpoint has the path."""
    number: int | None
    """The page number in the URL; 1 without a parameter `page`. None: its value is not a number."""
    size: int
    """The page size in the URL; 0 without a parameter `page_size`, or if its value is not a number."""
    list: tuple[str, str, str] | None
    """Origin, path and query without `page`: equal for all pages of a list. None: not the URL of a page."""


class ClientRequest(NamedTuple):
    """One request and its response; the client is whoever sends the same credentials."""

    exchange: Exchange
    target: Target
    client: str | None
    """The header `Authorization`, which no report contains. None: the request has none."""
    page: Page | None = None
    """None: the response is not a page."""
    arrived: float | None = None
    """When the request arrived, in seconds of real time. None: not known."""
    is_struck: bool = False
    """Whether a fault struck the request."""
    hint: str = ""
    """The message of the hint on this request alone; empty if there is no hint."""

    @property
    def method(self) -> str:
        return self.exchange.method or ""

    @property
    def status(self) -> int | None:
        return self.exchange.status

    @property
    def endpoint(self) -> RecordedRequest | None:
        return self.target.endpoint

    @property
    def params(self) -> Mapping[str, str]:
        endpoint = self.target.endpoint
        return {} if endpoint is None else endpoint.params

    @property
    def path(self) -> str:
        """The path of the endpoint; empty if there is none."""
        endpoint = self.target.endpoint
        return "" if endpoint is None else endpoint.endpoint.path

    @property
    def kind(self) -> Kind | None:
        endpoint = self.target.endpoint
        return None if endpoint is None else endpoint.endpoint.kind

    @property
    def link(self) -> Link | None:
        """The requested URL as a link."""
        return self.target.link

    @property
    def number(self) -> int | None:
        """The number of the page (see `Target`)."""
        return self.target.number

    @property
    def list(self) -> tuple[str, str, str] | None:
        """The list to which the page belongs (see `Target`). None: the request is not the GET of a page."""
        return self.target.list if self.exchange.method == "GET" else None

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal for two requests if the client has sent the same request again, unchanged."""
        headers = (self.exchange.request_header(name) for name in ("accept", "content-type"))
        return (self.method, self.exchange.url, self.client, self.exchange.request_body, *headers)

    @property
    def retry_after(self) -> int | None:
        """The seconds in the header `Retry-After`. None: no header, or not a number."""
        text = self.exchange.header("retry-after") or ""
        is_number = text.isascii() and text.isdecimal() and len(text) <= _LONGEST_WAIT
        return int(text) if is_number else None

    def waited_since(self, earlier: ClientRequest) -> float | None:
        """Return the seconds from the earlier request to this one; None if they are not known.

        Real time counts, or the clock of the service if more passed on it: a test may move that clock
        instead of waiting.
        """
        if self.arrived is None or earlier.arrived is None:
            return None
        waited = self.arrived - earlier.arrived
        before, now = earlier.exchange.started, self.exchange.started
        return waited if before is None or now is None else max(waited, (now - before) / SECOND)

    def document(self) -> dict[str, Any]:
        """Return method, URL, status and place in the recording as JSON data, without secrets."""
        exchange = self.exchange
        return {
            "file": None if exchange.source == "journal" else exchange.source,
            "entry": exchange.entry,
            "line": exchange.line,
            "method": exchange.method,
            "url": f"{_without_origin(shown(exchange.url or '')):.{_LONGEST_SHOWN}}",
            "status": exchange.status,
        }


class _Entry(Protocol):
    """An entry of a journal."""

    @property
    def began(self) -> float: ...
    @property
    def faults(self) -> tuple[str, ...]: ...
    @property
    def hint(self) -> str: ...
    def exchange(self, number: int) -> Exchange: ...


def of_entry(entry: _Entry, number: int, contract: Contract) -> ClientRequest:
    """Return the `number`th entry of a journal as a request of a client."""
    exchange, is_struck = entry.exchange(number), bool(entry.faults)
    return _of_exchange(exchange, contract, arrived=entry.began, is_struck=is_struck, hint=entry.hint)


def of_recorded(exchange: Exchange, contract: Contract) -> ClientRequest:
    """Return an exchange of a recording as a request of a client, without the body of the response."""
    request = _of_exchange(exchange, contract)
    arrived = None if exchange.started is None else exchange.started / SECOND
    without_body = replace(exchange, body=b"")
    return request._replace(exchange=without_body, arrived=arrived, hint=_hint(request, contract))


def _of_exchange(exchange: Exchange, contract: Contract, **others: Any) -> ClientRequest:
    url = exchange.url or ""
    target = _cached_target(url, contract) if len(url) <= _LONGEST_CACHED else _target_of(url, contract)
    is_page = target.list is not None and exchange.method == "GET" and exchange.status == 200
    read = _cached_page if len(exchange.body) <= _LARGEST_CACHED else _page
    page = read(exchange.body, contract) if is_page else None
    return ClientRequest(exchange, target, exchange.request_header("authorization"), page, **others)


def _target_of(url: str, contract: Contract) -> Target:
    endpoint = read_url(url, contract)
    if endpoint is None:
        return Target(None, None, None, 0, None)
    is_list = endpoint.endpoint.kind is Kind.LIST
    return Target(
        endpoint=endpoint,
        link=_link(endpoint),
        number=read_int(endpoint.params.get("page") or "1"),
        size=read_int(endpoint.params.get("page_size", "")) or 0,
        list=(endpoint.origin, endpoint.endpoint.path, endpoint.without_page()) if is_list else None,
    )


_cached_target = lru_cache(_CACHED)(_target_of)


def _hint(request: ClientRequest, contract: Contract) -> str:
    """Return the hint that the mock server would give for a recorded request; empty if it is not certain.

    A path that does not begin as all our paths do may belong to another service. A 401 counts only if the
    response says that there was no key: where a key was redacted, its keyword `Token` may be missing too.
    """
    exchange, parts = request.exchange, split(request.exchange.url or "")
    path = "" if parts is None else parts.path
    is_wrong = exchange.status == 404 or NO_CREDENTIALS.encode() in exchange.body
    if exchange.status not in (401, 404) or not is_wrong or not path.startswith(f"{prefix_of(contract)}/"):
        return ""
    facts = Facts(
        contract=contract,
        path=path,
        is_routed=request.endpoint is not None,
        status=exchange.status,
        authorization=request.client,
        key_place=key_place((name for name, _ in exchange.request_headers or ()), request.params),
    )
    return hint_for(facts)[1]


def _page(body: bytes, contract: Contract) -> Page | None:
    document = None if has_many(body) else parsed(body)
    if not isinstance(document, dict) or not isinstance(rows := document.get("results"), list):
        return None
    return Page(
        size=len(rows),
        ids=frozenset(_ids(rows[:MOST_IDS])),
        has_next=isinstance(document.get("next"), str),
        next=_linked(document.get("next"), contract),
        previous=_linked(document.get("previous"), contract),
    )


_cached_page = lru_cache(_CACHED)(_page)


def _ids(rows: list[Any]) -> Iterator[str]:
    """Yield the ids of rows as text, the form in which a path has them."""
    for row in rows:
        row_id = row.get("id") if isinstance(row, dict) else None
        if isinstance(row_id, int | str):
            yield str(row_id)


def _linked(link: Any, contract: Contract) -> Link | None:
    request = read_url(link, contract) if isinstance(link, str) else None
    return None if request is None else _link(request)


def _link(request: RecordedRequest) -> Link:
    return Link(request.origin, request.path, request.pairs)


def _without_origin(url: str) -> str:
    """Return path and query of a URL that `shown` has returned."""
    parts = split(url)
    return url if parts is None else url.removeprefix(f"{parts.scheme}://{parts.netloc}")
