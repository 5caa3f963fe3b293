"""The report: credits, summed up by one of their properties."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from earnings_report.errors import ContractError

STATUSES = ("pending", "available", "reverted")
MODES = ("payout", "credits")
NO_CHANNEL = "(link)"


class Credit(NamedTuple):
    """What the report looks at."""

    id: int
    status: str
    mode: str
    channel: str
    month: str
    amount: Decimal


class Sum(NamedTuple):
    """How many credits there are of a kind, and what they add up to."""

    credits: int
    amount: Decimal

    def plus(self, amount: Decimal) -> Sum:
        """Return the sum with one more credit."""
        return Sum(self.credits + 1, self.amount + amount)


NOTHING = Sum(0, Decimal(0))

GROUPINGS: Mapping[str, Callable[[Credit], str]] = {
    "status": lambda credit: credit.status,
    "mode": lambda credit: credit.mode,
    "channel": lambda credit: credit.channel,
    "month": lambda credit: credit.month,
}


def read(row: Any) -> Credit:
    """Given a credit as the service writes it, return it; raise `ContractError` if no sum could be trusted.

    A field that is new is no reason: the vendor announces that they may come at any time.
    """
    try:
        return Credit(
            id=row["id"],
            status=_one_of(STATUSES, row["status"]),
            mode=_one_of(MODES, row["mode"]),
            channel=row["referral_channel_code"] or NO_CHANNEL,
            month=row["created_at"][: len("2026-03")],
            amount=_amount(row["amount"]),
        )
    except KeyError as error:
        raise ContractError(f"a credit has no {error.args[0]!r}") from error
    except TypeError as error:
        raise ContractError(f"a credit is not what it should be: {row!r}") from error


def _one_of(known: tuple[str, ...], value: Any) -> str:
    if value not in known:
        raise ContractError(f"{value!r} is none of {', '.join(known)}")
    return str(value)


def _amount(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ContractError(f"the amount {value!r} is no number")
    return Decimal(value)


def summed(credits: Iterable[Credit], grouping: str) -> dict[str, Sum]:
    """Given credits, return the sum of each group, sorted by name; one that comes twice counts once."""
    group_of = GROUPINGS[grouping]
    sums: dict[str, Sum] = {}
    for credit in {credit.id: credit for credit in credits}.values():
        group = group_of(credit)
        sums[group] = sums.get(group, NOTHING).plus(credit.amount)
    return dict(sorted(sums.items()))


def table(sums: Mapping[str, Sum], grouping: str) -> str:
    """Return the sums as a table for people."""
    total = Sum(
        sum(each.credits for each in sums.values()), sum((each.amount for each in sums.values()), Decimal(0))
    )
    width = max(map(len, (grouping, "total", *sums)))
    lines = [f"{grouping:<{width}}  {'credits':>7}  {'amount':>10}"]
    for group, each in (*sums.items(), ("total", total)):
        lines.append(f"{group:<{width}}  {each.credits:>7}  {each.amount:>10.2f}")
    return "\n".join(lines) + "\n"
