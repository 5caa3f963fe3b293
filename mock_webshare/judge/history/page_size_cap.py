"""PageSizeCaps: whether short pages show a lower limit, or are just too short.

One response does not show which: if 100 rows were requested, 50 may be the largest page that the service
serves. All responses to one API key together do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mock_webshare.contract.model import Contract, Mark
from mock_webshare.judge.history.observation import Observation, PageObservation
from mock_webshare.judge.model.finding import Finding, Place
from mock_webshare.judge.model.page import Page
from mock_webshare.judge.model.rulebook import finding_of

MOST_KEYS = 1000
"""API keys whose pages are kept; beyond that, the pages of the key seen longest ago are decided early."""
MOST_UNDECIDED = 10_000
"""Pages of one key that are kept until they are decided."""


@dataclass(slots=True, eq=False)
class PageSizes:
    """The lengths of the pages of one key and resource."""

    longest: int = 0
    full_pages: dict[int, set[str | None]] = field(default_factory=dict)
    """One or two URLs of pages with fewer rows than requested although more follow, by number of rows."""
    undecided: list[tuple[Place, Page]] = field(default_factory=list)
    """Pages whose size only another limit explains, and pages with rows beyond the last one."""

    def note(self, place: Place, page: Page) -> None:
        """Remember a page."""
        if page.is_size_asked:
            self.longest = max(self.longest, page.length)
        if page.has_next and page.is_consistent and page.length < page.wanted:
            urls = self.full_pages.setdefault(page.length, set())
            if len(urls) < 2:
                urls.add(place.url)
        has_other_size = page.size != page.assumed and not page.is_longer
        if has_other_size or (page.length and not page.exists):
            self.undecided.append((place, page))

    def is_capped(self, page: Page) -> bool:
        """Whether the size of a page is a limit: uncontradicted, and round or seen twice."""
        size, longest_full = page.size, max(self.full_pages, default=0)
        is_contradicted = size < self.longest or 0 < longest_full < size
        is_round = size % 10 == 0 or size % 25 == 0
        is_twice = size == longest_full and len(self.full_pages[size]) > 1
        # A limit below the usual size would be odd, so it has to be round and seen twice.
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
        # The order of keys is that of their last pages.
        self._sizes[key] = sizes = self._sizes.pop(key, None) or PageSizes()
        sizes.note(observation.place, observation.page)
        if len(sizes.undecided) > MOST_UNDECIDED:
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
        has_short = any(sizes.is_short(page) for _, page in sizes.undecided)
        for place, page in sizes.undecided:
            rows, before = place.at("results"), (page.number - 1) * page.assumed
            if sizes.is_capped(page):
                yield self._finding("list.page-size-limit", rows, page.assumed, page.size)
            elif sizes.is_short(page):
                mark = None if page.is_size_plain else Mark.FRAMEWORK
                yield self._finding("list.page-size", rows, page.assumed, page.length, mark=mark)
            elif has_short:
                continue  # the short page explains what is wrong
            else:
                yield self._finding("list.count", place.at("count"), before + page.length, page.count)
        sizes.undecided.clear()

    def _finding(
        self, rule: str, place: Place, expected: int, actual: int, mark: Mark | None = None
    ) -> Finding:
        return finding_of(rule, place, self._contract, expected=expected, actual=actual, mark=mark)
