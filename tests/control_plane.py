"""Shared by tests of the control plane: a client that checks each response, and the digest of a world."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, FormatChecker

from mock_webshare import __version__
from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.control import openapi
from mock_webshare.control.guard import Access
from mock_webshare.control.routes import ROOT, Route, routes_of
from mock_webshare.service.world.registry import Worlds
from mock_webshare.service.world.world import World
from tests.conftest import Client
from tests.waiting import PATIENCE

KEY = "the-key-of-this-world"
HEADERS = {"Authorization": f"Token {KEY}"}


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    return openapi.document(ROOT, routes_of(), WEBSHARE)


@cache
def validator(schema: str) -> Draft202012Validator:
    """Return what checks a value against a component of the OpenAPI document."""
    whole = {**document(), "$ref": f"#/components/schemas/{schema}"}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def name(route: Route) -> str:
    """Return what a route is called in a test: `PUT state`."""
    return f"{route.method} {route.path}"


ROUTES = [route for route in routes_of() if route.access not in (Access.PAGE, Access.ASSET)]
"""Those that respond with data."""
BY_NAME = {name(route): route for route in ROUTES}


def look(headers: Mapping[str, str]) -> None:
    """Check the headers of a response of the control plane."""
    assert headers["Mock-Webshare-Version"] == __version__
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert not any(header.lower().startswith("access-control-") for header in headers)


class Controlled:
    """The control plane over HTTP; each response is checked against the schema of its route."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def done(self, method: str, path: str, body: Any = None, *, route: str | None = None) -> Any:
        """Send a valid request and return the content; `route` is its name if its path varies."""
        known = BY_NAME[route or f"{method} {path}"]
        kwargs = {} if body is None else {"json": body}
        async with self.client.request(method, ROOT + path, **kwargs) as response:
            content = await response.read()
        look(response.headers)
        assert response.status == (204 if known.response is None else known.status), content
        if known.response is None:
            assert content == b""
            return None
        text = content.decode()
        value = text if known.response == "ndjson" else json.loads(text)
        assert list(validator(known.response).iter_errors(value)) == []
        return value

    async def refused(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        """Send a request that is refused and return the problem."""
        async with self.client.request(method, ROOT + path, **kwargs) as response:
            problem: dict[str, Any] = await response.json(content_type="application/problem+json")
        look(response.headers)
        assert response.status == problem["status"] >= 400
        assert list(validator("problem").iter_errors(problem)) == []
        return problem


def digest(world: World) -> str:
    """Return all that a world is."""
    return json.dumps(
        [
            world.state().wire(),
            world.clock(),
            world.faults(),
            world.settings(),
            world.snapshots(),
            world.journal.total,
            len(world.journal),
        ]
    )


def digest_of(worlds: Worlds, key: str = KEY) -> str:
    """Return all that the world of a key is, and how many others there are."""
    world = worlds.get(key)
    assert world
    return digest(world) + json.dumps([worlds.counted(), worlds.keyless.total])


class Reply(NamedTuple):
    """What came back over a socket."""

    status: int
    head: str
    body: str

    @property
    def problem(self) -> dict[str, Any]:
        """The problem that it is."""
        assert "content-type: application/problem+json" in self.head.lower(), self
        problem: dict[str, Any] = json.loads(self.body)
        assert problem["status"] == self.status
        return problem


def send(url: str, method: str, target: str, *headers: str, body: bytes = b"") -> Reply:
    """Send a request unchanged, as no HTTP client would; only `Connection` is added."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    lines = [f"{method} {target} HTTP/1.1", *headers, "Connection: close"]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    with socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body)
        response = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, content = response.decode("utf-8", "surrogateescape").partition("\r\n\r\n")
    return Reply(int(head.split()[1]), head, content)
