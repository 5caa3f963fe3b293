"""Places and encodings in which a secret is found by its name, each with a secret that is nowhere else."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import brotli
import pytest
import zstandard

from mock_webshare.exchange.model import Exchange
from mock_webshare.exchange.redaction import body_text
from mock_webshare.exchange.redaction.patterns import is_secret_name
from mock_webshare.exchange.redaction.redactor import Redactor

KEY = "k7wq2m9x4t"
NESTED = f"https://y.io/?a=1&token={KEY}&b=2"
JSON = json.dumps({"token": KEY})
HEADERS = json.dumps([["Accept", "*/*"], ["x-api-key", KEY]])
DOWNLOAD = f"https://proxy.webshare.io/api/v2/proxy/list/download/{KEY}/-/any/username/direct/-/"
LINE = f"192.0.2.4:8168:u{KEY}:{KEY}"


def quoted(text: str, times: int = 1) -> str:
    return quoted(quote(text, safe=""), times - 1) if times else text


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def deflate(text: str, window: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return packer.compress(text.encode()) + packer.flush()


def part(disposition: str) -> str:
    return f"--b\r\nContent-Disposition: {disposition}\r\n\r\n{KEY}\r\n--b--"


NAMES = [
    *("x-authkey", "accesskey", "privatekey", "APIkey", "toKen", "sshkey", "PHPSESSID", "sid", "bearer"),
    *("connect.sid", "X-ApiKey", "AUTHKEY", "signingkey", "clientsecret", "x_auth", "dbpwd", "proxypass"),
    *("totp", "passkey", "secretAccessKey", "creds", "user_pwd", "authorisation", "JSESSIONID", "Keys"),
]
NAMES_OF_OTHER_THINGS = [
    *("inside", "resident", "authority", ":authority", "author", "monkey", "keyboard", "compass", "bypass"),
    *("WWW-Authenticate", "authenticated", "spin", "credits_earned", "referral_channel_code", "user_id"),
    *("authentication_method", "ip_authorization_country_codes", "x-pingback", "signal", "keyword"),
]
URLS = {
    "in a parameter": f"https://x.io/?next={quoted(NESTED)}",
    "in a parameter, encoded twice": f"https://x.io/?next={quoted(NESTED, 2)}",
    "in a parameter, encoded three times": f"https://x.io/?next={quoted(NESTED, 3)}",
    "JSON in a parameter": f"https://x.io/?filter={quoted(JSON)}",
    "JSON in a parameter, encoded twice": f"https://x.io/?filter={quoted(JSON, 2)}",
    "JSON in a parameter, with a plus": f"https://x.io/?filter={quoted(JSON).replace('%20', '+')}",
    "JSON in a parameter, not encoded": f"https://x.io/?filter={JSON}",
    "JSON in JSON in a parameter": f"https://x.io/?filter={quoted(json.dumps({'a': JSON}))}",
    "a download link": DOWNLOAD,
    "a download link in a parameter": f"https://x.io/?a={quoted(DOWNLOAD)}",
    "a download link, encoded twice": f"https://x.io/?a={quoted(DOWNLOAD, 2)}",
    "a proxy": f"https://x.io/?proxy={quoted(LINE)}",
    "a value with an encoded delimiter": f"https://x.io/?token=a%26{KEY}",
}
BODIES = {
    "token\\u003d": f'{{"log":"token\\u003d{KEY}"}}',
    "token\\u003d in a URL": f'{{"next":"https://x.io/?token\\u003d{KEY}"}}',
    "token\\u003d in JSON in JSON": json.dumps({"a": f'{{"log":"token\\u003d{KEY}"}}'}),
    "after another pair": f'{{"log":"a\\u003d1\\u0026token\\u003d{KEY}\\u0026b=2"}}',
    "a pair in a text": json.dumps({"a": f"x token={KEY}"}),
    "a header in a text": json.dumps({"a": f"Authorization: Token {KEY}"}),
    "JSON in a form": f"a=1&payload={quoted(JSON)}",
    "JSON, encoded in JSON": json.dumps({"a": f"a={quoted(JSON)}"}),
    "a name and a value": json.dumps({"name": "api_key", "value": KEY}),
    "a value and a name": json.dumps({"value": KEY, "name": "api_key"}),
    "a key and a value": json.dumps([{"key": "Authorization", "value": f"Token {KEY}", "type": "text"}]),
    "a name and values": json.dumps({"a": [{"key": "b", "value": "c"}, {"key": "X-Key", "values": [KEY]}]}),
    "a name and an object": json.dumps({"Name": "password", "Value": {"raw": [KEY]}}),
    "an array of two": json.dumps([["Authorization", f"Token {KEY}"]]),
    "an array of arrays": json.dumps({"headers": json.loads(HEADERS)}),
    "an array of arrays in a string": json.dumps({"log": HEADERS}),
    "an array of names and values": json.dumps({"rawHeaders": ["Accept", "*/*", "X-Api-Key", KEY]}),
    "XML": f"<a><token>{KEY}</token></a>",
    "XML with a namespace": f"<s:a><wsse:Password Type='x'>{KEY}</wsse:Password></s:a>",
    "XML with an attribute": f'<user token="{KEY}"/>',
    "XML with CDATA": f"<token><![CDATA[{KEY}]]></token>",
    "XML with a name in an attribute": f'<string name="api_key">{KEY}</string>',
    "XML with a key and a value": f'<add key="ApiKey" value="{KEY}"/>',
    "an input of HTML": f"<form><input type=hidden name='csrftoken' value='{KEY}'></form>",
    "an input of HTML, value first": f'<input value="{KEY}" type="hidden" name="token">',
    "an input of HTML without quotes": f"<input name=token value={KEY}>",
    "meta data of HTML": f'<meta name="csrf-token" content="{KEY}">',
    "a text area of HTML": f'<textarea name="api_key" rows=2>{KEY}</textarea>',
    "XML with a name and a value": f"<item><name>token</name> <value>{KEY}</value></item>",
    "a property list": f"<dict><key>token</key>\n<string>{KEY}</string></dict>",
    "a tag with a quoted bracket": f"<input title='a>b' name='token' value='{KEY}'/>",
    "an attribute with escaped JSON": f'<div data-x="{{&quot;token&quot;:&quot;{KEY}&quot;}}"></div>',
    "an attribute with encoded JSON": f'<a href="?a={quoted(JSON)}">b</a>',
    "escaped markup in an element": f"<pre>&lt;token&gt;{KEY}&lt;/token&gt;</pre>",
    "JavaScript": f'<script>x = {{token:"{KEY}"}}</script>',
    "an object without quotes": f'{{token:"{KEY}"}}',
    "a name that follows a comma": f"{{a:1,token:{json.dumps(KEY)}}}",
    "an id and a value": json.dumps({"id": "api_key", "val": KEY}),
    "HTML in JSON": json.dumps({"html": f"<input name='token' value='{KEY}'>"}),
    "HTML in JSON, escaped": json.dumps({"html": f'<input name="token" value="{KEY}">'}),
    "multipart without quotes": part("form-data; name=token"),
    "multipart with other quotes": part("form-data; name='token'"),
    "multipart with an encoded name": part("form-data; name*=utf-8''api_key"),
    "multipart with blanks": part('form-data; name = "token"'),
    "multipart in other letter cases": part('Form-Data; Name="token"'),
    "a download link in JSON": json.dumps({"a": DOWNLOAD}).replace("/", "\\/"),
    "a download link in escapes": json.dumps({"a": DOWNLOAD}).replace("/", "\\u002f"),
    "a download link in a text": f"curl {DOWNLOAD} > list.txt",
    "a proxy list": f"{LINE}\r\n{LINE}\r\n",
    "a proxy list in JSON": json.dumps({"list": f"{LINE}\n{LINE}"}),
    "a proxy with a host name": f"p.webshare.io:80:u{KEY}:{KEY}",
    "a proxy with IPv6": f"[2001:db8::1]:80:u{KEY}:{KEY}",
    "a proxy as clients write it": f"--proxy u{KEY}:{KEY}@192.0.2.4:80",
}
PACKED = {
    "gzip": gzip.compress(JSON.encode(), mtime=0),
    "a second member of gzip": gzip.compress(b"x", mtime=0) + gzip.compress(JSON.encode(), mtime=0),
    "a third member of gzip": gzip.compress(b"x", mtime=0) * 2 + gzip.compress(JSON.encode(), mtime=0),
    "raw deflate": deflate(JSON, -15),
    "Brotli": brotli.compress(JSON.encode()),
    "Zstandard": zstandard.compress(JSON.encode()),
    "Brotli in gzip": gzip.compress(brotli.compress(JSON.encode()), mtime=0),
    "deflate at another level": zlib.compress(JSON.encode(), 3),
    **{f"deflate with a window of {each}": deflate(JSON, each) for each in range(9, 16)},
}
ADDRESSES = {
    "an escaped dot": "https://x.io/?q=me%40secret%2Eorg",
    "an escaped letter": "https://x.io/?q=me%40s%65cret.org",
    "encoded twice": "https://x.io/?q=me%2540secret%252Eorg",
    "escaped in JSON": '{"a":"me@secret\\u002eorg"}',
    "an escaped letter in JSON": '{"a":"me@s\\u0065cret.org"}',
    "character references": "<p>me&#64;secret&#46;org</p>",
    "hexadecimal references": "<p>me&#x40;secret&#x2E;org</p>",
    "a named reference": "<p>me&commat;secret.org</p>",
    "all in escapes": "https://x.io/?q=%6D%65%40%73%65%63%72%65%74%2E%6F%72%67",
    "a domain in other letters": '{"a":"me@secrét.org"}',
}


ZIP = io.BytesIO()
with zipfile.ZipFile(ZIP, "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("a.json", JSON * 9)
SHORT = {"headers": (("X-Pin", "123"), ("X-Token", "available"))}
LONG = f"{KEY}/" * 201
# Each with a text that would be missing if the secret were found.
NOT_FOUND: dict[str, list[tuple[dict[str, Any], str]]] = {
    "a name in prose, in the heading of a table or in another language": [
        ({"body": f"my password is {KEY}".encode()}, KEY),
        ({"body": f"<th>Token</th><td>{KEY}</td>".encode()}, KEY),
        ({"url": f"https://x.io/?clave={KEY}"}, KEY),
    ],
    "a secret in an element inside the named one, or behind a comment": [
        ({"body": f"<token><value>{KEY}</value></token>".encode()}, KEY),
        ({"body": f"<token>a<!-- b -->{KEY}</token>".encode()}, KEY),
    ],
    "a name inside base64": [({"url": f"https://x.io/?state={encoded(JSON)}"}, encoded(JSON))],
    "a secret in hex, in a hash, reversed or in parts": [
        ({"headers": (("X-Key", KEY),), "body": each.encode()}, each)
        for each in (KEY.encode().hex(), hashlib.md5(KEY.encode()).hexdigest(), KEY[::-1], KEY[:5])
    ],
    "base64 of base64": [
        ({"headers": (("X-Key", KEY),), "body": encoded(encoded(KEY)).encode()}, encoded(encoded(KEY)))
    ],
    "an encoded secret of more than 2,000 characters": [
        ({"headers": (("X-Key", LONG),), "body": encoded(LONG).encode()}, encoded(LONG))
    ],
    "in another place than its own: a short secret that is encoded": [
        ({"headers": (("X-Pin", "p@ss1"),), "body": b"p%40ss1"}, "p%40ss1")
    ],
    "in another place than its own: less than 3 characters or 4 digits, or a word of the API": [
        (SHORT | {"body": b"a 123"}, "a 123"),
        (SHORT | {"body": b"available"}, "available"),
    ],
    "an archive or an image in a body": [({"body": ZIP.getvalue()}, repr(ZIP.getvalue()))],
}


def exchange(**values: Any) -> Exchange:
    known: dict[str, Any] = {"source": "-", "method": "POST", "url": "https://x.io/", "status": 200}
    return Exchange(**(known | {"headers": (), "request_headers": ()} | values))


def redacted(**values: Any) -> str:
    """Return all of a redacted exchange; redacting it again changes nothing."""
    once = Redactor().exchange(exchange(**values))
    assert Redactor().exchange(once) == once
    return repr(once)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_a_secret(name: str) -> None:
    assert KEY not in redacted(request_headers=((name, KEY),))
    assert KEY not in redacted(url=f"https://x.io/?a=b&{name}={KEY}")
    assert KEY not in redacted(body=json.dumps({name: KEY}).encode())
    assert KEY not in redacted(request_body=f"{name}={KEY}".encode())


@pytest.mark.parametrize("name", NAMES_OF_OTHER_THINGS)
def test_a_name_of_something_else(name: str) -> None:
    assert not is_secret_name(name)
    assert not is_secret_name(name.upper())


@pytest.mark.parametrize("place", URLS)
def test_a_url(place: str) -> None:
    assert KEY not in redacted(url=URLS[place])
    assert KEY not in redacted(headers=(("Location", URLS[place]),))
    assert KEY not in redacted(body=json.dumps({"next": URLS[place]}).encode())


@pytest.mark.parametrize("place", BODIES)
def test_a_body(place: str) -> None:
    body = Redactor().exchange(exchange(body=BODIES[place].encode())).body.decode()
    assert KEY not in body
    if BODIES[place][:2] in ('{"', "[{", "[["):
        json.loads(body)
    assert KEY not in redacted(request_body=BODIES[place].encode())
    assert KEY not in redacted(body=json.dumps({"log": BODIES[place]}).encode())


@pytest.mark.parametrize("packed", PACKED)
def test_a_compressed_body(packed: str) -> None:
    body = Redactor().exchange(exchange(request_body=PACKED[packed])).request_body
    assert body.lstrip(b"x") == b'{"token": "REDACTED-1"}'


def test_a_compressed_body_without_its_library_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(body_text, "import_module", missing)
    for compress in (brotli.compress, zstandard.compress):
        packed = compress(PACKED["gzip"])
        assert Redactor().exchange(exchange(request_body=packed)).request_body == packed


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address(address: str) -> None:
    text = ADDRESSES[address]
    values = {"url": text} if text.startswith("https") else {"body": text.encode()}
    assert "cr" not in redacted(**values)


@pytest.mark.parametrize("secret", ["hunter2", "493817", "ab1", "p4$s"])
@pytest.mark.parametrize("place", ["header", "body", "parameter", "cookie", "basic", "pair"])
def test_a_short_secret(secret: str, place: str) -> None:
    basic = encoded(f"me:{secret}")
    places: dict[str, dict[str, Any]] = {
        "header": {"request_headers": (("X-Password", secret),)},
        "body": {"request_body": json.dumps({"password": secret}).encode()},
        "parameter": {"url": f"https://x.io/{secret}/?password={quote(secret)}"},
        "cookie": {"request_headers": (("Cookie", f"a=b; session={secret}"),)},
        "basic": {"request_headers": (("Authorization", f"Basic {basic}"),)},
        "pair": {"request_body": json.dumps({"name": "pin", "value": secret}).encode()},
    }
    echo = json.dumps({"detail": f"no {secret} here", "n": [secret]}).encode()
    text = redacted(body=echo, headers=(("X-Note", f"<{secret}>"),), **places[place])
    assert secret not in text


WELL_FORMED = [
    '{"token":-1234567}',
    '{"password":1234567.5,"a":[1234567.5]}',
    '{"token":12345678901234567890,"a":12345678901234567890}',
    '[12345678901234567890123,{"token":"12345678901234567890123"}]',
    '{"token":"1e30","a":1e30}',
    '{"pin":48213,"a":[48213]}',
    '{"a":"abc77dde9","password":"\\"abc77dde9\\""}',
    '{"a":"x\\nhunter2","pin":"hunter2"}',
    '{"token":"abc77dde9\\",\\"y","a":["abc77dde9","y"]}',
    '["password=abc77dd%22","abc77dd"]',
    '{"token":["\\"\\n","\\\\","abc77dde9"]}',
]


@pytest.mark.parametrize("text", WELL_FORMED)
def test_json_stays_well_formed(text: str) -> None:
    document = json.loads(Redactor().exchange(exchange(body=text.encode())).body)
    assert "REDACTED-1" in json.dumps(document)
    redacted(body=text.encode())


def test_a_secret_with_quotes_is_found_without_them() -> None:
    given = {"url": f"https://x.io/?token=%22{KEY}%22", "body": json.dumps({"y": KEY}).encode()}
    assert Redactor().exchange(exchange(**given)).body == b'{"y": "REDACTED-1"}'


@pytest.mark.parametrize(
    ("secret", "values"),
    [
        ("1000", {"headers": (("Content-Length", "1000"),)}),
        ("2022", {"headers": (("Date", "Tue, 14 Jun 2022 18:58:10 GMT"),)}),
        ("gzip", {"headers": (("Content-Encoding", "gzip"),)}),
        ("8080", {"url": "http://127.0.0.1:8080/x"}),
        ("required", {"body": b'{"detail":"required"}', "request_body": b'{"detail":"Token: required"}'}),
    ],
    ids=str,
)
def test_what_a_short_secret_may_equal_stays(secret: str, values: dict[str, Any]) -> None:
    known = {} if "request_body" in values else {"request_body": f"pin={secret}".encode()}
    result = Redactor().exchange(exchange(**known, **values))
    assert all(getattr(result, name) == value for name, value in values.items())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("?q=me%20joe%40corp.io", "?q=me%20redacted-1%40example.com"),
        ("?q=%22joe%40corp.io", "?q=%22redacted-1%40example.com"),
        ("?u=https%3A%2F%2Fu%3Ap4ssW%40h.io%2F", "?u=https%3A%2F%2FREDACTED-1%40h.io%2F"),
    ],
)
def test_an_escape_before_an_address_stays(text: str, expected: str) -> None:
    assert Redactor().exchange(exchange(url=f"https://x.io/{text}")).url == f"https://x.io/{expected}"


@pytest.mark.parametrize(
    "values",
    [
        {"body": b'{"token":"a%40b.co"}'},
        {"url": "https://x.io/?token=a%2540b.co"},
        {"request_headers": (("X-Key", "a%40b.co"),)},
        {"request_headers": (("X-Key", "j\xf6e@b.co"),)},
        {"body": b'{"token":"a&#64;b.co"}'},
    ],
    ids=str,
)
def test_an_encoded_address_under_a_name_has_one_pseudonym(values: dict[str, Any]) -> None:
    assert "REDACTED" in redacted(**values).upper()


def test_a_large_binary_body_is_searched_for_printable_text_only() -> None:
    octets = bytes(range(256)) * 1000
    given = octets + JSON.encode() + octets
    text = Redactor().exchange(exchange(body=given, request_headers=(("X-Key", "abcdefgh0123"),)))
    assert text.body == given.replace(KEY.encode(), b"REDACTED-2")
    assert Redactor().exchange(exchange(body=octets)).body == octets


def test_a_large_text_in_an_old_encoding_is_searched() -> None:
    given = "caf\xe9 ".encode("latin-1") * 20_000 + f"token={KEY}".encode()
    assert Redactor().exchange(exchange(body=given)).body == given.replace(KEY.encode(), b"REDACTED-1")


def test_the_table_of_what_is_not_found_is_that_of_the_documents() -> None:
    page = (Path(__file__).parents[3] / "docs" / "recording.md").read_text(encoding="utf-8")
    table = page.partition("| not found |")[2].partition("\n\n")[0]
    assert [row.split("|")[1].strip() for row in table.splitlines()[2:]] == list(NOT_FOUND)


@pytest.mark.parametrize("kind", NOT_FOUND)
def test_what_is_not_found(kind: str) -> None:
    for values, trace in NOT_FOUND[kind]:
        assert trace in redacted(**values)
