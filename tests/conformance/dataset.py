"""The credits that both servers respond with: few, but with every edge that ordering and writing have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Los_Angeles")
SIZE = 130
"""More than the largest page has."""

CHANNELS = (
    {"id": 7, "code": "SPRING"},
    {"id": 8, "code": 'SÜD "10%" \\ \u2028 <&>'},
    {"id": 12, "code": "unused"},
)
AMOUNTS = (2.5, 0.07, 12.0, 2.5, 1234567.89, 0.1, 1e-07, 1e16)
MODES = ("payout", "credits")
STATUSES = ("pending", "available", "available", "reverted")
STARTS = (
    datetime(2022, 6, 14, 18, 58, 10, 246406, UTC),
    datetime(2022, 1, 14, 18, 58, 10, 0, UTC),  # no fraction, and the winter's offset
    datetime(2021, 11, 7, 8, 30, 0, 1, UTC),  # half past one in the night of two half past ones
    datetime(2021, 11, 7, 9, 30, 0, 1, UTC),  # … and the other one
    datetime(2022, 3, 13, 10, 0, 0, 120000, UTC),  # the first moment of summer time
)


def edge_cases() -> dict[str, Any]:
    """Return the data set: `{"credits": [wire objects], "channels": [{"id", "code"}]}`."""
    return {
        "credits": [_credit(number) for number in range(1, SIZE + 1)],
        "channels": [dict(channel) for channel in CHANNELS],
    }


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
        "user_id": 1000 + number % 11,
        "mode": MODES[number // 4 % 2],
        "amount": AMOUNTS[number % 8],
        "status": status,
        "referral_channel": channel and channel["id"],
        "referral_channel_code": channel and channel["code"],
        "created_at": _written(created),
        "updated_at": _written(updated),
        "reverted_at": _written(updated) if status == "reverted" else None,
    }


def _written(moment: datetime) -> str:
    """Return a moment as the service writes it: `2022-06-14T11:58:10.246406-07:00`."""
    return moment.astimezone(ZONE).isoformat()
