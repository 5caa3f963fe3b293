"""Hints: which requests get one, that it says nothing of theirs, and that all else is unchanged."""

from __future__ import annotations

import io
import re
import socket
import ssl
from collections.abc import Iterator
from string import Formatter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from mock_webshare import MockServer, MockWorld, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.contract.messages import FORBIDDEN
from mock_webshare.contract.paths import known_paths
from mock_webshare.exchange.model import Exchange, write_line
from mock_webshare.insight.hints import HINTS, KEY_HEADERS, Facts, hint_for, key_place
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from mock_webshare.recordings import read
from mock_webshare.service.world import scenarios
from tests.made_up import MADE_UP
from tests.waiting import PATIENCE, until

LIST = CREDIT_LIST.path
HEADER = "Mock-Webshare-Hint"
SECRET = "k7wq2m9x4tk7wq2m9x4t"
TOKEN = f"Token {SECRET}"
NAMES = tuple(scenarios.of(WEBSHARE))

WRONG: dict[str, list[tuple[str, str, str | None]]] = {
    "once too often": [
        ("GET", f"/api/v2{LIST}", TOKEN),
        ("GET", "/api/v2/api/v2/referral/credit", TOKEN),
        ("GET", "/api/v2/api/v2/referral/earnout/17/?page=2", None),
        ("PATCH", "/api/v2/api/v2/referral/config/", TOKEN),
        ("GET", "/api/v2/api/v3/proxy/config", TOKEN),
        ("GET", "/api/v2/api/v2/subuser/5/", TOKEN),
    ],
    "the path lacks /api/v2; use ": [
        ("GET", "/referral/credit/", TOKEN),
        ("GET", "/referral/credit", None),
        ("GET", "/referral/credit/50119/", TOKEN),
        ("POST", "/referral/coupon-code/", TOKEN),
        ("GET", "/profile/", TOKEN),
        ("GET", "/proxy/list/?mode=direct", TOKEN),
    ],
    "two slashes in a row": [
        ("GET", f"/{LIST}", TOKEN),
        ("GET", f"{LIST}/", TOKEN),
        ("GET", "/api/v2//referral/credit/", None),
        ("GET", "/api//v2/referral/channel", TOKEN),
        ("GET", "//api/v2/profile/", TOKEN),
    ],
    "the nearest is /api/v2/referral/": [
        ("GET", "/api/v2/referral/credits/", TOKEN),
        ("GET", "/api/v2/referral/credits/17/", TOKEN),
        ("GET", "/api/v1/referral/credit/", None),
        ("GET", "/api/v2/referal/config", TOKEN),
        ("DELETE", "/api/v2/referral/coupon_code/", TOKEN),
        ("GET", f"/api/v2/referral/earnouts/?token={SECRET}", TOKEN),
    ],
    "/__mock__/service.openapi.json lists the paths": [
        ("GET", "/", None),
        ("GET", "/favicon.ico", None),
        ("GET", f"/{SECRET}/", TOKEN),
        ("GET", f"/{'x' * 3000}", TOKEN),
        ("GET", "/*", TOKEN),
        ("GET", "/caf%C3%A9/%FF", TOKEN),
    ],
    "does not serve ": [
        ("GET", "/api/v2/profile/", TOKEN),
        ("POST", "/api/v2/subuser/", None),
        ("GET", f"/api/v2/proxy/list/download/{SECRET}/-/any/username/direct/-/", TOKEN),
        ("GET", "/api/v3/proxy/config", TOKEN),
        ("DELETE", "/api/v2/proxy/ipauthorization/3/", TOKEN),
    ],
    "follow the word Token": [
        ("GET", LIST, SECRET),
        ("GET", LIST, f"Bearer {SECRET}"),
        ("GET", f"{LIST}17/", f"ApiKey {SECRET}"),
        ("GET", "/api/v2/referral/config/", f"Token:{SECRET}"),
        ("POST", LIST, f"Basic {SECRET}"),
        ("GET", LIST, f"Key {SECRET} "),
    ],
    "no key was sent; send the header Authorization: Token KEY": [
        ("GET", LIST, None),
        ("GET", f"{LIST}17/", None),
        ("OPTIONS", LIST, None),
        ("PATCH", "/api/v2/referral/config/", None),
        ("GET", LIST, ""),
        ("POST", "/api/v2/referral/channel/?page=2", None),
    ],
    "does not read a key from the parameter ": [
        ("GET", f"{LIST}?token={SECRET}", None),
        ("GET", f"{LIST}?page=2&api_key={SECRET}", None),
        ("GET", f"{LIST}17/?apikey={SECRET}", None),
        ("POST", f"/api/v2/referral/channel/?access_token={SECRET}", None),
        ("GET", f"/api/v2/referral/config/?API-Key={SECRET}", ""),
        ("GET", f"{LIST}?key=", None),
    ],
    "the nearest is scenario:": [
        ("GET", LIST, "Token scenario:flakey"),
        ("GET", LIST, "Token scenario:emtpy:mine"),
        ("GET", f"{LIST}1/", "Token scenario:suspend"),
        ("GET", LIST, "token scenario:five-per-minute"),
        ("GET", "/api/v2/referral/config/", "Token scenario:edge_cases"),
    ],
    "/__mock__/scenarios lists": [
        ("GET", LIST, f"Token scenario:{SECRET}"),
        ("GET", LIST, "Token scenario:"),
        ("GET", LIST, "Token scenario::flaky"),
        ("GET", LIST, f"Token scenario:{'x' * 3000}"),
        ("GET", LIST, "Token scenario:xyzzy:flaky"),
    ],
}
"""Words of a hint, and requests that get it: method, target and credentials."""
RIGHT: list[tuple[str, str, str | None]] = [
    ("GET", LIST, TOKEN),
    ("HEAD", f"{LIST}?page=2", TOKEN),
    ("OPTIONS", LIST, TOKEN),
    ("GET", LIST.rstrip("/"), TOKEN),  # what the vendor's own client sends
    ("GET", f"{LIST}7000000/", TOKEN),
    ("GET", f"{LIST}?page=99", TOKEN),
    ("GET", f"{LIST}?mode=bogus", TOKEN),
    ("GET", f"{LIST}?format=xml", TOKEN),
    ("POST", LIST, TOKEN),
    ("GET", f"{LIST}?token={SECRET}", TOKEN),
    ("GET", LIST, "Token"),
    ("GET", LIST, "Token a b"),
    ("GET", LIST, "Token invalid"),
    ("GET", LIST, "TOKEN  mine"),
    ("GET", LIST, "Token scenario:flaky"),
    ("GET", LIST, "Token scenario:down:mine"),
    ("GET", "/api/v2/referral/code/info/?referral_code=none", None),
    ("GET", "/api/v2/referral/code/info/?referral_code=none", f"Bearer {SECRET}"),
    ("POST", "/api/v2/referral/coupon-code/", TOKEN),
]


