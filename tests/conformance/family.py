"""The rest of the reference application: config, channels, earn-outs, code info and coupon code.

The credits' decisions hold here too. Every key has a config and an applied coupon code of its own, so a
request that changes them concerns no other key.
"""

# mypy: allow-subclassing-any
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import models
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import ErrorDetail, NotFound, ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.conformance.application import (
    Channel,
    CreditPagination,
    KeyAuthentication,
    KeyThrottle,
    own_channels,
)

if TYPE_CHECKING:
    from datetime import datetime

    from rest_framework.request import Request

ACCOUNTS = "reference.accounts"
"""The key under which a server hands its `Accounts` to each request."""


class ReferralEarnout(models.Model):
    """One earn-out; its name is part of the text of a 404."""

    mode = models.CharField(max_length=20)
    paypal_payout_email = models.CharField(max_length=254, null=True)
    amount = models.FloatField()
    status = models.CharField(max_length=20)
    error_reason = models.TextField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "reference"


@dataclass(slots=True)
class Account:
    """What one key can change: its config, and the coupon code applied to it or None."""

    config: dict[str, Any]
    coupon: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of the keys that have called, and what each begins with."""

    config: dict[str, Any]
    applied_code: str | None
    coupons: list[dict[str, Any]]
    now: datetime
    _by_key: dict[str, Account] = field(default_factory=dict)

    def account(self, key: str) -> Account:
        """Return the account of a key, which at first has the initial state."""
        applied = self.coupon(self.applied_code) if self.applied_code is not None else None
        return self._by_key.setdefault(key, Account(dict(self.config), applied))

    def coupon(self, code: str) -> dict[str, Any] | None:
        """Return another affiliate's coupon code, in any case, or None."""
        return next((each for each in self.coupons if is_same_code(each["code"], code)), None)


def is_same_code(code: str, other: str) -> bool:
    """Return whether two coupon codes are the same but for their case."""
    return code.upper() == other.upper()


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.META[ACCOUNTS]
    return accounts


def _account(request: Request) -> Account:
    return _accounts(request).account(request.user.pk)


class ReferralChannelSerializer(serializers.ModelSerializer):
    """The fields in the documented order."""

    class Meta:
        model = Channel
        fields = (
            "id",
            "code",
            "description",
            "promo_type",
            "promo_value",
            "is_active",
            "is_recurring",
            "start_date",
            "end_date",
            "total_uses",
            "total_commission",
            "total_revenue",
            "initial_rate",
            "ongoing_rate",
            "initial_rate_period_days",
            "max_earnings_per_referred",
            "created_at",
        )


class ReferralEarnoutSerializer(serializers.ModelSerializer):
    """The fields in the documented order."""

    class Meta:
        model = ReferralEarnout
        fields = (
            "id",
            "mode",
            "paypal_payout_email",
            "amount",
            "status",
            "error_reason",
            "created_at",
            "updated_at",
        )


