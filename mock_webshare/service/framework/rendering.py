"""Rendering: JSON data as the bytes that the service writes."""

from __future__ import annotations

import json
from typing import Any


def render(data: Any, indent: int | None = None) -> bytes:
    """Given JSON data, return its bytes as Django REST framework's `JSONRenderer` writes them.

    Compact unless indented; U+2028 and U+2029 are escaped, because JavaScript took them for line ends.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(data, ensure_ascii=False, indent=indent, separators=separators)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()
