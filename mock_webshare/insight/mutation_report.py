"""Reports of mutation testing: text, JSON (its schema is `schemas/own/mutation.schema.json`) and JUnit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from mock_webshare.errors import pluralize
from mock_webshare.insight.mutants import KINDS, Result, Verdict, score, scored, unread
from mock_webshare.version import __version__

FORMAT = 1
"""Increased when a field changes its meaning or is removed."""
SUITE = "mock-webshare mutate"
_COLUMNS = 79
_UNREAD = (
    "Your client does not read them, or no test looks at what becomes of them. If it does not need them, "
    "this is as it should be."
)


class Report(NamedTuple):
    """The results of all mutants, in the order of the contract; `seconds` is how long the first run took."""

    results: Sequence[Result]
    seconds: float
    is_interrupted: bool = False

    def of(self, verdict: Verdict) -> list[Result]:
        """Return the results with a verdict."""
        return [each for each in self.results if each.verdict is verdict]


# Text.


def text(report: Report) -> str:
    """Return the text report: mutants with a bad verdict, a table by endpoint, and the score."""
    sections = [*_problems(report), _table(report), _summary(report)]
    return "\n".join("".join(f"{line}\n" for line in section) for section in sections)


def _problems(report: Report) -> Iterator[list[str]]:
    """Yield the lines about survivors, then about tolerable mutants with which the command does not pass."""
    fields = set(unread(report.results))
    survivors = report.of(Verdict.SURVIVED)
    if fields:
        found = [each for each in survivors if _field_of(each) in fields]
        yield _section(f"survived: every change of these fields. {_UNREAD}", found)
    yield from _by_kind("survived", [each for each in survivors if _field_of(each) not in fields])
    yield from _by_kind("too strict", report.of(Verdict.TOO_STRICT))
    slow = [each for each in report.of(Verdict.TIMED_OUT) if not each.mutant.is_breaking]
    yield from _by_kind("timed out", slow)


def _field_of(result: Result) -> tuple[str, str]:
    return result.mutant.endpoint, result.mutant.field


def _by_kind(verdict: str, results: Sequence[Result]) -> Iterator[list[str]]:
    for name, kind in KINDS.items():
        found = [each for each in results if each.mutant.kind == name]
        if found:
            yield _section(f"{verdict}: {name}. {kind.means}", found)


def _section(head: str, results: Sequence[Result]) -> list[str]:
    """Return lines: the sentence `head`, each endpoint with its fields, and the first mutant as a fault."""
    fields: dict[str, dict[str, None]] = {}
    for mutant, *_ in results:
        fields.setdefault(mutant.endpoint, {}).update({mutant.field: None} if mutant.field else {})
    lines = wrap(head, _COLUMNS)
    for endpoint, names in fields.items():
        listed = f"{endpoint}  {', '.join(names)}".rstrip()
        lines += wrap(listed, _COLUMNS, initial_indent="  ", subsequent_indent=6 * " ")
    return [*lines, f"  as a fault: {json.dumps(results[0].mutant.world_fault)}"]


_SHOWN = (
    Verdict.KILLED,
    Verdict.TIMED_OUT,
    Verdict.SURVIVED,
    Verdict.PASSED,
    Verdict.TOO_STRICT,
    Verdict.NOT_REACHED,
    Verdict.NOT_RUN,
)


def _table(report: Report) -> list[str]:
    """Return lines: how many mutants of each endpoint have each verdict, and the endpoints not reached."""
    counts: dict[str, Counter[Verdict]] = {}
    for mutant, verdict, *_ in report.results:
        counts.setdefault(mutant.endpoint, Counter())[verdict] += 1
    shown = [each for each in _SHOWN if any(count[each] for count in counts.values())]
    reached = {path: count for path, count in counts.items() if set(count) != {Verdict.NOT_REACHED}}
    lines = ["  ".join([*shown, "endpoint"])] if reached else []
    for path, count in reached.items():
        lines.append("  ".join([*(str(count[each]).rjust(len(each)) for each in shown), path]))
    others = [path for path in counts if path not in reached]
    return lines + wrap(f"not reached: {', '.join(others)}", _COLUMNS) if others else lines


def _summary(report: Report) -> list[str]:
    noticed, total = scored(report.results)
    found = score(report.results)
    lines = []
    if report.is_interrupted:
        lines.append("interrupted: what follows is about the mutants that were run until then")
    if unsteady := [each for each in report.of(Verdict.NOT_REACHED) if each.exit_code]:
        runs = pluralize(len(unsteady), "run")
        lines.append(f"{runs} failed although the mutant changed nothing: the command does not always pass")
    if left := report.of(Verdict.NOT_RUN):
        lines.append(f"not run: {pluralize(len(left), 'mutant')}")
    if found is None:
        return [*lines, "mutation score: none, because no breaking mutant was reached"]
    return [*lines, f"mutation score: {found} % ({noticed} of {pluralize(total, 'breaking mutant')} noticed)"]


# For programs.


def document(report: Report) -> dict[str, Any]:
    """Return the report as JSON data."""
    noticed, total = scored(report.results)
    return {
        "format": FORMAT,
        "tool": {"name": "mock-webshare", "version": __version__},
        "score": score(report.results),
        "noticed": noticed,
        "scored": total,
        "first_run_seconds": round(report.seconds, 3),
        "interrupted": report.is_interrupted,
        "verdicts": {verdict.value: len(report.of(verdict)) for verdict in Verdict},
        "mutants": [_result(each) for each in report.results],
    }


def _result(result: Result) -> dict[str, Any]:
    mutant = result.mutant
    return {
        "id": mutant.id,
        "kind": mutant.kind,
        "class": "breaking" if mutant.is_breaking else "tolerable",
        "endpoint": mutant.endpoint,
        "field": mutant.field or None,
        "fault": mutant.world_fault,
        "means": mutant.means,
        "verdict": result.verdict.value,
        "exit_code": result.exit_code,
        "seconds": round(result.seconds, 3),
    }


def json_text(report: Report) -> str:
    """Return the JSON document as text."""
    return json.dumps(document(report), indent=2) + "\n"


_FAILED = (Verdict.SURVIVED, Verdict.TOO_STRICT)
_SKIPPED = (Verdict.NOT_REACHED, Verdict.NOT_RUN)


def junit(report: Report) -> str:
    """Return the report as JUnit: each mutant is a test case, which fails if the verdict is a bad one."""
    failed = [each for each in report.results if _is_failed(each)]
    skipped = [each for each in report.results if each.verdict in _SKIPPED]
    counts = {"tests": len(report.results), "failures": len(failed), "errors": 0, "skipped": len(skipped)}
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite", {"name": SUITE} | {name: str(n) for name, n in counts.items()})
    for result in report.results:
        suite.append(_case(result))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _is_failed(result: Result) -> bool:
    is_slow = result.verdict is Verdict.TIMED_OUT and not result.mutant.is_breaking
    return result.verdict in _FAILED or is_slow


def _case(result: Result) -> ET.Element:
    mutant, verdict = result.mutant, result.verdict
    place = f"{SUITE}.{mutant.kind.partition('.')[0]}"
    case = ET.Element("testcase", classname=place, name=mutant.id, time=f"{result.seconds:.3f}")
    if _is_failed(result):
        failure = ET.SubElement(case, "failure", type=verdict.value, message=f"{verdict}: {mutant.means}")
        failure.text = f"as a fault: {json.dumps(mutant.world_fault)}"
    elif verdict in _SKIPPED:
        ET.SubElement(case, "skipped").text = verdict.value
    return case


FORMATS: Mapping[str, Callable[[Report], str]] = {"text": text, "json": json_text, "junit": junit}
"""By the name of a format: the function that returns the report in it."""
