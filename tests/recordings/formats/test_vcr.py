"""How cassettes are read: those of all versions of vcrpy, and of related tools."""

from __future__ import annotations

import base64
import builtins
import gzip
import json
import sys
import zlib
from io import BytesIO
from textwrap import dedent, indent
from typing import Any

import pytest

from mock_webshare import recordings
from mock_webshare.contract.timestamps import parse_instant
from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.model import BadRecord, Exchange
from mock_webshare.recordings.formats import vcr

PACKED = base64.b64encode(gzip.compress(b"{}", mtime=0)).decode()
ZLIB = base64.b64encode(zlib.compress(b"{}")).decode()


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
        f"body: {{encoding: base64, string: {PACKED}}}",
        f"body: {{raw_gzip: {ZLIB}}}",
        f"body: !!binary {PACKED}",
        "body: {encoding: UTF-8, file: no, string: '{}'}",
        "Body: '{}'",
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


MISSING = [
    "body: null",
    "body: {string: null}",
    "body: {encoding: UTF-8}",
    "body: {encoding: '', file: no, string: null}",
    "body: {base64_string: null, encoding: ASCII-8BIT}",
    "body: {}",
    "content: null",
    "proto: HTTP/1.1",
]


@pytest.mark.parametrize("body", MISSING)
@pytest.mark.parametrize(
    "response", ["status: 204", "status: 304", "status: 200\nheaders: {Content-Length: '0'}"]
)
def test_a_missing_body_is_empty_where_there_was_none(body: str, response: str) -> None:
    exchange = read_response(f"{response}\n{body}")
    assert (exchange.body, exchange.is_body_known) == (b"", True)


@pytest.mark.parametrize("body", MISSING)
@pytest.mark.parametrize("headers", ["{}", "{Content-Length: ['880']}"])
def test_a_missing_body_is_not_known_where_there_was_one(body: str, headers: str) -> None:
    exchange = read_response(f"status: 200\nheaders: {headers}\n{body}")
    assert (exchange.body, exchange.is_body_known) == (b"", False)


@pytest.mark.parametrize(
    "response",
    [
        "headers: {Content-Length: ['880']}\nbody: {string: ''}",
        "headers: {content-length: 880}\nbody: ''",
        "headers: ['Content-Length: 880']\nbody: {encoding: utf-8, base64_string: ''}",
        "content_length: 880\nbody: ''",
        "body: {encoding: '', file: yes, string: credits.json}",
        "body: {file: true, string: ../files/credits.json}",
        "body: {on_disk: credits.json}",
        "headers: {Content-Length: 2}\nbody: {string: !ruby/object:Net::ReadAdapter {}}",
    ],
)
def test_a_body_that_the_recorder_left_out_is_not_known(response: str) -> None:
    exchange = read_response(f"status: 200\n{response}")
    assert (exchange.body, exchange.is_body_known) == (b"", False)


def test_an_empty_body_without_a_length_is_known() -> None:
    exchange = read_response("status: 200\ncontent_length: -1\nbody: {string: ''}")
    assert (exchange.body, exchange.is_body_known) == (b"", True)


def test_a_response_to_head_has_an_empty_body() -> None:
    (exchange,) = read("""\
        interactions:
        - request: {method: HEAD, uri: http://a/}
          response: {status: 200, headers: {Content-Length: ['880']}, body: {string: ''}}
        """)
    assert (exchange.body, exchange.is_body_known) == (b"", True)


@pytest.mark.parametrize(
    "status",
    [
        "status: 200",
        "status_code: 200",
        "status: {code: 200, message: null}",
        "status: '200'",
        "status: 200 OK",
        "status: HTTP/1.1 200 OK",
        "status: HTTP/2 200",
        "status: {status_code: '200', message: OK, explanation: fine}",
        "status: {statusCode: 200}",
        "status: {code: 200 OK}",
        "status: {http_version: '1.1', code: '200', message: ''}",
        "status: [200, OK]",
        "status: 200 OK\ncode: 200\nduration: 1.5ms",
        "statusCode: 200",
    ],
)
def test_a_status_is_read_in_every_form(status: str) -> None:
    assert read_response(status).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        "{a: [b], c: d}",
        "{a: b, c: [d]}",
        "[[a, b], [c, d]]",
        "{a: !!binary Yg==, c: [!!python/unicode d]}",
        "[[a, [b]], [c, [d]]]",
        "['a: b', 'c: d']",
        '["a: b\\r\\n", "c:d\\r\\n", "\\r\\n"]',
        "[!!binary YTogYg==, 'c: d']",
        "[{name: a, value: b}, {name: c, value: d}]",
        "[{key: a, value: b}, {key: c, value: d, enabled: true}]",
        "[{a: b}, {c: [d]}]",
        "[[a, b], 'c: d']",
        "!!python/tuple [!!python/tuple [a, b], !!python/tuple [c, !!python/tuple [d]]]",
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


