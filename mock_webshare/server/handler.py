"""The handler of requests to the service: from request to response and journal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from aiohttp import web

from mock_webshare.insight.hints import Facts, hint_for, key_place
from mock_webshare.server.cors import PREFLIGHT, Cors, without_own
from mock_webshare.server.delivery import CachedResponse, all_headers, deliver, is_cacheable
from mock_webshare.server.loop import is_waiting_real, monotonic, real_time
from mock_webshare.service.effects import Outcome, preference_mistake
from mock_webshare.service.faults import RESPONDING
from mock_webshare.service.framework.request import Request
from mock_webshare.service.framework.response import Headers, Response, html_page
from mock_webshare.service.framework.serializer import MOST_BYTES
from mock_webshare.service.reasons import Reason, join
from mock_webshare.service.service import DECIDING, RawHeaders, Service
from mock_webshare.service.settings import Settings
from mock_webshare.service.world import scenarios
from mock_webshare.service.world.journal import ENTRY_BYTES, LARGEST_BODY, Entry, Journal, headers_size
from mock_webshare.service.world.registry import Worlds
from mock_webshare.service.world.world import World

_log = logging.getLogger(__name__)
_CACHED_HEADERS, _CACHED_RESPONSES, _CACHED_HINTS = 1024, 128, 1024
Log = Callable[[Entry], object]
"""Called with each request after its response is sent."""


class _Headers(NamedTuple):
    """The headers of a request: all, those that affect the response, and the bytes of all."""

    all: RawHeaders
    relevant: RawHeaders
    size: int


class _Circumstances(NamedTuple):
    """What a hint depends on besides the parsed request, which all equal requests share."""

    status: int
    is_fault: bool
    """Whether a fault responds."""
    scenario: str | None
    has_refused_key: bool
    key_place: str
    origin: str
    is_preflight: bool


def _headers(headers: RawHeaders) -> _Headers:
    relevant = tuple([pair for pair in headers if pair[0].lower() in DECIDING])
    return _Headers(headers, relevant, headers_size(headers))


class Handler:
    """Responds to requests to the service, and records each in the journal of its world.

    Entries share the cached strings of `Service`: a thousand equal requests take the memory of one.
    `log`, unless None, is called with each request. `is_timer_real`: real time drives the rate limit.
    """

    def __init__(
        self, worlds: Worlds, settings: Settings, log: Log | None = None, *, is_timer_real: bool = True
    ) -> None:
        self._worlds = worlds
        self._is_timer_real = is_timer_real
        self.contract = settings.contract
        self._service = Service(settings)
        self._log = log
        self._headers = lru_cache(_CACHED_HEADERS)(_headers)
        self._cached = lru_cache(_CACHED_RESPONSES)(CachedResponse)
        self._hint = lru_cache(_CACHED_HINTS)(self._find_hint)
        self._with_hint = lru_cache(_CACHED_RESPONSES)(_with_hint)
        self._with_headers = lru_cache(_CACHED_RESPONSES)(_with_headers)
        self._cors = Cors(settings.cors_origins, settings.contract, settings.public_url)
        # If only some keys are accepted, no key selects a scenario.
        self._scenarios = () if settings.api_keys else tuple(scenarios.of(settings.contract))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Respond to a request under any path outside the control plane."""
        if preflight := self._cors.preflight(request):
            return preflight
        arrived, began = real_time(), monotonic()
        target, headers = request.raw_path, self._headers(request.raw_headers)
        world, outcome, body, sent = None, None, b"", b""
        try:
            if request.body_exists:
                sent = await _read_body(request)
                body = _decoded(sent[:LARGEST_BODY], request.headers.get("Content-Encoding"))
            parsed, key = self._service.read(request.method, target, headers.relevant, request.scheme)
            target = parsed.target
            world = None if key is None else self._worlds.get(key)
            response, outcome = self._respond(world, parsed, sent)
            if parsed.refusal is not None or (world is None and key is not None) or _needs_hint(request):
                refused_key = key if world is None else None
                response = self._hinted(request, response, outcome, parsed, refused_key)
        except Exception as error:
            # Only the type: the text of an error may contain a key or a whole row.
            _log.error("internal error of mock-webshare, please report it: %s", type(error).__name__)
            _log.debug("traceback:", exc_info=True)
            outcome, response = None, html_page(500, Reason.INTERNAL_ERROR)
        if added := self._cors.headers_for(request):
            response = self._with_headers(response, added)
        journal = self._worlds.keyless if world is None else world.journal
        if not (self._is_timer_real and is_waiting_real()):
            journal.is_time_real = False
        now = self._worlds.now if world is None else world.now
        seconds, sent_headers = monotonic() - began, headers.all
        faults, reason = _faults(outcome, response)
        entry = Entry(
            now, request.method, target, sent_headers, body, response, seconds, faults, arrived, began, reason
        )
        if outcome is not None and not outcome.is_usual:
            outcome.response = response
            return await self._deliver(request, journal, entry, outcome)
        self._record(journal, entry, headers.size + len(response.body))
        if is_cacheable(request):
            return self._cached(response)
        return web.Response(status=response.status, headers=all_headers(response), body=response.body)

    def _respond(self, world: World | None, request: Request, body: bytes) -> tuple[Response, Outcome | None]:
        """Return the response, and the outcome if the world has faults; `world` None: the key is unknown."""
        if world is not None and (world.has_faults or request.headers.prefer is not None):
            outcome = self._service.outcome(world, request, body)
            return outcome.response, outcome
        if world is None and request.endpoint is not None and request.endpoint.is_open:
            world = self._worlds.open
            if world.has_faults:
                outcome = self._service.outcome(world, request, body)
                return outcome.response, outcome
        return self._service.respond(world, request, body), None

    def _hinted(
        self,
        sent: web.BaseRequest,
        response: Response,
        outcome: Outcome | None,
        request: Request,
        refused_key: str | None,
    ) -> Response:
        """Return the response, with a hint if the request needs one; hints ignore the responses of faults."""
        name = refused_key and scenarios.name_of(refused_key)
        circumstances = _Circumstances(
            status=response.status,
            is_fault=outcome is not None and any(each in RESPONDING for each in outcome.faults),
            scenario=None if name in self._scenarios else name,
            has_refused_key=refused_key is not None,
            key_place=key_place(sent.headers, request.sent_params) if response.status == 401 else "",
            origin=self._cors.refused_origin(sent, response),
            is_preflight=sent.method == "OPTIONS" and PREFLIGHT in sent.headers,
        )
        hint = self._hint(request, circumstances)
        return self._with_hint(response, *hint) if all(hint) else response

    def _find_hint(self, request: Request, known: _Circumstances) -> tuple[str, str]:
        refusal = None if known.is_fault else request.refusal
        facts = Facts(
            contract=self.contract,
            path=request.path,
            is_routed=request.endpoint is not None or known.is_fault,
            status=known.status,
            operation="" if refusal is None else refusal.not_served,
            authorization=request.headers.authorization,
            scenario=known.scenario if self._scenarios else None,
            scenarios=self._scenarios,
            is_key_refused=known.has_refused_key and not self._scenarios,
            key_place=known.key_place,
            origin=known.origin,
            is_preflight=known.is_preflight,
            preference=preference_mistake(request.headers.prefer),
        )
        return hint_for(facts)

    def _record(self, journal: Journal, entry: Entry, size: int) -> None:
        """Record a request whose response is sent unchanged; `size` is the bytes of headers and response."""
        self._worlds.record(journal, entry, ENTRY_BYTES + len(entry.target) + len(entry.body) + size)
        self.report(entry)

    async def _deliver(
        self, request: web.Request, journal: Journal, entry: Entry, outcome: Outcome
    ) -> web.StreamResponse:
        """Send a response with its faults; record the request before sending, and the response afterwards."""
        waiting = entry._replace(response=None, seconds=0.0, is_waiting=True)
        self._worlds.record(journal, waiting)
        sent = None
        try:
            response = await deliver(request, outcome)
            sent = outcome.response if _is_open(request) else None
            return response
        finally:
            amended = entry._replace(response=sent, seconds=monotonic() - entry.began)
            journal.replace(waiting, amended)
            self.report(amended)

    def report(self, entry: Entry) -> None:
        """Pass a request to the log after its response, and count it if its operation is not served."""
        if entry.response is not None and entry.response.not_served:
            self._worlds.not_served[entry.response.not_served] += 1
        if self._log is not None:
            self._log(entry)


