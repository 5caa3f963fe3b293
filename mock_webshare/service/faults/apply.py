"""Trouble: what strikes a request, and what becomes of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from urllib.parse import parse_qsl

from mock_webshare.errors import UsageError
from mock_webshare.service.faults import effects
from mock_webshare.service.faults import prefer as preference
from mock_webshare.service.faults.fault import Asked, Strike
from mock_webshare.service.framework import query
from mock_webshare.service.framework.request import Call, split_target
from mock_webshare.service.framework.response import Answer
from mock_webshare.service.world.world import World


def strikes(
    world: World, method: str, target: str, content_type: str, prefer: str | None
) -> Sequence[Strike]:
    """Return what strikes a request: first the error that its `Prefer` header asks for."""
    path, sent = split_target(target)
    params = dict(parse_qsl(sent, keep_blank_values=True))
    preferred = preference.read(prefer)
    asked = Asked(method, path, params, content_type)
    struck = world.strike(asked, is_answered=preferred is not None)
    return [Strike(preferred, asked, is_asked_for=True), *struck] if preferred else struck


def answer_instead(strikes: Sequence[Strike], result: Call | Answer) -> Answer | None:
    """Given what strikes a request, return the answer that is given instead of the service's, if one is."""
    endpoint = result.endpoint if isinstance(result, Call) else None
    answer = effects.answer_instead(strikes, endpoint)
    if answer and strikes[0].is_asked_for:
        return replace(answer, headers=(*answer.headers, preference.applied(strikes[0].fault)))
    return answer


def move_pages(world: World, call: Call, answer: Answer, strikes: Sequence[Strike]) -> None:
    """After a page was read, let credits come or go, if that is what strikes."""
    is_page = answer.status == 200 and not call.endpoint.is_detail and call.method != "OPTIONS"
    for strike in strikes if is_page else ():
        if strike.fault.action == "pages":
            _MOVES[strike.fault.value](world, call, strike.fault.options.get("rows", 1))


def _insert(world: World, call: Call, rows: int) -> None:
    with suppress(UsageError):  # no world has room for more than so many
        for _ in range(rows):
            world.create_credit()


def _remove(world: World, call: Call, rows: int) -> None:
    """Remove the first rows of the list that was read."""
    view = world.view
    criteria, _ = query.read_filters(call.endpoint.filters, call.params, view.account.owned)
    credits = view.account.credits.rows
    first = view.positions(call.endpoint, criteria, call.params)[:rows]
    for credit in [credits[position] for position in first]:
        world.delete_credit(credit.id)


_MOVES = {"inserted": _insert, "removed": _remove}
