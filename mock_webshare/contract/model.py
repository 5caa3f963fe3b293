"""What a contract consists of: endpoints, resources, rules and schemas, as one value.

Nothing here knows which service it is about; the rows of Webshare's are in `endpoints`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mock_webshare.contract.schemas import Schemas


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
    caller's own rows of `resource` (any id among them; an empty value selects the rows without one).
    """

    name: str
    rules: tuple[str, ...]
    choices: tuple[str, ...] = ()
    resource: str | None = None


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


class Kind(StrEnum):
    """What an endpoint serves. What each kind does stands once, in `service.endpoints`."""

    LIST = "list"  # a page of the rows of its resource
    DETAIL = "detail"  # one row, by the id in the path
    OBJECT = "object"  # the one object of its resource


class Endpoint(NamedTuple):
    """One route of the service.

    `path` ends in `{id}/` for a detail; `resource` is the name of what it serves; `schema` names the
    schema of a 200 response; `paging` is for lists alone. `rules` are the ids of what else is known of
    the endpoint, in `Contract.rules`, where their marks are.
    """

    path: str
    kind: Kind
    resource: str
    schema: str
    view_name: str
    rules: tuple[str, ...]
    filters: tuple[Filter, ...] = ()
    orderings: tuple[str, ...] = ()
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
        return self.kind is Kind.DETAIL


class Reference(NamedTuple):
    """A field that holds the id of a row of another resource, or null.

    `copy` is a field beside it that repeats the `source` field of that row.
    """

    field: str
    resource: str
    copy: str
    source: str


class Lifecycle(NamedTuple):
    """How the rows of a resource change in time.

    A row is created `pending`; `period` days later it is `ripe`. A row that is `ended`, and no other,
    has a date in `ended_at`; `end` names that change. `moves` lists what each status may become.
    """

    field: str
    pending: str
    ripe: str
    ended: str
    ended_at: str
    period: int
    end: str
    moves: Mapping[str, Sequence[str]]
    constant: tuple[str, ...] = ()
    """Fields that never change, each with a rule of its own, `object.<field>`."""


class Resource(NamedTuple):
    """What an account holds rows of, or one object.

    `name` is its key in data sets and on the control plane, `singular` one row in messages. The fields
    of a row are those of `schema`. `defaults` and `numbered` complete a row that a user creates: fixed
    values, and fields that get the number after the last one. `signs` are fields by which a body that
    was stored alone is recognised; empty: all that no other resource has. `later` are fields that an
    earlier edition of the documentation did not have.
    """

    name: str
    singular: str
    schema: str
    references: tuple[Reference, ...] = ()
    lifecycle: Lifecycle | None = None
    is_object: bool = False
    defaults: Mapping[str, Any] = {}
    numbered: tuple[str, ...] = ("id",)
    signs: tuple[str, ...] = ()
    later: frozenset[str] = frozenset()


class Field(NamedTuple):
    """What the schema of a row says of one field; `type` is the JSON type besides null."""

    name: str
    type: str
    is_nullable: bool
    is_date: bool
    choices: tuple[str, ...]
    is_never_empty: bool
    example: Any


class Contract:
    """All that is known of a service: the mock serves it, the judge checks it, the probe asks about it.

    A contract never changes; two of them may be used in one process. Equal are only identical ones.
    """

    def __init__(
        self,
        *,
        endpoints: Sequence[Endpoint],
        resources: Sequence[Resource],
        rules: Sequence[Rule],
        schemas: Schemas,
    ) -> None:
        self.endpoints = tuple(endpoints)
        self.resources: dict[str, Resource] = {each.name: each for each in resources}
        self.rules: dict[str, Rule] = {rule.id: rule for rule in rules}
        self.schemas = schemas

    def resource_of(self, endpoint: Endpoint) -> Resource:
        """Return the resource that an endpoint serves."""
        return self.resources[endpoint.resource]

    @cached_property
    def filter_names(self) -> frozenset[str]:
        """The names of the filters of all endpoints."""
        return frozenset(each.name for endpoint in self.endpoints for each in endpoint.filters)

    @cached_property
    def orderings(self) -> tuple[str, ...]:
        """The fields by which any list can be ordered, in the documented order."""
        return tuple(dict.fromkeys(name for endpoint in self.endpoints for name in endpoint.orderings))

    @cached_property
    def fields(self) -> Mapping[str, Sequence[Field]]:
        """The fields of a row of each resource, in the order of its schema."""
        return {name: fields_of(self.schemas.document(each.schema)) for name, each in self.resources.items()}

    @cached_property
    def responders(self) -> Mapping[str, Endpoint]:
        """The endpoints by the schema of a 200 response."""
        return {each.schema: each for each in self.endpoints}

    @cached_property
    def row_schemas(self) -> Mapping[str, str]:
        """The schema of a row by the schemas of 200 responses: of a page, and of the row itself."""
        return {each.schema: self.resource_of(each).schema for each in self.endpoints}

    def __reduce__(self) -> tuple[Any, ...]:
        resources, rules = tuple(self.resources.values()), tuple(self.rules.values())
        # Without what is cached.
        return partial(
            Contract, endpoints=self.endpoints, resources=resources, rules=rules, schemas=self.schemas
        ), ()


def fields_of(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields that the schema of an object describes, in its order."""
    return tuple(_field(name, each) for name, each in schema["properties"].items())


def _field(name: str, schema: Mapping[str, Any]) -> Field:
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    return Field(
        name=name,
        type=next(each for each in types if each != "null"),
        is_nullable="null" in types,
        is_date=schema.get("format") == "date-time",
        choices=tuple(each for each in schema.get("enum", ()) if each is not None),
        is_never_empty=schema.get("minLength", 0) > 0,
        example=next(iter(schema.get("examples", ())), None),
    )
