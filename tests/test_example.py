"""The example project, outside of the checkout: here, and as a stranger has it, beside the built wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from mock_webshare import MockWorld
from tests.paths import EXAMPLE

OURS = ("PYTEST_", "PYTHON", "COV_")
"""Variables that a test run of ours may set, and that are none of a stranger's."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the example, outside of the checkout."""
    return shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("stranger") / "earnings-report")


@pytest.fixture(scope="module")
def environment(built: Path, project: Path) -> Path:
    """Install the wheel and the example with its test extra from scratch, and return the folder."""
    folder = project.parent / "environment"
    venv.create(folder, with_pip=False)  # our own pip serves it: a copy of it would take seconds
    (wheel,) = built.glob("*.whl")
    run = [sys.executable, "-m", "pip", "--python", str(folder), "install", "-q", "--no-compile"]
    subprocess.run([*run, str(wheel), f"{project}[test]"], check=True, capture_output=True, timeout=300)
    return folder


def run(python: Path, project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a module in the project."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return subprocess.run(
        [python, "-m", *command],
        cwd=project,
        env=variables,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.exhaustive
def test_its_tests_pass_in_random_order(project: Path) -> None:
    # Only our environment has these plugins, which warn of settings of theirs.
    others = ("-p", "no:asyncio", "-p", "no:aiohttp")
    assert_passed(run(Path(sys.executable), project, "pytest", *others, "--random-order"))


@pytest.mark.exhaustive
def test_its_tests_pass_in_an_environment_of_its_own_and_in_four_processes(
    environment: Path, project: Path
) -> None:
    assert_passed(run(environment / "bin" / "python", project, "pytest", "-n", "4", "--random-order"))


def assert_passed(result: subprocess.CompletedProcess[str]) -> None:
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout and "skipped" not in result.stdout


def test_the_program_prints_the_report_that_its_readme_shows(
    project: Path, webshare_mock: MockWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in webshare_mock.env.items():
        monkeypatch.setenv(name, value)
    shown = (project / "README.md").read_text(encoding="utf-8").split("    $ earnings-report ")[1]
    arguments, _, report = shown.partition("\n")
    result = run(Path(sys.executable), project, "earnings_report", *arguments.split())
    assert (result.returncode, result.stderr) == (0, "")
    assert "".join(f"    {line}\n" for line in result.stdout.splitlines()) in report


def test_the_program_knows_nothing_of_the_mock(project: Path) -> None:
    sources = [path.read_text(encoding="utf-8") for path in (project / "earnings_report").rglob("*.py")]
    assert sources and not any("mock" in source.lower() for source in sources)
