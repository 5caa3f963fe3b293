"""When faults strike: what they are read from, which requests they match, and how they count."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from jsonschema import Draft202012Validator

from mock_webshare import MockServer, MockWorld
from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.errors import DataError, UsageError
from mock_webshare.service.faults import (
    ACTIONS,
    BROKEN_PAGES,
    CONNECTION_FAULTS,
    DRIFTS,
    FORBIDDEN_CODES,
    MAX_DELAY,
    MAX_FAULTS,
    Faults,
    Strike,
    not_struck,
    parse,
    path_warning,
    schemas,
)
from mock_webshare.service.framework.request import Request
from tests.requests_to import request_to

LIST = CREDIT_LIST.path
UNIFORM = {"type": "uniform", "lower": 10, "upper": 20}
TO = {"renamed": "usd", "added": "gold", "enum": "on_hold"}


def sent(method: str = "GET", path: str = LIST, **params: str) -> Request:
    query = f"?{urlencode(params)}" if params else ""
    return request_to(quote(path) + query, method)


GET = sent()


def strikes(faults: Faults, request: Request = GET, **clocks: float) -> list[Strike]:
    """Return what strikes a request; `clocks` are the seconds that each clock shows."""
    return faults.strike(request, lambda name: clocks.get(name, 0.0))


def struck(count: int, **fault: Any) -> list[bool]:
    """Return of each of so many requests whether a fault strikes it."""
    faults = Faults([parse(fault)])
    return [bool(strikes(faults)) for _ in range(count)]


def actions(found: list[Strike]) -> list[tuple[str, Any]]:
    return [(strike.fault.action, strike.fault.value) for strike in found]


ALLOWED: list[dict[str, Any]] = [
    {"status": 400},
    {"status": 599, "detail": "No.", "retryAfter": 0},
    {"status": 503, "form": "proxy", "retryAfter": 86_400},
    *({"status": 403, "code": code} for code in FORBIDDEN_CODES),
    {"respond": 204},
    {"respond": 200, "jsonBody": {"results": [None, 1.5, "é"]}, "headers": {"X-A": ""}},
    {"respond": 599, "body": "no", "headers": {"content-type": "text/csv"}},
    {"throttle": "240/min"},
    {"throttle": "1/sec", "clock": "world"},
    {"fixedDelayMilliseconds": MAX_DELAY},
    {"delayDistribution": UNIFORM},
    {"delayDistribution": {"type": "uniform", "lower": 5, "upper": 5}},
    {"delayDistribution": {"type": "uniform", "lower": 6, "upper": 5}},
    {"chunkedDribbleDelay": {"numberOfChunks": 1, "totalDuration": 0}},
    *({"fault": name} for name in CONNECTION_FAULTS),
    {"contentType": "text/html; charset=utf-8"},
    *({"drift": name, "field": "status"} for name in DRIFTS if name not in TO),
    {"drift": "renamed", "field": "amount", "to": "usd"},
    {"drift": "added", "field": "tier", "to": None},
    {"drift": "enum", "field": "mode", "to": {"any": ["thing"]}},
    {"pages": "inserted"},
    {"pages": "removed", "rows": 1000},
    *({"pages": name} for name in BROKEN_PAGES),
    *({"drift": "removed", "field": name} for name in ("count", "next", "previous", "results")),
    {"drift": "null", "field": "count"},
    {
        "status": 500,
        "method": "GET",
        "path": "/api/*",
        "query": {"page": "2", "empty": ""},
        "times": 1,
        "after": 3,
        "probability": 0.5,
        "seed": -1,
    },
]


@pytest.mark.parametrize("document", ALLOWED, ids=str)
def test_a_fault_is_written_as_it_was_read(document: dict[str, Any]) -> None:
    assert parse(document).wire() == document


def test_each_action_is_tried() -> None:
    assert {name for document in ALLOWED for name in document if name in ACTIONS} == set(ACTIONS)


def test_what_is_as_usual_is_not_written() -> None:
    assert parse({"status": 500, "after": 0, "probability": 1, "seed": 0, "query": {}}).wire() == {
        "status": 500
    }


def test_a_status_may_have_a_name_in_python() -> None:
    assert parse({"status": HTTPStatus.BAD_GATEWAY}).value == 502


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ([], ""),
        ({}, ""),
        ({"times": 1}, ""),
        ({"status": 500, "fault": "EMPTY_RESPONSE"}, ""),
        ({"status": 500, "tims": 1}, ""),
        ({"status": 500, "rows": 1}, ""),
        ({"status": 399}, "/status"),
        ({"status": 600}, "/status"),
        ({"status": "500"}, "/status"),
        ({"status": True}, "/status"),
        ({"status": {503}}, "/status"),
        ({"status": 403, "code": "unknown"}, "/code"),
        ({"status": 404, "code": "2fa_needed"}, "/code"),
        ({"status": 403, "code": "2fa_needed", "form": "html"}, "/code"),
        ({"status": 500, "detail": ""}, "/detail"),
        ({"status": 500, "detail": "\ud800"}, "/detail"),
        ({"status": 503, "detail": "Unheard.", "form": "proxy"}, "/detail"),
        ({"status": 429, "retryAfter": -1}, "/retryAfter"),
        ({"status": 429, "retryAfter": 1.5}, "/retryAfter"),
        ({"status": 500, "form": "xml"}, "/form"),
        ({"respond": 199}, "/respond"),
        ({"respond": 200, "body": b"no"}, "/body"),
        ({"respond": 200, "body": "\ud800"}, "/body"),
        ({"respond": 200, "body": "a" * 100_001}, "/body"),
        ({"respond": 200, "jsonBody": float("nan")}, "/jsonBody"),
        ({"respond": 200, "jsonBody": "a" * 100_000}, "/jsonBody"),
        ({"respond": 204, "jsonBody": None}, "/jsonBody"),
        ({"respond": 200, "jsonBody": 1, "body": "1"}, ""),
        ({"respond": 200, "headers": ["X-A"]}, "/headers"),
        ({"respond": 200, "headers": {"X A": "b"}}, "/headers"),
        ({"respond": 200, "headers": {"X-A": "b\r\nX-B: c"}}, "/headers"),
        ({"respond": 200, "headers": {"X-A": True}}, "/headers"),
        ({"respond": 200, "headers": {1: "b"}}, "/headers"),
        ({"respond": 200, "headers": {"Content-Length": "3"}}, "/headers"),
        ({"throttle": "off"}, "/throttle"),
        ({"throttle": "0/min"}, "/throttle"),
        ({"throttle": 240}, "/throttle"),
        ({"throttle": "1/min", "clock": "sun"}, "/clock"),
        ({"fixedDelayMilliseconds": MAX_DELAY + 1}, "/fixedDelayMilliseconds"),
        ({"delayDistribution": 10}, "/delayDistribution"),
        ({"delayDistribution": UNIFORM | {"type": "lognormal"}}, "/delayDistribution"),
        ({"delayDistribution": UNIFORM | {"median": 15}}, "/delayDistribution"),
        ({"chunkedDribbleDelay": {"numberOfChunks": 0, "totalDuration": 1}}, "/chunkedDribbleDelay"),
        ({"chunkedDribbleDelay": {"numberOfChunks": 1}}, "/chunkedDribbleDelay"),
        ({"chunkedDribbleDelay": 5}, "/chunkedDribbleDelay"),
        ({"fault": "SOMETHING"}, "/fault"),
        ({"contentType": "a\r\nb"}, "/contentType"),
        ({"contentType": "é"}, "/contentType"),
        ({"drift": "grown", "field": "amount"}, "/drift"),
        ({"drift": "removed"}, ""),
        ({"drift": "renamed", "field": "amount"}, ""),
        ({"drift": "removed", "field": "tier"}, "/field"),
        ({"drift": "removed", "field": "amount", "to": 1}, "/to"),
        ({"drift": "added", "field": "amount", "to": 1}, "/field"),
        ({"drift": "added", "field": "tier", "to": float("nan")}, "/to"),
        ({"drift": "renamed", "field": "amount", "to": 1}, "/to"),
        ({"drift": "renamed", "field": "amount", "to": "status"}, "/to"),
        ({"drift": "enum", "field": "amount", "to": "x"}, "/field"),
        ({"drift": "enum", "field": "status", "to": "pending"}, "/to"),
        ({"drift": "null", "field": "reverted_at"}, "/field"),
        ({"pages": "shuffled"}, "/pages"),
        ({"pages": "removed", "rows": 0}, "/rows"),
        ({"pages": "short", "rows": 2}, "/rows"),
        ({"pages": "lost"}, "/pages"),
        ({"drift": "null", "field": "next"}, "/field"),
        ({"drift": "enum", "field": "count", "to": 1}, "/field"),
        ({"status": 500, "method": "get"}, "/method"),
        ({"status": 500, "path": "api"}, "/path"),
        ({"status": 500, "query": {"page": [2]}}, "/query"),
        ({"status": 500, "query": {"page": "\ud800"}}, "/query"),
        ({"status": 500, "times": 0}, "/times"),
        ({"status": 500, "times": None}, "/times"),
        ({"status": 500, "after": -1}, "/after"),
        ({"status": 500, "probability": 1.1}, "/probability"),
        ({"status": 500, "probability": True}, "/probability"),
        ({"status": 500, "seed": 2**63}, "/seed"),
    ],
    ids=str,
)
def test_a_bad_fault_is_refused_with_its_place(document: Any, pointer: str) -> None:
    with pytest.raises(DataError) as error:
        parse(document)
    assert error.value.pointer == pointer
    assert str(error.value).encode(), "it can be written"


@pytest.mark.parametrize("document", ALLOWED, ids=str)
def test_a_schema_describes_each_fault(document: dict[str, Any]) -> None:
    assert any(Draft202012Validator(each).is_valid(document) for each in schemas(WEBSHARE))


@pytest.mark.parametrize(
    "document",
    [
        {"status": 404, "code": "2fa_needed"},
        {"status": 503, "detail": "Unheard.", "form": "proxy"},
        {"respond": 204, "jsonBody": None},
        {"respond": 200, "jsonBody": 1, "body": "1"},
        {"respond": 200, "headers": {"CONTENT-length": "3"}},
        {"drift": "renamed", "field": "amount", "to": "status"},
        {"drift": "enum", "field": "status", "to": "pending"},
        {"drift": "null", "field": "reverted_at"},
        {"pages": "inserted", "times": 0},
        {"pages": "short", "rows": 2},
        {"drift": "null", "field": "next"},
    ],
    ids=str,
)
def test_no_schema_describes_a_bad_fault(document: dict[str, Any]) -> None:
    assert not any(Draft202012Validator(each).is_valid(document) for each in schemas(WEBSHARE))


def test_a_refusal_says_what_is_allowed() -> None:
    with pytest.raises(DataError, match='fault#/form: "xml" is not allowed; allowed: json, html, proxy'):
        parse({"status": 500, "form": "xml"})


@pytest.mark.parametrize(
    ("document", "allowed"),
    [
        ({"drift": "enum", "field": "amount", "to": "x"}, "mode, status, promo_type, promo_value"),
        (
            {"drift": "enum", "field": "mode", "to": "payout"},
            "a value other than those that mode has: payout, credits",
        ),
        (
            {"drift": "null", "field": "reverted_at"},
            "id, user_id, mode, amount, status, created_at, updated_at, id_verification_required, .*",
        ),
    ],
    ids=str,
)
def test_what_would_not_drift_is_refused_with_what_does(document: Any, allowed: str) -> None:
    with pytest.raises(DataError, match=f"is not allowed; allowed: {allowed}$"):
        parse(document)


@pytest.mark.parametrize(
    ("conditions", "request_", "is_matched"),
    [
        ({}, sent("POST", "/anywhere/"), True),
        ({"method": "GET"}, sent("GET"), True),
        ({"method": "GET"}, sent("HEAD"), False),
        ({"path": LIST}, sent(), True),
        ({"path": LIST}, sent(path=f"{LIST}7/"), False),
        ({"path": LIST}, sent(path=LIST.rstrip("/")), False),
        ({"path": f"{LIST}*/"}, sent(path=f"{LIST}7/"), True),
        ({"path": "*/credit/*"}, sent(), True),
        ({"path": "/a?c/"}, sent(path="/abc/"), False),
        ({"path": "/a?c/"}, sent(path="/a?c/"), True),
        ({"path": "/[ab]/"}, sent(path="/a/"), False),
        ({"path": "/[ab]/"}, sent(path="/[ab]/"), True),
        ({"path": "/Café/"}, sent(path="/café/"), False),
        ({"query": {"page": "2"}}, sent(page="2", mode="payout"), True),
        ({"query": {"page": "2"}}, sent(page="02"), False),
        ({"query": {"page": "2"}}, sent(), False),
        ({"query": {"mode": ""}}, sent(mode=""), True),
        ({"query": {"mode": ""}}, sent(), False),
        ({"query": {"page": "2", "mode": "payout"}}, sent(page="2"), False),
    ],
    ids=str,
)
def test_all_conditions_have_to_be_met(conditions: Any, request_: Request, is_matched: bool) -> None:
    assert bool(strikes(Faults([parse({"status": 500, **conditions})]), request_)) is is_matched


def test_it_strikes_every_time_by_default() -> None:
    assert struck(3, status=500) == [True] * 3


def test_it_strikes_so_many_times() -> None:
    assert struck(4, status=500, times=2) == [True, True, False, False]


def test_so_many_pass_first() -> None:
    assert struck(4, status=500, after=2) == [False, False, True, True]


def test_requests_that_do_not_match_pass_without_being_counted() -> None:
    faults = Faults([parse({"status": 500, "method": "GET", "after": 1, "times": 1})])
    methods = ["POST", "GET", "POST", "GET", "GET"]
    assert [bool(strikes(faults, sent(method))) for method in methods] == [False, False, False, True, False]


def test_by_chance_the_same_ones_are_struck_each_time() -> None:
    first = struck(1000, status=500, probability=0.3, seed=7)
    assert first == struck(1000, status=500, probability=0.3, seed=7)
    assert first != struck(1000, status=500, probability=0.3, seed=8)
    assert 250 < sum(first) < 350


@pytest.mark.parametrize(("probability", "count"), [(0, 0), (1, 100)])
def test_a_chance_of_none_or_one_is_never_or_always(probability: int, count: int) -> None:
    assert sum(struck(100, status=500, probability=probability)) == count


def test_times_count_what_was_struck_and_not_what_was_spared_by_chance() -> None:
    assert sum(struck(1000, status=500, probability=0.1, times=5)) == 5


def test_all_that_do_not_respond_strike_in_the_order_in_which_they_were_set() -> None:
    faults = Faults(
        map(parse, [{"fixedDelayMilliseconds": 5}, {"fault": "TRUNCATED_BODY"}, {"pages": "removed"}])
    )
    assert [action for action, _ in actions(strikes(faults))] == ["fixedDelayMilliseconds", "fault", "pages"]


def test_the_next_one_responds_when_the_first_is_used_up() -> None:
    faults = Faults(map(parse, [{"status": 503, "times": 1}, {"status": 429, "times": 1}]))
    assert [actions(strikes(faults)) for _ in range(3)] == [[("status", 503)], [("status", 429)], []]


def test_a_request_that_has_a_response_uses_no_other_up() -> None:
    faults = Faults(map(parse, [{"status": 503, "times": 1}, {"fixedDelayMilliseconds": 5}]))
    found = faults.strike(sent(), lambda _: 0.0, has_response=True)
    assert actions(found) == [("fixedDelayMilliseconds", 5)]
    assert [each.struck for each in faults] == [0, 1]


def test_it_counts_how_many_it_has_seen_and_struck() -> None:
    faults = Faults([parse({"status": 500, "after": 1, "times": 1})])
    for _ in range(3):
        strikes(faults)
    assert [each.wire() for each in faults] == [
        {"id": 1, "status": 500, "after": 1, "times": 1, "seen": 3, "struck": 1}
    ]


def test_a_fixed_delay_takes_its_milliseconds() -> None:
    assert strikes(Faults([parse({"fixedDelayMilliseconds": 1500})]))[0].seconds == 1.5


def test_a_range_of_delays_stays_within_it_and_is_the_same_each_time() -> None:
    def delays() -> list[float]:
        faults = Faults([parse({"delayDistribution": UNIFORM, "seed": 3})])
        return [strikes(faults)[0].seconds for _ in range(100)]

    assert delays() == delays()
    assert all(0.010 <= seconds <= 0.020 for seconds in delays())
    assert len(set(delays())) > 90


def test_a_throttle_strikes_from_the_first_that_is_too_many_until_its_time_has_passed() -> None:
    faults = Faults([parse({"throttle": "2/min"})])
    waits = [[strike.seconds for strike in strikes(faults, real=now)] for now in (0, 10, 20, 59.5, 60, 61)]
    assert waits == [[], [], [40.0], [0.5], [], [9.0]]


def test_a_throttle_uses_the_clock_that_it_names() -> None:
    faults = Faults([parse({"throttle": "1/min", "clock": "world"})])
    clocks = [(0, 0), (0, 99), (60, 99)]
    assert [bool(strikes(faults, world=world, real=real)) for world, real in clocks] == [False, True, False]


def test_the_next_fault_may_respond_to_what_a_throttle_admits() -> None:
    faults = Faults(map(parse, [{"throttle": "1/min"}, {"status": 500}]))
    assert [actions(strikes(faults)) for _ in range(2)] == [[("status", 500)], [("throttle", "1/min")]]


def test_a_number_is_not_given_twice() -> None:
    faults = Faults()
    for _ in range(2):
        faults.add(parse({"status": 500}))
    assert faults.remove(2)
    assert faults.add(parse({"status": 500})).number == 3
    assert not faults.remove(2)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503, "after": 1, "times": 4},
        {"status": 503, "probability": 0.5, "seed": 3},
        {"delayDistribution": UNIFORM},
        {"throttle": "4/min"},
    ],
    ids=str,
)
def test_a_copy_has_the_same_state_and_is_independent(fault: Any) -> None:
    faults = Faults([parse(fault)])
    for _ in range(3):
        strikes(faults)
    first, second = deepcopy(faults), deepcopy(faults)
    told = [each.wire() for each in faults]
    after = [strikes(faults) for _ in range(20)]
    assert [strikes(first) for _ in range(20)] == after
    assert [each.wire() for each in second] == told
    assert [strikes(second) for _ in range(20)] == after
    assert [each.wire() for each in second] == [each.wire() for each in faults]


def test_a_copy_gives_no_number_twice_either() -> None:
    faults = Faults(map(parse, [{"status": 500}, {"status": 503}]))
    faults.remove(2)
    assert deepcopy(faults).add(parse({"status": 500})).number == 3


def test_a_removed_fault_does_not_strike() -> None:
    faults = Faults(map(parse, [{"status": 500}, {"status": 503}]))
    faults.remove(1)
    assert actions(strikes(faults)) == [("status", 503)]


def test_there_is_an_end_to_how_many_can_be_set() -> None:
    faults = Faults([parse({"status": 500})] * MAX_FAULTS)
    with pytest.raises(UsageError, match=f"{MAX_FAULTS} faults are set already; remove some"):
        faults.add(parse({"status": 500}))


@pytest.mark.parametrize(
    ("method", "path"),
    [("HEAD", LIST), ("OPTIONS", LIST), ("POST", LIST), ("GET", LIST.rstrip("/")), ("GET", "/unknown/")],
)
def test_without_conditions_it_strikes_any_request(world: MockWorld, method: str, path: str) -> None:
    world.add_fault(status=503)
    response = httpx.request(method, world.url + path, headers=token(world))
    assert (response.status_code, world.requests[0].faults) == (503, ("status",))


def test_it_strikes_in_the_world_of_its_key_alone(server: MockServer, world: MockWorld) -> None:
    world.add_fault(status=503)
    assert httpx.get(world.url + LIST, headers=token(server.world("unharmed"))).status_code == 200


async def test_of_many_tasks_at_once_exactly_so_many_are_struck(world: MockWorld) -> None:
    world.add_fault(status=503, times=7)
    async with httpx.AsyncClient(base_url=world.url, headers=token(world)) as client:
        responses = await asyncio.gather(*(client.get(LIST) for _ in range(50)))
    assert sorted(response.status_code for response in responses) == [200] * 43 + [503] * 7


def test_of_many_threads_at_once_exactly_so_many_are_struck(world: MockWorld) -> None:
    world.add_fault(status=503, times=7)
    with httpx.Client(base_url=world.url, headers=token(world)) as client, ThreadPoolExecutor(50) as threads:
        responses = list(threads.map(lambda _: client.get(LIST), range(50)))
    assert sorted(response.status_code for response in responses) == [200] * 43 + [503] * 7
    assert world.faults()[0]["struck"] == 7


def token(world: MockWorld) -> dict[str, str]:
    return {"Authorization": f"Token {world.api_key}"}


MEANT = {
    "delay": "fixedDelayMilliseconds",
    "delay_ms": "fixedDelayMilliseconds",
    "delaySeconds": "fixedDelayMilliseconds",
    "delayDistribuion": "delayDistribution",
    "status_code": "status",
    "retry_after": "retryAfter",
    "tims": "times",
    "urlPath": "path",
    "json": "jsonBody",
    "probabilty": "probability",
}


@pytest.mark.parametrize("name", MEANT)
@pytest.mark.parametrize("given", [{}, {"status": 503}])
def test_an_unknown_key_is_refused_with_the_one_that_is_meant(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(DataError) as error:
        parse({**given, name: 200})
    assert str(error.value).startswith(f"fault#: unknown key {name!r}; did you mean {MEANT[name]}? allowed: ")


@pytest.mark.parametrize("name", ["latency", "", "x", "é" * 500, "on"])
def test_an_unknown_key_that_is_like_none_is_refused_with_those_that_are_allowed(name: str) -> None:
    with pytest.raises(DataError, match="unknown key") as error:
        parse({name: 200})
    assert "did you mean" not in str(error.value)
    assert "allowed: status, respond," in str(error.value)


WARNED = {
    "/api/v2/referral/credits/": "/api/v2/referral/credit/",
    "/api/v2/referral/credits/*": "/api/v2/referral/credit/",
    "/referral/config/": "/api/v2/referral/config/",
    "/api/v2/referral/credit/1/2/": "/api/v2/referral/credit/{id}/",
    "/api/v2/profil": "/api/v2/profile/",
}
NOT_WARNED = [None, "*", LIST, LIST.rstrip("/"), f"{LIST}7*", "/api/v2/profile", "/api/v2/subuser/*/refresh/"]


@pytest.mark.parametrize("path", WARNED)
def test_a_path_that_the_service_does_not_have_has_a_warning(path: str) -> None:
    warning = path_warning(parse({"status": 500, "path": path}), WEBSHARE)
    assert warning == f'the service has no path that fits "{path}"; the nearest is {WARNED[path]}'


@pytest.mark.parametrize("path", NOT_WARNED)
def test_a_path_that_the_service_has_has_none(path: str | None) -> None:
    fault = parse({"status": 500} if path is None else {"status": 500, "path": path})
    assert path_warning(fault, WEBSHARE) is None


def test_a_warning_is_shown_with_the_fault() -> None:
    added = Faults().add(parse({"status": 500}), "It may never strike.")
    assert added.wire()["warning"] == "It may never strike."


def test_the_faults_that_did_not_strike_have_a_line_each() -> None:
    faults = Faults([parse({"status": 500, "path": "/x", "detail": "No."}), parse({"status": 503})])
    strikes(faults)
    faults.add(parse({"contentType": "x" * 100, "after": 5}), "It may never strike.")
    strikes(faults)
    assert not_struck(each.wire() for each in faults) == [
        '{"status": 500, "path": "/x"}: 0 requests matched',
        f'{{"contentType": "{"x" * 63}…: 1 request matched; It may never strike.',
    ]
