"""The worlds by key: one for each, over the same account until it is changed, and never too many."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from mock_webshare.errors import UnknownName, UsageError
from mock_webshare.service.data import dataset
from mock_webshare.service.settings import Settings
from mock_webshare.service.world import journal
from mock_webshare.service.world import registry as module
from mock_webshare.service.world import world as world_module
from mock_webshare.service.world.journal import Entry
from mock_webshare.service.world.registry import Worlds
from mock_webshare.service.world.world import World, read_state
from tests.control_plane import digest

EDGE_CASES = dataset.load("edge-cases")
PENDING = next(row.id for row in EDGE_CASES.rows["credits"] if row.status == "pending")


def worlds(**settings: object) -> Worlds:
    return Worlds(EDGE_CASES, Settings(**settings), lambda: 0.0)  # type: ignore[arg-type]


def test_each_key_has_a_world_of_its_own_over_the_same_account() -> None:
    ours = worlds()
    one, other = ours.get("one"), ours.get("other")
    assert one and other
    assert one is ours.get("one")
    assert one is not other
    assert one.view.account is other.view.account


def test_a_world_is_found_by_a_random_id_until_it_is_gone() -> None:
    ours = worlds()
    first, second = ours.get("first"), ours.get("second")
    assert first and second
    assert (ours.key_of(first.id), ours.key_of(second.id)) == ("first", "second")
    assert first.id != second.id and re.fullmatch("[0-9a-f]{16}", first.id)
    ours.create("first", ours.beginning())
    assert ours.key_of(first.id) is None
    ours.retire("second")
    ours.get("third")
    assert ours.key_of(second.id) is None
    ours.delete_all()
    assert list(ours.recent()) == [] == list(ours._keys)


def test_another_server_has_another_id_and_other_ones_of_its_worlds() -> None:
    one, other = worlds(), worlds()
    first, second = one.get("key"), other.get("key")
    assert first and second and first.id != second.id
    assert one.id != other.id


def test_a_look_neither_creates_a_world_nor_keeps_one_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WORLDS", 2)
    ours = worlds()
    looked_at = ours.peek("first")
    assert looked_at and len(ours) == 0 and ours.key_of(looked_at.id) is None
    first = ours.get("first")
    assert first is not looked_at and ours.peek("first") is first
    ours.get("second")
    assert first and ours.peek("first") is first
    assert ours.peek("invalid") is None
    assert [key for key, _ in ours.recent()] == ["second", "first"]
    ours.get("third")
    assert [key for key, _ in ours.recent()] == ["third", "second"]


def test_a_world_has_the_name_that_is_given_or_that_of_its_scenario_or_a_number() -> None:
    ours = worlds()
    ours.name("named", "a test")
    keys = ("any", "named", "scenario:flaky", "scenario:flaky:2", "other")
    names = [world.name for world in map(ours.get, keys) if world]
    assert names == ["world 1", "a test", "scenario:flaky", "scenario:flaky", "world 2"]
    ours.name("any", "another test")
    assert ours.require("any").name == "another test"
    ours.create("any", ours.beginning())
    assert ours.require("any").name == "another test"
    ours.retire("any")
    ours.get("next")
    assert ours.require("any").name == "world 4"


def test_the_key_invalid_is_never_known() -> None:
    assert worlds().get("invalid") is None


def test_with_keys_given_only_they_are_known() -> None:
    ours = worlds(api_keys=("good",))
    assert ours.get("good")
    assert ours.get("other") is None


def faults_of(world: World | None) -> list[Any]:
    assert world
    return [each["status"] for each in world.faults()]


def test_every_world_begins_with_the_faults_of_the_settings() -> None:
    ours = worlds(faults=({"status": 500}, {"status": 503, "times": 1}))
    assert faults_of(ours.get("one")) == faults_of(ours.open) == [500, 503]
    assert faults_of(ours.get("scenario:throttled")) == [500, 503, 429]
    assert faults_of(World(ours.beginning(scenario="empty"), lambda: 0.0)) == [500, 503]


def test_a_fault_of_the_settings_is_there_again_after_a_reset() -> None:
    world = worlds(faults=({"status": 500},)).get("one")
    assert world
    world.clear_faults()
    assert faults_of(world) == []
    world.reset()
    assert faults_of(world) == [500]


def test_a_fault_of_the_settings_with_an_unknown_path_has_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    world = worlds(faults=({"status": 500, "path": "/api/v2/referral/credits/"},)).get("one")
    assert world and "the nearest is" in world.faults()[0]["warning"]
    assert caplog.text.count("the nearest is /api/v2/referral/credit/") == 1


def test_keys_that_name_no_scenario_have_that_of_the_settings() -> None:
    ours = worlds(scenario="empty")
    for key, number in {
        "one": 0,
        "scenario:one-page": 10,
        "scenario:down": len(EDGE_CASES.rows["credits"]),
    }.items():
        world = ours.get(key)
        assert world and len(world.rows("credits")) == number
    assert len(ours.open.rows("credits")) == 0
    assert len(World(ours.beginning(), lambda: 0.0).rows("credits")) == 0


def test_a_scenario_of_the_settings_has_its_faults_beside_theirs() -> None:
    ours = worlds(scenario="throttled", faults=({"status": 500},))
    assert faults_of(ours.get("one")) == [500, 429]


def test_new_data_do_not_replace_those_of_a_scenario() -> None:
    ours = worlds(scenario="empty")
    assert ours.get("one") and ours.open
    assert ours.renew(dataset.load("default")) == {"renewed": 0, "kept": 0}
    world = ours.get("two")
    assert world and len(world.rows("credits")) == len(ours.open.rows("credits")) == 0


def test_of_too_many_worlds_the_least_recently_used_one_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WORLDS", 2)
    ours = worlds()
    first, second = ours.get("first"), ours.get("second")
    ours.get("first")
    ours.get("third")
    assert ours.get("first") is first
    assert ours.get("second") is not second


def test_the_first_deletion_is_logged_without_the_key(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MAX_WORLDS", 1)
    ours = worlds()
    for number in range(5):
        ours.get(f"secret-{number}")
    assert caplog.messages == ["more than 1 keys: the least recently used worlds are deleted"]
    assert ours.counted() == {"worlds": 1, "most": 1, "forgotten": 4}


def test_after_all_were_let_go_none_is_counted() -> None:
    ours = worlds()
    first = ours.get("key")
    ours.record(ours.keyless, entry(0))
    ours.delete_all()
    assert ours.counted() == {"worlds": 0, "most": 10_000, "forgotten": 0}
    assert len(ours.keyless) == 0
    assert ours.get("key") is not first


def changed(ours: Worlds, key: str) -> World:
    world = ours.require(key)
    world.create("credits")
    return world


def snapshot_with_faults(world: World) -> None:
    world.add_fault(status=503)
    world.take_snapshot("one")


HELD: dict[str, Callable[[World], object]] = {
    "a credit that is created": lambda it: it.create("credits"),
    "a credit that is changed": lambda it: it.change("credits", PENDING, amount=9.0),
    "a credit that is reverted": lambda it: it.end("credits", PENDING),
    "a credit that is deleted": lambda it: it.delete("credits", PENDING),
    "a channel that is created": lambda it: it.create("channels", code="X" * 5000),
    "a change of every credit": lambda it: it.set_clock(advance="P400D"),
    "a state that is put": lambda it: it.put_state(read_state(EDGE_CASES.wire())),
    "a snapshot of nothing new": lambda it: it.take_snapshot("one"),
    "a snapshot with faults": snapshot_with_faults,
}


def retire(ours: Worlds) -> None:
    ours.retire("key")
    ours.require("other")


FREED: dict[str, Callable[[Worlds], object]] = {
    "a reset": lambda it: it.require("key").reset(),
    "the deletion of all worlds": lambda it: it.delete_all(),
    "a key that is no longer used": retire,
    "a world that replaces it": lambda it: it.create("key", it.beginning()),
    "too many other worlds": lambda it: [it.get(f"other-{number}") for number in range(3)],
}


@pytest.mark.parametrize("freeing", FREED)
@pytest.mark.parametrize("holding", HELD)
def test_what_a_world_holds_is_counted_until_it_is_freed(
    holding: str, freeing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_WORLDS", 3)
    ours = worlds()
    HELD[holding](ours.require("key"))
    assert ours.budget.used > 1000
    FREED[freeing](ours)
    assert ours.budget.used == 0


def test_an_account_that_is_only_read_is_not_counted() -> None:
    ours = worlds()
    for number in range(10):
        assert ours.require(f"key-{number}").view.account.at(0)
    assert ours.budget.used == 0


def test_a_long_text_is_counted() -> None:
    ours = worlds()
    ours.require("key").create("channels", code="X" * 10**6)
    assert ours.budget.used > 10**6


def test_many_changes_of_one_credit_count_as_one() -> None:
    ours = worlds()
    world = ours.require("key")
    world.change("credits", PENDING, amount=9.0)
    once = ours.budget.used
    for number in range(100):
        world.change("credits", PENDING, amount=float(number))
    assert abs(ours.budget.used - once) < 100


def test_an_account_is_counted_once_with_all_its_snapshots() -> None:
    ours = worlds()
    world = changed(ours, "key")
    once = ours.budget.used
    for number in range(10):
        world.take_snapshot(str(number))
    assert ours.budget.used < once + 20_000
    for name in world.snapshots():
        world.restore_snapshot(name)
        world.delete_snapshot(name)
    assert ours.budget.used == once


def test_a_snapshot_that_is_restored_frees_what_came_after_it() -> None:
    ours = worlds()
    world = ours.require("key")
    world.take_snapshot("before")
    before = ours.budget.used
    world.create("credits")
    world.restore_snapshot("before")
    assert ours.budget.used == before


def test_a_running_clock_is_counted_without_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    ours = Worlds(EDGE_CASES, Settings(), lambda: now)
    world = ours.require("key")
    world.set_clock(running=True)
    monkeypatch.setattr(world_module, "MAX_HELD_BYTES", 1)
    now = 400 * 86_400.0
    assert not any(row.status == "pending" for row in world.rows("credits"))
    assert ours.budget.used > 1000


@pytest.mark.parametrize("holding", HELD)
def test_what_would_take_too_much_is_refused_and_changes_nothing(
    holding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = worlds()
    changed(ours, "other")
    used = ours.budget.used
    world = ours.require("key")
    before = digest(world)
    monkeypatch.setattr(world_module, "MAX_HELD_BYTES", used + 500)
    message = (
        rf"changed accounts and snapshots of all worlds take {used} bytes, and this needs \d+ more; "
        rf"allowed: {used + 500}; delete snapshots, reset or delete worlds"
    )
    with pytest.raises(UsageError, match=message):
        HELD[holding](world)
    world.clear_faults()
    assert (digest(world), ours.budget.used) == (before, used)
    ours.require("other").reset()
    monkeypatch.setattr(world_module, "MAX_HELD_BYTES", 10**6)
    HELD[holding](world)


def test_at_the_limit_what_takes_less_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = worlds()
    world = changed(ours, "key")
    world.take_snapshot("one")
    world.create("credits")
    monkeypatch.setattr(world_module, "MAX_HELD_BYTES", 1)
    world.restore_snapshot("one")
    world.delete_snapshot("one")
    world.reset()
    assert ours.budget.used == 0


@pytest.mark.parametrize("key", ["invalid", "scenario:none", "other"])
def test_a_key_that_is_not_known_cannot_be_given_a_world(key: str) -> None:
    ours = worlds(api_keys=("good", "scenario:none"))
    with pytest.raises(UsageError, match="there is no world of this key"):
        ours.create(key, ours.beginning())
    assert ours.get(key) is None


def test_a_retired_world_is_deleted_when_the_next_one_is_created() -> None:
    ours = worlds()
    first = ours.get("first")
    ours.retire("first")
    ours.get("second")
    assert ours.get("first") is not first


def entry(size: int) -> Entry:
    """Return a request with a body of so many bytes."""
    return Entry(0, "POST", "/", (), b"x" * size, None, 0.0)


def test_a_journal_keeps_the_last_thousand_requests() -> None:
    noted = journal.Journal()
    for number in range(1500):
        noted.add(entry(number))
    assert (len(noted), noted.dropped) == (1000, 500)
    assert len(next(iter(noted)).body) == 500


def test_a_journal_of_large_requests_keeps_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_BYTES", 100_000)
    noted = journal.Journal()
    for _ in range(100):
        noted.add(entry(20_000))
    assert (len(noted), noted.dropped) == (4, 96)
    assert noted.size == sum(each.size for each in noted) <= 100_000


def test_a_single_request_is_kept_however_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_BYTES", 1)
    noted = journal.Journal()
    for _ in range(3):
        noted.add(entry(20_000))
    assert len(noted) == 1


def test_a_journal_that_is_cleared_takes_no_room() -> None:
    noted = journal.Journal()
    noted.add(entry(5))
    noted.clear()
    assert (noted.size, noted.dropped, len(noted)) == (0, 0, 0)


def test_of_too_many_requests_those_of_the_worlds_unused_for_longest_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_JOURNAL_BYTES", 100_000)
    ours = worlds()
    keys = [str(number) for number in range(30)]
    for key in keys:
        world = ours.get(key)
        assert world
        ours.record(world.journal, entry(5_000))
    sizes = [world.journal.size for world in map(ours.get, keys) if world]
    assert sizes == sorted(sizes) and sizes[0] == 0 and sizes[-1] > 5_000
    assert sum(sizes) <= 100_000
    first = ours.get("0")
    assert first and first.journal.dropped == 1


MANY_KEYS = """
import json, resource
from mock_webshare.service.data import dataset
from mock_webshare.service.settings import Settings
from mock_webshare.service.world import world as world_module
from mock_webshare.service.world.registry import Worlds
from mock_webshare.service.world.world import World, read_state
from tests.control_plane import digest

