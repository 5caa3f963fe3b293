"""Life cycle: does a row change its status when its pending period is over?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_webshare.contract.timestamps import DAY
from mock_webshare.judge.rules.rows import completed_by, read_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.contract.model import Lifecycle
    from mock_webshare.judge.model.context import RuleContext
    from mock_webshare.judge.model.finding import Finding


def is_not_ripe_too_soon(context: RuleContext) -> Iterator[Finding]:
    """A row is not ripe before its pending period is over (an account has its own)."""
    life = context.lifecycle
    if life is None or (now := completed_by(context)) is None:
        return
    days = _period(context, life)
    for index, created in _created(context, life.field, life.ripe):
        if created > now - days * DAY:
            keys = context.keys(index, life.field)
            yield context.finding("object.pending", *keys, expected=days, actual=life.ripe)


def is_not_pending_too_long(context: RuleContext) -> Iterator[Finding]:
    """A row is not pending for a day after its period: a service may look once a day."""
    life = context.lifecycle
    if life is None or (now := completed_by(context)) is None:
        return
    if context.exchange.header("mock-webshare-version"):
        return  # the clock of a mock server may stand still
    days = _period(context, life)
    for index, created in _created(context, life.field, life.pending):
        if created < now - (days + 1) * DAY:
            keys = context.keys(index, life.field)
            yield context.finding(
                "object.pending", *keys, check="overdue", expected=days, actual=life.pending
            )


def _period(context: RuleContext, life: Lifecycle) -> int:
    days = context.options.pending_days
    return life.period if days is None else days


def _created(context: RuleContext, field: str, status: str) -> Iterator[tuple[int, int]]:
    """Yield the index and the instant of creation of each row that has a status."""
    for index, row in context.objects:
        if row.get(field) == status:
            created = read_instant(row.get("created_at"))
            if created is not None:
                yield index, created
