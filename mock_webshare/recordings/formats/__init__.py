"""Formats: how the format of a file is detected, and the function that reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mock_webshare.recordings.formats import dump, har, json_files, vcr
from mock_webshare.recordings.input import Input
from mock_webshare.recordings.record import Found


class Format(NamedTuple):
    """A format of recordings."""

    read: Callable[[Input], Iterator[Found]]
    extensions: tuple[str, ...] = ()
    """The extensions of file names, which may have `.gz` after them."""
    begins: Callable[[bytes], bool] | None = None
    """Whether the first bytes of a file show this format, if its name does not. None: they never do."""


FORMATS = {
    "json": Format(json_files.read, (".json",)),
    "ndjson": Format(json_files.read_lines, (".ndjson", ".jsonl"), json_files.begins_lines),
    "har": Format(har.read, (".har", ".zip")),
    "vcr": Format(vcr.read, (".yaml", ".yml"), vcr.begins),
    "dump": Format(dump.read, (), dump.begins),
    "journal": Format(json_files.read_journal),
}
"""Every format by its name. `json` detects by the keys of a document what it is, even a HAR or cassette."""


def of_name(name: str) -> str | None:
    """Return the format that a file name promises; None if it promises nothing."""
    name = name.lower().removesuffix(".gz")
    return next((each for each, row in FORMATS.items() if name.endswith(row.extensions)), None)


def detect(name: str, head: bytes) -> str:
    """Return the format of a file by its name or else by its first bytes.

    A file named `.json` is NDJSON only if its lines are exchanges: a second body in it is an error. A text
    that begins like a dump is never JSON.
    """
    named = of_name(name)
    if named == "json":
        if dump.begins(head):
            return "dump"
        return "ndjson" if json_files.begins_lines(head, of_exchanges=True) else "json"
    return named or next((each for each, row in FORMATS.items() if row.begins and row.begins(head)), "json")
