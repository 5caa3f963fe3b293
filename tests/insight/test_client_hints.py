"""Hints on clients: which sequences of requests get which one, and which come close and get none."""

from __future__ import annotations

import http.client
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from webshare import AsyncWebshare, Webshare

from mock_webshare import MockServer, MockWorld, Settings, recordings
from mock_webshare.contract.endpoints import CHANNEL_LIST, CONFIG, COUPON_CODE, CREDIT_LIST, WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.exchange.model import Exchange
from mock_webshare.insight import client_rules
from mock_webshare.insight.client_hints import MOST_REQUESTS, SINGLE, RecordedHints, hints, rule_of
from mock_webshare.insight.client_requests import of_recorded
from mock_webshare.insight.client_rules import MANY_DETAILS, MOST_NAMES, RULES
from mock_webshare.insight.hints import HINTS
from mock_webshare.service.data import dataset
from tests.made_up import MADE_UP, PROFILE_OBJECT, TICKET_DETAIL, TICKETS, data_set
from tests.paths import CASES, RECORDED, ROOT
from tests.sampling import sampled_rows
from tests.waiting import PATIENCE

LIST, EARNOUTS, CHANNELS = CREDIT_LIST.path, "/api/v2/referral/earnout/", CHANNEL_LIST.path
CREDITS = 230
Step = str | tuple[str, str] | Callable[[MockWorld], object]
"""A target, below the list if it begins with `?`; with its method; or something that the test does."""


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(Settings(port=0, credits=CREDITS)) as server:
        yield server


_numbers = count()


@pytest.fixture
def world(server: MockServer) -> MockWorld:
    return server.world(f"client-{next(_numbers)}")


