"""A world in short, over HTTP: right, for any contract, without keys, and summed up once for an account."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
import requests

from mock_webshare import MockServer, MockWorld, Settings, cli
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.control import summary as module
from mock_webshare.control.routes import ROOT
from mock_webshare.service.data import dataset, statistics
from mock_webshare.service.world import journal
from tests.control_plane import validator
from tests.made_up import MADE_UP, data_set

LIST = CREDIT_LIST.path
KEY = "c4naryBird9xKq7"


@pytest.fixture
def server() -> Iterator[MockServer]:
    with MockServer(Settings(port=0, credits=200, rate_limit="10/min")) as server:
        yield server


@pytest.fixture
def world(server: MockServer) -> MockWorld:
    return server.world(KEY)


def read(world: MockWorld, path: str) -> Any:
    response = requests.get(world.url + ROOT + path, headers={"Authorization": f"Token {world.api_key}"})
    assert response.status_code == 200, response.text
    assert list(validator(path.partition("?")[0]).iter_errors(response.json())) == []
    assert world.api_key not in response.text
    return response.json()


def get(world: MockWorld, target: str = LIST) -> int:
    return requests.get(world.url + target, headers={"Authorization": f"Token {world.api_key}"}).status_code


def values(world: MockWorld, resource: str) -> dict[str, tuple[int, float]]:
    """Return number and amount of the rows of a resource by their status."""
    [found] = [each for each in read(world, "summary")["totals"] if each["resource"] == resource]
    return {each["value"]: (each["count"], each["amount"]) for each in found["values"]}


class TestTotals:
    def test_are_those_of_the_rows(self, world: MockWorld) -> None:
        found = values(world, "credits")
        credits = world.credits()
        assert {status: count for status, (count, _) in found.items()} == Counter(
            each["status"] for each in credits
        )
        for status, (_, amount) in found.items():
            assert amount == pytest.approx(
                sum(each["amount"] for each in credits if each["status"] == status)
            )
        [total] = [each for each in read(world, "summary")["totals"] if each["resource"] == "credits"]
        assert (total["count"], total["by"], total["singular"]) == (200, "status", "credit")

    def test_agree_with_those_of_the_config(self, world: MockWorld) -> None:
        config = requests.get(
            f"{world.url}/api/v2/referral/config/", headers={"Authorization": f"Token {KEY}"}
        ).json()
        earned = config["total_payouts_earned"] + config["total_credits_earned"]
        assert values(world, "credits")["available"][1] == pytest.approx(earned)

    def test_are_of_decimal_numbers_and_follow_a_change(self, world: MockWorld) -> None:
        world.put_state({**world.state(), "credits": [], "earnouts": []})
        assert values(world, "credits") == {"pending": (0, 0.0), "available": (0, 0.0), "reverted": (0, 0.0)}
        for amount in (0.1, 0.2):
            world.create_credit(amount=amount)
        assert values(world, "credits")["pending"] == (2, 0.3)

    def test_of_earn_outs_are_by_their_status_though_they_have_no_lifecycle(self, world: MockWorld) -> None:
        world.create("earnouts", status="failed", amount=7.25, error_reason="No.")
        assert values(world, "earnouts")["failed"][1] >= 7.25
        assert list(values(world, "earnouts")) == ["processing", "completed", "failed"]


class TestNext:
    def test_is_what_happens_when_the_clock_gets_there(self, world: MockWorld) -> None:
        for _ in range(12):
            before = read(world, "summary")
            first = before["next"][0]
            world.set_clock(now=first["at"])
            after = values(world, first["resource"])
            if first["becomes"]:
                [was] = [each for each in before["totals"] if each["resource"] == first["resource"]]
                [then] = [each for each in was["values"] if each["value"] == first["becomes"]]
                assert after[first["becomes"]][0] == then["count"] + first["count"]
            assert read(world, "summary")["next"][0] != first

    def test_is_in_order_and_has_those_of_one_instant_together(self, world: MockWorld) -> None:
        world.put_state({**world.state(), "credits": [], "earnouts": []})
        for amount in (1, 2.5):
            world.create_credit(amount=amount, created_at="2026-03-10T09:00:00-07:00")
        found = [each for each in read(world, "summary")["next"] if each["resource"] == "credits"]
        assert found == [
            {"at": "2026-04-09T09:00:00-07:00", "resource": "credits", "singular": "credit",
             "becomes": "available", "count": 2, "amount": 3.5,
             "text": "2 credits of 3.50 USD become available"}
        ]  # fmt: skip

    def test_names_the_next_date_of_earn_outs(self, world: MockWorld) -> None:
        world.put_state({**world.state(), "credits": [], "earnouts": []})
        [only] = read(world, "summary")["next"]
        assert (only["resource"], only["becomes"], only["count"]) == ("earnouts", None, 0)
        assert only["text"] == "a new earnout may be added"
        assert only["at"] == world.row("config")["next_earn_out_date"]


class TestFaults:
    def test_say_what_they_struck_and_what_is_left(self, world: MockWorld) -> None:
        world.add_fault(status=503, times=3)
        world.add_fault(fixedDelayMilliseconds=1, query={"page": "9"})
        for _ in range(2):
            get(world)
        first, second = read(world, "summary")["faults"]
        assert (first["seen"], first["struck"], first["left"]) == (2, 2, 1)
        assert (second["seen"], second["left"]) == (0, None)
        assert [each["text"] for each in (first, second)] == [
            "status 503, times 3",
            'fixedDelayMilliseconds 1, query {"page": "9"}',
        ]

    def test_have_no_bodies_and_no_secrets(self, world: MockWorld) -> None:
        world.add_fault(respond=200, jsonBody={"a": KEY}, headers={"X-A": KEY}, path=f"/{KEY}/*")
        world.add_fault(status=400, detail=f"not with {KEY}", query={"token": "hunter2hunter2"})
        first, second = read(world, "summary")["faults"]
        assert first["text"] == "respond 200, path /REDACTED-1/*"
        assert first.keys() == {"id", "respond", "path", "seen", "struck", "left", "warning", "text"}
        assert second["detail"] == "not with REDACTED-1"
        assert "hunter2" not in json.dumps(second)


class TestTheRateLimit:
    def test_says_what_is_left_without_counting_itself(self, world: MockWorld) -> None:
        for left in (10, 9, 8):
            for _ in range(2):
                assert read(world, "summary")["rate_limit"] == {
                    "rate": "10/min",
                    "clock": "real",
                    "left": left,
                }
            get(world)
        for _ in range(10):
            get(world)
        assert read(world, "summary")["rate_limit"]["left"] == 0

    def test_by_the_clock_of_the_world_recovers_with_it(self, world: MockWorld) -> None:
        world.set_settings(rate_limit_clock="world")
        get(world)
        assert read(world, "summary")["rate_limit"]["left"] == 9
        world.set_clock(advance="PT1M")
        assert read(world, "summary")["rate_limit"]["left"] == 10
        get(world)
        world.set_clock(now="2026-03-01T00:00:00-08:00")
        assert read(world, "summary")["rate_limit"]["left"] == 10

    def test_may_be_off(self, world: MockWorld) -> None:
        world.set_settings(rate_limit="off")
        assert read(world, "summary")["rate_limit"]["left"] is None


CLOCKS = {
    "PT1S": "+1 second",
    "PT90M": "+1.5 hours",
    "P1D": "+1 day",
    "P1000D": "+1,000 days",
    "PT59M": "+59 minutes",
}


class TestChanges:
    def test_of_a_new_world_are_none(self, world: MockWorld) -> None:
        get(world)
        assert read(world, "summary")["changes"] == {}

    def test_of_rows_are_counted(self, world: MockWorld) -> None:
        first, second, *_ = world.credits()
        world.create_channel(code="UNUSED")
        world.delete_credit(first["id"])
        world.change_credit(second["id"], amount=7.5)
        assert read(world, "summary")["changes"] == {
            "rows": [
                {"resource": "credits", "added": 0, "changed": 1, "removed": 1},
                {"resource": "channels", "added": 1, "changed": 0, "removed": 0},
            ]
        }
        world.change_credit(second["id"], **{name: second[name] for name in ("amount", "updated_at")})
        assert read(world, "summary")["changes"]["rows"][0]["changed"] == 0

    def test_of_clock_settings_and_faults_are_named(self, world: MockWorld) -> None:
        start = world.clock()["now"]
        world.put_state({**world.state(), "credits": [], "earnouts": []})
        world.set_clock(advance="PT1H", running=True)
        world.set_settings(max_page_size=5)
        world.add_fault(status=503)
        found = read(world, "summary")["changes"]
        assert found["clock"]["seconds"] >= 3600
        assert (found["clock"]["from"], found["clock"]["running"]) == (start, True)
        assert found["settings"] == [{"name": "max_page_size", "from": 100, "to": 5}]
        assert found["faults"] == {"added": 1, "removed": 0}
        world.reset()
        assert read(world, "summary")["changes"] == {}

    def test_are_said_in_words(self, world: MockWorld) -> None:
        def changed() -> list[str]:
            found: list[str] = read(world, "summary")["changed"]
            return found

        get(world)
        assert changed() == []
        for advance, text in CLOCKS.items():
            world.reset()
            world.set_clock(advance=advance)
            assert changed()[0] == f"clock {text}"
        world.set_clock(running=True)
        assert changed()[0].startswith("clock ") and changed()[0].endswith(" running")
        world.reset()
        first, second, *_ = world.credits()
        world.delete_credit(first["id"])
        world.change_credit(second["id"], amount=7.5)
        world.set_settings(max_page_size=5)
        world.add_fault(status=503)
        assert changed() == ["faults 1 added", "credits 1 changed, 1 removed", "max_page_size 5, was 100"]

    def test_of_a_scenario_are_those_since_its_start(self, server: MockServer) -> None:
        world = server.world("scenario:down")

        def changes() -> Any:
            headers = {"Authorization": f"Token {world.api_key}"}
            return requests.get(f"{world.url}{ROOT}summary", headers=headers).json()["changes"]

        get(world)
        assert changes() == {}
        world.clear_faults()
        assert changes() == {"faults": {"added": 0, "removed": 1}}


class TestEarnings:
    def test_are_those_of_the_rows_of_each_month(self, world: MockWorld) -> None:
        world.set_clock(advance="P3D")  # one earn-out is in processing
        found = read(world, "earnings?by=month")
        credits = world.credits()
        created = Counter((each["created_at"][:7], each["status"]) for each in credits)
        shown = {
            (row["month"], status): each["count"]
            for row in found["rows"]
            for status, each in row["resources"]["credits"]["created"].items()
        }
        assert shown == created
        assert found["now"] == world.clock()["now"][:7]
        months = [row["month"] for row in found["rows"]]
        assert months == sorted(months) and found["skipped"] == 0
        due = sum(row["resources"]["credits"]["due"]["count"] for row in found["rows"])
        assert due == sum(each["status"] == "pending" for each in credits)
        assert sum(row["resources"]["earnouts"]["due"]["count"] for row in found["rows"]) == 0

    def test_have_each_month_between_and_the_zone_of_the_service(self, world: MockWorld) -> None:
        world.put_state({**world.state(), "credits": [], "earnouts": []})
        assert read(world, "earnings")["rows"] == []
        for instant in ("2025-12-31T23:59:59.999999-08:00", "2026-03-01T00:00:00-08:00"):
            world.create_credit(created_at=instant, amount=1.5, status="available")
        rows = read(world, "earnings")["rows"]
        assert [row["month"] for row in rows] == ["2025-12", "2026-01", "2026-02", "2026-03"]
        created = [row["resources"]["credits"]["created"] for row in rows]
        one = {"available": {"count": 1, "amount": 1.5}}
        assert created == [one, {}, {}, one]

    def test_are_bounded(self, world: MockWorld) -> None:
        world.create_credit(created_at="1970-01-05T00:00:00-08:00")
        found = read(world, "earnings")
        assert len(found["rows"]) == statistics.MOST_MONTHS and found["skipped"] > 300

    def test_name_their_series(self, world: MockWorld) -> None:
        credits, earnouts = read(world, "earnings")["series"]
        assert (credits["resource"], credits["becomes"]) == ("credits", "available")
        assert credits["values"] == ["pending", "available", "reverted"]
        assert (earnouts["resource"], earnouts["by"], earnouts["becomes"]) == ("earnouts", "status", None)

    def test_have_no_other_length(self, world: MockWorld) -> None:
        response = requests.get(f"{world.url}{ROOT}earnings?by=day", headers={"Authorization": "Token a"})
        assert response.status_code == 400
        assert response.json()["detail"] == "by 'day' is not allowed; allowed: month"


class TestCoverage:
    def test_is_that_of_the_recorded_requests(self, world: MockWorld, tmp_path: Path) -> None:
        for target in (f"{LIST}?status=pending", f"{LIST}?page=2", f"{LIST}?page=99", f"{LIST}1/", LIST[:-1]):
            get(world, target)
        recorded = tmp_path / "requests.ndjson"
        headers = {"Authorization": f"Token {KEY}"}
        recorded.write_text(requests.get(f"{world.url}{ROOT}requests.ndjson", headers=headers).text)
        arguments = ["validate", str(recorded), "--coverage-file", str(tmp_path / "coverage.json")]
        assert cli.run(arguments, cli.Streams(BytesIO(), StringIO(), StringIO()), {}) == 0
        rows = json.loads((tmp_path / "coverage.json").read_text())["rows"]
        found = {each["endpoint"]: each for each in read(world, "coverage")["endpoints"]}
        assert found.pop("faults")["covered"] == 0
        for path, endpoint in found.items():
            own = [row for row in rows if row["endpoint"] == path]
            assert endpoint["total"] == len(own)
            assert endpoint["covered"] == sum(row["count"] > 0 for row in own)
            for aspect, each in endpoint["aspects"].items():
                expected = [row for row in own if row["aspect"] == aspect]
                assert each["total"] == len(expected)
                assert each["missing"] == [row["value"] for row in expected if not row["count"]]
        assert sum(each["covered"] for each in found.values()) > 15

    def test_counts_what_the_journal_has(self, world: MockWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        world.add_fault(status=503, query={"page": "2"})
        for target in (LIST, f"{LIST}?page=2", "/api/v2/referral/config/"):
            get(world, target)
        found = read(world, "coverage")
        assert (found["requests"], found["dropped"]) == (3, 0)
        assert "status" not in found["endpoints"][-1]["aspects"]["fault"]["missing"]
        monkeypatch.setattr(journal, "MAX_ENTRIES", 1)
        for _ in range(3):
            get(world, "/api/v2/referral/config/")
        later = read(world, "coverage")
        assert (later["requests"], later["dropped"], later["endpoints"]) == (4, 2, found["endpoints"])
        world.clear_requests()
        assert sum(each["covered"] for each in read(world, "coverage")["endpoints"]) == 0

    def test_without_a_key_is_of_the_requests_without_a_known_one(self, server: MockServer) -> None:
        requests.get(server.url + LIST)
        found = requests.get(f"{server.url}{ROOT}coverage").json()
        assert found["requests"] == 1
        assert "401 no key" not in found["endpoints"][0]["aspects"]["status"]["missing"]


class TestAMadeUpContract:
    @pytest.fixture
    def world(self) -> Iterator[MockWorld]:
        held = dataset.from_wire(data_set(), source="test", contract=MADE_UP)
        with MockServer(Settings(port=0, contract=MADE_UP), dataset=held) as server:
            yield server.world(KEY)

    def test_is_summed_up_without_code(self, world: MockWorld) -> None:
        tickets, teams = read(world, "summary")["totals"]
        priorities = Counter(each["priority"] for each in world.rows("tickets"))
        assert (tickets["resource"], tickets["by"], tickets["count"]) == ("tickets", "priority", 30)
        assert {each["value"]: each["count"] for each in tickets["values"]} == priorities
        assert (teams["resource"], teams["by"], teams["count"], teams["values"]) == ("teams", None, 2, [])
        assert read(world, "summary")["next"] == []

    def test_has_coverage_without_code(self, world: MockWorld) -> None:
        path = MADE_UP.endpoints[0].path
        get(world, path)
        found = {each["endpoint"]: each for each in read(world, "coverage")["endpoints"]}
        assert set(found) == {each.path for each in MADE_UP.endpoints} | {"faults"}
        assert [each for each in found if found[each]["covered"]] == [path]

    def test_has_changes_and_no_earnings(self, world: MockWorld) -> None:
        world.change("tickets", world.rows("tickets")[0]["id"], title="Other")
        changes = read(world, "summary")["changes"]
        assert changes == {"rows": [{"resource": "tickets", "added": 0, "changed": 1, "removed": 0}]}
        assert (read(world, "earnings")["series"], read(world, "earnings")["rows"]) == ([], [])


class TestTheCost:
    def test_an_account_is_summed_up_once_until_it_changes(
        self, world: MockWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls = Counter[str]()

        def counting(name: str, made: Callable[..., Any]) -> Callable[..., Any]:
            def counted(*args: Any) -> Any:
                calls[name] += 1
                return made(*args)

            return counted

        for name in ("totals", "next_events", "differences", "earnings"):
            monkeypatch.setattr(statistics, name, counting(name, getattr(statistics, name)))
        for _ in range(3):
            read(world, "summary")
            read(world, "earnings")
        assert calls == {"totals": 1, "next_events": 1, "earnings": 1}
        world.create_credit()
        for _ in range(3):
            read(world, "summary")
        assert calls == {"totals": 2, "next_events": 2, "earnings": 1, "differences": 1}

    @pytest.mark.parametrize("path", ["summary", "earnings"])
    def test_many_rows_are_summed_up_in_a_thread(
        self, world: MockWorld, monkeypatch: pytest.MonkeyPatch, path: str
    ) -> None:
        threads = set()
        found = module.Remembered.of

        def noted(*args: Any) -> Any:
            threads.add(threading.current_thread().name)
            return found(*args)

        monkeypatch.setattr(module.Remembered, "of", noted)
        before = read(world, path)
        assert threads == {"mock-webshare"}
        threads.clear()
        monkeypatch.setattr(module, "MANY_ROWS", 10)
        assert read(world, path) == before
        assert threads and "mock-webshare" not in threads


def test_a_world_that_does_not_exist_yet_is_that_of_its_first_request(world: MockWorld) -> None:
    found = read(world, "summary")
    assert found["world"]["id"] is None
    get(world)
    after = read(world, "summary")
    assert after["world"]["id"] is not None
    assert after["totals"] == found["totals"] and after["clock"] == found["clock"]


def test_names_of_snapshots_and_worlds_are_redacted(server: MockServer, world: MockWorld) -> None:
    server.world(KEY, name=f"test with {KEY}")
    world.take_snapshot(f"before {KEY}")
    found = read(world, "summary")
    assert found["snapshots"] == ["before REDACTED-1"]
    assert found["world"]["name"] == "test with REDACTED-1"


def test_it_is_the_same_by_the_id_of_the_world(world: MockWorld) -> None:
    get(world)
    found = read(world, "summary")
    headers = {"Mock-Webshare-World": found["world"]["id"]}
    for path in ("summary", "earnings", "activity", "requests/1"):
        by_id = requests.get(world.url + ROOT + path, headers=headers)
        by_key = requests.get(world.url + ROOT + path, headers={"Authorization": f"Token {KEY}"})
        assert (by_id.status_code, by_id.json()) == (200, by_key.json())
        assert KEY not in by_id.text
    assert world.requests[0].reason == ""
