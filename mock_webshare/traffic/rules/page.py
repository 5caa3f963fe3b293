"""Page: do the numbers and links of a page fit each other, its rows and the request?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from mock_webshare.contract import Mark
from mock_webshare.traffic.asked import read_int, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from urllib.parse import SplitResult

    from mock_webshare.contract import Paging
    from mock_webshare.traffic.asked import Asked
    from mock_webshare.traffic.case import Case
    from mock_webshare.traffic.finding import Finding

SERVICE = "https://proxy.webshare.io"


@dataclass(frozen=True, slots=True)
class Page:
    """What the numbers of a page are, and what they should be."""

    number: int
    size: int
    """Rows that a full page has, as the request and the answer together tell."""
    count: int
    length: int
    """Rows that it has."""
    is_capped: bool
    """Whether the size is not what was asked for, but another cap than the assumed one explains it."""
    is_asked_as_last: bool

    @property
    def due(self) -> int:
        """Rows that there are for it, by `count`."""
        return max(0, min(self.size, self.count - self.before))

    @property
    def before(self) -> int:
        """Rows on the pages before it."""
        return (self.number - 1) * self.size

    @property
    def is_last(self) -> bool:
        """Whether there is no page after it."""
        return self.number * self.size >= self.count

    @property
    def is_consistent(self) -> bool:
        """Whether it has the rows that `count` says."""
        return self.length == self.due

    @property
    def exists(self) -> bool:
        """Whether a list of `count` rows has it."""
        return self.number == 1 or self.before < self.count


def read_page(case: Case) -> Page | None:
    """Return the numbers of a page; None if it is no page, or they are none."""
    asked, endpoint = case.asked, case.endpoint
    if asked is None or endpoint is None or endpoint.paging is None or not case.is_clear:
        return None
    count = case.body.get("count") if isinstance(case.body, dict) else None
    if type(count) is not int or count < 0 or not isinstance(case.body.get("results"), list):
        return None
    length = len(case.rows)
    wanted = asked_size(asked, endpoint.paging)
    size, is_capped = _size(case, wanted, endpoint.paging, length)
    number = _number(asked, count, size)
    is_last = asked.params.get("page") == "last"
    return None if number is None else Page(number, size, count, length, is_capped, is_last)


def asked_size(asked: Asked, paging: Paging) -> int:
    """Return the rows a page that a request asks for, whatever the cap."""
    size = read_int(asked.params.get("page_size", ""))
    return paging.page_size if size is None or size < 1 else size


def _size(case: Case, wanted: int, paging: Paging, length: int) -> tuple[int, bool]:
    """Return the size of a full page, and whether the cap must be another than the assumed one."""
    cap = case.terms.max_page_size
    size = min(wanted, cap)
    if wanted > cap and size < length <= wanted:
        return length, True
    # A cap below the default size would make no sense.
    is_cut = case.body.get("next") is not None and paging.page_size <= length < size
    return (length, True) if is_cut else (size, False)


def _number(asked: Asked, count: int, size: int) -> int | None:
    page = asked.params.get("page") or "1"
    if page == "last":
        return max(1, -(-count // size)) if size else None
    number = read_int(page)
    return number if number is not None and number >= 1 and size else None


def cap_is_as_assumed(case: Case) -> Iterator[Finding]:
    """No page is longer than the assumed cap, or shorter because of a lower one."""
    page = read_page(case)
    if page is not None and page.is_capped:
        yield case.finding(
            "list.page-size-limit", "results", expected=case.terms.max_page_size, actual=page.length
        )


def page_is_full(case: Case) -> Iterator[Finding]:
    """A page has no more rows than were asked for, and no fewer unless it is the last."""
    page = read_page(case)
    if page is None:
        return
    is_short = page.length < page.due and case.body.get("next") is not None
    if page.length > page.size or is_short:
        mark = None if _is_size_plain(case.asked) else Mark.FRAMEWORK
        yield case.finding("list.page-size", "results", expected=page.size, actual=page.length, mark=mark)


def _is_size_plain(asked: Asked | None) -> bool:
    assert asked
    value = asked.params.get("page_size")
    return value is None or (asked.is_plain("page_size") and str(read_int(value)) == value)


def count_fits(case: Case) -> Iterator[Finding]:
    """The last page ends where `count` says, and no page goes beyond it."""
    page = read_page(case)
    if page is None or not page.exists or page.length > page.size or page.is_consistent:
        return
    if page.length > page.due or case.body.get("next") is None:
        yield case.finding("list.count", "count", expected=page.before + page.length, actual=page.count)


def page_exists(case: Case) -> Iterator[Finding]:
    """A page beyond the last is a 404, not an empty page."""
    page = read_page(case)
    if page is not None and not page.exists:
        yield case.finding("list.invalid-page", check="beyond", expected=404, actual=200)


def links_are_there(case: Case) -> Iterator[Finding]:
    """`next` is null exactly on the last page, and `previous` exactly on the first."""
    page = read_page(case)
    if page is None or not page.exists or not page.is_consistent:
        return
    for name, is_due in (("next", not page.is_last), ("previous", page.number > 1)):
        if name in case.body and (case.body[name] is not None) != is_due:
            check = "link" if is_due else "no-link"
            rule = "list.last-page" if page.is_asked_as_last and name == "next" else "list.links"
            yield case.finding(rule, name, check=check, actual=_shown(case.body[name]))


def links_lead_on(case: Case) -> Iterator[Finding]:
    """A link is the one that the framework writes: to the neighbour, on this server, in its spelling."""
    page, asked = read_page(case), case.asked
    if page is None or asked is None:
        return
    for name, number in (("next", page.number + 1), ("previous", page.number - 1)):
        link = case.body.get(name)
        if isinstance(link, str) and number > 0 and (parts := _split(link)) is not None:
            yield from _compare_origin(case, asked, name, parts)
            yield from _compare_query(case, asked, name, parts, number)


def _split(link: str) -> SplitResult | None:
    """Given a link, return its parts; None if it is none, which the schema says."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    return parts if parts.scheme and parts.netloc else None


