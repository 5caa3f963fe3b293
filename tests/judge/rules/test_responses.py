"""Statuses, redirections and links: what they are reported as."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level
from tests.recorded_responses import LIST, ROW, found, one, page, response

HTTP = LIST.replace("https:", "http:")


def redirected(location: str, url: str = f"{LIST}1", status: int = 301) -> Exchange:
    return replace(one(0), url=url, status=status, body=b"", headers=(("Location", location),))


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/api/v2/referral/credit/1/",
        "//evil.example/api/v2/referral/credit/1/",
        "http://proxy.webshare.io/api/v2/referral/credit/1/",
        "https://proxy.webshare.io:8443/api/v2/referral/credit/1/",
        "https://proxy.webshare.io.evil.example/api/v2/referral/credit/1/",
        "https://me:secret@proxy.webshare.io/api/v2/referral/credit/1/",
        "/api/v2/referral/credit/1/#here",
        "/api/v2/referral/credit/2/",
        "/api/v2/referral/credit/1/?next=a",
        "https://[evil/",
    ],
)
def test_a_redirection_that_leads_elsewhere_is_found(location: str) -> None:
    assert found(redirected(location)) == [("route.slash", "", Level.WARNING)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_any_redirection_to_another_host_is_found(status: int) -> None:
    elsewhere = redirected("https://evil.example/api/v2/referral/credit/1/", f"{LIST}1/", status)
    assert ("route.slash", "", Level.WARNING) in found(elsewhere)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        (f"{LIST}1", "/api/v2/referral/credit/1/"),
        (f"{LIST}1", "1/"),
        (f"{LIST}1", "HTTPS://Proxy.Webshare.io:443/api/v2/referral/credit/1/"),
        (f"{HTTP}1", f"{LIST}1/"),
        ("http://127.0.0.1:9000/api/v2/referral/credit/1", f"{LIST}1/"),
        (f"{LIST}1?a=%20b", "/api/v2/referral/credit/1/?a=%20b"),
    ],
)
def test_a_redirection_that_adds_the_slash_is_not_a_finding(url: str, location: str) -> None:
    assert found(redirected(location, url)) == []


@pytest.mark.parametrize("status", [201, 202, 203, 206])
def test_the_body_of_another_success_is_judged(status: int) -> None:
    places = found(replace(one(0, changes={"amount": "2.5"}), status=status))
    assert ("error.kinds", "", Level.WARNING) in places
    assert ("object.amount", "/amount", Level.ERROR) in places


def test_a_part_of_a_body_is_not_judged() -> None:
    part = replace(one(0), status=206, body=b'{"id":1', headers=(("Content-Range", "bytes 0-6/200"),))
    assert found(part) == [("error.kinds", "", Level.WARNING)]


def test_a_304_is_of_a_cache_that_was_asked() -> None:
    cached = replace(one(0), status=304, body=b"")
    assert found(cached) == [("error.kinds", "", Level.WARNING)]
    asked = (("Authorization", "Token k"), ("If-None-Match", '"a"'))
    assert found(replace(cached, request_headers=asked)) == []


ERRORS = {"mode": [{"message": "No.", "code": "invalid_choice"}]}


@pytest.mark.parametrize(
    "query", ["", "mode=payout", "status=pending&mode=credits", "ordering=-id,amount", "page=2&page_size=5"]
)
def test_to_refuse_a_documented_request_breaks_the_documentation(query: str) -> None:
    assert ("filter.errors", "", Level.ERROR) in found(response(ERRORS, f"{LIST}?{query}", 0, status=400))


@pytest.mark.parametrize("query", ["x=1", "ordering=bogus", "mode=payout&mode=payout"])
def test_to_refuse_another_request_does_not(query: str) -> None:
    assert ("filter.errors", "", Level.WARNING) in found(response(ERRORS, f"{LIST}?{query}", 0, status=400))


def linked(link: str, query: str) -> Exchange:
    """Return the first of two pages with a link to the next one."""
    body = json.loads(page(1, range(1, 3), 4, 0).body) | {"next": f"{LIST}?{link}"}
    return response(body, f"{LIST}?{query}", 0)


@pytest.mark.parametrize(
    ("link", "query", "level"),
    [
        ("page_size=2&page=2", "page_size=2", Level.WARNING),
        ("page=2&page_size=02", "page_size=2", Level.ERROR),
        ("page=02&page_size=2", "page_size=2", Level.WARNING),
        ("page=2&page_size=2", "a=&page_size=2", Level.WARNING),
        ("page=2&page_size=2", "page_size=2&x=1", Level.WARNING),
        ("page=2&page_size=2", "mode=credits&page_size=2", Level.ERROR),
        ("page=3&page_size=2", "page_size=2", Level.ERROR),
        ("ordering=-id&page=2&page_size=2", "ordering=id&page_size=2", Level.ERROR),
        ("page=2&page_size=2", "page_size=2&referral_channel=", Level.ERROR),
        ("page=2&page_size=2&status=", "page_size=2", Level.WARNING),
    ],
)
def test_a_link_to_the_right_page_is_not_as_bad_as_a_wrong_one(link: str, query: str, level: Level) -> None:
    assert [each for rule, at, each in found(linked(link, query)) if at == "/next"] == [level]


def test_a_first_page_may_be_named() -> None:
    body = json.loads(page(2, range(3, 5), 4, 0).body) | {"previous": f"{LIST}?page=1&page_size=2"}
    assert found(response(body, f"{LIST}?page=2&page_size=2", 0)) == [
        ("list.links-query", "/previous", Level.WARNING)
    ]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_count_below_the_rows_of_a_page_is_an_error(count: int) -> None:
    body = {"count": count, "next": None, "previous": None, "results": [ROW | {"id": n} for n in (1, 2, 3)]}
    assert ("list.count", "/count", Level.ERROR) in found(response(body, LIST, 0))
    beyond = body | {"previous": LIST}
    assert ("list.count", "/count", Level.ERROR) in found(response(beyond, f"{LIST}?page=2", 0))
