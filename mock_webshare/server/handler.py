"""The service: its endpoints over the worlds, from request to answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import StreamReader, web

from mock_webshare.contract import messages
from mock_webshare.server.cached_response import Reply, suits, wire_headers
from mock_webshare.service.data.account import Table, View
from mock_webshare.service.framework import query
from mock_webshare.service.framework import response as answers
from mock_webshare.service.framework.rendering import render
from mock_webshare.service.framework.request import Call, Headers, joined, read, read_credentials
from mock_webshare.service.framework.response import Answer
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.journal import ENTRY_BYTES, LARGEST_BODY, Entry, Journal, headers_size
from mock_webshare.service.world.registry import Worlds
from mock_webshare.service.world.world import World

if TYPE_CHECKING:
    from mock_webshare.service.faults.effects import Outcome

_log = logging.getLogger(__name__)
_READ, _ANSWERED = 1024, 128  # requests understood and answers made that are remembered
_DECIDING = (b"host", b"authorization", b"accept", b"content-type")  # the fields of `Headers`
_PREFER = b"prefer"
_ANY_KEY = "Token any"
_READ_HEADERS = frozenset((*_DECIDING, _PREFER))
RawHeaders = tuple[tuple[bytes, bytes], ...]
Log = Callable[[Entry], object]
"""Called with each request, once it is answered."""


class Sent(NamedTuple):
    """The headers of a request: all as they came, and those that decide anything."""

    all: RawHeaders
    deciding: RawHeaders
    size: int


def _sent(headers: RawHeaders) -> Sent:
    deciding = tuple([pair for pair in headers if pair[0].lower() in _READ_HEADERS])
    return Sent(headers, deciding, headers_size(headers))


class Understood(NamedTuple):
    """What a request means: the call that it is, or the answer that refuses it before any world is asked."""

    method: str
    target: str
    result: Call | Answer
    key: str | None  # None: it has none that is well-formed
    prefer: str | None  # the header; None: not sent


class Service:
    """The service's HTTP face.

    Clients send the same few requests again and again, so what a request means and what an unchanged
    account answers to it are each remembered; only the world, the rate limit and the faults are looked
    at anew. What is noted are the remembered texts as well: a thousand equal requests are one in memory.
    `timer` returns seconds; `log`, unless None, hears of each request.
    """

    def __init__(self, worlds: Worlds, settings: Settings, log: Log | None = None) -> None:
        self._worlds = worlds
        self._settings = settings
        self._log = log
        self._read = lru_cache(_READ)(self._understand)
        self._call = lru_cache(_READ)(self._make_call)
        self._sent = lru_cache(_READ)(_sent)
        self._origin = settings.public_url and settings.public_url.rstrip("/")
        self._respond = lru_cache(_ANSWERED)(_make_answer)
        self._reply = lru_cache(_ANSWERED)(Reply)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request under any path that is not ours."""
        began = perf_counter()
        method, target, sent = request.method, request.raw_path, self._sent(request.raw_headers)
        world, outcome, body = None, None, b""
        try:
            if request.body_exists:
                body = await _read_body(request.content)
            method, target, result, key, prefer = self._read(method, target, sent.deciding, request.scheme)
            world = None if key is None else self._worlds.get(key)
            if world is not None and (world.has_faults or prefer is not None):
                outcome = self._outcome(request, world, result, prefer)
                answer = outcome.answer
            else:
                answer = self.answer(world, result)
        except Exception as error:
            # The kind alone: the text of an error may hold a key, or a whole row.
            _log.error("a mistake of mock-webshare, please report it: %s", type(error).__name__)
            _log.debug("where it happened:", exc_info=True)
            outcome, answer = None, answers.html_page(500)
        journal = self._worlds.keyless if world is None else world.journal
        now = self._worlds.now if world is None else world.now
        if outcome is not None and outcome.faults:
            waiting = Entry(now, method, target, sent.all, body, None, 0.0, outcome.faults)
            return await self._deliver(request, journal, waiting, outcome, began)
        entry = Entry(now, method, target, sent.all, body, answer, perf_counter() - began)
        size = ENTRY_BYTES + len(target) + sent.size + len(body) + len(answer.body)
        self._worlds.note(journal, entry, size)
        self._tell(entry)
        if suits(request):
            return self._reply(answer)
        return web.Response(status=answer.status, headers=wire_headers(answer), body=answer.body)

    def _outcome(
        self, request: web.Request, world: World, result: Call | Answer, prefer: str | None
    ) -> Outcome:
        """Given what a request means, return what its world makes of it under the faults that strike it."""
        from mock_webshare.service.faults import apply, effects  # most servers never need it

        content_type = request.headers.get("Content-Type", "")
        strikes = apply.strikes(world, request.method, request.raw_path, content_type, prefer)
        answer = apply.answer_instead(strikes, result)
        if answer is None:
            answer = self.answer(world, result)
            if isinstance(result, Call):
                apply.move_pages(world, result, answer, strikes)
        return effects.outcome(answer, strikes)

    async def _deliver(
        self, request: web.Request, journal: Journal, waiting: Entry, outcome: Outcome, began: float
    ) -> web.StreamResponse:
        """Send an answer as its faults will have it; note the request when it comes, and then its answer."""
        from mock_webshare.server.delivery import deliver

        self._worlds.note(journal, waiting)
        answer = None
        try:
            response = await deliver(request, outcome, wire_headers(outcome.answer))
            answer = outcome.answer if _is_open(request) else None
            return response
        finally:
            answered = waiting._replace(answer=answer, seconds=perf_counter() - began)
            journal.amend(waiting, answered)
            self._tell(answered)

    def _tell(self, entry: Entry) -> None:
        if self._log is not None:
            self._log(entry)

    def _understand(self, method: str, target: str, sent: RawHeaders, scheme: str) -> Understood:
        headers = Headers(*(joined(name, sent) for name in _DECIDING))
        key, _ = read_credentials(headers.authorization or "")
        if key:  # the call is the same with every key, and so is the answer while their worlds are alike
            headers = headers._replace(authorization=_ANY_KEY)
        result = self._call(method, target, headers, scheme)
        return Understood(method, target, result, key or None, joined(_PREFER, sent))

    def _make_call(self, method: str, target: str, headers: Headers, scheme: str) -> Call | Answer:
        host = self._settings.authority if headers.host is None else headers.host
        return read(method, target, headers, host, self._origin or f"{scheme}://{host}")

    def answer(self, world: World | None, result: Call | Answer) -> Answer:
        """Given what a request means, return what its world answers; None is the world of an unknown key."""
        if isinstance(result, Answer):
            return result
        if world is None:
            return answers.unauthorized(result.endpoint, messages.UNKNOWN_KEY, result.indent)
        if (wait := world.admit()) is not None:
            return answers.throttled(result.endpoint, wait, result.indent)
        view = world.view
        # A changed account is one world's alone, so its answers would only crowd out those of all others.
        return self._respond(view, result) if view.account.is_shared else _make_answer(view, result)


