"""The list of worlds, the most recently used first; each with its id and name, never with its key."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from mock_webshare.contract.timestamps import format_utc
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.service.world.journal import Entry
from mock_webshare.service.world.registry import Worlds
from mock_webshare.service.world.world import World

MOST_WORLDS = 200
"""Worlds of one response."""
_LONGEST_AGENT = 100


class _Named(NamedTuple):
    """A world, with the name that is shown."""

    key: str
    name: str
    world: World


async def listed(worlds: Worlds, secrets: Sequence[str], limit: int, search: str) -> dict[str, Any]:
    """Return up to `limit` worlds whose name or id contains `search`; if it is empty, all worlds match."""
    found = [_Named(key, world.name, world) for key, world in worlds.recent()]
    if wanted := search.casefold():
        found = [each for each in found if _matches(each, wanted)]
        # Names are searched as they are shown, redacted; otherwise a key in a name could be guessed.
        named = await asyncio.to_thread(lambda: [_without_secrets(each, secrets) for each in found])
        found = [each for each in named if _matches(each, wanted)]
    counts = {**worlds.counted(), "server": worlds.id, "keyless": worlds.keyless.total, "found": len(found)}
    shown = [(each, each.world.journal.last, _fields(each.world)) for each in found[:limit]]
    return {**counts, "list": await asyncio.to_thread(lambda: [_row(*each, secrets) for each in shown])}


def _matches(named: _Named, wanted: str) -> bool:
    return wanted in named.name.casefold() or wanted in named.world.id


def _without_secrets(named: _Named, secrets: Sequence[str]) -> _Named:
    return named._replace(name=name_of(named.world, Redactor((*secrets, named.key))))


def name_of(world: World, redactor: Redactor) -> str:
    """Return the name of a world, redacted if a user gave it; ours stay, though `scenario:flaky` is a key."""
    return world.name if world.given_name is None else redactor.text(world.given_name)


def _fields(world: World) -> dict[str, Any]:
    """Return what is shown of a world, without texts of users."""
    clock = world.clock()
    return {
        "id": world.id,
        "requests": world.journal.total,
        "faults": len(world.faults()),
        "changed": world.is_changed,
        "clock": clock["now"],
        "running": clock["running"],
    }


def _row(named: _Named, last: Entry | None, fields: dict[str, Any], secrets: Sequence[str]) -> dict[str, Any]:
    redactor = Redactor((*secrets, named.key))
    request = None if last is None else _last_request(last, fields["requests"], redactor)
    return {**fields, "name": name_of(named.world, Redactor((*secrets, named.key))), "last_request": request}


def _last_request(entry: Entry, number: int, redactor: Redactor) -> dict[str, Any]:
    redactor.collect_secrets(replace(entry.exchange(0), headers=None, body=b""))
    agent = entry.headers.get("User-Agent")
    return {
        "number": number,
        "at": format_utc(int(1000 * entry.arrived)),
        "status": None if entry.response is None else entry.response.status,
        "agent": None if agent is None else redactor.text(agent)[:_LONGEST_AGENT],
    }
