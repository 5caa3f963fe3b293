"""What the findings of one group have in common: the cause, not only the place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.reports.headlines import headline
from mock_webshare.judge.run import MOST_GROUPS, judge
from mock_webshare.judge.verdict import Group

CREDIT = SERVICE_SCHEMAS.document("referral-credit")["examples"][0]
ORIGIN = "https://proxy.webshare.io"
HEADERS = {"Content-Type": "application/json", "Allow": ", ".join(CREDIT_LIST.methods)}


def response(
    target: str, body: Any, status: int = 200, method: str = "GET", entry: int = 0, **headers: str
) -> Exchange:
    sent = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange(
        source="live.har",
        entry=entry,
        method=method,
        url=ORIGIN + target,
        request_headers=(("Authorization", "Token secret-key"),),
        status=status,
        headers=tuple(sent.items()),
        body=json.dumps(body, separators=(",", ":")).encode(),
    )


def credit(number: int, **changes: Any) -> Exchange:
    return response(f"/api/v2/referral/credit/{number}/", CREDIT | {"id": number} | changes)


def page(*rows: dict[str, Any]) -> Exchange:
    body = {"count": len(rows), "next": None, "previous": None, "results": rows}
    return response("/api/v2/referral/credit/?page_size=100", body)


def groups(*exchanges: Exchange) -> list[Group]:
    return list(judge(exchanges, Options()).groups)


MISSING = {"detail": "Not found."}
TWO_CAUSES = {
    "amount is a string, and an object": [credit(1, amount="2.5"), credit(2, amount={})],
    "user_id is null, and a string": [credit(1, user_id=None), credit(2, user_id="7")],
    "mode is one word, and another one": [credit(1, mode="credit"), credit(2, mode="cash")],
    "status is a word, and null": [credit(1, status="paid"), credit(2, status=None)],
    "Content-Type is another one, and has a charset": [
        response("/api/v2/referral/credit/1/", CREDIT | {"id": 1}, Content_Type="text/plain"),
        response(
            "/api/v2/referral/credit/1/", CREDIT | {"id": 1}, Content_Type="application/json; charset=utf-8"
        ),
    ],
    "Vary names two headers": [
        response("/api/v2/referral/credit/1/", CREDIT | {"id": 1}, Vary="Cookie"),
        response("/api/v2/referral/credit/1/", CREDIT | {"id": 1}, Vary="Accept"),
    ],
    "a page is an error, and an array": [
        response("/api/v2/referral/credit/", MISSING),
        response("/api/v2/referral/credit/", []),
    ],
    "the status is 404, and 406": [
        response("/api/v2/referral/credit/", MISSING, 404),
        response("/api/v2/referral/credit/", {"detail": "Invalid page."}, 404, method="OPTIONS"),
    ],
    "the detail of a page, and of a credit": [
        response("/api/v2/referral/credit/?page=9", {"detail": "Gone."}, 404),
        response("/api/v2/referral/credit/9/", {"detail": "Gone."}, 404),
    ],
}


@pytest.mark.parametrize("exchanges", TWO_CAUSES.values(), ids=TWO_CAUSES)
def test_two_causes_are_two_groups(exchanges: list[Exchange]) -> None:
    separately = {
        (group.first.check, headline(group.first, group.rule)) for e in exchanges for group in groups(e)
    }
    together = groups(*exchanges)
    assert {(group.first.check, headline(group.first, group.rule)) for group in together} == separately
    assert all(group.count == 1 for group in together)
    assert len(together) > 1


ONE_CAUSE = {
    "amounts that are strings": [{"amount": f"{n}.50"} for n in range(100)],
    "dates in another zone": [{"created_at": f"2022-06-14T11:58:{n:02}.246406Z"} for n in range(60)],
    "ids that are strings": [{"id": f"{n:04}"} for n in range(100)],
    "amounts in another form": [{"amount": n} for n in range(100)],
    "missing fields": [{"user_id": ...} for _ in range(100)],
    "a mode that does not exist": [{"mode": "credit"} for _ in range(100)],
}


@pytest.mark.parametrize("changes", ONE_CAUSE.values(), ids=ONE_CAUSE)
def test_one_cause_in_many_rows_is_one_group(changes: list[dict[str, Any]]) -> None:
    rows = [CREDIT | {"id": index} | each for index, each in enumerate(changes)]
    kept = [{name: value for name, value in row.items() if value is not ...} for row in rows]
    (group,) = groups(page(*kept))
    assert group.count == len(changes)


def test_one_cause_in_many_responses_is_one_group() -> None:
    exchanges = [
        response(f"/api/v2/referral/credit/{n}/", CREDIT | {"id": n, "amount": "2.5"}, entry=n)
        for n in range(50)
    ]
    (group,) = groups(*exchanges)
    assert group.count == 50


def test_there_are_so_many_groups_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_webshare.judge.run.MOST_GROUPS", 5)
    assert MOST_GROUPS > 1000
    found = groups(*(credit(n, mode=f"mode {n}") for n in range(30)))
    assert len(found) == 6
    assert sum(group.count for group in found) == 30
