"""The headline of a finding names the fault, whichever check has found it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO, StringIO
from random import Random
from typing import Any

import pytest

from mock_webshare import MockServer, Settings, recordings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.contract.model import Mark
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge import reports
from mock_webshare.judge.model.finding import Finding, Place
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.model.rulebook import rules_of
from mock_webshare.judge.reports.headlines import HEADLINES, headline, subject
from mock_webshare.judge.run import judge
from tests import recorded_session as sessions
from tests.judge.test_mutations import KINDS
from tests.paths import CASES


def of_cases() -> Iterator[Finding]:
    for case in sorted(CASES.glob("broken/*/*")):
        yield from judge(recordings.read([str(case)], BytesIO()), Options()).findings


def of_mutations() -> Iterator[Finding]:
    with MockServer(Settings(port=0, rate_limit="off")) as server:
        session = sessions.record(server.url)
    for name, kind in KINDS.items():
        yield from judge(iter(kind(Random(name), session).session), Options()).findings


@pytest.mark.parametrize("findings", [of_cases, of_mutations])
def test_each_check_has_a_headline_of_its_own(findings: object) -> None:
    assert callable(findings)
    found: list[Finding] = list(findings())
    assert {each.check for each in found} <= HEADLINES.keys()
    headlines = {headline(each, rules_of()[each.rule]) for each in found}
    assert len(headlines) > 50
    assert not [each for each in headlines if "None" in each or '"nothing"' in each or len(each) > 400]


def text_on(target: str, body: Any, **fields: Any) -> str:
    allow = ", ".join(CREDIT_LIST.methods)
    exchange = Exchange(
        source="live.har",
        entry=0,
        url=f"https://proxy.webshare.io/api/v2/referral{target}",
        body=body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode(),
        **{
            "method": "GET",
            "status": 200,
            "headers": (("Content-Type", "application/json"), ("Allow", allow)),
            **fields,
        },
    )
    stream = StringIO()
    reports.write("text", judge([exchange], Options()), stream)
    return stream.getvalue()


CREDIT = SERVICE_SCHEMAS.document("referral-credit")["examples"][0]


def page(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"count": len(rows), "next": None, "previous": None, "results": rows}


HTML = b"<!doctype html><title>Login</title>"
WORDINGS = {
    "an error with 200": (
        text_on("/credit/", {"detail": "Invalid token."}),
        "error: the status is 200, but the body is an error with `detail`\n",
    ),
    "a credit in place of a page": (
        text_on("/credit/", CREDIT),
        "error: the body is a referral credit, not a page of referral credits\n",
    ),
    "a page with 404": (
        text_on("/credit/?page=9", page(CREDIT), status=404),
        "error: the status is 404, but the body is a page of referral credits\n",
    ),
    "an object without a known field": (
        text_on("/credit/", {"error": "boom"}),
        "error: the body has none of the fields of a page of referral credits\n",
    ),
    "a string": (text_on("/credit/1/", "ok"), "error: the body is a string, not a referral credit\n"),
    "null": (text_on("/credit/1/", None), "error: the body is null, not a referral credit\n"),
    "HTML as JSON": (text_on("/credit/", HTML), "error: the body is HTML or XML, not JSON\n"),
    "JSON that is cut off": (
        text_on("/credit/", b'{"count":'),
        "error: the body is not JSON: Expecting value at its end\n",
    ),
    "a number as a string": (
        text_on("/credit/1/", CREDIT | {"amount": "2.5"}),
        'error: "amount" is a string, not a number\n',
    ),
    "a missing field": (
        text_on("/credit/1/", {name: value for name, value in CREDIT.items() if name != "user_id"}),
        'error: field "user_id" is missing\n',
    ),
    "another type": (
        text_on(
            "/credit/1/", CREDIT, headers=(("Content-Type", "text/html"), ("Allow", "GET, HEAD, OPTIONS"))
        ),
        'warning: Content-Type is "text/html", not "application/json"\n',
    ),
    "rows in the wrong order of ids": (
        text_on("/credit/?ordering=id", page(CREDIT | {"id": 1003}, CREDIT | {"id": 1001})),
        "error: row 1003 is before row 1001, but id ascends\n",
    ),
    "rows in the wrong order of amounts": (
        text_on("/credit/?ordering=-amount", page(CREDIT | {"id": 7, "amount": 1.5}, CREDIT | {"id": 9})),
        "error: row 7 (amount 1.5) is before row 9 (amount 2.5), but amount descends\n",
    ),
    "rows with a null": (
        text_on(
            "/credit/?ordering=reverted_at",
            page(
                CREDIT | {"id": 7},
                CREDIT | {"id": 9, "status": "reverted", "reverted_at": CREDIT["created_at"]},
            ),
        ),
        "but reverted_at ascends, nulls last\n",
    ),
    "a body of a response to HEAD": (
        text_on("/credit/", b"hello world", method="HEAD"),
        "warning: the response to HEAD has a body of 11 bytes\n",
    ),
}


@pytest.mark.parametrize(("report", "expected"), WORDINGS.values(), ids=WORDINGS)
def test_a_headline_names_the_fault(report: str, expected: str) -> None:
    assert expected in report


@pytest.mark.parametrize("report", [each[0] for each in WORDINGS.values()], ids=WORDINGS)
def test_no_line_is_about_nothing(report: str) -> None:
    assert not [each for each in ("actual    nothing", '"11 bytes"', "request   ?", "None") if each in report]


def test_a_request_whose_method_is_not_recorded_is_its_url() -> None:
    report = text_on("/credit/", {"detail": "Invalid token."}, method=None)
    assert "request   https://proxy.webshare.io/api/v2/referral/credit/ (method not recorded)\n" in report


def test_a_body_that_is_not_recognised_is_not_called_an_assumption() -> None:
    stream = StringIO()
    reports.write("text", judge([Exchange(source="a.json", body=b'{"a": 1}')], Options()), stream)
    first, _, rule, *rest = stream.getvalue().splitlines()
    assert first == "warning: the body is not recognised as a documented one"
    assert rule.startswith("  rule      body.shape, about the recording: ")
    assert "  it was not judged; name its schema with --schema" in rest


def test_a_check_without_a_headline_gets_the_text_of_its_rule() -> None:
    finding = Finding(rule="json.empty", mark=Mark.DOCUMENTED, place=Place(source="a"), check="new")
    assert headline(finding, rules_of()["json.empty"]) == (
        "the body breaks the rule: A body is a JSON document; it is not empty."
    )


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("", "the body"),
        ("/amount", '"amount"'),
        ("/results/3/amount", '"amount"'),
        ("/results/3", 'item 3 of "results"'),
        ("/3", "item 3 of the body"),
        ("/a~1b~0", '"a/b~"'),
        ("/\x1b[2J", r'"\u001b[2J"'),
        ("/", '""'),
    ],
)
def test_a_subject_is_named(pointer: str, expected: str) -> None:
    place = Place(source="a", pointer=pointer)
    assert subject(Finding(rule="x", mark=Mark.DOCUMENTED, place=place, check="x")) == expected
