"""The worlds by key: one for each, over the same account until it is changed, and never too many."""

from __future__ import annotations

import pytest

from mock_webshare import dataset
from mock_webshare import worlds as module
from mock_webshare.settings import Settings
from mock_webshare.worlds import Worlds

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


def test_of_too_many_worlds_the_one_unused_for_longest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WORLDS", 2)
    ours = worlds()
    first, second = ours.get("first"), ours.get("second")
    ours.get("first")
    ours.get("third")
    assert ours.get("first") is first
    assert ours.get("second") is not second
