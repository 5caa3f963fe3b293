"""Pages of other sites in a real browser: what they try against the control plane, and that it is in vain.

The pages are the 404 pages of mocks, for a page need only be of some origin; `attempts.js` runs in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from mock_webshare import MockServer, Settings
from mock_webshare.control.guard import Access, Guard
from mock_webshare.service.world.registry import Worlds
from tests.browser import needs_chromium, run
from tests.control_plane import KEY, digest
from tests.paths import CASES

ATTEMPTS = (CASES / "browser" / "attempts.js").read_text(encoding="utf-8")

pytestmark = needs_chromium


async def attempt(browser: str, page: str, *arguments: str) -> Any:
    """Let a page make its attempts, and return their results."""
    return await run(browser, page, f"({ATTEMPTS})({', '.join(map(json.dumps, arguments))})")


class Refused:
    """The requests that came to the control plane, and whether it refused each."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, bool]] = []

    def note(self, request: web.Request, refusal: str | None) -> None:
        """Note a request, and whether it was refused."""
        self.requests.append((request.method, request.path, refusal is not None))


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> Refused:
    """What the control planes of this process let pass and what not."""
    refused, refusal_of = Refused(), Guard.refusal

    def watched(self: Guard, request: web.Request, access: Access = Access.CONTROL) -> str | None:
        refusal = refusal_of(self, request, access)
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
        results = await attempt(browser, page, base, KEY)
    assert len(results) > 20 and set(results.values()) == {"denied"}
    assert state(server) == before
    # The attempts arrived: it was not the browser alone that kept them away.
    assert {("POST", "/__mock__/reset", True), ("POST", "/__mock__/faults", True)} <= set(refused.requests)
    assert len(refused.requests) > 15 and all(was_refused for _, _, was_refused in refused.requests)


PUBLIC = {"/__mock__/health", "/__mock__/version"}
"""What says nothing but that a mock server is here."""


async def test_a_page_whose_name_was_rebound_to_the_mock_reads_only_what_is_public(
    browser: str, server: MockServer, refused: Refused
) -> None:
    base = server.url.replace("127.0.0.1", "rebound.example")
    before = state(server)
    results = await attempt(browser, f"{base}/x", base, KEY)
    # It is of one origin with the refusals, so it can read these.
    private = [value for value in results.values() if '"ready"' not in value and '"version"' not in value]
    assert len(private) > 20 and all(value == "denied" or '"status":403' in value for value in private)
    assert state(server) == before
    assert ("POST", "/__mock__/reset", True) in refused.requests
    assert all(was_refused or path in PUBLIC for _, path, was_refused in refused.requests)


async def test_a_page_of_the_mock_itself_can_do_all_this(
    browser: str, server: MockServer, refused: Refused
) -> None:
    results = await attempt(browser, f"{server.url}/x", server.url, KEY)
    assert '"now":"' in results["read state"]
    assert results["read health"] == '200 {"status":"ready"}'
    assert '"version"' in results["read in a frame"]
    assert results["set a fault"].startswith("201 ")
    assert results["change settings"].startswith("200 ")
    assert results["reset"] == "204 "
    assert server.world(KEY).snapshots() == []
    frames = [each for each in refused.requests if each[2]]
    assert frames == [("GET", "/__mock__/", True)] and '"status":403' in results["frame the page"]
