"""Which faults strike a request, and what they do to response and data."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from mock_webshare.contract.model import Contract, Endpoint, Kind
from mock_webshare.errors import DataError, UsageError
from mock_webshare.service.faults import effects, prefer
from mock_webshare.service.faults.fault import Strike
from mock_webshare.service.framework import query
from mock_webshare.service.framework.request import Request
from mock_webshare.service.framework.response import Response
from mock_webshare.service.world.world import World


def strikes(world: World, request: Request) -> Sequence[Strike]:
    """Return the strikes on a request, that of its `Prefer` header first."""
    preferred = prefer.read(request.headers.prefer)
    struck = world.strike(request, has_response=preferred is not None)
    return [Strike(preferred, request, is_preferred=True), *struck] if preferred else struck


def response_instead(strikes: Sequence[Strike], request: Request, contract: Contract) -> Response | None:
    """Return the response of a fault instead of the service; None if none responds."""
    response = effects.response_instead(strikes, request.endpoint or contract.endpoints[0])
    if response and strikes[0].is_preferred:
        return replace(response, headers=(*response.headers, prefer.applied(strikes[0].fault)))
    return response


def move_pages(world: World, request: Request, response: Response, strikes: Sequence[Strike]) -> None:
    """Add or remove rows after a page was read, if such a fault strikes."""
    endpoint = request.endpoint
    if endpoint is None or endpoint.kind is not Kind.LIST:
        return
    if response.status != 200 or request.method == "OPTIONS":
        return
    for strike in strikes:
        if strike.fault.action == "pages":
            _MOVES[strike.fault.value](world, request, endpoint, strike.fault.options.get("rows", 1))


def _insert(world: World, request: Request, endpoint: Endpoint, rows: int) -> None:
    for _ in range(rows):
        with suppress(DataError, UsageError):  # the world is full, or a field has no default
            world.create(endpoint.resource)


def _remove(world: World, request: Request, endpoint: Endpoint, rows: int) -> None:
    """Remove the first rows of the list that was read."""
    view = world.view
    criteria, _ = query.read_filters(endpoint.filters, request.params, view.account.owned(endpoint))
    table = view.table(endpoint).rows
    first = view.positions(endpoint, criteria, request.params)[:rows]
    for row in [table[position] for position in first]:
        with suppress(UsageError):  # another row refers to it
            world.delete(endpoint.resource, row.id)


_MOVES = {"inserted": _insert, "removed": _remove}
