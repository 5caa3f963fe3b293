"""The recipes of `docs/ci.md`, run by the real tools: they pass, and fail on broken recordings."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from mock_webshare.contract.schemas import data_path
from tests.capabilities import needs_bash, needs_shell
from tests.paths import ROOT
from tests.sampling import sampled

pytestmark = needs_shell

PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
GOOD = (data_path("fixtures") / "recordings" / "credit.json").read_text(encoding="utf-8")
BROKEN = (data_path("fixtures") / "recordings" / "broken-credit.json").read_text(encoding="utf-8")
SECRET = (
    '{"request":{"method":"GET","url":"https://proxy.webshare.io/api/v2/referral/credit/1/",'
    '"headers":[["Authorization","Token 0123456789abcdef0123456789abcdef01234567"]]},'
    '"response":{"status":404,"headers":[["Content-Type","application/json"],["Allow","GET, HEAD, OPTIONS"]],'
    '"body":"{\\"detail\\":\\"Not found.\\"}"}}\n'
)
TEST = """import os, unittest, urllib.request


class Test(unittest.TestCase):
    def test_a_page(self):
        url = os.environ["WEBSHARE_BASE_URL"] + "/api/v2/referral/credit/"
        headers = {"Authorization": "Token " + os.environ["WEBSHARE_API_KEY"]}
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(url, headers=headers)) as response:
            self.assertEqual(response.status, 200)
"""
BREAKS: Mapping[str, tuple[str, str]] = {
    "validate": ("recordings/broken.json", BROKEN),
    "redact": ("recordings/secret.ndjson", SECRET),
    "test": ("test_broken.py", TEST.replace("200", "500")),
}
"""What breaks a project for each kind of step: a file, and its content."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a test and a good recording, and a `pip` that only notes its arguments."""
    folder = tmp_path / "project"
    (folder / "recordings").mkdir(parents=True)
    (folder / "recordings" / "credit.json").write_text(GOOD, encoding="utf-8")
    (folder / "test_page.py").write_text(TEST, encoding="utf-8")
    (tmp_path / "bin").mkdir()
    pip = tmp_path / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/pip.log\n', encoding="utf-8")
    pip.chmod(0o755)
    return folder


