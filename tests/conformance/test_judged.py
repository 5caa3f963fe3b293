"""The judge on the framework's own responses, of which none breaks a rule: what it finds is a false alarm."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.run import judge
from tests.conformance.corpus import CASES
from tests.conformance.corpus.cases import Case
from tests.conformance.strategies import REQUESTS
from tests.conformance.wire import HOST, KNOWN, Client, Request, Response
from tests.sampling import examples

USUAL_EXAMPLES = 320
DEPENDS_ON_THE_VERSION = {known.reference for known in KNOWN}


def exchange(request: Request, response: Response, entry: int = 0) -> Exchange:
    """Return a request and its response as a recorder would write them."""
    host = next((value for name, value in request.headers if name.lower() == "host"), HOST[1])
    return Exchange(
        source="conformance.ndjson",
        entry=entry,
        method=request.method,
        url=f"http://{host.strip()}{request.target}",
        request_headers=request.headers,
        request_body=request.body,
        status=response.status,
        headers=response.headers,
        body=response.body,
    )


def alarms(*exchanges: Exchange) -> list[str]:
    findings = judge(list(exchanges), Options()).findings
    return [
        f"{each.level} {each.rule} {each.place.url}#{each.place.pointer}: {each.expected!r}, {each.actual}"
        for each in findings
        if each.level is not Level.NOTE or (each.actual or "").strip('"') not in DEPENDS_ON_THE_VERSION
        if each.check != "overdue"  # the application leaves its credits as they are, however old they get
    ]


@pytest.mark.parametrize("case", {case.rule: case for case in CASES}.values(), ids=lambda case: case.id)
def test_a_hand_chosen_request_raises_no_alarm(reference: Client, case: Case) -> None:
    response = reference.send(case.request)
    assert alarms(exchange(case.request, response)) == []


@pytest.mark.exhaustive
def test_no_other_raises_one_alone_nor_do_all_together(reference: Client) -> None:
    exchanges = [
        exchange(case.request, reference.send(case.request), entry) for entry, case in enumerate(CASES)
    ]
    alone = zip(CASES, map(alarms, exchanges), strict=True)
    assert {case.id: found for case, found in alone if found} == {}
    assert alarms(*exchanges) == []


@pytest.mark.hypothesis
@pytest.mark.parametrize("requests", REQUESTS.values(), ids=REQUESTS)
def test_a_generated_request_raises_no_alarm(
    reference: Client, requests: st.SearchStrategy[Request], pytestconfig: pytest.Config
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
    def raises_no_alarm(request: Request) -> None:
        assert alarms(exchange(request, reference.send(request))) == []

    raises_no_alarm()
