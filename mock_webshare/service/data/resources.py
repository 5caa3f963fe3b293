"""The rows of each resource: named tuples with the fields of its schema.

Dates are instants (see `contract.timestamps`); other values are those of JSON.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import cached_property, lru_cache
from sys import getsizeof
from typing import Any

from mock_webshare.contract.model import Conditional, Contract, Field, Lifecycle, Reference, Resource
from mock_webshare.contract.timestamps import format_instant, parse_instant, parse_period
from mock_webshare.errors import Contradiction
from mock_webshare.service.data.fields import (
    DATE,
    ID,
    JSON_TYPES,
    LARGEST_ID,
    NON_EMPTY,
    FieldType,
    choice,
    pattern,
    read_object,
    require_keys,
)

UPDATED_AT = "updated_at"
"""The field that a change of a row sets, where rows have one."""
Sources = Mapping[str, dict[int, Any]]
"""The values to copy, by the ids of the rows that have them, for each `Reference.copy`."""
_CONTRACTS = 16  # contracts whose row types are cached
_RECENT = 100  # last rows, searched for the largest number


class RowType:
    """How the rows of one resource are read, checked, completed and written.

    `new(**fields)` makes a row, a named tuple. Its `wire()` is the object in a data set, its `sent()` the one
    that the service sends, without computed fields.
    """

    def __init__(self, contract: Contract, resource: Resource) -> None:
        self.contract = contract
        self.resource = resource
        self.fields = fields = contract.fields[resource.name]
        self.field_types = _field_types(contract, resource)
        self.new = _tuple_type(fields, tuple(resource.own), self.optional)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.field_types)

    @cached_property
    def optional(self) -> tuple[str, ...]:
        """The own fields that may be null, and then are left out."""
        return tuple(each.name for each in self.fields if each.is_nullable and each.name in self.resource.own)

    @cached_property
    def derived(self) -> frozenset[str]:
        """The fields whose values follow from other fields, or from the rows before."""
        life, copies = self.resource.lifecycle, [each.copy for each in self.resource.references]
        nullable = [each.field for each in self.resource.conditionals] + ([life.ended_at] if life else [])
        return frozenset((*self.resource.numbered, *copies, *nullable, UPDATED_AT))

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The fields without a default, which are required to create a row."""
        optional = {*self.derived, *self.resource.defaults}
        return tuple(
            each.name
            for each in self.fields
            if not (each.is_nullable or each.is_date or each.name in optional)
        )

    def read(self, source: str, pointer: str, value: Any) -> Any:
        """Return the row of a JSON object; raise `DataError` for the first bad field."""
        if isinstance(value, dict):
            value = {**dict.fromkeys(self.optional), **value}
        return self.new(**read_object(source, pointer, value, self.field_types))

    def check_relations(self, source: str, pointer: str, row: Any, sources: Sources) -> None:
        """Raise `Contradiction` if a row contradicts itself, or the rows to which it refers."""
        if self.resource.lifecycle:
            _check_end(source, pointer, row, self.resource.lifecycle)
        for conditional in self.resource.conditionals:
            _check_conditional(source, pointer, row, conditional)
        for reference in self.resource.references:
            _check_reference(source, pointer, row, reference, sources[reference.copy])

    def sources(self, tables: Mapping[str, Iterable[Any]]) -> Sources:
        """Return the values that rows copy from the rows of other resources."""
        return {
            each.copy: {row.id: getattr(row, each.source) for row in tables.get(each.resource, ())}
            for each in self.resource.references
        }

    def with_defaults(self, given: Mapping[str, Any], rows: Sequence[Any], now: str) -> dict[str, Any]:
        """Return the fields of one more row: the given ones, and defaults for others.

        Raise `DataError` if a field without a default is missing, or a given field is unknown.
        """
        require_keys(self.resource.singular, "", given, self.needed, self.names)
        fields = {**self.default_fields(rows, now), **given}
        if UPDATED_AT in fields and UPDATED_AT not in given:
            fields[UPDATED_AT] = fields.get("created_at", now)
        return fields

    def default_fields(self, rows: Sequence[Any], now: str) -> dict[str, Any]:
        """Return the fields of one more row that have a default."""
        fields: dict[str, Any] = {field.name: None for field in self.fields if field.is_nullable}
        fields.update((field.name, now) for field in self.fields if field.is_date and not field.is_nullable)
        fields.update(
            (name, _next_number(name, rows)) for name in self.resource.numbered if name in self.names
        )
        fields.update(deepcopy(dict(self.resource.defaults)))
        for date, duration in self.resource.ahead.items():
            if duration is not None:
                fields[date] = format_instant(parse_instant(now) + parse_period(fields[duration]))
        return fields

    def completed(
        self, fields: dict[str, Any], given: Mapping[str, Any], sources: Sources, now: str
    ) -> dict[str, Any]:
        """Return the fields in the order of the schema, with the fields that follow from `given` set."""
        _complete_references(fields, given, self.resource.references, sources)
        for each in self.resource.conditionals:
            if each.field not in given:
                has_value = fields[each.other] == each.value
                fields[each.field] = (fields[each.field] or each.default) if has_value else None
        life = self.resource.lifecycle
        if life and life.ended_at not in given:
            is_ended = fields[life.field] == life.ended
            ended_at = fields[life.ended_at] or fields.get(UPDATED_AT) or now
            fields[life.ended_at] = ended_at if is_ended else None
        ordered = {name: fields.pop(name) for name in self.names if name in fields}
        return {**ordered, **fields}


