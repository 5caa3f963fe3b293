"""CORS: the headers by which a browser lets pages of other origins read responses of the service.

The service itself sends none of them. We add them for the origins that the settings name, but never to
responses of the control plane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web

from mock_webshare.contract.model import Contract
from mock_webshare.server.delivery import HINT, OWN_HEADERS
from mock_webshare.service.framework.response import Headers, Response

_ROOT = "/api/"
_REQUEST_HEADERS = "Authorization, Content-Type, Prefer, X-Subuser, X-Webshare-Federated-Access"
PREFLIGHT = "Access-Control-Request-Method"
"""The header by which a request of the method OPTIONS is a preflight."""
_EXPOSED = f"Retry-After, Allow, WWW-Authenticate, {HINT}"
_ALLOWED = "Access-Control-Allow-Origin"
_DEFAULT_PORTS: Mapping[str, str] = {"http": ":80", "https": ":443"}


class Cors:
    """Responds to preflights from pages of some origins, and returns headers to add to other responses."""

    def __init__(self, origins: Sequence[str], contract: Contract, public_url: str | None = None) -> None:
        self._origins = frozenset(map(as_browsers_write, origins))
        self._public = as_browsers_write(public_url or "")
        served = {method for each in contract.endpoints for method in each.methods}
        self._methods = ", ".join(sorted(served | {each.method for each in contract.operations}))

    def headers_for(self, request: web.BaseRequest) -> Headers:
        """Return the headers to add to a response; empty if no page of these origins sent the request."""
        origin = request.headers.get("Origin")
        if origin not in self._origins or not request.raw_path.startswith(_ROOT):
            return ()
        return (
            (_ALLOWED, origin),
            ("Access-Control-Expose-Headers", _EXPOSED),
            ("Vary", "Origin"),
        )

    def refused_origin(self, request: web.BaseRequest, response: Response) -> str:
        """Return `null` or `other`, the kind of origin, if a browser hides the response from the page.

        Empty: a page of the server itself or of these origins sent the request, or no page did. A proxy may
        have changed scheme or host of the server; then `Sec-Fetch-Site` shows that the page is the server's.
        """
        origin = request.headers.get("Origin")
        if origin is None or origin in self._origins or origin == self._public:
            return ""
        is_own = origin.partition("://")[2] == request.headers.get("Host", "").lower()
        if is_own or request.headers.get("Sec-Fetch-Site") == "same-origin":
            return ""
        if any(name.lower() == _ALLOWED.lower() for name, _ in response.headers):  # by a fault
            return ""
        return "null" if origin == "null" else "other"

    def preflight(self, request: web.BaseRequest) -> web.Response | None:
        """Return the response to a preflight from these origins; None for any other request."""
        if request.method != "OPTIONS" or PREFLIGHT not in request.headers:
            return None
        if not (headers := self.headers_for(request)):
            return None
        allowed = (
            ("Access-Control-Allow-Methods", self._methods),
            ("Access-Control-Allow-Headers", _REQUEST_HEADERS),
        )
        return web.Response(status=204, headers=(*headers, *allowed, *OWN_HEADERS))


def as_browsers_write(origin: str) -> str:
    """Return an origin as a browser sends it: `HTTPS://Example.com:443/` is `https://example.com`."""
    origin = origin.lower().rstrip("/")
    return origin.removesuffix(_DEFAULT_PORTS.get(origin.partition(":")[0], ""))


def without_own(added: Headers, response: Response) -> Headers:
    """Return the headers to add, without those that a fault has set; `Vary` is added nevertheless."""
    present = {name.lower() for name, _ in response.headers}
    return tuple(pair for pair in added if pair[0] == "Vary" or pair[0].lower() not in present)
