"""A world in short: its clock, totals, next events, faults, settings, and what differs from its start."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from mock_webshare.contract.timestamps import SECOND, format_instant
from mock_webshare.control.activity import COUNTS, LARGE, Content, description, version_of
from mock_webshare.control.worlds import name_of
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.service.data import statistics
from mock_webshare.service.data.account import Account
from mock_webshare.service.world.world import World

MANY_ROWS = 10_000
"""Rows of an account above which it is summed up in a thread."""
_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


class Remembered:
    """Results of functions of accounts, each kept as long as the account exists."""

    def __init__(self) -> None:
        self._results = WeakKeyDictionary[Account, dict[object, tuple[object, Any]]]()

    def of(self, function: Callable[..., Any], account: Account, *others: Account) -> Any:
        """Return `function(account, *others)`, computed again only if `others` have changed."""
        results = self._results.setdefault(account, {})
        if function not in results or results[function][0] != others:
            results[function] = others, function(account, *others)
        return results[function][1]


def summary(world: World, remembered: Remembered, secrets: Iterable[str]) -> Content:
    """Return the summary of a world; of many rows, a function that computes it, to be called in a thread."""
    account, start = world.view.account, world.start.account
    changes = dict(_changes(world))
    known = {
        "world": {"id": world.id or None, "name": name_of(world, Redactor(secrets))},
        "version": version_of(world, world.journal),
        "clock": world.clock(),
        "settings": world.settings(),
        "rate_limit": world.rate_limit(),
    }
    texts = {
        "faults": [_without_large(each) for each in world.faults()],
        "snapshots": world.snapshots(),
    }

    def content() -> dict[str, Any]:
        rows = [] if account is start else remembered.of(statistics.differences, account, start)
        return {
            **redacted(texts, secrets),
            **known,
            "totals": remembered.of(statistics.totals, account),
            "next": [
                {**each, "text": _event(**each)} for each in remembered.of(statistics.next_events, account)
            ],
            "changes": {**changes, **({"rows": rows} if rows else {})},
            "changed": list(_texts(**changes, rows=rows)),
        }

    return content if has_many_rows(account) else content()


def earnings(world: World, remembered: Remembered) -> Content:
    """Return the earnings of a world by month; of many rows, a function, to be called in a thread."""
    account, now = world.view.account, statistics.month_of(world.now)

    def content() -> dict[str, Any]:
        return {"now": now, **remembered.of(statistics.earnings, account)}

    return content if has_many_rows(account) else content()


def has_many_rows(account: Account) -> bool:
    return sum(map(len, account.rows.values())) > MANY_ROWS


def redacted(texts: dict[str, Any], secrets: Iterable[str]) -> dict[str, Any]:
    """Return JSON data with texts of users, without secrets."""
    found: dict[str, Any] = json.loads(Redactor(secrets).text(json.dumps(texts)))
    return found


def _without_large(fault: Mapping[str, Any]) -> dict[str, Any]:
    """Return a fault without large options; `left` is how often it can still strike, None: no limit."""
    left = max(fault["times"] - fault["struck"], 0) if "times" in fault else None
    short = {name: value for name, value in fault.items() if name not in LARGE}
    return {**short, "left": left, "text": description(fault)}


def _changes(world: World) -> Iterable[tuple[str, Any]]:
    """Yield what differs from the start of a world, besides its rows."""
    start, is_running = world.start, world.clock()["running"]
    if is_running != start.is_running or (world.now != start.now and not is_running):
        seconds = (world.now - start.now) / SECOND
        yield "clock", {"from": format_instant(start.now), "seconds": seconds, "running": is_running}
    settings = [
        {"name": name, "from": before, "to": value}
        for name, value in world.settings().items()
        if (before := getattr(start.settings, name)) != value
    ]
    if settings:
        yield "settings", settings
    before = _fault_ids(each.wire() for each in start.faults or ())
    now = _fault_ids(world.faults())
    if before != now:
        yield "faults", {"added": len(now - before), "removed": len(before - now)}


def _texts(
    clock: Mapping[str, Any] | None = None,
    settings: Sequence[Mapping[str, Any]] = (),
    faults: Mapping[str, int] | None = None,
    rows: Sequence[Mapping[str, Any]] = (),
) -> Iterator[str]:
    """Yield what differs from the start of a world in words: `clock +30 days`, `faults 1 added`."""
    if clock:
        moved = f" {_duration(clock['seconds'])}" if clock["seconds"] else ""
        yield f"clock{moved}{' running' if clock['running'] else ''}"
    if faults:
        yield f"faults {_verbs(faults)}"
    yield from (f"{each['resource']} {_verbs(each)}" for each in rows)
    yield from (f"{each['name']} {each['to']}, was {each['from']}" for each in settings)


def _verbs(numbers: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{numbers[verb]} {verb}" for verb in ("added", "changed", "removed") if numbers.get(verb)
    )


def _duration(seconds: float) -> str:
    """Return seconds in the largest unit: `+30 days`, `-1.5 hours`."""
    unit, size = next((each for each in _UNITS if abs(seconds) >= each[1]), _UNITS[-1])
    number = f"{seconds / size:+,.2f}".rstrip("0").rstrip(".")
    return f"{number} {unit}{'' if number in ('+1', '-1') else 's'}"


def _event(*, singular: str, becomes: str | None, count: int, amount: float | None, **_: object) -> str:
    """Return what time does to rows in words: `2 credits of 7.48 USD become available`."""
    if becomes is None:
        return f"a new {singular} may be added"
    worth = "" if amount is None else f" of {amount:,.2f} USD"
    return (
        f"1 {singular}{worth} becomes {becomes}"
        if count == 1
        else f"{count:,} {singular}s{worth} become {becomes}"
    )


def _fault_ids(faults: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return a text for each fault, with its id and without its counts."""
    return {
        json.dumps({name: value for name, value in each.items() if name not in COUNTS}) for each in faults
    }
