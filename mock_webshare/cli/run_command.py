"""The command `run`: any command, with a mock server of its own."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress

from mock_webshare.cli.coverage import CoverageOutput, add_coverage_options
from mock_webshare.cli.files import Streams, log_file
from mock_webshare.cli.options import add_flag, add_options, add_text
from mock_webshare.cli.serve import without_certificates
from mock_webshare.cli.settings import (
    PRECEDENCE,
    SERVE_OPTIONS,
    VARIABLES,
    naming_failed_variables,
    reachable,
    served_recording,
    settings_of,
)
from mock_webshare.errors import pluralize

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from typing import Any

_ANY_KEY = "mock-webshare"
"""The API key that the command gets if the settings have none; it replaces a real one in the environment."""
_RUN_OPTIONS = tuple(
    (name, kind, "0" if name == "port" else default, help_text)
    for name, kind, default, help_text in SERVE_OPTIONS
)
NOT_REACHED = (
    "no request reached the mocked API (the control plane does not count); "
    "official clients do not read WEBSHARE_BASE_URL, so "
    'give them base_url=os.environ["WEBSHARE_BASE_URL"], in Node baseURL: process.env.WEBSHARE_BASE_URL'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [OPTION ...] -- COMMAND [ARGUMENT ...]"
    parser.epilog = (
        "The command gets WEBSHARE_BASE_URL and WEBSHARE_API_KEY in its environment, and NO_PROXY exempts "
        "the mock server from a proxy. Official clients read only the key: give them the URL as base_url (in "
        "Node baseURL). If no request reaches the mock server, a line on standard error says so. "
        "Exit code: that of the command; 128 + N if signal N ended it; 127 if it does not exist, 126 if it "
        "cannot be executed; 2 if the mock server cannot start; then the command is not run. "
        f"{PRECEDENCE}"
    )
    add_server_options(parser)
    add_text(parser, "--log", "FILE", "file that gets a line for each request (default: none)")
    add_flag(parser, "--no-hints", "do not show at the end what the client does wrong though nothing fails")
    add_coverage_options(parser)


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a mock server that runs beside a command."""
    # If a variable set the port of every server, the second one would find the port taken.
    add_options(parser, _RUN_OPTIONS, variables=VARIABLES - {"port"})
    parser.set_defaults(log=None)


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare.server.collectors import CoverageFolder, HintFolder

    output = CoverageOutput(options)
    with ExitStack() as stack:
        hints = None if options.no_hints else stack.enter_context(HintFolder())
        coverage = stack.enter_context(CoverageFolder()) if output.is_wanted else None
        for folder in filter(None, (hints, coverage)):
            environ = {**environ, **folder.variables}
        code = run_once(options, streams, environ)
        if hints is not None:
            _show(hints.hints(), streams)
        if coverage is None:
            return code
        from mock_webshare.contract.endpoints import WEBSHARE

        return output.write(coverage.counts(WEBSHARE), streams, code)


def _show(hints: Sequence[Mapping[str, Any]], streams: Streams) -> None:
    """Write hints to standard error, if there are any."""
    if hints:
        from mock_webshare.insight import hint_report as report

        found = report.merged(hints)
        head = f"mock-webshare: {pluralize(len(found), 'hint')} on the client"
        with suppress(OSError):  # a closed stream does not change the exit code
            streams.stderr.write("".join(f"{line}\n" for line in (head, *report.lines(found))))
            streams.stderr.flush()


def run_once(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    """Run the command with a mock server, and return the exit code of the command."""
    from mock_webshare.server.environment import Flag
    from mock_webshare.server.process_guard import Guard

    settings = settings_of(options, environ, SERVE_OPTIONS, port=0)
    with Guard(options.command, environ) as guard, ExitStack() as stack:
        with without_certificates():
            from mock_webshare.server.mock_world import proxy_exemptions
            from mock_webshare.server.thread import MockServer

        reached_flag = stack.enter_context(Flag())
        log = stack.enter_context(log_file(options.log))
        with naming_failed_variables(options, environ):
            dataset = served_recording(settings, streams.stderr)
            server = MockServer(settings, dataset=dataset, log=log, failed=guard.fail)
            stack.enter_context(server)
        url = reachable(server.url)
        variables = {
            "WEBSHARE_BASE_URL": url,
            "WEBSHARE_API_KEY": [*settings.api_keys, _ANY_KEY][0],
            **proxy_exemptions(url, environ),
            **reached_flag.variables,
        }
        code = guard.run(variables)
        if reached_flag.is_set:
            server.call(lambda worlds: worlds.reach())  # also reported to an outer run, if there is one
        if not guard.is_interrupted and not server.call(lambda worlds: worlds.is_reached):
            with suppress(OSError):  # a closed stream does not change the exit code
                os.write(streams.stderr.fileno(), f"mock-webshare: {NOT_REACHED}\n".encode())
        return code
