"""The OpenAPI 3.1 document of a service, written from its contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import Contract, Endpoint, Filter, Input, Write
from mock_webshare.version import __version__

_JSON = "application/json"
_BODIES = (_JSON, "application/x-www-form-urlencoded", "multipart/form-data")
_DESCRIPTION = (
    "Written by mock-webshare, which is unofficial, from the contract that it serves. The marks say"
    " how something is known: D documented, O observed, F decided by the framework, A assumed."
)


def document(contract: Contract = WEBSHARE) -> dict[str, Any]:
    """Return the document; `x-rules` of an operation has the rules of its endpoint, with their marks."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": contract.title,
            "version": __version__,
            "description": _DESCRIPTION,
        },
        "servers": [{"url": contract.origin}],
        "paths": {each.path: _path(contract, each) for each in contract.endpoints},
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Token KEY`, with the API key.",
                }
            },
            "schemas": {name: _component(contract, name) for name in contract.schemas.names},
        },
    }


def _component(contract: Contract, name: str) -> dict[str, Any]:
    """Return a schema whose `$ref`s, to itself and to others, point into `components` of the document."""
    schema = contract.schemas.document(name)
    kept = {key: each for key, each in schema.items() if key not in ("$id", "$schema", "$comment")}
    text = json.dumps(kept).replace('"#/$defs/', f'"#/components/schemas/{name}/$defs/')
    for other in contract.schemas.names:
        text = text.replace(f'"{other}.schema.json"', f'"#/components/schemas/{other}"')
    component: dict[str, Any] = json.loads(text)
    return component


def _path(contract: Contract, endpoint: Endpoint) -> dict[str, Any]:
    methods: dict[str, Any] = {"get": _operation(contract, endpoint, "GET", None)}
    for each in endpoint.writes:
        methods[each.method.lower()] = _operation(contract, endpoint, each.method, each)
    return methods


def _operation(contract: Contract, endpoint: Endpoint, method: str, write: Write | None) -> dict[str, Any]:
    known = {each.path: each.name for each in contract.operations if each.method == method}
    name = known.get(endpoint.path, f"{method.lower()} {endpoint.view_name}")
    rules = [contract.rules[each] for each in endpoint.all_rules if each in contract.rules]
    operation: dict[str, Any] = {
        "operationId": name.replace(".", "_").replace(" ", "_"),
        "summary": f"{endpoint.view_name}: {method}",
        "tags": [endpoint.resource],
        "security": [] if endpoint.is_open else [{"token": []}],
        "responses": dict(_responses(endpoint, write)),
        "x-rules": [{"id": each.id, "mark": each.mark.value, "says": each.says} for each in rules],
    }
    if parameters := list(_parameters(endpoint, write)):
        operation["parameters"] = parameters
    if write is not None and write.inputs:
        schema = _body(write)
        content = {media_type: {"schema": schema} for media_type in _BODIES}
        operation["requestBody"] = {"required": not write.is_partial, "content": content}
    return operation


def _responses(endpoint: Endpoint, write: Write | None) -> Iterator[tuple[str, Any]]:
    status = 200 if write is None else write.status
    content = {} if status == 204 else _content(endpoint.schema)
    yield str(status), {"description": HTTPStatus(status).phrase, **content}
    for error, schema in endpoint.errors:
        if error == 401 and endpoint.is_open:
            continue
        response = {"description": HTTPStatus(error).phrase, **_content(schema)}
        if error == 404 and endpoint.is_detail:  # an id with a dot is another route
            response["content"]["text/html"] = {"schema": {"type": "string"}}
        yield str(error), response


def _content(schema: str) -> dict[str, Any]:
    return {"content": {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}


def _body(write: Write) -> dict[str, Any]:
    required = [] if write.is_partial else [each.name for each in write.inputs]
    properties = {each.name: _input(each) for each in write.inputs}
    return {"type": "object", "properties": properties, **({"required": required} if required else {})}


def _input(field: Input) -> dict[str, Any]:
    types = ["string", "null"] if field.is_nullable else "string"
    schema: dict[str, Any] = {"type": types}
    if field.choices:
        schema["enum"] = list(field.choices)
    if field.kind == "email":
        schema["format"] = "email"
    if field.max_length is not None:
        schema["maxLength"] = field.max_length
    return schema


def _parameters(endpoint: Endpoint, write: Write | None) -> Iterator[dict[str, Any]]:
    if endpoint.is_detail:
        yield {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
    if write is not None:
        return
    yield from (_query(each.name, _filter(each)) for each in endpoint.filters)
    if endpoint.orderings:
        names = ", ".join(endpoint.orderings)
        described = f"Separated by commas, each with `-` to descend: {names}."
        yield _query("ordering", {"type": "string", "description": described})
    if endpoint.paging:
        yield _query("page", {"type": "integer", "minimum": 1, "default": 1})
        largest = {"maximum": endpoint.paging.max_page_size, "default": endpoint.paging.page_size}
        yield _query("page_size", {"type": "integer", "minimum": 1, **largest})
    if endpoint.lookup:
        yield {**_query(endpoint.lookup.name, _input(endpoint.lookup)), "required": True}


def _filter(each: Filter) -> dict[str, Any]:
    return {"type": "string", "enum": list(each.choices)} if each.choices else {"type": "integer"}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}
