"""The prober: with the mock, with the real framework, and with services that behave differently."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from mock_webshare import MockServer, Settings
from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.rules import RULES
from mock_webshare.errors import ServiceError
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from mock_webshare.live import prober
from mock_webshare.live.checks import CHECKS, checks_of
from mock_webshare.live.prober import Decision, Findings, Outcome
from mock_webshare.live.responses import Subject
from mock_webshare.service.data import generator
from mock_webshare.service.framework.response import Response
from tests.cli import Run
from tests.conformance.dataset import edge_cases
from tests.conformance.reference import reference_server
from tests.recordings import read_exchanges
from tests.sampling import sampled, sampled_rows

KEY = "aVerySecretKeyThatNobodyMaySee"
NEVER = {"limit.retry-after", "body.errors", "body.types", "coupon.apply"} | {
    "object.constant",
    "channel.dates",
    "config.earn-out-date",
}
"""What no probe can decide: it does not exceed the limit, changes nothing, and sees one list."""
PROBED = [rule.id for rule in RULES if rule.mark in "FA"]


async def no_pause() -> None:
    """Continue at once."""


def probe(url: str, **options: Any) -> Findings:
    return asyncio.run(prober.probe(url, KEY, **{"pause": no_pause, **options}))


@contextmanager
def mock(**settings: Any) -> Iterator[str]:
    with MockServer(Settings(port=0, **settings)) as server:
        yield server.url


def run(*argv: str, key: str | None = KEY) -> tuple[int, str, str]:
    ended = Run("probe", *argv, environ={} if key is None else {"WEBSHARE_API_KEY": key})
    return ended.code, ended.out, ended.err


def decision(findings: Findings, rule: str) -> Decision:
    (found,) = (each for each in findings.decisions if each.rule.id == rule)
    return found


def outcomes(findings: Findings, outcome: Outcome) -> set[str]:
    return {each.rule.id for each in findings.decisions if each.outcome is outcome}


def test_every_framework_or_assumed_rule_has_a_check_and_no_other_rule() -> None:
    assert set(checks_of(Subject(WEBSHARE))) == set(PROBED)


def test_every_request_has_a_name_of_its_own_and_only_reads() -> None:
    requests = [request for check in CHECKS for request in check.requests]
    assert len({request.name for request in requests}) == len(requests) <= 45
    assert {request.method for request in requests} == {"GET", "HEAD", "OPTIONS"}


def test_our_own_mock_keeps_every_rule() -> None:
    with mock(credits=300) as url:
        findings = probe(url)
    # Of a generated credit, a later one was created later.
    assert outcomes(findings, Outcome.UNDECIDABLE) == NEVER | {"order.default", "object.past-dates"}
    assert outcomes(findings, Outcome.BROKEN) == set()
    assert findings.options == ()


def test_the_real_framework_keeps_every_rule() -> None:
    with reference_server(edge_cases()) as url:
        findings = probe(url)
    assert outcomes(findings, Outcome.UNDECIDABLE) == NEVER
    assert outcomes(findings, Outcome.BROKEN) == set()


@pytest.mark.parametrize(
    ("settings", "options"),
    sampled_rows(
        [
            (
                {"max_page_size": 50, "default_ordering": "-created_at"},
                ("--max-page-size 50", "--default-ordering=-created_at"),
            ),
            ({"max_page_size": 10}, ("--max-page-size 10",)),
            ({"max_page_size": 500, "credits": 700}, ("--max-page-size 500",)),
            ({"max_page_size": 5000, "credits": 1100}, ("--max-page-size 1000",)),
            ({"default_ordering": "amount"}, ("--default-ordering=amount",)),
            ({"default_ordering": "-updated_at"}, ("--default-ordering=-updated_at",)),
            ({"default_ordering": "reverted_at"}, ("--default-ordering=reverted_at",)),
        ],
        kind=lambda row: (*row[0],),
    ),
)
def test_other_settings_are_proposed_exactly(settings: dict[str, Any], options: tuple[str, ...]) -> None:
    with mock(**settings) as url:
        findings = probe(url)
    assert findings.options == options
    assert findings.count(Outcome.BROKEN) == len(options)


def test_the_proposed_options_make_the_mock_match() -> None:
    with mock(max_page_size=40, default_ordering="-amount") as url:
        (size, order) = probe(url).options
    with mock(max_page_size=int(size.split()[1]), default_ordering=order.partition("=")[2]) as url:
        assert probe(url).options == (size, order)


@pytest.mark.parametrize(
    "largest", sampled([1, 2, 7, 9, 10, 11, 24, 25, 26], kind=lambda largest: largest == 25)
)
def test_a_small_limit_of_the_page_size_breaks_no_other_rule(largest: int) -> None:
    with mock(credits=60, max_page_size=largest) as url:
        findings = probe(url)
    assert outcomes(findings, Outcome.BROKEN) == {"list.page-size-limit"}
    assert "list.page-numbers" in outcomes(findings, Outcome.KEPT) or largest == 25


def test_a_size_that_changes_nothing_decides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def change(request: web.BaseRequest, response: Response) -> Response:
        if not response.body.startswith(b'{"count"'):
            return response
        page = json.loads(response.body)
        return replace(response, body=json.dumps(page | {"results": page["results"][:7]}).encode())

    with changed(change, monkeypatch) as url:
        found = decision(probe(url), "list.page-numbers")
    assert (found.outcome, found.why) == (
        Outcome.UNDECIDABLE,
        ("a page has 7 rows, whether a size of 10 is read as a number or not",),
    )


def test_an_objection_counts_though_the_rest_cannot_be_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(request: web.BaseRequest, response: Response) -> Response:
        return with_status(301, 200)(request, with_status(406, 503)(request, response))

    with changed(change, monkeypatch) as url:
        assert decision(probe(url), "route.order").outcome is Outcome.BROKEN


def test_an_order_that_the_rows_do_not_distinguish_is_not_decidable() -> None:
    for ordering in ("id", "created_at"):
        with mock(default_ordering=ordering) as url:
            found = decision(probe(url), "order.default")
        assert (found.outcome, found.why, found.options) == (
            Outcome.UNDECIDABLE,
            ("rows are ordered by id; they also fit created_at",),
            (),
        )


def test_the_last_page_shows_the_order_too(tmp_path: Path) -> None:
    document, path = generator.generate(1, 150).wire(), tmp_path / "data.json"
    document["credits"][-1]["created_at"] = document["credits"][0]["created_at"]
    path.write_text(json.dumps(document), encoding="utf-8")
    with mock(data=str(path)) as url:
        assert "order.default" in outcomes(probe(url), Outcome.KEPT)


@pytest.mark.parametrize("credits", [0, 1, 2, 3, 11, 26])
def test_a_small_account_leaves_rules_open_and_breaks_none(credits: int) -> None:
    with mock(credits=credits) as url:
        findings = probe(url)
    assert outcomes(findings, Outcome.BROKEN) == set()
    assert "list.page-size-limit" in outcomes(findings, Outcome.UNDECIDABLE)
    assert all(each.why for each in findings.decisions if each.outcome is Outcome.UNDECIDABLE)
    assert {"wire.json", "auth.unauthorized", "route.order"} <= outcomes(findings, Outcome.KEPT)


Change = Callable[[web.BaseRequest, Response], Response]


@contextmanager
def changed(change: Change, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a mock whose responses are changed on the way: a service that is set up differently."""

    def change_response(request: web.Request, response: web.StreamResponse) -> web.Response:
        headers = tuple((name, value) for name, value in response.headers.items() if name != "Content-Length")
        assert isinstance(response, web.Response) and isinstance(response.body, bytes)
        changed = change(request, Response(response.status, headers, response.body))
        return web.Response(status=changed.status, headers=changed.headers, body=changed.body)

    from mock_webshare.server import handler

    handle = handler.Handler.handle

    async def changed_handle(self: handler.Handler, request: web.Request) -> web.Response:
        return change_response(request, await handle(self, request))

    with monkeypatch.context() as patch:
        patch.setattr(handler.Handler, "handle", changed_handle)
        patch.setattr(handler, "is_cacheable", lambda request: False)  # a reply goes out as it is
        with mock(credits=150) as url:
            yield url


