"""The application: every route of the mock server, in one visible list."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from aiohttp import web

from mock_webshare.server.handler import Handler, Log
from mock_webshare.server.reached_flag import marker
from mock_webshare.server.routing import Subtree
from mock_webshare.service.data import account, generator
from mock_webshare.service.data import dataset as datasets
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.data.generator import Progress
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.registry import Worlds

if TYPE_CHECKING:
    from mock_webshare.control import Control

WORLDS = web.AppKey("worlds", Worlds)
"""Where an application has its worlds."""


def create_app(
    settings: Settings | None = None,
    *,
    dataset: Dataset | None = None,
    timer: Callable[[], float] = time.monotonic,
    log: Log | None = None,
) -> web.Application:
    """Return the mock server as an aiohttp application.

    `dataset`, unless None, is served instead of what the settings name; `timer` returns seconds and
    drives the rate limit; `log` is called with each request. Raise `MockWebshareError` if the data set
    cannot be had.
    """
    settings = settings or Settings()
    worlds = Worlds(dataset or make_dataset(settings), settings, timer, marker(os.environ))
    handler = Handler(worlds, settings, log)
    app = web.Application()
    app[WORLDS] = worlds

    @cache
    def control() -> Control:
        from mock_webshare.control import Control  # only for those who use it

        return Control(worlds, settings)

    async def handle_control(request: web.Request) -> web.StreamResponse:
        return await control().handle(request)

    app.router.register_resource(Subtree("/__mock__/", handle_control))
    # One handler for all: the second root is only where the router finds it soonest.
    for root in ("/", *{endpoint.path.partition("{")[0] for endpoint in settings.contract.endpoints}):
        app.router.register_resource(Subtree(root, handler.handle))
    return app


def make_dataset(settings: Settings, progress: Progress | None = None) -> Dataset:
    """Return the data set that the settings name, at the time that they name."""
    if settings.data is None:
        return at_time(
            generator.seeded(settings.seed, settings.credits, progress, settings.contract), settings
        )
    return at_time(datasets.load(settings.data, settings.contract), settings)


def at_time(dataset: Dataset, settings: Settings) -> Dataset:
    """Return a data set as it is at the time that the settings name, if they name one."""
    now = settings.now_instant
    return dataset if now is None else account.advance(dataset, now)
