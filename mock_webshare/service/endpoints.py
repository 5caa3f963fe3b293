"""The behaviour of each kind of endpoint, after the checks of the framework."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from mock_webshare.contract import messages
from mock_webshare.contract.model import Endpoint, Kind
from mock_webshare.service.data.account import View
from mock_webshare.service.framework import query, response
from mock_webshare.service.framework.query import Criteria
from mock_webshare.service.framework.request import Request
from mock_webshare.service.framework.response import Response, render


def respond(view: View, request: Request) -> Response:
    """Return the response of an account to a request that was not refused."""
    endpoint = request.endpoint
    assert endpoint
    if request.method not in endpoint.methods:
        text = messages.METHOD_NOT_ALLOWED.format(method=request.method)
        return response.detail(endpoint, 405, text, request.indent)
    if request.method == "OPTIONS":
        return response.metadata(endpoint, request.indent)
    criteria, errors = query.read_filters(endpoint.filters, request.params, view.account.owned(endpoint))
    if errors:
        return response.field_errors(endpoint, errors, request.indent)
    make_body, not_found = KINDS[endpoint.kind]
    body = make_body(view, endpoint, request, criteria)
    if body is None:
        return response.detail(endpoint, 404, not_found, request.indent)
    if request.indent is not None:
        body = render(json.loads(body), request.indent)
    return response.routed(endpoint, 200, body)


def _list(view: View, endpoint: Endpoint, request: Request, criteria: Criteria) -> bytes | None:
    """Return a page of the rows; None if it does not exist."""
    table, positions = view.table(endpoint), view.positions(endpoint, criteria, request.params)
    page = query.read_page(request.params, view.paging(endpoint), len(positions))
    if page is None:
        return None
    following, preceding = (
        render(number and query.link(request.url, request.link_query, number))
        for number in (page.next_number, page.previous_number)
    )
    rows = b",".join(map(table.encoded, positions[page.rows]))
    return b'{"count":%d,"next":%b,"previous":%b,"results":[%b]}' % (page.count, following, preceding, rows)


def _detail(view: View, endpoint: Endpoint, request: Request, criteria: Criteria) -> bytes | None:
    """Return the row of the id; None if it does not exist or the filters exclude it."""
    table, row_id = view.table(endpoint), query.read_int(request.id or "")
    position = None if row_id is None else table.find(row_id)
    if position is None or not query.matches(table.rows[position], criteria):
        return None
    return table.encoded(position)


def _object(view: View, endpoint: Endpoint, request: Request, criteria: Criteria) -> bytes | None:
    """Return the one object; None if the filters exclude it."""
    table = view.table(endpoint)
    return table.encoded(0) if query.matches(table.rows[0], criteria) else None


KINDS: Mapping[Kind, tuple[Callable[[View, Endpoint, Request, Criteria], bytes | None], str]] = {
    Kind.LIST: (_list, messages.INVALID_PAGE),
    Kind.DETAIL: (_detail, messages.NOT_FOUND),
    Kind.OBJECT: (_object, messages.NOT_FOUND),
}
"""The body of a 200 response, and the text of a 404, by the kind of the endpoint."""
