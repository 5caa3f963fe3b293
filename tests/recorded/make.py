"""Make the recordings of this folder again, with the tools themselves; see README.md.

python -m tests.recorded.make curl|mitmproxy|chromium|firefox
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.recorded.firefox import export, firefox
from tests.recorded.traffic import (
    API_HOST,
    CALLS,
    CREDITS,
    OTHER_HOST,
    OTHER_PATHS,
    Call,
    api,
    other_host,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
FETCH = """
const [url, options, done] = arguments;
fetch(url, options).then(answer => answer.text()).then(() => done(true), error => done(String(error)));
"""
ABORT = """url => {
  const controller = new AbortController();
  const answer = fetch(url, { signal: controller.signal }).catch(String);
  controller.abort();
  return answer;
}"""
CHROMIUM = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


def curl() -> None:
    """Bodies, each in its file, and pages one after the other in one."""
    with api() as url:
        folder = HERE / "curl"
        folder.mkdir(exist_ok=True)
        for number, call in enumerate(CALLS):
            if call.is_json and call.method != "OPTIONS":  # whose body tells nothing of what it is
                body = _curl(url, call)
                (folder / f"{number:02}-{call.status}.json").write_bytes(body)
        pages = [_curl(url, Call(f"{CREDITS}?page={page}&page_size=5"), "-w", "\n") for page in (1, 2, 3)]
        (HERE / "curl-pages.ndjson").write_bytes(b"".join(pages))


def _curl(url: str, call: Call, *options: str, host: str = API_HOST) -> bytes:
    headers = [part for name, value in call.headers.items() for part in ("-H", f"{name}: {value}")]
    to = f"{host}:80:{url.removeprefix('http://')}"
    command = ["curl", "-s", "--connect-to", to, "-X", call.method, *headers, *options]
    return subprocess.run([*command, f"http://{host}{call.path}"], check=True, stdout=-1).stdout


def mitmproxy() -> None:
    """A HAR as mitmproxy writes it, standing before both hosts; `mitmdump` is to be in the PATH."""
    target = HERE / "mitmproxy.har"
    with api() as url, other_host() as other, tempfile.TemporaryDirectory() as keys:
        modes = ("--mode", f"reverse:{url}@18081", "--mode", f"reverse:{other}@18082")
        settings = ("keep_host_header=true", f"hardump={target}", f"confdir={keys}")
        options = [part for setting in settings for part in ("--set", setting)]
        process = subprocess.Popen(["mitmdump", "-q", "--listen-host", "127.0.0.1", *modes, *options])
        time.sleep(5)
        for call in CALLS:
            _curl("http://127.0.0.1:18081", call, *(["-I"] if call.method == "HEAD" else []))
        for path in OTHER_PATHS:
            _curl("http://127.0.0.1:18082", Call(path, headers={}), host=OTHER_HOST)
        process.terminate()
        process.wait()


def chromium() -> None:
    """HARs as Playwright writes them of Chromium: with the bodies inside, beside it in a ZIP, and without."""
    record_chromium(HERE / "chromium.har", "embed")
    record_chromium(HERE / "chromium-attached.har.zip", "attach")
    record_chromium(HERE / "chromium-omitted.har", "omit")


def record_chromium(target: Path, content: Any) -> None:
    """Record all calls, an aborted and a blocked one, and what another host answers."""
    from playwright.sync_api import sync_playwright

    with api() as url, other_host() as other, sync_playwright() as playwright:
        hosts = ((API_HOST, url), (OTHER_HOST, other))
        rules = ", ".join(f"MAP {name} {address.removeprefix('http://')}" for name, address in hosts)
        arguments = [*CHROMIUM, f"--host-resolver-rules={rules}"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        context = browser.new_context(record_har_path=target, record_har_content=content)
        _browse(context.new_page())
        context.close()
        browser.close()


def _browse(page: Any) -> None:
    script = f"given => new Promise(done => (function() {{ {FETCH} }})(...given, done))"
    page.route("**/blocked.json", lambda route: route.abort())
    page.goto(f"http://{API_HOST}{CREDITS}")
    for call in CALLS:
        page.evaluate(script, [call.path, {"method": call.method, "headers": call.headers}])
    for path in (*OTHER_PATHS, "/blocked.json"):
        page.evaluate(script, [f"http://{OTHER_HOST}{path}", {}])
    page.evaluate(ABORT, CREDITS)


def record_firefox() -> None:
    """A HAR as Firefox's network monitor exports it."""
    with api() as url, other_host() as other, firefox((API_HOST, OTHER_HOST)) as session:
        base = f"http://{API_HOST}:{url.rpartition(':')[2]}"
        elsewhere = f"http://{OTHER_HOST}:{other.rpartition(':')[2]}"
        session.go(
            f"{base}/api/v2/nowhere/"
        )  # a page that lets scripts run, which the viewer of JSON does not
        for call in CALLS:
            session.run(FETCH, "content", call.path, {"method": call.method, "headers": call.headers})
        for path in OTHER_PATHS:
            session.run(FETCH, "content", elsewhere + path, {})
        session.go(base + CREDITS)
        time.sleep(1)
        (HERE / "firefox.har").write_text(json.dumps(export(session), indent=2) + "\n", encoding="utf-8")


TOOLS: dict[str, Callable[[], None]] = {
    "curl": curl,
    "mitmproxy": mitmproxy,
    "chromium": chromium,
    "firefox": record_firefox,
}

if __name__ == "__main__":
    for tool in sys.argv[1:] or TOOLS:
        TOOLS[tool]()
