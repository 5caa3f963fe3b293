"""Judge: checks records, one by one and against each other, for a verdict."""

from __future__ import annotations

import signal
from collections import Counter, deque
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.model import OtherFile
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.judge.check import CheckResult, check_record, redacted, redacted_place, redactor_of
from mock_webshare.judge.history.page_size_cap import PageSizeCaps
from mock_webshare.judge.history.page_walk import PageWalks
from mock_webshare.judge.history.row_history import RowHistory
from mock_webshare.judge.model.finding import Finding, Level
from mock_webshare.judge.model.rulebook import rules_of
from mock_webshare.judge.verdict import Group, Likeness, Timeline, Verdict, likeness_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from mock_webshare.exchange.model import BadRecord, Exchange
    from mock_webshare.judge.model.options import Options

    Record = Exchange | BadRecord | OtherFile | UnreadableInput
    Result = CheckResult | OtherFile | UnreadableInput

MOST_EXAMPLES = 10
"""Findings of a group that are kept; the others are only counted."""
MOST_GROUPS = 10_000
"""Groups that are told apart by request, pointer and cause; further groups, only by the rest."""
MOST_OUTLINES = 200
"""For how many groups of each level the lines of a body are kept."""
MOST_KEYS = 1000
"""API keys that are remembered, to redact them in all findings."""
CHUNK = 64
"""Records that are sent to a process at once, which makes sending them cheap."""
AHEAD = 3
"""Chunks for each process that are read before the results of the first are used."""


def judge(records: Iterable[Record], options: Options, *, jobs: int = 1) -> Verdict:
    """Return the verdict on the records of some files.

    `jobs` is the number of processes. Raises nothing, whatever the files contain.
    """
    run = Judge(options)
    for result in _results(iter(records), options, jobs):
        run.add(result)
    return run.verdict()


class Judge:
    """Collects the results of checking records, in their order."""

    def __init__(self, options: Options) -> None:
        contract = options.contract
        self._options, self._rules = options, rules_of(contract)
        self._rows, self._walks = RowHistory(contract), PageWalks(contract)
        self._caps = PageSizeCaps(contract)
        self._groups: dict[Likeness, Group] = {}
        self._known: dict[Likeness, Group] = {}  # by what findings have in common before redaction
        self._skipped: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._unreadable: list[UnreadableInput] = []
        self._sources: set[str] = set()
        self._keys: set[str] = set()
        self._exchanges = self._judged = 0
        self._timeline = Timeline() if options.keeps_details else None
        self._outlines: Counter[Level] = Counter()

    def add(self, result: Result) -> None:
        """Add the result of one record, with the findings in which it contradicts earlier records."""
        if isinstance(result, OtherFile):
            self._others[result.what] += 1
            return
        if isinstance(result, UnreadableInput):
            self._unreadable.append(result)
            return
        self._sources.add(result.source)
        self._exchanges += 1
        self._judged += result.is_judged
        if result.skipped:
            self._skipped[result.skipped] += 1
        if result.authorization and len(self._keys) < MOST_KEYS:
            self._keys.add(result.authorization)
        if self._timeline and result.step:
            self._timeline.add(result.step, has_findings=bool(result.findings))
        self._add_findings(result.findings, result.record)
        if (observation := result.observation) is not None:
            for history in (self._rows, self._walks, self._caps):
                self._add_findings(history.add(observation))

    def verdict(self) -> Verdict:
        """Return the verdict on all records."""
        self._add_findings(chain(self._caps.finish(), self._walks.finish(), self._rows.finish()))
        redactor = self._redact()
        groups = sorted(self._groups.values(), key=lambda group: group.first.level.rank)
        return Verdict(
            files=len(self._sources) + len(self._unreadable),
            exchanges=self._exchanges,
            judged=self._judged,
            skipped=dict(self._skipped),
            others=dict(self._others),
            groups=tuple(groups),
            unreadable=tuple(self._unreadable),
            forgotten=self._rows.forgotten + self._walks.forgotten,
            rules=self._rules,
            fail_on=self._options.fail_on,
            may_be_empty=self._options.may_be_empty,
            steps=self._timeline.steps(partial(redacted_place, redactor=redactor)) if self._timeline else (),
            steps_left_out=self._timeline.left_out if self._timeline else 0,
        )

    def _redact(self) -> Redactor:
        """Redact the API keys of all exchanges in all findings; return the redactor."""
        redactor = Redactor(word for key in self._keys for word in key.split())
        for group in self._groups.values():
            group.findings[:] = redacted(group.findings, redactor)
        return redactor

    def _add_findings(self, findings: Iterable[Finding], record: Exchange | None = None) -> None:
        """Add findings to their groups, except of rules that the contract does not have.

        Only findings that are kept are redacted, because redaction takes longer than all else here.
        """
        redactor = None
        for finding in findings:
            if finding.rule not in self._rules:
                continue
            if self._timeline:
                self._timeline.note(finding)
            likeness = likeness_of(finding)
            group = self._known.get(likeness)
            if group is None and len(self._known) >= MOST_GROUPS:
                group = self._groups.get(likeness.of_rule)
            if group is None or len(group.findings) < MOST_EXAMPLES:
                if record is not None:
                    redactor = redactor or redactor_of(record)
                    (finding,) = redacted((finding,), redactor)
                group = self._add_finding(finding)
                if len(self._known) < MOST_GROUPS:
                    self._known[likeness] = group
            group.count += 1

    def _add_finding(self, finding: Finding) -> Group:
        likeness = likeness_of(finding)
        if likeness not in self._groups and len(self._groups) >= MOST_GROUPS:
            likeness = likeness.of_rule
        group = self._groups.setdefault(likeness, Group(likeness, self._rules[finding.rule], []))
        if len(group.findings) < MOST_EXAMPLES:
            group.findings.append(self._with_few_outlines(finding, group))
        return group

    def _with_few_outlines(self, finding: Finding, group: Group) -> Finding:
        """Return a finding without its outline, unless it represents one of the first groups of its level."""
        if not finding.outline:
            return finding
        if group.findings or self._outlines[finding.level] >= MOST_OUTLINES:
            return replace(finding, outline=())
        self._outlines[finding.level] += 1
        return finding


def _results(records: Iterator[Record], options: Options, jobs: int) -> Iterator[Result]:
    """Yield the results of checking records, in their order."""
    first = list(islice(records, CHUNK)) if jobs > 1 else []
    if len(first) < CHUNK:  # fewer are not worth a process
        return (check_record(record, options) for record in chain(first, records))
    return _in_processes(first, records, options, jobs)


def _in_processes(
    first: list[Record], records: Iterator[Record], options: Options, jobs: int
) -> Iterator[Result]:
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(jobs, initializer=_start_worker, initargs=(options,)) as pool:
        waiting: deque[Future[list[Result]]] = deque([pool.submit(_check_chunk, first)])
        while chunk := list(islice(records, CHUNK)):
            waiting.append(pool.submit(_check_chunk, chunk))
            if len(waiting) > AHEAD * jobs:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


_worker_options: ContextVar[Options] = ContextVar("options")
"""The options of a worker process, which gets them once: caches belong to one object of a contract."""


def _start_worker(options: Options) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the parent process
    _worker_options.set(options)


def _check_chunk(records: list[Record]) -> list[Result]:
    options = _worker_options.get()
    results = (check_record(record, options) for record in records)
    return [each.without_secrets() if isinstance(each, CheckResult) else each for each in results]
