"""The documents: every block runs, every output is the real one, every table and every link holds.

`python -m tests.test_docs` writes the tables that are generated from the code.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import mock_webshare
from mock_webshare import MockServer, MockWorld, Settings, cli
from mock_webshare.cli import probe, record, settings, validate
from mock_webshare.contract import messages
from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.rules import RULES
from mock_webshare.control.openapi import document
from mock_webshare.control.routes import ROOT as CONTROL
from mock_webshare.control.routes import routes_of
from mock_webshare.insight.client_hints import SINGLE
from mock_webshare.insight.client_rules import RULES as RULES_OF_CLIENTS
from mock_webshare.judge import reports
from mock_webshare.judge.model.finding import Level
from mock_webshare.recordings import formats
from mock_webshare.service import faults
from mock_webshare.service.data import dataset
from mock_webshare.service.data.resources import RowType, row_types
from mock_webshare.service.reasons import MEANINGS
from mock_webshare.service.world.scenarios import SCENARIOS
from tests.capabilities import needs_shell
from tests.cli import Run
from tests.paths import ROOT
from tests.sampling import sampled
from tests.test_layers import FLOOR
from tests.unmeasured import unmeasured

PACKAGE = Path(mock_webshare.__file__).parent
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        *sorted(ROOT.glob("docs/*.md")),
    )
}
ALL_PAGES = "".join(PAGES.values())
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
DEFAULT_URL = "http://127.0.0.1:8765"

_INSTALLS = "it installs packages from the network, which CI does for a checkout"
_SERVES = "it serves until it is interrupted; the test has a server of its own"
_TESTS = "it runs the tests, of which this is one"
NOT_RUN = {
    "python3 -m venv .venv && . .venv/bin/activate && pip install -q . && mock-webshare serve": _INSTALLS,
    "python3 -m venv .venv && . .venv/bin/activate && pip install -q -e '.[test]' && pytest": _INSTALLS,
    "pip install /path/to/mock-webshare": _INSTALLS,
    "pip wheel --no-deps -w dist /path/to/mock-webshare": _INSTALLS,
    "pip install dist/mock_webshare-*.whl": _INSTALLS,
    "pip install 'mock-webshare @ git+file:///path/to/mock-webshare@COMMIT'": _INSTALLS,
    "mock-webshare serve": _SERVES,
    "mock-webshare serve --data mine.json": _SERVES,
    "mock-webshare record -o traffic.ndjson": "it records the real service until it is interrupted",
    "pytest tests/conformance --conformance-examples 20000": _TESTS,
    "pytest tests/test_docs.py\npytest --exhaustive\nruff check . && ruff format --check . && mypy": _TESTS,
    "python -m tests.test_docs": "it writes these documents",
}
"""Blocks of shell that no test here runs, and why."""
NOT_RUN |= {
    code.rstrip("\n"): "tests/test_ci.py runs it, in a project and on a free port"
    for code in re.findall(r"^```sh\n(set -eu\n.*?)^```$", PAGES["docs/ci.md"], re.DOTALL | re.MULTILINE)
}


class Block(NamedTuple):
    """A fenced block of a page: its language and what is in it."""

    language: str
    code: str


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGES[page], re.DOTALL | re.MULTILINE)
    return [Block(language, code.rstrip("\n")) for language, code in found]


def prose(text: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


UNUSED_PLUGINS = ("aiohttp", "anyio", "cacheprovider", "faker", "hypothesispytest", "pytest_httpserver")
"""Plugins of our own environment that no page uses, and that each run of pytest would load."""


class Reader:
    """Follows a page to the letter, in an empty directory, with a server at the default URL."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self._url = url
        scripts = os.path.dirname(sys.executable)
        kept = {name: value for name, value in unmeasured().items() if "WEBSHARE" not in name}
        self._environment = kept | {
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "PYTEST_ADDOPTS": " ".join(f"-p no:{name}" for name in UNUSED_PLUGINS),
        }

    def run(self, *command: str) -> tuple[int, str]:
        """Run a command and return its exit code and all that it wrote."""
        process = subprocess.run(
            [word.replace(DEFAULT_URL, self._url) for word in command],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return process.returncode, process.stdout.replace(self._url, DEFAULT_URL).rstrip("\n")


def follow_console(code: str, reader: Reader) -> None:
    """Run each command of a console and compare its output."""
    for step in re.split(r"^\$ ", code, flags=re.MULTILINE)[1:]:
        command, _, shown = step.rstrip("\n").partition("\n")
        assert reader.run("sh", "-c", command)[1] == shown, command


def follow_shell(code: str, reader: Reader) -> None:
    """Run a script of the shell, which has to succeed."""
    if code not in NOT_RUN:
        assert reader.run("sh", "-ec", code) == (0, ""), code


def follow_python(code: str, reader: Reader) -> None:
    """Run a program, or the tests that it consists of, whose clients do nothing wrong."""
    path = reader.folder / f"test_example_{len(list(reader.folder.iterdir()))}.py"
    path.write_text(code, encoding="utf-8")
    runner = ["-m", "pytest", "-q", "-o", "webshare_mock_hints=error"] if "def test_" in code else []
    status, output = reader.run(sys.executable, *runner, str(path))
    assert status == 0, output


def follow_json(code: str, reader: Reader) -> None:
    """Serve the data set that is shown."""
    (reader.folder / "shown.json").write_text(code, encoding="utf-8")
    assert reader.run("mock-webshare", "generate", "--data", "shown.json", "-o", "copy.json") == (0, "")


def follow_dockerfile(code: str, reader: Reader) -> None:
    """Require a container file; `test_containers.py` runs its commands without a container."""
    assert code.startswith("FROM ")


def follow_module(code: str, reader: Reader) -> None:
    """Write a JavaScript module under the name in its first line; commands after it run it."""
    path = reader.folder / code.partition("\n")[0].removeprefix("// ")
    path.parent.mkdir(exist_ok=True)
    path.write_text(code, encoding="utf-8")


def follow_yaml(code: str, reader: Reader) -> None:
    """Parse a configuration; `test_ci.py` runs it with its tool."""
    assert isinstance(yaml.safe_load(code), dict)


FOLLOW: Mapping[str, Callable[[str, Reader], None]] = {
    "console": follow_console,
    "sh": follow_shell,
    "python": follow_python,
    "json": follow_json,
    "yaml": follow_yaml,
    "js": follow_module,
    "dockerfile": follow_dockerfile,
    "text": lambda code, reader: None,
}


@needs_shell
@pytest.mark.parametrize("page", sampled(PAGES))
def test_a_page_can_be_followed_to_the_letter(page: str, tmp_path: Path) -> None:
    if any(each.language == "js" for each in blocks(page)) and shutil.which("node") is None:
        pytest.skip("Node is not installed")
    with MockServer(Settings(port=0)) as server:
        reader = Reader(tmp_path, server.url)
        for language, code in blocks(page):
            FOLLOW[language](code, reader)


def test_only_blocks_that_exist_are_excused_from_running() -> None:
    shell = {code for page in PAGES for language, code in blocks(page) if language == "sh"}
    assert NOT_RUN.keys() <= shell


def test_the_two_commands_do_all_the_set_up() -> None:
    serve, test = [code for language, code in blocks("README.md") if language == "sh"][:2]
    assert "pip install" in serve and serve.endswith("&& mock-webshare serve")
    assert "pip install" in test and test.endswith("&& pytest")
    assert "\n" not in serve + test


def test_the_readme_has_at_most_200_lines() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 200


# Tables that are written from the code.


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    head = list(head)
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows)).replace(
        "| --- |", "|---|"
    )


