"""The brute force itself, on accounts so small that every number can be seen."""

from __future__ import annotations

from typing import Any

from tests.conformance.dataset import edge_cases
from tests.conformance.totals import channel_totals, config_totals, exact

CHANNEL = {"id": 7, "initial_rate": "0.20", "ongoing_rate": "0.10", "initial_rate_period_days": 2}


def credit(id: int, day: int, amount: float, **fields: Any) -> dict[str, Any]:
    created = f"2022-03-{day:02}T12:00:00-08:00"
    usual = {"user_id": 1, "mode": "payout", "status": "available", "referral_channel": 7}
    return {**usual, "id": id, "amount": amount, "created_at": created, **fields}


def test_the_rate_changes_exactly_after_the_period() -> None:
    last, first_after = credit(2, 2, 1.0), credit(3, 3, 1.0)
    assert channel_totals(CHANNEL, [credit(1, 1, 1.0), last])["total_revenue"] == 10.0
    assert channel_totals(CHANNEL, [credit(1, 1, 1.0), first_after])["total_revenue"] == 15.0


def test_the_period_begins_with_any_credit_of_the_user() -> None:
    earlier = credit(1, 1, 9.0, referral_channel=None, status="reverted")
    assert channel_totals(CHANNEL, [earlier, credit(2, 5, 1.0)])["total_revenue"] == 10.0
    assert channel_totals(CHANNEL, [{**earlier, "user_id": 2}, credit(2, 5, 1.0)])["total_revenue"] == 5.0


def test_each_price_is_rounded_half_to_even() -> None:
    channel = {**CHANNEL, "initial_rate": "0.40"}
    halves = [credit(1, 1, 0.002), credit(2, 1, 0.006), credit(3, 1, 0.01)]
    assert channel_totals(channel, halves)["total_revenue"] == 0.04  # 0.005, 0.015 and 0.025


def test_reverted_and_other_credits_do_not_count() -> None:
    others = [credit(1, 1, 1.0, status="reverted"), credit(2, 1, 1.0, referral_channel=8)]
    assert set(channel_totals(CHANNEL, others).values()) == {0}
    own = [credit(3, 1, 0.1, status="pending"), credit(4, 1, 0.2), credit(5, 1, 0.3, user_id=2)]
    totals = channel_totals(CHANNEL, [*others, *own])
    assert (totals["total_uses"], totals["total_commission"]) == (2, 0.6)


def test_what_a_failed_earn_out_took_is_earned_again() -> None:
    credits = [credit(id, 1, 0.1 * id) for id in (1, 2)]
    for status, earned in (("processing", 0.2), ("completed", 0.2), ("failed", 0.1 + 0.2)):
        totals = config_totals({"credits": credits, "earnouts": [{"status": status, "credits": [1]}]})
        assert round(totals["payouts_earned"], 9) == round(earned, 9)
        assert totals["total_payouts_earned"] == 0.3
        assert totals["total_credits_earned"] == totals["credits_earned"] == 0.0


def test_every_earn_out_took_available_credits_of_its_mode_and_amount() -> None:
    dataset = edge_cases()
    credits = {each["id"]: each for each in dataset["credits"]}
    for earnout in dataset["earnouts"]:
        taken = [credits[id] for id in earnout["credits"]]
        assert {(each["mode"], each["status"]) for each in taken} == {(earnout["mode"], "available")}
        assert float(sum(exact(each["amount"]) for each in taken)) == earnout["amount"]


def test_no_two_of_the_six_numbers_are_equal() -> None:
    numbers = config_totals(edge_cases()).values()
    assert len(set(numbers)) == len(numbers)
