"""The error that a request selects with `Prefer`."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from mock_webshare import MockServer, MockWorld
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.service.faults import prefer
from tests.waiting import PATIENCE

LIST = CREDIT_LIST.path


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        ("code=429", {"status": 429}),
        ("CODE=429", {"status": 429}),
        (' code = "429" ', {"status": 429}),
        ("respond-async, code=503", {"status": 503}),
        ("code=503; dynamic=true", {"status": 503}),
        ("code=403, example=account_suspended", {"status": 403, "code": "account_suspended"}),
        ("example=2fa_needed;code=403", {"status": 403, "code": "2fa_needed"}),
        ("code=500, code=503", {"status": 500}),
    ],
)
def test_a_header_selects_an_error(header: str, fault: dict[str, Any]) -> None:
    selected = prefer.read(header)
    assert selected and selected.wire() == fault


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "code",
        "code=",
        "code=200",
        "code=600",
        "code=4 29",
        "code=-429",
        "code=429.0",
        f"code={'9' * 8000}",
        "example=2fa_needed",
        "code=404, example=2fa_needed",
        "code=403, example=unknown",
        "return=minimal",
        "code=٤٢٩",
    ],
)
def test_what_cannot_be_done_is_ignored(header: str | None) -> None:
    assert prefer.read(header) is None


def get(world: MockWorld, **headers: str) -> requests.Response:
    headers["Authorization"] = f"Token {world.api_key}"
    return requests.get(world.url + LIST, headers=headers, timeout=PATIENCE)


def test_the_response_is_the_error_and_has_a_header_for_it(world: MockWorld) -> None:
    response = get(world, Prefer="code=429")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "60")
    assert response.headers["Preference-Applied"] == "code=429"


@pytest.mark.parametrize(
    ("code", "text"),
    [(405, 'Method "GET" not allowed.'), (406, "Could not satisfy the request Accept header.")],
)
def test_its_words_are_those_of_the_service(world: MockWorld, code: int, text: str) -> None:
    response = get(world, Prefer=f"code={code}")
    assert (response.status_code, response.json()) == (code, {"detail": text})


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("2fa_needed", "Two factor authentication is needed."),
        ("account_deleted", "Your account is deleted."),
    ],
)
def test_the_reason_of_a_403_is_in_the_documented_words(world: MockWorld, code: str, text: str) -> None:
    expected = (403, {"detail": text, "code": code})
    response = get(world, Prefer=f"code=403, example={code}")
    assert (response.status_code, response.json()) == expected
    world.add_fault(status=403, code=code)
    response = get(world)
    assert (response.status_code, response.json()) == expected


def test_the_next_response_is_as_usual(world: MockWorld) -> None:
    responses = [get(world, **headers) for headers in ({}, {"Prefer": "code=500"}, {})]
    assert [response.status_code for response in responses] == [200, 500, 200]
    assert "Preference-Applied" not in responses[2].headers


def test_what_is_ignored_is_not_said_to_be_applied(world: MockWorld) -> None:
    response = get(world, Prefer="code=200")
    assert (response.status_code, "Preference-Applied" in response.headers) == (200, False)


def test_an_unknown_key_is_refused_all_the_same(server: MockServer) -> None:
    assert get(server.world("invalid"), Prefer="code=500").status_code == 401


def test_it_precedes_a_fault_and_does_not_use_it_up(world: MockWorld) -> None:
    world.add_fault(status=503, times=1)
    assert [get(world, Prefer="code=429").status_code, get(world).status_code] == [429, 503]


def test_a_fault_that_does_not_respond_strikes_as_well(world: MockWorld) -> None:
    world.add_fault(contentType="text/plain")
    response = get(world, Prefer="code=404")
    assert (response.status_code, response.headers["Content-Type"]) == (404, "text/plain")


def test_the_journal_has_it_as_a_fault(world: MockWorld) -> None:
    get(world, Prefer="code=500")
    assert world.requests[0].faults == ("status",)


def test_it_does_not_count_against_the_rate_limit(world: MockWorld) -> None:
    world.set_settings(rate_limit="1/min")
    assert [get(world, Prefer="code=500").status_code, get(world).status_code] == [500, 200]