def send(world: MockWorld, target: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
    """Send a request that follows no redirect; return status and JSON."""
    connection = http.client.HTTPConnection(urlsplit(world.url).netloc, timeout=PATIENCE)
    sent = {"Authorization": f"Token {world.api_key}"} | headers
    connection.request(method, f"{LIST}{target}" if target[:1] in ("", "?") else target, headers=sent)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, json.loads(body) if body[:1] in (b"{", b"[") else None


def found(world: MockWorld) -> set[str]:
    return {each["rule"] for each in world.hints()}


def do(world: MockWorld, *steps: Step) -> set[str]:
    """Do some steps and return the rules of the hints on them."""
    for step in steps:
        if isinstance(step, str):
            send(world, step)
        elif isinstance(step, tuple):
            send(world, step[1], step[0])
        else:
            step(world)
    return found(world)


def details(world: MockWorld, number: int = MANY_DETAILS) -> list[str]:
    return [f"{LIST}{row['id']}/" for row in world.credits()[:number]]


def read_details(number: int) -> Step:
    return lambda world: do(world, *details(world, number))


def limited(rate: str = "1/min") -> Step:
    return lambda world: world.set_settings(rate_limit=rate)


def walked(pages: int, query: str = "page_size=20", rest: str = "") -> list[Step]:
    """Return requests for the first pages, with the links of the service: `page` first, sorted."""
    return [f"?{query}{rest}", *(f"?page={page}&{query}{rest}" for page in range(2, pages + 1))]


def counted(pages: int, query: str = "page_size=20", path: str = LIST) -> list[Step]:
    return [f"{path}?page={page}&{query}" for page in range(1, pages + 1)]


def slashless(path: str = LIST) -> list[Step]:
    return [path.rstrip("/"), path]


WRONG: dict[str, list[list[Step]]] = {
    "parameter.ignored": [
        ["?stauts=pending"],
        ["?pageSize=10"],
        ["?created_at__gt=2026-01-01"],
        ["?limit=10"],
        ["?order_by=-id"],
        ["?channel=3"],
        ["?amount=5"],
        ["?status__in=pending"],
        ["?search=x"],
        [f"{EARNOUTS}?status=failed"],
        [f"{EARNOUTS}?ordering=-id"],
        [f"{CHANNELS}?page=2"],
    ],
    "page-size.capped": [
        ["?page_size=1000"],
        ["?page_size=101"],
        ["?page_size=1_000"],
        ["?page_size=150&page=2"],
        ["?ordering=-id&page_size=500"],
        [lambda it: it.set_settings(max_page_size=10), "?page_size=50"],
    ],
    "page-size.ignored": [
        ["?page_size=all"],
        ["?page_size=0"],
        ["?page_size=-1"],
        ["?page_size=1e2"],
        ["?page_size=10.0"],
        [f"{EARNOUTS}?page_size=None"],
    ],
    "walk.one-page": [
        ["?page_size=100"],
        ["?page=1&page_size=100"],
        ["?page_size=100", CONFIG.path],
        ["?page_size=100", "?page_size=100"],
        [CHANNELS, "?mode=&page_size=100", "?status=pending&page_size=100"],
    ],
    "walk.ended-early": [
        walked(3),
        walked(5),
        walked(3, "page_size=50"),
        [*walked(4), CONFIG.path],
        [*walked(3), *walked(12)],
        ["", "?page=2", "?page=3"],
    ],
    "walk.counted": [
        counted(13),
        counted(6, "page_size=50"),
        [f"?status=&page={page}" for page in range(1, 11)],
        [f"?page_size=50&page={page}" for page in range(1, 6)],
        ["?page_size=50", *(f"?page_size=50&page={page}" for page in range(2, 6))],
        [f"?page={page}" for page in range(1, 12)],
        [*walked(5, "page_size=50"), "?page=6&page_size=50"],
    ],
    "walk.page-twice": [
        [*walked(2), *walked(12)[1:]],
        [*walked(3), *walked(12)[2:]],
        [*walked(2, "page_size=50"), *walked(5, "page_size=50")[1:]],
        [*walked(3, "page_size=80")[:2], "?page=2&page_size=80", "?page=3&page_size=80"],
        [*walked(4, "page_size=60")[:3], *walked(4, "page_size=60")[2:]],
    ],
    "redirect.every-call": [
        slashless() * 2,
        slashless() * 5,
        slashless(CONFIG.path) * 2,
        slashless(CHANNELS) * 3,
        [LIST.rstrip("/") + "?page_size=50", *walked(5, "page_size=50")] * 2,
        [CONFIG.path, *slashless(CHANNELS) * 2],
    ],
    "redirect.method-lost": [
        [("PATCH", CONFIG.path.rstrip("/")), CONFIG.path],
        [("POST", COUPON_CODE.path.rstrip("/")), COUPON_CODE.path],
        [("DELETE", COUPON_CODE.path.rstrip("/")), COUPON_CODE.path],
        [CHANNELS, ("PATCH", CONFIG.path.rstrip("/")), CONFIG.path],
        [CONFIG.path, ("PATCH", CONFIG.path.rstrip("/")), CONFIG.path],
    ],
    "retry.too-soon": [
        [limited(), "", "", ""],
        [limited(), CONFIG.path, "?status=pending", "?status=pending"],
        [limited("2/min"), "", CONFIG.path, CHANNELS, CHANNELS],
        [limited(), "", CONFIG.path, CONFIG.path, CONFIG.path],
        [limited("1/hour"), ("PATCH", CONFIG.path), ("PATCH", CONFIG.path), ("PATCH", CONFIG.path)],
    ],
    "retry.refused": [
        [f"{LIST}1/"] * 3,
        ["?status=paid"] * 4,
        [("POST", LIST)] * 3,
        ["?page=99"] * 3,
        [CONFIG.path, *["?referral_channel=0"] * 3, CONFIG.path],
        [f"{LIST}?format=xml"] * 3,
    ],
    "detail.many": [
        [read_details(10)],
        [read_details(60)],
        ["", read_details(25)],
        [CONFIG.path, read_details(12), CONFIG.path],
        [read_details(5), read_details(11)],
    ],
    "path.doubled-prefix": [[f"/api/v2{LIST}"], [f"/api/v2{CONFIG.path}"]],
    "path.similar": [["/api/v2/referral/credits/"]],
}
"""Requests of one client that break one rule, and no other."""

RIGHT: list[list[Step]] = [
    [],
    ["?x=1"],
    ["?_=1770000000"],
    ["?format=json"],
    ["?utm_source=mail&nocache=1"],
    [""],
    ["", ""],
    ["?page_size=25"],
    ["?page_size=10"],
    ["?page=1&page_size=50"],
    ["?page=2&page_size=10"],
    ["?page_size=100&status=reverted"],
    ["?page_size=1000&status=reverted"],
    ["?page_size=100&ordering=-created_at"],
    ["?page=last"],
    ["?page_size=100", "?page=3&page_size=100"],
    ["?page_size=50", "?page=2&page_size=50"],
    ["?page_size=50", "?page_size=50&page=2"],
    ["?page=1&page_size=80", "?page=2&page_size=80"],
    walked(12),
    counted(12),  # as the official client walks from the page that it is given
    counted(3, "page_size=100"),
    walked(5, "page_size=50"),
    [*walked(5, "page_size=50"), *walked(5, "page_size=50")],
    ["?ordering=-id", "?ordering=-id&page=2", "?ordering=-id&page=3"],
    [*walked(12)[:6], walked(12)[4], *walked(12)[5:]],
    ["?page_size=100", "?page=3&page_size=100", "?page=2&page_size=100"],
    [step for step in walked(5, "page_size=50") for _ in range(2)],
    [*walked(4), lambda it: send(it, f"{LIST}{it.credits()[75]['id']}/")],
    [*walked(3), lambda it: it.add_fault(status=503, times=1), "?page=4&page_size=20"],
    [*walked(3), limited(), *["?page=4&page_size=20"] * 2],
    [f"{LIST}1/"],
    [f"{LIST}1/"] * 2,
    [f"{LIST}1/", f"{LIST}2/", f"{LIST}3/"],
    ["?page=99"],
    [*[f"{LIST}9/"] * 4, lambda it: it.create_credit(id=9), f"{LIST}9/"],
    [read_details(9)],
    [read_details(5), CONFIG.path, read_details(9)],
    slashless(),
    [*slashless(), LIST],
    [LIST.rstrip("/")] * 3,
    [*slashless(CHANNELS), *slashless(CONFIG.path)],
    [limited(), "", CONFIG.path, CHANNELS],
    [lambda it: it.add_fault(status=429, times=2, retryAfter=5), "", "", ""],
    [lambda it: it.add_fault(status=404, times=5), *[f"{LIST}1/"] * 5],
    [lambda it: it.add_fault(fixedDelayMilliseconds=1, times=1), "?page_size=1000"],
    [lambda it: it.begin(scenario="five-a-minute"), *[""] * 9],
    [lambda it: it.begin(scenario="edge-cases"), "?page_size=0&stauts=1"],
    ["/nowhere/"],
    ["/api/v2/profile/"],
    ["/favicon.ico"],
]


def cases() -> list[Any]:
    return [
        pytest.param(rule, steps, id=f"{rule}-{number}")
        for rule, group in WRONG.items()
        for number, steps in enumerate(group)
    ]


@pytest.mark.parametrize(("rule", "steps"), cases())
def test_requests_that_break_a_rule_get_its_hint_and_no_other(
    world: MockWorld, rule: str, steps: list[Step]
) -> None:
    assert do(world, *steps) == {rule}


@pytest.mark.parametrize("steps", RIGHT, ids=range(len(RIGHT)))
def test_requests_that_come_close_get_none(world: MockWorld, steps: list[Step]) -> None:
    assert do(world, *steps) == set()


def test_each_rule_is_tried() -> None:
    assert {rule.id for rule in RULES} == WRONG.keys() - set(SINGLE) | {"next.other-origin"}


def test_each_hint_on_single_requests_exists() -> None:
    assert set(SINGLE) <= {hint.id for hint in HINTS}


@pytest.mark.parametrize("hint", HINTS, ids=lambda hint: hint.id)
def test_a_message_leads_to_its_hint(hint: Any) -> None:
    assert rule_of(hint.message.format_map(defaultdict(lambda: "x"))) == hint.id


# Habits of clients in use.


def reads_a_thousand(world: MockWorld) -> None:
    _, page = send(world, "?page_size=1000")
    assert len(page["results"]) < page["count"]


def reads_one_page(world: MockWorld) -> None:
    _, page = send(world, "?page=1&page_size=100")
    assert sum(row["amount"] for row in page["results"]) > 0


def counts_pages(world: MockWorld) -> None:
    page, rows = 1, []
    while (response := send(world, f"?page={page}&page_size=25"))[0] == 200:
        rows += response[1]["results"]
        page += 1
    assert len(rows) == CREDITS


def retries_at_once(world: MockWorld) -> None:
    world.set_settings(rate_limit="1/min")
    send(world, "")
    assert [send(world, "")[0] for _ in range(3)] == [429] * 3


def doubles_the_prefix(world: MockWorld) -> None:
    base = "/api/v2"
    assert send(world, f"{base}{LIST}")[0] == 404


@pytest.mark.parametrize(
    ("habit", "rule"),
    [
        (reads_a_thousand, "page-size.capped"),
        (reads_one_page, "walk.one-page"),
        (counts_pages, "walk.counted"),
        (retries_at_once, "retry.too-soon"),
        (doubles_the_prefix, "path.doubled-prefix"),
    ],
)
def test_a_habit_gets_the_right_hint_and_no_other(
    world: MockWorld, habit: Callable[[MockWorld], None], rule: str
) -> None:
    habit(world)
    assert [each["rule"] for each in world.hints()] == [rule]


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({"Authorization": "k"}, "key.without-token"),
        ({"Authorization": "Bearer k"}, "key.without-token"),
        ({"Authorization": "ApiKey k"}, "key.without-token"),
        ({"Authorization": "", "X-API-Key": "k"}, "key.misplaced"),
        ({"Authorization": "", "x-token": "k"}, "key.misplaced"),
    ],
)
def test_a_wrong_key_gets_its_hint_without_a_world(headers: dict[str, str], rule: str) -> None:
    with MockServer() as server:
        send(server.world("k"), "", **headers)
        url = f"{server.url}/__mock__/hints"
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
        connection.request("GET", "/__mock__/hints")
        document = json.loads(connection.getresponse().read())
        connection.close()
        assert server.world("k").hints() == []
    assert [each["rule"] for each in document] == [rule]
    assert document[0]["advice"] == "send the header Authorization: Token KEY"


