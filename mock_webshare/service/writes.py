"""Writes: how the service changes an account, by its own endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mock_webshare.contract import messages
from mock_webshare.contract.endpoints import APPLIED_COUPON, CHANNELS, CONFIG, COUPON_CODE, COUPONS
from mock_webshare.contract.model import Write
from mock_webshare.service.framework import response as responses
from mock_webshare.service.framework import serializer
from mock_webshare.service.framework.query import FieldError
from mock_webshare.service.framework.request import Request, media_type
from mock_webshare.service.framework.response import Response
from mock_webshare.service.reasons import Reason
from mock_webshare.service.world.world import World

Change = Callable[[World, Mapping[str, Any]], FieldError | None]
"""Changes a world by the values of a body, or returns why not."""


def apply(world: World, request: Request, write: Write, body: bytes) -> Response | None:
    """Change a world as a request says, and return None; or return the response that refuses the request."""
    endpoint = request.endpoint
    assert endpoint
    try:
        content_type = request.headers.content_type or ""
        data = serializer.read_body(body, content_type) if write.inputs else {}
    except serializer.UnsupportedMediaType:
        text = messages.UNSUPPORTED_MEDIA_TYPE.format(content_type=content_type)
        return responses.detail(endpoint, 415, text, Reason.BAD_BODY, request.indent)
    except serializer.ParseError as error:
        return responses.detail(endpoint, 400, str(error), Reason.BAD_BODY, request.indent)
    except ValueError:
        return responses.html_page(400, Reason.BAD_BODY)
    except RecursionError:  # as in the framework
        return responses.html_page(500, Reason.BAD_BODY)
    except LookupError:  # `charset` names a codec that is not for text
        charset = media_type(content_type).params.get("charset")
        text = messages.UNSUPPORTED_CHARSET.format(charset=charset)
        return responses.detail(endpoint, 400, text, Reason.BAD_BODY, request.indent)
    values, errors = serializer.validate(write.inputs, data, is_partial=write.is_partial)
    change = CHANGES.get((endpoint.path, write.method)) or partial(_change, resource=endpoint.resource)
    if not errors and (problem := change(world, values)):
        errors = [problem]
    try:
        return responses.field_errors(endpoint, errors, request.indent) if errors else None
    except UnicodeEncodeError:  # a text repeats half a character; the framework fails too
        return responses.html_page(500, Reason.BAD_BODY)


def _change(world: World, values: Mapping[str, Any], *, resource: str) -> None:
    """Change the fields of the one object of a resource."""
    world.change(resource, **values)


def _configure(world: World, values: Mapping[str, Any]) -> FieldError | None:
    after = {**world.row(CONFIG.resource), **values}
    if after["mode"] == "payout" and after["paypal_payout_email"] is None:
        return FieldError("paypal_payout_email", messages.PAYOUT_EMAIL, "required")
    world.change(CONFIG.resource, **values)
    return None


def _apply_coupon(world: World, values: Mapping[str, Any]) -> FieldError | None:
    """Apply a coupon code of another affiliate, in any letter case; it replaces the code applied before."""
    code = values["code"].upper()

    def find(resource: str) -> Any:
        return next((row for row in world.rows(resource) if row.code.upper() == code), None)

    if refused := _refused(find(CHANNELS.name), find(COUPONS.name), world.now):
        return FieldError("code", messages.COUPON_ERRORS[refused], refused)
    world.change(APPLIED_COUPON.name, coupon=find(COUPONS.name).id)
    return None


def _refused(channel: Any, coupon: Any, now: int) -> str | None:
    """Return the code of the first reason to refuse a coupon code; None: it is not refused."""
    if channel is not None:
        return "self_referral"
    if coupon is None:
        return "not_found"
    if not coupon.is_active:
        return "code_inactive"
    if coupon.end_date is not None and coupon.end_date < now:
        return "code_expired"
    return "already_redeemed" if coupon.is_redeemed else None


def _remove_coupon(world: World, values: Mapping[str, Any]) -> FieldError | None:
    """Remove the applied coupon code, unless it is redeemed."""
    applied = world.row(APPLIED_COUPON.name)["coupon"]
    if applied is not None and not world.row(COUPONS.name, applied)["is_redeemed"]:
        world.change(APPLIED_COUPON.name, coupon=None)
    return None


CHANGES: Mapping[tuple[str, str], Change] = {
    (CONFIG.path, "PATCH"): _configure,
    (COUPON_CODE.path, "POST"): _apply_coupon,
    (COUPON_CODE.path, "DELETE"): _remove_coupon,
}
"""What changes a world, by path and method; any other write changes just the fields of its object."""
