"""A body of another kind than the one due is one finding, not one for each field that it lacks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Finding
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge

ORIGIN = "https://proxy.webshare.io/api/v2/referral"
ALLOW = {endpoint.path: ", ".join(endpoint.methods) for endpoint in WEBSHARE.endpoints}


def example(schema: str, index: int = 0) -> Any:
    return SERVICE_SCHEMAS.document(schema)["examples"][index]


CREDIT, EARNOUT = example("referral-credit"), example("referral-earnout")
CHANNEL, CONFIG = example("referral-channel-list", 1)[0], example("referral-config")
ERROR, FIELD_ERRORS = {"detail": "Invalid token."}, {"mode": [{"message": "Wrong.", "code": "invalid"}]}


def page(*rows: Any) -> dict[str, Any]:
    return {"count": len(rows), "next": None, "previous": None, "results": list(rows)}


def found(target: str, body: Any, status: int = 200) -> list[Finding]:
    exchange = Exchange(
        source="live.ndjson",
        entry=0,
        method="GET",
        url=ORIGIN + target,
        status=status,
        headers=(("Content-Type", "application/json"), ("Allow", ALLOW[CREDIT_LIST.path])),
        body=json.dumps(body, separators=(",", ":")).encode(),
    )
    return list(judge([exchange], Options(unknown_fields="report")).findings)


OTHER_KINDS = [
    ("/credit/", ERROR, "list.envelope", "error-detail"),
    ("/credit/", FIELD_ERRORS, "list.envelope", "field-errors"),
    ("/credit/", CREDIT, "list.envelope", "referral-credit"),
    ("/credit/", CONFIG, "list.envelope", "referral-config"),
    ("/credit/", [CREDIT, CREDIT], "list.envelope", "array"),
    ("/credit/", [], "list.envelope", "array"),
    ("/credit/", "ok", "list.envelope", "string"),
    ("/credit/", 7, "list.envelope", "integer"),
    ("/credit/", 7.5, "list.envelope", "number"),
    ("/credit/", True, "list.envelope", "boolean"),
    ("/credit/", None, "list.envelope", "null"),
    ("/credit/", {}, "list.envelope", "object"),
    ("/credit/", {"error": "boom", "trace": [1]}, "list.envelope", "object"),
    ("/credit/7/", ERROR, "object.fields", "error-detail"),
    ("/credit/7/", ERROR | {"code": "2fa_needed"}, "object.fields", "error-detail"),
    ("/credit/7/", page(CREDIT), "object.fields", "referral-credit-page"),
    ("/credit/7/", [CREDIT], "object.fields", "array"),
    ("/credit/7/", EARNOUT, "object.fields", "referral-earnout"),
    ("/credit/7/", CONFIG, "object.fields", "referral-config"),
    ("/credit/7/", CHANNEL, "object.fields", "referral-channel"),
    ("/credit/7/", {"message": "Internal error"}, "object.fields", "object"),
    ("/config/", ERROR, "object.fields", "error-detail"),
    ("/config/", CREDIT, "object.fields", "referral-credit"),
    ("/channel/", page(CREDIT), "channel.array", "object"),
    ("/channel/", ERROR, "channel.array", "object"),
    ("/earnout/5/", CREDIT, "object.fields", "referral-credit"),
    ("/code/info/?referral_code=a", ERROR, "object.fields", "error-detail"),
    ("/coupon-code/", ERROR | {"code": "x"}, "coupon.null", "error-detail"),
]
ROWS_OF_ANOTHER_KIND = [
    ("/credit/", page(EARNOUT, EARNOUT), "object.fields", "/results", "referral-earnout"),
    ("/credit/", page(CHANNEL), "object.fields", "/results", "referral-channel"),
    ("/credit/", page(CONFIG), "object.fields", "/results", "referral-config"),
    ("/earnout/", page(CREDIT, CREDIT), "object.fields", "/results", "referral-credit"),
    ("/channel/", [CREDIT], "object.fields", "", "referral-credit"),
]


@pytest.mark.parametrize(("target", "body", "rule", "kind"), OTHER_KINDS)
def test_a_body_of_another_kind_is_one_finding(target: str, body: Any, rule: str, kind: str) -> None:
    (finding,) = (each for each in found(target, body) if each.rule != "wire.allow")
    assert (finding.rule, finding.check, finding.actual) == (rule, "kind", kind)
    assert (finding.level, finding.place.pointer) == ("error", "")


@pytest.mark.parametrize(("target", "body", "rule", "pointer", "kind"), ROWS_OF_ANOTHER_KIND)
def test_rows_of_another_kind_are_one_finding(
    target: str, body: Any, rule: str, pointer: str, kind: str
) -> None:
    (finding,) = (each for each in found(target, body) if each.rule != "wire.allow")
    assert (finding.rule, finding.check, finding.actual) == (rule, "kind", kind)
    assert finding.place.pointer == pointer


def test_the_headers_of_a_body_of_another_kind_are_judged() -> None:
    assert {each.rule for each in found("/config/", ERROR)} == {"object.fields", "wire.allow"}


@pytest.mark.parametrize("body", [CREDIT, page(CREDIT), [CREDIT]])
def test_an_error_whose_body_is_not_one_is_one_finding(body: Any) -> None:
    (finding,) = found("/credit/?page=9", body, status=404)
    assert (finding.rule, finding.check) == ("error.detail", "kind")


@pytest.mark.parametrize(
    ("target", "body", "missing"),
    [
        ("/credit/7/", {"user_id": 1, "detail": "a new field"}, 7),
        ("/credit/7/", CREDIT | {"next": None, "results": []}, 0),
        ("/credit/", {"results": [], "detail": "a new field"}, 3),
        ("/credit/", page(CREDIT, EARNOUT), 4),
        ("/earnout/", page(), 0),
        ("/earnout/", page({"id": 1, "error_reason": None}), 6),
    ],
)
def test_a_broken_body_of_the_due_kind_is_judged_field_by_field(target: str, body: Any, missing: int) -> None:
    findings = found(target, body)
    assert not any(each.check == "kind" for each in findings)
    assert sum(each.check == "required" and each.rule != "wire.allow" for each in findings) == missing
