"""The judge by contracts that differ from that of the service in what it might take for granted."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from mock_webshare.contract.endpoints import CREDIT_LIST, CREDITS, WEBSHARE
from mock_webshare.contract.model import Contract, Endpoint, Paging, Resource, Rule
from mock_webshare.errors import UsageError
from mock_webshare.exchange.model import Exchange
from mock_webshare.judge import run
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.model.shapes import recognise
from mock_webshare.judge.run import judge
from tests.made_up import MADE_UP, PROFILE_OBJECT, TICKET, TICKET_DETAIL, TICKETS
from tests.recorded_responses import ROW, response

ORIGIN = "https://made-up.example"


def contract(
    *endpoints: Endpoint,
    like: Contract = MADE_UP,
    rules: Collection[Rule] = (),
    **resources: Resource,
) -> Contract:
    """Return a contract like another one, with endpoints, rules or resources of its own."""
    return Contract(
        endpoints=endpoints or like.endpoints,
        resources=tuple((like.resources | resources).values()),
        rules=tuple(rules or like.rules.values()),
        schemas=like.schemas,
    )


def tickets(length: int, count: int, query: str = "", path: str = TICKETS.path, **changes: Any) -> Exchange:
    """Return the first page of so many tickets, with a link to the next."""
    page = {
        "count": count,
        "next": f"{ORIGIN}{path}?page=2{query.replace('?', '&')}" if length < count else None,
        "previous": None,
        "results": [TICKET | {"id": number + 1} | changes for number in range(length)],
    }
    return response(page, f"{ORIGIN}{path}{query}", 0)


def found(exchange: Exchange, options: Options) -> list[tuple[str, str, Level]]:
    findings = judge([exchange], options).findings
    return [(each.rule, each.place.pointer, each.level) for each in findings]


class TestPaging:
    SMALL = contract(TICKETS._replace(paging=Paging(page_size=3, max_page_size=5)))

    def test_has_the_limit_of_the_list(self) -> None:
        page = tickets(6, 9, "?page_size=8")
        assert ("list.page-size-limit", "/results", Level.NOTE) in found(page, Options(contract=self.SMALL))

    def test_has_the_limit_that_is_assumed_instead(self) -> None:
        page = tickets(5, 9, "?page_size=5")
        assert found(page, Options(contract=self.SMALL)) == []
        limited = Options(contract=self.SMALL, max_page_size=4)
        assert found(page, limited) == [("list.page-size-limit", "/results", Level.NOTE)]

    def test_a_limit_above_the_usual_size_need_not_be_seen_twice(self) -> None:
        small = contract(TICKETS._replace(paging=Paging(page_size=5, max_page_size=50)))
        page = tickets(10, 90, "?page_size=50")
        assert found(page, Options(contract=small)) == [("list.page-size-limit", "/results", Level.NOTE)]


class TestOrdering:
    def test_by_id_is_assumed_even_if_no_list_can_be_ordered_by_it(self) -> None:
        unordered = contract(TICKETS._replace(orderings=("price",)))
        assert found(tickets(2, 2), Options(contract=unordered)) == []

    def test_names_fields_of_the_contract(self) -> None:
        assert Options(contract=MADE_UP, default_ordering="-closed_at")
        with pytest.raises(UsageError, match="allowed: nothing, or id, title, price"):
            Options(contract=MADE_UP, default_ordering="amount")


class TestLifecycle:
    @pytest.mark.parametrize(("pending_days", "expected"), [(None, 3), (7, 7)])
    def test_has_the_period_of_the_resource(self, pending_days: int | None, expected: int) -> None:
        assert CREDITS.lifecycle
        short = CREDITS._replace(lifecycle=CREDITS.lifecycle._replace(period=3))
        options = Options(contract=contract(like=WEBSHARE, credits=short), pending_days=pending_days)
        row = ROW | {"created_at": "2026-01-14T10:00:00-08:00", "updated_at": "2026-01-14T10:00:00-08:00"}
        (finding,) = judge([response(row, f"https://a{CREDIT_LIST.path}1/", 0)], options).findings
        assert (finding.rule, finding.check, finding.expected) == ("object.pending", "overdue", expected)


def test_a_row_of_an_earlier_edition_needs_no_sign() -> None:
    unsigned = contract(*(each._replace(signs=()) for each in WEBSHARE.endpoints), like=WEBSHARE)
    row = {name: value for name, value in ROW.items() if not name.startswith("referral_channel")}
    exchange = response(row, f"https://a{CREDIT_LIST.path}1/", None)
    assert found(exchange, Options(contract=unsigned)) == [("object.older-edition", "", Level.NOTE)]


def test_two_endpoints_may_have_one_schema() -> None:
    archive = TICKETS._replace(
        path="/api/v9/desk/archive/",
        filters=(),
        orderings=("price",),
        paging=Paging(page_size=2, max_page_size=100),
    )
    options = Options(contract=contract(TICKETS, archive))
    assert found(tickets(2, 9, path=archive.path), options) == []
    assert found(tickets(2, 9), options) == [("list.page-size", "/results", Level.ERROR)]


def test_a_link_is_shown_with_the_values_of_filters() -> None:
    page = tickets(2, 2, "?priority=high&mode=payout", priority="high")
    body = json.loads(page.body) | {"previous": f"{ORIGIN}{TICKETS.path}?priority=high&mode=payout"}
    changed = replace(page, body=json.dumps(body, separators=(",", ":")).encode())
    (finding,) = judge([changed], Options(contract=MADE_UP)).findings
    assert finding.actual == f'"{ORIGIN}{TICKETS.path}?priority=high&mode=..."'


class TestABodyThatWasStoredAlone:
    def test_that_is_an_error_is_not_a_row_with_fields_like_the_filters(self) -> None:
        errors = {"priority": ["Select a valid choice. bogus is not one of the available choices."]}
        assert recognise(errors, MADE_UP) == "field-errors"

    def test_that_is_a_page_of_the_second_list_is_recognised_by_its_rows(self) -> None:
        teams = TICKETS._replace(path="/api/v9/desk/team/", resource="teams", schema="team-page")
        lists = contract(TICKETS, teams, TICKET_DETAIL)
        assert recognise({"count": 1, "results": [{"id": 5, "name": "Hardware"}]}, lists) == "team-page"
        assert recognise({"count": 1, "results": [TICKET]}, lists) == "ticket-page"
        assert recognise({"results": []}, lists) == "ticket-page"


class TestAnObject:
    def test_has_no_pages(self) -> None:
        exchange = response({"detail": "Not found."}, f"{ORIGIN}{PROFILE_OBJECT.path}?page=7", 0, status=404)
        assert found(exchange, Options(contract=MADE_UP)) == [("detail.not-found", "", Level.WARNING)]


def test_a_rule_that_the_contract_does_not_have_is_not_applied() -> None:
    rules = [rule for rule in MADE_UP.rules.values() if rule.id not in ("object.same", "detail.id")]
    first = response(TICKET | {"id": 2}, ORIGIN + TICKET_DETAIL.path.format(id=1), 0)
    second = response(TICKET | {"id": 2, "price": 1.5}, ORIGIN + TICKET_DETAIL.path.format(id=1), 60)
    records = [first, second]
    assert {each.rule for each in judge(records, Options(contract=MADE_UP)).findings} == {
        "detail.id",
        "object.same",
    }
    assert judge(records, Options(contract=contract(rules=rules))).findings == ()


def test_a_worker_process_gets_the_contract_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pickled: list[Contract] = []
    reduce = Contract.__reduce__

    def counting(contract: Contract) -> tuple[Any, ...]:
        pickled.append(contract)
        return reduce(contract)

    monkeypatch.setattr(Contract, "__reduce__", counting)
    verdict = judge([tickets(2, 2)] * 6 * run.CHUNK, Options(contract=MADE_UP), jobs=2)
    assert (verdict.judged, verdict.groups) == (6 * run.CHUNK, ())
    assert len(pickled) <= 2
