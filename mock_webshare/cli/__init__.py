"""The command line: commands, options and exit codes.

Arguments are parsed, then the command is executed. A command is a module with the functions
`add_arguments` and `execute`. Only `execute` imports what the command needs, so that `--help` and wrong
options respond at once.
"""

from __future__ import annotations

import argparse
import errno
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from mock_webshare.cli.files import Streams
from mock_webshare.cli.options import CLEAN, FAILED, Done, Parser, choice_of, split_command, variable_of
from mock_webshare.errors import MockWebshareError, UsageError, pluralize, suggestion
from mock_webshare.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from typing import NoReturn

__all__ = ["COMMANDS", "Streams", "main", "run"]

COMMANDS: Mapping[str, str] = {
    "serve": "serve the API on this machine until interrupted",
    "run": "run a command with a mock server of its own",
    "mutate": "find out what the tests of a client would not notice",
    "wait": "wait until a mock server is ready",
    "generate": "write a data set, generated or from a recording",
    "validate": "check whether recordings keep the contract",
    "rules": "list the rules with severity and mark",
    "schema": "list the JSON Schemas, or print one",
    "openapi": "print the OpenAPI document of the API",
    "record": "record the traffic of a client with the real service",
    "probe": "find out which assumptions about a service are right",
    "redact": "remove the secrets from recordings",
}
"""Name and help of each command."""
EXAMPLES: Mapping[str, Sequence[str]] = {
    "serve": (
        "mock-webshare serve",
        "mock-webshare serve -p 0 --ready-file mock.url",
        "mock-webshare serve --data mine.json --watch",
    ),
    "run": ("mock-webshare run -- pytest -q", "mock-webshare run --credits 500 -- npm test"),
    "mutate": (
        "mock-webshare mutate -- pytest -x -q",
        "mock-webshare mutate --budget 50 --fail-under 80 -- npm test",
        "mock-webshare mutate --only field.removed --jobs 2 -- pytest -x -q",
    ),
    "wait": ("mock-webshare wait", "mock-webshare wait http://127.0.0.1:8765 --timeout 10"),
    "generate": (
        "mock-webshare generate --credits 20 -o mine.json",
        "mock-webshare generate --data traffic.har -o mine.json --force",
    ),
    "validate": (
        "mock-webshare validate recordings",
        "mock-webshare validate traffic.har --format junit -o report.xml",
    ),
    "rules": ("mock-webshare rules", "mock-webshare rules list"),
    "schema": ("mock-webshare schema", "mock-webshare schema referral-credit"),
    "openapi": ("mock-webshare openapi > openapi.json",),
    "record": ("mock-webshare record -o traffic.ndjson", "mock-webshare record -o traffic.har --validate"),
    "probe": ("WEBSHARE_API_KEY=... mock-webshare probe https://proxy.webshare.io",),
    "redact": ("mock-webshare redact traffic.har -o clean.har", "mock-webshare redact --check recordings"),
}
"""Example command lines, which the help of each command shows at its end."""
_MODULES = {"run": "run_command", "rules": "reference", "schema": "reference", "openapi": "reference"}
"""The modules whose names are not those of their commands; `run` is a function of this package already."""
INTERRUPTED = 130
"""The exit code of a shell for a program that Ctrl-C ended."""
READER_GONE = 141
"""The exit code of a shell for a program whose output is no longer read."""

_DESCRIPTION = "A mock server of the Webshare referral API, and a checker of recorded traffic."
_EPILOG = f"COMMAND --help shows examples; {variable_of('debug')}=1 shows tracebacks."


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    # A stream that was closed before the start is None: there is nothing to read, and no place to write.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # a standard stream stays open
    code = run(sys.argv[1:], Streams(sys.stdin.buffer, sys.stdout, sys.stderr), os.environ)
    gc.freeze()  # at exit, do not search all modules for cycles: it takes a tenth of a short command
    sys.exit(code)


