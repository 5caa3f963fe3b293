"""HTML: the report that a CI job keeps for people, in one file; its size is bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape
from itertools import islice
from pathlib import Path
from string import Template

from mock_webshare.judge.model.finding import Finding, Level, printable
from mock_webshare.judge.reports import messages, text
from mock_webshare.judge.reports.headlines import headline
from mock_webshare.judge.verdict import CLEAN, COULD_NOT, FINDINGS, Group, Step, Verdict, key_of
from mock_webshare.version import __version__

MOST_GROUPS = 300
"""Groups of findings that are shown, the most severe ones."""
MOST_RULES = 40
"""Rows of the overview."""
FEW_GROUPS = 20
"""The overview lists up to so many groups one by one; of more, only the first of each rule and level."""
MOST_UNREADABLE = 100
"""Unreadable files that are named; the others are counted."""
MOST_TICKS = 120
"""Parts of the strip; each stands for one exchange or several."""

_OUTCOMES = {CLEAN: "passed", FINDINGS: "failed", COULD_NOT: "not-judged"}
_MEANINGS = {
    CLEAN: "no finding is severe enough to fail the run.",
    FINDINGS: "at least one finding is severe enough to fail the run.",
    COULD_NOT: "a file could not be read, or nothing was judged.",
}


def lines(verdict: Verdict, is_coloured: bool = False) -> Iterator[str]:
    """Yield the parts of the page, each of a few lines."""
    yield from _head(verdict)
    if verdict.steps:
        yield _strip(verdict)
    if verdict.unreadable:
        yield _unreadable(verdict)
    if len(verdict.groups) > 1:
        yield from _overview(verdict)
    yield from _findings(verdict)
    if verdict.steps:
        yield from _timeline(verdict)
    yield _fragment("foot", version=__version__)


@cache
def _fragments() -> dict[str, Template]:
    """Return the parts of the template by their names."""
    content = Path(__file__).with_name("report.html").read_text(encoding="utf-8")
    parts = (part.partition(" -->\n") for part in content.split("<!-- fragment: ")[1:])
    return {name: Template(part.removesuffix("\n")) for name, _, part in parts}


def _fragment(part: str, /, **values: object) -> str:
    """Return a part of the template with texts, which are escaped, and parts, which are not."""
    return _fragments()[part].substitute({key: _safe(value) for key, value in values.items()})


class _Part(str):
    """HTML that needs no further escaping."""


def _safe(value: object) -> str:
    return value if isinstance(value, _Part) else escape(printable(str(value)))


def _joined(parts: Iterable[str]) -> _Part:
    return _Part("\n".join(parts))


def _head(verdict: Verdict) -> Iterator[str]:
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    yield _fragment(
        "head",
        title=_title(verdict),
        style=_Part(style.strip()),
        outcome=_OUTCOMES[verdict.exit_code],
        summary=text.summary(verdict),
        exit_code=verdict.exit_code,
        meaning=_MEANINGS[verdict.exit_code],
        version=__version__,
    )


def _title(verdict: Verdict) -> str:
    """Return the number of findings of each level, or that there are none: `3 errors, 1 warning`."""
    nothing = "Nothing was judged" if verdict.exit_code == COULD_NOT else "No findings"
    return messages.levels(verdict) or nothing


def _strip(verdict: Verdict) -> str:
    steps = verdict.steps
    faulty = sum(step.worst is not None for step in steps)
    label = f"{_counted_steps(verdict)} in the order of the files, {faulty:,} with findings"
    size = -(-len(steps) // MOST_TICKS)
    chunks = (steps[start : start + size] for start in range(0, len(steps), size))
    ticks = _joined(_fragment("tick", level=_level_of(chunk)) for chunk in chunks)
    return _fragment("strip", label=label, ticks=ticks)


def _counted_steps(verdict: Verdict) -> str:
    number, left_out = len(verdict.steps), verdict.steps_left_out
    total = messages.counted(number + left_out, "exchange", "exchanges")
    return f"{number:,} of {total}" if left_out else total


def _level_of(steps: Iterable[Step]) -> str:
    """Return the most severe level of some exchanges as the name of a class."""
    found = {"skipped" if step.skipped else step.worst or "clean" for step in steps}
    return next((level for level in (*Level, "clean") if level in found), "skipped")


def _unreadable(verdict: Verdict) -> str:
    shown = verdict.unreadable[:MOST_UNREADABLE]
    items = [_fragment("item", text=error) for error in shown]
    if more := len(verdict.unreadable) - len(shown):
        items.append(_fragment("item", text=f"and {more:,} more"))
    return _fragment("unreadable", items=_joined(items))


def _overview(verdict: Verdict) -> Iterator[str]:
    """Yield a row for each group if the groups are few, otherwise a row for each rule and level."""
    are_few = len(verdict.groups) <= FEW_GROUPS
    alike: dict[tuple[str, Level, int], list[int]] = {}
    for index, group in enumerate(verdict.groups):
        alike.setdefault((group.first.rule, group.first.level, index if are_few else 0), []).append(index)
    yield _fragment("overview", title="In short" if are_few else "In short, by rule")
    for indexes in islice(alike.values(), MOST_RULES):
        yield _overview_row(verdict, indexes)
    more = len(alike) - MOST_RULES
    rest = _left_out("more-rules", f"and {more:,} more rules") if more > 0 else _Part()
    yield _fragment("overview-end", left_out=rest)


def _overview_row(verdict: Verdict, indexes: list[int]) -> str:
    first, group = indexes[0], verdict.groups[indexes[0]]
    number = sum(verdict.groups[index].count for index in indexes)
    return _fragment(
        "overview-row",
        level=group.first.level,
        anchor=f"f{first + 1}" if first < MOST_GROUPS else "left-out",
        headline=headline(group.first, group.rule),
        rule=group.first.rule,
        counted=messages.counted(number, "finding", "findings"),
    )


def _left_out(anchor: str, words: str) -> _Part:
    return _Part(_fragment("left-out", anchor=anchor, text=words))


def _findings(verdict: Verdict) -> Iterator[str]:
    if not verdict.groups:
        words = "Nothing was judged." if verdict.exit_code == COULD_NOT else "There are none."
        yield _fragment("no-findings", text=words)
    else:
        yield _fragment("findings")
    numbers = {key_of(step.place): number for number, step in enumerate(verdict.steps, 1)}
    for number, group in enumerate(verdict.groups[:MOST_GROUPS], 1):
        yield from _finding(f"f{number}", group, numbers.get(key_of(group.first.place)))
    if rest := verdict.groups[MOST_GROUPS:]:
        total = messages.counted(sum(group.count for group in rest), "finding", "findings")
        words = f"{total} in {len(rest):,} further groups are left out; --format json has them."
        yield _left_out("left-out", words)
    yield _fragment("section-end")


def _finding(anchor: str, group: Group, step: int | None) -> Iterator[str]:
    finding, rule = group.first, group.rule
    yield _fragment("finding", level=finding.level, anchor=anchor, headline=headline(finding, rule))
    details = (_detail(name, words, step) for name, words in messages.details(finding, rule))
    yield _fragment("details", details=_joined(details))
    if finding.outline:
        yield _outline(finding)
    if hint := messages.advice(finding, rule):
        yield _fragment("advice", text=hint)
    if group.count > 1:
        yield _more(group)
    yield _fragment("finding-end")


def _detail(name: str, words: str, step: int | None) -> str:
    if name == "request" and step is not None:
        return _fragment("request", text=words, anchor=f"x{step}", number=step)
    return _fragment("detail", name=name, text=words)


def _outline(finding: Finding) -> str:
    shown = (
        _fragment(
            "marked-line" if line.is_marked else "line",
            number="" if line.number is None else line.number,
            text=line.text,
        )
        for line in finding.outline
    )
    return _fragment("outline", lines=_joined(shown))


def _more(group: Group) -> str:
    places = [_fragment("item", text=messages.where(each.place)) for each in group.findings[1:]]
    words = f"and {group.count - 1:,} more like it"
    if group.count > len(group.findings):
        words += f"; the first {len(places)} are here"
    return _fragment("more", text=f"{words}:", items=_joined(places))


def _timeline(verdict: Verdict) -> Iterator[str]:
    words = f"{_counted_steps(verdict)} in the order of the files"
    if verdict.steps_left_out:
        words += "; the others are left out, first of all those without findings"
    yield _fragment("timeline", text=f"{words}.")
    anchors: dict[tuple[str, int | None], str] = {}
    for number, group in enumerate(verdict.groups[:MOST_GROUPS], 1):
        for finding in group.findings:
            anchors.setdefault(key_of(finding.place), f"f{number}")
    for number, step in enumerate(verdict.steps, 1):
        yield _step(number, step, anchors.get(key_of(step.place)))
    yield _fragment("timeline-end")
    yield _fragment("section-end")


def _step(number: int, step: Step, anchor: str | None) -> str:
    return _fragment(
        "step",
        anchor=f"x{number}",
        level=_level_of([step]),
        number=number,
        time=_time(step.started),
        request=messages.request(step.place) or messages.where(step.place),
        status="" if step.status is None else step.status,
        found=_found(step, anchor),
    )


def _found(step: Step, anchor: str | None) -> str:
    if step.worst is None:
        return f"skipped: {step.skipped}" if step.skipped else "none"
    words = f"{step.findings:,} ({step.worst})"
    return words if anchor is None else _Part(_fragment("link", anchor=anchor, text=words))


def _time(instant: int | None) -> str:
    """Return an instant in UTC, to the millisecond; empty if it is not known or not a date."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant or 0)
    except OverflowError:
        return ""
    return "" if instant is None else moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
