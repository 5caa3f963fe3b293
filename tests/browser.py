"""A real browser, headless, and scripts that pages in it run."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
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

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium: apt-get install chromium")


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
        if path.exists() and "\n" in (text := path.read_text(encoding="utf-8")):
            return int(text.split()[0])
        time.sleep(0.02)
    raise TimeoutError(path)


async def run(browser: str, page: str, script: str) -> Any:
    """Let a page in a new tab run a script, and return its result."""
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
