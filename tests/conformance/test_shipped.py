"""The judge on the mock's responses: no data set, seed or scenario breaks a rule by accident."""

from __future__ import annotations

from contextlib import suppress

import pytest
import requests

from mock_webshare import MockServer, Settings
from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from mock_webshare.service.data import dataset
from mock_webshare.service.data.settlement import settled
from mock_webshare.service.world import scenarios
from mock_webshare.service.world.journal import exchanges
from tests.waiting import PATIENCE

QUERIES = (
    "",
    "page_size=100",
    "page=2&page_size=100",
    "page=2",
    "page=last&page_size=10",
    "page=99",
    "status=pending&page_size=100",
    "status=available&page_size=100",
    "status=reverted&page_size=100",
    "mode=payout",
    "mode=bogus",
    "referral_channel=",
    "ordering=-amount",
    "ordering=reverted_at,-created_at",
    "ordering=updated_at&page_size=7",
    "format=xml",
)
ON_PURPOSE = ("drift", "moving-pages")
"""The scenarios that break the contract, or change what is read meanwhile."""


def findings(
    settings: Settings, key: str = "any", duration: str = "PT0S", queries: tuple[str, ...] = QUERIES
) -> list[str]:
    """Return what the judge finds in the responses to many requests, as rule and value."""
    with MockServer(settings) as server:
        world = server.world(key)
        world.set_clock(advance=duration)
        ids = [str(credit["id"]) for credit in world.credits()[:50]] if queries else []
        targets = [f"{CREDIT_LIST.path}?{query}" for query in queries]
        targets += [f"{CREDIT_LIST.path}{each}/" for each in (*ids, "0", "x")]
        headers = {"Authorization": f"Token {key}"}
        sent = [("GET", target) for target in targets]
        sent += [(method, CREDIT_LIST.path) for method in ("HEAD", "OPTIONS", "POST") if queries]
        for method, target in sent:
            with suppress(requests.RequestException):  # a scenario that breaks connections
                requests.request(method, server.url + target, headers=headers, timeout=PATIENCE)
        found = judge(exchanges(world.requests), Options()).findings
    return [f"{each.rule} {each.check} {each.actual}" for each in found]


@pytest.mark.exhaustive
@pytest.mark.parametrize("duration", ["PT0S", "PT1S", "P15D", "P40D", "P400D"])
@pytest.mark.parametrize("name", dataset.names())
def test_a_shipped_data_set_breaks_no_rule(name: str, duration: str) -> None:
    assert findings(Settings(port=0, data=name, rate_limit="off"), duration=duration) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", [1, 2, 3, 7, 26])
def test_a_generated_data_set_breaks_no_rule(seed: int) -> None:
    assert findings(Settings(port=0, seed=seed, credits=150, rate_limit="off")) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", [name for name in scenarios.of(WEBSHARE) if name not in ON_PURPOSE])
def test_a_scenario_breaks_no_rule(name: str) -> None:
    queries = () if name == "slow" else QUERIES
    assert findings(Settings(port=0), f"scenario:{name}", queries=queries) == []


@pytest.mark.parametrize("name", dataset.names())
def test_a_shipped_data_set_has_no_credit_that_is_due(name: str) -> None:
    loaded = dataset.load(name)
    assert settled(loaded, loaded.now).rows == loaded.rows
