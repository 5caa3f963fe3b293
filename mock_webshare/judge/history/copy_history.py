"""CopyHistory: the names of the rows to which other rows refer, in all responses.

A credit repeats the code of its channel, which the array of channels shows too. Nothing says that a channel
keeps its code, so two names of one row in two responses are inconclusive.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from mock_webshare.contract.model import Contract
from mock_webshare.judge.history.observation import Observation, keys_of
from mock_webshare.judge.model.finding import Finding, Level, Place
from mock_webshare.judge.model.row_fields import RowFields
from mock_webshare.judge.model.rulebook import finding_of

MOST_NAMES = 10_000
"""Names that are kept; beyond that, those seen first are forgotten."""

Owner: TypeAlias = tuple[str, str, str]
"""API key, resource and source field of the rows that are referred to."""


class Named(NamedTuple):
    """Where a row shows the id and the name of a row; `is_unique`: no two rows have the same name."""

    resource: str
    source: str
    id: int
    """The index of the id in the values of a row; `name` is that of the name."""
    name: int
    fields: tuple[str, str]
    """The fields with the id and with the name."""
    is_unique: bool


class Seen(NamedTuple):
    """The first response that showed an id with a name."""

    id: int
    name: str
    place: Place


class CopyHistory:
    """The names of rows so far, by their ids, and the ids by their names."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._named: dict[tuple[str, tuple[str, ...]], Sequence[Named]] = {}
        self._pairs: dict[tuple[Owner, int, str], None] = {}
        self._names: dict[tuple[Owner, int], Seen] = {}
        self._ids: dict[tuple[Owner, str], Seen] = {}

    def add(self, observation: Observation) -> Iterator[Finding]:
        """Yield the names and ids that earlier responses contradict."""
        for each in self._named_by(observation.fields):
            owner = (observation.key, each.resource, each.source)
            pair_of = itemgetter(each.id, each.name)
            pairs = {pair_of(row.values) for row in observation.rows if row.values}
            if all((owner, *pair) in self._pairs for pair in pairs):  # the usual case, decided fast
                continue
            for row in observation.rows:
                row_id, name = pair_of(row.values) if row.values else (None, None)
                if type(row_id) is int and type(name) is str and (owner, row_id, name) not in self._pairs:
                    keys = keys_of(observation.prefix, row.position)
                    yield from self._note(owner, each, Seen(row_id, name, observation.place), keys)

    def _named_by(self, fields: RowFields) -> Sequence[Named]:
        key = (fields.resource.name, fields.stable)
        if key not in self._named:
            self._named[key] = tuple(named_by(self._contract, fields))
        return self._named[key]

    def _note(self, owner: Owner, each: Named, seen: Seen, keys: tuple[str | int, ...]) -> Iterator[Finding]:
        """Remember a new pair of id and name; yield a finding if it contradicts an earlier pair."""
        self._pairs[owner, seen.id, seen.name] = None
        known = self._names.setdefault((owner, seen.id), seen)
        if known.name != seen.name and known.place is not seen.place:
            place = seen.place.at(*keys, each.fields[1])
            yield self._finding("copy", place, known.name, seen.name, known.place)
        elif each.is_unique:
            known = self._ids.setdefault((owner, seen.name.casefold()), seen)
            if known.id != seen.id and known.place is not seen.place:
                place = seen.place.at(*keys, each.fields[0])
                yield self._finding("owner", place, known.id, seen.id, known.place)
        if len(self._pairs) > MOST_NAMES:
            self._forget()

    def _forget(self) -> None:
        """Forget the name that was seen first."""
        owner, row_id, name = next(iter(self._pairs))
        del self._pairs[owner, row_id, name]
        self._names.pop((owner, row_id), None)
        self._ids.pop((owner, name.casefold()), None)

    def _finding(
        self, check: str, place: Place, expected: str | int, actual: str | int, other: Place
    ) -> Finding:
        return finding_of(
            "object.copy",
            place,
            self._contract,
            check=check,
            expected=expected,
            actual=actual,
            fixed_level=Level.INCONCLUSIVE,
            other=other,
        )


def named_by(contract: Contract, fields: RowFields) -> Iterator[Named]:
    """Yield where a row shows names: of the rows that it refers to, and its own if others refer to it."""
    resource, names = fields.resource, fields.stable
    own = [(each, each.field, each.copy) for each in resource.references]
    others = (each for other in contract.resources.values() for each in other.references)
    itself = [(each, "id", each.source) for each in others if each.resource == resource.name]
    for each, row_id, name in (*own, *itself):
        if {row_id, name} <= {*names}:
            indexes = names.index(row_id), names.index(name)
            yield Named(each.resource, each.source, *indexes, (row_id, name), each.is_unique)
