"""Origin: scheme, host and port of a service, as a URL begins with them."""

from __future__ import annotations

import re

from mock_webshare.errors import UsageError

_ORIGIN = re.compile(
    r"(https?)://([A-Za-z0-9._-]+|\[[A-Fa-f0-9:.]+\])(?::0*([0-9]{1,5}))?/?", re.ASCII | re.IGNORECASE
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|\[?::1\]?", re.IGNORECASE)


def read_origin(name: str, url: str) -> str:
    """Given the name of an option and its value, return the origin, `https://proxy.webshare.io`.

    The scheme and host are in lower case and a port that goes without saying is left out. Raise
    `UsageError` for anything else, without the value: a user and password may be in it.
    """
    match = _ORIGIN.fullmatch(url)
    if match is None or (match[3] and not 0 < int(match[3]) < 65536):
        raise UsageError(
            f"{name} is not allowed as it is given; allowed: scheme and host only, "
            "like https://proxy.webshare.io"
        )
    scheme, host, port = match[1].lower(), match[2].lower(), match[3]
    return f"{scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[scheme] else "")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: `localhost`, `127.…` or `::1`."""
    return _LOOPBACK.fullmatch(host) is not None


def host_of(origin: str) -> str:
    """Given an origin, return its host: that of `http://127.0.0.1:80` is `127.0.0.1`."""
    match = _ORIGIN.fullmatch(origin)
    assert match
    return match[2]
