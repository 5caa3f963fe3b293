"""The numbers that the service computes from the credits, by brute force and with exact decimals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

Row = Mapping[str, Any]
CENT = Decimal("0.01")
TAKEN = ("processing", "completed")
"""The statuses of an earn-out that keeps its credits; those of a failed one are earned again."""


def channel_totals(channel: Row, credits: Iterable[Row]) -> dict[str, Any]:
    """Return `total_uses`, `total_commission` and `total_revenue` of a channel, net of reverted credits."""
    every = list(credits)
    own = [each for each in every if each["referral_channel"] == channel["id"] and _counts(each)]
    return {
        "total_uses": len({each["user_id"] for each in own}),
        "total_commission": _sum(own),
        "total_revenue": float(sum(_revenue(channel, each, every) for each in own)),
    }


def config_totals(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return the six computed fields of the config, in the order in which they are served."""
    credits, earnouts = dataset["credits"], dataset["earnouts"]
    taken = {id for earnout in earnouts if earnout["status"] in TAKEN for id in earnout["credits"]}
    available = [each for each in credits if each["status"] == "available"]
    due = [each for each in available if each["id"] not in taken]
    return {
        "credits_earned": _sum(each for each in due if each["mode"] == "credits"),
        "payouts_earned": _sum(each for each in due if each["mode"] == "payout"),
        "total_credits_earned": _sum(each for each in available if each["mode"] == "credits"),
        "total_payouts_earned": _sum(each for each in available if each["mode"] == "payout"),
        "number_of_users_referred": len({each["user_id"] for each in credits}),
        "number_of_users_upgraded": len({each["user_id"] for each in credits if _counts(each)}),
    }


def exact(amount: float) -> Decimal:
    """Return the decimal that an amount is written as: `0.1` is a tenth."""
    return Decimal(repr(amount))


def _counts(credit: Row) -> bool:
    return bool(credit["status"] != "reverted")


def _sum(credits: Iterable[Row]) -> float:
    return float(sum((exact(each["amount"]) for each in credits), Decimal()))


def _revenue(channel: Row, credit: Row, credits: Iterable[Row]) -> Decimal:
    """Return the price of which a credit is the commission, rounded to cents."""
    first = min(_created(each) for each in credits if each["user_id"] == credit["user_id"])
    is_initial = _created(credit) < first + timedelta(days=channel["initial_rate_period_days"])
    rate = channel["initial_rate" if is_initial else "ongoing_rate"]
    return (exact(credit["amount"]) / Decimal(rate)).quantize(CENT, ROUND_HALF_EVEN)


def _created(credit: Row) -> datetime:
    return datetime.fromisoformat(credit["created_at"])
