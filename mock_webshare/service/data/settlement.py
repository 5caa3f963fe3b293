"""Settlement: what time does to an account. Rows ripen, and earn-outs pay them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from mock_webshare.contract.endpoints import AFFILIATE, CREDITS, EARNOUTS, MODES, PAYMENT_FAILED, WEBSHARE
from mock_webshare.contract.model import Contract, Lifecycle
from mock_webshare.contract.timestamps import DAY, LIMIT, parse_period
from mock_webshare.service.data.computed import total
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.data.resources import UPDATED_AT, row_types

Rows = Mapping[str, Sequence[Any]]
_FIRST_ID = 20_314


def lifecycles(contract: Contract) -> Iterator[tuple[str, Lifecycle]]:
    for name, resource in contract.resources.items():
        if resource.lifecycle:
            yield name, resource.lifecycle


def period(life: Lifecycle, rows: Rows) -> int:
    """Return for how many microseconds rows are pending: by `period_field` of the account, or by `period`."""
    if life.period_field is None:
        return life.period * DAY
    resource, name = life.period_field
    return parse_period(getattr(rows[resource][0], name))


def ripened(row: Any, life: Lifecycle, lasting: int, now: int) -> Any:
    """Return a row at an instant: ripe if its pending period has passed by then.

    `updated_at` becomes the end of the period (documented: `referral_payment_pending_days`).
    """
    due = row.created_at + lasting
    if getattr(row, life.field) != life.pending or due > now:
        return row
    updated = {UPDATED_AT: max(due, row.updated_at or due)} if hasattr(row, UPDATED_AT) else {}
    return row._replace(**{life.field: life.ripe, **updated})


class Event(NamedTuple):
    """What time does to an account: a row changes, or rows may be added."""

    at: int
    resource: str
    becomes: str | None  # the status of the row afterwards. None: rows may be added
    row: Any = None


def events(contract: Contract, rows: Rows) -> Iterator[Event]:
    """Yield the next change of each row, and the next date on which rows may be added, in any order."""
    for name, life in lifecycles(contract):
        pending = (row for row in rows[name] if getattr(row, life.field) == life.pending)
        lasting = period(life, rows)
        yield from (Event(row.created_at + lasting, name, life.ripe, row) for row in pending)
    if _has_earnouts(contract):
        config = rows[AFFILIATE.name][0]
        yield Event(config.next_earn_out_date, EARNOUTS.name, None)
        processing = (each for each in rows[EARNOUTS.name] if each.status == "processing")
        yield from (Event(_completion(config, each), EARNOUTS.name, "completed", each) for each in processing)


def next_due(contract: Contract, rows: Rows) -> int | None:
    """Return the first instant at which time changes a row; None if it never does."""
    return min((each.at for each in events(contract, rows)), default=None)


def _has_earnouts(contract: Contract) -> bool:
    return contract.resources.get(EARNOUTS.name) is EARNOUTS


def _completion(config: Any, earnout: Any) -> int:
    return int(earnout.created_at) + parse_period(config.earnout_processing_time)


def paid(contract: Contract, rows: Rows, now: int, has_failed: Callable[[], bool] = lambda: False) -> Rows:
    """Return the earn-outs as of an instant, and the config if it changes by then; `rows` have ripened.

    On each date, an earn-out of each mode pays the available credits that no other earn-out has paid, if
    they are worth the minimum. Later it is completed; or if `has_failed()`, it fails and gives them back.
    """
    if not _has_earnouts(contract):
        return {}
    config, before = rows[AFFILIATE.name][0], rows[EARNOUTS.name]
    completed = [_completed(each, _completion(config, each), now) for each in before]
    interval = parse_period(config.earn_out_frequency)
    if config.next_earn_out_date > now or interval <= 0:
        return {EARNOUTS.name: completed}
    spent = {number for each in completed if each.status != "failed" for number in each.credits}
    open_credits = [
        each for each in rows[CREDITS.name] if each.status == "available" and each.id not in spent
    ]
    added = [each for mode in MODES for each in _earnouts(config, mode, open_credits, now, has_failed)]
    first_id = max((each.id for each in before if each.id < 2**53), default=_FIRST_ID) + 1
    numbered = (
        each._replace(id=number)
        for number, each in enumerate(sorted(added, key=lambda each: each.created_at), first_id)
    )
    dates = (now - config.next_earn_out_date) // interval + 1
    last = config.next_earn_out_date + (dates - 1) * interval
    following = config._replace(next_earn_out_date=last + interval, updated_at=max(config.updated_at, last))
    return {EARNOUTS.name: [*completed, *numbered], AFFILIATE.name: [following]}


def _earnouts(
    config: Any, mode: str, credits: Sequence[Any], now: int, has_failed: Callable[[], bool]
) -> Iterator[Any]:
    """Yield the earn-outs of a mode, without their ids, from the next date on."""
    if mode == "payout" and config.paypal_payout_email is None:
        return
    available = [(each.updated_at, each.id, each) for each in credits if each.mode == mode]
    heapify(available)
    date, interval = config.next_earn_out_date, parse_period(config.earn_out_frequency)
    waiting, amount = list[Any](), 0.0
    while available:
        date += max(-(-(available[0][0] - date) // interval), 0) * interval  # the first date with credits
        if date > now:
            return
        added = list[Any]()
        while available and available[0][0] <= date:
            added.append(heappop(available)[-1])
        waiting += added
        amount = total((amount, *(each.amount for each in added)))
        if amount >= config.minimum_earn_out_amount:
            made = _earnout(config, mode, waiting, amount, date)
            ended_at = _completion(config, made)
            is_failed = mode == "payout" and has_failed()
            yield _completed(made, ended_at, now, is_failed=is_failed)
            for each in waiting if is_failed else ():
                heappush(available, (ended_at, each.id, each))
            waiting, amount = [], 0.0
        date += interval


def _earnout(config: Any, mode: str, credits: Sequence[Any], amount: float, date: int) -> Any:
    return row_types(WEBSHARE)[EARNOUTS.name].new(
        id=0,
        mode=mode,
        paypal_payout_email=config.paypal_payout_email if mode == "payout" else None,
        amount=amount,
        status="processing",
        error_reason=None,
        created_at=date,
        updated_at=date,
        credits=[each.id for each in credits],
    )


def _completed(earnout: Any, ended_at: int, now: int, *, is_failed: bool = False) -> Any:
    if earnout.status != "processing" or ended_at > now:
        return earnout
    ended = {"status": "failed", "error_reason": PAYMENT_FAILED} if is_failed else {"status": "completed"}
    return earnout._replace(updated_at=ended_at, **ended)


def with_period(dataset: Dataset, days: int) -> Dataset:
    """Return a data set with another pending period, in which rows that are then due have ripened."""
    rows = dict(dataset.rows)
    for _, life in lifecycles(dataset.contract):
        if life.period_field is not None:
            resource, name = life.period_field
            rows[resource] = [row._replace(**{name: f"{days} 00:00:00"}) for row in rows[resource]]
    return settled(replace(dataset, rows=rows), dataset.now)


def shifted(dataset: Dataset, now: int) -> Dataset:
    """Return a data set moved to an instant: all its dates by the same duration."""
    types, difference = row_types(dataset.contract), now - dataset.now

    def moved(row: Any, dates: Sequence[str]) -> Any:
        values = {name: getattr(row, name) for name in dates}
        changed = {name: at + difference for name, at in values.items() if at is not None}
        return row._replace(**{name: min(max(at, 0), LIMIT - 1) for name, at in changed.items()})

    rows = {}
    for name, each in dataset.rows.items():
        dates = [field.name for field in types[name].fields if field.is_date]
        rows[name] = [moved(row, dates) for row in each]
    return replace(dataset, rows=rows, now=now)


def settled(dataset: Dataset, now: int, has_failed: Callable[[], bool] = lambda: False) -> Dataset:
    """Return a data set as of an instant: all changes that are due by then have happened."""
    # Without making an `Account`, which would stay in memory until the next garbage collection.
    contract, rows = dataset.contract, dict(dataset.rows)
    for name, life in lifecycles(contract):
        lasting = period(life, rows)
        rows[name] = [ripened(row, life, lasting, now) for row in rows[name]]
    return replace(dataset, rows={**rows, **paid(contract, rows, now, has_failed)}, now=now)
