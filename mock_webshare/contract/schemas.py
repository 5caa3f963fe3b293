"""The JSON Schemas (2020-12) of a contract, and their validators, by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_webshare.errors import UnknownName

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

Document = dict[str, Any]
_SUFFIX = ".schema.json"


def data_path(folder: str) -> Path:
    """Return the path of the folder `schemas` or `fixtures`.

    A wheel has it inside the package, a checkout and an sdist have it beside the package.
    """
    package = Path(__file__).parent.parent
    inside = package / "_data" / folder
    return inside if inside.is_dir() else package.parent / folder


class Schemas:
    """Schemas by name: documents in memory, and files `NAME.schema.json` in folders.

    `names` lists the documents and the first folder; the other folders have schemas of data that the service
    does not send. A schema refers to another one by its name, relative to its own `$id`.
    """

    def __init__(self, *folders: Path, documents: Mapping[str, Document] | None = None) -> None:
        self._folders = folders
        self._documents = dict(documents or {})
        self.document = lru_cache(maxsize=None)(self._read)
        self.validator = lru_cache(maxsize=None)(self._make_validator)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(
            Schemas, *self._folders, documents=self._documents
        ), ()  # cached values are not pickled

    @cached_property
    def names(self) -> list[str]:
        """The names of all schemas, sorted: `error-detail`, `referral-credit`, …"""
        files = (path.name for folder in self._folders[:1] for path in folder.glob(f"*{_SUFFIX}"))
        return sorted({*self._documents, *(name.removesuffix(_SUFFIX) for name in files)})

    def load(self) -> None:
        """Read the files of all schemas now, so that no file is read later."""
        for name in self.names:
            self.document(name)

    def text(self, name: str) -> str:
        """Return a schema as JSON text; raise `UnknownName` if it does not exist."""
        if name in self._documents:
            return json.dumps(self._documents[name], indent=2) + "\n"
        for folder in self._folders:
            if (path := folder / (name + _SUFFIX)).is_file():
                return path.read_text(encoding="utf-8")
        raise UnknownName("schema", name, self.names)

    def _read(self, name: str) -> Document:
        """Return a schema, to be read only; raise `UnknownName` if it does not exist."""
        document: Document = self._documents.get(name) or json.loads(self.text(name))
        return document

    def _make_validator(self, name: str) -> Validator:
        """Return the compiled validator of a schema.

        `$ref`s are resolved among these schemas only, and `format` is checked (jsonschema ignores it
        unless it is given a checker).
        """
        from jsonschema import Draft202012Validator, FormatChecker
        from jsonschema.exceptions import FormatError
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        documents = [self.document(each) for each in self.names]
        registry: Registry[Any] = Registry().with_resources(
            (document["$id"], DRAFT202012.create_resource(document)) for document in documents
        )

        class StrictFormats(FormatChecker):
            def check(self, instance: object, format: str) -> None:
                # The libraries that check formats match with `$`, which allows a final line feed.
                if isinstance(instance, str) and instance.endswith("\n"):
                    raise FormatError(f"{instance!r} ends with a line feed")
                super().check(instance, format)

        return Draft202012Validator(self.document(name), registry=registry, format_checker=StrictFormats())


OWN_SCHEMAS = Schemas(data_path("schemas") / "own")
"""The schemas of this program's own documents (`report`, …), and of stored rows that are not served."""
SERVICE_SCHEMAS = Schemas(data_path("schemas"), data_path("schemas") / "own")
"""The schemas of the service's objects, from its documentation, and of errors, from the framework."""
