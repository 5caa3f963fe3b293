"""Orders: which order the pages of a probe are said to have."""

from __future__ import annotations

from typing import Any, cast

import pytest

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.live import checks
from mock_webshare.live.responses import Responses, Subject, Undecidable
from tests.recorded_responses import ROW


class OnePage:
    """The responses to a probe of an account whose credits are on one page."""

    subject = Subject(WEBSHARE)

    def __init__(self, *rows: dict[str, Any]) -> None:
        self._rows = [ROW | row for row in rows]

    def rows(self, name: str) -> list[dict[str, Any]]:
        if name not in ("first", "large page"):
            raise Undecidable(f"{name} was not requested")
        return self._rows


def default_order(*rows: dict[str, Any]) -> list[str | None]:
    """Return the options that are proposed for the order of some rows."""
    return [each.option for each in checks._default_order(cast(Responses, OnePage(*rows)))]


def day(number: int) -> str:
    return f"2026-03-{number:02}T10:00:00-07:00"


def test_an_order_whose_ties_are_by_id_explains_more_than_one_whose_are_not() -> None:
    rows = (
        {"id": 2, "created_at": day(9), "updated_at": day(10)},
        {"id": 1, "created_at": day(9), "updated_at": day(11)},
        {"id": 3, "created_at": day(8), "updated_at": day(12)},
    )
    assert default_order(*rows) == ["--default-ordering=updated_at"]


def test_an_order_whose_ties_are_not_by_id_is_one_if_no_other_explains_the_rows() -> None:
    rows = (
        {"id": 2, "created_at": day(9), "updated_at": day(11)},
        {"id": 1, "created_at": day(9), "updated_at": day(10)},
        {"id": 3, "created_at": day(8), "updated_at": day(12)},
    )
    assert default_order(*rows) == ["--default-ordering=-created_at"]


def test_an_order_of_one_row_is_none() -> None:
    with pytest.raises(Undecidable, match="the 2 rows that an order needs"):
        default_order({})
