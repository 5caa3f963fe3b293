"""Exchanges and the lines that hold them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mock_webshare.exchange.model import Exchange, from_wire, write_line

FULL = Exchange(
    source="",
    method="GET",
    url="https://proxy.webshare.io/api/v2/referral/credit/",
    request_headers=(("Accept", "*/*"), ("accept", "text/html")),
    status=200,
    headers=(("Content-Type", "application/json"),),
    body=b"{}",
    started=1655233090246406,
    seconds=0.25,
)
WITHOUT_RESPONSE = Exchange(
    source="",
    method="GET",
    url="http://a/",
    request_headers=(),
    request_body=b"\xff",
)


WITHOUT_BODY = replace(FULL, body=b"", is_body_known=False)


@pytest.mark.parametrize("each", [FULL, WITHOUT_RESPONSE, WITHOUT_BODY])
def test_a_line_holds_all_of_an_exchange(each: Exchange) -> None:
    line = write_line(each)
    assert line.endswith("\n") and line.count("\n") == 1
    assert from_wire(json.loads(line)) == each


def test_a_header_is_found_in_any_case_and_joined_when_repeated() -> None:
    assert FULL.request_header("ACCEPT") == "*/*, text/html"
    assert FULL.header("content-type") == "application/json"
    assert FULL.header("allow") is None


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"request": {}, "response": None},
        {"request": {"method": "GET", "url": "/", "body_base64": "?"}, "response": None},
        {"request": {"method": "GET", "url": "/"}, "response": None, "started": "yesterday"},
        {"request": {"method": "GET", "url": "/", "headers": [["a"]]}, "response": None},
        {"request": {"method": "GET", "url": "/", "headers": [["a", 1]]}, "response": None},
        {"request": {"method": 5, "url": "/"}, "response": None},
        {"request": {"method": "GET", "url": []}, "response": None},
        {"request": {"method": "GET", "url": "/"}, "response": {"status": "200"}},
        {"request": {"method": "GET", "url": "/"}, "response": {"status": True}},
        {"request": {"method": "GET", "url": "/"}, "response": {"status": 200, "body": 5}},
        {"request": {"method": "GET", "url": "/"}, "response": None, "seconds": "1"},
    ],
)
def test_a_document_that_is_not_an_exchange_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match="not an exchange"):
        from_wire(document)


@pytest.mark.parametrize("status", [None, 0, -1])
def test_a_status_of_0_or_null_means_no_response(status: int | None) -> None:
    document = {"request": {"method": "GET", "url": "/"}, "response": {"status": status}}
    assert from_wire(document).status is None


def test_a_line_is_ascii() -> None:
    assert write_line(replace(FULL, body="\u2028é".encode())).isascii()
