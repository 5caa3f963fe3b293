"""Reports of coverage: text of one screen, and JSON; its schema is `schemas/own/coverage.schema.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from textwrap import wrap
from typing import Any

from mock_webshare.errors import UsageError
from mock_webshare.insight.coverage import Counts, Row
from mock_webshare.version import __version__

FORMAT = 1
"""Increased when a field changes its meaning or is removed."""
_LINES, _COLUMNS = 23, 79  # a terminal has one line more, for the prompt
_CUT = " ..."
_MORE = "...: the rest is in --coverage-file FILE, in pytest --webshare-coverage-file"
_INDENT: Mapping[str, Any] = {
    "initial_indent": 7 * " ",
    "subsequent_indent": 7 * " ",
    "placeholder": _CUT,
}


def percent(counts: Counts) -> int:
    """Return how many per cent of the rows are covered, rounded down; 100 if there are no rows."""
    return 100 * _covered(counts) // len(counts) if counts else 100


def require_percent(option: str, value: str) -> int:
    """Parse the value of an option; raise `UsageError` unless it is a whole number from 0 to 100."""
    if not (value.isascii() and value.isdecimal() and len(value) <= 3 and int(value) <= 100):
        raise UsageError.invalid(option, value, "a whole number from 0 to 100")
    return int(value)


def shortfall(counts: Counts, minimum: int) -> str:
    """Return a sentence if the coverage is lower than `minimum` per cent; else an empty text."""
    covered = percent(counts)
    return f"the coverage is {covered} %, and at least {minimum} % is required" if covered < minimum else ""


def lines(counts: Counts) -> Iterator[str]:
    """Yield the lines of the text: what is not covered, by endpoint, the least covered endpoint first.

    There are at most as many as fit on a small screen; if some are left out, the last line names the options
    that write everything into a file.
    """
    yield f"coverage of the contract: {percent(counts)} % ({_covered(counts)} of {len(counts)})"
    shown = list(_groups(counts))
    yield from shown
    if any(line.endswith(_CUT) for line in shown):
        yield _MORE


def _groups(counts: Counts) -> Iterator[str]:
    """Yield the lines about each endpoint, two fewer than the screen has: for the first and the last line."""
    groups = sorted(_by_endpoint(counts).items(), key=lambda item: percent(item[1]))
    reached = sum(_covered(group) > 0 for _, group in groups)
    room = max(1, (_LINES - 2 - len(groups)) // max(1, reached))
    for path, group in groups:
        covered = _covered(group)
        note = "" if covered else ", none of it requested"
        yield f"{percent(group):>3} %  {path} ({covered} of {len(group)}){note}"
        if covered:
            yield from wrap(_missing(group), _COLUMNS, max_lines=room, **_INDENT)


def document(counts: Counts) -> dict[str, Any]:
    """Return the coverage as JSON data."""
    return {
        "format": FORMAT,
        "tool": {"name": "mock-webshare", "version": __version__},
        "percent": percent(counts),
        **_sum(counts),
        "rows": [{**row._asdict(), "count": count} for row, count in counts.items()],
    }


def by_endpoint(counts: Counts) -> list[dict[str, Any]]:
    """Return the coverage of each endpoint by aspect as JSON data, with the values that are not covered."""
    return [
        {
            "endpoint": path,
            **_sum(group),
            "aspects": {name: _aspect(rows) for name, rows in _by_aspect(group)},
        }
        for path, group in _by_endpoint(counts).items()
    ]


def _aspect(counts: Counts) -> dict[str, Any]:
    return {**_sum(counts), "missing": [row.value for row, count in counts.items() if not count]}


def _sum(counts: Counts) -> dict[str, int]:
    return {"covered": _covered(counts), "total": len(counts)}


def text(counts: Counts) -> str:
    """Return the JSON document as text."""
    return json.dumps(document(counts), indent=2) + "\n"


def _covered(counts: Counts) -> int:
    return sum(count > 0 for count in counts.values())


def _by_endpoint(counts: Counts) -> Mapping[str, Counts]:
    groups: dict[str, dict[Row, int]] = {}
    for row, count in counts.items():
        groups.setdefault(row.endpoint, {})[row] = count
    return groups


def _missing(counts: Counts) -> str:
    """Return the rows that are not covered, by aspect: `method PATCH, HEAD; status 429`."""
    missing = {row: count for row, count in counts.items() if not count}
    return "; ".join(
        f"{aspect} {', '.join(row.value for row in rows)}" for aspect, rows in _by_aspect(missing)
    )


def _by_aspect(counts: Counts) -> Iterator[tuple[str, Counts]]:
    groups = groupby(counts.items(), lambda item: item[0].aspect)
    return ((aspect, dict(group)) for aspect, group in groups)
