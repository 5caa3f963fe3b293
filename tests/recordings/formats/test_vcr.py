"""How cassettes are read: those of all versions of vcrpy, and of related tools."""

from __future__ import annotations

import base64
import builtins
import gzip
import json
import sys
from io import BytesIO
from textwrap import dedent, indent
from typing import Any

import pytest

from mock_webshare import recordings
from mock_webshare.contract.timestamps import parse_instant
from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.model import BadRecord, Exchange

PACKED = base64.b64encode(gzip.compress(b"{}", mtime=0)).decode()


def read(text: str | bytes) -> list[Any]:
    content = text if isinstance(text, bytes) else dedent(text).encode()
    return list(recordings.read(["-"], BytesIO(content), input_format="vcr"))


def read_response(response: str) -> Any:
    """Return the exchange of a response in YAML."""
    head = "interactions:\n- request: {method: GET, uri: http://a/}\n  response:\n"
    (record,) = read((head + indent(dedent(response).strip("\n"), "    ") + "\n").encode())
    return record


VCRPY = """\
interactions:
- request:
    body: null
    headers:
      Accept: ['*/*']
      Authorization:
      - Token a
    method: GET
    uri: http://a/?b=1
  response:
    body:
      string: '{"count":1,
        "next":null}'
    headers:
      Content-Type:
      - application/json
      Set-Cookie:
      - a=1
      - b=2
    status:
      code: 200
      message: OK
- request: {body: a=1, headers: {}, method: POST, uri: http://a/}
  response: {body: {string: ''}, headers: {}, status: {code: 301, message: Moved}}
version: 1
"""


def test_an_interaction_of_vcrpy_is_an_exchange() -> None:
    first, second = read(VCRPY)
    assert first == Exchange(
        source="-",
        entry=0,
        line=2,
        method="GET",
        url="http://a/?b=1",
        request_headers=(("Accept", "*/*"), ("Authorization", "Token a")),
        status=200,
        headers=(("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")),
        body=b'{"count":1, "next":null}',
    )
    assert (second.method, second.request_body, second.status, second.line) == ("POST", b"a=1", 301, 23)


def test_scalars_are_read_as_text() -> None:
    body = "{body: {string: 1.50}, headers: {Age: 010, X: yes}, status: {code: 200}}"
    exchange = read_response(body)
    assert (exchange.body, exchange.headers) == (b"1.50", (("Age", "010"), ("X", "yes")))


@pytest.mark.parametrize(
    "body",
    [
        f"body: {{string: !!binary {PACKED}}}",
        "body: {string: '{}'}",
        "body: '{}'",
        "body: {string: !!python/unicode '{}'}",
        "body: {string: !!python/str '{}'}",
        "content: '{}'",
        f"body: {{base64_string: {PACKED}, encoding: ASCII-8BIT}}",
        "body: {string: " + json.dumps(gzip.compress(b"{}", mtime=0).decode("latin-1")) + "}",
    ],
)
def test_a_body_is_read_however_it_is_stored(body: str) -> None:
    exchange = read_response(f"headers: {{Content-Encoding: [gzip]}}\nstatus: {{code: 200}}\n{body}")
    assert isinstance(exchange, Exchange)
    assert exchange.body == b"{}"


def test_a_body_of_bytes_is_kept() -> None:
    text = base64.b64encode(b"\x00\xff").decode()
    assert read_response(f"status: {{code: 200}}\nbody: {{string: !!binary {text}}}").body == b"\x00\xff"


@pytest.mark.parametrize("body", ["body: null", "body: {string: null}", "body: {}", "headers: {}"])
def test_a_missing_body_is_empty(body: str) -> None:
    assert read_response(f"status: {{code: 204}}\n{body}").body == b""


@pytest.mark.parametrize("status", ["status: 200", "status_code: 200", "status: {code: 200, message: null}"])
def test_a_status_is_read_in_every_form(status: str) -> None:
    assert read_response(status).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        "{a: [b], c: d}",
        "{a: b, c: [d]}",
        "[[a, b], [c, d]]",
        "{a: !!binary Yg==, c: [!!python/unicode d]}",
    ],
)
def test_headers_are_read_in_every_form(headers: str) -> None:
    assert read_response(f"status: 200\nheaders: {headers}").headers == (("a", "b"), ("c", "d"))


def test_an_alias_has_the_value_of_its_anchor() -> None:
    """PyYAML writes them for objects that occur twice, in different interactions as well."""
    first, second = read("""\
        interactions:
        - request: &id001 {method: GET, uri: http://a/, headers: &id002 {X: ['1']}}
          response: {status: {code: 200}, headers: *id002}
        - request: *id001
          response: {status: {code: 404}, headers: *id002}
        """)
    assert first.request_headers == second.headers == (("X", "1"),)
    assert (second.url, second.status) == ("http://a/", 404)


def test_an_anchor_that_is_defined_again_has_its_new_value() -> None:
    first, second = read("""\
        interactions:
        - request: {method: GET, uri: http://a/}
          response: {status: &a 200, body: *a}
        - request: {method: GET, uri: http://a/}
          response: {status: &a 404, body: *a}
        """)
    assert (first.body, second.body) == (b"200", b"404")


