"""Verdict: what the judge says about a set of recordings."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.judge.discretion import discreet
from mock_webshare.judge.history.page_size_cap import PageSizeCaps
from mock_webshare.judge.history.page_walk import PageWalks
from mock_webshare.judge.history.row_history import RowHistory
from mock_webshare.judge.jobs import examine_all
from mock_webshare.judge.model.finding import Finding, Level
from mock_webshare.judge.model.options import FAILING
from mock_webshare.judge.model.rulebook import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mock_webshare.contract.model import Rule
    from mock_webshare.exchange.model import BadRecord, Exchange
    from mock_webshare.judge.check import Examined
    from mock_webshare.judge.model.options import Options

CLEAN, FINDINGS, COULD_NOT = 0, 1, UnreadableInput.exit_code
"""Exit codes."""

MOST_EXAMPLES = 10
"""Places of equal findings that are kept; of more, only the number is."""


MOST_GROUPS = 10_000
"""Groups of findings that are told apart by their pointers; in further ones the pointers do not count."""


MOST_KEYS = 1000
"""Keys that are remembered, lest a finding tell one."""


class Likeness(NamedTuple):
    """What findings have in common that are told as one."""

    source: str
    rule: str
    check: str
    level: str
    mark: str
    pointer: str
    """With a star for each index."""
    has_value: str
    """Whether anything is there at all; what it is makes no difference."""


@dataclass(slots=True)
class Group:
    """Findings that differ in nothing but their place, and the value there."""

    likeness: Likeness
    rule: Rule
    findings: list[Finding]
    """The first ones."""
    count: int = 0

    @property
    def first(self) -> Finding:
        """The one that stands for all."""
        return self.findings[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The findings in all files, and how much was looked at to find them."""

    files: int
    """The files that were given, the unreadable ones included."""
    exchanges: int
    """The records in them, the malformed ones included."""
    judged: int
    """The exchanges that were held against the rules; a body that is no JSON cannot be."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """How many were not, by the reason."""
    groups: tuple[Group, ...] = ()
    """The gravest first, and then in the order of the files."""
    unreadable: tuple[UnreadableInput, ...] = ()
    forgotten: int = 0
    """Rows and walks that were too many to be followed from beginning to end."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """Every rule that a finding may name, by its id."""
    fail_on: Level = Level.WARNING
    """The least grave level that makes the exit code 1."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings of which the place is known, group by group."""
        return tuple(each for group in self.groups for each in group.findings)

    def count(self, level: Level) -> int:
        """Given a level, return how many findings it has."""
        return sum(group.count for group in self.groups if group.first.level is level)

    @property
    def failing(self) -> tuple[Level, ...]:
        """The levels that make the exit code 1."""
        return FAILING[: FAILING.index(self.fail_on) + 1]

    @property
    def exit_code(self) -> int:
        """0 clean; 1 findings grave enough; 2 something was unreadable, or nothing was judged."""
        if self.unreadable:
            return COULD_NOT
        if any(group.first.level in self.failing for group in self.groups):
            return FINDINGS
        return CLEAN if self.judged else COULD_NOT


class Judge:
    """Hears what records came to, one after the other, and then gives the verdict."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._rules = rules_of(options.contract)
        self._rows, self._walks, self._caps = RowHistory(self._rules), PageWalks(), PageSizeCaps()
        self._groups: dict[Likeness, Group] = {}
        self._skipped: Counter[str] = Counter()
        self._unreadable: list[UnreadableInput] = []
        self._sources: set[str] = set()
        self._keys: set[str] = set()
        self._exchanges = self._judged = 0

    def hear(self, examined: Examined | UnreadableInput) -> None:
        """Given what a record came to, add it to the verdict."""
        if isinstance(examined, UnreadableInput):
            self._unreadable.append(examined)
            return
        self._sources.add(examined.source)
        self._exchanges += 1
        self._judged += examined.is_judged
        if examined.skipped:
            self._skipped[examined.skipped] += 1
        if examined.authorization and len(self._keys) < MOST_KEYS:
            self._keys.add(examined.authorization)
        self._add(examined.findings)
        if (observation := examined.observation) is not None:
            for heard in (self._rows, self._walks, self._caps):
                self._add(heard.add(observation))

    def verdict(self) -> Verdict:
        """Return the verdict on all that was heard."""
        self._add(chain(self._caps.finish(), self._rows.finish()))
        self._forget_keys()
        levels = list(Level)
        groups = sorted(self._groups.values(), key=lambda group: levels.index(group.first.level))
        return Verdict(
            files=len(self._sources) + len(self._unreadable),
            exchanges=self._exchanges,
            judged=self._judged,
            skipped=dict(self._skipped),
            groups=tuple(groups),
            unreadable=tuple(self._unreadable),
            forgotten=self._rows.forgotten + self._walks.forgotten,
            rules=self._rules,
            fail_on=self._options.fail_on,
        )

    def _forget_keys(self) -> None:
        """Leave no key in a finding, wherever another exchange has told it."""
        redactor = Redactor(word for key in self._keys for word in key.split())
        for group in self._groups.values():
            group.findings[:] = discreet(group.findings, redactor)

    def _add(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            likeness = _likeness(finding)
            if likeness not in self._groups and len(self._groups) >= MOST_GROUPS:
                likeness = likeness._replace(pointer="", has_value="")
            group = self._groups.setdefault(likeness, Group(likeness, self._rules[finding.rule], []))
            group.count += 1
            if len(group.findings) < MOST_EXAMPLES:
                group.findings.append(finding)


_INDEX = re.compile(r"/\d+(?=/|$)")


def _likeness(finding: Finding) -> Likeness:
    place = finding.place
    return Likeness(
        place.source,
        finding.rule,
        finding.check,
        finding.level,
        finding.mark,
        _INDEX.sub("/*", place.pointer),
        str(finding.actual is not None),
    )


def judge(
    records: Iterable[Exchange | BadRecord | UnreadableInput], options: Options, *, jobs: int = 1
) -> Verdict:
    """Given the records of some files, return the verdict on all of them.

    `jobs` is the number of processes. Raises nothing for anything that may be in a file.
    """
    bench = Judge(options)
    for examined in examine_all(records, options, jobs):
        bench.hear(examined)
    return bench.verdict()
