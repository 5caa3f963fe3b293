"""The mocked service: parses requests, and returns the responses of worlds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from mock_webshare.contract import messages
from mock_webshare.contract.model import Endpoint, Kind, Write
from mock_webshare.service import effects, writes
from mock_webshare.service.data.account import View
from mock_webshare.service.effects import Outcome
from mock_webshare.service.faults import Strike
from mock_webshare.service.framework import query, serializer
from mock_webshare.service.framework import response as responses
from mock_webshare.service.framework.query import Criteria, FieldError, Page
from mock_webshare.service.framework.request import Headers, Parser, Request, joined, read_credentials
from mock_webshare.service.framework.response import Response, render
from mock_webshare.service.framework.serializer import Form
from mock_webshare.service.reasons import Reason
from mock_webshare.service.settings import Settings
from mock_webshare.service.world.world import World

_PARSED, _RESPONSES = 1024, 128  # sizes of the caches of parsed requests and of responses
_DECIDING = (b"host", b"authorization", b"accept", b"content-type", b"prefer")  # the fields of `Headers`
DECIDING = frozenset(_DECIDING)
"""The names of the request headers that affect responses, in lower case."""
_ANY_KEY = "Token any"
RawHeaders = tuple[tuple[bytes, bytes], ...]


class Service:
    """Responds to the requests to one service.

    Clients send the same few requests again and again, so parsed requests and the responses of unchanged
    accounts are cached; only world, rate limit and faults are evaluated each time.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parser = Parser(settings.contract)
        self._origin = settings.public_url and settings.public_url.rstrip("/")
        self.read = lru_cache(_PARSED)(self._read)
        self._parse = lru_cache(_PARSED)(self._make_request)
        self._cached = lru_cache(_RESPONSES)(respond)

    def _read(self, method: str, target: str, sent: RawHeaders, scheme: str) -> tuple[Request, str | None]:
        """Return the parsed request, and its key or None if malformed; `sent` has only `DECIDING` headers."""
        headers = Headers(*(joined(name, sent) for name in _DECIDING))
        key, _ = read_credentials(headers.authorization or "")
        if key:  # all keys share the cached request, and the cached responses of a shared account
            headers = headers._replace(authorization=_ANY_KEY)
        return self._parse(method, target, headers, scheme), key or None

    def _make_request(self, method: str, target: str, headers: Headers, scheme: str) -> Request:
        host = self._settings.authority if headers.host is None else headers.host
        return self._parser.parse(method, target, headers, host, self._origin or f"{scheme}://{host}")

    def respond(self, world: World | None, request: Request, body: bytes = b"") -> Response:
        """Return the response of a world to a request; `world` is None if the key is unknown."""
        if request.refusal is not None:
            return request.refusal
        endpoint = request.endpoint
        assert endpoint
        if world is None:
            return responses.unauthorized(endpoint, messages.UNKNOWN_KEY, Reason.UNKNOWN_KEY, request.indent)
        write = request.write
        if not endpoint.is_open and (wait := world.admit(write and write.rate)) is not None:
            return responses.throttled(endpoint, wait, request.indent)
        if write is not None:
            return _written(world, request, write, body)
        view = world.view
        # A changed account belongs to one world: its responses would evict responses that many worlds share.
        return (self._cached if view.account.is_shared else respond)(view, request)

    def outcome(self, world: World, request: Request, body: bytes = b"") -> Outcome:
        """Return the outcome of a request under the faults that strike it."""
        endpoint = request.endpoint or self._settings.contract.endpoints[0]
        strikes = effects.strikes(world, request)
        instead = effects.response_instead(strikes, endpoint)
        usual = response = instead or self.respond(world, request, body)
        if instead is None and request.refusal is None:
            response = _with_repeated_row(world.view, request, response, strikes)
            effects.move_pages(world, request, response, strikes)
        outcome = self._outcome(response, request, strikes)
        for strike in strikes:
            if strike.mutation and self._is_noticeable(strike, strikes, outcome, usual, world):
                strike.mutation.note_change()
        return outcome

    def _is_noticeable(
        self, strike: Strike, strikes: Sequence[Strike], outcome: Outcome, usual: Response, world: World
    ) -> bool:
        """Return whether a client can notice a strike; `usual` is the response that the strike changes."""
        request = strike.request
        if strike.fault.is_response:
            if request.write is not None:  # what the write would have done is not known without doing it
                return True
            usual = request.refusal or respond(world.view, request)
        others = [each for each in strikes if each is not strike]
        return effects.is_noticeable(outcome, self._outcome(usual, request, others), request)

    def _outcome(self, response: Response, request: Request, strikes: Sequence[Strike]) -> Outcome:
        return effects.outcome(response, request, strikes, self._settings.contract)


def _written(world: World, request: Request, write: Write, body: bytes) -> Response:
    """Change the world as a request says, and return the response: usually the changed object."""
    endpoint = request.endpoint
    assert endpoint
    if refused := writes.apply(world, request, write, body):
        return refused
    if write.status == 204:
        return responses.no_content(endpoint)
    return replace(respond(world.view, replace(request, method="GET")), status=write.status)


