"""The commands `validate`, `rules` and `schema`: options, files, streams, exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from mock_webshare import MockServer, Settings
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.exchange.model import Exchange, write_line
from mock_webshare.judge.model.rulebook import rules_of
from tests import recorded_session as sessions
from tests.capabilities import needs_links
from tests.cli import Run
from tests.sampling import sampled

CREDIT = SERVICE_SCHEMAS.document("referral-credit")["examples"][0]


@pytest.fixture(scope="module")
def session() -> Iterator[list[Exchange]]:
    with MockServer(Settings(port=0, rate_limit="off")) as server:
        yield sessions.record(server.url)


@pytest.fixture
def recording(session: list[Exchange], tmp_path: Path) -> Path:
    path = tmp_path / "session.ndjson"
    path.write_text("".join(map(write_line, session)), encoding="utf-8")
    return path


def body(path: Path, **changes: object) -> Path:
    path.write_text(json.dumps(CREDIT | changes), encoding="utf-8")
    return path


def test_a_recording_of_the_mock_server_has_no_findings(recording: Path, session: list[Exchange]) -> None:
    run = Run("validate", recording)
    assert run.code == 0
    assert run.out == f"1 file, {len(session)} exchanges, {len(session)} judged, no findings\n"


def test_several_processes_report_the_same(recording: Path, tmp_path: Path) -> None:
    text = recording.read_text(encoding="utf-8").replace('\\"mode\\":\\"payout\\"', '\\"mode\\":\\"cash\\"')
    broken = tmp_path / "broken.ndjson"
    broken.write_text(text * 2, encoding="utf-8")
    assert Run("validate", broken, "--jobs", 2).out == Run("validate", broken).out != ""


@pytest.mark.parametrize(
    ("changes", "options", "code"),
    [
        ({"currency": "USD"}, (), 0),
        ({"currency": "USD"}, ("--unknown-fields", "ignore"), 0),
        ({"currency": "USD"}, ("--unknown-fields", "forbid"), 1),
        ({"mode": "cash"}, ("--fail-on", "error"), 1),
        ({"created_at": "2022-06-14T11:58:10.246-07:00"}, ("--fail-on", "error"), 0),
        ({"created_at": "2022-06-14T11:58:10.246-07:00"}, (), 1),
    ],
)
def test_levels_and_options_decide_the_exit_code(
    tmp_path: Path, changes: dict[str, object], options: tuple[str, ...], code: int
) -> None:
    assert Run("validate", body(tmp_path / "a.json", **changes), *options).code == code


def test_a_note_fails_the_run_only_with_the_option(
    recording: Path, session: list[Exchange], tmp_path: Path
) -> None:
    path = tmp_path / "capped.ndjson"
    page = next(each for each in session if "page_size=1000" in str(each.url))
    path.write_text(write_line(page), encoding="utf-8")
    assert Run("validate", path, "--max-page-size", 60).code == 0
    run = Run("validate", path, "--max-page-size", 60, "--fail-on", "note")
    assert run.code == 1
    assert "if the service does so, set --max-page-size" in run.out


def test_only_responses_of_a_host_are_checked(recording: Path) -> None:
    assert Run("validate", recording, "--only-host", "PROXY.webshare.io").code == 0
    run = Run("validate", recording, "--only-host", "example.com")
    assert run.code == 2
    assert "0 judged" in run.out and "another host" in run.out


def test_several_reports_go_to_several_places(tmp_path: Path) -> None:
    broken = body(tmp_path / "a.json", mode="cash")
    sarif, junit = tmp_path / "a.sarif", tmp_path / "a.xml"
    run = Run(
        *("validate", broken, "--format", "sarif", "-o", sarif, "--format", "text"),
        *("--format", "junit", "--output", junit),
    )
    assert run.code == 1
    assert "object.mode" in run.out
    assert json.loads(sarif.read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert junit.read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("terminal", "environ", "expected"),
    [(True, {}, True), (True, {"NO_COLOR": "1"}, False), (False, {}, False)],
)
def test_colours_are_for_terminals(
    tmp_path: Path, terminal: bool, environ: dict[str, str], expected: bool
) -> None:
    run = Run("validate", body(tmp_path / "a.json", mode="cash"), terminal=terminal, environ=environ)
    assert ("\x1b[31m" in run.out) is expected


def test_long_work_shows_its_progress_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_webshare.cli.validate._SHOWN_FROM", 1)
    run = Run("validate", body(tmp_path / "a.json"), terminal=True)
    assert "\r" in run.err
    assert Run("validate", body(tmp_path / "a.json")).err == ""


def test_rules_lists_every_rule() -> None:
    run = Run("rules")
    assert run.code == 0
    assert [line.split()[0] for line in run.out.splitlines()] == list(rules_of())
    assert Run("rules", "filter.").out.count("\n") == sum(each.startswith("filter.") for each in rules_of())
    assert Run("rules", "nothing").code == 2


def test_the_schema_of_the_report_is_printed() -> None:
    assert json.loads(Run("schema", "report").out)["title"].startswith("Report of")


@pytest.mark.parametrize("seed", sampled(range(20)))
def test_a_damaged_line_is_found_and_the_rest_goes_on(
    session: list[Exchange], tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    lines = [write_line(each) for each in session]
    at = random.randrange(len(lines))
    line = lines[at]
    lines[at] = random.choice(
        [line[: random.randrange(1, len(line) - 1)] + "\n", "{}\n", "[]\n", "nonsense\n"]
    )
    path = tmp_path / "damaged.ndjson"
    path.write_text("".join(lines), encoding="utf-8")
    run = Run("validate", path, "--input-format", "ndjson", "--format", "json")
    report = json.loads(run.out)
    (found,) = [each for each in report["findings"] if each["rule"] in ("record.malformed", "body.shape")]
    assert (run.code, found["places"][0]["line"], report["judged"] >= len(lines) - 1) == (1, at + 1, True)


def test_a_file_that_cannot_be_read_does_not_keep_the_others_from_being_judged(tmp_path: Path) -> None:
    run = Run("validate", tmp_path / "missing.json", body(tmp_path / "a.json", mode="cash"))
    assert run.code == 2
    assert "object.mode" in run.out and "cannot read" in run.out


def test_a_server_error_is_skipped(session: list[Exchange], tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(write_line(replace(session[0], status=502, body=b"<html>")), encoding="utf-8")
    run = Run("validate", path)
    assert run.code == 2
    assert "1 skipped (a server error: 1)" in run.out


@pytest.mark.parametrize(
    "content", ["", '{"request":{"method":"GET","url":"http://a/b/"},"response":null}\n']
)
def test_a_run_that_checked_nothing_says_so(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(content, encoding="utf-8")
    run = Run("validate", path)
    assert run.code == 2
    assert run.out.startswith("Nothing was judged: ")
    assert Run("validate", path, "--format", "github").out.startswith("::error::Nothing was judged: ")


@needs_links
def test_a_report_does_not_replace_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(CREDIT), encoding="utf-8")
    (tmp_path / "link").symlink_to(path)
    for output in (path, tmp_path / "link"):
        run = Run("validate", path, "--format", "json", "-o", output)
        assert (run.code, "write to another file" in run.err) == (2, True)
    assert json.loads(path.read_text(encoding="utf-8")) == CREDIT


@pytest.mark.parametrize("ordering", ["id", "", "-created_at, amount"])
def test_every_order_of_a_list_may_be_the_default(tmp_path: Path, ordering: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(CREDIT), encoding="utf-8")
    assert Run("validate", tmp_path, f"--default-ordering={ordering}").code == 0
