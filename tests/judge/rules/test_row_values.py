"""Values of one row: dates that contradict each other, and spellings that must not hide a row."""

from __future__ import annotations

import json
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from mock_webshare.contract.endpoints import CHANNEL_LIST, CONFIG, EARNOUT_DETAIL, WEBSHARE
from mock_webshare.contract.timestamps import SECOND
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.model.row_fields import read_instant
from mock_webshare.judge.run import judge
from tests.made_up import MADE_UP, TICKET, TICKET_DETAIL
from tests.recorded_responses import LIST, ROW, found, one, page, response

Place = tuple[str, str, Level]
HOST = "https://proxy.webshare.io"
REVERTED = ROW | {"status": "reverted", "reverted_at": "2026-02-20T10:00:00-08:00"}
REVERTED["updated_at"] = REVERTED["reverted_at"]
CHANNEL, EARNOUT, OBJECT = (
    WEBSHARE.schemas.document(name)["examples"][0]
    for name in ("referral-channel", "referral-earnout", "referral-config")
)


def dated(record: Exchange, *more: tuple[str, str], off: int = 0) -> Exchange:
    """Return a response with the headers of the service, its `Date` so many seconds off."""
    assert record.started is not None
    date = formatdate(record.started // SECOND + off, usegmt=True)
    allow = "GET, PATCH, HEAD, OPTIONS" if "config" in str(record.url) else "GET, HEAD, OPTIONS"
    headers = (("Date", date), ("Content-Type", "application/json"), ("Allow", allow), *more)
    return replace(record, headers=headers)


def order(field: str, level: Level = Level.WARNING, rule: str = "object.date-order") -> list[Place]:
    return [(rule, f"/{field}", level)]


@pytest.mark.parametrize(
    ("row", "path", "expected"),
    [
        (ROW | {"updated_at": "2026-02-14T09:59:59-08:00"}, f"{LIST}1/", order("updated_at")),
        (ROW | {"updated_at": "2026-02-14T17:30:00+00:00"}, f"{LIST}1/", order("updated_at")),
        (REVERTED | {"updated_at": "2026-02-19T10:00:00-08:00"}, f"{LIST}1/", order("updated_at")),
        (REVERTED | {"reverted_at": "2026-02-13T10:00:00-08:00"}, f"{LIST}1/", order("reverted_at")),
        (
            EARNOUT | {"updated_at": "2021-06-14T11:58:10-07:00"},
            HOST + EARNOUT_DETAIL.path.format(id=1),
            order("updated_at"),
        ),
        (OBJECT | {"updated_at": "2021-06-14T11:58:10-07:00"}, HOST + CONFIG.path, order("updated_at")),
        (
            OBJECT | {"next_earn_out_date": "2021-06-14T11:58:10-07:00"},
            HOST + CONFIG.path,
            order("next_earn_out_date", Level.NOTE, "config.earn-out-date"),
        ),
        (
            [CHANNEL | {"end_date": "2021-06-14T11:58:10-07:00"}],
            HOST + CHANNEL_LIST.path,
            order("0/end_date", Level.NOTE, "channel.dates"),
        ),
    ],
)
def test_dates_that_contradict_each_other_are_found(row: Any, path: str, expected: list[Place]) -> None:
    places = [each for each in found(response(row, path, 0)) if each[0] != "object.dates"]
    assert places == expected


@pytest.mark.parametrize(
    "row",
    [
        ROW | {"updated_at": "2026-02-14T09:59:59.500000-08:00"},
        ROW | {"created_at": "2026-03-08T01:30:00-08:00", "updated_at": "2026-03-08T03:10:00-07:00"},
        REVERTED | {"updated_at": "2026-02-28T10:00:00-08:00"},
        REVERTED,
    ],
)
def test_dates_in_order_are_not_a_finding(row: Any) -> None:
    assert found(response(row, f"{LIST}1/", 0)) == []


def test_the_rows_of_another_contract_have_an_order_of_their_own() -> None:
    closed = TICKET | {"closed_at": "2026-03-01T08:30:00-08:00"}
    record = response(closed, "https://made-up.example" + TICKET_DETAIL.path.format(id=1), 0)
    findings = judge([record], Options(contract=MADE_UP)).findings
    assert [(each.rule, each.place.pointer) for each in findings] == [
        ("object.date-order", "/closed_at"),
    ]


IN_AN_HOUR = "2026-03-16T13:00:00-07:00"
FUTURE = ("object.past-dates", Level.WARNING)


@pytest.mark.parametrize(
    ("row", "path", "field"),
    [
        (ROW | {"updated_at": IN_AN_HOUR}, f"{LIST}1/", "updated_at"),
        (ROW | {"updated_at": "2026-03-16T19:01:05Z"}, f"{LIST}1/", "updated_at"),
        (REVERTED | {"updated_at": IN_AN_HOUR}, f"{LIST}1/", "updated_at"),
        (REVERTED | {"reverted_at": IN_AN_HOUR, "updated_at": IN_AN_HOUR}, f"{LIST}1/", "reverted_at"),
        (ROW | {"created_at": IN_AN_HOUR, "updated_at": IN_AN_HOUR}, f"{LIST}1/", "created_at"),
        (EARNOUT | {"updated_at": IN_AN_HOUR}, HOST + EARNOUT_DETAIL.path.format(id=1), "updated_at"),
        (OBJECT | {"updated_at": IN_AN_HOUR}, HOST + CONFIG.path, "updated_at"),
        ([CHANNEL | {"created_at": IN_AN_HOUR}], HOST + CHANNEL_LIST.path, "0/created_at"),
    ],
)
def test_a_date_after_that_of_the_response_is_found(row: Any, path: str, field: str) -> None:
    places = [(rule, level) for rule, at, level in found(dated(response(row, path, 0))) if at == f"/{field}"]
    assert FUTURE in places


@pytest.mark.parametrize(
    "record",
    [
        dated(one(0, changes={"updated_at": "2026-03-16T12:00:50-07:00"})),
        dated(one(0, changes={"updated_at": IN_AN_HOUR}), ("Mock-Webshare-Version", "1.0")),
        dated(one(0, changes={"updated_at": IN_AN_HOUR}), ("Age", "7200")),
        dated(one(0, changes={"updated_at": IN_AN_HOUR}), off=7200),
        one(0, changes={"updated_at": IN_AN_HOUR}),
        dated(response([CHANNEL | {"end_date": "2030-01-01T00:00:00-08:00"}], HOST + CHANNEL_LIST.path, 0)),
        dated(response(OBJECT | {"next_earn_out_date": "2030-01-01T00:00:00-08:00"}, HOST + CONFIG.path, 0)),
    ],
)
def test_a_date_that_may_be_so_late_is_not_a_finding(record: Exchange) -> None:
    assert found(record) == []


def test_the_age_of_a_row_is_that_at_the_date_of_the_response() -> None:
    row = {"created_at": "2026-03-14T10:00:00-07:00", "updated_at": "2026-03-14T10:00:00-07:00"}
    assert found(dated(one(0, changes=row | {"status": "available"}), off=40 * 86400)) == []
    assert found(dated(one(0, changes=row), off=40 * 86400)) == [("object.pending", "/status", Level.NOTE)]


ODD_DATES = {
    "2026-02-14t10:00:00-08:00": Level.WARNING,
    "2026-02-14T18:00:00z": Level.ERROR,
    "2026-02-14t18:00:00Z": Level.ERROR,
    "2026-02-14 10:00:00-08:00": Level.ERROR,
    "2026-02-14T10:00:00-0800": Level.ERROR,
    "2026-02-14T10:00:00-08": Level.ERROR,
    " 2026-02-14T10:00:00-08:00": Level.ERROR,
    "2026-02-14T10:00-08:00": Level.ERROR,
}


@pytest.mark.parametrize("text", ODD_DATES)
def test_a_date_in_an_odd_spelling_is_reported_and_compared(text: str) -> None:
    assert read_instant(text) == read_instant("2026-02-14T10:00:00-08:00")
    places = found(one(0, changes={"created_at": text, "updated_at": "2026-01-01T00:00:00-08:00"}))
    assert ("object.date-order", "/updated_at", Level.WARNING) in places
    assert {level for rule, at, level in places if at == "/created_at"} >= {ODD_DATES[text]}


def test_a_date_with_seven_digits_is_compared() -> None:
    text = "2026-02-14T10:00:00.1234567-08:00"
    places = found(one(0, changes={"created_at": text, "updated_at": "2026-01-01T00:00:00-08:00"}))
    assert ("object.date-order", "/updated_at", Level.WARNING) in places
    assert ("object.microseconds", "/created_at", Level.WARNING) in places


def test_a_date_without_an_offset_is_no_instant() -> None:
    assert read_instant("2026-02-14T10:00:00") is None


def spelled(record: Exchange, *changes: tuple[str, str]) -> Exchange:
    """Return a response with parts of its body in another spelling."""
    text = record.body.decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return replace(record, body=text.encode())


WHOLE = page(1, range(1, 3), 2, 0)


@pytest.mark.parametrize("written", ["2.0", "2e0", "2.00", "20E-1", '"2"'])
def test_an_id_in_an_odd_spelling_is_reported_and_compared(written: str) -> None:
    again = spelled(WHOLE, ('"id":2', f'"id":{written}'), ('"id":1', '"id":2'))
    places = found(again)
    assert ("list.walk", "/results/1/id", Level.ERROR) in places
    is_text = written.startswith('"')
    expected = ("object.fields", Level.ERROR) if is_text else ("object.integer-form", Level.WARNING)
    assert expected in [(rule, level) for rule, at, level in places if at == "/results/1/id"]


def test_an_id_that_is_true_is_no_id() -> None:
    places = found(spelled(WHOLE, ('"id":2', '"id":true')))
    assert ("object.fields", "/results/1/id", Level.ERROR) in places


@pytest.mark.parametrize("written", ["1003.0", "1003e0", '"1003"'])
def test_a_row_in_an_odd_spelling_is_out_of_order(written: str) -> None:
    rows = page(1, range(1, 3), 2, 0)
    places = found(spelled(rows, ('"id":1,', f'"id":{written},')))
    assert ("order.default", "/results/1/id", Level.NOTE) in places


@pytest.mark.parametrize("written", ['"9.50"', '"9.5"', "95e-1", "9.50"])
def test_an_amount_in_an_odd_spelling_is_out_of_order(written: str) -> None:
    rows = page(1, range(1, 3), 2, 0, "ordering=amount")
    places = found(spelled(rows, ('"amount":2.5', f'"amount":{written}')))
    assert ("order.fields", "/results/1/amount", Level.ERROR) in places


@pytest.mark.parametrize("written", ["Available", "AVAILABLE", " available"])
def test_a_status_in_an_odd_spelling_is_not_what_was_filtered(written: str) -> None:
    rows = page(1, range(1, 3), 2, 0, "status=pending")
    places = found(spelled(rows, ('"status":"pending"', f'"status":"{written}"')))
    assert ("filter.and", "/results/0/status", Level.ERROR) in places
    assert ("object.status", "/results/0/status", Level.ERROR) in places


@pytest.mark.parametrize(
    "change",
    [
        {"id": 1.0},
        {"user_id": [1]},
        {"user_id": {"id": 2}},
        {"referral_channel_code": {"a": 1}},
        {"created_at": "2026-02-14t10:00:00-08:00"},
        {"extra": {"a": [1]}},
        {"status": "PENDING"},
    ],
)
def test_a_row_in_an_odd_spelling_has_a_history(change: dict[str, Any]) -> None:
    records = one(0, changes=change), one(60, changes=change | {"mode": "payout"})
    assert ("object.mode", "/mode", Level.ERROR) in found(*records)


def test_a_count_with_a_point_is_reported_and_compared() -> None:
    places = found(spelled(WHOLE, ('"count":2', '"count":7.0')))
    assert ("object.integer-form", "/count", Level.WARNING) in places
    assert any(rule in ("list.count", "list.page-size") for rule, _, _ in places)


def test_rows_of_another_type_are_left_alone() -> None:
    assert json.loads(WHOLE.body)["count"] == 2
    assert found(WHOLE) == []


@pytest.mark.parametrize("requested", ["SUMMER20", "summer20", "Summer20"])
def test_a_code_info_is_that_of_the_requested_code(requested: str) -> None:
    url = f"https://proxy.webshare.io/api/v2/referral/code/info/?referral_code={requested}"
    info = {"referral_code": "SUMMER20", "promo_type": None, "promo_value": None}
    assert found(response(info, url, 0)) == []
    wrong = response(info | {"referral_code": "zzz"}, url, 0)
    assert found(wrong) == [("detail.id", "/referral_code", Level.ERROR)]


@pytest.mark.parametrize("status", ["Reverted", "REVERTED", " reverted"])
def test_a_status_in_another_spelling_keeps_its_conditions(status: str) -> None:
    rules = {rule for rule, _, _ in found(one(0, changes={"status": status, "reverted_at": None}))}
    assert {"object.status", "object.reverted"} <= rules
