"""How YAML is read: the node under a tag, whatever the tag, and nothing is ever executed."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

from mock_webshare import recordings
from mock_webshare.contract.timestamps import parse_instant
from mock_webshare.exchange.model import BadRecord, Exchange


def read(text: str) -> list[Any]:
    return list(recordings.read(["-"], BytesIO(dedent(text).encode()), input_format="vcr"))


def read_response(response: str) -> Any:
    """Return the record of a response in YAML."""
    head = "interactions:\n- request: {method: GET, uri: http://a/}\n  response:\n"
    (record,) = read(head + indent(dedent(response).strip("\n"), "    ") + "\n")
    return record


BODIES = {
    "bytes of Ruby": "!binary e30=",
    "bytes of Ruby on lines": "!binary |-\n    e3\n    0=",
    "bytes of Python 3": "!!python/bytes e30=",
    "text of Python 2": "!!python/unicode '{}'",
    "a text with variables": "!ruby/string {str: '{}', '@read': 'true'}",
    "a text that holds a response": "!ruby/string {str: '{}', net_http_res: !ruby/object:Net::HTTPOK {a: b}}",
    "a subclass of text": "!ruby/string:Sawyer::Text '{}'",
    "a subclass of text as Syck wrote it": "!str {str: '{}', '@encoded': false}",
    "bytes in a subclass of text": "!ruby/string:A {str: !binary e30=}",
    "a non-specific tag": "! '{}'",
    "a tag of an application": "!secret '{}'",
    "a tag in full": "!<tag:example.com,2000:text> '{}'",
    "a tag under a handle": "!a%21b '{}'",
    "bytes as the argument of a function": "!!python/object/apply:builtins.bytes [!!binary e30=]",
    "text as the state of an object": "!!python/object/new:a.Text {args: ['{}']}",
}


@pytest.mark.parametrize("case", BODIES)
def test_the_node_under_a_tag_is_the_body(case: str) -> None:
    exchange = read_response(f"status: 200\nbody:\n  string: {BODIES[case]}")
    assert isinstance(exchange, Exchange), exchange
    assert (exchange.body, exchange.is_body_exact) == (b"{}", True)


HEADERS = {
    "a symbol": "? !ruby/symbol A\n: [b]",
    "a symbol of Syck": "? !ruby/sym A\n: b",
    "bytes": "!binary QQ==: [!binary Yg==]",
    "text of Python 2": "!!python/unicode 'A': [!!python/unicode 'b']",
    "a subclass of text": "? !!python/object/new:multidict._istr.istr [A]\n: [b]",
    "a newer subclass of text": "? !!python/object/new:multidict.istr {args: [A], state: {}}\n: [b]",
    "an application's tag": "!header A: !value b",
    "a subclass of a hash": "!ruby/hash:A::Headers {A: [b]}",
    "a hash with variables": "!ruby/hash-with-ivars:A {elements: {A: b}, ivars: {'@c': d}}",
    "a hash as Syck wrote it": "!map:HashWithIndifferentAccess {A: [b]}",
    "an array with variables": "!ruby/array:A {internal: [[A, b]], ivars: {}}",
    "a set of tuples": "!!python/object/apply:__builtin__.frozenset [[!!python/tuple [A, b]]]",
    "an ordered dict": "!!python/object/apply:collections.OrderedDict [[[A, b]]]",
    "a subclass of a dict": "!!python/object/new:a.Dict {dictitems: {A: [b]}, state: {c: d}}",
    "a dict of requests": (
        "!!python/object:requests.structures.CaseInsensitiveDict {_store: {a: !!python/tuple [A, b]}}"
    ),
    "a dict of urllib3": "!!python/object:urllib3._collections.HTTPHeaderDict {_container: {a: [A, b]}}",
    "headers of httpx": "!!python/object:httpx.Headers {_list: [!!python/tuple [A, !!binary YQ==, b]]}",
    "a message of Python 2": '!!python/object:httplib.HTTPMessage {headers: ["A: b\\r\\n"], status: ""}',
    "a message of Python 3": "!!python/object:http.client.HTTPMessage {_headers: [[A, b]], policy: x}",
    "an ordered map": "!!omap [A: b]",
    "pairs": "!!pairs [A: b]",
}


@pytest.mark.parametrize("case", HEADERS)
def test_the_nodes_under_tags_are_the_headers(case: str) -> None:
    exchange = read_response("status: 200\nheaders:\n" + indent(HEADERS[case], "  "))
    assert isinstance(exchange, Exchange), exchange
    assert exchange.headers == (("A", "b"),)


def test_a_header_of_urllib3_that_occurs_twice_is_two() -> None:
    headers = "!!python/object:urllib3.HTTPHeaderDict {_container: {a: [A, b, c], d: []}}"
    assert read_response(f"status: 200\nheaders: {headers}").headers == (("A", "b"), ("A", "c"))


@pytest.mark.parametrize(
    "status",
    [
        "!!python/int 200",
        "!!python/long '200'",
        "!!int 200",
        "!!float 200",
        "!ruby/integer 200",
        "!binary MjAw",
        "!!python/object/apply:http.HTTPStatus [200]",
        "!ruby/struct:VCR::ResponseStatus {code: 200, message: OK}",
        "!ruby/struct:VCR::ResponseStatus {code: 200, message: !binary T0s=}",
        "!!python/object:a.Status {code: !!python/object/apply:http.HTTPStatus {args: [200]}, reason: OK}",
        "!!python/tuple [200, OK]",
    ],
)
def test_the_node_under_a_tag_is_the_status(status: str) -> None:
    assert read_response(f"status: {status}").status == 200


@pytest.mark.parametrize(
    "text",
    [
        "2022-06-14 18:58:10 GMT",
        "2022-06-14 18:58:10 UTC",
        "2022-06-14 18:58:10.000000000 Z",
        "!!timestamp 2022-06-14 11:58:10.000000000 -07:00",
        "!ruby/object:Time 2022-06-14T18:58:10Z",
    ],
)
def test_a_date_of_ruby_or_r_is_the_start(text: str) -> None:
    (exchange,) = read(f"""\
        http_interactions:
        - request: {{method: get, uri: http://a/}}
          response: {{status: 200}}
          recorded_at: {text}
        """)
    assert exchange.started == parse_instant("2022-06-14T18:58:10Z")


def test_the_structs_of_the_first_vcr_are_read() -> None:
    (exchange,) = read("""\
        ---
        - !ruby/struct:VCR::HTTPInteraction
          request: !ruby/struct:VCR::Request
            method: :get
            uri: http://a:80/b
            body:
            headers:
          response: !ruby/struct:VCR::Response
            status: !ruby/struct:VCR::ResponseStatus
              code: 200
              message: OK
            headers:
              content-type:
              - application/json
            body: ! '{}'
            http_version: "1.1"
        """)
    assert (exchange.method, exchange.url, exchange.status) == ("GET", "http://a:80/b", 200)
    assert (exchange.headers, exchange.body) == ((("content-type", "application/json"),), b"{}")


def test_symbols_as_keys_are_read() -> None:
    (exchange,) = read("""\
        ---
        :http_interactions:
        - :request:
            :method: :get
            :uri: !ruby/object:URI::HTTP
              scheme: http
              user:
              host: a
              port: 80
              path: /b
              query: c=d
            :headers: {}
          :response:
            :status:
              :code: 200
              :message: OK
            :headers:
              Content-Type: [application/json]
              ":authority": a
            :body:
              :encoding: UTF-8
              :string: '{}'
            :http_version:
          :recorded_at: Tue, 14 Jun 2022 18:58:10 GMT
        """)
    assert (exchange.method, exchange.url, exchange.status) == ("GET", "http://a:80/b?c=d", 200)
    assert (exchange.headers, exchange.body) == ((("Content-Type", "application/json"),), b"{}")
    assert exchange.started == parse_instant("2022-06-14T18:58:10Z")


def test_an_object_of_vcrpy_is_read() -> None:
    (exchange,) = read("""\
        - request: !!python/object:vcr.request.Request
            body: !!python/object/new:_io.BytesIO {state: !!python/tuple [!!binary YQ==, 0, null]}
            headers: !!python/object/apply:__builtin__.frozenset
            - - !!python/tuple [authorization, Token a]
            host: a
            method: GET
            path: /b?c
            port: 443
            protocol: https
          response:
            body: {string: !!python/str '{}'}
            headers: [!!python/unicode "A: b:c\\r\\n", "d:\\r\\n"]
            status: {code: 200, message: OK}
        """)
    assert (exchange.url, exchange.body) == ("https://a:443/b?c", b"{}")
    assert exchange.request_headers == (("authorization", "Token a"),)
    assert exchange.headers == (("A", "b:c"), ("d", ""))


EXECUTED = [
    "!!python/object/apply:os.mkdir ['{}']",
    "!!python/object/new:os.mkdir ['{}']",
    "!!python/object/apply:subprocess.check_call [[mkdir, '{}']]",
    "!!python/object/apply:os.system {{args: ['mkdir {}']}}",
    "!!python/object/new:type {{args: [x, !!python/tuple [], {{x: !!python/name:os.mkdir}}], state: '{}'}}",
    "!!python/module:os '{}'",
    "!!python/name:os.mkdir '{}'",
    "!ruby/object:Gem::Installer {{x: '{}'}}",
]


@pytest.mark.parametrize("tagged", EXECUTED)
@pytest.mark.parametrize(
    "place", ["{}", "{{status: 200, body: {}}}", "{{status: 200, headers: {{a: {}}}}}", "{{? {} : b}}"]
)
def test_nothing_is_executed(tagged: str, place: str, tmp_path: Path) -> None:
    target = tmp_path / "made"
    response = read_response(place.format(tagged.format(target)))
    assert isinstance(response, Exchange | BadRecord)
    assert not target.exists()


def test_a_list_under_an_unknown_key_is_not_the_interactions() -> None:
    (record,) = read("cassettes:\n- request: {method: GET, uri: http://a/}\n  response: {status: 200}\n")
    assert record.problem.startswith("it has no list `interactions`, `http_interactions`")
