"""The command `probe`: which assumptions about a real service hold."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from mock_webshare.cli.files import Streams, progress_bar
from mock_webshare.cli.options import CLEAN, FOUND, KEY_VARIABLE, Option, add_options, values_or_defaults
from mock_webshare.errors import UsageError

PROBE_OPTIONS: Sequence[Option] = (
    ("format", str, "text", "report: text or json"),
    ("rate", int, "60", "requests a minute, up to 60; to this machine without a pause"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        f"The key is read from the environment variable {KEY_VARIABLE}. "
        "Exit code: 0 no rule is broken, 1 a rule is, 2 the service could not be probed."
    )
    parser.add_argument(
        "base_url", metavar="BASE_URL", help="service to probe, like https://proxy.webshare.io"
    )
    add_options(parser, PROBE_OPTIONS)
    parser.add_argument("-o", "--output", metavar="FILE", help="recording to write, as record --output does")


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    import asyncio
    from contextlib import closing, nullcontext
    from urllib.parse import urlsplit

    from mock_webshare.live import prober, sinks, upstream

    values = values_or_defaults(options, PROBE_OPTIONS)
    write = prober.report(values["format"])
    origin = upstream.read_origin("BASE_URL", options.base_url)
    if not 1 <= values["rate"] <= prober.FASTEST:
        raise UsageError(f"rate {values['rate']} is not allowed; allowed: 1 to {prober.FASTEST}")
    is_ours = upstream.is_loopback(urlsplit(origin).hostname or "")
    seconds = 0.0 if is_ours else 60 / values["rate"]
    key = _key(environ)
    sink = sinks.deferred_sink(options.output) if options.output else None
    with closing(sink) if sink else nullcontext():
        found = asyncio.run(
            prober.probe(
                origin,
                key,
                pause=lambda: asyncio.sleep(seconds),
                keep=sink.add if sink else None,
                progress=progress_bar(streams.stderr, "requests"),
            )
        )
    streams.stdout.writelines(f"{line}\n" for line in write(found))
    return FOUND if found.count(prober.Outcome.BROKEN) else CLEAN


def _key(environ: Mapping[str, str]) -> str:
    """Return the API key; raise `UsageError`, which does not quote the key, if it is missing or malformed."""
    key = environ.get(KEY_VARIABLE, "").strip()
    if not key or not all("!" <= letter <= "~" for letter in key):
        raise UsageError(f"{KEY_VARIABLE} does not have a key; allowed: one word of visible ASCII characters")
    return key
