"""Recordings of other tools, as the tools wrote them, clean and broken, and odd members of each form."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from mock_webshare import recordings
from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.model import BadRecord, Exchange
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from tests.paths import RECORDED
from tests.recordings import read_exchanges

TOOLS = RECORDED / "tools"
ORIGIN = "http://127.0.0.1:18990"
LIST = "/api/v2/referral/credit/"
URL = f"{ORIGIN}{LIST}"
PAGE = b'{"count":0,"next":null,"previous":null,"results":[]}'
JSON_HEADERS = [{"key": "Content-Type", "value": "application/json"}]

RECORDED_BY_TOOLS = {
    "nock.json": 5,
    "polly.har": 5,
    "newman.json": 3,
    "requests-cache": 5,
    "wiremock": 4,
    "curl-v.txt": 2,
    "httpie.txt": 2,
    "httpie-pretty.txt": 1,
}


@pytest.mark.parametrize("name", RECORDED_BY_TOOLS)
def test_what_a_tool_recorded_is_read_with_its_url_and_status(name: str) -> None:
    found = read_exchanges(TOOLS / "clean" / name)
    assert len(found) == RECORDED_BY_TOOLS[name]
    origins = (ORIGIN, "https://proxy.webshare.io") if name == "wiremock" else (ORIGIN,)  # that of errors
    assert all((each.url or "").startswith(origins) and each.status in (200, 301, 400, 404) for each in found)
    assert all(json.loads(each.body) for each in found if each.status != 301)
    if name not in ("requests-cache", "wiremock"):  # which redact it, or were not asked for it
        assert {each.request_header("authorization") for each in found} == {"Token any"}


def test_the_responses_of_curl_are_read_without_a_url() -> None:
    found = read_exchanges(TOOLS / "clean" / "curl-i.txt")
    assert [(each.url, each.status, each.is_body_exact) for each in found] == [
        (None, status, True) for status in (200, 400, 404)
    ]


@pytest.mark.parametrize("name", [*RECORDED_BY_TOOLS, "curl-i.txt"])
def test_the_broken_twin_is_reported_and_the_clean_one_has_no_error(name: str) -> None:
    def checks(twin: str) -> set[str]:
        verdict = judge(recordings.read([str(TOOLS / twin / name)], BytesIO()), Options())
        assert verdict.judged
        return {each.rule for each in verdict.findings if each.level.name == "ERROR"}

    assert checks("clean") == set()
    assert "object.amount" in checks("broken")


@pytest.mark.parametrize(
    ("name", "is_exact"),
    [
        ("nock.json", False),
        ("httpie-pretty.txt", False),
        ("curl-v.txt", True),
        ("httpie.txt", True),
        ("newman.json", True),
        ("wiremock", True),
        ("polly.har", True),
    ],
)
def test_a_body_that_the_tool_wrote_again_is_not_exact(name: str, is_exact: bool) -> None:
    found = [each for each in read_exchanges(TOOLS / "clean" / name) if each.status != 301]
    assert {each.is_body_exact for each in found} == {is_exact}


def test_requests_cache_keeps_exact_bodies_only_if_it_does_not_decode_them() -> None:
    folder = TOOLS / "clean" / "requests-cache"
    exact = {Path(each.source).name[:3] == "raw": each.is_body_exact for each in read_exchanges(folder)}
    assert exact == {True: True, False: False}


def read(document: Any) -> list[Any]:
    return list(recordings.read(["-"], BytesIO(json.dumps(document).encode())))


def nock(**changes: Any) -> dict[str, Any]:
    call = {"scope": "https://proxy.webshare.io:443", "method": "get", "path": LIST, "status": 200}
    return call | {"response": json.loads(PAGE), "rawHeaders": ["A", "b"]} | changes


def wiremock(response: dict[str, Any], **request: Any) -> dict[str, Any]:
    return {"id": "x", "request": {"method": "GET", "url": LIST} | request, "response": response}


def newman(**response: Any) -> dict[str, Any]:
    stream = {"type": "Buffer", "data": list(PAGE)}
    answer = {"code": 200, "header": JSON_HEADERS, "stream": stream} | response
    return {
        "collection": {},
        "run": {"executions": [{"request": {"method": "GET", "url": URL}, "response": answer}]},
    }


def postman(url: Any, **example: Any) -> dict[str, Any]:
    request = {"method": "GET", "header": [], "url": url}
    saved = {"originalRequest": request, "code": 200, "header": JSON_HEADERS, "body": PAGE.decode()} | example
    folder = {"name": "a", "item": [{"name": "b", "item": [{"name": "c", "response": [saved]}]}]}
    return {"info": {}, "item": [folder], "variable": [{"key": "base", "value": ORIGIN}]}


def cached(**changes: Any) -> dict[str, Any]:
    request = {"method": "GET", "url": URL, "headers": {}}
    return {"request": request, "url": URL, "status_code": 200, "headers": {}} | changes


GZIP = gzip.compress(PAGE, mtime=0)
HALVES = (GZIP[:20], GZIP[20:])
PARTS = {
    "protocol": "http",
    "host": ["127", "0", "0", "1"],
    "port": "18990",
    "path": [*LIST.strip("/").split("/"), ""],
}
PACKED = ["Content-Encoding", "gzip"]

MEMBERS: dict[str, Any] = {
    "nock: an array of calls": [nock()],
    "nock: a call alone": nock(),
    "nock: a text": [nock(response=PAGE.decode())],
    "nock: hexadecimal": [nock(response=PAGE.hex(), responseIsBinary=True)],
    "nock: pieces of gzip": [nock(response=[each.hex() for each in HALVES], rawHeaders=PACKED)],
    "nock: headers by name": [nock(rawHeaders={"A": "b", "C": ["d", "e"]})],
    "nock: headers of older releases": [
        {k: v for k, v in nock(headers={"a": "b"}).items() if k != "rawHeaders"}
    ],
    "WireMock: a mapping": wiremock({"status": 200, "body": PAGE.decode()}),
    "WireMock: a list": {"mappings": [wiremock({"body": PAGE.decode()})], "meta": {"total": 1}},
    "WireMock: base64": wiremock({"status": 200, "base64Body": base64.b64encode(PAGE).decode()}),
    "WireMock: a parsed body": wiremock({"status": 200, "jsonBody": json.loads(PAGE)}),
    "WireMock: a query": {
        "request": {"method": "GET", "urlPath": LIST, "queryParameters": {"page": {"equalTo": "1"}}},
        "response": {"status": 200, "body": PAGE.decode(), "headers": {"A": ["b", "c"]}},
    },
    "WireMock: the journal": {
        "requests": [
            {
                "request": {"url": LIST, "absoluteUrl": URL, "method": "GET", "headers": {"A": "b"}},
                "response": {"status": 200, "bodyAsBase64": base64.b64encode(PAGE).decode(), "body": "x"},
            }
        ],
        "meta": {},
    },
    "newman: a stream": newman(),
    "newman: a text": newman(stream=None, body=PAGE.decode()),
    "newman: packed": newman(
        stream={"data": list(GZIP)}, header=[{"key": "Content-Encoding", "value": "gzip"}]
    ),
    "newman: only the run": {"run": newman()["run"]},
    "Postman: a URL with a variable": postman("{{base}}" + LIST),
    "Postman: a URL in parts": postman(PARTS),
    "Postman: an unknown variable": postman(
        {"raw": "{{host}}" + LIST, "host": ["{{host}}"], "path": LIST[1:].split("/")}
    ),
    "Postman: headers as a text": postman(URL, header="Content-Type: application/json\nDate: x"),
    "Postman: the export of the API": {"collection": postman(URL)},
    "requests-cache: parsed": cached(_decoded_content=json.loads(PAGE)),
    "requests-cache: a text": cached(_decoded_content=PAGE.decode()),
    "requests-cache: base64": cached(_content=base64.b64encode(PAGE).decode()),
    "requests-cache: base85": cached(_content=base64.b85encode(PAGE).decode()),
    "requests-cache: packed": cached(
        _content=base64.b85encode(GZIP).decode(), headers={"Content-Encoding": "gzip"}
    ),
    "requests-cache: an array": [cached(_decoded_content=PAGE.decode())],
}


@pytest.mark.parametrize("name", MEMBERS)
def test_each_form_of_a_tool_is_read(name: str) -> None:
    (found,) = read(MEMBERS[name])
    assert isinstance(found, Exchange), found
    assert (found.method, found.status, found.body) == ("GET", 200, PAGE)
    assert (found.url or "").endswith(LIST) or found.url == f"https://proxy.webshare.io{LIST}?page=1"
    assert (found.url or "").startswith("http")


@pytest.mark.parametrize(
    "name", ["nock: an array of calls", "WireMock: a parsed body", "requests-cache: parsed"]
)
def test_a_body_that_is_not_exact_stays_so_in_ndjson_and_har(name: str) -> None:
    from io import StringIO

    from mock_webshare.exchange.writers import write_har, write_ndjson

    (found,) = read(MEMBERS[name])
    for write in (write_ndjson, write_har):
        stream = StringIO()
        write([found], stream)
        (again,) = recordings.read(["-"], BytesIO(stream.getvalue().encode()))
        assert isinstance(again, Exchange)
        assert (again.is_body_exact, again.body) == (False, PAGE)


def test_the_origin_that_was_not_recorded_is_that_of_the_links() -> None:
    page = PAGE.replace(b'"next":null', b'"next":"https://mock.example:8443' + LIST.encode() + b'?page=2"')
    (found,) = read(wiremock({"status": 200, "body": page.decode()}))
    assert found.url == f"https://mock.example:8443{LIST}"


BAD: dict[str, Any] = {
    "a status of nock that is text": [nock(status="ok")],
    "a status of nock that is missing": [nock(status=None)],
    "hexadecimal that is not": [nock(response="zz", responseIsBinary=True)],
    "half a header": [nock(rawHeaders=["A"])],
    "a scope that is a number": [nock(scope=5)],
    "a status of WireMock that is a list": wiremock({"status": [200]}),
    "base64 that is not": wiremock({"status": 200, "base64Body": "%"}),
    "a body file outside the folder": wiremock({"status": 200, "bodyFileName": "../../../../etc/passwd"}),
    "a code of newman that is text": newman(code="OK"),
    "a stream of newman that is not of bytes": newman(stream={"data": [300, "x"]}),
    "a stream of newman that is a number": newman(stream={"data": 5}),
    "a code of Postman that is an object": postman(URL, code={}),
    "a URL of Postman that is a list": postman([]),
    "a status of requests-cache that is text": cached(status_code="200 OK"),
    "base85 that is not": cached(_content='"""'),
    "headers of requests-cache that are a list": cached(headers=[1]),
    "a HAR whose status is missing": {
        "log": {
            "entries": [{"request": {"method": "GET", "url": URL}, "response": {"content": {"text": "{}"}}}]
        }
    },
    "a HAR whose status is an object": {
        "log": {
            "entries": [{"request": {"method": "GET", "url": URL}, "response": {"status": {"code": 200}}}]
        }
    },
    "an exchange whose status is missing": {
        "request": {"method": "GET", "url": URL},
        "response": {"body": "{}"},
    },
    "an exchange whose status is text": {
        "request": {"method": "GET", "url": URL},
        "response": {"status": "OK", "body": "{}"},
    },
}