def _compare_origin(case: Case, asked: Asked, name: str, parts: SplitResult) -> Iterator[Finding]:
    actual = f"{parts.scheme}://{parts.netloc}".lower()
    host = case.exchange.request_header("host")
    if actual not in (asked.origin, f"{asked.origin.partition('://')[0]}://{host}".lower()):
        # Through a proxy or a tunnel the service writes its own name: nothing is wrong with it.
        mark = None if asked.origin == SERVICE else Mark.ASSUMED
        yield case.finding(
            "list.links-origin", name, check="origin", expected=asked.origin, actual=shown(actual), mark=mark
        )


def _compare_query(case: Case, asked: Asked, name: str, parts: SplitResult, number: int) -> Iterator[Finding]:
    expected = link_query(asked.query, number)
    wanted = [*(pair for pair in asked.pairs if pair[0] != "page"), ("page", str(number))]
    actual = parse_qsl(parts.query, keep_blank_values=True)
    if number == 1 and not any(pair[0] == "page" for pair in actual):
        wanted.pop()
    rule = None
    if unquote(parts.path) != unquote(asked.path) or sorted(actual) != sorted(wanted):
        rule = "list.links"
    elif parts.query != expected:
        rule = "list.links-query"
    if rule:
        link = f"{parts.scheme}://{parts.netloc}{asked.path}" + (f"?{expected}" if expected else "")
        yield case.finding(rule, name, check="same", expected=shown(link), actual=_shown(case.body[name]))


def link_query(query: str, number: int) -> str:
    """Given the query of a request, return that of a link to a page: `b=1&a=%20` and 3 make `a=+&b=1&page=3`.

    It is decoded and written again, sorted by name; a link to page 1 has no `page` (framework).
    """
    params = {
        name: values for name, values in parse_qs(query, keep_blank_values=True).items() if name != "page"
    }
    if number > 1:
        params["page"] = [str(number)]
    return urlencode(sorted(params.items()), doseq=True)


def rows_are_distinct(case: Case) -> Iterator[Finding]:
    """No row is twice on a page."""
    if not case.is_list or case.asked is None:
        return
    seen = set()
    for index, row in enumerate(case.rows):
        row_id = row.get("id") if isinstance(row, dict) else None
        if type(row_id) is not int:
            continue
        if row_id in seen:
            yield case.finding("list.walk", *case.keys(index, "id"), check="twice", actual=row_id)
        seen.add(row_id)


def _shown(link: Any) -> Any:
    return shown(link) if isinstance(link, str) else link
