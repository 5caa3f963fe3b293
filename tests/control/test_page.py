"""The files of the page: complete, small, without what could run a text, and sent with strict headers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mock_webshare import MockServer, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.control import page
from mock_webshare.control.routes import ROOT
from mock_webshare.service.reasons import MEANINGS
from tests.browser import needs_chromium, run
from tests.control_plane import Reply, send
from tests.page_pictures import DIGEST, LOOKS, PAGE, digest
from tests.paths import ROOT as PROJECT

FOLDER = PROJECT / "mock_webshare" / "control" / "page"
FILES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.iterdir())}
MODULES = {name: text for name, text in FILES.items() if name.endswith(".js")}
LIST = CREDIT_LIST.path
NODE = shutil.which("node")
MOST_BYTES, MOST_LINES, MOST_LINES_EACH = 45 * 1024, 850, 150

IMPORT = re.compile(r'^import .* from "\./([a-z]+\.js)";$', re.MULTILINE)
FORBIDDEN = {
    "HTML from text": re.compile(r"innerHTML|outerHTML|insertAdjacent|srcdoc|DOMParser|createContextual"),
    "text that becomes script": re.compile(r"\beval\b|new Function|javascript:|document\.write"),
    "a style or handler as an attribute": re.compile(
        r"""setAttribute\("(style|on)|\son[a-z]+=["']|style=["']"""
    ),
    "an address elsewhere": re.compile(r"https?://(?!127\.0\.0\.1)|[\"'(]//[a-z]"),
    "what stays behind": re.compile(r"cookie|localStorage|indexedDB|serviceWorker|caches\b"),
}
EXAMPLES = {
    "HTML from text": "row.innerHTML = text",
    "text that becomes script": "eval(text)",
    "a style or handler as an attribute": '<p onclick="run()">',
    "an address elsewhere": '<script src="https://cdn.example/x.js">',
    "what stays behind": "document.cookie = key",
}


class TestTheFiles:
    def test_are_those_of_the_table(self) -> None:
        assert set(FILES) == set(page.CONTENT_TYPES)

    def test_keep_their_budget(self) -> None:
        lines = {name: len(text.splitlines()) for name, text in MODULES.items()}
        assert sum(len(text.encode()) for text in FILES.values()) <= MOST_BYTES
        assert sum(lines.values()) <= MOST_LINES
        assert max(lines.values()) <= MOST_LINES_EACH
        assert max(len(line) for text in FILES.values() for line in text.splitlines()) <= 130

    @pytest.mark.parametrize("danger", FORBIDDEN)
    def test_have_nothing_of_what_is_dangerous(self, danger: str) -> None:
        assert FORBIDDEN[danger].search(EXAMPLES[danger])
        assert [name for name, text in FILES.items() if FORBIDDEN[danger].search(text)] == []

    def test_name_only_elements_that_the_page_has(self) -> None:
        ids = re.findall(r'\bid="([^"]+)"', FILES["index.html"])
        named = r'\b(?:byId|on|show|setText|setChildren)\(\s*"([^"]+)"'
        used = {name for text in MODULES.values() for name in re.findall(named, text)}
        assert len(ids) == len(set(ids)) and len(used) > 40
        assert used <= set(ids)

    def test_name_only_files_that_there_are(self) -> None:
        linked = set(re.findall(r'(?:src|href)="page/([^"]+)"', FILES["index.html"]))
        imported = {name for text in MODULES.values() for name in IMPORT.findall(text)}
        assert linked == {"main.js", "page.css"}
        assert linked | imported | {"index.html"} == set(FILES)

    def test_are_those_of_the_pictures(self) -> None:
        found = DIGEST.search(PAGE.read_text(encoding="utf-8"))
        stale = "the pictures in docs/ show another page: python -m tests.page_pictures"
        assert found and found[1] == digest(), stale
        assert all(f"]({name})" in PAGE.read_text(encoding="utf-8") for name in LOOKS)
        assert all((PAGE.parent / name).read_bytes().startswith(b"\x89PNG") for name in LOOKS)

    def test_import_downward_only(self) -> None:
        floors = (
            {"dom.js", "format.js", "snippets.js"},
            {"api.js"},
            {"account.js", "controls.js", "coverage.js", "detail.js", "requests.js", "worlds.js"},
            {"main.js"},
        )
        floor = {name: number for number, names in enumerate(floors) for name in names}
        assert set(floor) == set(MODULES)
        for name, text in MODULES.items():
            assert all(floor[each] < floor[name] for each in IMPORT.findall(text)), name

    def test_only_one_module_sends_requests(self) -> None:
        sending = re.compile(r"\bfetch\(|XMLHttpRequest|sendBeacon|EventSource|WebSocket")
        assert [name for name, text in MODULES.items() if sending.search(text)] == ["api.js"]

    @pytest.mark.skipif(NODE is None, reason="there is no node: apt-get install nodejs")
    @pytest.mark.parametrize("name", MODULES)
    def test_are_modules(self, name: str, tmp_path: Path) -> None:
        copy = tmp_path / name.replace(".js", ".mjs")
        copy.write_text(MODULES[name], encoding="utf-8")
        subprocess.run([NODE or "", "--check", copy], check=True)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with MockServer() as server:
        yield server.url


def ask(url: str, path: str, method: str = "GET", **headers: str) -> Reply:
    """Send a request as a browser does, with other headers."""
    sent = {"Host": url.removeprefix("http://"), "Accept": "text/html,*/*;q=0.8"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return send(url, method, path, *(f"{name}: {value}" for name, value in sent.items()))


LINK = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
MODULE = {"Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "script", "Sec_Fetch_Site": "same-origin"}
FRAME = {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}


class TestAFile:
    @pytest.mark.parametrize("name", page.CONTENT_TYPES)
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_is_sent_with_strict_headers(self, url: str, name: str, method: str) -> None:
        is_page = name == page.INDEX
        reply = ask(url, ROOT if is_page else f"{ROOT}page/{name}", method)
        lines = dict(line.split(": ", 1) for line in reply.head.split("\r\n")[1:])
        headers = {header.lower(): value for header, value in lines.items()}
        assert reply.status == 200 and reply.body == ("" if method == "HEAD" else FILES[name])
        assert headers["content-type"] == f"{page.CONTENT_TYPES[name]}; charset=utf-8"
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "data:;" in policy
        for part in ("frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"):
            assert part in policy.split("; ")
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "set-cookie" not in headers and "__" not in FILES[name].replace("__mock__", "")

    @pytest.mark.parametrize(
        "name", ["", "none.js", "index.html", "page.css/", "..%2Fguard.py", "%2e%2e", "MAIN.JS"]
    )
    def test_that_is_not_in_the_table_is_404(self, url: str, name: str) -> None:
        assert ask(url, f"{ROOT}page/{name}").problem["status"] == 404

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_is_read_only(self, url: str, method: str) -> None:
        assert ask(url, f"{ROOT}page/main.js", method).status == 405


# What may load the page, and what its files: headers, whether the page is sent, whether its files are.
SITES: Mapping[str, tuple[Mapping[str, str], bool, bool]] = {
    "an old browser": ({}, True, True),
    "a typed address": ({**LINK, "Sec_Fetch_Site": "none"}, True, True),
    "a link on another site": ({**LINK, "Sec_Fetch_Site": "cross-site"}, True, False),
    "a link on another port": ({**LINK, "Sec_Fetch_Site": "same-site"}, True, False),
    "its own module": ({**MODULE, "Origin": "{url}"}, True, True),
    "a frame of another site": ({**FRAME, "Sec_Fetch_Site": "cross-site"}, False, False),
    "a frame of its own": ({**FRAME, "Sec_Fetch_Site": "same-origin"}, False, True),
    "an object": ({**FRAME, "Sec_Fetch_Dest": "object", "Sec_Fetch_Site": "cross-site"}, False, False),
    "a fetch of another site": (
        {"Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty", "Sec_Fetch_Site": "cross-site"}, False, False
    ),
    "an opaque fetch": (
        {"Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "document", "Sec_Fetch_Site": "cross-site"},
        False,
        False,
    ),
    "a script of another site": ({**MODULE, "Sec_Fetch_Site": "cross-site"}, False, False),
    "a form of another origin": ({**LINK, "Origin": "http://a.example"}, False, False),
    "an opaque origin": ({**LINK, "Origin": "null"}, False, False),
    "a rebound name": ({**LINK, "Sec_Fetch_Site": "none", "Host": "rebound.example"}, False, False),
}  # fmt: skip


ROW = """new Promise((resolve) => {
    const look = () => {
        const row = document.querySelector("#rows tr[data-number]");
        if (row === null) return setTimeout(look, 20);
        resolve([...row.children].map((cell) => cell.textContent).concat(typeof window.pwned));
    };
    look();
})"""


@needs_chromium
@pytest.mark.parametrize("detail", ["down", "<img src=x onerror=window.pwned=1>"])
async def test_a_browser_shows_a_request_and_why_it_got_its_response(browser: str, detail: str) -> None:
    with MockServer() as server:
        server.world("key").add_fault(status=503, detail=detail)
        ask(server.url, f"{LIST}?status=pending", Authorization="Token key")
        number, _, request, status, _, why, pwned = await run(browser, server.url + ROOT, ROW)
    assert (number, request, status) == ("1", "GET credit/ ?status=pending", "▲ 503")
    assert (why, pwned) == (f"fault 1: status 503, detail {detail}", "undefined")


class TestActivity:
    def test_names_the_newest_world_with_requests_and_counts_those_without_a_key(self) -> None:
        with MockServer() as server:
            server.world("unused").add_fault(status=503)

            def news() -> list[Any]:
                found = json.loads(ask(server.url, f"{ROOT}activity").body)
                return [found["newest"], found["keyless"]]

            assert news() == [None, 0]
            for key in ("one", "other"):
                ask(server.url, LIST, Authorization=f"Token {key}")
            ids = server.call(lambda worlds: {key: world.id for key, world in worlds.recent()})
            assert news() == [ids["other"], 0]
            ask(server.url, f"{ROOT}summary", Authorization="Token one")
            assert news() == [ids["other"], 0]
            ask(server.url, LIST, Authorization="Token one")
            ask(server.url, LIST)
            assert news() == [ids["one"], 1]


def test_each_reason_has_its_sentence(url: str) -> None:
    assert json.loads(ask(url, f"{ROOT}reasons").body) == MEANINGS


class TestTheGuard:
    @pytest.mark.parametrize("site", SITES)
    @pytest.mark.parametrize("spelling", ["/__mock__/", "/%5f_mock__/"])
    def test_of_page_and_files(self, url: str, site: str, spelling: str) -> None:
        headers, is_page_sent, is_file_sent = SITES[site]
        sent = {name: value.format(url=url) for name, value in headers.items()}
        assert ask(url, spelling, **sent).status == (200 if is_page_sent else 403)
        assert ask(url, f"{spelling}page/main.js", **sent).status == (200 if is_file_sent else 403)

    @pytest.mark.parametrize(
        "path", ["activity", "worlds", "summary", "requests", "state", "openapi.json", "nothing"]
    )
    @pytest.mark.parametrize("spelling", ["/__mock__/", "/%5F%5fmock__/", "/__mock__/./", "//__mock__/"])
    def test_lets_no_link_of_another_site_read_data(self, url: str, path: str, spelling: str) -> None:
        reply = ask(url, spelling + path, **LINK, Sec_Fetch_Site="cross-site")
        assert reply.status in (403, 404)
        assert reply.status == 404 or reply.problem["detail"].startswith("a page of another site")

    def test_beyond_loopback_there_is_no_page_without_a_token(self) -> None:
        with MockServer(Settings(host="0.0.0.0", port=0)) as server:
            local = f"http://127.0.0.1:{server.url.rpartition(':')[2]}"
            for path in (ROOT, f"{ROOT}page/main.js"):
                assert "--control-token" in ask(local, path, **LINK, Sec_Fetch_Site="none").problem["detail"]

    def test_with_a_token_only_page_and_files_need_none(self) -> None:
        with MockServer(Settings(host="0.0.0.0", port=0, control_token="the-token")) as server:
            local = f"http://127.0.0.1:{server.url.rpartition(':')[2]}"
            assert ask(local, ROOT, **LINK, Sec_Fetch_Site="cross-site").status == 200
            assert ask(local, f"{ROOT}page/main.js", **MODULE).status == 200
            assert ask(local, f"{ROOT}page/main.js", Sec_Fetch_Site="cross-site").status == 403
            assert ask(local, ROOT[:-1], **LINK, Sec_Fetch_Site="cross-site").status == 307
            assert ask(local, ROOT, Accept="*/*").status == 403
            for path in ("activity", "worlds", "reasons", "page", "page/", "openapi.json"):
                assert "Mock-Webshare-Token" in ask(local, ROOT + path).problem["detail"]
            assert ask(local, f"{ROOT}worlds", Mock_Webshare_Token="the-token").status == 200
