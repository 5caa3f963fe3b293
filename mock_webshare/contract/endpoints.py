"""The contract of Webshare: one row for each endpoint and resource."""

from __future__ import annotations

from mock_webshare.contract.model import (
    ERRORS,
    Conditional,
    Contract,
    DateOrder,
    Endpoint,
    Filter,
    Input,
    Kind,
    Lifecycle,
    Paging,
    Reference,
    Resource,
    Write,
)
from mock_webshare.contract.operations import OPERATIONS
from mock_webshare.contract.rules import RULES
from mock_webshare.contract.schemas import SERVICE_SCHEMAS

ORIGIN = "https://proxy.webshare.io"
API_ROOT = "/api/v2/"
PENDING_DAYS = 30
"""The days for which a credit stays pending (documented: `referral_payment_pending_days`, "30 00:00:00")."""

PAYMENT_FAILED = "The PayPal account cannot receive payments."
"""Why a payment failed, where the user gives no reason; the service's own texts are not documented."""
MODES = ("payout", "credits")
STATUSES = ("pending", "available", "reverted")

PAGES = Paging(page_size=25, max_page_size=100)
"""The pages of each list; that no page has more than 100 rows is assumed."""
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
_OPEN_RULES = (
    "wire.json", "wire.indent", "wire.allow", "wire.accept", "wire.head", "error.detail", "error.kinds",
    "route.slash", "route.unknown", "route.methods", "route.options", "route.order",
)
_ROUTE_RULES = (*_OPEN_RULES, "auth.token", "auth.unauthorized", "limit.rate", "limit.retry-after")
_PAGE_RULES = (
    "list.envelope", "list.count", "list.links", "list.links-query", "list.links-origin", "list.walk",
    "list.complete", "order.default",
)
_LIST_RULES = (*_PAGE_RULES, "order.fields", "order.unknown", "order.ties", "order.nulls")
_DETAIL_RULES = ("detail.id", "detail.not-found", "detail.filters")
_OBJECT_RULES = (
    "object.fields", "object.new-fields", "object.amount-form", "object.integer-form", "object.dates",
    "object.microseconds", "object.date-order", "object.past-dates", "object.updated-at", "object.same",
    "object.constant",
)
_CREDIT_RULES = (
    *_OBJECT_RULES, "object.older-edition", "object.amount", "object.mode", "object.status",
    "object.reverted", "object.channel", "object.copy", "object.pending", "object.lifecycle",
)
_CONFIG_RULES = (
    *_OBJECT_RULES, "config.payout", "config.terms", "config.totals", "config.earn-out-date", "body.errors",
    "body.types",
)
_CHANNEL_RULES = (*_OBJECT_RULES, "object.copy", "channel.array", "channel.decimals", "channel.dates")
_EARNOUT_RULES = (*_OBJECT_RULES, "earnout.mode", "earnout.status", "earnout.error")
_CODE_RULES = (
    "object.fields", "object.new-fields", "detail.id", "code.open", "code.unknown", "filter.errors",
)
_COUPON_RULES = (
    "object.fields", "object.new-fields", "coupon.null", "coupon.apply", "coupon.errors", "coupon.remove",
    "limit.coupon", "body.errors", "body.types",
)
# fmt: on

_WRITE_ERRORS = tuple(sorted({**dict(ERRORS), 400: "body-errors", 415: "error-detail"}.items()))

CREDIT_LIST = Endpoint(
    path=API_ROOT + "referral/credit/",
    kind=Kind.LIST,
    resource="credits",
    schema="referral-credit-page",
    signs=("user_id", "reverted_at"),
    view_name="Referral Credit List",
    rules=_ROUTE_RULES + _LIST_RULES + _CREDIT_RULES,
    filters=CREDIT_FILTERS,
    orderings=("id", "mode", "amount", "status", "created_at", "updated_at", "reverted_at"),
    paging=PAGES,
)

CREDIT_DETAIL = Endpoint(
    path=API_ROOT + "referral/credit/{id}/",
    kind=Kind.DETAIL,
    resource="credits",
    schema="referral-credit",
    signs=("user_id", "reverted_at"),
    view_name="Referral Credit Instance",
    rules=_ROUTE_RULES + _DETAIL_RULES + _CREDIT_RULES,
    filters=CREDIT_FILTERS,
)

