"""The judge on the other objects of the referral family: each defect is found, clean responses are clean."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from mock_webshare import MockServer, MockWorld
from mock_webshare.contract.endpoints import (
    CHANNEL_LIST,
    CODE_INFO,
    CONFIG,
    COUPON_CODE,
    EARNOUT_DETAIL,
    EARNOUT_LIST,
    WEBSHARE,
)
from mock_webshare.contract.model import Endpoint, Kind
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from tests import recorded_session as sessions

FAMILY = (CONFIG, CHANNEL_LIST, EARNOUT_LIST, EARNOUT_DETAIL, CODE_INFO, COUPON_CODE)
UNKNOWN_CODE = "unknown code"
WARNING, NOTE = Level.WARNING, Level.NOTE
EARLY, LATE, SMALL = "2001-07-04T16:00:00-07:00", "2097-07-04T16:00:00-07:00", "2020-07-04t16:00:00-07:00"


class Defect(NamedTuple):
    """A change of a row, or of the whole response, and where it must be found."""

    endpoint: Endpoint
    name: str
    change: Callable[[Any], Any]
    """Changes the row; what it returns, unless None, replaces the whole body."""
    rule: str
    field: str = ""
    level: Level = Level.ERROR


def _set(**fields: Any) -> Callable[[Any], Any]:
    return lambda row: row.update(fields)


def _without(name: str) -> Callable[[Any], Any]:
    def change(row: Any) -> None:
        del row[name]

    return change


def _reversed(row: Any) -> None:
    fields = list(row.items())[::-1]
    row.clear()
    row.update(fields)


def _of_each_field(endpoint: Endpoint) -> Iterator[Defect]:
    schema = SERVICE_SCHEMAS.document(WEBSHARE.row_schema(endpoint))
    for name, each in schema["properties"].items():
        if name in schema["required"]:
            yield Defect(endpoint, f"without {name}", _without(name), schema["x-rule"], name)
        level = Level.WARNING if each["x-provenance"] == "O" else Level.ERROR
        yield Defect(endpoint, f"{name} is a list", _set(**{name: [1]}), each["x-rule"], name, level)
    yield Defect(endpoint, "a new field", _set(tier="gold"), "object.new-fields", "tier", Level.INFO)
    yield Defect(endpoint, "another order", _reversed, "object.fields", "", Level.WARNING)


OF_FIELDS = [defect for endpoint in FAMILY for defect in _of_each_field(endpoint)]
DEFECTS = [
    Defect(
        CONFIG,
        "payout without e-mail",
        _set(paypal_payout_email=None),
        "config.payout",
        "paypal_payout_email",
    ),
    Defect(CONFIG, "unknown mode", _set(mode="credit"), "config.payout", "mode"),
    Defect(
        CONFIG,
        "ratio as a string",
        _set(referral_credit_ratio="0.2"),
        "object.fields",
        "referral_credit_ratio",
    ),
    Defect(
        CONFIG,
        "days as a number",
        _set(referral_payment_pending_days=30),
        "object.fields",
        "referral_payment_pending_days",
    ),
    Defect(
        CONFIG, "rate as a string", _set(initial_rate="0.20"), "config.terms", "initial_rate", Level.WARNING
    ),
    Defect(CONFIG, "another promo value", _set(promo_value=15), "object.fields", "promo_value"),
    Defect(
        CONFIG,
        "a date in another zone",
        _set(created_at="2024-07-04T16:00:00Z"),
        "object.dates",
        "created_at",
    ),
    Defect(
        CONFIG,
        "whole earnings",
        _set(credits_earned=12),
        "object.amount-form",
        "credits_earned",
        Level.WARNING,
    ),
    Defect(
        CONFIG,
        "updated before it was created",
        _set(updated_at=EARLY),
        "object.date-order",
        "updated_at",
        WARNING,
    ),
    Defect(
        CONFIG, "updated in the future", _set(updated_at=LATE), "object.past-dates", "updated_at", WARNING
    ),
    Defect(
        CONFIG,
        "earned more",
        _set(total_payouts_earned=0.0, payouts_earned=1.5),
        "config.totals",
        "payouts_earned",
    ),
    Defect(CONFIG, "credits beyond", _set(credits_earned=1e6), "config.totals", "credits_earned"),
    Defect(
        CONFIG,
        "paid before",
        _set(next_earn_out_date=EARLY),
        "config.earn-out-date",
        "next_earn_out_date",
        NOTE,
    ),
    Defect(CHANNEL_LIST, "ends early", _set(end_date=EARLY), "channel.dates", "end_date", NOTE),
    Defect(
        CHANNEL_LIST,
        "created in the future",
        _set(created_at=LATE),
        "object.past-dates",
        "created_at",
        WARNING,
    ),
    Defect(
        EARNOUT_LIST, "updated too early", _set(updated_at=EARLY), "object.date-order", "updated_at", WARNING
    ),
    Defect(
        EARNOUT_DETAIL,
        "created in the future",
        _set(created_at=LATE),
        "object.past-dates",
        "created_at",
        WARNING,
    ),
    Defect(EARNOUT_LIST, "small letters", _set(created_at=SMALL), "object.dates", "created_at", WARNING),
    Defect(CHANNEL_LIST, "no description", _set(description=None), "object.fields", "description"),
    Defect(CHANNEL_LIST, "value as a number", _set(promo_value=0.2), "channel.decimals", "promo_value"),
    Defect(
        CHANNEL_LIST,
        "cap without cents",
        _set(max_earnings_per_referred="100"),
        "channel.decimals",
        "max_earnings_per_referred",
    ),
    Defect(CHANNEL_LIST, "unknown promo", _set(promo_type="gift"), "object.fields", "promo_type"),
    Defect(CHANNEL_LIST, "negative uses", _set(total_uses=-1), "object.fields", "total_uses"),
    Defect(CHANNEL_LIST, "an envelope", lambda row: {"count": 1, "results": [row]}, "channel.array"),
    Defect(EARNOUT_LIST, "unknown status", _set(status="paid"), "earnout.status", "status"),
    Defect(
        EARNOUT_LIST,
        "an e-mail for credits",
        _set(mode="credits", paypal_payout_email="a@b.c"),
        "earnout.mode",
        "paypal_payout_email",
    ),
    Defect(
        EARNOUT_DETAIL,
        "failed without a reason",
        _set(status="failed", error_reason=None),
        "earnout.error",
        "error_reason",
    ),
    Defect(
        EARNOUT_DETAIL,
        "completed with a reason",
        _set(status="completed", error_reason="x"),
        "earnout.error",
        "error_reason",
    ),
    Defect(EARNOUT_DETAIL, "another id", _set(id=7), "detail.id", "id"),
    Defect(EARNOUT_DETAIL, "amount as a string", _set(amount="13.44"), "object.fields", "amount"),
    Defect(CODE_INFO, "value as a string", _set(promo_value="10"), "object.fields", "promo_value"),
    Defect(CODE_INFO, "unknown promo", _set(promo_type="percent_off"), "object.fields", "promo_type"),
    Defect(COUPON_CODE, "fields without a code", _set(code=None), "coupon.null", "description"),
    Defect(COUPON_CODE, "a code without fields", _set(promo_type=None), "coupon.null", "promo_type"),
    Defect(COUPON_CODE, "value as a number", _set(promo_value=0.2), "coupon.null", "promo_value"),
]
OF_EXCHANGES: list[tuple[str, Endpoint, dict[str, Any], str, Level]] = [
    ("an array descends", CHANNEL_LIST, {"is_reversed": True}, "channel.array", Level.ERROR),
    ("applying is 201", COUPON_CODE, {"method": "POST", "status": 201}, "coupon.apply", Level.NOTE),
    (
        "JSON is 415",
        COUPON_CODE,
        {"method": "POST", "status": 415, "body": b'{"detail":"No."}'},
        "body.types",
        Level.WARNING,
    ),
    (
        "an unknown code has other words",
        CODE_INFO,
        {"status": 404, "body": b'{"detail":"No."}'},
        "code.unknown",
        Level.WARNING,
    ),
    (
        "a lookup needs no key",
        CODE_INFO,
        {"status": 401, "body": b'{"detail":"Invalid token."}'},
        "route.order",
        Level.WARNING,
    ),
    (
        "a write is 405",
        CONFIG,
        {"method": "PATCH", "status": 405, "body": b'{"detail":"Method \\"PATCH\\" not allowed."}'},
        "route.methods",
        Level.ERROR,
    ),
]
PROVED = {each.rule for each in DEFECTS} | {each[3] for each in OF_EXCHANGES}


@pytest.fixture(scope="module")
def responses() -> Iterator[dict[str, Exchange]]:
    """Return a clean response of each endpoint by its path."""
    with MockServer() as server:
        world = server.world("session")
        world.change("applied_coupon", coupon=world.rows("coupons")[0]["id"])
        yield {each.path: sessions.exchange(server.url, _target(world, each)) for each in FAMILY}


def _target(world: MockWorld, endpoint: Endpoint) -> str:
    query = f"?referral_code={world.row('config')['referral_code']}" if endpoint.lookup else ""
    return endpoint.path.format(id=world.rows("earnouts")[0]["id"]) + query


def found(exchange: Exchange) -> list[tuple[str, str, Level]]:
    findings = judge(iter([exchange]), Options()).findings
    return [(each.rule, each.place.pointer, each.level) for each in findings]


def with_body(exchange: Exchange, body: Any) -> Exchange:
    return replace(exchange, body=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


@pytest.mark.parametrize("endpoint", FAMILY, ids=lambda each: each.schema)
def test_a_clean_response_is_clean(responses: dict[str, Exchange], endpoint: Endpoint) -> None:
    assert found(responses[endpoint.path]) == []


@pytest.mark.parametrize(
    "defect", [*OF_FIELDS, *DEFECTS], ids=lambda each: f"{each.endpoint.schema}-{each.name}"
)
def test_a_defect_is_found_where_it_is(responses: dict[str, Exchange], defect: Defect) -> None:
    body = json.loads(responses[defect.endpoint.path].body)
    row, keys = body, ""
    if defect.endpoint.kind is Kind.LIST:
        row, keys = body["results"][1], "/results/1"
    elif defect.endpoint.kind is Kind.ARRAY:
        row, keys = body[1], "/1"
    whole = defect.change(row)
    changed = with_body(responses[defect.endpoint.path], body if whole is None else whole)
    pointer = keys + (f"/{defect.field}" if defect.field else "") if whole is None else ""
    assert (defect.rule, pointer, defect.level) in found(changed)


@pytest.mark.parametrize("name", [each[0] for each in OF_EXCHANGES])
def test_a_defect_of_an_exchange_is_found(responses: dict[str, Exchange], name: str) -> None:
    _, endpoint, changes, rule, level = next(each for each in OF_EXCHANGES if each[0] == name)
    exchange, changes = responses[endpoint.path], dict(changes)
    if changes.pop("is_reversed", False):
        exchange = with_body(exchange, json.loads(exchange.body)[::-1])
    if changes.get("method"):
        assert exchange.request_headers
        sent = (("Content-Type", "application/json"),)
        changes["request_headers"] = (*exchange.request_headers, *sent)
    assert (rule, level) in [
        (found_rule, each) for found_rule, _, each in found(replace(exchange, **changes))
    ]


def test_each_object_has_ten_defects() -> None:
    for endpoint in FAMILY:
        assert sum(each.endpoint is endpoint for each in (*OF_FIELDS, *DEFECTS)) >= 10
