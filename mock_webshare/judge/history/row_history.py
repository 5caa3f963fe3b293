"""RowHistory: the states of each row in time, in all responses that showed it.

For each row its different states are kept, each with its first and last response. This is enough to
decide whether a state came after one that it cannot follow, in whatever order the responses are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple, TypeAlias

from mock_webshare.contract.model import Contract, Lifecycle, Mark
from mock_webshare.judge.history.copy_history import CopyHistory
from mock_webshare.judge.history.observation import ABSENT, Observation, Row, keys_of
from mock_webshare.judge.model.finding import Finding, Level, Place
from mock_webshare.judge.model.response_time import ResponseTime, is_before, seems_before
from mock_webshare.judge.model.row_fields import UPDATED_AT, RowFields, read_instant
from mock_webshare.judge.model.rulebook import finding_of

MOST_STATES = 60_000
"""States of rows that are kept; beyond that, those of the rows seen longest ago are forgotten."""
MOST_STATES_OF_ONE = 16
"""States of one row that are kept, the first ones."""

_CONSTANT = "object.constant"
"""The rule of fields that never change; until the row is updated, `object.same` says so too."""

Key: TypeAlias = tuple[str, str, int]
"""API key, resource and id of a row."""
Values: TypeAlias = Mapping[str, Any]
"""The values of a row by field."""


@dataclass(slots=True, eq=False)
class Response:
    """When a response was made, and where it is recorded."""

    time: ResponseTime
    order: int
    """The position in the order in which responses are read; it decides where there are no times."""
    place: Place
    prefix: tuple[str, ...]
    """The keys that lead to the array of the rows."""
    start: tuple[int, int]
    """Greatest for the last response: its time by the service's clock, then by the recorder's."""
    end: tuple[int, int]
    """Least for the first response, by the same clocks."""


def _response(observation: Observation, order: int) -> Response:
    time = observation.time
    started = order if time.started is None else time.started
    complete = order if time.complete_by is None else time.complete_by
    start, end = (started, complete) if time.date is None else (time.date, time.date)
    place, prefix = observation.place, observation.prefix
    return Response(time, order, place, prefix, (start, started), (end, complete))


@dataclass(slots=True)
class State:
    """One state of a row, with the first and the last response that showed it, and the index there."""

    values: tuple[Any, ...]
    """The values of a `Row`."""
    first: Response
    first_index: int | None
    last: Response
    last_index: int | None

    def note(self, response: Response, index: int | None) -> None:
        """Remember another response with this state."""
        if response.start > self.last.start:
            self.last, self.last_index = response, index
        if response.end < self.first.end:
            self.first, self.first_index = response, index


class Problem(NamedTuple):
    """Why one state cannot follow another."""

    rule: str
    field: str | None
    """None: the problem concerns the whole response."""
    expected: Any
    actual: Any
    mark: Mark | None = None
    fixed_level: Level | None = None


class RowHistory:
    """The states of rows so far."""

    def __init__(self, contract: Contract, most: int = MOST_STATES) -> None:
        self._contract = contract
        self._most = most
        self._states: dict[Key, list[State]] = {}
        self._fields: dict[str, RowFields] = {}
        self._copies = CopyHistory(contract)
        self._size = 0
        self._responses = 0
        self.forgotten = 0
        """Rows that were forgotten for lack of room."""

    def add(self, observation: Observation) -> Iterator[Finding]:
        """Remember an observation; yield what is wrong with rows that are forgotten."""
        self._responses += 1
        response = _response(observation, self._responses)
        yield from self._copies.add(observation)
        key, resource = observation.key, observation.fields.resource.name
        self._fields[resource] = observation.fields
        for row in observation.rows:
            self._remember((key, resource, row.id), row, response)
        while self._size > self._most:
            self.forgotten += 1
            yield from self._judge(next(iter(self._states)))

    def finish(self) -> Iterator[Finding]:
        """Yield what is wrong with all rows, and forget them."""
        for key in list(self._states):
            yield from self._judge(key)

    def _remember(self, key: Key, row: Row, response: Response) -> None:
        # The order of keys is that of the last responses.
        self._states[key] = states = self._states.pop(key, None) or []
        for state in states:
            if _is_same(state.values, row.values):
                state.note(response, row.position)
                return
        if len(states) < MOST_STATES_OF_ONE:
            states.append(State(row.values, response, row.position, response, row.position))
            self._size += 1

    def _judge(self, key: Key) -> Iterator[Finding]:
        states, fields = self._states.pop(key), self._fields[key[1]]
        self._size -= len(states)
        seen = [state for state in states if state.values]
        for one, other in combinations(seen, 2):
            yield from self._judge_pair(one, other, fields)
        for missing in states:
            if not missing.values:
                yield from self._judge_missing(seen, missing)

    def _judge_pair(self, one: State, other: State, fields: RowFields) -> Iterator[Finding]:
        """Yield why two states of one row cannot have followed each other as they did."""
        before, after = fields.named(one.values), fields.named(other.values)
        forwards, backwards = [*_problems(before, after, fields)], [*_problems(after, before, fields)]
        was_first, was_second = _is_before(one.first, other.last), _is_before(other.first, one.last)
        if forwards and backwards and not was_first and not was_second:
            # Which came first is not known, but neither can follow the other: report the less severe order.
            possible = ((forwards, one, other), (backwards, other, one))
            found = [[self._finding(each, *states) for each in problems] for problems, *states in possible]
            yield from max(found, key=lambda findings: min(each.level.rank for each in findings))
            return
        reported = set()
        directions = ((one, other, forwards, was_first), (other, one, backwards, was_second))
        for earlier, later, problems, is_certain in sorted(directions, key=lambda each: not each[3]):
            if not is_certain and not _seems_before(earlier.first, later.last):
                continue
            for each in problems:
                if (each.rule, each.field) not in reported:
                    problem = each if is_certain else each._replace(fixed_level=Level.INCONCLUSIVE)
                    yield self._finding(problem, earlier, later)
                reported.add((each.rule, each.field))

    def _judge_missing(self, seen: list[State], missing: State) -> Iterator[Finding]:
        """Yield a finding if a row was not found although an earlier response showed it."""
        earlier = next((state for state in seen if _seems_before(state.first, missing.last)), None)
        if earlier is not None:
            problem = Problem("object.same", None, 200, 404, fixed_level=Level.INCONCLUSIVE)
            yield self._finding(problem, earlier, missing)

    def _finding(self, problem: Problem, earlier: State, later: State) -> Finding:
        # The first response with the later state if it certainly came after the earlier state, else the last.
        is_first = _is_before(earlier.first, later.first)
        response, index = (later.first, later.first_index) if is_first else (later.last, later.last_index)
        keys = keys_of(response.prefix, index)
        field = () if problem.field is None else (problem.field,)
        return finding_of(
            problem.rule,
            response.place.at(*keys, *field),
            self._contract,
            check="changed",
            mark=problem.mark,
            expected=problem.expected,
            actual=problem.actual,
            fixed_level=problem.fixed_level,
            other=earlier.first.place,
        )


def _is_same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether values are equal as JSON: to Python, True is 1."""
    return one == other and (*map(type, one),) == (*map(type, other),)