def test_the_official_client_gets_none(world: MockWorld) -> None:
    with Webshare(api_key=world.api_key, base_url=world.url) as client:
        assert len(list(client.referral.list_credits(page=1, page_size=50))) == CREDITS
        for page_size in (7, 100, None):
            assert len(list(client.referral.list_credits(page_size=page_size))) == CREDITS
        assert client.referral.list_credits(status="pending", ordering="-amount").count
        assert len(list(client.referral.list_earnouts(page_size=3)))
        assert client.referral.get_credit(world.credits()[0]["id"])
        client.referral.list_channels()
        client.referral.get_config()
        client.referral.list_credits().next_page()
    assert found(world) == set()


async def test_the_official_asynchronous_client_gets_none(world: MockWorld) -> None:
    async with AsyncWebshare(api_key=world.api_key, base_url=world.url) as client:
        for page_size in (10, 100):
            page = await client.referral.list_credits(page_size=page_size)
            assert len([each async for each in page]) == CREDITS
    assert found(world) == set()


def test_the_official_client_waits_as_it_is_told(world: MockWorld) -> None:
    world.set_settings(rate_limit="2/sec")
    with Webshare(api_key=world.api_key, base_url=world.url, max_retries=2) as client:
        assert [client.referral.list_credits().count for _ in range(4)] == [CREDITS] * 4
    assert 429 in [each.response.status for each in world.requests if each.response]
    assert found(world) == set()


