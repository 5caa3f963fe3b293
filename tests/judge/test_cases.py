"""The cases: files that are clean, and files that break the rule whose folder they are in.

A clean case stands in `clean/`, or in `clean/<rule>/` if it is near to breaking that one. A broken
case says in its name where: `results.0.id--is-a-string.json` at `/results/0/id`, `--is-empty.json` as a
whole. Findings that are only info do not count.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from mock_webshare import recordings
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.model.rulebook import NOT_JUDGED, rules_of
from mock_webshare.judge.run import judge
from mock_webshare.judge.verdict import Verdict
from tests.paths import CASES

CLEAN = sorted(path for path in CASES.glob("clean/**/*") if path.is_file())
BROKEN = sorted(CASES.glob("broken/*/*"))


def judged(case: Path) -> Verdict:
    return judge(recordings.read([str(case)], BytesIO()), Options())


def expected_pointer(case: Path) -> str:
    keys = case.name.split("--")[0]
    return "/" + keys.replace(".", "/") if keys else ""


@pytest.mark.parametrize("case", CLEAN, ids=lambda case: case.stem)
def test_a_clean_case_has_no_findings_but_news(case: Path) -> None:
    verdict = judged(case)
    assert {each.level for each in verdict.findings} <= {Level.INFO}
    assert verdict.exit_code == 0


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_a_broken_case_breaks_the_rule_it_stands_under_and_no_other(case: Path) -> None:
    verdict = judged(case)
    rule = case.parent.name
    graver = [each for each in verdict.findings if each.level is not Level.INFO or each.rule == rule]
    assert [(each.rule, each.place.pointer) for each in graver] == [(rule, expected_pointer(case))]


def test_every_rule_that_is_judged_has_a_case() -> None:
    assert {case.parent.name for case in BROKEN} == rules_of().keys() - NOT_JUDGED.keys()
