"""The hand-chosen sequences and generated ones: what a request changes, and what later ones read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings

from tests.conformance.corpus.sequences import SEQUENCES, Step, with_key
from tests.conformance.strategies import CONVERSATIONS
from tests.conformance.wire import Client, Pair, Request, differences
from tests.sampling import examples

USUAL_EXAMPLES = 80
each_sequence = pytest.mark.parametrize("steps", SEQUENCES.values(), ids=SEQUENCES)


@pytest.fixture(scope="session")
def new_keys() -> Iterator[str]:
    """Return keys that have not called yet, and so have the initial state."""
    return map("sequence-{}".format, count())


@each_sequence
def test_the_framework_keeps_the_rule(
    reference: Client, new_keys: Iterator[str], steps: tuple[Step, ...]
) -> None:
    key = next(new_keys)
    statuses = [reference.send(with_key(step.request, key)).status for step in steps]
    assert statuses == [step.status for step in steps]


@each_sequence
def test_we_respond_like_the_framework(pair: Pair, new_keys: Iterator[str], steps: tuple[Step, ...]) -> None:
    assert conversation_differences(pair, next(new_keys), [step.request for step in steps]) == []


@pytest.mark.hypothesis
def test_we_converse_like_the_framework(
    pair: Pair, new_keys: Iterator[str], pytestconfig: pytest.Config
) -> None:
    wanted: int | None = pytestconfig.getoption("--conformance-examples", default=None)

    @settings(
        max_examples=max(1, wanted // 4 if wanted else examples(USUAL_EXAMPLES)),
        derandomize=wanted is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(CONVERSATIONS)
    def responses_are_alike(requests: list[Request]) -> None:
        assert conversation_differences(pair, next(new_keys), requests) == []

    responses_are_alike()


def conversation_differences(pair: Pair, key: str, requests: list[Request]) -> list[str]:
    """Return the differences of the responses to requests in order, all with one key."""
    found: list[str] = []
    is_updated = False
    for number, request in enumerate(requests, start=1):
        expected, ours = pair.send(with_key(request, key))
        is_updated |= request.method == "PATCH" and expected.status == 200
        found += [f"request {number}: {each}" for each in differences(expected, ours, is_updated=is_updated)]
    return found


def test_a_new_key_has_the_initial_state(reference: Client, new_keys: Iterator[str]) -> None:
    read, change, *_ = (step.request for step in SEQUENCES["a change is read afterwards"])
    one, other = next(new_keys), next(new_keys)
    before = reference.send(with_key(read, one)).body
    assert reference.send(with_key(change, one)).body != before
    assert reference.send(with_key(read, other)).body == before