def _tuple_type(fields: Sequence[Field], own: Sequence[str], optional: Sequence[str]) -> Callable[..., Any]:
    dates = tuple(field.name for field in fields if field.is_date)
    nested = tuple(field.name for field in fields if field.type in ("array", "object"))

    class Row(namedtuple("Row", [field.name for field in fields])):  # type: ignore[misc]  # known at run time only
        __slots__ = ()

        def wire(self) -> dict[str, Any]:
            """Return the object as data sets have it, with the fields in the service's order."""
            wire: dict[str, Any] = self._asdict()
            for each in dates:
                if wire[each] is not None:
                    wire[each] = format_instant(wire[each])
            for each in nested:
                wire[each] = deepcopy(wire[each])
            for each in optional:
                if wire[each] is None:
                    del wire[each]
            return wire

        def sent(self) -> dict[str, Any]:
            """Return the object without the fields that are only stored."""
            wire = self.wire()
            for each in own:
                wire.pop(each, None)
            return wire

    return Row


def size_of(value: Any) -> int:
    """Return how many bytes a row or a value in it takes; its JSON takes about as many."""
    inside: Iterable[Any] = ()
    if isinstance(value, dict):
        inside = (*value, *value.values())
    elif isinstance(value, list | tuple):
        inside = value
    return getsizeof(value) + sum(map(size_of, inside))


@lru_cache(_CONTRACTS)
def row_types(contract: Contract) -> Mapping[str, RowType]:
    return {name: RowType(contract, resource) for name, resource in contract.resources.items()}


def _field_types(contract: Contract, resource: Resource) -> dict[str, FieldType]:
    """Return the type of each field by its schema, unless it is an id or belongs to a reference."""
    fields = contract.fields[resource.name]
    types = {field.name: _field_type(field) for field in fields}
    types.update((name, ID) for name in resource.numbered if name in types)
    for each in resource.references:
        source = next(field for field in contract.fields[each.resource] if field.name == each.source)
        types[each.field], types[each.copy] = ID, _field_type(source)
    nullable = {field.name for field in fields if field.is_nullable}
    return {name: each.or_null() if name in nullable else each for name, each in types.items()}


def _field_type(field: Field) -> FieldType:
    if field.is_date:
        return DATE
    if field.choices:
        return choice(*field.choices)
    if field.pattern is not None:
        return pattern(field.pattern.strip("^$"), f"a string like {field.example}")
    if field.type == "string" and field.is_never_empty:
        return NON_EMPTY
    return JSON_TYPES[field.type]


def _check_conditional(source: str, pointer: str, row: Any, conditional: Conditional) -> None:
    value, other = getattr(row, conditional.field), getattr(row, conditional.other)
    has_value, is_met = value is not None, other == conditional.value
    is_needed = is_met and conditional.default is not None
    if (has_value and not is_met) or (is_needed and not has_value):
        what = "a value" if is_needed else "null"
        allowed = f"{what}, as {conditional.other} is {other}"
        raise Contradiction.invalid(source, f"{pointer}/{conditional.field}", value, allowed)


def _check_end(source: str, pointer: str, row: Any, life: Lifecycle) -> None:
    status, date = getattr(row, life.field), getattr(row, life.ended_at)
    if (date is None) == (status == life.ended):
        value = None if date is None else format_instant(date)
        allowed = f"null exactly when {life.field} is not {life.ended} (it is {status})"
        raise Contradiction.invalid(source, f"{pointer}/{life.ended_at}", value, allowed)


def _check_reference(
    source: str, pointer: str, row: Any, reference: Reference, values: Mapping[int, Any]
) -> None:
    row_id, copy = getattr(row, reference.field), getattr(row, reference.copy)
    if row_id is not None and row_id not in values:
        allowed = f"an id of /{reference.resource}, or null"
        raise Contradiction.invalid(source, f"{pointer}/{reference.field}", row_id, allowed)
    expected = None if row_id is None else values[row_id]
    if copy != expected:
        what = reference.field.rpartition("_")[2]
        allowed = (
            f"null, as there is no {what}"
            if row_id is None
            else f"the {reference.source} of that {what}, {json.dumps(expected)}"
        )
        raise Contradiction.invalid(source, f"{pointer}/{reference.copy}", copy, allowed)


def _complete_references(
    fields: dict[str, Any], given: Mapping[str, Any], references: Sequence[Reference], sources: Sources
) -> None:
    """Set each missing id by the copy that is given, then each copy that is not given by its id."""
    for each in references:
        copy = given.get(each.copy)
        if each.copy in given and each.field not in given:
            named = (number for number, value in reversed(sources[each.copy].items()) if value == copy)
            fields[each.field] = None if copy is None else next(named, None)
    for each in references:
        if each.copy not in given:
            number = fields.get(each.field)
            fields[each.copy] = sources[each.copy].get(number) if isinstance(number, int) else None


def _next_number(name: str, rows: Sequence[Any]) -> int:
    """Return the number of one more row: a free id, or one more than recent rows have."""
    if name == "id":
        return _next_id(rows)
    return min(max((getattr(row, name) for row in rows[-_RECENT:]), default=0) + 1, LARGEST_ID)


def _next_id(rows: Sequence[Any]) -> int:
    """Return the id after that of the last row; if this is too large, the largest id that is free."""
    bound = LARGEST_ID + 1
    for row in reversed(rows):
        if row.id + 1 < bound:
            return int(row.id) + 1
        bound = row.id
    return 1
