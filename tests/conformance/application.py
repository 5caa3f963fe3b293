"""The reference application: the referral credits written with the framework itself.

`reference.py` configures Django before it imports this module; `urls.py` has the routes.
Everything here is the framework's default unless the contract's introduction says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F
from django_filters import rest_framework as filters
from rest_framework import serializers, viewsets
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.filters import OrderingFilter
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.throttling import UserRateThrottle
from rest_framework.views import exception_handler

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models.expressions import OrderBy
    from rest_framework.request import Request
    from rest_framework.response import Response

UNKNOWN_KEY = "invalid"
CALLER, STRANGER = "caller", "stranger"
FOREIGN_CHANNEL = 9001
"""The id of a channel that exists and belongs to somebody else."""
LIMITER = "reference.limiter"
"""The key under which a server hands its `Limiter`, or None for no limit, to each request."""


class Channel(models.Model):
    """A coupon code, whose it is, and what it has brought in."""

    owner = models.CharField(max_length=20)
    code = models.CharField(max_length=100)
    description = models.TextField()
    promo_type = models.CharField(max_length=20)
    promo_value = models.DecimalField(max_digits=12, decimal_places=2)
    is_active = models.BooleanField()
    is_recurring = models.BooleanField()
    start_date = models.DateTimeField()
    end_date = models.DateTimeField(null=True)
    total_uses = models.IntegerField()
    total_commission = models.FloatField()
    total_revenue = models.FloatField()
    initial_rate = models.DecimalField(max_digits=12, decimal_places=2)
    ongoing_rate = models.DecimalField(max_digits=12, decimal_places=2)
    initial_rate_period_days = models.IntegerField()
    max_earnings_per_referred = models.DecimalField(max_digits=12, decimal_places=2)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "reference"


class ReferralCredit(models.Model):
    """One credit; its name is part of the text of a 404."""

    user_id = models.IntegerField()
    mode = models.CharField(max_length=20)
    amount = models.FloatField()
    status = models.CharField(max_length=20)
    referral_channel = models.ForeignKey(Channel, null=True, on_delete=models.PROTECT)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    reverted_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "reference"


class ReferralCreditSerializer(serializers.ModelSerializer):
    """The ten documented fields, in the documented order."""

    referral_channel_code = serializers.CharField(
        source="referral_channel.code", allow_null=True, read_only=True
    )

    class Meta:
        model = ReferralCredit
        fields = (
            "id",
            "user_id",
            "mode",
            "amount",
            "status",
            "referral_channel",
            "referral_channel_code",
            "created_at",
            "updated_at",
            "reverted_at",
        )


@dataclass(frozen=True, slots=True)
class User:
    """The owner of a key; every key is a user of its own, with the same credits."""

    pk: str
    is_authenticated: bool = True


class KeyAuthentication(TokenAuthentication):
    """`Token <key>`, where the table of keys holds every key but one."""

    def authenticate_credentials(self, key: str) -> tuple[User, str]:
        if key == UNKNOWN_KEY:
            raise AuthenticationFailed("Invalid token.")
        return User(key), key


class Histories(dict[str, list[float]]):
    """When each key has called, with as much of Django's cache as a throttle uses.

    Entries do not expire by the wall clock: a throttle drops what is too old by its own timer.
    """

    def set(self, key: str, history: list[float], duration: int) -> None:
        """Keep a key's history; `duration` is how long it would matter."""
        self[key] = history


@dataclass(frozen=True, slots=True)
class Limiter:
    """What the throttle of one server counts with."""

    timer: Callable[[], float]
    histories: Histories


class KeyThrottle(UserRateThrottle):
    """240 requests a minute for each key, counted by the server's own timer."""

    rate = "240/min"

    def allow_request(self, request: Request, view: object) -> bool:
        limiter: Limiter | None = request.META[LIMITER]
        if limiter is None:
            return True
        self.timer, self.cache = limiter.timer, limiter.histories
        return bool(super().allow_request(request, view))


class CreditPagination(PageNumberPagination):
    """The documented 25 rows a page, and the assumed limit."""

    page_size = 25
    page_size_query_param = "page_size"
    max_page_size = 100


def own_channels(request: Request) -> models.QuerySet[Channel]:
    """Return the channels that the caller of a request owns."""
    return Channel.objects.filter(owner=CALLER)


class CreditFilter(filters.FilterSet):
    """The three documented filters, in the order in which their errors are reported."""

    mode = filters.ChoiceFilter(choices=[(value, value) for value in ("payout", "credits")])
    status = filters.ChoiceFilter(choices=[(value, value) for value in ("pending", "available", "reverted")])
    # django-filter reads `null_value` only where a `null_label` is set.
    referral_channel = filters.ModelChoiceFilter(queryset=own_channels, null_value="", null_label="none")


class PostgresOrderingFilter(OrderingFilter):
    """The framework's ordering, with PostgreSQL's place for nulls and ties broken by id."""

    def filter_queryset(
        self, request: Request, queryset: models.QuerySet[Any], view: object
    ) -> models.QuerySet[Any]:
        terms = self.get_ordering(request, queryset, view)
        return queryset.order_by(*map(_as_postgres, terms), "id")


def _as_postgres(term: str) -> OrderBy:
    """Return `amount` or `-amount` with nulls last ascending and first descending."""
    if term.startswith("-"):
        return F(term[1:]).desc(nulls_first=True)
    return F(term).asc(nulls_last=True)


def full_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """Respond to an error as the framework does, but field errors as `message` and `code`."""
    if isinstance(error, ValidationError):
        error.detail = error.get_full_details()
    return exception_handler(error, context)


class ReferralCreditViewSet(viewsets.ReadOnlyModelViewSet):
    # The list and the single credit. A docstring would appear in the responses to OPTIONS.
    queryset = ReferralCredit.objects.select_related("referral_channel")
    serializer_class = ReferralCreditSerializer
    authentication_classes = (KeyAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (KeyThrottle,)
    renderer_classes = (JSONRenderer,)
    pagination_class = CreditPagination
    filter_backends = (filters.DjangoFilterBackend, PostgresOrderingFilter)
    filterset_class = CreditFilter
    ordering_fields = ("id", "mode", "amount", "status", "created_at", "updated_at", "reverted_at")
    ordering = ("id",)
