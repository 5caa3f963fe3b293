"""The verdict: what is counted, which exit code follows, and what is imported for it."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_webshare import recordings
from mock_webshare.contract.schemas import SERVICE_SCHEMAS, data_path
from mock_webshare.errors import UnknownName
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.reports.text import summary
from mock_webshare.judge.run import judge
from mock_webshare.judge.verdict import Verdict

RECORDINGS = data_path("fixtures") / "recordings"
GOOD = str(RECORDINGS / "credit.json")
BROKEN = str(RECORDINGS / "broken-credit.json")


def judge_bytes(body: bytes, schema: str | None = None) -> Verdict:
    return judge([Exchange(source="-", body=body)], Options(schema=schema))


def judge_paths(*paths: str, **options: Any) -> Verdict:
    return judge(recordings.read(paths, BytesIO()), Options(**options))


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.json")), ids=lambda path: path.stem)
def test_only_the_sample_called_broken_is_broken(path: Path) -> None:
    assert judge_paths(str(path)).exit_code == path.name.startswith("broken")


def test_a_clean_file_exits_with_0() -> None:
    verdict = judge_paths(GOOD)
    assert (verdict.exit_code, verdict.files, verdict.judged, verdict.findings) == (0, 1, 1, ())


def test_a_finding_exits_with_1() -> None:
    verdict = judge_paths(GOOD, BROKEN)
    assert (verdict.exit_code, verdict.files, verdict.judged, len(verdict.findings)) == (1, 2, 2, 2)


def test_an_unreadable_file_exits_with_2_and_the_others_are_judged() -> None:
    verdict = judge_paths("missing.json", BROKEN)
    assert (verdict.exit_code, verdict.files, verdict.judged, len(verdict.findings)) == (2, 2, 1, 2)
    assert len(verdict.unreadable) == 1


def test_nothing_validated_exits_with_2() -> None:
    assert judge_paths().exit_code == 2


@pytest.mark.parametrize("content", [b'{"a": 1}', b"{}", b"[]", b"null", b'[{"id": 1}]', b'{"a": 1, "a": 2}'])
def test_a_body_that_is_not_recognised_is_a_finding_but_not_judged(content: bytes) -> None:
    record = Exchange(source="a.json", body=content)
    verdict = judge([record], Options())
    assert (verdict.exit_code, verdict.judged) == (1, 0)
    assert summary(verdict).startswith("1 file, 1 exchange, 0 judged, ")
    assert judge([record], Options(schema="referral-credit")).judged == 1


def test_a_body_that_is_not_json_is_a_finding_but_not_judged() -> None:
    verdict = judge_bytes(b"nonsense")
    assert (verdict.exit_code, verdict.judged, len(verdict.findings)) == (1, 0, 1)


def test_a_finding_names_the_path_as_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(RECORDINGS)
    paths = {each.place.source for each in judge_paths("./broken-credit.json").findings}
    assert paths == {"./broken-credit.json"}


def test_a_named_schema_is_kept_whatever_the_body_looks_like() -> None:
    verdict = judge_bytes(b'{"detail": "Not found.", "user_id": 1}', schema="referral-credit")
    assert verdict.count(Level.ERROR) == 7


def test_an_unknown_schema_is_a_usage_error() -> None:
    with pytest.raises(UnknownName, match="'credit'"):
        judge_bytes(b"{}", schema="credit")


@pytest.mark.parametrize("schema", [None, *SERVICE_SCHEMAS.names])
def test_a_huge_number_in_any_place_is_a_finding(schema: str | None) -> None:
    assert judge_bytes(b'{"status": ' + b"9" * 5000 + b"}", schema).exit_code == 1


@settings(deadline=None)  # the first one imports jsonschema
@given(st.binary() | st.text(st.characters(codec="utf-8")).map(str.encode))
def test_no_bytes_make_the_judge_raise(body: bytes) -> None:
    assert judge_bytes(body).exit_code in (0, 1)


FRAGMENTS = st.sampled_from(
    [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"results"',
        b'"user_id"',
        b'"detail"',
        b"null",
        b"1e9",
        b"NaN",
        b"7",
    ]
)


@settings(deadline=None)
@given(st.lists(FRAGMENTS).map(b"".join), st.sampled_from([None, *SERVICE_SCHEMAS.names]))
def test_nothing_made_of_json_makes_the_judge_raise(body: bytes, schema: str | None) -> None:
    assert judge_bytes(body, schema).exit_code in (0, 1)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["id", "user_id", "status", "reverted_at", "results", "next"]), VALUES)
)
def test_no_values_of_known_fields_make_the_judge_raise(body: dict[str, object]) -> None:
    assert judge_bytes(json.dumps(body).encode()).exit_code in (0, 1)


def modules_after(statement: str) -> set[str]:
    """Return the names of the packages that are imported after a statement."""
    program = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_the_judge_is_imported_without_what_only_judging_needs() -> None:
    loaded = modules_after("import mock_webshare.judge.run, mock_webshare.judge.reports")
    assert loaded.isdisjoint({"jsonschema", "aiohttp", "faker"})


def test_judging_needs_neither_the_server_nor_the_data_generator() -> None:
    loaded = modules_after(
        f"from mock_webshare.cli import Streams, run; "
        f"run(['validate', {BROKEN!r}], Streams(sys.stdin.buffer, sys.stderr, sys.stderr), {{}})"
    )
    assert "jsonschema" in loaded
    assert loaded.isdisjoint({"aiohttp", "faker"})
