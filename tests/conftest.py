"""What all tests share: servers, and the eye that sees every answer that any test provokes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from mock_webshare import MockServer, Settings, contract, create_app, framework
from mock_webshare.answers import Answer
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

    def look(self, request: web.Request, answer: Answer) -> None:
        schema = self._schema(request, answer)
        if schema is None or (schema, answer.body) in self._clean:
            return
        errors = [error.message for error in contract.validator(schema).iter_errors(json.loads(answer.body))]
        if errors:
            self.broken.append(
                f"{request.method} {request.raw_path} {answer.status} breaks {schema}: {errors}"
            )
        else:
            self._clean.add((schema, answer.body))

    def _schema(self, request: web.Request, answer: Answer) -> str | None:
        """Return the schema that the answer has to keep; None for HTML, redirects and metadata."""
        route = framework.find_route(framework.split_target(request.raw_path)[0])
        is_json = ("Content-Type", "application/json") in answer.headers
        if route is None or not is_json or (request.method == "OPTIONS" and answer.status == 200):
            return None
        endpoint, _ = route
        return endpoint.schema if answer.status == 200 else _ERRORS.get(answer.status, "error-detail")


_ERRORS = dict(contract.CREDIT_LIST.errors)
BREAKING = {"drift", "fault", "contentType"}
"""The faults under which an answer may break the contract: that is what they are for."""


@pytest.fixture(scope="session")
def watch() -> Iterator[Watch]:
    """Look at every answer that a stand-in in this process gives."""
    watch = Watch()
    note = Service._note

    def watched(
        self: Service,
        request: web.Request,
        world: Any,
        body: bytes,
        answer: Any,
        began: float,
        faults: Any = (),
    ) -> None:
        note(self, request, world, body, answer, began, faults)
        if answer is not None and not BREAKING & set(faults):
            watch.look(request, answer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Service, "_note", watched)
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
