"""Timeline: the exchanges of a run in the order of the files, as many as a report shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from mock_webshare.judge.model.finding import Finding, Level, Place

MOST_STEPS = 1000
"""Exchanges that are kept, the first ones."""
MOST_FAULTY = 1000
"""Further exchanges that are kept because they have findings by themselves."""

Key: TypeAlias = tuple[str, int | None]
"""File and entry of an exchange."""


@dataclass(slots=True)
class Step:
    """One exchange: what was requested when, and how severe its findings are."""

    place: Place
    """Without secrets; of an exchange that concerns no endpoint, without the URL."""
    started: int | None
    """The instant of the request. None: not recorded."""
    status: int | None
    skipped: str | None
    """Why it was not judged. None: it was."""
    findings: int = 0
    worst: Level | None = None
    """The level of the most severe finding. None: there are none."""

    def note(self, level: Level) -> None:
        """Count a finding."""
        self.findings += 1
        if self.worst is None or level.rank < self.worst.rank:
            self.worst = level


def key_of(place: Place) -> Key:
    """Return what identifies the exchange of a place."""
    return place.source, place.entry


class Timeline:
    """The exchanges that are kept; the others are only counted."""

    def __init__(self) -> None:
        self._steps: dict[Key, Step] = {}
        self.left_out = 0
        """Exchanges that were too many to be kept."""

    def add(self, step: Step, *, has_findings: bool) -> None:
        """Keep an exchange, if there is room."""
        most = MOST_STEPS + MOST_FAULTY if has_findings else MOST_STEPS
        if len(self._steps) < most:
            self._steps[key_of(step.place)] = step
        else:
            self.left_out += 1

    def note(self, finding: Finding) -> None:
        """Count a finding at its exchange, if that was kept."""
        if step := self._steps.get(key_of(finding.place)):
            step.note(finding.level)

    def steps(self, redacted: Callable[[Place], Place]) -> tuple[Step, ...]:
        """Return the exchanges that were kept, with their places redacted."""
        return tuple(replace(step, place=redacted(step.place)) for step in self._steps.values())
