"""The contract as data: its rows, rules and schemas fit together."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.contract.model import Endpoint, Mark
from mock_webshare.contract.rules import RULES
from mock_webshare.contract.schemas import SERVICE_SCHEMAS, data_path
from mock_webshare.errors import UnknownName

KNOWN = {rule.id for rule in RULES}


def named_by_rows() -> set[str]:
    """Return the ids of all rules that an endpoint, a filter or a page limit names."""
    return {rule for endpoint in WEBSHARE.endpoints for rule in endpoint.all_rules}


def test_every_rule_is_named_by_a_row_and_every_name_is_a_rule() -> None:
    assert named_by_rows() == KNOWN


@pytest.mark.parametrize("name", SERVICE_SCHEMAS.names)
def test_every_rule_that_a_schema_names_is_one(name: str) -> None:
    text = SERVICE_SCHEMAS.text(name)
    named = set(re.findall(r'"x-rule": "([^"]+)"', text))
    assert named
    assert named <= KNOWN


def test_only_what_is_assumed_or_a_limit_has_a_setting() -> None:
    assert all(
        rule.setting for rule in RULES if rule.id in ("list.page-size-limit", "order.default", "limit.rate")
    )
    assert {rule.mark for rule in RULES if rule.setting} <= {
        Mark.ASSUMED,
        Mark.DOCUMENTED,
    }


@pytest.mark.parametrize("endpoint", WEBSHARE.endpoints, ids=lambda endpoint: endpoint.path)
def test_every_schema_of_an_endpoint_exists(endpoint: Endpoint) -> None:
    names = {endpoint.schema, *dict(endpoint.errors).values()}
    assert names <= set(SERVICE_SCHEMAS.names)


@pytest.mark.parametrize("endpoint", WEBSHARE.endpoints, ids=lambda endpoint: endpoint.path)
def test_filters_and_orderings_are_fields_of_the_object(endpoint: Endpoint) -> None:
    assert {each.name for each in endpoint.filters} | set(endpoint.orderings) <= {
        field.name for field in WEBSHARE.fields[endpoint.resource]
    }


def test_the_fields_of_a_credit_are_those_of_the_schema_in_its_order() -> None:
    assert tuple(SERVICE_SCHEMAS.document("referral-credit")["properties"]) == tuple(
        field.name for field in WEBSHARE.served[CREDIT_LIST.path]
    )


@pytest.mark.parametrize("name", SERVICE_SCHEMAS.names)
def test_a_schema_is_printed_as_its_file(name: str) -> None:
    path = data_path("schemas") / f"{name}.schema.json"
    assert SERVICE_SCHEMAS.text(name) == Path(path).read_text(encoding="utf-8")
    assert SERVICE_SCHEMAS.document(name) == json.loads(SERVICE_SCHEMAS.text(name))


def test_a_schema_that_does_not_exist_lists_those_that_do() -> None:
    with pytest.raises(UnknownName, match=r"error-detail, .*, referral-credit, "):
        SERVICE_SCHEMAS.text("credit")


@pytest.mark.parametrize("date", ["2022-06-14T11:58:10Z\n", "2022-02-30T11:58:10Z", "2022-06-14"])
def test_formats_are_really_checked(date: str) -> None:
    example = {
        name: each["examples"][0]
        for name, each in SERVICE_SCHEMAS.document("referral-credit")["properties"].items()
    }
    assert SERVICE_SCHEMAS.validator("referral-credit").is_valid(example)
    assert not SERVICE_SCHEMAS.validator("referral-credit").is_valid(example | {"created_at": date})