# Waiting.


def retried(world: MockWorld, between: Callable[[], object] = lambda: None) -> set[str]:
    """Return the hints on a client that is refused, and sends its request again after something else."""
    send(world, "")
    status, _ = send(world, "")
    assert status == 429
    between()
    send(world, "")
    return found(world)


def test_a_retry_after_the_time_is_right(world: MockWorld) -> None:
    world.set_settings(rate_limit="1/sec")
    assert retried(world, lambda: time.sleep(1.01)) == set()


@pytest.mark.parametrize("moved", [0.0, 3600.0])
def test_a_retry_is_too_soon_by_real_time_while_a_test_freezes_time(
    world: MockWorld, monkeypatch: pytest.MonkeyPatch, moved: float
) -> None:
    world.set_settings(rate_limit="1/min")
    with monkeypatch.context() as patched:
        patched.setattr("time.time", lambda: 1e9)
        rules = retried(world, lambda: patched.setattr("time.time", lambda: 1e9 + moved))
    assert rules == {"retry.too-soon"}


@pytest.mark.parametrize("name", ["time.sleep", "asyncio.sleep"])
def test_where_sleep_is_replaced_a_retry_may_be_early(
    world: MockWorld, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    world.set_settings(rate_limit="1/min")
    with monkeypatch.context() as patched:
        patched.setattr(name, lambda seconds: None)
        assert retried(world) == set()


def test_a_sleep_that_moves_the_clock_of_the_world_is_waiting(world: MockWorld) -> None:
    world.set_settings(rate_limit="1/min")
    assert retried(world, lambda: world.set_clock(advance=60)) == set()


def test_a_clock_that_is_moved_too_little_is_not_waiting(world: MockWorld) -> None:
    world.set_settings(rate_limit="1/min")
    assert retried(world, lambda: world.set_clock(advance=5)) == {"retry.too-soon"}


def test_where_real_waiting_would_not_help_a_retry_may_be_early(world: MockWorld) -> None:
    world.set_settings(rate_limit="1/min", rate_limit_clock="world")
    assert retried(world) == set()
    with MockServer(Settings(port=0, rate_limit="1/min"), timer=lambda: 0.0) as server:
        assert retried(server.world("any")) == set()


# What a hint shows.


def test_a_hint_says_what_to_do_and_names_the_first_requests(world: MockWorld) -> None:
    (hint,) = (do(world, *[f"?page_size={size}" for size in range(600, 605)]), world.hints())[1]
    assert hint == {
        "rule": "page-size.capped",
        "explanation": f"a page of {LIST} has at most 100 rows, however many `page_size` names",
        "advice": "ask for at most 100, and follow `next` until it is null",
        "count": 5,
        "requests": [
            {"file": None, "entry": number, "line": None, "method": "GET", "status": 200}
            | {"url": f"{LIST}?page_size={600 + number}"}
            for number in range(3)
        ],
    }


@pytest.mark.parametrize(
    ("query", "name", "advice"),
    [
        ("stauts=pending", "`stauts`", "use `status`"),
        ("pageSize=5", "`pageSize`", "use `page_size`"),
        ("per_page=5", "`per_page`", "use `page_size`"),
        ("offset=5", "`offset`", "use `page`"),
        ("sort=id", "`sort`", "use `ordering`"),
        ("channel=5", "`channel`", "use `referral_channel`"),
        ("created_at__gt=1", "`created_at__gt`", "order by it instead: `ordering=created_at`"),
        ("user_id=5", "`user_id`", "select the rows in your own code"),
        ("state__contains=%00", "`state__contains`", None),
        ("%00status=1", "one of the parameters", "use `status`"),
        ("sta-tus-secret=1", "one of the parameters", None),
    ],
)
def test_an_ignored_parameter_has_the_nearest_known_name(
    world: MockWorld, query: str, name: str, advice: str | None
) -> None:
    do(world, f"?{query}")
    expected = [] if advice is None else [(name, advice)]
    assert [(name in each["explanation"] and name, each["advice"]) for each in world.hints()] == expected


@pytest.mark.parametrize("target", ["?status{}=1", "?stauts={}", "/api/v2/referral/credits/{}/?a={}"])
def test_no_hint_shows_a_key(server: MockServer, target: str) -> None:
    key = "k7wq2m9x4tk7wq2m9x4t1"
    world = server.world(key)
    world.begin()
    send(world, target.replace("{}", key))
    assert key not in json.dumps(world.hints())


def test_a_long_url_is_shown_in_part(world: MockWorld) -> None:
    do(world, "?stauts=1" + "&x=1" * 900)
    assert [len(request["url"]) for hint in world.hints() for request in hint["requests"]] == [200]


def test_over_http_they_are_the_same(world: MockWorld) -> None:
    do(world, "?stauts=1", "?page_size=500")
    assert send(world, "/__mock__/hints") == (200, world.hints())


def test_a_reset_and_a_cleared_journal_have_none(world: MockWorld) -> None:
    assert do(world, "?page_size=500")
    world.clear_requests()
    assert found(world) == set()
    assert do(world, "?page_size=500")
    world.reset()
    assert found(world) == set()


# Another contract.


MADE_UP_WRONG: dict[str, list[Step]] = {
    "parameter.ignored": [f"{TICKETS.path}?priorty=low"],
    "page-size.capped": [lambda it: it.set_settings(max_page_size=10), f"{TICKETS.path}?page_size=50"],
    "page-size.ignored": [f"{TICKETS.path}?page_size=many"],
    "walk.ended-early": [
        f"{TICKETS.path}?page={page}&page_size=5".replace("page=1&", "") for page in (1, 2, 3)
    ],
    "walk.counted": counted(4, "page_size=10", TICKETS.path),
    "detail.many": [TICKET_DETAIL.path.format(id=2 * number) for number in range(1, 12)],
    "redirect.every-call": slashless(PROFILE_OBJECT.path) * 2,
    "retry.refused": [TICKET_DETAIL.path.format(id=7)] * 3,
    "path.doubled-prefix": [f"/api/v9{TICKETS.path}"],
}


@pytest.mark.parametrize("rule", MADE_UP_WRONG)
def test_a_made_up_contract_has_its_hints_without_code(rule: str) -> None:
    held = dataset.from_wire(data_set(), source="test", contract=MADE_UP)
    with MockServer(Settings(port=0, contract=MADE_UP), dataset=held) as server:
        world = server.world("any")
        assert do(world, *MADE_UP_WRONG[rule]) == {rule}
        assert "referral" not in json.dumps(world.hints())


# Recordings.


def recorded(*paths: Path, contract: Contract = WEBSHARE) -> list[Any]:
    collector = RecordedHints(contract)
    for record in recordings.read([str(path) for path in paths], BytesIO()):
        if isinstance(record, Exchange):
            collector.add(record)
    return collector.documents()


DELIBERATE = {
    "twin-of-a-page-is-not-found-to-which-a-link-led.ndjson": {"walk.counted"},
    "twin-of-a-row-comes-again-after-a-page-was-asked-for-twice.ndjson": {"walk.counted", "walk.page-twice"},
}
"""Recordings in which the service is right, and the client does on purpose what it should not."""
CLEAN = [
    path
    for folder in (CASES / "clean", RECORDED, ROOT / "fixtures" / "recordings")
    for path in sorted(folder.rglob("*"))
    if path.is_file() and path.suffix not in (".py", ".md")
]


@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.name)
def test_a_clean_recording_has_no_hint(path: Path) -> None:
    assert {each["rule"] for each in recorded(path)} == DELIBERATE.get(path.name, set())


