"""How a verdict reads."""

from __future__ import annotations

import json
import os
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from sarif_pydantic import Sarif

from mock_webshare.contract.model import Mark
from mock_webshare.contract.schemas import OWN_SCHEMAS, SERVICE_SCHEMAS
from mock_webshare.errors import UnknownName, UnreadableInput
from mock_webshare.exchange.model import BadRecord, Exchange
from mock_webshare.judge import reports
from mock_webshare.judge.model.finding import Finding, Level, Place
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.model.rulebook import rules_of
from mock_webshare.judge.reports import json_report
from mock_webshare.judge.run import judge
from mock_webshare.judge.verdict import Group, Likeness, Verdict

FINDING = Finding(
    rule="object.amount",
    mark=Mark.DOCUMENTED,
    place=Place(source="credit.json", pointer="/amount"),
    check="type",
    expected="number",
    actual='"2.50"',
)


def written(*findings: Finding, unreadable: tuple[UnreadableInput, ...] = ()) -> str:
    stream = StringIO()
    groups = tuple(
        Group(Likeness("", str(index), "", "", "", "", "", ""), rules_of()[each.rule], [each], 1)
        for index, each in enumerate(findings)
    )
    verdict = Verdict(files=2, exchanges=3, judged=1, groups=groups, unreadable=unreadable)
    reports.write("text", verdict, stream)
    return stream.getvalue()


def verdict_on(body: bytes) -> Verdict:
    return judge([Exchange(source="-", body=body)], Options())


def report_of(body: bytes) -> str:
    stream = StringIO()
    reports.write("text", verdict_on(body), stream)
    return stream.getvalue()


def at(place: Place) -> Finding:
    return Finding(rule="json.empty", mark=Mark.DOCUMENTED, place=place, check="json.empty")


def test_a_finding_says_where_which_rule_what_was_wanted_and_what_is_there() -> None:
    assert written(FINDING).splitlines() == [
        'error: "amount" is a string, not a number',
        "  at        credit.json#/amount",
        "  rule      object.amount, documented: `amount` is a JSON number in USD, not a string.",
        "  expected  a number",
        '  actual    "2.50"',
        "",
        "2 files, 3 exchanges, 1 judged, 1 finding (1 error)",
    ]


def test_a_clean_verdict_is_one_line() -> None:
    assert written() == "2 files, 3 exchanges, 1 judged, no findings\n"


def test_what_is_unreadable_is_told_and_counted() -> None:
    assert written(unreadable=(UnreadableInput("cannot read 'a'"),)).splitlines() == [
        "error: cannot read 'a'",
        "2 files, 3 exchanges, 1 judged, no findings, 1 unreadable",
    ]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Place(source="a.json"), "a.json"),
        (Place(source="a.json", pointer="/x"), "a.json#/x"),
        (Place(source="a.json", line=3, column=7), "a.json:3:7"),
        (Place(source="a.json", offset=12), "a.json, byte 12"),
        (Place(source="\x1b[2J.json", pointer="/\x1b"), r"\u001b[2J.json#/\u001b"),
    ],
)
def test_a_place_is_named(place: Place, expected: str) -> None:
    assert written(at(place)).splitlines()[1] == f"  at        {expected}"


def test_a_long_pointer_is_shortened() -> None:
    assert len(written(at(Place(source="a.json", pointer="/" + "x" * 10_000)))) < 500


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"detail": null}', "a string"),
        (b'{"mode": []}', "items: at least 1"),
        (b'{"next": 1}', "a string or null"),
        (b'{"next": "x"}', "an absolute URL"),
        (b'{"user_id": 1, "mode": "credit"}', '"payout" or "credits"'),
        (b'{"user_id": 1, "created_at": "today"}', "a date and time with its offset"),
        (b'{"user_id": 1, "status": "reverted", "reverted_at": null}', "anything but null"),
        (b'{"user_id": 1}', "this field"),
        (b'{"results": [], "count": -1}', "at least 0"),
        (b'{"detail": }', "JSON (the parser reports: Expecting value)"),
        (b"{}", "a document that `mock-webshare schema` lists\n"),
    ],
)
def test_each_check_says_what_it_wanted(body: bytes, expected: str) -> None:
    assert f"  expected  {expected}" in report_of(body)


def test_a_check_without_words_shows_what_the_schema_says() -> None:
    finding = Finding(
        rule="object.fields",
        mark=Mark.ASSUMED,
        place=Place(source="a"),
        check="multipleOf",
        expected=5,
        actual="7",
    )
    assert "  expected  5\n" in written(finding)


