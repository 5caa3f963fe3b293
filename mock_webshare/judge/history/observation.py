"""Observation: the rows that a response showed, to compare with other responses."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import blake2b
from types import EllipsisType, NoneType
from typing import Any, Final, NamedTuple, TypeAlias

from mock_webshare.contract.model import Kind
from mock_webshare.exchange.request import RecordedRequest, read_int
from mock_webshare.judge.model.context import RuleContext
from mock_webshare.judge.model.finding import Place
from mock_webshare.judge.model.page import Page
from mock_webshare.judge.model.response_time import ResponseTime, recording_of
from mock_webshare.judge.model.row_fields import RowFields, row_fields
from mock_webshare.judge.rules.ordering import Ordering, ordering_of, terms_of
from mock_webshare.judge.rules.rows import selects

Criteria: TypeAlias = tuple[tuple[str, Any], ...]
"""The fields that the filters of a list select by, with their values."""
LONGEST_VALUE = 200
"""Characters of a text that is kept unchanged."""
OBJECT_ID = 0
"""The id of the one object of a resource."""
ABSENT: Final = ...
"""The value of a field that a row does not have: a singleton in every process, and not JSON."""


class Row(NamedTuple):
    """The values of a row in the order of the fields, long texts `shortened`."""

    id: int
    position: int | None
    """Its index on the page. None: the row is the whole body."""
    values: tuple[Any, ...]
    """Empty: the row was not found (404)."""


def keys_of(prefix: tuple[str, ...], position: int | None) -> tuple[str | int, ...]:
    """Return the keys that lead to a row in the body; no keys if the row is the whole body."""
    return () if position is None else (*prefix, position)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observation:
    """The rows of one response, its time, and the API key that it was for."""

    place: Place
    key: str
    """Distinguishes API keys; never shown."""
    time: ResponseTime
    fields: RowFields
    """The fields of a row, in the order of the values."""
    rows: tuple[Row, ...] = ()
    missing_page: tuple[str, int] | None = None
    """`list_id` and number of a page that was not found."""
    prefix: tuple[str, ...] = ()
    """The keys that lead to the array of the rows."""
    criteria: Criteria | None = None
    """The values that the filters of a list select. None: not known, or not a list."""
    is_whole: bool = False
    """Whether the response shows all rows of its list."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PageObservation(Observation):
    """The rows of a page, and the list that it belongs to."""

    list_id: str
    """The path and the parameters of the list, without the page."""
    page: Page
    ordering: Ordering | None
    """None: not known."""
    is_mutable: bool
    """Whether rows enter, leave or move in the list when they change."""
    has_ties: bool
    """Whether the requested ordering does not decide between some rows."""

    @property
    def ids(self) -> frozenset[int]:
        """The ids of the rows."""
        return frozenset([row.id for row in self.rows])


def observe(context: RuleContext) -> Observation | None:
    """Return the rows that a response showed; None if no other response can contradict it."""
    request = context.request
    if request is None:
        return None
    common = _common(context, request)
    if context.page is not None:
        return PageObservation(**common, rows=_rows(context), **_listed(context, request, context.page))
    if context.is_array:
        rows, criteria = _rows(context), criteria_of(context, request)
        is_whole = isinstance(context.body, list) and len(rows) == len(context.body)
        return Observation(**common, rows=rows, criteria=criteria, is_whole=is_whole)
    shown = _missing(context, request) if context.endpoint is None else {"rows": _rows(context)}
    return Observation(**common, **shown) if any(shown.values()) else None


def _common(context: RuleContext, request: RecordedRequest) -> dict[str, Any]:
    place = context.place
    assert place.url is not None
    return {
        "place": replace(place, url=shortened(place.url)),
        "key": shortened(_key(context, request)),
        "time": context.time,
        "prefix": ("results",) if context.is_list else (),
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
    endpoint, wanted, rows = context.endpoint, context.fields.stable, []
    assert endpoint
    has_place, has_id = context.is_list or context.is_array, endpoint.kind is not Kind.OBJECT
    for index, row in context.plain_objects:
        row_id = row.get("id") if has_id else OBJECT_ID
        if type(row_id) is not int:
            continue
        is_exact = tuple(row) == wanted
        values = tuple(row.values()) if is_exact else tuple(row.get(name, ABSENT) for name in wanted)
        rows.append(Row(row_id, index if has_place else None, _kept(values)))
    return tuple(rows)


def _kept(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not _KEPT_TYPES.issuperset(map(type, values)):
        values = tuple(each if type(each) in _KEPT_TYPES else ABSENT for each in values)
    for each in values:
        if type(each) is str and len(each) > LONGEST_VALUE:
            return tuple(shortened(each) if type(each) is str else each for each in values)
    return values


def _listed(context: RuleContext, request: RecordedRequest, page: Page) -> dict[str, Any]:
    terms = terms_of(request.params.get("ordering", ""), request.endpoint.orderings)
    names = {name for name, value in request.params.items() if value} | {term.field for term in terms}
    return {
        "list_id": _list_id(request),
        "criteria": criteria_of(context, request),
        "is_whole": page.number == 1 and page.is_consistent and not page.has_next,
        "page": page,
        "ordering": ordering_of(context),
        "is_mutable": not context.fields.mutable.isdisjoint(names),
        "has_ties": bool(terms) and all(term.field != "id" for term in terms),
    }


def criteria_of(context: RuleContext, request: RecordedRequest) -> Criteria | None:
    """Return the fields and values by which a list is filtered; None if a filter may mean anything."""
    found = []
    for each in request.endpoint.filters:
        value = request.params.get(each.name)
        if value is None or (value == "" and each.resource is None):
            continue
        if not context.is_clear or not selects(each, value) or not request.is_plain(each.name):
            return None
        found.append((each.name, value if each.resource is None else read_int(value)))
    return tuple(found)


_PSEUDONYM = re.compile(r"\bREDACTED-[0-9]+$")
_REDACTED = re.compile(r"redact|hidden|filtered|secret|dummy|masked|placeholder|[*x]{3}", re.IGNORECASE)


def _key(context: RuleContext, request: RecordedRequest) -> str:
    """Return a text that identifies an API key; a redacted key is identified only in its recording.

    So is any key of a mock server: another mock server may have the same port, but other data.
    """
    exchange = context.exchange
    key = exchange.request_header("authorization") or ""
    if context.time.is_mock:
        return "\0".join((request.host, key, context.time.recording))
    if key and not _REDACTED.search(key):
        return "\0".join((request.host, key))
    # Pseudonyms are those of a whole recording, which may be the folder of `record`.
    is_pseudonym = _PSEUDONYM.search(key)
    return "\0".join((request.host, key, recording_of(exchange.source) if is_pseudonym else exchange.source))
