"""The floors of the house: imports go downward only, and some rooms never meet."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

from tests.paths import PACKAGE

# A room is a package or module directly under `mock_webshare`. It may import from the floors below its own.
FLOORS = (
    {"errors", "version"},
    {"contract"},
    {"exchange"},
    {"service", "recordings"},
    {"judge", "insight"},
    {"control", "live"},
    {"server"},
    {"cli", "pytest_plugin", "__init__"},
    {"__main__"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
STRANGERS = {
    (
        "judge",
        "service",
    ): "a mock that consulted the judge would end up agreeing with itself, and so would a judge",
    ("insight", "judge"): "a hint is not a finding",
    ("insight", "service"): "hints use only what the client could see",
    ("live", "service"): "what talks to the real service knows nothing of the mock",
    ("control", "judge"): "worlds are arranged, not judged",
    ("recordings", "service"): "recordings are read the same way whoever made them",
}
"""Rooms that never import each other though their floors would allow it, and why."""


def sources() -> dict[str, str]:
    """Return the text of each module of the package by its dotted name, `contract.model`."""
    paths = {path.relative_to(PACKAGE).with_suffix(""): path for path in PACKAGE.rglob("*.py")}
    return {".".join(name.parts): path.read_text(encoding="utf-8") for name, path in paths.items()}


def room_of(module: str) -> str:
    return module.partition(".")[0]


def imported(module: str, text: str) -> Iterator[str]:
    """Yield what a module imports from this package, wherever in it: `contract.model.Mark`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import, which this test cannot follow"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "mock_webshare":
                yield rest if room_of(rest) in FLOOR else "__init__"


def breaches(modules: Mapping[str, str]) -> list[str]:
    """Return every import that goes up, or sideways into another room, or joins two strangers."""
    found = []
    for module, text in modules.items():
        room = room_of(module)
        for name in imported(module, text):
            there = room_of(name)
            if room == there:
                continue
            if FLOOR[there] >= FLOOR[room] or (room, there) in STRANGERS:
                found.append(f"{module} imports {name}")
    return found


MODULES = sources()


def test_every_module_is_in_a_room() -> None:
    assert {room_of(name) for name in MODULES} <= FLOOR.keys()


def test_imports_go_downward_only() -> None:
    assert breaches(MODULES) == []


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("contract.model", "from mock_webshare.service.settings import Settings"),
        ("service.settings", "import mock_webshare.recordings"),
        ("service.settings", "def late():\n    from mock_webshare import server"),
        ("judge.run", "from mock_webshare.service.world.world import World"),
        ("live.upstream", "from mock_webshare.service import settings"),
        ("server.app", "from mock_webshare import Settings"),
    ],
)
def test_a_reversed_import_is_found(module: str, statement: str) -> None:
    assert len(breaches({module: statement})) == 1


def test_below_the_control_plane_nothing_knows_of_http() -> None:
    below = [name for name in MODULES if FLOOR[room_of(name)] < FLOOR["control"]]
    assert [name for name in below if roots_of(name) & {"aiohttp", "multidict", "yarl", "socket"}] == []


def roots_of(module: str) -> set[str]:
    """Return the first names of all that a module imports."""
    return {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(MODULES[module]))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import mock_webshare", {"aiohttp", "faker", "jsonschema", "argparse", "asyncio"}),
        (
            "from mock_webshare import cli; cli.run(['serve', '--help'], cli.Streams(*3 * [sys.stderr]), {})",
            {"aiohttp", "faker", "jsonschema", "asyncio", "dataclasses", "typing", "shutil"},
        ),
        (
            "from mock_webshare import cli; cli.run(['wait', 'http://127.0.0.1:1', '--timeout', '0'], "
            "cli.Streams(sys.stdin.buffer, sys.stdout, sys.stderr), {})",
            {"aiohttp", "faker", "jsonschema", "asyncio", "yarl"},
        ),
        (
            "import mock_webshare.judge.run, mock_webshare.judge.reports",
            {"aiohttp", "faker", "asyncio"},
        ),
        (
            "import mock_webshare.exchange.redaction.redactor, mock_webshare.recordings.dataset",
            {"aiohttp", "faker", "asyncio", "jsonschema"},
        ),
        ("import mock_webshare.server.running", {"faker", "jsonschema"}),
        ("import mock_webshare.server.process_guard", {"aiohttp", "asyncio", "subprocess", "threading"}),
        ("from mock_webshare.server.app import create_app; create_app()", {"faker", "jsonschema"}),
    ],
)
def test_nothing_is_imported_that_is_not_needed(statement: str, unwanted: set[str]) -> None:
    code = f"import sys; {statement}; print(*sys.modules)"
    # Where coverage is measured, it would be imported, with all that it needs.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ
    ).stdout.split()
    assert not unwanted & set(loaded)
