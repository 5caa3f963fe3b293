"""The command `serve`: the API on this machine, until it is interrupted."""

from __future__ import annotations

import os
from contextlib import contextmanager

from mock_webshare.cli.files import progress_bar
from mock_webshare.cli.options import CLEAN, add_options
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
    from collections.abc import Iterator, Mapping

    from mock_webshare.cli.files import Streams


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "An option wins over its environment variable. Several keys in one are separated by blanks."
    )
    add_options(parser, SERVE_OPTIONS, variables=VARIABLES)


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare.server.signals import Shutdown

    def announce(url: str) -> None:
        streams.stdout.write(f"{url}\n")
        streams.stdout.flush()

    with Shutdown() as shutdown:
        with without_certificates():
            from mock_webshare.server import running

        shutdown.on_signal_raise()
        settings = settings_of(options, environ, SERVE_OPTIONS)
        with naming_what_cannot_be_served(options, environ):
            running.serve(
                settings,
                shutdown=shutdown,
                announce=announce,
                log=streams.stderr,
                dataset=recorded_of(settings, streams),
                progress=progress_bar(streams.stderr, "credits"),
            )
    return CLEAN


@contextmanager
def without_certificates() -> Iterator[None]:
    """Import without what takes a fifth of the start and is of no use to a process that only serves.

    When it is imported, aiohttp reads the certificates of all authorities, for its client.
    """
    variable, usual = "SSL_CERT_FILE", os.environ.get("SSL_CERT_FILE")
    os.environ[variable] = os.devnull
    try:
        yield
    finally:
        del os.environ[variable]
        if usual is not None:
            os.environ[variable] = usual
