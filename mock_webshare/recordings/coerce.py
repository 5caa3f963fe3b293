"""Field: a part of a record, which has to be of its type. What is not raises `Malformed`."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from mock_webshare.contract.timestamps import parse_instant
from mock_webshare.exchange.model import LONGEST, read_status
from mock_webshare.recordings.limits import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_webshare.exchange.model import Headers


MOST_HEADERS = 1000
"""Of a message. In YAML a few aliases make millions of them."""


def an_object(value: Any, name: str) -> dict[str, Any]:
    """Given a value, return it if it is an object."""
    if not isinstance(value, dict):
        raise Malformed(f"its {name} is no object")
    return value


def a_text(value: Any, name: str) -> str:
    """Given a value, return it if it is a string."""
    if not isinstance(value, str):
        raise Malformed(f"its {name} is no string")
    return value


def a_list(value: Any, name: str) -> list[Any]:
    """Given a value, return it if it is a list."""
    if not isinstance(value, list):
        raise Malformed(f"its {name} are no list")
    return value


def a_status(value: Any) -> int | None:
    """Given a value, return it if it is a status; None if it says that no response came."""
    try:
        return read_status(value)
    except ValueError as error:
        raise Malformed(str(error)) from error


def some_headers(pairs: Iterable[tuple[Any, Any]]) -> Headers:
    """Given names and values, return the headers, without the pseudo-headers of HTTP/2 (`:authority`)."""
    read = [(_header_text(name), _header_text(value)) for name, value in islice(pairs, MOST_HEADERS + 1)]
    if len(read) > MOST_HEADERS:
        raise Malformed(f"it has more than {MOST_HEADERS} headers")
    return tuple(pair for pair in read if not pair[0].startswith(":"))


def _header_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return value.decode("latin-1") if isinstance(value, bytes) else a_text(value, "header")


def from_base64(text: str) -> bytes:
    """Given base64, with line breaks or without, return the bytes."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (ValueError, binascii.Error) as error:
        raise Malformed("its base64 does not decode") from error


def an_instant(value: Any) -> int | None:
    """Given a date of ISO 8601 or of HTTP, return the instant; None without an offset, or if it is none."""
    if not isinstance(value, str) or len(value) > 100:
        return None
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(value)
            return parse_instant(moment.isoformat()) if moment.tzinfo else None
        except (ValueError, TypeError, OverflowError):
            continue
    return None


def a_duration(value: Any) -> float | None:
    """Given milliseconds, return seconds; None if there are none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value / 1000 if is_number and 0 <= value < 1000 * LONGEST else None


def has_body(method: str | None, status: int | None) -> bool:
    """Given a method and a status, return whether the response may have a body (RFC 9110, 6.4.1)."""
    return method != "HEAD" and status not in (204, 304) and not re.fullmatch(r"1\d\d", str(status))
