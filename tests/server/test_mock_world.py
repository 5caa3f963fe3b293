"""`MockWorld`: each method does the same as its route of the control plane, with equal results and errors."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mock_webshare import MockServer, MockWebshareError, MockWorld, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.control.routes import ROOT, routes_of
from mock_webshare.errors import DataError, ServerError, UsageError
from tests.control_plane import name
from tests.waiting import PATIENCE

LIST = CREDIT_LIST.path

Done = Callable[[MockWorld], Any]

# Verb, its path and body as they are sent, and the same in Python.
MIRROR: dict[str, tuple[str, Any, str, Done]] = {
    "PUT state": (
        "state",
        {"credits": [], "channels": [{"id": 7, "code": "A"}]},
        "put_state",
        lambda it: it.put_state({"credits": [], "channels": [{"id": 7, "code": "A"}]}),
    ),
    "POST channels": ("channels", {"code": "B"}, "create_channel", lambda it: it.create_channel(code="B")),
    "GET channels": ("channels", None, "channels", lambda it: it.channels()),
    "GET channels/{id}": ("channels/7", None, "row", lambda it: it.row("channels", 7)),
    "PATCH channels/{id}": (
        "channels/7",
        {"code": "C"},
        "change",
        lambda it: it.change("channels", 7, code="C"),
    ),
    "DELETE channels/{id}": ("channels/7", None, "delete_channel", lambda it: it.delete_channel(7)),
    "POST credits": ("credits", {"amount": 3}, "create_credit", lambda it: it.create_credit(amount=3)),
    "PATCH credits/{id}": (
        "credits/1",
        {"amount": 4},
        "change_credit",
        lambda it: it.change_credit(1, amount=4),
    ),
    "POST credits/{id}/revert": ("credits/1/revert", None, "revert_credit", lambda it: it.revert_credit(1)),
    "GET credits/{id}": ("credits/1", None, "credit", lambda it: it.credit(1)),
    "GET credits": ("credits", None, "credits", lambda it: it.credits()),
    "POST purchases": (
        "purchases",
        {"amount": 50, "user_id": 7},
        "purchase",
        lambda it: {"credit": it.purchase(50, user_id=7)},
    ),
    "POST payments": ("payments", None, "pay", lambda it: {"redeemed": it.pay()}),
    "POST simulate": ("simulate", {"purchases": 3}, "simulate", lambda it: it.simulate(purchases=3)),
    "PUT clock": ("clock", {"advance": "P1D"}, "set_clock", lambda it: it.set_clock(advance="P1D")),
    "GET clock": ("clock", None, "clock", lambda it: it.clock()),
    "POST faults": (
        "faults",
        {"status": 503, "times": 1},
        "add_fault",
        lambda it: it.add_fault(status=503, times=1),
    ),
    "GET faults": ("faults", None, "faults", lambda it: it.faults()),
    "PUT snapshots/{name}": ("snapshots/one", None, "take_snapshot", lambda it: it.take_snapshot("one")),
    "GET snapshots": ("snapshots", None, "snapshots", lambda it: it.snapshots()),
    "DELETE faults/{id}": ("faults/1", None, "remove_fault", lambda it: it.remove_fault(1)),
    "DELETE faults": ("faults", None, "clear_faults", lambda it: it.clear_faults()),
    "POST snapshots/{name}/restore": (
        "snapshots/one/restore",
        None,
        "restore_snapshot",
        lambda it: it.restore_snapshot("one"),
    ),
    "DELETE snapshots/{name}": (
        "snapshots/one",
        None,
        "delete_snapshot",
        lambda it: it.delete_snapshot("one"),
    ),
    "PUT settings": (
        "settings",
        {"max_page_size": 3},
        "set_settings",
        lambda it: it.set_settings(max_page_size=3),
    ),
    "GET settings": ("settings", None, "settings", lambda it: it.settings()),
    "GET state": ("state", None, "state", lambda it: it.state()),
    "DELETE credits/{id}": ("credits/1", None, "delete_credit", lambda it: it.delete_credit(1)),
    "GET requests": (
        "requests",
        None,
        "requests",
        lambda it: {"requests": list(it.requests), "dropped": 0},
    ),
    "GET hints": ("hints", None, "hints", lambda it: it.hints()),
    "GET requests.har": ("requests.har", None, "har", lambda it: json.loads(it.har())),
    "GET requests.ndjson": ("requests.ndjson", None, "ndjson", lambda it: it.ndjson()),
    "POST requests/count": (
        "requests/count",
        {"method": "GET", "path": LIST},
        "count_requests",
        lambda it: {"count": it.count_requests("GET", LIST)},
    ),
    "DELETE requests": ("requests", None, "clear_requests", lambda it: it.clear_requests()),
    "POST reset": ("reset", None, "reset", lambda it: it.reset()),
}
"""In an order in which they can be done one after the other."""

OF_THE_SERVER = {"GET worlds": "worlds", "DELETE worlds": "delete_worlds", "POST reload": "reload"}
WITHOUT_A_METHOD = {
    "GET health": "a server that has started is ready",
    "GET version": "mock_webshare.__version__",
    "GET openapi.json": "about HTTP",
    "GET service.openapi.json": "mock-webshare openapi",
    "GET scenarios": "mock_webshare.service.world.scenarios.SCENARIOS",
    "GET activity": "requests",
    "GET requests/{number}": "requests",
    "GET summary": "the methods for what it sums up",
    "GET earnings": "rows",
    "GET ": "the page",
    "GET page/{name}": "the page",
    "GET reasons": "mock_webshare.service.reasons.MEANINGS",
    "GET coverage": "pytest --webshare-coverage",
}
OTHERS = ("config", "earnouts", "applied_coupon", "coupons")
"""The resources without methods of their own: they have those for any resource."""
FOR_ANY_RESOURCE = {"rows", "create", "end", "delete"}  # which those above call
ONLY_IN_PYTHON = {"discard", "url", "env", "begin", "assert_requested", "transcript"}


def public(kind: type) -> set[str]:
    """Return the public names of a class."""
    return {each for each in vars(kind) if not each.startswith("_")}


def over_http(url: str, route: str, path: str, body: Any, key: str = "http") -> Any:
    """Send a request to the control plane and return the content of the response."""
    request = urllib.request.Request(
        f"{url}{ROOT}{path}",
        method=route.split()[0],
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Token {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        text = response.read().decode()
    if route.endswith("ndjson"):
        return text
    return json.loads(text) if text else None


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(Settings(port=0, data="edge-cases", rate_limit="off")) as server:
        yield server


@pytest.fixture
def ours(server: MockServer, request: pytest.FixtureRequest) -> MockWorld:
    """A world of the test's own."""
    return server.world(request.node.name.replace(" ", "-"))


