"""The command `serve`: a mock server that runs until it is interrupted."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mock_webshare.cli.files import Streams, progress_bar
from mock_webshare.cli.options import CLEAN, add_options
from mock_webshare.cli.settings import (
    PRECEDENCE,
    SERVE_OPTIONS,
    VARIABLES,
    naming_failed_variables,
    recorded_dataset,
    settings_of,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = PRECEDENCE
    add_options(parser, SERVE_OPTIONS, variables=VARIABLES)


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare.server.signals import Shutdown

    with Shutdown() as shutdown:
        with without_certificates():
            from mock_webshare.server import running

        shutdown.on_signal_raise()
        settings = settings_of(options, environ, SERVE_OPTIONS)
        with naming_failed_variables(options, environ):
            running.serve(
                settings,
                shutdown=shutdown,
                announce=streams.announce,
                log=streams.stderr,
                dataset=recorded_dataset(settings.data, streams.stderr),
                progress=progress_bar(streams.stderr, "credits"),
            )
    return CLEAN


@contextmanager
def without_certificates() -> Iterator[None]:
    """Import aiohttp without reading all certificate authorities.

    They are for its client, which is not used here, and take a fifth of the start.
    """
    variable, usual = "SSL_CERT_FILE", os.environ.get("SSL_CERT_FILE")
    os.environ[variable] = os.devnull
    try:
        yield
    finally:
        del os.environ[variable]
        if usual is not None:
            os.environ[variable] = usual