def _make_answer(view: View, call: Call) -> Answer:
    endpoint, account = call.endpoint, view.account
    if call.method not in endpoint.methods:
        return answers.detail(
            endpoint, 405, messages.METHOD_NOT_ALLOWED.format(method=call.method), call.indent
        )
    if call.method == "OPTIONS":
        return answers.metadata(endpoint, call.indent)
    criteria, errors = query.read_filters(endpoint.filters, call.params, account.owned)
    if errors:
        return answers.field_errors(endpoint, errors, call.indent)
    table = account.tables[endpoint.resource]
    body = _detail(table, criteria, call) if endpoint.is_detail else _list(table, criteria, call, view)
    if body is None:
        text = messages.NOT_FOUND if endpoint.is_detail else messages.INVALID_PAGE
        return answers.detail(endpoint, 404, text, call.indent)
    if call.indent is not None:
        body = render(json.loads(body), call.indent)
    return answers.routed(endpoint, 200, body)


def _detail(table: Table, criteria: query.Criteria, call: Call) -> bytes | None:
    row_id = query.read_int(call.id or "")
    position = None if row_id is None else table.find(row_id)
    if position is None or not query.matches(table.rows[position], criteria):
        return None
    return table.encoded(position)


def _list(table: Table, criteria: query.Criteria, call: Call, view: View) -> bytes | None:
    positions = view.positions(call.endpoint, criteria, call.params)
    page = query.read_page(call.params, view.paging, len(positions))
    if page is None:
        return None
    following, preceding = (
        render(number and query.link(call.url, call.query, number))
        for number in (page.next_number, page.previous_number)
    )
    rows = b",".join(map(table.encoded, positions[page.rows]))
    return b'{"count":%d,"next":%b,"previous":%b,"results":[%b]}' % (page.count, following, preceding, rows)


async def _read_body(content: StreamReader) -> bytes:
    """Return the body of a request, as far as it came and is noted; the service reads none."""
    body = b""
    # It may end before its time, or not be in the coding that it says.
    with suppress(ConnectionError, web.RequestPayloadError):
        while len(body) < LARGEST_BODY and (chunk := await content.read(LARGEST_BODY - len(body))):
            body += chunk
    return body


def _is_open(request: web.Request) -> bool:
    """Return whether the connection is still there, so that what was sent can have arrived."""
    transport = request.transport
    return transport is not None and not transport.is_closing()
