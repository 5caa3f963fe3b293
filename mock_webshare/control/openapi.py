"""The OpenAPI document of the control plane, printed from the table of its verbs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Protocol

from mock_webshare.contract.schemas import SERVICE_SCHEMAS, data_path
from mock_webshare.version import __version__


class Verb(Protocol):
    """What is told of each verb."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def says(self) -> str: ...
    @property
    def body(self) -> str | None: ...
    @property
    def answer(self) -> str | None: ...
    @property
    def status(self) -> int: ...


_WITHOUT_WORLD = ("health", "version", "openapi.json", "scenarios", "worlds")
_MEDIA_TYPES = {"ndjson": "application/x-ndjson"}


def document(root: str, verbs: Sequence[Verb]) -> dict[str, Any]:
    """Given the path under which the verbs are, and the verbs, return an OpenAPI 3.1 document."""
    text = (data_path("schemas") / "control.openapi.json").read_text(encoding="utf-8")
    result: dict[str, Any] = json.loads(text)
    result["info"]["version"] = __version__
    result["components"]["schemas"]["credit"] = _component(
        "credit", SERVICE_SCHEMAS.document("referral-credit")
    )
    paths: dict[str, Any] = {}
    for verb in verbs:
        paths.setdefault(root + verb.path, {})[verb.method.lower()] = _operation(verb)
    result["paths"] = paths
    return result


def _component(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema as one of the components: what it refers to in itself is elsewhere now."""
    kept = {key: value for key, value in schema.items() if key not in ("$id", "$schema")}
    text = json.dumps(kept).replace('"#/$defs/', f'"#/components/schemas/{name}/$defs/')
    moved: dict[str, Any] = json.loads(text)
    return moved


def _operation(verb: Verb) -> dict[str, Any]:
    operation: dict[str, Any] = {"summary": verb.says, "responses": _responses(verb)}
    world: dict[str, list[str]] = {} if verb.path in _WITHOUT_WORLD else {"world": []}
    operation["security"] = [world, {**world, "token": []}]
    if names := re.findall(r"{(\w+)}", verb.path):
        operation["parameters"] = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"$ref": f"#/components/schemas/{name}"},
            }
            for name in names
        ]
    if verb.body:
        operation["requestBody"] = {"required": True, "content": _content(verb.body, "application/json")}
    return operation


def _responses(verb: Verb) -> dict[str, Any]:
    problem = {
        "description": "Why it was refused.",
        "content": _content("problem", "application/problem+json"),
    }
    if verb.answer is None:
        return {"204": {"description": "Done."}, "default": problem}
    media_type = _MEDIA_TYPES.get(verb.answer, "application/json")
    done = {"description": "Done.", "content": _content(verb.answer, media_type)}
    return {str(verb.status): done, "default": problem}


def _content(schema: str, media_type: str) -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