def with_header(name: str, value: str) -> Change:
    def change(_: web.BaseRequest, response: Response) -> Response:
        others = tuple(pair for pair in response.headers if pair[0] != name)
        return Response(response.status, (*others, (name, value)), response.body)

    return change


def with_body(old: bytes, new: bytes, status: int | None = None) -> Change:
    def change(_: web.BaseRequest, response: Response) -> Response:
        is_meant = status in (None, response.status)
        return Response(
            response.status, response.headers, response.body.replace(old, new) if is_meant else response.body
        )

    return change


def with_status(old: int, new: int, target: str = "") -> Change:
    def change(request: web.BaseRequest, response: Response) -> Response:
        is_meant = response.status == old and target in request.raw_path
        return Response(new if is_meant else response.status, response.headers, response.body)

    return change


def with_longer_amounts(_: web.BaseRequest, response: Response) -> Response:
    return Response(
        response.status, response.headers, re.sub(rb'("amount":[0-9.]+)', rb"\g<1>0", response.body)
    )


DIFFERENT: list[tuple[str, Change]] = [
    ("object.amount-form", with_longer_amounts),
    ("object.microseconds", with_body(b'-08:00"', b'0-08:00"')),
    ("wire.json", with_header("Content-Type", "application/json; charset=utf-8")),
    ("wire.json", with_body(b'"count":', b'"count": ')),
    ("wire.json", with_body(b"Authentication", b"\\u0041uthentication")),
    ("wire.indent", with_body(b'{\n    "count"', b'{\n  "count"')),
    ("wire.allow", with_header("Allow", "GET, POST, HEAD, OPTIONS")),
    ("wire.allow", with_header("Vary", "Accept, Cookie")),
    ("wire.accept", with_status(406, 200)),
    ("wire.accept", with_body(b"Could not satisfy", b"Cannot satisfy")),
    ("auth.unauthorized", with_status(401, 403)),
    ("auth.unauthorized", with_body(b"Invalid token.", b"Unknown token.")),
    ("auth.unauthorized", with_header("WWW-Authenticate", "Bearer")),
    ("route.unknown", with_body(b"<h1>Not Found</h1>", b"<h1>Nothing here</h1>")),
    ("route.options", with_body(b'"renders"', b'"actions"')),
    ("route.order", with_status(400, 200, "&a&a&a")),
    ("list.page-numbers", with_status(200, 404, "page=%EF%BC%91")),
    ("list.last-page", with_status(200, 404, "page=last")),
    ("list.last-page", with_body(b'"next":null', b'"next":"https://proxy.webshare.io/"')),
    ("list.invalid-page", with_status(404, 200, "page=0")),
    ("list.invalid-page", with_body(b"Invalid page.", b"That page contains no results")),
    ("list.links-query", with_body(b"z=b+c", b"z=b%20c")),
    ("filter.unknown", with_body(b"empty=&", b"")),
    ("detail.filters", with_status(404, 200, "/?status=")),
]


