"""Redaction: every place and every encoding of a secret, and everything that has to stay unchanged."""

from __future__ import annotations

import base64
import codecs
import gzip
import json
import zlib
from collections.abc import Callable
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.exchange.model import Exchange, write_line
from mock_webshare.exchange.redaction import body_text, patterns, secret_index
from mock_webshare.exchange.redaction import redactor as redaction
from mock_webshare.exchange.redaction.patterns import is_secret_name
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.service.data import generator

KEY = "Zq7/canary+9x=K3"
PLAIN_KEY = "zq7canary9xk3w"
LIST = "https://proxy.webshare.io/api/v2/referral/credit/"
KNOWN = ("Authorization", f"Token {KEY}")


def exchange(**values: object) -> Exchange:
    known = {"source": "-", "method": "GET", "url": LIST, "status": 200, "headers": (), "request_headers": ()}
    return Exchange(**(known | values))  # type: ignore[arg-type]


def body(text: str, content_type: str | None = "application/json") -> str:
    return Redactor().body(text.encode(), content_type).decode()


def url(text: str) -> str:
    return Redactor().url(text)


def header(name: str, value: str) -> str:
    return Redactor().headers(((name, value),))[0][1]


HEADERS = [
    ("Authorization", "Token abc", "Token REDACTED-1"),
    ("authorization", "tOKEN \t abc", "tOKEN \t REDACTED-1"),
    ("Authorization", "Token", "Token"),
    ("Authorization", "", ""),
    ("Authorization", "abc", "REDACTED-1"),
    ("Authorization", "Token abc def", "Token REDACTED-2 REDACTED-3"),
    ("Authorization", "Token \xff\xfe", "Token REDACTED-1\xff"),
    ("Authorization", "Bearer abc", "Bearer REDACTED-1"),
    ("Proxy-Authorization", "Basic dTpw", "Basic REDACTED-1"),
    ("X-Api-Key", "abc", "REDACTED-1"),
    ("X-APIKEY", "abc", "REDACTED-1"),
    ("X-CSRFToken", "abc", "REDACTED-1"),
    ("X-Session-Id", "abc", "REDACTED-1"),
    ("X-Amz-Signature", "abc", "REDACTED-1"),
    ("Cookie", "a=b; c=d", "REDACTED"),
    ("Set-Cookie", "sessionid=b; Path=/; HttpOnly", "REDACTED"),
    ("Location", "/login?token=abc&page=2", "/login?token=REDACTED-1&page=2"),
    ("Referer", "https://me:abc@x.io/", "https://REDACTED-1:REDACTED-2@x.io/"),
    ("Link", '<https://x.io/?key=abc>; rel="next"', '<https://x.io/?key=REDACTED-1>; rel="next"'),
    ("From", "me@webshare.io", "redacted-1@example.com"),
]
HEADERS_THAT_STAY = [
    ("WWW-Authenticate", "Token"),
    ("Allow", "GET, HEAD, OPTIONS"),
    ("Content-Type", "application/json; charset=utf-8"),
    ("Keep-Alive", "timeout=5"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Authorization", "Token REDACTED-3"),
    ("Retry-After", "42"),
    ("User-Agent", "webshare-sdk/0.2.0"),
]


@pytest.mark.parametrize(("name", "value", "expected"), HEADERS)
def test_a_header(name: str, value: str, expected: str) -> None:
    assert header(name, value) == expected


@pytest.mark.parametrize("key", ["my secret key", "scenario: flaky", "a b", "one", "two  blanks", "api key"])
def test_a_key_keeps_the_number_of_its_words_even_if_it_is_known(key: str) -> None:
    for known in ((), (key,), tuple(key.split())):
        ((_, value),) = Redactor(known).headers((("Authorization", f"Token {key}"),))
        assert len(value.split()) == len(f"Token {key}".split())
        assert not set(value.split()[1:]) & set(key.split())


@pytest.mark.parametrize(("name", "value"), HEADERS_THAT_STAY)
def test_a_header_that_stays(name: str, value: str) -> None:
    assert header(name, value) == value


URLS = [
    ("https://u:p@x.io/a", "https://REDACTED-1:REDACTED-2@x.io/a"),
    ("https://abc@x.io/a", "https://REDACTED-1@x.io/a"),
    ("https://x.io/?api_key=abc&page=2", "https://x.io/?api_key=REDACTED-1&page=2"),
    ("https://x.io/?a%70i_key=abc", "https://x.io/?a%70i_key=REDACTED-1"),
    ("https://x.io/?page=2&access_token=a%20b+c", "https://x.io/?page=2&access_token=REDACTED-1"),
    ("https://x.io/?token=", "https://x.io/?token="),
    ("https://x.io/#access_token=abc", "https://x.io/#access_token=REDACTED-1"),
    ("https://x.io/?next=%2Fa%3Ftoken%3Dabc%26b%3D1", "https://x.io/?next=%2Fa%3Ftoken%3DREDACTED-1%26b%3D1"),
    ("https://x.io/?email=me%40a.io", "https://x.io/?email=redacted-1%40example.com"),
    (
        "https://x.io/?q=me@a.io&r=me%40a.io",
        "https://x.io/?q=redacted-1@example.com&r=redacted-1%40example.com",
    ),
    ("https://x.io/download/" + "k" * 40 + "/-/", "https://x.io/download/REDACTED-1/-/"),
]
URLS_THAT_STAY = [
    LIST,
    LIST + "?page=2&page_size=10&ordering=-created_at,id&mode=payout&status=pending&referral_channel=",
    LIST + "50119/?format=json",
    "https://www.webshare.io/?referral_code=abc123",
    "https://[::1]:8080/a;b=c?%FF=%zz",
]


@pytest.mark.parametrize(("given_url", "expected"), URLS)
def test_a_url(given_url: str, expected: str) -> None:
    assert url(given_url) == expected


@pytest.mark.parametrize("given_url", URLS_THAT_STAY)
def test_a_url_that_stays(given_url: str) -> None:
    assert url(given_url) == given_url


BODIES = [
    ('{"api_key": "abc", "id":1.50}', '{"api_key": "REDACTED-1", "id":1.50}'),
    ('{"to\\u006ben":"a\\"c"}', '{"to\\u006ben":"REDACTED-1"}'),
    ('{"paypal_payout_email":"me@a.io"}', '{"paypal_payout_email":"redacted-1@example.com"}'),
    ('{"paypal_payout_email":"me\\u0040a.io"}', '{"paypal_payout_email":"redacted-1\\u0040example.com"}'),
    ('{"password":123456}', '{"password":"REDACTED-1"}'),
    ('{"tokens":["a","b","a"]}', '{"tokens":["REDACTED-1","REDACTED-2","REDACTED-1"]}'),
    ('{"session":{"id":"a","on":true}}', '{"session":{"id":"REDACTED-1","on":true}}'),
    ('{"api_key":"abc', '{"api_key":"REDACTED-1'),
    ('{"api_key":"abc",,]}', '{"api_key":"REDACTED-1",,]}'),
    ('[{"secretKey":"abc"}]x', '[{"secretKey":"REDACTED-1"}]x'),
    ("{'api_key': 'abc'}", "{'api_key': 'REDACTED-1'}"),
    ('{"log":"{\\"api_key\\":\\"abc\\"}"}', '{"log":"{\\"api_key\\":\\"REDACTED-1\\"}"}'),
    ('{"next":"https:\\/\\/x.io\\/?token=abc"}', '{"next":"https:\\/\\/x.io\\/?token=REDACTED-1"}'),
    ('{"next":"https://x.io/?a=1\\u0026key=abc"}', '{"next":"https://x.io/?a=1\\u0026key=REDACTED-1"}'),
    ('{"from":"x\\nme@a.io"}', '{"from":"x\\nredacted-1@example.com"}'),
    ("token=abc&page=2", "token=REDACTED-1&page=2"),
    ("key: abc\nAuthorization: Token def", "key: REDACTED-1\nAuthorization: Token REDACTED-2"),
    (
        '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nabc def\r\n--b--',
        '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nREDACTED-1\r\n--b--',
    ),
    (
        'X: form-data; name="token"; filename="a"\nContent-Type: text/plain\n\nabc\n--b--',
        'X: form-data; name="token"; filename="a"\nContent-Type: text/plain\n\nREDACTED-1\n--b--',
    ),
    (
        'a:b\r\nX: form-data; name="a"\r\n\r\nb\r\n--b\r\nX: form-data;name="pin"\r\n\r\n1 2\r\n--b--',
        'a:b\r\nX: form-data; name="a"\r\n\r\nb\r\n--b\r\nX: form-data;name="pin"\r\n\r\nREDACTED-1\r\n--b--',
    ),
    ('form-data; filename="a"; name="token"\n\nabc', 'form-data; filename="a"; name="token"\n\nREDACTED-1'),
    ("a-eyJhbGciOiJI.eyJzdWIiOiIx.abc_-", "a-REDACTED-1"),
    ("eyJhbG.a-eyJhbGciOiJI.eyJzdWIiOiIx.a", "eyJhbG.a-REDACTED-1"),
    ("%3DeyJhbGciOiJI.eyJzdWIiOiIx.abc", "%3DREDACTED-1"),
    ("my key is eyJhbGciOiJI.eyJzdWIiOiIx.abc_-", "my key is REDACTED-1"),
]
BODIES_THAT_STAY = [
    "",
    '{"count": 1, "next" :null,"results":[ ]}',
    '{"keys":3,"session_open":true,"token":null,"password":""}',
    '{"detail":"Invalid token header. Token string should not contain spaces."}',
    '{"email":["Enter a valid email address."]}',
    '{"password":[{"message":"Too short.","code":"min_length"}]}',
    '{"amount":2.50,"referral_channel":361,"referral_channel_code":"GREEN25"}',
    '{"user_id":12345678,"referral_url":"https://www.webshare.io/?referral_code=abc"}',
    "{not json at all",
    'form-data; name="token"' * 300,
    'form-data; filename="token"\n\nabc',
    "aeyJhbGciOiJI.eyJzdWIiOiIx.abc",
    '<!doctype html>\n<html lang="en"><title>Not Found</title></html>',
]


@pytest.mark.parametrize(("given_body", "expected"), BODIES)
def test_a_body(given_body: str, expected: str) -> None:
    assert body(given_body, None) == expected


@pytest.mark.parametrize("given_body", BODIES_THAT_STAY)
def test_a_body_that_stays(given_body: str) -> None:
    assert body(given_body) == given_body


def test_the_result_for_a_long_name_is_not_cached() -> None:
    known = patterns._cached.cache_info().currsize
    assert is_secret_name("x" * 300 + "-key") and not is_secret_name("x" * 300)
    assert patterns._cached.cache_info().currsize == known


def test_responses_of_the_service_stay() -> None:
    for credit in generator.generate(1, 200).wire()["credits"]:
        text = json.dumps(credit)
        assert body(text) == text
    for name in SERVICE_SCHEMAS.names:
        for field in SERVICE_SCHEMAS.document(name).get("properties", {}):
            assert is_secret_name(field) == (field == "paypal_payout_email")


def test_binary_bodies_stay() -> None:
    octets = bytes(range(256)) * 3
    assert Redactor().body(octets, "image/png") == octets


# A secret that was found once is found again in any place and any encoding.

ENCODINGS = {
    "plain": KEY,
    "percent-encoded": quote(KEY, safe=""),
    "percent-encoded in part": quote(KEY),
    "percent-encoded in lower case": quote(KEY, safe="").lower(),
    "percent-encoded all over": "".join(f"%{ord(each):02X}" for each in KEY),
    "percent-encoded twice": quote(quote(KEY, safe=""), safe=""),
    "percent-encoded four times": quote(quote(quote(quote(KEY, safe=""), safe=""), safe=""), safe=""),
    "JSON with escaped slashes": KEY.replace("/", "\\/"),
    "JSON in escapes only": "".join(f"\\u{ord(each):04x}" for each in KEY),
    "JSON in escapes four times": json.dumps(
        json.dumps(json.dumps("".join(f"\\u{ord(each):04x}" for each in KEY))[1:-1])[1:-1]
    )[1:-1],
    "HTML": "".join(each if each.isalnum() else f"&#{ord(each)};" for each in KEY),
    "HTML in hexadecimal": "".join(each if each.isalnum() else f"&#x{ord(each):02X};" for each in KEY),
    "JSON in JSON": json.dumps(json.dumps(KEY.replace("/", "\\/")))[1:-1],
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 of user and password": base64.b64encode(f"me:{KEY}".encode()).decode(),
    "base64 of password and user": base64.b64encode(f"{KEY}:somebody else".encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(f"ab{KEY}".encode()).decode(),
    "base64, percent-encoded": quote(base64.b64encode(f"\xff\xfe{KEY}".encode()).decode(), safe=""),
    "lower case, as in a host": KEY.lower(),
}


MANY = [f"c{number:020}{number * 7919:x}xyz" for number in range(100)]
"""Secrets that begin and end alike, more than are searched for one by one."""


@pytest.mark.parametrize("others", [[], MANY], ids=["alone", "among many"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_encoding(encoding: str, others: list[str]) -> None:
    written = ENCODINGS[encoding]
    given = exchange(
        url=f"https://x.io/a/{written}/b?q=x{written}",
        request_headers=(KNOWN, ("X-Note", f"see {written}!"), (f"X-{PLAIN_KEY}", "1")),
        request_body=f"<{written}>".encode(),
        headers=(("Location", f"/{written}/"),),
        body=f'{{"detail":"no such key: {written}", "a":2.50}}'.encode(),
    )
    redactor = Redactor(others)
    redacted = write_line(redactor.exchange(given))
    assert written not in redacted
    assert redacted.count(f"REDACTED-{len(others) + 1}") >= 7


def test_many_secrets_are_all_found() -> None:
    redactor = Redactor(MANY)
    for number, secret in enumerate(MANY, start=1):
        assert redactor.text(f"<{quote(secret)}>") == f"<REDACTED-{number}>"
        assert redactor.text(base64.b64encode(f"me:{secret}".encode()).decode()).count("REDACTED") == 1


def test_more_secrets_than_are_indexed_are_replaced_under_their_names() -> None:
    secrets = [f"{number * 7919**5:020x}" for number in range(1, redaction.MOST_INDEXED + 100)]
    redacted = json.loads(body(json.dumps({"token": secrets, "note": secrets[-1].upper()})))
    assert redacted["token"] == [f"REDACTED-{number}" for number in range(1, len(secrets) + 1)]
    assert redacted["note"] == redacted["token"][-1]


def test_a_secret_of_backslashes_is_found() -> None:
    secret = "\\" * 40 + "abcdefgh"
    redacted = body(json.dumps({"token": secret, "note": ["\\" * 80 + "abcdefg", f"<{secret}>"]}))
    assert json.loads(redacted)["note"] == ["\\" * 80 + "abcdefg", "<" + "\\" * 40 + "REDACTED-1>"]


def test_a_character_reference_may_have_any_number() -> None:
    text = json.dumps({"token": PLAIN_KEY, "note": "&#" + "9" * 5000 + ";"})
    assert PLAIN_KEY not in body(text)


@pytest.mark.parametrize("depth", [1, redaction.DEEPEST, 500])
def test_json_in_json_is_read_to_a_depth(depth: int) -> None:
    nested = "".join("\\" + "u005c" * each + "u0022" for each in range(depth))
    assert "REDACTED" in body('{"token":"abc","log":"' + nested + '"}')


@pytest.mark.parametrize("depth", [body_text.MOST_LAYERS, 2000])
def test_gzip_in_gzip_is_opened_to_a_depth(depth: int) -> None:
    packed = b'{"token":"abc"}'
    for _ in range(depth):
        packed = gzip.compress(packed, mtime=0)
    is_opened = depth <= body_text.MOST_LAYERS
    assert Redactor().body(packed, None) == (b'{"token":"REDACTED-1"}' if is_opened else packed)


@pytest.mark.parametrize(
    "place",
    [
        {"request_headers": (("X-Api-Key", PLAIN_KEY),)},
        {"request_headers": (("Cookie", f"a=1; session={PLAIN_KEY}"),)},
        {
            "request_headers": (
                ("Proxy-Authorization", f"Basic {base64.b64encode(f'me:{PLAIN_KEY}'.encode()).decode()}"),
            )
        },
        {"headers": (("Set-Cookie", f"sid={PLAIN_KEY}; Path=/"),)},
        {"url": f"{LIST}?api_key={PLAIN_KEY}"},
        {"url": f"https://me:{PLAIN_KEY}@proxy.webshare.io/"},
        {"request_body": urlencode({"a": 1, "password": PLAIN_KEY}).encode()},
        {"request_body": json.dumps({"password": PLAIN_KEY}).encode()},
        {"request_body": gzip.compress(json.dumps({"password": PLAIN_KEY}).encode(), mtime=0)},
        {"request_body": json.dumps({"password": PLAIN_KEY}).encode("utf-16")},
        {"request_body": codecs.BOM_UTF16_BE + json.dumps({"password": PLAIN_KEY}).encode("utf-16-be")},
        {"request_body": json.dumps({"password": PLAIN_KEY}).encode("utf-32")},
        {"request_body": json.dumps({"password": PLAIN_KEY}).encode("utf-16-le")},
    ],
    ids=str,
)
def test_a_place(place: dict[str, object]) -> None:
    elsewhere = f'{{"detail":"echo {PLAIN_KEY}"}}'.encode()
    for each in (
        elsewhere,
        gzip.compress(elsewhere),
        zlib.compress(elsewhere),
        elsewhere.decode().encode("utf-16"),
    ):
        redacted = Redactor().exchange(exchange(body=each, **place))
        assert PLAIN_KEY not in write_line(redacted)
        for octets in (redacted.body, redacted.request_body):
            assert PLAIN_KEY.encode() not in octets.replace(b"\0", b"")
        assert b"REDACTED-" in redacted.body.replace(b"\0", b"")


def test_equal_secrets_have_equal_pseudonyms() -> None:
    redactor = Redactor()
    one = redactor.exchange(exchange(request_headers=(("Authorization", "Token one"),)))
    two = redactor.exchange(exchange(request_headers=(("Authorization", "Token two"),)))
    again = redactor.exchange(exchange(url=f"{LIST}?token=one"))
    assert one.request_headers == (("Authorization", "Token REDACTED-1"),)
    assert two.request_headers == (("Authorization", "Token REDACTED-2"),)
    assert again.url == f"{LIST}?token=REDACTED-1"


def test_links_repeat_the_pseudonyms_of_the_request() -> None:
    requested = f"{LIST}?token=a%20b&email=me@a.io"
    following = f"{LIST}?email=me%40a.io&page=2&token=a+b"
    redacted = Redactor().exchange(exchange(url=requested, body=json.dumps({"next": following}).encode()))
    assert redacted.url == f"{LIST}?token=REDACTED-1&email=redacted-2@example.com"
    assert (
        json.loads(redacted.body)["next"] == f"{LIST}?email=redacted-2%40example.com&page=2&token=REDACTED-1"
    )


def test_a_redactor_knows_collected_and_given_secrets() -> None:
    redactor = Redactor([PLAIN_KEY])
    redactor.collect_secrets(exchange(request_headers=(KNOWN,)))
    assert (
        redactor.url(f"https://x.io/{PLAIN_KEY}/{quote(KEY, safe='')}/")
        == "https://x.io/REDACTED-1/REDACTED-2/"
    )


@pytest.mark.parametrize(
    "key", ["1", "ab", "123", "detail", "available", "referral", "created_at", "Invalid"]
)
def test_a_word_of_the_contract_and_a_tiny_secret_stay_in_other_places(key: str) -> None:
    text = json.dumps(
        {"detail": "Invalid ab 123.", "id": 123, "status": "available", "created_at": "1", "referral": 1}
    )
    redacted = Redactor().exchange(
        exchange(request_headers=(("Authorization", f"Token {key}"),), body=text.encode())
    )
    assert redacted.request_headers == (("Authorization", "Token REDACTED-1"),)
    assert redacted.body.decode() == text


WORDS = [
    ("hunter2", '{"detail":"hunter2"}', '{"detail":"REDACTED-1"}'),
    ("hunter2", "no hunter2! Hunter2.", "no REDACTED-1! REDACTED-1."),
    ("hunter2", "/a/hunter2/?b=hunter2&hunter2=1", "/a/REDACTED-1/?b=REDACTED-1&hunter2=1"),
    ("hunter2", "a%20hunter2%20b", "a%20REDACTED-1%20b"),
    ("hunter2", '{"a":"b\\nhunter2\\u0020"}', '{"a":"b\\nREDACTED-1\\u0020"}'),
    ("hunter2", '{"hunter2":"hunter23","xhunter2":1}', '{"hunter2":"hunter23","xhunter2":1}'),
    ("any", '{"detail":"any","company":1}', '{"detail":"REDACTED-1","company":1}'),
    ("p-w!d", "p-w!d p-w", "REDACTED-1 p-w"),
    ("493817", "pin 493817, 4938171", "pin REDACTED-1, 4938171"),
    (
        "493817",
        '{"id":493817,"b":[493817,1],"c":"x: 493817"}',
        '{"id":"REDACTED-1","b":["REDACTED-1",1],"c":"x: REDACTED-1"}',
    ),
]


@pytest.mark.parametrize(("secret", "given_body", "expected"), WORDS)
@pytest.mark.parametrize("place", ["header", "parameter", "password", "form"])
def test_a_short_secret_is_replaced_in_its_exchange_where_it_is_a_word(
    secret: str, given_body: str, expected: str, place: str
) -> None:
    places: dict[str, dict[str, object]] = {
        "header": {"request_headers": (("Authorization", f"Token {secret}"),)},
        "parameter": {"url": f"https://x.io/?token={quote(secret)}"},
        "password": {"url": f"https://me:{quote(secret)}@x.io/"},
        "form": {"request_body": urlencode({"pin": secret}).encode()},
    }
    redactor = Redactor()
    redacted = redactor.exchange(exchange(body=given_body.encode(), **places[place]))
    number = 2 if place == "password" else 1  # the user is another secret
    assert redacted.body.decode() == expected.replace("REDACTED-1", f"REDACTED-{number}")
    assert redactor.exchange(exchange(body=given_body.encode())).body.decode() == given_body


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("%6e%75ll", "null"),
        ("\\" * 8 + "true", "true"),
        ("%61vailable", "available"),
        ("referral\\_channel", "referral_channel"),
        ("\\u0031655233090246406", "1655233090246406"),
    ],
)
def test_a_secret_that_decodes_to_such_a_word_stays_in_other_places(key: str, value: str) -> None:
    text = f'{{"next":{value},"status":"{value}"}}'
    redacted = Redactor().exchange(exchange(request_headers=(("X-Key", key),), body=text.encode()))
    assert redacted.request_headers == (("X-Key", "REDACTED-1"),)
    assert redacted.body.decode() == text


def test_the_numbers_of_former_pseudonyms_are_not_used() -> None:
    redactor = Redactor()
    redactor.url("https://x.io/?token=REDACTED-4")
    assert redactor.url("https://x.io/?token=new") == "https://x.io/?token=REDACTED-5"


@pytest.mark.parametrize(
    "place",
    [
        {"url": f"{LIST}REDACTED-4/"},
        {"headers": (("X-Note", "see REDACTED-4"),)},
        {"body": b"hello redacted-4@example.com"},
        {"body": "see REDACTED-4".encode("utf-16")},
        {"request_body": gzip.compress(b"see REDACTED-4", mtime=0)},
    ],
    ids=str,
)
def test_the_numbers_of_pseudonyms_in_any_place_are_not_used(place: dict[str, object]) -> None:
    redactor = Redactor()
    redactor.reserve_pseudonyms(exchange(**place))
    assert redactor.url("https://x.io/?token=new") == "https://x.io/?token=REDACTED-5"
    assert Redactor().exchange(exchange(request_headers=(("X-Key", "new"),), **place)).request_headers == (
        ("X-Key", "REDACTED-5"),
    )


def test_a_pseudonym_with_too_many_digits_is_a_secret() -> None:
    assert header("Authorization", f"Token REDACTED-{'9' * 5000}") == "Token REDACTED-1"


def test_the_memory_for_many_long_secrets_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_index, "MOST_CHARACTERS", 10_000)
    redactor = Redactor([PLAIN_KEY])
    for number in range(20):
        redactor.url(f"https://x.io/?token={number:01000}x&key={PLAIN_KEY}")
    assert redactor._index._characters <= 10_000
    assert redactor.text(f"see {PLAIN_KEY}") == "see REDACTED-1"


def test_a_secret_longer_than_any_header_stays_in_other_places() -> None:
    long = "k" * (redaction.LONGEST_INDEXED + 1)
    redacted = Redactor().exchange(exchange(request_body=f"token={long}&note={long}".encode()))
    assert redacted.request_body == f"token=REDACTED-1&note={long}".encode()


def test_a_correct_content_length_stays_correct() -> None:
    given = exchange(body=b'{"token":"a"}', headers=(("Content-Length", "13"),))
    redacted = Redactor().exchange(given)
    assert redacted.headers == (("Content-Length", str(len(redacted.body))),)
    assert Redactor().exchange(exchange(headers=(("Content-Length", "13"),))).headers == (
        ("Content-Length", "13"),
    )


def test_missing_parts_stay_missing() -> None:
    bare = Exchange(source="-", body=b"{}")
    assert Redactor().exchange(bare) == bare


def test_a_pseudonym_after_a_backslash_leaves_json_well_formed() -> None:
    text = f'{{"detail":"\\n{PLAIN_KEY} \\\\{PLAIN_KEY} C:\\{PLAIN_KEY}"}}'
    redacted = Redactor().exchange(exchange(request_headers=(("X-Key", PLAIN_KEY),), body=text.encode()))
    assert json.loads(redacted.body) == {"detail": "\nREDACTED-1 \\REDACTED-1 C:REDACTED-1"}


def test_the_representation_shows_no_secret() -> None:
    assert repr(Redactor([KEY])) == "<Redactor secrets: 1>"


LETTERS = st.characters(codec="utf-8")
NAMES = st.sampled_from(["token", "api_key", "email", "detail", "id", "next", "message"]) | st.text(
    LETTERS, max_size=8
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(LETTERS) | st.emails(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
EXCHANGES = st.builds(
    exchange,
    url=st.just(LIST) | st.text(LETTERS),
    request_headers=st.lists(
        st.tuples(
            st.sampled_from(["Authorization", "Cookie", "X-Key", "X-Note"]),
            st.text(st.characters(max_codepoint=255)),
        ),
        max_size=3,
    ).map(tuple),
    request_body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()),
    body=st.binary() | st.text(LETTERS).map(str.encode) | JSON.map(lambda value: json.dumps(value).encode()),
)


@given(EXCHANGES)
@settings(deadline=None)
def test_redacting_twice_is_redacting_once(given_exchange: Exchange) -> None:
    once = Redactor().exchange(given_exchange)
    assert Redactor().exchange(once) == once


@given(JSON, st.booleans())
@settings(deadline=None)
def test_json_stays_json_of_the_same_form(value: object, is_ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii)
    assert _form(json.loads(body(text))) == _form(value)


def _form(value: object) -> object:
    """Return the structure of a JSON value; a string and a number, which may become one, are the same."""
    if isinstance(value, dict):
        return [_form(each) for each in value.values()]
    if isinstance(value, list):
        return [_form(each) for each in value]
    return "text" if isinstance(value, str | int | float) and not isinstance(value, bool) else value


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=30), st.data())
@settings(deadline=None)
def test_a_key_is_redacted_in_all_places(key: str, data: st.DataObject) -> None:
    key = f"{key}~canary"
    encoders: list[Callable[[str], str]] = [
        str, quote, lambda text: quote(text, safe=""), lambda text: json.dumps(text)[1:-1],
    ]  # fmt: skip
    encode = data.draw(st.sampled_from(encoders))
    text = json.dumps({"detail": f"a {key} b"})
    redacted = Redactor().exchange(
        exchange(
            url=f"https://x.io/{quote(key)}/?a={quote(key, safe='')}",
            request_headers=(("Authorization", f"Token {key}"),),
            headers=(("X-Note", encode(key)),),
            body=text.encode(),
        )
    )
    assert "canary" not in write_line(redacted)
    assert json.loads(redacted.body)
