"""Which mutants a contract has, which of them are run, and what a run with one means."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from mock_webshare.contract.endpoints import CHANNEL_LIST, CODE_INFO, CONFIG, CREDIT_LIST, WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.insight.coverage import Row, rows_of
from mock_webshare.insight.mutants import (
    KINDS,
    Mutant,
    Result,
    Verdict,
    matching,
    mutants_of,
    sampled,
    score,
    scored,
    unread,
    verdict_of,
)
from mock_webshare.service.faults import parse
from tests.made_up import MADE_UP, PROFILE_OBJECT, TICKET_DETAIL, TICKETS

ALL = list(mutants_of(WEBSHARE))
BY_ID = {mutant.id: mutant for mutant in ALL}
LIST = CREDIT_LIST.path


def kinds_at(path: str, contract: Contract = WEBSHARE) -> set[str]:
    return {each.kind for each in mutants_of(contract) if each.endpoint == path}


def fields_of(kind: str, path: str, contract: Contract = WEBSHARE) -> list[str]:
    return [each.field for each in mutants_of(contract) if (each.kind, each.endpoint) == (kind, path)]


@pytest.mark.parametrize("contract", [WEBSHARE, MADE_UP])
def test_each_mutant_is_a_fault_with_a_name_of_its_own(contract: Contract) -> None:
    mutants = list(mutants_of(contract))
    assert len({each.id for each in mutants}) == len(mutants)
    assert {each.kind for each in mutants} <= KINDS.keys()
    for each in mutants:
        assert parse(each.world_fault, contract).wire() == each.world_fault


def test_each_kind_has_mutants_and_says_what_it_means() -> None:
    assert {each.kind for each in ALL} == KINDS.keys()
    assert all(kind.means.endswith((".", ").")) for kind in KINDS.values())


@pytest.mark.parametrize("contract", [WEBSHARE, MADE_UP])
def test_coverage_can_have_the_rows_that_reach_a_mutant(contract: Contract) -> None:
    rows = set(rows_of(contract))
    assert all(each.rows and rows.issuperset(each.rows) for each in mutants_of(contract))


def test_a_made_up_resource_has_its_mutants() -> None:
    fields = ["id", "title", "priority", "price", "is_open", "team", "team_name"]
    dates = ["created_at", "updated_at", "closed_at"]
    page = ["count", "next", "previous", "results"]
    assert fields_of("field.removed", TICKETS.path, MADE_UP) == [*fields, *dates, *page]
    assert fields_of("field.retyped", TICKET_DETAIL.path, MADE_UP) == [*fields, *dates]
    not_null = ["id", "title", "priority", "price", "is_open", "created_at", "updated_at"]
    assert fields_of("field.null", TICKETS.path, MADE_UP) == [*not_null, "count", "results"]
    assert fields_of("field.enum", TICKETS.path, MADE_UP) == ["priority"]
    assert fields_of("field.enum", PROFILE_OBJECT.path, MADE_UP) == ["plan"]
    pages = {name for name in KINDS if name.startswith("page.")}
    assert pages <= kinds_at(TICKETS.path, MADE_UP)
    assert not pages & (kinds_at(TICKET_DETAIL.path, MADE_UP) | kinds_at(PROFILE_OBJECT.path, MADE_UP))


def test_an_array_has_no_links_and_no_count() -> None:
    pages = {name for name in kinds_at(CHANNEL_LIST.path) if name.startswith("page.")}
    assert pages == {"page.short", "page.empty", "page.reversed"}


def test_what_needs_no_key_is_not_refused_for_a_key() -> None:
    needs_key = {name for name in KINDS if name.startswith(("status.401", "status.403"))} | {"once.429"}
    assert len(needs_key) == 5
    assert not needs_key & kinds_at(CODE_INFO.path)
    assert needs_key <= kinds_at(CONFIG.path)


def test_an_unknown_value_is_like_the_known_ones_and_none_of_them() -> None:
    faults = {each.field: each.fault["to"] for each in ALL if each.kind == "field.enum"}
    assert faults == {
        "mode": "unheard_of",
        "status": "unheard_of",
        "promo_type": "unheard_of",
        "promo_value": 21,
    }


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (f"field.removed {LIST} amount", {"drift": "removed", "field": "amount", "path": LIST}),
        (f"status.403.2fa_needed {LIST}", {"status": 403, "code": "2fa_needed", "path": LIST}),
        (f"page.unlinked {LIST}", {"pages": "unlinked", "path": LIST}),
        (
            f"once.429 {LIST}{{id}}/",
            {"status": 429, "retryAfter": 1, "method": "GET", "times": 1, "path": f"{LIST}*/"},
        ),
    ],
)
def test_a_mutant_can_be_set_as_a_fault(name: str, fault: dict[str, Any]) -> None:
    assert BY_ID[name].world_fault == fault


@pytest.mark.parametrize(
    ("row", "kinds"),
    [
        (Row(LIST, "status", "200"), {"field.removed", "page.short", "field.added", "page.repeated"}),
        (Row(LIST, "method", "GET"), {"status.401", "status.503", "body.truncated", "once.reset"}),
        (Row(LIST, "method", "HEAD"), {"status.401", "status.503", "body.truncated"}),
        (Row(LIST, "status", "404 page"), set()),
        (Row(CONFIG.path, "status", "200"), set()),
    ],
)
def test_coverage_shows_which_mutants_are_within_reach(row: Row, kinds: set[str]) -> None:
    reached = {each.kind for each in ALL if each.endpoint == LIST and each.is_reached({row: 3})}
    some = {"field.removed", "page.short", "field.added", "page.repeated"}
    some |= {"status.401", "status.503", "body.truncated", "once.reset"}
    assert reached & some == kinds


def test_only_what_lets_a_client_wait_prolongs_its_run() -> None:
    counts = {
        Row(LIST, "method", "GET"): 5,
        Row(LIST, "status", "200"): 5,
        Row(CONFIG.path, "method", "GET"): 9,
    }
    waits = {each.kind: each.wait(counts) for each in ALL if each.endpoint == LIST}
    assert {kind for kind, wait in waits.items() if wait} == {
        "once.slow",
        "once.429",
        "once.503",
        "once.reset",
    }
    assert (waits["once.slow"], waits["once.429"]) == (5, 10)


@pytest.mark.parametrize(
    ("patterns", "number"),
    [
        ([], len(ALL)),
        (["*"], len(ALL)),
        ([f"field.removed {LIST} amount"], 1),
        (["field.removed*credit/ amount"], 1),
        (["once.429", "once.503"], 15),
        (["{id}"], 81),
        (["user_i[d]"], 0),
        (["user_i?"], 0),
        (["FIELD"], 0),
    ],
)
def test_patterns_select_mutants(patterns: list[str], number: int) -> None:
    assert len(matching(ALL, patterns)) == number


def test_a_sample_is_the_same_each_time_and_in_order() -> None:
    sample = sampled(ALL, 40)
    assert len(sample) == 40 and sample == sampled(ALL, 40)
    assert sample == [each for each in ALL if each in sample]
    assert sampled(ALL[::-1], 40) == sample[::-1]


@pytest.mark.parametrize("most", [len(KINDS), 60, 200])
def test_a_sample_has_as_many_kinds_as_possible(most: int) -> None:
    assert {each.kind for each in sampled(ALL, most)} == KINDS.keys()


def test_a_larger_sample_contains_a_smaller_one_and_no_limit_is_all() -> None:
    samples = [sampled(ALL, most) for most in (10, 20, 200, len(ALL), 10_000, None)]
    assert [len(each) for each in samples] == [10, 20, 200, len(ALL), len(ALL), len(ALL)]
    assert all(set(map(id, less)) <= set(map(id, more)) for less, more in pairwise(samples))


def test_a_new_mutant_takes_the_place_of_one_at_most() -> None:
    before = sampled(ALL[1:], 50)
    assert len([each for each in sampled(ALL, 50) if each not in before]) <= 1


REMOVED, ADDED = BY_ID[f"field.removed {LIST} amount"], BY_ID[f"field.added {LIST}"]


@pytest.mark.parametrize(
    ("mutant", "code", "has_struck", "verdict"),
    [
        (REMOVED, 1, True, Verdict.KILLED),
        (REMOVED, 139, True, Verdict.KILLED),
        (REMOVED, 0, True, Verdict.SURVIVED),
        (REMOVED, None, True, Verdict.TIMED_OUT),
        (REMOVED, 0, False, Verdict.NOT_REACHED),
        (REMOVED, 1, False, Verdict.NOT_REACHED),
        (ADDED, 0, True, Verdict.PASSED),
        (ADDED, 2, True, Verdict.TOO_STRICT),
        (ADDED, None, True, Verdict.TIMED_OUT),
        (ADDED, 1, False, Verdict.NOT_REACHED),
    ],
)
def test_a_run_has_a_verdict(mutant: Mutant, code: int | None, has_struck: bool, verdict: Verdict) -> None:
    assert verdict_of(mutant, code, has_struck) is verdict


@pytest.mark.parametrize(
    ("breaking", "tolerable", "expected", "per_cent"),
    [
        ([], [], (0, 0), None),
        ([Verdict.NOT_REACHED, Verdict.NOT_RUN], [Verdict.PASSED], (0, 0), None),
        ([Verdict.SURVIVED], [], (0, 1), 0),
        ([Verdict.KILLED, Verdict.NOT_REACHED, Verdict.NOT_RUN], [Verdict.TOO_STRICT], (1, 1), 100),
        ([Verdict.KILLED, Verdict.TIMED_OUT, Verdict.SURVIVED], [Verdict.TIMED_OUT], (2, 3), 66),
        ([Verdict.KILLED] * 199 + [Verdict.SURVIVED], [], (199, 200), 99),
    ],
)
def test_the_score_is_of_breaking_mutants_that_were_reached(
    breaking: list[Verdict], tolerable: list[Verdict], expected: tuple[int, int], per_cent: int | None
) -> None:
    results = [Result(REMOVED, each) for each in breaking] + [Result(ADDED, each) for each in tolerable]
    assert scored(results) == expected
    assert score(results) == per_cent


def test_a_field_is_unread_if_all_its_mutants_survived() -> None:
    verdicts = {
        f"field.removed {LIST} user_id": Verdict.SURVIVED,
        f"field.null {LIST} user_id": Verdict.SURVIVED,
        f"field.removed {LIST} id": Verdict.SURVIVED,
        f"field.null {LIST} id": Verdict.KILLED,
        f"field.removed {LIST} amount": Verdict.SURVIVED,
        f"field.null {LIST} amount": Verdict.NOT_RUN,
        f"page.short {LIST}": Verdict.SURVIVED,
        f"field.added {LIST}": Verdict.PASSED,
    }
    assert unread(Result(BY_ID[name], verdict) for name, verdict in verdicts.items()) == [(LIST, "user_id")]
