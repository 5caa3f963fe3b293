"""The hints that `run` shows, and those of `validate --hints`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.exchange.model import Exchange, write_line
from tests.cli import Run
from tests.cli.test_coverage import PYTEST, run
from tests.paths import EXAMPLE, ROOT
from tests.sampling import sampled

LIST = CREDIT_LIST.path
GET = """
import http.client, os, urllib.parse
from mock_webshare import MockServer
def get(url, target):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
    connection.request("GET", target, headers={"Authorization": "Token key"})
    connection.getresponse().read()
url = os.environ["WEBSHARE_BASE_URL"]
"""
CAPPED = f"""mock-webshare: 1 hint on the client
page-size.capped: a page of {LIST} has at most 100 rows, however many `page_size` names
  do    ask for at most 100, and follow `next` until it is null
  seen  GET {LIST}?page_size=500 200
"""


def python(*targets: str) -> list[str]:
    return [sys.executable, "-c", GET + "".join(f"get(url, {LIST + target!r})\n" for target in targets)]


def test_run_ends_with_the_hints_on_its_command() -> None:
    ran = run("--credits", 230, command=python("?page_size=500"))
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", CAPPED)


@pytest.mark.parametrize("code", sampled([3, 0]))
def test_hints_do_not_change_the_exit_code(code: int) -> None:
    command = python("?stauts=1", "?limit=1")
    command[-1] += f"raise SystemExit({code})"
    ran = run(command=command)
    assert (ran.returncode, ran.stderr.splitlines()[0]) == (code, "mock-webshare: 2 hints on the client")


@pytest.mark.parametrize(
    ("options", "targets"), [(["--no-hints"], ["?page_size=500"]), ([], ["?page_size=50"])]
)
def test_without_hints_run_shows_nothing(options: list[str], targets: list[str]) -> None:
    ran = run(*options, "--credits", 230, command=python(*targets))
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_the_hints_on_servers_of_the_command_are_shown_too() -> None:
    text = f"with MockServer() as server:\n    get(server.url, '{LIST}?stauts=1')"
    ran = run(command=[sys.executable, "-c", GET + text])
    assert ran.stderr.startswith("mock-webshare: 1 hint on the client\nparameter.ignored: ")


@pytest.mark.exhaustive
def test_the_sample_project_has_no_hints() -> None:
    ran = run(command=[*PYTEST, "-o", "webshare_mock_hints=error"], folder=EXAMPLE)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert "webshare_mock: hints" not in ran.stdout


def page(target: str, next: str | None = None, started: int = 0) -> Exchange:
    body: dict[str, Any] = {"count": 0, "next": next, "previous": None, "results": []}
    return Exchange(
        source="",
        method="GET",
        url=f"https://proxy.webshare.io{LIST}{target}",
        status=200,
        headers=(("Content-Type", "application/json"), ("Allow", "GET, HEAD, OPTIONS")),
        body=json.dumps(body, separators=(",", ":")).encode(),
        started=started,
    )


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    path = tmp_path / "wrong.ndjson"
    path.write_text("".join(map(write_line, [page("?stauts=1"), page(""), page("?stauts=2")])))
    return path


def test_validate_shows_hints_in_the_text_report(wrong: Path) -> None:
    checked = Run("validate", wrong, "--hints")
    assert checked.code == 0
    assert (
        checked.out
        == f"""hints on the client:
  parameter.ignored: {LIST} does not have the parameter `stauts`, and ignores it
    do    use `status`
    seen  GET {LIST}?stauts=... 200 ({wrong}:1, entry 0)
          GET {LIST}?stauts=... 200 ({wrong}:3, entry 2)

1 file, 3 exchanges, 3 judged, no findings
"""
    )


def test_validate_without_the_option_shows_none(wrong: Path) -> None:
    assert Run("validate", wrong).out == "1 file, 3 exchanges, 3 judged, no findings\n"
    assert "hints" not in json.loads(Run("validate", wrong, "--format", "json").out)


def test_validate_says_that_there_are_none(tmp_path: Path) -> None:
    path = tmp_path / "right.ndjson"
    path.write_text(write_line(page("?status=pending")))
    assert Run("validate", path, "--hints").out.startswith("no hints on the client\n\n1 file, ")
    assert report(path)["hints"] == []


def report(path: Path, *options: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Run("validate", path, "--hints", "--format", "json", *options).out)
    schema = json.loads((ROOT / "schemas" / "own" / "report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    return document


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_validate_has_hints_in_the_json_report(wrong: Path, jobs: str) -> None:
    (hint,) = report(wrong, "--jobs", jobs)["hints"]
    assert (hint["rule"], hint["count"]) == ("parameter.ignored", 2)
    assert [each["line"] for each in hint["requests"]] == [1, 3]


def test_the_same_hint_in_several_files_is_one(wrong: Path) -> None:
    other = wrong.with_name("other.ndjson")
    other.write_bytes(wrong.read_bytes())
    (hint,) = report(wrong.parent)["hints"]
    assert hint["count"] == 4
    assert {each["file"] for each in hint["requests"]} == {str(wrong), str(other)}


def test_only_the_host_that_is_named_counts(wrong: Path) -> None:
    assert report(wrong, "--only-host", "proxy.webshare.io")["hints"] != []
    assert report(wrong, "--only-host", "elsewhere.example", "--skip-others")["hints"] == []