def send(url: str, method: str, target: str, credentials: str | None, **headers: str) -> requests.Response:
    if credentials is not None:
        headers["Authorization"] = credentials
    request = requests.Request(method, url, headers=headers).prepare()
    request.url = url + target  # as it is, without a slash less
    with requests.Session() as session:
        return session.send(request, allow_redirects=False, timeout=PATIENCE)


def cases() -> list[Any]:
    return [
        pytest.param(words, *case, id=f"{words.strip()}-{number}")
        for words in WRONG
        for number, case in enumerate(WRONG[words])
    ]


@pytest.fixture(scope="module")
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(scope="module")
def server(log: io.StringIO) -> Iterator[MockServer]:
    with MockServer(Settings(port=0, rate_limit="off"), log=log) as server:
        yield server


@pytest.mark.parametrize(("words", "method", "target", "credentials"), cases())
def test_a_wrong_request_gets_a_hint_that_repeats_nothing(
    server: MockServer, words: str, method: str, target: str, credentials: str | None
) -> None:
    hint = send(server.url, method, target, credentials).headers[HEADER]
    assert words in hint
    assert hint.isascii() and hint.isprintable() and len(hint) <= 200
    assert SECRET not in hint and "flakey" not in hint and "xxx" not in hint


@pytest.mark.parametrize(("method", "target", "credentials"), RIGHT)
def test_a_right_request_gets_none(
    server: MockServer, method: str, target: str, credentials: str | None
) -> None:
    assert HEADER not in send(server.url, method, target, credentials).headers


@pytest.mark.parametrize(("words", "method", "target", "credentials"), cases())
def test_nothing_else_of_the_response_changes(
    server: MockServer,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    method: str,
    target: str,
    credentials: str | None,
) -> None:
    hinted = send(server.url, method, target, credentials)
    monkeypatch.setattr("mock_webshare.server.handler.hint_for", lambda facts: ("", ""))
    plain = send(server.url, method, target, credentials)
    assert (hinted.status_code, hinted.content) == (plain.status_code, plain.content)
    ours = (HEADER, "Date")
    assert {name: value for name, value in hinted.headers.items() if name not in ours} == {
        name: value for name, value in plain.headers.items() if name not in ours
    }


