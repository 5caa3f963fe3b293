"""The responses of a probe: what it requests of contracts other than that of the vendor."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from aiohttp import web

from mock_webshare import MockServer, Settings
from mock_webshare.contract import messages
from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import (
    Contract,
    Endpoint,
    Filter,
    Kind,
    Lifecycle,
    Mark,
    Paging,
    Resource,
    Rule,
)
from mock_webshare.contract.schemas import Schemas, data_path
from mock_webshare.errors import UsageError
from mock_webshare.exchange.model import Exchange
from mock_webshare.live import prober
from mock_webshare.live.checks import CHECKS
from mock_webshare.live.prober import Findings, Outcome
from mock_webshare.live.responses import Responses, Subject, Undecidable
from tests.live.test_prober import decision, no_pause, outcomes, serving

ORIGIN, KEY = "http://service.test", "aKeyOfTheMadeUpService"
PARCEL = {
    "id": {"type": "integer"},
    "size": {"type": "string", "enum": ["small", "very large"]},
    "weight": {"type": "number"},
    "sent_at": {"type": ["string", "null"], "format": "date-time"},
}
RULES = {
    "object.weight-form": Mark.FRAMEWORK,
    "object.microseconds": Mark.FRAMEWORK,
    "object.colour": Mark.ASSUMED,
    "object.size": Mark.DOCUMENTED,
    "wire.accept": Mark.FRAMEWORK,
    "auth.unauthorized": Mark.FRAMEWORK,
    "list.page-size-limit": Mark.ASSUMED,
    "list.invalid-page": Mark.FRAMEWORK,
    "order.default": Mark.ASSUMED,
    "order.ties": Mark.ASSUMED,
    "order.nulls": Mark.FRAMEWORK,
    "detail.filters": Mark.FRAMEWORK,
}
LIST = Endpoint(
    path="/depot/parcels/",
    kind=Kind.LIST,
    resource="parcels",
    schema="parcel-page",
    view_name="Parcels",
    rules=tuple(RULES),
    filters=(Filter("size", (), choices=("small", "very large")),),
    orderings=("weight", "size", "sent_at"),
    paging=Paging(page_size=5, max_page_size=20),
    methods=("GET", "HEAD"),
)
DETAIL = LIST._replace(
    path="/depot/parcels/{id}/", kind=Kind.DETAIL, schema="parcel", orderings=(), paging=None
)


def contract(
    *endpoints: Endpoint, fields: Mapping[str, Any] = PARCEL, resource: Resource | None = None
) -> Contract:
    return Contract(
        endpoints=endpoints or (LIST, DETAIL),
        resources=(resource or Resource("parcels", "parcel", schema="parcel"),),
        rules=[Rule(name, mark, f"This is the rule {name}.") for name, mark in RULES.items()],
        schemas=Schemas(
            data_path("schemas"),  # of the errors
            documents={
                "parcel": {"$id": "parcel", "type": "object", "properties": fields},
                "parcel-page": {"$id": "parcel-page", "type": "object"},
            },
        ),
    )


def parcel(number: int) -> dict[str, Any]:
    sent_at = f"2024-01-{number % 28 + 1:02}T10:00:00.{number:06}+01:00" if number % 3 else None
    size = ("small", "very large")[number % 2]
    return {"id": number, "size": size, "weight": (number * 7 % 11) / 4, "sent_at": sent_at}


class Service:
    """The made-up service: pages, orderings, a filter, details and errors as the contract has them."""

    def __init__(self, *, rows: int = 50, **changed: Any) -> None:
        self.rows = [parcel(number) for number in range(1, rows + 1)]
        self.max_page_size: int = changed.get("max_page_size", 20)
        self.default_ordering: str = changed.get("default_ordering", "id")
        self.nulls_first: bool = changed.get("nulls_first", False)
        self.ties_by: int = changed.get("ties_by", 1)
        self.decimals: bool = changed.get("decimals", False)
        self.invalid_page: str = changed.get("invalid_page", messages.INVALID_PAGE)
        self.targets: list[str] = []

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.targets.append(request.raw_path)
        status, document = self._respond(request)
        text = json.dumps(document, separators=(",", ":"))
        if self.decimals:
            text = text.replace('.5,"', '.50,"').replace('.0,"', '.00,"')
        headers = {"WWW-Authenticate": "Token"} if status == 401 else {}
        return web.Response(
            status=status, body=text.encode(), content_type="application/json", headers=headers
        )

    def _respond(self, request: web.BaseRequest) -> tuple[int, Any]:
        _, _, name, *rest = request.path.split("/")
        if name != "parcels" or "format" in request.query:
            return 404, {"detail": messages.NOT_FOUND}
        if "json" not in request.headers.get("Accept", "json"):
            return 406, {"detail": messages.NOT_ACCEPTABLE}
        if refusal := self._refusal(request.headers.get("Authorization", "")):
            return 401, {"detail": refusal}
        size = request.query.get("size")
        if size not in (None, "small", "very large"):
            return 400, {"size": [{"message": "no", "code": "invalid_choice"}]}
        rows = [row for row in self.rows if size in (None, row["size"])]
        if rest and rest[0]:
            found = [row for row in rows if str(row["id"]) == rest[0]]
            return (200, found[0]) if found else (404, {"detail": messages.NOT_FOUND})
        return self._page(rows, request.query)

    def _refusal(self, authorization: str) -> str | None:
        scheme, *words = authorization.split() or [""]
        if scheme != "Token":
            return messages.NO_CREDENTIALS
        if len(words) != 1:
            return messages.KEY_WITH_SPACES if words else messages.KEYWORD_ALONE
        return None if words == [KEY] else messages.UNKNOWN_KEY

    def _page(self, rows: Sequence[dict[str, Any]], query: Mapping[str, str]) -> tuple[int, Any]:
        size = query.get("page_size", "")
        length = min(int(size) if size.isdigit() else 5, self.max_page_size)
        pages = -(-len(rows) // length) or 1
        page = {"last": str(pages), "": "1"}.get(query.get("page", ""), query.get("page", ""))
        if not page.isdigit() or not 1 <= int(page) <= pages:
            return 404, {"detail": self.invalid_page}
        start = (int(page) - 1) * length
        return 200, {"count": len(rows), "results": self._ordered(rows, query)[start : start + length]}

    def _ordered(self, rows: Sequence[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
        term = query.get("ordering", "").rpartition(",")[2].strip() or self.default_ordering
        name = term.removeprefix("-")
        if name not in ("id", *LIST.orderings):
            term, name = self.default_ordering, self.default_ordering.removeprefix("-")
        return sorted(
            sorted(rows, key=lambda row: row["id"] * self.ties_by),
            key=lambda row: ((row[name] is None) != self.nulls_first, row[name] or 0),
            reverse=term.startswith("-"),
        )


async def probe(service: Service, probed: Contract | None = None) -> Findings:
    async with serving(service.handle) as url:
        return await prober.probe(url, KEY, contract=probed or contract(), pause=no_pause)


def why(findings: Findings, rule: str) -> str:
    return "; ".join(decision(findings, rule).why)


async def test_a_service_that_keeps_to_its_contract_breaks_no_rule() -> None:
    findings = await probe(Service())
    assert outcomes(findings, Outcome.BROKEN) == set()
    assert outcomes(findings, Outcome.UNDECIDABLE) == {"object.colour"}
    assert [each.rule.id for each in findings.decisions] == [name for name in RULES if name != "object.size"]
    assert why(findings, "object.colour") == "there is no check of this rule"


def test_the_mock_of_a_contract_breaks_no_rule() -> None:
    served = contract(LIST._replace(orderings=("id", *LIST.orderings)), DETAIL)
    with MockServer(Settings(port=0, contract=served, max_page_size=20)) as server:
        findings = asyncio.run(prober.probe(server.url, KEY, contract=served, pause=no_pause))
    assert outcomes(findings, Outcome.BROKEN) == set()
    assert outcomes(findings, Outcome.UNDECIDABLE) == {"object.colour"}


async def test_only_what_the_contract_names_is_requested() -> None:
    service = Service()
    await probe(service)
    assert {each.partition("?")[0] for each in service.targets} == {
        "/depot/parcels/",
        "/depot/parcels",
        "/depot/parcels/1/",
        "/mock-webshare-probe/",
    }
    assert {"size=bogus", "ordering=-sent_at&page_size=1", "page_size=21"} <= {
        each.partition("?")[2] for each in service.targets
    }
    vendors = {*WEBSHARE.filter_names, *WEBSHARE.orderings} - {"id"}
    assert not [
        each for each in service.targets for name in vendors if f"{name}=" in each or f"={name}" in each
    ]


DIFFERENT: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("list.page-size-limit", {"max_page_size": 30}, ("--max-page-size 30",)),
    ("list.page-size-limit", {"max_page_size": 7}, ("--max-page-size 7",)),
    ("list.page-size-limit", {"max_page_size": 999, "rows": 250}, ("--max-page-size 200",)),
    ("order.default", {"default_ordering": "-weight"}, ("--default-ordering=-weight",)),
    ("order.nulls", {"nulls_first": True}, ()),
    ("order.ties", {"ties_by": -1}, ()),
    ("object.weight-form", {"decimals": True}, ()),
    ("list.invalid-page", {"invalid_page": "There is no such page."}, ()),
]


@pytest.mark.parametrize(("rule", "changed", "options"), DIFFERENT)
async def test_a_service_that_behaves_differently_breaks_that_rule(
    rule: str, changed: dict[str, Any], options: tuple[str, ...]
) -> None:
    findings = await probe(Service(**changed))
    assert outcomes(findings, Outcome.BROKEN) == {rule}
    assert findings.options == options
    assert "credit" not in why(findings, rule)


def targets(probed: Contract, *rows: dict[str, Any]) -> dict[str, str]:
    """Return the target of each request after a first page with these rows, or why there is none."""
    page = {"count": 50, "results": rows or [parcel(1), parcel(2)]}
    responses, found = Responses(Subject(probed)), {}
    first = Exchange(
        source=ORIGIN, method="GET", url=ORIGIN + LIST.path, status=200, body=json.dumps(page).encode()
    )
    responses.received["first"] = first
    for request in (each for check in CHECKS for each in check.requests):
        try:
            found[request.name] = request.resolve(responses)
        except Undecidable as reason:
            found[request.name] = str(reason)
    return found


def with_filters(*filters: Filter) -> Contract:
    return contract(LIST._replace(filters=filters), DETAIL._replace(filters=filters))


def with_field(name: str, **field: Any) -> Contract:
    return contract(LIST._replace(orderings=("weight", name)), DETAIL, fields={**PARCEL, name: field})


OWNER = Filter("owner", (), resource="owners")
NO_DETAIL = "a single parcel cannot be requested with a filter"
LIFECYCLE = Lifecycle(
    "size",
    pending="small",
    ripe="small",
    ended="very large",
    ended_at="sent_at",
    period=1,
    end="send",
    moves={},
)
KINDS: list[tuple[Contract, dict[str, Any], str, str]] = [
    (contract(), {}, "selected row", "/depot/parcels/1/?size=very+large"),
    (contract(), {}, "excluded row", "/depot/parcels/1/?size=small"),
    (contract(), {"size": "small"}, "excluded row", "/depot/parcels/1/?size=very+large"),
    (contract(), {"size": "odd"}, "selected row", "the first parcel has an undocumented size"),
    (contract(), {"size": []}, "selected row", "the first parcel has an undocumented size"),
    (contract(), {}, "wrong filter and page", "/depot/parcels/?size=bogus&page=0"),
    (contract(LIST), {}, "selected row", NO_DETAIL),
    (contract(LIST), {}, "refused filter", NO_DETAIL),
    (contract(LIST, DETAIL._replace(resource="others")), {}, "selected row", NO_DETAIL),
    (with_filters(), {}, "refused filter", NO_DETAIL),
    (with_filters(), {}, "wrong filter, no key", "the list has no filter"),
    (with_filters(OWNER), {"owner": 4}, "selected row", "/depot/parcels/1/?owner=4"),
    (with_filters(OWNER), {"owner": None}, "selected row", "/depot/parcels/1/?owner="),
    (with_filters(OWNER), {"owner": 4}, "excluded row", "/depot/parcels/1/?owner="),
    (with_filters(OWNER), {"owner": None}, "excluded row", "every owner selects the first parcel"),
    (
        with_filters(OWNER),
        {"owner": "x"},
        "selected row",
        "the first parcel has an undocumented owner",
    ),
    (with_filters(OWNER, *LIST.filters), {}, "refused filter", "/depot/parcels/1/?size=bogus"),
    (contract(LIST._replace(orderings=())), {}, "descending", "the list has no ordering"),
    (contract(LIST._replace(orderings=())), {}, "ties ascending", "the list has no tied ordering"),
    (contract(LIST._replace(orderings=("id",))), {}, "ties ascending", "the list has no tied ordering"),
    (contract(LIST._replace(orderings=("id",))), {}, "nulls ascending", "the list has no nullable ordering"),
    (contract(), {}, "ties descending", "/depot/parcels/?ordering=-size&page_size=20"),
    (
        with_field("is_paid", type="boolean"),
        {},
        "ties ascending",
        "/depot/parcels/?ordering=is_paid&page_size=20",
    ),
    (with_field("note", type="string"), {}, "ties ascending", "/depot/parcels/?ordering=weight&page_size=20"),
    (
        with_field("note", type=["string", "null"]),
        {},
        "nulls ascending",
        "/depot/parcels/?ordering=note&page_size=1",
    ),
    (contract(), {}, "not null", "the list has no filter without nulls"),
    (
        contract(resource=Resource("parcels", "parcel", schema="parcel", lifecycle=LIFECYCLE)),
        {},
        "not null",
        "/depot/parcels/?size=very+large&page_size=1",
    ),
    (contract(LIST._replace(paging=None)), {}, "large page", "/depot/parcels/?page_size=101"),
    (contract(LIST._replace(path="/parcels/")), {}, "unknown route", "/mock-webshare-probe/"),
    (contract(LIST._replace(path="/v1/a/b/parcels/")), {}, "unknown route", "/v1/a/mock-webshare-probe/"),
    (
        contract(LIST),
        {"id": "x"},
        "descending",
        "the response to GET /depot/parcels/ is not a page of parcels",
    ),
    (
        contract(fields={**PARCEL, "id": {"type": "string"}}),
        {"id": "a/b é"},
        "refused filter",
        "/depot/parcels/a%2Fb%20%C3%A9/?size=bogus",
    ),
]


@pytest.mark.parametrize(("probed", "changed", "request_name", "target"), KINDS)
def test_a_request_is_made_of_what_the_contract_has(
    probed: Contract, changed: dict[str, Any], request_name: str, target: str
) -> None:
    assert targets(probed, parcel(1) | changed)[request_name] == target


def test_a_contract_without_a_list_cannot_be_probed() -> None:
    with pytest.raises(UsageError, match="the contract has no list"):
        Subject(contract(DETAIL))


async def test_a_poor_contract_leaves_rules_open_and_breaks_none() -> None:
    service = Service()
    poor = LIST._replace(filters=(), orderings=())
    findings = await probe(service, contract(poor, fields={"id": {"type": "integer"}}))
    assert outcomes(findings, Outcome.BROKEN) == set()
    open_rules = {each for each in RULES if each.startswith(("object.", "order.", "detail."))}
    assert outcomes(findings, Outcome.UNDECIDABLE) == open_rules - {"object.size", "order.default"}
    assert why(findings, "object.microseconds") == "the list has no dates"
    assert not [each for each in service.targets if "ordering=-" in each or "size=bogus" in each]


@pytest.mark.parametrize("is_null", [True, False])
async def test_nulls_that_no_filter_counts_and_no_end_shows_are_not_decidable(is_null: bool) -> None:
    service = Service()
    service.rows = [row for row in service.rows if (row["sent_at"] is None) is is_null]
    findings = await probe(service)
    assert "order.nulls" in outcomes(findings, Outcome.UNDECIDABLE)
    assert why(findings, "order.nulls").endswith("do not show both nulls and other values")
