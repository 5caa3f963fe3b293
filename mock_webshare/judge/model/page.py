"""Page: the numbers of a page, as its request and its response show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mock_webshare.contract.model import Paging
from mock_webshare.exchange.request import RecordedRequest, read_int
from mock_webshare.judge.model.row_fields import read_integer


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The numbers of a page, and what they should be.

    A size is the number of rows of a full page, at most the limit of the service.
    """

    number: int
    assumed: int
    """The size that was requested, or the assumed limit if the limit is smaller."""
    size: int
    """The same as `assumed`, unless only another limit explains the response: then that limit."""
    wanted: int
    """The size that was requested, whatever the limit."""
    usual: int
    """The size of pages if a request does not name a size."""
    count: int
    length: int
    """The number of rows that the page has."""
    has_next: bool
    is_size_asked: bool
    """Whether the request names a size: only then the limit applies."""
    is_size_plain: bool
    """Whether the request names the size as documented, or names no size."""
    is_asked_as_last: bool

    @property
    def due(self) -> int:
        """The number of rows that the page should have, by `count`."""
        return max(0, min(self.size, self.count - self.before))

    @property
    def before(self) -> int:
        """The number of rows on the pages before this one."""
        return (self.number - 1) * self.size

    @property
    def is_last(self) -> bool:
        """Whether no page follows this one, by `count`."""
        return self.number * self.size >= self.count

    @property
    def has_due_rows(self) -> bool:
        """Whether the page has as many rows as it should."""
        return self.length == self.due

    @property
    def is_consistent(self) -> bool:
        """Whether the number of rows and the presence of `next` fit `count`."""
        return self.has_due_rows and self.is_last != self.has_next

    @property
    def exists(self) -> bool:
        """Whether a list of `count` rows has such a page."""
        return self.number == 1 or self.before < self.count

    @property
    def is_longer(self) -> bool:
        """Whether the page has more rows than the assumed limit, but not more than requested."""
        return self.assumed < self.length <= self.wanted


def read_page(
    request: RecordedRequest, body: Mapping[str, Any], paging: Paging, limit: int | None
) -> Page | None:
    """Return the numbers of a page; None if `count`, the rows or the page number are missing or wrong.

    `limit` is the assumed limit of the size; None: the limit in the contract.
    """
    count, rows = read_integer(body.get("count")), body.get("results")
    if type(count) is not int or count < 0 or not isinstance(rows, list):
        return None
    asked = read_int(request.params.get("page_size", "")) or 0
    wanted = asked if asked > 0 else paging.page_size
    size = min(wanted, paging.max_page_size if limit is None else limit)
    number = _number(request, count, size)
    if number is None:
        return None
    page = Page(
        number=number,
        assumed=size,
        size=size,
        wanted=wanted,
        usual=paging.page_size,
        count=count,
        length=len(rows),
        has_next=body.get("next") is not None,
        is_size_asked=asked > 0,
        is_size_plain=_is_size_plain(request),
        is_asked_as_last=request.params.get("page") == "last",
    )
    return page if page.is_consistent else _explained(page, request)


def _number(request: RecordedRequest, count: int, size: int) -> int | None:
    page = request.params.get("page") or "1"
    if page == "last":
        return max(1, -(-count // size)) if size else None
    number = read_int(page)
    return number if number is not None and number >= 1 and size else None


def _is_size_plain(request: RecordedRequest) -> bool:
    value = request.params.get("page_size")
    return value is None or (request.is_plain("page_size") and str(read_int(value)) == value)


def _explained(page: Page, request: RecordedRequest) -> Page:
    """Return an inconsistent page with the size that explains it, if that may be the limit of the service."""
    size = _size_by_response(page)
    least = 1 if page.is_size_asked else min(page.usual, page.assumed + 1)
    if not least <= size <= page.wanted:
        return page
    other = replace(page, size=size, number=_number(request, page.count, size) or page.number)
    return other if other.is_consistent or page.is_longer else page


def _size_by_response(page: Page) -> int:
    """Return the size that the response shows: the length of the page, or the size of the pages before."""
    if page.has_next or page.number == 1:
        return page.length
    size, rest = divmod(page.count - page.length, page.number - 1)
    return page.length if rest or page.is_asked_as_last else size
