"""A made-up contract through every door, without a line of the package that knows of it."""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mock_webshare import MockServer, MockWorld, Settings, recordings
from mock_webshare.contract import openapi as service_openapi
from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.control import openapi
from mock_webshare.control.routes import ROOT, routes_of
from mock_webshare.errors import DataError, UnknownName, UsageError
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from mock_webshare.live.prober import Outcome, probe
from mock_webshare.service.data import dataset, generator
from tests.made_up import (
    DATE,
    MADE_UP,
    OF_CREDITS,
    PROFILE,
    PROFILE_OBJECT,
    TICKET_DETAIL,
    TICKETS,
    data_set,
)

LIST = TICKETS.path
SETTINGS = Settings(port=0, rate_limit="off", contract=MADE_UP)


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    held = dataset.from_wire(data_set(), source="test", contract=MADE_UP)
    with MockServer(SETTINGS, dataset=held) as server:
        yield server


@pytest.fixture
def world(server: MockServer, request: pytest.FixtureRequest) -> MockWorld:
    return server.world(request.node.name.replace(" ", "-"))


def send(
    world: MockWorld, target: str, method: str = "GET", body: Any = None, **headers: str
) -> tuple[int, dict[str, str], Any]:
    """Return status, headers and JSON of a response; the body of a page of HTML is text."""
    connection = http.client.HTTPConnection(urlsplit(world.url).netloc, timeout=30)
    sent = {"Authorization": f"Token {world.api_key}", **headers}
    content = None if body is None else json.dumps(body)
    connection.request(
        method, target, content, sent | ({"Content-Type": "application/json"} if content else {})
    )
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    is_json = "json" in (response.getheader("Content-Type") or "") and text
    return response.status, dict(response.getheaders()), json.loads(text) if is_json else text


