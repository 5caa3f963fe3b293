"""A contract that no vendor has: the test of the house is that it needs no code of the package.

Tickets have a list and a detail, and belong to teams; the profile is one object.
"""

from __future__ import annotations

from typing import Any

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import (
    Contract,
    DateOrder,
    Endpoint,
    Filter,
    Input,
    Kind,
    Paging,
    Reference,
    Resource,
    Write,
)
from mock_webshare.contract.schemas import Document, Schemas, data_path

BASE = "https://made-up.example/schemas"
DATE = "2026-03-02T08:30:00-08:00"


def _object(name: str, fields: dict[str, dict[str, Any]], example: dict[str, Any]) -> Document:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{BASE}/{name}.schema.json",
        "title": name.capitalize(),
        "x-rule": "object.fields",
        "x-provenance": "D",
        "type": "object",
        "required": list(fields),
        "properties": {
            field: {"x-rule": "object.fields", "x-provenance": "D", **schema}
            for field, schema in fields.items()
        },
        "examples": [example],
    }


TICKET = {
    "id": 1,
    "title": "Printer on fire",
    "priority": "high",
    "price": 9.5,
    "is_open": True,
    "team": 5,
    "team_name": "Hardware",
    "created_at": DATE,
    "updated_at": DATE,
    "closed_at": None,
}
PROFILE = {"name": "Ada", "plan": "free", "seats": 3, "renewed_at": DATE}
_DATE = {"type": "string", "format": "date-time", "x-rule": "object.dates"}

DOCUMENTS: dict[str, Document] = {
    "ticket": _object(
        "ticket",
        {
            "id": {"type": "integer"},
            "title": {"type": "string", "examples": ["Printer on fire"]},
            "priority": {"type": "string", "enum": ["low", "high"]},
            "price": {"type": "number"},
            "is_open": {"type": "boolean"},
            "team": {"type": ["integer", "null"]},
            "team_name": {"type": ["string", "null"]},
            "created_at": _DATE,
            "updated_at": _DATE,
            "closed_at": _DATE | {"type": ["string", "null"]},
        },
        TICKET,
    ),
    "ticket-page": {
        **WEBSHARE.schemas.document("referral-credit-page"),
        "$id": f"{BASE}/ticket-page.schema.json",
        "title": "Page of tickets",
        "properties": {
            **WEBSHARE.schemas.document("referral-credit-page")["properties"],
            "results": {"type": "array", "items": {"$ref": "ticket.schema.json"}},
        },
        "examples": [{"count": 1, "next": None, "previous": None, "results": [TICKET]}],
    },
    "team-page": {
        **WEBSHARE.schemas.document("referral-credit-page"),
        "$id": f"{BASE}/team-page.schema.json",
        "title": "Page of teams",
        "properties": {
            **WEBSHARE.schemas.document("referral-credit-page")["properties"],
            "results": {"type": "array", "items": {"$ref": "team.schema.json"}},
        },
        "examples": [
            {"count": 1, "next": None, "previous": None, "results": [{"id": 5, "name": "Hardware"}]}
        ],
    },
    "team": _object(
        "team",
        {"id": {"type": "integer"}, "name": {"type": "string", "minLength": 1}},
        {"id": 5, "name": "Hardware"},
    ),
    "profile": _object(
        "profile",
        {
            "name": {"type": "string"},
            "plan": {"type": "string", "enum": ["free", "paid"]},
            "seats": {"type": "integer"},
            "renewed_at": _DATE,
        },
        PROFILE,
    ),
}

_CHOICE = ("filter.and", "filter.errors", "filter.unknown")
_RULES = tuple(
    rule
    for rule in WEBSHARE.endpoints[0].rules + WEBSHARE.endpoints[1].rules
    if rule.partition(".")[0] != "object"
)
_FILTERS = (
    Filter("priority", choices=("low", "high"), rules=_CHOICE),
    Filter("team", resource="teams", rules=(*_CHOICE, "filter.no-channel", "filter.own-channel")),
)
OF_CREDITS = (
    "object.older-edition", "object.amount", "object.mode", "object.status", "object.reverted",
    "object.channel", "object.pending", "object.lifecycle",
)  # fmt: skip
"""The rules of the service that are about credits alone."""

TICKETS = Endpoint(
    path="/api/v9/desk/ticket/",
    kind=Kind.LIST,
    resource="tickets",
    schema="ticket-page",
    view_name="Ticket List",
    rules=_RULES,
    filters=_FILTERS,
    orderings=("id", "title", "price", "created_at", "closed_at"),
    paging=Paging(page_size=25, max_page_size=100),
)
TICKET_DETAIL = Endpoint(
    path="/api/v9/desk/ticket/{id}/",
    kind=Kind.DETAIL,
    resource="tickets",
    schema="ticket",
    view_name="Ticket Instance",
    rules=_RULES,
    filters=_FILTERS,
)
PROFILE_OBJECT = Endpoint(
    path="/api/v9/desk/profile/",
    kind=Kind.OBJECT,
    resource="profile",
    schema="profile",
    view_name="Profile",
    rules=_RULES,
    methods=("GET", "PATCH", "HEAD", "OPTIONS"),
    writes=(Write("PATCH", inputs=(Input("plan", "choice", choices=("free", "paid")),), is_partial=True),),
)

MADE_UP = Contract(
    endpoints=(TICKETS, TICKET_DETAIL, PROFILE_OBJECT),
    resources=(
        Resource(
            name="tickets",
            singular="ticket",
            schema="ticket",
            references=(Reference("team", "teams", copy="team_name", source="name"),),
            date_orders=(DateOrder(("created_at", "closed_at")), DateOrder(("created_at", "updated_at"))),
            constant={"created_at": "object.constant"},
            defaults={"title": "Untitled", "priority": "low", "price": 1.5, "is_open": True},
        ),
        Resource(name="profile", singular="profile", schema="profile", is_object=True, numbered=()),
        Resource(name="teams", singular="team", schema="team"),
    ),
    rules=[rule for rule in WEBSHARE.rules.values() if rule.id not in OF_CREDITS],
    schemas=Schemas(data_path("schemas"), documents=DOCUMENTS),
    title="Help desk",
    origin="https://desk.example",
)


def data_set(tickets: int = 30) -> dict[str, Any]:
    """Return a data set of the made-up service, as JSON data."""
    return {
        "now": "2026-03-16T09:00:00-07:00",
        "tickets": [
            {
                **TICKET,
                "id": 2 * number,
                "title": f"Ticket {number % 7}",
                "priority": "high" if number % 3 else "low",
                "price": number / 4,
                "is_open": number % 2 == 0,
                "team": None if number % 5 == 0 else 5,
                "team_name": None if number % 5 == 0 else "Hardware",
                "closed_at": DATE if number % 2 else None,
            }
            for number in range(1, tickets + 1)
        ],
        "profile": PROFILE,
        "teams": [{"id": 5, "name": "Hardware"}, {"id": 6, "name": "Software"}],
    }
