"""The rows of a journal as they arrive, and one request of it: complete, bounded, and without keys."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
import requests

from mock_webshare import MockServer, MockWorld, Settings
from mock_webshare.contract.endpoints import COUPON_CODE, CREDIT_LIST
from mock_webshare.control import activity
from mock_webshare.control.routes import ROOT
from mock_webshare.service.world import journal
from mock_webshare.service.world.journal import Entry
from tests.control_plane import send, validator
from tests.waiting import PATIENCE

LIST = CREDIT_LIST.path
KEY = "c4naryBird9xKq7"


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer(Settings(port=0, data="edge-cases", rate_limit="off")) as server:
        yield server


@pytest.fixture
def world(server: MockServer) -> MockWorld:
    return server.world(KEY)


def get(server: MockServer, target: str = LIST, method: str = "GET", **headers: str) -> requests.Response:
    return requests.request(method, server.url + target, headers={"Authorization": f"Token {KEY}", **headers})


def look(server: MockServer, path: str, schema: str, key: str | None = KEY) -> Any:
    """Return what a route responds, which is as its schema says."""
    headers = {} if key is None else {"Authorization": f"Token {key}"}
    response = requests.get(f"{server.url}{ROOT}{path}", headers=headers)
    assert response.status_code == 200, response.text
    assert list(validator(schema).iter_errors(response.json())) == []
    return response.json()


def rows(server: MockServer, query: str = "", key: str | None = KEY) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = look(server, f"activity{query}", "activity", key)["requests"]
    return found


def test_a_row_says_what_arrived_when_and_why_it_got_its_response(
    server: MockServer, world: MockWorld
) -> None:
    world.add_fault(status=503, query={"page": "2"})
    before = time.time()
    for target in (f"{LIST}?page_size=2", f"{LIST}?page=2", "/api/v2/profile/"):
        get(server, target)
    first, second, third = rows(server)
    assert [row["number"] for row in (first, second, third)] == [1, 2, 3]
    assert (first["method"], first["target"], first["status"]) == ("GET", f"{LIST}?page_size=2", 200)
    assert first["bytes"] == len(get(server, f"{LIST}?page_size=2").content)
    assert (first["faults"], first["reason"], first["hint"], first["waiting"]) == ([], "", None, False)
    assert (second["status"], second["faults"], second["reason"]) == (503, ["status"], "fault:1")
    assert third["reason"] == "not-served:profile.get hint:operation.not-served"
    assert third["hint"].startswith("mock-webshare does not serve profile.get")
    why = [[], ['fault 1: status 503, query {"page": "2"}'], [third["hint"]]]
    assert [row["why"] for row in (first, second, third)] == why
    for row, entry in zip((first, second, third), world.requests, strict=False):
        assert abs(row["ms"] - 1000 * entry.seconds) <= 0.001
        assert before - 1 <= entry.arrived <= time.time() + 1
        assert row["at"].startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(entry.arrived)))


PARAMETERS = {
    "stauts=pending": "does not have the parameter `stauts`, and ignores it; use `status`",
    "created_at__gt=2026-01-01": "and ignores it; order by it instead: `ordering=created_at`",
    "cb=1764374400": "/api/v2/referral/credit/ does not have the parameter `cb`, and ignores it",
    "<b>=1": "/api/v2/referral/credit/ does not have one of the parameters, and ignores it",
    "pageSize=50&page_size=2": "and ignores it; use `page_size`",
    "page_size=0": "ignores a `page_size` that is not a positive number; the page has 25 rows; send a number",
    "page_size=99999": "a page of /api/v2/referral/credit/ has at most 5 rows, however many",
}


@pytest.mark.parametrize(("query", "expected"), PARAMETERS.items(), ids=PARAMETERS)
def test_a_parameter_that_is_ignored_is_said_with_the_request(
    server: MockServer, world: MockWorld, query: str, expected: str
) -> None:
    world.set_settings(max_page_size=5)
    get(server, f"{LIST}?{query}")
    get(server, f"{LIST}?status=pending&page_size=2")
    wrong, right = rows(server)
    assert (wrong["status"], wrong["reason"]) == (200, "") and len(wrong["why"]) == 1
    assert expected in wrong["why"][0] and right["why"] == []
    assert look(server, "requests/1", "numbered-exchange")["why"] == wrong["why"]
    hints = look(server, "hints", "hints")
    if "; " in wrong["why"][0]:  # what is like nothing known is no hint
        assert wrong["why"][0] in [f"{each['explanation']}; {each['advice']}" for each in hints]


def test_an_ignored_parameter_is_not_said_of_a_response_that_is_not_ordinary(
    server: MockServer, world: MockWorld
) -> None:
    world.add_fault(status=503, times=1)
    get(server, f"{LIST}?stauts=pending")
    world.clear_faults()
    get(server, f"{LIST}?stauts=pending&status=paid")
    get(server, f"{LIST}?stauts=pending", Authorization="Token scenario:empty")
    assert [row["why"] for row in rows(server)] == [
        ["fault 1, which was removed"],
        ["A parameter, or a field of the body, has a value that is not allowed: status"],
    ]
    assert [row["why"] for row in rows(server, key="scenario:empty")] == [[]]


def test_what_a_fault_says_has_no_secret(server: MockServer, world: MockWorld) -> None:
    world.add_fault(status=503, detail=f"not with {KEY}")
    get(server)
    assert rows(server)[0]["why"] == ["fault 1: status 503, detail not with REDACTED-1"]


def test_a_name_that_may_be_a_key_is_not_said(server: MockServer) -> None:
    get(server, f"{LIST}?stat{KEY}=1&{KEY}=page_size&stauts=&second-secret=2", password="second-secret")
    text = json.dumps(rows(server))
    assert "stauts" in text and KEY not in text and "second-secret" not in text


def test_only_what_came_after_a_number_is_listed(server: MockServer) -> None:
    for page in range(1, 6):
        get(server, f"{LIST}?page_size={page}")
    found = look(server, "activity?after=3", "activity")
    assert ([row["number"] for row in found["requests"]], found["next"], found["skipped"]) == ([4, 5], 5, 0)
    found = look(server, f"activity?after={found['next']}", "activity")
    assert (found["requests"], found["next"], found["skipped"]) == ([], 5, 0)
    assert look(server, "activity?after=100", "activity")["requests"] == []


def test_of_many_the_newest_are_listed_and_the_others_counted(server: MockServer) -> None:
    for page in range(1, 8):
        get(server, f"{LIST}?page_size={page}")
    found = look(server, "activity?after=1&limit=2", "activity")
    assert ([row["number"] for row in found["requests"]], found["skipped"]) == ([6, 7], 4)
    found = look(server, "activity?limit=0", "activity")
    assert (found["requests"], found["next"], found["skipped"]) == ([], 7, 7)


def test_what_the_journal_has_dropped_is_counted_too(
    server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MAX_ENTRIES", 3)
    for page in range(1, 8):
        get(server, f"{LIST}?page_size={page}")
    found = look(server, "activity", "activity")
    assert ([row["number"] for row in found["requests"]], found["skipped"]) == ([5, 6, 7], 4)
    assert found["requests"][0]["target"].endswith("page_size=5")


def test_many_rows_are_made_in_a_thread(server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    made = activity.Reader.rows

    def noted(*args: Any) -> Any:
        threads.append(threading.current_thread().name)
        return made(*args)

    monkeypatch.setattr(activity.Reader, "rows", noted)
    get(server)
    rows(server)
    for _ in range(20):
        get(server)
    rows(server)
    assert [name == "mock-webshare" for name in threads] == [True, False]


def test_no_more_rows_than_the_limit_can_be_requested(server: MockServer) -> None:
    response = get(server, f"{ROOT}activity?limit=201")
    assert response.status_code == 400
    assert response.json()["detail"] == "limit '201' is not allowed; allowed: a number from 0 to 200"


def test_a_waiting_response_is_completed_under_its_number(server: MockServer, world: MockWorld) -> None:
    world.add_fault(fixedDelayMilliseconds=60_000)

    def wait() -> None:
        with suppress(requests.RequestException):
            get(server)

    thread = threading.Thread(target=wait)
    thread.start()
    until = time.monotonic() + PATIENCE
    while not (found := rows(server)) and time.monotonic() < until:
        time.sleep(0.01)
    [row] = found
    assert (row["number"], row["waiting"], row["status"], row["ms"], row["bytes"]) == (
        1,
        True,
        None,
        None,
        None,
    )
    assert (row["reason"], row["faults"]) == ("fault:1", ["fixedDelayMilliseconds"])
    assert row["why"] == ["fault 1: fixedDelayMilliseconds 60000", "waiting for its response"]
    one = look(server, "requests/1", "numbered-exchange")
    assert (one["waiting"], one["response"]) == (True, None)
    server.stop()
    thread.join()


def test_a_delayed_response_is_not_waiting_afterwards(server: MockServer, world: MockWorld) -> None:
    world.add_fault(fixedDelayMilliseconds=20)
    get(server)
    [row] = rows(server)
    assert (row["waiting"], row["status"]) == (False, 200) and row["ms"] >= 20


def test_a_broken_connection_has_no_status_and_is_not_waiting(server: MockServer, world: MockWorld) -> None:
    world.add_fault(fault="EMPTY_RESPONSE")
    with pytest.raises(requests.ConnectionError):
        get(server)
    [row] = rows(server)
    assert (row["waiting"], row["status"], row["reason"]) == (False, None, "fault:1")
    assert row["why"] == ["fault 1: fault EMPTY_RESPONSE", "no response was sent"]


def test_the_journal_has_another_id_after_clear_and_reset_and_the_server_keeps_its_own(
    server: MockServer, world: MockWorld
) -> None:
    get(server)
    found = [look(server, "activity", "activity")]
    for change in (world.clear_requests, world.reset, world.begin):
        get(server)
        assert look(server, "activity", "activity")["journal"] == found[-1]["journal"]
        change()
        found.append(look(server, "activity", "activity"))
        assert (found[-1]["next"], found[-1]["requests"]) == (0, [])
    assert len({each["journal"] for each in found}) == 4
    assert len({each["server"] for each in found}) == 1
    with MockServer() as other:
        assert look(other, "activity", "activity")["server"] != found[0]["server"]


def test_the_version_differs_after_each_change_and_each_request_only(
    server: MockServer, world: MockWorld
) -> None:
    def version() -> str:
        found: str = look(server, "activity?limit=0", "activity")["version"]
        return found

    world.clock()
    versions = [version()]
    assert version() == version() == versions[0]
    for change in (
        lambda: world.add_fault(status=503, times=1),
        lambda: get(server),
        lambda: world.set_clock(advance="P1D"),
        lambda: world.set_settings(max_page_size=5),
        lambda: world.create_credit(),
        lambda: world.take_snapshot("a"),
        lambda: world.clear_faults(),
        lambda: world.reset(),
    ):
        change()
        versions.append(version())
    assert len(set(versions)) == len(versions)


def test_without_a_key_it_is_about_the_requests_without_a_known_key(server: MockServer) -> None:
    requests.get(server.url + LIST)
    get(server, Authorization="Token invalid")
    get(server)
    assert [row["reason"].split()[0] for row in rows(server, key=None)] == ["no-key", "unknown-key"]
    one = look(server, "requests/2", "numbered-exchange", key=None)
    assert (one["number"], one["reason"], one["response"]["status"]) == (2, "unknown-key", 401)


def test_one_request_is_that_of_the_list_with_its_number(server: MockServer) -> None:
    for page in range(1, 4):
        get(server, f"{LIST}?page_size={page}")
    listed = look(server, "requests", "requests")["requests"]
    for number, each in enumerate(listed, 1):
        assert look(server, f"requests/{number}", "numbered-exchange") == {
            "number": number,
            "waiting": False,
            "why": [],
            **each,
        }


@pytest.mark.parametrize("number", ["0", "4", "1", "9999999999999999999", "x", "-1", "%D9%A1"])
def test_a_request_that_is_not_there_is_404(
    server: MockServer, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MAX_ENTRIES", 2)
    for _ in range(3):
        get(server)
    response = get(server, f"{ROOT}requests/{number}")
    assert response.status_code == 404
    if number.isascii() and number.isdecimal():
        expected = f"there is no request {number} in this journal; there are: 2 to 3"
        assert response.json()["detail"] == expected


SENT: list[tuple[str, dict[str, str], bytes]] = [
    (f"{LIST}?key={KEY}", {}, b""),
    (f"{LIST}{KEY}/", {}, b""),
    (f"/{quote(base64.b64encode(KEY.encode()).decode())}/", {}, b""),
    (f"{LIST}?a={''.join(f'%{each:02x}' for each in KEY.encode())}", {}, b""),
    (f"{LIST}?a={quote(base64.b64encode(f'x:{KEY}'.encode()).decode())}", {}, b""),
    (f"http://user:{KEY}@localhost{LIST}", {}, b""),
    (LIST, {"X-Note": KEY, "User-Agent": f"client/{KEY}"}, b""),
    (LIST, {"Cookie": f"a={KEY}"}, b""),
    (COUPON_CODE.path, {"Content-Type": "application/json"}, json.dumps({"code": KEY}).encode()),
    (f"{LIST}?note=second-secret-77aa", {}, b""),
    (LIST, {"X-Api-Key": "second-secret-77aa"}, b""),
    (f"{LIST}?note=second-secret-77aa", {}, b""),
    (f"{LIST}?token=third-secret-99bb", {}, b""),
    ("/third-secret-99bb/", {}, b""),
    (f"{LIST}?password=short7", {"X-Note": "short7"}, b""),
    ("/api/v2/proxy/list/download/fourthsecretfourthsecretfourthsecret12/-/any/username/direct/-/", {}, b""),
]  # fmt: skip
"""Targets, headers and bodies with secrets in many places."""
CANARIES = (KEY, "second-secret-77aa", "third-secret-99bb", "short7", "fourthsecret")


def test_no_secret_is_shown_that_the_list_of_requests_does_not_show(server: MockServer) -> None:
    host = f"Host: {server.url.removeprefix('http://')}"
    seen: list[dict[str, Any]] = []
    for target, headers, body in SENT:
        method = "POST" if body else "GET"
        lines = [f"{name}: {value}" for name, value in headers.items() if name != "Content-Type"]
        send(server.url, method, target, host, f"Authorization: Token {KEY}", *lines, body=body)
        seen += rows(server, f"?after={len(seen)}")  # as they arrive
    known_then = json.dumps(seen)
    listed = look(server, "requests", "requests")["requests"]
    targets = [row["target"] for row in rows(server)]
    assert [each["request"]["url"].endswith(target) for each, target in zip(listed, targets, strict=True)]
    ones = [look(server, f"requests/{number}", "numbered-exchange") for number in range(1, len(SENT) + 1)]
    encoded = [base64.b64encode(KEY.encode()).decode()[:-2], "".join(f"%{each:02x}" for each in KEY.encode())]
    for text in (json.dumps(targets), json.dumps(ones), json.dumps(listed)):
        assert not [each for each in (*CANARIES, *encoded) if each in text]
    # What was shown before the header that shows that it is a secret had arrived could not be known.
    assert known_then.count("second-secret-77aa") == 1
    assert KEY not in known_then


def test_a_short_key_is_redacted_in_its_own_requests(server: MockServer) -> None:
    for path in (f"{LIST}?q=any", f"{LIST}?q=many", f"{LIST}?q=any"):
        get(server, path, Authorization="Token any")
    targets = [row["target"] for row in rows(server, key="any")]
    assert [target.partition("=")[2] for target in targets] == ["REDACTED-1", "many", "REDACTED-1"]


def test_two_keys_do_not_share_what_is_known_of_secrets(server: MockServer) -> None:
    get(server, f"{LIST}?token=abcdefgh12")
    get(server, f"{LIST}?q=abcdefgh12", Authorization="Token other")
    assert rows(server)[0]["target"].endswith("token=REDACTED-2")
    assert rows(server, key="other")[0]["target"].endswith("q=abcdefgh12")


def test_only_so_many_journals_are_remembered(server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "_MOST_READERS", 2)
    for round_ in range(2):
        for number in range(5):
            get(server, f"{LIST}?key=the-key-{number}", Authorization=f"Token the-key-{number}")
            found = rows(server, key=f"the-key-{number}")
            assert [row["target"] for row in found] == [f"{LIST}?key=REDACTED-1"] * (round_ + 1)


def test_an_odd_method_that_is_the_key_is_redacted() -> None:
    # The parser of some versions of aiohttp refuses it before.
    odd = Entry(0, KEY, LIST, (), b"", None, 0.0)
    [row] = activity.Reader([KEY]).rows([odd], [odd], 1, lambda entry, redacted: [redacted(f"of {KEY}")])
    assert (row["method"], row["why"]) == ("REDACTED-1", ["of REDACTED-1"])
