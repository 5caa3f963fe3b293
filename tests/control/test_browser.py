"""Pages of other sites in a real browser: what they try against the control plane, and that it is in vain.

The pages are the 404 pages of mocks, for a page need only be of some origin; `attempts.js` runs in them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from mock_webshare import MockServer, Settings
from mock_webshare.control.guard import Guard
from mock_webshare.service.world.registry import Worlds
from tests.control_plane import KEY, digest
from tests.paths import CASES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ATTEMPTS = (CASES / "browser" / "attempts.js").read_text(encoding="utf-8")
OPTIONS = (
    "--headless",
    "--no-sandbox",  # which root cannot have
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--host-resolver-rules=MAP rebound.example 127.0.0.1",
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A browser with a new profile; the value is its debugging address."""
    profile = tmp_path_factory.mktemp("profile")
    command = [CHROMIUM or "", *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{_port(profile / 'DevToolsActivePort')}"
        finally:
            process.terminate()


def _port(path: Path) -> int:
    """Return the port that a browser writes into a file once it listens."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if path.exists() and "\n" in (text := path.read_text()):
            return int(text.split()[0])
        time.sleep(0.02)
    raise TimeoutError(path)


async def run(browser: str, page: str, *arguments: str) -> Any:
    """Let a page in a new tab make its attempts, and return their results."""
    script = f"({ATTEMPTS})({', '.join(map(json.dumps, arguments))})"
    numbers = count(1)
    async with (
        aiohttp.ClientSession() as session,
        session.put(f"{browser}/json/new?about:blank") as tab,
        session.ws_connect((await tab.json())["webSocketDebuggerUrl"]) as socket,
    ):

        async def command(method: str, **params: Any) -> Any:
            number = next(numbers)
            await socket.send_json({"id": number, "method": method, "params": params})
            while (said := await socket.receive_json(timeout=30)).get("id") != number:
                pass
            return said["result"]

        async def evaluate(expression: str) -> Any:
            result = await command(
                "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
            )
            return result["result"].get("value")

        await command("Page.navigate", url=page)
        while await evaluate("document.readyState + location.href") != f"complete{page}":
            pass
        return await evaluate(script)


class Refused:
    """The requests that came to the control plane, and whether it refused each."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bool]] = []

    def note(self, request: web.Request, refusal: str | None) -> None:
        self.requests.append((request.method, request.path, refusal is not None))


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Refused:
    """What the control planes of this process let pass and what not."""
    refused, refusal_of = Refused(), Guard.refusal

    def watched(self: Guard, request: web.Request) -> str | None:
        refusal = refusal_of(self, request)
        refused.note(request, refusal)
        return refusal

    monkeypatch.setattr(Guard, "refusal", watched)
    return refused


@pytest.fixture
def server() -> Iterator[MockServer]:
    """The mock server that is attacked; a snapshot shows whether it was reset."""
    with MockServer(Settings(port=0, data="edge-cases")) as server:
        server.world(KEY).take_snapshot("before the attack")
        yield server


def state(server: MockServer) -> str:
    """Return all that the attacked world is, and which others there are."""

    def digest_of(worlds: Worlds) -> str:
        world = worlds.get(KEY)
        assert world
        return f"{digest(world)} {worlds.counted()}"

    return server.call(digest_of)


@pytest.mark.parametrize("site", ["http://127.0.0.1", "http://localhost", "http://rebound.example"])
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
async def test_a_page_of_another_origin_reads_and_changes_nothing(
    browser: str, server: MockServer, refused: Refused, site: str, name: str
) -> None:
    with MockServer() as other:
        page = f"{site}:{other.url.rpartition(':')[2]}/"
        base = server.url.replace("127.0.0.1", name)
        before = state(server)
        results = await run(browser, page, base, KEY)
    assert len(results) > 20 and set(results.values()) == {"denied"}
    assert state(server) == before
    # The attempts arrived: it was not the browser alone that kept them away.
    assert {("POST", "/__mock__/reset", True), ("POST", "/__mock__/faults", True)} <= set(refused.requests)
    assert len(refused.requests) > 15 and all(was_refused for _, _, was_refused in refused.requests)


async def test_a_page_whose_name_was_rebound_to_the_mock_reads_and_changes_nothing(
    browser: str, server: MockServer, refused: Refused
) -> None:
    base = server.url.replace("127.0.0.1", "rebound.example")
    before = state(server)
    results = await run(browser, f"{base}/x", base, KEY)
    # It is of one origin with the refusals, so it can read these.
    assert len(results) > 20 and all(
        value == "denied" or '"status":403' in value for value in results.values()
    )
    assert state(server) == before
    assert ("POST", "/__mock__/reset", True) in refused.requests
    assert all(was_refused for _, _, was_refused in refused.requests)


async def test_a_page_of_the_mock_itself_can_do_all_this(
    browser: str, server: MockServer, refused: Refused
) -> None:
    results = await run(browser, f"{server.url}/x", server.url, KEY)
    assert '"now":"' in results["read state"]
    assert results["read health"] == '200 {"status":"ready"}'
    assert '"version"' in results["read in a frame"]
    assert results["set a fault"].startswith("201 ")
    assert results["change settings"].startswith("200 ")
    assert results["reset"] == "204 "
    assert server.world(KEY).snapshots() == []
    assert not any(was_refused for _, _, was_refused in refused.requests)