@pytest.mark.parametrize("name", BAD)
def test_a_record_that_is_not_understood_is_a_bad_record(name: str) -> None:
    assert [type(each) for each in read(BAD[name])] == [BadRecord]


def test_a_bad_call_does_not_hide_the_next() -> None:
    first, bad, last = read([nock(), nock(status="ok"), nock()])
    assert isinstance(bad, BadRecord) and bad.entry == 1
    assert first.body == last.body


PATTERNS: dict[str, Any] = {
    "a pattern of a URL": {
        "request": {"method": "GET", "urlPattern": "/api/.*"},
        "response": {"status": 200},
    },
    "a pattern of a query": wiremock({"status": 200}, queryParameters={"page": {"matches": "[0-9]+"}}),
    "any method": wiremock({"status": 200}, method="ANY"),
    "a fault": wiremock({"fault": "EMPTY_RESPONSE"}),
    "a template": wiremock({"status": 200, "body": "{{x}}", "transformers": ["response-template"]}),
    "a proxy": wiremock({"proxyBaseUrl": "http://a"}),
    "a collection without examples": {"info": {}, "item": [{"name": "a", "request": {}, "response": []}]},
}


@pytest.mark.parametrize("name", PATTERNS)
def test_what_is_a_rule_and_not_an_exchange_is_not_read(name: str) -> None:
    (found,) = read(PATTERNS[name])
    assert isinstance(found, UnreadableInput)
    assert "which is not read" in str(found)