class ReferralConfigSerializer(serializers.Serializer):
    """The fields in the documented order; two of them can be written."""

    id = serializers.IntegerField(read_only=True)
    mode = serializers.ChoiceField(choices=("payout", "credits"))
    # As long as an e-mail address of Django's models.
    paypal_payout_email = serializers.EmailField(allow_null=True, max_length=254)
    id_verification_required = serializers.BooleanField(read_only=True)
    credits_earned = serializers.FloatField(read_only=True)
    payouts_earned = serializers.FloatField(read_only=True)
    total_credits_earned = serializers.FloatField(read_only=True)
    total_payouts_earned = serializers.FloatField(read_only=True)
    number_of_users_referred = serializers.IntegerField(read_only=True)
    number_of_users_upgraded = serializers.IntegerField(read_only=True)
    earn_out_frequency = serializers.DurationField(read_only=True)
    next_earn_out_date = serializers.DateTimeField(read_only=True)
    minimum_earn_out_amount = serializers.FloatField(read_only=True)
    referral_code = serializers.CharField(read_only=True)
    referral_url = serializers.CharField(read_only=True)
    referral_maximum_credits = serializers.FloatField(read_only=True)
    referral_credit_ratio = serializers.FloatField(read_only=True)
    referral_payment_pending_days = serializers.DurationField(read_only=True)
    promo_type = serializers.CharField(read_only=True)
    promo_value = serializers.IntegerField(read_only=True)
    initial_rate = serializers.FloatField(read_only=True)
    ongoing_rate = serializers.FloatField(read_only=True)
    initial_rate_period_days = serializers.IntegerField(read_only=True)
    max_earnings_per_referred = serializers.FloatField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse payout mode without an e-mail address."""
        result = {**self.instance, **attrs}
        if result["mode"] == "payout" and result["paypal_payout_email"] is None:
            error = ErrorDetail("This field is required in payout mode.", code="required")
            raise ValidationError({"paypal_payout_email": [error]})
        return attrs

    def update(self, instance: dict[str, Any], validated_data: dict[str, Any]) -> dict[str, Any]:
        """Change the config in place.

        `updated_at` is left as it was, because the clock of the mock is another one: to compare the
        responses of a changed config is to replace it in both (`wire.differences`, `is_updated`).
        """
        instance.update(validated_data)
        return instance


class ReferralCodeSerializer(serializers.Serializer):
    """The query of the code info."""

    referral_code = serializers.CharField()


class ReferralCodeInfoSerializer(serializers.Serializer):
    """What the config has for whoever follows a referral link."""

    referral_code = serializers.CharField()
    promo_type = serializers.CharField()
    promo_value = serializers.IntegerField()


class AppliedCouponSerializer(serializers.Serializer):
    """The coupon code applied to an account; without one every field is null."""

    code = serializers.CharField()
    promo_type = serializers.CharField()
    promo_value = serializers.DecimalField(max_digits=12, decimal_places=2)
    description = serializers.CharField()
    is_recurring = serializers.BooleanField()


class CouponCodeSerializer(serializers.Serializer):
    """A coupon code to be applied."""

    code = serializers.CharField(max_length=100)

    def validate_code(self, code: str) -> str:
        """Refuse a code that the account cannot apply, for the first reason that holds."""
        accounts = _accounts(self.context["request"])
        if any(is_same_code(each.code, code) for each in own_channels(self.context["request"])):
            raise ValidationError("You cannot use your own coupon code.", code="self_referral")
        coupon = accounts.coupon(code)
        if coupon is None:
            raise ValidationError("Coupon code not found.", code="not_found")
        if not coupon["is_active"]:
            raise ValidationError("This coupon code is not active.", code="code_inactive")
        if coupon["end_date"] is not None and coupon["end_date"] < accounts.now:
            raise ValidationError("This coupon code has expired.", code="code_expired")
        if coupon["is_redeemed"]:
            raise ValidationError("You have already redeemed this coupon code.", code="already_redeemed")
        return code


class ReferralChannelViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    # No docstrings in any view: they would appear in the responses to OPTIONS.
    queryset = Channel.objects.order_by("id")
    serializer_class = ReferralChannelSerializer
    authentication_classes = (KeyAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (KeyThrottle,)
    renderer_classes = (JSONRenderer,)

    def get_queryset(self) -> models.QuerySet[Channel]:
        return own_channels(self.request).order_by("id")


class ReferralEarnoutViewSet(viewsets.ReadOnlyModelViewSet):
    queryset = ReferralEarnout.objects.order_by("id")
    serializer_class = ReferralEarnoutSerializer
    authentication_classes = (KeyAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (KeyThrottle,)
    renderer_classes = (JSONRenderer,)
    pagination_class = CreditPagination


class ReferralConfigView(APIView):
    authentication_classes = (KeyAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (KeyThrottle,)
    renderer_classes = (JSONRenderer,)

    def get(self, request: Request) -> Response:
        return Response(ReferralConfigSerializer(_account(request).config).data)

    def patch(self, request: Request) -> Response:
        serializer = ReferralConfigSerializer(_account(request).config, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        serializer.save()
        return Response(serializer.data)


class ReferralCodeInfoView(APIView):
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    renderer_classes = (JSONRenderer,)

    def get(self, request: Request) -> Response:
        query = ReferralCodeSerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        config = _accounts(request).config
        if query.validated_data["referral_code"] != config["referral_code"]:
            raise NotFound
        return Response(ReferralCodeInfoSerializer(config).data)


class ReferralCouponCodeView(APIView):
    authentication_classes = (KeyAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (KeyThrottle,)
    renderer_classes = (JSONRenderer,)

    def get(self, request: Request) -> Response:
        coupon = _account(request).coupon
        if coupon is None:
            return Response(dict.fromkeys(AppliedCouponSerializer().fields))
        return Response(AppliedCouponSerializer(coupon).data)

    def post(self, request: Request) -> Response:
        serializer = CouponCodeSerializer(data=request.data, context={"request": request})
        serializer.is_valid(raise_exception=True)
        _account(request).coupon = _accounts(request).coupon(serializer.validated_data["code"])
        return self.get(request)

    def delete(self, request: Request) -> Response:
        account = _account(request)
        # A paid transaction has consumed a redeemed one: it stays.
        if account.coupon is not None and not account.coupon["is_redeemed"]:
            account.coupon = None
        return Response(status=204)
