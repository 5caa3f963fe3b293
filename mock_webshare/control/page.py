"""The page of a mock: its files by name, and the headers that keep everything else out of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from mock_webshare.control.problems import Problem

INDEX = "index.html"
_MODULES = (
    "account",
    "api",
    "controls",
    "coverage",
    "detail",
    "dom",
    "format",
    "main",
    "requests",
    "snippets",
    "worlds",
)
CONTENT_TYPES: Mapping[str, str] = {
    INDEX: "text/html",
    "page.css": "text/css",
    **{f"{name}.js": "text/javascript" for name in _MODULES},
}
"""The content type of each file; those in the system's own table may differ."""
# Read now: when the first request comes, a test may have replaced the file system.
_FOLDER = Path(__file__).parent / "page"
_CONTENT = {name: (_FOLDER / name).read_bytes() for name in CONTENT_TYPES}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


def index() -> web.Response:
    """Return the HTML of the page; its scripts fetch the data."""
    return _response(INDEX)


def asset(name: str) -> web.Response:
    """Return a file that the page loads."""
    if name == INDEX or name not in CONTENT_TYPES:
        raise Problem(404, f"the page has no file {name!r:.80}")
    return _response(name)


def _response(name: str) -> web.Response:
    return web.Response(
        body=_CONTENT[name], content_type=CONTENT_TYPES[name], charset="utf-8", headers=HEADERS
    )
