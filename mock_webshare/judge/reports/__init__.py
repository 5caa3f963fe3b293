"""Reports: a verdict written for people or programs, by name. All wording is here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, TextIO

from mock_webshare.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_webshare.judge.verdict import Verdict

    Report = Callable[[Verdict, bool], Iterator[str]]
    """Is given a verdict and whether it may use colours, and yields lines."""

REPORTS = {"text": "text", "json": "json_report", "junit": "junit", "sarif": "sarif", "github": "github"}
"""The modules of the reports, by the names of these."""


def find(name: str) -> Report:
    """Given the name of a report, return what yields its lines; raise `UnknownName` if there is none."""
    if name not in REPORTS:
        raise UnknownName("report", name, sorted(REPORTS))
    report: Report = import_module(f"{__name__}.{REPORTS[name]}").lines
    return report


def write(name: str, verdict: Verdict, stream: TextIO, *, is_coloured: bool = False) -> None:
    """Given the name of a report, write it; raise `UnknownName` if there is none.

    What the stream's encoding lacks is written as an escape.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    for line in find(name)(verdict, is_coloured):
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
