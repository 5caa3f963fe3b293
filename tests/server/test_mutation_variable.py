"""The mutation that an environment gives to every mock server, and what a client sees of it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from mock_webshare import MockServer, Settings
from mock_webshare.contract.endpoints import (
    CODE_INFO,
    CONFIG,
    COUPON_CODE,
    CREDIT_DETAIL,
    CREDIT_LIST,
    WEBSHARE,
)
from mock_webshare.insight.mutants import Mutant, mutants_of
from mock_webshare.server.environment import (
    MUTANT_FLAG_VARIABLE,
    MUTANT_VARIABLE,
    Flag,
    mutation_of,
    variables_of,
)
from mock_webshare.service.data import dataset
from tests.conftest import Watch
from tests.made_up import MADE_UP, TICKETS, data_set
from tests.sampling import sampled

LIST = CREDIT_LIST.path
BY_ID = {mutant.id: mutant for mutant in mutants_of(WEBSHARE)}
ONE_OF_A_KIND = list({(each.kind, each.endpoint): each for each in BY_ID.values()}.values())
"""One mutant of each kind at each endpoint."""
Start = Callable[..., "Mutated"]


@pytest.fixture(autouse=True)
def broken_on_purpose(watch: Watch) -> Iterator[None]:
    """Let a mutant break the contract, though no journal calls it a fault."""
    yield
    watch.broken.clear()


class Mutated(NamedTuple):
    """A mock server with a mutant, and the flag of whether that has changed a response."""

    server: MockServer
    flag: Flag

    def send(self, target: str, key: str = "any", method: str = "GET", body: Any = None) -> tuple[int, Any]:
        """Return status and body; a broken connection is a status of 0."""
        headers = {"Authorization": f"Token {key}"} if key else {}
        return send(self.server.url, target, method, body, headers)


def send(url: str, target: str, method: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    content = None if body is None else json.dumps(body)
    headers = headers | ({} if body is None else {"Content-Type": "application/json"})
    try:
        connection.request(method, target, content, headers)
        response = connection.getresponse()
        text = response.read()
    except (http.client.HTTPException, ConnectionError) as error:
        return 0, type(error).__name__
    finally:
        connection.close()
    try:
        return response.status, json.loads(text)
    except ValueError:
        return response.status, text


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a mock server with a mutant."""
    started: list[Mutated] = []

    def begin(mutant: Mutant | str, settings: Settings | None = None, **options: Any) -> Mutated:
        mutant = BY_ID[mutant] if isinstance(mutant, str) else mutant
        flag = Flag(MUTANT_FLAG_VARIABLE)
        for name, value in (variables_of(mutant) | dict(flag.variables)).items():
            monkeypatch.setenv(name, value)
        server = MockServer(settings or Settings(port=0, rate_limit="off"), **options)
        server.start()
        started.append(Mutated(server, flag))
        return started[-1]

    yield begin
    for server, flag in started:
        server.stop()
        flag.__exit__()


def target_of(mutant: Mutant, server: MockServer) -> str:
    """Return the target of a request that the mutant can change."""
    world = server.world("arranged")
    if mutant.endpoint == CODE_INFO.path:
        return f"{CODE_INFO.path}?referral_code={world.row('config')['referral_code']}"
    if "{id}" in mutant.endpoint:
        resource = next(each.resource for each in WEBSHARE.endpoints if each.path == mutant.endpoint)
        return mutant.endpoint.format(id=world.rows(resource)[0]["id"])
    return f"{mutant.endpoint}?page_size=5&page={2 if mutant.kind == 'page.repeated' else 1}"