@pytest.mark.parametrize(("rule", "change"), sampled_rows(DIFFERENT, kind=lambda row: row[0]))
def test_a_service_that_behaves_differently_breaks_that_rule(
    rule: str, change: Change, monkeypatch: pytest.MonkeyPatch, watch: Any
) -> None:
    with changed(change, monkeypatch) as url:
        findings = probe(url)
    watch.broken.clear()
    assert decision(findings, rule).outcome is Outcome.BROKEN
    assert decision(findings, rule).why


def test_an_empty_page_that_is_404_is_reported_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(request: web.BaseRequest, response: Response) -> Response:
        return (
            Response(404, response.headers, response.body) if request.raw_path.endswith("page=") else response
        )

    with changed(change, monkeypatch) as url:
        assert decision(probe(url), "list.last-page").why == (
            "an empty page is 404, as in versions of the framework before 3.15",
        )


def test_the_number_of_requests_and_their_pauses() -> None:
    pauses = []

    async def pause() -> None:
        pauses.append(1)

    with mock(credits=300) as url:
        findings = probe(url, pause=pause)
    assert findings.requests == len(pauses) + 1 <= 45


def test_the_rate_limit_ends_the_probe_with_the_time_to_wait() -> None:
    with mock(rate_limit="5/min") as url, pytest.raises(ServiceError, match="try again in 60 seconds"):
        probe(url)


def test_the_recording_of_it_validates_and_has_no_key(tmp_path: Path) -> None:
    out = tmp_path / "probe.ndjson"
    with mock(credits=130) as url:
        code, report, errors = run(url, "-o", str(out))
    assert (code, errors) == (0, "")
    assert "24 kept, 0 broken, 9 not decidable" in report
    exchanges = read_exchanges(out)
    assert len(exchanges) == 43
    assert judge(exchanges, Options()).findings == ()
    assert KEY not in out.read_text(encoding="utf-8") + report


