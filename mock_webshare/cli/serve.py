"""Serving: the verbs around the stand-in and its data."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, suppress

from mock_webshare.cli.files import log_file, progress_bar, require_another, write_file
from mock_webshare.cli.options import (
    CLEAN,
    add_options,
    naming_variables,
    setting_name,
    settings_values,
    spelled,
    without_excluded,
)
from mock_webshare.cli.replaying import recorded
from mock_webshare.errors import MockWebshareError, ServerError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from mock_webshare.cli.files import Streams
    from mock_webshare.cli.options import Option, Verb
    from mock_webshare.service.data.dataset import Dataset
    from mock_webshare.service.data.generator import Progress
    from mock_webshare.service.settings import Settings

SERVE_OPTIONS: Sequence[Option] = (
    ("host", str, "127.0.0.1", "address to listen on"),
    ("port", int, "8765", "port to listen on; 0 takes a free one"),
    ("seed", int, "0", "seed of the generated data set"),
    ("credits", int, "100", "number of generated credits, up to a million"),
    ("data", str, "generated", "data set or recording instead: a file, or a name like edge-cases"),
    ("api-key", list, "any but 'invalid'", "accept this key only; may be given several times"),
    ("now", str, "none", "service time, ISO 8601 with offset; credits due by then are available"),
    ("max-page-size", int, "100", "most rows on a page that asks for a size; another has 25"),
    ("default-ordering", str, "id", "order of a list that asks for none; write =-created_at to descend"),
    ("rate-limit", str, "240/min", "requests a key may make in a sec, min, hour or day, or off"),
    ("rate-limit-clock", str, "real", "clock by which the limit counts: real, or the world's own"),
    ("control-token", str, "none", "what /__mock__ asks for; needed beyond loopback"),
    ("public-url", str, "as requested", "scheme and host that links begin with"),
)
_VARIABLES = frozenset(name for name, *_ in SERVE_OPTIONS)
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
_GENERATE_OPTIONS = tuple(option for option in SERVE_OPTIONS if option[0] in ("seed", "credits", "data"))
_GENERATED, _TAKEN = ("seed", "credits"), ("data",)
"""The two ways to have data, of which one excludes the other."""
_OWN = {"//0.0.0.0:": "//127.0.0.1:", "//[::]:": "//[::1]:"}
"""Addresses to listen on that are none to ask, and how this machine asks there."""


def _serve_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "An option wins over its environment variable. Several keys in one are separated by blanks."
    )
    add_options(parser, SERVE_OPTIONS, variables=_VARIABLES)


def _run_arguments(parser: argparse.ArgumentParser) -> None:
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
    add_options(parser, _RUN_OPTIONS, variables=_VARIABLES - {"port"})
    parser.add_argument("--log", metavar="FILE", help="file for a line about each request (default: none)")


def _generate_arguments(parser: argparse.ArgumentParser) -> None:
    add_options(parser, _GENERATE_OPTIONS)
    parser.add_argument("-o", "--output", metavar="FILE", help="file to write (default: standard output)")


@contextmanager
def _without_certificates() -> Iterator[None]:
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


def _serve(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare.server.signals import Shutdown

    def announce(url: str) -> None:
        streams.stdout.write(f"{url}\n")
        streams.stdout.flush()

    with Shutdown() as shutdown:
        with _without_certificates():
            from mock_webshare.server import running

        shutdown.on_signal_raise()
        settings = _settings(options, environ, SERVE_OPTIONS)
        with _naming_what_cannot_be_served(options, environ):
            running.serve(
                settings,
                shutdown=shutdown,
                announce=announce,
                log=streams.stderr,
                dataset=_recorded(settings, streams),
                progress=_progress(streams),
            )
    return CLEAN


@contextmanager
def _naming_what_cannot_be_served(options: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[None]:
    """Name the variables of an address that cannot be had, or of data that cannot be read."""
    try:
        yield
    except MockWebshareError as error:
        names = ("host", "port") if isinstance(error, ServerError) else ("data",)
        with naming_variables(names, options, environ):
            raise


def _run(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare.server.process_guard import Guard
    from mock_webshare.server.reached_flag import ReachedFlag

    settings = _settings(options, environ, SERVE_OPTIONS, port=0)
    with Guard(options.command, environ) as guard, ExitStack() as stack:
        with _without_certificates():
            from mock_webshare.server.thread import MockServer

        reached_flag = stack.enter_context(ReachedFlag())
        log = stack.enter_context(log_file(options.log))
        with _naming_what_cannot_be_served(options, environ):
            dataset = _recorded(settings, streams)
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


def _settings(
    options: argparse.Namespace, environ: Mapping[str, str], known: Sequence[Option], **defaults: int
) -> Settings:
    from mock_webshare.service.settings import Settings

    values = settings_values(options, without_excluded(options, environ, (_GENERATED, _TAKEN)), known)
    if "data" in values and (idle := [spelled(name, options) for name in _GENERATED if name in values]):
        data = spelled("data", options)
        raise UsageError(f"{' and '.join(idle)} cannot go with {data}, which is not generated")
    for name, kind, *_ in known:  # each alone, so that the variable of a wrong one can be named
        if (field := setting_name(name, kind)) in values:
            with naming_variables((name,), options, environ):
                Settings(**{field: values[field]})
    return Settings(**{**defaults, **values})


def _recorded(settings: Settings, streams: Streams) -> Dataset | None:
    """Return the data set of the recording that the settings name; None if they name none."""
    return None if settings.data is None else recorded(os.fspath(settings.data), streams.stderr)


def _generate(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare.service.data import dataset

    settings = _settings(options, environ, _GENERATE_OPTIONS)
    require_another(options.output, [os.fspath(settings.data)] if settings.data else ())
    held = _recorded_or_generated(settings, streams)
    if options.output in (None, "-"):
        dataset.write(held, streams.stdout)
    else:
        write_file(options.output, lambda stream: dataset.write(held, stream))
    return CLEAN


def _recorded_or_generated(settings: Settings, streams: Streams) -> Dataset:
    from mock_webshare.service.data import dataset, generator

    if settings.data is None:
        return generator.generate(settings.seed, settings.credits, _progress(streams))
    return _recorded(settings, streams) or dataset.load(settings.data)


def _progress(streams: Streams) -> Progress | None:
    return progress_bar(streams.stderr, "credits")


VERBS: Mapping[str, Verb] = {
    "serve": (_serve_arguments, _serve),
    "run": (_run_arguments, _run),
    "generate": (_generate_arguments, _generate),
}
