"""RowHistory: what became of each row, in time, over all the answers that showed it.

Of each row its different states are kept, and when each was seen first and last: that is enough to
tell whether a state came after one that it cannot follow, in whatever order the answers are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mock_webshare.contract.model import Mark
from mock_webshare.judge.history.observation import Absent
from mock_webshare.judge.model.finding import Finding, Level, excerpt, pointer
from mock_webshare.judge.model.schema_fields import UPDATED_AT
from mock_webshare.judge.rules.rows import LONGEST_WAIT, read_instant
from mock_webshare.judge.rules.status import NOT_FOUND, OK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mock_webshare.contract.model import Lifecycle, Rule
    from mock_webshare.judge.history.observation import Observation
    from mock_webshare.judge.model.finding import Place
    from mock_webshare.judge.model.schema_fields import Fields

MOST_STATES = 60_000
"""States of rows that are remembered; of more, those of the rows seen longest ago are forgotten."""
MOST_STATES_OF_ONE = 16
"""States of one row that are remembered, the first ones."""


@dataclass(slots=True, eq=False)
class Answer:
    """When and where rows were seen."""

    when: int
    """The instant of the request, or, if it was not recorded, `order`."""
    by: int
    """The instant by which the answer had been given, or `order`."""
    order: int
    """The place of the answer in the order in which all are read."""
    started: int | None
    ended: int | None
    place: Place


@dataclass(slots=True)
class State:
    """One state of a row, and where it was seen first and last: in an answer, at an index."""

    values: tuple[Any, ...] | None
    """As those of a `Row`. None: the row was not found."""
    first: Answer
    first_index: int | None
    last: Answer
    last_index: int | None

    def note(self, answer: Answer, index: int | None) -> None:
        """Remember that the row was seen so again."""
        if answer.when > self.last.when:
            self.last, self.last_index = answer, index
        if answer.by < self.first.by:
            self.first, self.first_index = answer, index


class Problem(NamedTuple):
    """Why one state cannot follow another."""

    rule: str
    field: str | None
    """None: it is the answer as a whole."""
    expected: Any
    actual: Any
    mark: Mark | None = None
    grade: Level | None = None


Breach: TypeAlias = tuple[Problem, State, State]
"""Why a state, the last one, cannot follow an earlier one."""


class RowHistory:
    """The rows seen so far."""

    def __init__(self, rules: Mapping[str, Rule], most: int = MOST_STATES) -> None:
        self._rules = rules
        self._most = most
        self._fields: dict[str, Fields] = {}
        self._states: dict[tuple[str, str, int], list[State]] = {}
        self._held = 0
        self._read = 0
        self.forgotten = 0
        """Rows that were forgotten for want of room."""

    def add(self, observation: Observation) -> Iterator[Finding]:
        """Given a observation, remember it; yield what is wrong with what has to be forgotten for it."""
        self._read += 1
        answer, of = _answer(observation, self._read), observation.fields.of
        self._fields[of] = observation.fields
        for row in observation.rows:
            self._remember((observation.key, of, row.id), row.values, answer, row.at)
        if observation.missed is not None and observation.missed.row is not None:
            self._remember((observation.key, of, observation.missed.row), None, answer, None)
        while self._held > self._most:
            self.forgotten += 1
            yield from self._judge(next(iter(self._states)))

    def finish(self) -> Iterator[Finding]:
        """Yield what is wrong with what is remembered, and forget it."""
        for key in list(self._states):
            yield from self._judge(key)

    def _remember(
        self, key: tuple[str, str, int], values: tuple[Any, ...] | None, answer: Answer, index: int | None
    ) -> None:
        states = self._states.pop(key, None)
        # Put in again, it is the last to be forgotten.
        self._states[key] = states = states or []
        for state in states:
            if _is_same(state.values, values):
                state.note(answer, index)
                return
        if len(states) < MOST_STATES_OF_ONE:
            states.append(State(values, answer, index, answer, index))
            self._held += 1

    def _judge(self, key: tuple[str, str, int]) -> Iterator[Finding]:
        states, fields = self._states.pop(key), self._fields[key[1]]
        self._held -= len(states)
        seen = [state for state in states if state.values is not None]
        breaches = [
            breach
            for index, one in enumerate(seen)
            for other in seen[index + 1 :]
            for breach in _judge_pair(one, other, fields)
        ]
        if len(seen) < len(states):
            (missing,) = (state for state in states if state.values is None)
            breaches += _judge_missing(seen, missing)
        for problem, earlier, later in breaches:
            if problem.rule in self._rules:
                yield _finding(problem, earlier, later, self._rules)


def _answer(observation: Observation, order: int) -> Answer:
    started, ended = observation.started, observation.ended
    if started is None:
        return Answer(order, order, order, None, None, observation.place)
    by = started + LONGEST_WAIT if ended is None else ended
    return Answer(started, by, order, started, ended, observation.place)


def _is_same(one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> bool:
    """Whether values are equal as JSON: to Python, True is 1."""
    if one is None or other is None:
        return one is other
    return one == other and (*map(type, one),) == (*map(type, other),)


def _judge_pair(one: State, other: State, fields: Fields) -> Iterator[Breach]:
    """Given two states of one row, yield why they cannot have followed each other as they did."""
    forwards, backwards = list(_problems(one, other, fields)), list(_problems(other, one, fields))
    was_first, was_second = _is_before(one.first, other.last), _is_before(other.first, one.last)
    if forwards and backwards and not was_first and not was_second:
        # Nobody knows which came first, but neither could follow the other.
        yield from ((each, one, other) for each in forwards)
        return
    said = set()
    directions = ((one, other, forwards, was_first), (other, one, backwards, was_second))
    for earlier, later, problems, is_certain in sorted(directions, key=lambda each: not each[3]):
        if not is_certain and not _seems_before(earlier.first, later.last):
            continue
        for each in problems:
            if (each.rule, each.field) not in said:
                problem = each if is_certain else each._replace(grade=Level.INCONCLUSIVE)
                yield problem, earlier, later
            said.add((each.rule, each.field))


def _judge_missing(seen: list[State], missing: State) -> Iterator[Breach]:
    """Given the states of a row, and that it was not found, yield that it had been seen before."""
    earlier = next((state for state in seen if _seems_before(state.first, missing.last)), None)
    if earlier is not None:
        problem = Problem("object.same", None, OK, NOT_FOUND, grade=Level.INCONCLUSIVE)
        yield problem, earlier, missing


def _is_before(one: Answer, other: Answer) -> bool:
    """Whether an answer was certainly given before another one was asked for."""
    if one.started is not None and other.started is not None:
        return one.started < other.started and one.by <= other.started
    is_one_file = one.place.source == other.place.source
    return one.started is None and other.started is None and is_one_file and one.order < other.order


def _seems_before(one: Answer, other: Answer) -> bool:
    """Whether it was, or may have been, as it was asked for earlier and nobody noted when it was given."""
    if one.started is None or other.started is None or one.ended is not None:
        return _is_before(one, other)
    return one.started < other.started


def _problems(one: State, other: State, fields: Fields) -> Iterator[Problem]:
    """Yield why the second state cannot follow the first."""
    before, after = _values(one, fields), _values(other, fields)
    life = fields.resource.lifecycle if fields.resource else None
    if life:
        yield from _constant_problems(life, before, after)
        if _differs(life.field, before, after):
            yield from _status_problems(life, before[life.field], after[life.field])
    was, became = read_instant(before.get(UPDATED_AT)), read_instant(after.get(UPDATED_AT))
    if was is None or became is None:
        return
    if became < was:
        yield Problem("object.updated-at", UPDATED_AT, before[UPDATED_AT], after[UPDATED_AT])
    elif became == was:
        yield from _changes(before, after, fields)


def _constant_problems(
    life: Lifecycle, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Problem]:
    for name in life.constant:
        if _differs(name, before, after) and isinstance(before[name], str) and isinstance(after[name], str):
            yield Problem(f"object.{name}", name, before[name], after[name])


def _values(state: State, fields: Fields) -> dict[str, Any]:
    assert state.values is not None
    return dict(zip(fields.all, state.values, strict=True))


def _differs(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a field that both states have is another one."""
    one, other = before[name], after[name]
    if one is Absent.ABSENT or other is Absent.ABSENT:
        return False
    return one != other or isinstance(one, bool) != isinstance(other, bool)


