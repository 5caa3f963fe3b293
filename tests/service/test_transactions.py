"""Purchases, payments and the clock: what an account is after any sequence of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mock_webshare.contract.endpoints import CHANNEL_LIST, CONFIG, COUPON_CODE, WEBSHARE
from mock_webshare.contract.timestamps import DAY, parse_instant
from mock_webshare.errors import Contradiction, DataError
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from mock_webshare.service import transactions
from mock_webshare.service.data import dataset, generator
from mock_webshare.service.data.account import Account
from mock_webshare.service.service import Service
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.journal import Entry, exchanges
from mock_webshare.service.world.world import Beginning, World
from tests.sampling import examples

BASE = CONFIG.path.removesuffix("config/")
HEADERS = ((b"host", b"a"), (b"authorization", b"Token any"), (b"content-type", b"application/json"))


class Client:
    """A client of one world; its journal has the requests."""

    def __init__(self, credits: int = 30, **settings: Any) -> None:
        made = Settings(**{"rate_limit": "off", **settings})
        self.world = World(
            Beginning(Account.of(generator.seeded(0, credits)), dataset.SEEDED_NOW, made), lambda: 0.0
        )
        self._service = Service(made)

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Send a request to an endpoint and return the status and the content of the response."""
        request, _ = self._service.read(method, path, HEADERS, "http")
        sent = b"" if body is None else json.dumps(body).encode()
        response = self._service.respond(self.world, request, sent)
        entry = Entry(self.world.now, method, path, HEADERS, sent, response, 0.001)
        self.world.journal.add(entry)
        return response.status, json.loads(response.body) if response.body else None

    def get(self, endpoint: str) -> Any:
        status, content = self.send("GET", BASE + endpoint)
        assert status == 200
        return content

    def recorded(self) -> list[Exchange]:
        return exchanges(list(self.world.journal))


@pytest.fixture
def client() -> Client:
    return Client()


def cents(amounts: Iterator[float]) -> Decimal:
    return sum((Decimal(repr(each)) for each in amounts), Decimal())


class TestAPurchase:
    def test_makes_a_pending_credit_at_the_initial_rate_of_the_config(self, client: Client) -> None:
        before = client.get("config/")
        credit = transactions.purchase(client.world, amount=50)["credit"]
        assert (credit["amount"], credit["status"], credit["mode"]) == (10.0, "pending", before["mode"])
        after = client.get("config/")
        assert after["number_of_users_referred"] == before["number_of_users_referred"] + 1
        assert after["number_of_users_upgraded"] == before["number_of_users_upgraded"] + 1

    def test_by_a_code_moves_the_totals_of_its_channel(self, client: Client) -> None:
        before = client.get("channel/")[0]
        credit = transactions.purchase(client.world, amount=29.99, code=before["code"].lower())["credit"]
        after = client.get("channel/")[0]
        assert credit["referral_channel"] == before["id"]
        assert after["total_uses"] == before["total_uses"] + 1
        assert after["total_revenue"] == pytest.approx(before["total_revenue"] + 29.99)
        assert after["total_commission"] == pytest.approx(before["total_commission"] + credit["amount"])
        client.world.end("credits", credit["id"])
        assert client.get("channel/")[0] == before

    def test_has_the_ongoing_rate_after_the_initial_period(self, client: Client) -> None:
        first = transactions.purchase(client.world, amount=50)["credit"]
        client.world.set_clock(advance="P366D")
        later = transactions.purchase(client.world, amount=50, user_id=first["user_id"])["credit"]
        assert (first["amount"], later["amount"]) == (10.0, 5.0)

    def test_ends_at_the_cap(self, client: Client) -> None:
        first = transactions.purchase(client.world, amount=450)["credit"]
        second = transactions.purchase(client.world, amount=450, user_id=first["user_id"])["credit"]
        third = transactions.purchase(client.world, amount=450, user_id=first["user_id"])["credit"]
        assert (first["amount"], second["amount"], third) == (90.0, 10.0, None)

    @pytest.mark.parametrize(
        ("given", "pointer", "error"),
        [
            ({}, "", DataError),
            ({"amount": 0}, "/amount", DataError),
            ({"amount": "5"}, "/amount", DataError),
            ({"amount": 5, "user_id": 0}, "/user_id", DataError),
            ({"amount": 5, "code": ""}, "/code", DataError),
            ({"amount": 5, "channel": 1}, "", DataError),
            ({"amount": 5, "code": "NOBODYS"}, "/code", Contradiction),
        ],
    )
    def test_is_refused_with_its_place(
        self, client: Client, given: dict[str, Any], pointer: str, error: type[DataError]
    ) -> None:
        with pytest.raises(error) as refused:
            transactions.purchase(client.world, **given)
        assert refused.value.pointer == pointer

    @pytest.mark.parametrize(
        "change",
        [
            {"is_active": False},
            {"end_date": "2026-01-01T00:00:00-08:00"},
            {"start_date": "2030-01-01T00:00:00Z"},
        ],
    )
    def test_by_a_channel_that_is_over_is_refused(self, client: Client, change: dict[str, Any]) -> None:
        channel = client.world.rows("channels")[0]
        client.world.change("channels", channel.id, **change)
        with pytest.raises(Contradiction, match="a channel that is active now"):
            transactions.purchase(client.world, amount=5, code=channel.code)


