"""Computed fields: those that follow from other rows of an account, and are never stored."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mock_webshare.contract.endpoints import AFFILIATE, APPLIED_COUPON, CHANNELS, COUPONS, CREDITS, EARNOUTS
from mock_webshare.contract.timestamps import DAY

if TYPE_CHECKING:
    from mock_webshare.service.data.account import Table

Tables = Mapping[str, "Table"]
Compute = Callable[[Any], Mapping[str, Any]]
"""Returns the computed fields of a row."""
_DIGITS = 400  # enough for the largest amounts, to the cent
_CENT = Decimal("0.01")


def _of_channels(tables: Tables) -> Compute:
    """Return what computes the totals of a channel, net of refunds.

    A credit whose price is not known counts with the price that earns its amount at the user's rate.
    """
    credits = tables[CREDITS.name].rows
    of_channel = defaultdict[int | None, list[Any]](list)
    for credit in credits:
        if credit.status != "reverted":
            of_channel[credit.referral_channel].append(credit)
    first = first_purchases(credits)

    def compute(channel: Any) -> Mapping[str, Any]:
        kept = of_channel[channel.id]
        return {
            "total_uses": len({credit.user_id for credit in kept}),
            "total_commission": total(credit.amount for credit in kept),
            "total_revenue": total(price_of(credit, rate_of(channel, credit, first)) for credit in kept),
        }

    return compute


def first_purchases(credits: Iterable[Any]) -> Mapping[int, int]:
    """Return the instant at which each user first paid, by the id of the user."""
    first: dict[int, int] = {}
    for credit in credits:
        first[credit.user_id] = min(credit.created_at, first.get(credit.user_id, credit.created_at))
    return first


def rate_of(terms: Any, credit: Any, first: Mapping[int, int]) -> Decimal:
    """Return the rate of a credit by the terms of its channel, or of the config."""
    return rate_at(terms, credit.created_at, first.get(credit.user_id))


def rate_at(terms: Any, instant: int, first: int | None) -> Decimal:
    """Return the rate of a purchase: the initial one for some days after the user's first purchase."""
    is_initial = first is None or instant < first + terms.initial_rate_period_days * DAY
    return _decimal(str(terms.initial_rate if is_initial else terms.ongoing_rate))


@lru_cache(1024)
def _decimal(text: str) -> Decimal:
    return Decimal(text)


@lru_cache(4096)
def commission(price: float, rate: Decimal) -> float:
    """Return the commission of a purchase before the cap, rounded to the cent."""
    with localcontext(prec=_DIGITS):
        return float((Decimal(repr(price)) * rate).quantize(_CENT))


def price_of(credit: Any, rate: Decimal) -> float:
    """Return the price that the user paid; if it is not known, the price whose commission is the amount."""
    return _price(credit.amount, rate) if credit.price is None else float(credit.price)


@lru_cache(4096)
def _price(amount: float, rate: Decimal) -> float:
    with localcontext(prec=_DIGITS):
        return float((Decimal(repr(amount)) / rate).quantize(_CENT)) if rate else 0.0


def total(amounts: Iterable[float]) -> float:
    """Return the sum of decimal numbers: of 0.1 and 0.2, it is 0.3."""
    with localcontext(prec=_DIGITS):
        return float(sum(Decimal(repr(each)) * times for each, times in Counter(amounts).items()))


def _of_config(tables: Tables) -> Compute:
    """Return what computes the sums of the config: of all available credits, and of those not paid yet."""
    credits, earnouts = tables[CREDITS.name].rows, tables[EARNOUTS.name].rows
    paid = {number for each in earnouts if each.status != "failed" for number in each.credits}

    def earned(mode: str, *, is_open: bool = False) -> float:
        return total(
            each.amount
            for each in credits
            if each.mode == mode and each.status == "available" and not (is_open and each.id in paid)
        )

    fields = {
        "credits_earned": earned("credits", is_open=True),
        "payouts_earned": earned("payout", is_open=True),
        "total_credits_earned": earned("credits"),
        "total_payouts_earned": earned("payout"),
        "number_of_users_referred": len({each.user_id for each in credits}),
        "number_of_users_upgraded": len({each.user_id for each in credits if each.status != "reverted"}),
    }
    return lambda config: fields


def _of_applied_coupon(tables: Tables) -> Compute:
    coupons = {each.id: each for each in tables[COUPONS.name].rows}
    names = ("promo_type", "promo_value", "description", "is_recurring")

    def compute(applied: Any) -> Mapping[str, Any]:
        return {name: getattr(coupons.get(applied.coupon), name, None) for name in names}

    return compute


COMPUTED: Mapping[str, Callable[[Tables], Compute]] = {
    AFFILIATE.name: _of_config,
    APPLIED_COUPON.name: _of_applied_coupon,
    CHANNELS.name: _of_channels,
}
"""What makes a `Compute` from the tables of an account, by the name of the resource."""
