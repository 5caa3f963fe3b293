"""`MockServer`: the mock server in its own thread, for synchronous users."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from os import PathLike
from typing import Any, TextIO, TypeVar

from mock_webshare.contract.model import Contract
from mock_webshare.control import hints
from mock_webshare.errors import ServerError, UsageError
from mock_webshare.server.app import WORLDS, make_dataset
from mock_webshare.server.arguments import for_tests
from mock_webshare.server.loop import monotonic, new_loop
from mock_webshare.server.mock_world import MockWorld
from mock_webshare.server.reloading import make_source, read
from mock_webshare.server.running import running_app
from mock_webshare.service.data import dataset as datasets
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.journal import Entry
from mock_webshare.service.world.registry import KeyUser, Worlds, require_name
from mock_webshare.service.world.world import Beginning

T = TypeVar("T")
_CRASHES = {
    number for number in signal.Signals if number.name in ("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV")
}
"""The signals that report an error of the thread that receives them."""
_CACHED_BEGINNINGS = 32


@for_tests
class MockServer:
    """A mock server for synchronous users, in its own thread while the context lasts.

    ::

        with MockServer() as server:
            client = Webshare(api_key="any", base_url=server.url)
            server.world("any").add_fault(status=503, times=1)

    Without settings it takes a free port. `dataset`, unless None, is served instead of the data that the
    settings name. `timer` returns seconds and drives the rate limit and the running clocks. `log`, unless
    None, gets one line for each request. If an exception ends the running server, `failed` is called with
    the exception in the server's thread; if `failed` is None, the exception is raised there.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        dataset: Dataset | None = None,
        timer: Callable[[], float] = monotonic,
        log: TextIO | None = None,
        failed: Callable[[BaseException], object] | None = None,
    ) -> None:
        self._failed = failed
        self._dataset = dataset
        self._settings = settings or Settings(port=0)
        self._timer = timer
        self._log = log
        self._url: str | None = None
        self._thread: threading.Thread | None = None
        self._stopped: Future[None] = Future()
        self._ended: Future[Any] = Future()  # once the event loop is closed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worlds: Worlds | None = None
        self._begun = lru_cache(_CACHED_BEGINNINGS)(self._make_beginning)

    @property
    def url(self) -> str:
        """The base URL, `http://127.0.0.1:PORT`, while the server runs."""
        if self._url is None:
            raise self._not_running()
        return self._url

    @property
    def contract(self) -> Contract:
        """The contract of the service that is mocked."""
        return self._settings.contract

    def world(self, api_key: str, *, name: str | None = None) -> MockWorld:
        """Return the world of a key, to set it up and to inspect its requests.

        The control plane shows `name` instead of the key, so `name` must not contain the key.
        """
        world = MockWorld(self, api_key)
        if name is not None:
            if self._worlds is None:
                raise self._not_running()
            self._worlds.name(api_key, require_name(name))
        return world

    def worlds(self) -> dict[str, int]:
        """Return how many worlds there are, how many there can be, and how many were deleted to make room."""
        return self.call(lambda worlds: worlds.counted())

    def not_served(self) -> dict[str, int]:
        """Return the number of requests for each operation that got a 501, by its name in the client."""
        return self.call(lambda worlds: dict(worlds.not_served))

    def delete_worlds(self) -> None:
        """Delete all worlds; the next request with a key creates its world again."""
        self.call(lambda worlds: worlds.delete_all())

    def reload(self) -> Mapping[str, int]:
        """Read the data again from their file; return how many worlds have them now, and after a reset.

        A world that was changed keeps its data until it is reset. Raise `Conflict` if the data are not from a
        file or are refused; then nothing changes.
        """
        dataset = read(make_source(self._settings) if self._dataset is None else None)
        return self.call(lambda worlds: worlds.renew(dataset))

    def start(self) -> None:
        """Start the server, and return when it is ready.

        Raise the exception that ended the server's thread, if it ended before the server was ready.
        """
        if self._thread:
            raise ServerError(f"{self!r} runs already; call stop() first")
        ready: Future[str] = Future()
        self._stopped, self._ended = Future(), Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="mock-webshare", daemon=True)
        try:
            self._thread.start()
            self._url = ready.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop if the server runs, and return when the port is free again."""
        if self._thread:
            if not self._stopped.done():  # the loop cancels this future if the server fails
                self._stopped.set_result(None)
            if self._thread.ident is not None:  # None: the system could not start the thread
                self._thread.join()
        self._url = self._thread = self._loop = self._worlds = None

    def call(self, function: Callable[[Worlds], T]) -> T:
        """Return `function(worlds)`, called in the server's thread.

        Raise the exception of the function, or `ServerError` if the server ends first. What the function
        changes is complete before the next request is served.
        """
        thread, loop, worlds, ended = self._thread, self._loop, self._worlds, self._ended
        if loop is None or worlds is None or not (thread and thread.is_alive()):  # a fork lacks the thread
            raise self._not_running()
        done: Future[T] = Future()

        def do() -> None:
            try:
                done.set_result(function(worlds))
            except BaseException as error:
                done.set_exception(error)

        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(do)
        wait((done, ended), return_when=FIRST_COMPLETED)
        if not done.done():
            raise self._not_running()
        return done.result()

    def count_keyless(self) -> int:
        """Return how many requests came without a known key, without waiting for the server."""
        return 0 if self._worlds is None else self._worlds.keyless.total

    def keyless_since(self, total: int) -> list[Entry]:
        """Return the requests without a known key after the first `total` ones."""
        return self.call(lambda worlds: worlds.keyless.since(total))

    def discard(self, api_key: str) -> None:
        """Delete the world of a key soon, without waiting for it."""
        if self._worlds is not None:
            self._worlds.retire(api_key)

    def note_test(self, api_key: str, test: str | None) -> None:
        """Report hints on a key, and on requests without a known key from now on, under the name of a test.

        If `test` is None, these hints are not reported.
        """
        if self._worlds is not None:
            self._worlds.users[api_key] = KeyUser(test, self._worlds.keyless.total)

    def note_failure(self, api_key: str) -> None:
        """Note that the test that uses a key has failed."""
        self._change_user(api_key, has_failed=True)

    def note_shown(self, api_key: str) -> None:
        """Note that the hints on the test that uses a key are shown already."""
        self._change_user(api_key, test=None)

    def _change_user(self, api_key: str, **changes: Any) -> None:
        if self._worlds is not None and (user := self._worlds.users.get(api_key)):
            self._worlds.users[api_key] = user._replace(**changes)

    def hints_since(self, api_key: str, keyless: int) -> list[dict[str, Any]]:
        """Return the hints on a key, and on requests without a known key but the first `keyless` ones.

        It does not wait for the server, which would take as long as to find the hints.
        """
        if (worlds := self._worlds) is None:
            raise self._not_running()
        earlier = worlds.watcher.noted(api_key) if worlds.watcher is not None else []
        world = worlds.peek(api_key)
        now = [] if world is None else hints.of_world(world, self.contract)
        unknown = hints.of_keyless(worlds.keyless.since(keyless), self.contract)
        return [*earlier, *(each.document() for each in (*now, *unknown))]

    def begin(
        self,
        api_key: str,
        /,
        *,
        seed: int | None = None,
        credits: int | None = None,
        data: str | PathLike[str] | None = None,
        scenario: str | None = None,
    ) -> None:
        """Create a new world for a key (see `MockWorld.begin`)."""
        beginning = self._beginning({"seed": seed, "credits": credits}, data, scenario)
        self.call(lambda worlds: worlds.create(api_key, beginning))

    def _beginning(
        self, generated: Mapping[str, Any], data: str | PathLike[str] | None, scenario: str | None
    ) -> Beginning:
        """Return the initial state of a new world; equal states share their data."""
        given = {name: value for name, value in generated.items() if value is not None}
        if scenario is not None:
            from mock_webshare.service.world import scenarios

            scenarios.find(scenario, self.contract).require_data_of(given if data is None else {"data": data})
        if data is None:
            if not given:  # not cached: the data of the server may be reloaded
                return self._make_beginning(None, scenario)
            return self._begun(replace(self._settings, data=None, **given), scenario)
        if given:
            raise UsageError(f"{' and '.join(given)} cannot go with data, which is not generated")
        settings = replace(self._settings, data=data)
        # The content of a file may change between two calls.
        make = self._begun if settings.data in datasets.names() else self._make_beginning
        return make(settings, scenario)

    def _make_beginning(self, settings: Settings | None, scenario: str | None) -> Beginning:
        """Return an initial state, with data that the calling thread loads or generates."""
        dataset = None if settings is None else make_dataset(settings)
        return self.call(lambda worlds: worlds.beginning(dataset=dataset, scenario=scenario))

    def _run(self, ready: Future[str]) -> None:
        try:
            self._run_loop(ready)
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            elif self._failed:
                self._failed(error)
            else:
                raise

    def _run_loop(self, ready: Future[str]) -> None:
        try:
            # The main thread may be waiting for signals; this one must not receive them instead.
            if hasattr(signal, "pthread_sigmask"):
                signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - _CRASHES)
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(self._serve(ready))
        finally:
            self._ended.set_result(None)

    async def _serve(self, ready: Future[str]) -> None:
        served = running_app(self._settings, dataset=self._dataset, timer=self._timer, log=self._log)
        async with served as (url, app):
            self._loop, self._worlds = asyncio.get_running_loop(), app[WORLDS]
            ready.set_result(url)
            await asyncio.wrap_future(self._stopped)

    def _not_running(self) -> ServerError:
        return ServerError(f"{self!r} does not run; use it as a context manager or call start()")

    def __enter__(self) -> MockServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<MockServer {self._url or 'stopped'}>"
