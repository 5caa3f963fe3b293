"""What the page asks for beyond other clients: what is new in other worlds, and what reasons mean."""

from __future__ import annotations

import json
from typing import Any

from mock_webshare import MockServer
from mock_webshare.contract.endpoints import CREDIT_LIST
from mock_webshare.control.routes import ROOT
from mock_webshare.service.reasons import MEANINGS
from tests.control_plane import Reply, send

LIST = CREDIT_LIST.path


def ask(url: str, path: str, **headers: str) -> Reply:
    """Send a request."""
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return send(url, "GET", path, f"Host: {url.removeprefix('http://')}", *lines)


class TestActivity:
    def test_names_the_newest_world_with_requests_and_counts_those_without_a_key(self) -> None:
        with MockServer() as server:
            server.world("unused").add_fault(status=503)

            def news() -> list[Any]:
                found = json.loads(ask(server.url, f"{ROOT}activity").body)
                return [found["newest"], found["keyless"]]

            assert news() == [None, 0]
            for key in ("one", "other"):
                ask(server.url, LIST, Authorization=f"Token {key}")
            ids = server.call(lambda worlds: {key: world.id for key, world in worlds.recent()})
            assert news() == [ids["other"], 0]
            ask(server.url, f"{ROOT}summary", Authorization="Token one")
            assert news() == [ids["other"], 0]
            ask(server.url, LIST, Authorization="Token one")
            ask(server.url, LIST)
            assert news() == [ids["one"], 1]


def test_each_reason_has_its_sentence() -> None:
    with MockServer() as server:
        assert json.loads(ask(server.url, f"{ROOT}reasons").body) == MEANINGS
