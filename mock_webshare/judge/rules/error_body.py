"""Error bodies: do the texts and fields of an error fit the request?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mock_webshare.contract import messages
from mock_webshare.contract.model import Filter, Kind, Mark
from mock_webshare.exchange.request import RecordedRequest
from mock_webshare.judge.model.context import RuleContext
from mock_webshare.judge.model.finding import Finding
from mock_webshare.judge.model.rulebook import NOTHING
from mock_webshare.judge.rules.status import has_open_value, is_wrong, refusal

_DIGITS = re.compile(r"\d+", re.ASCII)
_NO_MATCH = re.compile(messages.NO_MATCH.format(model=r"\w+"))


def _error(context: RuleContext, status: int) -> dict[str, Any] | None:
    """Return the body of an error with the given status; None for other statuses, or if not an object."""
    is_error = context.exchange.status == status and context.schema is not None
    return context.body if is_error and isinstance(context.body, dict) else None


def detail_fits(context: RuleContext) -> Iterator[Finding]:
    """The `detail` of an error is the sentence that the framework writes."""
    if context.schema != "error-detail" or context.request is None or not isinstance(context.body, dict):
        return
    text, (rule, *texts) = context.body.get("detail"), _rule_and_texts(context, context.request)
    if not texts or not isinstance(text, str) or text in texts:
        return
    # Which of two sentences is written depends on the version of the framework.
    is_newer = _NO_MATCH.fullmatch(text) is not None and context.request.endpoint.is_detail
    mark = Mark.ASSUMED if is_newer else Mark.FRAMEWORK
    yield context.finding(rule, "detail", check="text", expected=texts, actual=text, mark=mark)


def _rule_and_texts(context: RuleContext, request: RecordedRequest) -> tuple[str, ...]:
    """Return the rule about `detail` and the allowed texts; no texts means any text."""
    match context.exchange.status:
        case 401:
            return "auth.unauthorized", *_texts_of_401(context.exchange.request_header("authorization"))
        case 404:
            due = refusal(context, request)
            if due and due.rule == "wire.accept":
                return "wire.accept", messages.NOT_FOUND
            if request.endpoint.kind is Kind.LIST:
                return "list.invalid-page", messages.INVALID_PAGE
            rule = "code.unknown" if request.endpoint.lookup else "detail.not-found"
            return rule, messages.NOT_FOUND
        case 405:
            return "route.methods", messages.METHOD_NOT_ALLOWED.format(method=context.method)
        case 406:
            return "wire.accept", messages.NOT_ACCEPTABLE
    return ("error.detail",)


def _texts_of_401(authorization: str | None) -> tuple[str, ...]:
    """Return the texts that fit an `Authorization` header: all if it was not recorded."""
    # Bytes are split at ASCII white space only.
    words = (authorization or "").encode("latin-1", "replace").split()
    if not words or words[0].lower() != b"token":
        return messages.UNAUTHORIZED
    if len(words) == 1:
        return (messages.KEYWORD_ALONE,)
    return (messages.KEY_WITH_SPACES,) if words[2:] else (messages.UNDECODABLE_KEY, messages.UNKNOWN_KEY)


def throttling_fits(context: RuleContext) -> Iterator[Finding]:
    """The `detail` and the `Retry-After` of a 429 name the same time."""
    body, wait = _error(context, 429), context.exchange.header("retry-after")
    if body is None or not isinstance(text := body.get("detail"), str):
        return
    seconds = (_DIGITS.search(text) or [""])[0]
    unit = "second" if seconds == "1" else "seconds"
    is_right = seconds and text == messages.THROTTLED.format(seconds=seconds, unit=unit)
    if not is_right or (wait is not None and wait.isdecimal() and wait != seconds):
        yield context.finding("limit.retry-after", "detail", check="throttled", expected=wait, actual=text)


def has_code(context: RuleContext) -> Iterator[Finding]:
    """A 403 has a code that the vendor's clients know."""
    body, codes = _error(context, 403), [*messages.FORBIDDEN]
    if body is not None and (code := body.get("code", NOTHING)) not in codes:
        mark = Mark.OBSERVED
        yield context.finding("error.detail", "code", check="enum", expected=codes, actual=code, mark=mark)


def field_errors_fit(context: RuleContext) -> Iterator[Finding]:
    """A 400 names all wrong fields and no others, with the framework's messages."""
    request, body = context.request, _error(context, 400)
    if request is None or body is None or not context.is_clear or request.endpoint.write(context.method):
        return
    if all(isinstance(each, list) for each in body.values()):
        yield from _check_names(context, request, body)
    for each in request.endpoint.filters:
        problems = body.get(each.name)
        if isinstance(problems, list) and problems and _may_be_wrong(each, request):
            yield from _check_problem(context, each.name, problems[0], _messages(each, request))


def _check_names(context: RuleContext, request: RecordedRequest, body: dict[str, Any]) -> Iterator[Finding]:
    filters = request.endpoint.filters
    wrong = [each.name for each in filters if is_wrong(each, request)]
    for name in wrong:
        if name not in body:
            yield context.finding("filter.errors", name, check="required")
    known = [each.name for each in filters if each.name in body]
    named = [name for name in body if name in known]
    if named != known:
        mark = Mark.FRAMEWORK
        yield context.finding("filter.errors", check="order", expected=known, actual=named, mark=mark)
    may_be_wrong = {each.name for each in filters if _may_be_wrong(each, request)}
    for name in body:
        if wrong and name not in may_be_wrong:
            yield context.finding("filter.errors", name, check="wrong-field", actual=body[name])


def _may_be_wrong(each: Filter, request: RecordedRequest) -> bool:
    return is_wrong(each, request) or has_open_value(each, request)


def _messages(each: Filter, request: RecordedRequest) -> dict[str, str]:
    """Return the codes of the messages that a filter's value may get, by message."""
    value = request.params[each.name]
    what = value if each.resource is None else messages.THAT_CHOICE
    found = {messages.INVALID_CHOICE.format(value=what): "invalid_choice"}
    if "\0" in value:
        found[messages.NULL_CHARACTERS] = "null_characters_not_allowed"
    return found


def _check_problem(
    context: RuleContext, field: str, problem: Any, codes: dict[str, str]
) -> Iterator[Finding]:
    is_object = isinstance(problem, dict)
    text = problem.get("message") if is_object else problem
    if isinstance(text, str) and text not in codes:
        keys = (field, 0, "message") if is_object else (field, 0)
        known, mark = list(codes), Mark.FRAMEWORK
        yield context.finding("filter.errors", *keys, check="text", expected=known, actual=text, mark=mark)
    elif is_object and problem.get("code") != codes.get(str(text)) and "code" in problem:
        known, code = sorted(set(codes.values())), problem["code"]
        yield context.finding("filter.errors", field, 0, "code", check="enum", expected=known, actual=code)
