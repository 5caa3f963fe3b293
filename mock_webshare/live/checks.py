"""Checks: for each rule, the requests that a probe sends, and the responses to them if the rule holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from mock_webshare.contract import messages
from mock_webshare.contract.timestamps import SECOND, parse_instant
from mock_webshare.exchange.limits import STRING_OR_REST
from mock_webshare.exchange.model import Headers
from mock_webshare.judge.model.finding import excerpt, shorten
from mock_webshare.judge.model.response_time import TOLERANCE, read_http_date
from mock_webshare.judge.model.row_fields import read_instant
from mock_webshare.judge.rules.pagination import link_query
from mock_webshare.live.responses import Expected, Objection, Responses, Row, Subject, Undecidable, described


class Request(NamedTuple):
    """One request, and what its rule expects of the response, as far as earlier responses do not matter."""

    name: str
    target: str | Callable[[Responses], str]
    """Path and query, with attributes of the subject in braces; or a function that returns both."""
    expected: Expected | None = None
    min_rows: int = 0
    """With fewer rows in the account, the response would show nothing, and the request is not sent."""
    method: str = "GET"
    headers: Headers = ()
    """Added to the headers of every request; a header replaces one of the same name there."""
    is_anonymous: bool = False
    """Whether the request is sent without the key."""

    def resolve(self, responses: Responses) -> str:
        """Return the path and query; raise `Undecidable` if there is no reason to send the request."""
        if self.min_rows and (count := responses.count()) < self.min_rows:
            plural = responses.subject.plural
            raise Undecidable(f"the account has {count} {plural}, and this needs {self.min_rows}")
        if isinstance(self.target, str):
            return self.target.format_map(responses.subject)
        return self.target(responses)


class Check(NamedTuple):
    """How a rule is decided: what its requests expect, and then what `compare` finds."""

    rule: str
    requests: Sequence[Request] = ()
    compare: Callable[[Responses], Iterator[Objection]] | None = None

    def objections(self, responses: Responses) -> Iterator[Objection]:
        """Yield what contradicts the rule; raise `Undecidable` once the responses do not show something."""
        for request in self.requests:
            if request.expected:
                yield from request.expected.objections(responses, request.name)
        if self.compare:
            yield from self.compare(responses)


# The object.

_NUMBER = r"(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![0-9.eE+-])"
"""Matches only a number of JSON: other values do not show how the service writes numbers."""
_FRACTION = r'"[^".]*+(?:\.([0-9]*+))?[^"]*+"'


def _written(responses: Responses, fields: Sequence[str], pattern: str) -> list[str]:
    """Return the matches of a pattern's group in the values of fields, as the first two bodies write them."""
    found, names = list[str](), "|".join(map(re.escape, fields))
    for request in ("first", "large page"):
        with suppress(Undecidable):
            body = responses.to(request).body.decode(errors="replace")
            found += re.findall(rf'"(?:{names})"\s*:\s*{pattern}', body, re.ASCII)
    if not found:
        raise Undecidable(f"no row has a value of {' or '.join(fields)}")
    return found


def _number_form(field: str, responses: Responses) -> Iterator[Objection]:
    written = _written(responses, [field], _NUMBER)
    if others := [number for number in written if repr(float(number)) != number]:
        yield Objection(f"{field} is written {shorten(others[0])}, not {float(others[0])!r}")
    elif all(number == f"{float(number):.2f}" for number in written):
        raise Undecidable(f"every {field} has two decimal places, which look the same in both forms")


def _integer_form(responses: Responses) -> Iterator[Objection]:
    names = [name for name, each in responses.subject.fields.items() if each.type == "integer"]
    if others := [
        number for number in _written(responses, names, _NUMBER) if not number.lstrip("-").isdigit()
    ]:
        yield Objection(f"an integer is written {shorten(others[0])}, not in digits alone")


def _date_order(responses: Responses) -> Iterator[Objection]:
    rows = [*responses.rows("first"), *responses.rows("large page")]
    if not rows or not responses.subject.date_orders:
        raise Undecidable("no row has dates whose order is known")
    for earlier, later in responses.subject.date_orders:
        for row in rows:
            first, second = read_instant(row.get(earlier)), read_instant(row.get(later))
            if first is not None and second is not None and second <= first - SECOND:
                yield Objection(
                    f"{later} of the {responses.subject.singular} {row.get('id')} is before {earlier}"
                )
                break


