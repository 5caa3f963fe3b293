"""Arguments: what a wrong call of a method reports, and where its traceback ends."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from mock_webshare import MockServer, MockWorld, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.errors import DataError, MockWebshareError
from tests.waiting import PATIENCE

Call = Callable[[MockWorld], object]


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture
def world(server: MockServer) -> MockWorld:
    world = server.world("any")
    world.begin()
    return world


def get(world: MockWorld, target: str) -> requests.Response:
    headers = {"Authorization": f"Token {world.api_key}"}
    return requests.get(world.url + target, headers=headers, timeout=PATIENCE)


def make(cls: Any, *args: Any, **given: Any) -> object:
    return cls(*args, **given)


def message(call: Callable[[], object]) -> str:
    with pytest.raises(MockWebshareError) as error:
        call()
    return str(error.value)


UNKNOWN: list[tuple[str, dict[str, Any], str]] = [
    ("set_clock", {"days": 3}, "did you mean advance=timedelta(days=...)? allowed: now, advance, running"),
    ("set_clock", {"time": "2026-01-01"}, "did you mean now=...?"),
    ("set_clock", {"frozen": True}, "did you mean running=...?"),
    ("set_clock", {"advanced": "P3D"}, "did you mean advance=...?"),
    ("set_clock", {"now": None, "x": 1}, "has no argument 'x'; allowed: now, advance, running"),
    ("begin", {"credit": 3}, "did you mean credits=...? allowed: seed, credits, data, scenario"),
    ("begin", {"file": "a.json"}, "did you mean data=...?"),
    ("purchase", {"amount": 1, "user": 7}, "did you mean user_id=...?"),
    ("simulate", {"month": 2}, "did you mean months=...?"),
    ("reset", {"clock": True}, "has no argument 'clock'; allowed: none"),
    ("clear_faults", {"id": 1}, "allowed: none"),
    ("rows", {"resources": "credits"}, "did you mean resource=...?"),
    ("take_snapshot", {"names": "a"}, "did you mean name=...?"),
    ("remove_fault", {"id": 1}, "did you mean fault_id=...?"),
]


@pytest.mark.parametrize(("method", "given", "words"), UNKNOWN, ids=str)
def test_an_unknown_argument_is_reported_with_those_that_exist(
    world: MockWorld, method: str, given: dict[str, Any], words: str
) -> None:
    text = message(lambda: getattr(world, method)(**given))
    assert text.startswith(f"{method}() has no argument ")
    assert words in text


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda it: it.begin("k", sed=1), "'sed'; did you mean seed=...? allowed: seed, credits, data,"),
        (lambda it: it.world(key="k"), "did you mean api_key=...?"),
        (lambda it: it.start(port=1), "start() has no argument 'port'; allowed: none"),
        (lambda it: it.discard(keys="k"), "discard() has no argument 'keys'; allowed: api_key"),
        (lambda it: make(MockServer, port=0), "MockServer() has no argument 'port'; did you mean settings="),
        (lambda it: make(MockServer, data="x"), "did you mean settings=Settings(data=...)? allowed:"),
        (lambda it: make(MockWorld, it, key="k"), "MockWorld() has no argument 'key'; did you mean api_key"),
    ],
)  # fmt: skip
def test_an_unknown_argument_of_the_server_is_reported_likewise(
    server: MockServer, call: Callable[[Any], object], words: str
) -> None:
    assert words in message(lambda: call(server))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda it: it.add_fault({"status": 503}),
            "allowed: 0; write any other as NAME=VALUE, like status=503",
        ),
        (lambda it: it.add_fault(503), "NAME=VALUE, like status=503"),
        (lambda it: it.create_credit(12.5), "NAME=VALUE, like amount=12.5"),
        (lambda it: it.create_channel("SPRING10"), 'NAME=VALUE, like code="SPRING10"'),
        (lambda it: it.set_clock("P3D"), "set_clock() got 1 argument without a name; allowed: 0; write any"),
        (lambda it: it.set_settings("5/min", 2), "set_settings() got 2 arguments without a name"),
        (lambda it: it.credit(1, 2), "credit() got 2 arguments without a name; allowed: 1"),
        (lambda it: it.begin(3), "names: seed, credits, data, scenario"),
    ],
)
def test_too_many_arguments_without_a_name_are_reported(
    world: MockWorld, call: Callable[[Any], object], words: str
) -> None:
    assert words in message(lambda: call(world))


TWO: Any = "2"
CALLS: dict[str, tuple[Call, str]] = {
    "a text for a status": (
        lambda it: it.add_fault(status="503"), 'status: "503" is not allowed; allowed: a whole number',
    ),
    "a status that is not an error": (
        lambda it: it.add_fault(status=200), "for another status, use the action respond instead",
    ),
    "two actions": (
        lambda it: it.add_fault(status=503, respond=200), "fault: needs one action, has status and respond",
    ),
    "an unknown key": (
        lambda it: it.add_fault(status=503, tims=2), "fault: unknown key 'tims'; did you mean times?",
    ),
    "a list in a query": (
        lambda it: it.add_fault(status=503, query={"page": [2]}),
        'query: {"page": [2]} is not allowed; allowed: an object of up to 100 parameters, each with',
    ),
    "true in a query": (
        lambda it: it.add_fault(status=503, query={"is_recurring": True}), "each with a text or a number",
    ),
    "an unknown field": (
        lambda it: it.create_credit(amonut=5), "credit: unknown key 'amonut'; did you mean amount? allowed: ",
    ),
    "a text for an amount": (
        lambda it: it.change_credit(it.credits()[0]["id"], amount="5"), 'amount: "5" is not allowed',
    ),
    "a row of a data set": (
        lambda it: it.put_state({"credits": [{"id": "x"}], "channels": []}), "credits[0]",
    ),
    "an unknown setting": (
        lambda it: it.set_settings(ratelimit="5/min"), "unknown key 'ratelimit'; did you mean rate_limit?",
    ),
    "no change of the clock": (
        lambda it: it.set_clock(), "nothing is given; needed: now, advance (like P30D) or running",
    ),
    "a duration of another kind": (
        lambda it: it.set_clock(advance="3 days"), 'advance: "3 days" is not allowed; allowed: ISO 8601',
    ),
    "a date without an offset": (
        lambda it: it.set_clock(now="2026-05-01T00:00:00"), "allowed: a date and time with an offset",
    ),
    "a text for months": (lambda it: it.simulate(months=TWO), 'months: "2" is not allowed; allowed: a whole'),
    "no price": (lambda it: it.purchase(0), "amount: 0 is not allowed; allowed: a number above 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_a_mistake_is_reported_without_a_pointer(world: MockWorld, case: str) -> None:
    call, words = CALLS[case]
    text = message(lambda: call(world))
    assert words in text
    assert "#" not in text


def test_the_error_keeps_its_pointer(world: MockWorld) -> None:
    with pytest.raises(DataError) as error:
        world.put_state({"credits": [{"id": "x"}], "channels": []})
    assert error.value.pointer.startswith("/credits/0")


NAIVE = datetime(2026, 5, 1)  # naive on purpose


@pytest.mark.parametrize(
    "call",
    [
        lambda it: it.set_clock(now=NAIVE),
        lambda it: it.create_credit(created_at=NAIVE),
        lambda it: it.change_credit(it.credits()[0]["id"], updated_at=NAIVE),
        lambda it: it.create("earnouts", created_at=NAIVE),
        lambda it: Settings(now=NAIVE),
    ],
)
def test_a_naive_datetime_is_refused_with_how_to_make_it_aware(world: MockWorld, call: Call) -> None:
    text = message(lambda: call(world))
    assert text.partition(": ")[0] in ("now", "created_at", "updated_at")
    assert "datetime(2026, 5, 1, tzinfo=timezone.utc)" in text


def test_an_aware_datetime_is_a_time(world: MockWorld) -> None:
    in_paris = datetime(2026, 5, 1, 9, tzinfo=timezone(timedelta(hours=2)))
    assert world.set_clock(now=in_paris)["now"] == "2026-05-01T00:00:00-07:00"
    assert world.create_credit(created_at=in_paris)["created_at"] == "2026-05-01T00:00:00-07:00"
    assert Settings(now=in_paris).now == "2026-05-01T07:00:00+00:00"
    assert world.set_clock(now=datetime(2026, 1, 1, tzinfo=UTC))["now"] == "2025-12-31T16:00:00-08:00"


@pytest.mark.parametrize("value", [2, "2", 2.0])
def test_a_number_in_the_query_of_a_fault_is_the_text_of_it(world: MockWorld, value: Any) -> None:
    fault = world.add_fault(status=503, query={"page": value})
    assert fault["query"] == {"page": str(value)}
    assert get(world, f"{CREDIT_LIST.path}?page={value}").status_code == 503
    assert get(world, f"{CREDIT_LIST.path}?page=3").status_code == 200
    world.assert_requested("GET", CREDIT_LIST.path, page=value)


def test_a_number_in_the_headers_of_a_fault_is_the_text_of_it(world: MockWorld) -> None:
    world.add_fault(respond=429, headers={"Retry-After": 7})
    assert get(world, CREDIT_LIST.path).headers["Retry-After"] == "7"


@pytest.mark.parametrize("case", CALLS)
def test_the_traceback_ends_in_one_frame_below_the_call(world: MockWorld, case: str) -> None:
    call, _ = CALLS[case]
    with pytest.raises(MockWebshareError) as error:
        call(world)
    frames = traceback.extract_tb(error.value.__traceback__)
    assert [frame.filename.rpartition("/")[2] for frame in frames] == ["test_arguments.py"] * 2 + [
        "arguments.py"
    ]
    assert error.value.__suppress_context__


def test_a_stopped_server_reports_that_at_each_call() -> None:
    server = MockServer()
    world = server.world("any")
    for call in (lambda: world.url, lambda: world.requests, world.reset, server.worlds):
        with pytest.raises(MockWebshareError, match="does not run") as error:
            call()
        assert len(traceback.extract_tb(error.value.__traceback__)) <= 3


def test_signatures_and_docstrings_are_those_of_the_methods() -> None:
    assert list(inspect.signature(MockWorld.set_clock).parameters) == ["self", "now", "advance", "running"]
    assert list(inspect.signature(MockServer).parameters)[:2] == ["settings", "dataset"]
    assert "Set the clock" in str(MockWorld.set_clock.__doc__)
    assert "base URL" in str(MockWorld.url.__doc__)


def test_an_error_of_another_kind_keeps_its_frames(world: MockWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_webshare.service.world.world.World.reset", lambda self: 1 // 0)
    with pytest.raises(ZeroDivisionError) as error:
        world.reset()
    assert len(traceback.extract_tb(error.value.__traceback__)) > 3


def test_an_error_in_a_file_keeps_its_place(server: MockServer, tmp_path: Any) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"credits": [{"id": "x"}], "channels": []}', encoding="utf-8")
    with pytest.raises(DataError, match=r"mine\.json#/credits/0"):
        server.world("any").begin(data=path)
