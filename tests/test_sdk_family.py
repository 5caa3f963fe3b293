"""Every method of the vendor's `client.referral`, sync and async, against one world."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from webshare import AsyncWebshare, BadRequestError, RateLimitError, Webshare, WebshareError
from webshare.resources.referral import Referral

from mock_webshare import MockServer, MockWorld

Call = Callable[..., Any]
"""Calls a method of `client.referral` by its name."""


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, webshare_mock: MockWorld) -> Call:
    """Return what calls a method of one of the two clients, and lists all rows of its pages."""

    def of_sync(name: str, **arguments: Any) -> Any:
        with Webshare(api_key=webshare_mock.api_key, base_url=webshare_mock.url, max_retries=0) as client:
            found = getattr(client.referral, name)(**arguments)
            return list(found) if name in ("list_credits", "list_earnouts") else found

    async def of_async(name: str, **arguments: Any) -> Any:
        key, url = webshare_mock.api_key, webshare_mock.url
        async with AsyncWebshare(api_key=key, base_url=url, max_retries=0) as client:
            found: Any = getattr(client.referral, name)(**arguments)
            found = await found if isinstance(found, Awaitable) else found
            return [each async for each in found] if name in ("list_credits", "list_earnouts") else found

    if request.param == "sync":
        return of_sync
    return lambda name, **arguments: asyncio.run(of_async(name, **arguments))


CALLED = {
    "get_config", "update_config", "get_coupon_code", "apply_coupon_code", "remove_coupon_code",
    "list_channels", "list_credits", "get_credit", "list_earnouts", "get_earnout", "get_code_info",
}  # fmt: skip


def test_no_method_is_left_out() -> None:
    methods = {name for name, _ in inspect.getmembers(Referral, inspect.isfunction) if name[0] != "_"}
    assert methods == CALLED


def test_the_world_is_read(call: Call, webshare_mock: MockWorld) -> None:
    config = call("get_config")
    assert (config.mode, config.id) == (
        webshare_mock.row("config")["mode"],
        webshare_mock.row("config")["id"],
    )
    assert [each.id for each in call("list_channels")] == [each["id"] for each in webshare_mock.channels()]
    earnouts = call("list_earnouts", page_size=7)
    assert [each.id for each in earnouts] == [each["id"] for each in webshare_mock.rows("earnouts")]
    assert call("get_earnout", id=earnouts[0].id) == earnouts[0]
    credits = call("list_credits", page_size=100)
    assert call("get_credit", id=credits[0].id) == credits[0]
    info = call("get_code_info", referral_code=config.referral_code)
    assert (info.promo_type, info.promo_value) == (config.promo_type, config.promo_value)
    assert call("get_coupon_code").code is None


def test_totals_are_those_of_the_rows(call: Call, webshare_mock: MockWorld) -> None:
    credits, config = call("list_credits", page_size=100), call("get_config")
    paid = {
        number
        for each in webshare_mock.rows("earnouts")
        if each["status"] != "failed"
        for number in each["credits"]
    }
    for mode, earned in (("payout", config.payouts_earned), ("credits", config.credits_earned)):
        cents = [
            round(each.amount * 100)
            for each in credits
            if (each.mode, each.status) == (mode, "available") and each.id not in paid
        ]
        assert round(earned * 100) == sum(cents)
    assert config.number_of_users_referred == len({each.user_id for each in credits})
    first = next(each for each in credits if (each.mode, each.status) == ("payout", "available"))
    webshare_mock.delete_credit(first.id)
    after = call("get_config")
    assert after.total_payouts_earned == pytest.approx(config.total_payouts_earned - first.amount)


def test_the_config_is_changed(call: Call, webshare_mock: MockWorld) -> None:
    assert call("update_config", mode="credits").mode == "credits"
    config = call("update_config", mode="payout", paypal_payout_email=" new@example.com ")
    assert (config.mode, config.paypal_payout_email) == ("payout", "new@example.com")
    assert webshare_mock.row("config")["paypal_payout_email"] == "new@example.com"
    with pytest.raises(BadRequestError, match="400"):
        call("update_config", paypal_payout_email="nobody")


def test_a_coupon_code_is_applied_and_removed(call: Call, webshare_mock: MockWorld) -> None:
    good, other, inactive, expired, redeemed = (each["code"] for each in webshare_mock.rows("coupons"))
    assert call("apply_coupon_code", code=f" {good.lower()} ").code == good
    assert call("apply_coupon_code", code=other).code == call("get_coupon_code").code == other
    call("remove_coupon_code")
    assert call("get_coupon_code").code is None
    for code in (inactive, expired, redeemed):
        with pytest.raises(BadRequestError):
            call("apply_coupon_code", code=code)
    with pytest.raises(RateLimitError):
        call("apply_coupon_code", code=good)


@pytest.mark.parametrize("number", range(5))
def test_each_documented_refusal_has_its_code(webshare_mock: MockWorld, number: int) -> None:
    _, _, inactive, expired, redeemed = (each["code"] for each in webshare_mock.rows("coupons"))
    own = webshare_mock.channels()[0]["code"]
    code, expected = [
        ("NOBODYS", "not_found"),
        (own, "self_referral"),
        (inactive, "code_inactive"),
        (expired, "code_expired"),
        (redeemed, "already_redeemed"),
    ][number]
    key, url = webshare_mock.api_key, webshare_mock.url
    with Webshare(api_key=key, base_url=url) as client, pytest.raises(BadRequestError) as refused:
        client.referral.apply_coupon_code(code=code)
    assert expected in str(vars(refused.value))


@pytest.mark.parametrize("fault", ["EMPTY_RESPONSE", "CONNECTION_RESET_BY_PEER"])
def test_a_lost_response_has_made_its_change(webshare_mock: MockWorld, fault: str) -> None:
    webshare_mock.add_fault(fault=fault, method="PATCH", times=1)
    key, url = webshare_mock.api_key, webshare_mock.url
    with Webshare(api_key=key, base_url=url, max_retries=0) as client, pytest.raises(WebshareError):
        client.referral.update_config(mode="credits")
    assert webshare_mock.row("config")["mode"] == "credits"


def test_an_error_instead_of_a_response_has_changed_nothing(webshare_mock: MockWorld) -> None:
    before = webshare_mock.row("config")
    webshare_mock.add_fault(status=503, method="PATCH", times=1)
    key, url = webshare_mock.api_key, webshare_mock.url
    with Webshare(api_key=key, base_url=url, max_retries=0) as client, pytest.raises(WebshareError):
        client.referral.update_config(mode="credits")
    assert webshare_mock.row("config") == before


def test_a_code_is_looked_up_without_a_key(server: MockServer) -> None:
    with Webshare(api_key="other", base_url=server.url) as client:
        code = client.referral.get_config().referral_code
        assert client.referral.get_code_info(referral_code=code or "").referral_code == code