def replayed(world: MockWorld, folder: Path, change: Callable[[str], str] = lambda text: text) -> set[str]:
    """Return the hints on the journal of a world, read as a recording."""
    path = folder / "journal.ndjson"
    path.write_text(change(world.ndjson()), encoding="utf-8")
    return {each["rule"] for each in recorded(path)}


NOT_IN_RECORDINGS = ("path.similar", "retry.too-soon")
"""What the start of another service may look like; the time of requests is that of the world."""


@pytest.mark.parametrize(
    ("rule", "steps"),
    sampled_rows(
        ((rule, steps) for rule, group in WRONG.items() for steps in group), kind=lambda row: row[0]
    ),
)
def test_a_recording_of_the_same_requests_has_the_same_hints(
    world: MockWorld, tmp_path: Path, rule: str, steps: list[Step]
) -> None:
    do(world, *steps, "/nowhere/")
    assert replayed(world, tmp_path) - {"retry.too-soon"} == {rule} - {"retry.too-soon"}


@pytest.mark.parametrize("steps", [["?page_size=100"], walked(3), walked(5)])
def test_where_a_recording_ends_its_client_may_have_gone_on(
    world: MockWorld, tmp_path: Path, steps: list[Step]
) -> None:
    do(world, *steps)
    assert replayed(world, tmp_path) == set()


