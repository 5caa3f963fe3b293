"""Validation while recording: what it reports, when, and what it never shows."""

from __future__ import annotations

from pathlib import Path

from mock_webshare.exchange.model import Exchange, write_line
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.reports import text
from mock_webshare.live.record.live_validation import LiveValidation

KEY = "aVerySecretKeyThatNobodyMaySee"
LIST = "https://proxy.webshare.io/api/v2/referral/credit/"


def exchange(body: str, status: int = 200) -> Exchange:
    headers = (("Content-Type", "application/json"), ("Allow", "GET, HEAD, OPTIONS"))
    return Exchange(
        source="a.ndjson",
        method="GET",
        url=LIST,
        request_headers=(),
        status=status,
        headers=headers,
        body=body.encode(),
    )


def test_a_finding_is_reported_once() -> None:
    validation, wrong = LiveValidation("a.ndjson", Options()), exchange('{"count":"1"}')
    assert any("count" in line for line in validation.new_findings(wrong))
    assert list(validation.new_findings(wrong)) == []


def test_the_verdict_is_on_the_whole_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    page = exchange('{"count":0,"next":null,"previous":null,"results":[]}')
    path.write_text(write_line(page) + write_line(page))
    verdict = LiveValidation(str(path), Options()).verdict()
    assert (verdict.exchanges, verdict.judged, verdict.exit_code) == (2, 2, 0)


def test_the_verdict_shows_no_secret_of_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(write_line(exchange(f'{{"count":"{KEY}","next":null,"previous":null,"results":[]}}')))
    report = "\n".join(text.lines(LiveValidation(str(path), Options(), [KEY]).verdict()))
    assert "REDACTED-1" in report and KEY not in report
