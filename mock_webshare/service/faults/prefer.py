"""A preference: the error that `Prefer: code=429` selects (RFC 7240)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mock_webshare.errors import DataError
from mock_webshare.service.faults.fault import Fault, parse

_PAIR = re.compile(r"\s*([A-Za-z]+)\s*=\s*\"?([A-Za-z0-9_-]{1,100})\"?\s*")
_OPTIONS = {"code": "status", "example": "code"}


def read(header: str | None) -> Fault | None:
    """Return the fault that a `Prefer` header selects; None if it is not supported.

    As Prism reads it, `code=403, example=account_suspended` is the 403 with that `code`. The first of
    repeated names counts.
    """
    if header is None:
        return None
    pairs = [match.groups() for part in re.split("[,;]", header) if (match := _PAIR.fullmatch(part))]
    preferred: Mapping[str, Any] = {
        _OPTIONS[name.lower()]: int(value) if value.isdecimal() else value
        for name, value in reversed(pairs)
        if name.lower() in _OPTIONS
    }
    if "status" not in preferred:
        return None
    try:
        return parse(preferred)
    except DataError:
        return None


def applied(fault: Fault) -> tuple[str, str]:
    """Return the response header for a fault that a `Prefer` header has selected."""
    return "Preference-Applied", f"code={fault.value}"
