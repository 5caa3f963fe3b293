"""Judging: the verbs around recordings and the contract."""

from __future__ import annotations

from mock_webshare.cli.parsing import CLEAN

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    import argparse
    from collections.abc import Mapping, Sequence

    from mock_webshare.cli.parsing import Verb
    from mock_webshare.cli.streams import Streams


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


VERBS: Sequence[Verb] = (
    (
        "validate",
        "check recorded JSON bodies against the documented contract",
        _validate_arguments,
        _validate,
    ),
    ("schema", "list the schemas, or print one", _schema_arguments, _schema),
)
