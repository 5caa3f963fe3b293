"""The control plane: sets up and inspects worlds over HTTP, under `/__mock__/`.

A request names its world by the key, in the same header as for the service: `Authorization: Token KEY`, or
by the id of the world in the header `Mock-Webshare-World`.
The routes are a table; each reads its input, calls one method of a world, and responds.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401  # `asyncio.to_thread` would import it at a request
import re
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, NamedTuple

from aiohttp import web

from mock_webshare.control import page
from mock_webshare.control.activity import Readers
from mock_webshare.control.guard import Access, Guard
from mock_webshare.control.problems import Problem, problem_of, problem_response
from mock_webshare.control.query import read_query
from mock_webshare.control.routes import ROOT, ControlRequest, Reload, Route, routes_of
from mock_webshare.control.summary import Remembered
from mock_webshare.errors import format_value, suggestion
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.exchange.streams import Malformed
from mock_webshare.recordings import content_encoding
from mock_webshare.service.data.fields import read_json
from mock_webshare.service.framework.request import joined, read_credentials, split_target
from mock_webshare.service.framework.response import render
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.registry import Worlds
from mock_webshare.version import __version__

WORLD_HEADER = "Mock-Webshare-World"
LARGEST_BODY = 256 * 1024 * 1024
"""Bytes of a request body; a data set of a million credits is about as large."""
_SMALL_BODY = 65_536
"""Bytes up to which a body is parsed in the event loop, which meanwhile serves nothing else."""

_FILES = {"har": "application/json", "ndjson": "application/x-ndjson"}
"""The content types of responses that are files."""

_HEADERS = {
    "Server": "mock-webshare",
    "Mock-Webshare-Version": __version__,
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

_ROOTS = (ROOT, ROOT.rstrip("/"))
_Found = tuple[Route, Mapping[str, str]]


class _Named(NamedTuple):
    """The world that a request names."""

    sent_key: str  # the key in `Authorization`; empty: no key was sent
    world_id: str | None  # None: the request does not name the world by its id
    key: str | None  # the key of the world. None: the request names no world, or a world that is gone


class Control:
    """The control plane of the worlds of one server."""

    def __init__(self, worlds: Worlds, settings: Settings, reload: Reload) -> None:
        self._worlds = worlds
        self._reload = reload
        self._settings = settings
        self._guard = Guard(settings)
        self._readers = Readers()
        self._remembered = Remembered()
        self._routes = [(_pattern(each.path), each) for each in routes_of(settings.contract)]

    async def handle(self, request: web.Request) -> web.Response:
        """Respond to a request under `ROOT`, with key and token redacted in errors."""
        named = self._named(request)
        secrets = [each for each in (named.sent_key, named.key, self._settings.control_token) if each]
        try:
            response = await self._respond(request, named, secrets)
        except ConnectionError:  # the client has disconnected
            raise
        except Exception as error:
            problem = problem_of(error)
            response = problem_response(problem, Redactor(secrets).url(str(problem)))
        response.headers.update(_HEADERS)
        return response

    def _named(self, request: web.Request) -> _Named:
        """Return the world that the headers of a request name."""
        sent_key, _ = read_credentials(joined(b"authorization", request.raw_headers) or "")
        world_id = joined(WORLD_HEADER.lower().encode(), request.raw_headers)
        key = sent_key or None if world_id is None else self._worlds.key_of(world_id)
        return _Named(sent_key, world_id, key)

    async def _respond(self, request: web.Request, named: _Named, secrets: Sequence[str]) -> web.Response:
        path, query = split_target(request.raw_path)
        found = self._found(request, path)
        if path in _ROOTS and _routed_method(request.method) == "GET":
            return self._root(path, request.headers.get("Accept", ""))
        if not found:
            similar = suggestion(path.removeprefix(ROOT).strip("/"), {each.path for _, each in self._routes})
            raise Problem(404, f"there is no such endpoint; GET {ROOT}openapi.json lists them{similar}")
        route, parameters = _chosen(found, request.method)
        if named.world_id is not None and named.sent_key:
            raise Problem(
                400, f"the request names a world by {WORLD_HEADER} and by Authorization; send one of them"
            )
        values = read_query(route.query, query)
        if not route.body:
            await _require_no_body(request)
        body = await _read_body(request, route) if route.body else None
        about = self._about(route, named, secrets)
        content = route.run(about._replace(path=parameters, query=values, body=body))
        if isinstance(content, web.Response):
            return content
        if isinstance(content, Awaitable):
            content = await content
        if callable(content):
            return await asyncio.to_thread(lambda: _response(route, content()))
        return _response(route, content)

    def _about(self, route: Route, named: _Named, secrets: Sequence[str]) -> ControlRequest:
        """Return the `ControlRequest` for a route and a world, still without parameters and body."""
        return ControlRequest(
            contract=self._settings.contract,
            worlds=self._worlds,
            key=named.key,
            path={},
            body=None,
            reload=self._reload,
            secrets=secrets,
            readers=self._readers,
            remembered=self._remembered,
            world_id=named.world_id,
            is_read_only=route.method == "GET" if route.is_read_only is None else route.is_read_only,
        )

    def _root(self, path: str, accept: str) -> web.Response:
        """Return the page for a browser, links as JSON for other clients, or a redirect to `ROOT`."""
        if path != ROOT:
            return web.Response(status=307, headers={"Location": ROOT})
        if _wants_html(accept):
            return page.index()
        readable = [each for _, each in self._routes if each.method == "GET" and "{" not in each.path]
        links = render({ROOT + each.path: each.summary for each in readable}, indent=2)
        return web.Response(body=links + b"\n", content_type="application/json")

    def _found(self, request: web.Request, path: str) -> list[_Found]:
        """Return the routes of a path; raise `Problem` if the guard refuses the request."""
        found, method = self._find(path.removeprefix(ROOT)), _routed_method(request.method)
        access = next((route.access for route, _ in found if route.method == method), Access.CONTROL)
        if path in _ROOTS and method == "GET":
            access = Access.PAGE if _wants_html(request.headers.get("Accept", "")) else Access.CONTROL
        if refusal := self._guard.refusal(request, access):
            raise Problem(403, refusal)
        return found

    def _find(self, path: str) -> list[_Found]:
        """Return the routes of a decoded path, and the path parameters of each.

        If a route without path parameters matches, routes with parameters are left out.
        """
        matching: list[_Found] = [
            (route, match.groupdict())
            for pattern, route in self._routes
            if (match := pattern.fullmatch(path))
        ]
        return [each for each in matching if not each[1]] or matching


def _chosen(found: Sequence[_Found], method: str) -> _Found:
    """Return the route of a method among `found`, all routes of a path; raise `Problem` if none has it."""
    for each in found:
        if each[0].method == _routed_method(method):
            return each
    methods = [route.method for route, _ in found]
    allowed = ", ".join([*methods, "HEAD"] if "GET" in methods else methods)
    raise Problem(405, f"{method} is not a method of this endpoint; allowed: {allowed}", {"Allow": allowed})


def _routed_method(method: str) -> str:
    """Return the method whose route responds: HEAD gets the response to GET, without the body."""
    return "GET" if method == "HEAD" else method


def _wants_html(accept: str) -> bool:
    """Return whether an `Accept` header names HTML, like that of a browser; `*/*` does not name it."""
    return any(each.partition(";")[0].strip().lower() == "text/html" for each in accept.split(","))


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


async def _require_no_body(request: web.Request) -> None:
    """Refuse a body that would be ignored, except `{}`, which some clients always send."""
    if request.method == "GET" or not request.body_exists:
        return
    if (await request.content.read(_SMALL_BODY)).strip() not in (b"", b"{}", b"null"):
        raise Problem(400, f"this endpoint reads no body; GET {ROOT}openapi.json describes what each reads")


async def _read_body(request: web.Request, route: Route) -> Any:
    """Return the parsed body, which must be JSON: any site may send a form."""
    if request.content_type != "application/json":
        sent = format_value(request.headers.get("Content-Type"))
        raise Problem(415, f"Content-Type {sent} is not allowed; allowed: application/json")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise Problem(413, f"the body is too large; allowed: {LARGEST_BODY:,} bytes")
    coding = request.headers.get("Content-Encoding")
    if len(body) <= _SMALL_BODY and not coding:
        return _parse(bytes(body), route)
    return await asyncio.to_thread(lambda: _parse(_decoded(bytes(body), coding), route))


def _decoded(body: bytes, coding: str | None) -> bytes:
    try:
        return content_encoding.decode(body, coding)
    except Malformed as error:
        raise Problem(
            400, f"the body cannot be decoded by its Content-Encoding {coding!r}: {error}"
        ) from error


def _parse(body: bytes, route: Route) -> Any:
    return route.read(read_json(body, source="body", is_whole_integer=True))


def _response(route: Route, content: Any) -> web.Response:
    if route.response is None:
        return web.Response(status=204)
    content_type = _FILES.get(route.response)
    body = content.encode() if content_type else render(content)
    return web.Response(status=route.status, body=body, content_type=content_type or "application/json")
