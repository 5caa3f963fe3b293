"""The pictures of the page in `docs/`, and the digest of what they show: `python -m tests.page_pictures`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
from webshare import APIError, Webshare

from mock_webshare import MockServer, MockWorld
from tests.browser import CHROMIUM
from tests.page_view import View
from tests.paths import ROOT

FOLDER = ROOT / "mock_webshare" / "control" / "page"
PAGE = ROOT / "docs" / "page.md"
DIGEST = re.compile(r"<!-- pictures of: ([0-9a-f]*) -->")
LOOKS: Mapping[str, dict[str, Any]] = {
    "page-light.png": {"viewport": {"width": 1280, "height": 800}},
    "page-dark.png": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "page-narrow.png": {"viewport": {"width": 360, "height": 800}},
}


def digest() -> str:
    """Return the digest of all files of the page."""
    files = [path.name.encode() + b"\0" + path.read_bytes() for path in sorted(FOLDER.iterdir())]
    return hashlib.sha256(b"\0".join(files)).hexdigest()


def send_requests(world: MockWorld) -> None:
    """Send what a client does that reads all pages, with a fault, and makes some mistakes."""
    path = "/api/v2/referral/credit/"
    headers = {"Authorization": f"Token {world.api_key}"}
    world.set_clock(advance="P3D")
    with Webshare(api_key=world.api_key, base_url=world.url, max_retries=0) as client:
        client.referral.get_config()
        world.add_fault(status=503, probability=0.2, seed=3)
        for size in (10, 20):
            with suppress(APIError):
                list(client.referral.list_credits(page_size=size))
        for number in range(1, 12):
            with suppress(APIError):
                client.referral.list_credits(page=number % 4 + 1, status="pending")
        with suppress(APIError):
            client.referral.get_credit(1)
    for target in (
        f"{path}?status=paid",
        "/api/v2/proxy/list/?mode=direct",
        path[:-1],
        f"{path}?stauts=pending",
    ):
        httpx.get(world.url + target, headers=headers)


@contextmanager
def scene() -> Iterator[str]:
    """Yield the URL of a server whose newest world has something to show."""
    with MockServer() as server:
        httpx.get(f"{server.url}/api/v2/referral/config/")
        send_requests(server.world("a-key", name="tests/test_report.py::test_earnings"))
        yield server.url


def take(folder: Path) -> None:
    """Take all pictures."""
    from playwright.sync_api import sync_playwright

    with scene() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, options in LOOKS.items():
            view = View(browser.new_context(**options).new_page()).open(url)
            view.page.locator("#months-rows tr").first.wait_for()
            view.page.evaluate('document.querySelector("#base-url").textContent = "http://127.0.0.1:8765"')
            view.page.screenshot(path=folder / name)
            _shrink(folder / name)
        browser.close()


def _shrink(path: Path) -> None:
    """Reduce a picture to 64 colours, a quarter of the bytes, where Pillow is installed."""
    if find_spec("PIL"):
        from PIL import Image

        with Image.open(path) as picture:
            small = picture.convert("RGB").quantize(64, dither=Image.Dither.NONE)
        small.save(path, optimize=True)


if __name__ == "__main__":
    take(PAGE.parent)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(DIGEST.sub(f"<!-- pictures of: {digest()} -->", page), encoding="utf-8")