class TestTheMirror:
    def test_has_each_route_of_the_control_plane(self) -> None:
        mirrored = {*MIRROR, *OF_THE_SERVER, *WITHOUT_A_METHOD}
        others = {name(route) for route in routes_of() if route.path.partition("/")[0] in OTHERS}
        assert {name(route) for route in routes_of()} == mirrored | others

    @pytest.mark.parametrize("resource", OTHERS)
    def test_has_methods_for_the_other_resources(self, server: MockServer, resource: str) -> None:
        world = server.world("others")
        shown = over_http(server.url, f"GET {resource}", resource, None, key="others")
        assert shown == (world.row(resource) if isinstance(shown, dict) else world.rows(resource))

    def test_has_each_method_once(self) -> None:
        methods = [method for _, _, method, _ in MIRROR.values()]
        assert sorted([*methods, *FOR_ANY_RESOURCE, *ONLY_IN_PYTHON]) == sorted(public(MockWorld))

    def test_the_server_has_the_routes_of_all_worlds(self) -> None:
        assert set(OF_THE_SERVER.values()) <= public(MockServer)

    def test_shows_the_same_on_both_sides(self, server: MockServer) -> None:
        python = server.world("python")
        for route, (path, body, _, do) in MIRROR.items():
            response, returned = over_http(server.url, route, path, body), do(python)
            assert response == returned, route

    def test_counts_and_forgets_the_worlds(self) -> None:
        with MockServer() as server:
            server.world("any").clock()
            assert server.worlds() == {"worlds": 1, "most": 10_000, "forgotten": 0}
            assert over_http(server.url, "GET worlds", "worlds", None).items() >= server.worlds().items()
            server.delete_worlds()
            assert server.worlds()["worlds"] == 0


