"""Fields: what the schemas say of the fields of a row, for the rules that compare rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mock_webshare.contract.model import fields_of as field_list

if TYPE_CHECKING:
    from mock_webshare.contract.model import Contract, Resource

_REMEMBERED = 64
UPDATED_AT = "updated_at"
"""The field that every change of a row sets, where rows have it."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The names of the fields of one kind of row, in the documented order, and those of some types."""

    of: str
    """The name of the schema of the row."""
    resource: Resource | None
    """What the row is one of."""
    all: tuple[str, ...]
    known: frozenset[str]
    """The same as a set."""
    dates: tuple[str, ...]
    numbers: tuple[str, ...]
    """Those that may have a fraction."""
    strings: frozenset[str]
    """Those that are text, but not dates."""
    mutable: frozenset[str]
    """Those whose change moves a row in a list that is ordered or filtered by them."""


@lru_cache(_REMEMBERED)
def fields_of(contract: Contract, name: str) -> Fields:
    """Return the fields of a row by the name of its schema, or of that of a page of rows."""
    of = contract.row_schemas.get(name, name)
    fields = field_list(contract.schemas.document(of))
    resource = next((each for each in contract.resources.values() if each.schema == of), None)
    return Fields(
        of=of,
        resource=resource,
        all=tuple(field.name for field in fields),
        known=frozenset(field.name for field in fields),
        dates=tuple(field.name for field in fields if field.is_date),
        numbers=tuple(field.name for field in fields if field.type == "number"),
        strings=frozenset(field.name for field in fields if field.type == "string" and not field.is_date),
        mutable=_mutable(resource),
    )


def _mutable(resource: Resource | None) -> frozenset[str]:
    life = resource.lifecycle if resource else None
    return frozenset({UPDATED_AT}) | ({life.field, life.ended_at} if life else set())