def test_each_hint_is_tried() -> None:
    found = [hint_for(facts(*case)) for words in WRONG for case in WRONG[words]]
    refused = facts("GET", LIST, TOKEN)
    found.append(hint_for(refused._replace(is_preflight=True, origin="other")))
    found += [hint_for(refused._replace(origin=origin)) for origin in ("null", "other")]
    found += [hint_for(refused._replace(preference=part)) for part in ("name", "code", "example")]
    found.append(hint_for(refused._replace(is_key_refused=True)))
    for hint in HINTS:
        shape = ".+".join(re.escape(text) for text, *_ in Formatter().parse(hint.message))
        assert any(name == hint.id and re.fullmatch(f"{shape}.*", text) for name, text in found), hint.id


def facts(method: str, target: str, credentials: str | None) -> Facts:
    """Return the facts of a wrong request."""
    path, words = target.partition("?")[0], (credentials or "").split()
    is_routed = path.startswith(LIST) or path == "/api/v2/referral/config/"
    name = scenarios.name_of(words[1]) if len(words) == 2 else None
    operation = WEBSHARE.operation(method, path)
    return Facts(
        contract=WEBSHARE,
        path=path,
        is_routed=is_routed and not path.endswith("//"),
        status=401 if is_routed and not path.endswith("//") else 501 if operation else 404,
        operation=operation.name if operation else "",
        authorization=credentials,
        key_place=key_place((), parse_qs(target.partition("?")[2], keep_blank_values=True)),
        scenario=name,
        scenarios=NAMES,
    )


@pytest.mark.parametrize("hint", HINTS, ids=lambda hint: hint.id)
def test_the_longest_message_is_short(hint: Any) -> None:
    names = {
        "path": max(known_paths(WEBSHARE), key=len),
        "operation": max((each.name for each in WEBSHARE.operations), key=len),
        "prefix": "/api/v2",
        "name": max(NAMES, key=len),
        "place": f"header {max(KEY_HEADERS, key=len)}",
        "codes": ", ".join(FORBIDDEN),
    }
    text = hint.message.format(**names)
    assert len(text) <= 200 and text.isascii() and text.isprintable()


def test_another_contract_has_its_own_names() -> None:
    known = Facts(MADE_UP, MADE_UP.endpoints[0].path[4:].replace("tickets", "tikets"), False, 404)
    assert "/api/v2" not in hint_for(known)[1]


def test_log_journal_and_transcript_have_it_without_the_key(server: MockServer, log: io.StringIO) -> None:
    world = server.world("hinted")
    world.begin()
    send(server.url, "GET", "/api/v2/referral/credits/", "Token hinted")
    hint = "the service does not have this path; the nearest is /api/v2/referral/credit/"
    assert world.transcript() == f"GET /api/v2/referral/credits/ 404 (unknown-path)\n  hint: {hint}"
    until(lambda: f"hint: {hint}\n" in log.getvalue())
    journal = send(server.url, "GET", "/__mock__/requests", "Token hinted").json()
    assert [each["hint"] for each in journal["requests"]] == [hint]
    send(server.url, "GET", LIST, SECRET)
    until(lambda: "follow the word Token" in log.getvalue())
    assert SECRET not in log.getvalue()


def test_a_fault_that_responds_keeps_the_hint_away(server: MockServer) -> None:
    world = server.world("faulty")
    world.begin()
    for fault in ({"respond": 501}, {"status": 404}, {"status": 503, "times": 1}):
        world.add_fault(**fault)
        assert HEADER not in send(server.url, "GET", "/api/v2/profile/", "Token faulty").headers
        world.clear_faults()
    assert HEADER not in send(server.url, "GET", "/nowhere/", "Token faulty", Prefer="code=404").headers
    world.add_fault(fixedDelayMilliseconds=1)
    assert HEADER in send(server.url, "GET", "/nowhere/", "Token faulty").headers


@pytest.mark.parametrize("key", ["other", "scenario:flakey", "mine2", "invalid", "MINE"])
def test_where_only_some_keys_are_accepted_any_other_key_gets_a_hint(key: str) -> None:
    with MockServer(Settings(port=0, api_keys=("mine",))) as server:
        assert "--api-key" in send(server.url, "GET", LIST, f"Token {key}").headers[HEADER]
        assert HEADER not in send(server.url, "GET", LIST, "Token mine").headers
        assert "no key was sent" in send(server.url, "GET", LIST, None).headers[HEADER]


