"""The guard of the control plane: which requests may control a mock server."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from mock_webshare.service.framework.request import is_valid_host
from mock_webshare.service.settings import Settings

TOKEN_HEADER = "Mock-Webshare-Token"  # noqa: S105  # the name of a header
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class Access(Enum):
    """What a route requires of a request, besides that no page of another origin sends it."""

    PUBLIC = auto()
    """Nothing else."""
    PAGE = auto()
    """The same as `ASSET`, but other sites may link to the page."""
    ASSET = auto()
    """Loopback and our `Host`; if the server has a token, nothing: browsers load a file without the token."""
    CONTROL = auto()
    """Loopback and our `Host`, or the token."""


class Guard:
    """Refuses other sites, foreign host names (DNS rebinding), and other machines."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names = {*_LOOPBACK_NAMES, settings.host}
        self._origins = set[str]()
        if settings.public_url:
            self._names.add(urlsplit(settings.public_url).hostname or "")
            self._origins.add(settings.public_url.rstrip("/"))

    def refusal(self, request: web.Request, access: Access = Access.CONTROL) -> str | None:
        """Return why a request is refused; None if it is allowed.

        A public route only refuses pages of other origins: anyone who reaches the port may read it.
        """
        headers, settings = request.headers, self._settings
        # A target in absolute form names a host too.
        hosts = [*headers.getall("Host", []), *filter(None, [_authority(request.raw_path)])]
        own = self._origins.union(f"{request.scheme}://{host}" for host in hosts)
        if not own.issuperset(headers.getall("Origin", [])):
            return "a page of another origin must not control the mock server"
        if not _is_own_site(request, access):
            return "a page of another site must not control the mock server"
        if access is Access.PUBLIC:
            return None
        if settings.control_token is not None:
            sent = headers.getall(TOKEN_HEADER, [])
            return _token_refusal(sent, settings.control_token) if access is Access.CONTROL else None
        if not (settings.is_loopback and _is_of_this_machine(request.remote)):
            return "beyond loopback the control plane needs a token; start the server with --control-token"
        if not self._names.issuperset(map(_host_name, hosts)):
            return "the Host header does not name this server; use the URL that it printed"
        return None


def _is_own_site(request: web.Request, access: Access) -> bool:
    """Return whether no page of another site sends a request; a link to our page may be on any site."""
    headers = request.headers
    if access is Access.PAGE and headers.getall("Sec-Fetch-Mode", []) == ["navigate"]:
        return headers.getall("Sec-Fetch-Dest", []) == ["document"]  # in a tab, not in a frame
    return {"same-origin", "none"}.issuperset(headers.getall("Sec-Fetch-Site", []))


def _authority(target: str) -> str | None:
    """Return the host and port of a target in absolute form; None for any other target."""
    return None if target.startswith("/") else urlsplit(target).netloc


def _host_name(authority: str) -> str:
    if not is_valid_host(authority):
        return ""
    return urlsplit(f"//{authority}").hostname or ""


def _is_of_this_machine(address: str | None) -> bool:
    """Return whether a client is on this machine.

    `Settings.host` does not show that, because an application may be served on other addresses too.
    """
    if not address:  # a Unix socket
        return True
    ip = ip_address(address.partition("%")[0])
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _token_refusal(tokens: Sequence[str], token: str) -> str | None:
    sent = [each.encode(errors="surrogateescape") for each in tokens]
    if len(sent) == 1 and compare_digest(sent[0], token.encode()):
        return None
    return f"the control token is missing or wrong; send it in the header {TOKEN_HEADER}"
