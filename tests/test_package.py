"""What is built: the public names, the wheel and the source distribution."""

from __future__ import annotations

import subprocess
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import mock_webshare
from mock_webshare.contract.schemas import SERVICE_SCHEMAS, data_path
from mock_webshare.control.page import CONTENT_TYPES
from mock_webshare.service.data import dataset, generator
from tests.paths import ROOT

DATA = [
    path.relative_to(ROOT).as_posix()
    for folder in ("schemas", "fixtures")
    for path in (ROOT / folder).rglob("*.json")
]
TOP_LEVEL = {
    "mock_webshare", "schemas", "fixtures", "tests", "docs", "pyproject.toml", "README.md",
    ".ci", ".gitignore", ".pre-commit-hooks.yaml",
    "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
}  # fmt: skip


def test_public_names() -> None:
    assert mock_webshare.__all__ == [
        "MockServer",
        "MockWebshareError",
        "MockWorld",
        "Settings",
        "__version__",
        "create_app",
        "running_server",
    ]
    assert all(hasattr(mock_webshare, name) for name in mock_webshare.__all__)
    assert set(mock_webshare.__all__) <= set(dir(mock_webshare))


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = mock_webshare.nothing


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only a clone knows what is tracked")
def test_the_top_level_holds_nothing_else() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {path.partition("/")[0] for path in tracked.split()} == TOP_LEVEL


def test_the_wheel_holds_the_package_and_its_data_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"mock_webshare/_data/{name}" for name in DATA} <= set(names)
    assert {"mock_webshare/py.typed", "mock_webshare/service/framework/error_page.html"} <= set(names)
    assert {f"mock_webshare/control/page/{name}" for name in CONTENT_TYPES} <= set(names)
    assert {f"mock_webshare/judge/reports/report.{each}" for each in ("html", "css")} <= set(names)
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"mock_webshare"}


def test_the_source_distribution_holds_data_tests_and_documents(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    documents = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "docs/serving.md"}
    assert {*DATA, *documents, "pyproject.toml", "tests/conftest.py"} <= names


def test_the_wheel_generates_and_validates_what_the_checkout_does(built: Path, tmp_path: Path) -> None:
    """The wheel is put into an environment of its own that borrows only the dependencies."""
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path, with_pip=False)
    (site,) = tmp_path.glob("lib/python*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    borrowed = Path(pytest.__file__).parent.parent
    (site / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")

    python = str(tmp_path / "bin" / "python")

    def run(*arguments: str) -> str:
        command = [python, "-E", *arguments]  # -E: not even where PYTHONPATH names the checkout
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout

    def run_ours(*arguments: str) -> str:
        return run("-m", "mock_webshare", *arguments)

    code = "import mock_webshare; print(mock_webshare.__file__)"
    assert str(site) in run("-c", code)
    assert run_ours("schema").split() == SERVICE_SCHEMAS.names
    text = (data_path("fixtures") / "default.json").read_text(encoding="utf-8")
    assert run_ours("generate", "--credits", str(len(generator.seeded(0, 100).rows["credits"]))) == text
    recording = data_path("fixtures") / "recordings" / "credit.json"
    assert "no findings" in run_ours("validate", str(recording))
    assert set(dataset.names()) == {"default", "edge-cases"}
