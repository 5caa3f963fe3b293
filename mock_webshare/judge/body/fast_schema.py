"""Acceptor: a function that accepts values that certainly keep a schema.

An acceptor is made from the schema itself, and is many times faster than jsonschema, which alone decides
what is broken: the judge validates with jsonschema whatever an acceptor refuses. So an acceptor may refuse
valid values (a keyword that it does not know makes it refuse all), but must never accept an invalid one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from mock_webshare.contract.schemas import Schemas

Check: TypeAlias = Callable[[Any], bool]
Schema: TypeAlias = Mapping[str, Any]

_CACHED = 64  # schemas
_ANNOTATIONS = frozenset(
    ["$schema", "$id", "$comment", "$defs", "title", "description", "examples", "x-provenance", "x-rule"]
)


class Scope(NamedTuple):
    """The document that a schema is in, and the documents to which it may refer."""

    document: Schema
    schemas: Schemas


@lru_cache(_CACHED)
def acceptor(schemas: Schemas, name: str) -> Check:
    """Return the acceptor of a schema by its name."""
    document = schemas.document(name)
    return _certainly(document, Scope(document, schemas))


def _certainly(schema: Schema, scope: Scope) -> Check:
    """Return the acceptor of a schema inside a document."""
    keywords = schema.keys() - _ANNOTATIONS - _BESIDE_IF
    if not keywords <= _KEYWORDS.keys():
        return _refuse
    return _all([_KEYWORDS[keyword](schema[keyword], schema, scope) for keyword in sorted(keywords)])


def _refuse(value: Any) -> bool:
    return False


def _accept(value: Any) -> bool:
    return True


def _all(checks: list[Check]) -> Check:
    if not checks:
        return _accept
    if len(checks) == 1:
        return checks[0]
    first, rest = checks[0], _all(checks[1:])
    return lambda value: first(value) and rest(value)


_TYPES: dict[str, frozenset[type]] = {
    "array": frozenset({list}),
    "boolean": frozenset({bool}),
    "integer": frozenset({int}),  # a Decimal may be one, and is left to jsonschema
    "null": frozenset({type(None)}),
    "number": frozenset({int, Decimal}),
    "object": frozenset({dict}),
    "string": frozenset({str}),
}


def _type(names: str | list[str], schema: Schema, scope: Scope) -> Check:
    types = frozenset().union(*(_TYPES[name] for name in ([names] if isinstance(names, str) else names)))
    return lambda value: type(value) in types


def _enum(values: list[Any], schema: Schema, scope: Scope) -> Check:
    if not all(isinstance(value, str) for value in values):
        return _refuse
    known = frozenset(values)
    return lambda value: type(value) is str and value in known


def _minimum(least: int, schema: Schema, scope: Scope) -> Check:
    return lambda value: type(value) is int and value >= least


def _required(names: list[str], schema: Schema, scope: Scope) -> Check:
    wanted = frozenset(names)
    return lambda value: type(value) is dict and wanted <= value.keys()


def _properties(schemas: Mapping[str, Schema], schema: Schema, scope: Scope) -> Check:
    checks = [(name, _certainly(each, scope)) for name, each in schemas.items()]

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return False
        for name, accepts in checks:  # a loop, for `all` costs twice the time
            if name in value and not accepts(value[name]):
                break
        else:
            return True
        return False

    return check


def _items(each: Schema, schema: Schema, scope: Scope) -> Check:
    accepts = _certainly(each, scope)
    return lambda value: type(value) is list and all(map(accepts, value))


def _ref(target: str, schema: Schema, scope: Scope) -> Check:
    if target.startswith("#/$defs/"):
        return _certainly(scope.document["$defs"][target.removeprefix("#/$defs/")], scope)
    return acceptor(scope.schemas, target.removesuffix(".schema.json"))


def _dependent(schemas: Mapping[str, Schema], schema: Schema, scope: Scope) -> Check:
    checks = [(name, _certainly(each, scope)) for name, each in schemas.items()]
    return lambda value: (
        type(value) is dict and all(accepts(value) for name, accepts in checks if name in value)
    )


def _not(inside: Schema, schema: Schema, scope: Scope) -> Check:
    exact = _exactly(inside)
    return _refuse if exact is None else lambda value: not exact(value)


_BESIDE_IF = frozenset({"then", "else"})


def _if(condition: Schema, schema: Schema, scope: Scope) -> Check:
    exact = _exactly(condition)
    if exact is None:
        return _refuse
    then = _certainly(schema.get("then", {}), scope)
    otherwise = _certainly(schema.get("else", {}), scope)
    return lambda value: then(value) if exact(value) else otherwise(value)


def _exactly(schema: Schema) -> Check | None:
    """Return a check that accepts all valid values and no others; None: the schema is too complex."""
    match schema:
        case {"type": "null", **rest} if not rest:
            return lambda value: value is None
        case {"const": str(wanted), **rest} if not rest:
            return lambda value: bool(value == wanted)
        case {"enum": list(wanted), **rest} if not rest and all(isinstance(each, str) for each in wanted):
            return lambda value: any(value == each for each in wanted)
        case {"properties": dict(schemas), **rest} if not rest and len(schemas) == 1:
            return _exact_property(*next(iter(schemas.items())))
    return None


def _exact_property(name: str, schema: Schema) -> Check | None:
    exact = _exactly(schema)
    return exact and (lambda value: type(value) is not dict or name not in value or exact(value[name]))


_DATE_TIME = re.compile(
    r"((?:19|20)\d\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    r"(?:\.\d{1,6})?(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)",
    re.ASCII,
)
_LAST_DAY_OF_EVERY_MONTH = 28


def _is_date_time(value: Any) -> bool:
    if type(value) is not str:
        return value is None
    match = _DATE_TIME.fullmatch(value)
    if match is None:
        return False
    year, month, day = map(int, match.groups())
    return day <= _LAST_DAY_OF_EVERY_MONTH or _is_day(year, month, day)


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


_URI = re.compile(
    r"https?://[a-z0-9.-]+(?::\d{1,5})?(?:/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\?(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?",
    re.ASCII,
)


def _is_uri(value: Any) -> bool:
    return value is None or (type(value) is str and _URI.fullmatch(value) is not None)


_FORMATS: dict[str, Check] = {"date-time": _is_date_time, "uri": _is_uri}


_KEYWORDS: dict[str, Callable[[Any, Schema, Scope], Check]] = {
    "$ref": _ref,
    "const": lambda wanted, schema, scope: _enum([wanted], schema, scope),
    "dependentSchemas": _dependent,
    "enum": _enum,
    "format": lambda name, schema, scope: _FORMATS.get(name, _refuse),
    "if": _if,
    "items": _items,
    "minimum": _minimum,
    "not": _not,
    "properties": _properties,
    "required": _required,
    "type": _type,
}
