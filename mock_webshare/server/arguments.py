"""Arguments: how the methods that tests call report invalid arguments.

The error of a wrong call is about that call: an unknown name of an argument is reported with the names that
exist, places are written as in Python, and the traceback ends in the test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from inspect import CO_VARKEYWORDS
from types import FunctionType
from typing import Any, TypeVar

from mock_webshare.contract.timestamps import written
from mock_webshare.errors import DataError, MockWebshareError, UsageError, nearest, pluralize
from mock_webshare.service.settings import Settings

C = TypeVar("C", bound=type)
_SPECIAL = ("__init__", "__enter__")
_READING = ("__enter__", "begin", "reload", "start")
"""Methods that read files: their messages give a place as a JSON pointer, like all messages about files."""
_MEANT: Mapping[str, str] = {
    **{
        unit: f"advance=timedelta({unit}=...)"
        for unit in ("weeks", "days", "hours", "minutes", "seconds", "milliseconds")
    },
    **dict.fromkeys(("by", "delta", "duration"), "advance=..."),
    **dict.fromkeys(("at", "date", "datetime", "time", "to"), "now=..."),
    **dict.fromkeys(("freeze", "frozen", "stopped"), "running=..."),
    **dict.fromkeys(("dataset", "file", "path"), "data=..."),
    **{name: f"settings=Settings({name}=...)" for name in Settings.__dataclass_fields__},
}
"""What is probably meant by a wrong name of an argument, if the method has the argument that is meant."""

_EXAMPLES: Mapping[str, str] = {
    "add_fault": "status=503",
    "create_channel": 'code="SPRING10"',
    "create_credit": "amount=12.5",
    "change_credit": "amount=12.5",
    "set_settings": 'rate_limit="5/min"',
}
"""An example for each method that takes arguments of any name."""


def for_tests(cls: C) -> C:
    """Let the public methods and properties of a class report invalid arguments as errors of the call."""
    for name, member in list(vars(cls).items()):
        if name.startswith("_") and name not in _SPECIAL:
            continue
        if isinstance(member, FunctionType):
            setattr(cls, name, _checked(cls.__name__, name, member))
        elif isinstance(member, property) and member.fget is not None:
            setattr(cls, name, property(_checked(cls.__name__, name, member.fget), doc=member.__doc__))
    return cls


def _checked(owner: str, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    shown = owner if name == "__init__" else name

    @wraps(method)
    def call(*args: Any, **given: Any) -> Any:
        __tracebackhide__ = True  # pytest does not show this frame
        try:
            _require_known(shown, method, args, given)
            return method(*args, **{each: _as_json(each, value) for each, value in given.items()})
        except MockWebshareError as error:
            if isinstance(error, DataError) and name not in _READING:
                error.args = (error.in_python,)
            raise error.with_traceback(None) from None

    return call


def _require_known(
    shown: str, method: Callable[..., Any], args: Sequence[Any], given: Mapping[str, Any]
) -> None:
    """Raise `UsageError` for an argument that a method does not have; `args` begins with its object."""
    code = method.__code__
    known = code.co_varnames[max(1, code.co_posonlyargcount) : code.co_argcount + code.co_kwonlyargcount]
    if len(args) > code.co_argcount:
        names = f"; names: {', '.join(known)}" if known else f", like {_EXAMPLES.get(shown, 'id=1')}"
        raise UsageError(
            f"{shown}() got {pluralize(len(args) - 1, 'argument')} without a name; allowed: "
            f"{code.co_argcount - 1}; write any other as NAME=VALUE{names}"
        )
    for name in given:
        if name not in known and not code.co_flags & CO_VARKEYWORDS:
            raise UsageError(
                f"{shown}() has no argument {name!r:.80};{_question(name, known)} "
                f"allowed: {', '.join(known) or 'none'}"
            )


def _question(name: str, known: Sequence[str]) -> str:
    """Return the question whether another argument is meant; empty if no argument is similar."""
    meant = _MEANT.get(name, "")
    if meant.partition("=")[0] not in known:
        found = nearest(name, known) or next((each for each in known if each.endswith(f"_{name}")), None)
        meant = f"{found}=..." if found else ""
    return f" did you mean {meant}?" if meant else ""


def _as_json(name: str, value: Any) -> Any:
    """Return the value of an argument, a datetime as its ISO 8601 text."""
    if not isinstance(value, datetime):
        return value
    try:
        return written(value)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from error