def test_an_alias_of_an_unreadable_value_does_not_hide_the_next_interaction() -> None:
    *bad, good = read("""\
        interactions:
        - request: {method: GET, uri: http://a/, headers: &a !!binary '?'}
          response: {status: 200}
        - request: {method: GET, uri: http://a/, headers: *a}
          response: {status: 200}
        - request: {method: GET, uri: http://a/}
          response: {status: 200}
        """)
    assert [record.problem for record in bad] == [
        "its base64 does not decode",
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


TOOLS = {
    "go-vcr 1": """\
        ---
        version: 1
        interactions:
        - request:
            body: ""
            form: {}
            headers: {Authorization: [Token a]}
            url: http://a/b
            method: GET
          response:
            body: '{}'
            headers: {Content-Type: [application/json]}
            status: 200 OK
            code: 200
            duration: ""
        """,
    "go-vcr 4": """\
        ---
        version: 2
        interactions:
            - id: 0
              request:
                proto: HTTP/1.1
                proto_major: 1
                proto_minor: 1
                content_length: 0
                transfer_encoding: []
                trailer: {}
                host: a
                remote_addr: ""
                request_uri: ""
                body: ""
                form: {}
                headers: {Authorization: [Token a]}
                url: http://a/b
                method: GET
              response:
                proto: HTTP/1.1
                proto_major: 1
                proto_minor: 1
                transfer_encoding: []
                trailer: {}
                content_length: -1
                uncompressed: true
                body: '{}'
                headers: {Content-Type: [application/json]}
                status: 200 OK
                code: 200
                duration: 1.5ms
        """,
    "PHP-VCR": """\

        -
            request:
                method: GET
                url: 'http://a/b'
                headers: {Authorization: 'Token a'}
            response:
                status: {http_version: '1.1', code: '200', message: OK}
                headers: {Content-Type: application/json}
                body: '{}'
                curl_info: {url: 'http://a/b', http_code: 200}
            index: 0
        """,
    "R's vcr": """\
        http_interactions:
        - request:
            method: get
            uri: http://a/b
            body: {encoding: '', string: ''}
            headers: {Authorization: Token a}
          response:
            status: {status_code: '200', message: OK, explanation: Request fulfilled}
            headers: {Content-Type: application/json}
            body: {encoding: UTF-8, file: no, string: '{}'}
          recorded_at: 2018-04-03 22:20:02 GMT
          recorded_with: vcr/0.1.0, webmockr/0.2.4
        """,
    "Scotch": """\
        - Request:
            Method: GET
            URI: http://a/b
            RequestHeaders: {Authorization: Token a}
            ContentHeaders: {}
          Response:
            Status: {Code: 200, Message: OK}
            ResponseHeaders: {}
            ContentHeaders: {Content-Type: application/json}
            Body: '{}'
          RecordedAt: '2022-06-14T18:58:10Z'
        """,
    "a HAR": """\
        log:
          version: 1.2
          creator: {name: a}
          entries:
          - startedDateTime: 2022-06-14T18:58:10Z
            time: 12.5
            request:
              method: GET
              url: http://a/b
              headers: [{name: Authorization, value: Token a}]
            response:
              status: 200
              headers: [{name: Content-Type, value: application/json}]
              content: {size: 2, mimeType: application/json, text: '{}'}
        """,
}
"""The same exchange as each tool writes it."""


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("input_format", ["vcr", "auto"])
def test_the_cassette_of_a_tool_is_read(tool: str, input_format: str) -> None:
    content = BytesIO(dedent(TOOLS[tool]).encode())
    (exchange,) = recordings.read(["-"], content, input_format=input_format)
    assert isinstance(exchange, Exchange), exchange
    assert (exchange.method, exchange.url, exchange.status) == ("GET", "http://a/b", 200)
    assert exchange.request_headers == (("Authorization", "Token a"),)
    assert exchange.headers == (("Content-Type", "application/json"),)
    assert (exchange.body, exchange.is_body_exact) == (b"{}", True)


RESPONSES = """\
    responses:
    - response:
        auto_calculate_content_length: false
        body: '{}'
        content_type: application/json
        headers: {Allow: GET}
        method: GET
        status: 200
        url: http://a/b
    """


def test_the_file_of_responses_has_the_request_in_the_response() -> None:
    (exchange,) = read(RESPONSES)
    assert (exchange.method, exchange.url, exchange.status) == ("GET", "http://a/b", 200)
    assert exchange.request_headers is None
    assert exchange.headers == (("Allow", "GET"), ("Content-Type", "application/json"))
    assert (exchange.body, exchange.request_body) == (b"{}", b"")


def test_the_file_of_responses_may_have_the_media_type_twice() -> None:
    (exchange,) = read(RESPONSES.replace("Allow: GET", "content-type: text/plain"))
    assert exchange.headers == (("content-type", "text/plain"),)


@pytest.mark.parametrize(
    "record",
    [
        {
            "request": {"method": "GET", "url": "http://a/b", "headers": {"a": "b"}},
            "response": {"status": 200},
        },
        {"request": {"method": "GET", "url": "http://a/b"}, "response": {"status": {"code": "200"}}},
        {
            "request": {"method": "GET", "url": "http://a/b"},
            "response": {"status": 200, "headers": {"a": "b"}},
        },
        {
            "request": {"method": "GET", "url": "http://a/b"},
            "response": {"code": 200, "headers": {"a": ["b"]}},
        },
        {"request": {"method": "get", "uri": "http://a/b", "headers": []}, "response": {"status": 200}},
    ],
)
def test_a_list_of_interactions_in_json_is_read_without_a_name(record: dict[str, Any]) -> None:
    (exchange,) = recordings.read(["-"], BytesIO(json.dumps([record]).encode()))
    assert isinstance(exchange, Exchange), exchange
    assert (exchange.method, exchange.url, exchange.status) == ("GET", "http://a/b", 200)


@pytest.mark.parametrize(
    "url",
    [
        "uri: http://a:80/b?c=d",
        "url: http://a:80/b?c=d",
        "{protocol: http, host: a, port: 80, path: /b?c=d}",
        "{scheme: http, host: a, port: 80, path: /b, query: c=d}",
        "url: {scheme: http, host: 'a:80', path: /b, rawquery: c=d}",
        "uri: !ruby/object:URI::HTTP {scheme: http, host: a, port: 80, path: /b, query: c=d, fragment: ~}",
        "URL: !!python/unicode 'http://a:80/b?c=d'",
    ],
)
def test_a_url_is_read_whole_or_in_parts(url: str) -> None:
    members = url.strip("{}") if url.startswith("{") else url
    (exchange,) = read(f"- {{request: {{method: GET, {members}}}, response: {{status: 200}}}}\n")
    assert exchange.url == "http://a:80/b?c=d"


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        (r"\xC3\xBC", "ASCII-8BIT", b"\xc3\xbc"),  # the bytes of a small u with dots, as Syck wrote them
        (r"\xC3\xBC", "BINARY", b"\xc3\xbc"),
        (r"\xC3\xBC", "UTF-8", b"\xc3\x83\xc2\xbc"),
        (r"\xFC", "ASCII-8BIT", b"\xc3\xbc"),  # the character, as a serializer of JSON leaves it
        (r"\u20AC\xFC", "ASCII-8BIT", b"\xe2\x82\xac\xc3\xbc"),
        ("{}", "ASCII-8BIT", b"{}"),
        (r"\x1F\x8B\xFF", "UTF-8", b"\x1f\x8b\xff"),
    ],
)
def test_escaped_bytes_are_bytes_where_the_encoding_is_binary(
    text: str, encoding: str, expected: bytes
) -> None:
    exchange = read_response(f'status: 200\nbody: {{encoding: {encoding}, string: "{text}"}}')
    assert exchange.body == expected


