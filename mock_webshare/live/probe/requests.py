"""Questions: what a probe asks a service. Each only reads, and none wants more than a thousand rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mock_webshare.contract.endpoints import API_ROOT, CREDIT_LIST, MODES, STATUSES
from mock_webshare.live.probe.responses import Answers, Undecidable

if TYPE_CHECKING:
    from mock_webshare.exchange.model import Headers

LIST = CREDIT_LIST.path
MANY_PARAMETERS = "format=xml" + "&a" * 1000
"""One more than are taken (framework: Django's `DATA_UPLOAD_MAX_NUMBER_FIELDS`)."""

Target = str | Callable[[Answers], str]
"""A path and query, or what makes them of earlier answers; that raises `Undecidable` if it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request."""

    name: str
    target: Target
    method: str = "GET"
    headers: Headers = ()
    """Besides those that every question has; one of the same name takes the place of that."""
    is_anonymous: bool = False
    """Whether it is asked without the key."""

    def aimed(self, answers: Answers) -> str:
        """Return path and query; raise `Undecidable` if the answers so far do not give them."""
        return self.target if isinstance(self.target, str) else self.target(answers)


def _list(query: str) -> str:
    return f"{LIST}?{query}"


def _with_at_least(credits: int, query: str) -> Callable[[Answers], str]:
    """Return what makes a target, unless the account has too few credits for the answer to tell anything."""

    def target(answers: Answers) -> str:
        if (count := answers.count()) < credits:
            raise Undecidable(f"the account has {count} of the {credits} credits that it takes")
        return _list(query)

    return target


def _larger_still(answers: Answers) -> str:
    if len(answers.rows("large page")) < 101:
        raise Undecidable("a page of 101 had fewer rows already")
    return _list("page_size=1000")


def _one(query: Callable[[dict[str, Any]], str]) -> Callable[[Answers], str]:
    """Return what makes the target of a single credit."""

    def target(answers: Answers) -> str:
        rows = answers.rows("first")
        if not rows:
            raise Undecidable("the account has no credits")
        return f"{LIST}{rows[0]['id']}/?{query(rows[0])}"

    return target


def _filters(row: dict[str, Any]) -> str:
    """Return the filters that a credit passes; what is not documented has no place in a URL of ours."""
    status, mode = row.get("status"), row.get("mode")
    if status not in STATUSES or mode not in MODES:
        raise Undecidable("the first credit has a status or mode that is not documented")
    return f"status={status}&mode={mode}"


def _other(value: Any) -> str:
    return next(status for status in STATUSES if status != value)


_HTML, _INDENTED = (("Accept", "text/html"),), (("Accept", "application/json; indent=4"),)


def _authorization(value: str) -> Headers:
    return (("Authorization", value),)


LINKS_QUERY = "z=b%20c&page_size=1&z=%2F&page=2&empty=&a=1"
"""Parameters out of order, one of them twice and one empty, blanks as `%20`."""

# fmt: off
QUESTIONS = (
    Question(name="first", target=LIST),
    Question(name="links", target=_with_at_least(2, LINKS_QUERY)),
    Question(name="large page", target=_with_at_least(1, "page_size=101")),
    Question(name="larger page", target=_larger_still),
    Question(name="by id down", target=_with_at_least(2, "ordering=-id")),
    Question(name="by nothing known", target=_with_at_least(2, "ordering=bogus")),
    Question(name="by id down and unknown", target=_with_at_least(2, "ordering=bogus,%20-id,")),
    Question(name="by mode", target=_with_at_least(2, "ordering=mode&page_size=100")),
    Question(name="by mode down", target=_with_at_least(2, "ordering=-mode&page_size=100")),
    Question(name="reverted", target=_list("status=reverted&page_size=1")),
    Question(name="nulls up", target=_with_at_least(2, "ordering=reverted_at&page_size=1")),
    Question(name="nulls down", target=_with_at_least(2, "ordering=-reverted_at&page_size=1")),
    Question(name="size with blanks and sign", target=_with_at_least(3, "page_size=%20%2B2%20")),
    Question(name="size with underscore", target=_with_at_least(11, "page_size=1_0")),
    Question(name="size with exponent", target=_with_at_least(11, "page_size=1e1")),
    Question(name="page in other digits", target=_list("page=%EF%BC%91")),
    Question(name="page with point", target=_list("page=1.0")),
    Question(name="last page", target=_list("page=last&page_size=10")),
    Question(name="empty page", target=_list("page=")),
    Question(name="page 0", target=_list("page=0")),
    Question(name="page -1", target=_list("page=-1")),
    Question(name="page beyond", target=_list("page=999999999")),
    Question(name="page no number", target=_list("page=bogus")),
    Question(name="one", target=_one(_filters)),
    Question(name="one of other status", target=_one(lambda row: f"status={_other(row.get('status'))}")),
    Question(name="one of wrong mode", target=_one(lambda row: "mode=bogus")),
    Question(name="indented", target=_list("page_size=1"), headers=_INDENTED),
    Question(name="html", target=LIST, headers=_HTML),
    Question(name="xml", target=_list("format=xml")),
    Question(name="head", target=LIST, method="HEAD"),
    Question(name="options", target=LIST, method="OPTIONS"),
    Question(name="unknown route", target=f"{API_ROOT}mock-webshare-probe/"),
    Question(name="no key", target=LIST, is_anonymous=True),
    Question(name="another scheme", target=LIST, headers=_authorization("Basic bWU6eW91")),
    Question(name="keyword alone", target=LIST, headers=_authorization("Token")),
    Question(name="two keys", target=LIST, headers=_authorization("Token one two")),
    Question(name="unknown key", target=LIST, headers=_authorization("Token invalid")),
    Question(name="no slash, no key", target=LIST.rstrip("/") + "?format=xml", is_anonymous=True),
    Question(name="many parameters, xml, no key", target=_list(MANY_PARAMETERS), is_anonymous=True),
    Question(name="xml, html, no key", target=_list("format=xml"), headers=_HTML, is_anonymous=True),
    Question(name="html, no key", target=LIST, headers=_HTML, is_anonymous=True),
    Question(name="wrong mode, no key", target=_list("mode=bogus"), is_anonymous=True),
    Question(name="wrong mode and page", target=_list("mode=bogus&page=0")),
)
# fmt: on
"""In the order in which they are asked: of the first one many others are made."""
