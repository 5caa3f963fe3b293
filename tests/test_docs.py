"""The README: every command in it runs, every answer in it is the real one, every table is complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import mock_webshare
from mock_webshare import MockServer, Settings, cli
from mock_webshare.cli import serve as serving
from mock_webshare.contract.rules import RULES
from mock_webshare.control import VERBS, Verb
from mock_webshare.service.data import dataset
from mock_webshare.service.faults import fault
from mock_webshare.service.world.scenarios import SCENARIOS

ROOT = Path(mock_webshare.__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEFAULT_URL = "http://127.0.0.1:8765"


def blocks(language: str) -> list[str]:
    """Return the code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def fidelity_table() -> str:
    """Return the table of rules as the README has it."""
    rows = [f"| `{rule.id}` | {rule.mark} | {rule.says}{_setting(rule.setting)} |" for rule in RULES]
    return "\n".join(["| rule | mark | says |", "|---|---|---|", *rows])


def _setting(setting: str | None) -> str:
    return f" `{setting}`" if setting else ""


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(Settings(port=0)) as server:
        yield server


@pytest.mark.parametrize("block", blocks("console"))
def test_a_command_answers_what_the_readme_shows(block: str, server: MockServer) -> None:
    command, _, shown = block.removeprefix("$ ").partition("\n")
    scripts = os.path.dirname(sys.executable)
    process = subprocess.run(
        ["sh", "-c", command.replace(DEFAULT_URL, server.url)],
        cwd=ROOT,
        env=os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (process.stdout + process.stderr).replace(server.url, DEFAULT_URL).rstrip("\n") == shown.rstrip(
        "\n"
    )


@pytest.mark.parametrize("block", blocks("python"))
def test_an_example_in_python_runs(block: str, tmp_path: Path) -> None:
    path = tmp_path / "test_example.py"
    path.write_text(block, encoding="utf-8")
    module = [sys.executable, "-m", "pytest", "-q"] if "def test_" in block else [sys.executable]
    subprocess.run([*module, path], cwd=tmp_path, check=True, capture_output=True, timeout=120)


def test_the_two_commands_do_all_the_set_up() -> None:
    serve, test = (block.strip() for block in blocks("sh"))
    assert "pip install" in serve and serve.endswith("&& mock-webshare serve")
    assert "pip install" in test and test.endswith("&& pytest")
    assert "\n" not in serve + test


def test_the_fidelity_table_is_that_of_the_contract() -> None:
    assert fidelity_table() in README


def test_nothing_is_left_to_fill_in() -> None:
    assert "@@" not in README


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("option", [option[0] for option in serving.SERVE_OPTIONS])
def test_every_option_is_in_the_readme(option: str) -> None:
    assert f"| `--{option}` |" in README


@pytest.mark.parametrize("verb", [verb[0] for verb in cli.VERBS])
def test_every_verb_is_in_the_readme(verb: str) -> None:
    assert f"| `mock-webshare {verb}` |" in README


@pytest.mark.parametrize("name", dataset.names())
def test_every_data_set_is_in_the_readme(name: str) -> None:
    assert f"- `{name}`: " in README


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_in_the_readme(name: str) -> None:
    assert f"| `scenario:{name}` | {SCENARIOS[name].says} |" in README


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: f"{verb.method} {verb.path}")
def test_every_verb_of_the_control_plane_is_in_the_readme(verb: Verb) -> None:
    assert f"| `{verb.method}` | `{verb.path}` | {verb.says} |" in README


@pytest.mark.parametrize("action", fault.ACTIONS)
def test_every_action_of_a_fault_is_in_the_readme(action: str) -> None:
    row = next(line for line in README.splitlines() if line.startswith(f"| `{action}` |"))
    options = (*fault.ACTIONS[action][1], *_values(action))
    assert [name for name in options if f"`{name}`" not in row] == []


def _values(action: str) -> tuple[str, ...]:
    return {"fault": fault.CONNECTION_FAULTS, "drift": fault.DRIFTS}.get(action, ())


def test_the_change_log_has_this_version() -> None:
    assert f"## {mock_webshare.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
