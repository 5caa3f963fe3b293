"""The schemas: sound in themselves, described field by field, and firm about the null rules."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from mock_webshare.contract.endpoints import MODES, STATUSES
from mock_webshare.contract.model import Mark
from mock_webshare.contract.rules import RULES
from mock_webshare.contract.schemas import SERVICE_SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = SERVICE_SCHEMAS.names

CREDIT = {
    "id": 1,
    "user_id": 2,
    "mode": "credits",
    "amount": 2.5,
    "status": "available",
    "referral_channel": None,
    "referral_channel_code": None,
    "created_at": "2022-06-14T11:58:10.246406-07:00",
    "updated_at": "2022-06-14T11:58:10.246406-07:00",
    "reverted_at": None,
}
DATE = "2022-06-20T09:30:00-07:00"


def subschemas(schema: Any, keyword: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each schema within a schema that can fail, with the keyword that contains it."""
    if keyword in ("if", "not", "examples"):
        return
    if isinstance(schema, dict):
        yield keyword, schema
        for key, value in schema.items():
            yield from subschemas(value, key)
    elif isinstance(schema, list):
        for value in schema:
            yield from subschemas(value, keyword)


def fields() -> Iterator[Any]:
    """Yield every described field of every schema."""
    for name in NAMES:
        for _, schema in subschemas(SERVICE_SCHEMAS.document(name)):
            for field, description in schema.get("properties", {}).items():
                if "$ref" not in description:
                    yield pytest.param(description, id=f"{name}-{field}")


def assertions() -> Iterator[Any]:
    """Yield every schema that says something that a body may break."""
    keywords = {"type", "enum", "const", "format", "required", "minimum", "minItems", "minProperties", "not"}
    for name in NAMES:
        for place, schema in subschemas(SERVICE_SCHEMAS.document(name)):
            if place != "properties" and keywords & schema.keys():
                yield pytest.param(schema, id=f"{name}-{place}")


