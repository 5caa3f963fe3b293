"""How TOML of Python's responses is read."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from mock_webshare import recordings
from mock_webshare.exchange.model import BadRecord, Exchange
from mock_webshare.recordings.formats import vcr

BEFORE = "[[responses]]\n\n[responses.response]\n"
RESPONSE = (
    BEFORE + 'method = "GET"\nurl = "http://a/b"\nbody = {}\nstatus = 200\ncontent_type = "text/plain"\n'
)


def read(text: str) -> list[Any]:
    return list(recordings.read(["-"], BytesIO(text.encode())))


@pytest.mark.parametrize("body", ['"{}"', "'{}'", '"""{}"""', "'''{}'''", '"\\u007b\\u007d"'])
def test_a_response_is_an_exchange(body: str) -> None:
    (exchange,) = read(RESPONSE.replace("= {}", f"= {body}"))
    assert (exchange.method, exchange.url, exchange.status) == ("GET", "http://a/b", 200)
    assert (exchange.body, exchange.is_body_exact) == (b"{}", True)
    assert (exchange.request_headers, exchange.headers) == (None, None)


def test_its_media_type_is_a_header_if_it_is_not_the_default() -> None:
    (exchange,) = read(RESPONSE.replace("= {}", "= ''").replace("text/plain", "application/json"))
    assert exchange.headers == (("Content-Type", "application/json"),)


def test_headers_and_comments_are_read() -> None:
    text = "# a\n\n" + RESPONSE.replace("= {}", "= ''") + '\n[responses.response.headers]\nA = "b"\n'
    (exchange,) = read(text)
    assert exchange.headers == (("A", "b"),)


def test_the_numbers_of_a_parsed_body_are_exact() -> None:
    (exchange,) = read(RESPONSE.replace("= {}", "= {amount = 2.50, a = [1, true]}"))
    assert (exchange.body, exchange.is_body_exact) == (b'{"amount":2.50,"a":[1,true]}', False)


def test_a_long_body_with_many_points_is_read() -> None:
    body = json.dumps([1.5] * 5000)
    for quoted in (json.dumps(body), f"'{body}'", f'"""{body}"""', f"'''{body}'''"):
        (exchange,) = read(RESPONSE.replace("= {}", f"= {quoted}"))
        assert isinstance(exchange, Exchange), exchange
        assert exchange.body == body.encode()


@pytest.mark.parametrize(
    "text",
    [
        RESPONSE.replace("= {}", "= "),
        RESPONSE.replace("= {}", "= '"),
        RESPONSE.replace("= 200", "= ok"),
        RESPONSE.replace("= 200", "= 'ok'").replace("{}", "''"),
        RESPONSE.replace("= {}", "= " + "[" * 100_000),
        RESPONSE.replace("= {}", "= " + "{a=" * 100_000),
        RESPONSE.replace("body", "a." * 100_000 + "a"),
        RESPONSE.replace("body", '"a".' * 100_000 + "a"),
        RESPONSE.replace("= {}", "= {" + "a." * 100_000 + "a=1}"),
        BEFORE.replace("]]\n\n[", "]]\n\n[" + "a." * 100_000),
        BEFORE + "a = 2026-01-01\n",
        BEFORE + "status = 200\n",
        "[[responses]]\nresponse = 1\n",
        "[[responses]]\n\xff",
    ],
)
def test_a_malformed_file_is_a_bad_record(text: str) -> None:
    assert [type(each) for each in read(text)] == [BadRecord]


def test_a_file_beyond_the_limit_is_a_bad_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vcr, "_LARGEST_TOML", 100)
    (record,) = read(RESPONSE)
    assert isinstance(record, BadRecord) and "write it as YAML" in record.problem


@pytest.mark.parametrize(
    "text", ["[project]\nname = 'a'\n", "[[response]]\n", "[[tool.responses]]\na = 1\n", "[[1]]"]
)
def test_other_toml_and_json_is_not_taken_for_it(text: str) -> None:
    assert not vcr.is_toml(text.encode())
