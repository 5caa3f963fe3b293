"""PageWalks: pages of one list, requested one after the other.

A walk shows each row once, in one order. Data may change between two requests, though: a finding that
this may explain is inconclusive. Several clients may walk through a list at a time: a page continues
the walk that has reached the page before it, whichever client requests it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from mock_webshare.contract.model import Mark
from mock_webshare.contract.timestamps import SECOND
from mock_webshare.judge.history.observation import ABSENT, PageObservation
from mock_webshare.judge.model.finding import Finding, Level, excerpt
from mock_webshare.judge.model.row_fields import UPDATED_AT
from mock_webshare.judge.rules.ordering import violation_of
from mock_webshare.judge.rules.rows import read_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.judge.history.observation import Observation, Row
    from mock_webshare.judge.model.finding import Place

MOST_ROWS = 300_000
"""Rows of unfinished walks that are kept; beyond that, the walks continued longest ago are dropped."""
LONGEST_STEP = 600 * SECOND
"""Between two pages of one walk."""
MOST_EARLY = 64
"""Pages that are kept in case the page before them is read later."""

Key: TypeAlias = tuple[str, str, int]
"""API key, list and number of a page."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What is kept of a page."""

    place: Place
    started: int | None
    count: int
    ids: frozenset[int]
    last: Row | None
    """None: the page has no rows."""


@dataclass(slots=True, eq=False)
class Walk:
    """The pages so far."""

    first: int
    """The number of the page with which it began."""
    step: Step
    """The latest page."""
    before: Step | None = None
    """The page before that. None: the latest page is the first one."""
    has_moved: bool = False
    """Whether data has certainly changed since it began, or not all of its rows are known."""
    ids: set[int] = field(default_factory=set)
    """Those of the pages before the latest one."""
    twice: int = 0
    """Rows that came twice."""

    @property
    def size(self) -> int:
        """The rows that are kept for it, and one, so that an empty walk counts too."""
        return len(self.ids) + len(self.step.ids) + 1


