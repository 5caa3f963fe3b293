"""Fields: what a JSON value may be, as a test and the words for it; and strict reading of JSON."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mock_webshare.errors import DataError


class FieldType(NamedTuple):
    """What a field may hold: a test, the words for it, how to read a value that passes, and a JSON Schema."""

    is_allowed: Callable[[Any], bool]
    allowed: str
    read: Callable[[Any], Any] = lambda value: value
    schema: Mapping[str, Any] = {}

    def or_null(self) -> FieldType:
        """Return the type that allows null as well."""
        return FieldType(
            lambda value: value is None or self.is_allowed(value),
            f"null, or {self.allowed}",
            lambda value: None if value is None else self.read(value),
            {"oneOf": [{"type": "null"}, self.schema]},
        )


def whole(least: int, most: int) -> FieldType:
    """Return the type of whole numbers from `least` to `most`."""
    # bool is a subclass of int, and JSON's true is no number; so is HTTPStatus, which is one.
    return FieldType(
        lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most,
        f"{least} to {most}",
    )


def one_of(*values: str) -> FieldType:
    """Return the type of these strings."""
    return FieldType(
        lambda value: isinstance(value, str) and value in values,
        ", ".join(values),
        schema={"enum": list(values)},
    )


def is_text(value: Any) -> bool:
    """Return whether a value is a string of whole characters, of which alone UTF-8 can be made.

    JSON can escape half a one: `"\\ud800"`.
    """
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def text(least: int, most: int) -> FieldType:
    """Return the type of texts of `least` to `most` characters."""
    return FieldType(
        lambda value: is_text(value) and least <= len(value) <= most,
        f"a text of {least} to {most} characters",
    )


def is_json(value: Any) -> bool:
    """Return whether a value can be written in a body: as JSON, and in UTF-8."""
    try:
        return bool(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (RecursionError, TypeError, ValueError):
        return False


BOOLEAN = FieldType(lambda value: isinstance(value, bool), "true or false", schema={"type": "boolean"})


def read_object(
    source: str, pointer: str, value: Any, types: Mapping[str, FieldType], *, optional: bool = False
) -> dict[str, Any]:
    """Read an object of which each key has a type, and return what is read.

    All keys are needed unless they are `optional`. Raise `DataError` for the first that is missing,
    unknown or not of its type; `source` and `pointer` say where the object is.
    """
    require_keys(source, pointer, value, () if optional else tuple(types), tuple(types))
    for name, each in value.items():
        if not types[name].is_allowed(each):
            raise DataError.invalid(source, f"{pointer}/{name}", each, types[name].allowed)
    return {name: each.read(value[name]) for name, each in types.items() if name in value}


def require_keys(
    source: str, pointer: str, value: Any, needed: tuple[str, ...], known: tuple[str, ...]
) -> None:
    """Raise `DataError` unless a value is an object with the needed keys and none that is unknown."""
    if not isinstance(value, dict):
        raise DataError.invalid(source, pointer, value, f"an object with the keys {', '.join(known)}")
    if missing := [key for key in needed if key not in value]:
        raise DataError(source, pointer, f"lacks {missing[0]!r}; needed: {', '.join(needed)}")
    if unknown := [key for key in value if key not in known]:
        raise DataError(source, pointer, f"unknown key {unknown[0]!r:.80}; allowed: {', '.join(known)}")


_LONGEST_NUMBER = 400


def read_json(content: bytes, *, source: str) -> Any:
    """Given JSON, return its value; raise `DataError` for what is none, or is read in several ways."""
    if not content.strip():
        raise DataError(source, "", "is empty, which is no JSON")
    try:
        return json.loads(
            content,
            object_pairs_hook=_unique_keys,
            parse_constant=_no_constant,
            parse_int=_whole_number,
            parse_float=_number,
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
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice!r:.80} occurs twice in one object")
    return result


def _whole_number(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError(f"a number with {len(digits)} digits is too long")
    return int(digits)


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # which JSON could not say again
        raise ValueError(f"the number {text:.80} is too large")
    return number


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
