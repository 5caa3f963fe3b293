"""Dumps of curl and HTTPie, in the forms that people paste and save."""

from __future__ import annotations

import gzip
from io import BytesIO
from pathlib import Path

import pytest

from mock_webshare import recordings
from mock_webshare.exchange import limits
from mock_webshare.exchange.model import Exchange, OtherFile
from mock_webshare.recordings.formats import dump

PAGE = b'{"count":0,"next":null,"previous":null,"results":[]}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
RESPONSE = HEAD % len(PAGE) + PAGE
REQUEST = (
    b"GET /api/v2/referral/credit/ HTTP/1.1\r\nHost: proxy.webshare.io\r\nAuthorization: Token a\r\n\r\n"
)
H2 = b"HTTP/2 200 \r\ncontent-type: application/json\r\n\r\n"
URL = "https://proxy.webshare.io/api/v2/referral/credit/"


def read(content: bytes, source: Path | None = None) -> list[Exchange]:
    if source:
        source.write_bytes(content)
    found = list(recordings.read([str(source or "-")], BytesIO(content)))
    assert all(isinstance(each, Exchange) for each in found), found
    return [each for each in found if isinstance(each, Exchange)]


ALONE = {
    "curl -i": RESPONSE,
    "curl -i in a terminal": RESPONSE.replace(b"\r\n", b"\n") + b"\n",
    "after a prompt": b"$ curl -i https://proxy.webshare.io/\n" + RESPONSE + b"\n",
    "HTTP/2": H2 + PAGE,
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + PAGE,
    "after 100 Continue": b"HTTP/1.1 100 Continue\r\n\r\n" + RESPONSE,
    "after a tunnel": b"HTTP/1.1 200 Connection established\r\n\r\n" + RESPONSE,
    "with a byte order mark": b"\xef\xbb\xbf" + RESPONSE,
    "in UTF-16": (b"\r\n".join(RESPONSE.splitlines())).decode().encode("utf-16"),
    "packed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 70\r\n\r\n"
    + gzip.compress(PAGE),
    "unpacked by --compressed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 70\r\n\r\n"
    + PAGE,
    "in colours": b"\x1b[34mHTTP\x1b[39;49;00m/\x1b[34m1.1\x1b[39m 200 \x1b[36mOK\x1b[39m\nA: b\n\n" + PAGE,
}


@pytest.mark.parametrize("name", ALONE)
def test_a_response_is_read_without_a_url(name: str) -> None:
    (found,) = read(ALONE[name])
    assert (found.url, found.method, found.status, found.body) == (None, None, 200, PAGE)


VERBOSE = (
    b"*   Trying 10.0.0.1:443...\n* Connected to proxy.webshare.io (10.0.0.1) port 443 (#0)\n"
    b"* SSL connection using TLSv1.3\n> GET /api/v2/referral/credit/ HTTP/2\r\n> Host: proxy.webshare.io\r\n"
    b"> authorization: Token a\r\n> \r\n< HTTP/2 200 \r\n"
    b"< content-type: application/json\r\n< content-length: %d\r\n"
    b"< \r\n{ [52 bytes data]\n" % len(PAGE)
)
TOLD = {
    "curl -v": VERBOSE + PAGE + b"* Connection #0 to host proxy.webshare.io left intact\n",
    "curl -v to a file": VERBOSE + b"* Connection #0 to host proxy.webshare.io left intact\n" + PAGE,
    "curl -v with progress": (
        b"  % Total    % Received % Xferd  Average\n                                 Dload  Upload\n"
        b"\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
        + VERBOSE
        + b"\r100    52  100    52    0     0   106k      0 --:--:-- --:--:-- --:--:--  120k\n"
        + b"* Connection #0 to host proxy.webshare.io left intact\n"
        + PAGE
    ),
    "curl -v with line feeds": (VERBOSE + PAGE).replace(b"\r\n", b"\n"),
    "curl -iv": VERBOSE
    + b"HTTP/2 200 \r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(PAGE)
    + PAGE,
    "HTTPie": REQUEST + b"\n\n" + RESPONSE + b"\n\n",
    "HTTPie with the time": REQUEST + b"\n" + H2 + PAGE + b"\n\nElapsed time: 0.12s\n",
    "HTTPie that sends": REQUEST.replace(b"GET", b"POST") + b'{"a": 1}\n\n' + RESPONSE,
    "an absolute target": REQUEST.replace(b"GET /", b"GET https://proxy.webshare.io/") + RESPONSE,
}


@pytest.mark.parametrize("name", TOLD)
def test_a_response_after_its_request_has_a_url(name: str) -> None:
    (found,) = read(TOLD[name])
    assert (found.url, found.status, found.body) == (URL, 200, PAGE)
    assert found.request_header("Authorization") == "Token a"