CONFIG = Endpoint(
    path=API_ROOT + "referral/config/",
    kind=Kind.OBJECT,
    resource="config",
    schema="referral-config",
    signs=("referral_url", "next_earn_out_date"),
    view_name="Referral Config",
    rules=_ROUTE_RULES + _CONFIG_RULES,
    methods=("GET", "PATCH", "HEAD", "OPTIONS"),
    errors=_WRITE_ERRORS,
    writes=(
        Write(
            "PATCH",
            inputs=(
                Input("mode", "choice", choices=MODES),
                Input("paypal_payout_email", "email", is_nullable=True, max_length=254),
            ),
            is_partial=True,
        ),
    ),
)

CHANNEL_LIST = Endpoint(
    path=API_ROOT + "referral/channel/",
    kind=Kind.ARRAY,
    resource="channels",
    schema="referral-channel-list",
    view_name="Referral Channel List",
    rules=_ROUTE_RULES + _CHANNEL_RULES,
)

EARNOUT_LIST = Endpoint(
    path=API_ROOT + "referral/earnout/",
    kind=Kind.LIST,
    resource="earnouts",
    schema="referral-earnout-page",
    view_name="Referral Earnout List",
    rules=_ROUTE_RULES + _PAGE_RULES + _EARNOUT_RULES,
    paging=PAGES,
)

EARNOUT_DETAIL = Endpoint(
    path=API_ROOT + "referral/earnout/{id}/",
    kind=Kind.DETAIL,
    resource="earnouts",
    schema="referral-earnout",
    signs=("error_reason",),
    view_name="Referral Earnout Instance",
    rules=(*_ROUTE_RULES, "detail.id", "detail.not-found", *_EARNOUT_RULES),
)

CODE_INFO = Endpoint(
    path=API_ROOT + "referral/code/info/",
    kind=Kind.LOOKUP,
    resource="config",
    schema="referral-code-info",
    signs=("referral_code",),
    view_name="Referral Code Info",
    rules=_OPEN_RULES + _CODE_RULES,
    is_open=True,
    lookup=Input("referral_code"),
)

COUPON_CODE = Endpoint(
    path=API_ROOT + "referral/coupon-code/",
    kind=Kind.OBJECT,
    resource="applied_coupon",
    schema="referral-coupon-code",
    signs=("is_recurring",),
    view_name="Referral Coupon Code",
    rules=_ROUTE_RULES + _COUPON_RULES,
    methods=("GET", "POST", "DELETE", "HEAD", "OPTIONS"),
    errors=_WRITE_ERRORS,
    writes=(
        Write("POST", inputs=(Input("code", max_length=100),), rate="5/min"),
        Write("DELETE", status=204),
    ),
)

