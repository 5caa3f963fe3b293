"""RowHistory: what may happen to a row in time, and what may not."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import pytest

from mock_webshare.contract.endpoints import CHANNEL_LIST, CONFIG, EARNOUT_DETAIL, WEBSHARE
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.check import check_record
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from tests.recorded_responses import LATER, LIST, ROW, found, one, page, response

AVAILABLE = {"status": "available", "updated_at": LATER}
REVERTED = {"status": "reverted", "updated_at": LATER, "reverted_at": LATER}


@pytest.mark.parametrize("changes", [AVAILABLE, REVERTED, {"updated_at": LATER, "amount": 3.5}])
def test_a_possible_change_is_not_a_finding(changes: dict[str, Any]) -> None:
    assert found(one(0), one(60, changes=changes)) == []


def test_the_time_counts_and_not_the_order_in_the_file() -> None:
    assert found(one(60, changes=AVAILABLE), one(0)) == []


@pytest.mark.parametrize("seconds", [None, -1])
def test_a_response_of_unknown_duration_may_have_come_after_the_next_one(seconds: float | None) -> None:
    records = one(0, changes={"updated_at": LATER}, seconds=seconds), one(1)
    assert found(*records) == [("object.updated-at", "/updated_at", Level.INCONCLUSIVE)]


def test_a_response_of_unknown_duration_came_before_one_hours_later() -> None:
    records = one(0, changes={"updated_at": LATER}, seconds=None), one(7200)
    assert found(*records) == [("object.updated-at", "/updated_at", Level.ERROR)]


def test_of_several_responses_the_one_whose_duration_is_known_counts() -> None:
    newer = {"changes": {"updated_at": LATER}}
    records = one(0, **newer, seconds=None), one(1, **newer), one(2)
    assert found(*records) == [("object.updated-at", "/updated_at", Level.ERROR)]


def test_a_contradiction_in_either_order_needs_no_durations() -> None:
    records = one(0, seconds=None), one(1, changes={"mode": "payout"}, seconds=None)
    assert found(*records) == [("object.mode", "/mode", Level.ERROR)]


def test_responses_that_overlap_may_have_come_in_either_order() -> None:
    assert found(one(0, changes=AVAILABLE, seconds=10), one(5, seconds=1)) == []


def test_without_times_the_order_in_the_file_counts() -> None:
    assert found(one(None), one(None, changes=AVAILABLE)) == []
    assert ("object.lifecycle", "/status", Level.ERROR) in found(one(None, changes=AVAILABLE), one(None))


def test_without_times_the_order_of_two_files_is_not_known() -> None:
    assert found(one(None, changes=AVAILABLE, source="a.json"), one(None, source="b.json")) == []


def test_a_contradiction_in_either_order_needs_no_times() -> None:
    other = one(None, changes={"mode": "payout"}, source="b.json")
    assert found(one(None, source="a.json"), other) == [("object.mode", "/mode", Level.ERROR)]


def test_each_key_has_rows_of_its_own() -> None:
    assert found(one(0), one(60, changes={"mode": "payout"}, key="Token other")) == []


def test_a_redacted_key_counts_for_one_file() -> None:
    hidden: dict[str, Any] = {"key": "Token REDACTED-1"}
    other = one(60, changes={"mode": "payout"}, source="b.ndjson", **hidden)
    assert found(one(0, **hidden), other) == []
    assert found(one(0, **hidden), replace(other, source="a.ndjson")) != []


def test_a_redacted_key_counts_for_the_folder_that_record_wrote() -> None:
    hidden: dict[str, Any] = {"key": "Token REDACTED-1"}
    files = [
        replace(one(n, changes={"amount": float(n)}, **hidden), source=f"a/00000{n}.json") for n in (1, 2)
    ]
    assert found(*files) == [("object.same", "/amount", Level.ERROR)]
    assert found(files[0], replace(files[1], source="b/000002.json")) == []
    assert found(*(replace(each, source=f"a/{n}-mine.json") for n, each in enumerate(files))) == []


def test_a_key_that_another_tool_redacted_counts_for_one_file() -> None:
    files = [
        one(n, changes={"amount": float(n)}, source=f"a/00000{n}.json", key="Token [FILTERED]")
        for n in (1, 2)
    ]
    assert found(*files) == []


def test_the_moment_of_a_reversal_stays() -> None:
    again = {**REVERTED, "reverted_at": "2026-03-09T10:00:00-07:00"}
    assert found(one(0, changes=REVERTED), one(9, changes=again)) == [
        ("object.same", "/reverted_at", Level.ERROR)
    ]


def test_and_an_update_does_not_move_it() -> None:
    again = {
        **REVERTED,
        "reverted_at": "2026-03-10T09:59:00-07:00",
        "updated_at": "2026-03-12T10:00:00-07:00",
    }
    assert found(one(0, changes=REVERTED), one(9, changes=again)) == [
        ("object.constant", "/reverted_at", Level.WARNING)
    ]


def test_a_state_that_comes_back_is_found_among_many() -> None:
    records = [one(0), one(10, changes=AVAILABLE), one(20)]
    assert ("object.lifecycle", "/status", Level.ERROR) in found(*records)


@pytest.mark.parametrize(
    ("was", "became"), [(-1.0, -2.0), (0, False), (1, True), ("", 0), (2.5, "x"), ("x" * 999, "x" * 998)]
)
def test_values_of_two_types_differ(was: Any, became: Any) -> None:
    records = one(0, changes={"user_id": was}), one(60, changes={"user_id": became})
    assert ("object.same", "/user_id", Level.ERROR) in found(*records)


@pytest.mark.parametrize("value", [2.5, "x" * 999])
def test_equal_values_are_the_same(value: Any) -> None:
    records = one(0, changes={"user_id": value}), one(60, changes={"user_id": value})
    assert [rule for rule, _, _ in found(*records) if rule == "object.same"] == []


def test_a_number_is_one_however_it_is_written() -> None:
    written = one(60, changes={"amount": 2.5})
    records = one(0), replace(written, body=written.body.replace(b"2.5", b"2.50"))
    assert [rule for rule, _, _ in found(*records)] == ["object.amount-form"]


def test_no_value_hides_the_others() -> None:
    code = {"referral_channel": 3, "referral_channel_code": "a\x1fb"}
    records = one(0, changes=code), one(60, changes=code | {"mode": "payout"})
    assert found(*records) == [("object.mode", "/mode", Level.ERROR)]


@pytest.mark.parametrize("name", ["mode", "status", "amount", "updated_at"])
def test_a_field_that_is_missing_has_not_changed(name: str) -> None:
    without = response({key: ROW[key] for key in ROW if key != name}, f"{LIST}1/", 60)
    assert found(one(0), without) == [("object.fields", f"/{name}", Level.ERROR)]


def test_a_finding_shows_a_value_as_it_is_written() -> None:
    (finding,) = judge([one(0), one(60, changes={"amount": 3.5})], Options()).findings
    assert finding.actual == "3.5"


def test_a_long_value_is_kept_as_a_short_one() -> None:
    record = one(0, changes={"referral_channel": 1, "referral_channel_code": "x" * 10**6})
    observation = check_record(record, Options()).observation  # type: ignore[union-attr]
    assert observation is not None
    assert len(pickle.dumps(observation)) < 2000


CONFIG_URL = f"https://proxy.webshare.io{CONFIG.path}"
CHANNELS_URL = f"https://proxy.webshare.io{CHANNEL_LIST.path}"
EARNOUT_URL = f"https://proxy.webshare.io{EARNOUT_DETAIL.path.format(id=1)}"
CONFIGURED, CHANNEL, EARNOUT = (
    WEBSHARE.schemas.document(name)["examples"][0]
    for name in ("referral-config", "referral-channel", "referral-earnout")
)
FORMERLY = {"created_at": "2021-06-14T11:58:10-07:00"}
UPDATED = {"updated_at": LATER}


@pytest.mark.parametrize(
    ("row", "url", "changes", "pointer"),
    [
        (ROW, f"{LIST}1/", UPDATED | {"user_id": 9}, "/user_id"),
        (ROW, f"{LIST}1/", UPDATED | FORMERLY, "/created_at"),
        (ROW, f"{LIST}1/", REVERTED | {"user_id": 9}, "/user_id"),
        (CONFIGURED, CONFIG_URL, UPDATED | {"id": 9}, "/id"),
        (CONFIGURED, CONFIG_URL, UPDATED | FORMERLY, "/created_at"),
        (EARNOUT, EARNOUT_URL, UPDATED | FORMERLY, "/created_at"),
        (CHANNEL, CHANNELS_URL, FORMERLY, "/0/created_at"),
    ],
)
def test_what_never_changes_is_found_whether_it_was_updated_or_not(
    row: Any, url: str, changes: dict[str, Any], pointer: str
) -> None:
    rows = [[row], [row | changes]] if url == CHANNELS_URL else [row, row | changes]
    records = [response(each, url, at) for each, at in zip(rows, (0, 60), strict=True)]
    assert ("object.constant", pointer, Level.WARNING) in found(*records)


@pytest.mark.parametrize(
    ("row", "url", "changes", "field", "level"),
    [
        (ROW, f"{LIST}1/", {"status": "available"}, "status", Level.WARNING),
        (ROW, f"{LIST}1/", REVERTED | {"updated_at": ROW["updated_at"]}, "status", Level.WARNING),
        (ROW, f"{LIST}1/", {"user_id": 9}, "user_id", Level.ERROR),
        (EARNOUT, EARNOUT_URL, {"status": "processing"}, "status", Level.ERROR),
        (EARNOUT, EARNOUT_URL, {"amount": 9.5}, "amount", Level.ERROR),
        (CONFIGURED, CONFIG_URL, {"mode": "credits"}, "mode", Level.ERROR),
        (CONFIGURED, CONFIG_URL, {"next_earn_out_date": LATER}, "next_earn_out_date", Level.NOTE),
    ],
)
def test_what_changes_without_an_update_is_found(
    row: Any, url: str, changes: dict[str, Any], field: str, level: Level
) -> None:
    records = response(row, url, 0), response(row | changes, url, 60)
    assert ("object.same", f"/{field}", level) in found(*records)


@pytest.mark.parametrize("field", WEBSHARE.resources["config"].computed)
def test_what_is_computed_changes_without_an_update(field: str) -> None:
    more = type(CONFIGURED[field])(CONFIGURED[field] + 1)
    records = response(CONFIGURED, CONFIG_URL, 0), response(CONFIGURED | {field: more}, CONFIG_URL, 60)
    assert [rule for rule, _, _ in found(*records) if rule == "object.same"] == []


def missing(at: int, query: str = "", **more: Any) -> Exchange:
    return response({"detail": "Not found."}, f"{LIST}1/{query}", at, status=404, **more)


def test_a_row_that_was_seen_and_is_not_found_is_inconclusive() -> None:
    expected = [("object.same", "", Level.INCONCLUSIVE)]
    assert found(one(0), missing(60)) == expected
    assert found(page(1, range(1, 2), 1, 0), missing(60)) == expected


def test_a_row_may_appear_after_it_was_not_found() -> None:
    assert found(missing(0), one(60)) == []


@pytest.mark.parametrize("query", ["?status=available", "?format=xml"])
def test_a_row_that_is_not_found_for_another_reason_is_not_a_finding(query: str) -> None:
    assert found(one(0), missing(60, query)) == []


def test_a_row_that_another_key_does_not_find_is_not_a_finding() -> None:
    assert found(one(0), missing(60, key="Token other")) == []


@pytest.mark.parametrize("seconds", [0.1, None])
@pytest.mark.parametrize("age", [120, 600, 86_400])
def test_what_a_cache_kept_may_be_older(age: int, seconds: float | None) -> None:
    usual = (("Content-Type", "application/json"), ("Allow", "GET, HEAD, OPTIONS"))
    kept = replace(one(60, seconds=seconds), headers=(*usual, ("Age", str(age))))
    assert found(one(0, changes=AVAILABLE), kept) == []
    fresh = replace(one(60, seconds=0.1), headers=(*usual, ("Age", "0")))
    assert ("object.lifecycle", "/status", Level.ERROR) in found(one(0, changes=AVAILABLE), fresh)


@pytest.mark.parametrize("age", [120, 600])
def test_of_two_impossible_orders_the_one_that_breaks_less_counts(age: int) -> None:
    kept = replace(
        one(60, changes=AVAILABLE, seconds=0.1),
        headers=(("Content-Type", "application/json"), ("Allow", "GET, HEAD, OPTIONS"), ("Age", str(age))),
    )
    reverted = REVERTED | {"updated_at": "2026-03-12T10:00:00-07:00"}
    assert {level for _, _, level in found(one(0, changes=reverted), kept)} <= {Level.NOTE}
