"""Fields: what the schemas say of the fields of a row, for the rules that compare rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from mock_webshare.contract.schemas import SERVICE_SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Fields:
    """The names of the fields of one kind of row, in the documented order, and those of some types."""

    of: str
    """The name of the schema of the row."""
    all: tuple[str, ...]
    known: frozenset[str]
    """The same as a set."""
    dates: tuple[str, ...]
    numbers: tuple[str, ...]
    """Those that may have a fraction."""
    strings: frozenset[str]
    """Those that are text and no dates."""


def _name_of_row(name: str) -> str:
    """Given the name of the schema of an object or of a page, return that of the object."""
    rows = SERVICE_SCHEMAS.document(name)["properties"].get("results")
    target: str = rows["items"]["$ref"] if rows else name
    return target.removesuffix(".schema.json")


@cache
def fields_of(name: str) -> Fields:
    """Given the name of the schema of an object or of a page, return the fields of the object."""
    of = _name_of_row(name)
    properties: Mapping[str, Any] = SERVICE_SCHEMAS.document(of)["properties"]
    dates = tuple(field for field, each in properties.items() if each.get("format") == "date-time")
    return Fields(
        of=of,
        all=tuple(properties),
        known=frozenset(properties),
        dates=dates,
        numbers=tuple(field for field, each in properties.items() if each["type"] == "number"),
        strings=frozenset(
            field for field, each in properties.items() if "string" in each["type"] and field not in dates
        ),
    )
