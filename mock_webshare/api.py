"""The service: its endpoints over the worlds, from request to answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from aiohttp import web
from multidict import CIMultiDict

from mock_webshare import __version__, answers, framework, query
from mock_webshare.answers import Answer
from mock_webshare.framework import Call
from mock_webshare.rendering import render
from mock_webshare.settings import Settings
from mock_webshare.state import Account, Table, Worlds

_log = logging.getLogger(__name__)
_READ, _ANSWERED = 1024, 128  # requests understood and answers made that are remembered
_DECIDING = (b"host", b"authorization", b"accept", b"content-type")  # the fields of `Headers`


class Service:
    """The service's HTTP face.

    Clients send the same few requests again and again, so what a request means and what an unchanged
    account answers to it are each remembered; only the key, the rate limit and the log are looked at anew.
    """

    def __init__(self, worlds: Worlds, settings: Settings, timer: Callable[[], float]) -> None:
        self._worlds = worlds
        self._timer = timer
        self._settings = settings
        self._read = lru_cache(_READ)(self._understand)
        self._origin = settings.public_url and settings.public_url.rstrip("/")
        self._respond = lru_cache(_ANSWERED)(self._make_answer)
        self._headers = lru_cache(_ANSWERED)(_wire_headers)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request under any path that is not ours."""
        try:
            sent = [pair for pair in request.raw_headers if pair[0].lower() in _DECIDING]
            call = self._read(request.method, request.raw_path, *sent)
            answer = call if isinstance(call, Answer) else self.answer(call)
        except Exception as error:
            # The kind alone: the text of an error may hold a key, or a whole row.
            _log.error("a mistake of mock-webshare, please report it: %s", type(error).__name__)
            _log.debug("where it happened:", exc_info=True)
            answer = answers.html_page(500)
        return web.Response(status=answer.status, headers=self._headers(answer), body=answer.body)

    def _understand(self, method: str, target: str, *sent: tuple[bytes, bytes]) -> Call | Answer:
        headers = framework.Headers(*(_joined(name, sent) for name in _DECIDING))
        return framework.read(method, target, headers, self._settings.authority, self._origin)

    def answer(self, call: Call) -> Answer:
        """Given a call, return what the world of its key answers."""
        world = self._worlds.get(call.key)
        if world is None:
            return answers.unauthorized(call.endpoint, "Invalid token.", call.indent)
        if world.throttle and (wait := world.throttle.admit(self._timer())) is not None:
            return answers.throttled(call.endpoint, wait, call.indent)
        return self._respond(world.account, call)

    def _make_answer(self, account: Account, call: Call) -> Answer:
        endpoint = call.endpoint
        if call.method not in endpoint.methods:
            return answers.detail(endpoint, 405, f'Method "{call.method}" not allowed.', call.indent)
        if call.method == "OPTIONS":
            return answers.metadata(endpoint, call.indent)
        criteria, errors = query.read_filters(endpoint.filters, call.params, account.owned)
        if errors:
            return answers.field_errors(endpoint, errors, call.indent)
        table = account.tables[endpoint.collection]
        body = (
            self._detail(table, criteria, call) if endpoint.is_detail else self._list(table, criteria, call)
        )
        if body is None:
            text = "Not found." if endpoint.is_detail else "Invalid page."
            return answers.detail(endpoint, 404, text, call.indent)
        if call.indent is not None:
            body = render(json.loads(body), call.indent)
        return answers.routed(endpoint, 200, body)

    def _detail(self, table: Table, criteria: query.Criteria, call: Call) -> bytes | None:
        row_id = query.read_int(call.id or "")
        position = None if row_id is None else table.find(row_id)
        if position is None or not query.matches(table.rows[position], criteria):
            return None
        return table.encoded(position)

    def _list(self, table: Table, criteria: query.Criteria, call: Call) -> bytes | None:
        endpoint, settings = call.endpoint, self._settings
        assert endpoint.paging
        paging = replace(endpoint.paging, max_page_size=settings.max_page_size)
        asked = call.params.get("ordering")
        terms = query.ordering_terms(asked, endpoint.orderings, settings.ordering_terms)
        positions = table.positions(criteria, terms)
        page = query.read_page(call.params, paging, len(positions))
        if page is None:
            return None
        following, preceding = (
            render(number and query.link(call.url, call.query, number))
            for number in (page.next_number, page.previous_number)
        )
        rows = b",".join(map(table.encoded, positions[page.rows]))
        return b'{"count":%d,"next":%b,"previous":%b,"results":[%b]}' % (
            page.count,
            following,
            preceding,
            rows,
        )


def _joined(name: bytes, sent: Sequence[tuple[bytes, bytes]]) -> str | None:
    """Join the values of a header, repeated ones too, as WSGI does; None if it was not sent."""
    # aiohttp before 3.12 leaves the blanks around a value.
    values = [value.strip(b" \t") for each, value in sent if each.lower() == name]
    return b",".join(values).decode("latin-1") if values else None


def _wire_headers(answer: Answer) -> CIMultiDict[str]:
    ours = (("Server", "mock-webshare"), ("Mock-Webshare-Version", __version__))
    return CIMultiDict([*answer.headers, ("Content-Length", str(len(answer.body))), *ours])
