"""Decisions: what the answers of a probe say about each rule that is not the vendor's own word.

A decision yields what speaks against its rule: nothing, and the rule is kept. It raises `Undecidable` if
the answers do not tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mock_webshare.contract.model import Mark
from mock_webshare.judge.model.finding import excerpt, shorten
from mock_webshare.judge.rules import error_body
from mock_webshare.judge.rules.pagination import link_query
from mock_webshare.live.probe import ordering_checks
from mock_webshare.live.probe.objections import (
    Against,
    expect,
    expect_detail,
    expect_header,
    expect_rows,
    unless_it_moved,
)
from mock_webshare.live.probe.requests import LINKS_QUERY, LIST
from mock_webshare.live.probe.responses import Answers, Undecidable, described

DECIDED = (Mark.FRAMEWORK, Mark.ASSUMED)
"""The marks of the rules that a probe is about: what they say was never said by anybody who knows."""

Decide = Callable[[Answers], Iterator[Against]]


# The object.

_AMOUNT = re.compile(
    r'"amount"\s*:\s*(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![0-9.eE+-])', re.ASCII
)
"""A number as JSON has them: what is none cannot be held against one."""
_FRACTION = re.compile(r'"(?:created|updated|reverted)_at"\s*:\s*"[^".]*+(?:\.([0-9]*+))?[^"]*+"')


def _bodies(answers: Answers) -> Iterator[str]:
    for name in ("first", "large page"):
        try:
            yield answers.to(name).body.decode(errors="replace")
        except Undecidable:
            continue


def _amount_form(answers: Answers) -> Iterator[Against]:
    written = [amount for body in _bodies(answers) for amount in _AMOUNT.findall(body)]
    others = [amount for amount in written if repr(float(amount)) != amount]
    if not written:
        raise Undecidable("there are no amounts to look at")
    if others:
        yield Against(f"an amount is written {shorten(others[0])}, not {float(others[0])!r}")
    elif all(amount == f"{float(amount):.2f}" for amount in written):
        raise Undecidable("every amount has two digits after the point, which both forms would show alike")


def _microseconds(answers: Answers) -> Iterator[Against]:
    fractions = [digits for body in _bodies(answers) for digits in _FRACTION.findall(body)]
    if not fractions:
        raise Undecidable("there are no dates to look at")
    if others := [digits for digits in fractions if digits and len(digits) != 6]:
        yield Against(f"a date has {len(others[0])} digits of fraction, not 6 or none")
    if "000000" in fractions:
        yield Against("a date on a whole second has a fraction of .000000, not none")


# The wire.

_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""A string of JSON; the last one may have no end."""
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")
_ESCAPED_BY_THE_FRAMEWORK = ("2028", "2029")  # line feeds to JavaScript


def _json(answers: Answers) -> Iterator[Against]:
    for name in ("first", "no key"):
        exchange = answers.to(name)
        yield from expect_header(exchange, "Content-Type", "application/json")
        text = exchange.body.decode(errors="replace")
        if re.search(r"\s", _STRING.sub("", text)):
            yield Against(f"the answer to {described(exchange)} has blanks between its values")
        if any(map(_is_needless, _ESCAPE.findall(text))):
            yield Against(f"the answer to {described(exchange)} escapes what UTF-8 can write")


def _is_needless(escape: str) -> bool:
    return len(escape) == 5 and int(escape[1:], 16) > 31 and escape[1:] not in _ESCAPED_BY_THE_FRAMEWORK


def _indent(answers: Answers) -> Iterator[Against]:
    exchange = answers.to("indented")
    yield from expect(exchange, 200)
    if not exchange.body.startswith(b'{\n    "count"'):
        yield Against("an answer that was to be indented by 4 is not")


def _allow(answers: Answers) -> Iterator[Against]:
    for name in ("first", "no key", "page 0", "html"):
        yield from expect_header(answers.to(name), "Allow", "GET, HEAD, OPTIONS")
        yield from expect_header(answers.to(name), "Vary", None)
        yield from expect_header(answers.to(name), "ETag", None)


def _accept(answers: Answers) -> Iterator[Against]:
    yield from expect_detail(answers, "html", 406, "Could not satisfy the request Accept header.")
    yield from expect_detail(answers, "xml", 404, "Not found.")


def _head(answers: Answers) -> Iterator[Against]:
    get, head = answers.to("first"), answers.to("head")
    yield from expect(head, 200)
    for name in ("Content-Type", "Allow"):
        yield from expect_header(head, name, get.header(name))
    if head.body:
        yield Against("HEAD has a body")


def _options(answers: Answers) -> Iterator[Against]:
    yield from expect(answers.to("options"), 200)
    document = answers.document("options")
    fields = list(document) if isinstance(document, dict) else None
    if fields != ["name", "description", "renders", "parses"]:
        yield Against(
            f"OPTIONS answers {excerpt(document)}, not an object of name, description, renders, parses"
        )


# Refusals.

UNAUTHORIZED = {
    "no key": error_body.NO_CREDENTIALS,
    "another scheme": error_body.NO_CREDENTIALS,
    "keyword alone": error_body.KEYWORD_ALONE,
    "two keys": error_body.SEVERAL_KEYS,
    "unknown key": error_body.UNKNOWN_KEY,
}


def _unauthorized(answers: Answers) -> Iterator[Against]:
    for name, text in UNAUTHORIZED.items():
        yield from expect_detail(answers, name, 401, text)
        yield from expect_header(answers.to(name), "WWW-Authenticate", "Token")


