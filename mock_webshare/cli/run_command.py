"""The command `run`: a command beside a stand-in of its own."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress

from mock_webshare.cli.files import log_file
from mock_webshare.cli.options import add_options
from mock_webshare.cli.serve import without_certificates
from mock_webshare.cli.settings import (
    SERVE_OPTIONS,
    VARIABLES,
    naming_what_cannot_be_served,
    recorded_of,
    settings_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    import argparse
    from collections.abc import Mapping

    from mock_webshare.cli.files import Streams

_ANY_KEY = "mock-webshare"
"""The key that a command gets if none is set: it replaces a real one, which is no business of a stand-in."""
_RUN_OPTIONS = tuple(
    (name, kind, "0" if name == "port" else default, help_text)
    for name, kind, default, help_text in SERVE_OPTIONS
)
_NOT_REACHED = (
    b"mock-webshare: no request reached the mock; official clients do not read WEBSHARE_BASE_URL, so give "
    b'them base_url=os.environ["WEBSHARE_BASE_URL"], in Node baseURL: process.env.WEBSHARE_BASE_URL\n'
)
_OWN = {"//0.0.0.0:": "//127.0.0.1:", "//[::]:": "//[::1]:"}
"""Addresses to listen on that are none to ask, and how this machine asks there."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "%(prog)s [OPTION ...] -- COMMAND [ARGUMENT ...]"
    parser.epilog = (
        "The command has WEBSHARE_BASE_URL and WEBSHARE_API_KEY in its environment. Official clients read "
        "the key only: give them the URL as base_url (in Node baseURL). If no request reaches the mock, "
        "a line on standard error says so. "
        "Exit code: the command's; 128 + N if it ended by signal N; 127 if it does not exist, 126 if it "
        "cannot be executed; 2 if the stand-in cannot start, and then the command is not run. "
        "An option wins over its environment variable. Several keys in one are separated by blanks."
    )
    # A port for all that is started would be taken for the second of them.
    add_options(parser, _RUN_OPTIONS, variables=VARIABLES - {"port"})
    parser.add_argument("--log", metavar="FILE", help="file for a line about each request (default: none)")


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare.server.process_guard import Guard
    from mock_webshare.server.reached_flag import ReachedFlag

    settings = settings_of(options, environ, SERVE_OPTIONS, port=0)
    with Guard(options.command, environ) as guard, ExitStack() as stack:
        with without_certificates():
            from mock_webshare.server.thread import MockServer

        reached_flag = stack.enter_context(ReachedFlag())
        log = stack.enter_context(log_file(options.log))
        with naming_what_cannot_be_served(options, environ):
            dataset = recorded_of(settings, streams)
            server = MockServer(settings, dataset=dataset, log=log, failed=guard.fail)
            stack.enter_context(server)
        variables = {
            "WEBSHARE_BASE_URL": _as_asked(server.url),
            "WEBSHARE_API_KEY": [*settings.api_keys, _ANY_KEY][0],
            **reached_flag.variables,
        }
        code = guard.run(variables)
        if reached_flag.is_set:
            server.call(lambda worlds: worlds.reach())  # which the run that this one is in learns too
        if not guard.is_interrupted and not server.call(lambda worlds: worlds.is_reached):
            with suppress(OSError):  # what cannot be said does not change how the command ended
                os.write(streams.stderr.fileno(), _NOT_REACHED)
        return code


def _as_asked(url: str) -> str:
    for listening, asking in _OWN.items():
        url = url.replace(listening, asking)
    return url
