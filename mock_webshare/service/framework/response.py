"""A response: status, headers and body, byte by byte as the service sends them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from mock_webshare.contract import messages
from mock_webshare.contract.model import Endpoint, Operation
from mock_webshare.service.framework.query import FieldError
from mock_webshare.service.reasons import Reason

Headers = tuple[tuple[str, str], ...]

# Read now: when the first request comes, a test may have replaced the file system.
_ERROR_PAGE, _PROXY_PAGE = (
    Path(__file__).with_name(file).read_text(encoding="utf-8")
    for file in ("error_page.html", "proxy_page.html")
)
_HTML: Headers = (("Content-Type", "text/html; charset=utf-8"),)
_PARSES = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """A response; `headers` are those that the service sets, without length and date."""

    status: int
    headers: Headers
    body: bytes
    not_served: str = ""
    """The operation of the service that is not served here; empty otherwise."""
    hint: str = ""
    """What is wrong with the request, and what to do instead, for a header of our own; empty: no hint."""
    added: Headers = ()
    """Other headers of our own, which are sent but not kept in a journal."""
    reason: str = ""
    """Why the response is not the ordinary one: codes of `Reason`, separated by blanks; else empty."""

    def json(self) -> Any:
        """Return the parsed JSON of the body; raise ValueError if the body is not JSON."""
        return json.loads(self.body)


def render(data: Any, indent: int | None = None) -> bytes:
    """Render JSON data as Django REST framework's `JSONRenderer` does.

    Compact unless indented; U+2028 and U+2029 are escaped, because JavaScript took them for line ends.
    """
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(data, ensure_ascii=False, indent=indent, separators=separators)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


def routed(endpoint: Endpoint, status: int, body: bytes, headers: Headers = (), reason: str = "") -> Response:
    """Return a JSON response of an endpoint, always with `Allow`."""
    common = (("Content-Type", "application/json"), ("Allow", ", ".join(endpoint.methods)))
    return Response(status, common + headers, body, reason=reason)


def detail(
    endpoint: Endpoint,
    status: int,
    text: str,
    reason: str,
    indent: int | None = None,
    headers: Headers = (),
) -> Response:
    """Return an error response with the body `{"detail": text}`."""
    return routed(endpoint, status, render({"detail": text}, indent), headers, reason)


def unauthorized(endpoint: Endpoint, text: str, reason: str, indent: int | None) -> Response:
    """Return the 401 with the reason why the credentials were refused."""
    return detail(endpoint, 401, text, reason, indent, (("WWW-Authenticate", "Token"),))


def throttled(endpoint: Endpoint, wait: float, indent: int | None) -> Response:
    """Return the 429 with the seconds to wait, rounded up."""
    seconds = math.ceil(wait)
    unit = "second" if seconds == 1 else "seconds"
    text = messages.THROTTLED.format(seconds=seconds, unit=unit)
    return detail(endpoint, 429, text, Reason.THROTTLED, indent, (("Retry-After", str(seconds)),))


def field_errors(endpoint: Endpoint, errors: Iterable[FieldError], indent: int | None) -> Response:
    """Return the 400 with messages and codes for each wrong field."""
    body: dict[str, list[dict[str, str]]] = {}
    for error in errors:
        body.setdefault(error.field, []).append({"message": error.message, "code": error.code})
    return routed(endpoint, 400, render(body, indent), reason=Reason.INVALID.of(",".join(body)))


def no_content(endpoint: Endpoint) -> Response:
    """Return the 204, which has no body."""
    return Response(204, (("Allow", ", ".join(endpoint.methods)),), b"")


def metadata(endpoint: Endpoint, indent: int | None) -> Response:
    """Return the response to OPTIONS (framework: `SimpleMetadata`)."""
    body = {
        "name": endpoint.view_name,
        "description": "",
        "renders": ["application/json"],
        "parses": _PARSES,
    }
    return routed(endpoint, 200, render(body, indent))


def not_served(operation: Operation) -> Response:
    """Return our 501, in our own words, for an operation that the service has and the mock does not."""
    text = f"mock-webshare does not serve this operation of the service ({operation.name})."
    headers = (("Content-Type", "application/json"),)
    reason = Reason.NOT_SERVED.of(operation.name)
    return Response(501, headers, render({"detail": text}), not_served=operation.name, reason=reason)


def redirect(location: str) -> Response:
    """Return the redirect to the path with a slash at its end."""
    return Response(301, (*_HTML, ("Location", location)), b"", reason=Reason.NO_SLASH)


@cache
def html_page(status: int, reason: str = "") -> Response:
    """Return the page that Django sends for a status outside of all endpoints."""
    title, details = {
        400: ("Bad Request (400)", ""),
        404: ("Not Found", "The requested resource was not found on this server."),
        403: ("403 Forbidden", ""),
        500: ("Server Error (500)", ""),
    }.get(status) or (phrase(status), "")
    return _page(_ERROR_PAGE, status, reason, title=title, details=details)


@cache
def proxy_page(status: int) -> Response:
    """Return the page that a proxy in front of the service sends if the service does not respond."""
    return _page(_PROXY_PAGE, status, "", reason=f"{status} {phrase(status)}")


def _page(template: str, status: int, why: str, /, **texts: str) -> Response:
    return Response(status, _HTML, template.format(**texts).encode(), reason=why)


def phrase(status: int) -> str:
    """Return the HTTP reason phrase of a status; of an unknown status, `Client Error` or `Server Error`."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Client Error" if status < 500 else "Server Error"
