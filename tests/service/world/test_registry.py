"""The worlds by key: one for each, over the same account until it is changed, and never too many."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from mock_webshare.errors import UnknownName, UsageError
from mock_webshare.service.data import dataset
from mock_webshare.service.settings import Settings
from mock_webshare.service.world import journal
from mock_webshare.service.world import registry as module
from mock_webshare.service.world.journal import Entry
from mock_webshare.service.world.registry import Worlds

EDGE_CASES = dataset.load("edge-cases")


def worlds(**settings: object) -> Worlds:
    return Worlds(EDGE_CASES, Settings(**settings), lambda: 0.0)  # type: ignore[arg-type]


def test_each_key_has_a_world_of_its_own_over_the_same_account() -> None:
    ours = worlds()
    one, other = ours.get("one"), ours.get("other")
    assert one and other
    assert one is ours.get("one")
    assert one is not other
    assert one.view.account is other.view.account


def test_the_key_invalid_is_never_known() -> None:
    assert worlds().get("invalid") is None


def test_with_keys_given_only_they_are_known() -> None:
    ours = worlds(api_keys=("good",))
    assert ours.get("good")
    assert ours.get("other") is None


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


@pytest.mark.parametrize("key", ["invalid", "scenario:none", "other"])
def test_a_key_that_is_not_known_cannot_be_given_a_world(key: str) -> None:
    ours = worlds(api_keys=("good", "scenario:none"))
    with pytest.raises(UsageError, match="there is no world of this key"):
        ours.create(key, ours.beginning())
    assert ours.get(key) is None


def test_a_retired_world_is_deleted_when_the_next_one_is_created() -> None:
    ours = worlds()
    first = ours.get("first")
    ours.retired.append("first")
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
from mock_webshare.service.world.registry import Worlds

worlds = Worlds(dataset.load("edge-cases"), Settings(), lambda: 0.0)
used = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]
for number in range(200_000):
    worlds.get(f"key-{number}")
    if number % 20_000 == 19_999:
        used.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(json.dumps([worlds.counted(), used]))
"""


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
