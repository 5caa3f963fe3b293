"""Error bodies: do the texts and fields of an error fit the request?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_webshare.contract import messages
from mock_webshare.contract.model import Kind, Mark
from mock_webshare.judge.rules.status import (
    BAD_REQUEST,
    FORBIDDEN,
    NOT_ACCEPTABLE,
    NOT_ALLOWED,
    NOT_FOUND,
    TOO_MANY,
    UNAUTHORIZED,
    has_open_value,
    is_wrong,
    refusal,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_webshare.contract.model import Filter
    from mock_webshare.exchange.request import RecordedRequest
    from mock_webshare.judge.model.context import RuleContext
    from mock_webshare.judge.model.finding import Finding

_CODES_OF_403 = tuple(messages.FORBIDDEN)
_ALL_OF_401 = (
    messages.NO_CREDENTIALS,
    messages.KEYWORD_ALONE,
    messages.KEY_WITH_SPACES,
    messages.UNDECODABLE_KEY,
    messages.UNKNOWN_KEY,
)
_NO_MATCH = re.compile(messages.NO_MATCH.format(model=r"\w+"))
_THROTTLED = re.compile(
    r"Request was throttled\. Expected available in (?:(1) second|((?!1 )\d+) seconds)\.", re.ASCII
)


class Wording(NamedTuple):
    """The texts that the `detail` of an error may be, and the rule that says so."""

    rule: str
    texts: tuple[str, ...]


def detail_fits(context: RuleContext) -> Iterator[Finding]:
    """The `detail` of an error is the sentence that the framework writes."""
    if context.schema != "error-detail" or context.request is None or not isinstance(context.body, dict):
        return
    text, wording = context.body.get("detail"), _wording(context, context.request)
    if wording is None or not isinstance(text, str) or text in wording.texts:
        return
    # The version of the framework decides between two sentences.
    is_newer = _NO_MATCH.fullmatch(text) is not None and context.request.endpoint.is_detail
    mark = Mark.ASSUMED if is_newer else Mark.FRAMEWORK
    yield context.finding(
        wording.rule, "detail", check="text", expected=list(wording.texts), actual=text, mark=mark
    )


def _wording(context: RuleContext, request: RecordedRequest) -> Wording | None:
    match context.exchange.status:
        case 401:
            return Wording(
                "auth.unauthorized", _texts_of_401(context.exchange.request_header("authorization"))
            )
        case 404:
            return _wording_of_404(context, request)
        case 405:
            return Wording("route.methods", (messages.METHOD_NOT_ALLOWED.format(method=context.method),))
        case 406:
            return Wording("wire.accept", (messages.NOT_ACCEPTABLE,))
    return None


assert (UNAUTHORIZED, NOT_FOUND, NOT_ALLOWED, NOT_ACCEPTABLE) == (401, 404, 405, 406)


def _texts_of_401(authorization: str | None) -> tuple[str, ...]:
    """Return the texts that fit an `Authorization`: all, if it was removed from the recording."""
    words = (
        (authorization or "").encode("latin-1", "replace").split()
    )  # bytes split at ASCII white space only
    if not words or words[0].lower() != b"token":
        return _ALL_OF_401
    if len(words) == 1:
        return (messages.KEYWORD_ALONE,)
    return (
        (messages.UNDECODABLE_KEY, messages.UNKNOWN_KEY) if len(words) == 2 else (messages.KEY_WITH_SPACES,)
    )


def _wording_of_404(context: RuleContext, request: RecordedRequest) -> Wording:
    due = refusal(context, request)
    if due and due.rule == "wire.accept":
        return Wording("wire.accept", (messages.NOT_FOUND,))
    if request.endpoint.kind is Kind.LIST:
        return Wording("list.invalid-page", (messages.INVALID_PAGE,))
    return Wording("detail.not-found", (messages.NOT_FOUND,))


def throttling_fits(context: RuleContext) -> Iterator[Finding]:
    """The body and the header of a 429 name the same time."""
    if context.exchange.status != TOO_MANY or context.schema is None or not isinstance(context.body, dict):
        return
    text, wait = context.body.get("detail"), context.exchange.header("retry-after")
    if not isinstance(text, str):
        return
    match = _THROTTLED.fullmatch(text)
    if match is None or (wait is not None and wait.isdecimal() and (match[1] or match[2]) != wait):
        yield context.finding("limit.retry-after", "detail", check="throttled", expected=wait, actual=text)


def has_code(context: RuleContext) -> Iterator[Finding]:
    """A 403 has a code that the vendor's clients know."""
    if context.exchange.status != FORBIDDEN or context.schema is None or not isinstance(context.body, dict):
        return
    code: Any = context.body.get("code")
    if code not in _CODES_OF_403:
        actual = {"actual": code} if "code" in context.body else {}
        yield context.finding(
            "error.detail", "code", check="enum", expected=list(_CODES_OF_403), mark=Mark.OBSERVED, **actual
        )


