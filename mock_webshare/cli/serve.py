"""The command `serve`: a mock server that runs until it is interrupted."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from mock_webshare.cli.files import Streams, progress_bar, ready_file
from mock_webshare.cli.options import CLEAN, Option, add_flag, add_options, add_text, choice_of, variable_of
from mock_webshare.cli.settings import (
    PRECEDENCE,
    SERVE_OPTIONS,
    VARIABLES,
    naming_failed_variables,
    served_recording,
    settings_of,
)
from mock_webshare.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    import asyncio
    from typing import Self

    from mock_webshare.service.data.dataset import Dataset
    from mock_webshare.service.settings import Settings

_CLOSED = (
    "beyond loopback without --control-token, /__mock__/ is closed except for health and version; "
    f"set {variable_of('control-token')} to open it"
)
_LOG_FORMAT: Option = ("log-format", str, "text", "format of the log, one line for each request")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = PRECEDENCE
    add_options(parser, SERVE_OPTIONS, variables=VARIABLES)
    add_flag(parser, "--watch", "read the file of --data again when it changes")
    add_options(parser, (_LOG_FORMAT,), variables=VARIABLES)
    level = parser.add_mutually_exclusive_group()
    add_flag(level, "-q --quiet", "do not log requests")
    add_flag(level, "-v --verbose", "log requests to /__mock__/ too")
    words = "file that has the URL while the server is ready, and is removed at the end (default: none)"
    add_text(parser, "--ready-file", "FILE", words)


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    with Shutdown() as shutdown:
        with without_certificates():
            from mock_webshare.server import running
            from mock_webshare.server.running import Logged

        shutdown.raise_on_signal()
        settings = settings_of(options, environ, SERVE_OPTIONS)
        log_format = choice_of("log-format", options.log_format or "text")
        if options.watch:
            _require_watchable(settings)
        with ready_file(options.ready_file) as write_url, naming_failed_variables(options, environ):

            def announce(url: str) -> None:
                write_url(url)
                streams.announce(url)
                if not settings.is_loopback and settings.control_token is None:
                    streams.note(_CLOSED)

            running.serve(
                settings,
                announce=announce,
                cancel_on_signal=shutdown.cancel_on_signal,
                log=streams.stderr,
                logged=Logged(log_format, is_quiet=options.quiet, is_verbose=options.verbose),
                source=_source(settings, streams) if settings.data else None,
                is_watched=options.watch,
                progress=progress_bar(streams.stderr, "credits"),
            )
    return CLEAN


def _source(settings: Settings, streams: Streams) -> Callable[[], Dataset]:
    """Return what reads the data set or recording that the settings name."""
    from mock_webshare.server.reloading import make_source
    from mock_webshare.service.world.registry import arranged

    load = make_source(settings)
    assert load

    def source() -> Dataset:
        recorded = served_recording(settings, streams.stderr)
        return load() if recorded is None else arranged(recorded, settings)

    return source


def _require_watchable(settings: Settings) -> None:
    """Raise `UsageError` if the data are not in a file that can be watched."""
    from mock_webshare.service.data import dataset

    data = settings.data
    if data is None or data in dataset.names() or (os.path.exists(data) and not os.path.isfile(data)):
        raise UsageError("--watch needs a file to watch; name one with --data FILE")


@contextmanager
def without_certificates() -> Iterator[None]:
    """Let the code of the context import aiohttp without loading all certificate authorities.

    Loading them takes a fifth of the start, and only the client of aiohttp needs them, which is not used.
    """
    variable, usual = "SSL_CERT_FILE", os.environ.get("SSL_CERT_FILE")
    os.environ[variable] = os.devnull
    try:
        yield
    finally:
        del os.environ[variable]
        if usual is not None:
            os.environ[variable] = usual


class Shutdown:
    """Handles the first signal that arrives in its context, and ignores the rest.

    A signal that arrives before `raise_on_signal` or `cancel_on_signal` is called takes effect at the call,
    so that no import is interrupted. The process must end with the context.
    """

    def __init__(self) -> None:
        self._effect: Callable[[], object] | None = None
        self._is_requested = False

    def raise_on_signal(self) -> None:
        """Raise KeyboardInterrupt at a signal; the end of the context swallows it."""
        self._set_effect(_raise)

    def cancel_on_signal(self, task: asyncio.Task[None]) -> None:

        def cancel() -> None:
            if not task.cancelling():  # a second request would interrupt the clean-up after the first
                task.cancel()

        self._set_effect(lambda: task.get_loop().call_soon_threadsafe(cancel))

    def _set_effect(self, effect: Callable[[], object]) -> None:
        self._effect = effect
        if self._is_requested:  # a KeyboardInterrupt raised in a finaliser has been lost
            effect()

    def _handle(self, *_: object) -> None:
        if not self._is_requested:
            self._is_requested = True
            if self._effect:
                self._effect()

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            signal.signal(number, self._handle)
        return self

    def __exit__(self, _: object, error: object, __: object) -> bool:
        self._effect = None
        # Blocked, not ignored: at exit Python complains of pending signals without a handler.
        if self._is_requested and hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        return isinstance(error, KeyboardInterrupt)


def _raise() -> None:
    raise KeyboardInterrupt
