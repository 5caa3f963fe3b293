"""Shape: what a body is, told from its looks alone.

A body stored without its request does not say which schema it answers to. Each shape has a
sign that no other one shows, chosen so that a broken body is still known for what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mock_webshare.contract.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_webshare.contract.model import Contract, Endpoint


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of body; `schema` is what it must keep, `has_sign` tells whether a body shows its sign."""

    schema: str
    sign: str
    has_sign: Callable[[Any], bool]


def _has_any(*fields: str) -> Callable[[Any], bool]:
    return lambda body: isinstance(body, dict) and not body.keys().isdisjoint(fields)


def _holds_lists(body: Any) -> bool:
    return isinstance(body, dict) and bool(body) and all(isinstance(each, list) for each in body.values())


@lru_cache(16)
def shapes_of(contract: Contract) -> tuple[Shape, ...]:
    """Return the shapes of a contract's bodies; a body has the first one whose sign it shows.

    A page shows itself by its links, a row by fields that no other row or error has.
    """
    pages = [each for each in contract.endpoints if each.kind is Kind.LIST]
    rows = [each for each in contract.endpoints if each.kind is not Kind.LIST]
    return (
        *(Shape(each.schema, "has `results` or `next`", _has_any("results", "next")) for each in pages[:1]),
        *(_of_row(contract, each) for each in rows),
        Shape("error-detail", "has `detail`", _has_any("detail")),
        Shape("field-errors", "has lists only", _holds_lists),
    )


def _of_row(contract: Contract, endpoint: Endpoint) -> Shape:
    resource = contract.resource_of(endpoint)
    others = {
        field.name for name in contract.resources if name != resource.name for field in contract.fields[name]
    }
    signs = resource.signs or [
        field.name for field in contract.fields[resource.name] if field.name not in others
    ]
    return Shape(endpoint.schema, "has " + " or ".join(f"`{each}`" for each in signs), _has_any(*signs))


def recognise(body: Any, contract: Contract) -> str | None:
    """Return the name of the schema of a JSON value by its shape; None if it has none."""
    return next((shape.schema for shape in shapes_of(contract) if shape.has_sign(body)), None)
