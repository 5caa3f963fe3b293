"""The hand-chosen requests, sent to both servers."""

from __future__ import annotations

import pytest

from tests.conformance.corpus import CASES
from tests.conformance.corpus.cases import Case
from tests.conformance.wire import KNOWN, KnownText, Pair, Request, differences
from tests.sampling import sampled_groups


def failures(pair: Pair, case: Case) -> list[str]:
    """Return how the framework does not keep the rule of a case, and how we respond differently."""
    expected, ours = pair.send(case.request)
    kept = expected.status == case.status
    broken = [] if kept else [f"the framework responds with {expected.status}, the rule says {case.status}"]
    return broken + differences(expected, ours, is_updated=case.request.method == "PATCH")


@pytest.mark.parametrize(
    "cases", sampled_groups(CASES, kind=lambda case: case.rule, name=lambda case: case.id)
)
def test_we_respond_like_the_framework_which_keeps_the_rule(pair: Pair, cases: list[Case]) -> None:
    assert {case.id: found for case in cases if (found := failures(pair, case))} == {}


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.path)
def test_a_known_text_is_still_one(pair: Pair, known: KnownText) -> None:
    request = Request(known.path + "9001/")
    assert known.reference.encode() in pair.reference.send(request).body
    assert known.ours.encode() in pair.ours.send(request).body


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


def test_no_case_is_longer_than_a_request_line_may_be() -> None:
    assert max(len(f"{case.request.method} {case.request.target} HTTP/1.1") for case in CASES) <= 8190