def names_the_wrong_fields(context: RuleContext) -> Iterator[Finding]:
    """A 400 names every wrong field at once, and no field that is right."""
    request = context.request
    if (
        context.exchange.status != BAD_REQUEST
        or context.schema is None
        or request is None
        or not context.is_clear
    ):
        return
    if not isinstance(context.body, dict) or not _are_lists(context.body):
        return
    for each in request.endpoint.filters:
        if is_wrong(each, request) and each.name not in context.body:
            yield context.finding("filter.errors", each.name, check="required")
    known = [each.name for each in request.endpoint.filters if each.name in context.body]
    if (named := [name for name in context.body if name in known]) != known:
        yield context.finding(
            "filter.errors", check="order", expected=known, actual=named, mark=Mark.FRAMEWORK
        )
    may_be_wrong = {each.name for each in request.endpoint.filters if _may_be_wrong(each, request)}
    for name in context.body:
        if name not in may_be_wrong and any(is_wrong(each, request) for each in request.endpoint.filters):
            yield context.finding("filter.errors", name, check="wrong-field", actual=context.body[name])


def _are_lists(body: dict[str, Any]) -> bool:
    return all(isinstance(each, list) for each in body.values())


def _may_be_wrong(each: Filter, request: RecordedRequest) -> bool:
    return is_wrong(each, request) or has_open_value(each, request)


def field_errors_read_right(context: RuleContext) -> Iterator[Finding]:
    """The message of a field error is the sentence that the framework writes, with its code."""
    if context.exchange.status != BAD_REQUEST or context.schema is None or context.request is None:
        return
    if not context.is_clear or not isinstance(context.body, dict):
        return
    for each in context.request.endpoint.filters:
        problems = context.body.get(each.name)
        if isinstance(problems, list) and problems and _may_be_wrong(each, context.request):
            yield from _differences(context, each.name, problems[0], _messages(each, context.request))


def _messages(each: Filter, request: RecordedRequest) -> dict[str, str]:
    """Return the messages that a filter's value may get, with their codes."""
    value = request.params[each.name]
    what = value if each.resource is None else messages.THAT_CHOICE
    found = {messages.INVALID_CHOICE.format(value=what): "invalid_choice"}
    if "\0" in value:
        found[messages.NULL_CHARACTERS] = "null_characters_not_allowed"
    return found


def _differences(context: RuleContext, field: str, problem: Any, known: dict[str, str]) -> Iterator[Finding]:
    is_object = isinstance(problem, dict)
    message = problem.get("message") if is_object else problem
    keys = (field, 0, "message") if is_object else (field, 0)
    if isinstance(message, str) and message not in known:
        yield context.finding(
            "filter.errors", *keys, check="text", expected=list(known), actual=message, mark=Mark.FRAMEWORK
        )
    elif is_object and problem.get("code") != known.get(str(message)) and "code" in problem:
        yield context.finding(
            "filter.errors",
            *(field, 0, "code"),
            check="enum",
            expected=sorted(set(known.values())),
            actual=problem["code"],
        )
