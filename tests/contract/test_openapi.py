"""The OpenAPI document of the mocked API: valid, complete, and good enough to make a client of."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mock_webshare import MockServer, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.contract.openapi import document
from tests.cli import Run
from tests.made_up import MADE_UP
from tests.waiting import PATIENCE

PROGRAM = """
import sys
from client import AuthenticatedClient
from client.api.credits_ import referral_list_credits

client = AuthenticatedClient(base_url=sys.argv[1], token="key", prefix="Token")
page = referral_list_credits.sync(client=client, page_size=3)
print(page.count, len(page.results), page.results[0].id)
"""


@pytest.mark.parametrize("contract", [WEBSHARE, MADE_UP], ids=["webshare", "made-up"])
def test_the_document_is_valid(contract: Contract) -> None:
    assert list(OpenAPIV31SpecValidator(document(contract)).iter_errors()) == []


def test_each_method_of_each_endpoint_is_described() -> None:
    for endpoint in WEBSHARE.endpoints:
        described = {method.upper() for method in document()["paths"][endpoint.path]}
        assert described | {"HEAD", "OPTIONS"} == set(endpoint.methods)


def test_each_operation_is_called_as_in_the_vendor_s_client() -> None:
    names = {each.name.replace(".", "_") for each in WEBSHARE.operations}
    found = {each["operationId"] for path in document()["paths"].values() for each in path.values()}
    assert found <= names and len(found) == 11


def test_the_rules_have_their_marks() -> None:
    rules = document()["paths"]["/api/v2/referral/config/"]["patch"]["x-rules"]
    assert {"id": "config.payout", "mark": "D"}.items() <= next(
        each for each in rules if each["id"] == "config.payout"
    ).items()


def test_the_rules_of_an_operation_are_all_that_are_about_it() -> None:
    rules = document()["paths"][CREDIT_LIST.path]["get"]["x-rules"]
    about_filters = {rule for each in CREDIT_LIST.filters for rule in each.rules}
    assert CREDIT_LIST.paging
    assert {each["id"] for each in rules} == {*CREDIT_LIST.rules, *CREDIT_LIST.paging.rules, *about_filters}


def test_the_command_prints_it() -> None:
    run = Run("openapi")
    assert (run.code, json.loads(run.out)) == (0, document())


@pytest.mark.exhaustive
def test_a_generated_client_lists_credits(tmp_path: Path) -> None:
    pytest.importorskip("openapi_python_client", reason="the extra `ci` installs openapi-python-client")
    (tmp_path / "service.json").write_text(json.dumps(document()), encoding="utf-8")
    arguments = [
        "--path",
        str(tmp_path / "service.json"),
        "--meta",
        "none",
        "--output-path",
        str(tmp_path / "client"),
    ]
    generate = "from openapi_python_client.cli import app; app()"
    made = [sys.executable, "-c", generate, "generate", *arguments]
    subprocess.run(made, check=True, capture_output=True, timeout=PATIENCE)
    with MockServer(Settings(port=0)) as server:
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, server.url],
            cwd=tmp_path, check=True, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
    assert ran.stdout.split()[:2] == ["100", "3"]
