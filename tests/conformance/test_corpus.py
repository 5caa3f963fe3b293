"""The hand-chosen requests, sent to both servers."""

from __future__ import annotations

import pytest

from tests.conformance.corpus import CASES
from tests.conformance.corpus.cases import Case
from tests.conformance.wire import KNOWN, Client, KnownText, Pair, Request, differences
from tests.sampling import sampled

each_case = pytest.mark.parametrize(
    "case", sampled(CASES, kind=lambda case: case.rule, name=lambda case: case.id)
)


@each_case
def test_the_framework_keeps_the_rule(reference: Client, case: Case) -> None:
    assert reference.send(case.request).status == case.status


@each_case
def test_we_respond_like_the_framework(pair: Pair, case: Case) -> None:
    is_updated = case.request.method == "PATCH"
    assert differences(*pair.send(case.request), is_updated=is_updated) == []


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.path)
def test_a_known_text_is_still_one(pair: Pair, known: KnownText) -> None:
    request = Request(known.path + "9001/")
    assert known.reference.encode() in pair.reference.send(request).body
    assert known.ours.encode() in pair.ours.send(request).body


def test_every_case_has_a_name_of_its_own() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


def test_no_case_is_longer_than_a_request_line_may_be() -> None:
    assert max(len(f"{case.request.method} {case.request.target} HTTP/1.1") for case in CASES) <= 8190
