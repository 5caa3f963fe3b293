"""Recordings of Django REST framework by real tools: all are read without findings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from mock_webshare import recordings
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from tests.paths import RECORDED
from tests.recorded.traffic import API_HOST, CALLS, CREDITS, api, other_host
from tests.recordings import read_exchanges as read

if TYPE_CHECKING:
    from collections.abc import Iterator

HARS = ("mitmproxy.har", "chromium.har", "chromium-attached.har.zip", "firefox.har")
BLOCKED = "http://other.example/blocked.json"
BROWSERS = ("chromium.har", "chromium-attached.har.zip", "firefox.har")

CASSETTES = sorted(
    path.name
    for path in (RECORDED / "cassettes").iterdir()
    if path.suffix in (".yml", ".yaml", ".json", ".toml") and "-broken" not in path.name
)

CONFTEST = """
import pytest

@pytest.fixture(scope="module")
def vcr_config():
    return {"filter_headers": ["authorization"]}
"""
RECORDED_TEST = """
import os
import pytest
import requests

@pytest.mark.vcr
def test_credits():
    url = os.environ["API"] + "/api/v2/referral/credit/"
    response = requests.get(url, headers={"Authorization": "Token a"})
    assert response.status_code == 200
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with api() as url:
        yield url


def of_api(exchanges: list[Exchange]) -> list[Exchange]:
    """Return the exchanges with the API, without the requests that a browser adds."""
    hosts = (API_HOST, "127.0.0.1")
    return [
        each
        for each in exchanges
        if each.status is not None
        and urlsplit(each.url or "").hostname in hosts
        and "favicon" not in (each.url or "")
    ]


def assert_complete(exchanges: list[Exchange]) -> None:
    """Every call is there, once and in order, with its status, headers and a body that can be read."""
    assert [(each.method, each.status) for each in exchanges] == [
        (call.method, call.status) for call in CALLS
    ]
    for call, exchange in zip(CALLS, exchanges, strict=True):
        assert (exchange.url or "").endswith(call.path)
        assert exchange.header("content-type") or call.status == 301
        assert exchange.request_header("authorization") == call.headers.get("Authorization")
        if call.is_json:
            json.loads(exchange.body)


def assert_clean(*paths: Path) -> None:
    verdict = judge(recordings.read(map(str, paths), BytesIO()), Options())
    # The application leaves its credits pending, however old they get.
    findings = [each for each in verdict.findings if each.check != "overdue"]
    found = {(each.rule, each.place.pointer, each.actual) for each in findings}
    # The framework's own text of a 404, which the contract says is the service's in another release.
    assert {rule for rule, _, _ in found} <= {"detail.not-found"}, found
    assert verdict.exit_code == 0


def test_every_call_that_mitmproxy_recorded_is_read() -> None:
    assert_complete(of_api(read(RECORDED / "mitmproxy.har")))


@pytest.mark.parametrize("name", BROWSERS)
def test_every_call_that_a_browser_recorded_is_read(name: str) -> None:
    found = of_api(read(RECORDED / name))
    first = next(number for number, each in enumerate(found) if "page_size=5" in (each.url or ""))
    found = found[first : first + len(CALLS) + 1]
    redirected = next(number for number, each in enumerate(found) if each.status == 301) + 1
    assert found[redirected].status == 200  # browsers follow, and record both
    assert_complete(found[:redirected])


@pytest.mark.parametrize("name", HARS)
def test_every_exchange_of_a_har_has_its_start_and_its_place(name: str) -> None:
    exchanges = read(RECORDED / name)
    assert [each.entry for each in exchanges] == list(range(len(exchanges)))
    starts = [each.started for each in exchanges if each.started is not None]
    assert len(starts) == len(exchanges)
    assert max(starts) - min(starts) < 60_000_000
    assert all(each.line is not None and each.seconds is not None for each in exchanges)


@pytest.mark.parametrize("name", ["chromium.har", "chromium-attached.har.zip", "chromium-omitted.har"])
def test_what_chromium_aborted_or_blocked_has_no_response(name: str) -> None:
    silent = [each.url for each in read(RECORDED / name) if each.status is None]
    # Whether an aborted request is recorded at all depends on how far it came.
    assert silent in ([BLOCKED], [BLOCKED, f"http://{API_HOST}{CREDITS}"])


def test_bodies_that_chromium_left_out_are_not_known() -> None:
    received = [each for each in read(RECORDED / "chromium-omitted.har") if each.status is not None]
    assert not any(each.is_body_known for each in received if each.method != "HEAD")


def credits_of(path: Path) -> list[Exchange]:
    """Return a page, a credit on it, and a 404, as they are in each cassette."""
    page, credit, missing = read(path)
    assert [each.method for each in (page, credit, missing)] == ["GET"] * 3
    assert [each.status for each in (page, credit, missing)] == [200, 200, 404]
    for each, end in ((page, "?page_size=2&status=reverted"), (credit, "/48318/"), (missing, "/999999/")):
        assert (each.url or "").endswith(end)
        assert each.is_body_known and each.is_body_exact
    assert json.loads(credit.body) in json.loads(page.body)["results"]
    return [page, credit, missing]


@pytest.mark.parametrize("name", CASSETTES)
def test_every_call_of_a_cassette_is_read(name: str) -> None:
    for each in credits_of(RECORDED / "cassettes" / name):
        if not name.startswith(
            "responses"
        ):  # which keeps only a part of the headers, and none of the request
            assert each.header("content-length") == str(len(each.body))
            assert each.request_header("authorization") == "Token test-key"