def test_the_text_report_ends_with_what_to_do() -> None:
    with mock(max_page_size=50, default_ordering="-created_at") as url:
        code, report, _ = run(url)
    assert code == 1
    assert report.splitlines()[-1] == (
        "To make the mock do the same: mock-webshare serve --max-page-size 50 --default-ordering=-created_at"
    )
    assert all(f" {rule} " in report for rule in PROBED)


def test_the_json_report() -> None:
    with mock() as url:
        code, report, _ = run(url, "--format", "json")
    document = json.loads(report)
    assert code == 0
    assert document["origin"] == url and document["options"] == []
    assert [each["id"] for each in document["rules"]] == PROBED
    assert {each["outcome"] for each in document["rules"]} == {"kept", "not decidable"}


@asynccontextmanager
async def serving(respond: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(respond), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def responder(status: int, headers: dict[str, str], body: bytes) -> Callable[[web.BaseRequest], Any]:
    async def handle(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status, headers=headers, body=body)

    return handle


HOPELESS: list[tuple[int, dict[str, str], bytes, str]] = [
    (401, {}, b'{"detail":"Invalid token."}', "does not accept the key; WEBSHARE_API_KEY"),
    (403, {}, b'{"detail":"no"}', 'cannot be probed: it responds with 403 and says "no"\n'),
    (403, {}, b'{"detail":"%s"}' % (b"x" * 9000), f'says "{"x" * 80}"... (9000 characters)\n'),
    (400, {}, b'{"detail":"no %s"}' % KEY.encode(), 'it responds with 400 and says "no REDACTED-1"\n'),
    (404, {}, b"<html>", "it responds with 404\n"),
    (302, {"Location": "https://elsewhere.example.com/"}, b"", "redirects to another place"),
    (200, {"Content-Type": "text/html"}, b"<html>", "is not a page of credits"),
    (200, {}, b'{"count":1,"results":[1]}', "is not a page of credits"),
    (200, {}, b"[" * 100_000, "is not a page of credits"),
    (200, {}, b"\xff", "is not a page of credits"),
    (503, {}, b"", "the service responded with 503"),
    (429, {"Retry-After": "42"}, b"", "try again in 42 seconds"),
    (429, {"Retry-After": KEY}, b"", "try again in a minute"),
]


@pytest.mark.parametrize(("status", "headers", "body", "says"), HOPELESS)
async def test_a_service_that_cannot_be_probed_is_one_sentence(
    status: int, headers: dict[str, str], body: bytes, says: str
) -> None:
    async with serving(responder(status, headers, body)) as url:
        code, report, errors = await asyncio.to_thread(run, url)
    assert (code, report) == (2, "")
    assert errors.startswith("mock-webshare: ") and errors.count("\n") == 1 and says in errors
    assert KEY not in errors


STRANGE = [
    b'{"count":2,"results":[{"id":1,"amount":"x","created_at":3},{"id":2,"mode":[]}]}',
    b'{"count":2,"results":[{"id":1,"status":"a b\\u00e9\\r\\n","mode":"\\ud800"},{"id":2,"created_at":{}}]}',
    b'{"count":2,"results":[{"id":1,"amount":1e999,"created_at":"9999-12-31T23:59:59-23:59"},{"id":2}]}',
    b'{"count":%s,"next":[],"results":[]}' % (b"9" * 4000),
    b'{"count":-1,"results":[{"id":-1,"amount":NaN}]}',
]


@pytest.mark.parametrize("page", STRANGE)
async def test_a_strange_service_is_probed_to_the_end(page: bytes) -> None:
    async with serving(responder(200, {"Allow": "é\u2028" * 100}, page)) as url:
        findings = await prober.probe(url, KEY, pause=no_pause)
    assert findings.count(Outcome.BROKEN) > 5
    assert all(len(why) < 300 for each in findings.decisions for why in each.why)


TWO_ROWS = b'{"count":2,"results":[{"id":1,"amount":2.5},{"id":2,"amount":2.5}]}'
"""A page after which all other requests are sent."""
BROKEN = [
    b'{"amount": 1.2.3}',
    b'{"amount": 1e5e, "created_at": "2022-.99999999"}',
    b'{"count":' + b"9" * 5000 + b',"results":[]}',
    b"[" * 100_000,
    b'[{"detail":1}]',
    b"\xff\xfe\x00",
    b"",
]


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: str(body[:20]))
async def test_a_service_that_breaks_is_probed_to_the_end(body: bytes) -> None:
    received = 0

    async def respond(_: web.BaseRequest) -> web.Response:
        nonlocal received
        received += 1
        return web.Response(body=TWO_ROWS if received == 1 else body, content_type="application/json")

    async with serving(respond) as url:
        findings = await prober.probe(url, KEY, pause=no_pause)
    assert findings.requests > 30


