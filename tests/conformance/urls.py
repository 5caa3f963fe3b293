"""The routes of the reference application; Django imports this module as its URL configuration."""

from __future__ import annotations

from django.urls import include, path
from rest_framework import routers

from tests.conformance.application import ReferralCreditViewSet
from tests.conformance.family import (
    ReferralChannelViewSet,
    ReferralCodeInfoView,
    ReferralConfigView,
    ReferralCouponCodeView,
    ReferralEarnoutViewSet,
)

router = routers.SimpleRouter()
router.register("referral/credit", ReferralCreditViewSet)
router.register("referral/channel", ReferralChannelViewSet)
router.register("referral/earnout", ReferralEarnoutViewSet)
referral = [
    *router.urls,
    path("referral/config/", ReferralConfigView.as_view()),
    path("referral/code/info/", ReferralCodeInfoView.as_view()),
    path("referral/coupon-code/", ReferralCouponCodeView.as_view()),
]
urlpatterns = [path("api/v2/", include(referral))]
