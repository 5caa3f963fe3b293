"""How bodies are written again that a recorder parsed."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from mock_webshare import recordings
from mock_webshare.exchange import limits
from mock_webshare.exchange.model import BadRecord, Exchange
from mock_webshare.exchange.streams import Malformed
from mock_webshare.recordings.formats.parsed_body import Plain, json_of, load_json

YAML = """\
interactions:
- request: {{method: GET, uri: http://a/}}
  response: {{status: 200, {}}}
"""


def read(text: str | bytes) -> Any:
    content = text if isinstance(text, bytes) else text.encode()
    (record,) = recordings.read(["-"], BytesIO(content), input_format="vcr")
    return record


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ("2.50", "2.50"),
        ("7.0", "7.0"),
        ("-0.07", "-0.07"),
        ("469.53000000000000000001", "469.53000000000000000001"),
        ("1.0e+20", "1.0e+20"),
        ("1e-7", "1e-7"),
        ("007", "7"),
        ("000", "0"),
        ("+.5", "0.5"),
        ("1.", "1"),
        ("True", "true"),
        (".nan", "NaN"),
        ("-.INF", "-Infinity"),
    ],
)
def test_a_scalar_without_quotes_is_a_number_or_a_truth_value(plain: str, expected: str) -> None:
    assert json_of(Plain(plain)) == expected


@pytest.mark.parametrize(
    "plain",
    [
        "2024-07-30T06:24:58.601156-07:00",
        "1e5",
        "12E4",
        "0x1F",
        "1_000",
        "1:30",
        "yes",
        "NaN",
        "1.2.3",
        ".",
        "-",
        "e5",
    ],
)
def test_any_other_scalar_is_text(plain: str) -> None:
    assert json_of(Plain(plain)) == json.dumps(plain)


def test_a_scalar_with_quotes_is_text() -> None:
    body = """body: {amount: "2.50", a: '1', b: 1, c: null, "d": ~, e: true, f: 'true', g: [], h: {}, i: ü}"""
    exchange = read(YAML.format(body))
    assert exchange.body.decode() == (
        '{"amount":"2.50","a":"1","b":1,"c":null,"d":null,"e":true,"f":"true","g":[],"h":{},"i":"ü"}'
    )


BODIES = [
    "parsed_body: {count: 1.50}",
    "body: {count: 1.50}",
    "body: {string: {count: 1.50}}",
    "body: null, parsed_body: {count: 1.50}",
    "parsedBody: {count: 1.50}",
    "content: {count: 1.50}",
    "body: {encoding: UTF-8, string: {count: !!float 1.50}}",
]


@pytest.mark.parametrize("body", BODIES)
def test_a_parsed_body_of_yaml_is_written_again(body: str) -> None:
    exchange = read(YAML.format(body))
    assert (exchange.body, exchange.is_body_known, exchange.is_body_exact) == (b'{"count":1.50}', True, False)


def test_a_parsed_list_is_written_again() -> None:
    exchange = read(YAML.format("body: [{a: 0.20}, b, 1]"))
    assert (exchange.body, exchange.is_body_exact) == (b'[{"a":0.20},"b",1]', False)


@pytest.mark.parametrize(
    "body",
    [
        '"body":{"amount":2.50,"a":[1e400,NaN,null,true,"1"]}',
        '"parsed_body":{"amount":2.50,"a":[1e400,NaN,null,true,"1"]}',
        '"body":{"string":{"amount":2.50,"a":[1e400,NaN,null,true,"1"]}}',
        '"body":{"encoding":"utf-8","string":{"amount":2.50,"a":[1e400,NaN,null,true,"1"]}}',
        '"Body":{"amount":2.50,"a":[1e400,NaN,null,true,"1"]}',
    ],
)
@pytest.mark.parametrize("is_list", [True, False], ids=["list", "object"])
def test_the_numbers_of_a_parsed_body_of_json_are_exact(body: str, is_list: bool) -> None:
    record = f'{{"request":{{"method":"GET","uri":"http://a/"}},"response":{{"status":200,{body}}}}}'
    exchange = read(f"[{record}]" if is_list else f'{{"interactions":[{record}]}}')
    assert exchange.body == b'{"amount":2.50,"a":[1e400,NaN,null,true,"1"]}'
    assert not exchange.is_body_exact


def test_a_parsed_body_has_no_coding_any_more() -> None:
    exchange = read(
        YAML.format("headers: {Content-Encoding: gzip, Content-Length: '999'}, parsed_body: {a: b}")
    )
    assert exchange.body == b'{"a":"b"}'


def test_a_text_is_not_parsed() -> None:
    exchange = read(YAML.format("body: 1.50"))
    assert (exchange.body, exchange.is_body_exact) == (b"1.50", True)


def laughs(levels: int) -> str:
    """Return a list of ten aliases, each of which is a list of ten aliases, and so on."""
    lines = ["a0: &a0 [lol]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels))]
    return "\n".join([*lines, YAML.format(f"body: {{a: *a{levels - 1}}}")])


def test_a_body_that_is_mostly_aliases_is_a_bad_record() -> None:
    record = read(laughs(9))
    assert (
        isinstance(record, BadRecord)
        and record.problem == "its aliases repeat more than 1000 parts of its body"
    )


def test_a_body_with_a_few_aliases_is_read() -> None:
    exchange = read(laughs(3))
    assert isinstance(exchange, Exchange)
    assert json.loads(exchange.body) == {"a": [[["lol"]] * 10] * 10}


def test_a_long_text_under_many_aliases_is_a_bad_record() -> None:
    text = "a: &a '" + "x" * 60_000 + "'\n" + YAML.format("body: [*a, *a, *a, *a]")
    assert isinstance(read(text), BadRecord)


def test_a_body_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_RECORD", 100)
    with pytest.raises(Malformed, match="MiB"):
        json_of(["x" * 50, "y" * 50])


def test_a_body_that_is_nested_too_deeply_is_refused() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(Malformed, match="nested"):
        json_of(value)


def test_numbers_of_json_are_kept_digit_by_digit() -> None:
    text = b'[1.50,-0.0,1E5,123456789012345678901234567890.10,{"a":1e999}]'
    assert json_of(load_json(text)).encode() == text
