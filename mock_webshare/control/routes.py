"""The routes of the control plane as a table; each calls one method of a world."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from io import StringIO
from typing import Any, NamedTuple

from mock_webshare.contract import openapi as service_openapi
from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import Contract, Resource
from mock_webshare.control import activity, hints, openapi, page, summary, worlds
from mock_webshare.control.activity import Readers
from mock_webshare.control.guard import Access
from mock_webshare.control.problems import Problem
from mock_webshare.control.query import Parameter, choice, integer, text
from mock_webshare.control.summary import Remembered
from mock_webshare.errors import DataError, NotFound
from mock_webshare.exchange import writers
from mock_webshare.service import transactions
from mock_webshare.service.data.fields import FieldType, is_string, read_object, require_keys
from mock_webshare.service.reasons import MEANINGS
from mock_webshare.service.world import scenarios
from mock_webshare.service.world.journal import Journal, exchanges, listed
from mock_webshare.service.world.registry import Worlds
from mock_webshare.service.world.world import CLOCK, World, read_state
from mock_webshare.version import __version__

ROOT = "/__mock__/"
Reload = Callable[[], Awaitable[Mapping[str, int]]]
"""Reads the data of a server again; returns the counts of `Worlds.renew`."""


class ControlRequest(NamedTuple):
    """A request to the control plane: its world, parameters and parsed body."""

    contract: Contract
    worlds: Worlds
    key: str | None
    """The key of the world. None: the request names no world, or a world that is gone."""
    path: Mapping[str, str]
    """The path parameters."""
    body: Any
    reload: Reload
    """Reads the data of the server again."""
    readers: Readers
    """Redact the requests of journals."""
    remembered: Remembered
    """Keeps what was computed of accounts."""
    secrets: Sequence[str] = ()
    """What no response may contain: the key and the control token."""
    query: Mapping[str, Any] = {}
    """The query parameters that are declared with the route, also those that were not sent."""
    world_id: str | None = None
    """The id by which the request names its world. None: it names the world by its key, or names none."""
    is_read_only: bool = False
    """Whether the request changes nothing, so that it neither creates its world nor marks it as used."""

    @property
    def world(self) -> World:
        """The world that the request names."""
        if self.world_id is not None and self.key is None:
            raise Problem(
                404,
                f"there is no world with the id {self.world_id!r:.80}: it was deleted, or the server was "
                f"started again; GET {ROOT}worlds lists the worlds",
            )
        find = self.worlds.peek if self.is_read_only or self.world_id is not None else self.worlds.get
        world = None if self.key is None else find(self.key)
        if world is None:
            problem = "the request names no world" if self.key is None else "the key is not known"
            detail = f"{problem}; send the key of a world with the header Authorization: Token KEY"
            raise Problem(401, detail, {"WWW-Authenticate": "Token"})
        return world

    @property
    def journal(self) -> Journal:
        """The journal of the world; if no world is named, the journal of requests without a known key."""
        world = self.journal_world
        return self.worlds.keyless if world is None else world.journal

    @property
    def journal_world(self) -> World | None:
        """The world of `journal`. None: `journal` has the requests without a known key."""
        is_named = self.key is not None or self.world_id is not None
        return self.world if is_named else None

    @property
    def id(self) -> int:
        """The id in the path."""
        return self._number("id")

    @property
    def number(self) -> int:
        """The number of a request in the path."""
        return self._number("number")

    def _number(self, name: str) -> int:
        digits = self.path[name]
        if not re.fullmatch("[0-9]{1,19}", digits):  # int() takes more spellings
            raise NotFound(name, digits)
        return int(digits)

    @property
    def fields(self) -> dict[str, Any]:
        """The body, an object; the world checks each field."""
        if not isinstance(self.body, dict):
            raise DataError.invalid("body", "", self.body, "an object")
        return self.body


class Route(NamedTuple):
    """An endpoint of the control plane."""

    method: str
    path: str
    summary: str
    run: Callable[[ControlRequest], Any]
    """Returns the content, an awaitable of it, or a slow function that returns it, called in a thread."""
    body: str | None = None
    """The component of `openapi.json` that describes the body. None: no body is read."""
    response: str | None = None
    """The component that describes the content. None: there is no content, and the status is 204."""
    status: int = 200
    access: Access = Access.CONTROL
    """What the guard requires of a request."""
    query: Sequence[Parameter] = ()
    """The query parameters; any other is refused."""
    is_read_only: bool | None = None
    """Whether a request changes nothing. None: that is so if the method is GET."""
    read: Callable[[Any], Any] = lambda body: body
    """Parses the body further, before `run`; a large body in a thread."""


def _state(request: ControlRequest) -> Callable[[], Any]:
    return request.world.state().wire


def _rows(name: str, request: ControlRequest) -> Callable[[], Any]:
    rows = request.world.rows(name)
    return lambda: [row.wire() for row in rows]


def _requests(request: ControlRequest) -> Callable[[], Any]:
    entries, dropped = list(request.journal), request.journal.dropped

    return lambda: {"requests": listed(entries, request.secrets), "dropped": dropped}


def _activity(request: ControlRequest) -> Any:
    journal, world, server = request.journal, request.journal_world, request.worlds
    reader = request.readers.of(journal, request.secrets)
    why = activity.why_of(world, request.contract)
    return activity.activity(journal, world, server, reader, why, **request.query)


def _request(request: ControlRequest) -> Any:
    journal = request.journal
    reader = request.readers.of(journal, request.secrets)
    why = activity.why_of(request.journal_world, request.contract)
    found = activity.one_request(journal, reader, why, request.number)
    if found is None:
        kept = f"{journal.dropped + 1} to {journal.total}" if len(journal) else "none"
        raise Problem(404, f"there is no request {request.number} in this journal; there are: {kept}")
    return found


def _clear(request: ControlRequest) -> None:
    if request.journal is request.worlds.keyless:
        request.worlds.clear_keyless()
    else:
        request.world.clear_requests()


def _hints(request: ControlRequest) -> Callable[[], Any]:
    entries, contract = list(request.journal), request.contract
    if request.journal is request.worlds.keyless:
        find = partial(hints.of_keyless, entries, contract)
    else:
        find = partial(hints.of_entries, entries, request.world, contract)
    return lambda: [each.document() for each in find()]


def _coverage(request: ControlRequest) -> Callable[[], Any]:
    journal = request.journal
    counter = request.readers.of(journal, request.secrets).counter
    return partial(counter.document, journal.since(counter.last), journal.total, request.contract)


def _is_wanted_value(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return value is None or all(is_string(each) or type(each) in (int, float) for each in values)


def _is_wanted_query(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_wanted_value, value.values()))


_WANTED: Mapping[str, FieldType] = {
    "method": FieldType(is_string, "a method like GET"),
    "path": FieldType(is_string, "a path, decoded"),
    "query": FieldType(
        _is_wanted_query, "an object of parameters, each with a string, a number, a list of these, or null"
    ),
}


def _count(request: ControlRequest) -> dict[str, int]:
    require_keys("request", "", request.body, ("method", "path"), tuple(_WANTED))
    wanted = read_object("request", "", request.body, _WANTED, optional=True)
    return {"count": request.world.count_requests(**wanted)}


def _archive(write: Callable[..., object]) -> Callable[[ControlRequest], Callable[[], str]]:
    """Return a handler that responds with the journal as a file, without keys."""

    def archive(request: ControlRequest) -> Callable[[], str]:
        entries = list(request.journal)

        def written() -> str:
            stream = StringIO()
            write(exchanges(entries, request.secrets), stream)
            return stream.getvalue()

        return written

    return archive


def _set_clock(request: ControlRequest) -> dict[str, Any]:
    read_object("clock", "", request.body, CLOCK, optional=True)
    return request.world.set_clock(**request.body)


def _scenarios(request: ControlRequest) -> dict[str, str]:
    return {f"scenario:{name}": scenario.summary for name, scenario in scenarios.of(request.contract).items()}


@lru_cache(16)
def routes_of(contract: Contract = WEBSHARE) -> Sequence[Route]:
    """Return all routes, including those for each resource of a contract."""
    resources = [
        route
        for each in contract.resources.values()
        for route in (_of_object if each.is_object else _of_rows)(each)
    ]
    traded = _TRANSACTIONS if transactions.has_transactions(contract) else ()
    return (*_WORLDS, *_state_routes(contract), *_SNAPSHOTS, *resources, *traded, *_REST)


_ACTIVITY = (
    integer("after", "The number of the last request that is known already.", 0),
    integer("limit", "The number of rows.", activity.MOST_ROWS, activity.MOST_ROWS),
)

_LISTED = (
    integer("limit", "The number of worlds.", 50, worlds.MOST_WORLDS),
    text("search", "A part of the name or the id of a world, in any letter case."),
)
_EARNINGS = (choice("by", "The length of a row.", "month"),)

# fmt: off
_WORLDS: Sequence[Route] = (
    Route("GET", "", "Return the page of the mock server.", lambda it: page.index(), response="page",
          access=Access.PAGE),
    Route("GET", "page/{name}", "Return a file that the page loads.", lambda it: page.asset(it.path["name"]),
          response="asset", access=Access.ASSET),
    Route("GET", "health", "Report that the server is ready.", lambda it: {"status": "ready"},
          response="health", access=Access.PUBLIC),
    Route("GET", "version", "Return the version of the server.", lambda it: {"version": __version__},
          response="version", access=Access.PUBLIC),
    Route("GET", "openapi.json", "Describe the control plane.",
          lambda it: openapi.document(ROOT, routes_of(it.contract), it.contract), response="openapi"),
    Route("GET", "service.openapi.json", "Describe the mocked API.",
          lambda it: service_openapi.document(it.contract), response="openapi"),
    Route("GET", "reasons", "List what may be the reason of a response.", lambda it: MEANINGS,
          response="reasons"),
    Route("GET", "scenarios", "List the scenarios by their keys.", _scenarios, response="scenarios"),
    Route("GET", "worlds", "Count the worlds, and list them without their keys.",
          lambda it: worlds.listed(it.worlds, it.secrets, **it.query), response="worlds", query=_LISTED),
    Route("DELETE", "worlds", "Delete all worlds.", lambda it: it.worlds.delete_all()),
    Route("POST", "reload", "Reload the data of the server from their file.", lambda it: it.reload(),
          response="reloaded"),
    Route("POST", "reset", "Reset to the initial state.", lambda it: it.world.reset()),
)
_SNAPSHOTS: Sequence[Route] = (
    Route("GET", "snapshots", "List the names of the snapshots.", lambda it: it.world.snapshots(),
          response="names"),
    Route("PUT", "snapshots/{name}", "Save account, clock, settings and faults under a name.",
          lambda it: it.world.take_snapshot(it.path["name"])),
    Route("POST", "snapshots/{name}/restore", "Restore what a snapshot saved.",
          lambda it: it.world.restore_snapshot(it.path["name"])),
    Route("DELETE", "snapshots/{name}", "Delete a snapshot.",
          lambda it: it.world.delete_snapshot(it.path["name"])),
)
_TRANSACTIONS: Sequence[Route] = (
    Route("POST", "purchases", "Record a purchase of a referred user: a pending credit, unless at the cap.",
          lambda it: transactions.purchase(it.world, **it.fields), body="purchase", response="commission",
          status=201),
    Route("POST", "payments", "Record a payment of the account, which redeems the applied coupon code.",
          lambda it: transactions.pay(it.world), response="payment", status=201),
    Route("POST", "simulate", "Simulate months of purchases, refunds and earn-outs.",
          lambda it: transactions.simulate(it.world, **it.fields), body="simulation", response="clock"),
)
_REST: Sequence[Route] = (
    Route("GET", "summary", "Sum up the world: clock, totals, next events, faults, changes since its start.",
          lambda it: summary.summary(it.world, it.remembered, it.secrets), response="summary"),
    Route("GET", "earnings", "Sum up what was created in each month, and what ripens in it.",
          lambda it: summary.earnings(it.world, it.remembered), response="earnings", query=_EARNINGS),
    Route("GET", "clock", "Read the clock.", lambda it: it.world.clock(), response="clock"),
    Route("PUT", "clock", "Set the clock, advance it, run or freeze it.", _set_clock,
          body="clock-change", response="clock"),
    Route("GET", "faults", "List the faults.", lambda it: it.world.faults(), response="faults"),
    Route("POST", "faults", "Add a fault.",
          lambda it: it.world.add_fault(**it.fields), body="fault", response="active-fault", status=201),
    Route("DELETE", "faults", "Remove all faults.", lambda it: it.world.clear_faults()),
    Route("DELETE", "faults/{id}", "Remove a fault.", lambda it: it.world.remove_fault(it.id)),
    Route("GET", "requests", "List the requests and their responses, without keys.", _requests,
          response="requests"),
    Route("GET", "requests/{number}", "Return one request and its response, without keys.", _request,
          response="numbered-exchange"),
    Route("GET", "activity", "List the newest requests, a row for each, without keys.", _activity,
          response="activity", query=_ACTIVITY),
    Route("DELETE", "requests", "Clear the journal.", _clear),
    Route("POST", "requests/count", "Count the requests that match.", _count, body="wanted",
          response="count", is_read_only=True),
    Route("GET", "hints", "List what clients do wrong though nothing fails.", _hints, response="hints"),
    Route("GET", "coverage", "Sum up which parts of the API the requests exercised.", _coverage,
          response="coverage"),
    Route("GET", "requests.har", "Return the journal as HAR 1.2.", _archive(writers.write_har),
          response="har"),
    Route("GET", "requests.ndjson", "Return the journal as NDJSON, one exchange per line.",
          _archive(writers.write_ndjson), response="ndjson"),
    Route("GET", "settings", "Read the settings of the world.", lambda it: it.world.settings(),
          response="settings"),
    Route("PUT", "settings", "Change settings of the world.",
          lambda it: it.world.set_settings(**it.fields), body="settings-change", response="settings"),
)


def _state_routes(contract: Contract) -> Iterator[Route]:
    yield Route("GET", "state", "Return the whole account as a data set.", _state, response="data-set")
    yield Route("PUT", "state", "Replace the data with a data set.", lambda it: it.world.put_state(it.body),
                body="data-set", read=partial(read_state, contract=contract))


def _of_object(resource: Resource) -> Iterator[Route]:
    """Yield the routes for a resource that is a single object."""
    name, one = resource.name, resource.singular
    yield Route("GET", name, f"Read the {one}.", lambda it: it.world.row(name), response=one)
    yield Route("PATCH", name, f"Change fields of the {one}.", lambda it: it.world.change(name, **it.fields),
                body=f"{one}-fields", response=one)


def _of_rows(resource: Resource) -> Iterator[Route]:
    """Yield the routes for the rows of a resource."""
    name, one = resource.name, resource.singular
    path = f"{name}/{{id}}"
    yield Route("GET", name, f"List all {name}.", partial(_rows, name), response=name)
    yield Route("POST", name, f"Add one {one}; fields that are left out get their default.",
                lambda it: it.world.create(name, **it.fields), body=f"new-{one}", response=one, status=201)
    yield Route("GET", path, f"Read one {one}.", lambda it: it.world.row(name, it.id), response=one)
    yield Route("PATCH", path, f"Change fields of one {one}.",
                lambda it: it.world.change(name, it.id, **it.fields), body=f"{one}-fields", response=one)
    yield Route("DELETE", path, f"Delete one {one} that no other row refers to.",
                lambda it: it.world.delete(name, it.id))
    if life := resource.lifecycle:
        summary = f"{life.end.capitalize()} one {one}."
        yield Route("POST", f"{path}/{life.end}", summary, lambda it: it.world.end(name, it.id), response=one)
# fmt: on
