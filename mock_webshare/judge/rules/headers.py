"""Headers: what must be beside the body, and how the body is written on the wire."""

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

    from mock_webshare.judge.model.context import Case
    from mock_webshare.judge.model.finding import Finding

JSON_TYPE = "application/json"
_ROUTED = frozenset({200, 400, 401, 404, 405, 406, 429})
"""Statuses that an endpoint itself answers with."""
_BLANK = re.compile(rb"\s")


def has_content_type(case: Case) -> Iterator[Finding]:
    """An answer of an endpoint says that it is JSON, without a charset."""
    if case.schema is None and not _is_metadata(case):
        return
    if case.exchange.headers and (actual := case.exchange.header("content-type")) != JSON_TYPE:
        yield case.finding(
            "wire.json",
            check="content-type",
            expected=JSON_TYPE,
            actual=NOTHING if actual is None else actual,
        )


def is_compact(case: Case) -> Iterator[Finding]:
    """JSON is written without blanks, unless the request asked for an indent."""
    if case.request is None or case.schema is None or case.body is None:
        return
    if case.exchange.request_headers is None:  # then nobody knows whether an indent was asked for
        return
    if "indent" in (case.exchange.request_header("accept") or "").lower():
        return
    # Few bodies have any blank at all, so the texts are seldom taken out.
    if _BLANK.search(case.exchange.body) and _BLANK.search(STRING_OR_REST.sub(b"", case.exchange.body)):
        yield case.finding("wire.json", check="compact")


def allows_methods(case: Case) -> Iterator[Finding]:
    """An answer of an endpoint lists its methods, and neither varies nor can be asked for conditionally."""
    if case.request is None or not case.request.is_slashed or case.exchange.status not in _ROUTED:
        return
    if not (case.exchange.header("content-type") or "").startswith(JSON_TYPE):
        return
    expected = ", ".join(case.request.endpoint.methods)
    actual = case.exchange.header("allow")
    if actual is None or [each.strip() for each in actual.split(",")] != expected.split(", "):
        yield case.finding(
            "wire.allow", check="allow", expected=expected, actual=NOTHING if actual is None else actual
        )
    if (etag := case.exchange.header("etag")) is not None:
        yield case.finding("wire.allow", check="no-etag", actual=etag)
    if varying := _named(case.exchange.header("vary")) - _OF_PROXIES:
        yield case.finding("wire.allow", check="no-vary", actual=", ".join(sorted(varying)))


_OF_PROXIES = frozenset({"accept-encoding", "origin", ""})
"""What something between the service and the client adds to `Vary` when it packs or shares an answer."""


def _named(listed: str | None) -> set[str]:
    return {each.strip().lower() for each in (listed or "").split(",")}


def asks_for_credentials(case: Case) -> Iterator[Finding]:
    """A 401 names the scheme."""
    if case.exchange.status != UNAUTHORIZED or not case.exchange.headers:
        return
    actual = case.exchange.header("www-authenticate")
    if actual != "Token":
        yield case.finding(
            "auth.unauthorized",
            check="www-authenticate",
            expected="Token",
            actual=NOTHING if actual is None else actual,
        )


def says_when_to_retry(case: Case) -> Iterator[Finding]:
    """A 429 says in whole seconds how long to wait."""
    if case.exchange.status != TOO_MANY or not case.exchange.headers:
        return
    actual = case.exchange.header("retry-after")
    if actual is None or not (actual.isascii() and actual.isdecimal()):
        yield case.finding(
            "limit.retry-after", check="retry-after", actual=NOTHING if actual is None else actual
        )


def leads_to_the_slash(case: Case) -> Iterator[Finding]:
    """A 301 leads to the same path with a slash, and the same query."""
    request = case.request
    if request is None or request.is_slashed or case.exchange.status != MOVED or not case.exchange.headers:
        return
    actual = case.exchange.header("location")
    expected = f"{request.path}/" + (f"?{request.query}" if request.query else "")
    if actual is None or (case.is_clear and unquote(_without_origin(actual)) != unquote(expected)):
        yield case.finding(
            "route.slash",
            check="location",
            expected=shown(expected),
            actual=NOTHING if actual is None else shown(actual),
        )


def has_no_body(case: Case) -> Iterator[Finding]:
    """An answer to HEAD has no body."""
    if case.request is not None and case.method == "HEAD" and case.exchange.body:
        yield case.finding("wire.head", check="body", actual=f"{len(case.exchange.body)} bytes")


def describes_the_endpoint(case: Case) -> Iterator[Finding]:
    """OPTIONS answers what the framework knows of an endpoint."""
    if not _is_metadata(case) or case.body is None:
        return
    for name in ("name", "description", "renders", "parses"):
        if not isinstance(case.body, dict) or name not in case.body:
            yield case.finding("route.options", name, check="required")


def _is_metadata(case: Case) -> bool:
    request = case.request
    return (
        request is not None and request.is_slashed and case.method == "OPTIONS" and case.exchange.status == OK
    )


def _without_origin(url: str) -> str:
    parts = split(url)
    return url if parts is None else parts._replace(scheme="", netloc="").geturl()