OTHERS = (
    "https://elsewhere.example",
    "http://proxy.webshare.io",
    "https://proxy.webshare.io:8443",
    "https://proxy.webshare.io.example",
    "http://127.0.0.1:9",
)


def page(origin: str, target: str, next: str | None, key: str | None = "Token key") -> Exchange:
    body = {"count": 3, "next": next, "previous": None, "results": [{"id": 1}]}
    return Exchange(
        source="-",
        method="GET",
        url=origin + LIST + target,
        request_headers=() if key is None else (("Authorization", key),),
        status=200,
        body=json.dumps(body).encode(),
    )


@pytest.mark.parametrize("origin", OTHERS)
@pytest.mark.parametrize(("key", "rules"), [("Token key", ["next.other-origin"]), (None, [])])
def test_a_next_of_another_origin_is_not_for_the_key(origin: str, key: str | None, rules: list[str]) -> None:
    home = "https://proxy.webshare.io"
    exchanges = [page(home, "", f"{origin}{LIST}?page=2", key), page(origin, "?page=2", None, key)]
    requests = [of_recorded(each, WEBSHARE) for each in exchanges]
    assert [each.rule for each in hints(requests, WEBSHARE, is_over=False)] == rules


@pytest.mark.parametrize(
    "origin", ["https://a.b", "https://A.b:443", "http://127.0.0.1:80", "HTTPS://me:x@a.b"]
)
def test_a_hint_shows_path_and_query(origin: str) -> None:
    recorded = RecordedHints(WEBSHARE)
    recorded.add(page(origin, "?stauts=pending", None))
    [hint] = recorded.documents()
    assert [each["url"] for each in hint["requests"]] == [f"{LIST}?stauts=..."]


