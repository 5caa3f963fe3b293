"""Recordings that are read whole."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from mock_webshare import recordings
from mock_webshare.exchange.model import Exchange, OtherFile


def read_exchanges(path: Path) -> list[Exchange]:
    """Return the exchanges of a file or folder, in which no other file counts."""
    records = recordings.read([str(path)], BytesIO())
    found = [each for each in records if not isinstance(each, OtherFile)]
    exchanges = [each for each in found if isinstance(each, Exchange)]
    assert len(exchanges) == len(found), found
    return exchanges
