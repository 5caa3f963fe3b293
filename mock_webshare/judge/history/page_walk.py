"""PageWalks: pages of one list that were asked for one after the other.

A walk shows each row once, in one order. Data may move between two requests, though: what may be
explained by that is inconclusive, and is said to be. Several clients may walk through one list at a time:
a page goes on with the walk that has come as far, whoever asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mock_webshare.contract.model import Mark
from mock_webshare.contract.timestamps import SECOND
from mock_webshare.judge.history.observation import Absent
from mock_webshare.judge.model.finding import Finding, Level, excerpt, pointer
from mock_webshare.judge.rules.ordering import breach_of
from mock_webshare.judge.rules.rows import read_instant
from mock_webshare.judge.rules.status import NOT_FOUND, OK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.judge.history.observation import ListedPage, Missed, Observation, Row
    from mock_webshare.judge.model.finding import Place

MOST_ROWS = 300_000
"""Rows of unfinished walks that are remembered; of more, the walks continued longest ago are given up."""
LONGEST_STEP = 600 * SECOND
"""Between two pages of one walk."""
MOST_EARLY = 64
"""Pages that are kept for the case that the one before them is read later."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What is kept of a page."""

    place: Place
    started: int | None
    count: int
    ids: frozenset[int]
    last: Row | None
    """None: it has no rows."""


@dataclass(slots=True, eq=False)
class Walk:
    """The pages seen so far."""

    first: int
    """The number of the page with which it began."""
    step: Step
    """The latest page."""
    before: Step | None = None
    """The page before that. None: it is the first one."""
    has_moved: bool = False
    """Whether data is known to have moved since it began, or not all of its rows are known."""
    ids: set[int] = field(default_factory=set)
    """Those of the pages before the latest one."""
    twice: int = 0
    """Rows that came twice."""

    @property
    def rows(self) -> int:
        """The rows that are remembered for it; one at least, so that no walk is for nothing."""
        return len(self.ids) + len(self.step.ids) + 1