@pytest.mark.parametrize(
    "mutant",
    sampled(ONE_OF_A_KIND, kind=lambda mutant: mutant.kind, name=lambda mutant: mutant.id.replace("/", ".")),
)
def test_a_mutant_does_what_its_fault_does_in_a_world(
    mutant: Mutant, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutated = start(mutant)
    target = target_of(mutant, mutated.server)
    assert not mutated.flag.is_set
    found = [mutated.send(target) for _ in range(2)]
    assert mutated.flag.is_set
    port = urlsplit(mutated.server.url).port or 0
    mutated.server.stop()
    monkeypatch.delenv(MUTANT_VARIABLE)
    with MockServer(Settings(port=port, rate_limit="off")) as usual:  # the same port, so the same links
        usual.world("any").add_fault(**mutant.world_fault)
        headers = {"Authorization": "Token any"}
        assert found == [send(usual.url, target, "GET", None, headers) for _ in range(2)]
        usual.world("any").clear_faults()
        is_changed = found[0] != send(usual.url, target, "GET", None, headers)
    assert is_changed == (mutant.kind != "once.slow")


AMOUNT = f"field.removed {LIST} amount"


def is_mutated(mutated: Mutated, key: str = "any") -> bool:
    status, page = mutated.send(LIST, key)
    return status == 200 and "amount" not in page["results"][0]


def test_nothing_that_a_test_does_removes_a_mutant(start: Start) -> None:
    mutated = start(AMOUNT)
    world = mutated.server.world("any")
    assert is_mutated(mutated)
    world.take_snapshot("before")
    for change in (
        world.reset,
        world.clear_faults,
        lambda: world.begin(credits=5),
        lambda: world.begin(scenario="one-page"),
        lambda: world.put_state(dataset.load("default").wire()),
        lambda: world.change("config", mode="credits"),
        world.discard,
        mutated.server.delete_worlds,
    ):
        change()
        assert is_mutated(mutated)
    world.take_snapshot("after")
    world.restore_snapshot("after")
    assert is_mutated(mutated) and is_mutated(mutated, "scenario:one-page:x")


def test_nothing_shows_a_mutant(start: Start) -> None:
    mutated = start(f"status.503 {LIST}")
    world = mutated.server.world("any")
    assert mutated.send(LIST)[0] == 503
    (entry,) = world.requests
    assert (entry.faults, entry.reason, world.faults()) == ((), "", [])
    assert entry.response is not None and entry.response.status == 503
    assert world.transcript().count("503") == 1


@pytest.mark.parametrize("key", ["", "any", "invalid"])
def test_what_needs_no_key_has_its_mutants_too(start: Start, key: str) -> None:
    mutated = start(f"field.removed {CODE_INFO.path} promo_type")
    status, body = mutated.send(target_of(BY_ID[f"status.500 {CODE_INFO.path}"], mutated.server), key)
    assert (status, "promo_type" in body) == (200, False)
    assert mutated.flag.is_set


def test_a_key_that_is_refused_is_refused_as_usual(start: Start) -> None:
    mutated = start(f"status.503 {LIST}")
    assert mutated.send(LIST, "invalid") == (401, {"detail": "Invalid token."})
    assert not mutated.flag.is_set


@pytest.mark.parametrize(("kind", "status"), [("once.503", 503), ("once.429", 429), ("once.reset", 0)])
def test_trouble_that_passes_strikes_the_first_get_of_each_world(
    start: Start, kind: str, status: int
) -> None:
    mutated = start(f"{kind} {LIST}")
    assert mutated.send(LIST, method="HEAD")[0] == 200
    for key in ("first", "second"):
        assert [mutated.send(LIST, key)[0] for _ in range(3)] == [status, 200, 200]
    mutated.server.world("first").reset()
    assert mutated.send(LIST, "first")[0] == 200
    assert mutated.send(CONFIG.path, "third")[0] == 200


def test_trouble_that_passes_spares_a_world_that_has_trouble_of_its_own(start: Start) -> None:
    mutated = start(f"once.503 {LIST}")
    world = mutated.server.world("any")
    world.add_fault(status=429, times=1)
    assert [mutated.send(LIST)[0] for _ in range(2)] == [429, 200]
    world.clear_faults()
    assert [mutated.send(LIST)[0] for _ in range(2)] == [503, 200]


def test_a_breaking_mutant_precedes_the_faults_of_a_test(start: Start) -> None:
    mutated = start(f"status.503 {LIST}")
    world = mutated.server.world("any")
    world.add_fault(status=429, times=1)
    assert [mutated.send(LIST)[0] for _ in range(2)] == [503, 503]
    assert world.faults()[0]["struck"] == 0


UNNOTICED = [
    (AMOUNT, CONFIG.path, "GET"),
    (AMOUNT, LIST, "HEAD"),
    (AMOUNT, LIST, "OPTIONS"),
    (AMOUNT, f"{LIST}?page=99", "GET"),
    (AMOUNT, f"{LIST}?status=reverted&status=pending&referral_channel=", "DELETE"),
    (f"page.unlinked {LIST}", f"{LIST}?page=last", "GET"),
    (f"page.repeated {LIST}", LIST, "GET"),
    (f"body.truncated {LIST}", LIST, "HEAD"),
    (f"status.404 {CREDIT_DETAIL.path}", CREDIT_DETAIL.path.format(id=1), "GET"),
    (f"status.404 {CREDIT_DETAIL.path}", LIST, "GET"),
    (f"status.503 {CREDIT_LIST.path}", LIST[:-1], "GET"),
    (f"field.added {COUPON_CODE.path}", COUPON_CODE.path, "DELETE"),
]


@pytest.mark.parametrize(("name", "target", "method"), UNNOTICED)
def test_a_mutant_that_changes_nothing_has_not_struck(
    start: Start, name: str, target: str, method: str
) -> None:
    mutated = start(name)
    mutated.send(target, method=method)
    assert not mutated.flag.is_set


@pytest.mark.parametrize(
    ("name", "target", "method", "body"),
    [
        (f"status.404 {CREDIT_DETAIL.path}", None, "GET", None),
        (f"status.404 {CREDIT_DETAIL.path}", None, "HEAD", None),
        (f"field.removed {CONFIG.path} mode", CONFIG.path, "PATCH", {"mode": "credits"}),
        (f"status.400 {CONFIG.path}", CONFIG.path, "PATCH", {"mode": "credits"}),
        (f"status.500 {COUPON_CODE.path}", COUPON_CODE.path, "DELETE", None),
        (f"body.truncated {LIST}", f"{LIST}?page=99", "GET", None),
        (f"once.slow {LIST}", LIST, "GET", None),
    ],
)
def test_a_mutant_that_changes_a_response_has_struck(
    start: Start, name: str, target: str | None, method: str, body: Any
) -> None:
    mutated = start(name)
    mutated.send(target or target_of(BY_ID[name], mutated.server), method=method, body=body)
    assert mutated.flag.is_set


def test_a_mutant_of_another_contract_is_none(start: Start) -> None:
    held = dataset.from_wire(data_set(), source="test", contract=MADE_UP)
    settings = Settings(port=0, contract=MADE_UP)
    for name in (AMOUNT, f"status.503 {LIST}"):
        mutated = start(name, settings, dataset=held)
        assert mutated.send(TICKETS.path)[0] == 200
        assert not mutated.flag.is_set


def test_a_made_up_contract_has_its_mutants(start: Start) -> None:
    held = dataset.from_wire(data_set(), source="test", contract=MADE_UP)
    (mutant,) = [each for each in mutants_of(MADE_UP) if each.id == f"field.enum {TICKETS.path} priority"]
    mutated = start(mutant, Settings(port=0, contract=MADE_UP), dataset=held)
    assert mutated.send(TICKETS.path)[1]["results"][0]["priority"] == "unheard_of"
    assert mutated.flag.is_set


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"endpoint": "/", "fault": {"status": 7}, "yields": 1}', "1"]
)
def test_what_mutate_has_not_written_is_ignored(text: str) -> None:
    assert mutation_of({MUTANT_VARIABLE: text}, WEBSHARE) is None


def test_the_processes_of_a_command_have_the_mutant() -> None:
    code = f"""
import urllib.request
from mock_webshare import MockServer
with MockServer() as server:
    headers = {{"Authorization": "Token key"}}
    url = server.url + {LIST!r}
    print(b"amount" in urllib.request.urlopen(urllib.request.Request(url, headers=headers)).read())
"""
    with Flag(MUTANT_FLAG_VARIABLE) as flag:
        environ = os.environ | variables_of(BY_ID[AMOUNT]) | dict(flag.variables)
        process = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
        assert (process.stdout, flag.is_set) == ("False\n", True)
