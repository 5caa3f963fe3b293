"""Instants: points in time as whole microseconds since 1970 in UTC.

Integers compare and subtract like points in time. Aware datetimes of one zone do not: Python compares their
wall clock times, which repeat an hour each autumn.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

SERVICE_ZONE = "America/Los_Angeles"
"""The zone in which the service writes every date (documented by its examples)."""
SECOND = 1_000_000
DAY = 86_400 * SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
LIMIT = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
"""All instants are before this one."""
# `fromisoformat` accepts more than the service writes, and not the same in each Python release.
_FORM = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", re.ASCII)


@cache
def zone() -> ZoneInfo:
    """Return the time zone of the service; a server calls this at start, because it reads a file."""
    return ZoneInfo(SERVICE_ZONE)


@lru_cache(1024)
def parse_instant(text: str) -> int:
    """Return the instant of an ISO 8601 date and time with its offset.

    `2022-06-14T11:58:10.246406-07:00` is 1655233090246406. Raise ValueError, with a message for the user, for
    anything else, and for years outside of 1970 to 9998.
    """
    if not _FORM.fullmatch(text):
        raise ValueError("not an ISO 8601 date and time with an offset, like 2022-06-14T11:58:10-07:00")
    instant = (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    if not 0 <= instant < LIMIT:
        raise ValueError("not between 1970 and 9998")
    return instant


def written(moment: datetime) -> str:
    """Return an aware datetime as ISO 8601, in UTC; raise ValueError, with a message, for a naive one."""
    if moment.utcoffset() is None:
        raise ValueError(
            "a datetime without a time zone is not allowed; make it aware, like "
            "datetime(2026, 5, 1, tzinfo=timezone.utc), or .astimezone() for local time"
        )
    return moment.astimezone(UTC).isoformat()


_DURATION = re.compile(r"(?:(\d{1,6}) )?(\d\d):(\d\d):(\d\d)(?:\.(\d{6}))?", re.ASCII)


@lru_cache(64)
def parse_period(text: str) -> int:
    """Return the microseconds of a duration in the service's form, `30 00:00:00`, or raise ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("not a duration like 30 00:00:00")
    days, hours, minutes, seconds, microseconds = (int(each or 0) for each in match.groups())
    return days * DAY + (hours * 3600 + minutes * 60 + seconds) * SECOND + microseconds


def format_instant(instant: int) -> str:
    """Return an instant as the service writes it.

    The framework calls `isoformat()` in `zone()`. 1655233090246406 is `2022-06-14T11:58:10.246406-07:00`; an
    instant on a whole second has no fraction.
    """
    seconds, microsecond = divmod(instant, SECOND)
    return datetime.fromtimestamp(seconds, zone()).replace(microsecond=microsecond).isoformat()


def format_utc(milliseconds: int) -> str:
    """Return milliseconds since 1970 as a date and time in UTC: `2026-03-16T16:00:00.250Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03}Z"


@lru_cache(1)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
