"""The commands `rules`, `schema` and `openapi`: the contract's rules, JSON Schemas, and OpenAPI document."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from mock_webshare.cli.files import Streams
from mock_webshare.cli.options import CLEAN
from mock_webshare.errors import UnknownName, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from typing import TextIO


def add_arguments(parser: argparse.ArgumentParser) -> None:
    name, help_text, write = _REFERENCES[parser.prog.rpartition(" ")[2]]
    if name:
        parser.add_argument("name", metavar=name, nargs="?", help=help_text)
    parser.set_defaults(write=write, name=None)


def execute(options: argparse.Namespace, streams: Streams, _: Mapping[str, str]) -> int:
    options.write(options.name, streams.stdout)
    return CLEAN


def _write_rules(prefix: str | None, stdout: TextIO) -> None:
    from mock_webshare.judge.model import rulebook

    found = [rule for rule in rulebook.rules_of().values() if rule.id.startswith(prefix or "")]
    if not found:
        raise UsageError(f"no rule begins with {str(prefix)[:40]!r}; mock-webshare rules lists them all")
    width = max(len(rule.id) for rule in found)
    for rule in found:
        level = "not judged" if rule.id in rulebook.NOT_JUDGED else rulebook.level(rule)
        setting = f" {rule.setting}" if rule.setting else ""
        stdout.write(f"{rule.id:{width}}  {level:10}  {rule.mark}  {rule.says}{setting}\n")


def _write_schema(name: str | None, stdout: TextIO) -> None:
    from mock_webshare.contract.schemas import OWN_SCHEMAS, SERVICE_SCHEMAS

    names, own = SERVICE_SCHEMAS.names, OWN_SCHEMAS.names
    if name is None:
        stdout.writelines(f"{each}\n" for each in names)
    elif name not in (*names, *own):
        raise UnknownName("schema", name, [*names, *own])
    else:
        stdout.write((OWN_SCHEMAS if name in own else SERVICE_SCHEMAS).text(name))


def _write_openapi(_: str | None, stdout: TextIO) -> None:
    import json

    from mock_webshare.contract.openapi import document

    stdout.write(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")


_REFERENCES: Mapping[str, tuple[str, str, Callable[[str | None, TextIO], None]]] = {
    "rules": ("PREFIX", "list only rules with this prefix, like list or filter.and", _write_rules),
    "schema": (
        "NAME",
        "schema to print; report is that of validate --format json (default: list the names)",
        _write_schema,
    ),
    "openapi": ("", "", _write_openapi),
}
"""For each command: its argument, the help of the argument, and the function that writes the output."""
