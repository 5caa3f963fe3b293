"""Limits on what is read of a recording, which may be hostile, or simply huge.

Every limit is far above what real traffic needs.
"""

from __future__ import annotations

import json
import re
from typing import Any

LARGEST_RECORD = 64 * 1024**2
"""Bytes of one record, and of one body, packed or unpacked. A page of a hundred credits has about 25,000."""
LARGEST_SKIP = 1024**3
"""Bytes of a record that is skipped, because it is too long to be kept; a still longer one ends the file."""
BEGINNING = 64 * 1024
"""Bytes that are kept of a record that is too long: enough to find its URL."""
HEAD = 1024**2
"""Bytes of a file that are examined to detect its format."""
MOST_BAD_RECORDS = 100_000
"""Malformed records in a row; a file with more has another format."""
MOST_HEADERS = 1000
"""Headers of a message. In YAML a few aliases make millions of them."""
MOST_CODINGS = 4
"""Content codings of one body. One is usual."""
DEEPEST_JSON = 1000
"""Nested brackets. A HAR needs seven."""
DEEPEST_YAML = 50
"""Nested collections. A cassette needs six."""
MOST_ANCHORS = 100_000
"""Values of a YAML file to which aliases may refer: they are kept until its end, and have at most
`LARGEST_RECORD` characters in all."""
LARGEST_ANCHORED = 64 * 1024
"""Characters of a value to which aliases may refer. PyYAML writes aliases for headers, not for bodies;
without a limit, a short file could name one long body a million times."""
LARGEST_ATTACHMENTS = 2 * 1024**3
"""Bytes of all attachments of a HAR: a million entries may name the same small file."""
LARGEST_ZIP_DIRECTORY = 8 * 1024**2
"""Bytes of the list of files in a ZIP archive, which is read as a whole."""
MOST_REPEATED = 1000
"""Values that aliases repeat in a body that was written as YAML. Recorders write bodies without aliases."""
MOST_PARTS = 1_000_000
"""Values in a record, and in a body: each takes far more memory than its text. A page of a hundred credits
has about a thousand."""

STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
"""A string of JSON, with its quotes."""
STRING_OR_REST = re.compile(STRING.pattern + rb"?", re.DOTALL)
"""A string of JSON, or a quote without its end and the rest of the text: to search the rest for more strings
would take quadratic time."""


def has_many(text: bytes) -> bool:
    """Return whether a JSON text has more than about `MOST_PARTS` values."""
    if len(text) <= MOST_PARTS or _commas_and_brackets(text) <= MOST_PARTS:
        return False
    return _commas_and_brackets(STRING_OR_REST.sub(b"", text)) > MOST_PARTS


def parsed(body: bytes) -> Any:
    """Return the JSON of a body; None if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _commas_and_brackets(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")
