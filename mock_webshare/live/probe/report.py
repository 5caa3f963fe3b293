"""Report: the decisions of a probe, and how they are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from mock_webshare.contract.model import Rule
from mock_webshare.errors import UnknownName
from mock_webshare.judge.model.finding import printable


class Outcome(StrEnum):
    """Whether a service keeps a rule."""

    KEPT = "kept"
    BROKEN = "broken"
    UNDECIDABLE = "not decidable"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the responses show about a rule."""

    rule: Rule
    outcome: Outcome
    why: tuple[str, ...] = ()
    """Phrases: what contradicts it, or why it cannot be decided."""
    options: tuple[str, ...] = ()
    """Options of `serve` that make the mock do the same."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All decisions about a service."""

    origin: str
    requests: int
    decisions: tuple[Decision, ...]
    """One for each rule that is neither documented nor observed, in the contract's order."""

    @property
    def options(self) -> tuple[str, ...]:
        """The options with which the mock does the same as the service, as far as it can."""
        return tuple(option for each in self.decisions for option in each.options)

    def count(self, outcome: Outcome) -> int:
        """Return the number of rules with an outcome."""
        return sum(each.outcome is outcome for each in self.decisions)


def report(name: str) -> Callable[[Findings], Iterator[str]]:
    """Return the writer of a report, which yields lines; raise `UnknownName` for an unknown name."""
    if name not in REPORTS:
        raise UnknownName("report", name, sorted(REPORTS))
    return REPORTS[name]


def _text(findings: Findings) -> Iterator[str]:
    width = max(len(each.rule.id) for each in findings.decisions)
    for outcome in Outcome:
        for each in findings.decisions:
            if each.outcome is outcome:
                yield f"{outcome:13}  {each.rule.id:{width}}  {each.rule.mark}  {each.rule.says}"
                yield from (f"{'':13}  {printable(why)}" for why in each.why)
    yield ""
    counts = ", ".join(f"{findings.count(outcome)} {outcome}" for outcome in Outcome)
    yield f"{findings.origin}, {findings.requests} requests: {counts}"
    if findings.options:
        yield f"To make the mock do the same: mock-webshare serve {' '.join(findings.options)}"


def _json(findings: Findings) -> Iterator[str]:
    document = {
        "origin": findings.origin,
        "requests": findings.requests,
        "rules": [
            {
                "id": each.rule.id,
                "mark": each.rule.mark,
                "says": each.rule.says,
                "outcome": each.outcome,
                "why": each.why,
                "options": each.options,
            }
            for each in findings.decisions
        ],
        "options": findings.options,
    }
    yield json.dumps(document, indent=2)


REPORTS: dict[str, Callable[[Findings], Iterator[str]]] = {"text": _text, "json": _json}
