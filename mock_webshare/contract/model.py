"""The model of a contract: endpoints, resources, rules and schemas, as one value.

It is independent of the service; the rows of Webshare are in `endpoints`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from mock_webshare.contract.schemas import Schemas


class Mark(StrEnum):
    """How a rule is known, and so what it means if live traffic contradicts it."""

    DOCUMENTED = "D"  # by the vendor: live traffic that differs breaks the contract
    OBSERVED = "O"  # in the vendor's own clients: the service has changed
    FRAMEWORK = "F"  # as in Django REST framework: the service is set up differently
    ASSUMED = "A"  # without evidence: set the option to what the service does


class Rule(NamedTuple):
    """One sentence of the contract; `setting` names the option that changes what the rule says, if any."""

    id: str
    mark: Mark
    says: str
    setting: str | None = None


class Filter(NamedTuple):
    """A query parameter that selects rows.

    Its values are either `choices` (an empty value is ignored), or the ids of the user's own rows of
    `resource` (an empty value selects the rows whose reference is null).
    """

    name: str
    rules: tuple[str, ...]
    choices: tuple[str, ...] = ()
    resource: str | None = None


class Paging(NamedTuple):
    """Page-number pagination: the default size of a page, and the maximum."""

    page_size: int
    max_page_size: int
    rules: tuple[str, ...] = (
        "list.page-size", "list.page-size-limit", "list.page-numbers", "list.last-page", "list.invalid-page",
    )  # fmt: skip


class Kind(StrEnum):
    """What an endpoint returns; `service.service` has the behaviour of each kind."""

    LIST = "list"  # a page of the rows of its resource
    DETAIL = "detail"  # one row, by the id in the path
    OBJECT = "object"  # the single object of its resource
    ARRAY = "array"  # all rows of its resource, without pages
    LOOKUP = "lookup"  # the single object of its resource, if a query parameter equals a field of the object


_ROWS = {Kind.LIST: ("properties", "results", "items"), Kind.ARRAY: ("items",)}
"""The keys that lead from the schema of a response to the schema of a row, if a response is not one row."""


class Input(NamedTuple):
    """A writable field of a body: a text, an e-mail address, or one of some choices."""

    name: str
    kind: str = "text"  # or email, choice
    choices: tuple[str, ...] = ()
    is_nullable: bool = False
    max_length: int | None = None


class Write(NamedTuple):
    """A method of an endpoint that changes its object; a DELETE has no body.

    If it `is_partial`, inputs may be missing. `rate` (`5/min`) limits this method, besides the general limit.
    """

    method: str
    inputs: tuple[Input, ...] = ()
    is_partial: bool = False
    rate: str | None = None
    status: int = 200


ERRORS = ((400, "field-errors"), *((status, "error-detail") for status in (401, 403, 404, 405, 406, 429)))
"""The schema of each error that any endpoint may respond with."""


class Endpoint(NamedTuple):
    """One route of the service.

    `path` ends in `{id}/` for a detail; `resource` is the name of a `Resource`; `schema` names the schema of
    a 200 response; only lists have `paging`. `methods` are in the order of `Allow`; `rules` are ids in
    `Contract.rules`.
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
    is_open: bool = False
    """Whether the endpoint can be used without an API key."""
    lookup: Input | None = None
    """The parameter of a lookup; the field of the same name must have its value."""
    writes: tuple[Write, ...] = ()
    signs: tuple[str, ...] = ()
    """Fields by which a body without its request is recognised; if empty: all that only its rows have."""
    errors: tuple[tuple[int, str], ...] = ERRORS

    @property
    def all_rules(self) -> tuple[str, ...]:
        """The ids of the rules of the endpoint, of its pages and of its filters, each once."""
        pages = self.paging.rules if self.paging else ()
        filters = [rule for each in self.filters for rule in each.rules]
        return tuple(dict.fromkeys((*self.rules, *pages, *filters)))

    def write(self, method: str) -> Write | None:
        """Return the `Write` of a method; None if the method only reads."""
        return next((each for each in self.writes if each.method == method), None)

    @property
    def is_detail(self) -> bool:
        """Whether the path contains the id of a row."""
        return self.kind is Kind.DETAIL


