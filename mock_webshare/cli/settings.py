"""Settings of a stand-in, and its data, from options and variables."""

from __future__ import annotations

import os
from contextlib import contextmanager

from mock_webshare.cli.options import (
    naming_variables,
    setting_name,
    settings_values,
    spelled,
    without_excluded,
)
from mock_webshare.errors import MockWebshareError, ServerError, UnreadableInput, UsageError, pluralize

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    import argparse
    from collections import Counter
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TextIO

    from mock_webshare.cli.files import Streams
    from mock_webshare.cli.options import Option
    from mock_webshare.exchange.model import Exchange
    from mock_webshare.recordings.dataset import Replay
    from mock_webshare.service.data.dataset import Dataset
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
VARIABLES = frozenset(name for name, *_ in SERVE_OPTIONS)
_GENERATED, _TAKEN = ("seed", "credits"), ("data",)
"""The two ways to have data, of which one excludes the other."""


def settings_of(
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


@contextmanager
def naming_what_cannot_be_served(options: argparse.Namespace, environ: Mapping[str, str]) -> Iterator[None]:
    """Name the variables of an address that cannot be had, or of data that cannot be read."""
    try:
        yield
    except MockWebshareError as error:
        names = ("host", "port") if isinstance(error, ServerError) else ("data",)
        with naming_variables(names, options, environ):
            raise


def recorded_of(settings: Settings, streams: Streams) -> Dataset | None:
    """Return the data set of the recording that the settings name; None if they name none."""
    return None if settings.data is None else recorded(os.fspath(settings.data), streams.stderr)


def recorded(data: str, stderr: TextIO) -> Dataset | None:
    """Given what `--data` names, return the credits of the recording that it is, or None if it is none.

    What could not be served is told on `stderr`. Raise `UnreadableInput` if there is no credit in it.
    """
    from mock_webshare.service.data import dataset

    if not dataset.is_recording(data):
        return None
    import json
    from collections import Counter

    from mock_webshare.recordings.dataset import replay

    left_out: Counter[str] = Counter()
    found = replay(_exchanges(data, left_out))
    for kind, number in left_out.items():
        stderr.write(f"mock-webshare: {data!r}: {_left_out(number, 'record', kind)}\n")
    if not found.document["credits"]:
        raise UnreadableInput(f"cannot serve {data!r}: {_without_credits(found)}")
    for reason, number in found.left_out.items():
        stderr.write(f"mock-webshare: {data!r}: {_left_out(number, 'credit', reason)}\n")
    return dataset.parse(json.dumps(found.document).encode(), source=data)


def _left_out(number: int, noun: str, reason: str) -> str:
    return f"{pluralize(number, noun)} {'is' if number == 1 else 'are'} left out: {reason}"


def _without_credits(found: Replay) -> str:
    """Return why there is nothing to serve."""
    if not found.left_out:
        return "no answer in it holds a credit"
    reasons = [_left_out(number, "credit", reason) for reason, number in found.left_out.items()]
    return f"no credit in it can be served; {'; '.join(reasons)} (mock-webshare validate tells more)"


def _exchanges(path: str, left_out: Counter[str]) -> Iterator[Exchange]:
    """Given a recording, yield what is in it, and count what is none; raise `UnreadableInput`."""
    from io import BytesIO

    from mock_webshare import recordings
    from mock_webshare.exchange.model import BadRecord

    for record in recordings.read([path], BytesIO()):
        if isinstance(record, UnreadableInput):
            raise record
        if isinstance(record, BadRecord):
            left_out["malformed"] += 1
        else:
            yield record
