"""PageSizeCaps: whether short pages show a lower limit, or are just too short.

One response does not show it: if 100 rows were requested, 50 may be the largest page that the service
serves. All responses to a key together do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mock_webshare.contract.model import Mark
from mock_webshare.judge.history.observation import PageObservation
from mock_webshare.judge.model.finding import Finding, excerpt
from mock_webshare.judge.model.rulebook import mark_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.contract.model import Contract
    from mock_webshare.judge.history.observation import Observation
    from mock_webshare.judge.model.finding import Place
    from mock_webshare.judge.model.page import Page

MOST_KEYS = 1000
"""Keys whose pages are kept; beyond that, those seen longest ago are decided early."""
MOST_DOUBTS = 10_000
"""Pages of one key that are kept until they are decided."""


@dataclass(slots=True, eq=False)
class PageSizes:
    """How long the pages of one key are."""

    longest: int = 0
    fullest: int = 0
    """The longest page with fewer rows than requested although more follow. 0: there is no such page."""
    full: set[str | None] = field(default_factory=set)
    """One or two of the URLs to which the response was as long as that."""
    doubts: list[tuple[Place, Page]] = field(default_factory=list)
    """Pages that only another limit explains, namely their size, or that have rows beyond the last page."""

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
            self.doubts.append((place, page))

    def is_capped(self, page: Page) -> bool:
        """Whether the size of a page is a limit: uncontradicted, and round or seen twice."""
        size = page.size
        is_contradicted = size < self.longest or 0 < self.fullest < size
        is_round = size % 10 == 0 or size % 25 == 0
        is_twice = size == self.fullest and len(self.full) > 1
        # A limit below the usual size would be odd, so it has to be both.
        is_likely = is_round and is_twice if size < page.usual else is_round or is_twice
        return size != page.assumed and is_likely and not is_contradicted

    def is_short(self, page: Page) -> bool:
        """Whether a page has too few rows although more follow, and no limit explains it."""
        return page.has_next and page.size != page.assumed and not self.is_capped(page)


class PageSizeCaps:
    """The page sizes so far, by key and resource."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._sizes: dict[tuple[str, str], PageSizes] = {}

    def add(self, observation: Observation) -> Iterator[Finding]:
        """Remember a page; yield the findings about pages that are forgotten."""
        if not isinstance(observation, PageObservation):
            return
        key = (observation.key, observation.fields.resource.name)
        sizes = self._sizes.pop(key, None) or PageSizes()
        self._sizes[key] = sizes
        sizes.note(observation.place, observation.page)
        if len(sizes.doubts) > MOST_DOUBTS:
            yield from self._decide(sizes)
        if len(self._sizes) > MOST_KEYS:
            yield from self._decide_oldest()

    def finish(self) -> Iterator[Finding]:
        """Yield the findings about all pages, and forget them."""
        while self._sizes:
            yield from self._decide_oldest()

    def _decide_oldest(self) -> Iterator[Finding]:
        return self._decide(self._sizes.pop(next(iter(self._sizes))))

    def _decide(self, sizes: PageSizes) -> Iterator[Finding]:
        has_short = any(sizes.is_short(page) for _, page in sizes.doubts)
        for place, page in sizes.doubts:
            if sizes.is_capped(page):
                yield self._finding(place, "list.page-size-limit", page.assumed, page.size, "results")
            elif sizes.is_short(page):
                mark = None if page.is_size_plain else Mark.FRAMEWORK
                yield self._finding(place, "list.page-size", page.assumed, page.length, "results", mark=mark)
            elif not has_short:  # otherwise it follows from the short page
                yield self._beyond(place, page)
        sizes.doubts.clear()

    def _beyond(self, place: Place, page: Page) -> Finding:
        """Return what is wrong with a page that has more rows than `count` leaves for it."""
        before = (page.number - 1) * page.assumed
        if before < page.count:
            return self._finding(place, "list.count", before + page.length, page.count, "count")
        return self._finding(place, "list.invalid-page", 404, 200, check="beyond")

    def _finding(
        self,
        place: Place,
        rule: str,
        expected: int,
        actual: int,
        *keys: str,
        check: str | None = None,
        mark: Mark | None = None,
    ) -> Finding:
        return Finding(
            rule=rule,
            mark=mark or mark_of(rule, self._contract),
            place=place.at(*keys),
            check=check or rule,
            expected=expected,
            actual=excerpt(actual),
        )
