"""The exchanges of a run that are kept for a report."""

from __future__ import annotations

import pytest

from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level, Place
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from mock_webshare.judge.verdict import Step, Timeline


def step(entry: int) -> Step:
    return Step(Place(source="a.har", entry=entry), None, 200, None)


@pytest.mark.parametrize(("faulty", "kept"), [(False, 3), (True, 5)])
def test_exchanges_with_findings_have_more_room(
    monkeypatch: pytest.MonkeyPatch, faulty: bool, kept: int
) -> None:
    monkeypatch.setattr("mock_webshare.judge.verdict.MOST_STEPS", 3)
    monkeypatch.setattr("mock_webshare.judge.verdict.MOST_FAULTY", 2)
    timeline = Timeline()
    for entry in range(9):
        timeline.add(step(entry), has_findings=faulty)
    assert [each.place.entry for each in timeline.steps(lambda place: place)] == [*range(kept)]
    assert timeline.left_out == 9 - kept


def test_the_most_severe_finding_of_an_exchange_counts() -> None:
    one = step(1)
    for level in (Level.INFO, Level.ERROR, Level.NOTE):
        one.note(level)
    assert (one.findings, one.worst) == (3, Level.ERROR)


def test_a_verdict_has_a_timeline_only_if_a_report_wants_it() -> None:
    records = [Exchange(source="a.json", body=b'{"detail": null}')]
    assert judge(records, Options()).steps == ()
    assert not any(each.outline for each in judge(records, Options()).findings)
    verdict = judge(records, Options(keeps_details=True))
    assert [(each.findings, each.worst) for each in verdict.steps] == [(1, Level.ERROR)]
    assert all(each.outline for each in verdict.findings)