def _past_dates(responses: Responses) -> Iterator[Objection]:
    exchange = responses.to("first")
    date = read_http_date(exchange.header("date") or "")
    if date is None or exchange.header("mock-webshare-version") is not None:
        raise Undecidable("the time of the data is not known")
    for name in responses.subject.past_dates:
        instants = [read_instant(row.get(name)) for row in responses.rows("first")]
        if any(each is not None and each > date + TOLERANCE for each in instants):
            yield Objection(f"{name} is later than the response")


def _never_shown(reason: str) -> Callable[[Responses], Iterator[Objection]]:
    def compare(responses: Responses) -> Iterator[Objection]:
        raise Undecidable(reason)

    return compare


def _microseconds(responses: Responses) -> Iterator[Objection]:
    fractions = _written(responses, responses.subject["dates"], _FRACTION)
    if others := [digits for digits in fractions if digits and len(digits) != 6]:
        yield Objection(f"a date has {len(others[0])} digits of fraction, not 6 or none")
    if "000000" in fractions:
        yield Objection("a date on a whole second has a fraction of .000000, not none")


# The wire.

_NEEDLESS_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*+\\u(?!00[01]|2028|2029)[0-9a-fA-F]{4}")
"""Escapes of anything but control characters and U+2028 and U+2029, which the framework escapes."""


def _json(responses: Responses) -> Iterator[Objection]:
    for name in ("first", "no key"):
        yield from Expected(headers={"Content-Type": "application/json"}).objections(responses, name)
        exchange = responses.to(name)
        if re.search(rb"\s", STRING_OR_REST.sub(b"", exchange.body)):
            yield Objection(f"the response to {described(exchange)} has whitespace between its values")
        if _NEEDLESS_ESCAPE.search(exchange.body):
            yield Objection(f"the response to {described(exchange)} escapes what UTF-8 can encode")


def _indent(responses: Responses) -> Iterator[Objection]:
    if not responses.to("indented").body.startswith(b'{\n    "count"'):
        yield Objection("a response that was requested with indent=4 is not indented by 4")


def _allow(responses: Responses) -> Iterator[Objection]:
    headers = {"Allow": ", ".join(responses.subject.methods), "Vary": None, "ETag": None}
    for name in ("first", "no key", "page 0", "html"):
        yield from Expected(headers=headers).objections(responses, name)


def _head(responses: Responses) -> Iterator[Objection]:
    headers = {name: responses.to("first").header(name) for name in ("Content-Type", "Allow")}
    yield from Expected(headers=headers).objections(responses, "head")


def _options(responses: Responses) -> Iterator[Objection]:
    document, fields = responses.document("options"), ("name", "description", "renders", "parses")
    if not isinstance(document, dict) or tuple(document) != fields:
        yield Objection(f"OPTIONS returns {excerpt(document)}, not an object of {', '.join(fields)}")


def _unknown_route(responses: Responses) -> Iterator[Objection]:
    exchange = responses.to("unknown route")
    if not (exchange.header("content-type") or "").startswith("text/html"):
        yield Objection("the response of an unknown route is not an HTML page")
    elif b"<h1>Not Found</h1>" not in exchange.body:
        yield Objection("the response of an unknown route is not Django's own page")


def _retry_after(_: Responses) -> Iterator[Objection]:
    raise Undecidable("this needs more requests than the limit allows, and a probe stays well below it")


# Pages.


def _page_size_limit(responses: Responses) -> Iterator[Objection]:
    subject, count = responses.subject, responses.count()
    size, rows = subject.large_page, len(responses.rows("large page"))
    if rows == size:
        size, rows = subject.larger_page, len(responses.rows("larger page"))
    if rows < min(size, count):
        if rows != subject.max_page_size:
            yield Objection(f"page_size={size} returns {rows} rows", f"--max-page-size {rows}")
    elif size == subject.larger_page:
        says = f"page_size={size} returns more than {subject.max_page_size} rows"
        yield Objection(says, f"--max-page-size {size}")
    else:
        raise Undecidable(f"the account has {count} {subject.plural}, and this needs {size}")


def _page_numbers(responses: Responses) -> Iterator[Objection]:
    usual = len(responses.rows("first"))
    for name, size, is_number in (
        ("size with spaces and sign", 2, True),
        ("size with underscore", 10, True),
        ("size with exponent", 10, False),
    ):
        responses.to(name)  # if it was not sent, raises the reason, which is more precise than the one below
        capped = min(size, len(responses.rows("large page")))
        if capped == usual:
            raise Undecidable(f"a page has {usual} rows, whether a size of {size} is read as a number or not")
        yield from Expected(200, rows=capped if is_number else usual).objections(responses, name)


