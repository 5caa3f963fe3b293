"""Verdict: the findings in some recordings, how much was judged, and a timeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

from mock_webshare.contract.model import Rule
from mock_webshare.errors import UnreadableInput
from mock_webshare.judge.model.finding import Finding, Level, Place, starred
from mock_webshare.judge.model.options import FAILING

CLEAN, FINDINGS, COULD_NOT = 0, 1, UnreadableInput.exit_code
"""Exit codes."""
MOST_STEPS = 1000
"""Exchanges that are kept, the first ones."""
MOST_FAULTY = 1000
"""Further exchanges that are kept because they have findings by themselves."""


class Likeness(NamedTuple):
    """What the findings of a group have in common."""

    source: str
    rule: str
    check: str
    level: str
    mark: str
    request: str
    """The method and the path, with a star for each id. Empty: not recorded."""
    pointer: str
    """With a star for each index."""
    cause: str
    """What is wrong, without the values of a row: the JSON types, and the values of fields in `CAUSES`."""

    @property
    def of_rule(self) -> Likeness:
        """The likeness without request, pointer and cause, which are too many to be told apart."""
        return self._replace(request="", pointer="", cause="")


_EXPECTED, _BOTH, _ACTUAL = ("expected",), ("expected", "actual"), ("actual",)
CAUSES: Mapping[str, tuple[str, ...]] = {
    "allow": _BOTH,
    "const": _EXPECTED,
    "content-type": _BOTH,
    "enum": _BOTH,
    "format": _EXPECTED,
    "json.constant": _ACTUAL,
    "json.duplicate-key": _ACTUAL,
    "json.syntax": _BOTH,
    "kind": _BOTH,
    "minimum": _EXPECTED,
    "no-vary": _ACTUAL,
    "not": _EXPECTED,
    "order": _EXPECTED,
    "pattern": _EXPECTED,
    "record.malformed": _ACTUAL,
    "retry-after": _ACTUAL,
    "status": _BOTH,
    "text": _EXPECTED,
    "type": _EXPECTED,
    "www-authenticate": _BOTH,
}
"""By check, the fields of a finding whose values belong to the cause; of other fields, only the type."""


def likeness_of(finding: Finding) -> Likeness:
    """Return what a finding has in common with the other findings of its group."""
    place = finding.place
    path = (place.url or "").partition("?")[0].partition("://")[2].partition("/")[2]
    return Likeness(
        place.source,
        finding.rule,
        finding.check,
        finding.level,
        finding.mark,
        starred(f"{place.method or ''} /{path}") if place.url else "",
        starred(place.pointer),
        _cause(finding),
    )


def _cause(finding: Finding) -> str:
    """Return a text that is equal for findings whose headlines differ only in the values of rows."""
    values = (getattr(finding, name) for name in CAUSES.get(finding.check, ()))
    return "\0".join((type(finding.expected).__name__, finding.actual_type, *map(repr, values)))


@dataclass(slots=True)
class Group:
    """Findings that differ only in their place and in the values of rows."""

    likeness: Likeness
    rule: Rule
    findings: list[Finding]
    """The first ones."""
    count: int = 0

    @property
    def first(self) -> Finding:
        """The finding that represents the group."""
        return self.findings[0]


Key: TypeAlias = tuple[str, int | None]
"""File and entry of an exchange."""


@dataclass(slots=True)
class Step:
    """One exchange: what was requested when, and how severe its findings are."""

    place: Place
    """Without secrets; of an exchange that concerns no endpoint, without the URL."""
    started: int | None
    """The instant of the request. None: not recorded."""
    status: int | None
    skipped: str | None
    """Why the exchange was not judged. None: it was judged."""
    findings: int = 0
    worst: Level | None = None
    """The level of the most severe finding. None: no findings."""

    def note(self, level: Level) -> None:
        """Count a finding."""
        self.findings += 1
        if self.worst is None or level.rank < self.worst.rank:
            self.worst = level


def key_of(place: Place) -> Key:
    """Return what identifies the exchange of a place."""
    return place.source, place.entry


class Timeline:
    """The exchanges that are kept; the others are only counted."""

    def __init__(self) -> None:
        self._steps: dict[Key, Step] = {}
        self.left_out = 0
        """Exchanges that were too many to be kept."""

    def add(self, step: Step, *, has_findings: bool) -> None:
        """Keep an exchange, if there is room."""
        most = MOST_STEPS + MOST_FAULTY if has_findings else MOST_STEPS
        if len(self._steps) < most:
            self._steps[key_of(step.place)] = step
        else:
            self.left_out += 1

    def note(self, finding: Finding) -> None:
        """Count a finding at its exchange, if the exchange was kept."""
        if step := self._steps.get(key_of(finding.place)):
            step.note(finding.level)

    def steps(self, redacted: Callable[[Place], Place]) -> tuple[Step, ...]:
        """Return the exchanges that were kept, with their places redacted."""
        return tuple(replace(step, place=redacted(step.place)) for step in self._steps.values())


class Hints(NamedTuple):
    """What the clients in the recordings do wrong, which is not a finding about the service."""

    documents: Sequence[Mapping[str, Any]]
    """As JSON data."""
    lines: Sequence[str]
    """As text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The findings in all files, and how much was judged to find them."""

    files: int
    """The files that were given, the unreadable ones included."""
    exchanges: int
    """The records in the files, the malformed ones included."""
    judged: int
    """The exchanges to which the rules were applied; a body without a request needs a known shape."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """How many exchanges were skipped, by the reason."""
    others: Mapping[str, int] = field(default_factory=dict)
    """How many files were passed over because they are not recordings, by what they look like."""
    groups: tuple[Group, ...] = ()
    """The most severe first, and then in the order of the files."""
    unreadable: tuple[UnreadableInput, ...] = ()
    forgotten: int = 0
    """Rows and walks that were too many to be followed from beginning to end."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """Every rule that a finding may name, by its id."""
    fail_on: Level = Level.WARNING
    """The minimum severity that makes the exit code 1."""
    may_be_empty: bool = False
    """Whether it is a success if nothing was judged."""

    hints: Hints | None = None
    """None: they were not looked for."""
    steps: tuple[Step, ...] = ()
    """The exchanges that were kept for the timeline; empty without `Options.keeps_details`."""
    steps_left_out: int = 0
    """Exchanges that were too many to be kept."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings that were kept, group by group."""
        return tuple(each for group in self.groups for each in group.findings)

    def count(self, level: Level) -> int:
        """Return how many findings have a level."""
        return sum(group.count for group in self.groups if group.first.level is level)

    @property
    def failing(self) -> tuple[Level, ...]:
        """The levels that make the exit code 1."""
        return FAILING[: FAILING.index(self.fail_on) + 1]

    @property
    def exit_code(self) -> int:
        """0 clean; 1 severe enough findings; 2 something unreadable, or nothing judged."""
        if self.unreadable:
            return COULD_NOT
        if any(group.first.level in self.failing for group in self.groups):
            return FINDINGS
        return CLEAN if self.judged or self.may_be_empty else COULD_NOT
