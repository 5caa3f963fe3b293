"""JUnit: the report for tools that show test results; each rule is a test case.

It conforms to the XSD of the Jenkins xUnit plugin, which most readers support.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from mock_webshare.judge.model.finding import printable
from mock_webshare.judge.model.rulebook import NOT_JUDGED
from mock_webshare.judge.reports import messages
from mock_webshare.judge.verdict import Group, Verdict

SUITE = "mock-webshare validate"


def lines(verdict: Verdict, is_coloured: bool = False) -> Iterator[str]:
    """Yield the lines of the report on a verdict."""
    suite = ET.Element("testsuite", name=SUITE)
    for rule_id in verdict.rules:
        _add_rule(suite, rule_id, [group for group in verdict.groups if group.first.rule == rule_id], verdict)
    for error in verdict.unreadable:
        case = ET.SubElement(suite, "testcase", classname=SUITE, name=_safe(str(error)))
        ET.SubElement(case, "error", type="unreadable", message=_safe(str(error)))
    for name, child in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{child}"))))
    suite.set("tests", str(len(suite)))
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield from ET.tostring(root, encoding="unicode").splitlines()


def _add_rule(suite: ET.Element, rule_id: str, groups: list[Group], verdict: Verdict) -> None:
    failing = [group for group in groups if group.first.level in verdict.failing]
    for group in failing:
        case = _case(suite, rule_id, group.first.place.source)
        failure = ET.SubElement(case, "failure", type=group.first.level.value, message=_message(group))
        failure.text = _safe("\n".join(_details(group)))
    if not failing:
        case = _case(suite, rule_id)
        if why := NOT_JUDGED.get(rule_id):
            ET.SubElement(case, "skipped").text = why
        elif groups:
            output = ET.SubElement(case, "system-out")
            output.text = _safe("\n".join(line for group in groups for line in _details(group)))


def _case(suite: ET.Element, rule_id: str, source: str | None = None) -> ET.Element:
    name = rule_id if source is None else f"{rule_id} in {source}"
    return ET.SubElement(
        suite, "testcase", classname=f"{SUITE}.{rule_id.partition('.')[0]}", name=_safe(name)
    )


def _message(group: Group) -> str:
    times = f" ({group.count} times)" if group.count > 1 else ""
    return _safe(group.rule.says + times)


def _details(group: Group) -> Iterator[str]:
    for finding in group.findings:
        yield from messages.lines(finding, group.rule)


def _safe(text: str) -> str:
    """Return a text with the characters that XML does not allow as escapes."""
    return "\n".join(map(printable, text.split("\n")))