class PageWalks:
    """The walks that are under way."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most = most
        self._walks: dict[tuple[str, str, int], Walk] = {}
        """By key, list and the page they have come to: of two, the later one goes on as well as the other."""
        self._early: dict[tuple[str, str, int], Observation] = {}
        """Pages with which a walk began in the middle."""
        self._rows = 0
        self.forgotten = 0
        """PageWalks that were given up for want of room, or because their pages are too far out of order."""

    def add(self, observation: Observation) -> Iterator[Finding]:
        """Given a observation, yield what is wrong with it as the next page of its walk."""
        if observation.listed is not None:
            yield from self._follow(observation, observation.listed)
        elif observation.missed is not None:
            yield from self._miss(observation, observation.missed)

    def _follow(self, observation: Observation, listed: ListedPage) -> Iterator[Finding]:
        number = listed.page.number
        step = _step_of(observation, listed)
        is_known = len(observation.rows) == listed.page.length  # a row may have an id that is none
        walk = self._take(observation, listed.identity, number - 1)
        again = self._take(observation, listed.identity, number)
        if walk is not None:
            yield from _go_on(walk, step, observation, listed)
        elif again is not None and again.first < number:
            walk = again
            yield from _see_again(walk, step, observation, listed)
        else:
            walk = Walk(number, step, has_moved=again is not None and _has_other_rows(again.step, step))
            self._remember_early(observation, listed)
        walk.has_moved |= not is_known
        if listed.page.has_next:
            self._keep((observation.key, listed.identity, number), walk, observation)
            yield from self._catch_up(observation, listed)
        else:
            yield from _end(walk, observation, listed)

    def _take(self, observation: Observation, identity: str, number: int) -> Walk | None:
        """Return the walk that has come to a page and may go on now, and forget it."""
        key = (observation.key, identity, number)
        walk = self._walks.get(key)
        if walk is None or not _is_soon(walk.step, observation):
            return None
        self._rows -= walk.rows
        return self._walks.pop(key)

    def _keep(self, key: tuple[str, str, int], walk: Walk, observation: Observation) -> None:
        if (other := self._walks.pop(key, None)) is not None:
            self._rows -= other.rows
        self._walks[key] = walk
        self._rows += walk.rows
        while self._rows > self._most:
            oldest = self._walks.pop(next(iter(self._walks)))
            self._rows -= oldest.rows
            self.forgotten += _is_soon(oldest.step, observation)

    def _remember_early(self, observation: Observation, listed: ListedPage) -> None:
        if listed.page.number == 1 or observation.started is None:
            return
        self._early[observation.key, listed.identity, listed.page.number] = observation
        if len(self._early) > MOST_EARLY:
            del self._early[next(iter(self._early))]

    def _catch_up(self, observation: Observation, listed: ListedPage) -> Iterator[Finding]:
        """Go on with the next page if it was read already, as in a file that is a little out of order."""
        key = (observation.key, listed.identity, listed.page.number + 1)
        early = self._early.get(key)
        if early is None or early.listed is None or not _is_soon(_step_of(observation, listed), early):
            return
        del self._early[key]
        begun = self._walks.get(key)
        if early.listed.page.has_next and (begun is None or begun.first != key[2]):
            self.forgotten += 1  # the walk that began there has gone on without this one
        else:
            yield from self._follow(early, early.listed)

    def _miss(self, observation: Observation, missed: Missed) -> Iterator[Finding]:
        """Yield that a page was not found to which the one before it led."""
        walk = self._walks.get((observation.key, missed.identity, missed.number - 1))
        if missed.row is None and walk is not None and _is_soon(walk.step, observation):
            walk.has_moved = True
            yield _finding(walk.step, observation, (), "gone", OK, NOT_FOUND, grade=Level.INCONCLUSIVE)


def _step_of(observation: Observation, listed: ListedPage) -> Step:
    rows = observation.rows
    ids = frozenset([row.id for row in rows])
    return Step(observation.place, observation.started, listed.page.count, ids, rows[-1] if rows else None)


def _is_soon(step: Step, observation: Observation) -> bool:
    """Whether something was asked for soon after a page; without times, whether it is in the same file."""
    before, after = step.started, observation.started
    if before is None or after is None:
        return step.place.source == observation.place.source
    return 0 <= after - before <= LONGEST_STEP


def _has_other_rows(one: Step, other: Step) -> bool:
    """Whether a page shows other rows of as many: data moved, or the clients have keys that are not known."""
    return one.count == other.count and one.ids != other.ids


def _go_on(walk: Walk, step: Step, observation: Observation, listed: ListedPage) -> Iterator[Finding]:
    """Given a walk and its next page, yield what is wrong with it."""
    walk.ids |= walk.step.ids
    yield from _count(walk, step, observation)
    yield from _rows_again(walk, observation, listed)
    yield from _order(walk, observation, listed)
    walk.before, walk.step = walk.step, step


def _see_again(walk: Walk, step: Step, observation: Observation, listed: ListedPage) -> Iterator[Finding]:
    """Given a walk and its latest page once more, yield what is wrong with it now."""
    yield from _count(walk, step, observation)
    walk.has_moved |= step.ids != walk.step.ids
    yield from _rows_again(walk, observation, listed, known=walk.step.ids)
    walk.step = step


def _count(walk: Walk, step: Step, observation: Observation) -> Iterator[Finding]:
    was, became = walk.step.count, step.count
    if became != was:
        walk.has_moved = True
        yield _finding(walk.step, observation, ("count",), "count", was, became, grade=Level.INCONCLUSIVE)


def _rows_again(
    walk: Walk, observation: Observation, listed: ListedPage, known: frozenset[int] = frozenset()
) -> Iterator[Finding]:
    """Yield the rows that earlier pages have, but for those of which that is known."""
    for row in observation.rows:
        if row.id in walk.ids and row.id not in known:
            walk.twice += 1
            keys, weight = ("results", row.at or 0, "id"), _weight(walk, listed, row, observation)
            yield _finding(walk.step, observation, keys, "again", None, row.id, **weight)


def _weight(walk: Walk, listed: ListedPage, row: Row, observation: Observation) -> dict[str, Any]:
    """Return what a row that came twice weighs."""
    if _may_have_moved(walk, listed, row, observation):
        return {"grade": Level.INCONCLUSIVE}
    return {"mark": Mark.ASSUMED} if listed.has_ties else {}


def _may_have_moved(walk: Walk, listed: ListedPage, row: Row, observation: Observation) -> bool:
    return walk.has_moved or listed.is_mutable or _has_changed(walk.step, row, observation)


def _has_changed(step: Step, row: Row, observation: Observation) -> bool:
    """Whether a row was updated since a page was asked for."""
    updated = read_instant(_fields(row, observation).get("updated_at"))
    return updated is not None and step.started is not None and updated >= step.started


def _fields(row: Row, observation: Observation) -> dict[str, Any]:
    values = zip(observation.fields.all, row.values, strict=True)
    return {name: value for name, value in values if value is not Absent.ABSENT}


def _order(walk: Walk, observation: Observation, listed: ListedPage) -> Iterator[Finding]:
    """Yield that the first row of a page stands before the last one of the page before."""
    before, after = walk.step.last, observation.rows[0] if observation.rows else None
    if before is None or after is None or listed.ordering is None or after.id in walk.ids:
        return
    fields = observation.fields
    breach = breach_of(listed.ordering, fields, _fields(before, observation), _fields(after, observation))
    if breach:
        place = replace(observation.place, pointer=pointer(("results", after.at or 0, breach.term.field)))
        has_moved = _may_have_moved(walk, listed, after, observation)
        yield Finding(
            rule=breach.rule,
            mark=breach.mark,
            place=place,
            check="order",
            expected=str(breach.term),
            actual=excerpt(breach.value),
            grade=Level.INCONCLUSIVE if has_moved else None,
            other=walk.step.place,
        )


def _end(walk: Walk, observation: Observation, listed: ListedPage) -> Iterator[Finding]:
    """Yield what is wrong with a walk that has come to its last page."""
    if walk.first != 1 or not listed.page.is_consistent or walk.has_moved or walk.twice:
        return
    shown, count = len(walk.ids | walk.step.ids), listed.page.count
    if shown < count:
        grade = Level.INCONCLUSIVE if listed.is_mutable else None
        before = walk.before or walk.step
        yield _finding(before, observation, ("count",), "lost", shown, count, grade=grade)


def _finding(
    earlier: Step,
    observation: Observation,
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
        place=replace(observation.place, pointer=pointer(keys)),
        check=check,
        expected=expected,
        actual=excerpt(actual),
        grade=grade,
        other=earlier.place,
    )
