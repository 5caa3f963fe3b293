"""What others can send to the page, and what it must never show."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from mock_webshare import MockServer, Settings
from mock_webshare.control.routes import ROOT
from tests.page_view import View
from tests.waiting import PATIENCE

LIST = "/api/v2/referral/credit/"
pytestmark = pytest.mark.exhaustive
PAYLOADS = [
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "\"><svg onload='window.pwned=1'>",
    "</td></tr></table><h1>replaced</h1>",
    "{{7*7}}${7*7}<%=7*7%>`${7*7}`",
    "&lt;b&gt;&amp;&#60;",
    "javascript:window.pwned=1//",
    "\u202etxt.exe\u2066 ☃ 𝕏 \u200b",
    "a" * 3000,
    "__proto__ constructor toString",
]


@pytest.fixture
def server() -> Iterator[MockServer]:
    """A server of its own for one test, for the page shows the newest world."""
    with MockServer(Settings(port=0, rate_limit="off")) as server:
        yield server


def hostile(server: MockServer) -> list[str]:
    """Send each payload in every place that the page shows; return the targets."""
    world = server.world("key", name=PAYLOADS[0])
    targets = []
    for payload in PAYLOADS:
        targets += [f"/api/v2/{quote(payload)}/", f"{LIST}?{quote(payload)}={quote(payload)}"]
        agent = payload.encode("ascii", "replace").decode()[:200]
        for target in targets[-2:]:
            headers = {"Authorization": "Token key", "User-Agent": agent, "X-Odd": agent}
            httpx.post(server.url + target, headers=headers, content=payload.encode())
        world.add_fault(status=500, detail=payload[:2000], path=f"/none/{payload[:100]}", probability=0)
        world.take_snapshot(payload[:100].replace("/", "").replace("\u202e", "x"))
    return targets


class TestTexts:
    def test_appear_literally(self, view: View, server: MockServer) -> None:
        targets = hostile(server)
        view.open(server.url).wait("#world-name", PAYLOADS[0])
        assert view.text("#world-name") == PAYLOADS[0]
        for number, target in enumerate(targets, 1):
            view.row(number)
            opener = view.page.locator(f'#rows tr[data-number="{number}"] button')
            assert opener.get_attribute("title") == target
            assert (opener.text_content() or "").replace(" ?", "?") == f"POST {shortened(target)}"
        faults = "".join(view.page.locator("#fault-list").all_text_contents())
        assert all(payload[:100] in faults for payload in PAYLOADS)
        self.assert_nothing_ran(view)

    def test_appear_literally_in_detail(self, view: View, server: MockServer) -> None:
        targets = hostile(server)
        view.open(server.url)
        for number in range(1, len(targets) + 1, 2):
            view.row(number)
            view.open_request(number)
            for name in ("curl", "Python", "assertion"):
                view.click(name)
            body = view.page.locator("#detail-request pre").text_content()
            assert body == PAYLOADS[number // 2]
        self.assert_nothing_ran(view)

    def test_of_a_malicious_control_plane_are_texts_too(self, view: View, server: MockServer) -> None:
        server.world("key").count_requests("GET", "/")
        httpx.get(server.url + LIST, headers={"Authorization": "Token key"})

        def spoil(route: Any) -> None:
            response = route.fetch()
            route.fulfill(response=response, json=spoiled(response.json(), PAYLOADS[1]))

        for path in ("summary", "earnings", "reasons"):
            view.page.route(f"**{ROOT}{path}", spoil)
        view.open(server.url)
        view.row(1)
        assert PAYLOADS[1] in view.page.locator("#totals").inner_text()
        self.assert_nothing_ran(view)
        view.page.unroute_all()

    def assert_nothing_ran(self, view: View) -> None:
        assert view.page.evaluate("window.pwned") is None
        assert view.page.locator("#main script, #main img, #main svg, #main h1, #main iframe").count() == 0


def shortened(target: str) -> str:
    return target.replace("/api/v2/referral/", "", 1)


def spoiled(value: Any, payload: str) -> Any:
    """Return JSON with a payload in the place of each text that is no number or time."""
    if isinstance(value, dict):
        return {name: spoiled(each, payload) for name, each in value.items()}
    if isinstance(value, list):
        return [spoiled(each, payload) for each in value]
    return payload if isinstance(value, str) and not value[:2].isdigit() else value


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"[" * 5000),
        ("application/json", b'{"a": "' + b"\\" * 30001),
        (
            "application/json",
            b'{"big": 12345678901234567890, "money": 1.10, "s": "{[,:]}", "e": {}, "u": "\\u00e9"}',
        ),
        ("application/json", json.dumps({str(each): [each] * 3 for each in range(4000)}).encode()),
        ("text/plain", "é\x00\x1b[31m\r\n\t".encode()),
        ("application/octet-stream", bytes(range(256))),
    ],
    ids=["deep", "unfinished", "numbers", "long", "control characters", "binary"],
)
def test_any_body_is_shown(view: View, server: MockServer, kind: str, body: bytes) -> None:
    httpx.request(
        "PATCH",
        f"{server.url}/api/v2/referral/config/",
        headers={"Authorization": "Token key", "Content-Type": kind},
        content=body,
    )
    view.open(server.url).row(1)
    view.open_request(1)
    area = view.page.locator("#detail-request pre")
    sent = httpx.get(f"{server.url}{ROOT}requests/1", headers={"Authorization": "Token key"}).json()[
        "request"
    ]
    text = sent.get("body") or sent["body_base64"]
    more = view.page.locator("#detail-request button", has_text="show all")
    shown = area.text_content() or ""
    assert len(shown) == 20_000 if more.count() else without_blanks(shown) == without_blanks(text)
    if kind == "application/json":
        view.page.locator("#detail-request button", has_text="as sent").click()
        if more.count():
            more.click()
        assert area.text_content() == text


def without_blanks(text: str) -> str:
    return "".join(text.split())


CANARY = "canary7f3kq9zz1m4x8w2"


class TestAKey:
    def test_never_reaches_the_browser(self, view: View, server: MockServer) -> None:
        def note(request: Any) -> None:
            view.bodies.append(request.response().body())

        view.page.on("requestfinished", note)
        world = server.world(CANARY, name="a test")
        coded = base64.b64encode(CANARY.encode()).decode()
        for path in (f"{LIST}?api_key={CANARY}", f"{LIST}{CANARY}/", f"{LIST}?q={quote(coded)}", LIST):
            httpx.post(
                server.url + path,
                headers={"Authorization": f"Token {CANARY}", "X-Api-Key": CANARY, "User-Agent": CANARY},
                json={"api_key": CANARY, "text": f"the key is {CANARY}", "coded": coded},
            )
        world.add_fault(status=503, detail=f"not {CANARY}", times=1)
        httpx.get(server.url + LIST, headers={"Authorization": f"Bearer {CANARY}-unknown"})
        view.open(server.url)
        for number in range(1, 5):
            view.row(number)
            view.open_request(number)
            for name in ("curl", "Python", "assertion"):
                view.click(name)
        view.click("close")
        view.page.check("#only-code")
        view.click("+1 hour").wait("#done", "only shown")
        view.page.click("#show-keyless")
        view.wait("#world-name", "have no world")
        stored = view.page.evaluate(
            "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])"
        )
        dom = view.page.content()
        assert len(view.bodies) > 20
        for secret in (CANARY, coded, CANARY[-8:]):
            assert secret not in dom and secret not in stored
            assert not any(secret.encode() in body for body in view.bodies)
        assert not any(CANARY in url for url in view.requests)
        assert json.loads(stored) == [{}, {}, "", view.page.url]


class TestAnotherSite:
    def test_may_link_to_the_page_but_neither_frame_nor_fetch_it(
        self, view: View, server: MockServer
    ) -> None:
        with MockServer() as other:
            site = other.url.replace("127.0.0.1", "localhost")
            view.page.goto(f"{site}/a-page")
            framed = """(url) => new Promise((resolve) => {
                const frame = document.createElement("iframe");
                frame.onload = () => resolve(frame.contentDocument === null ? "refused" : "loaded");
                frame.src = url;
                document.body.append(frame);
            })"""
            fetched = '(url) => fetch(url, { mode: "no-cors" }).then((it) => it.type, () => "denied")'
            frames = view.page.evaluate(framed, server.url + ROOT)
            assert frames == "refused" and view.page.frames[-1].locator("#state").count() == 0
            for path in ("", "page/main.js", "activity", "worlds"):
                assert view.page.evaluate(fetched, server.url + ROOT + path) == "denied"
            link = """(url) => {
                const link = Object.assign(document.createElement("a"), { href: url, textContent: "a" });
                document.body.replaceChildren(link);
            }"""
            view.page.evaluate(link, server.url + ROOT)
            view.page.click("a")
            view.wait("#state", "● live")

    def test_whose_name_was_rebound_gets_nothing(self, chromium: Any, server: MockServer) -> None:
        port = server.url.rpartition(":")[2]
        connection = HTTPConnection("127.0.0.1", int(port), timeout=PATIENCE)
        connection.request("GET", ROOT, headers={"Host": f"rebound.example:{port}", "Accept": "text/html"})
        response = connection.getresponse()
        assert response.status == 403 and b"<html" not in response.read()
        connection.close()


class TestBeyondLoopback:
    @pytest.fixture
    def url(self) -> Iterator[str]:
        with MockServer(Settings(host="0.0.0.0", port=0, control_token="the-control-token")) as server:
            httpx.get(
                server.url.replace("0.0.0.0", "127.0.0.1") + LIST, headers={"Authorization": "Token key"}
            )
            yield server.url.replace("0.0.0.0", "127.0.0.1")

    def test_the_page_asks_for_the_token(self, new_view: Callable[..., View], url: str) -> None:
        view = new_view()
        view.page.goto(url + ROOT)
        view.page.locator("#token").wait_for()
        assert view.texts("#rows tr") == [] and view.page.get_attribute("#token", "type") == "password"
        view.page.fill("#token", "a-wrong-token")
        view.page.click("#token-form button")
        view.wait("#state", "the control token is missing or wrong")
        view.page.locator("#token").wait_for()
        view.page.fill("#token", "the-control-token")
        view.page.click("#token-form button")
        view.wait("#state", "live").row(1)
        view.page.check("#only-code")
        view.click("one 503").wait("#code", '-H "Mock-Webshare-Token: $MOCK_WEBSHARE_CONTROL_TOKEN"')
        assert "the-control-token" not in view.page.content()
        view.page.reload()
        view.row(1)
        view.page.click("#forget-token")
        view.page.locator("#token").wait_for()
        assert view.page.evaluate("sessionStorage.length") == 0

    def test_a_token_in_the_address_is_removed_from_it(self, view: View, url: str) -> None:
        view.page.goto(f"{url}{ROOT}#token=the-control-token")
        view.wait("#state", "live").row(1)
        assert "token" not in view.page.url
