"""The shape by which a body is recognised."""

from __future__ import annotations

from typing import Any

import pytest

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.judge.model.shapes import recognise, shapes_of


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"count": 0, "next": None, "previous": None, "results": []}, "referral-credit-page"),
        ({"results": []}, "referral-credit-page"),
        ({"count": 0, "next": None}, "referral-credit-page"),
        ({"id": 1, "user_id": 2}, "referral-credit"),
        ({"reverted_at": None, "detail": "new"}, "referral-credit"),
        ({"detail": "Not found."}, "error-detail"),
        ({"detail": ["Not found."]}, "error-detail"),
        ({"mode": [], "status": []}, "field-errors"),
        ({"mode": [], "status": None}, None),
        ({"id": 1, "mode": "credits", "amount": 2.5}, None),
        ({}, None),
        ([], None),
        ("detail", None),
        (None, None),
    ],
)
def test_a_body_is_recognised_by_its_sign(body: Any, expected: str | None) -> None:
    assert recognise(body, WEBSHARE) == expected


@pytest.mark.parametrize("shape", shapes_of(WEBSHARE), ids=lambda shape: shape.schema)
def test_a_shape_shows_in_the_examples_of_its_schema(shape: Any) -> None:
    examples = SERVICE_SCHEMAS.document(shape.schema)["examples"]
    for example in filter(None, examples):  # an empty array shows nothing
        assert recognise(example, WEBSHARE) == shape.schema
