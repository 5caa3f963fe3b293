"""Requests in order, of which some change what later ones read: each sequence has a key of its own."""

from __future__ import annotations

from dataclasses import dataclass

from tests.conformance.corpus.cases import CONFIG, COUPON, FORM, MULTIPART, with_body
from tests.conformance.wire import HOST, KEY, Headers, Request


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a sequence, and the status that its response must have."""

    status: int
    request: Request


READ_CONFIG = Step(200, Request(CONFIG))
READ_COUPON = Step(200, Request(COUPON))
DELETE = Step(204, Request(COUPON, "DELETE"))


def _patch(status: int, body: str, kind: str = "application/json") -> Step:
    return Step(status, with_body(CONFIG, "PATCH", body.encode(), kind))


def _apply(status: int, body: str, kind: str = "application/json") -> Step:
    return Step(status, with_body(COUPON, "POST", body.encode(), kind))


CREDITS = _patch(200, '{"mode":"credits"}')
NO_EMAIL = '{"paypal_payout_email":null}'
PART = '--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n--B--\r\n'

SEQUENCES: dict[str, tuple[Step, ...]] = {
    "a change is read afterwards": (
        READ_CONFIG,
        CREDITS,
        READ_CONFIG,
        _patch(200, '{"paypal_payout_email":"other@example.com"}'),
        READ_CONFIG,
        _patch(200, '{"mode":"payout"}'),
        READ_CONFIG,
    ),
    "payout mode needs an address": (
        _patch(400, NO_EMAIL),
        READ_CONFIG,
        CREDITS,
        _patch(200, NO_EMAIL),
        READ_CONFIG,
        _patch(400, '{"mode":"payout"}'),
        _patch(400, '{"mode":"payout","paypal_payout_email":null}'),
        READ_CONFIG,
        _patch(200, "{}"),
        _patch(200, '{"mode":"payout","paypal_payout_email":"a@example.com"}'),
        READ_CONFIG,
        _patch(200, '{"mode":"credits","paypal_payout_email":null}'),
        READ_CONFIG,
    ),
    "a refused change changes nothing": (
        _patch(400, '{"mode":"credits","paypal_payout_email":"x"}'),
        _patch(400, '{"mode":"bogus","paypal_payout_email":"a@example.com"}'),
        _patch(400, '{"mode":"credits"'),
        _patch(415, '{"mode":"credits"}', "text/plain"),
        Step(405, with_body(CONFIG, "PUT", b'{"mode":"credits"}')),
        Step(404, with_body(CONFIG + "?format=xml", "PATCH", b'{"mode":"credits"}')),
        Step(301, with_body(CONFIG[:-1], "PATCH", b'{"mode":"credits"}')),
        READ_CONFIG,
    ),
    "an empty address of a form is null": (
        _patch(400, "paypal_payout_email=", FORM),
        _patch(200, "mode=credits&paypal_payout_email=", FORM),
        READ_CONFIG,
        _patch(400, "mode=payout", FORM),
        _patch(200, "mode=payout&paypal_payout_email=+form%40example.com+", FORM),
        READ_CONFIG,
        _patch(400, PART % ("paypal_payout_email", ""), MULTIPART),
        _patch(200, PART % ("mode", "credits"), MULTIPART),
        _patch(200, PART % ("paypal_payout_email", ""), MULTIPART),
        READ_CONFIG,
    ),
    "read-only and unknown fields are ignored": (
        _patch(200, '{"id":1,"referral_code":"x","credits_earned":9,"created_at":null,"unknown":{"a":[1]}}'),
        READ_CONFIG,
        Step(200, Request("/api/v2/referral/code/info/?referral_code=zxjp2vd2r8vv", headers=(HOST,))),
        Step(404, Request("/api/v2/referral/code/info/?referral_code=x", headers=(HOST,))),
        _patch(200, '{"mode":"credits","updated_at":"2000-01-01T00:00:00Z","total_credits_earned":"x"}'),
        READ_CONFIG,
    ),
    "a code is applied and replaced": (
        READ_COUPON,
        _apply(200, '{"code":"summer-2022"}'),
        READ_COUPON,
        _apply(200, '{"code":"SUMMER-2022"}'),
        _apply(200, '{"code":" \\u00e4pfel \\"50%\\" \\\\ <&> "}'),
        READ_COUPON,
        _apply(200, "code=welcome", FORM),
        READ_COUPON,
        _apply(200, PART % ("code", "12345"), MULTIPART),
        READ_COUPON,
    ),
    "a code is removed": (
        DELETE,
        READ_COUPON,
        Step(200, Request(COUPON, "HEAD")),
        DELETE,
        READ_COUPON,
        _apply(200, '{"code":"Welcome"}'),
        READ_COUPON,
        DELETE,
        READ_COUPON,
        Step(200, Request(COUPON, "GET", (HOST, KEY, ("Accept", "application/json; indent=2")))),
    ),
    "a refused code changes nothing": (
        _apply(200, '{"code":"12345"}'),
        *(
            _apply(400, f'{{"code":"{code}"}}')
            for code in ("nothing", "inactive", "expired", "redeemed", "spring", "unused", "")
        ),
        READ_COUPON,
        DELETE,
        *(_apply(400, f'{{"code":"{code}"}}') for code in ("nothing", "inactive", "expired", "redeemed")),
        READ_COUPON,
    ),
    "what is refused does not remove a code": (
        Step(406, Request(COUPON, "DELETE", (HOST, KEY, ("Accept", "text/html")))),
        Step(401, Request(COUPON, "DELETE", (HOST,))),
        Step(404, Request(COUPON + "?format=xml", "DELETE")),
        Step(301, Request(COUPON[:-1], "DELETE")),
        Step(405, Request(COUPON, "PUT")),
        Step(200, Request(COUPON, "OPTIONS")),
        READ_COUPON,
    ),
    "a removal has no use for a body": (
        Step(204, with_body(COUPON, "DELETE", b'{"code":"WELCOME"}')),
        Step(204, with_body(COUPON, "DELETE", b"{")),
        Step(204, with_body(COUPON, "DELETE", b"x", "text/plain")),
        READ_COUPON,
    ),
    "the config and the code have nothing to do with each other": (
        CREDITS,
        READ_COUPON,
        DELETE,
        READ_CONFIG,
    ),
}


def with_key(request: Request, key: str) -> Request:
    """Return a request with another key instead of its own, if it has one."""
    headers: Headers = tuple(
        (name, f"Token {key}" if name == "Authorization" else value) for name, value in request.headers
    )
    return Request(request.target, request.method, headers, request.body)