def is_valid(name: str, value: Any) -> bool:
    return SERVICE_SCHEMAS.validator(name).is_valid(value)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_keeps_its_own_metaschema(name: str) -> None:
    Draft202012Validator.check_schema(SERVICE_SCHEMAS.document(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_says_what_it_is(name: str) -> None:
    schema = SERVICE_SCHEMAS.document(name)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"https://mock-webshare.example/schemas/{name}.schema.json"
    assert schema["title"] and schema["description"] and schema["examples"]


@pytest.mark.parametrize("field", list(fields()))
def test_a_field_is_described(field: dict[str, Any]) -> None:
    assert {"type", "description", "examples", "x-provenance", "x-rule"} <= field.keys()


@pytest.mark.parametrize("schema", list(assertions()))
def test_whatever_can_be_broken_names_its_rule_and_mark(schema: dict[str, Any]) -> None:
    assert Mark(schema["x-provenance"])
    assert schema["x-rule"] in {rule.id for rule in RULES}


@pytest.mark.parametrize("name", NAMES)
def test_every_example_of_a_schema_is_valid(name: str) -> None:
    validator = SERVICE_SCHEMAS.validator(name)
    for _, schema in subschemas(SERVICE_SCHEMAS.document(name)):
        for example in schema.get("examples", ()):
            assert list(validator.evolve(schema=schema).iter_errors(example)) == []


def test_references_are_resolved_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a schema was looked for on the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    page = {"count": 1, "next": None, "previous": None, "results": [CREDIT]}
    assert is_valid("referral-credit-page", page)
    assert not is_valid("referral-credit-page", page | {"results": [CREDIT | {"id": "1"}]})


FORMAT_EXTRA = (
    "fqdn",
    "isoduration",
    "jsonpointer",
    "lark",
    "rfc3987",
    "rfc3987_syntax",
    "uri_template",
    "webcolors",
)
"""What jsonschema's `format` extra brings besides the two packages that we depend on."""
FORMATS_PROGRAM = f"""
import sys
sys.modules.update(dict.fromkeys({FORMAT_EXTRA}))  # None: an import of it fails, as where it is not installed
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
page = {{"count": 0, "next": None, "previous": None, "results": []}}
credit = SERVICE_SCHEMAS.document("referral-credit")["examples"][0]
is_valid = SERVICE_SCHEMAS.validator("referral-credit-page").is_valid
print([
    is_valid(page | {{"next": "https://proxy.webshare.io/?page=2", "results": [credit]}}),
    is_valid(page | {{"next": "no URI"}}),
    is_valid(page | {{"results": [credit | {{"created_at": "2022-02-30T00:00:00-08:00"}}]}}),
])
"""


def test_formats_are_checked_without_the_format_extra() -> None:
    used = {
        schema["format"]
        for name in NAMES
        for _, schema in subschemas(SERVICE_SCHEMAS.document(name))
        if "format" in schema
    }
    assert used == {"date-time", "uri"}
    program = [sys.executable, "-c", FORMATS_PROGRAM]
    assert (
        subprocess.run(program, capture_output=True, text=True, check=True).stdout == "[True, False, False]\n"
    )


def test_the_credit_lists_what_the_contract_lists() -> None:
    properties = SERVICE_SCHEMAS.document("referral-credit")["properties"]
    assert properties["mode"]["enum"] == list(MODES)
    assert properties["status"]["enum"] == list(STATUSES)


def test_an_unknown_field_is_welcome() -> None:
    assert is_valid("referral-credit", CREDIT | {"currency": "USD"})


@pytest.mark.parametrize("field", CREDIT)
def test_every_documented_field_of_a_credit_is_required(field: str) -> None:
    assert not is_valid("referral-credit", {key: value for key, value in CREDIT.items() if key != field})


@pytest.mark.parametrize(
    ("status", "reverted_at", "expected"),
    [
        ("pending", None, True),
        ("available", None, True),
        ("reverted", DATE, True),
        ("pending", DATE, False),
        ("available", DATE, False),
        ("reverted", None, False),
    ],
)
def test_reverted_at_is_null_exactly_when_not_reverted(
    status: str, reverted_at: str | None, expected: bool
) -> None:
    assert is_valid("referral-credit", CREDIT | {"status": status, "reverted_at": reverted_at}) is expected


@pytest.mark.parametrize(
    ("channel", "code", "expected"),
    [(None, None, True), (3, "SUMMER20", True), (3, None, False), (None, "SUMMER20", False)],
)
def test_channel_and_code_are_null_together(channel: int | None, code: str | None, expected: bool) -> None:
    credit = CREDIT | {"referral_channel": channel, "referral_channel_code": code}
    assert is_valid("referral-credit", credit) is expected


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2022-06-14T11:58:10.246406-07:00", True),
        ("2022-11-20T08:15:00-08:00", True),
        ("2024-02-29T00:00:00-08:00", True),
        ("2022-02-29T00:00:00-08:00", False),
        ("2022-02-30T00:00:00-08:00", False),
        ("2022-13-01T00:00:00-08:00", False),
        ("2022-06-14T24:00:00-07:00", False),
        ("2022-06-14 11:58:10", False),
        ("2022-06-14 11:58:10-07:00", False),
        ("2022-06-14T11:58:10", False),
        ("2022-06-14", False),
        ("", False),
        (1655233090, False),
    ],
)
@pytest.mark.parametrize("field", ["created_at", "updated_at", "reverted_at"])
def test_a_date_is_a_real_moment_with_an_offset(field: str, date: str | int, expected: bool) -> None:
    credit = CREDIT | {"status": "reverted", "reverted_at": DATE}
    assert is_valid("referral-credit", credit | {field: date}) is expected


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("id", 1.0, True),
        ("id", True, False),
        ("id", 1.5, False),
        ("amount", 3, True),
        ("amount", "2.50", False),
        ("amount", True, False),
        ("mode", "credit", False),
        ("status", "Pending", False),
        ("status", None, False),
    ],
)
def test_a_field_of_a_credit_has_its_type(field: str, value: Any, expected: bool) -> None:
    assert is_valid("referral-credit", CREDIT | {field: value}) is expected


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", -1),
        ("count", None),
        ("next", "/api/v2/referral/credit/?page=2"),
        ("next", ""),
        ("previous", False),
        ("results", None),
        ("results", {}),
    ],
)
def test_a_page_refuses(field: str, value: Any) -> None:
    page: dict[str, Any] = {"count": 0, "next": None, "previous": None, "results": []}
    assert is_valid("referral-credit-page", page)
    assert not is_valid("referral-credit-page", page | {field: value})


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"mode": [{"message": "No.", "code": "invalid"}]}, True),
        ({"mode": ["No.", "Never."]}, True),
        ({"mode": [{"message": "No.", "code": "invalid"}], "status": ["No."]}, True),
        ({"mode": ["No.", {"message": "No.", "code": "invalid"}]}, False),
        ({"mode": [{"message": "No.", "code": "invalid"}, "No."]}, False),
        ({"mode": [{"message": "No."}]}, False),
        ({"mode": "No."}, False),
        ({"mode": []}, False),
        ({}, False),
    ],
)
def test_field_errors_are_objects_or_strings_but_not_both(body: dict[str, Any], expected: bool) -> None:
    assert is_valid("field-errors", body) is expected
