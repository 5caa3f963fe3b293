"""What each kind of fault does to a response."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import pytest
import requests

from mock_webshare import MockServer, MockWorld
from mock_webshare.contract.endpoints import CHANNEL_LIST, CONFIG, CREDIT_DETAIL, CREDIT_LIST, WEBSHARE
from mock_webshare.service import effects
from mock_webshare.service.data import dataset
from mock_webshare.service.effects import Outcome, preferred_fault
from mock_webshare.service.faults import BROKEN_PAGES, FORBIDDEN_CODES, Strike, parse
from mock_webshare.service.framework import response
from mock_webshare.service.framework.response import Response, render
from tests.requests_to import request_to
from tests.waiting import PATIENCE

CREDIT = dataset.load("default").rows["credits"][0].wire()
PAGE = {"count": 2, "next": None, "previous": None, "results": [CREDIT, CREDIT]}
REQUEST = request_to(method="PATCH", content_type="text/csv; charset=utf-8")
OK = response.routed(CREDIT_LIST, 200, render(PAGE))


def strike(seconds: float = 0.0, **fault: Any) -> Strike:
    return Strike(parse(fault), REQUEST, seconds)


def instead(**fault: Any) -> Response:
    """Return the response that a fault gives instead of the service."""
    response = effects.response_instead([strike(**fault)], CREDIT_LIST)
    assert response
    return response


def outcome(**fault: Any) -> Outcome:
    """Return the outcome of the usual response under a fault."""
    return effects.outcome(OK, REQUEST, [strike(**fault)], WEBSHARE)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"non_field_errors": [{"message": "Invalid input.", "code": "invalid"}]}),
        (401, {"detail": "Invalid token."}),
        (403, {"detail": "You do not have permission to perform this action."}),
        (404, {"detail": "Not found."}),
        (405, {"detail": 'Method "PATCH" not allowed.'}),
        (406, {"detail": "Could not satisfy the request Accept header."}),
        (408, {"detail": "Request Timeout"}),
        (409, {"detail": "Conflict"}),
        (415, {"detail": 'Unsupported media type "text/csv; charset=utf-8" in request.'}),
        (429, {"detail": "Request was throttled. Expected available in 60 seconds."}),
        (500, {"detail": "A server error occurred."}),
        (502, {"detail": "Bad Gateway"}),
        (503, {"detail": "Service Unavailable"}),
        (504, {"detail": "Gateway Timeout"}),
        (499, {"detail": "Client Error"}),
        (599, {"detail": "Server Error"}),
    ],
)
def test_a_status_has_the_body_that_the_service_would_send(status: int, body: Any) -> None:
    response = instead(status=status)
    assert (response.status, json.loads(response.body)) == (status, body)
    assert (
        dict(response.headers).items()
        >= {"Content-Type": "application/json", "Allow": "GET, HEAD, OPTIONS"}.items()
    )


def test_a_401_names_its_scheme() -> None:
    assert ("WWW-Authenticate", "Token") in instead(status=401).headers


@pytest.mark.parametrize("code", FORBIDDEN_CODES)
def test_a_403_may_have_a_code(code: str) -> None:
    body = json.loads(instead(status=403, code=code).body)
    assert (body["code"], list(body)) == (code, ["detail", "code"])


@pytest.mark.parametrize("status", [400, 401, 403, 405, 406, 415, 429, 500])
def test_its_text_may_be_another(status: int) -> None:
    assert b'"No."' in instead(status=status, detail="No.").body


def test_a_429_names_its_wait_twice() -> None:
    response = instead(status=429, retryAfter=1)
    assert ("Retry-After", "1") in response.headers
    assert json.loads(response.body) == {"detail": "Request was throttled. Expected available in 1 second."}


@pytest.mark.parametrize("form", ["json", "html", "proxy"])
@pytest.mark.parametrize("status", [400, 401, 403, 429, 503])
def test_every_error_may_have_a_retry_after(status: int, form: str) -> None:
    assert ("Retry-After", "7") in instead(status=status, form=form, retryAfter=7).headers


def test_without_a_wait_none_but_the_429_names_one() -> None:
    named = {
        status
        for status in (400, 401, 403, 429, 503)
        if "Retry-After" in dict(instead(status=status).headers)
    }
    assert named == {429}


def test_a_page_of_django_is_html() -> None:
    response = instead(status=500, form="html")
    assert response.headers == (("Content-Type", "text/html; charset=utf-8"),)
    assert b"<h1>Server Error (500)</h1>" in response.body


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_page_of_the_proxy_names_the_status(status: int) -> None:
    response = instead(status=status, form="proxy")
    assert f"<title>{status} {HTTPStatus(status).phrase}</title>".encode() in response.body
    assert "Allow" not in dict(response.headers)


@pytest.mark.parametrize(
    ("options", "headers", "body"),
    [
        ({}, (), b""),
        ({"body": "é"}, (("Content-Type", "text/plain; charset=utf-8"),), "é".encode()),
        ({"jsonBody": None}, (("Content-Type", "application/json"),), b"null"),
        ({"jsonBody": [1.5, "\u2028"]}, (("Content-Type", "application/json"),), b'[1.5,"\\u2028"]'),
        ({"body": "a", "headers": {"content-type": "text/csv"}}, (("content-type", "text/csv"),), b"a"),
        ({"headers": {"X-A": "b"}}, (("X-A", "b"),), b""),
    ],
)
def test_a_response_is_as_it_is_described(options: Any, headers: Any, body: bytes) -> None:
    described = instead(respond=202, **options)
    assert (described.status, described.headers, described.body) == (202, headers, body)


def test_a_throttle_rounds_its_wait_up() -> None:
    response = effects.response_instead([strike(41.2, throttle="1/min")], CREDIT_LIST)
    assert response and ("Retry-After", "42") in response.headers


def test_the_service_responds_if_no_fault_does() -> None:
    assert effects.response_instead([strike(fixedDelayMilliseconds=1)], CREDIT_LIST) is None


def test_delays_add_up() -> None:
    both = [strike(0.5, fixedDelayMilliseconds=500), strike(0.25, delayDistribution=UNIFORM)]
    assert effects.outcome(OK, REQUEST, both, WEBSHARE).seconds == 0.75


UNIFORM = {"type": "uniform", "lower": 250, "upper": 250}


def test_a_drip_has_its_pieces_and_its_time() -> None:
    result = outcome(chunkedDribbleDelay={"numberOfChunks": 3, "totalDuration": 1500})
    assert (result.chunks, result.drip_seconds) == (3, 1.5)


def test_without_a_drip_the_body_is_sent_as_usual() -> None:
    assert effects.outcome(OK, REQUEST, [], WEBSHARE).chunks == 0


def test_a_broken_connection_leaves_the_response_unchanged() -> None:
    result = outcome(fault="TRUNCATED_BODY")
    assert (result.delivery, result.response) == ("TRUNCATED_BODY", OK)


def test_malformed_json_is_as_long_and_arrives_in_order() -> None:
    result = outcome(fault="MALFORMED_JSON")
    assert (result.delivery, len(result.response.body)) == (None, len(OK.body))
    with pytest.raises(ValueError, match="line 1"):
        json.loads(result.response.body)


def test_another_content_type_takes_the_place_of_the_right_one() -> None:
    headers = outcome(contentType="text/plain").response.headers
    assert [value for name, value in headers if name == "Content-Type"] == ["text/plain"]
    assert len(headers) == len(OK.headers)


def test_several_effects_come_together() -> None:
    result = effects.outcome(
        OK, REQUEST, [strike(1.0, fixedDelayMilliseconds=1000), strike(contentType="a/b")], WEBSHARE
    )
    assert (result.seconds, result.response.headers[0], result.faults) == (
        1.0,
        ("Content-Type", "a/b"),
        ("fixedDelayMilliseconds", "contentType"),
    )


def drifted(document: Any, **drift: Any) -> Any:
    return json.loads(effects.drifted(render(document), parse(drift)))


@pytest.mark.parametrize(
    ("drift", "becomes"),
    [
        ({"drift": "removed", "field": "mode"}, {k: v for k, v in CREDIT.items() if k != "mode"}),
        ({"drift": "retyped", "field": "amount"}, CREDIT | {"amount": str(CREDIT["amount"])}),
        ({"drift": "retyped", "field": "mode"}, CREDIT | {"mode": [CREDIT["mode"]]}),
        ({"drift": "retyped", "field": "reverted_at"}, CREDIT | {"reverted_at": "null"}),
        ({"drift": "added", "field": "tier", "to": {"name": "gold"}}, CREDIT | {"tier": {"name": "gold"}}),
        ({"drift": "enum", "field": "status", "to": "on_hold"}, CREDIT | {"status": "on_hold"}),
        ({"drift": "null", "field": "user_id"}, CREDIT | {"user_id": None}),
    ],
    ids=str,
)
def test_a_drift_changes_one_field(drift: dict[str, Any], becomes: dict[str, Any]) -> None:
    assert drifted(CREDIT, **drift) == becomes


def test_a_renamed_field_keeps_its_value_and_its_place() -> None:
    row = drifted(CREDIT, drift="renamed", field="amount", to="usd")
    assert list(row) == ["usd" if name == "amount" else name for name in CREDIT]
    assert row["usd"] == CREDIT["amount"]


def test_a_drift_changes_every_row_of_a_page_and_nothing_else() -> None:
    page = drifted(PAGE, drift="null", field="mode")
    assert page == PAGE | {"results": [CREDIT | {"mode": None}] * 2}


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"count":0,"results":[]}'],
)
def test_what_has_no_rows_does_not_drift(body: bytes) -> None:
    assert effects.drifted(body, parse({"drift": "null", "field": "mode"})) is body


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", CREDIT_LIST.path, 404, {"detail": "Not found."}),
        ("OPTIONS", CREDIT_LIST.path, 200, {"name": "List"}),
        ("GET", "/nowhere/", 200, CREDIT),
    ],
)
def test_a_response_that_is_not_of_rows_does_not_drift(
    method: str, path: str, status: int, body: dict[str, Any]
) -> None:
    sent = response.routed(CREDIT_LIST, status, render(body))
    request, strikes = request_to(path, method), [strike(drift="null", field="mode")]
    assert effects.outcome(sent, request, strikes, WEBSHARE).response == sent


OTHER = CREDIT | {"id": 2}
FIRST = {"count": 9, "next": "http://a/?page=2", "previous": None, "results": [CREDIT, OTHER]}


def broken(body: Any, path: str = CREDIT_LIST.path, method: str = "GET", **fault: Any) -> Any:
    """Return the JSON of a response of the service under a fault."""
    sent = response.routed(CREDIT_LIST, 200, render(body))
    strikes = [Strike(parse(fault), request_to(path, method))]
    return effects.outcome(sent, request_to(path, method), strikes, WEBSHARE).response.json()


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        ({"pages": "unlinked"}, {"next": None}),
        ({"pages": "short"}, {"results": [CREDIT]}),
        ({"pages": "empty"}, {"results": []}),
        ({"pages": "miscounted"}, {"count": 10}),
        ({"pages": "reversed"}, {"results": [OTHER, CREDIT]}),
        ({"drift": "retyped", "field": "count"}, {"count": "9"}),
        ({"drift": "retyped", "field": "next"}, {"next": ["http://a/?page=2"]}),
        ({"drift": "null", "field": "results"}, {"results": None}),
    ],
    ids=str,
)
def test_a_page_is_wrong_in_one_way(fault: dict[str, Any], changed: dict[str, Any]) -> None:
    assert broken(FIRST, **fault) == FIRST | changed


@pytest.mark.parametrize("name", FIRST)
def test_a_field_of_a_page_can_be_missing(name: str) -> None:
    assert broken(FIRST, drift="removed", field=name) == {each: FIRST[each] for each in FIRST if each != name}


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("short", [{"id": 1}]),
        ("empty", []),
        ("reversed", [{"id": 2}, {"id": 1}]),
        ("unlinked", [{"id": 1}, {"id": 2}]),
        ("miscounted", [{"id": 1}, {"id": 2}]),
    ],
)
def test_an_array_is_a_page_without_links_and_count(name: str, rows: Any) -> None:
    assert broken([{"id": 1}, {"id": 2}], CHANNEL_LIST.path, pages=name) == rows


@pytest.mark.parametrize("name", [name for name in BROKEN_PAGES if name != "repeated"])
@pytest.mark.parametrize(
    ("body", "path", "method"),
    [
        (CREDIT, CREDIT_DETAIL.path.format(id=CREDIT["id"]), "GET"),
        ([1, 2], CREDIT_LIST.path, "GET"),
        ({"results": 5}, CREDIT_LIST.path, "GET"),
        ({"name": "List"}, CREDIT_LIST.path, "OPTIONS"),
        ({"detail": "an object"}, CHANNEL_LIST.path, "GET"),
        ({"results": [CREDIT]}, "/nowhere/", "GET"),
    ],
)
def test_what_is_not_a_page_is_not_broken(name: str, body: Any, path: str, method: str) -> None:
    assert broken(body, path, method, pages=name) == body


def test_a_body_that_is_not_json_is_not_broken() -> None:
    sent = response.Response(200, (), b"<html>")
    for struck in (strike(pages="short"), strike(drift="removed", field="count")):
        assert effects.outcome(sent, request_to(), [struck], WEBSHARE).response.body == b"<html>"


@pytest.mark.parametrize(
    ("number", "size", "ordering"), [(26, 25, "id"), (100, 25, "-amount"), (30, 7, "id"), (4, 2, "-id")]
)
def test_rows_move_to_the_next_page_and_none_is_lost(
    server: MockServer, world: MockWorld, number: int, size: int, ordering: str
) -> None:
    world.begin(credits=number)
    target = f"{CREDIT_LIST.path}?page_size={size}&ordering={ordering}"
    usual = ids_of_walk(world, target)
    world.add_fault(pages="repeated")
    moved = ids_of_walk(world, target)
    assert moved == usual[:size] + usual[size - 1 :]
    assert {count for count in counts_of_walk(world, target)} == {number}


def pages_of_walk(world: MockWorld, target: str) -> list[Any]:
    headers, pages = {"Authorization": f"Token {world.api_key}"}, []
    link = world.url + target
    while link is not None:
        pages.append(requests.get(link, headers=headers, timeout=30).json())
        link = pages[-1]["next"]
    return pages


def ids_of_walk(world: MockWorld, target: str) -> list[int]:
    return [row["id"] for page in pages_of_walk(world, target) for row in page["results"]]


def counts_of_walk(world: MockWorld, target: str) -> list[int]:
    return [page["count"] for page in pages_of_walk(world, target)]


@pytest.mark.parametrize("target", [CREDIT_LIST.path, CONFIG.path, f"{CREDIT_LIST.path}?page=99"])
def test_rows_only_move_to_pages_after_the_first(world: MockWorld, target: str) -> None:
    headers = {"Authorization": f"Token {world.api_key}"}
    before = requests.get(world.url + target, headers=headers, timeout=30).content
    world.add_fault(pages="repeated")
    assert requests.get(world.url + target, headers=headers, timeout=30).content == before


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
def test_a_preference_selects_an_error(header: str, fault: dict[str, Any]) -> None:
    selected = preferred_fault(header)
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
def test_a_preference_that_cannot_be_met_is_ignored(header: str | None) -> None:
    assert preferred_fault(header) is None


def get(world: MockWorld, **headers: str) -> requests.Response:
    headers["Authorization"] = f"Token {world.api_key}"
    return requests.get(world.url + CREDIT_LIST.path, headers=headers, timeout=PATIENCE)


def test_the_response_to_a_preference_is_the_error_and_has_a_header_for_it(world: MockWorld) -> None:
    response = get(world, Prefer="code=429")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "60")
    assert response.headers["Preference-Applied"] == "code=429"


@pytest.mark.parametrize(
    ("code", "text"),
    [(405, 'Method "GET" not allowed.'), (406, "Could not satisfy the request Accept header.")],
)
def test_the_words_of_a_preferred_error_are_the_services(world: MockWorld, code: int, text: str) -> None:
    response = get(world, Prefer=f"code={code}")
    assert (response.status_code, response.json()) == (code, {"detail": text})


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("2fa_needed", "Two factor authentication is needed."),
        ("account_deleted", "Your account is deleted."),
    ],
)
def test_the_reason_of_a_preferred_403_is_documented(world: MockWorld, code: str, text: str) -> None:
    expected = (403, {"detail": text, "code": code})
    response = get(world, Prefer=f"code=403, example={code}")
    assert (response.status_code, response.json()) == expected
    world.add_fault(status=403, code=code)
    response = get(world)
    assert (response.status_code, response.json()) == expected


def test_the_response_after_a_preferred_one_is_as_usual(world: MockWorld) -> None:
    responses = [get(world, **headers) for headers in ({}, {"Prefer": "code=500"}, {})]
    assert [response.status_code for response in responses] == [200, 500, 200]
    assert "Preference-Applied" not in responses[2].headers


def test_a_preference_that_is_ignored_is_not_said_to_be_applied(world: MockWorld) -> None:
    response = get(world, Prefer="code=200")
    assert (response.status_code, "Preference-Applied" in response.headers) == (200, False)


def test_an_unknown_key_with_a_preference_is_refused_all_the_same(server: MockServer) -> None:
    assert get(server.world("invalid"), Prefer="code=500").status_code == 401


def test_a_preference_precedes_a_fault_and_does_not_use_it_up(world: MockWorld) -> None:
    world.add_fault(status=503, times=1)
    assert [get(world, Prefer="code=429").status_code, get(world).status_code] == [429, 503]


def test_a_fault_that_does_not_respond_strikes_a_preferred_response_as_well(world: MockWorld) -> None:
    world.add_fault(contentType="text/plain")
    response = get(world, Prefer="code=404")
    assert (response.status_code, response.headers["Content-Type"]) == (404, "text/plain")


def test_the_journal_has_a_preference_as_a_fault(world: MockWorld) -> None:
    get(world, Prefer="code=500")
    assert world.requests[0].faults == ("status",)


def test_a_preferred_response_does_not_count_against_the_rate_limit(world: MockWorld) -> None:
    world.set_settings(rate_limit="1/min")
    assert [get(world, Prefer="code=500").status_code, get(world).status_code] == [500, 200]
