"""The endpoints of the service, a row each.

The server executes these rows, and the judge checks recordings against the schemas that they name.
"""

from __future__ import annotations

from mock_webshare.contract.model import Endpoint, Filter, Paging

API_ROOT = "/api/v2/"
SERVICE_ZONE = "America/Los_Angeles"
"""The zone in which the service writes every date (documented by its examples)."""

PENDING_DAYS = 30
"""For how long a credit stays pending (documented: `referral_payment_pending_days`, "30 00:00:00")."""


MODES = ("payout", "credits")
STATUSES = ("pending", "available", "reverted")

_CHOICE_RULES = ("filter.and", "filter.errors", "filter.unknown")
CREDIT_FILTERS = (
    Filter("mode", choices=MODES, rules=_CHOICE_RULES),
    Filter("status", choices=STATUSES, rules=_CHOICE_RULES),
    Filter(
        "referral_channel",
        collection="channels",
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
    collection="credits",
    schema="referral-credit-page",
    view_name="Referral Credit List",
    rules=_ROUTE_RULES + _LIST_RULES + _CREDIT_RULES,
    filters=CREDIT_FILTERS,
    orderings=("id", "mode", "amount", "status", "created_at", "updated_at", "reverted_at"),
    paging=Paging(),
)

CREDIT_DETAIL = Endpoint(
    path=API_ROOT + "referral/credit/{id}/",
    collection="credits",
    schema="referral-credit",
    view_name="Referral Credit Instance",
    rules=_ROUTE_RULES + _DETAIL_RULES + _CREDIT_RULES,
    filters=CREDIT_FILTERS,
)

ENDPOINTS = (CREDIT_LIST, CREDIT_DETAIL)
