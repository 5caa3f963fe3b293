"""What the command line has in common everywhere: short options, choices, examples, colors."""

from __future__ import annotations

import io
import os
import re
import shlex
from collections.abc import Mapping
from typing import Any, cast

import pytest

from mock_webshare import cli
from mock_webshare.cli import options
from mock_webshare.contract.schemas import data_path
from mock_webshare.errors import UsageError
from mock_webshare.judge.model.options import Options
from mock_webshare.service.settings import Settings
from tests.cli import Run

STREAMS = cli.Streams(io.BytesIO(), io.StringIO(), io.StringIO())
BROKEN = data_path("fixtures") / "recordings" / "broken-credit.json"
EXAMPLES = [(name, each) for name, examples in cli.EXAMPLES.items() for each in examples]


def test_every_command_has_examples_at_the_end_of_its_help() -> None:
    assert cli.EXAMPLES.keys() == cli.COMMANDS.keys()
    for name, examples in cli.EXAMPLES.items():
        end = "".join(f"  {each}\n" for each in examples)
        assert Run(name, "--help").out.endswith(f"\nexamples:\n{end}")


@pytest.mark.parametrize(("command", "example"), EXAMPLES)
def test_an_example_is_a_command_line_that_is_understood(command: str, example: str) -> None:
    words = shlex.split(example.partition(" > ")[0])
    while "=" in words[0]:
        words.pop(0)
    assert words[:2] == ["mock-webshare", command] and len(example) <= 78
    cli._parse(STREAMS, words[1:])


@pytest.mark.parametrize("command", ["serve", "run", "record", "wait"])
@pytest.mark.parametrize(("short", "long"), [("-p", "port"), ("-H", "host")])
def test_address_and_port_have_short_options(command: str, short: str, long: str) -> None:
    end = ("--", "true") if command == "run" else ()
    assert getattr(cli._parse(STREAMS, (command, short, "7", *end)), long) == "7"
    assert f"{short} {long.upper()}, --{long}" in re.sub(r"\s+", " ", Run(command, "--help").out)


@pytest.mark.parametrize("name", options._CHOICES)
def test_the_choices_of_an_option_are_in_the_help_of_a_command(name: str) -> None:
    helps = "".join(Run(command, "--help").out for command in cli.COMMANDS)
    assert f"--{name} {'|'.join(options._CHOICES[name])}\n" in helps.replace("  ", "\n")


@pytest.mark.parametrize("name", ["clock", "rate-limit-clock", "shift", "unknown-code"])
def test_the_choices_in_the_help_of_serve_are_those_that_are_allowed(name: str) -> None:
    field = name.replace("-", "_")
    for choice in options._CHOICES[name]:
        given: dict[str, Any] = {field: int(choice) if choice.isdecimal() else choice}
        Settings(**given)
    with pytest.raises(UsageError, match=", ".join(options._CHOICES[name])):
        Settings(**{field: cast(Any, "wrong")})


@pytest.mark.parametrize("choice", options._CHOICES["unknown-fields"])
def test_the_choices_in_the_help_of_validate_are_those_that_are_allowed(choice: str) -> None:
    Options(unknown_fields=choice)
    with pytest.raises(UsageError, match=", ".join(options._CHOICES["unknown-fields"])):
        Options(unknown_fields="wrong")


@pytest.mark.parametrize(
    ("option", "environ", "is_terminal", "expected"),
    [
        (None, {}, True, True),
        (None, {}, False, False),
        (None, {"NO_COLOR": "1"}, True, False),
        (None, {"NO_COLOR": ""}, True, True),
        (None, {"FORCE_COLOR": "1"}, False, True),
        (None, {"FORCE_COLOR": "0"}, False, False),
        (None, {"FORCE_COLOR": ""}, False, False),
        (None, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("auto", {}, True, True),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_a_report_has_colors(
    option: str | None, environ: Mapping[str, str], is_terminal: bool, expected: bool
) -> None:
    given = [] if option is None else ["--color", option]
    run = Run("validate", BROKEN, *given, environ=environ, terminal=is_terminal)
    assert run.code == 1
    assert ("\x1b[" in run.out) == expected


def test_a_file_has_no_colors(tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "report.txt")
    Run("validate", BROKEN, "--color", "always", "-o", path)
    with open(path, encoding="utf-8") as stream:
        assert "\x1b[" not in stream.read()


def test_another_choice_of_color_is_refused() -> None:
    run = Run("validate", BROKEN, "--color", "yes")
    assert (run.code, run.out) == (2, "")
    assert "--color 'yes' is not allowed; allowed: auto, always, never" in run.err
