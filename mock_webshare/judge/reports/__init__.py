"""Reports: a verdict written for people or programs, by name. All wording is here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, TextIO

from mock_webshare.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_webshare.judge.verdict import Verdict

    Report = Callable[[Verdict, bool], Iterator[str]]
    """Takes a verdict and whether to use colours, and yields lines."""

REPORTS = {
    "text": "text",
    "json": "json_report",
    "junit": "junit",
    "sarif": "sarif",
    "github": "github",
    "html": "html_report",
}
"""The module of each report, by its name."""
DETAILED = frozenset({"html"})
"""The reports that show details, for which a verdict needs `Options.keeps_details`."""


def find(name: str) -> Report:
    """Return the function that yields the lines of a report; raise `UnknownName` for an unknown name."""
    if name not in REPORTS:
        raise UnknownName("report", name, sorted(REPORTS))
    report: Report = import_module(f"{__name__}.{REPORTS[name]}").lines
    return report


def write(name: str, verdict: Verdict, stream: TextIO, *, is_coloured: bool = False) -> None:
    """Write a report by its name; raise `UnknownName` for an unknown name.

    Characters that the stream's encoding lacks are written as escapes.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    for line in find(name)(verdict, is_coloured):
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
