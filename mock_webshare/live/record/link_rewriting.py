"""Links: the URLs in answers that lead a client to the next request, moved from one origin to another."""

from __future__ import annotations

import re
from functools import lru_cache


def moved_location(location: str, origin: str, target: str) -> str:
    """Given a `Location`, return it with `target` in place of `origin`, both like `https://example.com`."""
    if re.match(re.escape(origin) + r"(?=[/?#]|$)", location, re.IGNORECASE):
        return target + location[len(origin) :]
    return location


def moved_links(body: bytes, origin: str, target: str) -> bytes:
    """Given a JSON body, return it with the links in `next` and `previous` moved and all else as it was.

    A body that is no JSON is looked at in the same way, for a client may read it nevertheless.
    """
    return _links(origin).sub(rb"\1" + target.encode().replace(b"\\", rb"\\"), body)


@lru_cache(16)
def _links(origin: str) -> re.Pattern[bytes]:
    # JSON may escape a slash, and inside of a string it escapes the quotes that this looks for.
    written = re.escape(origin.encode()).replace(b"/", rb"\\?/")
    return re.compile(rb'((?<!\\)"(?:next|previous)"\s*:\s*")' + written + rb'(?=\\?/|[?#"])', re.IGNORECASE)