@pytest.mark.parametrize("origins", [(), ("http://localhost:3000",)])
def test_a_preflight_from_an_origin_that_is_not_allowed_gets_a_hint(origins: tuple[str, ...]) -> None:
    headers = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "GET"}
    with MockServer(Settings(port=0, cors_origins=origins)) as server:
        response = requests.options(server.url + LIST, headers=headers, timeout=PATIENCE)
    assert response.status_code == 401
    assert "--cors-origin" in response.headers[HEADER]


@pytest.mark.parametrize(
    "name", ["X-API-Key", "x-auth-token", "Api-Key", "X-Access-Token", "TOKEN", "ApiKey"]
)
@pytest.mark.parametrize("credentials", [None, ""])
def test_a_key_in_another_header_gets_a_hint(server: MockServer, name: str, credentials: str | None) -> None:
    response = send(server.url, "GET", LIST, credentials, **{name: SECRET})
    (spelt,) = [each for each in KEY_HEADERS if each.lower() == name.lower()]
    assert response.status_code == 401
    assert response.headers[HEADER] == (
        f"the service does not read a key from the header {spelt}; send the header Authorization: Token KEY"
    )
    assert HEADER not in send(server.url, "GET", LIST, TOKEN, **{name: SECRET}).headers


PREFERENCES = {
    "the code in the header Prefer": [
        "code=abc", "code=99", "code=200", "code=600", "code=", "code", "code=4 29", "code=-1",
        "respond-async, code=x", f"code={'9' * 3000}",
    ],
    "the example in the header Prefer": [
        "example=unknown_code", "code=403, example=unknown_code", "code=404, example=2fa_needed",
        "example=2fa_needed", "code=403; example=", "code=abc, example=2fa_needed",
    ],
    "a name in the header Prefer": [
        "cod=403", "code=403, exmaple=2fa_needed", "status=503", "403", "code:403", "codes=429",
        "wait=10, coed=500", "code=403, sample=account_suspended",
    ],
}  # fmt: skip
"""Words of a hint, and headers that get it."""


@pytest.mark.parametrize(
    ("words", "preference"),
    [pytest.param(words, each, id=each[:40]) for words, found in PREFERENCES.items() for each in found],
)
def test_a_preference_with_a_mistake_gets_a_hint(
    server: MockServer, log: io.StringIO, words: str, preference: str
) -> None:
    log.truncate(0)
    response = send(server.url, "GET", LIST, TOKEN, Prefer=preference)
    hint = response.headers[HEADER]
    assert words in hint
    assert "unknown" not in hint and "cod=" not in hint and "999" not in hint
    applied = response.headers.get("Preference-Applied")
    assert response.status_code == (int(applied.removeprefix("code=")) if applied else 200)
    until(lambda: hint in log.getvalue())


@pytest.mark.parametrize(
    "preference",
    [
        "", "code=429", "Code=503", "code=403, example=account_suspended", "example=2fa_needed;code=403",
        "code=500, code=abc", "code=503; dynamic=true", "respond-async, wait=10", "return=minimal",
        "handling=lenient", "odata.maxpagesize=50", "count=exact, resolution=merge-duplicates", ",;,",
        "depth-noroot", "safe",
    ],
)  # fmt: skip
def test_a_preference_without_a_mistake_gets_none(server: MockServer, preference: str) -> None:
    assert HEADER not in send(server.url, "GET", LIST, TOKEN, Prefer=preference).headers


ELSEWHERE: list[dict[str, str]] = [
    {"Origin": "http://localhost:5173"},
    {"Origin": "https://example.com"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://localhost:5173", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    {"Origin": "http://localhost:5173", "Prefer": "code=503"},
    {"Origin": "http://localhost:5173.", "Prefer": "cod=503"},
]


@pytest.mark.parametrize("sent", ELSEWHERE, ids=lambda sent: " ".join(sent.values()))
@pytest.mark.parametrize("origins", [(), ("http://localhost:3000",)])
@pytest.mark.parametrize("credentials", [TOKEN, None, "Token invalid"])
def test_a_response_that_a_browser_does_not_show_gets_a_hint(
    origins: tuple[str, ...], sent: dict[str, str], credentials: str | None
) -> None:
    with MockServer(Settings(port=0, cors_origins=origins)) as server:
        response = send(server.url, "GET", LIST, credentials, **sent)
        plain = send(server.url, "GET", LIST, credentials, **{**sent, "Origin": server.url})
    assert response.headers[HEADER].startswith("the browser does not show this response to the page, ")
    assert (response.status_code, response.content) == (plain.status_code, plain.content)
    assert "the browser" not in plain.headers.get(HEADER, "")


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PATCH"])
def test_a_page_without_an_origin_gets_a_hint_of_its_own(server: MockServer, method: str) -> None:
    asking = {"Access-Control-Request-Method": "GET"} if method == "OPTIONS" else {}
    response = send(server.url, method, LIST, None, Origin="null", **asking)
    assert "such as a file" in response.headers[HEADER]


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "http://localhost:3000"},
        {"Origin": "OWN"},
        {"Origin": "https://mock.example", "Host": "mock.example"},  # behind a proxy that speaks TLS
        {"Origin": "https://public.example"},
        {"Origin": "http://localhost:5173", "Sec-Fetch-Site": "same-origin"},  # through a proxy of the page
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},  # an image
    ],
    ids=str,
)
def test_a_response_that_a_browser_shows_gets_none(sent: dict[str, str]) -> None:
    settings = Settings(
        port=0, cors_origins=("http://localhost:3000",), public_url="https://public.example:443/"
    )
    with MockServer(settings) as server:
        headers = {name: server.url if value == "OWN" else value for name, value in sent.items()}
        assert HEADER not in send(server.url, "GET", LIST, TOKEN, **headers).headers


