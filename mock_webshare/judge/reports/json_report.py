"""JSON: the report for programs; its schema is `schemas/own/report.schema.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mock_webshare.judge.model.finding import Level
from mock_webshare.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.judge.model.finding import Finding, Place
    from mock_webshare.judge.verdict import Group, Verdict

FORMAT = 1
"""Increased when a field changes its meaning or is removed."""


def lines(verdict: Verdict, is_coloured: bool = False) -> Iterator[str]:
    """Yield the lines of the report on a verdict."""
    yield json.dumps(document(verdict), indent=2, ensure_ascii=False, default=str)


def document(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as JSON data."""
    return {
        "format": FORMAT,
        "tool": {"name": "mock-webshare", "version": __version__},
        "exit_code": verdict.exit_code,
        "files": verdict.files,
        "exchanges": verdict.exchanges,
        "judged": verdict.judged,
        "skipped": dict(verdict.skipped),
        "levels": {level.value: verdict.count(level) for level in Level},
        "findings": [_group(group) for group in verdict.groups],
        "unreadable": [str(error) for error in verdict.unreadable],
        "not_followed": verdict.forgotten,
    }


def _group(group: Group) -> dict[str, Any]:
    first, rule = group.first, group.rule
    return {
        "rule": rule.id,
        "level": first.level.value,
        "provenance": first.mark.value,
        "says": rule.says,
        "setting": rule.setting,
        "check": first.check,
        "count": group.count,
        "places": [_found(finding) for finding in group.findings],
    }


def _found(finding: Finding) -> dict[str, Any]:
    earlier = None if finding.other is None else _place(finding.other)
    what = {"expected": finding.expected, "actual": finding.actual, "earlier": earlier}
    return {**_place(finding.place), **what}


def _place(place: Place) -> dict[str, Any]:
    return {
        "file": place.source,
        "entry": place.entry,
        "line": place.line,
        "column": place.column,
        "offset": place.offset,
        "method": place.method,
        "url": place.url,
        "pointer": place.pointer,
    }
