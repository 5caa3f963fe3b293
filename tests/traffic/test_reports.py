"""How a verdict reads."""

from __future__ import annotations

from io import BytesIO, StringIO, TextIOWrapper

import pytest

from mock_webshare.contract import Mark
from mock_webshare.errors import UnknownName, UnreadableInput
from mock_webshare.traffic import reports
from mock_webshare.traffic.finding import Finding, Place
from mock_webshare.traffic.judge import Verdict, judge

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
    reports.write("text", Verdict(2, 1, findings, unreadable), stream)
    return stream.getvalue()


def report_of(body: bytes) -> str:
    stream = StringIO()
    reports.write("text", judge(["-"], stdin=BytesIO(body)), stream)
    return stream.getvalue()


def at(place: Place) -> Finding:
    return Finding(rule="json.empty", mark=Mark.DOCUMENTED, place=place, check="json.empty")


def test_a_finding_says_where_which_rule_what_was_wanted_and_what_is_there() -> None:
    assert written(FINDING).splitlines() == [
        "credit.json#/amount",
        "  object.amount, documented: `amount` is a JSON number in USD, not a string.",
        "  expected  a number",
        '  actual    "2.50"',
        "",
        "2 files, 1 body judged, 1 finding",
    ]


def test_a_clean_verdict_is_one_line() -> None:
    assert written() == "2 files, 1 body judged, no findings\n"


def test_what_is_unreadable_is_told_and_counted() -> None:
    assert written(unreadable=(UnreadableInput("cannot read 'a'"),)).splitlines() == [
        "error: cannot read 'a'",
        "2 files, 1 body judged, no findings, 1 unreadable",
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
    assert written(at(place)).splitlines()[0] == expected


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
        (b'{"detail": }', "JSON (its reader says: Expecting value)"),
        (b"{}", "one of referral-credit-page (has `results` or `next`), referral-credit (has"),
    ],
)
def test_each_check_says_what_it_wanted(body: bytes, expected: str) -> None:
    assert f"  expected  {expected}" in report_of(body)


def test_a_check_without_words_shows_what_the_schema_says() -> None:
    finding = Finding(
        rule="object.id",
        mark=Mark.ASSUMED,
        place=Place(source="a"),
        check="multipleOf",
        expected=5,
        actual="7",
    )
    assert "  expected  multipleOf: 5\n" in written(finding)


def test_every_line_is_printable_whatever_the_file_holds() -> None:
    report = report_of(b'{"detail": "\\u001b[31m\xc2\x9b", "code": "\\u0007"}' * 2)
    assert all(line.isprintable() for line in report.splitlines())


def test_what_the_stream_cannot_encode_is_escaped() -> None:
    stream = TextIOWrapper(BytesIO(), encoding="ascii")
    reports.write("text", judge(["-"], stdin=BytesIO('{"user_id": "é"}'.encode())), stream)
    stream.seek(0)
    assert r'"\xe9"' in stream.read()


def test_an_unknown_report_is_a_mistake_of_the_user() -> None:
    with pytest.raises(UnknownName, match="there are: text"):
        reports.write("texts", Verdict(0, 0, (), ()), StringIO())
