"""Walk: the requests of one client for consecutive pages of one list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from mock_webshare.contract.model import Contract
from mock_webshare.insight.client_requests import ClientRequest


@dataclass(eq=False)
class Walk:
    """The pages of a list that a client read from the first page on, until it read the first page again."""

    steps: list[ClientRequest]
    numbers: list[int]
    place: int
    """The position of the last step among the requests of the span."""
    is_alone: bool
    """False: the first page was also requested just before, perhaps by a second client with the same key."""
    is_broken: bool = False
    """Whether there was an error in place of the last page."""
    beyond: ClientRequest | None = None
    """The request for the page after the last one, if the client sent one."""

    @property
    def is_in_order(self) -> bool:
        """Whether the number of each page is that of the page before, or one more."""
        return all(after - before in (0, 1) for before, after in pairwise(self.numbers))

    @property
    def has_more(self) -> bool:
        """Whether the last page that was read has a `next`."""
        page = self.steps[-1].page
        return page is not None and page.has_next

    def add(self, step: ClientRequest, number: int, place: int) -> None:
        self.steps.append(step)
        self.numbers.append(number)
        self.place, self.is_broken = place, False

    def fail(self, request: ClientRequest) -> None:
        """Note an error in place of a page; a 404 after the last page only shows that no page follows."""
        if request.status == 404 and not self.has_more and request.number == self.numbers[-1] + 1:
            self.beyond = request
        else:
            self.is_broken = True


@dataclass(frozen=True, eq=False)
class Span:
    """The requests of one client in their order, none of them struck by a fault."""

    contract: Contract
    requests: Sequence[ClientRequest]
    is_over: bool = True
    """Whether it is known that the client sends no further requests."""
    can_wait: bool = True
    """Whether real waiting would have helped a client that got a `Retry-After`."""

    @cached_property
    def walks(self) -> Sequence[Walk]:
        """The walks, in the order in which they begin; walks through different lists may overlap."""
        found: list[Walk] = []
        current: dict[object, Walk | None] = {}
        for place, request in enumerate(self.requests):
            if request.list is not None:
                walk = current.get(request.list)
                current[request.list] = after = _after(walk, request, place)
                found += [after] if after is not None and after is not walk else []
        return found

    @cached_property
    def statuses(self) -> frozenset[int | None]:
        """The statuses of the responses; most spans have only 200, and rules about others skip them."""
        return frozenset(request.status for request in self.requests)

    def is_left(self, walk: Walk) -> bool:
        """Whether the client has sent another request since the walk, or sends no further ones."""
        return self.is_over or walk.place < len(self.requests) - 1

    @property
    def pairs(self) -> Iterator[tuple[ClientRequest, ClientRequest]]:
        """Each request with the one after it."""
        return pairwise(self.requests)


def _after(walk: Walk | None, request: ClientRequest, place: int) -> Walk | None:
    """Add a request to the current walk of its list or to a new one; return that walk, or None."""
    number = request.number
    if request.page is None:
        if walk is not None:
            walk.fail(request)
        return walk
    if number == 1 and not _is_back(walk, request):
        return Walk([request], [1], place, is_alone=walk is None or len(walk.steps) > 1)
    if walk is None or number is None:
        return None
    walk.add(request, number, place)
    return walk


def _is_back(walk: Walk | None, request: ClientRequest) -> bool:
    """Return whether a request follows the `previous` of the last page of a walk."""
    page = None if walk is None else walk.steps[-1].page
    return page is not None and page.previous is not None and page.previous == request.link
