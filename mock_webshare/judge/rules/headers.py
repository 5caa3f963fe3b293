"""Headers: are they complete and right, and is the body compact?"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult, unquote, urljoin

from mock_webshare.exchange.request import RecordedRequest, origin_of, split
from mock_webshare.judge.model.context import RuleContext
from mock_webshare.judge.model.finding import Finding
from mock_webshare.judge.model.rulebook import NOTHING

JSON_TYPE = "application/json"
SCHEME = "Token"
_ROUTED = frozenset({200, 400, 401, 404, 405, 406, 415, 429})
"""The statuses that an endpoint itself sends."""


def has_content_type(context: RuleContext) -> Iterator[Finding]:
    """The `Content-Type` of an endpoint is JSON without a charset."""
    if context.schema is None and not _is_metadata(context):
        return
    if context.exchange.headers and context.exchange.header("content-type") != JSON_TYPE:
        yield _header(context, "wire.json", "content-type", JSON_TYPE)


def _header(context: RuleContext, rule: str, name: str, expected: str | None = None) -> Finding:
    """Return a finding about a header, which may be missing."""
    actual = context.exchange.header(name)
    return context.finding(rule, check=name, expected=expected, actual=NOTHING if actual is None else actual)


def is_compact(context: RuleContext) -> Iterator[Finding]:
    """JSON is written without blanks, unless the request wants an indent."""
    exchange = context.exchange
    if context.request is None or context.schema is None or context.body is None:
        return
    # An `Accept` that was not recorded may have requested an indent.
    if exchange.request_headers is None or "indent" in (exchange.request_header("accept") or "").lower():
        return
    if context.has_blanks and exchange.is_body_exact:
        yield context.finding("wire.json", check="compact", fixed_level=context.level_of_form)


def allows_methods(context: RuleContext) -> Iterator[Finding]:
    """A response of an endpoint has `Allow`, but neither `ETag` nor `Vary`."""
    request, exchange = context.request, context.exchange
    if request is None or not request.is_slashed or exchange.status not in _ROUTED:
        return
    if not (exchange.header("content-type") or "").startswith(JSON_TYPE):
        return
    if [each.strip() for each in (exchange.header("allow") or "").split(",")] != [*request.endpoint.methods]:
        yield _header(context, "wire.allow", "allow", ", ".join(request.endpoint.methods))
    if (etag := exchange.header("etag")) is not None:
        yield context.finding("wire.allow", check="no-etag", actual=etag)
    named = {each.strip().lower() for each in (exchange.header("vary") or "").split(",")}
    if varying := named - _SET_BY_PROXIES:
        yield context.finding("wire.allow", check="no-vary", actual=", ".join(sorted(varying)))


_SET_BY_PROXIES = frozenset({"accept-encoding", "origin", ""})
"""The names that a proxy adds to `Vary` when it compresses or caches a response."""


def error_has_its_header(context: RuleContext) -> Iterator[Finding]:
    """A 401 names the authentication scheme, and a 429 the seconds to wait."""
    exchange = context.exchange
    if not exchange.headers:
        return
    if exchange.status == 401 and exchange.header("www-authenticate") != SCHEME:
        yield _header(context, "auth.unauthorized", "www-authenticate", SCHEME)
    wait = exchange.header("retry-after") or ""
    if exchange.status == 429 and not (wait.isascii() and wait.isdecimal()):
        yield _header(context, "limit.retry-after", "retry-after")


def redirect_adds_slash(context: RuleContext) -> Iterator[Finding]:
    """A redirection leads to the same path with a slash, on the same host, with the same query."""
    request, exchange = context.request, context.exchange
    if request is None or exchange.status not in _REDIRECTIONS or not exchange.headers:
        return
    actual = exchange.header("location")
    if actual is None and request.is_slashed:
        return  # the status by itself is wrong
    slash = "" if request.is_slashed else "/"
    expected = f"{request.origin}{request.path}{slash}" + (f"?{request.query}" if request.query else "")
    if actual is None or not _leads_to(context, request, actual, expected):
        shown = NOTHING if actual is None else context.shown(actual)
        wanted = context.shown(expected)
        yield context.finding("route.slash", check="location", expected=wanted, actual=shown)


_REDIRECTIONS = frozenset({300, 301, 302, 303, 305, 307, 308})


def _leads_to(context: RuleContext, request: RecordedRequest, location: str, expected: str) -> bool:
    """Whether a `Location` is the expected URL, perhaps by HTTPS, and with no credentials."""
    try:
        there = split(urljoin(request.origin + request.path, location))
    except ValueError:
        return False
    wanted = split(expected)
    if there is None or wanted is None or "@" in there.netloc or there.fragment:
        return False
    secure = origin_of(wanted._replace(scheme="https", netloc=wanted.netloc.removesuffix(":80")))
    secured = secure if wanted.scheme == "http" else ""
    is_origin = origin_of(there) in (request.origin, secured, context.contract.origin)
    return is_origin and (not context.is_clear or _target(there) == _target(wanted))


def _target(parts: SplitResult) -> tuple[str, str]:
    return unquote(parts.path), unquote(parts.query)


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
    is_slashed = context.request is not None and context.request.is_slashed
    return is_slashed and context.method == "OPTIONS" and context.exchange.status == 200
