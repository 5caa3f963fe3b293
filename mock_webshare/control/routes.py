"""Verbs: what can be done over HTTP, as a table; each calls one method of a world."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Any, NamedTuple

from mock_webshare.control import openapi
from mock_webshare.control.problems import Problem
from mock_webshare.errors import DataError, UnknownRow
from mock_webshare.exchange import writers
from mock_webshare.service.data.fields import Kind, is_text, read_object, require_keys
from mock_webshare.service.world.journal import Journal, exchanges
from mock_webshare.service.world.registry import Worlds
from mock_webshare.service.world.scenarios import SCENARIOS
from mock_webshare.service.world.world import CLOCK, World, read_state
from mock_webshare.version import __version__

ROOT = "/__mock__/"


class Asked(NamedTuple):
    """What a verb is given: the worlds, the world or journal of the key, and what was sent."""

    worlds: Worlds
    key: str | None
    path: Mapping[str, str]
    body: Any
    secrets: Sequence[str] = ()
    """What is not to be repeated: the key, and the control token."""

    @property
    def world(self) -> World:
        """The world of the key."""
        world = None if self.key is None else self.worlds.get(self.key)
        if world is None:
            problem = "no world is named" if self.key is None else "this key is not known"
            detail = f"{problem}; name one by its key, with the header Authorization: Token KEY"
            raise Problem(401, detail, {"WWW-Authenticate": "Token"})
        return world

    @property
    def journal(self) -> Journal:
        """The journal of the world; without a key, that of the requests that came without a known one."""
        return self.worlds.keyless if self.key is None else self.world.journal

    @property
    def id(self) -> int:
        """The number in the path."""
        text = self.path["id"]
        if not re.fullmatch("[0-9]{1,19}", text):  # int() takes more spellings
            raise UnknownRow("id", text)
        return int(text)


class Verb(NamedTuple):
    """One thing that can be done; `body` names the schema of what is sent, None: nothing is."""

    method: str
    path: str
    says: str
    act: Callable[[Asked], Any]
    """What it does; if it returns a function, that makes the answer, and may take its time."""
    body: str | None = None
    answer: str | None = None
    """The schema of what is answered. None: nothing is, with 204."""
    status: int = 200
    read: Callable[[Any], Any] = lambda body: body
    """What is made of the body before the world is asked; it may take its time."""


def _state(asked: Asked) -> Callable[[], Any]:
    return asked.world.state().wire


def _credits(asked: Asked) -> Callable[[], Any]:
    credits = asked.world.state().credits
    return lambda: [credit.wire() for credit in credits]


def _requests(asked: Asked) -> Callable[[], Any]:
    entries, dropped = list(asked.journal), asked.journal.dropped

    def listed() -> dict[str, Any]:
        found = zip(exchanges(entries, asked.secrets), entries, strict=True)
        requests = [{**exchange.wire(), "faults": list(entry.faults)} for exchange, entry in found]
        return {"requests": requests, "dropped": dropped}

    return listed


def _is_wanted_value(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return value is None or all(is_text(each) or type(each) in (int, float) for each in values)


def _is_wanted_query(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_wanted_value, value.values()))


_WANTED: Mapping[str, Kind] = {
    "method": Kind(is_text, "a method like GET"),
    "path": Kind(is_text, "a path, decoded"),
    "query": Kind(
        _is_wanted_query, "an object of parameters, each with a text, a number, a list of these, or null"
    ),
}


def _count(asked: Asked) -> dict[str, int]:
    require_keys("request", "", asked.body, ("method", "path"), tuple(_WANTED))
    wanted = read_object("request", "", asked.body, _WANTED, optional=True)
    return {"count": asked.world.count_requests(**wanted)}


def _archive(write: Callable[..., object]) -> Callable[[Asked], Callable[[], str]]:
    """Return what answers the journal as a file, without the keys in it."""

    def archive(asked: Asked) -> Callable[[], str]:
        entries = list(asked.journal)

        def written() -> str:
            stream = StringIO()
            write(exchanges(entries, asked.secrets), stream)
            return stream.getvalue()

        return written

    return archive


def _set_clock(asked: Asked) -> dict[str, Any]:
    read_object("clock", "", asked.body, CLOCK, optional=True)
    return asked.world.set_clock(**asked.body)


def _fields(asked: Asked) -> dict[str, Any]:
    """Return the body, which is an object of which the world checks each field."""
    if not isinstance(asked.body, dict):
        raise DataError.refused("body", "", asked.body, "an object")
    return asked.body


def document() -> dict[str, Any]:
    """Return the OpenAPI document of the control plane, printed from the table of verbs."""
    return openapi.document(ROOT, VERBS)


def _scenarios(asked: Asked) -> dict[str, str]:
    return {f"scenario:{name}": scenario.says for name, scenario in SCENARIOS.items()}


# fmt: off
VERBS: Sequence[Verb] = (
    Verb("GET", "health", "Say that the server is ready.", lambda it: {"status": "ready"}, answer="health"),
    Verb("GET", "version", "Say which version it is.", lambda it: {"version": __version__}, answer="version"),
    Verb("GET", "openapi.json", "Describe all this.", lambda it: document(), answer="openapi"),
    Verb("GET", "scenarios", "List the keys that begin in trouble.", _scenarios, answer="scenarios"),
    Verb("GET", "worlds", "Count the worlds.", lambda it: it.worlds.counted(), answer="worlds"),
    Verb("DELETE", "worlds", "Let all worlds go.", lambda it: it.worlds.forget_all()),
    Verb("POST", "reset", "Be as in the beginning.", lambda it: it.world.reset()),
    Verb("GET", "state", "The whole world as a data set.", _state, answer="data-set"),
    Verb("PUT", "state", "Hold a data set.", lambda it: it.world.put_state(it.body),
         body="data-set", read=read_state),
    Verb("GET", "snapshots", "The names of the snapshots.", lambda it: it.world.snapshots(), answer="names"),
    Verb("PUT", "snapshots/{name}", "Save account, clock, settings and faults.",
         lambda it: it.world.take_snapshot(it.path["name"])),
    Verb("POST", "snapshots/{name}/restore", "Be as when the snapshot was taken.",
         lambda it: it.world.restore_snapshot(it.path["name"])),
    Verb("DELETE", "snapshots/{name}", "Forget a snapshot.",
         lambda it: it.world.delete_snapshot(it.path["name"])),
    Verb("GET", "credits", "All credits.", _credits, answer="credits"),
    Verb("POST", "credits", "Add a credit; every field may be left out.",
         lambda it: it.world.create_credit(**_fields(it)), body="credit-fields", answer="credit", status=201),
    Verb("GET", "credits/{id}", "One credit.", lambda it: it.world.credit(it.id), answer="credit"),
    Verb("PATCH", "credits/{id}", "Change fields of a credit.",
         lambda it: it.world.change_credit(it.id, **_fields(it)), body="credit-fields", answer="credit"),
    Verb("DELETE", "credits/{id}", "Remove a credit.", lambda it: it.world.delete_credit(it.id)),
    Verb("POST", "credits/{id}/revert", "Revert a credit.",
         lambda it: it.world.revert_credit(it.id), answer="credit"),
    Verb("GET", "channels", "All channels.", lambda it: it.world.channels(), answer="channels"),
    Verb("POST", "channels", "Add a channel.",
         lambda it: it.world.create_channel(**_fields(it)), body="channel", answer="channel", status=201),
    Verb("DELETE", "channels/{id}", "Remove a channel that no credit names.",
         lambda it: it.world.delete_channel(it.id)),
    Verb("GET", "clock", "What the clock shows.", lambda it: it.world.clock(), answer="clock"),
    Verb("PUT", "clock", "Set the clock, move it on, let it run or stand.", _set_clock,
         body="clock-change", answer="clock"),
    Verb("GET", "faults", "The faults that are set.", lambda it: it.world.faults(), answer="faults"),
    Verb("POST", "faults", "Set a fault.",
         lambda it: it.world.add_fault(**_fields(it)), body="fault", answer="active-fault", status=201),
    Verb("DELETE", "faults", "Remove all faults.", lambda it: it.world.clear_faults()),
    Verb("DELETE", "faults/{id}", "Remove a fault.", lambda it: it.world.remove_fault(it.id)),
    Verb("GET", "requests", "What was asked and answered, without the keys.", _requests, answer="requests"),
    Verb("DELETE", "requests", "Forget what was asked.", lambda it: it.journal.clear()),
    Verb("POST", "requests/count", "Count requests.", _count, body="wanted", answer="count"),
    Verb("GET", "requests.har", "The journal as HAR 1.2.", _archive(writers.write_har), answer="har"),
    Verb("GET", "requests.ndjson", "The journal as exchanges, one a line.",
         _archive(writers.write_ndjson), answer="ndjson"),
    Verb("GET", "settings", "The settings of the world.", lambda it: it.world.settings(), answer="settings"),
    Verb("PUT", "settings", "Change settings of the world.",
         lambda it: it.world.set_settings(**_fields(it)), body="settings-change", answer="settings"),
)
# fmt: on
