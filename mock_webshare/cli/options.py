"""Options: parsing of arguments and environment variables."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from mock_webshare.cli.files import Streams
from mock_webshare.errors import MockWebshareError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from typing import Any, NoReturn

Option = tuple[str, type, str, str]
"""Name, type, default (as the help shows it) and help; the code that uses the value checks it."""
CLEAN, FOUND, FAILED = 0, 1, 2


class Objects(list[str]):
    """The type of an option whose values are JSON objects; its variable has one object, or an array."""


KEY_VARIABLE = "WEBSHARE_API_KEY"
"""The variable from which the vendor's own clients read the key."""
_PREFIX = "MOCK_WEBSHARE_"
_LONGEST_NUMBER = 20
_USUAL_COLUMNS = 80
_MOST_JOBS = 64
_SHORT: Mapping[str, str] = {"host": "-H", "port": "-p"}
_CHOICES: Mapping[str, Sequence[str]] = {
    "clock": ("frozen", "running"),
    "color": ("auto", "always", "never"),
    "fail-on": ("error", "warning", "note"),
    "log-format": ("text", "json"),
    "rate-limit-clock": ("real", "world"),
    "shift": ("now", "today"),
    "unknown-code": ("404", "400"),
    "unknown-fields": ("ignore", "report", "forbid"),
}
"""The allowed values of options that allow only a few."""
COLOR: Option = (
    "color",
    str,
    "auto",
    "color of a report; auto: on a terminal, or by NO_COLOR and FORCE_COLOR",
)


class Done(Exception):
    """The help has been written, and nothing is left to do."""


class Parser(argparse.ArgumentParser):
    """An argument parser that writes to its streams and raises `UsageError`."""

    def __init__(self, *, streams: Streams, **options: Any) -> None:
        # With a width, the formatter does not import `shutil`, which takes a tenth of `--help`.
        formatter = partial(argparse.HelpFormatter, width=_columns() - 2)
        super().__init__(**options, allow_abbrev=False, formatter_class=formatter)
        self._streams = streams
        self.examples: Sequence[str] = ()

    def format_help(self) -> str:
        """Return the help, with the examples at its end."""
        examples = "".join(f"  {each}\n" for each in self.examples)
        return super().format_help() + (f"\nexamples:\n{examples}" if examples else "")

    @property
    def names(self) -> list[str]:
        written = [name for action in self._actions for name in action.option_strings]
        return [name for name in written if name.startswith("--")]

    def error(self, message: str) -> NoReturn:
        needs_value = "expected one argument" in message
        hint = ", written as --option=value if it begins with '-'" if needs_value else ""
        raise UsageError(f"{message}{hint}; {self.prog} --help lists the arguments")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise Done

    def print_help(self, file: Any = None) -> None:
        self._streams.stdout.write(self.format_help())


def _columns() -> int:
    """Return the width of the terminal in columns, found in the same way as by `shutil.get_terminal_size`."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size().columns or _USUAL_COLUMNS
    except OSError:  # standard output is not a terminal
        return _USUAL_COLUMNS


def split_command(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the arguments before the first `--`, and the command after it."""
    end = list(argv).index("--") if "--" in argv else len(argv)
    return argv[:end], argv[end + 1 :]


def add_options(
    parser: argparse.ArgumentParser, options: Sequence[Option], variables: Collection[str] = ()
) -> None:
    """Add options; those whose names are in `variables` are also read from the environment."""
    parser.set_defaults(variables=variables)
    for name, kind, default, help_text in options:
        source = f"; variable: {variable_of(name)}" if name in variables else ""
        parser.add_argument(
            *filter(None, (_SHORT.get(name), f"--{name}")),
            action="append" if kind in _SPLIT else "store",
            metavar="|".join(_CHOICES.get(name, ())) or name.rpartition("-")[2].upper(),
            help=f"{help_text} (default: {default}{source})",
        )


def add_flag(parser: argparse._ActionsContainer, names: str, help_text: str) -> None:
    """Add an option without a value; it may have two names, `-q --quiet`."""
    parser.add_argument(*names.split(), action="store_true", help=help_text)


def add_text(
    parser: argparse._ActionsContainer, names: str, metavar: str, help_text: str, **others: Any
) -> None:
    """Add an option whose value is a text; None if it is not given; `others` are as in `add_argument`."""
    parser.add_argument(*names.split(), metavar=metavar, help=help_text, **others)