def run(argv: Sequence[str], streams: Streams, environ: Mapping[str, str]) -> int:
    """Execute a command line and return its exit code.

    The exit code is 0, 1 or 2; after Ctrl-C 130 (0 for `serve`); 141 if no one reads the output any more. The
    command `run` returns the exit code of the command that it has run.
    """
    try:
        options = _parse(streams, argv)
        _warn_of_unknown_variables(options, streams, environ)
        streams.color = choice_of("color", getattr(options, "color", None) or streams.color)
        code: int = options.execute(options, streams, environ)
        streams.stdout.flush()
        return code
    except Done:
        return CLEAN
    except MockWebshareError as error:
        streams.stderr.write(f"mock-webshare: {_one_line(str(error))}\n")
        return error.exit_code
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):  # raised by opening a file, not by writing the output
            streams.stderr.write(f"mock-webshare: cannot start: {error.strerror}\n")
            return FAILED
        # The rest of the output is discarded, so that the interpreter does not write it again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), streams.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return READER_GONE
        streams.stderr.write(f"mock-webshare: cannot write the output: {error.strerror}\n")
        return FAILED
    except KeyboardInterrupt:
        return CLEAN if argv[:1] == ["serve"] else INTERRUPTED  # nothing else ends a server
    except Exception as error:
        if environ.get(variable_of("debug")):
            raise
        streams.stderr.write(f"mock-webshare: {_internal_error(error)}\n")
        return FAILED


def _warn_of_unknown_variables(
    options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]
) -> None:
    """Warn of variables that begin as ours do but are not known, if the command reads variables."""
    if not getattr(options, "variables", ()):
        return
    from mock_webshare.cli.settings import VARIABLES

    known = {variable_of(name) for name in (*VARIABLES, "debug")}
    for name in environ:
        if name.startswith(variable_of("")) and name not in known:
            streams.warn(f"the variable {_one_line(name)[:80]} is ignored{suggestion(name, known)}")


def _internal_error(error: Exception) -> str:
    """Return a message with the type and place of an error, without its text, which may contain a key."""
    from traceback import extract_tb

    place = extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(place.filename)}:{place.lineno}"
    return (
        f"internal error, please report it: {type(error).__name__} in {where}; "
        f"{variable_of('debug')}=1 shows the traceback"
    )


def _parser(streams: Streams, wanted: str | None) -> Parser:
    """Return the parser of all commands, in which only the command `wanted` has its arguments."""
    parser = Parser(prog="mock-webshare", description=_DESCRIPTION, epilog=_EPILOG, streams=streams)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.set_defaults(execute=_execute_without_command, names=parser.names)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    for name, help_text in COMMANDS.items():
        description = f"{help_text[0].upper()}{help_text[1:]}."
        command = commands.add_parser(name, streams=streams, help=help_text, description=description)
        if name == wanted:
            module = import_module(f"{__name__}.{_MODULES.get(name, name)}")
            module.add_arguments(command)
            command.set_defaults(execute=module.execute, names=command.names)
            command.examples = EXAMPLES[name]
    return parser


def _parse(streams: Streams, argv: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments; raise `UsageError` without the value of a wrong argument, which may be a key."""
    words = [argument for argument in argv if not argument.startswith("-")]
    if words and words[0] not in COMMANDS:
        hint = suggestion(words[0], COMMANDS)
        raise UsageError(f"there is no such command; there are: {', '.join(COMMANDS)}{hint}")
    parser = _parser(streams, words[0] if words else None)
    takes_command = words[:1] in (["run"], ["mutate"])
    ours, command = split_command(argv) if takes_command else (argv, ())
    options, rest = parser.parse_known_args(ours)
    if takes_command:
        _require_command(words[0], command, rest)
    options.command = command
    unknown = [argument.partition("=")[0] for argument in rest if argument.startswith("--")]
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r}{suggestion(unknown[0], options.names)}")
    if rest:
        too_many = pluralize(len(rest), "argument")
        raise UsageError(f"{too_many} too many; mock-webshare {words[0]} --help lists the arguments")
    return options


def _require_command(name: str, command: Sequence[str], before: Sequence[str]) -> None:
    """Raise `UsageError` if no command follows `--`, or if it is preceded by anything but options."""
    example = f"mock-webshare {name} -- pytest -q"
    if before and not before[0].startswith("-"):
        too_many = pluralize(len(before), "argument")
        raise UsageError(f"{too_many} too many; put -- before the command, like {example}")
    if not command:
        raise UsageError(f"no command is given; write it after --, like {example}")


def _one_line(text: str) -> str:
    """Escape unprintable characters, such as a line break in a file name."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _execute_without_command(options: argparse.Namespace, streams: Streams, _: Mapping[str, str]) -> int:
    if options.version:
        streams.stdout.write(f"mock-webshare {__version__}\n")
        return CLEAN
    raise UsageError(
        "no command is given; mock-webshare --help lists them, mock-webshare serve starts the mock server"
    )
