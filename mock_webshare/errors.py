"""The exceptions that this package raises on purpose, as one tree.

::

    MockWebshareError
    ├── UsageError           an option or argument has a value that is not allowed
    │   ├── UnknownName      no data set, scenario, resource or schema has that name
    │   └── Conflict         the state of the worlds does not allow a change
    ├── NotFound             a world has no row, fault or snapshot with that id
    ├── DataError            a data set or JSON object breaks a rule
    │   └── Contradiction    each value is allowed, but not beside the others
    ├── UnreadableInput      a file cannot be opened or read
    ├── UnwritableOutput     a file cannot be written
    ├── ServerError          the mock server cannot start, does not run or has failed
    ├── ServiceError         a real service does not respond as required
    └── CommandError         a command cannot be executed
        ├── CommandNotFound  the command does not exist
        └── CommandKilled    the command was killed with its process guard

Each message is one sentence: what is wrong, the value, what is allowed, what to do. The command line exits
with `exit_code`.
"""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST_VALUE = 80
_LONGEST_WORD = 100  # characters of a word for which a similar one is looked for


class MockWebshareError(Exception):
    """The root of the tree."""

    exit_code = 2


class UsageError(MockWebshareError):
    """An option or argument has a value that is not allowed."""

    @classmethod
    def invalid(cls, name: str, value: object, allowed: str) -> UsageError:
        """Return the error of a named value, with the values that are allowed."""
        return cls(f"{name} {value!r:.80} is not allowed; allowed: {allowed}")


class UnknownName(UsageError):
    """No data set, scenario, resource or schema has that name; the message lists the names that exist."""

    def __init__(self, kind: str, name: object, known: list[str]) -> None:
        super().__init__(f"there is no {kind} named {name!r}; there are: {', '.join(known)}")


class Conflict(UsageError):
    """The state of the worlds does not allow a change: too much is stored, or a row is still referred to."""


class NotFound(MockWebshareError):
    """A world has no row, fault or snapshot with that id."""

    def __init__(self, kind: str, row_id: object) -> None:
        super().__init__(f"there is no {kind} {row_id!r:.80} in this world")


class DataError(MockWebshareError):
    """A data set or JSON object breaks a rule; `pointer` (RFC 6901) is the place."""

    def __init__(self, source: str, pointer: str, problem: str) -> None:
        super().__init__(f"{source}#{pointer}: {problem}")
        self.source = source
        self.pointer = pointer
        self.problem = problem

    @property
    def in_python(self) -> str:
        """The message with the place as in Python: `credits[0].status: …`, or else the source alone."""
        keys = (key.replace("~1", "/").replace("~0", "~") for key in self.pointer.split("/")[1:])
        place = "".join(f"[{key}]" if key.isdecimal() else f".{key}" for key in keys).removeprefix(".")
        return f"{place or self.source}: {self.problem}"

    @classmethod
    def invalid(cls, source: str, pointer: str, value: object, allowed: str) -> DataError:
        """Return the error of an invalid JSON value, with the values that are allowed."""
        return cls(source, pointer, f"{format_value(value)} is not allowed; allowed: {allowed}")


class Contradiction(DataError):
    """Each value is allowed, but not beside the other values of the object, or the rows of the world."""


def pluralize(number: int, noun: str) -> str:
    """Return a number with its noun: `1 credit`, `2 credits`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def format_value(value: object) -> str:
    """Return a value as JSON for a message, cut after 80 characters.

    What JSON cannot express is quoted as its `repr`; if that fails too, only the type is named.
    """
    import json  # the command line starts without it

    try:
        text = json.dumps(value, ensure_ascii=False, default=repr)
    except (RecursionError, TypeError, ValueError):
        return f"a {type(value).__name__}"
    text = text[: _LONGEST_VALUE + 1].encode(errors="backslashreplace").decode()
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


class UnreadableInput(MockWebshareError):
    """A file cannot be opened or read; the message has its name and the reason."""

    @classmethod
    def from_os_error(cls, name: str, error: OSError) -> UnreadableInput:
        """Return the error of a failed open or read of a file."""
        if isinstance(error, FileNotFoundError) and "://" in name:
            return cls(f"cannot read {name!r}: a URL is not read; save it to a file first: curl -o FILE")
        return cls(f"cannot read {name!r}: {error.strerror or error}")


class UnwritableOutput(MockWebshareError):
    """A file cannot be written; the message has its name and the reason."""

    @classmethod
    def from_os_error(cls, name: str, error: OSError) -> UnwritableOutput:
        """Return the error of a failed write to a file."""
        return cls(f"cannot write {name!r}: {error.strerror or error}")


class ServerError(MockWebshareError):
    """The mock server cannot start, does not run or has failed."""


class CommandError(MockWebshareError):
    """A command cannot be executed; its arguments, maybe secret, are not shown."""

    exit_code = 126  # as a shell exits then
    hint = ""

    @classmethod
    def from_reason(cls, program: str, reason: str) -> CommandError:
        """Return the error of a program, with the reason that the system gives."""
        return cls(f"cannot run {program!r}: {reason}{cls.hint}")


class CommandNotFound(CommandError):
    """The command does not exist."""

    exit_code = 127
    hint = "; is it installed, and on the PATH?"


class CommandKilled(CommandError):
    """The command was killed with its process guard."""

    exit_code = 137  # 128 + SIGKILL


class ServiceError(MockWebshareError):
    """A real service does not respond, or rejects the key."""


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean WORD?` with the known word most similar to `word`; empty if none is similar."""
    found = nearest(word, known)
    return f"; did you mean {found}?" if found else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most similar to `word`; None if no known word is similar."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word[:_LONGEST_WORD], list(known), 1)), None)
