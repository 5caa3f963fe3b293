"""ResponseTime: when a response was made, by the clock of the service and by that of the recorder.

The clocks of two recorders may differ by hours, so responses of two recordings are ordered by their `Date`
headers, which have whole seconds. Inside one recording, the clock of the recorder is finer.
"""

from __future__ import annotations

import os
import re
from calendar import timegm
from dataclasses import dataclass
from functools import lru_cache

from mock_webshare.contract.timestamps import LIMIT, SECOND
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.row_fields import LONGEST_DATE

LONGEST_WAIT = 3600 * SECOND
"""The longest time that a response may have taken if its duration was not recorded."""
TOLERANCE = 60 * SECOND
"""How far apart the clocks of one service, or the times in one recording, may be."""
LONGEST_STEP = 600 * SECOND
"""The longest time between two responses that are compared as pages of one walk, or as lists."""
_LONGEST_SECONDS = 1e9
_CACHED = 4096  # the dates of responses, and of recordings
_OF_A_FOLDER = re.compile(r"[0-9]{6,}\.json")
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_AGE = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ResponseTime:
    """When a response was requested, made and complete, as far as that is known."""

    recording: str
    """The file (or the folder of `record`) in which all times are by the clock of one recorder."""
    started: int | None
    """The instant of the request. None: not recorded."""
    ended: int | None
    """The instant at which the response was complete. None: not recorded."""
    date: int | None
    """The instant in the `Date` header of the service. None: no such header."""
    age: int = 0
    """How long, in the unit of instants, a cache may have kept the response: its data may be as old."""
    is_mock: bool = False
    """Whether a mock server made the response: its clock may stand still, or be years ahead."""

    @property
    def made_from(self) -> int | None:
        """The earliest instant at which the service can have read the data; None without a `Date`."""
        if self.date is None:
            return None
        is_known = self.started is not None and self.ended is not None
        lasted = (self.ended or 0) - (self.started or 0) if is_known else LONGEST_WAIT
        return self.date - self.age - lasted

    @property
    def made_by(self) -> int | None:
        """The latest instant at which the service can have read the data; None without a `Date`."""
        return None if self.date is None else self.date + self.age + SECOND

    @property
    def complete_by(self) -> int | None:
        """The latest instant at which the response may have been complete, by the recorder's clock."""
        if self.started is None:
            return None
        return self.started + LONGEST_WAIT if self.ended is None else self.ended

    def is_of_the_clock(self, other: ResponseTime) -> bool:
        """Whether the clock of one recorder timed both responses."""
        return self.recording == other.recording and self.started is not None and other.started is not None


def response_time(exchange: Exchange) -> ResponseTime:
    """Return the time of the response of an exchange."""
    headers = {name.lower(): value for name, value in exchange.headers or ()}
    date, age = headers.get("date"), headers.get("age")
    return ResponseTime(
        recording=recording_of(exchange.source),
        started=exchange.started,
        ended=ended_at(exchange),
        date=None if date is None or len(date) > LONGEST_DATE else read_http_date(date),
        age=int(age) * SECOND if age and _AGE.fullmatch(age) else 0,
        is_mock="mock-webshare-version" in headers,
    )


def ended_at(exchange: Exchange) -> int | None:
    """Return the instant at which a response was complete; None: not recorded."""
    seconds = exchange.seconds
    # Some recorders write -1 for an unknown duration, and a file may contain NaN.
    if exchange.started is None or seconds is None or not 0 <= seconds < _LONGEST_SECONDS:
        return None
    return exchange.started + int(seconds * SECOND)


@lru_cache(_CACHED)
def recording_of(source: str) -> str:
    """Return the folder of a file that `record` wrote for one exchange; for any other file, the file."""
    folder, name = os.path.split(source)
    return folder if _OF_A_FOLDER.fullmatch(name) else source


@lru_cache(_CACHED)
def read_http_date(text: str) -> int | None:
    """Return the instant of a `Date` header, `Fri, 20 Mar 2026 16:30:15 GMT`; None for any other text."""
    match = _HTTP_DATE.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    day, month, year, *clock = match.groups()
    instant = timegm((int(year), _MONTHS.index(month) + 1, int(day), *map(int, clock))) * SECOND
    return instant if 0 <= instant < LIMIT else None


def is_before(one: ResponseTime, other: ResponseTime) -> bool | None:
    """Whether `one` was certainly made before `other` was requested; None if there are no times."""
    is_of_one_clock = one.is_of_the_clock(other)
    if one.date is not None and other.date is not None:
        if not is_of_one_clock:
            return _is_by(one.made_by, other.made_from)
        if one.date - other.date > TOLERANCE + one.age + other.age:
            return False  # the recording was merged from two, or its clock was set
        if other.date - one.date > TOLERANCE + one.age + other.age:
            return True
    if one.started is None or other.started is None:
        return None if one.started is other.started else False
    asked = other.started - other.age
    return one.started < asked and _is_by(one.complete_by, asked)


def _is_by(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one <= other


def seems_before(one: ResponseTime, other: ResponseTime) -> bool | None:
    """Like `is_before`, but an unknown duration counts as short."""
    certain = is_before(one, other)
    if certain or certain is None:
        return certain
    if one.date is not None and other.date is not None and not one.is_of_the_clock(other):
        return other.ended is None and one.date + one.age + SECOND <= other.date - other.age
    if one.started is None or other.started is None:
        return False
    return one.ended is None and one.started < other.started - other.age


def is_soon(earlier: ResponseTime, later: ResponseTime) -> bool:
    """Whether `later` came soon after `earlier`; without times, whether both are in one recording."""
    if earlier.date is not None and later.date is not None and not earlier.is_of_the_clock(later):
        return 0 <= later.date - earlier.date <= LONGEST_STEP
    if earlier.started is None or later.started is None:
        return earlier.recording == later.recording
    return 0 <= later.started - earlier.started <= LONGEST_STEP
