"""Shape: how a body without its request is recognised.

A body that was stored alone does not name its schema. Each shape has a sign that no other one shows,
chosen so that a broken body is still recognised.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from mock_webshare.contract.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mock_webshare.contract.model import Contract, Endpoint

    HasSign = Callable[[Any], bool]

_CACHED = 16  # contracts


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of body; `sign` describes in words what `has_sign` looks for."""

    schema: str
    sign: str
    has_sign: HasSign


def recognise(body: Any, contract: Contract) -> str | None:
    """Return the name of the schema of a body by its shape; None if no shape fits."""
    return next((shape.schema for shape in shapes_of(contract) if shape.has_sign(body)), None)


@lru_cache(_CACHED)
def shapes_of(contract: Contract) -> tuple[Shape, ...]:
    """Return the shapes of all bodies; a body has the first one whose sign it shows."""
    lists = [each for each in contract.endpoints if each.kind is Kind.LIST]
    return (
        *_pages(contract, lists),
        *(_row(contract, each) for each in contract.endpoints if each.kind is not Kind.LIST),
        Shape("error-detail", "has `detail`", _has_any("detail")),
        Shape("field-errors", "has lists only", _has_lists_only),
    )


def _pages(contract: Contract, lists: Sequence[Endpoint]) -> Iterator[Shape]:
    """Yield the shapes of pages: of the list whose fields the first row shares most."""
    fields = {each.path: {field.name for field in contract.served[each.path]} for each in lists}

    def list_of(body: Any) -> Endpoint:
        rows = body.get("results")
        row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
        return max(lists, key=lambda each: len(row.keys() & fields[each.path]))

    is_page = _has_any("results", "next")
    for each in lists:
        has_sign = partial(lambda endpoint, body: is_page(body) and list_of(body) is endpoint, each)
        yield Shape(each.schema, "has `results` or `next`", has_sign)


def _row(contract: Contract, endpoint: Endpoint) -> Shape:
    signs = endpoint.signs or _signs(contract, endpoint)
    words = "has " + " or ".join(f"`{each}`" for each in signs)
    if endpoint.kind is Kind.ARRAY:
        return Shape(endpoint.schema, f"is an array whose first row {words}", _is_array(*signs))
    return Shape(endpoint.schema, words, _has_any(*signs))


def _signs(contract: Contract, endpoint: Endpoint) -> Sequence[str]:
    """Return the fields of a row that no other body has: no other row, and no error."""
    schema = contract.row_schema(endpoint)
    others = {
        field.name
        for each in contract.endpoints
        if contract.row_schema(each) != schema
        for field in contract.served[each.path]
    }
    others |= {"detail", "code"} | contract.filter_names
    return [field.name for field in contract.served[endpoint.path] if field.name not in others]


def _is_array(*fields: str) -> HasSign:
    has_sign = _has_any(*fields)
    return lambda body: isinstance(body, list) and bool(body) and has_sign(body[0])


def _has_any(*fields: str) -> HasSign:
    return lambda body: isinstance(body, dict) and not body.keys().isdisjoint(fields)


def _has_lists_only(body: Any) -> bool:
    return isinstance(body, dict) and bool(body) and all(isinstance(each, list) for each in body.values())
