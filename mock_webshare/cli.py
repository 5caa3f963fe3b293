"""The command line: verbs, options and exit codes.

Parse, build, execute are three steps. Each verb imports what it needs when it runs, so that
`--help` and a mistyped option answer at once.
"""

from __future__ import annotations

import argparse
import os
import sys

from mock_webshare import __version__
from mock_webshare.errors import MockWebshareError, UnwritableOutput, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, BinaryIO, NoReturn, TextIO

    from mock_webshare.dataset import Dataset
    from mock_webshare.seeding import Progress

CLEAN, FAILED = 0, 2
READER_GONE = 141
"""What a shell reports of a program that ends because nobody reads its output any more, as `head` does."""
_LONGEST_NUMBER = 20
ENVIRONMENT_PREFIX = "MOCK_WEBSHARE_"

_DESCRIPTION = "A local stand-in for the Webshare referral credits API, and a checker of recorded answers."

# Option, type, default as the help tells it, help. `Settings` holds the defaults and checks the values.
_SERVE_OPTIONS: Sequence[tuple[str, type, str, str]] = (
    ("host", str, "127.0.0.1", "address to listen on"),
    ("port", int, "8765", "port to listen on; 0 takes a free one"),
    ("seed", int, "0", "seed of the generated data set"),
    ("credits", int, "100", "number of generated credits, up to a million"),
    ("data", str, "generated", "data set to serve instead: a file, or a name like edge-cases"),
    ("api-key", list, "any but 'invalid'", "accept this key only; may be given several times"),
    ("now", str, "none", "service time, ISO 8601 with offset; credits due by then are available"),
    ("max-page-size", int, "100", "most rows on a page"),
    ("default-ordering", str, "id", "order of a list that asks for none; write =-created_at to descend"),
    ("rate-limit", str, "240/min", "requests a key may make in a sec, min, hour or day, or off"),
    ("public-url", str, "as requested", "scheme and host that links begin with"),
)
_GENERATE_OPTIONS = tuple(option for option in _SERVE_OPTIONS if option[0] in ("seed", "credits"))


class Streams:
    """The three standard streams: bytes in, text out."""

    def __init__(self, stdin: BinaryIO, stdout: TextIO, stderr: TextIO) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    # A stream that was closed before we started is None: then there is nothing to read, nowhere to write.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # a standard stream stays open
    sys.exit(run(sys.argv[1:], Streams(sys.stdin.buffer, sys.stdout, sys.stderr), os.environ))


def run(argv: Sequence[str], streams: Streams, environ: Mapping[str, str]) -> int:
    """Given arguments, streams and environment, do what they ask and return the exit code: 0, 1 or 2."""
    try:
        options = _parse(_parser(streams), argv)
        code: int = options.execute(options, streams, environ)
        streams.stdout.flush()
        return code
    except _Done as done:
        return done.code
    except MockWebshareError as error:
        streams.stderr.write(f"mock-webshare: {error}\n")
        return error.exit_code
    except OSError as error:
        # What is left goes nowhere, so that the interpreter does not try again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), streams.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return READER_GONE
        streams.stderr.write(f"mock-webshare: cannot write the output: {error.strerror}\n")
        return FAILED
    except KeyboardInterrupt:
        return FAILED


class _Done(Exception):
    """The parser has said all there is to say."""

    def __init__(self, code: int) -> None:
        self.code = code


class _Parser(argparse.ArgumentParser):
    """An argument parser that writes to the given streams and reports a mistake as one line."""

    def __init__(self, *, streams: Streams, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)
        self._streams = streams

    def error(self, message: str) -> NoReturn:
        hint = (
            ", written as --option=value if it begins with '-'" if "expected one argument" in message else ""
        )
        raise UsageError(f"{message}{hint}; {self.prog} --help lists what there is")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise _Done(status)

    def print_help(self, file: Any = None) -> None:
        self._streams.stdout.write(self.format_help())


def _parser(streams: Streams) -> _Parser:
    parser = _Parser(prog="mock-webshare", description=_DESCRIPTION, streams=streams)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.set_defaults(execute=_without_verb)
    verbs = parser.add_subparsers(metavar="VERB", parser_class=_Parser)
    for name, help_text, add_arguments, execute in _VERBS:
        verb = verbs.add_parser(
            name, streams=streams, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}."
        )
        add_arguments(verb)
        verb.set_defaults(execute=execute)
    return parser


