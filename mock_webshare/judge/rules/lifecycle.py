"""Life cycle: does a row change its status when its pending period is over?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_webshare.contract.timestamps import DAY
from mock_webshare.judge.rules.rows import answered_at, read_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.judge.model.context import Case
    from mock_webshare.judge.model.finding import Finding


def is_not_ripe_too_soon(case: Case) -> Iterator[Finding]:
    """A row is not ripe before its pending period is over, of which each account has its own."""
    life = case.lifecycle
    if life is None or (now := answered_at(case)) is None:
        return
    latest, days = now - case.terms.pending_days * DAY, case.terms.pending_days
    for index, created in _created(case, life.field, life.ripe):
        if created > latest:
            keys = case.keys(index, life.field)
            yield case.finding("object.pending", *keys, expected=days, actual=life.ripe)


def is_not_pending_too_long(case: Case) -> Iterator[Finding]:
    """A row is not pending for a day after its period: a service may look once a day."""
    life = case.lifecycle
    if life is None or (now := answered_at(case)) is None:
        return
    if case.exchange.header("mock-webshare-version"):
        return  # the clock of a mock server may stand still
    earliest, days = now - (case.terms.pending_days + 1) * DAY, case.terms.pending_days
    for index, created in _created(case, life.field, life.pending):
        if created < earliest:
            keys = case.keys(index, life.field)
            yield case.finding("object.pending", *keys, check="overdue", expected=days, actual=life.pending)


def _created(case: Case, field: str, status: str) -> Iterator[tuple[int, int]]:
    """Yield the index and the instant of creation of each row that has a status."""
    for index, row in enumerate(case.rows):
        if isinstance(row, dict) and row.get(field) == status:
            created = read_instant(row.get("created_at"))
            if created is not None:
                yield index, created