CREDITS = Resource(
    name="credits",
    singular="credit",
    schema="referral-credit",
    references=(
        Reference("referral_channel", "channels", "referral_channel_code", source="code", is_unique=True),
    ),
    lifecycle=Lifecycle(
        field="status",
        pending="pending",
        ripe="available",
        ended="reverted",
        ended_at="reverted_at",
        period=PENDING_DAYS,
        period_field=("config", "referral_payment_pending_days"),
        end="revert",
        # Whether an available credit can be reverted is not documented.
        moves={"pending": ("available", "reverted"), "available": ("reverted",), "reverted": ()},
    ),
    date_orders=(DateOrder(("created_at", "reverted_at", "updated_at")),),
    constant={"mode": "object.mode", "user_id": "object.constant", "created_at": "object.constant"},
    defaults={"mode": "payout", "amount": 2.5, "status": "pending"},
    amount="amount",
    numbered=("id", "user_id"),
    later=frozenset({"referral_channel", "referral_channel_code"}),
    older=frozenset({
        "id", "user_id", "mode", "amount", "status", "referral_channel", "referral_channel_code",
        "created_at", "updated_at", "reverted_at",
    }),
    own={
        "price": {
            "description": "What the user has paid; null: what earns the amount at the user's rate.",
            "type": ["number", "null"],
            "examples": [None, 12.5],
        }
    },
)  # fmt: skip
CHANNELS = Resource(
    name="channels",
    singular="channel",
    schema="referral-channel",
    defaults={
        "description": "",
        "promo_type": "percent_off",
        "promo_value": "0.20",
        "is_active": True,
        "is_recurring": False,
        "initial_rate": "0.20",
        "ongoing_rate": "0.10",
        "initial_rate_period_days": 365,
        "max_earnings_per_referred": "100.00",
    },
    older=frozenset({"id", "code"}),
    ahead={"start_date": None, "end_date": None},
    date_orders=(DateOrder(("start_date", "end_date"), rule="channel.dates"),),
    constant={"created_at": "object.constant"},
    computed=("total_uses", "total_commission", "total_revenue"),
)
AFFILIATE = Resource(
    name="config",
    singular="config",
    schema="referral-config",
    is_object=True,
    totals={"payouts_earned": "total_payouts_earned", "credits_earned": "total_credits_earned"},
    # If the documentation has an example of a field, the value here is the example.
    defaults={
        "id": 1,
        "mode": "payout",
        "paypal_payout_email": "affiliate@example.com",
        "id_verification_required": False,
        "earn_out_frequency": "7 00:00:00",
        "minimum_earn_out_amount": 10.0,
        "referral_code": "8k2hmp4xq7wd",
        "referral_url": "https://www.webshare.io/?referral_code=8k2hmp4xq7wd",
        "referral_maximum_credits": 100.0,
        "referral_credit_ratio": 0.2,
        "referral_payment_pending_days": f"{PENDING_DAYS} 00:00:00",
        "promo_type": "first_time_percent_off",
        "promo_value": 10,
        "initial_rate": 0.2,
        "ongoing_rate": 0.1,
        "initial_rate_period_days": 365,
        "max_earnings_per_referred": 100.0,
        "earnout_processing_time": "2 00:00:00",
    },
    numbered=(),
    ahead={"next_earn_out_date": "earn_out_frequency"},
    date_orders=(
        DateOrder(("created_at", "updated_at")),
        DateOrder(("created_at", "next_earn_out_date"), rule="config.earn-out-date"),
    ),
    constant={"id": "object.constant", "created_at": "object.constant"},
    older=frozenset(),
    computed=(
        "credits_earned", "payouts_earned", "total_credits_earned", "total_payouts_earned",
        "number_of_users_referred", "number_of_users_upgraded",
    ),
    own={
        "earnout_processing_time": {
            "description": "How long an earn-out is processing; the service does not document it.",
            "type": "string",
            "pattern": "^([0-9]{1,6} )?[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{6})?$",
            "examples": ["2 00:00:00"],
        }
    },
)  # fmt: skip
EARNOUTS = Resource(
    name="earnouts",
    singular="earnout",
    schema="referral-earnout",
    defaults={
        "mode": "payout",
        "paypal_payout_email": "affiliate@example.com",
        "amount": 10.0,
        "status": "completed",
        "credits": [],
    },
    counted_by="status",
    amount="amount",
    date_orders=(DateOrder(("created_at", "updated_at")),),
    conditionals=(
        Conditional("error_reason", "status", "failed", default=PAYMENT_FAILED),
        Conditional("paypal_payout_email", "mode", "payout"),
    ),
    constant={"created_at": "object.constant"},
    older=frozenset(),
    own={
        "credits": {
            "description": "The ids of the credits that were paid; a failed earn-out gives them back.",
            "type": "array",
            "examples": [[]],
        }
    },
)
APPLIED_COUPON = Resource(
    name="applied_coupon",
    singular="applied_coupon",
    schema="applied-coupon",
    references=(Reference("coupon", "coupons", copy="code", source="code"),),
    is_object=True,
    numbered=(),
    older=frozenset(),
)
COUPONS = Resource(
    name="coupons",
    singular="coupon",
    schema="coupon",
    defaults={
        "description": "",
        "promo_type": "percent_off",
        "promo_value": "0.20",
        "is_active": True,
        "is_recurring": False,
        "is_redeemed": False,
    },
    ahead={"end_date": None},
    older=frozenset(),
)

WEBSHARE = Contract(
    endpoints=(
        CREDIT_LIST, CREDIT_DETAIL, CONFIG, CHANNEL_LIST, EARNOUT_LIST, EARNOUT_DETAIL, CODE_INFO,
        COUPON_CODE,
    ),
    resources=(CREDITS, CHANNELS, AFFILIATE, EARNOUTS, APPLIED_COUPON, COUPONS),
    rules=RULES,
    schemas=SERVICE_SCHEMAS,
    operations=OPERATIONS,
    title="Webshare referral API",
    origin=ORIGIN,
)  # fmt: skip
"""The documented contract of the service, which every part of this package uses by default."""
