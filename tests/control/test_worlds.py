"""The list of worlds: names and ids instead of keys, the most recently used first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from mock_webshare import MockServer, MockWebshareError, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.control.routes import ROOT
from mock_webshare.service.world import registry
from tests.control_plane import validator

LIST = CREDIT_LIST.path
KEY = "c4naryBird9xKq7"


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer(Settings(port=0, data="edge-cases", rate_limit="off")) as server:
        yield server


def get(server: MockServer, key: str, target: str = LIST, **headers: str) -> requests.Response:
    return requests.get(server.url + target, headers={"Authorization": f"Token {key}", **headers})


def listed(server: MockServer, **query: str) -> Any:
    response = requests.get(f"{server.url}{ROOT}worlds", params=query)
    assert response.status_code == 200, response.text
    assert list(validator("worlds").iter_errors(response.json())) == []
    return response.json()


def names(server: MockServer, **query: str) -> list[str]:
    return [each["name"] for each in listed(server, **query)["list"]]


def test_without_worlds_it_is_empty(server: MockServer) -> None:
    found = listed(server)
    assert (found["worlds"], found["found"], found["list"], found["keyless"]) == (0, 0, [], 0)


def test_a_world_is_described_without_its_key(server: MockServer) -> None:
    get(server, KEY)
    get(server, KEY, f"{LIST}7000000/", **{"User-Agent": f"client/1.0 {KEY}"})
    [world] = listed(server)["list"]
    last = world.pop("last_request")
    expected = {"name": "world 1", "requests": 2, "faults": 0, "changed": False, "running": False}
    assert {name: world[name] for name in expected} == expected
    assert world["clock"] == server.world(KEY).clock()["now"]
    assert (last["number"], last["status"], last["agent"]) == (2, 404, "client/1.0 REDACTED-1")
    assert last["at"] > "2026-" and KEY not in json.dumps([world, last])


def test_its_id_names_it(server: MockServer) -> None:
    server.world("a").set_clock(advance="P1D")
    server.world("b").clock()
    ids = {each["name"]: each["id"] for each in listed(server)["list"]}
    clock = requests.get(f"{server.url}{ROOT}clock", headers={"Mock-Webshare-World": ids["world 1"]}).json()
    assert clock == server.world("a").clock() != server.world("b").clock()


def test_the_most_recently_used_is_first_and_looking_is_no_use(server: MockServer) -> None:
    for key in ("a", "b", "c", "a"):
        get(server, key)
    assert names(server) == ["world 1", "world 3", "world 2"]
    get(server, "b", f"{ROOT}requests")
    assert names(server, limit="2") == ["world 1", "world 3"]
    assert listed(server, limit="0")["found"] == 3


def test_names_are_given_or_those_of_scenarios(server: MockServer) -> None:
    server.world("a", name="tests/test_a.py::test_pages[1-2]").clock()
    get(server, "scenario:empty")
    get(server, "b")
    server.world("b", name="named later")
    assert names(server) == ["named later", "scenario:empty", "tests/test_a.py::test_pages[1-2]"]


def test_a_search_finds_a_part_of_a_name_or_an_id_in_any_case(server: MockServer) -> None:
    for number, name in enumerate(("Report", "report 2", "other")):
        server.world(f"key-{number}", name=name).clock()
    found = listed(server, search="REPORT")
    assert ([each["name"] for each in found["list"]], found["found"]) == (["report 2", "Report"], 2)
    assert names(server, search=found["list"][1]["id"][3:]) == ["Report"]
    assert listed(server, search="report", limit="1")["found"] == 2
    assert names(server, search="nothing") == []


def test_a_key_in_a_name_is_neither_shown_nor_found(server: MockServer) -> None:
    for name in (f"test of {KEY}", f"[{KEY}]"):
        server.world(KEY, name=name).clock()
        assert KEY not in json.dumps(listed(server))
        assert names(server) == [name.replace(KEY, "REDACTED-1")]
        for length in range(4, len(KEY) + 1):
            found = listed(server, search=KEY[:length], limit="0")
            assert found["found"] == 0


def test_a_long_name_is_cut_and_only_a_text_is_one(server: MockServer) -> None:
    server.world("a", name="x" * 1000).clock()
    assert names(server) == ["x" * registry.LONGEST_NAME]
    for name in ("", 5, ["a"]):
        with pytest.raises(MockWebshareError, match=r"name .* is not allowed; allowed: a text"):
            server.world("a", name=name)  # type: ignore[arg-type]


def test_a_name_needs_a_server_that_runs() -> None:
    with pytest.raises(MockWebshareError, match="does not run"):
        MockServer().world("a", name="b")


def test_requests_without_a_known_key_are_counted(server: MockServer) -> None:
    requests.get(server.url + LIST)
    get(server, "invalid")
    get(server, "any")
    assert (listed(server)["keyless"], listed(server)["worlds"]) == (2, 1)


CHANGES: dict[str, dict[str, Any]] = {
    "set_clock": {"advance": "P1D"},
    "add_fault": {"status": 503},
    "set_settings": {"max_page_size": 5},
    "create_credit": {},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_shown_until_the_reset(server: MockServer, change: str) -> None:
    world = server.world("a")
    world.clock()
    assert [each["changed"] for each in listed(server)["list"]] == [False]
    getattr(world, change)(**CHANGES[change])
    assert [each["changed"] for each in listed(server)["list"]] == [True]
    world.reset()
    assert [each["changed"] for each in listed(server)["list"]] == [False]


def test_a_scenario_is_not_changed_by_its_own_faults(server: MockServer) -> None:
    get(server, "scenario:down")
    [world] = listed(server)["list"]
    assert (world["changed"], world["faults"], world["last_request"]["status"]) == (False, 1, 502)


def test_many_worlds_are_listed_a_few_at_a_time(server: MockServer) -> None:
    def make(worlds: registry.Worlds) -> None:
        for number in range(2000):
            worlds.get(f"key-{number}")

    server.call(make)
    found = listed(server)
    assert (len(found["list"]), found["found"], found["list"][0]["name"]) == (50, 2000, "world 2000")
    assert len(listed(server, limit="200")["list"]) == 200
    assert names(server, search="world 199", limit="200") == [
        f"world {n}" for n in [*range(1999, 1989, -1), 199]
    ]