def test_an_alias_of_an_unsupported_value_does_not_hide_the_next_interaction() -> None:
    *bad, good = read("""\
        interactions:
        - request: {method: GET, uri: http://a/, headers: &a !!python/object:a.B {c: d}}
          response: {status: 200}
        - request: {method: GET, uri: http://a/, headers: *a}
          response: {status: 200}
        - request: {method: GET, uri: http://a/}
          response: {status: 200}
        """)
    assert [record.problem for record in bad] == [
        "it has an unsupported YAML tag",
        "it has an alias whose anchor is missing or too large",
    ]
    assert isinstance(good, Exchange)


def test_a_cassette_of_before_version_1_is_a_list_with_the_url_in_parts() -> None:
    request = {"method": "GET", "protocol": "https", "host": "a", "port": 443, "path": "/b?c", "headers": []}
    response = {"status": {"code": 200}, "headers": ["X", "1"], "body": {"string": "{}"}}
    interaction = {"request": request, "response": response | {"headers": [["X", "1"]]}}
    for text in (json.dumps([interaction]), json.dumps({"version": 0, "interactions": [interaction]})):
        (exchange,) = read(text)
        assert (exchange.url, exchange.headers) == ("https://a:443/b?c", (("X", "1"),))
    (exchange,) = read(
        "- request: {method: GET, protocol: http, host: a, port: 80, path: /}\n  response: {status: 200}"
    )
    assert (exchange.url, exchange.status, exchange.line) == ("http://a:80/", 200, 1)


def test_a_cassette_of_ruby_is_read_with_its_dates() -> None:
    exchange, other = read("""\
        ---
        http_interactions:
        - request: {method: get, uri: http://a/, body: {encoding: US-ASCII, string: ''}, headers: {}}
          response: {status: {code: 200, message: OK}, headers: {}, body: {encoding: UTF-8, string: '{}'}}
          recorded_at: Tue, 14 Jun 2022 18:58:10 GMT
        - request: {method: get, uri: http://a/}
          response: {status: {code: 200}}
          recorded_at: 2022-06-14T11:58:10
        recorded_with: VCR 6.1.0
        """)
    assert (exchange.method, exchange.body) == ("GET", b"{}")
    assert exchange.started == parse_instant("2022-06-14T11:58:10-07:00")
    assert other.started is None


@pytest.mark.parametrize(
    "response",
    [
        "!!python/object/apply:os.system ['true']",
        "!!python/object/new:requests.structures.CaseInsensitiveDict {}",
        "{status: {code: 200}, headers: !!python/name:os.system ''}",
        "{status: {code: 200}, headers: !ruby/object {}}",
        "!<tag:example.com,2000:a> {}",
        "*missing",
        "{? [a] : b}",
        "{body: {string: !!binary '?'}, status: 200}",
        "{body: [a], status: 200}",
        "{body: {string: {}}, status: 200}",
        "{status: {code: OK}}",
        "{status: [200]}",
        "{status: 99999999999999999999999999}",
        "{status: 200, headers: [a, b]}",
        "{status: 200, headers: {a: {b: c}}}",
        "{status: 200, headers: {a: [[b]]}}",
        "[]" + " " * 5 + "x",
        "[" * 60 + "]" * 60,
    ],
)
def test_a_malformed_interaction_is_a_bad_record(response: str) -> None:
    *_, last = read(
        f"interactions:\n- request: {{method: GET, uri: http://a/}}\n  response: {response}\n".encode()
    )
    assert isinstance(last, BadRecord)


def test_an_interaction_after_a_malformed_one_is_read() -> None:
    bad, good = read("""\
        interactions:
        - request: {method: GET, uri: http://a/, headers: !!python/object:a.B {c: [d, {e: f}]}}
          response: {status: 200}
        - request: {method: GET, uri: http://a/}
          response: {status: 200}
        """)
    assert isinstance(bad, BadRecord) and (bad.entry, bad.line, bad.url) == (0, 2, "http://a/")
    assert isinstance(good, Exchange) and (good.entry, good.line) == (1, 4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "just text\n",
        "interactions: none\n",
        "version: 1\n",
        "interactions:\n- request: [\n",
        "interactions:\n\t- x\n",
        "interactions: [a: b: c]\n",
        "&a [*a]\n",
        "\x00",
        "interactions:\n- \x01\n",
    ],
)
def test_what_is_not_a_cassette_is_a_bad_record(text: str) -> None:
    last = read(text.encode())[-1]
    assert isinstance(last, BadRecord)


def test_invalid_utf_8_is_a_bad_record_after_the_readable_ones() -> None:
    *_, last = read(VCRPY.encode() + b"x: \xff\xfe\n")
    assert isinstance(last, BadRecord)


def test_without_pyyaml_the_message_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name for name in sys.modules if name.partition(".")[0] == "yaml" or name.endswith("vcr_yaml")
    ]:
        monkeypatch.delitem(sys.modules, name)
    import mock_webshare.recordings.formats as package

    monkeypatch.delattr(package, "vcr_yaml", raising=False)
    real = builtins.__import__

    def refuse(name: str, *arguments: Any) -> Any:
        if name.partition(".")[0] == "yaml":
            raise ModuleNotFoundError(name=name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", refuse)
    (record,) = read(VCRPY)
    assert isinstance(record, UnreadableInput)
    assert "mock-webshare[yaml]" in str(record)


def test_the_parser_in_python_gives_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    import yaml

    from mock_webshare.recordings.formats import vcr_yaml

    expected = read(VCRPY)
    monkeypatch.setattr(vcr_yaml, "_Loader", yaml.SafeLoader)
    assert read(VCRPY) == expected
