"""RowFields: the fields of a row by their types, for the rules that compare rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from mock_webshare.contract.model import Contract, Field, Resource
from mock_webshare.contract.timestamps import parse_instant

UPDATED_AT = "updated_at"
"""The field that every change of a row sets, where rows have it."""
_CACHED = 64  # resources


Reader = Callable[[Any], Any]
"""Returns the value that another spelling clearly means, or else the same value."""


@dataclass(frozen=True, slots=True)
class RowFields:
    """The names of the fields of the rows of a resource."""

    resource: Resource
    all: tuple[str, ...]
    """In the order of the schema."""
    known: frozenset[str]
    """The same names as in `all`."""
    dates: tuple[str, ...]
    numbers: tuple[str, ...]
    """The numbers that may have a fraction."""
    integers: tuple[str, ...]
    past: tuple[str, ...]
    """The dates of events that have happened, so never in the future."""
    readers: tuple[tuple[str, Reader], ...]
    """Fields whose values may be spelled in another way, and the function that reads each."""
    strings: frozenset[str]
    """The fields that are text, but not dates."""
    stable: tuple[str, ...]
    """The fields that change only if `updated_at` does: all but computed ones."""
    mutable: frozenset[str]
    """The fields whose change moves a row in a list that is ordered or filtered by them."""

    def named(self, values: Sequence[Any]) -> dict[str, Any]:
        """Return the values of the `stable` fields by their names."""
        return dict(zip(self.stable, values, strict=True))


@lru_cache(_CACHED)
def row_fields(contract: Contract, path: str) -> RowFields:
    """Return the fields of the rows that the endpoint with a path serves."""
    endpoint = next(each for each in contract.endpoints if each.path == path)
    resource, fields = contract.resource_of(endpoint), contract.served[path]
    life = resource.lifecycle
    return RowFields(
        resource=resource,
        all=tuple(field.name for field in fields),
        known=frozenset(field.name for field in fields),
        dates=tuple(field.name for field in fields if field.is_date),
        numbers=tuple(field.name for field in fields if field.type == "number"),
        integers=tuple(field.name for field in fields if field.type == "integer"),
        past=tuple(field.name for field in fields if field.is_date and field.name not in resource.ahead),
        readers=tuple((field.name, each) for field in fields if (each := _reader(field))),
        stable=tuple(field.name for field in fields if field.name not in resource.computed),
        strings=frozenset(field.name for field in fields if field.type == "string" and not field.is_date),
        mutable=frozenset({UPDATED_AT, *((life.field, life.ended_at) if life else ())}),
    )


_INTEGER = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?", re.ASCII)
_MOST_DIGITS = 18


def plain_row(row: Mapping[str, Any], fields: RowFields) -> dict[str, Any]:
    """Return a row with values as the service spells them; a value whose meaning is unclear stays.

    `"1001"`, `1001.0` and `1e3` are read as integers, `"2.50"` as a number, `Pending` as a status. Other
    rules report the spelling.
    """
    return {**row, **{name: read(row[name]) for name, read in fields.readers if name in row}}


def _reader(field: Field) -> Reader | None:
    if field.choices and field.type == "string":
        return partial(_read_choice, field.choices)
    return {"integer": read_integer, "number": _read_number}.get(field.type)


def read_integer(value: Any) -> Any:
    """Return the integer that a value clearly means: 1001 for `1001.0` or `\"1001\"`; else the value."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if not isinstance(value, Decimal) or not value.is_finite() or value.adjusted() >= _MOST_DIGITS:
        return value
    return int(value) if value == value.to_integral_value() else value


def _read_number(value: Any) -> Any:
    return Decimal(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def _read_choice(choices: Sequence[str], value: Any) -> Any:
    if not isinstance(value, str) or value in choices:
        return value
    text = value.strip().lower()
    return text if text in choices else value


LONGEST_DATE = 64
"""Characters; a longer text is not a date, and not worth caching."""
_DATES = 4096  # dates whose instant is cached
_ODD_DATE = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d))?(?:[.,](\d+))? ?(?:([Zz])|([+-]\d\d):?(\d\d)?)",
    re.ASCII,
)


def read_instant(value: Any) -> int | None:
    """Return the instant of a date, however it is spelled; None if the value is not a date.

    Rules compare `2022-06-14t18:58:10.2464060 z` like any other date; another rule reports its spelling.
    """
    return _instant(value) if type(value) is str and len(value) <= LONGEST_DATE else None


@lru_cache(_DATES)
def _instant(text: str) -> int | None:
    instant = _parsed(text)
    return _parsed(_spelled(text)) if instant is None else instant


def _parsed(text: str) -> int | None:
    try:
        return parse_instant(text)
    except ValueError:
        return None


def _spelled(text: str) -> str:
    """Return a date in an odd spelling, spelled so that `parse_instant` reads it; other text unchanged."""
    match = _ODD_DATE.fullmatch(text.strip())
    if match is None:
        return text
    date, hour, second, fraction, zulu, hours, minutes = match.groups()
    offset = "Z" if zulu else f"{hours}:{minutes or '00'}"
    return f"{date}T{hour}:{second or '00'}" + (f".{fraction[:6]}" if fraction else "") + offset
