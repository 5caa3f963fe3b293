"""The rows of each resource: named tuples with the fields that its schema describes.

Dates are instants (see `contract.timestamps`); all else is as in JSON.
"""

from __future__ import annotations

import json
import math
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import cached_property, lru_cache
from typing import Any

from mock_webshare.contract.model import Contract, Field, Lifecycle, Reference, Resource
from mock_webshare.contract.timestamps import format_instant, parse_instant
from mock_webshare.errors import DataError
from mock_webshare.service.data.fields import (
    BOOLEAN,
    FieldType,
    is_json,
    is_text,
    one_of,
    read_object,
    require_keys,
)

LARGEST_ID = 2**63 - 1
UPDATED_AT = "updated_at"
"""The field that a change of a row sets, where rows have one."""
_CONTRACTS = 16  # whose rows are remembered
_RECENT = 100  # rows that are looked at for the largest number


def _is_id(value: Any) -> bool:
    # bool is a subclass of int, and JSON's true is not an id.
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ID


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e300 and math.isfinite(value)


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and parse_instant(value) >= 0
    except ValueError:
        return False


ID = FieldType(_is_id, "a whole number from 1 to 2^63 - 1", schema={"$ref": "#/components/schemas/id"})
DATE = FieldType(
    _is_date,
    "a date and time with an offset, from 1970 to 9998, like 2022-06-14T11:58:10.246406-07:00",
    parse_instant,
    {"$ref": "#/components/schemas/instant"},
)
_CODE = FieldType(
    lambda value: is_text(value) and value != "",
    "a string of Unicode characters that is not empty",
    schema={"type": "string", "minLength": 1},
)
_TYPES: Mapping[str, FieldType] = {
    "integer": FieldType(
        lambda value: type(value) is int and abs(value) <= LARGEST_ID,
        "a whole number",
        schema={"type": "integer"},
    ),
    "number": FieldType(
        _is_number,
        "a number, up to 1e300 either way",
        float,
        {"type": "number", "exclusiveMinimum": -1e300, "exclusiveMaximum": 1e300},
    ),
    "string": FieldType(is_text, "a string of Unicode characters", schema={"type": "string"}),
    "boolean": BOOLEAN,
    "array": FieldType(
        lambda value: isinstance(value, list) and is_json(value), "a list", deepcopy, {"type": "array"}
    ),
    "object": FieldType(
        lambda value: isinstance(value, dict) and is_json(value), "an object", deepcopy, {"type": "object"}
    ),
}
"""What a field of each JSON type may hold, unless more is known of it."""


class RowType:
    """How the rows of one resource are read, checked, completed and written.

    `new(**fields)` makes a row, a named tuple whose `wire()` is the object that the service sends.
    """

    def __init__(
        self, resource: Resource, fields: Sequence[Field], field_types: Mapping[str, FieldType]
    ) -> None:
        self.resource = resource
        self.fields = fields
        self.field_types = field_types
        self.new = _tuple_type(resource.singular, fields)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, in their order."""
        return tuple(self.field_types)

    @cached_property
    def dependent(self) -> frozenset[str]:
        """The fields that follow from others, or from the rows before."""
        life, copies = self.resource.lifecycle, [each.copy for each in self.resource.references]
        return frozenset((*self.resource.numbered, *copies, UPDATED_AT, *([life.ended_at] if life else [])))

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The fields without a usual value, which are needed to create a row."""
        usual = {*self.dependent, *self.resource.defaults}
        return tuple(
            each.name for each in self.fields if not (each.is_nullable or each.is_date or each.name in usual)
        )

    def read(self, source: str, pointer: str, value: Any) -> Any:
        """Return the row of a JSON object; raise `DataError` for the first thing that is wrong."""
        return self.new(**read_object(source, pointer, value, self.field_types))

    def check_relations(
        self, source: str, pointer: str, row: Any, sources: Mapping[str, Mapping[int, Any]]
    ) -> None:
        """Raise `DataError` if a row contradicts itself, or the rows to which it refers.

        `sources` has, for each copy, the value to be copied by the id of its row.
        """
        if self.resource.lifecycle:
            _check_end(source, pointer, row, self.resource.lifecycle)
        for reference in self.resource.references:
            _check_reference(source, pointer, row, reference, sources[reference.copy])

    def sources(self, tables: Mapping[str, Iterable[Any]]) -> dict[str, dict[int, Any]]:
        """Return what `check_relations` takes, given the rows of all resources."""
        return {
            each.copy: {row.id: getattr(row, each.source) for row in tables.get(each.resource, ())}
            for each in self.resource.references
        }

    def created(self, given: Mapping[str, Any], rows: Sequence[Any], now: str) -> dict[str, Any]:
        """Return the fields of a new row: the given ones, and what others usually are at that time.

        Raise `DataError` if one is lacking that has no usual value, or one is not known.
        """
        fields: dict[str, Any] = {field.name: None for field in self.fields if field.is_nullable}
        fields.update((field.name, now) for field in self.fields if field.is_date and not field.is_nullable)
        fields.update(
            (each, _next_number(each, rows)) for each in self.resource.numbered if each in self.names
        )
        fields.update(self.resource.defaults)
        require_keys(self.resource.singular, "", given, self.needed, self.names)
        fields.update(given)
        if UPDATED_AT in fields and UPDATED_AT not in given:
            fields[UPDATED_AT] = fields.get("created_at", now)
        return fields

    def completed(
        self,
        fields: dict[str, Any],
        given: Mapping[str, Any],
        sources: Mapping[str, Mapping[int, Any]],
        now: str,
    ) -> dict[str, Any]:
        """Return the fields in their order, with those that follow from the given ones at that time."""
        for reference in self.resource.references:
            _complete_reference(fields, given, reference, sources[reference.copy])
        life = self.resource.lifecycle
        if life and life.ended_at not in given:
            is_ended = fields[life.field] == life.ended
            ended_at = fields[life.ended_at] or fields.get(UPDATED_AT) or now
            fields[life.ended_at] = ended_at if is_ended else None
        ordered = {name: fields.pop(name) for name in self.names if name in fields}
        return {**ordered, **fields}


