"""Rendering of JSON data as the service does it."""

from __future__ import annotations

import json
from typing import Any


def render(data: Any, indent: int | None = None) -> bytes:
    """Render JSON data as Django REST framework's `JSONRenderer` does.

    Compact unless indented; U+2028 and U+2029 are escaped, because JavaScript took them for line ends.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(data, ensure_ascii=False, indent=indent, separators=separators)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()
