"""PageSizeCaps: whether pages that are too short show a lower cap, or are just too short.

One answer does not tell: of 100 rows that were asked for, 50 may be all that the service gives at once.
All answers to a key together do.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from mock_webshare.contract.model import Mark
from mock_webshare.judge.model.finding import Finding, excerpt, pointer
from mock_webshare.judge.rules.status import NOT_FOUND, OK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.judge.history.observation import Observation
    from mock_webshare.judge.model.finding import Place
    from mock_webshare.judge.model.page import Page

_DEFAULT_SIZE = 25
_MARKS = {
    "list.page-size": Mark.DOCUMENTED,
    "list.page-size-limit": Mark.ASSUMED,
    "list.count": Mark.DOCUMENTED,
    "list.invalid-page": Mark.FRAMEWORK,
}
MOST_KEYS = 1000
"""Keys of which the pages are remembered; of more, those seen longest ago are decided upon early."""
MOST_DOUBTS = 10_000
"""Pages of one key that are remembered; then what is known by then decides."""


class Doubt(NamedTuple):
    """A page that another cap explains, namely its `size`, or that has rows beyond the last page."""

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
        if page.is_size_asked:
            self.longest = max(self.longest, page.length)
        if page.has_next and page.is_consistent and self.fullest <= page.length < page.wanted:
            if page.length > self.fullest:
                self.fullest = page.length
                self.full.clear()
            if len(self.full) < 2:
                self.full.add(place.url)
        has_other_size = page.size != page.assumed and not page.is_longer
        if has_other_size or (page.length and not page.exists):
            self.doubts.append(Doubt(place, page))

    def is_capped(self, page: Page) -> bool:
        """Whether nothing contradicts the cap, and something is for it: that it is round, or two pages."""
        cap = page.size
        is_contradicted = cap < self.longest or 0 < self.fullest < cap
        is_round = cap % 10 == 0 or cap % 25 == 0
        is_twice = cap == self.fullest and len(self.full) > 1
        # One below the size of a page that asks for none would be odd, so it takes both.
        is_likely = is_round and is_twice if cap < _DEFAULT_SIZE else is_round or is_twice
        return cap != page.assumed and is_likely and not is_contradicted


class PageSizeCaps:
    """The lengths of the pages seen so far, by key."""

    def __init__(self) -> None:
        self._lengths: dict[tuple[str, str], Lengths] = {}

    def add(self, observation: Observation) -> Iterator[Finding]:
        """Given a observation, remember its page; yield what is decided upon for want of room."""
        if observation.listed is None:
            return
        key = (observation.key, observation.fields.of)
        lengths = self._lengths.pop(key, None) or Lengths()
        self._lengths[key] = lengths
        lengths.note(observation.place, observation.listed.page)
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
    has_short = any(_is_short(each.page, lengths) for each in lengths.doubts)
    for doubt in lengths.doubts:
        page = doubt.page
        if lengths.is_capped(page):
            yield _finding(doubt, "list.page-size-limit", page.assumed, page.size, "results")
        elif _is_short(page, lengths):
            mark = None if page.is_size_plain else Mark.FRAMEWORK
            yield _finding(doubt, "list.page-size", page.assumed, page.length, "results", mark=mark)
        elif not has_short:  # else it follows from that, and says nothing new
            yield _rest(doubt, (page.number - 1) * page.assumed)
    lengths.doubts.clear()


def _is_short(page: Page, lengths: Lengths) -> bool:
    """Whether a page has too few rows although more follow, and no cap explains it."""
    return page.has_next and page.size != page.assumed and not lengths.is_capped(page)


def _rest(doubt: Doubt, before: int) -> Finding:
    """Given a page that has rows after so many others, return what is wrong with it."""
    page = doubt.page
    if before < page.count:
        return _finding(doubt, "list.count", before + page.length, page.count, "count")
    return _finding(doubt, "list.invalid-page", NOT_FOUND, OK, check="beyond")


def _finding(
    doubt: Doubt,
    rule: str,
    expected: int,
    actual: int,
    *keys: str,
    check: str | None = None,
    mark: Mark | None = None,
) -> Finding:
    return Finding(
        rule=rule,
        mark=mark or _MARKS[rule],
        place=replace(doubt.place, pointer=pointer(keys)),
        check=check or rule,
        expected=expected,
        actual=excerpt(actual),
    )
