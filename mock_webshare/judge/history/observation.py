"""Observation: the rows that a response showed, to compare with other responses."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import blake2b
from types import EllipsisType, NoneType
from typing import Any, Final, NamedTuple

from mock_webshare.exchange.model import Exchange
from mock_webshare.exchange.request import RecordedRequest, read_int
from mock_webshare.judge.model.context import RuleContext
from mock_webshare.judge.model.finding import Place
from mock_webshare.judge.model.page import Page
from mock_webshare.judge.model.row_fields import RowFields, row_fields
from mock_webshare.judge.rules.ordering import Ordering, ordering_of, terms_of
from mock_webshare.judge.rules.rows import ended_at

LONGEST_VALUE = 200
"""Characters of a text that is kept unchanged."""
ABSENT: Final = ...
"""The value of a field that a row does not have: a singleton in every process, and not JSON."""


class Row(NamedTuple):
    """The values of a row in the order of the fields, long texts `shortened`."""

    id: int
    position: int | None
    """Its index on the page. None: the row is the whole body."""
    values: tuple[Any, ...]
    """Empty: the row was not found (404)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observation:
    """The rows of one response, its time, and the API key that it was for."""

    place: Place
    key: str
    """Distinguishes API keys; never shown."""
    started: int | None
    """The instant of the request. None: not recorded."""
    ended: int | None
    """The instant at which the response was complete. None: not recorded."""
    fields: RowFields
    """The fields of a row, in the order of the values."""
    rows: tuple[Row, ...] = ()
    missing_page: tuple[str, int] | None = None
    """`list_id` and number of a page that was not found."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PageObservation(Observation):
    """The rows of a page, and the list that it belongs to."""

    list_id: str
    """The path and the parameters of the list, without the page."""
    page: Page
    ordering: Ordering | None
    """None: not known."""
    is_mutable: bool
    """Whether rows enter, leave or move when they change."""
    has_ties: bool
    """Whether the requested ordering does not decide between some rows."""

    @property
    def ids(self) -> frozenset[int]:
        """The ids of the rows."""
        return frozenset([row.id for row in self.rows])


def observe(context: RuleContext) -> Observation | None:
    """Return what a response showed; None if others cannot contradict it."""
    request = context.request
    if request is None:
        return None
    common = _common(context, request)
    if context.page is not None:
        return PageObservation(**common, rows=_rows(context), **_listed(context, request, context.page))
    shown = _missing(context, request) if context.endpoint is None else {"rows": _rows(context)}
    return Observation(**common, **shown) if any(shown.values()) else None


def _common(context: RuleContext, request: RecordedRequest) -> dict[str, Any]:
    place, exchange = context.place, context.exchange
    assert place.url is not None
    return {
        "place": replace(place, url=shortened(place.url)),
        "key": shortened(_key(exchange, request)),
        "started": exchange.started,
        "ended": ended_at(exchange),
        "fields": row_fields(context.contract, request.endpoint.path),
    }


def shortened(text: str) -> str:
    """Return a text unchanged, or, if it is long, its start and its digest."""
    if len(text) <= LONGEST_VALUE:
        return text
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()
    return f"{text[:20]}... ({len(text)} characters, {digest})"


def _missing(context: RuleContext, request: RecordedRequest) -> dict[str, Any]:
    """Return the row or page that was not found; empty if a filter may be the reason."""
    if context.exchange.status != 404 or context.method != "GET" or not context.is_clear:
        return {}
    if request.id is not None:
        row_id = read_int(request.id)
        return {} if row_id is None or request.query else {"rows": (Row(row_id, None, ()),)}
    number = read_int(request.params.get("page", ""))
    return {} if number is None else {"missing_page": (_list_id(request), number)}


def _list_id(request: RecordedRequest) -> str:
    return shortened(f"{request.endpoint.path}?{request.without_page()}")


_KEPT_TYPES = frozenset({str, int, bool, Decimal, NoneType, EllipsisType})
"""The types of values that are kept: not objects and arrays."""


def _rows(context: RuleContext) -> tuple[Row, ...]:
    wanted, is_list, rows = context.fields.stable, context.is_list, []
    for index, row in enumerate(() if context.is_array else context.rows):
        if not isinstance(row, dict) or type(row_id := row.get("id")) is not int:
            continue
        is_exact = tuple(row) == wanted
        values = tuple(row.values()) if is_exact else tuple(row.get(name, ABSENT) for name in wanted)
        if _KEPT_TYPES.issuperset(map(type, values)):
            rows.append(Row(row_id, index if is_list else None, _kept(values)))
    return tuple(rows)


def _kept(values: tuple[Any, ...]) -> tuple[Any, ...]:
    for each in values:
        if type(each) is str and len(each) > LONGEST_VALUE:
            return tuple(shortened(each) if type(each) is str else each for each in values)
    return values


def _listed(context: RuleContext, request: RecordedRequest, page: Page) -> dict[str, Any]:
    terms = terms_of(request.params.get("ordering", ""), request.endpoint.orderings)
    names = {name for name, value in request.params.items() if value} | {term.field for term in terms}
    return {
        "list_id": _list_id(request),
        "page": page,
        "ordering": ordering_of(context),
        "is_mutable": not context.fields.mutable.isdisjoint(names),
        "has_ties": bool(terms) and all(term.field != "id" for term in terms),
    }


_PSEUDONYM = re.compile(r"\bREDACTED-[0-9]+$")
_OF_A_FOLDER = re.compile(r"[0-9]{6,}\.json")
_REDACTED = re.compile(r"redact|hidden|filtered|secret|dummy|masked|placeholder|[*x]{3}", re.IGNORECASE)


def _key(exchange: Exchange, request: RecordedRequest) -> str:
    """Return what identifies an API key; a redacted one counts for its recording only."""
    key = exchange.request_header("authorization") or ""
    is_known = key and not _REDACTED.search(key)
    return "\0".join((request.host, key) if is_known else (request.host, key, _recording(exchange, key)))


def _recording(exchange: Exchange, key: str) -> str:
    """Return the recording of an exchange: its file, or the folder of `record`."""
    folder, name = os.path.split(exchange.source)
    return folder if _PSEUDONYM.search(key) and _OF_A_FOLDER.fullmatch(name) else exchange.source
