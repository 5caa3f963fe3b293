"""Caps: whether pages that are too short show a lower cap than the assumed one, or are just too short.

One answer does not tell: of 100 rows that were asked for, 50 may be all that the service gives at once.
All answers to a key together do.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from mock_webshare.contract import Mark
from mock_webshare.traffic.finding import Finding, excerpt, pointer
from mock_webshare.traffic.rulebook import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.traffic.finding import Place
    from mock_webshare.traffic.paging import Page
    from mock_webshare.traffic.sighting import Sighting

MOST_KEYS = 1000
"""Keys of which the pages are remembered; of more, those seen longest ago are decided upon early."""
MOST_DOUBTS = 10_000
"""Pages of one key that are remembered; then what is known by then decides."""


class Doubt(NamedTuple):
    """A page that only another cap explains, namely its `size`."""

    place: Place
    page: Page


@dataclass(slots=True, eq=False)
class Lengths:
    """How long the pages of one key are."""

    longest: int = 0
    fullest: int = 0
    """The longest page that has fewer rows than were asked for, although more follow. 0: there is none."""
    full: set[str | None] = field(default_factory=set)
    """What was asked when it came, once or twice."""
    doubts: list[Doubt] = field(default_factory=list)

    def note(self, place: Place, page: Page) -> None:
        """Remember a page."""
        self.longest = max(self.longest, page.length)
        if page.has_next and page.is_consistent and self.fullest <= page.length < page.wanted:
            if page.length > self.fullest:
                self.fullest = page.length
                self.full.clear()
            if len(self.full) < 2:
                self.full.add(place.url)
        if page.size != page.assumed and not page.is_longer:
            self.doubts.append(Doubt(place, page))

    def may_have_cap(self, cap: int) -> bool:
        """Whether nothing contradicts a cap, and something speaks for it: that it is round, or two pages."""
        is_contradicted = cap < self.longest or 0 < self.fullest < cap
        is_round = cap % 10 == 0 or cap % 25 == 0
        return not is_contradicted and (is_round or (cap == self.fullest and len(self.full) > 1))


class Caps:
    """The lengths of the pages seen so far, by key."""

    def __init__(self) -> None:
        self._lengths: dict[tuple[str, str], Lengths] = {}

    def add(self, sighting: Sighting) -> Iterator[Finding]:
        """Given a sighting, remember its page; yield what is decided upon for want of room."""
        if sighting.listed is None:
            return
        key = (sighting.key, sighting.schema)
        lengths = self._lengths.pop(key, None) or Lengths()
        self._lengths[key] = lengths
        lengths.note(sighting.place, sighting.listed.page)
        if len(lengths.doubts) > MOST_DOUBTS:
            yield from _decide(lengths)
        if len(self._lengths) > MOST_KEYS:
            yield from self._decide_oldest()

    def finish(self) -> Iterator[Finding]:
        """Yield what the pages of all keys come to, and forget them."""
        while self._lengths:
            yield from self._decide_oldest()

    def _decide_oldest(self) -> Iterator[Finding]:
        return _decide(self._lengths.pop(next(iter(self._lengths))))


def _decide(lengths: Lengths) -> Iterator[Finding]:
    for doubt in lengths.doubts:
        page = doubt.page
        if lengths.may_have_cap(page.size):
            yield _finding(doubt, "list.page-size-limit", page.assumed, page.size)
        elif page.has_next:
            mark = None if page.is_size_plain else Mark.FRAMEWORK
            yield _finding(doubt, "list.page-size", page.assumed, page.length, mark=mark)
        else:
            wanted = (page.number - 1) * page.assumed + page.length
            yield _finding(doubt, "list.count", wanted, page.count, "count")
    lengths.doubts.clear()


def _finding(
    doubt: Doubt, rule: str, expected: int, actual: int, key: str = "results", mark: Mark | None = None
) -> Finding:
    return Finding(
        rule=rule,
        mark=mark or RULES[rule].mark,
        place=replace(doubt.place, pointer=pointer([key])),
        check=rule,
        expected=expected,
        actual=excerpt(actual),
    )
