"""Origin: scheme, host and port of a service, as URLs begin with them."""

from __future__ import annotations

import re
from functools import lru_cache

from mock_webshare.errors import UsageError

_ORIGIN = re.compile(
    r"(https?)://([A-Za-z0-9._-]+|\[[A-Fa-f0-9:.]+\])(?::0*([0-9]{1,5}))?/?", re.ASCII | re.IGNORECASE
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|\[?::1\]?", re.IGNORECASE)


def read_origin(name: str, url: str) -> str:
    """Read the origin from the value of an option: `https://Example.com:443/` is `https://example.com`.

    Raise `UsageError` for anything else, without the value, which may contain a user and password.
    """
    match = _ORIGIN.fullmatch(url)
    if match is None or (match[3] and not 0 < int(match[3]) < 65536):
        raise UsageError(
            f"the value of {name} is not allowed; allowed: scheme and host only, "
            "like https://proxy.webshare.io"
        )
    scheme, host, port = match[1].lower(), match[2].lower(), match[3]
    return f"{scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[scheme] else "")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: `localhost`, `127.…` or `::1`."""
    return _LOOPBACK.fullmatch(host) is not None


def host_of(origin: str) -> str:
    """Return the host of an origin: `127.0.0.1` of `http://127.0.0.1:80`."""
    match = _ORIGIN.fullmatch(origin)
    assert match
    return match[2]


def rewrite_location(location: str, origin: str, target: str) -> str:
    """Return the value of a `Location` header with the origin `target` in place of `origin`."""
    if re.match(re.escape(origin) + r"(?=[/?#]|$)", location, re.IGNORECASE):
        return target + location[len(origin) :]
    return location


def rewrite_links(body: bytes, origin: str, target: str) -> bytes:
    """Return a JSON body with the origin of its `next` and `previous` replaced, and all else unchanged.

    A body that is not valid JSON is treated in the same way, for a client may parse it nevertheless.
    """
    return _links(origin).sub(rb"\1" + target.encode().replace(b"\\", rb"\\"), body)


@lru_cache(16)
def _links(origin: str) -> re.Pattern[bytes]:
    # JSON may escape a slash; within a string it escapes the quotes that this pattern looks for.
    written = re.escape(origin.encode()).replace(b"/", rb"\\?/")
    return re.compile(rb'((?<!\\)"(?:next|previous)"\s*:\s*")' + written + rb'(?=\\?/|[?#"])', re.IGNORECASE)
