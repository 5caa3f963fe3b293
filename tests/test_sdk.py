"""The vendor's own client, told nothing but another base URL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from webshare import (
    AsyncWebshare,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    RateLimitError,
    Webshare,
)

from mock_webshare import MockServer, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST, MODES, STATUSES
from mock_webshare.service.data import dataset

DEFAULT = dataset.load("default")
ORDERINGS = [sign + name for name in CREDIT_LIST.orderings for sign in ("", "-")]


@pytest.fixture
def sdk(server: MockServer) -> Iterator[Webshare]:
    with Webshare(api_key="key", base_url=server.url) as client:
        yield client


def test_one_page(sdk: Webshare) -> None:
    page = sdk.referral.list_credits()
    assert (page.count, len(page.results), page.previous) == (100, 25, None)
    assert [credit.id for credit in page.results] == [credit.id for credit in DEFAULT.rows["credits"][:25]]


def test_iterating_meets_every_credit_once(sdk: Webshare) -> None:
    ids = [credit.id for credit in sdk.referral.list_credits(page_size=7)]
    assert ids == [credit.id for credit in DEFAULT.rows["credits"]]


def test_no_request_of_the_client_gets_a_hint(server: MockServer, sdk: Webshare) -> None:
    before = len(server.world("key").requests)
    ids = [credit.id for credit in sdk.referral.list_credits(page_size=50)]
    sdk.referral.get_credit(ids[0])
    sdk.referral.get_config()
    with pytest.raises(NotFoundError):
        sdk.referral.get_credit(1)
    assert [entry.hint for entry in server.world("key").requests[before:]] == [""] * 5


def test_every_field_arrives(sdk: Webshare) -> None:
    for ours in DEFAULT.rows["credits"][::10]:
        theirs, wire = sdk.referral.get_credit(ours.id), ours.wire()
        for name, value in wire.items():
            got = getattr(theirs, name)
            assert (got.isoformat() if hasattr(got, "isoformat") else got) == value


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("status", STATUSES)
def test_filters(sdk: Webshare, mode: str, status: str) -> None:
    page = sdk.referral.list_credits(mode=mode, status=status)  # type: ignore[arg-type]
    expected = [
        credit.id for credit in DEFAULT.rows["credits"] if (credit.mode, credit.status) == (mode, status)
    ]
    assert [credit.id for credit in page] == expected


def test_a_channel_filter(sdk: Webshare) -> None:
    channel = DEFAULT.rows["channels"][0].id
    credits = list(sdk.referral.list_credits(referral_channel=channel))
    assert len(credits) == sum(credit.referral_channel == channel for credit in DEFAULT.rows["credits"])


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_orderings(sdk: Webshare, ordering: str) -> None:
    name, is_descending = ordering.removeprefix("-"), ordering.startswith("-")
    values = [getattr(credit, name) for credit in sdk.referral.list_credits(ordering=ordering, page_size=100)]
    known = [value for value in values if value is not None]
    nulls = [None] * (len(values) - len(known))
    assert known == sorted(known, reverse=is_descending)
    assert values == (nulls + known if is_descending else known + nulls)


def test_an_unknown_key(server: MockServer) -> None:
    with (
        Webshare(api_key="invalid", base_url=server.url) as client,
        pytest.raises(AuthenticationError) as error,
    ):
        client.referral.list_credits()
    assert (error.value.status_code, error.value.detail) == (401, "Invalid token.")


def test_an_unknown_credit(sdk: Webshare) -> None:
    with pytest.raises(NotFoundError) as error:
        sdk.referral.get_credit(1)
    assert error.value.detail == "Not found."


def test_an_impossible_page(sdk: Webshare) -> None:
    with pytest.raises(NotFoundError) as error:
        sdk.referral.list_credits(page=99)
    assert error.value.detail == "Invalid page."


def test_field_errors(sdk: Webshare) -> None:
    with pytest.raises(BadRequestError) as error:
        sdk.referral.list_credits(mode="bogus", referral_channel=1)  # type: ignore[arg-type]
    choice = "Select a valid choice. {} is not one of the available choices."
    assert error.value.field_errors == {
        "mode": [choice.format("bogus")],
        "referral_channel": [choice.format("That choice")],
    }


def test_a_rate_limit_without_retries() -> None:
    with (
        MockServer(Settings(port=0, rate_limit="1/min"), timer=lambda: 0.0) as server,
        Webshare(api_key="key", base_url=server.url, max_retries=0) as client,
    ):
        client.referral.list_credits()
        with pytest.raises(RateLimitError) as error:
            client.referral.list_credits()
    assert error.value.retry_after == 60


def test_a_rate_limit_is_waited_out() -> None:
    """The client sleeps as long as `Retry-After` says, so that its retry is the first request let in."""
    with (
        MockServer(Settings(port=0, rate_limit="2/sec")) as server,
        Webshare(api_key="key", base_url=server.url, max_retries=2) as client,
    ):
        pages = [client.referral.list_credits() for _ in range(4)]
    assert [page.count for page in pages] == [100] * 4


async def test_the_asynchronous_client(server: MockServer) -> None:
    async with AsyncWebshare(api_key="key", base_url=server.url) as client:
        ids = [credit.id async for credit in await client.referral.list_credits(page_size=30)]
        one = await client.referral.get_credit(ids[0])
        assert one.id == ids[0]
        with pytest.raises(NotFoundError):
            await client.referral.get_credit(1)
    assert ids == [credit.id for credit in DEFAULT.rows["credits"]]