def _needs_hint(request: web.BaseRequest) -> bool:
    """Return whether a request needs a hint even if the service accepts it: on CORS, or on `Prefer`."""
    return "Origin" in request.headers or "Prefer" in request.headers


def _faults(outcome: Outcome | None, response: Response) -> tuple[tuple[str, ...], str]:
    """Return the actions of the faults that struck, and the reason of the response with their codes."""
    if outcome is None:
        return (), response.reason
    return outcome.faults, join(response.reason, outcome.reason)


def _with_hint(response: Response, name: str, message: str) -> Response:
    return replace(response, hint=message, reason=join(response.reason, Reason.HINT.of(name)))


def _with_headers(response: Response, added: Headers) -> Response:
    return replace(response, added=without_own(added, response)) if added else response


async def _read_body(request: web.Request) -> bytes:
    """Return the body of a request as it was sent, up to one byte more than the service reads."""
    body, content = b"", request.content
    # The client may disconnect early, or name the wrong content coding.
    with suppress(ConnectionError, web.RequestPayloadError):
        while (rest := MOST_BYTES + 1 - len(body)) and (chunk := await content.read(rest)):
            body += chunk
    return body


def _decoded(body: bytes, coding: str | None) -> bytes:
    """Return a body without its content coding, as a journal keeps it; the service ignores the coding."""
    if coding:
        from mock_webshare.exchange.streams import Malformed
        from mock_webshare.recordings import content_encoding  # rarely needed

        with suppress(Malformed):
            return content_encoding.decode(body, coding)[:LARGEST_BODY]
    return body


def _is_open(request: web.Request) -> bool:
    """Return whether the connection is open, so that the response can arrive."""
    transport = request.transport
    return transport is not None and not transport.is_closing()
