"""The OpenAPI document of the control plane, generated from routes and contract."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mock_webshare.contract.endpoints import CREDITS
from mock_webshare.contract.model import Contract, Resource
from mock_webshare.contract.schemas import data_path
from mock_webshare.control.guard import Access
from mock_webshare.service import faults, transactions
from mock_webshare.service.data import upgrade
from mock_webshare.service.data.dataset import FORMAT
from mock_webshare.service.data.fields import closed
from mock_webshare.service.data.resources import RowType, row_types
from mock_webshare.service.reasons import MEANINGS
from mock_webshare.service.settings import MAX_ROWS
from mock_webshare.version import __version__

if TYPE_CHECKING:
    from mock_webshare.control.routes import Route


# Read now: when the first request comes, a test may have replaced the file system.
_TEMPLATE = (data_path("schemas") / "control.openapi.json").read_text(encoding="utf-8")
_WITHOUT_WORLD = (
    "reasons", "health", "version", "openapi.json", "service.openapi.json", "scenarios", "worlds", "reload",
)  # fmt: skip
_WITH_OR_WITHOUT_WORLD = ("activity", "requests", "requests/{number}", "requests.har", "requests.ndjson")
"""Without a key these are about the requests that have no known key."""
_REASON = (
    "Why the response is not the ordinary one: codes, separated by blanks; else empty. A code may have a "
    "detail after a colon: `fault:1` is the fault with the id 1. {codes}"
)
_MEDIA_TYPES = {"ndjson": "application/x-ndjson", "page": "text/html", "asset": "text/*"}


def document(root: str, routes: Sequence[Route], contract: Contract) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of routes under a root."""
    result: dict[str, Any] = json.loads(_TEMPLATE)
    result["info"]["version"] = __version__
    components = result["components"]["schemas"]
    for row_type in row_types(contract).values():
        components.update(_components(contract, row_type))
    components["data-set"] = _data_set(contract)
    if transactions.has_transactions(contract):
        components.update(_transactions())
    components["reason"]["description"] = _REASON.format(codes=" ".join(_meanings()))
    components["fault"] = _fault(components["fault"], contract)
    ordering = f" *-?({'|'.join(dict.fromkeys((*contract.orderings, 'id')))}) *"
    components["settings-change"]["properties"]["default_ordering"]["pattern"] = f"^{ordering}(,{ordering})*$"
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(root + route.path, {})[route.method.lower()] = _operation(route)
    result["paths"] = paths
    return result


def _meanings() -> Iterator[str]:
    return (f"`{reason}`: {meaning}" for reason, meaning in MEANINGS.items())


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _components(contract: Contract, row_type: RowType) -> dict[str, Any]:
    """Return the schemas of a resource: one row, all rows, and fields to create or change one."""
    resource, schema = row_type.resource, contract.stored_schema(row_type.resource)
    one, examples = resource.singular, schema["examples"]
    properties = {
        name: {**_described(schema["properties"][name]), **each.schema}
        for name, each in row_type.field_types.items()
    }
    needed = [name for name in properties if name not in row_type.optional]
    changing = {name: each for name, each in properties.items() if name != "id"}
    said = f"Fields of a {one}; fields that are left out stay, or follow from the others."
    fields = {
        one: {**_described(schema), **closed(properties, needed), "examples": examples},
        f"{one}-fields": {"description": said, **closed(changing), "examples": [{}]},
    }
    if resource.older is not None:
        needed = [name for name in properties if name in upgrade.needed_fields(row_type)]
        older = {"description": f"A {one} of a data set of format 1.", **closed(properties, needed)}
        fields[f"older-{one}"] = {**older, "examples": examples}
    return fields if resource.is_object else {**fields, **_lists(row_type, properties)}


