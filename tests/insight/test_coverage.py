"""What a client can provoke, and which exchange counts for which of it."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from webshare import Webshare

from mock_webshare import MockWorld
from mock_webshare.contract import messages
from mock_webshare.contract.endpoints import CODE_INFO, CONFIG, CREDIT_DETAIL, CREDIT_LIST, WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.exchange.limits import MOST_PARTS
from mock_webshare.exchange.model import Exchange
from mock_webshare.insight.coverage import Coverage, Row, rows_of
from mock_webshare.service.faults import ACTIONS
from tests.made_up import MADE_UP, PROFILE_OBJECT, TICKET, TICKET_DETAIL, TICKETS

HOST = "https://proxy.webshare.io"
LIST, DETAIL = CREDIT_LIST.path, CREDIT_DETAIL.path
PENDING = {"mode": "payout", "status": "pending", "referral_channel": None, "reverted_at": None}


def exchange(target: str = LIST, method: str = "GET", status: int | None = 200, body: Any = None) -> Exchange:
    return Exchange(
        source="test",
        method=method,
        url=HOST + target,
        request_headers=(("Authorization", "Token key"),),
        status=status,
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


def page(*rows: Any, next: str | None = None, previous: str | None = None) -> dict[str, Any]:
    links = {"next": next and HOST + next, "previous": previous and HOST + previous}
    return {"count": len(rows), **links, "results": list(rows)}


def covered(
    exchanges: Iterable[Exchange], contract: Contract = WEBSHARE, faults: Iterable[str] = ()
) -> set[tuple[str, str]]:
    """Return aspect and value of each row that some exchanges exercise, all struck by the same faults."""
    coverage = Coverage(contract, ACTIONS)
    for each in exchanges:
        coverage.add(each, tuple(faults))
    return {(row.aspect, row.value) for row, count in coverage.counts.items() if count}


def of(aspect: str, *exchanges: Exchange, contract: Contract = WEBSHARE) -> set[str]:
    return {value for each, value in covered(exchanges, contract) if each == aspect}


def provoked(path: str, aspect: str, contract: Contract = WEBSHARE) -> list[str]:
    return [row.value for row in rows_of(contract) if (row.endpoint, row.aspect) == (path, aspect)]


# What a client can provoke.


@pytest.mark.parametrize(
    ("path", "aspect", "values"),
    [
        (LIST, "method", "GET,HEAD,OPTIONS"),
        (CONFIG.path, "method", "GET,PATCH,HEAD,OPTIONS"),
        (
            LIST,
            "filter",
            "mode=payout,mode=credits,status=pending,status=available,status=reverted,"
            "referral_channel=ID,referral_channel=",
        ),
        (LIST, "page", "first,next,previous,last,number,page_size"),
        (DETAIL, "page", ""),
        (DETAIL, "ordering", ""),
        (
            CONFIG.path,
            "status",
            "200,301,400 mode,400 paypal_payout_email,401 no key,401 unknown key,403 2fa_needed,"
            "403 account_suspended,403 account_deleted,405,406,415,429,5xx",
        ),
        (CODE_INFO.path, "status", "200,301,400 referral_code,404 row,405,406,5xx"),
        (
            "/api/v2/referral/earnout/",
            "field",
            "mode: payout,mode: credits,paypal_payout_email: not null,paypal_payout_email: null,"
            "status: processing,status: completed,status: failed,error_reason: not null,error_reason: null",
        ),
    ],
)
def test_the_rows_of_an_endpoint(path: str, aspect: str, values: str) -> None:
    assert provoked(path, aspect) == (values.split(",") if values else [])


def test_each_ordering_has_two_directions() -> None:
    assert provoked(LIST, "ordering")[:4] == ["id", "-id", "mode", "-mode"]
    assert len(provoked(LIST, "ordering")) == 2 * len(CREDIT_LIST.orderings)


def test_each_action_of_a_fault_has_a_row() -> None:
    assert [row.value for row in rows_of(WEBSHARE, ACTIONS) if row.aspect == "fault"] == list(ACTIONS)


def test_no_row_is_there_twice() -> None:
    rows = list(rows_of(WEBSHARE, ACTIONS))
    assert len(set(rows)) == len(rows)


# What an exchange counts for.


@pytest.mark.parametrize(
    ("target", "values"),
    [
        ("?status=pending&mode=credits", {"status=pending", "mode=credits"}),
        ("?status=", set()),
        ("?status=paid", set()),
        ("?status=paid&status=reverted", {"status=reverted"}),
        ("?referral_channel=367", {"referral_channel=ID"}),
        ("?referral_channel=", {"referral_channel="}),
        ("?unknown=1", set()),
    ],
)
def test_a_filter(target: str, values: set[str]) -> None:
    assert of("filter", exchange(LIST + target, body=page())) == values


@pytest.mark.parametrize(
    ("target", "values"),
    [
        ("?ordering=-amount", {"-amount"}),
        ("?ordering=status,-id", {"status", "-id"}),
        ("?ordering=%20id%20", {"id"}),
        ("?ordering=user_id", set()),
        ("?ordering=", set()),
        ("?order=id", set()),
    ],
)
def test_an_ordering(target: str, values: set[str]) -> None:
    assert of("ordering", exchange(LIST + target, body=page())) == values


SECOND, THIRD, LAST = f"{LIST}?page=2", f"{LIST}?page=3", f"{LIST}?page=4"
PAGES = {
    LIST: page(next=SECOND),
    SECOND: page(next=THIRD, previous=LIST),
    THIRD: page(next=LAST, previous=SECOND),
    LAST: page(previous=THIRD),
}


def walk(*targets: str) -> list[Exchange]:
    return [exchange(each, body=PAGES[each]) for each in targets]


@pytest.mark.parametrize(
    ("targets", "values"),
    [
        ([LIST], {"first"}),
        ([LIST, SECOND], {"first", "next"}),
        ([SECOND], {"number"}),
        ([LIST, THIRD], {"first", "number"}),
        ([THIRD, SECOND], {"number", "previous"}),
        ([SECOND, LIST], {"number", "first"}),
        ([LAST], {"number", "last"}),
        ([LIST, SECOND, THIRD, LAST], {"first", "next", "last"}),
        ([LIST, LIST], {"first"}),
        ([LIST, SECOND, SECOND, LIST, SECOND], {"first", "next"}),
    ],
)
def test_how_a_client_came_to_a_page(targets: list[str], values: set[str]) -> None:
    assert of("page", *walk(*targets)) == values


def test_a_link_is_followed_by_the_client_that_got_it() -> None:
    other = replace(walk(SECOND)[0], request_headers=())
    assert of("page", *walk(LIST), other) == {"first", "number"}


@pytest.mark.parametrize(("others", "way"), [(999, "next"), (1000, "number")])
def test_the_links_of_a_thousand_clients_are_remembered(others: int, way: str) -> None:
    between = [
        replace(walk(LIST)[0], request_headers=(("Authorization", f"Token {number}"),))
        for number in range(others)
    ]
    assert of("page", *walk(LIST), *between, *walk(SECOND)) == {"first", way}


def test_other_requests_do_not_end_a_walk() -> None:
    between = [exchange("/api/v2/referral/credit/7/"), exchange(SECOND, status=429), exchange("/elsewhere/")]
    assert of("page", *walk(LIST), *between, *walk(SECOND)) == {"first", "next"}


@pytest.mark.parametrize(
    ("size", "values"), [("50", {"page_size"}), ("0", set()), ("-1", set()), ("ten", set())]
)
def test_a_page_size(size: str, values: set[str]) -> None:
    assert of("page", exchange(f"{LIST}?page_size={size}", body=page())) - {"first"} == values


@pytest.mark.parametrize(
    ("target", "status", "body", "values"),
    [
        (LIST, 301, b"", {"301"}),
        (LIST, 400, {"status": [], "mode": []}, {"400 status", "400 mode"}),
        (LIST, 400, {"non_field_errors": []}, set()),
        (LIST, 401, {"detail": messages.NO_CREDENTIALS}, {"401 no key"}),
        (LIST, 401, {"detail": messages.KEYWORD_ALONE}, {"401 no key"}),
        (LIST, 401, {"detail": messages.UNKNOWN_KEY}, {"401 unknown key"}),
        (LIST, 401, {"detail": ["?"]}, set()),
        (LIST, 403, {"detail": "", "code": "account_deleted"}, {"403 account_deleted"}),
        (LIST, 403, {"detail": "", "code": {"a": 1}}, set()),
        (LIST, 404, {"detail": messages.INVALID_PAGE}, {"404 page"}),
        (LIST, 404, {"detail": messages.NOT_FOUND}, set()),
        (DETAIL.format(id=7), 404, {"detail": messages.NOT_FOUND}, {"404 row"}),
        (LIST, 405, b"", {"405"}),
        (LIST, 415, b"", set()),
        (CONFIG.path, 415, b"", {"415"}),
        (LIST, 429, b"<html>", {"429"}),
        (LIST, 503, b"<html>", {"5xx"}),
        (LIST, None, b"", set()),
        (LIST, 418, b"", set()),
    ],
)
def test_a_status(target: str, status: int | None, body: Any, values: set[str]) -> None:
    assert of("status", exchange(target, status=status, body=body)) == values


def test_a_method_counts_whatever_the_response() -> None:
    requests = [exchange(method="GET", status=None), exchange(method="OPTIONS", status=401)]
    assert of("method", *requests, exchange(method="POST", status=405)) == {"GET", "OPTIONS"}


def test_a_refused_request_exercises_no_parameter() -> None:
    refused = exchange(f"{LIST}?status=pending&ordering=id&page=9&page_size=5", status=404, body={})
    assert covered([refused]) == {("method", "GET")}


def test_the_states_of_fields() -> None:
    reverted = {**PENDING, "status": "reverted", "referral_channel": 367, "amount": 1}
    assert of("field", exchange(body=page(PENDING, reverted))) == {
        "mode: payout", "status: pending", "status: reverted", "referral_channel: null",
        "referral_channel: not null", "reverted_at: null",
    }  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        page({"status": "paid"}), page({"status": ["pending"]}), page(7, None), {"results": PENDING},
        [PENDING], PENDING, b"", b"{", b"[" * 100_000, b"[" + b"9" * 5000 + b"]", b'"results"', b"\xff\xfe",
    ],
)  # fmt: skip
def test_a_body_without_such_rows_shows_no_states(body: Any) -> None:
    assert of("field", exchange(body=body)) == set()


def test_a_body_with_too_many_values_is_not_parsed() -> None:
    body = json.dumps(page(PENDING)).encode().replace(b"]}", b",0" * MOST_PARTS + b"]}")
    assert covered([exchange(body=body)]) == {("method", "GET"), ("status", "200")}


def test_metadata_shows_no_states() -> None:
    metadata = {"name": "Referral Coupon Code", "description": "", "code": None}
    assert of("field", exchange("/api/v2/referral/coupon-code/", "OPTIONS", body=metadata)) == set()


@pytest.mark.parametrize("status", [200, 503, None])
def test_a_struck_response_counts_for_the_fault_and_its_status_only(status: int | None) -> None:
    struck = exchange(f"{LIST}?status=pending&ordering=id", status=status, body=page(PENDING))
    expected = {("method", "GET"), ("fault", "drift")}
    statuses = {200: {("status", "200")}, 503: {("status", "5xx")}}.get(status or 0, set())
    assert covered([struck], faults=["drift"]) == expected | statuses


def test_the_links_of_a_struck_response_can_be_followed() -> None:
    coverage = Coverage(WEBSHARE, ACTIONS)
    coverage.add(walk(LIST)[0], ("fixedDelayMilliseconds",))
    coverage.add(walk(SECOND)[0])
    assert coverage.counts[Row(LIST, "page", "next")] == 1


def test_a_retry_of_a_struck_page_came_by_the_same_link() -> None:
    coverage = Coverage(WEBSHARE, ACTIONS)
    for each, faults in zip(walk(LIST, SECOND, SECOND), ((), ("drift",), ()), strict=True):
        coverage.add(each, faults)
    assert coverage.counts[Row(LIST, "page", "next")] == 1
    assert coverage.counts[Row(LIST, "page", "number")] == 0


def test_a_preflight_of_a_browser_is_not_the_clients() -> None:
    headers = (("Access-Control-Request-Method", "GET"),)
    preflight = replace(exchange(method="OPTIONS"), request_headers=headers)
    assert covered([preflight]) == set()


@pytest.mark.parametrize(
    ("hosts", "number"),
    [((), 1), (("proxy.webshare.io",), 1), (("localhost",), 0), (("proxy.webshare.io:8",), 0)],
)
def test_other_hosts_do_not_count(hosts: tuple[str, ...], number: int) -> None:
    coverage = Coverage(WEBSHARE, hosts=hosts)
    coverage.add(exchange())
    assert coverage.counts[Row(LIST, "method", "GET")] == number


def test_each_exchange_counts_once() -> None:
    coverage = Coverage(WEBSHARE)
    for _ in range(3):
        coverage.add(exchange(body=page(PENDING, PENDING)))
    assert coverage.counts[Row(LIST, "field", "status: pending")] == 3


# All together.


def test_the_walk_of_the_official_client(webshare_mock: MockWorld) -> None:
    with Webshare(api_key=webshare_mock.api_key, base_url=webshare_mock.url) as client:
        found = list(client.referral.list_credits(status="available", ordering="-amount", page_size=20))
        client.referral.get_credit(found[0].id)
        client.referral.list_channels()
    coverage = Coverage(WEBSHARE, ACTIONS)
    for entry in webshare_mock.requests:
        coverage.add(entry.exchange(0), entry.faults)
    counted = {row[1:]: count for row, count in coverage.counts.items() if count and row.endpoint == LIST}
    assert counted["method", "GET"] == len(found) // 20 + 1 == counted["filter", "status=available"]
    assert counted["page", "next"] == len(found) // 20
    pages = {value for aspect, value in counted if aspect == "page"}
    assert pages == {"first", "next", "last", "page_size"}
    assert {row.endpoint for row, count in coverage.counts.items() if count} == {
        LIST, DETAIL, "/api/v2/referral/channel/"
    }  # fmt: skip


def test_a_made_up_contract_has_its_rows() -> None:
    paths = [TICKETS.path, TICKET_DETAIL.path, PROFILE_OBJECT.path]
    assert list(dict.fromkeys(row.endpoint for row in rows_of(MADE_UP))) == paths
    assert provoked(TICKETS.path, "filter", MADE_UP) == ["priority=low", "priority=high", "team=ID", "team="]
    assert provoked(PROFILE_OBJECT.path, "field", MADE_UP) == ["plan: free", "plan: paid"]
    seen = exchange(f"{TICKETS.path}?team=5&ordering=-price", body=page(TICKET))
    assert covered([seen], MADE_UP) == {
        ("method", "GET"), ("filter", "team=ID"), ("ordering", "-price"), ("page", "first"),
        ("status", "200"), ("field", "priority: high"), ("field", "team: not null"),
        ("field", "team_name: not null"), ("field", "closed_at: null"),
    }  # fmt: skip


def odd_page(number: int) -> Exchange:
    odd = f"x={number}{'y' * 2000}"
    body = page({"status": "z" * 500}, next=f"{LIST}?page=2&{odd}")
    return replace(
        exchange(f"{LIST}?{odd}", body=body),
        request_headers=(("Authorization", f"Token {number}{'k' * 2000}"),),
    )


@pytest.mark.parametrize(
    "make",
    [
        odd_page,
        lambda number: exchange(f"{LIST}?{number}{'x' * 70_000}"),
        lambda number: exchange(method=f"{number}{'X' * 70_000}"),
        lambda number: exchange(body=page({"status": f"{number}{'x' * 70_000}"})),
        lambda number: exchange(f"/elsewhere/{number}{'x' * 9000}"),
    ],
)
def test_many_odd_requests_take_no_more_memory_than_some(make: Callable[[int], Exchange]) -> None:
    coverage = Coverage(WEBSHARE)
    for number in range(1100):
        coverage.add(make(number))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(1100, 2200):
        coverage.add(make(number))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    # What was cached before is not traced, so what replaced it counts: at most 512 exchanges.
    assert grown < 512 * 12_000
    assert len(coverage.counts) == len(list(rows_of(WEBSHARE)))
