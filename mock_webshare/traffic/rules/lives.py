"""Lives: what became of each row, in time, over all the answers that showed it.

Of each row its different states are kept, and when each was seen first and last: that is enough to
tell whether a state came after one that it cannot follow, in whatever order the answers are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_webshare.contract import Mark
from mock_webshare.traffic.fields import fields_of
from mock_webshare.traffic.finding import Finding, Level, excerpt, pointer
from mock_webshare.traffic.rulebook import RULES
from mock_webshare.traffic.rules.caps import Caps
from mock_webshare.traffic.rules.rows import read_instant
from mock_webshare.traffic.sighting import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.traffic.fields import Fields
    from mock_webshare.traffic.finding import Place
    from mock_webshare.traffic.sighting import Row, Sighting

MOST_ROWS = 50_000
"""Rows that are remembered; of more, those seen longest ago are forgotten."""
MOST_STATES = 16
"""States of one row that are remembered, the first ones."""


@dataclass(slots=True, eq=False)
class Answer:
    """When and where rows were seen."""

    when: int
    """The instant of the request, or, if it was not recorded, `order`."""
    order: int
    """The place of the answer in the order in which all are read."""
    started: int | None
    ended: int | None
    place: Place


@dataclass(slots=True)
class State:
    """One state of a row, and where it was seen first and last: in an answer, at an index."""

    digest: int
    text: str
    """The values, joined."""
    first: Answer
    first_index: int | None
    last: Answer
    last_index: int | None

    def note(self, answer: Answer, index: int | None) -> None:
        """Remember that the row was seen so again."""
        if answer.when > self.last.when:
            self.last, self.last_index = answer, index
        elif answer.when < self.first.when:
            self.first, self.first_index = answer, index


class Problem(NamedTuple):
    """Why one state cannot follow another."""

    rule: str
    field: str
    expected: Any
    actual: Any
    mark: Mark | None = None
    grade: Level | None = None


class Lives:
    """The rows seen so far."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        self._most = most
        self._states: dict[tuple[str, str, int], list[State]] = {}
        self._caps = Caps()  # like lives, they are known at the end only
        self._read = 0
        self.forgotten = 0
        """Rows that were forgotten for want of room."""

    def add(self, sighting: Sighting) -> Iterator[Finding]:
        """Given a sighting, remember it; yield what is wrong with what has to be forgotten for it."""
        yield from self._caps.add(sighting)
        self._read += 1
        started = sighting.started
        answer = Answer(started or self._read, self._read, started, sighting.ended, sighting.place)
        for row in sighting.rows:
            key = (sighting.key, sighting.schema, row.id)
            states = self._states.pop(key, None)
            # Put in again, it is the last to be forgotten.
            self._states[key] = _remember(states or [], row, answer)
        while len(self._states) > self._most:
            self.forgotten += 1
            yield from self._judge(next(iter(self._states)))

    def finish(self) -> Iterator[Finding]:
        """Yield what is wrong with what is remembered, and forget it."""
        yield from self._caps.finish()
        for key in list(self._states):
            yield from self._judge(key)

    def _judge(self, key: tuple[str, str, int]) -> Iterator[Finding]:
        states, fields = self._states.pop(key), fields_of(key[1])
        for index, one in enumerate(states):
            for other in states[index + 1 :]:
                yield from _judge_pair(one, other, fields)


def _remember(states: list[State], row: Row, answer: Answer) -> list[State]:
    digest = hash(row.values)
    for state in states:
        if state.digest == digest:
            state.note(answer, row.at)
            return states
    if len(states) < MOST_STATES:
        states.append(State(digest, _text(row.values), answer, row.at, answer, row.at))
    return states


def _text(values: tuple[Any, ...]) -> str:
    return "\x1f".join(str(float(each)) if type(each) is Decimal else str(each) for each in values)


def _judge_pair(one: State, other: State, fields: Fields) -> Iterator[Finding]:
    """Given two states of one row, yield why they cannot have followed each other as they did."""
    forwards, backwards = list(_problems(one, other, fields)), list(_problems(other, one, fields))
    is_forwards, is_backwards = _is_before(one.first, other.last), _is_before(other.first, one.last)
    if is_forwards or (not is_backwards and forwards and backwards):
        # Or nobody knows which came first, but neither could follow the other.
        yield from (_finding(each, one, other) for each in forwards)
    if is_backwards:
        said = {(each.rule, each.field) for each in forwards} if is_forwards else set()
        left = (each for each in backwards if (each.rule, each.field) not in said)
        yield from (_finding(each, other, one) for each in left)


def _is_before(one: Answer, other: Answer) -> bool:
    """Whether an answer was certainly given before another one was asked for."""
    if one.started is not None and one.ended is not None and other.started is not None:
        return one.started < other.started and one.ended <= other.started
    is_one_file = one.place.source == other.place.source
    return one.started is None and other.started is None and is_one_file and one.order < other.order


_MOVES = {"pending": ("available", "reverted"), "available": ("reverted",), "reverted": ()}
"""What a status may become. That an available credit is reverted is not said anywhere, nor that it is not."""
_FREE = frozenset({"status", "reverted_at", "updated_at", "mode"})
"""Fields with a rule of their own."""
_OF_THE_CHANNEL = frozenset({"referral_channel", "referral_channel_code"})
"""Fields that change when the channel does, which is no update of the row."""


def _problems(one: State, other: State, fields: Fields) -> Iterator[Problem]:
    """Yield why the second state cannot follow the first."""
    before, after = _values(one, fields), _values(other, fields)
    if not before or not after:
        return
    if after["mode"] != before["mode"]:
        yield Problem("object.mode", "mode", before["mode"], after["mode"])
    yield from _status_problems(before["status"], after["status"])
    was, became = read_instant(before["updated_at"]), read_instant(after["updated_at"])
    if was is None or became is None:
        return
    if became < was:
        yield Problem("object.updated-at", "updated_at", before["updated_at"], after["updated_at"])
    elif became == was:
        yield from _changes(before, after, fields)


def _values(state: State, fields: Fields) -> dict[str, str] | None:
    values = state.text.split("\x1f")
    return dict(zip(fields.all, values, strict=True)) if len(values) == len(fields.all) else None


def _status_problems(was: str, became: str) -> Iterator[Problem]:
    if was == became or was not in _MOVES or became not in _MOVES:
        return
    if became not in _MOVES[was]:
        yield Problem("object.lifecycle", "status", list(_MOVES[was]), became)
    elif was == "available":
        yield Problem("object.lifecycle", "status", [was], became, mark=Mark.ASSUMED)


def _changes(before: dict[str, str], after: dict[str, str], fields: Fields) -> Iterator[Problem]:
    """Yield what changed although `updated_at` did not."""
    for name in fields.all:
        if name in _FREE or before[name] == after[name] or ABSENT in (before[name], after[name]):
            continue
        if name in fields.dates and read_instant(before[name]) == read_instant(after[name]):
            continue
        grade = Level.INCONCLUSIVE if name in _OF_THE_CHANNEL else None
        yield Problem("object.same", name, None, after[name], grade=grade)


def _finding(problem: Problem, earlier: State, later: State) -> Finding:
    keys = () if later.last_index is None else ("results", later.last_index)
    return Finding(
        rule=problem.rule,
        mark=problem.mark or RULES[problem.rule].mark,
        place=replace(later.last.place, pointer=pointer((*keys, problem.field))),
        check="changed",
        expected=problem.expected,
        actual=excerpt(problem.actual),
        grade=problem.grade,
        other=earlier.first.place,
    )