class TestAPayment:
    def test_redeems_the_applied_coupon_code(self, client: Client) -> None:
        code = client.world.rows("coupons")[0].code
        assert client.send("POST", COUPON_CODE.path, {"code": code})[0] == 200
        assert transactions.pay(client.world) == {"redeemed": code}
        assert client.send("DELETE", COUPON_CODE.path) == (204, None)
        assert client.get("coupon-code/")["code"] == code  # a redeemed one stays
        status, errors = client.send("POST", COUPON_CODE.path, {"code": code})
        assert (status, errors["code"][0]["code"]) == (400, "already_redeemed")
        assert transactions.pay(client.world) == {"redeemed": None}

    def test_without_a_coupon_code_redeems_nothing(self, client: Client) -> None:
        assert transactions.pay(client.world) == {"redeemed": None}


class TestTime:
    def test_pays_available_credits_on_the_date_of_the_earn_out(self, client: Client) -> None:
        config = client.get("config/")
        credit = transactions.purchase(client.world, amount=100)["credit"]
        client.world.set_clock(advance="P30D")
        assert client.world.row("credits", credit["id"])["status"] == "available"
        client.world.set_clock(advance="P7D")
        earnouts = client.world.rows("earnouts")
        assert credit["id"] in earnouts[-1].credits
        assert earnouts[-1].status == "processing" or earnouts[-1].created_at + 2 * DAY <= client.world.now
        client.world.set_clock(advance="P2D")
        assert client.world.rows("earnouts")[-1].status == "completed"
        after = client.get("config/")
        assert after["next_earn_out_date"] > config["next_earn_out_date"]
        assert after["total_payouts_earned"] >= config["total_payouts_earned"] + credit["amount"] - 0.001

    def test_of_a_failed_earn_out_gives_the_credits_back(self, client: Client) -> None:
        client.world.set_clock(advance="P40D")
        last = client.world.rows("earnouts")[-1]
        before = client.get("config/")[f"{'payouts' if last.mode == 'payout' else 'credits'}_earned"]
        client.world.change("earnouts", last.id, status="failed", error_reason="No.")
        after = client.get("config/")[f"{'payouts' if last.mode == 'payout' else 'credits'}_earned"]
        assert after == pytest.approx(before + last.amount)

    def test_obeys_the_period_of_the_config(self, client: Client) -> None:
        client.world.change("config", referral_payment_pending_days="3 00:00:00")
        credit = transactions.purchase(client.world, amount=5)["credit"]
        client.world.set_clock(advance="P3D")
        assert client.world.row("credits", credit["id"])["status"] == "available"

    def test_in_small_steps_is_the_same_as_in_a_large_one(self) -> None:
        steps, leap = Client(), Client()
        for each in (steps, leap):
            transactions.purchase(each.world, amount=75)
        for _ in range(60):
            steps.world.set_clock(advance="P1D")
        leap.world.set_clock(advance="P60D")
        assert steps.world.state().wire() == leap.world.state().wire()


class TestASimulation:
    def test_is_the_same_for_a_seed_and_goes_on(self) -> None:
        one, other = Client(), Client()
        for each in (one, other):
            transactions.simulate(each.world, months=24, purchases=40, seed=3)
        assert one.world.state().wire() == other.world.state().wire()
        assert len(one.world.rows("credits")) == 30 + 24 * 40
        transactions.simulate(one.world, months=1, purchases=10)
        assert len(one.world.rows("credits")) == 30 + 24 * 40 + 10

    def test_keeps_rates_cap_and_dates(self) -> None:
        client = Client()
        transactions.simulate(client.world, months=24, purchases=40)
        check_account(client)
        assert {each.status for each in client.world.rows("credits")} == {"pending", "available", "reverted"}