def test_every_line_is_printable_whatever_the_file_holds() -> None:
    report = report_of(b'{"detail": "\\u001b[31m\xc2\x9b", "code": "\\u0007"}' * 2)
    assert all(line.isprintable() for line in report.splitlines())


def test_what_the_stream_cannot_encode_is_escaped() -> None:
    stream = TextIOWrapper(BytesIO(), encoding="ascii")
    reports.write("text", verdict_on('{"user_id": "é"}'.encode()), stream)
    stream.seek(0)
    assert r'"\xe9"' in stream.read()


def test_an_unknown_report_is_a_mistake_of_the_user() -> None:
    with pytest.raises(UnknownName, match="there are: github, html, json, junit, sarif, text"):
        reports.write("texts", Verdict(files=0, exchanges=0, judged=0), StringIO())


# The reports for programs.

PAGE_URL = "https://me:secret@proxy.webshare.io/api/v2/referral/credit/?token=secret"
LIVE = Exchange(
    source="live \x1b,:%.ndjson",
    entry=6,
    line=7,
    method="GET",
    url=PAGE_URL,
    request_headers=(("Authorization", "Token secret"),),
    status=200,
    headers=(("Content-Type", "application/json"), ("Set-Cookie", "secret")),
    body=b'{"count":1,"next":null,"previous":null,"results":[{"id":"x","note":"\xc3\xa9\x7f"}]}',
)


def full_verdict() -> Verdict:
    """Return a verdict that has something of everything."""
    older = {**SERVICE_SCHEMAS.document("referral-credit")["examples"][0], "mode": "credit"}
    single = Exchange(source="./a.json", body=json.dumps(older, indent=1).encode())
    records: list[Exchange | BadRecord | UnreadableInput] = [
        LIVE,
        single,
        Exchange(source="b.json", body=b"{\n\x00"),
        BadRecord(source="c.har", entry=1, problem="its status is not a number"),
        UnreadableInput("cannot read 'd\x1b'"),
    ]
    return judge(records, Options())


def lines_of(name: str) -> list[str]:
    stream = StringIO()
    reports.write(name, full_verdict(), stream)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("name", reports.REPORTS)
def test_no_report_tells_a_secret_or_drives_a_terminal(name: str) -> None:
    lines = lines_of(name)
    assert all(line.isprintable() for line in lines)
    assert "secret" not in "".join(lines)


@pytest.mark.parametrize("name", reports.REPORTS)
def test_a_report_is_written_finding_by_finding(name: str) -> None:
    records = [BadRecord(source=f"{each}.ndjson", problem="it has no request") for each in range(300)]
    chunks = reports.find(name)(judge(records, Options()), False)
    assert max(map(len, chunks)) < 30_000


def test_json_shows_an_array_in_place_of_a_null() -> None:
    document = {"a": ' "found": null', "b": {"found": None, "c": 1}}
    cases: list[list[Any]] = [[], [{}], [{"d": ["\n", None]}, 2]]
    for found in cases:
        chunks = json_report.json_lines(document, "found", found)
        assert "\n".join(chunks) == json.dumps(document | {"b": {"found": found, "c": 1}}, indent=2)


def test_the_json_report_keeps_its_schema() -> None:
    schema = json.loads(OWN_SCHEMAS.text("report"))
    Draft202012Validator.check_schema(schema)
    document = json.loads("\n".join(lines_of("json")))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    assert document["levels"]["error"] == sum(
        each["count"] for each in document["findings"] if each["level"] == "error"
    )


def test_the_json_report_names_place_rule_and_value() -> None:
    (found,) = [
        each for each in json.loads("\n".join(lines_of("json")))["findings"] if each["rule"] == "object.mode"
    ]
    (place,) = found["places"]
    assert found["message"] == '"mode" is "credit", not "payout" or "credits"'
    assert (place["file"], place["line"], place["pointer"]) == ("./a.json", 4, "/mode")
    assert (found["provenance"], place["expected"], place["actual"]) == (
        "D",
        ["payout", "credits"],
        '"credit"',
    )


def sarif() -> dict[str, Any]:
    log: dict[str, Any] = json.loads("\n".join(lines_of("sarif")))
    return log


def test_the_sarif_report_is_what_the_standard_says() -> None:
    Sarif.model_validate(sarif())