def test_a_fault_that_lets_the_page_read_gets_no_hint(server: MockServer) -> None:
    world = server.world("open")
    world.begin()
    world.add_fault(respond=200, headers={"access-control-allow-origin": "*"}, body="")
    page = {"Origin": "http://localhost:5173"}
    assert HEADER not in send(server.url, "GET", LIST, "Token open", **page).headers


def test_the_judge_accepts_a_hint_and_vary_origin(server: MockServer, tmp_path: Any) -> None:
    world = server.world("judged")
    world.begin()
    paths = ("/api/v2/referral/credits/", f"/api/v2{LIST}", "/api/v2/profile/", LIST, f"{LIST}1/")
    lines = []
    for number, credentials in enumerate(["Token judged"] * 5 + [SECRET, f"Bearer {SECRET}"]):
        path = paths[number] if number < len(paths) else LIST
        response = send(server.url, "GET", path, credentials)
        assert (HEADER in response.headers) == (path not in paths[3:] or "judged" not in credentials)
        lines.append(recorded(response, credentials))
    (tmp_path / "hinted.ndjson").write_text("".join(lines), encoding="utf-8")
    verdict = judge(read([str(tmp_path / "hinted.ndjson")], io.BytesIO()), Options())
    assert (verdict.judged, verdict.groups) == (4, ())


def recorded(response: requests.Response, credentials: str) -> str:
    return write_line(
        Exchange(
            source="-",
            method="GET",
            url=str(response.url),
            request_headers=(("Authorization", credentials),),
            status=response.status_code,
            headers=(*response.headers.items(), ("Vary", "Origin")),
            body=response.content,
        )
    )


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32),
        b"\x16\x03\x03\x00\x05\n\r\n\r\n",
        b"\x16",
        None,
        b"\x16\x03\x01GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["hello", "line ends", "one byte", "a client", "like HTTP"],
)
def test_tls_on_the_port_is_one_line_in_the_log(sent: bytes | None) -> None:
    log = io.StringIO()
    with MockServer(log=log) as server:
        address = urlsplit(server.url).hostname, urlsplit(server.url).port
        with socket.create_connection(address, timeout=PATIENCE) as connection:
            if sent is None:
                with pytest.raises(ssl.SSLError):
                    ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")
            else:
                connection.sendall(sent)
                assert connection.recv(15) == b"HTTP/1.0 400 Ba"
        until(lambda: log.getvalue() != "")
    _, _, line = log.getvalue().partition(" ")  # after the time
    assert line == (
        "- - 400 - problem: TLS, but this server speaks HTTP only: the base URL has to begin with http://\n"
    )


def test_a_body_that_looks_like_tls_is_not_reported() -> None:
    log = io.StringIO()
    with MockServer(log=log) as server, requests.Session() as session:
        for _ in range(2):
            session.post(server.url + LIST, data=b"\x16\x03\x01", timeout=PATIENCE)
        until(lambda: log.getvalue().count("\n") == 2)
    assert "TLS" not in log.getvalue()


def test_a_fault_for_an_unknown_path_is_set_with_a_warning(
    server: MockServer, caplog: pytest.LogCaptureFixture
) -> None:
    world: MockWorld = server.world("warned")
    world.begin()
    added = world.add_fault(status=503, path="/api/v2/referral/credits/")
    nearest = "the nearest is /api/v2/referral/credit/"
    assert added["warning"] == (f'the service has no path that fits "/api/v2/referral/credits/"; {nearest}')
    assert world.faults() == [added]
    assert nearest in caplog.text
    assert send(server.url, "GET", "/api/v2/referral/credits/", "Token warned").status_code == 503
