"""The application: every route of the stand-in, in one visible list."""

from __future__ import annotations

import time
from collections.abc import Callable

from aiohttp import web

from mock_webshare import dataset as datasets
from mock_webshare import seeding, state
from mock_webshare.api import Service
from mock_webshare.contract import ENDPOINTS
from mock_webshare.dataset import Dataset
from mock_webshare.routing import Subtree
from mock_webshare.seeding import Progress
from mock_webshare.settings import Settings


def create_app(
    settings: Settings | None = None,
    *,
    dataset: Dataset | None = None,
    timer: Callable[[], float] = time.monotonic,
) -> web.Application:
    """Return the stand-in as an aiohttp application.

    `dataset`, unless None, is served instead of what the settings name; `timer` returns seconds and
    drives the rate limit. Raise `MockWebshareError` if the data set cannot be had.
    """
    settings = settings or Settings()
    service = Service(state.Worlds(dataset or make_dataset(settings), settings), settings, timer)
    app = web.Application()
    # One handler for all: the second root is only where the router finds it soonest.
    for root in ("/", *{endpoint.path.partition("{")[0] for endpoint in ENDPOINTS}):
        app.router.register_resource(Subtree(root, service.handle))
    return app


def make_dataset(settings: Settings, progress: Progress | None = None) -> Dataset:
    """Return the data set that the settings name, at the time that they name."""
    if settings.data is None:
        dataset = seeding.seeded(settings.seed, settings.credits, progress)
    else:
        dataset = datasets.load(settings.data)
    now = settings.now_instant
    return dataset if now is None else state.advance(dataset, now)
