"""What time does to an account, and moving it in time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from mock_webshare import MockServer, MockWorld, Settings
from mock_webshare.contract.timestamps import DAY, format_instant, parse_instant
from mock_webshare.errors import UsageError
from mock_webshare.service.data import dataset, generator, settlement
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.world.registry import arranged
from tests.made_up import MADE_UP, data_set

DEFAULT = dataset.load("default")


def dates(made: Dataset) -> list[int]:
    """Return all dates of a data set in one order."""
    return [
        parse_instant(value)
        for rows in made.wire().values()
        for row in (rows if isinstance(rows, list) else [rows] if isinstance(rows, dict) else [])
        for name, value in row.items()
        if isinstance(value, str) and name.endswith(("_at", "_date"))
    ]


class TestAShift:
    def test_moves_every_date_by_the_same_duration(self) -> None:
        moved = settlement.shifted(DEFAULT, DEFAULT.now + 100 * DAY)
        differences = {at - before for at, before in zip(dates(moved), dates(DEFAULT), strict=True)}
        assert differences == {100 * DAY} and moved.now == DEFAULT.now + 100 * DAY

    def test_moves_the_data_of_any_contract(self) -> None:
        made = dataset.from_wire(data_set(3), source="test", contract=MADE_UP)
        moved = settlement.shifted(made, made.now + DAY)
        assert {at - before for at, before in zip(dates(moved), dates(made), strict=True)} == {DAY}

    def test_stays_within_the_years_of_instants(self) -> None:
        moved = settlement.shifted(dataset.load("edge-cases"), 0)
        assert min(dates(moved)) == 0

    def test_to_today_is_the_same_all_day(self) -> None:
        made = arranged(DEFAULT, Settings(shift="today"))
        local = datetime.fromisoformat(format_instant(made.now))
        assert (local.hour, local.minute, local.second, local.microsecond) == (9, 0, 0, 0)
        assert arranged(DEFAULT, Settings(shift="today")).wire() == made.wire()

    def test_to_now_is_as_of_now(self) -> None:
        before = datetime.now().timestamp()
        made = arranged(DEFAULT, Settings(shift="now"))
        assert before - 1 <= made.now / 1e6 <= datetime.now().timestamp() + 1

    def test_excludes_a_time(self) -> None:
        with pytest.raises(UsageError, match="now cannot go with shift"):
            Settings(shift="now", now="2026-01-01T00:00:00Z")


class TestThePendingPeriod:
    @pytest.mark.parametrize("days", [0, 3, 60])
    def test_is_that_of_the_settings(self, days: int) -> None:
        made = arranged(DEFAULT, Settings(pending_days=days))
        assert made.rows["config"][0].referral_payment_pending_days == f"{days} 00:00:00"
        for credit in made.rows["credits"]:
            if credit.status == "pending":
                assert credit.created_at + days * DAY > made.now

    def test_holds_in_every_world(self) -> None:
        with MockServer(Settings(port=0, pending_days=3, clock="running")) as server:
            for key in ("mine", "scenario:one-page"):
                world = server.world(key)
                assert world.row("config")["referral_payment_pending_days"] == "3 00:00:00"
                assert world.clock()["running"]


class TestEarnOuts:
    def test_of_generated_history_took_each_credit_once(self) -> None:
        made = generator.generate(4, 500)
        taken = [
            number for each in made.rows["earnouts"] if each.status != "failed" for number in each.credits
        ]
        assert len(taken) == len(set(taken)) > 50
        credits = {each.id: each for each in made.rows["credits"]}
        for each in made.rows["earnouts"]:
            paid = [credits[number] for number in each.credits]
            assert {credit.mode for credit in paid} == {each.mode}
            assert each.amount == pytest.approx(sum(credit.amount for credit in paid))
            assert each.amount >= 10
            assert all(credit.updated_at <= each.created_at for credit in paid)
            assert (each.error_reason is not None) == (each.status == "failed")
            assert (each.paypal_payout_email is None) == (each.mode == "credits")

    def test_that_fail_belong_to_generated_history_only(self, webshare_mock: MockWorld) -> None:
        known = len(webshare_mock.rows("earnouts"))
        webshare_mock.simulate(months=24, purchases=60)
        made = webshare_mock.rows("earnouts")[known:]
        assert len(made) > 20 and "failed" not in {each["status"] for each in made}

    def test_need_an_email_for_payouts(self, webshare_mock: MockWorld) -> None:
        webshare_mock.change("config", mode="credits", paypal_payout_email=None)
        known = {each["id"] for each in webshare_mock.rows("earnouts")}
        webshare_mock.set_clock(advance="P60D")
        added = [each for each in webshare_mock.rows("earnouts") if each["id"] not in known]
        assert "payout" not in {each["mode"] for each in added}

    def test_without_a_frequency_are_not_made(self, webshare_mock: MockWorld) -> None:
        webshare_mock.change("config", earn_out_frequency="00:00:00")
        known = webshare_mock.rows("earnouts")
        webshare_mock.set_clock(advance="P60D")
        assert webshare_mock.rows("earnouts") == known

    def test_of_every_second_for_centuries_are_made_soon(self, webshare_mock: MockWorld) -> None:
        webshare_mock.change("config", earn_out_frequency="00:00:01")
        webshare_mock.set_clock(now="9000-01-01T00:00:00Z")
        assert parse_instant(webshare_mock.row("config")["next_earn_out_date"]) > parse_instant(
            "9000-01-01T00:00:00Z"
        )


def test_a_user_s_commissions_fit_one_pair_of_rates() -> None:
    made = generator.generate(2, 1000)
    terms: dict[int | None, Any] = {each.id: each for each in made.rows["channels"]}
    terms[None] = made.rows["config"][0]
    first: dict[int, int] = {}
    earned: dict[int, float] = {}
    for each in made.rows["credits"]:
        its = terms[each.referral_channel]
        first.setdefault(each.user_id, each.created_at)
        is_initial = each.created_at < first[each.user_id] + its.initial_rate_period_days * DAY
        rate = float(its.initial_rate if is_initial else its.ongoing_rate)
        prices = [price for price in generator.PRICES if abs(price * rate - each.amount) < 0.0051]
        before = earned.get(each.user_id, 0.0)
        is_capped = round(before + each.amount, 2) >= 100
        assert prices or is_capped, each
        if each.status != "reverted":
            earned[each.user_id] = before + each.amount
    assert max(earned.values()) <= 100.001
