"""Headers: are they complete and right, and is the body written as the framework writes it?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from mock_webshare.exchange.json_limits import STRING_OR_REST
from mock_webshare.exchange.request import shown, split
from mock_webshare.judge.model.context import NOTHING
from mock_webshare.judge.rules.status import MOVED, OK, TOO_MANY, UNAUTHORIZED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.judge.model.context import RuleContext
    from mock_webshare.judge.model.finding import Finding

JSON_TYPE = "application/json"
_ROUTED = frozenset({200, 400, 401, 404, 405, 406, 429})
"""The statuses that an endpoint itself sends."""
_BLANK = re.compile(rb"\s")


def has_content_type(context: RuleContext) -> Iterator[Finding]:
    """The `Content-Type` of an endpoint is JSON without a charset."""
    if context.schema is None and not _is_metadata(context):
        return
    if context.exchange.headers and (actual := context.exchange.header("content-type")) != JSON_TYPE:
        yield context.finding(
            "wire.json",
            check="content-type",
            expected=JSON_TYPE,
            actual=NOTHING if actual is None else actual,
        )


def is_compact(context: RuleContext) -> Iterator[Finding]:
    """JSON is written without blanks, unless the request wants an indent."""
    if context.request is None or context.schema is None or context.body is None:
        return
    if context.exchange.request_headers is None:  # then an indent may have been requested
        return
    if "indent" in (context.exchange.request_header("accept") or "").lower():
        return
    # Few bodies have any blank at all, so the texts are seldom taken out.
    if _BLANK.search(context.exchange.body) and _BLANK.search(STRING_OR_REST.sub(b"", context.exchange.body)):
        yield context.finding("wire.json", check="compact")


def allows_methods(context: RuleContext) -> Iterator[Finding]:
    """A response of an endpoint has `Allow`, but neither `ETag` nor `Vary`."""
    if context.request is None or not context.request.is_slashed or context.exchange.status not in _ROUTED:
        return
    if not (context.exchange.header("content-type") or "").startswith(JSON_TYPE):
        return
    expected = ", ".join(context.request.endpoint.methods)
    actual = context.exchange.header("allow")
    if actual is None or [each.strip() for each in actual.split(",")] != expected.split(", "):
        yield context.finding(
            "wire.allow", check="allow", expected=expected, actual=NOTHING if actual is None else actual
        )
    if (etag := context.exchange.header("etag")) is not None:
        yield context.finding("wire.allow", check="no-etag", actual=etag)
    if varying := _named(context.exchange.header("vary")) - _OF_PROXIES:
        yield context.finding("wire.allow", check="no-vary", actual=", ".join(sorted(varying)))


_OF_PROXIES = frozenset({"accept-encoding", "origin", ""})
"""What a proxy adds to `Vary` when it compresses or caches a response."""


def _named(listed: str | None) -> set[str]:
    return {each.strip().lower() for each in (listed or "").split(",")}


def names_the_scheme(context: RuleContext) -> Iterator[Finding]:
    """A 401 names the scheme."""
    if context.exchange.status != UNAUTHORIZED or not context.exchange.headers:
        return
    actual = context.exchange.header("www-authenticate")
    if actual != "Token":
        yield context.finding(
            "auth.unauthorized",
            check="www-authenticate",
            expected="Token",
            actual=NOTHING if actual is None else actual,
        )


def says_when_to_retry(context: RuleContext) -> Iterator[Finding]:
    """A 429 says in whole seconds how long to wait."""
    if context.exchange.status != TOO_MANY or not context.exchange.headers:
        return
    actual = context.exchange.header("retry-after")
    if actual is None or not (actual.isascii() and actual.isdecimal()):
        yield context.finding(
            "limit.retry-after", check="retry-after", actual=NOTHING if actual is None else actual
        )


def leads_to_the_slash(context: RuleContext) -> Iterator[Finding]:
    """A 301 leads to the same path with a slash, and the same query."""
    request = context.request
    if (
        request is None
        or request.is_slashed
        or context.exchange.status != MOVED
        or not context.exchange.headers
    ):
        return
    actual = context.exchange.header("location")
    expected = f"{request.path}/" + (f"?{request.query}" if request.query else "")
    if actual is None or (context.is_clear and unquote(_without_origin(actual)) != unquote(expected)):
        yield context.finding(
            "route.slash",
            check="location",
            expected=shown(expected),
            actual=NOTHING if actual is None else shown(actual),
        )


def has_no_body(context: RuleContext) -> Iterator[Finding]:
    """A response to HEAD has no body."""
    if context.request is not None and context.method == "HEAD" and context.exchange.body:
        yield context.finding("wire.head", check="body", actual=f"{len(context.exchange.body)} bytes")


def describes_the_endpoint(context: RuleContext) -> Iterator[Finding]:
    """The response to OPTIONS is the framework's description of the endpoint."""
    if not _is_metadata(context) or context.body is None:
        return
    for name in ("name", "description", "renders", "parses"):
        if not isinstance(context.body, dict) or name not in context.body:
            yield context.finding("route.options", name, check="required")


def _is_metadata(context: RuleContext) -> bool:
    request = context.request
    return (
        request is not None
        and request.is_slashed
        and context.method == "OPTIONS"
        and context.exchange.status == OK
    )


def _without_origin(url: str) -> str:
    parts = split(url)
    return url if parts is None else parts._replace(scheme="", netloc="").geturl()
