"""The command `generate`: a data set, generated or from a recording."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping

from mock_webshare.cli.files import Streams, progress_bar, require_new_file, require_other_file, write_output
from mock_webshare.cli.options import CLEAN, add_flag, add_options, add_text
from mock_webshare.cli.settings import SERVE_OPTIONS, recorded_dataset, settings_of
from mock_webshare.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from mock_webshare.service.data.dataset import Dataset
    from mock_webshare.service.settings import Settings

_PURCHASES = "40/month"
_GENERATE_OPTIONS = tuple(option for option in SERVE_OPTIONS if option[0] in ("seed", "credits", "data"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_options(parser, _GENERATE_OPTIONS)
    parser.add_argument(
        "--months", type=int, default=0, help="months of purchases after the last credit (default: 0)"
    )
    add_text(parser, "--purchases", "N/month", f"purchases a month (default: {_PURCHASES})")
    add_text(parser, "-o --output", "FILE", "file to write (default: standard output)")
    add_flag(parser, "--force", "overwrite a file that exists")


def execute(options: argparse.Namespace, streams: Streams, environ: Mapping[str, str]) -> int:
    from mock_webshare.service.data import dataset

    settings = settings_of(options, environ, _GENERATE_OPTIONS)
    require_other_file(options.output, [os.fspath(settings.data)] if settings.data else ())
    if not options.force:
        require_new_file(options.output)
    made = _later(_dataset(settings, streams), options, settings.seed)
    write_output(options.output, streams, lambda stream: dataset.write(made, stream))
    return CLEAN


def _later(made: Dataset, options: argparse.Namespace, seed: int) -> Dataset:
    """Return a data set with the months of purchases that the options add; without any, return `made`."""
    if not options.months and options.purchases is not None:
        raise UsageError("--purchases needs --months, in which they are made")
    if not options.months:
        return made
    from mock_webshare.service.data import generator
    from mock_webshare.service.transactions import read_simulation

    written = options.purchases or _PURCHASES
    number = written.removesuffix("/month")
    purchases = int(number) if number.isascii() and number.isdecimal() else written
    return generator.simulated(made, **read_simulation(months=options.months, purchases=purchases, seed=seed))


def _dataset(settings: Settings, streams: Streams) -> Dataset:
    from mock_webshare.service.data import dataset, generator

    if settings.data is None:
        return generator.generate(settings.seed, settings.credits, progress_bar(streams.stderr, "credits"))
    return recorded_dataset(settings.data, streams.stderr) or dataset.load(settings.data)