def test_a_next_of_another_origin_may_be_followed_at_home() -> None:
    home = "https://proxy.webshare.io"
    exchanges = [page(home, "", f"{OTHERS[0]}{LIST}?page=2"), page(home, "?page=2", None)]
    assert hints([of_recorded(each, WEBSHARE) for each in exchanges], WEBSHARE, is_over=False) == []


RETRY: dict[str, Any] = {"status": 429, "headers": (("Retry-After", "5"),), "body": b"{}"}


@pytest.mark.parametrize(
    ("start", "waits", "rules"),
    [
        (0, 100_000, {"retry.too-soon"}),
        (0, 3_900_000, {"retry.too-soon"}),
        (500, 4_000_000, {"retry.too-soon"}),
        (0, 4_000_000, set()),  # the recorder may have whole seconds only
        (500, 4_999_900, set()),
        (0, 5_000_000, set()),
        (0, 60_000_000, set()),
    ],
)
def test_a_retry_in_a_recording_is_judged_by_its_times(start: int, waits: int, rules: set[str]) -> None:
    first = replace(page("https://proxy.webshare.io", "", None), **RETRY, started=start)
    requests = [of_recorded(each, WEBSHARE) for each in (first, replace(first, started=start + waits))]
    assert {each.rule for each in hints(requests, WEBSHARE)} == rules
    unknown = [of_recorded(replace(first, started=None), WEBSHARE)] * 2
    assert hints(unknown, WEBSHARE) == []


