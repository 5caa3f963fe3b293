"""The contract as data: the endpoints, their rules and how surely each rule is known.

The server executes `ENDPOINTS`, the judge checks recordings against the schemas named here,
and the fidelity table of the README is printed from `RULES`. Nothing here speaks HTTP.
"""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_webshare.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsonschema.protocols import Validator

API_ROOT = "/api/v2/"
SERVICE_ZONE = "America/Los_Angeles"
"""The zone in which the service writes every date (documented by its examples)."""

PENDING_DAYS = 30
"""For how long a credit stays pending (documented: `referral_payment_pending_days`, "30 00:00:00")."""


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


MODES = ("payout", "credits")
STATUSES = ("pending", "available", "reverted")

_CHOICE_RULES = ("filter.and", "filter.errors", "filter.unknown")
CREDIT_FILTERS = (
    Filter("mode", choices=MODES, rules=_CHOICE_RULES),
    Filter("status", choices=STATUSES, rules=_CHOICE_RULES),
    Filter(
        "referral_channel",
        collection="channels",
        rules=(*_CHOICE_RULES, "filter.no-channel", "filter.own-channel"),
    ),
)

# fmt: off
_ROUTE_RULES = (
    "wire.json", "wire.indent", "wire.allow", "wire.accept", "wire.head", "error.detail", "error.kinds",
    "auth.token", "auth.unauthorized", "route.slash", "route.unknown", "route.methods", "route.options",
    "route.order", "limit.rate", "limit.retry-after",
)
_LIST_RULES = (
    "list.envelope", "list.count", "list.links", "list.links-query", "list.links-origin", "list.walk",
    "order.fields", "order.unknown", "order.default", "order.ties", "order.nulls",
)
_DETAIL_RULES = ("detail.id", "detail.not-found", "detail.filters")
_CREDIT_RULES = (
    "object.fields", "object.new-fields", "object.older-edition", "object.amount", "object.amount-form",
    "object.mode", "object.status", "object.reverted", "object.channel", "object.dates",
    "object.microseconds", "object.pending", "object.lifecycle", "object.updated-at", "object.same",
)
# fmt: on

CREDIT_LIST = Endpoint(
    path=API_ROOT + "referral/credit/",
    collection="credits",
    schema="referral-credit-page",
    view_name="Referral Credit List",
    rules=_ROUTE_RULES + _LIST_RULES + _CREDIT_RULES,
    filters=CREDIT_FILTERS,
    orderings=("id", "mode", "amount", "status", "created_at", "updated_at", "reverted_at"),
    paging=Paging(),
)

CREDIT_DETAIL = Endpoint(
    path=API_ROOT + "referral/credit/{id}/",
    collection="credits",
    schema="referral-credit",
    view_name="Referral Credit Instance",
    rules=_ROUTE_RULES + _DETAIL_RULES + _CREDIT_RULES,
    filters=CREDIT_FILTERS,
)

ENDPOINTS = (CREDIT_LIST, CREDIT_DETAIL)

_D, _O, _F, _A = Mark

