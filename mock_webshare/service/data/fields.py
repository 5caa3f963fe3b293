"""Field types: which values are allowed, in code and in words; and strict JSON."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from mock_webshare.contract.timestamps import parse_instant
from mock_webshare.errors import DataError, UsageError, suggestion

LARGEST_ID = 2**63 - 1


class FieldType(NamedTuple):
    """Which values are allowed: as a predicate, in words and as a JSON Schema; `read` converts a value."""

    is_allowed: Callable[[Any], bool]
    allowed: str
    read: Callable[[Any], Any] = lambda value: value
    schema: Mapping[str, Any] = {}

    def require(self, name: str, value: object) -> None:
        """Raise `UsageError` if a value is not allowed; the message calls the value `name`."""
        if not self.is_allowed(value):
            raise UsageError.invalid(name, value, self.allowed)

    def or_null(self) -> FieldType:
        """Return the type that allows null as well."""
        return FieldType(
            lambda value: value is None or self.is_allowed(value),
            f"null, or {self.allowed}",
            lambda value: None if value is None else self.read(value),
            {"oneOf": [{"type": "null"}, self.schema]},
        )


def is_integer(value: Any) -> bool:
    """Return whether a value is an integer; bool, a subclass of int, is not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_string(value: Any) -> bool:
    """Return whether a value is a string that UTF-8 can encode; `"\\ud800"` is not."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def is_json(value: Any) -> bool:
    """Return whether a value can be written in a body: as JSON, and in UTF-8."""
    try:
        return bool(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (RecursionError, TypeError, ValueError):
        return False


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e300 and math.isfinite(value)


def integer(minimum: int, maximum: int, allowed: str = "") -> FieldType:
    """Return the type of the integers in a range."""
    return FieldType(
        lambda value: is_integer(value) and minimum <= value <= maximum,
        allowed or f"a whole number from {minimum} to {maximum}",
        schema={"type": "integer", "minimum": minimum, "maximum": maximum},
    )


def choice(*values: str | int) -> FieldType:
    """Return the type of these strings or integers."""
    return FieldType(
        lambda value: (is_string(value) or is_integer(value)) and value in values,
        ", ".join(map(str, values)),
        schema={"enum": list(values)},
    )


def string(minimum: int, maximum: int) -> FieldType:
    """Return the type of the strings of a range of lengths."""
    return FieldType(
        lambda value: is_string(value) and minimum <= len(value) <= maximum,
        f"a text of {minimum} to {maximum} characters",
        schema={"type": "string", "minLength": minimum, "maxLength": maximum},
    )


def pattern(regex: str, allowed: str) -> FieldType:
    """Return the type of the strings that a regular expression matches as a whole."""
    compiled = re.compile(regex, re.ASCII)
    return FieldType(
        lambda value: is_string(value) and bool(compiled.fullmatch(value)),
        allowed,
        schema={"type": "string", "pattern": f"^({regex})$"},
    )


def record(allowed: str, **types: FieldType) -> FieldType:
    """Return the type of the objects with exactly these keys, each of its type."""
    return FieldType(
        lambda value: (
            isinstance(value, dict)
            and value.keys() == types.keys()
            and all(each.is_allowed(value[name]) for name, each in types.items())
        ),
        allowed,
        schema=closed({name: each.schema for name, each in types.items()}, tuple(types)),
    )


def closed(properties: Mapping[str, Any], needed: Sequence[str] = ()) -> dict[str, Any]:
    """Return the JSON Schema of the objects with these properties and no others."""
    required = {"required": list(needed)} if needed else {}
    return {"type": "object", "additionalProperties": False, **required, "properties": dict(properties)}


def parsed(parse: Callable[[Any], Any], allowed: str, schema: Mapping[str, Any] | None = None) -> FieldType:
    """Return the type of the values that a function parses without an error."""

    def is_allowed(value: Any) -> bool:
        try:
            return parse(value) is not None
        except (TypeError, ValueError, UsageError):
            return False

    return FieldType(is_allowed, allowed, parse, schema or {})


BOOLEAN = FieldType(lambda value: isinstance(value, bool), "true or false", schema={"type": "boolean"})
ID = integer(1, LARGEST_ID, "a whole number from 1 to 2^63 - 1")._replace(
    schema={"$ref": "#/components/schemas/id"}
)
DATE = parsed(
    parse_instant,
    "a date and time with an offset, from 1970 to 9998, like 2022-06-14T11:58:10.246406-07:00",
    {"$ref": "#/components/schemas/instant"},
)
NON_EMPTY = FieldType(
    lambda value: is_string(value) and value != "",
    "a string of Unicode characters that is not empty",
    schema={"type": "string", "minLength": 1},
)
JSON_TYPES: Mapping[str, FieldType] = {
    "integer": integer(-LARGEST_ID, LARGEST_ID, "a whole number"),
    "number": FieldType(
        _is_number,
        "a number, up to 1e300 either way",
        float,
        {"type": "number", "exclusiveMinimum": -1e300, "exclusiveMaximum": 1e300},
    ),
    "string": FieldType(is_string, "a string of Unicode characters", schema={"type": "string"}),
    "boolean": BOOLEAN,
    "array": FieldType(
        lambda value: isinstance(value, list) and is_json(value), "a list", deepcopy, {"type": "array"}
    ),
    "object": FieldType(
        lambda value: isinstance(value, dict) and is_json(value), "an object", deepcopy, {"type": "object"}
    ),
}
"""The allowed values of a field by its JSON type, unless its schema restricts them."""


def read_object(
    source: str, pointer: str, value: Any, types: Mapping[str, FieldType], *, optional: bool = False
) -> dict[str, Any]:
    """Return an object with each value converted by the type of its key.

    All keys are required unless they are `optional`. Raise `DataError` for the first key that is missing,
    unknown or has a value of another type; `source` and `pointer` locate the object.
    """
    require_keys(source, pointer, value, () if optional else tuple(types), tuple(types))
    for name, each in value.items():
        if not types[name].is_allowed(each):
            raise DataError.invalid(source, f"{pointer}/{name}", each, types[name].allowed)
    return {name: each.read(value[name]) for name, each in types.items() if name in value}


def require_keys(
    source: str, pointer: str, value: Any, required: tuple[str, ...], known: tuple[str, ...]
) -> None:
    """Raise `DataError` unless an object has all required and only known keys."""
    if not isinstance(value, dict):
        raise DataError.invalid(source, pointer, value, f"an object with the keys {', '.join(known)}")
    if missing := [key for key in required if key not in value]:
        raise DataError(source, pointer, f"lacks {missing[0]!r}; needed: {', '.join(required)}")
    if unknown := [key for key in value if key not in known]:
        meant = suggestion(unknown[0], known) or ";"
        raise DataError(source, pointer, f"unknown key {unknown[0]!r:.80}{meant} allowed: {', '.join(known)}")


_MAX_DIGITS = 400


MOST_OBJECTS, MOST_VALUES = 4_000_000, 40_000_000
"""Objects and values of a JSON text: each takes much more memory than its text. A million credits have ten
million values."""


def read_json(content: bytes, *, source: str, is_whole_integer: bool = False) -> Any:
    """Parse JSON; raise `DataError` also for ambiguous or extreme values.

    `is_whole_integer` makes `3.0` an integer, as JSON Schema does.
    """
    if not content.strip():
        raise DataError(source, "", "is empty, not JSON")
    if content.count(b"{") + content.count(b"[") > MOST_OBJECTS or content.count(b",") > MOST_VALUES:
        raise DataError(source, "", f"has more than {MOST_OBJECTS:,} objects or {MOST_VALUES:,} values")
    try:
        return json.loads(
            content,
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_int=_parse_integer,
            parse_float=_parse_whole if is_whole_integer else _parse_number,
        )
    except RecursionError as error:
        raise DataError(source, "", "is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise DataError(source, "", f"is not UTF-8 at byte {error.start}") from error
    except ValueError as error:
        raise DataError(source, "", f"is not JSON: {error}") from error


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        [(key, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {key!r:.80} occurs twice in one object")
    return result


def _parse_integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number with {len(digits)} digits is too long")
    return int(digits)


def _parse_number(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # which could not be written as JSON again
        raise ValueError(f"the number {text:.80} is too large")
    return number


def _parse_whole(text: str) -> int | float:
    number = _parse_number(text)
    return int(number) if number.is_integer() else number


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
