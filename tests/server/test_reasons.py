"""Why a response is what it is: in the journal, in the log, and in the transcript, without a key."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from mock_webshare import MockServer, Settings
from mock_webshare.contract.endpoints import CONFIG, COUPON_CODE, CREDIT_LIST
from mock_webshare.server.handler import Handler
from mock_webshare.service.reasons import MEANINGS, Reason
from tests.control_plane import send

LIST = CREDIT_LIST.path
SECRET = "a-very-secret-key"
KEY = f"Authorization: Token {SECRET}"

ORDINARY = [
    ("GET", LIST),
    ("HEAD", LIST),
    ("OPTIONS", LIST),
    ("GET", f"{LIST}?stauts=x"),
    ("GET", CONFIG.path),
]

NOT_ORDINARY: Mapping[str, list[tuple[str, str, tuple[str, ...]]]] = {
    "no-key": [("GET", LIST, ()), ("GET", LIST, ("Authorization: ",)), ("OPTIONS", CONFIG.path, ())],
    "malformed-key": [
        ("GET", LIST, ("Authorization: Token",)),
        ("GET", LIST, ("Authorization: Token a b",)),
        ("GET", LIST, ("Authorization: Bearer a",)),
    ],
    "unknown-key": [("GET", LIST, ("Authorization: Token scenario:nothing",))],
    "not-served:profile.get": [("GET", "/api/v2/profile/", (KEY,)), ("GET", "/api/v2/profile", ())],
    "unknown-path": [("GET", "/", (KEY,)), ("GET", f"{LIST}1.5/", (KEY,)), ("POST", "/favicon.ico", ())],
    "no-slash": [("GET", LIST.rstrip("/"), (KEY,)), ("GET", f"{LIST}1", ())],
    "bad-host": [("GET", LIST, (KEY, "Host: a_b"))],
    "bad-query": [
        ("GET", f"{LIST}?{'a&' * 1001}", (KEY,)),
        ("GET", f"{LIST}?a=%C3%A9", (KEY, "Content-Type: application/json; charset=hex")),
        ("GET", f"{LIST}?format=xml", (KEY,)),
    ],
    "not-acceptable": [("GET", LIST, (KEY, "Accept: text/html"))],
    "method": [("DELETE", LIST, (KEY,)), ("PATCH", f"{LIST}1/", (KEY,))],
    "invalid:status": [("GET", f"{LIST}?status=x", (KEY,))],
    "invalid:mode,status": [("GET", f"{LIST}?status=x&mode=y&stauts=z", (KEY,))],
    "invalid:referral_channel": [("GET", f"{LIST}?referral_channel=99", (KEY,))],
    "invalid:referral_code": [("GET", "/api/v2/referral/code/info/", (KEY,))],
    "not-found": [
        ("GET", f"{LIST}1/", (KEY,)),
        ("GET", f"{LIST}?page=0", (KEY,)),
        ("GET", "/api/v2/referral/code/info/?referral_code=x", (KEY,)),
    ],
}  # fmt: skip
"""Requests by the reason of their response."""

BODIES: Mapping[str, list[tuple[str, bytes]]] = {
    "bad-body": [("text/plain", b"a"), ("application/json", b"{"), ("multipart/form-data", b"a"),
                 ("application/json; charset=rot13", b"{}"), ("application/json", b"[" * 100_000)],
    "invalid:code": [("application/json", b"{}"),
                     ("application/x-www-form-urlencoded", b"code=no-such-code")],
}  # fmt: skip
"""Bodies of a coupon code by the reason of the response."""


def reasons(server: MockServer) -> list[str]:
    """Return the reason of each request with and without a key, without those of hints."""
    entries = [*server.world(SECRET).requests, *server.keyless_since(0)]
    return [
        " ".join(code for code in each.reason.split() if not code.startswith("hint:")) for each in entries
    ]


@pytest.mark.parametrize(("method", "target"), ORDINARY)
def test_an_ordinary_response_has_none(method: str, target: str) -> None:
    with MockServer() as server:
        assert send(server.url, method, target, "Host: a", KEY).status == 200
        assert reasons(server) == [""]


@pytest.mark.parametrize(
    ("reason", "request_"), [(reason, each) for reason, several in NOT_ORDINARY.items() for each in several]
)
def test_a_refusal_says_why(reason: str, request_: tuple[str, str, tuple[str, ...]]) -> None:
    method, target, headers = request_
    host = () if any(each.startswith("Host") for each in headers) else ("Host: a",)
    with MockServer() as server:
        assert send(server.url, method, target, *host, *headers).status >= 300
        assert reasons(server) == [reason]


@pytest.mark.parametrize(
    ("reason", "type_", "body"), [(reason, *each) for reason, several in BODIES.items() for each in several]
)
def test_a_refused_body_says_why(reason: str, type_: str, body: bytes) -> None:
    with MockServer() as server:
        headers = {"Authorization": f"Token {SECRET}", "Content-Type": type_}
        assert requests.post(server.url + COUPON_CODE.path, body, headers=headers).status_code >= 400
        assert reasons(server) == [reason]


FAULTS: Mapping[str, tuple[list[dict[str, Any]], str | None]] = {
    "fault:1": ([{"status": 429}], None),
    "fault:2": ([{"status": 503, "method": "PUT"}, {"respond": 200, "body": "a"}], None),
    "fault:1 fault:2": ([{"fixedDelayMilliseconds": 1}, {"throttle": "1/day"}], None),
    "fault:1 fault:3": ([{"contentType": "a/b"}, {"status": 500, "after": 5}, {"status": 404}], None),
    "prefer": ([{"status": 503}], "code=403"),
    "prefer fault:1": ([{"fixedDelayMilliseconds": 1}], "code=429"),
    "": ([{"status": 503, "times": 1, "query": {"page": "2"}}], "respond-async"),
    "throttled fault:1": ([{"fixedDelayMilliseconds": 1}], None),
}  # fmt: skip
"""The faults of a world, and a header `Prefer`, by the reason of the last of two responses."""


@pytest.mark.parametrize("reason", FAULTS)
def test_faults_are_named_by_their_ids(reason: str) -> None:
    faults, prefer = FAULTS[reason]
    with MockServer() as server:
        world = server.world(SECRET)
        world.set_settings(rate_limit="1/day" if "throttled" in reason else "off")
        for fault in faults:
            world.add_fault(**fault)
        headers = {"Authorization": f"Token {SECRET}", **({"Prefer": prefer} if prefer else {})}
        for _ in range(2):
            requests.get(server.url + LIST, headers=headers)
        assert reasons(server)[-1] == reason


def test_a_broken_connection_has_the_reason_though_there_is_no_response() -> None:
    with MockServer() as server:
        world = server.world(SECRET)
        world.add_fault(fault="EMPTY_RESPONSE")
        with pytest.raises(requests.ConnectionError):
            requests.get(server.url + LIST, headers={"Authorization": f"Token {SECRET}"})
        assert world.transcript() == f"GET {LIST} no response (fault:1, fault)"
        assert reasons(server) == ["fault:1"]


def test_the_rate_limit_is_a_reason() -> None:
    with MockServer(Settings(port=0, rate_limit="1/min")) as server:
        for _ in range(2):
            requests.get(server.url + LIST, headers={"Authorization": f"Token {SECRET}"})
        assert reasons(server) == ["", "throttled"]


def test_an_internal_error_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Handler, "_respond", None)
    with MockServer() as server:
        assert (
            requests.get(server.url + LIST, headers={"Authorization": f"Token {SECRET}"}).status_code == 500
        )
        assert reasons(server) == ["internal-error"]


def test_each_code_has_a_meaning_and_is_tried_here() -> None:
    assert set(MEANINGS) == set(Reason)
    tried = {
        code.partition(":")[0]
        for table in (NOT_ORDINARY, BODIES, FAULTS)
        for each in table
        for code in each.split()
    }
    assert tried | {"hint", "internal-error"} == set(Reason)


def test_log_journal_and_transcript_have_it_without_the_key() -> None:
    text, lines = io.StringIO(), []
    with MockServer(log=text) as server:
        world = server.world(SECRET)
        world.add_fault(status=503, times=1)
        for path in (LIST, f"{LIST}1/", f"/{SECRET}/"):
            requests.get(server.url + path, headers={"Authorization": f"Token {SECRET}"})
        headers = {"Authorization": f"Token {SECRET}"}
        listed = requests.get(f"{server.url}/__mock__/requests", headers=headers).json()["requests"]
        lines = world.transcript().splitlines()
    expected = ["fault:1", "not-found", "unknown-path hint:path.unknown"]
    assert [each["reason"] for each in listed] == expected
    assert [
        line.partition(" reason: ")[2].partition(" hint: ")[0] for line in text.getvalue().splitlines()
    ] == expected
    assert lines[:2] == [f"GET {LIST} 503 (fault:1, status)", f"GET {LIST}1/ 404 (not-found)"]
    assert SECRET not in text.getvalue() + json.dumps(listed) + "".join(lines)
