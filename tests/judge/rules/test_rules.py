"""Rules about a body: what is found in it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from mock_webshare.contract.model import Mark
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge import rules
from mock_webshare.judge.model.context import RuleContext
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.reports.messages import expected

if TYPE_CHECKING:
    from mock_webshare.judge.model.finding import Finding

CREDIT = SERVICE_SCHEMAS.document("referral-credit")["examples"][0]
PAGE = {"count": 2, "next": None, "previous": None, "results": [CREDIT, CREDIT]}


def findings(body: Any, schema: str | None) -> list[Finding]:
    exchange = Exchange(source="body.json")
    return list(rules.check(RuleContext(exchange=exchange, options=Options(), body=body, schema=schema)))


def places(body: Any, schema: str | None) -> list[tuple[str, str]]:
    return [(each.rule, each.place.pointer) for each in findings(body, schema)]


def test_a_good_credit_has_no_findings() -> None:
    assert findings(CREDIT, "referral-credit") == []


def test_an_unknown_field_is_reported_as_new() -> None:
    (finding,) = findings(CREDIT | {"currency": "USD"}, "referral-credit")
    assert (finding.rule, finding.level, finding.place.pointer) == (
        "object.new-fields",
        Level.INFO,
        "/currency",
    )


@pytest.mark.parametrize(
    ("body", "nearest"),
    [
        ({"secret": "x"}, []),
        ([], []),
        (3, []),
        ({"amount": 5, "status": "pending", "created_at": "x"}, ["referral-credit", "referral-earnout"]),
        ({"count": 5}, ["referral-credit-page", "referral-earnout-page"]),
        ([{"code": "A", "name": "x"}], ["referral-channel-list"]),
        ({"mode": "payout"}, ["referral-credit", "referral-config", "referral-earnout"]),
    ],
    ids=str,
)
def test_a_body_of_an_unknown_shape_is_reported_with_the_nearest_ones(body: Any, nearest: list[str]) -> None:
    (finding,) = findings(body, None)
    assert finding.rule == "body.shape"
    assert list(finding.expected)[: len(nearest)] == nearest and len(finding.expected) <= 3
    assert finding.actual is not None and "secret" not in finding.actual
    text = expected(finding)
    assert text is not None and text.startswith("a document that `mock-webshare schema` lists")
    assert len(text) < 300 and all(each in text for each in nearest)


def test_a_finding_carries_what_was_wanted_and_what_is_there() -> None:
    (finding,) = findings(CREDIT | {"amount": "2.50"}, "referral-credit")
    assert (finding.rule, finding.mark) == ("object.amount", Mark.DOCUMENTED)
    assert (finding.check, finding.expected, finding.actual) == ("type", "number", '"2.50"')
    assert (finding.place.source, finding.place.pointer) == ("body.json", "/amount")


@pytest.mark.parametrize(
    ("changes", "rule", "pointer"),
    [
        ({"status": "reverted"}, "object.reverted", "/reverted_at"),
        ({"reverted_at": "2022-06-20T09:30:00-07:00"}, "object.reverted", "/reverted_at"),
        ({"referral_channel": 3}, "object.channel", "/referral_channel_code"),
        ({"referral_channel_code": "SUMMER20"}, "object.channel", "/referral_channel_code"),
    ],
)
def test_a_broken_null_rule_is_one_finding_that_names_it(
    changes: dict[str, Any], rule: str, pointer: str
) -> None:
    assert places(CREDIT | changes, "referral-credit") == [(rule, pointer)]


def test_a_status_that_does_not_exist_is_one_finding() -> None:
    credit = CREDIT | {"status": "undone", "reverted_at": "2022-06-20T09:30:00-07:00"}
    assert places(credit, "referral-credit") == [("object.status", "/status")]


def test_each_missing_field_is_a_finding_at_the_place_where_it_is_missed() -> None:
    body = {key: value for key, value in CREDIT.items() if key not in ("id", "user_id")}
    found = findings(body, "referral-credit")
    assert [(each.place.pointer, each.check, each.actual) for each in found] == [
        ("/id", "required", None),
        ("/user_id", "required", None),
    ]


def test_each_broken_credit_of_a_page_is_found_in_order() -> None:
    broken = CREDIT | {"id": "1", "amount": "2"}
    page = PAGE | {"results": [CREDIT] * 2 + [broken] + [CREDIT] * 7 + [broken]}
    assert [pointer for _, pointer in places(page, "referral-credit-page")] == [
        "/results/2/amount",
        "/results/2/id",
        "/results/10/amount",
        "/results/10/id",
    ]


def test_the_mark_is_that_of_the_field() -> None:
    (finding,) = findings({"detail": "No.", "code": 1}, "error-detail")
    assert finding.mark is Mark.OBSERVED


def test_an_exact_decimal_is_a_number() -> None:
    assert findings(CREDIT | {"amount": Decimal("0.07")}, "referral-credit") == []


@pytest.mark.parametrize(
    ("value", "expected"), [("1.0", []), ("1E+2", []), ("1.5", ["/results/0/id", "/count"])]
)
def test_an_exact_decimal_without_a_fraction_is_an_integer(value: str, expected: list[str]) -> None:
    number = Decimal(value)
    page = PAGE | {"count": number, "results": [CREDIT | {"id": number}]}
    assert {pointer for _, pointer in places(page, "referral-credit-page")} == set(expected)


def test_the_alternative_that_fits_best_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {
        "x-rule": "object.fields",
        "x-provenance": "D",
        "anyOf": [{"type": "null"}, {"type": "object", "properties": {"id": {"type": "integer"}}}],
    }
    monkeypatch.setattr(SERVICE_SCHEMAS, "validator", lambda _: Draft202012Validator(schema))
    (finding,) = findings({"id": "x"}, "referral-credit")
    assert (finding.place.pointer, finding.check, finding.expected) == ("/id", "type", "integer")
    assert finding.rule == "object.fields"