def _last_page(responses: Responses) -> Iterator[Objection]:
    last = responses.document("last page")
    if isinstance(last, dict) and last.get("next"):
        yield Objection("page=last has a next page")
    if isinstance(last, dict) and responses.count() > 10 and not last.get("previous"):
        yield Objection("page=last has no previous page")
    if responses.to("empty page").status == 404:
        yield Objection("an empty page is 404, as in versions of the framework before 3.15")
    elif responses.document("empty page") != responses.document("first"):
        yield from Expected(200).objections(responses, "empty page")
        responses.require_unchanged()
        yield Objection("an empty page is not the first")


LINKS_QUERY = "z=b%20c&page_size=1&z=%2F&page=2&empty=&a=1"
"""Parameters out of order, one of them twice and one empty, spaces as `%20`."""


def _links_query(responses: Responses) -> Iterator[Objection]:
    page, url = responses.page("links"), responses.to("links").source + responses.subject.list
    numbers = {"previous": 1, "next": 3 if responses.count() > 2 else None}  # of page 2; a page has one row
    for name, number in numbers.items():
        link = number and f"{url}?{link_query(LINKS_QUERY, number)}"
        if page.get(name) != link:
            yield Objection(f"{name} is {excerpt(page.get(name))}, not {excerpt(link)}")


def _unknown_filter(responses: Responses) -> Iterator[Objection]:
    if responses.count("links") != responses.count():
        responses.require_unchanged()
        yield Objection(f"unknown parameters change the number of {responses.subject.plural}")
    link = str(responses.page("links").get("previous"))
    if "empty=" not in link or "a=1" not in link:
        yield Objection("unknown parameters are not kept in the links")


# Orders.


def _terms(subject: Subject) -> list[str]:
    """Return all orderings by one field, those that services usually have as default first."""
    always = [name for name in subject.dates if not subject.fields[name].is_nullable]
    dates = [name for name in subject.orderings if name in always]
    likely = ["id", *(f"-{name}" for name in (*dates[:1], "id", *dates[1:])), *dates]
    every = [sign + name for name in subject.orderings for sign in ("", "-")]
    return list(dict.fromkeys(likely + every))


def _default_order(responses: Responses) -> Iterator[Objection]:
    pages = list(_in_default_order(responses))
    if len(pages[0]) < 2:
        raise Undecidable("the longest page has fewer than the 2 rows that an order needs")
    fitting = _fitting(responses.subject, pages, by_id=True) or _fitting(
        responses.subject, pages, by_id=False
    )
    if not fitting:
        yield Objection("no field has the order of the rows")
        return
    first, *others = fitting
    says = f"rows are ordered by {first}" + (f"; they also fit {', '.join(others)}" if others else "")
    if first != "id":
        yield Objection(says, f"--default-ordering={first}")
    elif others:
        raise Undecidable(says)


def _fitting(subject: Subject, pages: list[list[Row]], *, by_id: bool) -> list[str]:
    """Return the orderings that all pages have; rows that tie have to be in order of id only if `by_id`."""
    return [
        term for term in _terms(subject) if all(_is_ordered(subject, rows, term, by_id) for rows in pages)
    ]


def _in_default_order(responses: Responses) -> Iterator[list[Row]]:
    """Yield all pages of the list in its default order, the longest first."""
    yield max(responses.rows("first"), responses.rows("large page"), key=len)
    for name in ("larger page", "last page"):
        with suppress(Undecidable):
            yield responses.rows(name)