class PageWalks:
    """The unfinished walks."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most = most
        self._walks: dict[Key, Walk] = {}
        """By the latest page: of two walks that reached it, the later one can stand for both."""
        self._early: dict[Key, PageObservation] = {}
        """Pages with which a walk began in the middle."""
        self._size = 0
        self.forgotten = 0
        """Walks that were dropped for lack of room, or because their pages are too far out of order."""

    def add(self, observation: Observation) -> Iterator[Finding]:
        """Yield what is wrong with a page as the next one of its walk."""
        if isinstance(observation, PageObservation):
            yield from self._follow(observation)
        elif observation.missing_page is not None:
            yield from self._miss(observation, *observation.missing_page)

    def _follow(self, latest: PageObservation) -> Iterator[Finding]:
        number = latest.page.number
        step = _step_of(latest)
        walk = self._take(latest, number - 1)
        again = self._take(latest, number)
        if walk is not None:
            yield from _continue(walk, step, latest)
        elif again is not None and again.first < number:
            walk = again
            yield from _repeat(walk, step, latest)
        else:
            walk = Walk(number, step, has_moved=again is not None and _has_other_rows(again.step, step))
            self._keep_early(latest)
        # A row without an id of its own is not among the rows.
        walk.has_moved |= len(latest.rows) != latest.page.length
        if latest.page.has_next:
            self._keep(walk, latest)
            yield from self._catch_up(latest)
        else:
            yield from _finish(walk, latest)

    def _take(self, latest: PageObservation, number: int) -> Walk | None:
        """Remove and return the walk that has reached a page, if it may continue now."""
        key = (latest.key, latest.list_id, number)
        walk = self._walks.get(key)
        if walk is None or not _is_soon(walk.step, latest):
            return None
        self._size -= walk.size
        return self._walks.pop(key)

    def _keep(self, walk: Walk, latest: PageObservation) -> None:
        key = (latest.key, latest.list_id, latest.page.number)
        if (other := self._walks.pop(key, None)) is not None:
            self._size -= other.size
        self._walks[key] = walk
        self._size += walk.size
        while self._size > self._most:
            oldest = self._walks.pop(next(iter(self._walks)))
            self._size -= oldest.size
            self.forgotten += _is_soon(oldest.step, latest)

    def _keep_early(self, latest: PageObservation) -> None:
        if latest.page.number == 1 or latest.started is None:
            return
        self._early[latest.key, latest.list_id, latest.page.number] = latest
        if len(self._early) > MOST_EARLY:
            del self._early[next(iter(self._early))]

    def _catch_up(self, latest: PageObservation) -> Iterator[Finding]:
        """Continue with the next page if it was read already, out of order."""
        key = (latest.key, latest.list_id, latest.page.number + 1)
        early = self._early.get(key)
        if early is None or not _is_soon(_step_of(latest), early):
            return
        del self._early[key]
        begun = self._walks.get(key)
        if early.page.has_next and (begun is None or begun.first != early.page.number):
            self.forgotten += 1  # the walk that began there has continued without this one
        else:
            yield from self._follow(early)

    def _miss(self, observation: Observation, list_id: str, number: int) -> Iterator[Finding]:
        """Yield that a page was not found although the page before it has a link to it."""
        walk = self._walks.get((observation.key, list_id, number - 1))
        if walk is not None and _is_soon(walk.step, observation):
            walk.has_moved = True
            yield _finding(walk.step, observation, (), "gone", 200, 404, grade=Level.INCONCLUSIVE)


def _step_of(latest: PageObservation) -> Step:
    rows = latest.rows
    ids = frozenset([row.id for row in rows])
    return Step(latest.place, latest.started, latest.page.count, ids, rows[-1] if rows else None)


def _is_soon(step: Step, observation: Observation) -> bool:
    """Whether a request came soon after a page, or, without times, in the same file."""
    before, after = step.started, observation.started
    if before is None or after is None:
        return step.place.source == observation.place.source
    return 0 <= after - before <= LONGEST_STEP


def _has_other_rows(one: Step, other: Step) -> bool:
    """Whether as many rows are others: data has changed, or two keys look the same."""
    return one.count == other.count and one.ids != other.ids


def _continue(walk: Walk, step: Step, latest: PageObservation) -> Iterator[Finding]:
    """Add the next page to a walk, and yield what is wrong with it."""
    walk.ids |= walk.step.ids
    yield from _count(walk, step, latest)
    yield from _rows_again(walk, latest)
    yield from _order(walk, latest)
    walk.before, walk.step = walk.step, step


def _repeat(walk: Walk, step: Step, latest: PageObservation) -> Iterator[Finding]:
    """Replace the latest page, which was requested again; yield what is wrong now."""
    yield from _count(walk, step, latest)
    walk.has_moved |= step.ids != walk.step.ids
    yield from _rows_again(walk, latest, known=walk.step.ids)
    walk.step = step


def _count(walk: Walk, step: Step, latest: PageObservation) -> Iterator[Finding]:
    was, became = walk.step.count, step.count
    if became != was:
        walk.has_moved = True
        yield _finding(walk.step, latest, ("count",), "count", was, became, grade=Level.INCONCLUSIVE)


def _rows_again(
    walk: Walk, latest: PageObservation, known: frozenset[int] = frozenset()
) -> Iterator[Finding]:
    """Yield the rows that earlier pages have too, except known ones."""
    for row in latest.rows:
        if row.id in walk.ids and row.id not in known:
            walk.twice += 1
            may_have_moved = _may_have_moved(walk, row, latest)
            mark = Mark.ASSUMED if latest.has_ties and not may_have_moved else Mark.DOCUMENTED
            grade = Level.INCONCLUSIVE if may_have_moved else None
            keys = ("results", row.at or 0, "id")
            yield _finding(walk.step, latest, keys, "again", None, row.id, mark, grade)


def _may_have_moved(walk: Walk, row: Row, latest: PageObservation) -> bool:
    return walk.has_moved or latest.is_mutable or _has_changed(walk.step, row, latest)


def _has_changed(step: Step, row: Row, latest: PageObservation) -> bool:
    """Whether a row was updated since a page was requested."""
    updated = read_instant(_fields(row, latest).get(UPDATED_AT))
    return updated is not None and step.started is not None and updated >= step.started


def _fields(row: Row, latest: PageObservation) -> dict[str, Any]:
    values = zip(latest.fields.all, row.values, strict=True)
    return {name: value for name, value in values if value is not ABSENT}


def _order(walk: Walk, latest: PageObservation) -> Iterator[Finding]:
    """Yield that the first row of a page belongs before the last one before it."""
    before, after = walk.step.last, latest.rows[0] if latest.rows else None
    if before is None or after is None or latest.ordering is None or after.id in walk.ids:
        return
    rows = _fields(before, latest), _fields(after, latest)
    violation = violation_of(latest.ordering, latest.fields, *rows)
    if violation:
        has_moved = _may_have_moved(walk, after, latest)
        yield Finding(
            rule=violation.rule,
            mark=violation.mark,
            place=latest.place.at("results", after.at or 0, violation.term.field),
            check="order",
            expected=str(violation.term),
            actual=excerpt(violation.value),
            grade=Level.INCONCLUSIVE if has_moved else None,
            other=walk.step.place,
        )


def _finish(walk: Walk, latest: PageObservation) -> Iterator[Finding]:
    """Yield what is wrong with a walk that has reached its last page."""
    if walk.first != 1 or not latest.page.is_consistent or walk.has_moved or walk.twice:
        return
    shown, count = len(walk.ids | walk.step.ids), latest.page.count
    if shown < count:
        grade = Level.INCONCLUSIVE if latest.is_mutable else None
        before = walk.before or walk.step
        yield _finding(before, latest, ("count",), "lost", shown, count, grade=grade)


def _finding(
    earlier: Step,
    latest: Observation,
    keys: tuple[str | int, ...],
    check: str,
    expected: Any,
    actual: Any,
    mark: Mark = Mark.DOCUMENTED,
    grade: Level | None = None,
) -> Finding:
    return Finding(
        rule="list.walk",
        mark=mark,
        place=latest.place.at(*keys),
        check=check,
        expected=expected,
        actual=excerpt(actual),
        grade=grade,
        other=earlier.place,
    )
