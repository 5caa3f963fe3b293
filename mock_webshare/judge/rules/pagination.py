"""Pagination: do numbers, links and rows of a page fit each other?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, parse_qs, parse_qsl, unquote, urlencode

from mock_webshare.contract.model import Mark
from mock_webshare.exchange.request import RecordedRequest, origin_of, read_int, split
from mock_webshare.judge.model.context import RuleContext
from mock_webshare.judge.model.finding import Finding


def size_and_count_fit(context: RuleContext) -> Iterator[Finding]:
    """A page exists and has as many rows as its size and `count` require.

    `PageSizeCaps` judges sizes for which one page is not enough to decide.
    """
    page = context.page
    if page is None:
        return
    if not page.exists and not page.length:
        yield context.finding("list.invalid-page", check="beyond", expected=404, actual=200)
    if page.is_longer:
        yield context.finding("list.page-size-limit", "results", expected=page.assumed, actual=page.length)
    is_short = page.length < page.due and page.has_next
    if page.length > page.size or is_short:
        mark = None if page.is_size_plain else Mark.FRAMEWORK
        yield context.finding("list.page-size", "results", expected=page.size, actual=page.length, mark=mark)
    elif page.exists and not page.has_due_rows:
        yield context.finding("list.count", "count", expected=page.before + page.length, actual=page.count)


def links_are_present(context: RuleContext) -> Iterator[Finding]:
    """`next` is null exactly on the last page, and `previous` exactly on the first."""
    page = context.page
    if page is None or not page.exists or not page.has_due_rows:
        return
    for name, is_due in (("next", not page.is_last), ("previous", page.number > 1)):
        link = context.body.get(name)
        if name in context.body and (link is not None) != is_due:
            check = "link" if is_due else "no-link"
            shown = context.shown(link) if isinstance(link, str) else link
            rule = "list.last-page" if page.is_asked_as_last and name == "next" else "list.links"
            yield context.finding(rule, name, check=check, actual=shown)


def links_point_to_neighbours(context: RuleContext) -> Iterator[Finding]:
    """A link points to the next or previous page, written as the framework does."""
    page, request = context.page, context.request
    if page is None or request is None:
        return
    for name, number in (("next", page.number + 1), ("previous", page.number - 1)):
        link = context.body.get(name)
        if isinstance(link, str) and number > 0 and (parts := split(link)) and parts.netloc:
            yield from _compare_origin(context, request, name, parts)
            yield from _compare_query(context, request, name, parts, number)


def _compare_origin(
    context: RuleContext, request: RecordedRequest, name: str, parts: SplitResult
) -> Iterator[Finding]:
    actual = f"{parts.scheme}://{parts.netloc}".lower()
    host = context.exchange.request_header("host")
    is_same = origin_of(parts) == request.origin and "@" not in parts.netloc
    if not is_same and actual != f"{request.origin.partition('://')[0]}://{host}".lower():
        # Behind a proxy or a tunnel the service writes its own name, which is not an error.
        mark = None if request.origin == context.contract.origin else Mark.ASSUMED
        wanted, shown = request.origin, context.shown(actual)
        yield context.finding(
            "list.links-origin", name, check="origin", expected=wanted, actual=shown, mark=mark
        )


def _compare_query(
    context: RuleContext, request: RecordedRequest, name: str, parts: SplitResult, number: int
) -> Iterator[Finding]:
    expected = link_query(request.query, number)
    wanted, actual = (_selection(request, query) for query in (expected, parts.query))
    if unquote(parts.path) != unquote(request.path) or actual != wanted:
        rule = "list.links"
    elif parts.query != expected or parts.fragment:
        rule = "list.links-query"
    else:
        return
    link = f"{parts.scheme}://{parts.netloc}{request.path}" + (f"?{expected}" if expected else "")
    shown = context.shown(context.body[name])
    yield context.finding(rule, name, check="same", expected=context.shown(link), actual=shown)


def _selection(request: RecordedRequest, query: str) -> dict[str, Any]:
    """Return what a query selects: the parameters that the list knows, without those that change nothing."""
    params = dict(parse_qsl(query, keep_blank_values=True))
    endpoint = request.endpoint
    of_relations = {each.name for each in endpoint.filters if each.resource}
    names = {"ordering", "page_size", *(each.name for each in endpoint.filters)}
    selected: dict[str, Any] = {name: params[name] for name in names & params.keys()}
    page = params.get("page") or "1"
    number = read_int(page)
    return {
        **{name: value for name, value in selected.items() if value or name in of_relations},
        "page": page if number is None else number,
    }


def link_query(query: str, number: int) -> str:
    """Return the query of a link to a page: `a=+&b=1&page=3` for `b=1&a=%20` and 3.

    The query is decoded and written again, sorted by name; a link to page 1 has no `page` (framework).
    """
    params = parse_qs(query, keep_blank_values=True)
    params.pop("page", None)
    if number > 1:
        params["page"] = [str(number)]
    return urlencode(sorted(params.items()), doseq=True)


def rows_are_distinct(context: RuleContext) -> Iterator[Finding]:
    """No row appears twice on a page, or in an array."""
    if context.request is None:
        return
    seen = set()
    for index, row in context.plain_objects:
        row_id = row.get("id")
        if type(row_id) is not int:
            continue
        if row_id in seen:
            yield context.finding("list.walk", *context.keys(index, "id"), check="twice", actual=row_id)
        seen.add(row_id)