def test_a_pattern_beside_an_exchange_is_passed_over() -> None:
    (found,) = read({"mappings": [PATTERNS["a fault"], wiremock({"status": 200, "body": PAGE.decode()})]})
    assert isinstance(found, Exchange)


HOSTILE: dict[str, Callable[[], Any]] = {
    "folders in folders": lambda: {"info": {}, "item": [nested(300)]},
    "folders that are numbers": lambda: {"info": {}, "item": [1, None, {"item": 5, "response": 7}]},
    "a variable in itself": lambda: postman("{{a}}" + LIST) | {"variable": [{"key": "a", "value": "{{a}}"}]},
}


def nested(depth: int) -> dict[str, Any]:
    return {"item": [nested(depth - 1)]} if depth else {"item": []}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_collection_ends(name: str) -> None:
    assert len(read(HOSTILE[name]())) == 1


def test_a_gzip_bomb_in_pieces_is_a_bad_record(monkeypatch: pytest.MonkeyPatch) -> None:
    from mock_webshare.exchange import limits

    monkeypatch.setattr(limits, "LARGEST_RECORD", 100_000)
    bomb = gzip.compress(b"\0" * 200_000)
    (found,) = read([nock(response=[bomb.hex()], rawHeaders=PACKED)])
    assert isinstance(found, BadRecord) and "unpacks to more" in found.problem
