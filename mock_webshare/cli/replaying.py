"""Replaying: a recording where a data set is expected.

Here the judge's readers and the mock meet: neither knows the other.
"""

from __future__ import annotations

import os

from mock_webshare.errors import UnreadableInput

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from collections import Counter
    from collections.abc import Iterator
    from typing import TextIO

    from mock_webshare.dataset import Dataset
    from mock_webshare.traffic.exchange import Exchange
    from mock_webshare.traffic.replay import Replay

_RECORDINGS = (".har", ".ndjson", ".jsonl", ".yaml", ".yml", ".gz", ".zip")
_HEAD = 65_536  # bytes of a JSON file that tell what it is


def recorded(data: str | None, stderr: TextIO) -> Dataset | None:
    """Given what `--data` names, return the credits of the recording that it is, or None if it is none.

    What could not be served is told on `stderr`. Raise `UnreadableInput` if there is no credit in it.
    """
    if data is None or not _is_recording(data):
        return None
    import json
    from collections import Counter

    from mock_webshare import dataset
    from mock_webshare.traffic import replay

    left_out: Counter[str] = Counter()
    found = replay.replay(_exchanges(data, left_out))
    for kind, number in left_out.items():
        stderr.write(f"mock-webshare: {data!r}: {_left_out(number, 'record', kind)}\n")
    if not found.document["credits"]:
        raise UnreadableInput(f"cannot serve {data!r}: {_without_credits(found)}")
    for reason, number in found.left_out.items():
        stderr.write(f"mock-webshare: {data!r}: {_left_out(number, 'credit', reason)}\n")
    return dataset.parse(json.dumps(found.document).encode(), source=data)


def _left_out(number: int, noun: str, reason: str) -> str:
    return (
        f"{number} {noun} is left out: {reason}"
        if number == 1
        else f"{number} {noun}s are left out: {reason}"
    )


def _without_credits(found: Replay) -> str:
    """Return why there is nothing to serve."""
    if not found.left_out:
        return "no answer in it holds a credit"
    reasons = [_left_out(number, "credit", reason) for reason, number in found.left_out.items()]
    return f"no credit in it can be served; {'; '.join(reasons)} (mock-webshare validate tells more)"


def _exchanges(path: str, left_out: Counter[str]) -> Iterator[Exchange]:
    """Given a recording, yield what is in it, and count what is none; raise `UnreadableInput`."""
    from io import BytesIO

    from mock_webshare.traffic import recordings
    from mock_webshare.traffic.exchange import BadRecord

    for record in recordings.read([path], BytesIO()):
        if isinstance(record, UnreadableInput):
            raise record
        if isinstance(record, BadRecord):
            left_out["malformed"] += 1
        else:
            yield record


def _is_recording(data: str) -> bool:
    """Tell a recording by its name, or a JSON file by what it begins with: a data set has `credits`."""
    from mock_webshare import dataset

    if data in dataset.names() or not os.path.exists(data):
        return False
    if os.path.isdir(data) or data.endswith(_RECORDINGS):
        return True
    with open(data, "rb") as stream:
        head = stream.read(_HEAD)
    return b'"credits":' not in head.replace(b" ", b"") and any(
        sign in head for sign in (b'"results"', b'"log"', b'"interactions"', b'"request"', b'"user_id"')
    )
