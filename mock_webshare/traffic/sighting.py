"""Sighting: what one answer showed of the rows of one key, kept for the rules across exchanges."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_webshare.traffic.case import place_of
from mock_webshare.traffic.rules.order import Term, terms_of
from mock_webshare.traffic.rules.rows import ended_at

if TYPE_CHECKING:
    from mock_webshare.traffic.asked import Asked
    from mock_webshare.traffic.case import Case
    from mock_webshare.traffic.exchange import Exchange
    from mock_webshare.traffic.finding import Place
    from mock_webshare.traffic.paging import Page

MUTABLE = frozenset({"status", "updated_at", "reverted_at"})
"""Fields whose change moves a row in a list that is ordered or filtered by them."""


class Row(NamedTuple):
    """One row: where it is, and its values in the order of `fields_of`; ABSENT for a missing one."""

    id: int
    at: int | None
    """Its index. None: the answer is this row."""
    values: tuple[Any, ...]


ABSENT = "\0absent"


class Listed(NamedTuple):
    """Which page of which list it was."""

    identity: str
    """The list, whichever page of it."""
    page: Page
    is_mutable: bool
    """Whether rows enter, leave or move when they change."""
    has_ties: bool
    """Whether the order that was asked for leaves some rows without one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighting:
    """The rows of one answer, when they were seen, and whose they are."""

    place: Place
    key: str
    """Tells keys apart; never shown."""
    started: int | None
    """The instant of the request. None: not recorded."""
    ended: int | None
    """The instant of the answer. None: not recorded."""
    schema: str
    """The schema of a row; its `fields_of` are the names of the values."""
    rows: tuple[Row, ...]
    listed: Listed | None
    """None: a single row."""


def sight(case: Case) -> Sighting | None:
    """Given a case, return what it showed; None if that is nothing to remember."""
    if case.asked is None or case.endpoint is None or case.body is None:
        return None
    rows = _rows(case)
    listed = _listed(case, case.asked) if case.is_list else None
    if not rows and listed is None:
        return None
    exchange = case.exchange
    return Sighting(
        place=place_of(exchange),
        key=_key(exchange, case.asked),
        started=exchange.started,
        ended=ended_at(exchange),
        schema=case.fields.of,
        rows=rows,
        listed=listed,
    )


def _rows(case: Case) -> tuple[Row, ...]:
    wanted, is_list, rows = case.fields.all, case.is_list, []
    for index, row in enumerate(case.rows):
        if not isinstance(row, dict) or type(row_id := row.get("id")) is not int:
            continue
        is_exact = tuple(row) == wanted
        values = tuple(row.values()) if is_exact else tuple(row.get(name, ABSENT) for name in wanted)
        if not any(type(each) in (dict, list) for each in values):  # which no field may be
            rows.append(Row(row_id, index if is_list else None, values))
    return tuple(rows)


def _listed(case: Case, asked: Asked) -> Listed | None:
    if case.page is None:
        return None
    assert case.endpoint
    terms = terms_of(asked.params.get("ordering", ""), case.endpoint.orderings)
    return Listed(
        identity=f"{asked.endpoint.path}?{asked.without_page()}",
        page=case.page,
        is_mutable=_is_mutable(asked, terms),
        has_ties=bool(terms) and all(term.field != "id" for term in terms),
    )


def _is_mutable(asked: Asked, terms: tuple[Term, ...]) -> bool:
    names = {name for name, value in asked.params.items() if value} | {term.field for term in terms}
    return not MUTABLE.isdisjoint(names)


_REDACTED = re.compile(r"redact|hidden|filtered|secret|dummy|masked|placeholder|[*x]{3}", re.IGNORECASE)


def _key(exchange: Exchange, asked: Asked) -> str:
    """Return what tells the key of a request from others; one that was taken out is one for each file."""
    key = exchange.request_header("authorization") or ""
    is_known = key and not _REDACTED.search(key)
    return "\0".join((asked.host, key) if is_known else (asked.host, key, exchange.source))