def _lists(row_type: RowType, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas of the list of all rows of a resource, and of a new row."""
    one = row_type.resource.singular
    examples = {each.name: each.example for each in row_type.fields}
    return {
        row_type.resource.name: {"type": "array", "items": _ref(one), "maxItems": MAX_ROWS, "examples": [[]]},
        f"new-{one}": {
            "description": f"Fields of a new {one}; fields that are left out get their default.",
            **closed(properties, row_type.needed),
            "examples": [{name: examples[name] for name in row_type.needed}],
        },
    }


def _described(schema: Mapping[str, Any]) -> dict[str, str]:
    return {"description": schema["description"]} if "description" in schema else {}


def _data_set(contract: Contract) -> dict[str, Any]:
    """Return the schema of a data set: the rows or the object of each resource."""
    kinds = {
        each.name: _ref(each.singular if each.is_object else each.name)
        for each in contract.resources.values()
    }
    objects = {
        each.name: contract.stored_schema(each)["examples"][0]
        for each in contract.resources.values()
        if each.is_object
    }
    return {
        "description": "The whole account of a world, as `serve --data` reads it.",
        "anyOf": [
            closed({"format": {"const": FORMAT}, "now": _ref("instant"), **kinds}, ["format", *kinds]),
            _older_data_set(contract, kinds),
        ],
        "examples": [{"format": FORMAT, **{name: [] for name in kinds}, **objects}],
    }


def _transactions() -> dict[str, Any]:
    """Return the schemas of transactions, and of what they return."""
    credit = CREDITS.singular
    return {
        "purchase": {
            "description": "What a referred user pays; null stands for a new user, or the referral link.",
            **_taken("purchase", ("amount",)),
            "examples": [{"amount": 50, "user_id": 181055}, {"amount": 35.5}],
        },
        "commission": {
            **closed({credit: {"oneOf": [{"type": "null"}, _ref(credit)]}}, (credit,)),
            "examples": [{credit: None}],
        },
        "payment": {
            "description": "The coupon code that the payment has redeemed; null if it has not.",
            **closed({"redeemed": {"type": ["string", "null"]}}, ("redeemed",)),
            "examples": [{"redeemed": "FRIENDS20"}],
        },
        "simulation": {
            "description": "A number of months, of purchases a month, and a seed; 1, 40 and 0 by default.",
            **_taken("simulation"),
            "examples": [{"months": 3, "purchases": 20}],
        },
    }


def _taken(name: str, needed: Sequence[str] = ()) -> dict[str, Any]:
    return closed({field: each.schema for field, each in transactions.SCHEMAS[name].items()}, needed)


def _older_data_set(contract: Contract, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a data set of format 1, whose rows may have fewer fields."""
    older = {name: each for name, each in contract.resources.items() if each.older is not None}
    rows = {name: _older(each) for name, each in older.items()}
    return closed({"now": _ref("instant"), **kinds, **rows}, upgrade.required_keys(contract))


def _older(resource: Resource) -> dict[str, Any]:
    one = _ref(f"older-{resource.singular}")
    return one if resource.is_object else {"type": "array", "maxItems": MAX_ROWS, "items": one}


def _fault(described: dict[str, Any], contract: Contract) -> dict[str, Any]:
    """Return the schema of a fault: one closed object for each set of keys that may go together."""
    descriptions = described.pop("properties")
    kinds = list(faults.schemas(contract))
    for each in kinds:
        each["properties"] = {
            name: {**descriptions[name], **schema} for name, schema in each["properties"].items()
        }
    return {**described, "anyOf": kinds}


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": route.summary, "responses": _responses(route)}
    operation["security"] = list(_security(route))
    if parameters := list(_parameters(route)):
        operation["parameters"] = parameters
    if route.body:
        operation["requestBody"] = {"required": True, "content": _content(route.body, "application/json")}
    return operation


def _security(route: Route) -> Iterator[dict[str, list[str]]]:
    """Yield the credentials that may be sent: those of the world, each without and with the token."""
    if route.access is not Access.CONTROL:
        yield {}
        return
    worlds: list[dict[str, list[str]]] = (
        [{}] if route.path in _WITHOUT_WORLD else [{"world": []}, {"world-id": []}]
    )
    for world in [*worlds, *([{}] if route.path in _WITH_OR_WITHOUT_WORLD else [])]:
        yield from (world, {**world, "token": []})


def _parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": _ref(name)}
    for each in route.query:
        yield {"name": each.name, "in": "query", "description": each.description, "schema": dict(each.schema)}


def _responses(route: Route) -> dict[str, Any]:
    problem = {
        "description": "Why the request failed.",
        "content": _content("problem", "application/problem+json"),
    }
    if route.response is None:
        return {"204": {"description": "Done."}, "default": problem}
    media_type = _MEDIA_TYPES.get(route.response, "application/json")
    done = {"description": "Done.", "content": _content(route.response, media_type)}
    return {str(route.status): done, "default": problem}


def _content(schema: str, media_type: str) -> dict[str, Any]:
    return {media_type: {"schema": _ref(schema)}}
