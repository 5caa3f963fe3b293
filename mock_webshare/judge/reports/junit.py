"""JUnit: the report for tools that show test results; each rule is a test case.

It conforms to the XSD of the Jenkins xUnit plugin, which most readers support.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from mock_webshare.judge.model.finding import printable
from mock_webshare.judge.model.rulebook import NOT_JUDGED
from mock_webshare.judge.reports import messages
from mock_webshare.judge.reports.headlines import headline
from mock_webshare.judge.verdict import Group, Verdict

SUITE = "mock-webshare validate"


def lines(verdict: Verdict, is_coloured: bool = False) -> Iterator[str]:
    """Yield the lines of the report on a verdict."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield "<testsuites>"
    yield "  " + ET.tostring(_suite(verdict), encoding="unicode").removesuffix(" />") + ">"
    for case in _cases(verdict):  # one at a time: there may be hundreds of thousands
        ET.indent(case, level=2)
        yield "    " + ET.tostring(case, encoding="unicode")
    yield "  </testsuite>"
    yield "</testsuites>"


def _suite(verdict: Verdict) -> ET.Element:
    """Return the suite with the numbers of its cases, but without the cases."""
    failing = [group.first.rule for group in verdict.groups if group.first.level in verdict.failing]
    others = verdict.rules.keys() - failing
    counts = {
        "failures": len(failing),
        "errors": len(verdict.unreadable),
        "skipped": len(others & NOT_JUDGED.keys()),
        "tests": len(failing) + len(verdict.unreadable) + len(others),
    }
    return ET.Element("testsuite", {"name": SUITE} | {name: str(count) for name, count in counts.items()})


def _cases(verdict: Verdict) -> Iterator[ET.Element]:
    groups: dict[str, list[Group]] = {rule_id: [] for rule_id in verdict.rules}
    for group in verdict.groups:
        groups[group.first.rule].append(group)
    for rule_id, found in groups.items():
        failing = [group for group in found if group.first.level in verdict.failing]
        yield from map(_failed, failing) if failing else [_passed(rule_id, found)]
    for error in verdict.unreadable:
        case = ET.Element("testcase", classname=SUITE, name=_safe(str(error)))
        ET.SubElement(case, "error", type="unreadable", message=_safe(str(error)))
        yield case


def _failed(group: Group) -> ET.Element:
    rule_id = group.first.rule
    case = _case(rule_id, f"{rule_id} in {group.first.place.source}")
    failure = ET.SubElement(case, "failure", type=group.first.level.value, message=_message(group))
    failure.text = _safe("\n".join(_details(group)))
    return case


def _passed(rule_id: str, groups: list[Group]) -> ET.Element:
    case = _case(rule_id, rule_id)
    if why := NOT_JUDGED.get(rule_id):
        ET.SubElement(case, "skipped").text = why
    elif groups:
        output = ET.SubElement(case, "system-out")
        output.text = _safe("\n".join(line for group in groups for line in _details(group)))
    return case


def _case(rule_id: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=f"{SUITE}.{rule_id.partition('.')[0]}", name=_safe(name))


def _message(group: Group) -> str:
    times = f" ({group.count} times)" if group.count > 1 else ""
    return _safe(headline(group.first, group.rule) + times)


def _details(group: Group) -> Iterator[str]:
    for finding in group.findings:
        yield from messages.lines(finding, group.rule)


def _safe(text: str) -> str:
    """Return a text in which the characters that XML does not allow are escaped."""
    return "\n".join(map(printable, text.split("\n")))
