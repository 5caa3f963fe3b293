"""ListComparison: whether the lists of one resource, with and without filters, show the same rows.

A row that one response shows and a whole list lacks, although the filters select it, may have changed
between the two requests. That is excluded if a later response shows the row unchanged, or if the row was
last updated before the list was made.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias, Unpack

from mock_webshare.contract.model import Contract
from mock_webshare.judge.history.observation import Criteria, Observation, PageObservation, Row, keys_of
from mock_webshare.judge.model.finding import Finding, Level, Place
from mock_webshare.judge.model.response_time import TOLERANCE, ResponseTime, is_before, is_soon
from mock_webshare.judge.model.row_fields import UPDATED_AT, read_instant
from mock_webshare.judge.model.rulebook import Details, finding_of

MOST_ROWS = 3000
"""Rows of recent responses that are kept; beyond that, the resources seen longest ago lose theirs."""
MOST_GROUPS = 200
"""Pairs of API key and resource whose lists are kept."""
MOST_LISTS, LONGEST_LIST = 4, 5000
"""Whole lists of one resource that are kept, and the rows of the longest one that is compared."""
MOST_MISSING = 100
"""Rows of one resource that are kept until a later response shows whether they have changed."""
MOST_COUNTS = 16

Key: TypeAlias = tuple[str, str]
"""API key and resource."""
PageKey: TypeAlias = tuple[str, int, int, int]
"""List, number, `count` and length of a page."""


class Whole(NamedTuple):
    """A list, all of whose rows are known."""

    criteria: Criteria
    ids: frozenset[int]
    first: ResponseTime
    """The time of its first page."""
    last: ResponseTime
    place: Place
    """Its last page."""
    lacking: set[int]
    """The ids of the rows that are already known to be missing in the list."""


class Shown(NamedTuple):
    """A row as a response showed it."""

    row: Row
    by: Observation

    @property
    def values(self) -> Mapping[str, Any]:
        """The values by field."""
        return self.by.fields.named(self.row.values)

    def place(self, *field: str) -> Place:
        """Return the place of the row, or of a field in it."""
        return self.by.place.at(*keys_of(self.by.prefix, self.row.position), *field)

    def is_selected(self, criteria: Criteria) -> bool:
        """Whether the row has the values by which a list is selected."""
        values = self.values if self.row.values else {}
        return bool(values) and all(values.get(name) == wanted for name, wanted in criteria)

    def is_unchanged_since(self, time: ResponseTime) -> bool:
        """Whether the row was last updated before a response was made, by the service's clock."""
        updated = read_instant(self.values.get(UPDATED_AT))
        if updated is None or time.made_from is None or time.is_mock:
            return False
        return updated < time.made_from - TOLERANCE


class Missing(NamedTuple):
    """A row that a later list lacks."""

    shown: Shown
    whole: Whole


class Count(NamedTuple):
    """The number of rows that a list has, as a page says."""

    total: int
    time: ResponseTime
    place: Place


@dataclass(slots=True, eq=False)
class Group:
    """What responses have shown of one resource of a key."""

    recent: deque[Observation] = field(default_factory=deque)
    wholes: deque[Whole] = field(default_factory=lambda: deque(maxlen=MOST_LISTS))
    missing: dict[int, Missing] = field(default_factory=dict)
    counts: dict[Criteria, Count] = field(default_factory=dict)
    """The counts in the latest page of each list."""

    pages: dict[PageKey, PageObservation] = field(default_factory=dict)
    """The recent responses that are pages."""

    def drop(self) -> int:
        """Drop the oldest response; return how many rows it has."""
        oldest = self.recent.popleft()
        if isinstance(oldest, PageObservation) and self.pages.get(_page_key(oldest)) is oldest:
            del self.pages[_page_key(oldest)]
        return len(oldest.rows)

    @property
    def size(self) -> int:
        """The rows of the responses that are kept."""
        return sum(len(each.rows) for each in self.recent)