def respond(view: View, request: Request) -> Response:
    """Return the response of an account to a request that the framework has not refused."""
    endpoint = request.endpoint
    assert endpoint
    if request.method not in endpoint.methods:
        text = messages.METHOD_NOT_ALLOWED.format(method=request.method)
        return responses.detail(endpoint, 405, text, Reason.METHOD, request.indent)
    if request.method == "OPTIONS":
        return responses.metadata(endpoint, request.indent)
    criteria, errors = query.read_filters(endpoint.filters, request.params, view.account.owned(endpoint))
    if endpoint.lookup:
        values, errors = serializer.validate((endpoint.lookup,), Form(request.params))
        criteria = tuple(values.items())
    if errors:
        return responses.field_errors(endpoint, errors, request.indent)
    make_body, not_found = KINDS[endpoint.kind]
    body = make_body(view, endpoint, request, criteria)
    if body is None and endpoint.lookup and view.unknown_code == 400:
        error = FieldError(endpoint.lookup.name, messages.UNKNOWN_CODE, "not_found")
        return responses.field_errors(endpoint, [error], request.indent)
    if body is None:
        return responses.detail(endpoint, 404, not_found, Reason.NOT_FOUND, request.indent)
    if request.indent is not None:
        body = render(json.loads(body), request.indent)
    return responses.routed(endpoint, 200, body)


def _list(view: View, endpoint: Endpoint, request: Request, criteria: Criteria) -> bytes | None:
    """Return the requested page of the rows; None if the page does not exist."""
    positions = view.positions(endpoint, criteria, request.params)
    page = query.read_page(request.params, view.paging(endpoint), len(positions))
    return None if page is None else _page(view, endpoint, request, positions, page)


def _page(view: View, endpoint: Endpoint, request: Request, positions: Sequence[int], page: Page) -> bytes:
    """Return a page of the rows at some positions."""
    following, preceding = (
        render(number and query.link(request.url, request.link_query, number))
        for number in (page.next_number, page.previous_number)
    )
    rows = b",".join(map(view.account.encoder(endpoint), positions[page.rows]))
    return b'{"count":%d,"next":%b,"previous":%b,"results":[%b]}' % (page.count, following, preceding, rows)


def _with_repeated_row(
    view: View, request: Request, response: Response, strikes: Sequence[Strike]
) -> Response:
    """Return the response; if such a fault strikes, a later page begins with the last row of the page before.

    That is what a client reads if a row is added to an earlier page meanwhile; `count` stays unchanged.
    """
    endpoint = request.endpoint
    is_struck = any((each.fault.action, each.fault.value) == ("pages", "repeated") for each in strikes)
    if not is_struck or endpoint is None or endpoint.kind is not Kind.LIST:
        return response
    if response.status not in (200, 404) or request.method == "OPTIONS":
        return response
    criteria, _ = query.read_filters(endpoint.filters, request.params, view.account.owned(endpoint))
    positions = view.positions(endpoint, criteria, request.params)
    longer = [*positions[:1], *positions]
    page = query.read_page(request.params, view.paging(endpoint), len(longer))
    if page is None or page.number == 1:
        return response
    document = json.loads(_page(view, endpoint, request, longer, page)) | {"count": len(positions)}
    return responses.routed(endpoint, 200, render(document, request.indent))


def _detail(view: View, endpoint: Endpoint, request: Request, criteria: Criteria) -> bytes | None:
    """Return the row of the id in the path; None if the row does not exist or the filters exclude it."""
    table, row_id = view.table(endpoint), query.read_int(request.id or "")
    position = None if row_id is None else table.find(row_id)
    if position is None or not query.matches(table.rows[position], criteria):
        return None
    return view.account.encoder(endpoint)(position)


def _array(view: View, endpoint: Endpoint, request: Request, criteria: Criteria) -> bytes | None:
    """Return all rows that the filters do not exclude."""
    positions = view.positions(endpoint, criteria, request.params)
    return b"[%b]" % b",".join(map(view.account.encoder(endpoint), positions))


def _object(view: View, endpoint: Endpoint, request: Request, criteria: Criteria) -> bytes | None:
    """Return the single object of the endpoint; None if the criteria exclude it."""
    is_shown = query.matches(view.table(endpoint).rows[0], criteria)
    return view.account.encoder(endpoint)(0) if is_shown else None


KINDS: Mapping[Kind, tuple[Callable[[View, Endpoint, Request, Criteria], bytes | None], str]] = {
    Kind.LIST: (_list, messages.INVALID_PAGE),
    Kind.DETAIL: (_detail, messages.NOT_FOUND),
    Kind.OBJECT: (_object, messages.NOT_FOUND),
    Kind.ARRAY: (_array, messages.NOT_FOUND),
    Kind.LOOKUP: (_object, messages.NOT_FOUND),
}
"""The function that makes the body of a 200, and the text of a 404, by the kind of the endpoint."""
