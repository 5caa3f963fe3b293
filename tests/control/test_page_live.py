"""The page while things change: many requests, gaps, other tabs, worlds that are gone, servers that stop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from mock_webshare import MockServer, MockWorld, Settings
from mock_webshare.control.routes import ROOT
from mock_webshare.service.world import registry
from tests.page_view import View
from tests.waiting import PATIENCE

LIST = "/api/v2/referral/credit/"
pytestmark = pytest.mark.exhaustive


@pytest.fixture
def server() -> Iterator[MockServer]:
    """A server of its own for one test, for the page shows the newest world."""
    with MockServer(Settings(port=0, rate_limit="off")) as server:
        yield server


def ask(world: MockWorld, times: int = 1, path: str = LIST) -> None:
    """Send requests over one connection."""
    connection = HTTPConnection(world.url.removeprefix("http://"), timeout=PATIENCE)
    for _ in range(times):
        connection.request("GET", path, headers={"Authorization": f"Token {world.api_key}"})
        connection.getresponse().read()
    connection.close()


def numbers(view: View) -> list[int]:
    """Return the numbers of the rows, the newest first; gaps are left out."""
    shown: list[str] = view.page.locator("#rows tr[data-number]").evaluate_all(
        "(rows) => rows.map((row) => row.dataset.number)"
    )
    return [int(each) for each in shown]


class TestManyRequests:
    def test_are_not_all_drawn_and_the_gap_is_named(self, view: View, server: MockServer) -> None:
        world = server.world("busy")
        ask(world)
        view.open(server.url).row(1)
        ask(world, 5000)
        view.row(5001)
        shown = numbers(view)
        assert len(shown) <= 500 and shown == sorted(set(shown), reverse=True)
        gaps = view.texts("#rows .gap")
        assert gaps and all("not shown" in gap for gap in gaps)

    def test_every_request_is_a_row_or_in_a_gap(self, view: View, server: MockServer) -> None:
        world = server.world("busy")
        ask(world, 750)
        view.open(server.url).row(750)
        ask(world, 150)
        view.row(900)
        hidden = sum(int(gap.split()[0].replace(",", "")) for gap in view.texts("#rows .gap"))
        assert len(numbers(view)) + hidden == 900

    def test_a_poll_brings_few_rows(self, view: View, server: MockServer) -> None:
        world = server.world("busy")
        bodies: list[Any] = []

        def note(response: Any) -> None:
            if "/activity?" in response.url:
                bodies.append(response.json())

        view.page.on("requestfinished", lambda request: note(request.response()))
        view.open(server.url)
        ask(world, 1000)
        view.row(1000)
        assert max(len(each["requests"]) for each in bodies) <= 200

    def test_rows_do_not_move_under_the_reader(self, view: View, server: MockServer) -> None:
        world = server.world("busy")
        ask(world, 100)
        view.open(server.url).row(100)
        view.page.locator("#rows-area").evaluate("(area) => { area.scrollTop = 400 }")
        ask(world, 12)
        view.wait("#new-rows", "12 new requests")
        assert numbers(view)[0] == 100
        view.page.click("#new-rows")
        view.row(112)
        assert numbers(view) == list(range(112, 0, -1))
        assert not view.page.locator("#new-rows").is_visible()

    def test_can_be_cleared_in_this_tab(self, view: View, server: MockServer) -> None:
        world = server.world("busy")
        ask(world, 3)
        view.open(server.url).row(3)
        view.click("clear view")
        ask(world)
        view.row(4)
        assert numbers(view) == [4] and len(world.requests) == 4

    def test_are_announced_in_one_line(self, view: View, server: MockServer) -> None:
        world = server.world("busy")
        ask(world)
        view.open(server.url).row(1)
        ask(world, 1, f"{LIST}1/")
        view.wait("#announcement", "1 new request, 1 problem")


class TestAResponseThatIsAwaited:
    def test_is_shown(self, view: View, server: MockServer) -> None:
        world = server.world("slow")
        world.add_fault(fixedDelayMilliseconds=600_000, times=1)
        view.open(server.url)
        connection = HTTPConnection(server.url.removeprefix("http://"), timeout=PATIENCE)
        connection.request("GET", LIST, headers={"Authorization": "Token slow"})
        waiting = view.row(1)
        assert (waiting["status"], waiting["ms"]) == ("…", "") and "waiting" in waiting["why"]
        view.open_request(1)
        assert view.text("#detail-status") == "…"
        ask(world, 150)
        view.row(151)
        connection.close()
        assert view.row(1)["status"] == "…" and view.row(151)["status"] == "200"

    def test_may_never_come(self, view: View, server: MockServer) -> None:
        world = server.world("broken")
        world.add_fault(fault="CONNECTION_RESET_BY_PEER", times=1)
        view.open(server.url)
        with pytest.raises(ConnectionError):
            ask(world)
        row = view.row(1)
        assert row["status"] == "▲ none" and row["why"].endswith("no response was sent")
        view.open_request(1)
        assert view.text("#detail-response") == ""

    def test_completes_the_row_and_the_detail(self, view: View, server: MockServer) -> None:
        world = server.world("slow")
        world.add_fault(fixedDelayMilliseconds=4000, times=1)
        view.open(server.url)
        thread = threading.Thread(target=ask, args=(world,))
        thread.start()
        view.row(1)
        view.open_request(1)
        view.wait('#rows tr[data-number="1"] .status', "200").wait("#detail-status", "200")
        thread.join()
        assert "waiting" not in view.row(1)["why"]


class TestElsewhere:
    def test_the_journal_is_cleared_and_filled_again(self, view: View, server: MockServer) -> None:
        world = server.world("one")
        ask(world, 5)
        view.open(server.url).row(5)
        world.clear_requests()
        ask(world, 7, "/api/v2/referral/channel/")
        view.row(7)
        assert numbers(view) == [7, 6, 5, 4, 3, 2, 1]
        assert "channel/" in view.row(1)["request"] and not view.texts("#rows .gap")

    def test_the_world_is_reset(self, view: View, server: MockServer) -> None:
        world = server.world("one")
        world.add_fault(status=503)
        ask(world, 2)
        view.open(server.url).row(2)
        assert view.page.locator("#strip .alarm").count() == 2
        view.open_request(2)
        world.reset()
        view.wait("#changes", "unchanged since its start")
        view.until(lambda: numbers(view) == [])
        assert not view.page.locator("#detail").is_visible() and not view.texts("#strip span")

    def test_another_world_is_used(self, view: View, server: MockServer) -> None:
        one, other = server.world("one", name="first"), server.world("other", name="second")
        ask(one)
        view.open(server.url).wait("#world-name", "first")
        ask(other)
        view.wait("#world-name", "second")
        options = view.texts("#world-select option")
        view.page.select_option("#world-select", label=next(each for each in options if "first" in each))
        view.wait("#world-name", "first")
        assert not view.page.is_checked("#follow") and "#world=" in view.page.url
        ask(other, 3)
        seen = len(view.requests)
        view.until(lambda: len(view.requests) > seen + 2)
        assert view.text("#world-name") == "first"
        view.page.reload()
        view.wait("#world-name", "first")
        view.page.check("#follow")
        view.wait("#world-name", "second")

    def test_an_action_stays_with_its_world(self, view: View, server: MockServer) -> None:
        one, other = server.world("one", name="first"), server.world("other", name="second")
        ask(other)
        ask(one)
        view.open(server.url).wait("#world-name", "first")
        view.page.click("#reset-question summary")
        view.page.click("#reset")
        view.wait("#done", "done")
        seen = len(view.requests)
        view.until(lambda: len(view.requests) > seen + 2)
        assert view.text("#world-name") == "first" and not view.page.is_checked("#follow")
        assert (len(one.requests), len(other.requests)) == (0, 1)

    def test_the_list_of_worlds_stays_while_somebody_chooses(self, view: View, server: MockServer) -> None:
        ask(server.world("one", name="first"))
        view.open(server.url).wait("#world-name", "first")
        view.page.focus("#world-select")
        ask(server.world("other", name="second"))
        view.wait("#world-name", "second")
        assert not any("second" in option for option in view.texts("#world-select option"))
        view.page.focus("#filter")
        ask(server.world("another", name="third"))
        view.until(lambda: "third" in view.text("#world-select option:checked"))

    def test_worlds_that_change_too_often_are_not_followed(self, view: View, server: MockServer) -> None:
        worlds = [server.world("one"), server.world("other")]
        view.open(server.url)
        turn = 0

        def has_stopped() -> bool:
            nonlocal turn
            turn += 1
            ask(worlds[turn % 2])
            return not view.page.is_checked("#follow")

        view.until(has_stopped).wait("#follow-note", "not followed: requests to another world")

    def test_the_world_is_forgotten_though_it_is_watched(
        self, view: View, server: MockServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ask(server.world("key", name="watched"))
        view.open(server.url).wait("#world-name", "watched")
        view.page.uncheck("#follow")
        monkeypatch.setattr(registry, "MAX_WORLDS", 5)
        for number in range(6):
            ask(server.world(f"other-{number}"))
        view.wait("#state", "this world is gone")
        assert view.row(1)["status"] == "200"  # the last that was known stays
        assert server.worlds()["worlds"] == 5
        view.page.check("#follow")
        view.wait("#state", "live")

    def test_the_server_stops_and_starts(self, view: View) -> None:
        with MockServer() as server:
            port = int(server.url.rpartition(":")[2])
            ask(server.world("key", name="before"), 3)
            view.open(server.url).row(3)
        view.wait("#state", "not reached since")
        assert numbers(view) == [3, 2, 1] and view.texts("#totals tr")
        with MockServer(Settings(port=port)) as server:
            ask(server.world("key", name="after"))
            view.wait("#world-name", "after").wait("#state", "live")
            view.until(lambda: numbers(view) == [1])
        view.wait("#state", "not reached since")
        with MockServer(Settings(port=port)) as server:
            view.wait("#state", "live")
            view.until(lambda: numbers(view) == [])


class TestATab:
    def test_that_is_hidden_draws_nothing_and_counts(self, view: View, server: MockServer) -> None:
        world = server.world("one")
        ask(world)
        view.open(server.url).row(1)
        view.hide()
        ask(world, 3)
        view.until(lambda: view.page.title() == "(3) mock-webshare")
        assert numbers(view) == [1]
        seen = len(view.requests)
        view.until(lambda: len(view.requests) > seen)
        assert "limit=0" in view.requests[-1]
        view.hide(is_hidden=False).row(4)
        assert view.page.title() == "mock-webshare"

    def test_is_one_of_eight(self, chromium: Any, server: MockServer) -> None:
        ask(server.world("one"))
        context = chromium.new_context()
        views = [View(context.new_page()).open(server.url) for _ in range(8)]
        ask(server.world("one"))
        for each in views:
            assert each.row(2)["status"] == "200"
        context.close()

    def test_asks_once_a_second_for_little(self, view: View, server: MockServer) -> None:
        ask(server.world("one"))
        view.open(server.url).row(1)
        seen = len(view.requests)
        view.until(lambda: len(view.requests) >= seen + 4)
        idle = view.requests[seen + 1 : seen + 4]
        assert all(f"{ROOT}activity?" in each for each in idle)

    def test_leaves_no_trace(self, view: View, new_view: Callable[..., View]) -> None:
        with MockServer() as server:
            view.open(server.url)
            seen = len(view.requests)
            view.until(lambda: len(view.requests) > seen + 2)
            assert server.worlds()["worlds"] == server.count_keyless() == 0
            assert {each.rpartition("/page/")[0] or each.split("?")[0] for each in view.requests} == {
                server.url + ROOT.rstrip("/"),
                *(f"{server.url}{ROOT}{name}" for name in ("", "activity", "coverage", "worlds")),
            }

    def test_with_a_world_that_never_was(self, view: View, server: MockServer) -> None:
        view.page.goto(f"{server.url}{ROOT}#world=0123456789abcdef")
        view.wait("#state", "this world is gone")
        httpx.get(server.url + LIST, headers={"Authorization": "Token one"})
        view.page.check("#follow")
        view.wait("#state", "live").row(1)


@pytest.mark.parametrize(
    ("route", "record", "section"),
    [
        ("**/activity?*", {"requests": [{"number": 1}]}, "#requests-error"),
        ("**/summary", {"totals": [{}]}, "#world-error"),
        ("**/earnings", {"rows": [{}]}, "#months-error"),
    ],
)
def test_a_malformed_record_breaks_only_its_section(
    view: View, server: MockServer, route: str, record: dict[str, Any], section: str
) -> None:
    def spoil(route: Any) -> None:
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), **record})

    ask(server.world("one"))
    view.page.route(route, spoil)
    view.page.goto(server.url + ROOT)
    view.wait(section, "This part cannot be shown: TypeError")
    others = {"#requests-error", "#world-error", "#months-error"} - {section}
    view.wait("#state", "live")
    assert [view.text(each) for each in others] == ["", ""]
    view.page.unroute(route)
