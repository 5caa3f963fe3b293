"""Text: the report for people, in groups, the most severe first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mock_webshare.judge.model.finding import Level, printable
from mock_webshare.judge.reports import messages
from mock_webshare.judge.verdict import COULD_NOT, Group, Likeness, Verdict

MOST_FILES = 3
"""Files that are named if the same finding is in several."""
_COLOURS = {Level.ERROR: "31", Level.WARNING: "33", Level.NOTE: "36"}


def lines(verdict: Verdict, is_coloured: bool = False) -> Iterator[str]:
    """Yield the lines of the report on a verdict."""
    for groups in _alike(verdict):
        finding = groups[0].first
        first, *rest = messages.lines(finding, groups[0].rule)
        yield _coloured(first, finding.level) if is_coloured else first
        yield from rest
        yield from _more(groups)
        yield ""
    for error in verdict.unreadable:
        yield f"error: {printable(str(error))}"
    yield from nothing_judged(verdict)
    yield from _hints(verdict)
    yield summary(verdict)


def _hints(verdict: Verdict) -> Iterator[str]:
    if verdict.hints is not None:
        yield "hints on the client:" if verdict.hints.lines else "no hints on the client"
        yield from (f"  {printable(line)}" for line in verdict.hints.lines)
        yield ""


def nothing_judged(verdict: Verdict) -> Iterator[str]:
    """Yield a sentence if the exit code is not 0 because nothing was judged."""
    if verdict.exit_code == COULD_NOT and not verdict.unreadable:
        found = "no response of the documented endpoints" if verdict.exchanges else "no exchange at all"
        yield f"Nothing was judged: {found} was found."


def _alike(verdict: Verdict) -> list[list[Group]]:
    """Return the groups in lists; the groups of a list differ only in their file."""
    alike: dict[Likeness, list[Group]] = {}
    for group in verdict.groups:
        alike.setdefault(group.likeness._replace(source=""), []).append(group)
    return list(alike.values())


def _more(groups: list[Group]) -> Iterator[str]:
    more = sum(group.count for group in groups) - 1
    if not more:
        return
    names = [printable(group.first.place.source) for group in groups]
    files = f", in {len(names)} files: {', '.join(names[:MOST_FILES])}" if len(names) > 1 else ""
    yield f"  and {more:,} more like it{files}{', ...' if len(names) > MOST_FILES else ''}"


def _coloured(line: str, level: Level) -> str:
    colour = _COLOURS.get(level)
    return f"\x1b[{colour}m{level}\x1b[0m{line.removeprefix(level)}" if colour else line


def summary(verdict: Verdict) -> str:
    """Return how much was judged and found, in one line."""
    parts = [
        messages.counted(verdict.files, "file", "files"),
        messages.counted(verdict.exchanges, "exchange", "exchanges"),
        f"{verdict.judged:,} judged",
    ]
    if verdict.skipped:
        reasons = ", ".join(f"{reason}: {number:,}" for reason, number in verdict.skipped.items())
        parts.append(f"{sum(verdict.skipped.values()):,} skipped ({reasons})")
    if verdict.others:
        parts.append(_others(verdict.others))
    parts.append(_findings(verdict))
    if verdict.unreadable:
        parts.append(f"{len(verdict.unreadable)} unreadable")
    if verdict.forgotten:
        parts.append(f"{verdict.forgotten:,} rows and walks not followed to the end (too many)")
    return ", ".join(parts)


def _others(others: Mapping[str, int]) -> str:
    kinds = ", ".join(f"{what}: {number:,}" for what, number in others.items())
    return f"{messages.counted(sum(others.values()), 'other file', 'other files')} ({kinds})"


def _findings(verdict: Verdict) -> str:
    total = messages.counted(sum(group.count for group in verdict.groups), "finding", "findings")
    levels = messages.levels(verdict)
    return f"{total} ({levels})" if levels else total
