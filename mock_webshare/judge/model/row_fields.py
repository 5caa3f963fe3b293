"""RowFields: the fields of a row by their types, for the rules that compare rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from mock_webshare.contract.model import Contract, Resource

UPDATED_AT = "updated_at"
"""The field that every change of a row sets, where rows have it."""
_CACHED = 64  # resources


@dataclass(frozen=True, slots=True)
class RowFields:
    """The names of the fields of the rows of a resource."""

    resource: Resource
    all: tuple[str, ...]
    """In the order of the schema."""
    known: frozenset[str]
    """The same as a set."""
    dates: tuple[str, ...]
    numbers: tuple[str, ...]
    """Those that may have a fraction."""
    strings: frozenset[str]
    """Those that are text, but not dates."""
    stable: tuple[str, ...]
    """Those that change with `updated_at` only: all but computed ones."""
    mutable: frozenset[str]
    """Those whose change moves a row in a list that is ordered or filtered by them."""


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
        stable=tuple(field.name for field in fields if field.name not in resource.computed),
        strings=frozenset(field.name for field in fields if field.type == "string" and not field.is_date),
        mutable=frozenset({UPDATED_AT, *((life.field, life.ended_at) if life else ())}),
    )
