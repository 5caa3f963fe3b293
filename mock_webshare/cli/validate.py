"""The command `validate`: a check of recordings against the contract."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from mock_webshare.cli.coverage import CoverageOutput, add_coverage_options
from mock_webshare.cli.files import Streams, progress_bar, require_other_file, write_output
from mock_webshare.cli.options import (
    COLOR,
    Option,
    add_flag,
    add_options,
    add_skip_others,
    add_text,
    jobs_of,
    values_given,
    values_or_defaults,
)
from mock_webshare.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from typing import Any, TextIO

    from mock_webshare.insight.client_hints import RecordedHints
    from mock_webshare.insight.coverage import Coverage
    from mock_webshare.judge.model.finding import Level
    from mock_webshare.judge.model.options import Options
    from mock_webshare.judge.run import Record
    from mock_webshare.judge.verdict import Verdict

JUDGE_OPTIONS: Sequence[Option] = (
    ("unknown-fields", str, "report", "undocumented fields: ignore, report or forbid"),
    ("fail-on", str, "warning", "minimum severity that fails the run: error, warning or note"),
    ("max-page-size", int, "100", "assumed limit of page_size"),
    ("default-ordering", str, "id", "assumed order of a list whose request names none; may be empty"),
    ("pending-days", int, "30", "assumed days for which a credit stays pending"),
)
_SCHEMA_OPTION: Option = ("schema", str, "by shape", "schema of bodies stored without their request")
_RUN_OPTIONS: Sequence[Option] = (
    ("input-format", str, "auto", "format of the files: auto, json, ndjson, har, vcr, dump or journal"),
    ("jobs", int, "1", "number of processes; 0 starts one for each core"),
)
VALIDATE_OPTIONS = (*_RUN_OPTIONS, _SCHEMA_OPTION, *JUDGE_OPTIONS)
_SHOWN_FROM, _SHOWN_EVERY = 16 * 1024**2, 0.1  # bytes, seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Exit code: 0 no finding fails the run, 1 a finding does, "
        "2 a file could not be read, or there was nothing to check."
    )
    parser.add_argument(
        "paths", metavar="PATH", nargs="+", help="recording, or folder of recordings; - for standard input"
    )
    add_options(parser, (*VALIDATE_OPTIONS, COLOR))
    words = "check responses of this host only; may be given several times"
    add_text(parser, "--only-host", "HOST", words, action="append")
    add_skip_others(parser)
    _add_reports(parser)
    words = "add to the text and JSON reports what clients do wrong though nothing fails"
    add_flag(parser, "--hints", words)
    add_coverage_options(parser)


def _add_reports(parser: argparse.ArgumentParser) -> None:
    words = "report: text, json, junit, sarif, github or html (default: text); may be given several times"
    add_text(parser, "--format", "FORMAT", words, dest="reports", action="append")
    words = "file for the report of the --format before it (default: standard output)"
    add_text(parser, "-o --output", "FILE", words, dest="reports", action="append", type=_Output)


class _Output(str):
    """A file name of `-o`; its type distinguishes it from the formats in the same list."""


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare import recordings
    from mock_webshare.judge import reports, run

    values = values_or_defaults(options, _RUN_OPTIONS)
    wanted = _reports(options.reports or ["text"])
    for name, path in wanted:
        reports.find(name)
        require_other_file(path, options.paths)
    assumed = _assumed(options, keeps_details=any(name in reports.DETAILED for name, _ in wanted))
    output = CoverageOutput(options, options.paths)
    coverage = _coverage(assumed) if output.is_wanted else None
    hints = _hints(assumed) if options.hints else None
    records: Iterable[Record] = recordings.read(
        tuple(dict.fromkeys(options.paths)),
        streams.stdin,
        input_format=values["input_format"],
        are_bodies=assumed.schema is not None,
        skip_others=options.skip_others,
        progress=_progress(streams),
    )
    for each in (coverage, hints):
        records = records if each is None else _shown_to(records, each)
    verdict = run.judge(records, assumed, jobs=jobs_of(values["jobs"]))
    if hints is not None:
        verdict = _with_hints(verdict, hints)
    for name, path in wanted:
        _write(name, path, verdict, streams, environ)
    code = verdict.exit_code
    return code if coverage is None else output.write(coverage.counts, streams, code)


def _assumed(options: argparse.Namespace, *, keeps_details: bool) -> Options:
    given = values_given(options, (_SCHEMA_OPTION, *JUDGE_OPTIONS))
    hosts = [host.lower() for host in options.only_host or ()]
    given |= {"may_be_empty": options.skip_others, "keeps_details": keeps_details}
    return judge_options(given, hosts)


def _coverage(options: Options) -> Coverage:
    from mock_webshare.insight.coverage import Coverage

    return Coverage(options.contract, hosts=options.hosts)


def _hints(options: Options) -> RecordedHints:
    from mock_webshare.insight.client_hints import RecordedHints

    return RecordedHints(options.contract, hosts=options.hosts)


def _shown_to(records: Iterable[Record], collector: Coverage | RecordedHints) -> Iterator[Record]:
    """Yield records, and add the exchanges among them to a collector."""
    from mock_webshare.exchange.model import Exchange

    for record in records:
        if isinstance(record, Exchange):
            collector.add(record)
        yield record


def _with_hints(verdict: Verdict, hints: RecordedHints) -> Verdict:
    from dataclasses import replace

    from mock_webshare.insight import hint_report
    from mock_webshare.judge.verdict import Hints

    found = hint_report.merged(hints.documents())
    return replace(verdict, hints=Hints(found, tuple(hint_report.lines(found))))


def judge_options(values: Mapping[str, Any], hosts: Iterable[str] = ()) -> Options:
    from mock_webshare.judge.model.options import Options

    if "fail_on" in values:
        values = {**values, "fail_on": _severity(values["fail_on"])}
    return Options(hosts=tuple(hosts), **values)


def _severity(name: str) -> Level:
    from mock_webshare.judge.model.finding import Level
    from mock_webshare.judge.model.options import FAILING

    if name not in FAILING:
        raise UsageError(f"--fail-on {name!r} is not allowed; allowed: {', '.join(FAILING)}")
    return Level(name)


def _reports(words: Sequence[str]) -> list[tuple[str, str | None]]:
    """Return each format with its file; None is standard output.

    `--format text --format sarif -o x.sarif` is `text` on standard output and `sarif` in a file.
    """
    found: list[tuple[str, str | None]] = []
    for word in words:
        if not isinstance(word, _Output):
            found.append((word, None))
        elif found and found[-1][1] is None:
            found[-1] = (found[-1][0], str(word))
        else:
            found.append(("text", str(word)))
    return found


def _write(
    name: str, path: str | None, verdict: Verdict, streams: Streams, environ: Mapping[str, str]
) -> None:
    from mock_webshare.judge import reports

    def write(stream: TextIO) -> None:
        reports.write(name, verdict, stream, is_coloured=streams.is_coloured(stream, environ))

    write_output(path, streams, write)


def _progress(streams: Streams) -> Callable[[int, int], None] | None:
    """Return a function that shows progress of long work now and then."""
    show = progress_bar(streams.stderr, "bytes")
    if show is None:
        return None
    last = 0.0

    def show_now_and_then(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if total >= _SHOWN_FROM and (done >= total or now - last >= _SHOWN_EVERY):
            last = now
            show(done, total)

    return show_now_and_then
