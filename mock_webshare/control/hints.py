"""The hints on the requests in a journal."""

from __future__ import annotations

from collections.abc import Iterable

from mock_webshare.contract.model import Contract
from mock_webshare.insight.client_hints import Hint, hints, hints_alone
from mock_webshare.insight.client_requests import of_entry
from mock_webshare.service.world.journal import Entry
from mock_webshare.service.world.world import World


def of_world(world: World, contract: Contract, *, is_over: bool = True) -> list[Hint]:
    """Return the hints on the requests of a world (see `of_entries`)."""
    return of_entries(tuple(world.journal), world, contract, is_over=is_over)


def of_entries(
    entries: Iterable[Entry], world: World, contract: Contract, *, is_over: bool = True
) -> list[Hint]:
    """Return the hints on requests of a world; no hints if its initial state is that of a scenario.

    `is_over` is True if the client sends no more. Any thread may call this.
    """
    if world.initial.is_scenario:
        return []
    requests = [of_entry(entry, number, contract) for number, entry in enumerate(entries)]
    return hints(requests, contract, is_over=is_over, can_wait=world.can_wait)


def of_keyless(entries: Iterable[Entry], contract: Contract) -> list[Hint]:
    """Return the hints on single requests without a known key: each may be from a different client."""
    requests = [of_entry(entry, number, contract) for number, entry in enumerate(entries)]
    return hints(requests, contract, are_apart=True)


def of_parameters(entry: Entry, contract: Contract) -> list[str]:
    """Return the hints that the parameters of one request show by themselves, as sentences."""
    if "?" not in entry.target:
        return []
    found = hints_alone(of_entry(entry, 0, contract), contract)
    return ["; ".join(filter(None, (each.explanation, each.advice))) for each in found]
