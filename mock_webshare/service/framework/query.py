"""A query: which rows a list's parameters select, in which order, on which page.

Pure functions of rows and strings. Parameters come as a mapping of names to decoded values; of a
repeated parameter the last value counts (framework: Django's `QueryDict`).
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

from mock_webshare.contract import messages
from mock_webshare.contract.model import Filter, Paging

Params = Mapping[str, str]
Criteria = tuple[tuple[str, Any], ...]
"""Attributes and the values that a row must have in them; None is a value: the row has none."""


class FieldError(NamedTuple):
    """Why one parameter was refused, in the service's words."""

    field: str
    message: str
    code: str


def read_filters(
    filters: Sequence[Filter], params: Params, owned: Mapping[str, Collection[int]]
) -> tuple[Criteria, list[FieldError]]:
    """Given a list's filters and the ids the caller owns in each collection, return what to look for.

    All wrong parameters are reported together, in the order of the filters (framework: a
    django-filter `FilterSet`); with errors the criteria are of no use.
    """
    criteria: list[tuple[str, Any]] = []
    errors: list[FieldError] = []
    for each in filters:
        value = params.get(each.name)
        if value is None:
            continue
        if each.resource is None:
            problem = _choice_problem(each, value)
            wanted: list[Any] = [value] if value else []  # an empty choice is no filter
        else:
            problem, wanted = _read_relation(each, value, owned[each.resource])
        if problem:
            errors.append(problem)
        criteria += [(each.name, item) for item in wanted]
    return tuple(criteria), errors


def _choice_problem(choice: Filter, value: str) -> FieldError | None:
    if not value or value in choice.choices:
        return None
    message = messages.INVALID_CHOICE.format(value=value)
    return FieldError(choice.name, message, "invalid_choice")


def _read_relation(
    relation: Filter, value: str, owned: Collection[int]
) -> tuple[FieldError | None, list[int | None]]:
    if not value:
        return None, [None]
    if "\0" in value:
        return FieldError(relation.name, messages.NULL_CHARACTERS, "null_characters_not_allowed"), []
    number = read_int(value)
    if number is None or number not in owned:
        message = messages.INVALID_CHOICE.format(value=messages.THAT_CHOICE)
        return FieldError(relation.name, message, "invalid_choice"), []
    return None, [number]


def read_int(text: str) -> int | None:
    """Read a number as the framework does: by `int()`, with its blanks, signs, `_` and other digits."""
    try:
        return int(text)
    except ValueError:  # no number, or one with more digits than Python will read
        return None


def matches(row: object, criteria: Criteria) -> bool:
    """Return whether a row has all the wanted values."""
    return all(getattr(row, name) == value for name, value in criteria)


def ordering_terms(value: str | None, allowed: Collection[str], default: tuple[str, ...]) -> tuple[str, ...]:
    """Given the value of `ordering`, return the terms that count: `" -amount,x"` is `("-amount",)`.

    Blanks around terms are trimmed, unknown terms skipped, none left means the default
    (documented: comma-separated, `-` descends; framework: the rest).
    """
    terms = [term.strip() for term in (value or "").split(",")]
    return tuple(term for term in terms if term.removeprefix("-") in allowed) or default


def arrange(rows: Sequence[Any], criteria: Criteria, terms: tuple[str, ...]) -> Sequence[int]:
    """Given rows by ascending id, return the positions of those that match, in the order of the terms.

    Ties keep ascending ids. A null is larger than every value, as PostgreSQL has it: last
    ascending, first descending.
    """
    positions: Sequence[int] = range(len(rows))
    if criteria:
        positions = [position for position, row in enumerate(rows) if matches(row, criteria)]
    # Python's sort is stable, so the last term goes first; what follows an id decides nothing.
    for term in reversed(_deciding(terms)):
        if term != "id":  # that is how they come
            values = list(map(attrgetter(term.removeprefix("-")), rows))
            nulls = [position for position in positions if values[position] is None]
            known = [position for position in positions if values[position] is not None]
            known.sort(key=values.__getitem__, reverse=term.startswith("-"))
            positions = nulls + known if term.startswith("-") else known + nulls
    return positions if isinstance(positions, range) else array("Q", positions)


def _deciding(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Return the terms up to an id, of those of one field the first: a URL has room for a thousand."""
    first: dict[str, str] = {}
    for term in terms:
        first.setdefault(term.removeprefix("-"), term)
        if "id" in first:
            break
    return tuple(first.values())


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its number from 1 on, the rows a page, and the rows there are."""

    number: int
    size: int
    count: int

    @property
    def rows(self) -> slice:
        """Which of the rows are on it."""
        return slice((self.number - 1) * self.size, self.number * self.size)

    @property
    def next_number(self) -> int | None:
        """The number of the page after it; None for the last."""
        return self.number + 1 if self.number * self.size < self.count else None

    @property
    def previous_number(self) -> int | None:
        """The number of the page before it; None for the first."""
        return self.number - 1 if self.number > 1 else None


def read_page(params: Params, paging: Paging, count: int) -> Page | None:
    """Given the parameters `page` and `page_size`, return the page they ask for, None if there is none.

    A `page_size` that is no positive number is ignored, a larger one than allowed is capped
    (framework: `PageNumberPagination`). `last` is a page, an empty `page` is the first, and an
    empty list has a first page.
    """
    size = read_int(params.get("page_size", ""))
    size = paging.page_size if size is None or size < 1 else min(size, paging.max_page_size)
    last = max(1, -(-count // size))
    asked = params.get("page") or "1"
    number = last if asked == "last" else read_int(asked)
    if number is None or not 1 <= number <= last:
        return None
    return Page(number, size, count)


def link(url: str, query: str, number: int) -> str:
    """Given a list's URL and the query of the request, return the link to a page of it.

    The query is decoded and written again, so `b=1&page=2&a=%20` and page 3 make `?a=+&b=1&page=3`;
    the link to page 1 has no `page` at all (framework: `replace_query_param`, `remove_query_param`).
    """
    query, _, fragment = query.partition("#")
    params = parse_qs(query, keep_blank_values=True)
    params.pop("page", None)
    if number > 1:
        params["page"] = [str(number)]
    written = urlencode(sorted(params.items()), doseq=True)
    return url + (f"?{written}" if written else "") + (f"#{fragment}" if fragment else "")
