"""JSON: the report for programs; its schema is `schemas/own/report.schema.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from mock_webshare.judge.model.finding import Finding, Level, Place
from mock_webshare.judge.reports.headlines import headline
from mock_webshare.judge.verdict import Group, Verdict
from mock_webshare.version import __version__

FORMAT = 1
"""Increased when a field changes its meaning or is removed."""


def lines(verdict: Verdict, is_coloured: bool = False) -> Iterator[str]:
    """Yield the lines of the report on a verdict."""
    return json_lines(_document(verdict), "findings", map(_group, verdict.groups))


def json_lines(document: dict[str, Any], name: str, items: Iterable[Any]) -> Iterator[str]:
    """Yield a JSON document with an array of `items` in place of the null under the key `name`.

    Only one item is in memory at a time: there may be hundreds of thousands. No text in the document can be
    taken for the key, because the quotes in a text are escaped.
    """
    before, null, after = _json(document).partition(f' "{name}": null')
    margin = " " * (len(before) - before.rindex("\n"))
    start, separator = f"{before}{null.removesuffix('null')}[", ""
    for item in items:
        yield start + separator
        start, separator = f"{margin}  " + _json(item).replace("\n", f"\n{margin}  "), ","
    yield f"{start}\n{margin}]{after}" if separator else f"{start}]{after}"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _document(verdict: Verdict) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "tool": {"name": "mock-webshare", "version": __version__},
        "exit_code": verdict.exit_code,
        "files": verdict.files,
        "exchanges": verdict.exchanges,
        "judged": verdict.judged,
        "skipped": dict(verdict.skipped),
        "other_files": dict(verdict.others),
        "levels": {level.value: verdict.count(level) for level in Level},
        "findings": None,
        "unreadable": [str(error) for error in verdict.unreadable],
        "not_followed": verdict.forgotten,
        **({} if verdict.hints is None else {"hints": list(verdict.hints.documents)}),
    }


def _group(group: Group) -> dict[str, Any]:
    first, rule = group.first, group.rule
    return {
        "rule": rule.id,
        "level": first.level.value,
        "message": headline(first, rule),
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
