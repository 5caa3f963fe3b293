"""Transactions: purchases of referred users, payments of the account itself, and months of purchases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_webshare.contract.endpoints import AFFILIATE, APPLIED_COUPON, CHANNELS, COUPONS, CREDITS
from mock_webshare.contract.model import Contract
from mock_webshare.errors import Contradiction
from mock_webshare.service.data import generator
from mock_webshare.service.data.computed import commission, rate_at, total
from mock_webshare.service.data.fields import ID, FieldType, integer, read_object, require_keys, string
from mock_webshare.service.world.world import World

_MOST_MONTHS, _MOST_PURCHASES = 120, 500  # about a second, in which a server serves nothing else
_PURCHASE: Mapping[str, FieldType] = {
    "amount": FieldType(
        lambda value: type(value) in (int, float) and 0 < value <= 1e6,
        "a number above 0, up to 1000000",
        float,
        {"type": "number", "exclusiveMinimum": 0, "maximum": 1e6},
    ),
    "user_id": ID.or_null(),
    "code": string(1, 100).or_null(),
}
_SIMULATION: Mapping[str, FieldType] = {
    "months": integer(1, _MOST_MONTHS),
    "purchases": integer(0, _MOST_PURCHASES),
    "seed": integer(-(2**63), 2**63 - 1),
}
SCHEMAS: Mapping[str, Mapping[str, FieldType]] = {"purchase": _PURCHASE, "simulation": _SIMULATION}
"""The types of the fields of each kind of transaction, by its name."""


def has_transactions(contract: Contract) -> bool:
    """Return whether a contract has the credits of Webshare, which transactions change."""
    return contract.resources.get(CREDITS.name) is CREDITS


def purchase(world: World, /, **given: Any) -> dict[str, Any]:
    """Let a referred user buy something now; return `{"credit": …}`, with null if the user is at the cap.

    `amount` is what the user pays. `user_id` may be new; if it is missing, the next number is taken. `code`
    is the code of a channel; if it is missing, the user came by the referral link. The credit is pending, in
    the mode of the config; the rate for its amount is in the channel or the config (observed, assumed).
    """
    require_keys("purchase", "", given, ("amount",), tuple(_PURCHASE))
    values = read_object("purchase", "", given, _PURCHASE, optional=True)
    channel = _channel(world, values.get("code"))
    terms = channel or world.rows(AFFILIATE.name)[0]
    known = [each for each in world.rows(CREDITS.name) if each.user_id == values.get("user_id")]
    first = min((each.created_at for each in known), default=None)
    earned = total(each.amount for each in known if each.status != "reverted")
    rest = total((float(terms.max_earnings_per_referred), -earned))
    amount = min(commission(values["amount"], rate_at(terms, world.now, first)), rest)
    if amount <= 0:
        return {"credit": None}
    fields = {"amount": amount, "price": values["amount"], "referral_channel": channel and channel.id}
    if values.get("user_id") is not None:
        fields["user_id"] = values["user_id"]
    mode = world.row(AFFILIATE.name)["mode"]
    return {"credit": world.create(CREDITS.name, mode=mode, **fields)}


def _channel(world: World, code: str | None) -> Any:
    """Return the channel of a code, in any letter case; None if there is no code."""
    if code is None:
        return None
    for each in world.rows(CHANNELS.name):
        if each.code.upper() == code.strip().upper():
            is_over = each.end_date is not None and each.end_date < world.now
            if not each.is_active or is_over or each.start_date > world.now:
                raise Contradiction.invalid(
                    "purchase", "/code", code, "the code of a channel that is active now"
                )
            return each
    raise Contradiction.invalid("purchase", "/code", code, "the code of a channel")


def pay(world: World) -> dict[str, Any]:
    """Let the account itself pay the service, which redeems the coupon code that is applied, if any.

    Return `{"redeemed": …}`: the code, or null if no code is applied or the code was redeemed before.
    """
    applied = world.row(APPLIED_COUPON.name)
    if applied["coupon"] is None or world.row(COUPONS.name, applied["coupon"])["is_redeemed"]:
        return {"redeemed": None}
    world.change(COUPONS.name, applied["coupon"], is_redeemed=True)
    return {"redeemed": applied["code"]}


def simulate(world: World, /, **given: Any) -> dict[str, Any]:
    """Let months pass with purchases, refunds and earn-outs, the same for the same seed; return the clock.

    `months` is 1 by default; `purchases`, the number of purchases a month, is 40 by default.
    """
    world.put_state(generator.simulated(world.state(), **read_simulation(**given)))
    return world.clock()


def read_simulation(**given: Any) -> dict[str, int]:
    """Return the arguments of a simulation; raise `DataError` for the first bad one."""
    return read_object("simulation", "", given, _SIMULATION, optional=True)
