"""Seeding: a believable account, drawn from Faker's generator.

The same seed gives the same credits on any day and any machine, and the first n credits stay what
they are when more are asked for: each is drawn after the one before it, and nothing looks ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from mock_webshare.contract.endpoints import MODES, PENDING_DAYS
from mock_webshare.contract.timestamps import DAY, SECOND
from mock_webshare.service.data import dataset
from mock_webshare.service.data.dataset import SEEDED_NOW as NOW
from mock_webshare.service.data.dataset import Channel, Credit, Dataset

if TYPE_CHECKING:
    from faker import Faker

DEFAULT_SEED = 0
DEFAULT_NAME = "default"

_CHANNELS = 5
_PERIOD = PENDING_DAYS * DAY
_DISCOUNTS = (10, 15, 20, 25, 30, 50)
_PRICES = (299, 598, 897, 1495, 1980, 2691, 3500, 5600, 9500, 18500)  # cents; dear plans are rare
_COMMISSION = (10, 20, 25)  # percent
_PROGRESS_EVERY = 10_000

T = TypeVar("T")
Draw = Callable[[], float]
"""A source of randomness: numbers from 0 up to, not including, 1."""

Progress = Callable[[int, int], object]
"""Called now and then with how many credits are done, and how many there will be."""


class _User(NamedTuple):
    """A referred user, who keeps the channel that brought them."""

    id: int
    channel: Channel | None


def generate(seed: int, credits: int, progress: Progress | None = None) -> Dataset:
    """Given a seed and a number of credits, return the account of that seed.

    Relations hold: ids, creation and users' ids rise together; a user spends more than once and
    keeps the channel; `reverted_at` lies between creation and update; a credit is pending exactly
    while its period runs.
    """
    from faker import Faker  # a tenth of a second: only for those who generate

    fake = Faker("en_US")
    fake.seed_instance(seed)
    channels = list(_channels(fake))
    rows: list[Credit] = []
    for row in _credits(fake.random.random, channels, credits):
        rows.append(row)
        if progress and (len(rows) % _PROGRESS_EVERY == 0 or len(rows) == credits):
            progress(len(rows), credits)
    return Dataset(credits=rows, channels=channels, now=NOW)


def seeded(seed: int, credits: int, progress: Progress | None = None) -> Dataset:
    """Return what `generate` returns, without Faker where the package already holds the answer.

    The commonest start (the default seed, up to the default number of credits) is a prefix of the
    data set `default`, which a test holds equal to what `generate` makes.
    """
    if seed == DEFAULT_SEED and credits <= len(_default().credits):
        return replace(_default(), credits=_default().credits[:credits])
    return generate(seed, credits, progress)


@cache
def _default() -> Dataset:
    return dataset.load(DEFAULT_NAME)


def _channels(fake: Faker) -> Iterator[Channel]:
    draw = fake.random.random
    channel_id = 310
    codes: set[str] = set()
    while len(codes) < _CHANNELS:
        code = f"{fake.last_name().upper()}{_pick(draw, _DISCOUNTS)}"
        if code not in codes:
            codes.add(code)
            channel_id += 1 + int(draw() * 60)
            yield Channel(id=channel_id, code=code)


def _pick(draw: Draw, values: Sequence[T]) -> T:
    return values[int(draw() * len(values))]


def _pick_early(draw: Draw, values: Sequence[T]) -> T:
    """Pick one, the earlier the likelier: the first tenth is picked three times in ten."""
    return values[int(draw() * draw() * len(values))]


def _credits(draw: Draw, channels: Sequence[Channel], count: int) -> Iterator[Credit]:
    credit_id, mode, created_at = 48_211, MODES[0], 0
    users: list[_User] = []
    for index in range(count):
        credit_id += 1 + int(draw() * 40)  # the service numbers the credits of all its affiliates together
        if draw() < 0.2:
            mode = MODES[1 - MODES.index(mode)]  # the affiliate changes the setting now and then
        is_same_purchase = index > 0 and draw() < 0.04
        if not is_same_purchase:
            created_at = _created_at(index + 0.95 * draw())
            user = _user(draw, users, channels)
        yield _credit(draw, credit_id, user, mode, created_at)


def _created_at(position: float) -> int:
    """Given a position among the credits, return when that credit came: an instant before `NOW`.

    The clock stands still, so however many credits are asked for must fit before it, without moving
    the first ones: ninety come evenly over nineteen months, then business takes off and the rest
    crowd into the last month, ever closer to `NOW`. Square roots and divisions are exact alike on
    every machine; powers and logarithms are not.
    """
    steady, first, last = 90, 600 * DAY, 32 * DAY
    if position < steady:
        return NOW - int(first - (first - last) * position / steady)
    return NOW - int(last / sqrt(1 + (position - steady) / 10))


def _user(draw: Draw, users: list[_User], channels: Sequence[Channel]) -> _User:
    """Return a user who spends: as often as not one who did before, or else a new one."""
    if users and draw() < 0.5:
        return _pick(draw, users)
    channel = None if draw() < 0.35 else _pick_early(draw, channels)
    users.append(_User(id=(users[-1].id if users else 180_344) + 1 + int(draw() * 90), channel=channel))
    return users[-1]


def _credit(draw: Draw, credit_id: int, user: _User, mode: str, created_at: int) -> Credit:
    amount = round(_pick_early(draw, _PRICES) * _pick(draw, _COMMISSION) / 100) / 100
    status, updated_at, reverted_at = "pending", created_at + 4 + int(draw() * 60), None
    is_refunded, refund, lag = draw() < 0.12, draw(), int(draw() * 60 * SECOND)
    if is_refunded:
        reverted_at = updated_at + int(refund * min(_PERIOD, NOW - updated_at - SECOND))
        status, updated_at = "reverted", reverted_at + 4 + lag // SECOND
    elif created_at + _PERIOD <= NOW:
        # The service looks for due credits once in a while, so a little after the moment itself.
        status, updated_at = "available", min(created_at + _PERIOD + lag, NOW)
    return Credit(
        id=credit_id,
        user_id=user.id,
        mode=mode,
        amount=amount,
        status=status,
        referral_channel=user.channel and user.channel.id,
        referral_channel_code=user.channel and user.channel.code,
        created_at=created_at,
        updated_at=updated_at,
        reverted_at=reverted_at,
    )
