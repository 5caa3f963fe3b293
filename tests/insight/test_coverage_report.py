"""The reports of coverage: text of one screen, and JSON that its schema describes."""

from __future__ import annotations

import json

import pytest

from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.contract.schemas import OWN_SCHEMAS
from mock_webshare.errors import UsageError
from mock_webshare.insight.coverage import Counts, Row, rows_of
from mock_webshare.insight.coverage_report import lines, percent, require_percent, shortfall, text
from mock_webshare.service.faults import ACTIONS
from tests.made_up import MADE_UP

ROWS = list(rows_of(WEBSHARE, ACTIONS))


def counts(covered: int, total: int = 10) -> Counts:
    return {Row("/a/", "status", str(number)): int(number < covered) for number in range(total)}


@pytest.mark.parametrize(
    ("covered", "total", "expected"),
    [(0, 3, 0), (1, 3, 33), (2, 3, 66), (3, 3, 100), (251, 252, 99), (0, 0, 100)],
)
def test_a_percentage_is_rounded_down(covered: int, total: int, expected: int) -> None:
    assert percent(counts(covered, total)) == expected


@pytest.mark.parametrize("text", ["", "-1", "101", "5%", "1e1", "50.0", "²", "9" * 5000, " 5"])
def test_a_minimum_is_a_whole_number_of_per_cent(text: str) -> None:
    with pytest.raises(UsageError, match="allowed: a whole number from 0 to 100"):
        require_percent("--coverage-fail-under", text)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("007", 7), ("100", 100)])
def test_a_minimum_is_parsed(text: str, value: int) -> None:
    assert require_percent("--coverage-fail-under", text) == value


def test_a_shortfall_is_a_sentence() -> None:
    assert shortfall(counts(4), 40) == ""
    assert shortfall(counts(4), 41) == "the coverage is 40 %, and at least 41 % is required"


@pytest.mark.parametrize("contract", [WEBSHARE, MADE_UP])
@pytest.mark.parametrize("step", [1, 2, 3, 5, 17, 1000])
def test_the_text_fits_on_a_screen(contract: Contract, step: int) -> None:
    found = {row: int(index % step == 0) for index, row in enumerate(rows_of(contract, ACTIONS))}
    shown = list(lines(found))
    assert len(shown) <= 23
    assert max(map(len, shown)) <= 79


def test_the_text_has_the_least_covered_endpoint_first_and_what_is_missing() -> None:
    found = {
        Row("/a/", "method", "GET"): 1,
        Row("/b/", "method", "GET"): 2,
        Row("/b/", "method", "PATCH"): 0,
        Row("/b/", "status", "404 row"): 0,
        Row("/b/", "status", "429"): 0,
        Row("/c/", "method", "GET"): 0,
    }
    assert list(lines(found)) == [
        "coverage of the contract: 33 % (2 of 6)",
        "  0 %  /c/ (0 of 1), none of it requested",
        " 25 %  /b/ (1 of 4)",
        "       method PATCH; status 404 row, 429",
        "100 %  /a/ (1 of 1)",
    ]


def test_what_does_not_fit_is_left_out_visibly() -> None:
    found = {row: int(row.value == "GET") for row in ROWS}
    *shown, last = lines(found)
    assert sum(line.endswith(" ...") for line in shown) == len(WEBSHARE.endpoints)
    assert last == "...: the rest is in --coverage-file FILE, in pytest --webshare-coverage-file"


@pytest.mark.parametrize("covered", [0, 1, 2, 5, 9, 10])
def test_what_fits_needs_no_file(covered: int) -> None:
    assert not [line for line in lines(counts(covered)) if "--coverage-file" in line]


@pytest.mark.parametrize("covered", [0, 1, 252])
def test_the_json_keeps_its_schema(covered: int) -> None:
    found = {row: 3 * (index < covered) for index, row in enumerate(ROWS)}
    document = json.loads(text(found))
    OWN_SCHEMAS.validator("coverage").validate(document)
    assert (document["covered"], document["total"], len(document["rows"])) == (covered, len(ROWS), len(ROWS))
    assert document["rows"][0] == {
        "endpoint": CREDIT_LIST.path, "aspect": "method", "value": "GET", "count": 3 if covered else 0
    }  # fmt: skip
