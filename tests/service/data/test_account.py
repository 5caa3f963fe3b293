from __future__ import annotations

from typing import Any

import pytest

from mock_webshare.contract.timestamps import DAY, parse_instant
from mock_webshare.service.data import dataset, settlement
from mock_webshare.service.data.account import Table

EDGE_CASES = dataset.load("edge-cases")


def test_a_row_is_encoded_once() -> None:
    table = Table(EDGE_CASES.rows["credits"])
    assert table.encoded(3) is table.encoded(3)


def test_an_order_is_computed_once() -> None:
    table = Table(EDGE_CASES.rows["credits"])
    criteria = (("mode", "payout"),)
    assert table.positions(criteria, ("-amount",)) is table.positions(criteria, ("-amount",))


@pytest.mark.parametrize("credit", EDGE_CASES.rows["credits"], ids=lambda credit: str(credit.id))
def test_a_row_is_found_by_its_id(credit: Any) -> None:
    table = Table(EDGE_CASES.rows["credits"])
    position = table.find(credit.id)
    assert position is not None
    assert table.rows[position] is credit


@pytest.mark.parametrize("row_id", [-1, 0, 50, 10**40])
def test_an_id_that_no_row_has_is_not_found(row_id: int) -> None:
    assert Table(EDGE_CASES.rows["credits"]).find(row_id) is None


def test_what_is_due_becomes_available_at_the_moment_that_its_period_has_passed() -> None:
    pending = [credit for credit in EDGE_CASES.rows["credits"] if credit.status == "pending"]
    now = pending[0].created_at + 30 * DAY
    later = {credit.id: credit for credit in settlement.settled(EDGE_CASES, now).rows["credits"]}
    for credit in EDGE_CASES.rows["credits"]:
        if credit.status == "pending" and credit.created_at + 30 * DAY <= now:
            assert later[credit.id] == credit._replace(
                status="available", updated_at=credit.created_at + 30 * DAY
            )
        else:
            assert later[credit.id] is credit
    assert any(credit.status == "pending" for credit in later.values())


def test_a_moment_before_nothing_is_due() -> None:
    now = parse_instant("2025-02-09T07:59:59.999999-08:00")
    assert list(settlement.settled(EDGE_CASES, now).rows["credits"]) == list(EDGE_CASES.rows["credits"])