LINES = {
    "curl -i": (RESPONSE, [1]),
    "after a prompt": (b"$ curl -i https://proxy.webshare.io/\n" + RESPONSE, [2]),
    "with a byte order mark": (b"\xef\xbb\xbf" + RESPONSE, [1]),
    "after its request": (REQUEST + RESPONSE, [5]),
    "two, without line breaks in bodies": (RESPONSE + b"\n" + RESPONSE, [1, 6]),
    "two after requests": (REQUEST + RESPONSE + b"\n\n" + REQUEST + RESPONSE, [5, 15]),
    "curl -v": (VERBOSE, [8]),
    "curl -v twice": (VERBOSE + b"\n" + VERBOSE, [8, 21]),
    "in colours": (ALONE["in colours"], [1]),
    "after 100 Continue": (ALONE["after 100 Continue"], [3]),
}


@pytest.mark.parametrize("name", LINES)
def test_a_response_has_the_line_on_which_it_begins(name: str) -> None:
    content, expected = LINES[name]
    for each in (content, content.replace(b"\r\n", b"\n")):
        assert [found.line for found in read(each)] == expected


def test_a_line_that_is_not_certain_is_not_named() -> None:
    progress = b"\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
    (found,) = read(VERBOSE.replace(b"< HTTP", progress + b"< HTTP"))
    assert (found.status, found.line) == (200, None)


def test_an_interrupted_dump_has_no_body() -> None:
    (found,) = read(HEAD % 500)
    assert (found.is_body_known, found.body) == (False, b"")


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_a_response_that_has_no_body_is_complete(status: bytes) -> None:
    (found,) = read(b"HTTP/1.1 " + status + b"\r\nA: b\r\n\r\n")
    assert found.is_body_known


@pytest.mark.parametrize("between", [b"", b"\n", b"\r\n\r\n"])
def test_several_responses_in_a_row_are_read(between: bytes) -> None:
    error = b'HTTP/1.1 404 Not Found\r\nContent-Length: 23\r\n\r\n{"detail":"Not found."}'
    found = read(between.join([RESPONSE, error, H2 + PAGE]))
    assert [(each.status, each.body) for each in found] == [
        (200, PAGE),
        (404, b'{"detail":"Not found."}'),
        (200, PAGE),
    ]
    assert [each.entry for each in found] == [0, 1, 2]


def test_bodies_that_curl_wrote_after_all_responses_are_given_back() -> None:
    other = b'{"detail":"Not found."}'
    second = VERBOSE.replace(b"200", b"404").replace(b"%d" % len(PAGE), b"%d" % len(other))
    found = read(VERBOSE + second + PAGE + other)
    assert [(each.status, each.body) for each in found] == [(200, PAGE), (404, other)]


@pytest.mark.parametrize(
    ("content", "is_exact"),
    [
        (RESPONSE, True),
        (RESPONSE + b"\n", True),
        (H2 + PAGE, False),
        (
            HEAD % len(PAGE)
            + b'{\n    "count": 0,\n    "next": null,\n    "previous": null,\n    "results": []\n}\n\n',
            False,
        ),
        (HEAD % 999 + PAGE, False),
    ],
)
def test_a_body_is_exact_if_its_length_is_known(content: bytes, is_exact: bool) -> None:
    assert [each.is_body_exact for each in read(content)] == [is_exact]


@pytest.mark.parametrize("name", ["a.txt", "a.json", "a", "a.log", "a.http"])
def test_a_dump_in_a_folder_is_read_whatever_its_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(RESPONSE)
    assert [
        each.status for each in recordings.read([str(tmp_path)], BytesIO()) if isinstance(each, Exchange)
    ] == [200]


def test_requests_without_responses_are_not_a_recording(tmp_path: Path) -> None:
    (tmp_path / "a.http").write_bytes(REQUEST)
    assert list(recordings.read([str(tmp_path)], BytesIO())) == [
        OtherFile(source=str(tmp_path / "a.http"), what="a text of HTTP requests without responses")
    ]


def test_a_readme_with_a_dump_in_it_is_text(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(
        b"# Try it\n\n    $ curl -i http://a/\n    HTTP/1.1 200 OK\n\n" + RESPONSE
    )
    assert [type(each) for each in recordings.read([str(tmp_path)], BytesIO())] == [OtherFile]


def test_too_many_messages_end_a_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dump, "MOST_MESSAGES", 10)
    (*_, last) = recordings.read(["-"], BytesIO(b"HTTP/1.1 200 OK\n\n" * 100))
    assert "more than 10 messages" in str(last)


def test_a_dump_beyond_the_limit_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_RECORD", 100)
    (found,) = recordings.read(["-"], BytesIO(RESPONSE * 3))
    assert "split it" in str(found)
