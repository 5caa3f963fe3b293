"""The command `generate`: a data set that `serve --data` reads."""

from __future__ import annotations

import os

from mock_webshare.cli.files import progress_bar, require_another, write_file
from mock_webshare.cli.options import CLEAN, add_options
from mock_webshare.cli.settings import SERVE_OPTIONS, recorded_of, settings_of

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    import argparse
    from collections.abc import Mapping

    from mock_webshare.cli.files import Streams
    from mock_webshare.service.data.dataset import Dataset
    from mock_webshare.service.settings import Settings

_GENERATE_OPTIONS = tuple(option for option in SERVE_OPTIONS if option[0] in ("seed", "credits", "data"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_options(parser, _GENERATE_OPTIONS)
    parser.add_argument("-o", "--output", metavar="FILE", help="file to write (default: standard output)")


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare.service.data import dataset

    settings = settings_of(options, environ, _GENERATE_OPTIONS)
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
        return generator.generate(settings.seed, settings.credits, progress_bar(streams.stderr, "credits"))
    return recorded_of(settings, streams) or dataset.load(settings.data)