worlds = Worlds(dataset.load("edge-cases"), Settings(), lambda: 0.0)
used = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]
for number in range(200_000):
    worlds.get(f"key-{number}")
    if number % 20_000 == 19_999:
        used.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(json.dumps([worlds.counted(), used]))
"""


@pytest.mark.exhaustive
def test_any_number_of_keys_take_a_bounded_memory() -> None:
    """Two hundred thousand keys stand for a million, which take five times as long and no more memory."""
    run = subprocess.run([sys.executable, "-c", MANY_KEYS], capture_output=True, text=True, check=True)
    counted, kilobytes = json.loads(run.stdout)
    assert counted == {"worlds": 10_000, "most": 10_000, "forgotten": 190_000}
    assert kilobytes[-1] - kilobytes[0] < 60_000
    assert kilobytes[-1] - kilobytes[1] < 4_000


def test_equal_worlds_share_their_responses_until_one_is_changed() -> None:
    ours = worlds()
    one, other = ours.require("one"), ours.require("other")
    assert one.view is other.view
    one.create("credits")
    assert one.view is not other.view
    one.reset()
    assert one.view is other.view
    one.set_settings(max_page_size=7)
    assert one.view is not other.view


@pytest.mark.parametrize("scenario", ["empty", "edge-cases"])
def test_a_scenario_with_data_of_its_own_begins_at_the_time_of_the_service(scenario: str) -> None:
    now = "2027-01-01T00:00:00-08:00"
    world = worlds(now=now).require(f"scenario:{scenario}")
    assert world.clock()["now"] == now
    assert all(credit.status != "pending" for credit in world.state().rows["credits"])


@pytest.mark.parametrize("name", ["nothing", 5, ["flaky"]])
def test_an_unknown_scenario_is_refused_with_the_known_ones(name: Any) -> None:
    with pytest.raises(UnknownName, match=r"there is no scenario named .*; there are: 2fa, "):
        worlds().beginning(scenario=name)
