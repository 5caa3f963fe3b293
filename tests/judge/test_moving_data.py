"""The judge on legitimate traffic while the data moves: not one finding, whoever recorded it.

A session is of several keys. Between two requests, users buy and return, the account is paid and changed,
and time passes. Two recorders, whose clocks disagree, take turns. The mock server serves all of it without
sockets, once as if it were the service, once as the mock server that it is.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from random import Random
from typing import Any

import pytest

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.timestamps import DAY, SECOND, format_instant
from mock_webshare.errors import Contradiction
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Finding, Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from mock_webshare.service import transactions
from mock_webshare.service.data import generator
from mock_webshare.service.service import Service
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.registry import Worlds
from mock_webshare.service.world.world import World

SEEDS, LENGTH = 40, 250
API = "/api/v2/referral/"
LIST = f"{API}credit/"
HOST = "proxy.webshare.io"
SETTINGS = Settings(rate_limit="off")
BEGIN = generator.seeded(0, 60).now
JSON = ("Content-Type", "application/json")


class Session:
    """Clients that use a service for a while, and what two recorders make of it."""

    def __init__(self, seed: int, *, is_mock: bool = False) -> None:
        self.random, self.is_mock = Random(f"{seed}{is_mock}"), is_mock
        self.service = Service(SETTINGS)
        dataset = generator.seeded(seed, self.random.choice((0, 3, 30, 60)))
        self.worlds = Worlds(dataset, SETTINGS, timer=lambda: 0.0)
        self.now, self.real = dataset.now, BEGIN + 3 * DAY
        self.has_times = self.random.random() < 0.8
        self.recordings: dict[str, list[Exchange]] = {"laptop.har": [], "server.ndjson": []}
        self.skews = dict(zip(self.recordings, self.random.sample((0, 7200, -7200, 90_000), 2), strict=True))

    def run(self, length: int) -> Iterator[Exchange]:
        """Send so many requests, and yield their exchanges, one recording after the other."""
        while sum(map(len, self.recordings.values())) < length:
            self.pass_time()
            key = self.random.choice(("one", "two", "three"))
            world = self.worlds.require(key)
            if self.random.random() < 0.3:
                self.change(world)
            self.random.choices(ACTIONS, [weight for _, weight in WEIGHTED])[0](self, key, world)
        for source, found in self.recordings.items():
            for index, each in enumerate(found):
                yield replace(each, source=source, entry=index)

    def pass_time(self, most: float = 20.0) -> None:
        seconds = self.random.choice((0.0, 0.3, 2.0, most, most * 100)) * self.random.random()
        self.real += int(seconds * SECOND)
        if not self.is_mock:
            self.now += int(seconds * SECOND)

    def send(self, key: str, target: str, method: str = "GET", body: Any = None) -> Exchange:
        """Send a request, and record it."""
        world = self.worlds.require(key)
        # The clock of a world does not go back, and a simulation moves it.
        self.now = max(self.now, world.now)
        if not self.is_mock:
            world.set_clock(now=format_instant(self.now))
        headers = (("Host", HOST), ("Authorization", f"Token {key}"), *([JSON] if body else []))
        raw = tuple((name.lower().encode(), value.encode()) for name, value in headers)
        request, _ = self.service.read(method, target, raw, "https")
        response = self.service.respond(world, request, json.dumps(body).encode() if body else b"")
        source = self.random.choice(list(self.recordings))
        at = self.real if self.is_mock else self.now
        lasting = self.random.choice((0.05, 0.2, 0.9))
        own = (("Mock-Webshare-Version", "1.0"),) if self.is_mock else ()
        exchange = Exchange(
            source=source,
            method=method,
            url=f"https://{HOST}{target}",
            request_headers=headers,
            status=response.status,
            headers=(*response.headers, ("Date", formatdate(at // SECOND, usegmt=True)), *own),
            body=b"" if method == "HEAD" else response.body,
            started=at - int(lasting * SECOND) + self.skews[source] * SECOND if self.has_times else None,
            seconds=self.random.choice((lasting, lasting, None)) if self.has_times else None,
        )
        self.recordings[source].append(exchange)
        return exchange

    def change(self, world: World) -> None:
        """Let something happen that no request of the session does."""
        if not self.is_mock:
            world.set_clock(now=format_instant(max(self.now, world.now)))
        self.random.choice(CHANGES)(self.random, world)
        if not self.is_mock:
            self.now = max(self.now, world.now)


def buy(random: Random, world: World) -> None:
    channels = world.rows("channels")
    code = random.choice(channels).code if channels and random.random() < 0.5 else None
    users = [each.user_id for each in world.rows("credits")[:9]]
    user = {"user_id": random.choice(users)} if users and random.random() < 0.5 else {}
    try:
        transactions.purchase(world, amount=round(random.uniform(1, 90), 2), code=code, **user)
    except Contradiction:  # the channel is not active
        return


def give_back(random: Random, world: World) -> None:
    pending = [each.id for each in world.rows("credits") if each.status == "pending"]
    if pending:
        world.end("credits", random.choice(pending))


def let_days_pass(random: Random, world: World) -> None:
    world.set_clock(advance=f"P{random.randint(1, 12)}D")


def simulate(random: Random, world: World) -> None:
    if len(world.rows("credits")) < 400:
        transactions.simulate(world, months=1, purchases=random.randint(0, 8), seed=random.randrange(99))


def describe_channel(random: Random, world: World) -> None:
    if channels := world.rows("channels"):
        world.change("channels", random.choice(channels).id, description=random.choice("abc"))


def pay(random: Random, world: World) -> None:
    transactions.pay(world)


CHANGES: tuple[Callable[[Random, World], None], ...] = (
    buy, buy, buy, give_back, give_back, let_days_pass, simulate, describe_channel, pay,
)  # fmt: skip


def query(session: Session, world: World) -> str:
    """Return the query of a list, without its page."""
    random, channels = session.random, [each.id for each in world.rows("channels")]
    params = {
        "mode": random.choice(("payout", "credits", "", "bogus")),
        "status": random.choice(("pending", "available", "reverted", "")),
        "referral_channel": random.choice(("", *map(str, channels))),
        "ordering": ",".join(
            random.choice(("", "-")) + each for each in random.sample(WEBSHARE.orderings, 2)
        ),
        "page_size": random.choice(("1", "5", "10", "100", "1000", "0")),
        "z": "a+b",
    }
    names = random.sample(list(params), random.choice((0, 0, 1, 1, 2, 3)))
    return "&".join(f"{name}={params[name]}" for name in names)


def show_list(session: Session, key: str, world: World) -> None:
    """Request a whole list, one of few, so that each is seen again and beside the others."""
    params = session.random.choice(("", "status=pending&", "mode=payout&", "status=pending&mode=payout&"))
    session.send(key, f"{LIST}?{params}page_size=100")


def show_page(session: Session, key: str, world: World) -> None:
    pages = session.random.choice(("", "page=1", "page=2", "page=last", "page=99"))
    params = "&".join(filter(None, (query(session, world), pages)))
    session.send(key, f"{LIST}?{params}" if params else LIST, session.random.choice(("GET", "GET", "HEAD")))


def walk(session: Session, key: str, world: World) -> None:
    """Follow the links of a list, while data may move."""
    path = session.random.choice((LIST, LIST, f"{API}earnout/"))
    params = query(session, world) if path == LIST else "page_size=3"
    target: str | None = f"{path}?{params}" if params else path
    while target is not None:
        exchange = session.send(key, target)
        body = json.loads(exchange.body)
        link = body.get("next") if exchange.status == 200 else None
        target = link and link.removeprefix(f"https://{HOST}")
        session.pass_time(5.0)
        if session.random.random() < 0.15:
            session.change(world)


def show_row(session: Session, key: str, world: World) -> None:
    path = session.random.choice(("credit", "credit", "earnout"))
    ids = [each.id for each in world.rows("credits" if path == "credit" else "earnouts")]
    row_id = session.random.choice((*ids[:3], *ids[-9:], 12345678, "x"))
    slash = session.random.choice(("/", "/", "/", ""))
    session.send(key, f"{API}{path}/{row_id}{slash}")


def show_object(session: Session, key: str, world: World) -> None:
    paths = ("config/", "channel/", "earnout/", "coupon-code/", "earnout")
    session.send(key, API + session.random.choice(paths))


def look_up(session: Session, key: str, world: World) -> None:
    code = session.random.choice((world.row("config")["referral_code"], "unknown", ""))
    session.send(key, f"{API}code/info/?referral_code={code}")


def configure(session: Session, key: str, world: World) -> None:
    body = session.random.choice(
        ({"mode": "credits"}, {"mode": "payout", "paypal_payout_email": "a@example.com"}, {"mode": "x"})
    )
    session.send(key, f"{API}config/", "PATCH", body)


def apply_coupon(session: Session, key: str, world: World) -> None:
    codes = [each.code for each in (*world.rows("coupons"), *world.rows("channels"))]
    if session.random.random() < 0.3:
        session.send(key, f"{API}coupon-code/", "DELETE")
    else:
        session.send(key, f"{API}coupon-code/", "POST", {"code": session.random.choice((*codes, "none"))})


WEIGHTED = (
    (show_list, 6), (show_page, 4), (walk, 2), (show_row, 5), (show_object, 4), (look_up, 1),
    (configure, 1), (apply_coupon, 1),
)  # fmt: skip
ACTIONS = [action for action, _ in WEIGHTED]


def alarms(seed: int, length: int, *, is_mock: bool = False) -> tuple[list[Finding], Counter[str], int]:
    """Return the findings in a session that may fail a run, how many others there are, and the exchanges."""
    exchanges = list(Session(seed, is_mock=is_mock).run(length))
    verdict = judge(iter(exchanges), Options())
    assert verdict.judged > len(exchanges) * 0.9  # some ids belong to no endpoint
    findings = [each for group in verdict.groups for each in group.findings]
    mild = (Level.INFO, Level.INCONCLUSIVE)
    others = Counter(f"{each.level} {each.rule} {each.check}" for each in findings if each.level in mild)
    return [each for each in findings if each.level not in mild], others, len(exchanges)


SAMPLE = [0, *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(1, SEEDS))]


@pytest.mark.parametrize("is_mock", [False, True])
@pytest.mark.parametrize("seed", SAMPLE)
def test_moving_data_is_no_alarm(seed: int, is_mock: bool) -> None:
    found, _, length = alarms(seed, LENGTH, is_mock=is_mock)
    assert found == []
    assert length >= LENGTH