def _is_ordered(subject: Subject, rows: list[Row], term: str, by_id: bool) -> bool:
    name, is_descending = term.removeprefix("-"), term.startswith("-")
    before = sorted(rows, key=lambda row: row["id"]) if by_id else rows
    try:
        # A sort keeps the order of ties, in both directions.
        after = sorted(
            before, key=lambda row: _sort_key(row[name], name in subject.dates), reverse=is_descending
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Undecidable(f"a row has a {name} that cannot be compared") from error
    return rows == after


def _sort_key(value: Any, is_date: bool) -> tuple[bool, Any]:
    """Return the sort key of a value; a null is larger than all others, as in PostgreSQL."""
    return (True, 0) if value is None else (False, parse_instant(value) if is_date and value else value)


def _unknown_order(responses: Responses) -> Iterator[Objection]:
    term = f"-{responses.subject['ordering']}"
    for one, other, says in (
        ("first", "unknown ordering", "ordering=bogus is not the default order"),
        ("descending", "partly unknown ordering", f"ordering=bogus,{term} is not the order of {term}"),
    ):
        yield from Expected(200).objections(responses, other)
        first, second = ([row["id"] for row in responses.rows(each)] for each in (one, other))
        if first != second:
            responses.require_unchanged()
            yield Objection(says)


def _ties(responses: Responses) -> Iterator[Objection]:
    field, are_any = responses.subject["tied_ordering"], False
    for name in ("ties ascending", "ties descending"):
        pairs = pairwise(responses.rows(name))
        ties = [one["id"] > other["id"] for one, other in pairs if one.get(field) == other.get(field)]
        are_any = are_any or bool(ties)
        if any(ties):
            request = described(responses.to(name))
            yield Objection(f"{sum(ties)} of {len(ties)} ties in {request} are not ordered by id")
    if not are_any:
        raise Undecidable(f"no two {responses.subject.plural} tie")


def _nulls(responses: Responses) -> Iterator[Objection]:
    field = responses.subject["nullable_ordering"]
    _require_nulls_and_others(responses, field)
    for name, is_null in (("ascending", False), ("descending", True)):
        for found in _are_null(responses, field, name):
            if found != is_null:
                yield Objection(f"{name}, nulls come {'first' if found else 'last'}")


def _are_null(responses: Responses, field: str, *directions: str) -> list[bool]:
    """Return, for the first row in each direction, whether a field is null; without rows, nothing."""
    rows = (row for name in directions for row in responses.rows(f"nulls {name}")[:1])
    return [row.get(field) is None for row in rows]


def _require_nulls_and_others(responses: Responses, field: str) -> None:
    if responses.subject.filter_without_nulls:
        known, count = responses.count("not null"), responses.count()
        if not 0 < known < count:
            has = f"{known} of {count} {responses.subject.plural} have a {field}"
            raise Undecidable(f"{has}, and this needs some with and some without one")
    elif len(set(_are_null(responses, field, "ascending", "descending"))) < 2:
        raise Undecidable(f"the first rows by {field} do not show both nulls and other values")


# Requests.

_HTML: Headers = (("Accept", "text/html"),)
_INDENTED: Headers = (("Accept", "application/json; indent=4"),)
_MANY_PARAMETERS = "format=xml" + "&a" * 1000
"""One parameter more than the framework reads (Django's `DATA_UPLOAD_MAX_NUMBER_FIELDS`)."""
_INVALID_PAGE = Expected(404, messages.INVALID_PAGE)


def _larger_page(responses: Responses) -> str:
    """Return the target of a page so large that it shows whether `page_size` has a limit at all."""
    if len(responses.rows("large page")) < responses.subject.large_page:
        raise Undecidable("a smaller page has fewer rows already")
    return "{list}?page_size={larger_page}".format_map(responses.subject)


def _detail(target: Callable[[Subject, Row], str]) -> Callable[[Responses], str]:
    """Return a function of the responses that returns `target` of the subject and its first row."""

    def of_first(responses: Responses) -> str:
        if rows := responses.rows("first"):
            return target(responses.subject, rows[0])
        raise Undecidable(f"the account has no {responses.subject.plural}")

    return of_first


def _unauthorized(name: str, authorization: str | None, detail: str) -> Request:
    headers = (("Authorization", authorization),) if authorization else ()
    expected = Expected(401, detail, headers={"WWW-Authenticate": "Token"})
    return Request(name, "{list}", expected, headers=headers, is_anonymous=authorization is None)


def _refused(name: str, target: str, status: int, headers: Headers = ()) -> Request:
    return Request(name, target, Expected(status), headers=headers, is_anonymous=True)


# fmt: off
CHECKS = (
    Check("wire.json", [Request("first", "{list}")], _json),
    Check("list.links-query", [Request("links", "{list}?" + LINKS_QUERY, min_rows=2)], _links_query),
    Check("filter.unknown", compare=_unknown_filter),
    Check("list.page-size-limit", [
        Request("large page", "{list}?page_size={large_page}", min_rows=1),
        Request("larger page", _larger_page),
    ], _page_size_limit),
    Check("order.default", compare=_default_order),
    Check("order.unknown", [
        Request("descending", "{list}?ordering=-{ordering}", min_rows=2),
        Request("unknown ordering", "{list}?ordering=bogus", min_rows=2),
        Request("partly unknown ordering", "{list}?ordering=bogus,%20-{ordering},", min_rows=2),
    ], _unknown_order),
    Check("order.ties", [
        Request("ties ascending", "{list}?ordering={tied_ordering}&page_size={max_page_size}", min_rows=2),
        Request("ties descending", "{list}?ordering=-{tied_ordering}&page_size={max_page_size}", min_rows=2),
    ], _ties),
    Check("order.nulls", [
        Request("not null", "{list}?{filter_without_nulls}&page_size=1"),
        Request("nulls ascending", "{list}?ordering={nullable_ordering}&page_size=1", min_rows=2),
        Request("nulls descending", "{list}?ordering=-{nullable_ordering}&page_size=1", min_rows=2),
    ], _nulls),
    Check("list.page-numbers", [
        Request("size with spaces and sign", "{list}?page_size=%20%2B2%20", min_rows=3),
        Request("size with underscore", "{list}?page_size=1_0", min_rows=11),
        Request("size with exponent", "{list}?page_size=1e1", min_rows=11),
        Request("page in other digits", "{list}?page=%EF%BC%91", Expected(200)),
        Request("page with point", "{list}?page=1.0", Expected(404)),
    ], _page_numbers),
    Check("list.last-page", [
        Request("last page", "{list}?page=last&page_size=10", Expected(200)),
        Request("empty page", "{list}?page="),
    ], _last_page),
    Check("list.invalid-page", [
        Request("page 0", "{list}?page=0", _INVALID_PAGE),
        Request("page -1", "{list}?page=-1", _INVALID_PAGE),
        Request("page beyond the last", "{list}?page=999999999", _INVALID_PAGE),
        Request("page not a number", "{list}?page=bogus", _INVALID_PAGE),
    ]),
    Check("detail.filters", [
        Request("selected row", _detail(Subject.selected), Expected(200)),
        Request("excluded row", _detail(Subject.excluded), Expected(404)),
        Request("refused filter", _detail(Subject.refused), Expected(400)),
    ]),
    Check("wire.indent", [
        Request("indented", "{list}?page_size=1", Expected(200), headers=_INDENTED),
    ], _indent),
    Check("wire.accept", [
        Request("html", "{list}", Expected(406, messages.NOT_ACCEPTABLE), headers=_HTML),
        Request("xml", "{list}?format=xml", Expected(404, messages.NOT_FOUND)),
    ]),
    Check("wire.head", [Request("head", "{list}", Expected(200), method="HEAD")], _head),
    Check("route.options", [Request("options", "{list}", Expected(200), method="OPTIONS")], _options),
    Check("route.unknown", [Request("unknown route", "{unknown_route}", Expected(404))], _unknown_route),
    Check("auth.unauthorized", [
        _unauthorized("no key", None, messages.NO_CREDENTIALS),
        _unauthorized("another scheme", "Basic bWU6eW91", messages.NO_CREDENTIALS),
        _unauthorized("keyword alone", "Token", messages.KEYWORD_ALONE),
        _unauthorized("two keys", "Token one two", messages.KEY_WITH_SPACES),
        _unauthorized("unknown key", "Token invalid", messages.UNKNOWN_KEY),
    ]),
    Check("wire.allow", compare=_allow),
    # Requests with several mistakes: the status shows which mistake the service finds first.
    Check("route.order", [
        _refused("no slash, no key", "{list_without_slash}?format=xml", 301),
        _refused("many parameters, xml, no key", "{list}?" + _MANY_PARAMETERS, 400),
        _refused("xml, html, no key", "{list}?format=xml", 404, _HTML),
        _refused("html, no key", "{list}", 406, _HTML),
        _refused("wrong filter, no key", "{list}?{filter}=bogus", 401),
        Request("wrong filter and page", "{list}?{filter}=bogus&page=0", Expected(400)),
    ]),
    Check("code.unknown", [Request("unknown code", "{lookup}", Expected(404, messages.NOT_FOUND))]),
    *(
        Check(rule, compare=_never_shown("a probe changes nothing"))
        for rule in ("body.errors", "body.types", "coupon.apply")
    ),
    Check("limit.retry-after", compare=_retry_after),
    Check("object.microseconds", compare=_microseconds),
    Check("object.integer-form", compare=_integer_form),
    Check("object.date-order", compare=_date_order),
    Check("object.past-dates", compare=_past_dates),
    Check("object.constant", compare=_never_shown("a probe is too short to show a change")),
    *(
        Check(rule, compare=_never_shown("a probe requests one list and its rows"))
        for rule in ("channel.dates", "config.earn-out-date")
    ),
)
# fmt: on
"""In the order in which the requests are sent. A check may also use the responses to another's requests."""


def checks_of(subject: Subject) -> Mapping[str, Check]:
    """Return the checks by the ids of their rules, with a check `object.FIELD-form` of each number field."""
    numbers = [name for name, each in subject.fields.items() if each.type == "number"]
    forms = [Check(f"object.{name}-form", compare=partial(_number_form, name)) for name in numbers]
    return {each.rule: each for each in (*CHECKS, *forms)}
