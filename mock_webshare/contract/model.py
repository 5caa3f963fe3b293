"""What a contract consists of: endpoints, their filters and pages, and rules with how each is known."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Mark(StrEnum):
    """How a rule is known, which decides what it means when live traffic contradicts it."""

    DOCUMENTED = "D"  # the vendor says so: live traffic that differs breaks the contract
    OBSERVED = "O"  # the vendor's own clients rely on it: the service has changed
    FRAMEWORK = "F"  # Django REST framework does so: the service is set up differently
    ASSUMED = "A"  # nobody said so: a setting, to be changed


class Rule(NamedTuple):
    """One sentence of the contract; `setting` is the option that changes it, if there is one."""

    id: str
    mark: Mark
    says: str
    setting: str | None = None


class Filter(NamedTuple):
    """One query parameter that narrows a list.

    Either a choice (`choices` lists the values; an empty value is no filter), or a relation to the
    caller's own `collection` (any id in it; an empty value selects the rows that have none).
    """

    name: str
    rules: tuple[str, ...]
    choices: tuple[str, ...] = ()
    collection: str | None = None


class Paging(NamedTuple):
    """Page-number pagination: the size when none is asked for, and the largest one served."""

    page_size: int = 25
    max_page_size: int = 100
    rules: tuple[str, ...] = (
        "list.page-size",
        "list.page-size-limit",
        "list.page-numbers",
        "list.last-page",
        "list.invalid-page",
    )


class Endpoint(NamedTuple):
    """One route of the service.

    `path` may end in `{id}/`; `collection` is where its rows live in a data set; `schema` names the
    schema of a 200 answer; `paging` is None for a route that answers one object. `rules` are the ids
    of what else is known of it, in `RULES`, where their provenance is.
    """

    path: str
    collection: str
    schema: str
    view_name: str
    rules: tuple[str, ...]
    filters: tuple[Filter, ...] = ()
    orderings: tuple[str, ...] = ()
    default_ordering: tuple[str, ...] = ("id",)
    paging: Paging | None = None
    methods: tuple[str, ...] = ("GET", "HEAD", "OPTIONS")
    errors: tuple[tuple[int, str], ...] = (
        (400, "field-errors"),
        (401, "error-detail"),
        (403, "error-detail"),
        (404, "error-detail"),
        (405, "error-detail"),
        (406, "error-detail"),
        (429, "error-detail"),
    )

    @property
    def is_detail(self) -> bool:
        """Whether the route names one row by its id."""
        return self.path.endswith("{id}/")
