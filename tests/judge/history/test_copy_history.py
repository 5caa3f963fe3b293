"""CopyHistory: one channel has one code, wherever it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from mock_webshare.contract.endpoints import CHANNEL_LIST, WEBSHARE
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.history import copy_history
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from tests.made_up import MADE_UP, TICKET, TICKETS
from tests.recorded_responses import LIST, ROW, found, one, response

CHANNEL = WEBSHARE.schemas.document("referral-channel")["examples"][0]


def of_channel(row_id: int, code: str, **more: Any) -> dict[str, Any]:
    return ROW | {"id": more.pop("id", 1), "referral_channel": row_id, "referral_channel_code": code, **more}


def rows(*rows: dict[str, Any]) -> Exchange:
    body = {"count": len(rows), "next": None, "previous": None, "results": rows}
    return response(body, LIST, 0)


def channels(row_id: int, code: str, at: int = 60) -> Exchange:
    url = f"https://proxy.webshare.io{CHANNEL_LIST.path}"
    return response([CHANNEL | {"id": row_id, "code": code}], url, at)


def copies(*records: Exchange) -> list[tuple[str, Level]]:
    return [(at, level) for rule, at, level in found(*records) if rule == "object.copy"]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([(7, "B")], [("/results/1/referral_channel_code", Level.ERROR)]),
        ([(7, "a")], [("/results/1/referral_channel_code", Level.ERROR)]),
        ([(8, "A")], [("/results/1/referral_channel", Level.WARNING)]),
        ([(8, "a")], [("/results/1/referral_channel", Level.WARNING)]),
        ([(8, "B"), (7, "C")], [("/results/2/referral_channel_code", Level.ERROR)]),
        ([(8, "B"), (7, "A")], []),
    ],
)
def test_one_response_shows_one_code_for_each_channel(others: Any, expected: Any) -> None:
    more = [of_channel(*each, id=number) for number, each in enumerate(others, 2)]
    assert copies(rows(of_channel(7, "A"), *more)) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (rows(of_channel(7, "A")), channels(7, "B"), ["/0/code"]),
        (rows(of_channel(7, "A")), channels(8, "A"), ["/0/id"]),
        (rows(of_channel(7, "A")), one(60, changes=of_channel(7, "B", id=2)), ["/referral_channel_code"]),
        (channels(7, "A", 0), channels(7, "B"), ["/0/code"]),
        (channels(7, "A", 0), one(60, changes=of_channel(7, "B")), ["/referral_channel_code"]),
        (rows(of_channel(7, "A")), channels(7, "A"), []),
        (rows(of_channel(7, "A")), channels(8, "B"), []),
    ],
)
def test_another_response_may_show_another_code(first: Exchange, second: Exchange, expected: Any) -> None:
    assert copies(first, second) == [(at, Level.INCONCLUSIVE) for at in expected]


def test_another_contract_has_references_of_its_own() -> None:
    tickets = [TICKET | {"id": 1}, TICKET | {"id": 2, "team_name": "Software"}, TICKET | {"id": 3, "team": 6}]
    body = {"count": 3, "next": None, "previous": None, "results": tickets}
    record = response(body, f"https://made-up.example{TICKETS.path}", 0)
    findings = judge([record], Options(contract=MADE_UP)).findings
    assert [(each.rule, each.place.pointer) for each in findings] == [("object.copy", "/results/1/team_name")]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copy_history, "MOST_NAMES", 1)
    assert copies(channels(7, "A", 0), channels(8, "B", 1), channels(7, "C", 2)) == []