def test_a_sarif_result_points_at_the_line_and_the_rule() -> None:
    (run,) = sarif()["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert (result["kind"] == "fail") == (result["level"] != "none")
    (result,) = [each for each in run["results"] if each["ruleId"] == "object.mode"]
    physical = result["locations"][0]["physicalLocation"]
    assert physical == {"artifactLocation": {"uri": "a.json"}, "region": {"startLine": 4}}


def test_news_is_no_failure_in_sarif() -> None:
    (result,) = [each for each in sarif()["runs"][0]["results"] if each["ruleId"] == "object.new-fields"]
    assert (result["kind"], result["level"]) == ("informational", "none")


ELEMENTS = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id"},
        {"name", "tests", "failures", "errors"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name", "time", "classname", "group"},
        {"name"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": ({"type", "message"}, set(), set()),
    "error": ({"type", "message"}, set(), set()),
    "skipped": ({"type", "message"}, set(), set()),
    "system-out": (set(), set(), set()),
}
"""What `junit-10.xsd` of the Jenkins xUnit plugin allows: attributes, which are required, and children."""


def test_the_junit_report_is_what_its_readers_know() -> None:
    root = ElementTree.fromstring("\n".join(lines_of("junit")[1:]))
    assert root.tag == "testsuites"
    for element in root.iter():
        attributes, required, children = ELEMENTS[element.tag]
        assert required <= set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children


def test_the_junit_report_counts() -> None:
    suite = ElementTree.fromstring("\n".join(lines_of("junit")[1:]))[0]
    for attribute, tag in (
        ("tests", "."),
        ("failures", "failure"),
        ("errors", "error"),
        ("skipped", "skipped"),
    ):
        cases = [case for case in suite if tag == "." or case.find(tag) is not None]
        assert int(suite.attrib[attribute]) == len(cases) > 0


def published(name: str) -> Path:
    """Return a schema that others have published; where it comes from is in `.ci/run`."""
    path = Path(os.environ.get("PUBLISHED_SCHEMAS", os.devnull), name)
    if not path.is_file():
        pytest.skip(f"PUBLISHED_SCHEMAS names no folder with {name}")
    return path


@pytest.mark.exhaustive
def test_sarif_keeps_the_schema_that_its_authors_published() -> None:
    schema = json.loads(published("sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
    assert list(validator_for(schema)(schema).iter_errors(sarif())) == []


@pytest.mark.exhaustive
def test_junit_keeps_the_schema_that_jenkins_published() -> None:
    path = published("junit-10.xsd")
    xmlschema = pytest.importorskip("xmlschema", reason="xmlschema is no dependency of the tests")
    assert list(xmlschema.XMLSchema(str(path)).iter_errors("\n".join(lines_of("junit")))) == []


def test_an_annotation_points_at_the_line() -> None:
    (line,) = [each for each in lines_of("github") if "object.mode" in each]
    title = '"mode" is "credit"%2C not "payout" or "credits"'
    assert line.startswith(f"::error file=a.json,line=4,title={title}::at        ./a.json:4#/mode%0A")
    assert "%0Aexpected" in line


def test_what_an_annotation_cannot_hold_is_escaped() -> None:
    line = next(each for each in lines_of("github") if "live" in each)
    assert line.partition(",line=")[0].endswith(r"file=live \u001b%2C%3A%25.ndjson")


def test_equal_findings_are_one_with_a_count() -> None:
    rows = [
        dict(SERVICE_SCHEMAS.document("referral-credit")["examples"][0]) | {"id": n, "amount": "1"}
        for n in range(600)
    ]
    body = json.dumps({"count": 600, "next": None, "previous": None, "results": rows}).encode()
    verdict = judge([Exchange(source=name, body=body) for name in ("a", "b")], Options())
    stream = StringIO()
    reports.write("text", verdict, stream)
    assert stream.getvalue().count("object.amount") == 1
    assert "  and 1,199 more like it, in 2 files: a, b\n" in stream.getvalue()
    assert "1,200 findings (1,200 errors)" in stream.getvalue()


def test_the_gravest_comes_first() -> None:
    levels = [group.first.level for group in full_verdict().groups]
    assert levels == sorted(levels, key=list(Level).index)
    assert len(set(levels)) > 2


def test_only_a_level_is_coloured_and_only_when_asked() -> None:
    stream = StringIO()
    reports.write("text", full_verdict(), stream, is_coloured=True)
    assert '\x1b[31merror\x1b[0m: "mode" is "credit", not "payout" or "credits"\n' in stream.getvalue()
