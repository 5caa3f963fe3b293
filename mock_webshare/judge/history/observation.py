"""Observation: what one answer showed of the rows of one key, kept for the rules across exchanges."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from hashlib import blake2b
from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_webshare.exchange.request import read_int
from mock_webshare.judge.model.context import place_of
from mock_webshare.judge.model.schema_fields import fields_of
from mock_webshare.judge.rules.ordering import Ordering, Term, ordering_of, terms_of
from mock_webshare.judge.rules.rows import ended_at
from mock_webshare.judge.rules.status import NOT_FOUND

if TYPE_CHECKING:
    from mock_webshare.exchange.model import Exchange
    from mock_webshare.exchange.request import RecordedRequest
    from mock_webshare.judge.model.context import RuleContext
    from mock_webshare.judge.model.finding import Place
    from mock_webshare.judge.model.page import Page
    from mock_webshare.judge.model.schema_fields import Fields

LONGEST_VALUE = 200
"""Characters of a text that is kept as it is."""


class Absent(Enum):
    """The value of a field that a row does not have. An enumeration is one object in all processes."""

    ABSENT = "absent"


class Row(NamedTuple):
    """One row: where it is, and its values in the order of the fields, long texts `shortened`."""

    id: int
    at: int | None
    """Its index. None: the answer is this row."""
    values: tuple[Any, ...]


class ListedPage(NamedTuple):
    """Which page of which list it was."""

    identity: str
    """The list, whichever page of it."""
    page: Page
    ordering: Ordering | None
    """None: none that is known."""
    is_mutable: bool
    """Whether rows enter, leave or move when they change."""
    has_ties: bool
    """Whether the order that was asked for leaves some rows without one."""


class Missed(NamedTuple):
    """What was not found."""

    row: int | None
    """The id of a row. None: it was a page."""
    identity: str = ""
    """The list of the page, whichever page of it."""
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observation:
    """The rows of one answer, when they were seen, and whose they are."""

    place: Place
    key: str
    """Tells keys apart; never shown."""
    started: int | None
    """The instant of the request. None: not recorded."""
    ended: int | None
    """The instant of the answer. None: not recorded."""
    fields: Fields
    """Those of a row, in the order of the values."""
    rows: tuple[Row, ...] = ()
    listed: ListedPage | None = None
    """None: a single row."""
    missed: Missed | None = None
    """None: what was asked for was found."""


def observe(context: RuleContext) -> Observation | None:
    """Given a context, return what it showed; None if that is nothing to remember."""
    request = context.request
    if request is None:
        return None
    if context.endpoint is None:
        missed = _missed(context, request)
        return None if missed is None else _observation(context, request, missed=missed)
    rows, listed = _rows(context), _listed(context, request) if context.is_list else None
    return _observation(context, request, rows=rows, listed=listed) if rows or listed is not None else None


def _observation(context: RuleContext, request: RecordedRequest, **shown: Any) -> Observation:
    place, exchange = place_of(context.exchange, context.contract), context.exchange
    assert place.url is not None
    return Observation(
        place=place if len(place.url) <= LONGEST_VALUE else replace(place, url=shortened(place.url)),
        key=shortened(_key(exchange, request)),
        started=exchange.started,
        ended=ended_at(exchange),
        fields=fields_of(context.contract, request.endpoint.schema),
        **shown,
    )


def shortened(text: str) -> str:
    """Given a text, return it, or, if it is long, a short one that no other text has in its place."""
    if len(text) <= LONGEST_VALUE:
        return text
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()
    return f"{text[:20]}... ({len(text)} characters, {digest})"


def _missed(context: RuleContext, request: RecordedRequest) -> Missed | None:
    """Return what a request that has a plain answer did not find."""
    if context.exchange.status != NOT_FOUND or context.method != "GET" or not context.is_clear:
        return None
    if request.id is not None:
        row = read_int(request.id)
        return Missed(row) if row is not None and not request.query else None
    number = read_int(request.params.get("page", ""))
    return None if number is None else Missed(None, _identity(request), number)


def _identity(request: RecordedRequest) -> str:
    return shortened(f"{request.endpoint.path}?{request.without_page()}")


_PLAIN = frozenset({str, int, bool, Decimal, NoneType, Absent})
"""The types of values that a field may have."""


def _rows(context: RuleContext) -> tuple[Row, ...]:
    wanted, is_list, rows = context.fields.all, context.is_list, []
    for index, row in enumerate(context.rows):
        if not isinstance(row, dict) or type(row_id := row.get("id")) is not int:
            continue
        is_exact = tuple(row) == wanted
        values = tuple(row.values()) if is_exact else tuple(row.get(name, Absent.ABSENT) for name in wanted)
        if _PLAIN.issuperset(map(type, values)):
            rows.append(Row(row_id, index if is_list else None, _kept(values)))
    return tuple(rows)


def _kept(values: tuple[Any, ...]) -> tuple[Any, ...]:
    for each in values:
        if type(each) is str and len(each) > LONGEST_VALUE:
            return tuple(shortened(each) if type(each) is str else each for each in values)
    return values


def _listed(context: RuleContext, request: RecordedRequest) -> ListedPage | None:
    if context.page is None:
        return None
    assert context.endpoint
    terms = terms_of(request.params.get("ordering", ""), context.endpoint.orderings)
    return ListedPage(
        identity=_identity(request),
        page=context.page,
        ordering=ordering_of(context),
        is_mutable=_is_mutable(request, terms, context.fields.mutable),
        has_ties=bool(terms) and all(term.field != "id" for term in terms),
    )


def _is_mutable(request: RecordedRequest, terms: tuple[Term, ...], mutable: frozenset[str]) -> bool:
    names = {name for name, value in request.params.items() if value} | {term.field for term in terms}
    return not mutable.isdisjoint(names)


_PSEUDONYM = re.compile(r"\bREDACTED-[0-9]+$")
_OF_A_FOLDER = re.compile(r"[0-9]{6,}\.json")
_REDACTED = re.compile(r"redact|hidden|filtered|secret|dummy|masked|placeholder|[*x]{3}", re.IGNORECASE)


def _key(exchange: Exchange, request: RecordedRequest) -> str:
    """Return what tells the key of a request from others; one taken out is one for each recording."""
    key = exchange.request_header("authorization") or ""
    is_known = key and not _REDACTED.search(key)
    return "\0".join((request.host, key) if is_known else (request.host, key, _recording(exchange, key)))


def _recording(exchange: Exchange, key: str) -> str:
    """Return the recording that an exchange is of: its file, or the folder in which `record` put it."""
    folder, name = os.path.split(exchange.source)
    return folder if _PSEUDONYM.search(key) and _OF_A_FOLDER.fullmatch(name) else exchange.source