def _unknown_route(answers: Answers) -> Iterator[Against]:
    exchange = answers.to("unknown route")
    yield from expect(exchange, 404)
    if not (exchange.header("content-type") or "").startswith("text/html"):
        yield Against("an unknown route is no HTML page")
    elif b"<h1>Not Found</h1>" not in exchange.body:
        yield Against("an unknown route is not Django's own page")


REFUSALS = {
    "no slash, no key": 301,
    "many parameters, xml, no key": 400,
    "xml, html, no key": 404,
    "html, no key": 406,
    "wrong mode, no key": 401,
    "wrong mode and page": 400,
}
"""The status of requests that are wrong in several ways: of the way that is looked at first."""


def _order_of_refusals(answers: Answers) -> Iterator[Against]:
    for name, status in REFUSALS.items():
        yield from expect(answers.to(name), status)


def _retry_after(answers: Answers) -> Iterator[Against]:
    raise Undecidable("it takes more requests than the limit allows, and a probe stays well under it")


# Pages.


def _page_size_limit(answers: Answers) -> Iterator[Against]:
    count, rows = answers.count(), len(answers.rows("large page"))
    asked = 101
    if rows == asked:
        asked, rows = 1000, len(answers.rows("larger page"))
    if rows < min(asked, count):
        if rows != 100:
            yield Against(f"a page that was to have {asked} rows has {rows}", f"--max-page-size {rows}")
    elif asked == 1000:
        yield Against("a page that was to have 1000 rows has more than 100", "--max-page-size 1000")
    else:
        raise Undecidable(f"the account has {count} credits, and it takes 101")


def _page_numbers(answers: Answers) -> Iterator[Against]:
    yield from expect(answers.to("page in other digits"), 200)
    yield from expect(answers.to("page with point"), 404)
    usual = len(answers.rows("first"))
    for name, size, is_number in (
        ("size with blanks and sign", 2, True),
        ("size with underscore", 10, True),
        ("size with exponent", 10, False),
    ):
        answers.to(name)  # if it was not asked, the reason for that tells more
        capped = min(size, len(answers.rows("large page")))
        if capped == usual:
            raise Undecidable(f"a page has {usual} rows, whether a size of {size} is read as a number or not")
        yield from expect_rows(answers, name, capped if is_number else usual)


def _last_page(answers: Answers) -> Iterator[Against]:
    yield from expect(answers.to("last page"), 200)
    last = answers.document("last page")
    if isinstance(last, dict) and last.get("next"):
        yield Against("page=last has a next page")
    if isinstance(last, dict) and answers.count() > 10 and not last.get("previous"):
        yield Against("page=last has no previous page")
    if answers.to("empty page").status == 404:
        yield Against("an empty page is 404, as the framework had it before its version 3.15")
    elif answers.document("empty page") != answers.document("first"):
        yield from expect(answers.to("empty page"), 200)
        unless_it_moved(answers)
        yield Against("an empty page is not the first")


def _invalid_page(answers: Answers) -> Iterator[Against]:
    for name in ("page 0", "page -1", "page beyond", "page no number"):
        yield from expect_detail(answers, name, 404, "Invalid page.")


def _links_query(answers: Answers) -> Iterator[Against]:
    page, origin = answers.page("links"), answers.to("links").source
    numbers = {"previous": 1, "next": 3 if answers.count() > 2 else None}  # of page 2, with a row a page
    for name, number in numbers.items():
        link = number and f"{origin}{LIST}?{link_query(LINKS_QUERY, number)}"
        if page.get(name) != link:
            yield Against(f"{name} is {excerpt(page.get(name))}, not {excerpt(link)}")


def _unknown_filter(answers: Answers) -> Iterator[Against]:
    if answers.count("links") != answers.count():
        unless_it_moved(answers)
        yield Against("parameters that nobody knows change how many credits there are")
    following = str(answers.page("links").get("previous"))
    if "empty=" not in following or "a=1" not in following:
        yield Against("parameters that nobody knows are not kept in the links")


# One credit.


def _detail_filters(answers: Answers) -> Iterator[Against]:
    yield from expect(answers.to("one"), 200)
    yield from expect(answers.to("one of other status"), 404)
    yield from expect(answers.to("one of wrong mode"), 400)


DECISIONS: dict[str, Decide] = {
    "object.amount-form": _amount_form,
    "object.microseconds": _microseconds,
    "wire.json": _json,
    "wire.indent": _indent,
    "wire.allow": _allow,
    "wire.accept": _accept,
    "wire.head": _head,
    "auth.unauthorized": _unauthorized,
    "route.unknown": _unknown_route,
    "route.options": _options,
    "route.order": _order_of_refusals,
    "list.page-size-limit": _page_size_limit,
    "list.page-numbers": _page_numbers,
    "list.last-page": _last_page,
    "list.invalid-page": _invalid_page,
    "list.links-query": _links_query,
    "filter.unknown": _unknown_filter,
    "order.unknown": ordering_checks.unknown_order,
    "order.default": ordering_checks.default_order,
    "order.ties": ordering_checks.ties,
    "order.nulls": ordering_checks.nulls,
    "detail.filters": _detail_filters,
    "limit.retry-after": _retry_after,
}
"""How each rule with one of the marks `DECIDED` is decided, by its id."""
