"""Errors: does what an error says fit the request?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_webshare.contract.model import Mark
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
    from mock_webshare.judge.model.context import Case
    from mock_webshare.judge.model.finding import Finding

CODES_OF_403 = ("2fa_needed", "account_suspended", "account_deleted")

NO_CREDENTIALS = "Authentication credentials were not provided."
KEYWORD_ALONE = "Invalid token header. No credentials provided."
SEVERAL_KEYS = "Invalid token header. Token string should not contain spaces."
ODD_KEY = "Invalid token header. Token string should not contain invalid characters."
UNKNOWN_KEY = "Invalid token."
_NO_MATCH = "No ReferralCredit matches the given query."
_THROTTLED = re.compile(
    r"Request was throttled\. Expected available in (?:(1) second|((?!1 )\d+) seconds)\.", re.ASCII
)


class Wording(NamedTuple):
    """The rule that says how the `detail` of an error reads, and the texts it may be."""

    rule: str
    texts: tuple[str, ...]


def detail_fits(case: Case) -> Iterator[Finding]:
    """The `detail` of an error is the sentence that the framework writes."""
    if case.schema != "error-detail" or case.request is None or not isinstance(case.body, dict):
        return
    text, wording = case.body.get("detail"), _wording(case, case.request)
    if wording is None or not isinstance(text, str) or text in wording.texts:
        return
    # Which of two sentences it is depends on the version of the framework.
    is_newer = text == _NO_MATCH and case.request.endpoint.is_detail
    mark = Mark.ASSUMED if is_newer else Mark.FRAMEWORK
    yield case.finding(
        wording.rule, "detail", check="text", expected=list(wording.texts), actual=text, mark=mark
    )


def _wording(case: Case, request: RecordedRequest) -> Wording | None:
    match case.exchange.status:
        case 401:
            return Wording("auth.unauthorized", _texts_of_401(case.exchange.request_header("authorization")))
        case 404:
            return _wording_of_404(case, request)
        case 405:
            return Wording("route.methods", (f'Method "{case.method}" not allowed.',))
        case 406:
            return Wording("wire.accept", ("Could not satisfy the request Accept header.",))
    return None


assert (UNAUTHORIZED, NOT_FOUND, NOT_ALLOWED, NOT_ACCEPTABLE) == (401, 404, 405, 406)


def _texts_of_401(authorization: str | None) -> tuple[str, ...]:
    """Return what may be said of an `Authorization`; if it was taken out of the recording, anything."""
    words = (authorization or "").encode("latin-1", "replace").split()  # where fewer blanks are blanks
    if not words or words[0].lower() != b"token":
        return NO_CREDENTIALS, KEYWORD_ALONE, SEVERAL_KEYS, ODD_KEY, UNKNOWN_KEY
    if len(words) == 1:
        return (KEYWORD_ALONE,)
    return (ODD_KEY, UNKNOWN_KEY) if len(words) == 2 else (SEVERAL_KEYS,)


def _wording_of_404(case: Case, request: RecordedRequest) -> Wording:
    due = refusal(case, request)
    if due and due.rule == "wire.accept":
        return Wording("wire.accept", ("Not found.",))
    if request.endpoint.is_detail:
        return Wording("detail.not-found", ("Not found.",))
    return Wording("list.invalid-page", ("Invalid page.",))


def throttling_fits(case: Case) -> Iterator[Finding]:
    """A 429 says the same in its body as in its header."""
    if case.exchange.status != TOO_MANY or case.schema is None or not isinstance(case.body, dict):
        return
    text, wait = case.body.get("detail"), case.exchange.header("retry-after")
    if not isinstance(text, str):
        return
    match = _THROTTLED.fullmatch(text)
    if match is None or (wait is not None and wait.isdecimal() and (match[1] or match[2]) != wait):
        yield case.finding("limit.retry-after", "detail", check="throttled", expected=wait, actual=text)


def has_code(case: Case) -> Iterator[Finding]:
    """A 403 has a code that the vendor's clients know."""
    if case.exchange.status != FORBIDDEN or case.schema is None or not isinstance(case.body, dict):
        return
    code: Any = case.body.get("code")
    if code not in CODES_OF_403:
        actual = {"actual": code} if "code" in case.body else {}
        yield case.finding(
            "error.detail", "code", check="enum", expected=list(CODES_OF_403), mark=Mark.OBSERVED, **actual
        )


def names_the_wrong_fields(case: Case) -> Iterator[Finding]:
    """A 400 names every wrong field at once, and none that may be as it is."""
    request = case.request
    if case.exchange.status != BAD_REQUEST or case.schema is None or request is None or not case.is_clear:
        return
    if not isinstance(case.body, dict) or not _are_lists(case.body):
        return
    for each in request.endpoint.filters:
        if is_wrong(each, request) and each.name not in case.body:
            yield case.finding("filter.errors", each.name, check="required")
    known = [each.name for each in request.endpoint.filters if each.name in case.body]
    if (named := [name for name in case.body if name in known]) != known:
        yield case.finding("filter.errors", check="order", expected=known, actual=named, mark=Mark.FRAMEWORK)
    may_be_wrong = {each.name for each in request.endpoint.filters if _may_be_wrong(each, request)}
    for name in case.body:
        if name not in may_be_wrong and any(is_wrong(each, request) for each in request.endpoint.filters):
            yield case.finding("filter.errors", name, check="wrong-field", actual=case.body[name])


def _are_lists(body: dict[str, Any]) -> bool:
    return all(isinstance(each, list) for each in body.values())


def _may_be_wrong(each: Filter, request: RecordedRequest) -> bool:
    return is_wrong(each, request) or has_open_value(each, request)


def field_errors_read_right(case: Case) -> Iterator[Finding]:
    """The message of a field error is the sentence that the framework writes, and has its code."""
    if case.exchange.status != BAD_REQUEST or case.schema is None or case.request is None:
        return
    if not case.is_clear or not isinstance(case.body, dict):
        return
    for each in case.request.endpoint.filters:
        problems = case.body.get(each.name)
        if isinstance(problems, list) and problems and _may_be_wrong(each, case.request):
            yield from _differences(case, each.name, problems[0], _messages(each, case.request))


def _messages(each: Filter, request: RecordedRequest) -> dict[str, str]:
    """Return what may be said of a filter's value, with the codes."""
    value = request.params[each.name]
    what = value if each.resource is None else "That choice"
    messages = {f"Select a valid choice. {what} is not one of the available choices.": "invalid_choice"}
    if "\0" in value:
        messages["Null characters are not allowed."] = "null_characters_not_allowed"
    return messages


def _differences(case: Case, field: str, problem: Any, messages: dict[str, str]) -> Iterator[Finding]:
    is_object = isinstance(problem, dict)
    message = problem.get("message") if is_object else problem
    keys = (field, 0, "message") if is_object else (field, 0)
    if isinstance(message, str) and message not in messages:
        yield case.finding(
            "filter.errors", *keys, check="text", expected=list(messages), actual=message, mark=Mark.FRAMEWORK
        )
    elif is_object and problem.get("code") != messages.get(str(message)) and "code" in problem:
        yield case.finding(
            "filter.errors",
            *(field, 0, "code"),
            check="enum",
            expected=sorted(set(messages.values())),
            actual=problem["code"],
        )