@pytest.mark.parametrize("name", CASSETTES)
def test_a_cassette_is_clean_and_its_twin_breaks_the_amount(name: str) -> None:
    path = RECORDED / "cassettes" / name
    verdict = judge(recordings.read([str(path)], BytesIO()), Options())
    assert (verdict.judged, verdict.exit_code) == (3, 0)
    twin = path.with_name(f"{path.stem}-broken{path.suffix}")
    credits_of(twin)
    verdict = judge(recordings.read([str(twin)], BytesIO()), Options())
    assert (verdict.judged, verdict.exit_code) == (3, 1)
    errors = {(each.rule, each.place.entry) for each in verdict.findings if each.level == "error"}
    assert errors == {("object.amount", 0), ("object.amount", 1)}


@pytest.mark.parametrize("name", CASSETTES)
def test_a_cassette_is_known_without_its_name(name: str) -> None:
    path = RECORDED / "cassettes" / name
    with path.open("rb") as stream:
        found = list(recordings.read(["-"], stream))
    assert found == [replace(each, source="-") for each in read(path)]


def test_all_cassettes_of_a_folder_are_found() -> None:
    found = list(recordings.read([str(RECORDED / "cassettes")], BytesIO()))
    files = {each.source for each in found if isinstance(each, Exchange)}
    assert len(files) == 2 * len(CASSETTES)


def test_bodies_beside_a_har_are_found_and_not_read_a_second_time(tmp_path: Path) -> None:
    with zipfile.ZipFile(RECORDED / "chromium-attached.har.zip") as archive:
        archive.extractall(tmp_path)
    zipped, beside = read(RECORDED / "chromium-attached.har.zip"), read(tmp_path)
    assert [(each.url, each.status, each.body) for each in beside] == [
        (each.url, each.status, each.body) for each in zipped
    ]


def test_bodies_that_curl_stored_are_read_unchanged() -> None:
    paths = sorted((RECORDED / "curl").iterdir())
    assert [each.body for each in read(RECORDED / "curl")] == [path.read_bytes() for path in paths]


def test_pages_that_curl_stored_line_by_line_are_read_one_by_one() -> None:
    pages = [json.loads(each.body) for each in read(RECORDED / "curl-pages.ndjson")]
    assert [page["results"][0]["id"] for page in pages] == [1, 6, 11]


@pytest.mark.parametrize("name", [*HARS, "curl", "curl-pages.ndjson"])
def test_what_a_tool_recorded_of_the_framework_is_clean(name: str) -> None:
    assert_clean(RECORDED / name)


def test_no_recording_names_the_machine_it_was_made_on() -> None:
    names = [os.sep + name + os.sep for name in ("home", "root", "tmp", "usr", "Users")]
    for path in RECORDED.rglob("*"):
        if path.suffix in (".har", ".ndjson", ".json"):
            text = path.read_text(encoding="utf-8")
            assert not [name for name in names if name in text], path


def cassette_of_requests(path: Path, url: str, **options: object) -> None:
    import requests
    import vcr

    with vcr.use_cassette(str(path), **options), requests.Session() as session:
        for call in CALLS:
            # `Accept-Encoding` and others that the client adds are recorded as well.
            session.request(call.method, url + call.path, headers=call.headers, allow_redirects=False)


@pytest.mark.parametrize(("name", "serializer"), [("a.yaml", "yaml"), ("a.json", "json"), ("b.yaml", "json")])
def test_what_vcrpy_records_of_requests_is_read_and_clean(
    tmp_path: Path, url: str, name: str, serializer: str
) -> None:
    cassette_of_requests(tmp_path / name, url, serializer=serializer)
    assert_complete(read(tmp_path / name))
    assert_clean(tmp_path / name)


def test_what_vcrpy_records_of_httpx_is_read_and_clean(tmp_path: Path, url: str) -> None:
    import httpx
    import vcr

    with vcr.use_cassette(str(tmp_path / "a.yaml")), httpx.Client() as client:
        for call in CALLS:
            client.request(call.method, url + call.path, headers=call.headers)
    assert_complete(read(tmp_path / "a.yaml"))
    assert_clean(tmp_path / "a.yaml")


@pytest.mark.parametrize("options", [{}, {"decode_compressed_response": True}], ids=["stored", "decoded"])
@pytest.mark.parametrize("client", ["requests", "httpx"])
def test_a_packed_body_that_vcrpy_records_is_read(
    tmp_path: Path, client: str, options: dict[str, bool]
) -> None:
    import vcr

    get = pytest.importorskip(client).get
    with other_host() as other, vcr.use_cassette(str(tmp_path / "a.yaml"), **options):
        expected = get(other + "/packed.json").content
    (exchange,) = read(tmp_path / "a.yaml")
    assert exchange.body == expected


def test_what_pytest_recording_records_is_read_and_clean(tmp_path: Path, url: str) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_api.py").write_text(RECORDED_TEST, encoding="utf-8")
    options = ["-q", "-p", "pytest_recording.plugin", "--record-mode=once", "-p", "no:cacheprovider", "."]
    environ = os.environ | {"API": url, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", *options]
    subprocess.run(command, cwd=tmp_path, env=environ, check=True, capture_output=True)
    (exchange,) = read(tmp_path)
    assert (exchange.status, exchange.request_header("authorization")) == (200, None)
    assert_clean(tmp_path / "cassettes")


@pytest.mark.exhaustive
def test_what_chromium_records_now_is_read_and_clean(tmp_path: Path) -> None:
    pytest.importorskip(
        "playwright", reason="Playwright is not a dependency of the tests: pip install playwright"
    )
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed")
    from tests.recorded.make import record_chromium

    record_chromium(tmp_path / "now.har", "embed")
    assert {call.status for call in CALLS} <= {each.status for each in of_api(read(tmp_path / "now.har"))}
    assert_clean(tmp_path / "now.har")
