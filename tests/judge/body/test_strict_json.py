"""What is refused before a body is looked into, and where it is said to be."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_webshare.judge.body import strict_json
from mock_webshare.judge.body.strict_json import DEEPEST, LONGEST_NUMBER, parse
from mock_webshare.judge.model.finding import Finding, Place

PLACE = Place(source="body.json")


def only_finding(body: bytes) -> Finding:
    (finding,) = parse(body, PLACE).findings
    return finding


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_a_document_is_read() -> None:
    assert parse(b' {"a": [1, "\xc3\xa9", null]} ', PLACE).value == {"a": [1, "é", None]}


def test_a_number_keeps_its_digits() -> None:
    value = parse(b"[0.07, 2.50, 1.0]", PLACE).value
    assert [str(each) for each in value] == ["0.07", "2.50", "1.0"]
    assert all(isinstance(each, Decimal) for each in value)


def test_an_escaped_lone_surrogate_is_let_through() -> None:
    assert parse(rb'"\ud800"', PLACE).findings == ()


@pytest.mark.parametrize("body", [b"", b" \r\n\t"])
def test_an_empty_file_is_a_finding(body: bytes) -> None:
    assert only_finding(body).rule == "json.empty"


def test_invalid_utf_8_is_found_at_its_byte() -> None:
    finding = only_finding(b'{"detail": "caf\xe9"}')
    assert (finding.rule, finding.place.offset, finding.actual) == ("json.utf-8", 15, "0xe9")


def test_a_byte_order_mark_is_a_finding() -> None:
    assert only_finding(b"\xef\xbb\xbf{}").rule == "json.byte-order-mark"


def test_a_syntax_error_is_found_at_its_line_and_column() -> None:
    finding = only_finding(b'{\n  "a": 1,\n  "b" 2\n}')
    assert finding.place == Place(source="body.json", line=3, column=7)
    assert (finding.rule, finding.actual) == ("json.syntax", '"2"')


def test_a_truncated_document_ends_in_nothing() -> None:
    finding = only_finding(b'{"a": ')
    assert (finding.rule, finding.actual) == ("json.syntax", None)


@pytest.mark.parametrize("body", [b"{} {}", b"{'a': 1}", b"[1,]", b"01", b'"\n"', b"nan"])
def test_what_only_looks_like_json_is_a_finding(body: bytes) -> None:
    assert only_finding(body).rule == "json.syntax"


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_constant_that_json_lacks_is_found_by_its_pointer(constant: str) -> None:
    finding = only_finding(f'{{"a": [0, {constant}]}}'.encode())
    assert (finding.rule, finding.place.pointer, finding.actual) == ("json.constant", "/a/1", constant)


def test_each_duplicate_key_is_found_in_its_object() -> None:
    findings = parse(b'{"a": {"b": 1, "c": 2, "b": 3, "c": 4, "b": 5}}', PLACE).findings
    assert {each.rule for each in findings} == {"json.duplicate-key"}
    assert [(each.place.pointer, each.actual) for each in findings] == [("/a", '"b"'), ("/a", '"c"')]


def test_keys_that_differ_only_in_their_escapes_are_duplicates() -> None:
    assert only_finding(rb'{"a": 1, "\u0061": 2}').rule == "json.duplicate-key"


@pytest.mark.parametrize(
    "number",
    [
        "9" * 5000,
        "-" + "9" * 5000,
        "0." + "3" * 5000,
        "1e999999",
        "1e-999999",
        f"1e{'9' * 30}",
        f"1e-{'9' * 30}",
    ],
    ids=lambda number: f"{number[:8]}-{len(number)}",
)
def test_a_number_that_no_reader_holds_is_a_finding(number: str) -> None:
    finding = only_finding(f'{{"amount": {number}}}'.encode())
    assert (finding.rule, finding.place.pointer) == ("json.number", "/amount")
    assert finding.actual is not None and len(finding.actual) < 120


@pytest.mark.parametrize("number", ["9" * LONGEST_NUMBER, "1e307", "1e-307", "0.0", "-0", "0e0"])
def test_a_number_that_readers_hold_is_none(number: str) -> None:
    assert parse(number.encode(), PLACE).findings == ()


def test_nesting_up_to_the_limit_is_read() -> None:
    assert parse(nested(DEEPEST), PLACE).findings == ()


@pytest.mark.parametrize("depth", [DEEPEST + 1, 900, 5_000, 100_000])
def test_deep_nesting_is_a_finding_and_no_crash(depth: int) -> None:
    assert only_finding(nested(depth)).rule == "json.depth"


def test_a_syntax_error_in_a_record_is_found_at_its_byte() -> None:
    place = Place(source="live.har", entry=3, line=70)
    (finding,) = parse('{"é": 1,'.encode(), place).findings
    assert (finding.place.line, finding.place.offset) == (70, 9)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=10,
)


@settings(deadline=None)
@given(VALUES)
def test_the_fast_reader_reads_what_the_slow_one_reads(value: object) -> None:
    body = json.dumps(value, default=float).encode()
    assert parse(body, PLACE) == strict_json._parse_slowly(body, PLACE)


@settings(deadline=None)
@given(st.binary() | st.text(st.characters(codec="utf-8")).map(str.encode))
def test_no_bytes_are_too_strange(body: bytes) -> None:
    assert parse(body, PLACE) is not None
