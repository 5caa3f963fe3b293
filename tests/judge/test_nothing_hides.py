"""What is wrong with the text of a body hides nothing else: its content is judged all the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from mock_webshare import MockServer
from mock_webshare.contract.endpoints import CONFIG, WEBSHARE
from mock_webshare.contract.model import Endpoint, Kind
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from tests import recorded_session as sessions
from tests.sampling import sampled


def _with_field(value: bytes) -> Callable[[bytes], bytes]:
    """Return a change that gives each object of a body a field of this text."""
    return lambda body: body.replace(b"{", b'{"new":' + value + b",").replace(b",}", b"}")


TEXTS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a byte order mark": ("json.byte-order-mark", lambda body: b"\xef\xbb\xbf" + body),
    "UTF-16": ("json.utf-8", lambda body: body.decode().encode("utf-16")),
    "UTF-16 without a mark": ("json.utf-8", lambda body: body.decode().encode("utf-16-le")),
    "UTF-32": ("json.utf-8", lambda body: body.decode().encode("utf-32")),
    "a byte of Latin-1": ("json.utf-8", _with_field(b'"Ren\xe9"')),
    "half a character": ("json.utf-8", _with_field(b'"\xe2\x82"')),
    "an encoded surrogate": ("json.utf-8", _with_field(b'"\xed\xa0\x80"')),
    "a key twice": ("json.duplicate-key", _with_field(b'1,"new":2')),
    "NaN": ("json.constant", _with_field(b"NaN")),
    "-Infinity": ("json.constant", _with_field(b"-Infinity")),
    "a huge exponent": ("json.number", _with_field(b"1e400")),
    "a tiny exponent": ("json.number", _with_field(b"-1e-400")),
    "an exponent of 20 digits": ("json.number", _with_field(b"1e99999999999999999999")),
    "a thousand digits": ("json.number", _with_field(b"9" * 1000)),
    "a thousand decimals": ("json.number", _with_field(b"0." + b"1" * 1000)),
    "something after the end": ("json.syntax", lambda body: body + b"\n{}"),
    "deep nesting": ("json.depth", _with_field(b"[" * 200 + b"]" * 200)),
}

ENDPOINTS = [each for each in WEBSHARE.endpoints if "GET" in each.methods]


def _rows(endpoint: Endpoint, body: Any) -> list[dict[str, Any]]:
    if endpoint.kind is Kind.LIST:
        return list(body["results"])
    return list(body) if endpoint.kind is Kind.ARRAY else [body]


@pytest.fixture(scope="module")
def clean() -> Iterator[dict[str, Exchange]]:
    """A clean response of each endpoint, by its path."""
    with MockServer() as server:

        def exchange(target: str) -> Exchange:
            return sessions.exchange(server.url, target)

        found = {each.path: exchange(each.path) for each in ENDPOINTS if not each.is_detail}
        for each in ENDPOINTS:
            if each.is_detail:
                (row, *_) = json.loads(found[each.path.removesuffix("{id}/")].body)["results"]
                found[each.path] = exchange(each.path.replace("{id}", str(row["id"])))
            elif each.lookup:
                code = json.loads(found[CONFIG.path].body)["referral_code"]
                found[each.path] = exchange(f"{each.path}?{each.lookup.name}={code}")
        yield found


def broken(endpoint: Endpoint, exchange: Exchange) -> tuple[bytes, str]:
    """Return the body with a documented field missing from its first row, and that field."""
    body = json.loads(exchange.body)
    row = _rows(endpoint, body)[0]
    name = next(each.name for each in WEBSHARE.served[endpoint.path] if each.name in row)
    del row[name]
    return json.dumps(body, separators=(",", ":")).encode(), name


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.path)
def test_a_weak_finding_does_not_hide_a_broken_rule(
    clean: dict[str, Exchange], endpoint: Endpoint, text: str
) -> None:
    exchange, (rule, change) = clean[endpoint.path], TEXTS[text]
    assert exchange.status == 200
    body, name = broken(endpoint, exchange)
    findings = judge([replace(exchange, body=change(body))], Options()).findings
    errors = {each.place.pointer.rpartition("/")[2] for each in findings if each.level is Level.ERROR}
    assert rule in {each.rule for each in findings}
    assert name in errors


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("endpoint", sampled(ENDPOINTS, name=lambda each: each.path))
def test_and_nothing_is_found_besides(clean: dict[str, Exchange], endpoint: Endpoint, text: str) -> None:
    exchange, (rule, change) = clean[endpoint.path], TEXTS[text]
    findings = judge([replace(exchange, body=change(exchange.body))], Options()).findings
    graver = {each.rule for each in findings if each.level is not Level.INFO}
    assert graver <= {rule, "wire.json"}  # a line feed before what follows is a blank, too


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("endpoint", sampled(ENDPOINTS, name=lambda each: each.path))
def test_a_body_in_a_file_of_its_own_is_judged_too(
    clean: dict[str, Exchange], endpoint: Endpoint, text: str
) -> None:
    rule, change = TEXTS[text]
    body, name = broken(endpoint, clean[endpoint.path])
    verdict = judge([Exchange(source="-", body=change(body))], Options(schema=endpoint.schema))
    assert verdict.judged == 1
    assert rule in {each.rule for each in verdict.findings}
    assert any(each.place.pointer.endswith(f"/{name}") for each in verdict.findings)


@pytest.mark.parametrize("text", TEXTS)
def test_walks_go_on_past_a_weak_finding(clean: dict[str, Exchange], text: str) -> None:
    first = clean[WEBSHARE.endpoints[0].path]
    page = json.loads(first.body)
    again = json.dumps(page | {"previous": f"{sessions.LIVE}{sessions.LIST}", "next": None}).encode()
    second = replace(first, url=f"{first.url}?page=2", body=TEXTS[text][1](again), entry=1)
    rules = {each.rule for each in judge([first, second], Options()).findings}
    assert {TEXTS[text][0], "list.walk"} <= rules


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity"])
@pytest.mark.parametrize("field", ["id", "user_id", "amount", "status", "referral_channel", "created_at"])
def test_what_is_no_number_breaks_the_type_of_a_field(
    clean: dict[str, Exchange], field: str, literal: bytes
) -> None:
    exchange = clean[sessions.LIST]
    body = json.loads(exchange.body)
    body["results"][1][field] = "@"
    text = json.dumps(body, separators=(",", ":")).encode().replace(b'"@"', literal)
    findings = judge([replace(exchange, body=text)], Options()).findings
    found = {(each.place.pointer, each.level, each.actual) for each in findings}
    assert (f"/results/1/{field}", Level.ERROR, literal.decode()) in found


def test_what_cannot_be_parsed_is_an_error() -> None:
    bodies = [b'\xff{"count"', b"[" * 100_000, b"", b"[1,]"]
    for body in bodies:
        (finding,) = judge([Exchange(source="-", body=body)], Options()).findings
        assert finding.level is Level.ERROR


def test_a_page_with_a_million_values_is_an_error() -> None:
    body = b'{"results":[' + b"0," * 1_000_001 + b"0]}"
    (finding,) = judge([Exchange(source="-", body=body)], Options()).findings
    assert (finding.rule, finding.level) == ("json.size", Level.ERROR)