def check_account(client: Client) -> None:
    """Check sums, statuses, rates, cap and dates of the account."""
    world, config, channels = client.world, client.get("config/"), client.get("channel/")
    credits, earnouts = world.rows("credits"), world.rows("earnouts")
    paid = {number for each in earnouts if each.status != "failed" for number in each.credits}
    taken = [number for each in earnouts if each.status != "failed" for number in each.credits]
    assert len(taken) == len(paid), "no credit is paid twice"
    for mode, name in (("credits", "credits_earned"), ("payout", "payouts_earned")):
        earned = [each for each in credits if (each.mode, each.status) == (mode, "available")]
        assert Decimal(repr(config[f"total_{name}"])) == cents(each.amount for each in earned)
        assert Decimal(repr(config[name])) == cents(each.amount for each in earned if each.id not in paid)
    for channel in channels:
        kept = [
            each for each in credits if each.referral_channel == channel["id"] and each.status != "reverted"
        ]
        assert Decimal(repr(channel["total_commission"])) == cents(each.amount for each in kept)
        assert channel["total_uses"] == len({each.user_id for each in kept})
    assert parse_instant(config["next_earn_out_date"]) > world.now
    for each in credits:
        assert each.created_at <= each.updated_at <= max(world.now, each.updated_at)
        assert (each.reverted_at is not None) == (each.status == "reverted")
        if each.status == "pending":
            assert each.created_at + 30 * DAY > world.now
    by_user: dict[int, Decimal] = {}
    for each in credits:
        if each.status != "reverted":
            by_user[each.user_id] = by_user.get(each.user_id, Decimal()) + Decimal(repr(each.amount))
    assert all(each <= 100 for each in by_user.values())


class Affiliates(RuleBasedStateMachine):
    """An affiliate's life, in any order."""

    @initialize()
    def begin(self) -> None:
        self.client = Client(credits=20)
        self.purchased: list[dict[str, Any]] = []
        self.snapshots = 0

    @property
    def world(self) -> World:
        return self.client.world

    @rule(
        amount=st.sampled_from([2.99, 19.8, 56.0, 185.0]),
        is_known=st.booleans(),
        channel=st.none() | st.integers(0, 4),
    )
    def purchase(self, amount: float, is_known: bool, channel: int | None) -> None:
        user = self.purchased[-1]["user_id"] if is_known and self.purchased else None
        code = None if channel is None else self.world.rows("channels")[channel].code
        try:
            credit = transactions.purchase(self.world, amount=amount, user_id=user, code=code)["credit"]
        except Contradiction:  # the channel is over
            return
        if credit is not None:
            assert credit["amount"] <= amount
            self.purchased.append(credit)

    @precondition(lambda self: self.purchased)
    @rule()
    def refund(self) -> None:
        credit = self.purchased.pop()
        if any(each.id == credit["id"] and each.status == "pending" for each in self.world.rows("credits")):
            self.world.end("credits", credit["id"])

    @rule(mode=st.sampled_from(["payout", "credits", "cash"]))
    def change_mode(self, mode: str) -> None:
        status, content = self.client.send("PATCH", CONFIG.path, {"mode": mode})
        assert status == (400 if mode == "cash" else 200), content

    @rule(days=st.integers(1, 40))
    def let_time_pass(self, days: int) -> None:
        self.world.set_clock(advance=f"P{days}D")

    @rule(index=st.integers(0, 4))
    def apply_coupon(self, index: int) -> None:
        code = self.world.rows("coupons")[index].code
        status, content = self.client.send("POST", COUPON_CODE.path, {"code": code})
        assert content["code"] == code if status == 200 else status == 400

    @rule()
    def remove_coupon(self) -> None:
        assert self.client.send("DELETE", COUPON_CODE.path) == (204, None)

    @rule()
    def pay(self) -> None:
        transactions.pay(self.world)

    @rule()
    def save_and_restore(self) -> None:
        before = self.world.state().wire()
        self.world.take_snapshot("one")
        transactions.purchase(self.world, amount=5)
        self.world.restore_snapshot("one")
        assert self.world.state().wire() == before

    @rule()
    def reset(self) -> None:
        self.world.reset()
        self.purchased = []

    @invariant()
    def is_consistent(self) -> None:
        if hasattr(self, "client"):
            check_account(self.client)
            for path in ("credit/?page_size=100", "earnout/", "coupon-code/"):
                self.client.get(path)

    def teardown(self) -> None:
        if hasattr(self, "client"):
            found = judge(iter(self.client.recorded()), Options()).findings
            assert [(each.rule, each.place) for each in found] == []


TestAffiliates = Affiliates.TestCase
TestAffiliates.settings = hypothesis_settings(
    max_examples=examples(25), stateful_step_count=25, deadline=None, database=None, derandomize=True
)


def test_every_field_that_is_computed_is_served() -> None:
    for endpoint in (CONFIG, CHANNEL_LIST):
        served = {field.name for field in WEBSHARE.served[endpoint.path]}
        assert set(WEBSHARE.resource_of(endpoint).computed) <= served
