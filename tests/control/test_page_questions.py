"""What the page answers to somebody who writes a client; the client is the vendor's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from webshare import APIError, Webshare

from mock_webshare import MockServer, MockWorld
from mock_webshare.control.routes import ROOT
from mock_webshare.errors import MockWebshareError
from tests.page_view import View
from tests.waiting import PATIENCE, until

LIST = "/api/v2/referral/credit/"
pytestmark = pytest.mark.exhaustive
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl: apt-get install curl")


@pytest.fixture
def world() -> Iterator[MockWorld]:
    """The newest world of a server of its own."""
    with MockServer() as server:
        yield server.world("a-key-of-this-test", name="tests/test_client.py::test_pages")


@pytest.fixture
def sdk(world: MockWorld) -> Iterator[Webshare]:
    with Webshare(api_key=world.api_key, base_url=world.url, max_retries=0) as client:
        yield client


def control(world: MockWorld, path: str) -> Any:
    """Return what a route responds about a world."""
    headers = {"Authorization": f"Token {world.api_key}"}
    return httpx.get(f"{world.url}{ROOT}{path}", headers=headers, timeout=PATIENCE).raise_for_status().json()


class TestDidItArrive:
    def test_as_what(self, view: View, world: MockWorld, sdk: Webshare) -> None:
        view.open(world.url)
        assert world.url in view.text("#first-curl") and world.url in view.text("#first-python")
        sdk.referral.list_credits(status="pending", page_size=5)
        row = view.row(1)
        (entry,) = control(world, "activity")["requests"]
        query = entry["target"].partition("?")[2]
        assert row["number"] == str(entry["number"]) and row["when"].endswith(" s ago")
        assert row["request"] == f"GET credit/ ?{query}" and "status=pending" in query
        assert (row["status"], row["why"]) == (str(entry["status"]), "")
        assert float(row["ms"]) == pytest.approx(entry["ms"], abs=0.051)
        assert view.text("#world-name") == "tests/test_client.py::test_pages"
        assert not view.page.locator("#no-requests").is_visible()

    def test_without_a_known_key(self, view: View, world: MockWorld, sdk: Webshare) -> None:
        view.open(world.url)
        sdk.referral.get_config()
        httpx.get(world.url + LIST)
        httpx.get(world.url + LIST, headers={"Authorization": "Bearer x"})
        view.wait("#keyless", "2 requests came without a known key.")
        assert view.row(1)["request"] == "GET config/"
        view.page.click("#show-keyless")
        view.until(lambda: len(view.texts("#rows tr")) == 2)
        listed = httpx.get(f"{world.url}/__mock__/activity").json()["requests"]
        assert [view.row(number)["why"] for number in (1, 2)] == [each["hint"] for each in listed]
        assert not view.page.locator("#world-parts").is_visible()

    def test_as_an_operation_that_is_not_served(self, view: View, world: MockWorld) -> None:
        view.open(world.url)
        httpx.get(f"{world.url}/api/v2/proxy/list/?mode=direct", headers=authorized(world))
        row = view.row(1)
        assert row["request"] == "GET /api/v2/proxy/list/ ?mode=direct" and row["status"] == "▲ 501"
        assert row["why"].startswith("mock-webshare does not serve proxies.list")


def authorized(world: MockWorld) -> dict[str, str]:
    return {"Authorization": f"Token {world.api_key}"}


class TestWhyThisResponse:
    def test_a_fault_and_how_often_it_can_still_strike(
        self, view: View, world: MockWorld, sdk: Webshare
    ) -> None:
        view.open(world.url)
        sdk.referral.list_credits()
        view.row(1)
        world.add_fault(status=503, times=3)
        with pytest.raises(APIError):
            sdk.referral.list_credits()
        row = view.row(2)
        assert row["status"] == "▲ 503" and row["why"] == "fault 1: status 503, times 3"
        (fault,) = control(world, "summary")["faults"]
        view.wait(
            "#fault-list", f"struck {fault['struck']} of {fault['seen']} matching, {fault['left']} left"
        )
        view.open_request(2)
        assert view.text("#detail-why") == row["why"] and view.text("#detail-status").startswith("▲ 503 · ")
        assert '"detail": "Service Unavailable"' in view.text("#detail-response pre")

    def test_each_reason_in_the_words_of_the_server(self, view: View, world: MockWorld) -> None:
        requests = [
            ("GET", LIST, {"Prefer": "code=429"}),
            ("GET", LIST[:-1], {}),
            ("GET", f"{LIST}?status=paid", {}),
            ("GET", f"{LIST}1/", {}),
            ("GET", LIST, {"Accept": "text/csv"}),
            ("DELETE", LIST, {}),
            ("GET", "/api/v2/nothing/", {}),
        ]
        view.open(world.url)
        for method, path, headers in requests:
            httpx.request(method, world.url + path, headers={**authorized(world), **headers})
        world.set_settings(rate_limit="1/min")
        for _ in range(2):
            httpx.get(world.url + LIST, headers=authorized(world))
        listed = control(world, "activity")["requests"]
        reasons = [each["reason"] for each in listed]
        meanings: dict[str, str] = httpx.get(f"{world.url}{ROOT}reasons").json()
        codes = {code: number for number, reason in enumerate(reasons, 1) for code in reason.split()[:1]}
        assert len(codes) == len(requests) + 1 and "throttled" in codes
        for code, number in codes.items():
            meaning = meanings[code.partition(":")[0]].rstrip(".")
            hint = listed[number - 1]["hint"]  # it says more
            assert view.row(number)["why"].startswith(hint or meaning)

    def test_a_parameter_that_is_ignored(self, view: View, world: MockWorld) -> None:
        view.open(world.url)
        for query in ("stauts=pending", "status=pending", "page_size=0"):
            httpx.get(f"{world.url}{LIST}?{query}", headers=authorized(world))
        view.row(3)
        listed = control(world, "activity")["requests"]
        assert [view.row(number)["why"] for number in (1, 2, 3)] == [
            " · ".join(each["why"]) for each in listed
        ]
        assert "use `status`" in view.row(1)["why"] and view.row(2)["why"] == ""
        view.page.check("#problems")
        assert view.page.locator("#rows tr:visible").count() == 2

    def test_problems_only(self, view: View, world: MockWorld, sdk: Webshare) -> None:
        view.open(world.url)
        sdk.referral.list_credits()
        with pytest.raises(APIError):
            sdk.referral.get_credit(1)
        sdk.referral.list_channels()
        view.row(3)
        view.page.check("#problems")
        assert view.page.locator("#rows tr:visible").count() == 1
        assert view.text("#hidden-rows") == "2 requests hidden by the filter."
        view.page.uncheck("#problems")
        view.page.fill("#filter", "CHANNEL")
        assert [each.split()[0] for each in view.texts("#rows tr:visible")] == ["3"]


def account(view: View) -> list[list[str]]:
    """Return the rows of the account as the page shows them."""
    return [line.split("\t") for line in view.texts("#totals tr")]


def expected(summary: Any) -> list[list[str]]:
    """Return the rows of the account as `GET summary` has them."""
    lines = []
    for total in summary["totals"]:
        if total["amount"] is not None:
            held = [each for each in total["values"] if each["count"]]
            whole = {"value": total["resource"], **total}
            lines += [
                [each["value"], f"{each['count']:,}", f"{each['amount']:,.2f}"] for each in [whole, *held]
            ]
    return lines


def assert_same(view: View, world: MockWorld) -> None:
    """Compare what the page shows of an account with what the route says."""
    summary = control(world, "summary")
    view.until(lambda: account(view) == expected(summary))
    assert len(expected(summary)) > 4
    texts = [each["text"] for each in summary["next"]]
    assert len(texts) > 0
    shown = [text.partition(": ")[2] or text for text in view.texts("#next-list li")]
    assert shown == texts[:3] + ["and more"] * (len(texts) > 3)


class TestWhatDoesTheAccountHold:
    def test_the_same_as_its_route_says(self, view: View, world: MockWorld, sdk: Webshare) -> None:
        view.open(world.url)
        sdk.referral.get_config()
        view.row(1)
        world.create_credit(amount=1234.5)
        assert_same(view, world)
        world.set_clock(advance="P45D")
        assert_same(view, world)
        world.simulate(months=2)
        assert_same(view, world)

    def test_by_month(self, view: View, world: MockWorld, sdk: Webshare) -> None:
        view.open(world.url)
        sdk.referral.get_config()
        world.simulate(months=3)
        earnings = control(world, "earnings")
        view.until(lambda: len(view.texts("#months-rows tr")) == len(earnings["rows"]) > 3)
        heads = view.texts("#months-heads th")
        for row, text in zip(reversed(earnings["rows"]), view.texts("#months-rows tr"), strict=True):
            cells = dict(zip(heads, text.split("\t"), strict=True))
            created = row["resources"]["credits"]["created"]
            for status in ("pending", "available", "reverted"):
                amount = created.get(status, {"amount": 0})["amount"]
                assert cells[status] == (f"{amount:,.2f}" if amount else "–")
        assert view.text("#months-rows .now th") == earnings["now"]


class TestIsThisWorldClean:
    def test_what_differs_from_its_start(self, view: View, world: MockWorld, sdk: Webshare) -> None:
        view.open(world.url)
        sdk.referral.get_config()
        view.wait("#changes", "unchanged since its start")
        world.set_clock(advance="PT36H")
        view.wait("#changes", "clock +1.5 days")
        world.add_fault(status=503)
        view.wait("#changes", "faults 1 added")
        world.set_settings(rate_limit="5/min")
        view.wait("#changes", "rate_limit 5/min, was 240/min")
        credit = world.credits()[0]
        world.change_credit(credit["id"], amount=99)
        view.wait("#changes", "credits ")
        assert set(control(world, "summary")["changes"]) == {"clock", "faults", "settings", "rows"}
        view.page.click("#reset-question summary")
        view.page.click("#reset")
        view.wait("#changes", "unchanged since its start")
        assert world.faults() == [] and len(world.requests) == 0
        assert view.text("#code").splitlines()[-1] == "webshare_mock.reset()"


def python_line(view: View) -> str:
    return view.text("#code").splitlines()[-1]


class TestWhatCanITry:
    @pytest.mark.parametrize(
        "name", ["+1 hour", "+1 day", "+30 days", "run", "one 503", "two 429", "slow, 2 s", "cut off once"]
    )
    @needs_curl
    def test_each_button_does_what_its_lines_do(
        self, view: View, world: MockWorld, sdk: Webshare, name: str
    ) -> None:
        view.open(world.url)
        sdk.referral.get_config()
        view.row(1)
        view.click(name).wait("#done", "done")
        done = comparable(world)
        world.reset()
        eval(python_line(view), {"webshare_mock": world})
        assert comparable(world) == done
        world.reset()
        run_in_shell(view.text("#code").splitlines()[0], world)
        assert comparable(world) == done

    def test_actions_can_be_shown_without_being_done(
        self, view: View, world: MockWorld, sdk: Webshare
    ) -> None:
        view.open(world.url)
        sdk.referral.get_config()
        view.row(1)
        before = comparable(world)
        view.page.check("#only-code")
        view.click("one 503").wait("#done", "not done, only shown")
        assert python_line(view) == "webshare_mock.add_fault(status=503, times=1)"
        assert comparable(world) == before

    def test_a_mistake_is_explained(self, view: View, world: MockWorld, sdk: Webshare) -> None:
        view.open(world.url)
        sdk.referral.get_config()
        view.row(1)
        view.page.fill("#clock-now", "tomorrow")
        view.click("set").wait("#done", "not done: ")
        with pytest.raises(MockWebshareError) as error:
            world.set_clock(now="tomorrow")
        assert "tomorrow" in view.text("#done") and "tomorrow" in str(error.value)

    def test_a_fault_can_be_removed(self, view: View, world: MockWorld, sdk: Webshare) -> None:
        view.open(world.url)
        sdk.referral.get_config()
        world.add_fault(status=503)
        world.add_fault(status=500, probability=0)
        view.wait("#fault-list", "status 500")
        view.click("remove fault 1").wait("#done", "done")
        view.until(lambda: len(view.texts("#fault-list li")) == 1)
        assert [each["id"] for each in world.faults()] == [2]


class TestWhatHaveINotExercised:
    def test_is_as_its_route_says_and_grows(self, view: View, world: MockWorld, sdk: Webshare) -> None:
        view.page.clock.install()  # it is counted again after three seconds
        view.open(world.url)
        sdk.referral.get_config()
        view.row(1)
        self.assert_same(view, world)
        list(sdk.referral.list_credits(status="pending", page_size=5))
        world.add_fault(status=503, times=1)
        with pytest.raises(APIError):
            sdk.referral.list_channels()
        view.page.clock.fast_forward(3000)
        self.assert_same(view, world)
        assert view.page.locator("[href='#coverage']").is_visible()

    def assert_same(self, view: View, world: MockWorld) -> None:
        """Compare the map, and the table of what is missing, with what the route says."""
        found = control(world, "coverage")
        endpoints = found["endpoints"]
        covered, total = (sum(each[name] for each in endpoints) for name in ("covered", "total"))
        view.until(lambda: view.text("#coverage-sum") == f"{covered} of {total}")
        assert 0 < covered < total
        unused = [
            each["endpoint"].replace("/api/v2/referral/", "") for each in endpoints if not each["covered"]
        ]
        assert view.text("#unused") == f"; none of {' '.join(unused)}"
        assert view.text("#coverage-note").startswith(f"by {found['requests']} request")
        heads = view.texts("#coverage-heads th")
        lines = [line.split("\t") for line in view.texts("#coverage-rows tr")]
        shown = {line[0]: dict(zip(heads[1:], line[1:], strict=True)) for line in lines}
        missing = view.page.locator("#missing-rows tr").all_text_contents()
        for endpoint, text in zip(endpoints, missing, strict=True):
            cells = {name: f"{each['covered']}/{each['total']}" for name, each in endpoint["aspects"].items()}
            assert {name: cell for name, cell in shown[endpoint["endpoint"]].items() if cell} == cells
            if endpoint["covered"]:
                lists = [", ".join(each["missing"]) for each in endpoint["aspects"].values()]
                assert all(each in text for each in lists)
            else:
                assert text == f"{endpoint['endpoint']}none of it requested"


def comparable(world: MockWorld) -> list[Any]:
    return [world.faults(), world.clock() if not world.clock()["running"] else "runs", world.settings()]


def run_in_shell(line: str, world: MockWorld) -> None:
    """Run a command as somebody would who copied it."""
    environment = {**os.environ, "WEBSHARE_API_KEY": world.api_key}
    subprocess.run(["sh", "-c", f"{line} -fsS"], env=environment, check=True, capture_output=True)


QUERIES = [
    "status=pending&page_size=5",
    "ordering=-created_at&ordering=id",
    "from=1&class=2&page-size=3&_=4",
    "q=it%27s%20%22%24%28id%29%60id%60%5C%0A%F0%9F%98%80%E2%80%A8",
    "a=%26b%3D1&a=&%27=%7B%7D",
]


@pytest.mark.parametrize("query", QUERIES)
class TestACopy:
    def copied(self, view: View, world: MockWorld, query: str, name: str) -> str:
        """Return a request in code, as the page gives it."""
        view.open(world.url)
        httpx.get(f"{world.url}{LIST}?{query}", headers={**authorized(world), "X-Quote": "it's"})
        view.row(1)
        view.open_request(1).click(name)
        return view.page.locator("#snippet").text_content() or ""

    @needs_curl
    def test_as_curl_sends_the_same(self, view: View, world: MockWorld, query: str) -> None:
        line = self.copied(view, world, query, "curl")
        assert world.api_key not in line and "$WEBSHARE_API_KEY" in line
        run_in_shell(line.replace("curl ", "curl -o /dev/null ", 1).replace(" -fsS", ""), world)
        self.assert_same(world)

    def test_as_python_sends_the_same(self, view: View, world: MockWorld, query: str) -> None:
        code = self.copied(view, world, query, "Python")
        environment = {**os.environ, "WEBSHARE_API_KEY": world.api_key}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        self.assert_same(world)

    def test_as_an_assertion_holds(self, view: View, world: MockWorld, query: str) -> None:
        line = self.copied(view, world, query, "assertion")
        assert line.startswith('webshare_mock.assert_requested("GET", "/api/v2/referral/credit/"')
        eval(line, {"webshare_mock": world})
        world.clear_requests()
        with pytest.raises(AssertionError):
            eval(line, {"webshare_mock": world})

    def assert_same(self, world: MockWorld) -> None:
        until(lambda: len(world.requests) == 2)
        first, second = world.requests
        assert (first.method, first.target) == (second.method, second.target)
        assert second.headers.get("X-Quote") == "it's"
