"""The journal of each world: in order, within bounds, and valid by the schemas of the contract."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import requests

from mock_webshare import MockServer, MockWorld, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.contract.model import Endpoint
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.service.data import dataset
from mock_webshare.service.faults import DRIFTS
from mock_webshare.service.framework.response import Response
from mock_webshare.service.world import registry as module
from mock_webshare.service.world.journal import (
    LARGEST_BODY,
    MAX_ENTRIES,
    Entry,
    Journal,
    RequestMatcher,
    not_requested,
    transcript,
)
from mock_webshare.service.world.registry import Worlds
from tests.conftest import schema_of
from tests.sampling import sampled
from tests.waiting import PATIENCE

LIST = CREDIT_LIST.path
SECRET = "a-very-secret-key"


def entry(target: str = LIST, method: str = "GET", status: int | None = 200, **fields: Any) -> Entry:
    response = None if status is None else Response(status, (), b"{}")
    return Entry(0, method, target, [(b"Host", b"example.com")], b"", response, 0.1)._replace(**fields)


def journal(*entries: Entry) -> Journal:
    journal = Journal()
    for each in entries:
        journal.add(each)
    return journal


class TestJournal:
    def test_it_keeps_requests_in_order(self) -> None:
        one, two = entry("/1"), entry("/2")
        assert list(journal(one, two)) == [one, two]

    def test_of_too_many_the_oldest_go_and_are_counted(self) -> None:
        ours = journal(*(entry(f"/{number}") for number in range(MAX_ENTRIES + 3)))
        assert (len(ours), ours.total, ours.dropped) == (MAX_ENTRIES, MAX_ENTRIES + 3, 3)
        assert next(iter(ours)).target == "/3"

    def test_what_had_to_make_room_is_counted(self) -> None:
        ours = journal(entry(), entry())
        ours.drop()
        assert (len(ours), ours.dropped) == (0, 2)

    def test_what_was_cleared_is_not_counted(self) -> None:
        ours = journal(entry(), entry())
        ours.clear()
        assert (len(ours), ours.dropped) == (0, 0)

    def test_what_became_of_a_request_takes_its_place(self) -> None:
        first, second = entry(status=None), entry(status=None)
        ours = journal(first, second)
        ours.replace(first, entry(status=200))
        assert [each.response and each.response.status for each in ours] == [200, None]
        assert ours.dropped == 0

    def test_what_is_gone_stays_gone(self) -> None:
        ours, gone = journal(entry("/kept")), entry("/gone")
        ours.replace(gone, entry())
        assert [each.target for each in ours] == ["/kept"]

    def test_it_counts_the_requests_that_match(self) -> None:
        ours = journal(entry(f"{LIST}?page=2"), entry(f"{LIST}?page=2&mode=payout"), entry())
        assert ours.count(RequestMatcher("GET", LIST, {"page": 2})) == 2


class TestEntry:
    @pytest.mark.parametrize(
        ("target", "path"),
        [
            ("/caf%C3%A9/?a=1", "/café/"),
            ("http://user@example.com/a/?b=1", "/a/"),
            ("http://example.com", "/"),
            ("//[a/", "//[a/"),
            ("/a;b#c/", "/a;b#c/"),
            ("*", "*"),
        ],
    )
    def test_its_path_is_decoded(self, target: str, path: str) -> None:
        assert entry(target).path == path

    def test_its_query_is_decoded_with_repeated_and_empty_ones(self) -> None:
        assert entry("/?a=1&b=&a=%C3%A9+x?").query == {"a": ["1", "é x?"], "b": [""]}

    def test_as_an_exchange_it_has_its_place_and_its_url(self) -> None:
        exchange = entry(f"{LIST}?page=2").exchange(7)
        assert (exchange.source, exchange.entry) == ("journal", 7)
        assert exchange.url == f"http://example.com{LIST}?page=2"
        assert (exchange.status, exchange.body, exchange.seconds) == (200, b"{}", 0.1)

    def test_as_an_exchange_it_keeps_an_absolute_target(self) -> None:
        assert entry("http://a/b").exchange(0).url == "http://a/b"

    def test_as_an_exchange_it_may_have_no_response(self) -> None:
        exchange = entry(status=None).exchange(0)
        assert (exchange.status, exchange.headers, exchange.body) == (None, None, b"")

    def test_as_an_exchange_a_head_has_no_body(self) -> None:
        assert entry(method="HEAD").exchange(0).body == b""


@pytest.mark.parametrize(
    ("query", "differences"),
    [
        ({}, []),
        ({"page": 2}, []),
        ({"page": "2", "tag": ["a", "b"], "mode": ""}, []),
        ({"ordering": None}, []),
        ({"page": 3}, ["page: '2', expected '3'"]),
        ({"tag": "a"}, ["tag: 'a', 'b', expected 'a'"]),
        ({"ordering": "id"}, ["ordering: none, expected 'id'"]),
        ({"mode": None}, ["mode: '', expected none"]),
    ],
)
def test_only_the_named_parameters_have_to_match(query: Any, differences: list[str]) -> None:
    found = RequestMatcher("GET", LIST, query).differences(entry(f"{LIST}?page=2&tag=a&tag=b&mode="))
    assert found == differences


def test_method_and_path_have_to_match() -> None:
    found = RequestMatcher("GET", LIST, {}).differences(entry("/a/", "HEAD"))
    assert found == ["method: HEAD, expected GET", f"path: /a/, expected {LIST}"]


def test_a_transcript_has_a_line_for_each_request() -> None:
    text = transcript([entry(), entry(status=None, faults=("fixedDelayMilliseconds", "fault"))])
    assert text == f"GET {LIST} 200\nGET {LIST} no response (fixedDelayMilliseconds, fault)"
    assert transcript([]) == "none"


def test_a_transcript_has_no_key() -> None:
    text = transcript([entry(f"{LIST}?api_key={SECRET}&page=2"), entry(f"/{SECRET}/")])
    assert text == f"GET {LIST}?api_key=REDACTED-1&page=2 200\nGET /REDACTED-1/ 200"


def message(matcher: RequestMatcher, entries: Sequence[Entry]) -> str:
    """Return the message of a failed assertion, without requests with other keys."""
    return not_requested(matcher, entries, 0, "http://127.0.0.1:1")


def test_a_path_that_lacks_only_its_slash_is_nearer_than_another() -> None:
    lines = message(RequestMatcher("GET", LIST, {}), [entry("/a/"), entry(LIST.rstrip("/"))]).splitlines()
    assert lines[2:] == [
        f"  GET {LIST.rstrip('/')} 200",
        f"    path: {LIST.rstrip('/')}, expected {LIST}",
        "  GET /a/ 200",
        f"    path: /a/, expected {LIST}",
    ]


def test_a_failed_assertion_shows_the_nearest_requests_first() -> None:
    entries = [entry("/a/", "POST"), entry(f"{LIST}?page=3")]
    assert message(RequestMatcher("GET", LIST, {"page": 2}), entries).splitlines() == [
        f"GET {LIST} with page=2 was not requested.",
        "The nearest of 2 with this key:",
        f"  GET {LIST}?page=3 200",
        "    page: '3', expected '2'",
        "  POST /a/ 200",
        "    method: POST, expected GET",
        f"    path: /a/, expected {LIST}",
        "    page: none, expected '2'",
    ]


def test_a_failed_assertion_shows_five_requests_at_most() -> None:
    lines = message(RequestMatcher("GET", "/", {}), [entry()] * 9).splitlines()
    assert len(lines) == 2 + 5 * 2


def test_a_failed_assertion_says_that_there_were_no_requests() -> None:
    text = message(RequestMatcher("GET", "/", {}), [])
    assert text == (
        "GET / was not requested. There were no requests with this key or another: does the client have the "
        "base URL http://127.0.0.1:1?"
    )


def test_a_failed_assertion_shows_no_key() -> None:
    text = message(RequestMatcher("GET", LIST, {"api_key": "other"}), [entry(f"{LIST}?api_key={SECRET}")])
    assert "api_key: 'REDACTED-1', expected 'other'" in text
    assert SECRET not in text


class TestWorlds:
    """The bound that all journals have together."""

    @pytest.fixture
    def ours(self, monkeypatch: pytest.MonkeyPatch) -> Worlds:
        monkeypatch.setattr(module, "MAX_JOURNAL_BYTES", 10 * entry().size)
        return Worlds(dataset.load("edge-cases"), Settings(), lambda: 0.0)

    def note(self, ours: Worlds, key: str, count: int) -> Journal:
        world = ours.get(key)
        assert world
        for _ in range(count):
            ours.record(world.journal, entry())
        return world.journal

    def test_beyond_it_those_of_the_worlds_unused_for_longest_go(self, ours: Worlds) -> None:
        old, new = self.note(ours, "old", 7), self.note(ours, "new", 3)
        assert (len(old), len(new)) == (7, 3)
        self.note(ours, "new", 1)
        assert (len(old), old.dropped) == (0, 7)
        assert (len(new), new.dropped) == (4, 0)

    def test_half_of_it_stays_free_afterwards(self, ours: Worlds) -> None:
        journals = [self.note(ours, str(number), 2) for number in range(6)]
        assert [len(each) for each in journals] == [0, 0, 0, 2, 2, 2]

    def test_what_came_without_a_key_counts_and_stays(self, ours: Worlds) -> None:
        old = self.note(ours, "old", 4)
        for _ in range(7):
            ours.record(ours.keyless, entry())
        assert (len(old), len(ours.keyless)) == (0, 7)

    def test_what_had_to_go_from_a_full_journal_counts_no_more(
        self, ours: Worlds, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("mock_webshare.service.world.journal.MAX_ENTRIES", 3)
        old = self.note(ours, "old", 3)
        self.note(ours, "new", 20)
        assert len(old) == 3

    def test_what_a_world_clears_is_no_longer_counted(self, ours: Worlds) -> None:
        old = self.note(ours, "old", 5)
        self.note(ours, "new", 5).clear()
        self.note(ours, "new", 5)
        assert len(old) == 5


def send(world: MockWorld, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"Authorization": f"Token {world.api_key}", **options.pop("headers", {})}
    return requests.request(
        method, world.url + path, headers=headers, allow_redirects=False, timeout=PATIENCE, **options
    )


@pytest.mark.parametrize(
    ("size", "kept"), [(0, 0), (100, 100), (LARGEST_BODY, LARGEST_BODY), (3 * LARGEST_BODY, LARGEST_BODY)]
)
def test_of_a_body_as_much_is_kept_as_there_is_room_for(world: MockWorld, size: int, kept: int) -> None:
    assert send(world, "POST", LIST, data=b"x" * size).status_code == 405
    assert world.requests[0].body == b"x" * kept


def test_a_body_in_pieces_is_kept_too(world: MockWorld) -> None:
    send(world, "POST", LIST, data=iter([b"one ", b"two"]))
    assert world.requests[0].body == b"one two"


def test_of_two_worlds_each_notes_its_own(server: MockServer, world: MockWorld) -> None:
    other = server.world("the-other")
    other.clear_requests()
    send(world, "GET", LIST)
    send(other, "GET", f"{LIST}?page=2")
    assert [each.target for each in world.requests] == [LIST]
    assert [each.target for each in other.requests] == [f"{LIST}?page=2"]


def test_requests_without_a_known_key_have_a_journal_of_their_own(server: MockServer) -> None:
    before = server.call(lambda worlds: worlds.keyless.total)
    requests.get(server.url + LIST, timeout=PATIENCE)
    send(server.world("invalid"), "GET", LIST)
    assert server.call(lambda worlds: worlds.keyless.total) == before + 2


def test_a_target_that_is_not_a_url_does_not_spoil_the_journal(world: MockWorld) -> None:
    connection = http.client.HTTPConnection(world.url.removeprefix("http://"), timeout=PATIENCE)
    connection.request("GET", "//[a?b=1", headers={"Authorization": f"Token {world.api_key}"})
    assert connection.getresponse().status == 404
    connection.close()
    assert world.count_requests("GET", "//[a", b=1) == 1
    assert world.transcript().splitlines()[0] == "GET //[a?b=1 404 (unknown-path)"


def vary(world: MockWorld) -> None:
    """Send requests for all kinds of responses."""
    credit = world.credits()[0]["id"]
    for path in (
        LIST,
        f"{LIST}?page=2&page_size=7&ordering=-amount,mode",
        f"{LIST}?page=last",
        f"{LIST}?status=reverted&mode=credits",
        f"{LIST}?referral_channel=",
        f"{LIST}?mode=x&status=x&referral_channel=1",
        f"{LIST}?page=99",
        f"{LIST}?format=xml",
        f"{LIST}{credit}/",
        f"{LIST}{credit}/?mode=x",
        f"{LIST}0/",
        LIST.rstrip("/"),
        "/unknown/",
    ):
        for method in ("GET", "HEAD", "OPTIONS", "POST"):
            send(world, method, path)
    send(world, "GET", LIST, headers={"Accept": "text/html"})
    send(world, "GET", LIST, headers={"Accept": "application/json; indent=4"})
    for status in (400, 401, 403, 404, 429, 500, 503):
        send(world, "GET", LIST, headers={"Prefer": f"code={status}"})
    world.revert_credit(credit)
    world.set_clock(advance="P60D")
    world.set_settings(rate_limit="1/min")
    send(world, "GET", LIST)
    send(world, "GET", LIST)


def found(world: MockWorld) -> Iterator[str]:
    """Yield what is wrong with the exchanges of a journal, by the schemas of the contract."""
    for number, entry in enumerate(world.requests):
        exchange, schema = entry.exchange(number), schema_of(entry)
        if schema is not None and exchange.method != "HEAD":
            yield from (
                f"{entry.target}: {error.json_path} {error.message}"
                for error in SERVICE_SCHEMAS.validator(schema).iter_errors(json.loads(exchange.body))
            )


def test_the_journal_of_a_varied_session_is_clean(world: MockWorld) -> None:
    vary(world)
    statuses = {each.response.status for each in world.requests if each.response}
    assert statuses == {200, 301, 400, 401, 403, 404, 405, 406, 429, 500, 503}
    assert list(found(world)) == []


CREDIT_FIELDS = [field.name for field in WEBSHARE.served[LIST]]


def _breaking_drifts(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    """Yield drifts that break what an endpoint serves, whatever values its rows have."""
    required = WEBSHARE.schemas.document(WEBSHARE.row_schema(endpoint))["required"]
    for field in WEBSHARE.served[endpoint.path]:
        if field.name in required:
            yield {"drift": "removed", "field": field.name}
            yield {"drift": "renamed", "field": field.name, "to": f"{field.name}_2"}
        if not field.is_nullable:
            yield {"drift": "null", "field": field.name}
            yield {"drift": "retyped", "field": field.name}
        if field.choices:
            yield {"drift": "enum", "field": field.name, "to": "on_hold"}


BREAKING_DRIFTS = [
    (endpoint, drift) for endpoint in WEBSHARE.endpoints for drift in _breaking_drifts(endpoint)
]


def test_every_drift_but_a_new_field_breaks_the_contract() -> None:
    assert {drift["drift"] for _, drift in BREAKING_DRIFTS} == set(DRIFTS) - {"added"}


@pytest.mark.parametrize(
    "case",
    sampled(
        BREAKING_DRIFTS,
        kind=lambda case: (case[0].path, case[1]["drift"]),
        name=lambda case: f"{case[0].schema}-{case[1]['drift']}-{case[1]['field']}",
    ),
)
def test_every_drift_is_found(case: tuple[Endpoint, dict[str, Any]], server: MockServer) -> None:
    endpoint, drift = case
    world = server.world(f"{endpoint.schema} {drift['drift']} {drift['field']}".replace(" ", "-"))
    world.begin(credits=100)
    row_id = world.rows(endpoint.resource)[0]["id"] if endpoint.is_detail else None
    query = f"?referral_code={world.row('config')['referral_code']}" if endpoint.lookup else ""
    world.add_fault(**drift)
    send(world, "GET", endpoint.path.format(id=row_id) + query)
    assert any(drift["field"] in finding for finding in found(world))


def test_a_new_field_is_news_and_no_finding(world: MockWorld) -> None:
    world.add_fault(drift="added", field="tier", to="gold")
    send(world, "GET", LIST)
    response = world.requests[0].response
    assert response
    new = [row.keys() - set(CREDIT_FIELDS) for row in json.loads(response.body)["results"]]
    assert new == [{"tier"}] * 25
    assert list(found(world)) == []


def test_when_the_drift_is_over_nothing_is_found(world: MockWorld) -> None:
    world.add_fault(drift="null", field="amount", times=1)
    for _ in range(2):
        send(world, "GET", LIST)
    assert all("amount" in finding for finding in found(world))
    assert len(list(found(world))) == 25