def test_a_cassette_of_go_in_json_is_read() -> None:
    request = {"Method": "GET", "URL": "http://a/b", "Headers": {"A": ["b"]}}
    response = {"Status": "200 OK", "Code": 200, "Headers": {"C": ["d"]}, "Body": "{}", "ContentLength": -1}
    cassette = {"Version": 2, "Interactions": [{"ID": 0, "Request": request, "Response": response}]}
    (exchange,) = recordings.read(["-"], BytesIO(json.dumps(cassette).encode()))
    assert isinstance(exchange, Exchange), exchange
    assert (exchange.method, exchange.url, exchange.status) == ("GET", "http://a/b", 200)
    assert (exchange.request_headers, exchange.headers) == ((("A", "b"),), (("C", "d"),))
    assert exchange.body == b"{}"


def test_a_body_of_bodies_is_read_without_recursion() -> None:
    body = '{"string":' * 900 + "1" + "}" * 900
    record = f'{{"request":{{"method":"GET","uri":"http://a/"}},"response":{{"status":200,"body":{body}}}}}'
    (found,) = read(f'{{"interactions":[{record}]}}')
    assert isinstance(found, Exchange | BadRecord)


@pytest.mark.parametrize(
    ("request_parts", "body", "expected"),
    [
        ("url: /b?c=d, host: 'a:80'", "{}", "http://a:80/b?c=d"),
        ("uri: '<ORIGIN>/b?c=d'", '{"next": "http://a:80/b?page=2"}', "http://a:80/b?c=d"),
        ("uri: /b?c=d", '{"next": null}', "https://proxy.webshare.io/b?c=d"),
    ],
)
def test_a_url_without_its_origin_has_that_of_host_links_or_service(
    request_parts: str, body: str, expected: str
) -> None:
    response = f"{{status: 200, body: {json.dumps(body)}}}"
    (exchange,) = read(f"- {{request: {{method: GET, {request_parts}}}, response: {response}}}\n")
    assert exchange.url == expected


