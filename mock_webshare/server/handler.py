"""The handler: an aiohttp request to the service, from its arrival to its journal entry."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import StreamReader, web

from mock_webshare.server.cached_response import CachedResponse, suits, wire_headers
from mock_webshare.service.framework.response import html_page
from mock_webshare.service.service import DECIDING, RawHeaders, Service
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.journal import ENTRY_BYTES, LARGEST_BODY, Entry, Journal, headers_size
from mock_webshare.service.world.registry import Worlds

if TYPE_CHECKING:
    from mock_webshare.service.faults.effects import Outcome

_log = logging.getLogger(__name__)
_REMEMBERED_HEADERS, _REMEMBERED_RESPONSES = 1024, 128
Log = Callable[[Entry], object]
"""Called with each request, once its response is sent."""


class _Headers(NamedTuple):
    """The headers of a request: all as they came, and those that decide anything."""

    all: RawHeaders
    deciding: RawHeaders
    size: int


def _headers(headers: RawHeaders) -> _Headers:
    deciding = tuple([pair for pair in headers if pair[0].lower() in DECIDING])
    return _Headers(headers, deciding, headers_size(headers))


class Handler:
    """Handles the requests to the service, and notes each in the journal of its world.

    What is noted are the texts that `Service` remembers: a thousand equal requests are one in memory.
    `log`, unless None, is called with each request.
    """

    def __init__(self, worlds: Worlds, settings: Settings, log: Log | None = None) -> None:
        self._worlds = worlds
        self.contract = settings.contract
        self._service = Service(settings)
        self._log = log
        self._headers = lru_cache(_REMEMBERED_HEADERS)(_headers)
        self._cached = lru_cache(_REMEMBERED_RESPONSES)(CachedResponse)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Respond to a request under any path that is not the control plane's."""
        began = perf_counter()
        target, headers = request.raw_path, self._headers(request.raw_headers)
        world, outcome, body = None, None, b""
        try:
            if request.body_exists:
                body = await _read_body(request.content)
            parsed, key = self._service.read(request.method, target, headers.deciding, request.scheme)
            target = parsed.target
            world = None if key is None else self._worlds.get(key)
            if world is not None and (world.has_faults or parsed.headers.prefer is not None):
                outcome = self._service.outcome(world, parsed)
                response = outcome.response
            else:
                response = self._service.respond(world, parsed)
        except Exception as error:
            # The type alone: the text of an error may hold a key, or a whole row.
            _log.error("internal error of mock-webshare, please report it: %s", type(error).__name__)
            _log.debug("where it happened:", exc_info=True)
            outcome, response = None, html_page(500)
        journal = self._worlds.keyless if world is None else world.journal
        now = self._worlds.now if world is None else world.now
        if outcome is not None and outcome.faults:
            waiting = Entry(now, request.method, target, headers.all, body, None, 0.0, outcome.faults)
            return await self._deliver(request, journal, waiting, outcome, began)
        entry = Entry(now, request.method, target, headers.all, body, response, perf_counter() - began)
        size = ENTRY_BYTES + len(target) + headers.size + len(body) + len(response.body)
        self._worlds.note(journal, entry, size)
        self.report(entry)
        if suits(request):
            return self._cached(response)
        return web.Response(status=response.status, headers=wire_headers(response), body=response.body)

    async def _deliver(
        self, request: web.Request, journal: Journal, waiting: Entry, outcome: Outcome, began: float
    ) -> web.StreamResponse:
        """Send a response as its faults change it; note the request when it comes, then its response."""
        from mock_webshare.server.delivery import deliver

        self._worlds.note(journal, waiting)
        sent = None
        try:
            response = await deliver(request, outcome, wire_headers(outcome.response))
            sent = outcome.response if _is_open(request) else None
            return response
        finally:
            amended = waiting._replace(response=sent, seconds=perf_counter() - began)
            journal.amend(waiting, amended)
            self.report(amended)

    def report(self, entry: Entry) -> None:
        """Call the log with a request whose response is sent."""
        if self._log is not None:
            self._log(entry)


async def _read_body(content: StreamReader) -> bytes:
    """Return the body of a request, as far as it came and is noted; the service reads none."""
    body = b""
    # It may end before its time, or not be in the coding that it names.
    with suppress(ConnectionError, web.RequestPayloadError):
        while len(body) < LARGEST_BODY and (chunk := await content.read(LARGEST_BODY - len(body))):
            body += chunk
    return body


def _is_open(request: web.Request) -> bool:
    """Return whether the connection is still there, so that what was sent can have arrived."""
    transport = request.transport
    return transport is not None and not transport.is_closing()
