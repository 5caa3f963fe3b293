"""The floors of the house: imports go downward only, and the mock and the judge never meet."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mock_webshare

PACKAGE = Path(mock_webshare.__file__).parent

# From the ground up; a module may import what stands on a lower floor, or earlier on its own.
TRAFFIC = (
    "traffic.exchange",
    "traffic.parts",
    "traffic.texts",
    "traffic.lenient_json",
    "traffic.spellings",
    "traffic.sought",
    "traffic.pseudonyms",
    "traffic.telling",
    "traffic.redaction",
    "traffic.archives",
)
MOCK = (
    ("errors", "contract", "instants", *TRAFFIC, "kinds", "settings", "rendering"),
    ("query", "throttle", "clock", "dataset", "seeding", "faults", "scenarios", "state"),
    ("journal", "world", "worlds"),
    ("answers", "framework", "preference", "effects", "delivery", "reply", "routing", "trouble", "api"),
    ("openapi", "control.problems", "control.verbs", "control.guard", "control"),
    ("app", "interrupt", "server"),
    ("mock_world", "mock_server"),
)
JUDGE = (
    ("errors", "contract", "instants", *TRAFFIC, "traffic.finding"),
    ("traffic.replay", "traffic.strict_json", "traffic.shapes"),
    (
        *("traffic.recordings.problems", "traffic.recordings.streams", "traffic.recordings.scanner"),
        *("traffic.recordings.records", "traffic.recordings.fields", "traffic.recordings.codings"),
        *("traffic.recordings.attachments", "traffic.recordings.inputs", "traffic.recordings.detection"),
        *("traffic.recordings.folders", "traffic.recordings.har", "traffic.recordings.yaml_records"),
        *("traffic.recordings.cassettes", "traffic.recordings.documents", "traffic.recordings"),
    ),
    (
        *(
            "traffic.discretion",
            "traffic.acceptor",
            "traffic.asked",
            "traffic.fields",
            "traffic.locating",
            "traffic.rulebook",
        ),
        *("traffic.terms", "traffic.paging", "traffic.case"),
    ),
    (
        *("traffic.rules.shape", "traffic.rules.status", "traffic.rules.errors", "traffic.rules.headers"),
        *("traffic.rules.rows", "traffic.rules.order", "traffic.rules.page", "traffic.rules"),
        *("traffic.sighting", "traffic.rules.caps", "traffic.rules.lives", "traffic.rules.walks"),
    ),
    ("traffic.examining", "traffic.jobs", "traffic.judge"),
    (
        *("traffic.reports.wording", "traffic.reports.text", "traffic.reports.document"),
        *("traffic.reports.junit", "traffic.reports.sarif", "traffic.reports.github", "traffic.reports"),
    ),
    (
        *("traffic.live", "traffic.live.origins", "traffic.live.links", "traffic.live.tapes"),
        *(
            "traffic.live.watch",
            "traffic.live.upstream",
            "traffic.live.recorder",
            "traffic.live.answers",
            "traffic.live.questions",
        ),
        *("traffic.live.against", "traffic.live.orders", "traffic.live.decisions"),
        *("traffic.live.findings", "traffic.live.prober"),
    ),
)
RUNNER = (("errors",), ("supervisor",))
WITHOUT_HTTP = ({*MOCK[0], *MOCK[1], *MOCK[2]} - set(TRAFFIC)) | {"supervisor"}
FRONT_DOORS = (
    "__init__",
    "cli",
    "cli.streams",
    "cli.parsing",
    "cli.replaying",
    "cli.serving",
    "cli.judging",
    "cli.live",
    "__main__",
    "pytest_plugin",
)

ORDER = {
    house: [module for floor in floors for module in floor]
    for house, floors in (("mock", MOCK), ("judge", JUDGE), ("runner", RUNNER))
}
MODULES = sorted(
    str(path.relative_to(PACKAGE).with_suffix("")).replace("/", ".").removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
)


def imported(module: str) -> set[str]:
    """Return the modules of the package that a module imports, wherever in it, names for names."""
    path = PACKAGE.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.Import) or not any(
            "mock_webshare." in alias.name for alias in node.names
        )
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mock_webshare"):
            base = (node.module or "").removeprefix("mock_webshare").removeprefix(".")
            names = {f"{base}.{alias.name}".removeprefix(".") for alias in node.names}
            found |= {base} if base in MODULES and not names & set(MODULES) else names & set(MODULES)
    return found


def test_every_module_has_its_place() -> None:
    known = {*ORDER["mock"], *ORDER["judge"], *ORDER["runner"], *FRONT_DOORS, "traffic"}
    assert known == set(MODULES)


@pytest.mark.parametrize("house", ORDER)
def test_imports_go_downward_only(house: str) -> None:
    order = ORDER[house]
    for place, module in enumerate(order):
        assert imported(module) <= set(order[:place]), module


@pytest.mark.parametrize("module", sorted(WITHOUT_HTTP))
def test_the_semantics_know_nothing_of_http(module: str) -> None:
    text = PACKAGE.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    assert not any(
        f"{word} {name}" in text for word in ("from", "import") for name in ("aiohttp", "http", "multidict")
    )


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import mock_webshare", {"aiohttp", "faker", "jsonschema", "argparse", "asyncio"}),
        ("import mock_webshare.cli", {"aiohttp", "faker", "jsonschema", "asyncio", "dataclasses"}),
        (
            "import mock_webshare.traffic.judge, mock_webshare.traffic.reports",
            {"aiohttp", "faker", "asyncio"},
        ),
        (
            "import mock_webshare.traffic.redaction, mock_webshare.traffic.replay",
            {"aiohttp", "faker", "asyncio", "jsonschema"},
        ),
        ("import mock_webshare.server", {"faker", "jsonschema"}),
        ("import mock_webshare.supervisor", {"aiohttp", "asyncio", "subprocess", "threading"}),
        ("from mock_webshare.app import create_app; create_app()", {"faker", "jsonschema"}),
    ],
)
def test_nothing_is_imported_that_is_not_needed(statement: str, unwanted: set[str]) -> None:
    code = f"import sys; {statement}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not unwanted & set(loaded)
