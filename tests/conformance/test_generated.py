"""Requests from a grammar, sent to both servers.

The usual run takes the same each time, a quarter of them without `--exhaustive`;
`--conformance-examples N` takes N new ones.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.strategies import REQUESTS
from tests.conformance.wire import Pair, Request, differences
from tests.sampling import examples

USUAL_EXAMPLES = 320


@pytest.mark.hypothesis
@pytest.mark.parametrize("requests", REQUESTS.values(), ids=REQUESTS)
def test_we_respond_like_the_framework(
    pair: Pair, requests: st.SearchStrategy[Request], pytestconfig: pytest.Config
) -> None:
    wanted: int | None = pytestconfig.getoption("--conformance-examples", default=None)

    @settings(
        max_examples=max(1, (wanted or examples(USUAL_EXAMPLES)) // len(REQUESTS)),
        derandomize=wanted is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests)
    def answers_are_alike(request: Request) -> None:
        assert differences(*pair.send(request), is_updated=request.method == "PATCH") == []

    answers_are_alike()
