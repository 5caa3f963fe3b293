"""The command line: verbs, options and exit codes.

Parse, build, execute are three steps. Each verb imports what it needs when it runs, so that
`--help` and a mistyped option answer at once.
"""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module

from mock_webshare.cli.files import Streams
from mock_webshare.cli.options import CLEAN, FAILED, Done, Parser, meant, split_command, variable
from mock_webshare.errors import MockWebshareError, UsageError, pluralize
from mock_webshare.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    import argparse
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

__all__ = ["VERBS", "Streams", "main", "run"]

# Verb, its module, help. A module `run` would hide the function `run`.
VERBS = (
    ("serve", "serve", "serve the API on this machine until interrupted"),
    ("run", "run_command", "run a command beside a stand-in of its own, and leave nothing behind"),
    ("generate", "generate", "write a data set that serve --data reads"),
    ("validate", "validate", "check recorded traffic against the documented contract"),
    ("rules", "rules", "list the rules, what breaking each weighs, and how it is known"),
    ("schema", "schema", "list the schemas, or print one"),
    ("record", "record", "record the traffic of a client with a real service"),
    ("probe", "probe", "ask a real service which of our guesses about it are right"),
    ("redact", "redact", "take the secrets out of recordings"),
)
INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C ended."""
READER_GONE = 141
"""What a shell reports of a program that ends because nobody reads its output any more, as `head` does."""

_DESCRIPTION = "A local stand-in for the Webshare referral credits API, and a checker of recorded answers."
_EPILOG = f"{variable('debug')}=1 shows the traceback of an internal error, of any command."


def main() -> NoReturn:
    """Run the command line of this process and exit."""
    # A stream that was closed before we started is None: then there is nothing to read, nowhere to write.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # a standard stream stays open
    sys.exit(run(sys.argv[1:], Streams(sys.stdin.buffer, sys.stdout, sys.stderr), os.environ))


def run(argv: Sequence[str], streams: Streams, environ: Mapping[str, str]) -> int:
    """Given arguments, streams and environment, do what they ask and return the exit code.

    It is 0, 1 or 2; of the verb `run` it is that of the command.
    """
    try:
        options = _parse(streams, argv)
        code: int = options.execute(options, streams, environ)
        streams.stdout.flush()
        return code
    except Done as done:
        return done.code
    except MockWebshareError as error:
        streams.stderr.write(f"mock-webshare: {_one_line(str(error))}\n")
        return error.exit_code
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):  # something was opened, which no output is any more
            streams.stderr.write(f"mock-webshare: cannot start: {error.strerror}\n")
            return FAILED
        # What is left goes nowhere, so that the interpreter does not try again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), streams.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return READER_GONE
        streams.stderr.write(f"mock-webshare: cannot write the output: {error.strerror}\n")
        return FAILED
    except KeyboardInterrupt:
        return CLEAN if argv[:1] == ["serve"] else INTERRUPTED  # a server has no other end
    except Exception as error:
        if environ.get(variable("debug")):
            raise
        streams.stderr.write(f"mock-webshare: {_mistake(error)}\n")
        return FAILED


def _mistake(error: Exception) -> str:
    """Say that a mistake is ours, and where; the text of the error may hold a key, or a whole row."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}" if place else "?"
    return (
        f"a mistake of its own, please report it: {type(error).__name__} in {where}; "
        f"with {variable('debug')}=1 all of it is shown"
    )


def _parser(streams: Streams, wanted: str | None) -> Parser:
    """Return the parser of all verbs, of which only the wanted one has its arguments: it alone is parsed."""
    parser = Parser(prog="mock-webshare", description=_DESCRIPTION, epilog=_EPILOG, streams=streams)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.set_defaults(execute=_without_verb, names=parser.names)
    verbs = parser.add_subparsers(metavar="VERB", parser_class=Parser)
    for name, module, help_text in VERBS:
        verb = verbs.add_parser(
            name, streams=streams, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}."
        )
        if name == wanted:
            implementation = import_module(f"mock_webshare.cli.{module}")
            implementation.add_arguments(verb)
            verb.set_defaults(execute=implementation.execute, names=verb.names)
    return parser


def _parse(streams: Streams, argv: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments; one that is not understood is not repeated, for it may be a key."""
    verbs = [verb[0] for verb in VERBS]
    words = [argument for argument in argv if not argument.startswith("-")]
    if words and words[0] not in verbs:
        raise UsageError(f"there is no such verb; there are: {', '.join(verbs)}{meant(words[0], verbs)}")
    parser = _parser(streams, words[0] if words else None)
    takes_command = words[:1] == ["run"]
    ours, command = split_command(argv) if takes_command else (argv, ())
    options, rest = parser.parse_known_args(ours)
    if takes_command and not command:
        raise UsageError("no command is given; write it after --, like mock-webshare run -- pytest -q")
    options.command = command
    unknown = [argument.partition("=")[0] for argument in rest if argument.startswith("--")]
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r}{meant(unknown[0], options.names)}")
    if rest:
        too_many = pluralize(len(rest), "argument")
        raise UsageError(f"{too_many} too many; mock-webshare {words[0]} --help lists what there is")
    return options


def _one_line(text: str) -> str:
    """Return a message in which whatever would break its line, such as a file's name, is escaped."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _without_verb(options: argparse.Namespace, streams: Streams, _: Mapping[str, str]) -> int:
    if options.version:
        streams.stdout.write(f"mock-webshare {__version__}\n")
        return CLEAN
    raise UsageError(
        "no verb is given; mock-webshare --help lists them, mock-webshare serve starts the stand-in"
    )
