"""The query parameters of routes: each is declared with its route, and any other is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from mock_webshare.errors import UsageError, suggestion

_MOST_PARAMETERS = 100
_LONGEST_TEXT = 200
_INTEGER = re.compile("[0-9]{1,15}")


class Parameter(NamedTuple):
    """One parameter: how its text is read, and the value that it has if it is not sent."""

    name: str
    description: str
    read: Callable[[str], Any]
    """Returns the value of a text; None: the text is not allowed."""
    allowed: str
    default: Any
    schema: Mapping[str, Any]


def integer(name: str, description: str, default: int, most: int = 10**15 - 1) -> Parameter:
    """Return a parameter whose value is a number from 0 to `most`."""

    def read(text: str) -> int | None:
        return int(text) if _INTEGER.fullmatch(text) and int(text) <= most else None

    schema = {"type": "integer", "minimum": 0, "maximum": most, "default": default}
    return Parameter(name, description, read, f"a number from 0 to {most}", default, schema)


def text(name: str, description: str) -> Parameter:
    """Return a parameter whose value is any text that is not too long."""

    def read(value: str) -> str | None:
        return value if len(value) <= _LONGEST_TEXT else None

    schema = {"type": "string", "maxLength": _LONGEST_TEXT, "default": ""}
    return Parameter(name, description, read, f"up to {_LONGEST_TEXT} characters", "", schema)


def choice(name: str, description: str, *choices: str) -> Parameter:
    """Return a parameter with one of some values, the first one by default."""

    def read(value: str) -> str | None:
        return value if value in choices else None

    schema = {"enum": list(choices), "default": choices[0]}
    return Parameter(name, description, read, ", ".join(choices), choices[0], schema)


def read_query(parameters: Sequence[Parameter], query: str) -> dict[str, Any]:
    """Return the value of each parameter of a query, by its name.

    Raise `UsageError` for a parameter that is not declared, sent twice, or has a value that is not allowed.
    """
    values = {each.name: each.default for each in parameters}
    sent = dict[str, str]()
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise UsageError(f"the query has too many parameters; allowed: {_allowed(parameters)}") from None
    for name, value in pairs:
        if name not in values:
            problem = f"there is no query parameter {name!r:.80}{suggestion(name[:_LONGEST_TEXT], values)}"
            raise UsageError(f"{problem}; allowed here: {_allowed(parameters)}")
        if name in sent:
            raise UsageError(f"the query parameter {name} is sent more than once; send it once")
        sent[name] = value
    return values | {each.name: _read(each, sent[each.name]) for each in parameters if each.name in sent}


def _allowed(parameters: Sequence[Parameter]) -> str:
    return ", ".join(each.name for each in parameters) or "none"


def _read(parameter: Parameter, value: str) -> Any:
    if (found := parameter.read(value)) is None:
        raise UsageError.invalid(parameter.name, value, parameter.allowed)
    return found
