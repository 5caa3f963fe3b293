"""Recordings that are read whole."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from mock_webshare import recordings
from mock_webshare.exchange.model import Exchange


def read_exchanges(path: Path) -> list[Exchange]:
    """Return the exchanges of a file or folder, in which there is nothing else."""
    found = list(recordings.read([str(path)], BytesIO()))
    exchanges = [each for each in found if isinstance(each, Exchange)]
    assert len(exchanges) == len(found), found
    return exchanges
