"""The JSON Schemas: where they are, and their validators by name."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_webshare.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jsonschema.protocols import Validator


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
