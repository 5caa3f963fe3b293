"""The reports of mutation testing: text, JSON that its schema describes, and JUnit."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.contract.schemas import OWN_SCHEMAS
from mock_webshare.insight.mutants import Result, Verdict, mutants_of
from mock_webshare.insight.mutation_report import FORMATS, Report, json_text, junit, text
from tests.made_up import MADE_UP

LIST = CREDIT_LIST.path
BY_ID = {mutant.id: mutant for mutant in mutants_of(WEBSHARE)}


def report(*verdicts: tuple[str, Verdict, int | None], is_interrupted: bool = False) -> Report:
    results = [Result(BY_ID[name], verdict, code, 1.25) for name, verdict, code in verdicts]
    return Report(results, 2.5, is_interrupted)


MIXED = report(
    (f"field.removed {LIST} user_id", Verdict.SURVIVED, 0),
    (f"field.removed {LIST} amount", Verdict.KILLED, 1),
    (f"field.null {LIST} user_id", Verdict.SURVIVED, 0),
    (f"field.null {LIST} amount", Verdict.SURVIVED, 0),
    (f"status.503 {LIST}", Verdict.TIMED_OUT, None),
    (f"page.unlinked {LIST}", Verdict.NOT_REACHED, 0),
    (f"once.503 {LIST}", Verdict.TOO_STRICT, 1),
    (f"field.added {LIST}", Verdict.PASSED, 0),
    ("status.401 /api/v2/referral/config/", Verdict.NOT_REACHED, None),
)
TEXT = """\
survived: every change of these fields. Your client does not read them, or no
test looks at what becomes of them. If it does not need them, this is as it
should be.
  /api/v2/referral/credit/  user_id
  as a fault: {"drift": "removed", "field": "user_id", "path": "/api/v2/referral/credit/"}

survived: field.null. A null where none is documented goes through, perhaps
into a sum or a database.
  /api/v2/referral/credit/  amount
  as a fault: {"drift": "null", "field": "amount", "path": "/api/v2/referral/credit/"}

too strict: once.503. One 503 makes the tests fail: your client does not try
again, or a test counts requests or waits.
  /api/v2/referral/credit/
  as a fault: {"status": 503, "form": "proxy", "method": "GET", "times": 1, \
"path": "/api/v2/referral/credit/"}

killed  timed out  survived  passed  too strict  not reached  endpoint
     1          1         3       1           1            1  /api/v2/referral/credit/
not reached: /api/v2/referral/config/

mutation score: 40 % (2 of 5 breaking mutants noticed)
"""


def test_the_text_has_what_is_not_as_it_should_be_and_the_score_at_its_end() -> None:
    assert text(MIXED) == TEXT


def test_a_text_without_problems_is_short() -> None:
    clean = report(
        (f"field.removed {LIST} amount", Verdict.KILLED, 1), (f"field.added {LIST}", Verdict.PASSED, 0)
    )
    assert text(clean).splitlines() == [
        "killed  passed  endpoint",
        "     1       1  /api/v2/referral/credit/",
        "",
        "mutation score: 100 % (1 of 1 breaking mutant noticed)",
    ]


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (report((f"page.short {LIST}", Verdict.NOT_RUN, None)), "not run: 1 mutant"),
        (
            report((f"page.short {LIST}", Verdict.NOT_RUN, None), is_interrupted=True),
            "interrupted: what follows is about the mutants that were run until then",
        ),
        (
            report((f"page.short {LIST}", Verdict.NOT_REACHED, 1)),
            "1 run failed although the mutant changed nothing: the command does not always pass",
        ),
        (
            report((f"page.short {LIST}", Verdict.NOT_REACHED, 0)),
            "mutation score: none, because no breaking mutant was reached",
        ),
        (
            report((f"once.429 {LIST}", Verdict.TIMED_OUT, None)),
            "timed out: once.429. One 429 with `Retry-After: 1` makes the tests fail: your",
        ),
    ],
)
def test_the_text_says_what_limits_it(found: Report, line: str) -> None:
    assert line in text(found).splitlines()


@pytest.mark.parametrize("contract", [WEBSHARE, MADE_UP])
@pytest.mark.parametrize("verdict", Verdict)
def test_every_report_can_be_written_of_any_verdict(contract: Contract, verdict: Verdict) -> None:
    found = Report([Result(each, verdict, 0) for each in mutants_of(contract)], 0.5)
    lines = [line for line in text(found).splitlines() if "as a fault" not in line]
    assert max(map(len, lines)) <= 110
    OWN_SCHEMAS.validator("mutation").validate(json.loads(json_text(found)))
    assert len(ET.fromstring(junit(found)).findall("testsuite/testcase")) == len(found.results)


def test_the_json_has_each_mutant_with_its_fault() -> None:
    document = json.loads(json_text(MIXED))
    OWN_SCHEMAS.validator("mutation").validate(document)
    assert (document["score"], document["noticed"], document["scored"]) == (40, 2, 5)
    assert document["verdicts"]["survived"] == 3 and document["verdicts"]["not run"] == 0
    assert document["mutants"][1] == {
        "id": f"field.removed {LIST} amount",
        "kind": "field.removed",
        "class": "breaking",
        "endpoint": LIST,
        "field": "amount",
        "fault": {"drift": "removed", "field": "amount", "path": LIST},
        "means": "The field is gone: the program goes on without it, or breaks where no test looks.",
        "verdict": "killed",
        "exit_code": 1,
        "seconds": 1.25,
    }
    assert document["mutants"][4]["exit_code"] is None


@pytest.mark.parametrize(
    ("change", "is_valid"),
    [
        ({}, True),
        ({"score": None}, True),
        ({"later": 1}, True),
        ({"score": 101}, False),
        ({"format": 2}, False),
        ({"verdicts": {"lost": 1}}, False),
        ({"mutants": [{"id": "x"}]}, False),
    ],
)
def test_the_schema_describes_the_report_and_nothing_else(change: dict[str, object], is_valid: bool) -> None:
    document = json.loads(json_text(MIXED)) | change
    assert OWN_SCHEMAS.validator("mutation").is_valid(document) == is_valid


def test_junit_has_a_case_for_each_mutant() -> None:
    suite = ET.fromstring(junit(MIXED)).find("testsuite")
    assert suite is not None
    assert suite.attrib == {
        "name": "mock-webshare mutate",
        "tests": "9",
        "failures": "4",
        "errors": "0",
        "skipped": "2",
    }
    found = {case.attrib["name"]: [child.tag for child in case] for case in suite}
    assert found[f"field.removed {LIST} amount"] == found[f"status.503 {LIST}"] == []
    assert found[f"field.null {LIST} amount"] == found[f"once.503 {LIST}"] == ["failure"]
    assert found[f"page.unlinked {LIST}"] == ["skipped"]
    failure = suite.find("testcase/failure")
    assert failure is not None and failure.attrib["message"].startswith("survived: The field is gone")


def test_the_formats_are_those_that_the_help_names() -> None:
    assert list(FORMATS) == ["text", "json", "junit"]
