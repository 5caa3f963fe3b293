"""What all tests share: servers, and the eye that sees every answer that any test provokes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from mock_webshare import MockServer, Settings, contract, create_app, framework
from mock_webshare.api import Service

Client = TestClient[web.Request, web.Application]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--conformance-examples",
        type=int,
        default=None,
        metavar="N",
        help="generate N requests for the comparison with Django REST framework, new ones in each run",
    )


class Watch:
    """Every JSON answer of the service, held against the schema that the contract names for it."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self._clean: set[tuple[str, bytes]] = set()

    def look(self, request: web.Request, response: web.Response) -> None:
        body = response.body
        assert isinstance(body, bytes)
        schema = self._schema(request, response)
        if schema is None or (schema, body) in self._clean:
            return
        errors = [error.message for error in contract.validator(schema).iter_errors(json.loads(body))]
        if errors:
            self.broken.append(
                f"{request.method} {request.raw_path} {response.status} breaks {schema}: {errors}"
            )
        else:
            self._clean.add((schema, body))

    def _schema(self, request: web.Request, response: web.Response) -> str | None:
        """Return the schema that the answer has to keep; None for HTML, redirects and metadata."""
        route = framework.find_route(framework.split_target(request.raw_path)[0])
        if route is None or response.content_type != "application/json" or request.method == "OPTIONS":
            return None
        endpoint, _ = route
        return endpoint.schema if response.status == 200 else dict(endpoint.errors)[response.status]


@pytest.fixture(scope="session")
def watch() -> Iterator[Watch]:
    """Look at every answer that a stand-in in this process gives."""
    watch = Watch()
    handle: Callable[[Service, web.Request], Awaitable[web.Response]] = Service.handle

    async def watched(self: Service, request: web.Request) -> web.Response:
        response = await handle(self, request)
        watch.look(request, response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Service, "handle", watched)
        yield watch


@pytest.fixture(autouse=True)
def every_answer_keeps_the_contract(watch: Watch) -> Iterator[None]:
    """Fail a test that provoked an answer which breaks our own schemas."""
    watch.broken.clear()
    yield
    assert not watch.broken


@pytest.fixture
async def client(aiohttp_client: Callable[..., Awaitable[Client]]) -> AsyncIterator[Client]:
    """A client of a stand-in with the data set `edge-cases`, no rate limit, and a key."""
    app = create_app(Settings(data="edge-cases", rate_limit="off"))
    yield await aiohttp_client(app, headers={"Authorization": "Token key"})


@pytest.fixture(scope="session")
def server(watch: Watch) -> Iterator[MockServer]:
    """A stand-in with the default data set, in a thread, for synchronous clients."""
    with MockServer(Settings(port=0, rate_limit="off")) as server:
        yield server
