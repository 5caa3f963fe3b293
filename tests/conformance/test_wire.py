"""The comparison itself: what must count as a difference does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.wire import COMPARED, KNOWN, Request, Response, differences

JSON = ("Content-Type", "application/json")
ANSWER = Response("GET", 200, (JSON, ("Content-Length", "2"), ("Allow", "GET"), ("Server", "a")), b"{}")
KNOWN_404 = Response(
    "GET",
    404,
    (JSON, ("Content-Length", "55")),
    b'{"detail":"%s"}' % KNOWN[0].reference.encode(),
    KNOWN[0].path + "9001/",
)
OUR_404 = Response("GET", 404, (JSON, ("Content-Length", "23")), b'{"detail":"Not found."}')


def test_equal_responses_have_no_differences() -> None:
    assert differences(ANSWER, replace(ANSWER, headers=(*ANSWER.headers[:3], ("Server", "b")))) == []


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("status", replace(ANSWER, status=201)),
        ("body", replace(ANSWER, body=b"[]")),
        ("Allow", ANSWER.with_header("Allow", "GET, HEAD")),
        ("Allow", replace(ANSWER, headers=(*ANSWER.headers, ("Allow", "GET")))),
        ("Content-Length", replace(ANSWER, headers=(JSON, ("Allow", "GET")))),
        *((name, ANSWER.with_header(name, "x")) for name in COMPARED),
    ],
)
def test_each_difference_is_named(name: str, ours: Response) -> None:
    assert [sentence.partition(":")[0] for sentence in differences(ANSWER, ours)] == [name]


def test_a_known_text_is_read_as_ours() -> None:
    assert differences(KNOWN_404, OUR_404) == []
    assert differences(KNOWN_404, KNOWN_404) != []


def test_the_length_of_a_known_text_is_read_as_ours_when_there_is_no_body() -> None:
    head = replace(KNOWN_404, method="HEAD", body=b"")
    assert differences(head, replace(OUR_404, method="HEAD", body=b"")) == []
    assert differences(head, head) != []


def test_the_time_of_an_update_is_not_compared() -> None:
    texts = (b'{"a":1,"updated_at":"%s"}' % time for time in (b"2022", b"2022-06"))
    one, other = (
        Response("PATCH", 200, (JSON, ("Content-Length", str(len(text)))), text, "") for text in texts
    )
    assert differences(one, other, is_updated=True) == []
    assert differences(one, other) != []
    assert differences(one, replace(other, body=other.body.replace(b"1", b"2")), is_updated=True) != []


def test_a_204_needs_no_length() -> None:
    deleted = Response("DELETE", 204, (("Content-Length", "0"),), b"")
    assert differences(deleted, replace(deleted, headers=())) == []


def test_a_request_is_sent_as_it_is_written() -> None:
    request = Request("/a%2f/../?b", "POST", (("A", "1"), ("A", "\xff")), b"\x00")
    assert bytes(request) == b"POST /a%2f/../?b HTTP/1.1\r\nA: 1\r\nA: \xff\r\n\r\n\x00"
