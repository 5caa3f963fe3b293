"""Generated accounts with realistic rows, drawn from Faker's random numbers.

The same seed gives the same credits on any day and any machine, and the first n credits do not change
when more are generated: each is drawn after the one before it, independently of those that follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from math import sqrt
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from mock_webshare.contract.endpoints import CHANNELS, CREDITS, MODES, PENDING_DAYS, WEBSHARE
from mock_webshare.contract.model import Contract, Field
from mock_webshare.contract.timestamps import DAY, SECOND, format_instant
from mock_webshare.service.data import dataset
from mock_webshare.service.data.account import advance
from mock_webshare.service.data.dataset import SEEDED_NOW as NOW
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.data.resources import row_types

if TYPE_CHECKING:
    from faker import Faker

DEFAULT_SEED = 0
DEFAULT_NAME = "default"

_DEFAULT_DRAWS = 15  # random numbers that the channels of the default seed take
_FAKER = Lock()  # the one Faker, which reads files when it is made, has one state
_CHANNELS = 5
_UNSERVED = 5  # rows of a resource that has no endpoint, for others to refer to
_PERIOD = PENDING_DAYS * DAY
_DISCOUNTS = (10, 15, 20, 25, 30, 50)
_PRICES = (299, 598, 897, 1495, 1980, 2691, 3500, 5600, 9500, 18500)  # cents; expensive plans are rare
_COMMISSION = (10, 20, 25)  # percent
_PROGRESS_EVERY = 10_000

T = TypeVar("T")
Draw = Callable[[], float]
"""A source of randomness: numbers from 0 up to, not including, 1."""

Progress = Callable[[int, int], object]
"""Called from time to time with the number of rows that are done, and that of all."""


class _User(NamedTuple):
    """A referred user, and the row of their channel; None: they used a referral link."""

    id: int
    channel: Any


def generate(
    seed: int, rows: int, progress: Progress | None = None, contract: Contract = WEBSHARE
) -> Dataset:
    """Return the account of a seed, with some rows of each resource with an endpoint.

    Relations hold between credits: ids, creation and users' ids rise together; a user spends more than
    once and keeps the channel; `reverted_at` lies between creation and update; a credit is pending
    exactly while its period runs. The rows of other resources are drawn from their schemas.
    """
    has_credits = contract.resources.get(CREDITS.name) == CREDITS
    random, channels = _channels(seed) if has_credits else (Random(seed), ())  # noqa: S311  # reproducible
    return _generate(random.random, channels, rows, progress, contract)


def _generate(
    draw: Draw, channels: Sequence[Any], rows: int, progress: Progress | None, contract: Contract
) -> Dataset:
    drawn: dict[str, list[Any]] = {}
    if channels:
        drawn[CHANNELS.name] = list(channels)
        drawn[CREDITS.name] = list(_counted(_credits(draw, channels, rows), rows, progress))
    for name in reversed(contract.resources):  # those to which others refer come last
        if name not in drawn:
            is_served = any(endpoint.resource == name for endpoint in contract.endpoints)
            drawn[name] = list(_plain_rows(draw, contract, name, rows if is_served else _UNSERVED, drawn))
    return advance(Dataset(contract, {name: drawn[name] for name in contract.resources}, NOW), NOW)


def _counted(rows: Iterator[T], total: int, progress: Progress | None) -> Iterator[T]:
    for number, row in enumerate(rows, start=1):
        yield row
        if progress and (number % _PROGRESS_EVERY == 0 or number == total):
            progress(number, total)


def seeded(seed: int, rows: int, progress: Progress | None = None, contract: Contract = WEBSHARE) -> Dataset:
    """Return what `generate` returns, with the default seed without Faker.

    The data set `default` has the channels of that seed, and its credits up to the default number; a test
    compares them with what `generate` returns.
    """
    if contract is not WEBSHARE or seed != DEFAULT_SEED:
        return generate(seed, rows, progress, contract)
    bundled = _default().rows
    if rows <= len(bundled[CREDITS.name]):
        return replace(_default(), rows={**bundled, CREDITS.name: bundled[CREDITS.name][:rows]})
    random = Random(seed)  # noqa: S311  # reproducible on purpose
    for _ in range(_DEFAULT_DRAWS):
        random.random()
    return _generate(random.random, bundled[CHANNELS.name], rows, progress, contract)


@cache
def _default() -> Dataset:
    return dataset.load(DEFAULT_NAME)


def _plain_rows(
    draw: Draw, contract: Contract, name: str, count: int, drawn: Mapping[str, Sequence[Any]]
) -> Iterator[Any]:
    """Yield rows from their schema alone; one if the resource is one object."""
    row_type, resource, now = row_types(contract)[name], contract.resources[name], format_instant(NOW)
    sources = row_type.sources(drawn)
    choices = {
        each.field: list(filter(row_type.field_types[each.field].is_allowed, (None, *sources[each.copy])))
        for each in resource.references
    }
    plain = [each for each in row_type.fields if each.name not in row_type.derived | choices.keys()]
    rows: list[Any] = []
    for index in range(1 if resource.is_object else count):
        given = {each.name: _plain_value(draw, each, index) for each in plain}
        given.update((field, _pick(draw, ids)) for field, ids in choices.items())
        fields = row_type.completed(row_type.with_defaults(given, rows, now), given, sources, now)
        rows.append(row_type.read("generated", "", fields))
        yield rows[-1]


def _plain_value(draw: Draw, field: Field, index: int) -> Any:
    if field.is_nullable and draw() < 0.3:
        return None
    if field.choices:
        return _pick(draw, field.choices)
    if field.is_date:
        return format_instant(NOW - int((1000 - index % 1000 + draw()) * DAY // 2))
    match field.type:
        case "integer":
            return 1 + int(draw() * 1000)
        case "number":
            return int(draw() * 10_000) / 100
        case "boolean":
            return draw() < 0.5
        case "string":
            return f"{field.name} {index + 1}"
    return field.example


@cache
def _faker() -> Faker:
    from faker import Faker  # takes a tenth of a second

    return Faker("en_US")


def _channels(seed: int) -> tuple[Random, Sequence[Any]]:
    """Return the channels of a seed, and its random numbers after them."""
    with _FAKER:
        fake = _faker()
        fake.seed_instance(seed)
        channels = list(_draw_channels(fake))
        random = Random()  # noqa: S311  # reproducible on purpose
        random.setstate(fake.random.getstate())
    return random, channels


def _draw_channels(fake: Faker) -> Iterator[Any]:
    draw, new = fake.random.random, row_types(WEBSHARE)[CHANNELS.name].new
    channel_id = 310
    codes: set[str] = set()
    while len(codes) < _CHANNELS:
        code = f"{fake.last_name().upper()}{_pick(draw, _DISCOUNTS)}"
        if code not in codes:
            codes.add(code)
            channel_id += 1 + int(draw() * 60)
            yield new(id=channel_id, code=code)


def _pick(draw: Draw, values: Sequence[T]) -> T:
    return values[int(draw() * len(values))]


def _pick_early(draw: Draw, values: Sequence[T]) -> T:
    """Pick a value, favouring early ones: about one pick in three is from the first tenth."""
    return values[int(draw() * draw() * len(values))]


def _credits(draw: Draw, channels: Sequence[Any], count: int) -> Iterator[Any]:
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
    """Return the instant before `NOW` at which the credit at a position was created.

    Any number of credits must fit before `NOW`, without moving the first ones: ninety are spread evenly
    over nineteen months, and all others over the last month, ever closer to `NOW`. Square roots and
    divisions have the same results on every machine; powers and logarithms may not.
    """
    steady, first, last = 90, 600 * DAY, 32 * DAY
    if position < steady:
        return NOW - int(first - (first - last) * position / steady)
    return NOW - int(last / sqrt(1 + (position - steady) / 10))


def _user(draw: Draw, users: list[_User], channels: Sequence[Any]) -> _User:
    """Return a user who makes a purchase: half of the time one who did before."""
    if users and draw() < 0.5:
        return _pick(draw, users)
    channel = None if draw() < 0.35 else _pick_early(draw, channels)
    users.append(_User(id=(users[-1].id if users else 180_344) + 1 + int(draw() * 90), channel=channel))
    return users[-1]


def _credit(draw: Draw, credit_id: int, user: _User, mode: str, created_at: int) -> Any:
    amount = round(_pick_early(draw, _PRICES) * _pick(draw, _COMMISSION) / 100) / 100
    status, updated_at, reverted_at = "pending", created_at + 4 + int(draw() * 60), None
    is_refunded, refund, lag = draw() < 0.12, draw(), int(draw() * 60 * SECOND)
    if is_refunded:
        reverted_at = updated_at + int(refund * min(_PERIOD, NOW - updated_at - SECOND))
        status, updated_at = "reverted", reverted_at + 4 + lag // SECOND
    elif created_at + _PERIOD <= NOW:
        # The service updates due credits periodically, so a little later than they are due.
        status, updated_at = "available", min(created_at + _PERIOD + lag, NOW)
    return row_types(WEBSHARE)[CREDITS.name].new(
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