class ListComparison:
    """The lists and rows so far, by key and resource."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._groups: dict[Key, Group] = {}
        self._rows = 0

    def add(self, observation: Observation) -> Iterator[Finding]:
        """Yield findings where a response and earlier ones contradict each other; remember the response."""
        key = (observation.key, observation.fields.resource.name)
        # The order of groups is that of their last responses.
        self._groups[key] = group = self._groups.pop(key, None) or Group()
        self._drop_old(group, observation)
        if isinstance(observation, PageObservation):
            yield from self._compare_counts(group, observation)
            yield from self._compare_pages(group, observation)
        for row in observation.rows if group.missing else ():
            yield from self._settle(group, Shown(row, observation))
        for whole in group.wholes:
            for row in observation.rows:
                if row.id not in whole.ids:
                    yield from self._check_earlier_list(Shown(row, observation), whole)
        group.recent.append(observation)
        self._rows += len(observation.rows)
        yield from self._make_room()
        if observation.is_whole and not isinstance(observation, PageObservation):
            ids = frozenset(row.id for row in observation.rows)
            yield from self.add_whole(observation, ids, observation.time)

    def add_whole(self, last: Observation, ids: frozenset[int], first: ResponseTime) -> Iterator[Finding]:
        """Remember a whole list, and earlier rows that it lacks; yield findings about later rows."""
        if last.criteria is None or len(ids) > LONGEST_LIST:
            return
        group = self._groups[last.key, last.fields.resource.name]
        whole = Whole(last.criteria, ids, first, last.time, last.place, set())
        for each in group.recent:
            for row in each.rows:
                if row.id not in ids and row.id not in group.missing:
                    yield from self._check_later_list(group, Shown(row, each), whole)
        group.wholes.append(whole)

    def finish(self) -> Iterator[Finding]:
        """Yield what could not be settled, and forget everything."""
        while self._groups:
            yield from self._forget(next(iter(self._groups)))

    def _drop_old(self, group: Group, observation: Observation) -> None:
        while group.recent and not is_soon(group.recent[0].time, observation.time):
            self._rows -= group.drop()

    def _make_room(self) -> Iterator[Finding]:
        while self._rows > MOST_ROWS:
            self._rows -= next(each for each in self._groups.values() if each.recent).drop()
        if len(self._groups) > MOST_GROUPS:
            yield from self._forget(next(iter(self._groups)))

    def _forget(self, key: Key) -> Iterator[Finding]:
        group = self._groups.pop(key)
        self._rows -= group.size
        for each in group.missing.values():
            yield self._missing(each, Level.INCONCLUSIVE)

    def _check_later_list(self, group: Group, shown: Shown, whole: Whole) -> Iterator[Finding]:
        """Remember a row that a list lacks, if it was shown before the list; otherwise judge it at once."""
        if not shown.is_selected(whole.criteria):
            return
        if not _is_before(shown.by.time, whole.first):
            yield from self._check_earlier_list(shown, whole)
        elif len(group.missing) < MOST_MISSING:
            group.missing[shown.row.id] = Missing(shown, whole)
            whole.lacking.add(shown.row.id)

    def _check_earlier_list(self, shown: Shown, whole: Whole) -> Iterator[Finding]:
        """Yield a finding if a list lacks a row that had its present values already at that time."""
        is_after = shown.row.id not in whole.lacking and is_before(whole.last, shown.by.time)
        if is_after and shown.is_selected(whole.criteria) and shown.is_unchanged_since(whole.first):
            whole.lacking.add(shown.row.id)
            yield self._finding(shown.place("id"), check="unlisted", actual=shown.row.id, other=whole.place)

    def _settle(self, group: Group, shown: Shown) -> Iterator[Finding]:
        """Yield a finding if a row that a list lacked is shown again unchanged; in any case forget it."""
        missing = group.missing.get(shown.row.id)
        if missing is None or not _is_before(missing.whole.last, shown.by.time):
            return
        del group.missing[shown.row.id]
        if shown.row.values == missing.shown.row.values:
            # The data of a mock server may be restored.
            is_certain = UPDATED_AT in shown.by.fields.stable and not shown.by.time.is_mock
            yield self._missing(missing, None if is_certain else Level.INCONCLUSIVE)

    def _missing(self, missing: Missing, fixed_level: Level | None) -> Finding:
        shown, whole = missing
        return self._finding(
            whole.place, check="missing", expected=shown.row.id, other=shown.place(), fixed_level=fixed_level
        )

    def _compare_counts(self, group: Group, page: PageObservation) -> Iterator[Finding]:
        """Yield a finding if a list with more filters has more rows than one with fewer filters."""
        if page.criteria is None:
            return
        count = page.page.count
        for criteria, other in group.counts.items():
            if not is_soon(other.time, page.time):
                continue
            if {*criteria} < {*page.criteria} and count > other.total:
                check, fixed_level = "at-most", None if _has_existed(page, other) else Level.INCONCLUSIVE
            elif {*page.criteria} < {*criteria} and count < other.total:
                check, fixed_level = "at-least", Level.INCONCLUSIVE
            else:
                continue
            yield self._finding(
                page.place.at("count"),
                check=check,
                expected=other.total,
                actual=count,
                other=other.place.at("count"),
                fixed_level=fixed_level,
            )
        if len(group.counts) < MOST_COUNTS or page.criteria in group.counts:
            group.counts[page.criteria] = Count(count, page.time, page.place)

    def _compare_pages(self, group: Group, page: PageObservation) -> Iterator[Finding]:
        """Yield a finding if a page that was requested again has as many rows, but not the same ones."""
        other = group.pages.get(_page_key(page))
        group.pages[_page_key(page)] = page
        if other is not None and not page.is_whole and (gone := other.ids - page.ids):
            place, fixed_level = page.place.at("results"), Level.INCONCLUSIVE
            yield self._finding(
                place, check="rows", expected=min(gone), other=other.place, fixed_level=fixed_level
            )

    def _finding(self, place: Place, **details: Unpack[Details]) -> Finding:
        return finding_of("list.complete", place, self._contract, **details)


def _is_before(one: ResponseTime, other: ResponseTime) -> bool:
    """Whether `one`, which was read earlier, was made before `other`; without times, if in one recording."""
    certain = is_before(one, other)
    return one.recording == other.recording if certain is None else certain


def _has_existed(page: PageObservation, earlier: Count) -> bool:
    """Whether more rows of a page existed at the time of an earlier response than that response counted."""
    old = (row for row in page.rows if Shown(row, page).is_unchanged_since(earlier.time))
    return sum(1 for _ in old) > earlier.total


def _page_key(page: PageObservation) -> PageKey:
    return page.list_id, page.page.number, page.page.count, page.page.length
