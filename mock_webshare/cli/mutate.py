"""The command `mutate`: whether the tests of a client notice that the service has changed."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress

from mock_webshare.cli.files import Streams, progress_bar, write_output
from mock_webshare.cli.options import (
    CLEAN,
    FAILED,
    FOUND,
    Option,
    add_options,
    add_text,
    jobs_of,
    values_or_defaults,
)
from mock_webshare.cli.run_command import add_server_options
from mock_webshare.cli.settings import PRECEDENCE, SERVE_OPTIONS, settings_of
from mock_webshare.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from mock_webshare.cli.mutant_runs import Ended, Runner
    from mock_webshare.insight.coverage import Counts
    from mock_webshare.insight.mutants import Mutant, Result
    from mock_webshare.insight.mutation_report import Report

_INTERRUPTED = 130
_RUN_OPTIONS: Sequence[Option] = (
    ("jobs", int, "1", "number of runs at a time; 0 starts one for each core"),
    ("format", str, "text", "report: text, json or junit"),
)
_MINUTE = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [OPTION ...] -- COMMAND [ARGUMENT ...]"
    parser.epilog = (
        "The command is run once unchanged, and has to pass; then once for each mutant of the service that "
        "it reaches, with a mock server and a port of its own. "
        "Exit code: 0; 1 if the score is below --fail-under; 2 if the command does not pass unchanged or "
        "reaches nothing; 130 after Ctrl-C, which ends with the report so far. "
        f"{PRECEDENCE}"
    )
    words = (
        "run only mutants with this in their names, in which * stands for anything; "
        "may be given several times"
    )
    add_text(parser, "--only", "PATTERN", words, action="append")
    words = "run at most so many mutants, the same ones each time (default: all)"
    add_text(parser, "--budget", "NUMBER", words)
    add_options(parser, _RUN_OPTIONS)
    add_text(parser, "-o --output", "FILE", "file for the report (default: standard output)")
    add_text(parser, "--logs", "FOLDER", "folder that gets the output of each run (default: none)")
    minimum = "minimum score; below it, the exit code is 1 (default: none)"
    add_text(parser, "--fail-under", "PERCENT", minimum)
    add_server_options(parser)


class _Wanted:
    """The options, read; raise `UsageError` for a value that is not allowed."""

    def __init__(self, options: argparse.Namespace, environ: Mapping[str, str]) -> None:
        from mock_webshare.contract.endpoints import WEBSHARE
        from mock_webshare.insight import mutants
        from mock_webshare.insight.coverage_report import require_percent
        from mock_webshare.insight.mutation_report import FORMATS

        values = values_or_defaults(options, _RUN_OPTIONS)
        self.format, self.jobs = values["format"], jobs_of(values["jobs"])
        if self.format not in FORMATS:
            raise UsageError.invalid("--format", self.format, ", ".join(FORMATS))
        self.most = None if options.budget is None else _require_number("--budget", options.budget)
        self.minimum = options.fail_under and require_percent("--fail-under", options.fail_under)
        self.mutants = mutants.matching(mutants.mutants_of(WEBSHARE), options.only or ())
        if not self.mutants:
            kinds = ", ".join(mutants.KINDS)
            allowed = f"a part of a name like 'field.removed /api/v2/referral/credit/ amount'; kinds: {kinds}"
            raise UsageError.invalid("--only", " ".join(options.only), allowed)
        settings_of(options, environ, SERVE_OPTIONS, port=0)


def _require_number(option: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 6 and int(text)):
        raise UsageError.invalid(option, text, "a whole number from 1 to 999999")
    return int(text)


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    wanted = _Wanted(options, environ)
    from mock_webshare.cli.mutant_runs import Runner

    with Runner(options, environ, options.logs) as runner:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        first, counts = _first_run(runner)
        if problem := _problem(first, counts):
            with suppress(OSError):
                streams.stderr.write(first.output)
            streams.note(problem)
            return FAILED
        report = _mutated(runner, wanted, first.seconds, counts, streams)
    return _finish(report, wanted, options.output, streams)


def _first_run(runner: Runner) -> tuple[Ended, Counts]:
    """Run the command without a mutant; return how the run ended, and counts of what it exercised."""
    from mock_webshare.contract.endpoints import WEBSHARE
    from mock_webshare.server.collectors import CoverageFolder

    with CoverageFolder() as folder:
        return runner.run(folder.variables), folder.counts(WEBSHARE)


def _problem(first: Ended, counts: Counts) -> str:
    """Return why the command cannot be run with mutants after its first run; empty if it can."""
    if first.code:
        return f"the command fails unchanged, with exit code {first.code}; mutate needs a command that passes"
    return "" if any(counts.values()) else "no request reached an endpoint of the mock server"


def _mutated(runner: Runner, wanted: _Wanted, seconds: float, counts: Counts, streams: Streams) -> Report:
    """Run the command with each mutant that it may reach, and return the report on all mutants."""
    from mock_webshare.insight.mutants import Result, Verdict, sampled
    from mock_webshare.insight.mutation_report import Report

    within_reach = [each for each in wanted.mutants if each.is_reached(counts)]
    chosen = sampled(within_reach, wanted.most)
    _announce(len(chosen), wanted, seconds, streams)
    show = progress_bar(streams.stderr, "mutants") or (lambda done, total: None)
    found: dict[str, Result] = {}
    is_interrupted = False
    try:
        for result in runner.results(chosen, wanted.jobs, seconds, counts):
            found[result.mutant.id] = result
            show(len(found), len(chosen))
    except KeyboardInterrupt:
        is_interrupted = True

    def other(mutant: Mutant) -> Result:
        return Result(mutant, Verdict.NOT_RUN if mutant in within_reach else Verdict.NOT_REACHED)

    results = [found.get(each.id) or other(each) for each in wanted.mutants]
    return Report(results, seconds, is_interrupted)


def _announce(number: int, wanted: _Wanted, seconds: float, streams: Streams) -> None:
    """Write how many mutants will be run, and about how long that will take."""
    total = number * seconds / wanted.jobs
    about = f"{total / _MINUTE:.0f} minutes" if total >= 2 * _MINUTE else f"{total:.0f} seconds"
    streams.note(
        f"the command passes in {seconds:.1f} s; running it with {number} of {len(wanted.mutants)} mutants "
        f"takes about {about}"
    )


def _finish(report: Report, wanted: _Wanted, path: str | None, streams: Streams) -> int:
    """Write the report, and return the exit code."""
    from mock_webshare.insight.mutants import score
    from mock_webshare.insight.mutation_report import FORMATS

    content = FORMATS[wanted.format](report)
    write_output(path, streams, lambda stream: stream.write(content))
    if report.is_interrupted:
        return _INTERRUPTED
    found = score(report.results)
    if wanted.minimum is not None and found is None:
        streams.note("there is no mutation score, because no breaking mutant was reached")
        return FAILED
    if wanted.minimum is not None and found is not None and found < wanted.minimum:
        streams.note(f"the mutation score is {found} %, and at least {wanted.minimum} % is required")
        return FOUND
    return CLEAN
