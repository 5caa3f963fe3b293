"""PageWalks: pages of one list, requested one after the other.

A walk shows each row once, in one order. Data may change between two requests, though: a finding is
inconclusive if a change may explain it. Several clients may walk through a list at the same time: a page
continues the walk that has reached the page before, whichever client requests it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from mock_webshare.contract.model import Contract, Mark
from mock_webshare.judge.history.list_comparison import ListComparison
from mock_webshare.judge.history.observation import ABSENT, Observation, PageObservation, Row
from mock_webshare.judge.model.finding import Finding, Level, Place, excerpt
from mock_webshare.judge.model.response_time import is_soon
from mock_webshare.judge.model.row_fields import UPDATED_AT, read_instant
from mock_webshare.judge.rules.ordering import neighbours, violation_of

MOST_ROWS = 300_000
"""Rows of unfinished walks that are kept; beyond that, the walks continued longest ago are dropped."""
MOST_EARLY = 64
"""Pages that are kept in case the page before them is read later."""

Key: TypeAlias = tuple[str, str, int]
"""API key, list and number of a page."""


class Walk:
    """A walk so far: its latest page, and the ids of the rows on the pages before."""

    def __init__(self, latest: PageObservation) -> None:
        self.first = latest.page.number
        """The number of the page with which the walk began."""
        self.previous: Place | None = None
        """The page before the latest one. None: the latest one is the first one."""
        self.earlier_ids: set[int] = set()
        """The ids of the rows on the pages before the latest one."""
        self.begun = latest.time
        self.has_moved = False
        """Whether data has certainly changed since the walk began, or some rows of it are not known."""
        self.has_repeated_row = False
        """Whether a row was shown twice."""
        self.set_latest(latest)

    def set_latest(self, latest: PageObservation) -> None:
        """Make a page the latest one of the walk."""
        self.place, self.time, self.count = latest.place, latest.time, latest.page.count
        self.ids = latest.ids
        self.last = latest.rows[-1] if latest.rows else None

    @property
    def size(self) -> int:
        """The number of ids that the walk keeps, plus one so that an empty walk counts too."""
        return len(self.earlier_ids) + len(self.ids) + 1


class PageWalks:
    """The unfinished walks."""

    def __init__(self, contract: Contract, most: int = MOST_ROWS) -> None:
        self._most = most
        self._lists = ListComparison(contract)
        self._walks: dict[Key, Walk] = {}
        """By their latest page: if two walks have reached the same one, the later walk replaces the other."""
        self._early: dict[Key, PageObservation] = {}
        """Pages with which a walk began in the middle."""
        self._size = 0
        self.forgotten = 0
        """Walks that were dropped for lack of room, or because their pages are too far out of order."""

    def add(self, observation: Observation) -> Iterator[Finding]:
        """Yield what is wrong with a page in its walk, and where lists contradict each other."""
        yield from self._lists.add(observation)
        if isinstance(observation, PageObservation):
            yield from self._follow(observation)
        elif observation.missing_page is not None:
            yield from self._check_missing_page(observation, *observation.missing_page)

    def finish(self) -> Iterator[Finding]:
        """Yield what is wrong with lists that no later response has settled."""
        return self._lists.finish()

    def _follow(self, latest: PageObservation) -> Iterator[Finding]:
        number = latest.page.number
        walk, reached = self._take(latest, number - 1), self._take(latest, number)
        if walk is not None:
            yield from _continue(walk, latest)
        elif reached is not None and reached.first < number:
            walk = reached
            yield from _repeat(walk, latest)
        else:
            walk = Walk(latest)
            # As many rows, but other ones: data has changed, or two keys look the same.
            walk.has_moved = reached is not None and reached.count == walk.count and reached.ids != walk.ids
            self._keep_early(latest)
        # Rows whose id or values have a wrong type are not observed.
        walk.has_moved |= len(latest.rows) != latest.page.length
        if latest.page.has_next:
            self._keep(walk, latest)
            yield from self._catch_up(latest)
        else:
            yield from self._finish(walk, latest)

    def _finish(self, walk: Walk, latest: PageObservation) -> Iterator[Finding]:
        """Yield what is wrong with a walk that has reached its last page."""
        if walk.first != 1 or not latest.page.is_consistent or walk.has_moved or walk.has_repeated_row:
            return
        ids, count = frozenset(walk.earlier_ids | walk.ids), latest.page.count
        if len(ids) < count:
            earlier, place = walk.previous or walk.place, latest.place.at("count")
            yield _finding(earlier, place, "lost", len(ids), count, has_moved=latest.is_mutable)
        else:
            yield from self._lists.add_whole(latest, ids, walk.begun)

    def _take(self, latest: PageObservation, number: int) -> Walk | None:
        """Remove and return the walk that has reached a page, if it may continue now."""
        key = (latest.key, latest.list_id, number)
        walk = self._walks.get(key)
        return self._drop(key) if walk is not None and is_soon(walk.time, latest.time) else None

    def _drop(self, key: Key) -> Walk | None:
        walk = self._walks.pop(key, None)
        self._size -= 0 if walk is None else walk.size
        return walk

    def _keep(self, walk: Walk, latest: PageObservation) -> None:
        key = (latest.key, latest.list_id, latest.page.number)
        self._drop(key)
        self._walks[key] = walk
        self._size += walk.size
        while self._size > self._most:
            oldest = self._drop(next(iter(self._walks)))
            self.forgotten += oldest is not None and is_soon(oldest.time, latest.time)

    def _keep_early(self, latest: PageObservation) -> None:
        if latest.page.number == 1 or latest.time.started is None:
            return
        self._early[latest.key, latest.list_id, latest.page.number] = latest
        if len(self._early) > MOST_EARLY:
            del self._early[next(iter(self._early))]

    def _catch_up(self, latest: PageObservation) -> Iterator[Finding]:
        """Continue with the next page if it was read already, out of order."""
        key = (latest.key, latest.list_id, latest.page.number + 1)
        early = self._early.get(key)
        if early is None or not is_soon(latest.time, early.time):
            return
        del self._early[key]
        begun = self._walks.get(key)
        if early.page.has_next and (begun is None or begun.first != early.page.number):
            self.forgotten += 1  # the walk that began at that page has gone on separately
        else:
            yield from self._follow(early)

    def _check_missing_page(self, observation: Observation, list_id: str, number: int) -> Iterator[Finding]:
        """Yield a finding if a page was not found although the page before links to it."""
        walk = self._walks.get((observation.key, list_id, number - 1))
        if walk is not None and is_soon(walk.time, observation.time):
            walk.has_moved = True
            yield _finding(walk.place, observation.place, "gone", 200, 404, has_moved=True)


def _continue(walk: Walk, latest: PageObservation) -> Iterator[Finding]:
    """Add the next page to a walk, and yield what is wrong with it."""
    walk.earlier_ids |= walk.ids
    yield from _compare_count(walk, latest)
    yield from _check_repeated_rows(walk, latest)
    yield from _check_order(walk, latest)
    walk.previous = walk.place
    walk.set_latest(latest)


def _repeat(walk: Walk, latest: PageObservation) -> Iterator[Finding]:
    """Replace the latest page of a walk by the same page, requested again; yield what is wrong with it."""
    yield from _compare_count(walk, latest)
    walk.has_moved |= latest.ids != walk.ids
    yield from _check_repeated_rows(walk, latest, known=walk.ids)
    walk.set_latest(latest)


def _compare_count(walk: Walk, latest: PageObservation) -> Iterator[Finding]:
    was, became = walk.count, latest.page.count
    if became != was:
        walk.has_moved = True
        yield _finding(walk.place, latest.place.at("count"), "count", was, became, has_moved=True)


def _check_repeated_rows(
    walk: Walk, latest: PageObservation, known: frozenset[int] = frozenset()
) -> Iterator[Finding]:
    """Yield the rows that earlier pages have too, except those already reported."""
    for row in latest.rows:
        if row.id in walk.earlier_ids and row.id not in known:
            walk.has_repeated_row = True
            has_moved = _may_have_moved(walk, row, latest)
            mark = Mark.ASSUMED if latest.has_ties and not has_moved else Mark.DOCUMENTED
            place = latest.place.at("results", row.position or 0, "id")
            yield _finding(walk.place, place, "again", None, row.id, mark=mark, has_moved=has_moved)


def _check_order(walk: Walk, latest: PageObservation) -> Iterator[Finding]:
    """Compare the first row of a page with the last row of the page before."""
    before, after = walk.last, latest.rows[0] if latest.rows else None
    if before is None or after is None or latest.ordering is None or after.id in walk.earlier_ids:
        return
    rows = _fields(before, latest), _fields(after, latest)
    if violation := violation_of(latest.ordering, latest.fields, *rows):
        term, value, rule, mark = violation
        place = latest.place.at("results", after.position or 0, term.field)
        has_moved = _may_have_moved(walk, after, latest)
        finding = _finding(
            walk.place, place, "order", str(term), value, rule=rule, mark=mark, has_moved=has_moved
        )
        yield replace(finding, neighbours=neighbours(*rows, term))


def _may_have_moved(walk: Walk, row: Row, latest: PageObservation) -> bool:
    """Whether the data, or at least this row, may have changed since the page before."""
    updated = read_instant(_fields(row, latest).get(UPDATED_AT))
    since = walk.time.started if walk.time.date is None or walk.time.is_mock else walk.time.made_from
    has_changed = updated is not None and since is not None and updated >= since
    return walk.has_moved or latest.is_mutable or has_changed


def _fields(row: Row, latest: PageObservation) -> dict[str, Any]:
    values = latest.fields.named(row.values)
    return {name: value for name, value in values.items() if value is not ABSENT}


def _finding(
    earlier: Place,
    place: Place,
    check: str,
    expected: Any,
    actual: Any,
    *,
    rule: str = "list.walk",
    mark: Mark = Mark.DOCUMENTED,
    has_moved: bool,
) -> Finding:
    """Return a finding, inconclusive if data may have moved between the two pages."""
    return Finding(
        rule=rule,
        mark=mark,
        place=place,
        check=check,
        expected=expected,
        actual=excerpt(actual),
        fixed_level=Level.INCONCLUSIVE if has_moved else None,
        other=earlier,
    )