class Operation(NamedTuple):
    """One call of the vendor's client; a name in braces stands for one part of `path`."""

    method: str
    path: str
    name: str
    """The method of the client: `proxies.list`."""


class Reference(NamedTuple):
    """A field that holds the id of a row of another resource, or null.

    `copy` is another field of the same row, which repeats the field `source` of the row with that id.
    """

    field: str
    resource: str
    copy: str
    source: str
    is_unique: bool = False
    """Whether no two rows have the same `source`, in any letter case."""


class DateOrder(NamedTuple):
    """Fields of a row whose dates ascend in this order; a null is passed over."""

    dates: tuple[str, ...]
    rule: str = "object.date-order"


class Conditional(NamedTuple):
    """A `field` that is null unless the field `other` has the value `value`.

    If `other` has that value, a field that is not given is set to `default`; with None, it may be null.
    """

    field: str
    other: str
    value: str
    default: str | None = None


class Lifecycle(NamedTuple):
    """How the rows of a resource change in time.

    The status in `field` is first `pending`, and `ripe` after `period` days. Only a row whose status is
    `ended` has a date in `ended_at`; `end` is the verb for this change (`revert`). `moves` lists the
    statuses that may follow each status.
    """

    field: str
    pending: str
    ripe: str
    ended: str
    ended_at: str
    period: int
    end: str
    moves: Mapping[str, Sequence[str]]
    period_field: tuple[str, str] | None = None
    """The object and its field that hold the period of an account, as a duration. None: `period` days."""


class Resource(NamedTuple):
    """A kind of rows of an account, or a single object of an account.

    `name` is its key in data sets and on the control plane; messages call one row `singular`. The fields of
    a row are those of `schema`. A row that is created gets `defaults`, and the next free number in each
    field of `numbered`. `later` are fields that an earlier edition of the documentation did not have;
    `older` are the fields in data sets of format 1 (None: all fields; empty: the resource is missing).
    `computed` fields follow from other rows, so they are served but not stored; `own` are fields that
    are stored but not served, and their JSON Schemas.
    """

    name: str
    singular: str
    schema: str
    references: tuple[Reference, ...] = ()
    lifecycle: Lifecycle | None = None
    is_object: bool = False
    defaults: Mapping[str, Any] = {}
    numbered: tuple[str, ...] = ("id",)
    later: frozenset[str] = frozenset()
    older: frozenset[str] | None = None
    ahead: Mapping[str, str | None] = {}
    """Dates that may be in the future, each with the field of its default duration from now, or None."""
    date_orders: tuple[DateOrder, ...] = ()
    conditionals: tuple[Conditional, ...] = ()
    totals: Mapping[str, str] = {}
    """Fields that add up everything, by the fields that add up what came since the last earn-out."""
    counted_by: str | None = None
    """The field by whose values rows are counted. None: `lifecycle.field`, or else the first with choices."""
    amount: str | None = None
    """The field with the money of a row, which is added up. None: rows have no money."""
    constant: Mapping[str, str] = {}
    """The fields that never change, whatever happens to their row, each with the id of its rule."""
    computed: tuple[str, ...] = ()
    own: Mapping[str, Any] = {}


class Field(NamedTuple):
    """One field of a row, from its schema; `type` is the JSON type other than null."""

    name: str
    type: str
    is_nullable: bool
    is_date: bool
    choices: tuple[Any, ...]  # strings, or integers
    is_never_empty: bool
    pattern: str | None
    example: Any


