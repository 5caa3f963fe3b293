"""A query: the rows that parameters of a list select, their order and page.

Pure functions of rows and strings. Parameters are a mapping of names to decoded values; the last value
of a repeated parameter counts (framework: Django's `QueryDict`).
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
"""Attributes of a row and their required values; None requires that the attribute is null."""


class FieldError(NamedTuple):
    """Why one parameter or field was refused, in the service's words."""

    field: str
    message: str
    code: str


def read_filters(
    filters: Sequence[Filter], params: Params, owned: Mapping[str, Collection[int]]
) -> tuple[Criteria, list[FieldError]]:
    """Return the criteria of the parameters, or errors.

    `owned` has the ids of the caller's rows by resource. All wrong parameters are reported together, in
    the order of the filters (framework: a django-filter `FilterSet`); the criteria are then meaningless.
    """
    criteria: list[tuple[str, Any]] = []
    errors: list[FieldError] = []
    for each in filters:
        value = params.get(each.name)
        if value is None:
            continue
        if each.resource is None:
            problem = _choice_problem(each, value)
            values: list[Any] = [value] if value else []  # an empty one does not filter
        else:
            problem, values = _read_relation(each, value, owned[each.resource])
        if problem:
            errors.append(problem)
        criteria += [(each.name, item) for item in values]
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
    """Parse an integer as the framework does, by `int()`, which takes ` -1_0` or `١`."""
    try:
        return int(text)
    except ValueError:  # not a number, or too many digits for Python
        return None


def matches(row: object, criteria: Criteria) -> bool:
    """Return whether a row meets all criteria."""
    return all(getattr(row, name) == value for name, value in criteria)


def ordering_terms(value: str | None, allowed: Collection[str], default: tuple[str, ...]) -> tuple[str, ...]:
    """Return the known terms of an `ordering`: of `" -amount,x"`, `("-amount",)`.

    Blanks around terms are trimmed, unknown terms ignored, and if no known term is left, the default is used
    (documented: comma-separated, `-` descends; framework: the rest).
    """
    terms = [term.strip() for term in (value or "").split(",")]
    return tuple(term for term in terms if term.removeprefix("-") in allowed) or default


def arrange(rows: Sequence[Any], criteria: Criteria, terms: tuple[str, ...]) -> Sequence[int]:
    """Return the positions of the rows that match, in the order of the terms.

    `rows` are in ascending order of id, and rows with equal values stay so. A null is larger than every
    value, as in PostgreSQL: last ascending, first descending.
    """
    positions: Sequence[int] = range(len(rows))
    if criteria:
        positions = [position for position, row in enumerate(rows) if matches(row, criteria)]
    # Python's sort is stable, so the last term is sorted by first.
    for term in reversed(_deciding(terms)):
        if term != "id":  # in this order already
            values = list(map(attrgetter(term.removeprefix("-")), rows))
            nulls = [position for position in positions if values[position] is None]
            known = [position for position in positions if values[position] is not None]
            known.sort(key=values.__getitem__, reverse=term.startswith("-"))
            positions = nulls + known if term.startswith("-") else known + nulls
    return positions if isinstance(positions, range) else array("Q", positions)


def _deciding(terms: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first term of each field, up to the field `id`: further terms change nothing."""
    first: dict[str, str] = {}
    for term in terms:
        first.setdefault(term.removeprefix("-"), term)
        if "id" in first:
            break
    return tuple(first.values())


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its number from 1 on, its size, and the count of all rows."""

    number: int
    size: int
    count: int

    @property
    def rows(self) -> slice:
        """The slice of the rows that are on the page."""
        return slice((self.number - 1) * self.size, self.number * self.size)

    @property
    def next_number(self) -> int | None:
        """The number of the next page; None for the last."""
        return self.number + 1 if self.number * self.size < self.count else None

    @property
    def previous_number(self) -> int | None:
        """The number of the previous page; None for the first."""
        return self.number - 1 if self.number > 1 else None


def read_page(params: Params, paging: Paging, count: int) -> Page | None:
    """Return the page that `page` and `page_size` select; None if it does not exist.

    A `page_size` that is not a positive number is ignored, one that is larger than allowed is capped
    (framework: `PageNumberPagination`). `page=last` is the last page, an empty `page` is the first, and an
    empty list has a first page.
    """
    size = read_int(params.get("page_size", ""))
    size = paging.page_size if size is None or size < 1 else min(size, paging.max_page_size)
    last = max(1, -(-count // size))
    text = params.get("page") or "1"
    number = last if text == "last" else read_int(text)
    if number is None or not 1 <= number <= last:
        return None
    return Page(number, size, count)


def link(url: str, query: str, number: int) -> str:
    """Return the link to a page of a list, from the URL of the list and the query of the request.

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