def run(folder: Path, script: str, *shell: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder, with the package and its Python on the PATH."""
    paths = [str(folder.parent / "bin"), os.path.dirname(sys.executable), os.environ["PATH"]]
    kept = {name: value for name, value in os.environ.items() if "WEBSHARE" not in name}
    return subprocess.run(
        [*shell, script],
        cwd=folder,
        env=kept | {"PATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def documents() -> list[Any]:
    return [yaml.safe_load(text) for text in blocks("yaml")]


def break_project(folder: Path, kind: str) -> None:
    name, content = BREAKS[kind]
    (folder / name).write_text(content, encoding="utf-8")


@needs_bash
class TestGitHubActions:
    @staticmethod
    def steps() -> list[str]:
        """Return what the steps of the workflow run, in order."""
        steps = documents()[0]["jobs"]["contract"]["steps"]
        return [step["run"] for step in steps if "run" in step]

    @classmethod
    def failing_step(cls, folder: Path) -> str | None:
        """Run the steps as a runner of GitHub does, until one fails, and return that."""
        for step in cls.steps():
            if run(folder, step, "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c").returncode:
                return step
        return None

    def test_a_good_project_passes(self, project: Path) -> None:
        assert self.failing_step(project) is None
        assert (
            (project.parent / "pip.log")
            .read_text(encoding="utf-8")
            .startswith("install mock-webshare[yaml] @ git+")
        )

    @pytest.mark.parametrize("kind", sampled(["test", "validate", "redact"]))
    def test_a_broken_one_fails_at_the_step_that_checks_it(self, project: Path, kind: str) -> None:
        break_project(project, kind)
        step = self.failing_step(project)
        assert step is not None and kind.replace("test", "unittest") in step

    def test_a_finding_is_shown_at_its_line(self, project: Path) -> None:
        break_project(project, "validate")
        output = run(project, self.steps()[2], "bash", "-c").stdout
        assert "::error file=recordings/broken.json,line=" in output


class TestShell:
    SCRIPT = blocks("sh")[0]

    def test_a_good_project_passes(self, project: Path) -> None:
        process = run(project, self.SCRIPT, "sh", "-c")
        assert process.returncode == 0, process.stdout
        assert "/api/v2/referral/credit/" in (project / "serve.log").read_text(encoding="utf-8")

    @pytest.mark.parametrize("kind", sampled(BREAKS))
    def test_a_broken_one_fails(self, project: Path, kind: str) -> None:
        break_project(project, kind)
        assert run(project, self.SCRIPT, "sh", "-c").returncode == 1

    def test_a_server_that_does_not_start_fails(self, project: Path) -> None:
        process = run(project, self.SCRIPT.replace("--port 0", "--data nothing"), "sh", "-c")
        assert process.returncode == 1
        assert process.stdout.startswith(
            "mock-webshare: there is no data set file or data set named 'nothing'"
        )


PRE_COMMIT = shutil.which(
    "pre-commit", path=f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
)


@pytest.mark.exhaustive
@pytest.mark.skipif(PRE_COMMIT is None, reason="there is no pre-commit: pip install -e '.[ci]'")
class TestPreCommit:
    @pytest.fixture(scope="class")
    @staticmethod
    def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A repository of this package, and an empty cache of pre-commit beside it."""
        folder = tmp_path_factory.mktemp("hooks")
        fetch = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), "hatchling"]
        if subprocess.run(fetch, capture_output=True).returncode:
            pytest.skip("pip cannot reach a package index, from which pre-commit installs dependencies")
        repository = folder / "mock-webshare"
        repository.mkdir()
        for name in ("mock_webshare", "schemas", "fixtures"):
            shutil.copytree(ROOT / name, repository / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
            shutil.copy(ROOT / name, repository / name)
        commit(repository)
        return repository

    @staticmethod
    def check(project: Path, hooks: Path, *hook: str) -> subprocess.CompletedProcess[str]:
        """Add all files of a project, with the configuration of the page, and run the hooks."""
        rev = git(hooks, "rev-parse", "HEAD").strip()
        text = blocks("yaml")[1].replace("file:///path/to/mock-webshare", str(hooks)).replace("COMMIT", rev)
        (project / ".pre-commit-config.yaml").write_text(text, encoding="utf-8")
        commit(project)
        (project.parent / "bin" / "pip").unlink(missing_ok=True)
        command = f"PRE_COMMIT_HOME={hooks.parent / 'cache'} {PRE_COMMIT} run --all-files {' '.join(hook)}"
        return run(project, command, "sh", "-c")

    def test_a_good_project_passes(self, project: Path, hooks: Path) -> None:
        process = self.check(project, hooks)
        assert process.returncode == 0, process.stdout
        assert process.stdout.count("Passed") == 2

    def test_other_files_are_passed_over(self, project: Path, hooks: Path) -> None:
        (project / "recordings" / "notes.yaml").write_text("a: list\nof: notes\n", encoding="utf-8")
        (project / "package.json").write_text("{}", encoding="utf-8")
        process = self.check(project, hooks, "mock-webshare-validate")
        assert process.returncode == 0, process.stdout

    @pytest.mark.parametrize("kind", ["validate", "redact"])
    def test_a_broken_recording_fails_the_hook_that_checks_it(
        self, project: Path, hooks: Path, kind: str
    ) -> None:
        break_project(project, kind)
        process = self.check(project, hooks, f"mock-webshare-{kind}")
        assert process.returncode == 1 and "exit code: 1" in process.stdout, process.stdout
        assert BREAKS[kind][0] in process.stdout


def git(folder: Path, *arguments: str) -> str:
    names = ("-c", "user.name=tester", "-c", "user.email=tester@example.com")
    command = ["git", *names, "-c", "commit.gpgsign=false", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder: Path) -> None:
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "all", "--no-verify")
