"""GitHub: workflow commands, which GitHub Actions shows as annotations of lines."""

from __future__ import annotations

from collections.abc import Iterator

from mock_webshare.judge.model.finding import Level, printable
from mock_webshare.judge.reports import messages, text
from mock_webshare.judge.reports.headlines import headline
from mock_webshare.judge.verdict import Group, Verdict

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning"}


def lines(verdict: Verdict, is_coloured: bool = False) -> Iterator[str]:
    """Yield a command for each group of findings, and the summary."""
    for group in verdict.groups:
        yield _command(group)
    for error in verdict.unreadable:
        yield f"::error::{_data(printable(str(error)))}"
    yield from (f"::error::{sentence}" for sentence in text.nothing_judged(verdict))
    yield text.summary(verdict)


def _command(group: Group) -> str:
    finding = group.first
    place = finding.place
    properties = {
        "file": printable(place.source.removeprefix("./")),
        "line": place.line or 1,
        "col": place.column,
    }
    properties["title"] = headline(finding, group.rule)
    written = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value)
    message = "\n".join(line.strip() for line in [*messages.lines(finding, group.rule)][1:])
    more = f"\nand {group.count - 1:,} more like it" if group.count > 1 else ""
    return f"::{_COMMANDS.get(finding.level, 'notice')} {written}::{_data(message + more)}"


def _data(message: str) -> str:
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
