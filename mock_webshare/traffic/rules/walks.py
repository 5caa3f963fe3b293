"""Walks: pages of one list that were asked for one after the other.

A walk shows each row once. Data may move between two requests, though: what may be explained by that
is inconclusive, and is said to be.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mock_webshare.contract import Mark
from mock_webshare.instants import SECOND
from mock_webshare.traffic.fields import fields_of
from mock_webshare.traffic.finding import Finding, Level, excerpt, pointer
from mock_webshare.traffic.rules.rows import read_instant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.traffic.sighting import Listed, Row, Sighting

MOST_ROWS = 300_000
"""Rows of unfinished walks that are remembered; of more, the walks continued longest ago are given up."""
LONGEST_STEP = 600 * SECOND
"""Between two pages of one walk."""


@dataclass(slots=True)
class Walk:
    """The pages seen so far."""

    sighting: Sighting
    """The latest page."""
    listed: Listed
    is_whole: bool
    """Whether it began with the first page."""
    has_moved: bool = False
    """Whether data is known to have moved since it began."""
    ids: set[int] = field(default_factory=set)
    twice: int = 0
    """Rows that came twice."""


class Walks:
    """The walks that are under way."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most = most
        self._walks: dict[tuple[str, str], Walk] = {}
        self._rows = 0
        self.forgotten = 0
        """Walks that were given up for want of room."""

    def add(self, sighting: Sighting) -> Iterator[Finding]:
        """Given a sighting, yield what is wrong with it as the next page of its walk."""
        listed = sighting.listed
        if listed is None:
            return
        key = (sighting.key, listed.identity)
        walk = self._walks.pop(key, None)
        if walk is not None:
            self._rows -= len(walk.ids)
        if walk is not None and _continues(walk, sighting, listed):
            yield from _step(walk, sighting, listed)
            walk.sighting, walk.listed = sighting, listed
        else:
            walk = Walk(sighting, listed, is_whole=listed.page.number == 1)
        walk.ids.update(row.id for row in sighting.rows)
        if not listed.page.has_next:
            yield from _end(walk, sighting, listed)
        else:
            self._keep(key, walk)

    def _keep(self, key: tuple[str, str], walk: Walk) -> None:
        self._walks[key] = walk
        self._rows += len(walk.ids)
        while self._rows > self._most:
            oldest = self._walks.pop(next(iter(self._walks)))
            self._rows -= len(oldest.ids)
            self.forgotten += 1


def _continues(walk: Walk, sighting: Sighting, listed: Listed) -> bool:
    if listed.page.number != walk.listed.page.number + 1:
        return False
    before, after = walk.sighting.started, sighting.started
    if before is None or after is None:
        return walk.sighting.place.source == sighting.place.source
    return 0 <= after - before <= LONGEST_STEP


def _step(walk: Walk, sighting: Sighting, listed: Listed) -> Iterator[Finding]:
    was, became = walk.listed.page.count, listed.page.count
    if became != was:
        walk.has_moved = True
        yield _finding(walk, sighting, ("count",), "count", was, became, grade=Level.INCONCLUSIVE)
    for row in sighting.rows:
        if row.id in walk.ids:
            walk.twice += 1
            keys = ("results", row.at or 0, "id")
            yield _finding(
                walk, sighting, keys, "again", None, row.id, **_weight(walk, listed, row, sighting)
            )


def _weight(walk: Walk, listed: Listed, row: Row, sighting: Sighting) -> dict[str, Any]:
    """Return what a row that came twice weighs."""
    if walk.has_moved or listed.is_mutable or _has_changed(walk, row, sighting):
        return {"grade": Level.INCONCLUSIVE}
    return {"mark": Mark.ASSUMED} if listed.has_ties else {}


def _has_changed(walk: Walk, row: Row, sighting: Sighting) -> bool:
    """Whether a row was updated since the page before was asked for."""
    updated = read_instant(
        dict(zip(fields_of(sighting.schema).all, row.values, strict=True)).get("updated_at")
    )
    since = walk.sighting.started
    return updated is not None and since is not None and updated >= since


def _end(walk: Walk, sighting: Sighting, listed: Listed) -> Iterator[Finding]:
    """Yield what is wrong with a walk that has come to its last page."""
    if not walk.is_whole or not listed.page.is_consistent or walk.has_moved or walk.twice:
        return
    if len(walk.ids) < listed.page.count:
        grade = Level.INCONCLUSIVE if listed.is_mutable else None
        yield _finding(walk, sighting, ("count",), "lost", len(walk.ids), listed.page.count, grade=grade)


def _finding(
    walk: Walk,
    sighting: Sighting,
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
        place=replace(sighting.place, pointer=pointer(keys)),
        check=check,
        expected=expected,
        actual=excerpt(actual),
        grade=grade,
        other=walk.sighting.place,
    )
