"""Paging: the numbers of a page, as its request and its answer tell them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mock_webshare.exchange.request import read_int

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_webshare.contract.model import Paging
    from mock_webshare.exchange.request import RecordedRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the numbers of a page are, and what they should be."""

    number: int
    assumed: int
    """Rows that a full page has, as was asked for and as the cap is assumed to be."""
    size: int
    """The same, or what it must be if only another cap explains the answer."""
    wanted: int
    """Rows that were asked for, whatever the cap."""
    count: int
    length: int
    """Rows that it has."""
    has_next: bool
    is_size_asked: bool
    """Whether a size was asked for: the cap is for no other page."""
    is_size_plain: bool
    """Whether the size was asked for as the documentation says, or not at all."""
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
        """Whether there is no page after it, by `count`."""
        return self.number * self.size >= self.count

    @property
    def has_due_rows(self) -> bool:
        """Whether it has the rows that `count` says."""
        return self.length == self.due

    @property
    def is_consistent(self) -> bool:
        """Whether it has the rows and the link that `count` says."""
        return self.has_due_rows and self.is_last != self.has_next

    @property
    def exists(self) -> bool:
        """Whether a list of `count` rows has it."""
        return self.number == 1 or self.before < self.count

    @property
    def is_longer(self) -> bool:
        """Whether it is longer than the cap is assumed to allow, but not than was asked for."""
        return self.assumed < self.length <= self.wanted


def read_page(request: RecordedRequest, body: Mapping[str, Any], paging: Paging, cap: int) -> Page | None:
    """Given the body of a page, return its numbers; None if they are none. `cap` is the assumed one."""
    count, rows = body.get("count"), body.get("results")
    if type(count) is not int or count < 0 or not isinstance(rows, list):
        return None
    wanted = asked_size(request, paging)
    size = min(wanted, cap)
    number = _number(request, count, size)
    if number is None:
        return None
    page = Page(
        number=number,
        assumed=size,
        size=size,
        wanted=wanted,
        count=count,
        length=len(rows),
        has_next=body.get("next") is not None,
        is_size_asked=_is_size_asked(request),
        is_size_plain=_is_size_plain(request),
        is_asked_as_last=request.params.get("page") == "last",
    )
    return page if page.is_consistent else _explained(page, request, paging)


def asked_size(request: RecordedRequest, paging: Paging) -> int:
    """Return the rows a page that a request asks for, whatever the cap."""
    size = read_int(request.params.get("page_size", ""))
    return size if _is_size_asked(request) and size else paging.page_size


def _is_size_asked(request: RecordedRequest) -> bool:
    size = read_int(request.params.get("page_size", ""))
    return size is not None and size > 0


def _number(request: RecordedRequest, count: int, size: int) -> int | None:
    page = request.params.get("page") or "1"
    if page == "last":
        return max(1, -(-count // size)) if size else None
    number = read_int(page)
    return number if number is not None and number >= 1 and size else None


def _is_size_plain(request: RecordedRequest) -> bool:
    value = request.params.get("page_size")
    return value is None or (request.is_plain("page_size") and str(read_int(value)) == value)


def _explained(page: Page, request: RecordedRequest, paging: Paging) -> Page:
    """Given a page that is not consistent, return it with the size that makes it so, if a cap may be that."""
    size = _size_by_answer(page)
    least = 1 if page.is_size_asked else min(paging.page_size, page.assumed + 1)
    if not least <= size <= page.wanted:
        return page
    other = replace(page, size=size, number=_number(request, page.count, size) or page.number)
    return other if other.is_consistent or page.is_longer else page


def _size_by_answer(page: Page) -> int:
    """Return the rows that a full page must have: those of this one, or of those before the last."""
    if page.has_next or page.number == 1:
        return page.length
    size, rest = divmod(page.count - page.length, page.number - 1)
    return page.length if rest or page.is_asked_as_last else size
