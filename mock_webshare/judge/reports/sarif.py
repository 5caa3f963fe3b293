"""SARIF 2.1.0: the report for code scanning, an OASIS standard."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from mock_webshare.contract.model import Rule
from mock_webshare.judge.model.finding import Level, Place
from mock_webshare.judge.model.rulebook import level
from mock_webshare.judge.reports import json_report, messages
from mock_webshare.judge.reports.headlines import headline
from mock_webshare.judge.verdict import Group, Verdict
from mock_webshare.version import __version__

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_KINDS = {Level.INFO: "informational", Level.INCONCLUSIVE: "open"}
"""The levels that are not failures; SARIF calls their level `none`."""


def lines(verdict: Verdict, is_coloured: bool = False) -> Iterator[str]:
    """Yield the lines of the report on a verdict."""
    names = sorted({group.first.rule for group in verdict.groups})
    results = (_result(group, names.index(group.first.rule)) for group in verdict.groups)
    return json_report.json_lines(_log(verdict, names), "results", results)


def _log(verdict: Verdict, names: list[str]) -> dict[str, Any]:
    driver = {
        "name": "mock-webshare",
        "version": __version__,
        "rules": [_rule(verdict.rules[each]) for each in names],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(verdict)],
        "columnKind": "unicodeCodePoints",
        "results": None,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _invocation(verdict: Verdict) -> dict[str, Any]:
    notifications = [{"level": "error", "message": {"text": str(error)}} for error in verdict.unreadable]
    return {
        "executionSuccessful": not verdict.unreadable,
        "exitCode": verdict.exit_code,
        "toolExecutionNotifications": notifications,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.says},
        "defaultConfiguration": {"level": _level(level(rule))},
        "properties": {"provenance": messages.MARKS[rule.mark]},
    }


def _level(of: Level) -> str:
    return "none" if of in _KINDS else of.value


def _result(group: Group, index: int) -> dict[str, Any]:
    finding = group.first
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "kind": _KINDS.get(finding.level, "fail"),
        "level": _level(finding.level),
        "message": {"text": _message(group)},
        "locations": [_location(finding.place)],
        "occurrenceCount": group.count,
        "partialFingerprints": {"likeness/v2": _fingerprint(group)},
        "properties": {"provenance": messages.provenance(finding)},
    }
    others = [each.place for each in group.findings[1:]] + ([finding.other] if finding.other else [])
    if others:
        result["relatedLocations"] = [_location(place) for place in others]
    return result


def _message(group: Group) -> str:
    _, *details = messages.lines(group.first, group.rule)
    return "\n".join([headline(group.first, group.rule), *map(str.strip, details)])


def _fingerprint(group: Group) -> str:
    return hashlib.sha256("\0".join(group.likeness).encode(errors="surrogatepass")).hexdigest()


def _location(place: Place) -> dict[str, Any]:
    region = {"startLine": place.line or 1}
    if place.column is not None:
        region["startColumn"] = place.column
    uri = quote(place.source.replace("\\", "/").removeprefix("./"), errors="surrogateescape")
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": uri}, "region": region},
    }
    if place.pointer:
        location["logicalLocations"] = [{"fullyQualifiedName": place.pointer, "kind": "member"}]
    return location
