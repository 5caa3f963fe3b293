"""Drift: a service that is no longer what its documentation says must not become a wrong sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Run
    from mock_webshare import MockWorld


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"drift": "retyped", "field": "amount"}, "is no number"),
        ({"drift": "null", "field": "amount"}, "the amount None is no number"),
        ({"drift": "removed", "field": "mode"}, "a credit has no 'mode'"),
        ({"drift": "renamed", "field": "created_at", "to": "created"}, "a credit has no 'created_at'"),
        ({"drift": "enum", "field": "status", "to": "on_hold"}, "'on_hold' is none of pending"),
        ({"fault": "MALFORMED_JSON"}, "the answer is no JSON"),
        ({"contentType": "text/html"}, None),
        ({"drift": "added", "field": "tier", "to": "gold"}, None),
    ],
    ids=str,
)
def test_drift_is_told_where_it_matters(
    run: Callable[..., Run], webshare_mock: MockWorld, fault: dict[str, Any], told: str | None
) -> None:
    webshare_mock.add_fault(**fault, query={"page": "3"})
    outcome = run()
    if told is None:
        assert (outcome.code, outcome.err) == (0, "")
    else:
        assert (outcome.code, outcome.out) == (1, "")
        assert told in outcome.err


@pytest.mark.webshare_mock(scenario="drift")
def test_a_contract_that_is_broken_all_over_makes_no_report(run: Callable[..., Run]) -> None:
    assert run().code == 1
