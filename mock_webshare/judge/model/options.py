"""Options: what the judge assumes where the contract leaves something open."""

from __future__ import annotations

from dataclasses import dataclass

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.errors import UnknownName, UsageError
from mock_webshare.judge.model.finding import Level

FAILING = (Level.ERROR, Level.WARNING, Level.NOTE)
"""The levels that may make the exit code 1, the most severe first."""
UNKNOWN_FIELDS = ("ignore", "report", "forbid")
LARGEST_NUMBER = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The contract and the options of a run; raise `UsageError` for a wrong value."""

    contract: Contract = WEBSHARE
    schema: str | None = None
    """The schema of bodies that were stored alone. None: each is recognised by its shape."""
    hosts: tuple[str, ...] = ()
    """Hosts to judge, with or without a port. Empty: all of them."""
    unknown_fields: str = "report"
    """One of `UNKNOWN_FIELDS`: not reported, reported, or an error."""
    max_page_size: int | None = None
    """The assumed limit of `page_size`. None: the limit that the contract has for each list."""
    default_ordering: str = "id"
    """Written like the parameter `ordering`. Empty: without the parameter, the order is not checked."""
    pending_days: int | None = None
    """The assumed days for which a row is pending. None: those that the contract has for each resource."""
    fail_on: Level = Level.WARNING
    """One of `FAILING`: the minimum severity that makes the exit code 1."""
    may_be_empty: bool = False
    """Whether the exit code is 0 if there was nothing to judge."""

    keeps_details: bool = False
    """Whether to keep the details that only some reports show: exchanges, and lines of bodies."""

    def __post_init__(self) -> None:
        names = self.contract.schemas.names
        if self.schema is not None and self.schema not in names:
            raise UnknownName("schema", self.schema, names)
        if self.unknown_fields not in UNKNOWN_FIELDS:
            allowed = ", ".join(UNKNOWN_FIELDS)
            raise UsageError(f"unknown fields {self.unknown_fields!r} are not allowed; allowed: {allowed}")
        if self.fail_on not in FAILING:
            allowed = ", ".join(FAILING)
            raise UsageError(f"to fail on {self.fail_on} is not allowed; allowed: {allowed}")
        _check_number("max page size", self.max_page_size, 1)
        _check_number("pending days", self.pending_days, 0)
        _check_ordering(self.default_ordering, self.contract.orderings)


def _check_number(name: str, value: int | None, least: int) -> None:
    if value is not None and not least <= value <= LARGEST_NUMBER:
        raise UsageError(f"{name} {value} is not allowed; allowed: {least} to {LARGEST_NUMBER}")


def _check_ordering(ordering: str, allowed: tuple[str, ...]) -> None:
    fields = {each.strip().removeprefix("-") for each in ordering.split(",")} if ordering else set()
    if not fields <= {"id", *allowed}:
        raise UsageError(
            f"default ordering {ordering!r:.80} is not allowed; allowed: nothing, or "
            f"{', '.join(allowed)}, each with or without a leading '-', separated by commas"
        )