class TestTheService:
    def test_has_pages_with_links(self, world: MockWorld) -> None:
        _, headers, page = send(world, f"{LIST}?page_size=10&page=2")
        assert headers["Allow"] == "GET, HEAD, OPTIONS"
        assert (page["count"], len(page["results"])) == (30, 10)
        assert page["next"] == f"{world.url}{LIST}?page=3&page_size=10"
        assert page["previous"] == f"{world.url}{LIST}?page_size=10"
        assert page["results"][0] == data_set()["tickets"][10]

    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            ("priority=low", range(3, 31, 3)),
            ("team=", range(5, 31, 5)),
            ("team=5&priority=low", [number for number in range(3, 31, 3) if number % 5]),
            ("team=6", []),
        ],
    )
    def test_filters(self, world: MockWorld, query: str, numbers: list[int]) -> None:
        rows = send(world, f"{LIST}?page_size=100&{query}")[2]["results"]
        assert [row["id"] for row in rows] == [2 * number for number in numbers]

    def test_refuses_wrong_filters_all_at_once(self, world: MockWorld) -> None:
        status, _, body = send(world, f"{LIST}?priority=bogus&team=7")
        assert (status, list(body)) == (400, ["priority", "team"])

    def test_orders_with_nulls_last(self, world: MockWorld) -> None:
        rows = send(world, f"{LIST}?ordering=closed_at,-price&page_size=100")[2]["results"]
        assert [row["id"] // 2 for row in rows] == [*range(29, 0, -2), *range(30, 0, -2)]

    def test_has_details_and_one_object(self, world: MockWorld) -> None:
        assert send(world, TICKET_DETAIL.path.format(id=4))[2] == data_set()["tickets"][1]
        assert send(world, PROFILE_OBJECT.path)[2] == PROFILE

    def test_is_changed_by_its_own_methods(self, world: MockWorld) -> None:
        changed = PROFILE | {"plan": "free"}
        assert send(world, PROFILE_OBJECT.path, "PATCH", {"plan": "free"})[::2] == (200, changed)
        assert send(world, PROFILE_OBJECT.path)[2] == world.row("profile") == changed
        status, _, body = send(world, PROFILE_OBJECT.path, "PATCH", {"plan": "gold"})
        assert (status, body["plan"][0]["message"]) == (400, '"gold" is not a valid choice.')

    @pytest.mark.parametrize(
        ("method", "target", "status", "text"),
        [
            ("GET", f"{LIST}?page=9", 404, "Invalid page."),
            ("GET", TICKET_DETAIL.path.format(id=5), 404, "Not found."),
            ("POST", PROFILE_OBJECT.path, 405, 'Method "POST" not allowed.'),
            ("DELETE", LIST, 405, 'Method "DELETE" not allowed.'),
        ],
    )
    def test_refuses(self, world: MockWorld, method: str, target: str, status: int, text: str) -> None:
        answered, _, body = send(world, target, method)
        assert (answered, body) == (status, {"detail": text})

    def test_describes_itself(self, world: MockWorld) -> None:
        assert send(world, PROFILE_OBJECT.path, "OPTIONS")[2]["name"] == "Profile"

    def test_redirects_to_the_slash_and_knows_no_credits(self, world: MockWorld) -> None:
        assert send(world, LIST[:-1])[1]["Location"] == LIST
        status, _, body = send(world, WEBSHARE.endpoints[0].path)
        assert status == 404 and "<h1>Not Found</h1>" in body


class TestAWorld:
    def test_is_arranged_in_python(self, world: MockWorld) -> None:
        ticket = world.create("tickets", team=6)
        assert (ticket["id"], ticket["team_name"], ticket["priority"]) == (61, "Software", "low")
        assert world.change("tickets", 61, price=3)["price"] == 3.0
        assert world.change("teams", 6, name="Games") == {"id": 6, "name": "Games"}
        assert send(world, TICKET_DETAIL.path.format(id=61))[2]["team_name"] == "Games"
        with pytest.raises(UsageError, match="team 6 is named by 1 ticket"):
            world.delete("teams", 6)
        world.delete("tickets", 61)
        world.delete("teams", 6)
        assert len(world.rows("teams")) == 1
        assert world.change("profile", seats=4) == PROFILE | {"seats": 4}

    def test_refuses_what_the_schema_refuses(self, world: MockWorld) -> None:
        with pytest.raises(DataError, match='"medium" is not allowed; allowed: low, high'):
            world.create("tickets", priority="medium")
        with pytest.raises(DataError, match="lacks 'name'"):
            world.create("teams")
        with pytest.raises(UsageError, match="there is one profile only"):
            world.create("profile")
        with pytest.raises(UnknownName, match="there is no resource named 'credits'"):
            world.rows("credits")

    def test_is_arranged_over_http(self, world: MockWorld) -> None:
        status, _, team = send(world, "/__mock__/teams", "POST", {"name": "Music"})
        assert (status, team) == (201, {"id": 7, "name": "Music"})
        assert send(world, "/__mock__/tickets/2", "PATCH", {"team": 7})[2]["team_name"] == "Music"
        assert send(world, "/__mock__/profile", "PATCH", {"plan": "paid"})[2]["plan"] == "paid"
        assert send(world, "/__mock__/tickets/2", "DELETE")[0] == 204
        assert send(world, "/__mock__/tickets/2")[0] == 404
        assert send(world, "/__mock__/credits")[0] == 404

    def test_begins_again_as_it_was(self, world: MockWorld) -> None:
        before = world.state()
        world.take_snapshot("before")
        world.delete("tickets", 2)
        world.restore_snapshot("before")
        assert world.state() == before
        world.put_state(data_set(3))
        assert send(world, LIST)[2]["count"] == 3
        world.reset()
        assert world.state() == before == {"format": 2, **data_set()}

    def test_moves_pages(self, world: MockWorld) -> None:
        world.add_fault(pages="removed", rows=2, times=1)
        assert send(world, LIST)[2]["count"] == 30
        world.add_fault(pages="inserted", times=1)
        assert send(world, LIST)[2]["count"] == 28
        assert send(world, LIST)[2]["count"] == 29

    def test_drifts(self, world: MockWorld) -> None:
        world.add_fault(drift="removed", field="price", path=LIST)
        world.add_fault(drift="enum", field="plan", to="gold", path=PROFILE_OBJECT.path)
        assert "price" not in send(world, LIST)[2]["results"][0]
        assert send(world, PROFILE_OBJECT.path)[2] == PROFILE | {"plan": "gold"}
        with pytest.raises(DataError, match="allowed: priority, plan"):
            world.add_fault(drift="enum", field="status", to="x")

    def test_is_journalled(self, world: MockWorld) -> None:
        send(world, f"{LIST}?priority=low")
        world.assert_requested("GET", LIST, priority="low")


def recorded(world: MockWorld) -> list[Exchange]:
    """Return what a client of all endpoints recorded, read from a file of the journal."""
    target: str | None = f"{LIST}?ordering=-price&page_size=7"
    while target:
        target = send(world, target.removeprefix(world.url))[2]["next"]
    for each in (
        f"{LIST}?priority=high&team=5",
        f"{LIST}?priority=bogus",
        f"{LIST}?page=99",
        TICKET_DETAIL.path.format(id=8),
        TICKET_DETAIL.path.format(id=9),
        PROFILE_OBJECT.path,
        "/api/v9/nowhere/",
    ):
        send(world, each)
    send(world, PROFILE_OBJECT.path, "PUT")
    send(world, LIST, "OPTIONS")
    return read(world.ndjson())


def read(text: str) -> list[Exchange]:
    records = list(recordings.read(["-"], BytesIO(text.encode()), input_format="ndjson"))
    assert all(isinstance(each, Exchange) for each in records)
    return [each for each in records if isinstance(each, Exchange)]


Change = Callable[[Any], object]


def to_rows(change: Callable[[dict[str, Any]], object]) -> Change:
    return lambda body: [change(row) for row in body["results"]]


BREAKS: list[tuple[str, str, Change]] = [
    ("object.fields", "?ordering", to_rows(lambda row: row.pop("title"))),
    ("object.fields", "?ordering", to_rows(lambda row: row.update(price="9.50"))),
    ("object.fields", "?priority=high", to_rows(lambda row: row.update(priority="medium"))),
    ("object.new-fields", "?ordering", to_rows(lambda row: row.update(colour="red"))),
    ("object.dates", "?ordering", to_rows(lambda row: row.update(created_at="2026-03-02T08:30:00+01:00"))),
    ("object.microseconds", "?ordering", to_rows(lambda row: row.update(created_at=DATE[:19] + ".5-08:00"))),
    ("filter.and", "?priority=high", to_rows(lambda row: row.update(priority="low"))),
    ("order.fields", "?ordering", lambda body: body["results"].reverse()),
    ("list.count", "?priority=high", lambda body: body.update(count=body["count"] + 1)),
    ("list.links", "?ordering", lambda body: body.update(next=None)),
    ("list.invalid-page", "?page=99", lambda body: body.update(detail="Gone.")),
    ("filter.errors", "?priority=bogus", lambda body: body.update(priority=["Bad."])),
    ("detail.id", "/8/", lambda body: body.update(id=80)),
    ("detail.not-found", "/9/", lambda body: body.update(detail="Gone.")),
    ("object.fields", "/profile/", lambda body: body.update(seats="3")),
    ("object.fields", "/profile/", lambda body: body.update(plan="gold")),
]


class TestTheJudge:
    def test_finds_nothing_wrong_with_the_mock(self, world: MockWorld) -> None:
        verdict = judge(recorded(world), Options(contract=MADE_UP))
        assert (verdict.groups, verdict.exit_code) == ((), 0)
        assert verdict.judged == 13 and verdict.skipped == {"another endpoint": 1}

    @pytest.mark.parametrize(("rule", "place", "change"), BREAKS)
    def test_finds(self, world: MockWorld, rule: str, place: str, change: Change) -> None:
        exchanges = recorded(world)
        index = next(index for index, each in enumerate(exchanges) if place in (each.url or ""))
        body = json.loads(exchanges[index].body)
        change(body)
        exchanges[index] = replace(exchanges[index], body=json.dumps(body, separators=(",", ":")).encode())
        groups = judge(exchanges, Options(contract=MADE_UP)).groups
        assert rule in {group.rule.id for group in groups}
        assert not {group.rule.id for group in groups} & set(OF_CREDITS)

    def test_needs_as_many_processes_as_it_is_given(self, world: MockWorld) -> None:
        exchanges = recorded(world) * 12
        verdicts = [judge(exchanges, Options(contract=MADE_UP), jobs=jobs) for jobs in (1, 2)]
        assert verdicts[0] == verdicts[1]

    def test_recognises_what_was_stored_alone(self) -> None:
        page: dict[str, Any] = {"count": 0, "next": None, "previous": None, "results": []}
        bodies: list[dict[str, Any]] = [PROFILE, data_set()["tickets"][0], page]
        for body in bodies:
            exchange = Exchange(source="-", body=json.dumps(body).encode())
            assert judge([exchange], Options(contract=MADE_UP)).exit_code == 0
            assert judge([exchange], Options()).exit_code == (0 if "count" in body else 1)


def test_the_mock_keeps_what_the_probe_asks(server: MockServer) -> None:
    async def pause() -> None:
        await asyncio.sleep(0)

    findings = asyncio.run(probe(server.url, "probed", contract=MADE_UP, pause=pause))
    assert [each for each in findings.decisions if each.outcome is Outcome.BROKEN] == []
    assert sum(each.outcome is Outcome.KEPT for each in findings.decisions) > 15


def test_the_service_is_described() -> None:
    described = service_openapi.document(MADE_UP)
    assert list(OpenAPIV31SpecValidator(described).iter_errors()) == []
    assert described["info"]["title"] == "Help desk"
    assert described["servers"] == [{"url": "https://desk.example"}]
    assert described["paths"][PROFILE_OBJECT.path].keys() == {"get", "patch"}


def test_the_control_plane_is_described() -> None:
    described = openapi.document(ROOT, routes_of(MADE_UP), MADE_UP)
    assert list(OpenAPIV31SpecValidator(described).iter_errors()) == []
    assert {"/__mock__/tickets", "/__mock__/profile", "/__mock__/teams/{id}"} <= described["paths"].keys()
    assert "/__mock__/credits" not in described["paths"]
    assert described["components"]["schemas"]["new-team"]["required"] == ["name"]


def test_data_is_generated_from_the_schemas() -> None:
    made = generator.generate(3, 40, contract=MADE_UP)
    assert made.wire() == generator.generate(3, 40, contract=MADE_UP).wire()
    assert generator.generate(3, 10, contract=MADE_UP).wire()["tickets"] == made.wire()["tickets"][:10]
    validator = MADE_UP.schemas.validator("ticket")
    assert all(validator.is_valid(ticket) for ticket in made.wire()["tickets"])
    written = StringIO()
    dataset.write(made, written)
    read = dataset.parse(written.getvalue().encode(), source="test", contract=MADE_UP)
    assert read.wire() == made.wire()


def test_two_contracts_are_served_side_by_side(server: MockServer) -> None:
    with MockServer(Settings(port=0, rate_limit="off")) as webshare:
        request = urllib.request.Request(
            webshare.url + WEBSHARE.endpoints[0].path, headers={"Authorization": "Token any"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            assert json.load(response)["count"] == 100
        assert send(server.world("two"), LIST)[2]["count"] == 30
