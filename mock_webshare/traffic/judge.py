"""Verdict: what the judge says about a set of recordings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_webshare import contract
from mock_webshare.errors import UnreadableInput
from mock_webshare.traffic import recordings, rules, strict_json
from mock_webshare.traffic.finding import Finding
from mock_webshare.traffic.shapes import recognise

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

CLEAN, FINDINGS, COULD_NOT = 0, 1, UnreadableInput.exit_code


@dataclass(frozen=True, slots=True)
class Verdict:
    """The findings in all files, and how much was looked at to find them."""

    files: int
    """The files that were given, the unreadable ones included."""
    judged: int
    """The bodies that were held against the rules; one that is no JSON cannot be."""
    findings: tuple[Finding, ...]
    unreadable: tuple[UnreadableInput, ...]

    @property
    def exit_code(self) -> int:
        """0 clean; 1 findings; 2 something could not be read, or nothing was validated."""
        if self.unreadable:
            return COULD_NOT
        if self.findings:
            return FINDINGS
        return CLEAN if self.judged else COULD_NOT


def judge(paths: Iterable[str], *, stdin: BinaryIO, schema: str | None = None) -> Verdict:
    """Given paths of recordings (`-` is `stdin`), return the verdict on all of them, each looked at once.

    `schema` names what every body answers to; None tells it from the looks of each. Raises `UnknownName`
    for a name that is no schema's, and nothing for anything that may be in a file.
    """
    if schema is not None:
        contract.schema_text(schema)
    paths = tuple(dict.fromkeys(paths))
    judged, findings, unreadable = 0, list[Finding](), list[UnreadableInput]()
    for record in recordings.read(paths, stdin):
        if isinstance(record, UnreadableInput):
            unreadable.append(record)
            continue
        document = strict_json.parse(record.source, record.body)
        findings += document.findings
        if not document.findings:
            judged += 1
            findings += rules.check(record, document.value, schema or recognise(document.value))
    return Verdict(len(paths), judged, tuple(findings), tuple(unreadable))