async def test_a_body_without_an_end_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    received = 0
    monkeypatch.setattr(prober, "LARGEST_BODY", 1024**2)

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal received
        received += 1
        if received != 2:
            return web.Response(body=TWO_ROWS)
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            for _ in range(1000):
                await response.write(b"[" * 65_536)
        return response

    async with serving(respond) as url:
        findings = await prober.probe(url, KEY, pause=no_pause)
    assert (
        decision(findings, "list.links-query")
        .why[0]
        .endswith("sent an incomplete response: it has more than 1 MiB")
    )


@pytest.mark.parametrize("late", [1, 3])
@pytest.mark.parametrize("is_begun", [True, False])
async def test_a_service_that_is_late_gets_no_further_requests(
    late: int, is_begun: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    received, out = 0, tmp_path / "p.ndjson"
    monkeypatch.setattr(prober, "TIMEOUT", 0.5)

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal received
        received += 1
        response = web.StreamResponse()
        if received >= late:
            if is_begun:
                await response.prepare(request)
            await asyncio.sleep(5)
        return response if is_begun and received >= late else web.Response(body=TWO_ROWS)

    async with serving(respond) as url:
        code, report, errors = await asyncio.to_thread(run, url, "-o", str(out))
    assert (code, report, received) == (2, "", late)
    assert errors.startswith(f"mock-webshare: {url} did not respond to GET /api/v2/referral/credit/")
    assert errors.endswith("within 0.5 seconds; no further requests are sent\n") and errors.count("\n") == 1
    assert [each.status for each in read_exchanges(out)] == [200] * (late - 1) + [200 if is_begun else None]


def test_a_service_that_does_not_listen_is_one_sentence() -> None:
    code, _, errors = run("http://127.0.0.1:9")
    assert (code, errors.count("\n")) == (2, 1)
    assert "http://127.0.0.1:9 sent no response" in errors


@pytest.mark.parametrize(
    ("argv", "key", "part"),
    [
        (("http://127.0.0.1:9",), None, "WEBSHARE_API_KEY does not have a key"),
        (("http://127.0.0.1:9",), "two words", "WEBSHARE_API_KEY does not have a key"),
        (("http://me:secret@a.io",), KEY, "BASE_URL is not allowed"),
        (("http://a.io/api/v2/",), KEY, "like https://proxy.webshare.io"),
        (("http://127.0.0.1:9", "--rate", "240"), KEY, "allowed: 1 to 60"),
        (("http://127.0.0.1:9", "--format", "xml"), KEY, "there are: json, text"),
        (("http://127.0.0.1:9", "-o", "a.txt"), KEY, "is not a name for a recording"),
    ],
)
def test_a_usage_error_is_one_sentence(argv: tuple[str, ...], key: str | None, part: str) -> None:
    code, report, errors = run(*argv, key=key)
    assert (code, report) == (2, "")
    assert errors.count("\n") == 1 and part in errors
    assert "secret" not in errors and "two words" not in errors


def test_a_failure_before_the_first_request_leaves_no_recording(tmp_path: Path) -> None:
    out = tmp_path / "p.ndjson"
    with mock() as url:
        assert run(url, "-o", str(out), key=None)[0] == 2
        assert list(tmp_path.iterdir()) == []
        assert run(url, "-o", str(out))[0] == 0
        code, _, errors = run(url, "-o", str(out))
    assert (code, errors) == (
        2,
        f"mock-webshare: {str(out)!r} already exists; choose another name\n",
    )


def test_another_machine_gets_requests_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    with mock() as url:
        monkeypatch.setattr("mock_webshare.live.upstream.is_loopback", lambda host: False)
        monkeypatch.setattr(asyncio, "sleep", sleep)
        run(url, "--rate", "30")
    assert len(slept) > 40 and {each for each in slept if each} == {2.0}
