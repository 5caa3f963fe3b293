"""The worlds that begin in trouble: each does what the table says of it, chosen by the key alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from mock_webshare import MockServer, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.errors import UsageError
from mock_webshare.service.data import dataset
from mock_webshare.service.settings import MAX_ROWS
from mock_webshare.service.world.scenarios import SCENARIOS, name_of
from tests.waiting import PATIENCE

LIST = CREDIT_LIST.path


class Client:
    """Asks with the key of one scenario."""

    def __init__(self, server: MockServer, key: str) -> None:
        self._server = server
        self._key = key

    def get(self, path: str = LIST, timeout: float = PATIENCE) -> requests.Response:
        headers = {"Authorization": f"Token {self._key}"}
        return requests.get(self._server.url + path, headers=headers, timeout=timeout)

    def statuses(self, count: int) -> list[int | str]:
        """Return the status of each of so many responses, or the kind of error in its place."""
        return [self._status() for _ in range(count)]

    def _status(self) -> int | str:
        try:
            return self.get().status_code
        except requests.RequestException as error:
            return type(error).__name__


def empty(client: Client) -> None:
    assert client.get().json() == {"count": 0, "next": None, "previous": None, "results": []}


def one_page(client: Client) -> None:
    page = client.get().json()
    assert (page["count"], len(page["results"]), page["next"]) == (10, 10, None)


def ten_thousand(client: Client) -> None:
    assert client.get().json()["count"] == 10_000
    assert client.get(f"{LIST}?page=last").json()["next"] is None


def edge_cases(client: Client) -> None:
    rows = client.get(f"{LIST}?page_size=100").json()["results"]
    assert rows == [credit.wire() for credit in dataset.load("edge-cases").rows["credits"]]


def throttled(client: Client) -> None:
    assert client.statuses(3) == [429] * 3
    assert client.get().headers["Retry-After"] == "60"


def throttled_then_ok(client: Client) -> None:
    assert client.get().headers["Retry-After"] == "1"
    assert client.statuses(3) == [429, 200, 200]


def five_a_minute(client: Client) -> None:
    assert client.statuses(6) == [200] * 5 + [429]


def flaky(client: Client) -> None:
    statuses = client.statuses(60)
    assert set(statuses) == {200, 503}
    assert 10 <= statuses.count(503) <= 30


def down(client: Client) -> None:
    response = client.get()
    assert (response.status_code, response.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    assert "<center>proxy</center>" in response.text


def error(client: Client) -> None:
    response = client.get()
    assert (response.status_code, "Server Error (500)" in response.text) == (500, True)


def slow(client: Client) -> None:
    assert SCENARIOS["slow"].faults == ({"fixedDelayMilliseconds": 2000},)
    with pytest.raises(requests.ReadTimeout):
        client.get(timeout=0.1)


def unsteady(client: Client) -> None:
    statuses = client.statuses(20)
    assert set(statuses) == {200, "ChunkedEncodingError"}
    assert 3 <= statuses.count("ChunkedEncodingError") <= 12


def truncated(client: Client) -> None:
    assert client.statuses(2) == ["ChunkedEncodingError"] * 2


def suspended(client: Client) -> None:
    assert (client.get().status_code, client.get().json()["code"]) == (403, "account_suspended")


def deleted(client: Client) -> None:
    response = client.get()
    assert response.status_code == 403
    assert response.json() == {"detail": "Your account is deleted.", "code": "account_deleted"}


def second_factor(client: Client) -> None:
    response = client.get()
    assert response.status_code == 403
    assert response.json() == {"detail": "Two factor authentication is needed.", "code": "2fa_needed"}


def moving_pages(client: Client) -> None:
    assert [client.get().json()["count"] for _ in range(3)] == [100, 101, 102]


def drift(client: Client) -> None:
    row = client.get().json()["results"][0]
    assert isinstance(row["amount"], str)
    assert (row["status"], row["tier"], "updated_at" in row) == ("on_hold", "gold", False)
    assert list(SERVICE_SCHEMAS.validator("referral-credit").iter_errors(row))


SAYS: dict[str, Callable[[Client], None]] = {
    "empty": empty,
    "one-page": one_page,
    "ten-thousand": ten_thousand,
    "edge-cases": edge_cases,
    "throttled": throttled,
    "throttled-then-ok": throttled_then_ok,
    "five-a-minute": five_a_minute,
    "flaky": flaky,
    "down": down,
    "error": error,
    "slow": slow,
    "unsteady": unsteady,
    "truncated": truncated,
    "suspended": suspended,
    "deleted": deleted,
    "2fa": second_factor,
    "moving-pages": moving_pages,
    "drift": drift,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_does_what_it_says(server: MockServer, name: str) -> None:
    key = f"scenario:{name}"
    server.world(key).reset()
    SAYS[name](Client(server, key))


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_says_in_a_sentence_what_it_is(name: str) -> None:
    assert SCENARIOS[name].summary.endswith(".")


def test_each_key_of_a_scenario_has_a_world_of_its_own(server: MockServer) -> None:
    first, second = (Client(server, f"scenario:throttled-then-ok:{name}") for name in ("first", "second"))
    assert first.statuses(3) == [429, 429, 200]
    assert second.statuses(1) == [429]


def test_a_flaky_scenario_strikes_the_same_requests_with_each_key(server: MockServer) -> None:
    first, second = (Client(server, f"scenario:flaky:{name}") for name in ("first", "second"))
    assert first.statuses(10) == second.statuses(10)


@pytest.mark.parametrize("key", ["scenario:", "scenario:unknown", "scenario:Flaky", "scenario::flaky"])
def test_an_unknown_scenario_is_an_unknown_key(server: MockServer, key: str) -> None:
    assert Client(server, key).get().status_code == 401


@pytest.mark.parametrize("key", ["flaky", "Scenario:flaky", "my-scenario:flaky"])
def test_other_keys_are_in_no_scenario(server: MockServer, key: str) -> None:
    assert name_of(key) is None
    assert Client(server, key).get().status_code == 200


def test_a_reset_begins_the_scenario_again(server: MockServer) -> None:
    client = Client(server, "scenario:throttled-then-ok:again")
    assert client.statuses(3) == [429, 429, 200]
    server.world("scenario:throttled-then-ok:again").reset()
    assert client.statuses(3) == [429, 429, 200]


def test_its_faults_can_be_taken_away(server: MockServer) -> None:
    server.world("scenario:down:up").clear_faults()
    assert Client(server, "scenario:down:up").statuses(1) == [200]


def test_where_keys_are_given_a_scenario_has_to_be_one_of_them() -> None:
    with MockServer(Settings(port=0, api_keys=("good", "scenario:down"))) as server:
        statuses = [
            Client(server, key).get().status_code for key in ("good", "scenario:down", "scenario:error")
        ]
    assert statuses == [200, 502, 401]


@pytest.mark.parametrize("name", ["one-page", "edge-cases", "down"])
def test_its_clock_begins_when_that_of_the_others_does(name: str) -> None:
    with MockServer(Settings(port=0, now="2030-01-01T00:00:00-08:00")) as server:
        world = server.world(f"scenario:{name}")
        assert world.clock()["now"] == "2030-01-01T00:00:00-08:00"
        assert all(credit["status"] != "pending" for credit in world.credits())


def test_a_scenario_is_made_from_the_seed_of_the_server() -> None:
    with MockServer(Settings(port=0, seed=7)) as server:
        ids = [credit["id"] for credit in server.world("scenario:one-page").credits()]
        assert ids == [credit["id"] for credit in server.world("any").credits()[:10]]


@pytest.mark.parametrize("pages", ["inserted", "removed"])
def test_while_pages_move_a_walk_ends(server: MockServer, pages: str) -> None:
    key = f"walk-{pages}"
    server.world(key).reset()
    server.world(key).add_fault(pages=pages, rows=3)
    url, ids = f"{LIST}?page_size=10", []
    while url:
        page = Client(server, key).get(url).json()
        ids += [credit["id"] for credit in page["results"]]
        url = page["next"] and page["next"].removeprefix(server.url)
    assert len(ids) == len(set(ids)), "in the order of ids none comes twice"
    assert len(ids) > 100 if pages == "inserted" else len(ids) < 100


def test_rows_that_come_at_the_front_are_met_twice(server: MockServer) -> None:
    client = Client(server, "front")
    server.world("front").add_fault(pages="inserted", times=1)
    first = client.get(f"{LIST}?ordering=-id&page_size=10").json()["results"]
    second = client.get(f"{LIST}?ordering=-id&page_size=10&page=2").json()["results"]
    assert second[0] == first[-1]


def test_rows_that_go_are_those_of_the_list_that_is_walked(server: MockServer) -> None:
    client = Client(server, "gone")
    listed = f"{LIST}?status=available&ordering=-amount&page_size=10"
    before = client.get(listed).json()["results"]
    server.world("gone").add_fault(pages="removed", rows=2, times=1)
    assert client.get(listed).json()["results"] == before
    after = client.get(listed).json()["results"]
    assert after[:8] == before[2:]


def test_nothing_moves_but_after_a_page(server: MockServer) -> None:
    client, world = Client(server, "still"), server.world("still")
    first = world.credits()[0]["id"]
    world.add_fault(pages="removed")
    client.get(f"{LIST}{first}/")
    client.get(f"{LIST}?page=99")
    client.get(f"{LIST}?mode=bogus")
    assert len(world.credits()) == 100


def test_in_a_full_world_no_row_comes(server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_webshare.service.world.world.MAX_ROWS", 101)
    client, world = Client(server, "full"), server.world("full")
    world.add_fault(pages="inserted", rows=5)
    assert client.statuses(2) == [200, 200]
    assert len(world.credits()) == 101 < MAX_ROWS


@pytest.mark.parametrize("given", [{"credits": 4}, {"seed": 3}, {"data": "edge-cases"}])
@pytest.mark.parametrize("name", ["empty", "one-page", "edge-cases"])
def test_a_scenario_with_data_of_its_own_takes_no_other(
    server: MockServer, name: str, given: dict[str, Any]
) -> None:
    with pytest.raises(
        UsageError, match=f"{next(iter(given))} cannot go with a scenario that has data of its own"
    ):
        server.begin("any", scenario=name, **given)
    server.begin("any", scenario="drift", **given)
    server.discard("any")