INVALID: dict[str, Done] = {
    "an amount that is a text": lambda it: it.create_credit(amount="2.50"),
    "a decimal": lambda it: it.create_credit(amount=Decimal("2.50")),
    "a datetime": lambda it: it.create_credit(created_at=datetime(2026, 1, 1)),
    "keys that are no texts": lambda it: it.create_credit(amount={(1, 2): 3}),
    "an unknown field": lambda it: it.create_credit(colour="red"),
    "a field called self": lambda it: it.create_credit(**{"self": 1}),
    "no such credit": lambda it: it.credit(7_000_000),
    "an id that is a text": lambda it: it.change_credit(1, id="1"),
    "an id of a credit that is a text": lambda it: it.credit("50119"),  # type: ignore[arg-type]
    "no id of a credit": lambda it: it.credit(None),  # type: ignore[arg-type]
    "an id that is true": lambda it: it.credit(True),
    "a text to delete": lambda it: it.delete_credit("1"),  # type: ignore[arg-type]
    "a text to change": lambda it: it.change_credit("1", amount=1),  # type: ignore[arg-type]
    "a list to revert": lambda it: it.revert_credit([]),  # type: ignore[arg-type]
    "a list of channels": lambda it: it.delete_channel([]),  # type: ignore[arg-type]
    "a list of faults": lambda it: it.remove_fault([]),  # type: ignore[arg-type]
    "a list of snapshots": lambda it: it.restore_snapshot([]),  # type: ignore[arg-type]
    "a snapshot to forget that is a dictionary": lambda it: it.delete_snapshot({}),  # type: ignore[arg-type]
    "no such channel": lambda it: it.delete_channel(7_000_000),
    "half a character": lambda it: it.create_channel(code="\ud800"),
    "no data set": lambda it: it.put_state({}),
    "no data set at all": lambda it: it.put_state(None),  # type: ignore[arg-type]
    "no duration": lambda it: it.set_clock(advance="a month"),
    "too long a duration": lambda it: it.set_clock(advance="P999999W"),
    "a time ago": lambda it: it.set_clock(advance=timedelta(days=-1)),
    "seconds ago": lambda it: it.set_clock(advance=-5),
    "true seconds": lambda it: it.set_clock(advance=True),
    "no number of seconds": lambda it: it.set_clock(advance=float("nan")),
    "seconds without end": lambda it: it.set_clock(advance=float("inf")),
    "no instant": lambda it: it.set_clock(now="tomorrow"),
    "no fault": lambda it: it.add_fault(times=2),
    "what JSON cannot say": lambda it: it.add_fault(drift="added", field="x", to=datetime(2026, 1, 1)),
    "no such fault": lambda it: it.remove_fault(9),
    "no setting": lambda it: it.set_settings(port=80),
    "no such snapshot": lambda it: it.restore_snapshot("none"),
    "no name": lambda it: it.take_snapshot(""),
    "no such scenario": lambda it: it.begin(scenario="none"),
    "no such data set": lambda it: it.begin(data="none"),
    "a seed for a file": lambda it: it.begin(data="edge-cases", seed=1),
    "too many credits": lambda it: it.begin(credits=10**9),
}


