"""Parsing: arguments and environment variables, and what is said of a mistake in them."""

from __future__ import annotations

import argparse
from contextlib import contextmanager

from mock_webshare.errors import MockWebshareError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Any, NoReturn

    from mock_webshare.cli.files import Streams

    Option = tuple[str, type, str, str]
    """Name, type, default as the help tells it, help. `Settings` holds the defaults and checks the values."""

CLEAN, FAILED = 0, 2
ENVIRONMENT_PREFIX = "MOCK_WEBSHARE_"
KEY_VARIABLE = "WEBSHARE_API_KEY"
"""Where the vendor's own clients look for the key."""
_LONGEST_NUMBER = 20


class Done(Exception):
    """The parser has said all there is to say."""

    def __init__(self, code: int) -> None:
        self.code = code


class Parser(argparse.ArgumentParser):
    """An argument parser that writes to the given streams and reports a mistake as one line."""

    def __init__(self, *, streams: Streams, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)
        self._streams = streams

    @property
    def names(self) -> list[str]:
        """The options that it knows, as they are written in full."""
        written = [name for action in self._actions for name in action.option_strings]
        return [name for name in written if name.startswith("--")]

    def error(self, message: str) -> NoReturn:
        hint = (
            ", written as --option=value if it begins with '-'" if "expected one argument" in message else ""
        )
        raise UsageError(f"{message}{hint}; {self.prog} --help lists what there is")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise Done(status)

    def print_help(self, file: Any = None) -> None:
        self._streams.stdout.write(self.format_help())


def meant(word: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    matches = get_close_matches(word, known, 1)
    return f"; did you mean {matches[0]}?" if matches else ""


def split_command(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the arguments before the first `--`, which are ours, and those after it, which are a command."""
    end = list(argv).index("--") if "--" in argv else len(argv)
    return argv[:end], argv[end + 1 :]


def add_options(
    parser: argparse.ArgumentParser, options: Sequence[Option], variables: Collection[str] = ()
) -> None:
    """Add options; those named in `variables` can also be set by a variable, which their help names."""
    parser.set_defaults(variables=variables)
    for name, kind, default, help_text in options:
        source = f"; variable: {variable(name)}" if name in variables else ""
        parser.add_argument(
            f"--{name}",
            action="append" if kind is list else "store",
            metavar=name.rpartition("-")[2].upper(),
            help=f"{help_text} (default: {default}{source})",
        )


def variable(option: str) -> str:
    return ENVIRONMENT_PREFIX + option.upper().replace("-", "_")


def settings_values(
    options: argparse.Namespace, environ: Mapping[str, str], known: Sequence[Option]
) -> dict[str, Any]:
    """Return the settings that were given, by name: on the command line, or else in the environment.

    Of the environment only the variables count that the help of the command names.
    """
    values: dict[str, Any] = {}
    for name, kind, _, _ in known:
        value = getattr(options, name.replace("-", "_"))
        if value is None and name in options.variables and (text := environ.get(variable(name))):
            value = text.split() if kind is list else text
        if value is not None:
            source = spelled(name, options)
            values[setting_name(name, kind)] = _converted(source, kind, value)
    return values


def setting_name(name: str, kind: type) -> str:
    """Return what `Settings` calls an option."""
    return "api_keys" if kind is list else name.replace("-", "_")


@contextmanager
def naming_variables(
    names: Sequence[str], options: argparse.Namespace, environ: Mapping[str, str]
) -> Iterator[None]:
    """Put the variables that set these options, if any did, before the message of an error."""
    try:
        yield
    except MockWebshareError as error:
        given = [name for name in names if name in options.variables and not is_option(name, options)]
        if not (variables := [variable(name) for name in given if environ.get(variable(name))]):
            raise
        raise UsageError(f"{' and '.join(variables)}: {error}") from error


def without_excluded(
    options: argparse.Namespace, environ: Mapping[str, str], sides: Sequence[Sequence[str]]
) -> Mapping[str, str]:
    """Return the environment without what an option of the other side excludes: what is asked for counts."""
    for side, other in (sides, sides[::-1]):
        if any(is_option(name, options) for name in side):
            excluded = set(map(variable, other))
            environ = {name: value for name, value in environ.items() if name not in excluded}
    return environ


def is_option(name: str, options: argparse.Namespace) -> bool:
    """Return whether a setting was given on the command line."""
    return getattr(options, name.replace("-", "_")) is not None


def spelled(name: str, options: argparse.Namespace) -> str:
    """Return a setting that was given as it was spelled: `--port`, or the variable."""
    return f"--{name}" if is_option(name, options) else variable(name)


def _converted(source: str, kind: type, value: Any) -> Any:
    if kind is list:
        return tuple(value)
    if kind is int and not (value.removeprefix("-").isdecimal() and len(value) <= _LONGEST_NUMBER):
        raise UsageError(f"{source} {value[:_LONGEST_NUMBER]!r} is not allowed; allowed: a whole number")
    return kind(value)
