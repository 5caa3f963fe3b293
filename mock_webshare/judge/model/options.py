"""Options: what the judge is told to hold for true where the contract leaves it open."""

from __future__ import annotations

from dataclasses import dataclass

from mock_webshare.contract.endpoints import PENDING_DAYS, WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.errors import UnknownName, UsageError
from mock_webshare.judge.model.finding import Level

FAILING = (Level.ERROR, Level.WARNING, Level.NOTE)
"""The levels that may make the exit code 1, the gravest first."""
UNKNOWN_FIELDS = ("ignore", "report", "forbid")
LARGEST_NUMBER = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of a judgement; raises `UsageError` for a value that cannot be meant."""

    contract: Contract = WEBSHARE
    schema: str | None = None
    """What a body without a recorded request answers to. None: it is recognised by its shape."""
    hosts: tuple[str, ...] = ()
    """Hosts to judge, with or without a port. Empty: all of them."""
    unknown_fields: str = "report"
    """One of `UNKNOWN_FIELDS`: says nothing, is news, or is an error."""
    max_page_size: int = 100
    default_ordering: str = "id"
    """As in the parameter `ordering`. Empty: a list that asks for no order has none that is known."""
    pending_days: int = PENDING_DAYS
    fail_on: Level = Level.WARNING
    """One of `FAILING`: the least grave level that makes the exit code 1."""

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
        for name, value, least in (
            ("max page size", self.max_page_size, 1),
            ("pending days", self.pending_days, 0),
        ):
            if not least <= value <= LARGEST_NUMBER:
                raise UsageError(f"{name} {value} is not allowed; allowed: {least} to {LARGEST_NUMBER}")
        terms = self.default_ordering.split(",") if self.default_ordering else []
        orderings = self.contract.orderings
        if not {each.strip().removeprefix("-") for each in terms} <= set(orderings):
            raise UsageError(
                f"default ordering {self.default_ordering!r:.80} is not allowed; allowed: nothing, or "
                f"{', '.join(orderings)}, each with or without a leading '-', separated by commas"
            )
