"""Everything that this package raises on purpose, as one tree.

::

    MockWebshareError
    ├── UsageError          an option or argument that cannot be what was meant
    │   └── UnknownName     a data set or schema that does not exist
    ├── UnknownRow          a credit, fault or the like that a world does not have
    ├── DataError           a data file that is not a data set
    ├── UnreadableInput     a file that cannot be opened or read
    ├── UnwritableOutput    a file that cannot be written
    ├── ServerError         a server that cannot start, or has failed
    ├── ServiceError        a real service that does not answer as it would have to
    └── CommandError        a command that cannot be executed
        ├── CommandNotFound one that does not exist
        └── CommandLost     one that was killed because its guard was

The message of each is one sentence for a person: what is wrong, the value, what is
allowed, what to do. `exit_code` is what the command line returns for it.
"""

from __future__ import annotations

_LONGEST_VALUE = 80


class MockWebshareError(Exception):
    """The root of the tree."""

    exit_code = 2


class UsageError(MockWebshareError):
    """An option or argument has a value that is not allowed."""


class UnknownName(UsageError):
    """A name that belongs to nothing; the message lists what there is."""

    def __init__(self, kind: str, name: object, known: list[str]) -> None:
        super().__init__(f"there is no {kind} named {name!r}; there are: {', '.join(known)}")


class UnknownRow(MockWebshareError):
    """A world has no credit, channel, fault or snapshot of that id."""

    def __init__(self, kind: str, row_id: object) -> None:
        super().__init__(f"there is no {kind} {row_id!r:.80} in this world")


class DataError(MockWebshareError):
    """A data set breaks a rule; `pointer` (RFC 6901) says where in the file."""

    def __init__(self, source: str, pointer: str, problem: str) -> None:
        super().__init__(f"{source}#{pointer}: {problem}")
        self.source = source
        self.pointer = pointer
        self.problem = problem

    @classmethod
    def refused(cls, source: str, pointer: str, value: object, allowed: str) -> DataError:
        """Given a JSON value that is not allowed there, and what is, return the error."""
        return cls(source, pointer, f"{shown(value)} is not allowed; allowed: {allowed}")


def counted(number: int, noun: str) -> str:
    """Return so many of something in words: `1 credit`, `2 credits`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def shown(value: object) -> str:
    """Given a value, return it as JSON for a message: cut if it is long, and in whole characters.

    What JSON does not know is in quotes as Python writes it; only the type is named if even that is no use.
    """
    import json  # the command line starts without it

    try:
        text = json.dumps(value, ensure_ascii=False, default=repr)
    except (RecursionError, TypeError, ValueError):
        return f"a {type(value).__name__}"
    text = text[: _LONGEST_VALUE + 1].encode(errors="backslashreplace").decode()
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


class UnreadableInput(MockWebshareError):
    """A file cannot be read; the message says which and why."""

    @classmethod
    def from_os_error(cls, name: str, error: OSError) -> UnreadableInput:
        """Given the error of a failed open or read of `name`, return ours."""
        return cls(f"cannot read {name!r}: {error.strerror or error}")


class UnwritableOutput(MockWebshareError):
    """A file cannot be written; the message says which and why."""

    @classmethod
    def from_os_error(cls, name: str, error: OSError) -> UnwritableOutput:
        """Given the error of a failed write to `name`, return ours."""
        return cls(f"cannot write {name!r}: {error.strerror or error}")


class ServerError(MockWebshareError):
    """The server cannot start, for instance because the port is taken, or has failed while it ran."""


class CommandError(MockWebshareError):
    """A command cannot be executed; the message names the program alone, for its arguments may be secret."""

    exit_code = 126  # what a shell returns then
    hint = ""

    @classmethod
    def from_reason(cls, program: str, reason: str) -> CommandError:
        """Given the name of a program and the system's reason, return the error."""
        return cls(f"cannot run {program!r}: {reason}{cls.hint}")


class CommandNotFound(CommandError):
    """There is no such command."""

    exit_code = 127
    hint = "; is it installed, and on the PATH?"


class CommandLost(CommandError):
    """A command was killed because its guard was."""

    exit_code = 137  # that of SIGKILL


class ServiceError(MockWebshareError):
    """A real service cannot be asked: it does not answer, or does not accept the key."""