@pytest.mark.parametrize(
    "beginning",
    [
        "interactions:\n",
        "http_interactions:\n",
        ":http_interactions:\n",
        "'interactions':\n",
        "--- \nhttp_interactions:\n",
        "--- # a comment\nhttp_interactions:\n",
        "--- !ruby/hash:A\nhttp_interactions:\n",
        "---\r\nversion: 1\r\ninteractions:\r\n",
        "%YAML 1.1\n---\nrecorded_with: VCR 6.1.0\n\nhttp_interactions: # all\n",
        '--- {"http_interactions": [',
        "{interactions: [",
        "-\n    request:\n",
        "- request: {method",
        "- response:\n",
        "- Request:\n",
        "- :request:\n",
        "--- \n- !ruby/struct:VCR::HTTPInteraction \n",
        "responses:\n- response:\n",
        "log:\n  version: 1.2\n",
        "log:\n    _recordingName: a\n",
        "[[responses]]\n",
    ],
)
def test_the_beginning_of_a_cassette_is_known(beginning: str) -> None:
    assert vcr.begins(beginning.encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version: '3'\nservices:\n",
        "log: debug\n",
        "log:\n  level: 1\n",
        "- name: a\n",
        "openapi: 3.0.0\n",
    ],
)
def test_other_yaml_is_not_taken_for_a_cassette(text: str) -> None:
    assert not vcr.begins(text.encode())


def test_numbers_and_null_in_the_headers_of_json_are_text() -> None:
    request = {"method": "GET", "uri": "http://a/", "headers": {"a": None}}
    response = {"status": 200, "headers": {"Content-Length": 2, "b": [1, "c"]}, "body": "{}"}
    (exchange,) = read(json.dumps({"interactions": [{"request": request, "response": response}]}))
    assert exchange.request_headers == (("a", ""),)
    assert exchange.headers == (("Content-Length", "2"), ("b", "1"), ("b", "c"))


def test_a_request_body_of_an_unknown_form_is_left_out() -> None:
    (exchange,) = read("""\
        interactions:
        - request: {method: POST, uri: http://a/, body: {base64_string: '?'}}
          response: {status: 200}
        """)
    assert (exchange.status, exchange.request_body) == (200, b"")


@pytest.mark.parametrize(
    "response",
    [
        "!!python/object/apply:os.system ['true']",
        "{status: {code: 200}, headers: !!python/name:os.system ''}",
        "*missing",
        "{? [a] : b}",
        "{body: {string: !!binary '?'}, status: 200}",
        "{status: {code: OK}}",
        "{status: [OK, 200]}",
        "{status: {value: 200}}",
        "{status: {}, body: a}",
        "{status: null, headers: {a: b}}",
        "{headers: {a: b}, body: a}",
        "{status: ok}",
        "{status: 2e2}",
        "{status: 20}",
        "{status: 0200}",
        "{status: 200OK}",
        "{http_status: 200, body: a}",
        "{status: 200, headers: text}",
        "{status: 200, headers: [{a: b, c: d}]}",
        "{status: 200, headers: [[a]]}",
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


def test_a_missing_response_is_a_bad_record_and_null_is_none() -> None:
    missing, null = read("""\
        interactions:
        - request: {method: GET, uri: http://a/}
        - request: {method: GET, uri: http://a/}
          response: null
        """)
    assert missing.problem == "it has no response"
    assert null.status is None


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