class TestAMistake:
    @pytest.mark.parametrize("name", INVALID)
    def test_is_an_error_of_the_tree(self, server: MockServer, name: str) -> None:
        ours = server.world("invalid-calls")
        before = ours.state()
        with pytest.raises(MockWebshareError) as refusal:
            INVALID[name](ours)
        assert len(str(refusal.value)) < 400
        assert ours.state() == before

    def test_is_a_key_that_the_server_refuses(self, server: MockServer) -> None:
        for act in (MockWorld.clock, MockWorld.begin):
            with pytest.raises(UsageError, match="there is no world of this key") as refusal:
                act(server.world("invalid"))
            assert "invalid" not in str(refusal.value)

    @pytest.mark.parametrize("key", ["", "a b", "é", "a\n", 5, None, b"key"])
    def test_is_a_key_that_no_client_could_send(self, server: MockServer, key: Any) -> None:
        with pytest.raises(UsageError) as refusal:
            server.world(key)
        allowed = "one word of visible ASCII characters"
        assert str(refusal.value) == f"an API key is not allowed; allowed: {allowed}"

    def test_lists_what_is_allowed(self, ours: MockWorld) -> None:
        with pytest.raises(UsageError, match=r"credit id '7' is not allowed; allowed: a whole number from 1"):
            ours.credit("7")  # type: ignore[arg-type]
        with pytest.raises(DataError, match=r"\"a month\" is not allowed; allowed: .* or seconds"):
            ours.set_clock(advance="a month")

    def test_is_what_takes_too_many_bytes(self, ours: MockWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("mock_webshare.service.world.world.MAX_HELD_BYTES", 500)
        for act in (
            lambda: ours.take_snapshot("one"),
            ours.create_credit,
            lambda: ours.put_state(ours.state()),
        ):
            with pytest.raises(UsageError, match="allowed: 500; delete snapshots, reset or delete worlds"):
                act()

    def test_is_a_key_that_is_none_of_those_given(self) -> None:
        with MockServer(Settings(port=0, api_keys=("good",))) as server:
            server.world("good").begin(scenario="empty")
            with pytest.raises(UsageError, match="there is no world of this key"):
                server.world("other").begin(scenario="empty")

    def test_is_to_ask_a_server_that_does_not_run(self) -> None:
        with MockServer() as server:
            ours = server.world("any")
        with pytest.raises(ServerError, match="does not run"):
            ours.state()


@pytest.mark.parametrize("advance", ["PT2.5S", 2.5, timedelta(seconds=2.5)], ids=str)
def test_a_clock_is_moved_on_by_what_a_program_sleeps(ours: MockWorld, advance: Any) -> None:
    ours.set_clock(now="2026-05-01T00:00:00Z")
    assert ours.set_clock(advance=advance)["now"] == "2026-04-30T17:00:02.500000-07:00"
    assert ours.set_clock(advance=5)["now"] == "2026-04-30T17:00:07.500000-07:00"


class TestFromElsewhere:
    def test_many_threads_change_one_world_in_turn(self, ours: MockWorld) -> None:
        ours.begin(scenario="empty")
        with ThreadPoolExecutor(4) as threads:
            created = list(threads.map(lambda _: ours.create_credit()["id"], range(100)))
        assert sorted(created) == list(range(1, 101))

    async def test_a_coroutine_can_ask_too(self, ours: MockWorld) -> None:
        ours.begin(scenario="empty")
        assert ours.create_credit()["id"] == 1

    def test_the_service_returns_what_was_set_up(self, ours: MockWorld) -> None:
        ours.set_settings(max_page_size=2)
        request = urllib.request.Request(
            f"{ours.url}{LIST}?page_size=9", headers={"Authorization": f"Token {ours.api_key}"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            assert len(json.load(response)["results"]) == 2
        assert ours.count_requests("GET", LIST, page_size=9) == 1

    def test_the_environment_is_what_official_clients_read(
        self, ours: MockWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for variable in [each for each in os.environ if each.lower().endswith("_proxy")]:
            monkeypatch.delenv(variable)
        assert ours.env == {"WEBSHARE_BASE_URL": ours.url, "WEBSHARE_API_KEY": ours.api_key}
        monkeypatch.setenv("https_proxy", "http://proxy.example")
        monkeypatch.setenv("NO_PROXY", "a.example")
        assert ours.env["NO_PROXY"] == ours.env["no_proxy"] == "a.example,127.0.0.1,localhost"


class TestBegin:
    def test_with_a_seed_is_another_account(self, ours: MockWorld) -> None:
        ours.begin(seed=1, credits=3)
        assert len(ours.credits()) == 3

    def test_with_a_scenario_is_in_trouble(self, ours: MockWorld) -> None:
        ours.begin(scenario="down")
        assert [fault["status"] for fault in ours.faults()] == [502]

    def test_is_what_a_reset_comes_back_to(self, ours: MockWorld) -> None:
        ours.begin(credits=3)
        ours.delete_credit(ours.credits()[0]["id"])
        ours.reset()
        assert len(ours.credits()) == 3