def rules_table() -> str:
    return table(
        ("rule", "mark", "says"),
        (
            (f"`{rule.id}`", rule.mark, f"{rule.says} `{rule.setting}`" if rule.setting else rule.says)
            for rule in WEBSHARE.rules.values()
        ),
    )


def control_table() -> str:
    return table(
        ("method", "path under `/__mock__/`", "what it does"),
        ((f"`{each.method}`", f"`{each.path}`", each.summary) for each in routes_of() if each.path),
    )


def scenarios_table() -> str:
    return table(
        ("key", "world"), ((f"`scenario:{name}`", scenario.summary) for name, scenario in SCENARIOS.items())
    )


def resources_table() -> str:
    return table(
        ("resource", "fields"),
        ((f"`{name}`", ", ".join(_fields_of(each))) for name, each in row_types(WEBSHARE).items()),
    )


def _fields_of(row_type: RowType) -> Iterator[str]:
    for name in row_type.names:
        default = row_type.resource.defaults.get(name, ...)
        is_shown = default is not ... and not row_type.resource.is_object
        required = " (required)" if name in row_type.needed else ""
        yield f"`{name}`" + (f" (`{json.dumps(default)}`)" if is_shown else required)


def bodies_table() -> str:
    components = document(CONTROL, routes_of(), WEBSHARE)["components"]["schemas"]
    return table(
        ("endpoint", "fields", "meaning"),
        (
            (
                f"`{each.method} {each.path}`",
                _names(schema := components[each.body]),
                schema.get("description", ""),
            )
            for each in routes_of()
            if each.body and each.path.split("/")[0] not in {*WEBSHARE.resources, "state", "faults"}
        ),
    )