def _is_before(one: Response, other: Response) -> bool:
    """Whether a response was certainly made before another one was requested."""
    certain = is_before(one.time, other.time)
    return _is_read_before(one, other) if certain is None else certain


def _seems_before(one: Response, other: Response) -> bool:
    """Like `_is_before`, but an unknown duration counts as short."""
    likely = seems_before(one.time, other.time)
    return _is_read_before(one, other) if likely is None else likely


def _is_read_before(one: Response, other: Response) -> bool:
    """Whether `one` comes before `other` in the same recording, which has no times."""
    return one.time.recording == other.time.recording and one.order < other.order


def _problems(before: Values, after: Values, fields: RowFields) -> Iterator[Problem]:
    """Yield why the second state cannot follow the first."""
    was, became = read_instant(before.get(UPDATED_AT)), read_instant(after.get(UPDATED_AT))
    is_updated = was is None or became != was
    for name, rule in fields.resource.constant.items():
        if (
            (is_updated or rule != _CONSTANT)
            and name in fields.stable
            and _differs(name, before, after, fields)
        ):
            yield Problem(rule, name, None, after[name])
    if life := fields.resource.lifecycle:
        yield from _lifecycle_problems(life, before, after)
        if is_updated and _is_moved(life, before, after):
            yield Problem(_CONSTANT, life.ended_at, None, after[life.ended_at])
    if not is_updated:
        yield from _changes(before, after, fields)
    elif was is not None and became is not None and became < was:
        yield Problem("object.updated-at", UPDATED_AT, before[UPDATED_AT], after[UPDATED_AT])


def _differs(name: str, before: Values, after: Values, fields: RowFields) -> bool:
    """Whether both states have a field, with different values."""
    one, other = before[name], after[name]
    if one is ABSENT or other is ABSENT:
        return False
    if name in fields.dates and read_instant(one) is not None:
        return read_instant(one) != read_instant(other)
    return bool(one != other) or isinstance(one, bool) != isinstance(other, bool)


def _is_moved(life: Lifecycle, before: Values, after: Values) -> bool:
    """Whether a row that had ended shows another time of its end, though the last state is final."""
    has_ended = before[life.field] == after[life.field] == life.ended
    return has_ended and read_instant(before[life.ended_at]) != read_instant(after[life.ended_at])


def _lifecycle_problems(life: Lifecycle, before: Values, after: Values) -> Iterator[Problem]:
    was, became = before[life.field], after[life.field]
    if was == became or was not in life.moves or became not in life.moves:
        return
    if became not in life.moves[was]:
        yield Problem("object.lifecycle", life.field, list(life.moves[was]), became)
    elif was == life.ripe:  # which states may follow this one is not documented
        yield Problem("object.lifecycle", life.field, [was], became, mark=Mark.ASSUMED)


def _changes(before: Values, after: Values, fields: RowFields) -> Iterator[Problem]:
    """Yield the fields that have changed although `updated_at` has not."""
    life, references = fields.resource.lifecycle, fields.resource.references
    has_rule = {name for name, rule in fields.resource.constant.items() if rule != _CONSTANT} | {UPDATED_AT}
    # Copies change when the row that they refer to changes, which is not an update of this row.
    copied = {name for each in references for name in (each.field, each.copy)}
    for name in fields.stable:
        if name in has_rule or not _differs(name, before, after, fields):
            continue
        if life and name == life.ended_at and _differs(life.field, before, after, fields):
            continue  # it changes with the status
        mark = None
        if name in fields.resource.ahead:
            # Such a date changes when it is reached; whether this is an update is not documented.
            mark = Mark.ASSUMED
        elif life and name == life.field:  # the vendor's example has become available without an update
            mark = Mark.FRAMEWORK
        fixed_level = Level.INCONCLUSIVE if name in copied else None
        yield Problem("object.same", name, None, after[name], mark=mark, fixed_level=fixed_level)
