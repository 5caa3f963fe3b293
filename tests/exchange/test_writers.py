"""HAR and NDJSON are written to their specifications, and read again without loss."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO, StringIO, TextIOWrapper
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import mock_webshare
from mock_webshare import recordings
from mock_webshare.exchange.model import Exchange
from mock_webshare.exchange.writers import write_har, write_ndjson

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL = Exchange(
    source="-",
    entry=0,
    line=1,
    method="POST",
    url="https://proxy.webshare.io/api/v2/referral/credit/?mode=&status=a&status=b%20c",
    request_headers=(("Content-Type", "text/plain"), ("X", "é\u2028"), ("X", "2")),
    request_body=b"sent",
    status=405,
    headers=(("Content-Type", "application/json"), ("Location", "/x/")),
    body='{"detail": "\u2028 é"}'.encode(),
    started=1655233090246406,
    seconds=0.25,
)
EXCHANGES = [
    FULL,
    replace(FULL, body=b"\xff\x00", request_body=b"\xff", started=1655233090000000),
    replace(FULL, status=None, headers=None, body=b""),
    replace(FULL, body=b"", is_body_known=False),
    replace(FULL, status=799, url="http://[", body=b"", request_body=b""),
    replace(FULL, url="http://a/\ud800", headers=(("X", "\udcff"),)),
]
BARE = Exchange(source="-", entry=0, line=1, body=b"{}")

# The types of the specification, http://www.softwareishard.com/blog/har-12-spec/.
TEXT, NUMBER, INTEGER = (
    {"type": "string"},
    {"type": "number", "minimum": 0},
    {"type": "integer", "minimum": -1},
)


def an_object(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object that has at least these fields."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def a_list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


PAIRS = a_list(an_object(name=TEXT, value=TEXT))
MESSAGE = {
    "httpVersion": TEXT,
    "cookies": a_list({}),
    "headers": PAIRS,
    "headersSize": INTEGER,
    "bodySize": INTEGER,
}
ENTRY = an_object(
    startedDateTime={"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d$"},
    time=NUMBER,
    request=an_object(method=TEXT, url=TEXT, queryString=PAIRS, **MESSAGE),
    response=an_object(
        status={"type": "integer"},
        statusText=TEXT,
        redirectURL=TEXT,
        content=an_object(size=INTEGER, mimeType=TEXT),
        **MESSAGE,
    ),
    cache={"type": "object"},
    timings=an_object(send=NUMBER, wait=NUMBER, receive=NUMBER),
)
HAR = an_object(
    log=an_object(version={"const": "1.2"}, creator=an_object(name=TEXT, version=TEXT), entries=a_list(ENTRY))
)


def har(exchanges: list[Exchange]) -> str:
    stream = StringIO()
    write_har(exchanges, stream)
    return stream.getvalue()


def ndjson(exchanges: list[Exchange]) -> str:
    stream = StringIO()
    write_ndjson(exchanges, stream)
    return stream.getvalue()


def read(text: str, input_format: str) -> list[Any]:
    return list(recordings.read(["-"], BytesIO(text.encode()), input_format=input_format))


def placed(exchanges: list[Exchange], first_line: int) -> list[Exchange]:
    """Return the exchanges with the places they have in a file of one exchange per line."""
    return [replace(each, entry=n, line=n + first_line) for n, each in enumerate(exchanges)]


@pytest.mark.parametrize("input_format", ["auto", "ndjson", "journal"])
def test_lines_hold_all_of_an_exchange(input_format: str) -> None:
    assert read(ndjson(EXCHANGES), input_format) == placed(EXCHANGES, 1)


@pytest.mark.parametrize("input_format", ["auto", "har"])
def test_a_har_holds_all_of_an_exchange(input_format: str) -> None:
    assert read(har(EXCHANGES), input_format) == placed(EXCHANGES, 2)


def test_a_har_keeps_the_types_of_the_specification() -> None:
    Draft202012Validator(HAR).validate(json.loads(har([*EXCHANGES, BARE])))


def test_a_har_names_its_creator() -> None:
    assert json.loads(har([])) == {
        "log": {
            "version": "1.2",
            "creator": {"name": "mock-webshare", "version": mock_webshare.__version__},
            "entries": [],
        }
    }


def test_a_har_has_the_query_and_the_redirect() -> None:
    (entry,) = json.loads(har([FULL]))["log"]["entries"]
    assert [tuple(pair.values()) for pair in entry["request"]["queryString"]] == [
        ("mode", ""),
        ("status", "a"),
        ("status", "b c"),
    ]
    assert (entry["response"]["redirectURL"], entry["response"]["statusText"]) == (
        "/x/",
        "Method Not Allowed",
    )
    assert (entry["startedDateTime"], entry["time"]) == ("2022-06-14T11:58:10.246406-07:00", 250)


def test_a_binary_body_is_base64() -> None:
    (entry,) = json.loads(har([replace(FULL, body=b"\xff")]))["log"]["entries"]
    assert entry["response"]["content"] == {
        "size": 1,
        "mimeType": "application/json",
        "text": "/w==",
        "encoding": "base64",
    }


def test_missing_parts_of_an_exchange_are_missing_when_it_is_read_again() -> None:
    (exchange,) = read(har([BARE]), "har")
    assert (exchange.method, exchange.url, exchange.status, exchange.started) == (None, None, None, None)


@pytest.mark.parametrize("write", [write_har, write_ndjson])
def test_an_ascii_stream_is_enough(write: Any) -> None:
    stream = TextIOWrapper(BytesIO(), encoding="ascii")
    write(EXCHANGES, stream)
    stream.flush()


@pytest.mark.parametrize("write", [write_har, write_ndjson])
def test_each_exchange_is_written_before_the_next_is_taken(write: Any) -> None:
    stream, sizes = StringIO(), list[int]()

    def exchanges() -> Iterator[Exchange]:
        for _ in range(3):
            sizes.append(stream.tell())
            yield FULL

    write(exchanges(), stream)
    assert len(set(sizes)) == 3


TEXTS = st.text(max_size=20)
HEADERS = st.lists(st.tuples(TEXTS.filter(lambda name: not name.startswith(":")), TEXTS)).map(tuple)


@given(
    st.builds(
        Exchange,
        source=st.just("-"),
        entry=st.just(0),
        method=TEXTS.filter(bool),
        url=TEXTS.filter(bool),
        request_headers=HEADERS,
        request_body=st.binary(),
        status=st.sampled_from([200, 301, 404, 500]),
        headers=HEADERS,
        body=st.binary(),
        started=st.integers(1, 10**16),
    )
)
def test_both_forms_hold_whatever_an_exchange_may_hold(exchange: Exchange) -> None:
    exchange = replace(exchange, seconds=0.0)
    for text, name in ((har([exchange]), "har"), (ndjson([exchange]), "journal")):
        (found,) = read(text, name)
        assert replace(found, line=None) == exchange
