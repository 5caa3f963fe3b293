"""The account that both servers respond with: small, but with every edge that ordering and writing have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.conformance.totals import exact

ZONE = ZoneInfo("America/Los_Angeles")
SIZE = 130
"""More than the largest page has."""

NOW = "2022-06-21T00:00:00-07:00"
"""When the account is read: no row is younger."""

CHANNELS: tuple[dict[str, Any], ...] = (
    {
        "id": 7,
        "code": "SPRING",
        "description": "Newsletter of spring",
        "promo_type": "percent_off",
        "promo_value": "0.20",
        "is_active": True,
        "is_recurring": True,
        "start_date": "2021-03-01T00:00:00-08:00",
        "end_date": None,
        "initial_rate": "0.20",
        "ongoing_rate": "0.10",
        "initial_rate_period_days": 100,
        "max_earnings_per_referred": "100.00",
        "created_at": "2021-02-28T16:20:30.500000-08:00",
    },
    {
        "id": 8,
        "code": 'SÜD "10%" \\ \u2028 <&>',
        "description": 'Ü <b> & "quoted" \\ \u2028 😀\n',
        "promo_type": "value_off",
        "promo_value": "10.00",
        "is_active": False,
        "is_recurring": False,
        "start_date": "2021-07-01T00:00:00.000001-07:00",
        "end_date": "2022-06-20T23:59:59.999999-07:00",  # just over
        "initial_rate": "0.30",
        "ongoing_rate": "0.07",
        # Some credits were created exactly a day after the first one of their user.
        "initial_rate_period_days": 1,
        "max_earnings_per_referred": "1000000.00",
        "created_at": "2021-06-30T00:00:00-07:00",
    },
    {
        "id": 12,
        "code": "unused",
        "description": "",
        "promo_type": "percent_off",
        "promo_value": "1.00",
        "is_active": True,
        "is_recurring": False,
        "start_date": "2021-11-07T01:30:00-08:00",
        "end_date": "2030-01-01T00:00:00-08:00",
        "initial_rate": "0.20",
        "ongoing_rate": "0.10",
        "initial_rate_period_days": 365,
        "max_earnings_per_referred": "100.00",
        "created_at": "2021-11-07T01:30:00-07:00",
    },
)
AMOUNTS = (2.5, 0.07, 12.0, 2.5, 1234567.89, 0.1, 1e-07, 1e16)
MODES = ("payout", "credits")
STATUSES = ("pending", "available", "available", "reverted")
REVERTED_ONLY = (23, 47)
"""The credits of users who have no other one; both are reverted, one of them has a channel."""
STARTS = (
    datetime(2022, 6, 14, 18, 58, 10, 246406, UTC),
    datetime(2022, 1, 14, 18, 58, 10, 0, UTC),  # no fraction, and the winter's offset
    datetime(2021, 11, 7, 8, 30, 0, 1, UTC),  # half past one in the night of two half past ones
    datetime(2021, 11, 7, 9, 30, 0, 1, UTC),  # … and the other one
    datetime(2022, 3, 13, 10, 0, 0, 120000, UTC),  # the first moment of summer time
)


REFERRAL_CODE = "zxjp2vd2r8vv"
CONFIG: dict[str, Any] = {
    "id": 41,
    "mode": "payout",
    "paypal_payout_email": "affiliate@example.com",
    "id_verification_required": False,
    "earn_out_frequency": "7 00:00:00",
    "next_earn_out_date": "2022-06-27T00:00:00-07:00",
    "minimum_earn_out_amount": 10.0,
    "referral_code": REFERRAL_CODE,
    "referral_url": f"https://www.webshare.io/?referral_code={REFERRAL_CODE}",
    "referral_maximum_credits": 100.0,
    "referral_credit_ratio": 0.2,
    "referral_payment_pending_days": "30 00:00:00",
    "promo_type": "first_time_percent_off",
    "promo_value": 10,
    "initial_rate": 0.2,
    "ongoing_rate": 0.1,
    "initial_rate_period_days": 365,
    "max_earnings_per_referred": 100.0,
    "created_at": "2021-01-14T10:58:10-08:00",
    "updated_at": "2022-06-14T11:58:10.246406-07:00",
}

EARNOUTS = 60
"""More than two pages."""
EARNOUT_STATUSES = ("processing", "completed", "failed")
ERRORS = ("The PayPal account cannot receive payments.", 'Rejected: "limit" < 10 \u2028 é')

APPLIED = "WELCOME"
LAST_YEAR, NEXT_YEAR = "2021-06-21T00:00:00-07:00", "2023-06-21T00:00:00-07:00"
COUPONS: tuple[tuple[str, bool, str | None, bool], ...] = (
    # code, is_active, end_date, is_redeemed
    (APPLIED, True, None, False),
    ("Summer-2022", True, NEXT_YEAR, False),
    ("inactive", False, None, False),
    ("expired", True, LAST_YEAR, False),
    ("redeemed", True, None, True),
    ("inactive expired redeemed", False, LAST_YEAR, True),
    ("inactive redeemed", False, NEXT_YEAR, True),
    ("expired redeemed", True, LAST_YEAR, True),
    ('ÄPFEL "50%" \\ <&>', True, None, False),
    ("12345", True, None, False),
    ("x" * 100, True, None, False),
)


def edge_cases() -> dict[str, Any]:
    """Return the data set: the rows in full, but for the numbers that are computed from the credits."""
    credits = [_credit(number) for number in range(1, SIZE + 1)]
    return {
        "credits": credits,
        "channels": [dict(channel) for channel in CHANNELS],
        "now": NOW,
        "config": dict(CONFIG),
        "earnouts": list(_earnouts(credits)),
        "applied_coupon": {"coupon": _coupon_id(APPLIED), "code": APPLIED},
        "coupons": [_coupon(number, *each) for number, each in enumerate(COUPONS, start=1)],
    }


def _coupon_id(code: str) -> int:
    return 300 + next(number for number, each in enumerate(COUPONS, start=1) if each[0] == code)


def _credit(number: int) -> dict[str, Any]:
    """Return the credit of an id as on the wire.

    The periods of the fields have little in common, so that all combinations and many ties occur.
    """
    status = STATUSES[number % 4]
    channel = (None, *CHANNELS[:2])[number % 3]
    created = STARTS[number % 5] + timedelta(days=number % 7)
    updated = created + timedelta(hours=number % 2)
    return {
        "id": number,
        "user_id": 1000 + number if number in REVERTED_ONLY else 1000 + number % 11,
        "mode": MODES[number // 4 % 2],
        "amount": AMOUNTS[number % 8],
        "status": status,
        "referral_channel": channel and channel["id"],
        "referral_channel_code": channel and channel["code"],
        "created_at": _written(created),
        "updated_at": _written(updated),
        "reverted_at": _written(updated) if status == "reverted" else None,
    }


def _earnouts(credits: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the earn-outs, each of credits of its mode; what no failed one took, no other one takes."""
    amounts = {each["id"]: each["amount"] for each in credits}
    available = {
        mode: [each["id"] for each in credits if (each["mode"], each["status"]) == (mode, "available")]
        for mode in MODES
    }
    untaken = {mode: iter(ids) for mode, ids in available.items()}
    for number in range(1, EARNOUTS + 1):
        mode, status = MODES[number // 2 % 2], EARNOUT_STATUSES[number % 3]
        is_failed = status == "failed"
        taken = available[mode][number % 30 :][:2] if is_failed else [next(untaken[mode])]
        created = datetime(2022, 6, 20, 20, 0, 0, number % 3 * 1000, UTC) + timedelta(minutes=number)
        yield {
            "id": 500 + number,
            "mode": mode,
            "paypal_payout_email": None if mode == "credits" else f"affiliate+{number % 4}@example.com",
            "amount": float(sum(exact(amounts[id]) for id in taken)),
            "status": status,
            "error_reason": ERRORS[number % 2] if is_failed else None,
            "created_at": _written(created),
            "updated_at": _written(created + timedelta(hours=number % 2)),
            "credits": taken,
        }


def _coupon(
    number: int, code: str, is_active: bool, end_date: str | None, is_redeemed: bool
) -> dict[str, Any]:
    """Return a coupon code of another affiliate."""
    is_percent = number % 2 == 1
    return {
        "id": 300 + number,
        "code": code,
        "description": "" if number % 3 == 0 else f'Coupon {number}: "é" <&> \u2028',
        "promo_type": "percent_off" if is_percent else "value_off",
        "promo_value": "0.10" if is_percent else "5.00",
        "is_recurring": number % 4 == 1,
        "is_active": is_active,
        "end_date": end_date,
        "is_redeemed": is_redeemed,
    }


def _written(moment: datetime) -> str:
    """Return a moment as the service writes it: `2022-06-14T11:58:10.246406-07:00`."""
    return moment.astimezone(ZONE).isoformat()