RULES = (
    Rule("object.fields", _D, "A credit has the documented ten fields, in the documented order."),
    Rule("object.new-fields", _D, "New fields may appear at any time; a reader must not mind."),
    Rule("object.older-edition", _D, "An earlier edition of the documentation had no `referral_channel*`."),
    Rule("object.amount", _D, "`amount` is a JSON number in USD, not a string."),
    Rule("object.amount-form", _F, "`amount` is written as a float: `2.5`, not the `2.50` of the page."),
    Rule("object.mode", _D, "`mode` is `payout` or `credits` and never changes."),
    Rule("object.status", _D, "`status` is `pending`, `available` or `reverted`."),
    Rule("object.reverted", _D, "`reverted_at` is null exactly when `status` is not `reverted`."),
    Rule("object.channel", _D, "`referral_channel` and `referral_channel_code` are null together."),
    Rule("object.dates", _D, "Dates are ISO 8601 in Los Angeles time, offset by season."),
    Rule("object.microseconds", _F, "Six digits of fraction; none at all when the microsecond is 0."),
    Rule(
        "object.pending",
        _D,
        "A pending credit becomes available when its pending period has passed.",
        "--pending-days",
    ),
    Rule("object.lifecycle", _D, "`pending` becomes `available` or `reverted`; `reverted` is final."),
    Rule("object.updated-at", _D, "`updated_at` never goes back."),
    Rule("object.same", _D, "A credit reads the same in the list and by itself until it is updated."),
    Rule("error.detail", _D, "Errors about no field are an object with `detail`, and sometimes a `code`."),
    Rule("error.kinds", _D, "Errors are 400, 401, 403, 404, 405, 406, 429 and 5xx."),
    Rule("wire.json", _F, "Compact UTF-8 JSON; `Content-Type: application/json` without a charset."),
    Rule("wire.indent", _F, "`Accept: application/json; indent=4` indents the answer."),
    Rule("wire.allow", _F, "Every routed answer carries `Allow`; none carries `Vary` or `ETag`."),
    Rule("wire.accept", _F, "An `Accept` that excludes JSON is a 406, an unknown `format` a 404."),
    Rule("wire.head", _F, "HEAD answers as GET does, without a body."),
    Rule("auth.token", _D, "`Authorization: Token <key>`, the keyword in any case."),
    Rule("auth.unauthorized", _F, "401 carries `WWW-Authenticate: Token` and says what was wrong."),
    Rule("route.slash", _O, "A missing final slash is a 301, before anything else is looked at."),
    Rule("route.unknown", _F, "An unknown route is Django's HTML 404 page."),
    Rule("route.methods", _D, "GET, HEAD and OPTIONS; any other method is 405."),
    Rule("route.options", _F, "OPTIONS answers the framework's description of the endpoint."),
    Rule("route.order", _F, "400 for too many parameters, 404, 406, 401, 429, 405, 400, 404: in this order."),
    Rule("list.envelope", _D, "`count`, `next`, `previous`, `results`."),
    Rule("list.count", _D, "`count` is the number of rows on all pages together."),
    Rule("list.page-size", _D, "25 rows a page unless `page_size` says otherwise."),
    Rule("list.page-size-limit", _A, "No page has more than 100 rows.", "--max-page-size"),
    Rule("list.page-numbers", _F, "`page` and `page_size` are read as Python's `int()` reads them."),
    Rule("list.last-page", _F, "`page=last` is the last page; an empty `page` is the first."),
    Rule("list.invalid-page", _F, "An impossible page is 404 `Invalid page.`; an empty list has a page 1."),
    Rule("list.links", _D, "`next` and `previous` are absolute URLs, or null."),
    Rule("list.links-query", _F, "Links carry every parameter, sorted; the link to page 1 has no `page`."),
    Rule("list.links-origin", _O, "Links begin with the scheme and host of the request."),
    Rule("list.walk", _D, "A walk through the pages shows every row once, and one `count`."),
    Rule("filter.and", _D, "`mode`, `status` and `referral_channel` combine with AND."),
    Rule("filter.no-channel", _D, "An empty `referral_channel` selects the credits without a channel."),
    Rule("filter.own-channel", _D, "`referral_channel` takes the caller's own channels; any other is a 400."),
    Rule("filter.errors", _O, "Field errors are lists of `message` and `code`, all wrong fields at once."),
    Rule("filter.unknown", _F, "Unknown parameters are ignored, and kept in the links."),
    Rule("order.fields", _D, "`ordering` takes seven fields, `-` descends, several are comma-separated."),
    Rule("order.unknown", _F, "Unknown terms are skipped; none left means the default order."),
    Rule("order.default", _A, "The default order is by `id`.", "--default-ordering"),
    Rule("order.ties", _A, "Rows that tie are ordered by `id`."),
    Rule("order.nulls", _F, "Nulls come last ascending and first descending, as PostgreSQL has it."),
    Rule("detail.id", _D, "A single credit is the one that was asked for."),
    Rule("detail.not-found", _O, "An unknown id is 404 `Not found.`, and so is one that is no integer."),
    Rule("detail.filters", _F, "The list's filters apply to a single credit too."),
    Rule("limit.rate", _D, "240 requests a minute for each key, then 429.", "--rate-limit"),
    Rule("limit.retry-after", _F, "429 carries `Retry-After`; refused requests do not prolong the wait."),
)
"""The rules of the endpoints above, by topic."""


def data_path(folder: str) -> Path:
    """Given `schemas` or `fixtures`, return where it is.

    A wheel carries the folder inside the package; a checkout and an sdist have it beside the package.
    """
    package = Path(__file__).parent.parent
    inside = package / "_data" / folder
    return inside if inside.is_dir() else package.parent / folder


_SCHEMA_SUFFIX = ".schema.json"


def schema_names() -> list[str]:
    """Return the names of all schemas, sorted: `error-detail`, `referral-credit`, …"""
    return sorted(
        path.name.removesuffix(_SCHEMA_SUFFIX) for path in data_path("schemas").glob(f"*{_SCHEMA_SUFFIX}")
    )


@cache
def schema_text(name: str) -> str:
    """Given a schema's name, return its JSON text; raise `UnknownName` if there is none."""
    if name not in schema_names():
        raise UnknownName("schema", name, schema_names())
    return (data_path("schemas") / (name + _SCHEMA_SUFFIX)).read_text(encoding="utf-8")


_OWN = "own"  # the folder of the schemas that are of our own documents, not of the service's


def own_schema_names() -> list[str]:
    """Return the names of the schemas of what we write ourselves: `report`."""
    return sorted(path.name.removesuffix(_SCHEMA_SUFFIX) for path in (data_path("schemas") / _OWN).iterdir())


def own_schema_text(name: str) -> str:
    """Given a name out of `own_schema_names`, return the JSON text of the schema."""
    return (data_path("schemas") / _OWN / (name + _SCHEMA_SUFFIX)).read_text(encoding="utf-8")


def schema(name: str) -> dict[str, Any]:
    """Given a schema's name, return the JSON Schema (2020-12)."""
    document: dict[str, Any] = json.loads(schema_text(name))
    return document


@cache
def validator(name: str) -> Validator:
    """Given a schema's name, return its compiled validator.

    `$ref`s are resolved among our own files only, and `format` is checked (it is silently ignored
    unless a format checker is given).
    """
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.exceptions import FormatError
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    documents: Sequence[dict[str, Any]] = [schema(each) for each in schema_names()]
    registry: Registry[Any] = Registry().with_resources(
        (document["$id"], DRAFT202012.create_resource(document)) for document in documents
    )

    class StrictFormats(FormatChecker):
        def check(self, instance: object, format: str) -> None:
            # The libraries behind it match with `$`, which lets one line feed pass.
            if isinstance(instance, str) and instance.endswith("\n"):
                raise FormatError(f"{instance!r} ends with a line feed")
            super().check(instance, format)

    return Draft202012Validator(schema(name), registry=registry, format_checker=StrictFormats())
