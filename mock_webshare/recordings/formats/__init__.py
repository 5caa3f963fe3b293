"""Detection: which format a file has, by its name, and then by how it begins."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from io import BytesIO
from typing import TYPE_CHECKING

from mock_webshare.contract.endpoints import ENDPOINTS
from mock_webshare.recordings.json_scanner import Scanner
from mock_webshare.recordings.limits import Broken

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTENSIONS = {
    ".har": "har",
    ".zip": "har",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".yaml": "vcr",
    ".yml": "vcr",
    ".json": "json",
}
"""The format that a name promises, with or without `.gz` after it."""

CASSETTE_KEYS = ("interactions", "http_interactions")
"""Where the records of a cassette are: vcrpy's, and those of Ruby's VCR and of Betamax."""

_FIELDS = {each.name for endpoint in ENDPOINTS for each in endpoint.filters}
"""What a field error may be about."""

_YAML_CASSETTE = re.compile(
    rb"(?:[ \t]*(?:[#%][^\n]*|---[^\n]*)?\r?\n)*+"
    rb"(?:(?:http_)?interactions|version|recorded_with|-[ ]+request)[ \t]*:"
)


def format_of(name: str) -> str | None:
    """Given the name of a file, return the format that its extension promises; None if it promises none."""
    name = name.lower().removesuffix(".gz")
    return next((each for suffix, each in EXTENSIONS.items() if name.endswith(suffix)), None)


def detect(name: str, head: bytes) -> str:
    """Given the name of a file and its beginning, return `har`, `ndjson`, `vcr`, or as `detect_json` does.

    Lines with an object each are NDJSON; but not bodies in a file named `.json`: there a second document
    is a mistake.
    """
    promised = format_of(name)
    if promised not in (None, "json"):
        return promised
    if _is_lines(head, of_exchanges=promised == "json"):
        return "ndjson"
    if promised is None and _YAML_CASSETTE.match(head.removeprefix(BOM_UTF8)):
        return "vcr"
    return detect_json(head)


def detect_json(head: bytes) -> str:
    """Given the beginning of a JSON document, return `har`, `vcr`, `exchange`, `list`, or else `body`.

    A list is one of exchanges, pages or errors. An array of anything else is itself a body: the wrong one
    where a page was due, or the right one of an endpoint that answers with an array.
    """
    text = head.removeprefix(BOM_UTF8).lstrip()
    if text.startswith(b"["):
        return "list" if _is_element(set(_keys(text[1:]))) else "body"
    keys = set(_keys(text))
    if "log" in keys:
        return "har"
    if not keys.isdisjoint(CASSETTE_KEYS):
        return "vcr"
    return "exchange" if "request" in keys else "body"


def _is_element(keys: set[str]) -> bool:
    """Given the keys of the first object of an array, return whether that is an exchange, page or error."""
    return not keys.isdisjoint({"request", "results", "detail"}) or (bool(keys) and keys <= _FIELDS)


def _is_lines(head: bytes, *, of_exchanges: bool) -> bool:
    first, _, rest = head.removeprefix(BOM_UTF8).lstrip().partition(b"\n")
    if not rest.lstrip().startswith(b"{"):
        return False
    try:
        document = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and (not of_exchanges or "request" in document)


def _keys(text: bytes) -> Iterator[str]:
    """Given the beginning of an object, yield its keys as far as they are there; of anything else, none."""
    try:
        scanner = Scanner(BytesIO(text))
        for key in scanner.members():
            yield key
            scanner.skip()
    except Broken:
        return
