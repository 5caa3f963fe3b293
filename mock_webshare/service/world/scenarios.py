"""Scenarios: initial states of worlds for tests, selected by the API key alone.

The key `scenario:flaky` selects `flaky`; so does `scenario:flaky:anything`, in a world of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.errors import UnknownName, UsageError
from mock_webshare.service.settings import SCENARIO_PREFIX


class Scenario(NamedTuple):
    """How the initial state of a world differs from the state of a world without a scenario."""

    summary: str
    credits: int | None = None  # how many are generated; None: the data of other worlds
    data: str | None = None  # the name of a bundled data set
    faults: tuple[Mapping[str, Any], ...] = ()
    settings: Mapping[str, Any] = MappingProxyType({})
    contract: Contract | None = None  # the only contract with its fields or data; None: it fits any

    def require_data_of(self, given: Iterable[str]) -> None:
        """Raise `UsageError` if the scenario has its own data; `given` names options that set data."""
        if given and (self.credits is not None or self.data is not None):
            raise UsageError(f"{' and '.join(given)} cannot go with a scenario that has data of its own")


def _always(**fault: Any) -> tuple[Mapping[str, Any], ...]:
    return (fault,)


SCENARIOS: Mapping[str, Scenario] = {
    "empty": Scenario("An account without a single credit.", credits=0),
    "one-page": Scenario("Ten credits, so that there is no second page.", credits=10),
    "ten-thousand": Scenario("Ten thousand credits.", credits=10_000),
    "edge-cases": Scenario(
        "Ties, dates without a fraction, clock changes.", data="edge-cases", contract=WEBSHARE
    ),
    "throttled": Scenario(
        "Every request exceeds the rate limit, with a minute to wait.",
        faults=_always(status=429, retryAfter=60),
    ),
    "throttled-then-ok": Scenario(
        "The first two requests exceed the rate limit, with a second to wait; all others succeed.",
        faults=_always(status=429, retryAfter=1, times=2),
    ),
    "five-a-minute": Scenario("Five requests a minute.", settings={"rate_limit": "5/min"}),
    "flaky": Scenario(
        "About one request in three gets a 503 from the proxy in front; the same ones in every run.",
        faults=_always(status=503, form="proxy", probability=0.34, seed=26),
    ),
    "down": Scenario(
        "The proxy in front cannot reach the service: 502.", faults=_always(status=502, form="proxy")
    ),
    "error": Scenario("The service fails: 500, Django's HTML page.", faults=_always(status=500, form="html")),
    "slow": Scenario("Each response takes two seconds.", faults=_always(fixedDelayMilliseconds=2000)),
    "unsteady": Scenario(
        "For about one request in three, the connection is reset after the headers of the response.",
        faults=_always(fault="CONNECTION_RESET_AFTER_HEADERS", probability=0.34, seed=26),
    ),
    "truncated": Scenario("Each body ends half-way.", faults=_always(fault="TRUNCATED_BODY")),
    "suspended": Scenario(
        "The account is suspended: 403.", faults=_always(status=403, code="account_suspended")
    ),
    "deleted": Scenario("The account is deleted: 403.", faults=_always(status=403, code="account_deleted")),
    "2fa": Scenario("A second factor is required: 403.", faults=_always(status=403, code="2fa_needed")),
    "moving-pages": Scenario(
        "A credit is added after each page that is read.",
        faults=_always(pages="inserted", path=CREDIT_LIST.path),
        contract=WEBSHARE,
    ),
    "drift": Scenario(
        "The contract is broken: amounts are strings, a status is new, a field is missing, another is added.",
        faults=(
            {"drift": "retyped", "field": "amount"},
            {"drift": "enum", "field": "status", "to": "on_hold"},
            {"drift": "removed", "field": "updated_at"},
            {"drift": "added", "field": "tier", "to": "gold"},
        ),
        contract=WEBSHARE,
    ),
}


def of(contract: Contract) -> dict[str, Scenario]:
    """Return the scenarios that the mock of a contract has, by name."""
    return {name: each for name, each in SCENARIOS.items() if each.contract in (None, contract)}


def find(name: object, contract: Contract) -> Scenario:
    """Return the scenario of a name; raise `UnknownName` if it does not exist."""
    known = of(contract)
    if not isinstance(name, str) or name not in known:
        raise UnknownName("scenario", name, sorted(known))
    return known[name]


def name_of(key: str) -> str | None:
    """Return the name of a scenario, known or not, in an API key; None: the key names no scenario."""
    if not key.startswith(SCENARIO_PREFIX):
        return None
    return key.removeprefix(SCENARIO_PREFIX).partition(":")[0]