class Contract:
    """Everything known about a service; `title` and `origin` name it in documents.

    The mock serves it, the judge checks it, the probe tests it. A contract is immutable; several can be used
    in one process. Contracts are equal only if identical.
    """

    def __init__(
        self,
        *,
        endpoints: Sequence[Endpoint],
        resources: Sequence[Resource],
        rules: Sequence[Rule],
        schemas: Schemas,
        operations: Sequence[Operation] = (),
        title: str = "Mocked API",
        origin: str = "https://api.example",
    ) -> None:
        self.title = title
        self.origin = origin
        self.endpoints = tuple(endpoints)
        self.resources: dict[str, Resource] = {each.name: each for each in resources}
        self.rules: dict[str, Rule] = {rule.id: rule for rule in rules}
        self.schemas = schemas
        self.operations = tuple(operations)

    def resource_of(self, endpoint: Endpoint) -> Resource:
        """Return the resource of an endpoint."""
        return self.resources[endpoint.resource]

    def operation(self, method: str, path: str) -> Operation | None:
        """Return the operation at a path that no endpoint serves; None if there is no operation.

        The slash at the end of the path may be missing. If the method has no operation there, that of
        another method is returned.
        """
        path = path.rstrip("/")
        found = [each for pattern, each in self._operation_paths if pattern.fullmatch(path)]
        return next((each for each in found if each.method == method), found[0] if found else None)

    @cached_property
    def _operation_paths(self) -> Sequence[tuple[re.Pattern[str], Operation]]:
        found = []
        served = {endpoint.path for endpoint in self.endpoints}
        for each in sorted(self.operations, key=lambda each: each.path.count("{")):  # `a/b/` before `a/{id}/`
            if each.path not in served:
                path = re.escape(each.path.rstrip("/")).replace(r"\{id\}", "[^/.]+")
                found.append((re.compile(re.sub(r"\\{\w+\\}", "[^/]+", path)), each))
        return found

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
        """The stored fields of each resource, by its name, in the order of its schema."""
        return {name: fields_of(self.stored_schema(each)) for name, each in self.resources.items()}

    def stored_schema(self, resource: Resource) -> dict[str, Any]:
        """Return the schema of a stored row: without the `computed` fields, with the `own` fields."""
        schema = self.schemas.document(resource.schema)
        own = {name: each["examples"][0] for name, each in resource.own.items()}

        def stored(values: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
            return {name: each for name, each in values.items() if name not in resource.computed} | dict(more)

        return {
            **schema,
            "properties": stored(schema["properties"], resource.own),
            "examples": [stored(each, own) for each in schema.get("examples", ())],
        }

    @cached_property
    def served(self) -> Mapping[str, Sequence[Field]]:
        """The fields of a row in a response, in the order of the schema, by the path of the endpoint."""
        return {each.path: fields_of(self.schemas.document(self.row_schema(each))) for each in self.endpoints}

    @cached_property
    def pages(self) -> Mapping[str, Sequence[Field]]:
        """The fields of a page itself, not of its rows, by the path of the list: `count`, `next`, …"""
        lists = [each for each in self.endpoints if each.kind is Kind.LIST]
        return {each.path: fields_of(self.schemas.document(each.schema)) for each in lists}

    @cached_property
    def served_as_stored(self) -> frozenset[str]:
        """The paths of the endpoints that serve all stored fields except `own`, and nothing computed."""
        return frozenset(each.path for each in self.endpoints if self._serves_as_stored(each))

    def _serves_as_stored(self, endpoint: Endpoint) -> bool:
        own = self.resource_of(endpoint).own
        stored = [field for field in self.fields[endpoint.resource] if field.name not in own]
        return list(self.served[endpoint.path]) == stored

    def row_schema(self, endpoint: Endpoint) -> str:
        """Return the name of the schema of a row in the responses of an endpoint."""
        if endpoint.kind not in _ROWS:
            return endpoint.schema
        schema: Any = self.schemas.document(endpoint.schema)
        for key in _ROWS[endpoint.kind]:
            schema = schema.get(key, {})
        name: str = schema.get("$ref", self.resource_of(endpoint).schema)
        return name.removesuffix(".schema.json")

    @cached_property
    def responders(self) -> Mapping[str, Endpoint]:
        """The endpoints by the name of the schema of a 200 response."""
        return {each.schema: each for each in self.endpoints}

    def __reduce__(self) -> tuple[Any, ...]:
        resources, rules = tuple(self.resources.values()), tuple(self.rules.values())
        # Cached values are not pickled.
        return partial(
            Contract,
            endpoints=self.endpoints,
            resources=resources,
            rules=rules,
            schemas=self.schemas,
            operations=self.operations,
            title=self.title,
            origin=self.origin,
        ), ()


def fields_of(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields that the schema of an object describes, in the order of the schema."""
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
        pattern=schema.get("pattern"),
        example=next(iter(schema.get("examples", ())), None),
    )
