"""Statistics of an account: pure functions, for rows of any contract, as JSON data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from heapq import nsmallest
from operator import attrgetter
from typing import Any

from mock_webshare.contract.model import Contract, Resource
from mock_webshare.contract.timestamps import SECOND, format_instant, zone
from mock_webshare.service.data import settlement
from mock_webshare.service.data.account import Account
from mock_webshare.service.data.computed import total

MOST_MONTHS = 240
"""Months of earnings that are listed; earlier months are only counted."""
_MOST_EVENTS = 5
_CREATED_AT = "created_at"
_HOUR = 3600 * SECOND
Groups = Mapping[tuple[str | None, Any], Sequence[Any]]
"""The amounts of rows, by the month and the status of the rows."""


def totals(account: Account) -> list[dict[str, Any]]:
    """Return for each resource how many rows have each status, and their amount."""
    return [_total(account, each) for each in account.contract.resources.values() if not each.is_object]


def _total(account: Account, resource: Resource) -> dict[str, Any]:
    by, groups = counted_by(account.contract, resource), _grouped(account, resource, lambda row: None)
    values: dict[Any, Sequence[Any]] = dict.fromkeys(_choices(account.contract, resource), ())
    values |= {value: amounts for (_, value), amounts in groups.items()}
    return {
        **_named(account.contract, resource),
        **_sum(resource, [amount for amounts in groups.values() for amount in amounts]),
        "values": [{"value": value, **_sum(resource, each)} for value, each in values.items()] if by else [],
    }


def counted_by(contract: Contract, resource: Resource) -> str | None:
    """Return the field by which rows are counted (see `Resource`); None: they are only counted together."""
    if resource.counted_by is not None:
        return resource.counted_by
    if resource.lifecycle is not None:
        return resource.lifecycle.field
    return next((field.name for field in contract.fields[resource.name] if field.choices), None)


def _choices(contract: Contract, resource: Resource) -> Sequence[Any]:
    by = counted_by(contract, resource)
    return next((field.choices for field in contract.fields[resource.name] if field.name == by), ())


def _named(contract: Contract, resource: Resource) -> dict[str, Any]:
    return {
        "resource": resource.name,
        "singular": resource.singular,
        "by": counted_by(contract, resource),
    }


def _grouped(account: Account, resource: Resource, month: Callable[[Any], str | None]) -> Groups:
    groups = defaultdict[tuple[str | None, Any], list[Any]](list)
    by = counted_by(account.contract, resource)
    status: Callable[[Any], Any] = attrgetter(by) if by else lambda row: None
    for row in account.rows[resource.name]:
        groups[month(row), status(row)].append(_amount(resource, row))
    return groups


def _amount(resource: Resource, row: Any) -> Any:
    return getattr(row, resource.amount) if resource.amount else 0


def _sum(resource: Resource, amounts: Sequence[Any]) -> dict[str, Any]:
    """Return the number of amounts, and their sum; None if the rows have no amount."""
    return {"count": len(amounts), "amount": total(amounts) if resource.amount else None}


def next_events(account: Account) -> list[dict[str, Any]]:
    """Return the next changes in order of time; changes of one instant and kind are one item."""
    events = defaultdict[tuple[int, str, str], list[Any]](list)
    for each in settlement.events(account.contract, account.rows):
        events[each.at, each.resource, each.becomes or ""] += [] if each.row is None else [each.row]
    return [_event(account.contract, *each, events[each]) for each in nsmallest(_MOST_EVENTS, events)]


def _event(contract: Contract, at: int, name: str, becomes: str, rows: Sequence[Any]) -> dict[str, Any]:
    resource = contract.resources[name]
    changed = _sum(resource, [_amount(resource, row) for row in rows])
    return {
        "at": format_instant(at),
        "resource": name,
        "singular": resource.singular,
        "becomes": becomes or None,
        **(changed if becomes else {"count": 0, "amount": None}),
    }


def differences(account: Account, start: Account) -> list[dict[str, Any]]:
    """Return how many rows of each resource were added, changed and removed since the account `start`."""
    found = []
    for name, table in account.tables.items():
        if table is start.tables[name]:
            continue
        now, before = _by_id(table.rows), _by_id(start.tables[name].rows)
        counted = {
            "added": len(now.keys() - before.keys()),
            "changed": sum(row != before.get(row_id, row) for row_id, row in now.items()),
            "removed": len(before.keys() - now.keys()),
        }
        if any(counted.values()):
            found.append({"resource": name, **counted})
    return found


def _by_id(rows: Iterable[Any]) -> dict[int, Any]:
    """Return rows by their ids; an object without an id, which is a single row, has 0."""
    return {getattr(row, "id", 0): row for row in rows}


def earnings(account: Account) -> dict[str, Any]:
    """Return for each month the amounts of rows created in it, by status, and of rows that ripen in it."""
    contract = account.contract
    resources = [each for each in contract.resources.values() if _has_months(contract, each)]
    created = {each.name: _grouped(account, each, lambda row: month_of(row.created_at)) for each in resources}
    due = {each.name: defaultdict[str, list[Any]](list) for each in resources}
    for event in settlement.events(contract, account.rows):
        resource = contract.resources[event.resource]
        if resource in resources and resource.lifecycle is not None:
            due[event.resource][month_of(event.at)].append(_amount(resource, event.row))
    named = [month for groups in created.values() for month, _ in groups]
    months = _range_of([*filter(None, named), *(month for groups in due.values() for month in groups)])
    return {
        "by": "month",
        "skipped": max(len(months) - MOST_MONTHS, 0),
        "series": [_series(contract, each) for each in resources],
        "rows": [
            {
                "month": month,
                "resources": {
                    each.name: _of_month(each, month, created[each.name], due[each.name])
                    for each in resources
                },
            }
            for month in months[-MOST_MONTHS:]
        ],
    }


def _has_months(contract: Contract, resource: Resource) -> bool:
    return bool(resource.amount) and any(each.name == _CREATED_AT for each in contract.fields[resource.name])


def _series(contract: Contract, resource: Resource) -> dict[str, Any]:
    return {
        **_named(contract, resource),
        "values": list(_choices(contract, resource)),
        "becomes": None if resource.lifecycle is None else resource.lifecycle.ripe,
    }


def _of_month(
    resource: Resource, month: str, created: Groups, due: Mapping[str, Sequence[Any]]
) -> dict[str, Any]:
    values = {value: _sum(resource, amounts) for (each, value), amounts in created.items() if each == month}
    return {"created": values, "due": _sum(resource, due.get(month, ()))}


def month_of(instant: int) -> str:
    """Return the month of an instant in the zone of the service: `2026-03`."""
    return _month(instant // _HOUR)  # no month begins within an hour of UTC


@lru_cache(65_536)
def _month(hour: int) -> str:
    moment = datetime.fromtimestamp(hour * 3600, zone())
    return f"{moment.year:04}-{moment.month:02}"


def _range_of(months: Iterable[str]) -> list[str]:
    """Return all months from the first to the last of `months`."""
    numbers = {12 * int(each[:4]) + int(each[5:]) - 1 for each in set(months)}
    return list(_months(min(numbers), max(numbers))) if numbers else []


def _months(first: int, last: int) -> Iterator[str]:
    return (f"{number // 12:04}-{number % 12 + 1:02}" for number in range(first, last + 1))
