"""Settings and data of a mock server, as the command line gives them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike

from mock_webshare.cli.options import (
    Objects,
    Option,
    naming_variables,
    setting_name,
    source_of,
    values_given,
    without_excluded,
)
from mock_webshare.errors import (
    DataError,
    MockWebshareError,
    ServerError,
    UnreadableInput,
    UsageError,
    pluralize,
)

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from typing import Any, TextIO

    from mock_webshare.exchange.model import Exchange
    from mock_webshare.service.data.dataset import Dataset
    from mock_webshare.service.settings import Settings

SERVE_OPTIONS: Sequence[Option] = (
    ("host", str, "127.0.0.1", "address to listen on"),
    ("port", int, "8765", "port to listen on; 0 takes a free one"),
    ("seed", int, "0", "seed of the generated data set"),
    ("credits", int, "100", "number of generated credits, up to a million"),
    ("data", str, "generated", "data set or recording to use: a file, or a name like edge-cases"),
    ("api-key", list, "any but 'invalid'", "accept only this key; may be given several times"),
    ("now", str, "none", "time of the service, ISO 8601 with offset; credits due by then are available"),
    ("shift", str, "none", "move all dates of the data, so that they are as of now, or of 9 o'clock today"),
    ("scenario", str, "none", "scenario of the keys that name none"),
    ("fault", Objects, "none", "fault in every world from the start, as JSON; may be given several times"),
    ("clock", str, "frozen", "clock of the service"),
    ("pending-days", int, "as in the data", "days for which a credit is pending"),
    ("unknown-code", int, "404", "status of the response to an unknown referral code"),
    ("max-page-size", int, "100", "largest page_size; without page_size a page has 25 rows"),
    ("default-ordering", str, "id", "order of a list whose request names none; it descends with =-amount"),
    ("rate-limit", str, "240/min", "requests for each key in a sec, min, hour or day; or off"),
    ("rate-limit-clock", str, "real", "clock of the rate limit; world: the one that tests set"),
    ("control-token", str, "none", "token that /__mock__ requires; needed beyond loopback"),
    ("cors-origin", list, "none", "let pages of this origin read responses; may be given several times"),
    ("public-url", str, "as requested", "scheme and host that links begin with"),
)
VARIABLES = frozenset(name for name, *_ in SERVE_OPTIONS)
PRECEDENCE = (
    "An option takes precedence over its environment variable. "
    "Several keys or origins in one variable are separated by blanks."
)
_GENERATED, _READ = ("seed", "credits"), ("data",)
"""The options of the two sources of data, which exclude each other."""
_LOOPBACK = {"//0.0.0.0:": "//127.0.0.1:", "//[::]:": "//[::1]:"}
"""How to reach a server that listens on all addresses."""


def reachable(url: str) -> str:
    """Return the URL by which this machine reaches a server that listens at `url`."""
    for listening, loopback in _LOOPBACK.items():
        url = url.replace(listening, loopback)
    return url


def settings_of(
    options: argparse.Namespace, environ: Mapping[str, str], known: Sequence[Option], **defaults: int
) -> Settings:
    """Return the settings from options, variables and defaults, in this order.

    Raise `UsageError`, which names the option or variable at fault.
    """
    from mock_webshare.service.settings import Settings

    values = values_given(options, known, without_excluded(options, environ, (_GENERATED, _READ)))
    if "data" in values and (ignored := [source_of(name, options) for name in _GENERATED if name in values]):
        data = source_of("data", options)
        raise UsageError(f"{' and '.join(ignored)} cannot go with {data}, which is not generated")
    for name, kind, *_ in known:  # one at a time, so that an error names its variable
        if (field := setting_name(name, kind)) in values:
            with naming_variables((name,), options, environ):
                Settings(**{field: values[field]})
    if "scenario" in values:
        from mock_webshare.service.world import scenarios

        sources = [source_of(name, options) for name in (*_GENERATED, *_READ) if name in values]
        scenarios.find(values["scenario"], Settings().contract).require_data_of(sources)
    return Settings(**{**defaults, **values})


@contextmanager
def naming_failed_variables(options: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[None]:
    """Name, in an error about the address or the data, the variables that have set them."""
    try:
        yield
    except MockWebshareError as error:
        names = ("host", "port") if isinstance(error, ServerError) else ("data",)
        with naming_variables(names, options, environ):
            raise


def served_recording(settings: Settings, stderr: TextIO) -> Dataset | None:
    """Return the credits of a recording, like `recorded_dataset`; raise `UsageError` if `shift` is set."""
    found = recorded_dataset(settings.data, stderr)
    if found is not None and settings.shift is not None:
        raise UsageError("shift cannot go with a recording, whose dates are those of what happened")
    return found


def recorded_dataset(data: str | PathLike[str] | None, stderr: TextIO) -> Dataset | None:
    """Return the credits of a recording; None if `data` is not a recording.

    Credits and records that are left out are reported on `stderr`. Raise `UnreadableInput` if no credit can
    be served.
    """
    from mock_webshare.service.data import dataset

    if data is None or not dataset.is_recording(path := os.fspath(data)):
        return None
    import json

    from mock_webshare.recordings.dataset import replay

    found = replay(_exchanges(path, stderr), is_storable)
    left_out = _left_out(found.left_out, "credit", "not what the documentation says a credit is")
    if not found.document["credits"]:
        raise UnreadableInput(f"cannot serve {path!r}: {_lack_of_credits(left_out)}")
    _report(path, left_out, stderr)
    return dataset.parse(json.dumps(found.document).encode(), source=path)


def is_storable(credit: dict[str, Any]) -> bool:
    """Return whether a data set can hold a credit."""
    from mock_webshare.contract.endpoints import CREDITS, WEBSHARE
    from mock_webshare.service.data.resources import row_types

    try:
        row_types(WEBSHARE)[CREDITS.name].read("", "", credit)
    except DataError:
        return False
    return True


def _left_out(number: int, noun: str, reason: str) -> str:
    """Return a phrase with the number of things left out and the reason; empty if the number is 0."""
    if not number:
        return ""
    return f"{pluralize(number, noun)} {'is' if number == 1 else 'are'} left out: {reason}"


def _lack_of_credits(left_out: str) -> str:
    if not left_out:
        return "no response in it has a credit"
    return f"no credit in it can be served; {left_out} (mock-webshare validate shows details)"


def _report(path: str, left_out: str, stderr: TextIO) -> None:
    if left_out:
        stderr.write(f"mock-webshare: {path!r}: {left_out}\n")


def _exchanges(path: str, stderr: TextIO) -> Iterator[Exchange]:
    """Yield the exchanges of a recording, and report how many records are malformed."""
    from io import BytesIO

    from mock_webshare import recordings
    from mock_webshare.exchange.model import BadRecord, Exchange

    malformed = 0
    for record in recordings.read([path], BytesIO()):
        if isinstance(record, UnreadableInput):
            raise record
        if isinstance(record, BadRecord):
            malformed += 1
        elif isinstance(record, Exchange):
            yield record
    _report(path, _left_out(malformed, "record", "malformed"), stderr)
