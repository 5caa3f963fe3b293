"""What is accepted without asking jsonschema: never anything that it would refuse."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_webshare.contract.schemas import SERVICE_SCHEMAS, Schemas
from mock_webshare.judge.body.fast_schema import acceptor
from tests.sampling import examples

CREDIT = SERVICE_SCHEMAS.document("referral-credit")["examples"][0] | {"amount": Decimal("2.5")}
PAGE = {"count": 2, "next": "https://a.b/c?page=2", "previous": None, "results": [CREDIT, CREDIT]}
GOOD = {
    "referral-credit": CREDIT,
    "referral-credit-page": PAGE,
    "error-detail": {"detail": "Not found.", "code": "x"},
    "field-errors": {"mode": [{"message": "No.", "code": "invalid"}]},
}

VALUES = st.sampled_from(
    [
        *(
            None,
            True,
            False,
            0,
            -1,
            1,
            2**70,
            Decimal("1.0"),
            Decimal("1.5"),
            Decimal("1E+400"),
            "",
            "x",
            [],
            {},
        ),
        *("payout", "credits", "credit", "pending", "available", "reverted", "Reverted", [None], {"a": 1}),
        *("2022-06-14T11:58:10-07:00", "2022-06-14T11:58:10.246406-07:00", "2022-02-29T11:58:10-07:00"),
        *(
            "2022-06-31T11:58:10Z",
            "2022-06-14 11:58:10-07:00",
            "2022-06-14T11:58:60-07:00",
            "2024-02-29T00:00:00Z",
        ),
        *(
            "2022-06-14T11:58:10-07:00\n",
            "2022-06-14t11:58:10z",
            "2022-06-14T11:58:10-15:00",
            "２022-06-14T11:58:10Z",
        ),
        *(
            "https://a/",
            "http://a.b:80/c?d=%20&e",
            "https://a/ b",
            "https://a/%zz",
            "/a",
            "a:b",
            "https://a\n",
            "//a/b",
        ),
        *("https://é/", "https://a/?q=é", "HTTPS://A/", "https://", "https:///a", "https://a:123456/"),
    ]
)


def accepted(name: str, value: Any) -> bool:
    return acceptor(SERVICE_SCHEMAS, name)(value)


@pytest.mark.parametrize("name", ["referral-credit", "referral-credit-page", "error-detail"])
def test_what_is_good_is_accepted_at_once(name: str) -> None:
    assert accepted(name, GOOD[name])


@pytest.mark.parametrize("name", GOOD)
@settings(deadline=None, max_examples=examples(400))
@given(data=st.data())
def test_what_is_accepted_is_valid(name: str, data: st.DataObject) -> None:
    value = copy.deepcopy(GOOD[name])
    target = value
    if name == "referral-credit-page" and data.draw(st.booleans()):
        target = value["results"][data.draw(st.integers(0, 1))]
    for field in data.draw(st.lists(st.sampled_from([*target, "other"]), max_size=3)):
        if data.draw(st.booleans()):
            target.pop(field, None)
        else:
            target[field] = data.draw(VALUES)
    assert not accepted(name, value) or SERVICE_SCHEMAS.validator(name).is_valid(value)


@pytest.mark.parametrize("name", GOOD)
@settings(deadline=None)
@given(value=VALUES)
def test_another_document_is_not_accepted_unless_it_is_valid(name: str, value: Any) -> None:
    assert not accepted(name, value) or SERVICE_SCHEMAS.validator(name).is_valid(value)


def test_a_keyword_that_is_not_known_refuses_everything() -> None:
    document = {"$id": "https://example.com/odd", "type": "object", "maxProperties": 3}
    assert not acceptor(Schemas(documents={"odd": document}), "odd")({})
