"""Shape: how a body is recognised by its fields.

A body that was stored alone does not name its schema, and the body of a response may be of another kind
than the one due. Each shape has a sign, chosen so that a broken body is still recognised; a body has the
first shape whose sign it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeAlias

from mock_webshare.contract.model import Contract, Endpoint, Kind

HasSign: TypeAlias = Callable[[Any], bool]
_CACHED = 16  # contracts
_MOST_NEAREST = 3
ERROR_BODIES = frozenset({"error-detail", "field-errors", "body-errors"})
"""The schemas of errors."""


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
    """Return the shapes of all bodies, in the order in which a body is compared with them."""
    lists = [each for each in contract.endpoints if each.kind is Kind.LIST]
    return (
        *_pages(contract, lists),
        *(_unpaged(contract, each) for each in contract.endpoints if each.kind is not Kind.LIST),
        Shape("error-detail", "has `detail`", _has_any("detail")),
        Shape("field-errors", "has lists only", _has_lists_only),
    )


def nearest_shapes(body: Any, contract: Contract) -> list[Shape]:
    """Return the few shapes that share most fields, and at least one, with a body or its first row."""
    row = body[0] if isinstance(body, list) and body else body
    found = row.keys() if isinstance(row, dict) else set[str]()
    shared = {shape.schema: len(found & _fields(contract)[shape.schema]) for shape in shapes_of(contract)}
    near = [shape for shape in shapes_of(contract) if shared[shape.schema]]
    return sorted(near, key=lambda shape: -shared[shape.schema])[:_MOST_NEAREST]


@lru_cache(_CACHED)
def _fields(contract: Contract) -> Mapping[str, Set[str]]:
    """Return the field names of each shape, or of its rows if the shape is an array, by schema."""
    rows = {
        each.schema: {field.name for field in contract.served[each.path]}
        for each in contract.endpoints
        if each.kind is Kind.ARRAY
    }
    names = (shape.schema for shape in shapes_of(contract))
    return {
        name: rows.get(name) or set(contract.schemas.document(name).get("properties", {})) for name in names
    }


def different_kind(body: Any, schema: str, contract: Contract) -> str | None:
    """Return the kind of a body that is not what a schema describes; None if it may be a broken one.

    The kind is the name of the schema whose fields the body has, or a JSON type: one that the schema does not
    allow, such as `array`, or `object` for an object without any of the fields.
    """
    types = contract.schemas.document(schema).get("type", "object")
    if (actual := json_type(body)) not in ([types] if isinstance(types, str) else types):
        return actual
    kinds = [each.schema for each in _shapes_inside(contract) if each.has_sign(body)]
    if not kinds:
        return actual if _lacks_all(body, schema, contract) else None
    other = max(kinds, key=lambda kind: sum(name in body for name in _required(kind, contract)))
    if schema in kinds or {other, schema} <= ERROR_BODIES:
        return None
    return other if _fit(body, other, contract) > _fit(body, schema, contract) else None


def _required(schema: str, contract: Contract) -> Sequence[str]:
    required: Sequence[str] = contract.schemas.document(schema).get("required", ())
    return required


def _lacks_all(body: Any, schema: str, contract: Contract) -> bool:
    """Whether an object has none of the fields of a schema that requires several."""
    has_several = isinstance(body, dict) and len(_required(schema, contract)) > 1
    return has_several and contract.schemas.document(schema).get("properties", {}).keys().isdisjoint(body)


def json_type(value: Any) -> str:
    """Return the JSON type of a value: a whole number is an `integer` only if it was written as one."""
    return _JSON_TYPES.get(type(value), "number")


_JSON_TYPES = {
    dict: "object",
    list: "array",
    str: "string",
    bool: "boolean",
    int: "integer",
    type(None): "null",
}


@lru_cache(_CACHED)
def _shapes_inside(contract: Contract) -> tuple[Shape, ...]:
    """Return the shapes of all bodies, and of the rows of arrays, which are never a body."""
    arrays = [each for each in contract.endpoints if each.kind is Kind.ARRAY]
    rows = {contract.row_schema(each): each.signs or _signs(contract, each) for each in arrays}
    return *shapes_of(contract), *(Shape(name, "", _has_any(*signs)) for name, signs in rows.items())


def _fit(body: Any, schema: str, contract: Contract) -> float:
    """Return the share of the required fields of a schema that a body has, from 0 to 1."""
    required = _required(schema, contract)
    return sum(name in body for name in required) / len(required) if required else 1.0


def _pages(contract: Contract, lists: Sequence[Endpoint]) -> Iterator[Shape]:
    """Yield the shape of each list's pages; the first row decides to which list a page belongs."""
    fields = {each.path: {field.name for field in contract.served[each.path]} for each in lists}

    def list_of(body: Any) -> Endpoint:
        rows = body.get("results")
        row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
        return max(lists, key=lambda each: len(row.keys() & fields[each.path]))

    is_page = _has_any("results", "next")
    for each in lists:
        has_sign = partial(lambda endpoint, body: is_page(body) and list_of(body) is endpoint, each)
        yield Shape(each.schema, "has `results` or `next`", has_sign)


def _unpaged(contract: Contract, endpoint: Endpoint) -> Shape:
    """Return the shape of the body of an endpoint without pages: an object or an array."""
    signs = endpoint.signs or _signs(contract, endpoint)
    words = "has " + " or ".join(f"`{each}`" for each in signs)
    if endpoint.kind is Kind.ARRAY:
        return Shape(endpoint.schema, f"is an array whose first row {words}", _is_array(*signs))
    return Shape(endpoint.schema, words, _has_any(*signs))


def _signs(contract: Contract, endpoint: Endpoint) -> Sequence[str]:
    """Return the fields that only the rows of an endpoint have: no other row has them, and no error."""
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
