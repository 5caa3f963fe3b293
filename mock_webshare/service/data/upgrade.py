"""Upgrade: makes data sets of the present format of those of format 1, which lack resources and fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mock_webshare.contract.model import Contract
from mock_webshare.contract.timestamps import format_instant, parse_instant
from mock_webshare.service.data.resources import RowType, row_types

_INSTANTS = ("created_at", "updated_at", "reverted_at")


def required_keys(contract: Contract) -> tuple[str, ...]:
    """Return the keys that a data set of format 1 has."""
    return tuple(name for name, each in contract.resources.items() if each.older is None or each.older)


def needed_fields(row_type: RowType) -> frozenset[str]:
    """Return the fields that a row of a data set of format 1 must have."""
    has_id = () if row_type.resource.is_object else ("id",)
    return frozenset((*(row_type.resource.older or ()), *row_type.needed, *has_id))


def upgraded(document: Mapping[str, Any], contract: Contract, fallback: int) -> dict[str, Any]:
    """Return a data set of format 1 in the present format; missing fields have their defaults.

    A missing date is the creation of the first row that refers to the row, or else the time of the data set,
    or else `fallback`. Values that are not rows stay unchanged, and are refused later.
    """
    given = _instant(document.get("now"))
    now = format_instant(_latest(document, contract, fallback) if given is None else given)
    newer = [name for name, each in contract.resources.items() if each.older is not None]
    return {**document, **{name: _completed(document, row_types(contract)[name], now) for name in newer}}


def _latest(document: Mapping[str, Any], contract: Contract, fallback: int) -> int:
    """Return the latest date of a row."""
    rows = (row for name in contract.resources for row in _rows(document.get(name)))
    instants = (instant for row in rows for name in _INSTANTS if (instant := _instant(row.get(name))))
    return max(instants, default=fallback)


def _completed(document: Mapping[str, Any], row_type: RowType, now: str) -> Any:
    resource = row_type.resource
    value = document.get(resource.name, {} if resource.is_object else [])
    if resource.is_object:
        return {**row_type.default_fields((), now), **value} if isinstance(value, dict) else value
    if not isinstance(value, list):
        return value
    dates = _first_uses(document, row_type)
    return [_with_defaults(row_type, row, dates, now) for row in value]


def _with_defaults(row_type: RowType, row: Any, dates: Mapping[int, int], now: str) -> Any:
    if not isinstance(row, dict) or not needed_fields(row_type) <= row.keys():
        return row
    row_id = row.get("id")
    used = dates.get(row_id) if isinstance(row_id, int) else None
    return {**row_type.default_fields((), now if used is None else format_instant(used)), **row}


def _first_uses(document: Mapping[str, Any], row_type: RowType) -> Mapping[int, int]:
    """Return, by the id of a row of a resource, when the first row that refers to it was created."""
    first: dict[int, int] = {}
    for resource in row_type.contract.resources.values():
        for reference in resource.references:
            if reference.resource != row_type.resource.name:
                continue
            for row in _rows(document.get(resource.name)):
                row_id, created = row.get(reference.field), _instant(row.get("created_at"))
                if isinstance(row_id, int) and created is not None:
                    first[row_id] = min(created, first.get(row_id, created))
    return first


def _rows(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (row for row in value if isinstance(row, dict))


def _instant(value: Any) -> int | None:
    try:
        return parse_instant(value) if isinstance(value, str) else None
    except ValueError:
        return None