def _status_problems(life: Lifecycle, was: Any, became: Any) -> Iterator[Problem]:
    if was not in life.moves or became not in life.moves:
        return
    if became not in life.moves[was]:
        yield Problem("object.lifecycle", life.field, list(life.moves[was]), became)
    elif was == life.ripe:  # nothing is documented about what may follow it
        yield Problem("object.lifecycle", life.field, [was], became, mark=Mark.ASSUMED)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], fields: Fields) -> Iterator[Problem]:
    """Yield what changed although `updated_at` did not."""
    resource = fields.resource
    life = resource.lifecycle if resource else None
    apart = {UPDATED_AT, *((life.field, *life.constant) if life else ())}  # fields with rules of their own
    references = resource.references if resource else ()
    # These change when the other row does, which is not an update of this one.
    of_others = {name for each in references for name in (each.field, each.copy)}
    for name in fields.all:
        if name in apart or not _differs(name, before, after):
            continue
        was, became = before[name], after[name]
        if name in fields.dates and read_instant(was) == read_instant(became):
            continue
        if life and name == life.ended_at and _differs(life.field, before, after):
            continue  # it goes with the status
        grade = Level.INCONCLUSIVE if name in of_others else None
        yield Problem("object.same", name, None, became, grade=grade)


def _finding(problem: Problem, earlier: State, later: State, rules: Mapping[str, Rule]) -> Finding:
    # Where it was seen so for the first time after the earlier state, or where it certainly came after that.
    is_first = _is_before(earlier.first, later.first)
    answer, index = (later.first, later.first_index) if is_first else (later.last, later.last_index)
    keys = () if index is None else ("results", index)
    field = () if problem.field is None else (problem.field,)
    return Finding(
        rule=problem.rule,
        mark=problem.mark or rules[problem.rule].mark,
        place=replace(answer.place, pointer=pointer((*keys, *field))),
        check="changed",
        expected=problem.expected,
        actual=excerpt(problem.actual),
        grade=problem.grade,
        other=earlier.first.place,
    )
