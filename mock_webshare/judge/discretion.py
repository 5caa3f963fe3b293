"""Discretion: findings as they may be told, without the secrets of the exchange that they are about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_webshare.exchange.redaction.redactor import Redactor
    from mock_webshare.judge.model.finding import Finding, Place


def discreet(findings: Iterable[Finding], redactor: Redactor) -> tuple[Finding, ...]:
    """Given findings and what knows the secrets around them, return them with pseudonyms instead."""
    return tuple(_discreet(finding, redactor) for finding in findings)


def _discreet(finding: Finding, redactor: Redactor) -> Finding:
    return replace(
        finding,
        place=_there(finding.place, redactor),
        other=finding.other and _there(finding.other, redactor),
        expected=_without(finding.expected, redactor),
        actual=finding.actual and redactor.text(finding.actual),
    )


def _there(place: Place, redactor: Redactor) -> Place:
    return replace(
        place,
        pointer=redactor.text(place.pointer),
        method=place.method and redactor.text(place.method),
        url=place.url and redactor.url(place.url),
    )


def _without(value: Any, redactor: Redactor) -> Any:
    """Return JSON data with every text in it redacted."""
    match value:
        case str():
            return redactor.text(value)
        case list() | tuple():
            return [_without(each, redactor) for each in value]
        case dict():
            return {name: _without(each, redactor) for name, each in value.items()}
    return value
