"""Clocks: the service's own orders what several recorders saw, and a stand-in is no account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mock_webshare.contract.timestamps import SECOND
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.response_time import read_http_date
from tests.judge.rules.test_row_values import dated
from tests.recorded_responses import LATER, found, one, page

NEWER = {"status": "available", "updated_at": LATER}


def recorded(record: Exchange, source: str, *, fast: int = 0) -> Exchange:
    """Return a response as a recorder whose clock is so many seconds fast has it."""
    assert record.started is not None
    return replace(record, source=source, started=record.started + fast * SECOND)


@pytest.mark.parametrize("fast", [2, 60, 3600, 7200, 90_000, -7200])
def test_two_recorders_may_have_different_clocks(fast: int) -> None:
    older = recorded(dated(one(0)), "laptop.har", fast=fast)
    newer = recorded(dated(one(3600, changes=NEWER)), "server.har")
    assert found(older, newer) == found(newer, older) == []


@pytest.mark.parametrize("fast", [2, 7200, -7200])
def test_what_goes_back_by_the_clock_of_the_service_is_found(fast: int) -> None:
    older = recorded(dated(one(3600)), "laptop.har", fast=fast)
    newer = recorded(dated(one(0, changes=NEWER)), "server.har")
    assert ("object.lifecycle", "/status", Level.ERROR) in found(older, newer)


def test_within_a_second_the_order_of_two_recordings_is_not_known() -> None:
    records = recorded(dated(one(0, changes=NEWER)), "a.har"), recorded(dated(one(0)), "b.har")
    assert found(*records) == []
    in_one = dated(one(0, changes=NEWER)), replace(dated(one(1)), headers=dated(one(0)).headers)
    assert ("object.lifecycle", "/status", Level.ERROR) in found(*in_one)


def test_a_recording_that_was_merged_from_two_is_ordered_by_the_service() -> None:
    older = recorded(dated(one(0)), "all.har", fast=7200)
    assert found(older, recorded(dated(one(3600, changes=NEWER)), "all.har")) == []


def test_without_a_date_the_clock_of_the_recorder_counts() -> None:
    records = recorded(one(0, changes=NEWER), "a.har"), recorded(one(60), "b.har")
    assert ("object.lifecycle", "/status", Level.ERROR) in found(*records)


def test_a_cached_response_is_as_old_as_it_says() -> None:
    newer = recorded(dated(one(0, changes=NEWER)), "a.har")
    cached = dated(one(600), ("Age", "900"))
    assert found(newer, recorded(cached, "b.har")) == []


def test_the_files_of_one_folder_have_one_clock() -> None:
    first, second = dated(one(0, changes=NEWER)), replace(dated(one(1)), headers=dated(one(0)).headers)
    files = recorded(first, "out/000001.json"), recorded(second, "out/000002.json")
    assert ("object.lifecycle", "/status", Level.ERROR) in found(*files)


def test_a_walk_is_followed_through_two_recordings() -> None:
    first = recorded(dated(page(1, range(1, 3), 4, 0, "page_size=2")), "a.har", fast=7200)
    second = recorded(dated(page(2, range(2, 4), 4, 5, "page_size=2")), "b.har")
    assert ("list.walk", "/results/0/id", Level.ERROR) in found(first, second)
    much_later = recorded(dated(page(2, range(2, 4), 4, 7200, "page_size=2")), "b.har")
    assert found(first, much_later) == []


@pytest.mark.parametrize(
    "text", ["", "Fri, 20 Mar 2026 16:30:15", "2026-03-20", "Fri, 99 Foo 2026 16:30:15 GMT"]
)
def test_what_is_not_a_date_is_none(text: str) -> None:
    assert read_http_date(text) is None


def test_a_date_is_an_instant() -> None:
    assert read_http_date("Mon, 16 Mar 2026 19:00:00 GMT") == one(0).started


OWN = ("Mock-Webshare-Version", "1.0")
OTHER: list[dict[str, Any]] = [
    {"mode": "payout"},
    {"user_id": 9},
    {"amount": 9.5},
    {"created_at": "2026-02-15T10:00:00-08:00", "updated_at": "2026-02-15T10:00:00-08:00"},
    {"status": "available"},
]


@pytest.mark.parametrize("changes", OTHER)
def test_two_mock_servers_behind_one_port_have_data_of_their_own(changes: dict[str, Any]) -> None:
    records = [
        recorded(dated(each, OWN), source)
        for each, source in ((one(0), "one.har"), (one(60, changes=changes), "two.har"))
    ]
    assert found(*records) == []
    assert found(*(replace(each, source="one.har") for each in records)) != []


def test_a_walk_does_not_go_on_at_another_mock_server() -> None:
    first = recorded(dated(page(1, range(1, 3), 4, 0, "page_size=2"), OWN), "one.har")
    second = recorded(dated(page(2, range(2, 4), 4, 5, "page_size=2"), OWN), "two.har")
    assert found(first, second) == []