def _parse(parser: _Parser, argv: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments; one that is not understood is not repeated, for it may be a key."""
    verbs = [verb[0] for verb in _VERBS]
    words = [argument for argument in argv if not argument.startswith("-")]
    if words and words[0] not in verbs:
        raise UsageError(f"there is no such verb; there are: {', '.join(verbs)}{_meant(words[0], verbs)}")
    options, rest = parser.parse_known_args(argv)
    unknown = [argument.partition("=")[0] for argument in rest if argument.startswith("--")]
    if unknown:
        known = [f"--{option[0]}" for option in _SERVE_OPTIONS]
        raise UsageError(f"unknown option {unknown[0]}{_meant(unknown[0], known)}")
    if rest:
        raise UsageError(
            f"{len(rest)} arguments too many; mock-webshare {words[0]} --help lists what there is"
        )
    return options


def _meant(word: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    matches = get_close_matches(word, known, 1)
    return f"; did you mean {matches[0]}?" if matches else ""


def _without_verb(options: argparse.Namespace, streams: Streams, _: Mapping[str, str]) -> int:
    if options.version:
        streams.stdout.write(f"mock-webshare {__version__}\n")
        return CLEAN
    raise UsageError(
        "no verb is given; mock-webshare --help lists them, mock-webshare serve starts the stand-in"
    )


def _serve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        f"Each option also as an environment variable: --max-page-size as {_variable('max-page-size')}."
    )
    _add_options(parser, _SERVE_OPTIONS)


def _generate_arguments(parser: argparse.ArgumentParser) -> None:
    _add_options(parser, _GENERATE_OPTIONS)
    parser.add_argument("-o", "--output", metavar="FILE", help="file to write (default: standard output)")


def _validate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exit code: 0 clean, 1 findings, 2 something could not be read, or nothing was validated."
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", help="file with a recorded JSON body; - for standard input"
    )
    parser.add_argument(
        "--schema", metavar="NAME", help="schema to check against (default: recognised by shape)"
    )


def _schema_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="schema to print (default: list the names)")


def _add_options(parser: argparse.ArgumentParser, options: Sequence[tuple[str, type, str, str]]) -> None:
    for name, kind, default, help_text in options:
        parser.add_argument(
            f"--{name}",
            action="append" if kind is list else "store",
            metavar=name.rpartition("-")[2].upper(),
            help=f"{help_text} (default: {default})",
        )


def _variable(option: str) -> str:
    return ENVIRONMENT_PREFIX + option.upper().replace("-", "_")


def _settings_values(
    options: argparse.Namespace, environ: Mapping[str, str], known: Sequence[tuple[str, type, str, str]]
) -> dict[str, Any]:
    """Return the settings that were given, by name: on the command line, or else in the environment."""
    values: dict[str, Any] = {}
    for name, kind, _, _ in known:
        field = name.replace("-", "_")
        source, value = f"--{name}", getattr(options, field)
        if value is None and (text := environ.get(_variable(name))):
            source, value = _variable(name), text.split() if kind is list else text
        if value is not None:
            values["api_keys" if kind is list else field] = _converted(source, kind, value)
    return values


def _converted(source: str, kind: type, value: Any) -> Any:
    if kind is list:
        return tuple(value)
    if kind is int and not (value.removeprefix("-").isdecimal() and len(value) <= _LONGEST_NUMBER):
        raise UsageError(f"{source} {value[:_LONGEST_NUMBER]!r} is not allowed; allowed: a whole number")
    return kind(value)


def _serve(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare import server
    from mock_webshare.settings import Settings

    values = _settings_values(options, environ, _SERVE_OPTIONS)
    if "data" in values and (idle := {"seed", "credits"} & set(values)):
        raise UsageError(f"{' and '.join(sorted(idle))} cannot go with data, which is not generated")
    settings = Settings(**values)

    def announce(url: str) -> None:
        streams.stdout.write(f"{url}\n")
        streams.stdout.flush()

    server.serve(settings, announce=announce, log=streams.stderr, progress=_progress(streams.stderr))
    return CLEAN


def _generate(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare import dataset
    from mock_webshare.seeding import generate
    from mock_webshare.settings import Settings

    settings = Settings(**_settings_values(options, environ, _GENERATE_OPTIONS))
    generated = generate(settings.seed, settings.credits, _progress(streams.stderr))
    if options.output in (None, "-"):
        dataset.write(generated, streams.stdout)
    else:
        _write_file(options.output, generated)
    return CLEAN


def _write_file(path: str, generated: Dataset) -> None:
    """Write a data set to a file, whole or not at all; what is no file (a device, a pipe) is written to."""
    from mock_webshare import dataset

    target = os.path.realpath(path)
    is_special = os.path.exists(target) and not os.path.isfile(target)
    unfinished = target if is_special else f"{target}.{os.getpid()}.part"
    try:
        with open(unfinished, "w" if is_special else "x", encoding="utf-8", newline="\n") as stream:
            dataset.write(generated, stream)
        if not is_special:
            os.replace(unfinished, target)
    except OSError as error:
        if not is_special and os.path.exists(unfinished):
            os.unlink(unfinished)
        raise UnwritableOutput.from_os_error(path, error) from error


def _validate(options: argparse.Namespace, streams: Streams, _: Mapping[str, str]) -> int:
    from mock_webshare.traffic import reports
    from mock_webshare.traffic.judge import judge

    verdict = judge(options.paths, stdin=streams.stdin, schema=options.schema)
    reports.write("text", verdict, streams.stdout)
    return verdict.exit_code


def _schema(options: argparse.Namespace, streams: Streams, _: Mapping[str, str]) -> int:
    from mock_webshare import contract

    if options.name:
        streams.stdout.write(contract.schema_text(options.name))
    else:
        streams.stdout.writelines(f"{name}\n" for name in contract.schema_names())
    return CLEAN


def _progress(stderr: TextIO) -> Progress | None:
    """Return a progress bar on one line of a terminal; None where there is no terminal."""
    if not stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        bar = "█" * (20 * done // total)
        stderr.write(f"\r{bar:░<20} {done:,} of {total:,} credits" if done < total else "\r\x1b[K")
        stderr.flush()

    return show


# Verb, help, its arguments, what it does.
_VERBS: Sequence[
    tuple[
        str,
        str,
        Callable[[argparse.ArgumentParser], None],
        Callable[[argparse.Namespace, Streams, Mapping[str, str]], int],
    ]
] = (
    ("serve", "serve the API on this machine until interrupted", _serve_arguments, _serve),
    ("generate", "write a data set that serve --data reads", _generate_arguments, _generate),
    (
        "validate",
        "check recorded JSON bodies against the documented contract",
        _validate_arguments,
        _validate,
    ),
    ("schema", "list the schemas, or print one", _schema_arguments, _schema),
)
