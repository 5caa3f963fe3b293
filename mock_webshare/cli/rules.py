"""The command `rules`: a list of the contract's rules."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from mock_webshare.cli.files import Streams
from mock_webshare.cli.options import CLEAN
from mock_webshare.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "prefix",
        metavar="PREFIX",
        nargs="?",
        default="",
        help="list only rules with this prefix, like list or filter.and",
    )


def execute(options: argparse.Namespace, streams: Streams, _: Mapping[str, str]) -> int:
    from mock_webshare.judge.model import rulebook

    found = [rule for rule in rulebook.rules_of().values() if rule.id.startswith(options.prefix)]
    if not found:
        raise UsageError(f"no rule begins with {options.prefix[:40]!r}; mock-webshare rules lists them all")
    width = max(len(rule.id) for rule in found)
    for rule in found:
        level = "not judged" if rule.id in rulebook.NOT_JUDGED else rulebook.level(rule)
        setting = f" {rule.setting}" if rule.setting else ""
        streams.stdout.write(f"{rule.id:{width}}  {level:10}  {rule.mark}  {rule.says}{setting}\n")
    return CLEAN
