"""A server that has started needs no file: a test may replace the file system, as pyfakefs does."""

from __future__ import annotations

import json
import subprocess
import sys
from encodings.aliases import aliases
from typing import Any

import pytest

from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.control.routes import routes_of
from mock_webshare.service.faults import CONNECTION_FAULTS
from mock_webshare.service.world import scenarios

LIST = CREDIT_LIST.path
ROOT = "/__mock__/"
Call = tuple[str, str, str | None, dict[str, str], Any]
"""Method, target, key, other headers and JSON body; None: there is none."""

PROGRAM = """
import http.client, json, sys, threading
from encodings import ascii, idna, latin_1  # for the client
from mock_webshare import MockServer, Settings

given = json.load(sys.stdin)
main, found = threading.main_thread(), []

def hook(event, arguments):
    if event in ("open", "import", "os.listdir", "os.scandir") and threading.current_thread() is not main:
        found.append(f"{event} {arguments[0]}")

with MockServer(Settings(port=0, rate_limit="off", **given["settings"])) as server:
    sys.addaudithook(hook)
    for method, target, key, headers, body in given["calls"]:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        headers = {**({"Authorization": f"Token {key}"} if key else {}), **headers}
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, target, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            response.read()
            if response.status >= 500 and not given["fails"]:
                found.append(f"{response.status} {method} {target} {headers}")
        except (http.client.HTTPException, OSError):
            pass  # a fault that breaks connections
        connection.close()
    json.dump(sorted(set(found)), sys.stdout)
"""


def found(calls: list[Call], *, fails: bool = False, **settings: Any) -> list[str]:
    """Return what a server opens, lists and imports when it responds; and, unless it `fails`, each 5xx."""
    given = json.dumps({"calls": calls, "settings": settings, "fails": fails})
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    output = subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout
    names: list[str] = json.loads(output)
    return names


def get(target: str = LIST, key: str | None = "any", **headers: str) -> Call:
    return "GET", target, key, {name.replace("_", "-"): value for name, value in headers.items()}, None


def control(method: str, path: str, body: Any = None, key: str | None = "any") -> Call:
    return method, ROOT + path, key, {}, body


FAULTS: list[dict[str, Any]] = [
    *(
        {"status": status, "form": form}
        for status in (400, 403, 418, 503)
        for form in ("json", "html", "proxy")
    ),
    *({"fault": each} for each in CONNECTION_FAULTS),
    *({"drift": each, "field": "amount"} for each in ("removed", "retyped", "null")),
    {"drift": "added", "field": "tier", "to": 1},
    {"throttle": "1/min"},
    {"fixedDelayMilliseconds": 1},
    {"delayDistribution": {"type": "uniform", "lower": 0, "upper": 1}},
    {"chunkedDribbleDelay": {"numberOfChunks": 2, "totalDuration": 2}},
    {"contentType": "text/plain"},
    {"pages": "inserted"},
    {"pages": "removed"},
]
EMPTY: dict[str, list[Any]] = {"credits": [], "channels": []}
BODIES = {
    "PUT state": EMPTY,
    "POST credits": {},
    "POST channels": {"code": "NEW"},
    "PATCH credits/{id}": {"amount": 1},
    "PATCH channels/{id}": {"code": "NEWER"},
    "PUT clock": {"advance": "P40D", "running": True},
    "POST faults": {"status": 503},
    "POST requests/count": {"method": "GET", "path": LIST},
    "PUT settings": {"rate_limit": "off"},
}
CHARSETS = sorted({*aliases, *aliases.values(), "unknown", "utf-8-sig", "punycode", "unicode_escape", "mbcs"})
GROUPS: dict[str, list[Call]] = {
    "routes of the service": [
        *((method, LIST, "any", {}, None) for method in ("GET", "HEAD", "OPTIONS", "POST", "BREW")),
        *map(
            get, (f"{LIST}1/", f"{LIST}x/", LIST[:-1], "/unknown/", "/", f"{LIST}?page=99", f"{LIST}?mode=x")
        ),
        get(f"{LIST}?{'&'.join(f'a{number}=1' for number in range(1002))}"),
        get(f"{LIST}?q=%C3%A9%FF&ordering=-amount"),
        get(key=None),
        get(key="invalid"),
        get(Host="a b"),
    ],
    "negotiation": [
        get(Accept="text/html"),
        get(Accept="application/json; indent=4"),
        get(Accept="application/json; x*=utf-8''%e2%82%ac"),
    ],
    "errors that are preferred": [get(Prefer=f"code={status}") for status in (400, 401, 403, 404, 429)],
    "routes of the control plane": [
        get(),
        *(
            control(each.method, path, BODIES.get(f"{each.method} {each.path}"))
            for each in routes_of()
            for path in [each.path.replace("{id}", "1").replace("{name}", "one")]
        ),
        control("GET", ""),
        control("GET", "unknown"),
        control("POST", "credits", {"amount": "x"}),
        control("GET", "health", key=None),
        control("PUT", "state", {"credits": [None] * 20_000, "channels": []}),
        ("GET", f"{ROOT}health", None, {"Origin": "http://evil.example"}, None),
        ("PUT", f"{ROOT}clock", "any", {"Content-Encoding": "gzip"}, {}),
    ],
    "each scenario": [
        get(key=f"scenario:{name}:{number}")
        for name in scenarios.of(WEBSHARE)
        for number in (1, 2)
        if name not in ("down", "error", "flaky", "slow")
    ],
}


def test_after_the_start_nothing_is_opened_or_imported() -> None:
    assert found([call for group in GROUPS.values() for call in group]) == []


@pytest.mark.exhaustive
def test_nor_is_it_for_any_charset() -> None:
    calls = [get(f"{LIST}?q=1", Content_Type=f"text/plain; charset={each}") for each in CHARSETS]
    assert found(calls, fails=True) == []


@pytest.mark.exhaustive
def test_nor_is_it_for_any_fault() -> None:
    calls = []
    for fault in FAULTS:
        calls += [control("POST", "faults", fault), get(), get(), control("DELETE", "faults")]
    assert found(calls, fails=True) == []


@pytest.mark.exhaustive
def test_nor_is_it_for_a_scenario_that_fails_or_is_slow() -> None:
    calls = [get(key=f"scenario:{name}") for name in (*4 * ("down", "error", "flaky"), "slow")]
    assert found(calls, fails=True) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "settings",
    [{"seed": 7}, {"data": "edge-cases"}, {"data": "edge-cases", "seed": 7}, {"now": "2026-05-01T00:00:00Z"}],
    ids=str,
)
def test_nor_is_it_with_other_data(settings: dict[str, Any]) -> None:
    assert found([get(), *GROUPS["each scenario"]], **settings) == []
