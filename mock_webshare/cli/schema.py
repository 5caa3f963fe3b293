"""The command `schema`: the JSON Schemas of bodies and of the report."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from mock_webshare.cli.files import Streams
from mock_webshare.cli.options import CLEAN
from mock_webshare.errors import UnknownName


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="schema to print; report is that of validate --format json (default: list the names)",
    )


def execute(options: argparse.Namespace, streams: Streams, _: Mapping[str, str]) -> int:
    from mock_webshare.contract.schemas import OWN_SCHEMAS, SERVICE_SCHEMAS

    names, own = SERVICE_SCHEMAS.names, OWN_SCHEMAS.names
    if options.name is None:
        streams.stdout.writelines(f"{name}\n" for name in names)
    elif options.name in own:
        streams.stdout.write(OWN_SCHEMAS.text(options.name))
    elif options.name in names:
        streams.stdout.write(SERVICE_SCHEMAS.text(options.name))
    else:
        raise UnknownName("schema", options.name, [*names, *own])
    return CLEAN
