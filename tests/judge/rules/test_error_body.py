"""Error bodies and headers: do they fit the recorded request?"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level
from tests.recorded_responses import LIST, ROW, found, one, response

NONE, ALONE, BLANKS, ODD, UNKNOWN = (
    "Authentication credentials were not provided.",
    "Invalid token header. No credentials provided.",
    "Invalid token header. Token string should not contain spaces.",
    "Invalid token header. Token string should not contain invalid characters.",
    "Invalid token.",
)


@pytest.mark.parametrize(
    ("authorization", "fitting"),
    [
        ("Token", {ALONE}),
        ("token  ", {ALONE}),
        ("Token a b", {BLANKS}),
        ("TOKEN REDACTED-1", {ODD, UNKNOWN}),
        ("REDACTED", {NONE, ALONE, BLANKS, ODD, UNKNOWN}),
        ("", {NONE, ALONE, BLANKS, ODD, UNKNOWN}),
    ],
)
def test_a_401_has_the_text_that_fits_the_header(authorization: str, fitting: set[str]) -> None:
    for text in (NONE, ALONE, BLANKS, ODD, UNKNOWN):
        records = response({"detail": text}, LIST, 0, status=401, key=authorization)
        expected = [] if text in fitting else [("auth.unauthorized", "/detail", Level.WARNING)]
        assert found(records) == expected


def test_wrong_fields_are_named_in_the_order_of_the_filters() -> None:
    def errors(*names: str) -> Exchange:
        texts = {"mode": "x", "status": "y"}
        body = {
            name: [
                {
                    "message": f"Select a valid choice. {texts[name]} is not one of the available choices.",
                    "code": "invalid_choice",
                }
            ]
            for name in names
        }
        return response(body, f"{LIST}?status=y&mode=x", 0, status=400)

    assert found(errors("mode", "status")) == []
    assert found(errors("status", "mode")) == [("filter.errors", "", Level.WARNING)]


def test_blanks_are_not_reported_if_an_indent_may_have_been_requested() -> None:
    indented = replace(one(0), body=json.dumps(ROW, indent=4).encode())
    assert found(indented) == [("wire.json", "", Level.NOTE)]
    assert found(replace(indented, request_headers=None)) == []


@pytest.mark.parametrize("where", ['{{"a": 1}}', '{{"a":[1, 2]}}', '{{"a":1 }}', ' {{"a":1}}'])
def test_blanks_are_found_wherever_they_stand(where: str) -> None:
    texts: dict[str, Any] = {"detail": "a b", "x": 1}
    body = json.dumps(texts, separators=(",", ":")).replace("1", where.format())
    records = replace(response({}, LIST, 0, status=403), body=body.encode())
    assert ("wire.json", "", Level.NOTE) in found(records)


def test_a_link_has_no_fragment() -> None:
    body = {"count": 2, "next": f"{LIST}?page=2&page_size=1#top", "previous": None, "results": [ROW]}
    assert found(response(body, f"{LIST}?page_size=1", 0)) == [("list.links-query", "/next", Level.WARNING)]


def test_the_default_port_is_the_same_origin() -> None:
    body = {"count": 2, "next": f"{LIST}?page=2&page_size=1", "previous": None, "results": [ROW]}
    said = LIST.replace(".io/", ".io:443/")
    assert found(response(body, f"{said}?page_size=1", 0)) == []
    assert found(response(body | {"next": f"{said}?page=2&page_size=1"}, f"{said}?page_size=1", 0)) == []
    named = response(
        body | {"next": f"{LIST}?page=2&page_size=1".replace("//", "//me@")}, f"{LIST}?page_size=1", 0
    )
    assert found(named) == [("list.links-origin", "/next", Level.WARNING)]