def _tuple_type(name: str, fields: Sequence[Field]) -> Callable[..., Any]:
    dates = tuple(field.name for field in fields if field.is_date)
    nested = tuple(field.name for field in fields if field.type in ("array", "object"))

    class Row(namedtuple(name, [field.name for field in fields])):  # type: ignore[misc]
        __slots__ = ()

        def wire(self) -> dict[str, Any]:
            """Return the object that the service sends: its fields, in its order."""
            wire: dict[str, Any] = self._asdict()
            for each in dates:
                if wire[each] is not None:
                    wire[each] = format_instant(wire[each])
            for each in nested:
                wire[each] = deepcopy(wire[each])
            return wire

    return Row


@lru_cache(_CONTRACTS)
def row_types(contract: Contract) -> Mapping[str, RowType]:
    """Return how the rows of each resource of a contract are read and written."""
    return {
        name: RowType(resource, contract.fields[name], _field_types(contract, resource))
        for name, resource in contract.resources.items()
    }


def _field_types(contract: Contract, resource: Resource) -> dict[str, FieldType]:
    """Return what each field may hold: by its schema, and by what the contract says of ids and references."""
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
        return one_of(*field.choices)
    if field.type == "string" and field.is_never_empty:
        return _CODE
    return _TYPES[field.type]


def _check_end(source: str, pointer: str, row: Any, life: Lifecycle) -> None:
    status, date = getattr(row, life.field), getattr(row, life.ended_at)
    if (date is None) == (status == life.ended):
        value = None if date is None else format_instant(date)
        allowed = f"null exactly when {life.field} is not {life.ended} (it is {status})"
        raise DataError.invalid(source, f"{pointer}/{life.ended_at}", value, allowed)


def _check_reference(
    source: str, pointer: str, row: Any, reference: Reference, values: Mapping[int, Any]
) -> None:
    row_id, copy = getattr(row, reference.field), getattr(row, reference.copy)
    if row_id is not None and row_id not in values:
        allowed = f"an id of /{reference.resource}, or null"
        raise DataError.invalid(source, f"{pointer}/{reference.field}", row_id, allowed)
    due = None if row_id is None else values[row_id]
    if copy != due:
        what = reference.field.rpartition("_")[2]
        allowed = (
            f"null, as there is no {what}"
            if due is None
            else f"the {reference.source} of that {what}, {json.dumps(due)}"
        )
        raise DataError.invalid(source, f"{pointer}/{reference.copy}", copy, allowed)


def _complete_reference(
    fields: dict[str, Any], given: Mapping[str, Any], reference: Reference, values: Mapping[int, Any]
) -> None:
    """Fill in that one of the two fields of a reference which was not given."""
    field, copy = reference.field, reference.copy
    if field in given and copy not in given:
        fields[copy] = values.get(given[field]) if isinstance(given[field], int) else None
    elif copy in given and field not in given:
        ids = {value: row_id for row_id, value in values.items()}
        fields[field] = ids.get(given[copy]) if isinstance(given[copy], str) else None


def _next_number(name: str, rows: Sequence[Any]) -> int:
    """Return the number of one more row: the next free id, or one more than the recent rows have."""
    if name == "id":
        return _next_id(rows)
    return min(max((getattr(row, name) for row in rows[-_RECENT:]), default=0) + 1, LARGEST_ID)


def _next_id(rows: Sequence[Any]) -> int:
    """Return the id after the last row, or else the largest one that is free; rows are by ascending id."""
    bound = LARGEST_ID + 1
    for row in reversed(rows):
        if row.id + 1 < bound:
            return int(row.id) + 1
        bound = row.id
    return 1
