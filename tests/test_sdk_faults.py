"""The vendor's own client under each fault: what it tries again, how long it waits, and what it raises."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from webshare import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AsyncWebshare,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseDecodeError,
    Webshare,
    WebshareError,
)

from mock_webshare import MockServer, MockWorld, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.service.faults import FORBIDDEN_CODES, MAX_DELAY
from tests.sampling import sampled
from tests.waiting import until

LIST = CREDIT_LIST.path

Walk = Callable[..., list[Any]]
"""Lists all credits of a world, page after page; options are those of the client."""


def walk(world: MockWorld, page_size: int = 50, **options: Any) -> list[Any]:
    with Webshare(api_key=world.api_key, base_url=world.url, **options) as client:
        return list(client.referral.list_credits(page_size=page_size))


def walk_asynchronously(world: MockWorld, page_size: int = 50, **options: Any) -> list[Any]:
    async def walk() -> list[Any]:
        async with AsyncWebshare(api_key=world.api_key, base_url=world.url, **options) as client:
            return [credit async for credit in await client.referral.list_credits(page_size=page_size)]

    return asyncio.run(walk())


@pytest.fixture(params=[walk, walk_asynchronously])
def walks(request: pytest.FixtureRequest) -> Walk:
    """Either client."""
    found: Walk = request.param
    return found


@pytest.fixture(autouse=True, scope="module")
def certificates() -> Iterator[None]:
    """Nothing is encrypted here, but each client would read all certificates anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", cache(ssl.create_default_context))
        yield


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that a client would have waited before it tried again."""
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(Webshare, "_sleep", staticmethod(waits.append))
    monkeypatch.setattr(AsyncWebshare, "_sleep", staticmethod(wait))
    return waits


def struck(world: MockWorld) -> int:
    count: int = world.faults()[0]["struck"]
    return count


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("form", sampled(["json", "html", "proxy"]))
def test_what_may_pass_is_tried_again_until_all_is_well(
    world: MockWorld, walks: Walk, waits: list[float], status: int, form: str
) -> None:
    world.add_fault(status=status, form=form, times=2)
    assert len(walks(world)) == 100
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, APIError),
        (429, RateLimitError),
        (500, InternalServerError),
        (502, InternalServerError),
        (503, InternalServerError),
        (504, InternalServerError),
    ],
)
def test_after_three_times_it_gives_up(
    world: MockWorld, walks: Walk, status: int, kind: type[APIError]
) -> None:
    world.add_fault(status=status)
    with pytest.raises(kind) as error:
        walks(world)
    assert (error.value.status_code, struck(world)) == (status, 3)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (405, APIError),
        (406, APIError),
        (501, InternalServerError),
        (505, InternalServerError),
    ],
)
def test_what_will_not_pass_is_not_tried_again(
    world: MockWorld, walks: Walk, waits: list[float], status: int, kind: type[APIError]
) -> None:
    world.add_fault(status=status)
    with pytest.raises(kind) as error:
        walks(world)
    assert (error.value.status_code, struck(world), waits) == (status, 1, [])


@pytest.mark.parametrize("code", FORBIDDEN_CODES)
def test_the_code_of_a_403_arrives(world: MockWorld, walks: Walk, code: str) -> None:
    world.add_fault(status=403, code=code)
    with pytest.raises(PermissionDeniedError) as error:
        walks(world)
    assert error.value.code == code


def test_the_field_errors_of_a_400_arrive(world: MockWorld, walks: Walk) -> None:
    world.add_fault(status=400, detail="No.")
    with pytest.raises(BadRequestError) as error:
        walks(world)
    assert error.value.field_errors == {"non_field_errors": ["No."]}


def test_the_page_of_a_proxy_is_no_mistake_of_the_client(world: MockWorld, walks: Walk) -> None:
    world.add_fault(status=502, form="proxy")
    with pytest.raises(InternalServerError) as error:
        walks(world, max_retries=0)
    assert "<h1>502 Bad Gateway</h1>" in str(error.value.body)


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        ({"status": 429}, 60),
        ({"status": 429, "retryAfter": 7}, 7),
        ({"status": 503, "retryAfter": 3}, 3),
        ({"status": 503, "form": "proxy", "retryAfter": 0}, 0),
        ({"status": 429, "retryAfter": 3600}, 60),
    ],
    ids=str,
)
def test_it_waits_as_long_as_it_is_told_but_a_minute_at_most(
    world: MockWorld, walks: Walk, waits: list[float], fault: dict[str, Any], wait: float
) -> None:
    world.add_fault(**fault, times=1)
    walks(world)
    assert waits == [wait]


def test_it_waits_longer_each_time_where_nobody_tells(
    world: MockWorld, walks: Walk, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda least, most: most)
    world.add_fault(status=503, times=3)
    walks(world, max_retries=3)
    assert waits == [0.5, 1, 2]


def test_a_throttle_is_waited_out_by_the_clock_of_the_world(
    world: MockWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(seconds: float) -> None:
        world.set_clock(advance=f"PT{seconds:.0f}S")

    monkeypatch.setattr(Webshare, "_sleep", staticmethod(wait))
    world.add_fault(throttle="1/min", clock="world")
    assert len(walk(world, page_size=25)) == 100
    assert struck(world) == 3


@pytest.mark.parametrize(
    "fault",
    [
        "CONNECTION_RESET_BY_PEER",
        "CONNECTION_RESET_AFTER_HEADERS",
        "EMPTY_RESPONSE",
        "MALFORMED_RESPONSE_CHUNK",
        "RANDOM_DATA_THEN_CLOSE",
        "TRUNCATED_BODY",
    ],
)
class TestABrokenConnection:
    def test_is_tried_again(self, world: MockWorld, walks: Walk, waits: list[float], fault: str) -> None:
        world.add_fault(fault=fault, times=2)
        assert len(walks(world)) == 100
        assert len(waits) == 2

    def test_is_an_error_in_the_end(self, world: MockWorld, walks: Walk, fault: str) -> None:
        world.add_fault(fault=fault)
        with pytest.raises(APIConnectionError) as error:
            walks(world, max_retries=1)
        assert not isinstance(error.value, APITimeoutError)
        assert struck(world) == 2


def test_a_delay_beyond_the_timeout_is_tried_again(world: MockWorld, walks: Walk, waits: list[float]) -> None:
    world.add_fault(fixedDelayMilliseconds=MAX_DELAY, times=1)
    assert len(walks(world, timeout=1.0)) == 100
    assert len(waits) == 1


def test_delays_beyond_the_timeout_are_an_error_in_the_end(world: MockWorld, walks: Walk) -> None:
    world.add_fault(fixedDelayMilliseconds=MAX_DELAY)
    with pytest.raises(APITimeoutError):
        walks(world, timeout=0.05, max_retries=1)
    until(lambda: struck(world) == 2)


def test_a_drip_is_read_to_its_end(world: MockWorld, walks: Walk) -> None:
    world.add_fault(chunkedDribbleDelay={"numberOfChunks": 5, "totalDuration": 50}, times=1)
    assert len(walks(world)) == 100


def test_malformed_json_is_an_error_and_not_tried_again(world: MockWorld, walks: Walk) -> None:
    world.add_fault(fault="MALFORMED_JSON")
    with pytest.raises(ResponseDecodeError):
        walks(world)
    assert struck(world) == 1


def test_a_wrong_content_type_is_overlooked(world: MockWorld, walks: Walk) -> None:
    world.add_fault(contentType="text/html")
    assert len(walks(world)) == 100


def test_a_next_page_of_another_origin_is_not_asked_for(walks: Walk) -> None:
    with MockServer(Settings(port=0, public_url="https://proxy.webshare.io")) as server:
        world = server.world("key")
        with pytest.raises(
            WebshareError, match=r"^Refusing to follow cross-origin URL 'https://proxy\.webshare\.io/"
        ):
            walks(world)
        assert len(world.requests) == 1


def test_a_fault_in_the_middle_of_a_walk_is_overcome(world: MockWorld, walks: Walk) -> None:
    world.add_fault(status=503, query={"page": "3"}, times=1)
    assert len({credit.id for credit in walks(world, page_size=25)}) == 100
    assert world.count_requests("GET", LIST, page=3) == 2


def test_a_fault_that_stays_ends_a_walk_where_it_is(world: MockWorld, walks: Walk) -> None:
    world.add_fault(status=503, after=2)
    with pytest.raises(InternalServerError):
        walks(world, page_size=25, max_retries=0)
    assert [entry.response.status for entry in world.requests if entry.response] == [200, 200, 503]


def test_of_rows_that_go_while_it_walks_as_many_others_are_skipped(world: MockWorld, walks: Walk) -> None:
    before = [credit["id"] for credit in world.credits()]
    world.add_fault(pages="removed", rows=10, times=1)
    met = [credit.id for credit in walks(world, page_size=25)]
    assert met == before[:25] + before[35:]


def test_rows_that_come_while_it_walks_are_met_at_the_end(world: MockWorld, walks: Walk) -> None:
    before = [credit["id"] for credit in world.credits()]
    world.add_fault(pages="inserted", rows=10, times=1)
    met = [credit.id for credit in walks(world, page_size=25)]
    assert met[:100] == before
    assert len(set(met)) == 110


@pytest.mark.parametrize(
    ("drift", "field", "value"),
    [
        ({"drift": "removed", "field": "amount"}, "amount", None),
        ({"drift": "renamed", "field": "amount", "to": "usd"}, "amount", None),
        ({"drift": "enum", "field": "status", "to": "on_hold"}, "status", "on_hold"),
        ({"drift": "null", "field": "mode"}, "mode", None),
    ],
    ids=str,
)
def test_a_drift_goes_through_without_a_word(
    world: MockWorld, walks: Walk, drift: dict[str, Any], field: str, value: Any
) -> None:
    world.add_fault(**drift)
    assert {getattr(credit, field) for credit in walks(world)} == {value}


def test_an_amount_that_has_become_a_string_stays_one(world: MockWorld, walks: Walk) -> None:
    world.add_fault(drift="retyped", field="amount")
    assert all(isinstance(credit.amount, str) for credit in walks(world))


def test_a_new_field_is_left_out(world: MockWorld, walks: Walk) -> None:
    world.add_fault(drift="added", field="tier", to="gold")
    assert not any(hasattr(credit, "tier") for credit in walks(world))
