"""Who can use the page: by keyboard, with a screen reader, in the dark, on a narrow screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from mock_webshare import MockServer, MockWorld
from mock_webshare.control.routes import ROOT
from tests.page_view import View

LIST = "/api/v2/referral/credit/"
pytestmark = pytest.mark.exhaustive


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core, which a package for Playwright carries."""
    found = find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("axe-core is not installed: pip install axe-playwright-python")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def world() -> Iterator[MockWorld]:
    """A world with a bit of everything that the page shows."""
    with MockServer() as server:
        world = server.world("key", name="tests/" + "a-long-folder-without-a-blank/" * 8 + "test_it.py")
        world.add_fault(status=503, path=LIST + "x" * 300, detail="y" * 500)
        world.add_fault(fault="CONNECTION_RESET_BY_PEER", path="/api/v2/referral/earnout/")
        world.set_clock(advance="P40D")
        world.set_settings(rate_limit="100/min")
        for path in (LIST, LIST + "1/", "/api/v2/proxy/list/", f"{LIST}?{'q' * 500}={'z' * 500}", LIST):
            httpx.get(world.url + path, headers={"Authorization": "Token key"})
        with pytest.raises(httpx.TransportError):
            httpx.get(world.url + "/api/v2/referral/earnout/", headers={"Authorization": "Token key"})
        httpx.get(world.url + LIST)
        yield world


def shown(view: View, world: MockWorld) -> View:
    """Open the page, and wait for all parts of it."""
    view.open(world.url).row(6)
    view.page.locator("#totals tr").first.wait_for()
    view.page.locator("#months-rows tr").first.wait_for()
    view.page.evaluate("document.querySelector('#coverage details').open = true")
    view.page.locator("#missing-rows tr").first.wait_for()
    return view


LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
    "narrow": {"width": 360},
    "narrow and dark": {"width": 360, "color_scheme": "dark"},
    "twice as large": {"width": 640, "height": 400, "device_scale_factor": 2},
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing(new_view: Callable[..., View], world: MockWorld, axe: str, look: str) -> None:
    view = shown(new_view(**LOOKS[look]), world)
    view.page.evaluate(axe)
    assert violations(view) == []
    view.open_request(4).click("curl")
    assert violations(view) == []


def violations(view: View) -> list[str]:
    """Return what axe-core finds, a line for each element."""
    found = view.page.evaluate("axe.run().then((result) => result.violations)")
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


def test_axe_finds_nothing_before_the_first_request(view: View, axe: str) -> None:
    with MockServer() as server:
        view.open(server.url)
        view.page.locator("#first-curl").wait_for()
        view.page.evaluate(axe)
        assert violations(view) == []
    view.wait("#state", "not reached since")
    assert violations(view) == []


def test_axe_is_awake(view: View, world: MockWorld, axe: str) -> None:
    shown(view, world)
    view.page.evaluate(axe)
    view.page.evaluate('document.querySelector("#filter").removeAttribute("aria-label")')
    view.page.evaluate('document.querySelector("#filter").removeAttribute("placeholder")')
    assert [each.partition(":")[0] for each in violations(view)] == ["label"]


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_is_wider_than_the_screen(
    new_view: Callable[..., View], world: MockWorld, width: int
) -> None:
    view = shown(new_view(width), world)
    for act in (lambda: None, lambda: view.open_request(4).click("Python"), lambda: view.click("assertion")):
        act()
        assert view.page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [width, width]
    assert view.page.locator("#detail").is_visible()


def test_the_first_screen_has_the_answers(view: View) -> None:
    with MockServer() as server:
        world = server.world("key")
        httpx.get(world.url + LIST, headers={"Authorization": "Token key"})
        world.add_fault(status=503, probability=0.5)
        view.open(server.url).row(1)
        view.wait("#fault-list", "struck 0 of 0")
        for part in (
            "#rows",
            "#changes",
            "#totals",
            "#next-list",
            "#clock-time",
            "#fault-list",
            "#rate-limit",
        ):
            box = view.page.locator(part).bounding_box()
            assert box and box["y"] + box["height"] <= 800, part


def test_no_text_is_too_small(view: View, world: MockWorld) -> None:
    shown(view, world)
    sizes = view.page.evaluate(
        '[...document.querySelectorAll("body *")].map((it) => parseFloat(getComputedStyle(it).fontSize))'
    )
    assert min(sizes) >= 11


def test_everything_is_done_by_keyboard(view: View, world: MockWorld) -> None:
    shown(view, world)
    keyboard, focused = view.page.keyboard, "document.activeElement.id || document.activeElement.textContent"
    keyboard.press("Tab")
    assert view.page.evaluate(focused) == "Skip to this world"
    reached = []
    for _ in range(60):
        keyboard.press("Tab")
        reached.append(view.page.evaluate(focused))
        if reached[-1] == "BODY" or "Skip" in reached[-1]:
            break
    for name in ("world-select", "follow", "filter", "problems", "clear-view", "rows-area", "show-keyless"):
        assert name in reached
    for name in ("+1 hour", "clock-run", "clock-now", "one 503", "×", "only-code", "reset this world …"):
        assert name in reached
    view.page.locator('#rows tr[data-number="5"] button').focus()
    keyboard.press("Enter")
    view.wait("#detail-title", "Request 5")
    view.until(lambda: view.page.evaluate(focused) == "detail-title")
    keyboard.press("Escape")
    assert not view.page.locator("#detail").is_visible()
    row = "document.activeElement.closest('tr').dataset.number"
    assert view.page.evaluate(row) == "5"


def test_without_scripts_it_says_so(chromium: Any, world: MockWorld) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(world.url + ROOT)
    assert "needs JavaScript" in page.inner_text("body")
    context.close()
