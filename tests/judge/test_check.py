"""Which exchanges are judged: not those of something before the service, nor of another endpoint."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from mock_webshare.judge.verdict import Verdict
from tests.recorded_responses import LIST, one

HTML = b"<!DOCTYPE html><html><head><title>Attention Required!</title></head></html>"


def judged(
    status: int, body: bytes, content_type: str | None, url: str = LIST, headers: Any = (), **more: Any
) -> Verdict:
    typed = () if content_type is None else (("Content-Type", content_type),)
    exchange = Exchange(
        source="a.ndjson",
        method=more.pop("method", "GET"),
        url=url,
        request_headers=(("Authorization", "Token k"),),
        status=status,
        headers=(("Server", "cdn"), *typed, *headers),
        body=body,
    )
    return judge([one(0), exchange], Options())


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (429, b"error code: 1015", "text/plain; charset=UTF-8"),
        (429, HTML, "text/html; charset=UTF-8"),
        (429, b"Too Many Requests", None),
        (429, b"", "text/html"),
        (403, HTML, "text/html"),
        (403, b"error code: 1020", "text/plain"),
        (403, b"Access denied by your organisation", "text/plain; charset=iso-8859-1"),
        (403, b"<Error><Code>AccessDenied</Code></Error>", "application/xml"),
        (403, b"", None),
        (407, b"Proxy Authentication Required", "text/plain"),
        (408, b"<html><body><h1>408 Request Time-out</h1></body></html>", "text/html"),
        (413, HTML, "text/html"),
        (414, b"<html></html>", "text/html"),
        (421, b"Misdirected Request", "text/plain"),
        (431, b"", None),
        (451, HTML, "text/html"),
    ],
)
def test_a_page_of_a_proxy_is_skipped_with_its_number(
    status: int, body: bytes, content_type: str | None
) -> None:
    verdict = judged(status, body, content_type)
    assert (verdict.findings, verdict.skipped) == ((), {"a response of a proxy": 1})


@pytest.mark.parametrize("url", [LIST, f"{LIST}?status=pending&page_size=10", f"{LIST}7/"])
@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (401, b"Unauthorized", "text/plain"),
        (401, HTML, "text/html"),
        (404, HTML, "text/html; charset=utf-8"),
        (404, b"404 page not found\n", "text/plain; charset=utf-8"),
        (404, b"", "text/plain"),
        (405, HTML, "text/html"),
        (400, b"<html><center>nginx</center></html>", "text/html"),
    ],
)
def test_another_page_without_json_is_one_warning(
    url: str, status: int, body: bytes, content_type: str
) -> None:
    (finding,) = judged(status, body, content_type, url=url).findings
    assert (finding.rule, finding.check, finding.level) == ("wire.json", "content-type", Level.WARNING)


@pytest.mark.parametrize(("status", "body"), [(403, b'{"code":"x"}'), (429, b'{"error":1015}'), (429, b"{")])
def test_an_error_in_json_is_judged(status: int, body: bytes) -> None:
    assert judged(status, body, "application/json", headers=(("Allow", "GET"),)).exit_code == 1


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"title":"Error 1020","detail":"Blocked","cloudflare_error":true}', "application/problem+json"),
        (b'{"message":"Forbidden"}', "application/json"),
        (b'{"error":{"code":429}}', "application/json; charset=utf-8"),
        (b'{"Type":"User","message":null}', "application/json"),
        (b'["rate limited"]', "application/json"),
        (b"{}", "text/json"),
    ],
)
def test_the_json_of_a_gateway_is_skipped(status: int, body: bytes, content_type: str) -> None:
    assert judged(status, body, content_type).skipped == {"a response of a proxy": 1}


def test_a_page_with_200_is_not_what_the_service_sends() -> None:
    assert Level.ERROR in {each.level for each in judged(200, HTML, "text/html").findings}


CREDIT_TEXT = one(0).body


def as_recorded(body: bytes, *, length: int | None = None, is_body_exact: bool = True) -> Verdict:
    headers = [("Content-Type", "application/json"), ("Allow", "GET, HEAD, OPTIONS")]
    headers += [] if length is None else [("Content-Length", str(length))]
    exchange = replace(one(0), headers=tuple(headers), body=body, is_body_exact=is_body_exact)
    return judge([exchange], Options())


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(json.loads(CREDIT_TEXT), indent=2).encode(),
        json.dumps(json.loads(CREDIT_TEXT), indent="\t").encode() + b"\r\n",
        json.dumps(json.loads(CREDIT_TEXT)).encode(),
        CREDIT_TEXT + b"\n",
        b"\n" + CREDIT_TEXT,
        CREDIT_TEXT.replace(b"2.5", b" 2.50"),
    ],
)
def test_a_body_that_the_recorder_wrote_again_is_a_note(body: bytes) -> None:
    for length in (None, len(CREDIT_TEXT), 150):  # 150: compressed
        verdict = as_recorded(body, length=length)
        assert {each.level for each in verdict.findings} == {Level.NOTE}
    sent = as_recorded(body, length=len(body))
    assert {each.level for each in sent.findings} == {Level.WARNING}


def test_nothing_is_said_about_the_bytes_of_a_body_that_was_parsed() -> None:
    row = dict(reversed(json.loads(CREDIT_TEXT).items())) | {"amount": 3}
    verdict = as_recorded(json.dumps(row, indent=1).encode(), is_body_exact=False)
    assert verdict.findings == ()
    broken = as_recorded(json.dumps(row | {"amount": "3"}).encode(), is_body_exact=False)
    assert [each.rule for each in broken.findings] == ["object.amount"]


SUMMARY = b'{"total":12.5,"count":3}'


@pytest.mark.parametrize(
    ("path", "status", "body", "content_type"),
    [
        ("summary/", 200, SUMMARY, "application/json"),
        ("export.csv/", 200, b"id,amount\n", "text/csv"),
        ("by-month/?year=2026", 200, b"[]", "application/json"),
        ("summary", 301, b"", "text/html"),
        ("stats/", 401, b'{"detail":"Invalid token."}', "application/json"),
        ("stats/", 404, b"<h1>Not Found</h1>", "text/html"),
        ("me/", 405, b'{"detail":"Method \\"GET\\" not allowed."}', "application/json"),
        ("me/", 204, b"", None),
    ],
)
def test_a_path_that_only_begins_like_ours_is_another_endpoint(
    path: str, status: int, body: bytes, content_type: str | None
) -> None:
    verdict = judged(status, body, content_type, url=LIST + path)
    assert (verdict.findings, verdict.skipped) == ((), {"another endpoint": 1})


def test_the_404_of_an_id_that_is_no_number_is_judged() -> None:
    allow = (("Allow", "GET, HEAD, OPTIONS"),)
    right, wrong = (b'{"detail":"Not found."}', b'{"detail":"Nothing here."}')
    assert judged(404, right, "application/json", f"{LIST}abc/", allow).judged == 2
    (finding,) = judged(404, wrong, "application/json", f"{LIST}abc/", allow).findings
    assert finding.rule == "detail.not-found"


@pytest.mark.parametrize(
    ("here", "there", "skipped"),
    [
        ("http", "https", {"a redirection to https": 1}),
        ("https", "http", {}),
    ],
)
def test_only_a_redirection_to_https_is_skipped(here: str, there: str, skipped: dict[str, int]) -> None:
    target = LIST.removeprefix("https")
    verdict = judged(301, b"", "text/html", here + target, (("Location", there + target),))
    assert verdict.skipped == skipped
    assert ("route.slash" in {each.rule for each in verdict.findings}) is not bool(skipped)
