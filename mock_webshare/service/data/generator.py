"""Generated accounts with realistic rows, drawn from Faker's random numbers.

The same seed gives the same credits on any day and any machine, and the first n credits do not change
when more are generated: each is drawn after the one before it, independently of those that follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from mock_webshare.contract.endpoints import (
    AFFILIATE,
    APPLIED_COUPON,
    CHANNELS,
    COUPONS,
    CREDITS,
    EARNOUTS,
    MODES,
    WEBSHARE,
)
from mock_webshare.contract.model import Contract, Field
from mock_webshare.contract.timestamps import DAY, LIMIT, SECOND, format_instant, parse_period
from mock_webshare.service.data import dataset
from mock_webshare.service.data.computed import commission, rate_at
from mock_webshare.service.data.dataset import SEEDED_NOW as NOW
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.data.resources import row_types
from mock_webshare.service.data.settlement import settled

if TYPE_CHECKING:
    from faker import Faker

DEFAULT_SEED = 0
DEFAULT_NAME = "default"

_START = NOW - 620 * DAY  # when the affiliate began; the first credit is created twenty days later
_FAKER = Lock()  # all threads use one Faker and change its state, because making a Faker reads files
_CHANNELS = 5
_UNSERVED = 5  # rows of a resource that has no endpoint, for others to refer to
_MONTH = DAY * 1461 // 48
_DISCOUNTS = (10, 15, 20, 25, 30, 50)
PRICES = (2.99, 5.98, 8.97, 14.95, 19.8, 26.91, 35.0, 56.0, 95.0, 185.0)  # expensive plans are rare
_FAILED = 0.06  # share of the payouts that fail
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_COUPON_STATES: Sequence[Mapping[str, Any]] = (
    {},
    {"is_recurring": True, "promo_type": "value_off", "promo_value": "5.00"},
    {"is_active": False},
    {"end_date": "2025-12-31T23:59:59-08:00"},
    {"is_redeemed": True},
)
_PROGRESS_EVERY = 10_000

T = TypeVar("T")
Draw = Callable[[], float]
"""A source of randomness: numbers from 0 up to, not including, 1."""

Progress = Callable[[int, int], object]
"""Called from time to time with the number of rows that are done, and the number of all rows."""


@dataclass(slots=True)
class _User:
    """A referred user, the row of their channel, and what their purchases have earned, in cents."""

    id: int
    channel: Any  # None: they used the referral link
    first: int | None = None
    cents: int = 0
    refunds: tuple[tuple[int, int], ...] = ()  # instants, and cents

    def earned(self, instant: int) -> int:
        """Return the cents that all purchases so far have earned, minus those refunded by an instant."""
        return self.cents - sum(cents for refunded_at, cents in self.refunds if refunded_at <= instant)

    def earn(self, cents: int, created_at: int, refunded_at: int | None) -> None:
        self.first = created_at if self.first is None else self.first
        self.cents += cents
        if refunded_at is not None:
            self.refunds += ((refunded_at, cents),)


class _Affiliate(NamedTuple):
    """What an account has before anybody uses its link or one of its channels."""

    config: Any
    channels: Sequence[Any]
    coupons: Sequence[Any]
    changes: Sequence[int]
    """When the mode was changed: once or twice."""


def generate(
    seed: int, rows: int, progress: Progress | None = None, contract: Contract = WEBSHARE
) -> Dataset:
    """Return a generated account with `rows` credits; of another contract, `rows` of each served resource.

    Relations hold between credits: ids, creation and users' ids rise together; a user spends more than once
    and keeps the channel; an amount is the price times the rate of that time, up to the user's cap;
    `reverted_at` lies between creation and update; a credit is pending exactly while its period runs.
    Earn-outs have paid what was available. The rows of other contracts are drawn from their schemas.
    """
    if contract.resources.get(CREDITS.name) is CREDITS:
        return _generate(seed, _affiliate(seed), rows, progress)
    random, drawn = _random(seed), dict[str, list[Any]]()
    for name in reversed(contract.resources):  # resources to which others refer are last in a contract
        is_served = any(endpoint.resource == name for endpoint in contract.endpoints)
        count = rows if is_served else _UNSERVED
        drawn[name] = list(_plain_rows(random.random, contract, name, count, drawn))
    return settled(Dataset(contract, {name: drawn[name] for name in contract.resources}, NOW), NOW)


def _generate(seed: int, affiliate: _Affiliate, rows: int, progress: Progress | None) -> Dataset:
    random = _random(seed)
    credits = list(_counted(_credits(random.random, affiliate, rows), rows, progress))
    applied = row_types(WEBSHARE)[APPLIED_COUPON.name].new(coupon=None, code=None)
    drawn: dict[str, Sequence[Any]] = {
        CREDITS.name: credits,
        CHANNELS.name: affiliate.channels,
        AFFILIATE.name: [affiliate.config],
        EARNOUTS.name: [],
        APPLIED_COUPON.name: [applied],
        COUPONS.name: affiliate.coupons,
    }
    failures = _random(f"earn-outs of {seed}")
    return settled(Dataset(WEBSHARE, drawn, NOW), NOW, lambda: failures.random() < _FAILED)


def _counted(rows: Iterator[T], total: int, progress: Progress | None) -> Iterator[T]:
    for number, row in enumerate(rows, start=1):
        yield row
        if progress and (number % _PROGRESS_EVERY == 0 or number == total):
            progress(number, total)


def simulated(dataset: Dataset, *, months: int = 1, purchases: int = 40, seed: int = 0) -> Dataset:
    """Return a data set some months later, with purchases in each month: the same for the same seed.

    A month has 30 days and 10.5 hours. Users buy, are refunded and are referred as in `generate`; earn-outs
    pay, and the rates of users change. The first purchases do not depend on those that follow.
    """
    random = _random(f"simulation {seed}")
    rows, config = dict(dataset.rows), dataset.rows[AFFILIATE.name][0]
    affiliate = _Affiliate(config, rows[CHANNELS.name], rows[COUPONS.name], ())
    users, credits = _users(rows[CREDITS.name], affiliate), list(rows[CREDITS.name])
    last_id = _last((each.id for each in credits), 48_211)
    end = min(dataset.now + months * _MONTH, LIMIT - 1)
    for _, instant in _instants(random.random, dataset.now, months, purchases):
        user = _user(random.random, users, affiliate, instant)
        last_id += 1 + int(random.random() * 40)
        credits.append(_credit(random.random, last_id, user, affiliate, config.mode, instant, end))
    rows[CREDITS.name] = sorted(credits, key=lambda each: each.id)
    return settled(replace(dataset, rows=rows), end)


def _last(ids: Iterable[int], otherwise: int) -> int:
    """Return the largest id, without those so large that few ids are left after them; or `otherwise`."""
    return max((each for each in ids if each < 2**53), default=otherwise)


def _instants(draw: Draw, start: int, months: int, purchases: int) -> Iterator[tuple[int, int]]:
    """Yield the number of the month, from 0, and the instant of each purchase, in order of time."""
    for month in range(months):
        begin = start + month * _MONTH
        yield from ((month, each) for each in sorted(begin + int(draw() * _MONTH) for _ in range(purchases)))


def _users(credits: Sequence[Any], affiliate: _Affiliate) -> list[_User]:
    """Return the users who have made purchases, in the order of their ids."""
    channels = {each.id: each for each in affiliate.channels}
    users: dict[int, _User] = {}
    for each in sorted(credits, key=lambda each: each.created_at):
        user = users.setdefault(each.user_id, _User(each.user_id, channels.get(each.referral_channel)))
        user.earn(round(each.amount * 100), each.created_at, each.reverted_at)
    return sorted(users.values(), key=lambda each: each.id % 2**53)


def seeded(seed: int, rows: int, progress: Progress | None = None, contract: Contract = WEBSHARE) -> Dataset:
    """Return what `generate` returns, but without loading Faker if the seed is the default.

    The names that Faker draws for the default seed are in the data set `default`; a test compares both.
    """
    if contract is not WEBSHARE or seed != DEFAULT_SEED:
        return generate(seed, rows, progress, contract)
    bundled = _default()
    if rows == len(bundled.rows[CREDITS.name]):
        return bundled
    names = [each.code for name in (CHANNELS.name, COUPONS.name) for each in bundled.rows[name]]
    return _generate(seed, _affiliate(seed, names), rows, progress)


@cache
def _default() -> Dataset:
    return dataset.load(DEFAULT_NAME)


def _plain_rows(
    draw: Draw, contract: Contract, name: str, count: int, drawn: Mapping[str, Sequence[Any]]
) -> Iterator[Any]:
    """Yield `count` rows drawn from their schema alone; a single row if the resource is one object."""
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


def _affiliate(seed: int, codes: Sequence[str] | None = None) -> _Affiliate:
    """Return the affiliate of a seed; `codes` name channels, then coupons. None: Faker draws them."""
    codes = codes or _codes(seed)
    random = _random(f"affiliate of {seed}")
    draw = random.random
    changes = [NOW - int((450 - 150 * draw()) * DAY)]
    if draw() < 0.5:
        changes.append(NOW - int((250 - 150 * draw()) * DAY))
    channels = list(_channels(draw, codes[:_CHANNELS]))
    coupons = list(_coupons(draw, codes[_CHANNELS:]))
    return _Affiliate(_config(draw, changes), channels, coupons, changes)


def _config(draw: Draw, changes: Sequence[int]) -> Any:
    code = "".join(_pick(draw, _LETTERS) for _ in range(12))
    fields = {
        **AFFILIATE.defaults,
        "id": 4_100 + int(draw() * 5_000),
        "mode": MODES[len(changes) % 2],
        "referral_code": code,
        "referral_url": f"https://www.webshare.io/?referral_code={code}",
        "created_at": format_instant(_START),
        "updated_at": format_instant(changes[-1]),
        "next_earn_out_date": format_instant(_START + 7 * DAY),
    }
    return row_types(WEBSHARE)[AFFILIATE.name].read("generated", "", fields)


def _codes(seed: int) -> Sequence[str]:
    """Return distinct coupon codes, drawn by Faker."""
    codes: dict[str, None] = {}
    with _FAKER:
        fake = _faker()
        fake.seed_instance(seed)
        while len(codes) < _CHANNELS + len(_COUPON_STATES):
            codes[f"{fake.last_name().upper()}{_pick(fake.random.random, _DISCOUNTS)}"] = None
    return list(codes)


def _channels(draw: Draw, codes: Sequence[str]) -> Iterator[Any]:
    row_type, number = row_types(WEBSHARE)[CHANNELS.name], 310
    for index, code in enumerate(codes):
        number += 1 + int(draw() * 60)
        since = format_instant(_START + int((index + draw()) * DAY) + DAY)
        given = {
            "id": number,
            "code": code,
            "description": _pick(draw, ("Newsletter", "Video channel", "Blog", "")),
            "promo_value": f"0.{code[-2:]}",
            "is_recurring": draw() < 0.3,
            "initial_rate": _pick(draw, ("0.20", "0.25", "0.30")),
            "end_date": format_instant(NOW + 90 * DAY) if index == _CHANNELS - 1 else None,
        }
        yield row_type.read("generated", "", {**row_type.default_fields((), since), **given})


def _coupons(draw: Draw, codes: Sequence[str]) -> Iterator[Any]:
    """Yield coupon codes of other affiliates: one for each reason to accept or refuse a code."""
    row_type, number = row_types(WEBSHARE)[COUPONS.name], 2_700
    for code, state in zip(codes, _COUPON_STATES, strict=True):
        number += 1 + int(draw() * 60)
        given = {"id": number, "code": code, "description": "Partner", "promo_value": f"0.{code[-2:]}"}
        defaults = row_type.default_fields((), format_instant(NOW))
        yield row_type.read("generated", "", {**defaults, **given, **state})


def _random(seed: int | str) -> Random:
    return Random(seed)  # noqa: S311  # reproducible on purpose


def _pick(draw: Draw, values: Sequence[T]) -> T:
    return values[int(draw() * len(values))]


def _pick_early(draw: Draw, values: Sequence[T]) -> T:
    """Pick a value, favouring early ones: about one pick in three is from the first tenth."""
    return values[int(draw() * draw() * len(values))]


def _credits(draw: Draw, affiliate: _Affiliate, count: int) -> Iterator[Any]:
    credit_id, users = 48_211, list[_User]()
    for index in range(count):
        credit_id += 1 + int(draw() * 40)  # the service numbers the credits of all its affiliates together
        created_at = _created_at(index + 0.95 * draw())
        mode = MODES[sum(each <= created_at for each in affiliate.changes) % 2]
        user = _user(draw, users, affiliate, created_at)
        yield _credit(draw, credit_id, user, affiliate, mode, created_at, NOW)


def _created_at(position: float) -> int:
    """Return the instant before `NOW` at which the credit at a position was created.

    Any number of credits must fit before `NOW`, without moving the first ones: eighty are spread evenly over
    nineteen months, nineteen over the last month, and all others over the last day, ever closer to `NOW`.
    Divisions have the same results on every machine; powers and logarithms may not.
    """
    steady, recent, first, month, day = 80, 99, 600 * DAY, 32 * DAY, DAY * 3 // 4
    if position < steady:
        return NOW - int(first - (first - month) * position / steady)
    if position < recent:
        return NOW - int(month - (month - day) * (position - steady) / (recent - steady))
    return NOW - int(day / (1 + (position - recent) / 100_000))


def _user(draw: Draw, users: list[_User], affiliate: _Affiliate, now: int) -> _User:
    """Return the user of a purchase: half of the time a known user who is below the cap, else a new one."""
    if users and draw() < 0.5:
        known = _pick(draw, users)
        if known.earned(now) < _cap(_terms(known, affiliate)):
            return known
    usable = [each for each in affiliate.channels if each.is_active and (each.end_date or now) >= now]
    channel = None if draw() < 0.35 or not usable else _pick_early(draw, usable)
    last_id = _last((each.id for each in users[-1:]), 180_344)
    users.append(_User(id=last_id + 1 + int(draw() * 90), channel=channel))
    return users[-1]


def _terms(user: _User, affiliate: _Affiliate) -> Any:
    return user.channel or affiliate.config


def _cap(terms: Any) -> int:
    """Return the cents that one user earns at most."""
    return round(float(terms.max_earnings_per_referred) * 100)


def _credit(
    draw: Draw, credit_id: int, user: _User, affiliate: _Affiliate, mode: str, created_at: int, now: int
) -> Any:
    period = parse_period(affiliate.config.referral_payment_pending_days)
    price, terms = _pick_early(draw, PRICES), _terms(user, affiliate)
    commissioned = round(commission(price, rate_at(terms, created_at, user.first)) * 100)
    cents = min(commissioned, _cap(terms) - user.earned(created_at))
    status, updated_at, reverted_at = "pending", created_at + 4 + int(draw() * 60), None
    is_refunded, refund, lag = draw() < 0.12, draw(), int(draw() * 60 * SECOND)
    if is_refunded:
        reverted_at = updated_at + int(refund * min(period, max(now - updated_at - SECOND, 0)))
        status, updated_at = "reverted", reverted_at + 4 + lag // SECOND
    elif created_at + period <= now:
        # The service updates due credits periodically, so a little later than they are due.
        status, updated_at = "available", min(created_at + period + lag, now)
    user.earn(cents, created_at, reverted_at)
    return row_types(WEBSHARE)[CREDITS.name].new(
        id=credit_id,
        user_id=user.id,
        mode=mode,
        amount=cents / 100,
        status=status,
        referral_channel=user.channel and user.channel.id,
        referral_channel_code=user.channel and user.channel.code,
        created_at=created_at,
        updated_at=updated_at,
        reverted_at=reverted_at,
        price=None,
    )
