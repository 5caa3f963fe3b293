"""The page of a mock in a real browser: what it shows, and what it did that it must not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mock_webshare.control.routes import ROOT
from tests.browser import CHROMIUM
from tests.waiting import PATIENCE, until

_OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")
_WATCH = """
window.violations = [];
const note = (event) => window.violations.push(event.violatedDirective);
document.addEventListener("securitypolicyviolation", note);
"""
_VISIBILITY = """
Object.defineProperty(Document.prototype, "hidden", { get: () => %s });
document.dispatchEvent(new Event("visibilitychange"));
"""


class View:
    """One tab with the page of a mock."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self.errors: list[str] = []
        page.set_default_timeout(1000 * PATIENCE)
        page.add_init_script(_WATCH)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: self.errors.append(f"dialog: {dialog.message}"))

    def open(self, url: str, place: str = "") -> View:
        """Open the page of a server, and return when it is live."""
        self.page.goto(f"{url}{ROOT}{place}")
        return self.wait("#state", "● live")

    def text(self, selector: str) -> str:
        """Return the visible text of the only element."""
        text: str = self.page.locator(selector).inner_text()
        return text

    def texts(self, selector: str) -> list[str]:
        """Return the visible texts of all elements."""
        texts: list[str] = self.page.locator(selector).all_inner_texts()
        return texts

    def wait(self, selector: str, text: str) -> View:
        """Wait for an element to have a text in it."""
        self.page.locator(selector, has_text=text).first.wait_for()
        return self

    def until(self, is_so: Callable[[], object]) -> View:
        """Wait for something to become so."""

        def look() -> object:
            self.page.evaluate("0")  # lets the driver handle what has happened
            return is_so()

        until(look)
        return self

    def row(self, number: int) -> dict[str, str]:
        """Return the cells of a request by their names; wait for it."""
        row = self.page.locator(f'#rows tr[data-number="{number}"]')
        row.wait_for()
        cells: dict[str, str] = row.evaluate(
            "(row) => Object.fromEntries([...row.children].map((cell) => [cell.className, cell.innerText]))"
        )
        return cells

    def click(self, name: str) -> View:
        """Click the button with a name."""
        self.page.get_by_role("button", name=name, exact=True).click()
        return self

    def open_request(self, number: int) -> View:
        """Show a request in detail."""
        self.page.locator(f'#rows tr[data-number="{number}"] button').click()
        return self.wait("#detail-title", f"Request {number}")

    def hide(self, *, is_hidden: bool = True) -> View:
        """Let the tab be hidden, or shown again: a browser without windows shows all."""
        self.page.evaluate(_VISIBILITY % json.dumps(is_hidden))
        return self

    def violations(self) -> list[str]:
        """Return what the security policy has blocked."""
        violations: list[str] = self.page.evaluate("window.violations")
        return violations


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser without windows, driven by Playwright."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not a dependency of the tests: pip install playwright"
    )
    if CHROMIUM is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def new_view(chromium: Any) -> Iterator[Callable[..., View]]:
    """Opens tabs, each with its own storage; at the end, none of them must have had an error."""
    views: list[View] = []

    def make(width: int = 1280, height: int = 800, **options: Any) -> View:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        views.append(View(context.new_page()))
        return views[-1]

    yield make
    found = [(view.errors, view.violations()) for view in views]
    for view in views:
        view.page.context.close()
    assert found == [([], [])] * len(found)


@pytest.fixture
def view(new_view: Callable[..., View]) -> View:
    """A tab."""
    return new_view()
