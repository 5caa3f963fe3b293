"""The aiohttp application: the mocked service, and `/__mock__/`."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler as AiohttpHandler
from aiohttp.web_urldispatcher import UrlMappingMatchInfo
from yarl import URL

from mock_webshare.server.collectors import collector, counter
from mock_webshare.server.environment import flag_setter, mutation_of
from mock_webshare.server.handler import Handler, Log
from mock_webshare.server.loop import monotonic
from mock_webshare.server.protocol import handle_expect
from mock_webshare.server.reloading import Reloader, Source, make_source
from mock_webshare.service.data import dataset as datasets
from mock_webshare.service.data import generator
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.data.generator import Progress
from mock_webshare.service.framework.request import load_codecs
from mock_webshare.service.framework.response import Response
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.journal import Entry
from mock_webshare.service.world.registry import Worlds, arranged

if TYPE_CHECKING:
    from mock_webshare.contract.model import Contract
    from mock_webshare.control import Control

WORLDS = web.AppKey("worlds", Worlds)
"""The key of an application's worlds."""
LOAD: web.AppKey[Callable[[], object]] = web.AppKey("load")
"""The key of a function that loads all that a request may need, so that no request reads a file."""
RELOADER = web.AppKey("reloader", Reloader)
"""The key of the `Reloader` of an application."""


def create_app(
    settings: Settings | None = None,
    *,
    dataset: Dataset | None = None,
    source: Source | None = None,
    timer: Callable[[], float] = monotonic,
    log: Log | None = None,
    control_log: Log | None = None,
) -> web.Application:
    """Return the mock server as an aiohttp application.

    `dataset`, unless None, is served instead of the data that the settings name; `source` loads it again when
    the control plane is asked to reload. `timer` returns seconds and drives the rate limit; `log` is called
    with each request to the service, `control_log` with each to the control plane. Raise `MockWebshareError`
    if the data set cannot be loaded.
    """
    settings = settings or Settings()
    contract = settings.contract
    worlds = _worlds(dataset or make_dataset(settings), settings, timer)
    is_timer_real = timer is monotonic
    handler = Handler(worlds, settings, _with_coverage(log, contract), is_timer_real=is_timer_real)
    app = web.Application()
    if worlds.watcher is not None:
        app.on_cleanup.append(_closing(worlds))
    app[WORLDS] = worlds
    app[RELOADER] = Reloader(worlds, make_source(settings) if dataset is None else source)
    control = _control_of(worlds, settings, app[RELOADER])

    def load() -> None:
        control()
        load_codecs()
        contract.schemas.load()

    app[LOAD] = load
    app.router.register_resource(Subtree("/__mock__/", _control_handler(control, control_log)))
    # One handler serves every path; the router just finds the roots of endpoints faster than "/".
    for root in ("/", *{endpoint.path.partition("{")[0] for endpoint in contract.endpoints}):
        app.router.register_resource(Subtree(root, handler.handle))
    return app


def _worlds(dataset: Dataset, settings: Settings, timer: Callable[[], float]) -> Worlds:
    """Return the worlds of a mock server, watched and mutated as its environment says."""
    watcher, mutation = collector(os.environ, settings.contract), mutation_of(os.environ, settings.contract)
    return Worlds(dataset, settings, timer, flag_setter(os.environ), watcher, mutation)


def _closing(worlds: Worlds) -> Callable[[web.Application], Awaitable[None]]:
    async def close(_: web.Application) -> None:
        worlds.close()

    return close


def _control_handler(control: Callable[[], Control], log: Log | None) -> AiohttpHandler:
    """Return a function that responds to requests to the control plane, and logs them."""

    async def handle(request: web.Request) -> web.StreamResponse:
        began = monotonic()
        response = await control().handle(request)
        if log is not None:
            log(_entry_of(request, response, monotonic() - began))
        return response

    return handle


def _entry_of(request: web.Request, response: web.Response, seconds: float) -> Entry:
    """Return a request to the control plane as a log shows it."""
    sent = Response(response.status, (), b"")
    return Entry(0, request.method, request.raw_path, request.raw_headers, b"", sent, seconds)


def _with_coverage(log: Log | None, contract: Contract) -> Log | None:
    """Return a log that also counts coverage, if the environment of this process names a folder for it."""
    count = counter(os.environ, contract)
    if count is None:
        return log

    def note(entry: Entry) -> None:
        count(entry)
        if log is not None:
            log(entry)

    return note


def _control_of(worlds: Worlds, settings: Settings, reloader: Reloader) -> Callable[[], Control]:
    """Return a function that returns the control plane of some worlds, made at its first call."""

    @cache
    def control() -> Control:
        from mock_webshare.control import Control  # takes a tenth of the time of a start

        return Control(worlds, settings, reloader.reload)

    return control


class Subtree(web.AbstractResource):
    """A resource of aiohttp's router: one handler for all paths below `root`.

    `framework.request` routes the raw path like Django. aiohttp's patterns would match other spellings, and
    take a tenth of the time of a whole request.
    """

    def __init__(self, root: str, handler: AiohttpHandler) -> None:
        super().__init__()
        self._root = root
        self._route = web.ResourceRoute("*", handler, self, expect_handler=handle_expect)

    @property
    def canonical(self) -> str:
        return self._root

    async def resolve(self, request: web.Request) -> tuple[UrlMappingMatchInfo | None, set[str]]:
        return UrlMappingMatchInfo({}, self._route), {"*"}

    def url_for(self, **kwargs: str) -> URL:
        return URL(self._root)

    def add_prefix(self, prefix: str) -> None:
        self._root = prefix + self._root

    def raw_match(self, path: str) -> bool:
        return path == self._root

    def get_info(self) -> Any:
        return {"path": self._root}

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[web.AbstractRoute]:
        return iter((self._route,))


def make_dataset(settings: Settings, progress: Progress | None = None) -> Dataset:
    """Return the data set that the settings name, or a generated one, at the time of the settings."""
    if settings.data is not None:
        return arranged(datasets.load(settings.data, settings.contract), settings)
    generated = generator.seeded(settings.seed, settings.credits, progress, settings.contract)
    return arranged(generated, settings)
