"""How recordings become data sets that the mock server serves."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from mock_webshare.cli.settings import is_storable
from mock_webshare.exchange.model import Exchange
from mock_webshare.recordings.dataset import replay
from mock_webshare.service.data import dataset, generator

DEFAULT = dataset.load("default").wire()
CREDIT: dict[str, Any] = DEFAULT["credits"][0]
OLDER = {name: value for name, value in CREDIT.items() if not name.startswith("referral_channel")}


def page(*rows: Any, **values: Any) -> Exchange:
    body = json.dumps({"count": len(rows), "next": None, "previous": None, "results": rows}).encode()
    fields: dict[str, Any] = {"source": "-", "status": 200, "body": body, **values}
    return Exchange(**fields)


def one(row: Any, **values: Any) -> Exchange:
    fields: dict[str, Any] = {"source": "-", "status": 200, "body": json.dumps(row).encode(), **values}
    return Exchange(**fields)


def served(*exchanges: Exchange) -> list[dict[str, Any]]:
    """Return the credits that the mock serves of a recording."""
    document = json.dumps(replay(exchanges).document).encode()
    credits: list[dict[str, Any]] = dataset.parse(document, source="recording").wire()["credits"]
    return credits


@pytest.mark.parametrize("name", dataset.names())
def test_a_whole_list_is_served_again(name: str) -> None:
    credits = dataset.load(name).wire()["credits"]
    pages = [page(*credits[start : start + 7]) for start in range(0, len(credits), 7)]
    assert served(*reversed(pages)) == credits


def test_the_data_set_has_the_channels_of_its_credits() -> None:
    used = {row["referral_channel"] for row in DEFAULT["credits"]} - {None}
    document = replay([page(*DEFAULT["credits"])]).document
    assert document["channels"] == [
        {"id": row["id"], "code": row["code"]} for row in DEFAULT["channels"] if row["id"] in used
    ]


def test_the_state_with_the_latest_update_wins() -> None:
    newer = CREDIT | {"updated_at": "2031-01-01T00:00:00-08:00", "status": "available", "reverted_at": None}
    for exchanges in ((one(CREDIT), page(newer)), (page(newer), one(CREDIT))):
        assert served(*exchanges) == [newer]


def test_of_equally_new_states_the_latest_request_wins() -> None:
    other = CREDIT | {"amount": 1.5}
    assert served(one(other, started=2), one(CREDIT, started=1)) == [other]
    assert served(one(CREDIT), one(other)) == [other]


def test_a_row_of_the_older_edition_has_no_channel() -> None:
    assert served(one(OLDER)) == [CREDIT | {"referral_channel": None, "referral_channel_code": None}]


def test_a_renamed_channel_has_its_newest_code_everywhere() -> None:
    old = CREDIT | {"id": 1, "referral_channel": 7, "referral_channel_code": "OLD"}
    new = old | {"id": 2, "referral_channel_code": "NEW", "updated_at": "2031-01-01T00:00:00-08:00"}
    assert [row["referral_channel_code"] for row in served(page(new, old))] == ["NEW", "NEW"]


def test_fields_that_are_not_documented_are_left_out() -> None:
    assert served(one(CREDIT | {"new": {"a": 1}})) == [CREDIT]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "2.50"},
        {"amount": math.nan},
        {"amount": 1e300},
        {"status": "paid"},
        {"id": 0},
        {"id": 2**63},
        {"id": 1.0},
        {"id": None},
        {"created_at": "yesterday"},
        {"created_at": "1066-10-14T09:00:00Z"},
        {"status": "available", "reverted_at": "2026-01-01T00:00:00-08:00"},
        {"referral_channel": 7, "referral_channel_code": None},
        {"referral_channel": 7, "referral_channel_code": ""},
        {"referral_channel": 7, "referral_channel_code": "\ud800"},
    ],
    ids=str,
)
def test_a_row_that_no_data_set_can_hold_is_left_out_and_counted(change: dict[str, Any]) -> None:
    found = replay([page(CREDIT | {"id": 5}, CREDIT | change)], is_storable)
    assert [row["id"] for row in found.document["credits"]] == [5]
    assert found.left_out == 1


@pytest.mark.parametrize(
    "exchange",
    [
        one({"detail": "Not found."}, status=404),
        one(CREDIT, status=500),
        Exchange(source="-", status=200, body=b"<html>"),
        Exchange(source="-", status=200, body=b"[" * 100_000),
        Exchange(source="-", status=200, body=b"9" * 5000),
        Exchange(source="-", status=None),
        page("a", None, 1, [], {"id": 1, "proxy_address": "1.2.3.4"}),
        one([CREDIT]),
    ],
    ids=lambda exchange: exchange.body[:20],
)
def test_what_is_not_a_credit_is_ignored(exchange: Exchange) -> None:
    assert replay([exchange]).document == {"credits": [], "channels": []}


def test_a_body_that_was_stored_alone_is_taken() -> None:
    assert served(one(CREDIT, status=None)) == [CREDIT]


def test_many_credits() -> None:
    credits = generator.generate(3, 2000).wire()["credits"]
    assert served(*(page(*credits[start : start + 100]) for start in range(0, 2000, 100))) == credits