def _names(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    return ", ".join(f"`{name}`" + " (required)" * (name in required) for name in schema["properties"])


def reasons_table() -> str:
    return table(("code", "why"), ((f"`{reason}`", meaning) for reason, meaning in MEANINGS.items()))


TABLES = {
    "rules": rules_table,
    "control-plane": control_table,
    "resources": resources_table,
    "bodies": bodies_table,
    "scenarios": scenarios_table,
    "reasons": reasons_table,
}
_TABLE = re.compile(r"(<!-- table: ([\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def with_tables(text: str) -> str:
    """Return a page with its generated tables as the code has them."""
    return _TABLE.sub(lambda match: match[1] + TABLES[match[2]]() + match[3], text)


@pytest.mark.parametrize("page", PAGES)
def test_the_generated_tables_are_those_of_the_code(page: str) -> None:
    assert with_tables(PAGES[page]) == PAGES[page], "write them: python -m tests.test_docs"


def test_each_generated_table_is_in_one_page() -> None:
    assert sorted(name for _, name, _ in _TABLE.findall(ALL_PAGES)) == sorted(TABLES)


# Tables that are written by hand, and complete.


def rows_of(page: str) -> dict[str, str]:
    """Return the rows of all tables of a page by their first cell."""
    rows = re.findall(r"^\| (.*?) \|(.*)\|$", prose(PAGES[page]), re.MULTILINE)
    return dict(rows)


def defaults_of(page: str) -> list[tuple[str, str]]:
    """Return the first two cells of all rows of a page, which are option and default in some tables."""
    cells = re.findall(r"^\| (.*?) \| (.*?) \|", prose(PAGES[page]), re.MULTILINE)
    return [(option, default.replace("`", "")) for option, default in cells]


def options_of(command: str) -> Iterator[str]:
    """Yield the long options that the help of a command lists."""
    yield from set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", Run(command, "--help").out)) - {"--help"}


OPTIONS = {
    "docs/serving.md": settings.SERVE_OPTIONS,
    "docs/validating.md": validate.VALIDATE_OPTIONS,
    "docs/recording.md": (*record.RECORD_OPTIONS, *probe.PROBE_OPTIONS),
}
"""The options whose defaults are in a table of a page."""
ROWS = {
    "README.md": [
        *(f"`GET {endpoint.path}`" for endpoint in WEBSHARE.endpoints),
        *(f"`mock-webshare {name}`" for name in cli.COMMANDS),
    ],
    "docs/validating.md": [
        *Level,
        *(f"`{name}`" for name in (*formats.FORMATS, *reports.REPORTS) if name != "auto"),
    ],
    "docs/faults.md": [f"`{name}`" for name in (*faults.ACTIONS, *messages.FORBIDDEN)],
    "docs/hints.md": [f"`{name}`" for name in (*(rule.id for rule in RULES_OF_CLIENTS), *SINGLE)],
}
"""The first cells that the tables of a page have to have."""


@pytest.mark.parametrize("page", ROWS)
def test_the_tables_of_a_page_are_complete(page: str) -> None:
    assert [row for row in ROWS[page] if row not in rows_of(page)] == []


@pytest.mark.parametrize("page", OPTIONS)
def test_the_defaults_in_a_table_are_those_of_the_help(page: str) -> None:
    shown = [(f"`--{name}`", default.replace("'", "")) for name, _, default, _ in OPTIONS[page]]
    assert [row for row in shown if row not in defaults_of(page)] == []


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_option_of_a_command_is_documented(command: str) -> None:
    assert [option for option in options_of(command) if f"`{option}" not in ALL_PAGES] == []


@pytest.mark.parametrize("room", [path.parent.name for path in PACKAGE.glob("*/__init__.py")])
def test_every_package_is_documented_with_its_layer(room: str) -> None:
    assert rows_of("docs/architecture.md")[f"`{room}/`"].startswith(f" {FLOOR[room]} |")


@pytest.mark.parametrize("action", faults.ACTIONS)
def test_every_option_of_a_fault_is_in_its_row(action: str) -> None:
    pages = (*faults.MOVES, *faults.BROKEN_PAGES)
    values = {"fault": faults.CONNECTION_FAULTS, "drift": faults.DRIFTS, "pages": pages}.get(action, ())
    row = rows_of("docs/faults.md")[f"`{action}`"]
    assert [name for name in (*faults.ACTIONS[action][1], *values) if f"`{name}`" not in row] == []


@pytest.mark.parametrize("code", messages.FORBIDDEN)
def test_the_text_of_a_403_is_in_the_row_of_its_code(code: str) -> None:
    assert messages.FORBIDDEN[code] in rows_of("docs/faults.md")[f"`{code}`"]


@pytest.mark.parametrize("name", dataset.names())
def test_every_data_set_is_documented(name: str) -> None:
    assert f"- `{name}`: " in PAGES["docs/serving.md"]


@pytest.mark.parametrize("name", [name for name in dir(MockWorld) if not name.startswith("_")])
def test_every_member_of_a_world_is_documented(name: str) -> None:
    assert re.search(rf"`{name}[`(]", PAGES["docs/worlds.md"])


# Links and names.


def anchors(text: str) -> list[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def links(text: str) -> list[str]:
    return re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose(text))


def dead_links(folder: Path, text: str) -> list[str]:
    """Return the relative links of a page that lead to no file or to no heading."""
    dead = []
    for link in links(text):
        path, _, anchor = link.partition("#")
        target = folder / path
        if link.startswith("https://"):
            continue
        is_page = path.endswith(".md") and target.is_file()
        there = text if not path else target.read_text(encoding="utf-8") if is_page else ""
        if not target.exists() or (anchor and anchor not in anchors(there)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    assert dead_links((ROOT / page).parent, PAGES[page]) == []


@pytest.mark.parametrize("link", ["nowhere.md", "README.md#nowhere", "#nowhere"])
def test_a_dead_link_is_found(link: str) -> None:
    assert dead_links(ROOT, f"# Here\n\n[text]({link})") == [link]


@pytest.mark.parametrize("page", PAGES)
def test_no_two_headings_of_a_page_share_an_anchor(page: str) -> None:
    assert len(set(anchors(PAGES[page]))) == len(anchors(PAGES[page]))


def test_the_readme_leads_to_every_page() -> None:
    assert {page for page in PAGES if page != "README.md"} <= set(links(PAGES["README.md"]))


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    named = re.findall(r"`((?:mock_webshare|schemas|tests|fixtures)/[a-z0-9_./-]*)`", PAGES[page])
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_left_to_fill_in(page: str) -> None:
    assert "@@" not in PAGES[page]


def test_the_changelog_names_this_version() -> None:
    assert "## Unreleased\n" in CHANGELOG or f"## [{mock_webshare.__version__}]" in CHANGELOG
    assert mock_webshare.__version__ in CHANGELOG


def test_the_changelog_groups_changes_by_kind() -> None:
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall("^### (.*)$", CHANGELOG, re.MULTILINE)) <= kinds


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len(WEBSHARE.rules) == len(RULES)


if __name__ == "__main__":
    for page, text in PAGES.items():
        (ROOT / page).write_text(with_tables(text), encoding="utf-8")