def test_a_key_that_was_removed_is_not_one_without_its_keyword() -> None:
    wrong = replace(page("https://proxy.webshare.io", "", None, "REMOVED"), status=401)
    without = replace(wrong, body=b'{"detail":"Authentication credentials were not provided."}')
    unknown = replace(wrong, body=b'{"detail":"Invalid token."}')
    found = [
        [each.rule for each in hints([of_recorded(each, WEBSHARE)], WEBSHARE)] for each in (without, unknown)
    ]
    assert found == [["key.without-token"], []]


@pytest.mark.parametrize("number", [MOST_REQUESTS, 2 * MOST_REQUESTS + 1])
def test_a_long_recording_is_looked_at_in_parts(number: int) -> None:
    collector = RecordedHints(WEBSHARE)
    exchange = page("https://proxy.webshare.io", "?stauts=1", None)
    for _ in range(number):
        collector.add(exchange)
        assert len(collector._requests) <= MOST_REQUESTS
    assert sum(each["count"] for each in collector.documents()) == number


def test_of_very_many_parameters_only_some_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    monkeypatch.setattr(client_rules, "_similar", lambda name, known: compared.append(name))
    query = "?" + "&".join(f"p{number}=1" for number in range(700))
    exchanges = [page("https://proxy.webshare.io", query.replace("p", f"p{each}x"), None) for each in "abc"]
    assert hints([of_recorded(each, WEBSHARE) for each in exchanges], WEBSHARE) == []
    assert len(compared) == MOST_NAMES


@pytest.mark.parametrize(("hosts", "number"), [((), 2), (("a.example",), 1), (("c.example",), 0)])
def test_only_the_hosts_that_are_named_count(hosts: tuple[str, ...], number: int) -> None:
    collector = RecordedHints(WEBSHARE, hosts)
    for host in ("a.example", "b.example"):
        collector.add(page(f"https://{host}", "?stauts=1", None))
    assert sum(each["count"] for each in collector.documents()) == number


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"results":1}', b'{"results":[1,{"id":[]}],"next":5}', b"[" * 2000, b"\xff"]
)
def test_a_body_that_is_no_page_gives_no_hint(body: bytes) -> None:
    exchange = replace(page("https://proxy.webshare.io", "?page_size=100", None), body=body)
    assert hints([of_recorded(exchange, WEBSHARE)] * 3, WEBSHARE) == []


@pytest.mark.parametrize("url", [None, "", "http://[", "https://" + "x" * 20_000, "\ud800", "/api/v2/x"])
def test_a_url_that_is_none_gives_no_hint(url: str | None) -> None:
    exchange = replace(page("https://proxy.webshare.io", "", None), url=url, status=404)
    assert hints([of_recorded(exchange, WEBSHARE)] * 3, WEBSHARE) == []
