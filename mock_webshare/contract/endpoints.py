"""The contract of Webshare: one row for each endpoint and resource."""

from __future__ import annotations

from mock_webshare.contract.model import (
    Contract,
    Endpoint,
    Filter,
    Kind,
    Lifecycle,
    Paging,
    Reference,
    Resource,
)
from mock_webshare.contract.operations import OPERATIONS
from mock_webshare.contract.rules import RULES
from mock_webshare.contract.schemas import SERVICE_SCHEMAS

API_ROOT = "/api/v2/"
PENDING_DAYS = 30
"""The days for which a credit stays pending (documented: `referral_payment_pending_days`, "30 00:00:00")."""


MODES = ("payout", "credits")
STATUSES = ("pending", "available", "reverted")

_CHOICE_RULES = ("filter.and", "filter.errors", "filter.unknown")
CREDIT_FILTERS = (
    Filter("mode", choices=MODES, rules=_CHOICE_RULES),
    Filter("status", choices=STATUSES, rules=_CHOICE_RULES),
    Filter(
        "referral_channel",
        resource="channels",
        rules=(*_CHOICE_RULES, "filter.no-channel", "filter.own-channel"),
    ),
)

# fmt: off
_ROUTE_RULES = (
    "wire.json", "wire.indent", "wire.allow", "wire.accept", "wire.head", "error.detail", "error.kinds",
    "auth.token", "auth.unauthorized", "route.slash", "route.unknown", "route.methods", "route.options",
    "route.order", "limit.rate", "limit.retry-after",
)
_LIST_RULES = (
    "list.envelope", "list.count", "list.links", "list.links-query", "list.links-origin", "list.walk",
    "order.fields", "order.unknown", "order.default", "order.ties", "order.nulls",
)
_DETAIL_RULES = ("detail.id", "detail.not-found", "detail.filters")
_CREDIT_RULES = (
    "object.fields", "object.new-fields", "object.older-edition", "object.amount", "object.amount-form",
    "object.mode", "object.status", "object.reverted", "object.channel", "object.dates",
    "object.microseconds", "object.pending", "object.lifecycle", "object.updated-at", "object.same",
)
# fmt: on

CREDIT_LIST = Endpoint(
    path=API_ROOT + "referral/credit/",
    kind=Kind.LIST,
    resource="credits",
    schema="referral-credit-page",
    view_name="Referral Credit List",
    rules=_ROUTE_RULES + _LIST_RULES + _CREDIT_RULES,
    filters=CREDIT_FILTERS,
    orderings=("id", "mode", "amount", "status", "created_at", "updated_at", "reverted_at"),
    paging=Paging(),
)

CREDIT_DETAIL = Endpoint(
    path=API_ROOT + "referral/credit/{id}/",
    kind=Kind.DETAIL,
    resource="credits",
    schema="referral-credit",
    view_name="Referral Credit Instance",
    rules=_ROUTE_RULES + _DETAIL_RULES + _CREDIT_RULES,
    filters=CREDIT_FILTERS,
)

CREDITS = Resource(
    name="credits",
    singular="credit",
    schema="referral-credit",
    references=(Reference("referral_channel", "channels", copy="referral_channel_code", source="code"),),
    lifecycle=Lifecycle(
        field="status",
        pending="pending",
        ripe="available",
        ended="reverted",
        ended_at="reverted_at",
        period=PENDING_DAYS,
        end="revert",
        # Whether an available credit can be reverted is not documented.
        moves={"pending": ("available", "reverted"), "available": ("reverted",), "reverted": ()},
        constant=("mode",),
    ),
    defaults={"mode": "payout", "amount": 2.5, "status": "pending"},
    numbered=("id", "user_id"),
    signs=("user_id", "reverted_at"),
    later=frozenset({"referral_channel", "referral_channel_code"}),
)
CHANNELS = Resource(name="channels", singular="channel", schema="channel")

WEBSHARE = Contract(
    endpoints=(CREDIT_LIST, CREDIT_DETAIL),
    resources=(CREDITS, CHANNELS),
    rules=RULES,
    schemas=SERVICE_SCHEMAS,
    operations=OPERATIONS,
)
"""The documented contract of the service, which every part of this package uses by default."""