def choice_of(name: str, value: str) -> str:
    """Return `value` if it is one that the option `name` allows; else raise `UsageError`."""
    if value not in _CHOICES[name]:
        raise UsageError.invalid(f"--{name}", value, ", ".join(_CHOICES[name]))
    return value


def jobs_of(jobs: int) -> int:
    """Return the number of processes that --jobs names; 0 is one for each core."""
    if not 0 <= jobs <= _MOST_JOBS:
        raise UsageError(f"--jobs {jobs} is not allowed; allowed: 0 to {_MOST_JOBS}")
    return jobs or os.cpu_count() or 1


def add_skip_others(parser: argparse.ArgumentParser) -> None:
    """Add `--skip-others`, for commands that pre-commit calls with files of any kind."""
    words = "pass over named files that are not recordings, as in a folder; having nothing to check is 0"
    add_flag(parser, "--skip-others", words)


def variable_of(name: str) -> str:
    """Return the variable of an option: `MOCK_WEBSHARE_PORT` for `port`."""
    return _PREFIX + name.upper().replace("-", "_")


def setting_name(name: str, kind: type) -> str:
    """Return the Python name of an option: `rate_limit` for `rate-limit`, `api_keys` for `api-key`."""
    return name.replace("-", "_") + ("s" if kind in _SPLIT else "")


def values_given(
    options: argparse.Namespace, known: Sequence[Option], environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the values that are given, by Python name: the value of the option, else of its variable.

    Only variables that the help of the command names are read; if `environ` is None, none is read.
    """
    values: dict[str, Any] = {}
    for name, kind, _, _ in known:
        value = getattr(options, name.replace("-", "_"))
        if value is None and name in options.variables and (text := (environ or {}).get(variable_of(name))):
            value = _SPLIT.get(kind, str)(text)
        if value is not None:
            values[setting_name(name, kind)] = _convert(source_of(name, options), kind, value)
    return values


_SPLIT: Mapping[type, Callable[[str], Any]] = {list: str.split, Objects: lambda text: [text]}
"""The types of options that may be given several times; the function splits the text of the variable."""


def values_or_defaults(options: argparse.Namespace, known: Sequence[Option]) -> dict[str, Any]:
    """Return all values by Python name: the given ones, and else the defaults that the help shows."""
    defaults = {setting_name(name, kind): kind(default) for name, kind, default, _ in known}
    return defaults | values_given(options, known)


@contextmanager
def naming_variables(
    names: Sequence[str], options: argparse.Namespace, environ: Mapping[str, str]
) -> Iterator[None]:
    """Begin the message of an error with the variables that set these options."""
    try:
        yield
    except MockWebshareError as error:
        given = [name for name in names if name in options.variables and not is_given(name, options)]
        if not (variables := [variable_of(name) for name in given if environ.get(variable_of(name))]):
            raise
        raise UsageError(f"{' and '.join(variables)}: {error}") from error


def without_excluded(
    options: argparse.Namespace, environ: Mapping[str, str], sides: Sequence[Sequence[str]]
) -> Mapping[str, str]:
    """Return the environment; if an option of one side is given, without the variables of the other side."""
    for side, other in (sides, sides[::-1]):
        if any(is_given(name, options) for name in side):
            excluded = set(map(variable_of, other))
            environ = {name: value for name, value in environ.items() if name not in excluded}
    return environ


def is_given(name: str, options: argparse.Namespace) -> bool:
    """Return whether an option is given; False also if the command does not have it."""
    return getattr(options, name.replace("-", "_"), None) is not None


def source_of(name: str, options: argparse.Namespace) -> str:
    """Return how a message names where a value came from: `--port`, or `MOCK_WEBSHARE_PORT`."""
    return f"--{name}" if is_given(name, options) else variable_of(name)


def _convert(source: str, kind: type, value: Any) -> Any:
    if kind in _SPLIT:
        return tuple(value)
    if kind is int and not (value.removeprefix("-").isdecimal() and len(value) <= _LONGEST_NUMBER):
        raise UsageError(f"{source} {value[:_LONGEST_NUMBER]!r} is not allowed; allowed: a whole number")
    return kind(value)
