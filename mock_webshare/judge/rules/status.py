"""Status: is it one that the request can lead to?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mock_webshare.contract.model import Filter, Mark
from mock_webshare.exchange.request import MOST_PARAMETERS, RecordedRequest, read_int
from mock_webshare.judge.model.context import RuleContext
from mock_webshare.judge.model.finding import Finding

SERVER_ERRORS = range(500, 600)
_EXPECTED = frozenset({200, 301, 400, 401, 403, 404, 405, 406, 429, *SERVER_ERRORS})
"""The statuses that a client has to expect (documented)."""
_OF_BODIES = frozenset({201, 204, 415})
"""The statuses of requests that write."""
_BODY_TYPES = frozenset({"application/json", "application/x-www-form-urlencoded", "multipart/form-data"})
_ANY_TIME = frozenset({403, 429})
"""The statuses that an account, or a proxy before the service, may cause for any request."""


class Refusal(NamedTuple):
    """A reason to refuse a request, and the status and rule that follow from it."""

    applies: Callable[[RuleContext, RecordedRequest], bool]
    status: int
    rule: str
    is_before_credentials: bool = False


def status_fits(context: RuleContext) -> Iterator[Finding]:
    """Yield a finding if no response to the request may have this status."""
    request, status = context.request, context.exchange.status
    if request is None or status is None or status in _ANY_TIME or not context.is_clear:
        return
    if status == 304 and _is_conditional(context):
        return  # a cache before the service has responded
    due = refusal(context, request)
    expected = due.status if due else success(context, request)
    if status == expected or _may_be(context, request, due, status):
        return
    mark: Mark | None = None
    if due and status == 401:
        rule = "route.order"
    elif status not in _EXPECTED and not (status in _OF_BODIES and request.endpoint.writes):
        rule, mark = "error.kinds", None if 400 <= status < 500 else Mark.FRAMEWORK
    else:
        rule = due.rule if due else _rule_broken_by(request, status)
        # Django REST framework refused an empty `page` before 3.15.
        mark = Mark.ASSUMED if status == 404 and _page(request) == "" else None
        if status == 400 and due is None and _is_documented(context, request):
            mark = Mark.DOCUMENTED
    yield context.finding(rule, check="status", expected=expected, actual=status, mark=mark)


def _is_conditional(context: RuleContext) -> bool:
    """Whether the client asked if its cached response is still valid."""
    names = ("if-none-match", "if-modified-since")
    return any(context.exchange.request_header(name) is not None for name in names)


def _is_documented(context: RuleContext, request: RecordedRequest) -> bool:
    """Whether the documentation says what the request does: then a 400 breaks a documented rule."""
    endpoint = request.endpoint
    if context.method not in ("GET", "HEAD"):
        return False
    known = {each.name for each in endpoint.filters}
    if endpoint.orderings:
        known.add("ordering")
    if endpoint.paging:
        known |= {"page", "page_size"}
    terms = request.params.get("ordering", "").split(",") if "ordering" in request.params else []
    is_known = request.params.keys() <= known and all(map(request.is_plain, request.params))
    return is_known and all(each.removeprefix("-") in endpoint.orderings for each in terms)


def refusal(context: RuleContext, request: RecordedRequest) -> Refusal | None:
    """Return the first reason to refuse the request; None if the request shows no reason."""
    return next((each for each in REFUSALS if each.applies(context, request)), None)


def _may_be(context: RuleContext, request: RecordedRequest, due: Refusal | None, status: int) -> bool:
    """Whether something that the request does not show may explain the status."""
    if due and due.is_before_credentials:
        return False
    match status:
        case 401:
            return not request.endpoint.is_open
        case 400 if has_body(context, request):
            return True
        case 415 if has_body(context, request):
            sent = (context.exchange.request_header("content-type") or "").partition(";")[0].strip().lower()
            return sent not in _BODY_TYPES
        case 400:
            return context.method != "OPTIONS" and any(
                has_open_value(each, request) for each in request.endpoint.filters
            )
        case 404:
            return due is None and _may_be_missing(context, request)
        case 406:
            return context.exchange.request_headers is None
    return False


def success(context: RuleContext, request: RecordedRequest) -> int:
    """Return the status of a request that succeeds."""
    write = request.endpoint.write(context.method)
    return write.status if write else 200


def has_body(context: RuleContext, request: RecordedRequest) -> bool:
    """Whether the service reads the body of a request."""
    write = request.endpoint.write(context.method)
    return write is not None and bool(write.inputs)


def _may_be_missing(context: RuleContext, request: RecordedRequest) -> bool:
    is_late_page = _page(request) not in ("", "1", "last")
    is_searched = request.endpoint.is_detail or request.endpoint.lookup is not None
    return context.method != "OPTIONS" and (is_searched or is_late_page)


def _page(request: RecordedRequest) -> str:
    """Return the requested page; an endpoint without pages has only page 1."""
    return request.params.get("page", "1") if request.endpoint.paging else "1"


def _rule_broken_by(request: RecordedRequest, status: int) -> str:
    if status != 404:
        return _UNEXPLAINED[status]
    if request.endpoint.lookup:
        return "code.unknown"
    if request.endpoint.paging is None:
        return "detail.not-found"
    return "list.last-page" if _page(request) == "last" else "list.invalid-page"


_UNEXPLAINED = {
    200: "error.kinds",
    301: "route.slash",
    400: "filter.errors",
    401: "route.order",
    201: "coupon.apply",
    204: "error.kinds",
    405: "route.methods",
    406: "wire.accept",
    415: "body.types",
}
"""The rule that a status breaks if the request does not explain it."""


_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[a-f0-9:.]+\])(?::\d+)?", re.IGNORECASE | re.ASCII)


def _has_impossible_host(context: RuleContext, request: RecordedRequest) -> bool:
    """Whether a request with an impossible host got a 400; if not, the service was sent another host."""
    if context.exchange.status != 400:
        return False
    host = context.exchange.request_header("host")
    return _HOST.fullmatch(request.host if host is None else host.strip()) is None


def _has_too_many_parameters(context: RuleContext, request: RecordedRequest) -> bool:
    return request.query.count("&") >= MOST_PARAMETERS


_LONGEST_ACCEPT, _MOST_MEDIA_TYPES, _LONGEST_MEDIA_TYPE = 8192, 64, 256
_JSON = frozenset({"application/json", "application/*", "*/json", "*/*"})


def _excludes_json(context: RuleContext, request: RecordedRequest) -> bool:
    accept = context.exchange.request_header("accept")
    return accept is not None and not any(each in _JSON for each in _media_types(accept))


def _media_types(accept: str) -> list[str]:
    """Return the media types of an `Accept` header, as many as the framework reads."""
    if len(accept) > _LONGEST_ACCEPT:
        accept = accept[: accept.rfind(",", 0, _LONGEST_ACCEPT) + 1]
    tokens = [token for each in accept.split(",") if 0 < len(token := each.strip()) <= _LONGEST_MEDIA_TYPE]
    return [token.partition(";")[0].strip().lower() for token in tokens[:_MOST_MEDIA_TYPES]]


def _has_wrong_filter(context: RuleContext, request: RecordedRequest) -> bool:
    lookup = request.endpoint.lookup
    if context.method == "OPTIONS":
        return False
    if lookup and (not (value := request.params.get(lookup.name, "")).strip() or "\0" in value):
        return True
    return any(is_wrong(each, request) for each in request.endpoint.filters)


def is_wrong(each: Filter, request: RecordedRequest) -> bool:
    """Whether the value of a filter is wrong for every account."""
    value = request.params.get(each.name, "")
    is_allowed = value in each.choices if each.resource is None else read_int(value) is not None
    return value != "" and not is_allowed


def has_open_value(each: Filter, request: RecordedRequest) -> bool:
    """Whether the value of a filter is right for some accounts only."""
    value = request.params.get(each.name, "")
    return each.resource is not None and read_int(value) is not None


def _has_impossible_page(context: RuleContext, request: RecordedRequest) -> bool:
    page = _page(request)
    return context.method != "OPTIONS" and page not in ("", "last") and (read_int(page) or 0) < 1


def _has_impossible_id(context: RuleContext, request: RecordedRequest) -> bool:
    return request.id is not None and context.method != "OPTIONS" and read_int(request.id) is None


REFUSALS = (
    Refusal(_has_impossible_host, 400, "route.order", is_before_credentials=True),
    Refusal(lambda _, request: not request.is_slashed, 301, "route.slash", is_before_credentials=True),
    Refusal(_has_too_many_parameters, 400, "route.order", is_before_credentials=True),
    Refusal(
        lambda _, request: request.params.get("format", "") not in ("", "json"),
        404,
        "wire.accept",
        is_before_credentials=True,
    ),
    Refusal(_excludes_json, 406, "wire.accept", is_before_credentials=True),
    Refusal(lambda context, request: context.method not in request.endpoint.methods, 405, "route.methods"),
    Refusal(_has_wrong_filter, 400, "filter.errors"),
    Refusal(_has_impossible_page, 404, "list.invalid-page"),
    Refusal(_has_impossible_id, 404, "detail.not-found"),
)
"""Reasons to refuse a request, in the order in which the framework checks them."""


_LIKE_200 = frozenset({201, 202, 203, 206})
"""The statuses whose bodies are judged like those of a 200, although the status itself is wrong."""


def _is_part(context: RuleContext) -> bool:
    """Whether a 206 has a part of the body only: `Content-Range` says `bytes 0-99/2000`."""
    content_range = context.exchange.header("content-range")
    if context.exchange.status != 206 or content_range is None:
        return False
    size = len(context.exchange.body)
    return content_range.strip() not in (f"bytes 0-{size - 1}/{size}", f"bytes 0-{size - 1}/*")


def schema_of(context: RuleContext) -> str | None:
    """Return the name of the schema of the body; None if it does not have one."""
    request, status = context.request, context.exchange.status
    if request is None or not request.is_slashed or context.method == "HEAD" or status is None:
        return None
    if status == success(context, request):
        return None if context.method == "OPTIONS" or status == 204 else request.endpoint.schema
    if status == 200 or (status in _LIKE_200 and context.method != "OPTIONS" and not _is_part(context)):
        return request.endpoint.schema
    is_page_of_django = _has_impossible_host(context, request) or _has_too_many_parameters(context, request)
    if has_body(context, request) and (context.exchange.header("content-type") or "").startswith("text/html"):
        is_page_of_django = True  # the body was a form with too many fields
    return None if status == 400 and is_page_of_django else dict(request.endpoint.errors).get(status)
