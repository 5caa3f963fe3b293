"""Replaying: a recording where a data set is expected.

Here the judge's readers and the mock meet: neither knows the other.
"""

from __future__ import annotations

from mock_webshare.errors import UnreadableInput, pluralize

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from collections import Counter
    from collections.abc import Iterator
    from typing import TextIO

    from mock_webshare.exchange.model import Exchange
    from mock_webshare.recordings.dataset import Replay
    from mock_webshare.service.data.dataset import Dataset


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
