"""A world: the isolated state of one API key.

Its methods take and return JSON data, or data sets, which may be large; `control` offers them over
HTTP and `MockWorld` in Python, under the same names.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import Contract, Resource
from mock_webshare.contract.timestamps import LIMIT, format_instant
from mock_webshare.errors import Conflict, Contradiction, DataError, NotFound, UnknownName, UsageError
from mock_webshare.service.data import dataset
from mock_webshare.service.data.account import Account, Table, View
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.data.fields import (
    BOOLEAN,
    DATE,
    ID,
    FieldType,
    is_integer,
    is_string,
    read_object,
    require_keys,
)
from mock_webshare.service.data.resources import UPDATED_AT, RowType, row_types, size_of
from mock_webshare.service.faults import ActiveMutation, Faults, Mutation, Strike, parse, path_warning
from mock_webshare.service.framework.request import Request
from mock_webshare.service.settings import MAX_ROWS, RateLimit, Settings
from mock_webshare.service.world.clock import DURATION, Clock, Throttle
from mock_webshare.service.world.journal import Journal, RequestMatcher

_log = logging.getLogger(__name__)
MAX_SNAPSHOTS = 100
MAX_HELD_BYTES = 1024 * 1024 * 1024
"""About how many bytes changed accounts and snapshots of all worlds may take: a CI runner may have 4 GiB."""
_SNAPSHOT_BYTES = 1024  # of a snapshot besides account and faults
WORLD_SETTINGS = ("max_page_size", "default_ordering", "unknown_code", "rate_limit", "rate_limit_clock")
"""The settings that can be changed for one world."""
CLOCK: Mapping[str, FieldType] = {"now": DATE, "advance": DURATION, "running": BOOLEAN}
"""The parameters of `World.set_clock`, and their types."""


def _is_refused(character: str) -> bool:
    """Return whether the name of a snapshot must not have a character; `openapi.json` has the same rule."""
    return character < " " or "\x7f" <= character <= "\x9f" or character in "/\u2028\u2029"


_NAME = FieldType(
    lambda value: is_string(value) and 0 < len(value) <= 200 and not any(map(_is_refused, value)),
    "1 to 200 printable characters, none of them a slash",
)
_ANY_ID = ID._replace(is_allowed=is_integer)  # an integer out of range is an id that is not found

Timer = Callable[[], float]


class Beginning(NamedTuple):
    """The initial state of a world, or a later state that was saved."""

    account: Account
    now: int
    settings: Settings
    faults: Faults | None = None  # with their counts; a world uses a copy. None: there are none
    is_running: bool = False
    is_scenario: bool = False


class Snapshot(NamedTuple):
    """A saved state, and about how many bytes it takes besides its account."""

    state: Beginning
    size: int


class Budget:
    """The bytes that changed accounts and snapshots of all worlds take together."""

    def __init__(self) -> None:
        self.used = 0

    def replace(self, before: int, after: int, *, is_limited: bool = True) -> None:
        """Count `after` bytes of a world instead of `before`; raise `Conflict` if the sum grows too large."""
        used = self.used - before + after
        if is_limited and after > before and used > MAX_HELD_BYTES:
            raise Conflict(
                f"changed accounts and snapshots of all worlds take {self.used} bytes, and this needs "
                f"{after - before} more; allowed: {MAX_HELD_BYTES}; delete snapshots, reset or delete worlds"
            )
        self.used = used


class _Throttles(dict[str, Throttle]):
    """The throttles of writes that have a rate limit of their own, by the rate; made when first needed."""

    def __missing__(self, rate: str) -> Throttle:
        limit = RateLimit.parse(rate)
        assert limit
        self[rate] = Throttle(limit)
        return self[rate]


class World:
    """The account of one key, its clock, faults, settings, journal and snapshots.

    `id` is random, so that it can be shown where the key must not be; empty: the world is not registered.
    `name` is for people: the `given_name`, in which a user may have written anything, or else one of ours.
    `changes` counts all changes except those of the journal. `timer` returns seconds and drives the rate
    limit and a running clock; `budget` limits what all worlds that share it hold besides their initial
    accounts. `clears` is called before the journal is cleared, with True if the world is reset, after which
    no client goes on. `mutation`, unless None, strikes in addition to the faults.
    """

    def __init__(
        self,
        beginning: Beginning,
        timer: Timer,
        budget: Budget | None = None,
        name: str = "world",
        clears: Callable[[World, bool], object] | None = None,
        mutation: Mutation | None = None,
    ) -> None:
        self.id = ""
        self._name = name
        self.given_name: str | None = None
        self.changes = 0
        self._beginning = self.initial = beginning  # the next reset sets `_beginning` to `initial`
        self._timer = timer
        self._budget = budget or Budget()
        self._clears = clears
        self._held = 0
        self.journal = Journal()
        self._mutation = ActiveMutation(mutation) if mutation else None
        self.reset()
        self.changes = 0

    def reset(self) -> None:
        """Reset to the initial state; journal and snapshots are cleared."""
        if self._clears and self.journal.total:
            self._clears(self, True)
        self.journal = Journal()
        self._beginning = self.initial
        self._hold(self._beginning.account, {})
        self._restore(self._beginning)

    @property
    def name(self) -> str:
        return self.given_name or self._name

    @property
    def start(self) -> Beginning:
        """The initial state, from which differences are counted."""
        return self._beginning

    @property
    def is_changed(self) -> bool:
        """Whether data, clock, settings or faults were changed since the start."""
        names, start = WORLD_SETTINGS, self._beginning
        has_settings = all(getattr(self._settings, name) == getattr(start.settings, name) for name in names)
        faults, initial = (
            [(each.number, each.fault) for each in held or ()] for held in (self._faults, start.faults)
        )
        return not (self._is_unchanged and has_settings and faults == initial)

    def renew(self, initial: Beginning) -> bool:
        """Take another initial state; return True if its data are served at once, False if after a reset.

        They are served at once if data and clock of the world are unchanged; its faults and settings stay.
        """
        self.initial = initial
        if not self._is_unchanged:
            return False
        self._beginning = initial
        self._hold(initial.account, self._snapshots, is_limited=False)
        self._clock.set(initial.now, is_running=initial.is_running)
        self._update_view()
        return True

    @property
    def _is_unchanged(self) -> bool:
        """Whether the data are the initial ones, and the clock was not set."""
        before, clock = self._beginning, self._clock
        is_at_start = clock.is_running or clock.now() == before.now
        return is_at_start and clock.is_running == before.is_running and self._account is before.account

    def _hold(self, account: Account, snapshots: dict[str, Snapshot], *, is_limited: bool = True) -> None:
        """Replace account and snapshots; raise `Conflict` if all worlds would hold too much."""
        held = 0
        if snapshots or account is not self._beginning.account:
            accounts = {account, *(each.state.account for each in snapshots.values())}
            tables = {table for each in accounts for table in each.tables.values()}
            tables |= {table.origin for table in tables if table.origin}
            tables.difference_update(self._beginning.account.tables.values())
            held = sum(table.size for table in tables) + sum(each.size for each in snapshots.values())
        self._budget.replace(self._held, held, is_limited=is_limited)
        self._account, self._snapshots, self._held = account, snapshots, held
        self.changes += 1

    def discard(self) -> None:
        """Subtract what the world holds from the budget, because the world is not used any more."""
        self._budget.replace(self._held, 0)
        self._held = 0

    def _restore(self, saved: Beginning) -> None:
        self._hold(saved.account, self._snapshots)
        self._clock = Clock(saved.now, self._timer)
        self._clock.set(saved.now, is_running=saved.is_running)
        self._faults = deepcopy(saved.faults)  # most worlds have none
        self._apply(saved.settings)

    def _apply(self, settings: Settings) -> None:
        self.changes += 1
        self._settings = settings
        limit = RateLimit.parse(settings.rate_limit)
        self._throttle = Throttle(limit) if limit else None
        self._throttles = _Throttles()
        self._update_view()

    def _update_view(self) -> None:
        """Update the view after a change of what responses depend on."""
        settings = self._settings
        self._view = self._account.view(
            settings.max_page_size, settings.ordering_terms, settings.unknown_code
        )
        self._due = self._account.next_due if self._clock.is_running else None

    # For the service, which calls these for every request.

    @property
    def now(self) -> int:
        return self._clock.now()

    @property
    def view(self) -> View:
        """What responses are made from, as of now."""
        if self._due is not None and self._due <= self._clock.now():
            self._settle()
        return self._view

    @property
    def has_faults(self) -> bool:
        return self._faults is not None or self._mutation is not None

    @property
    def can_wait(self) -> bool:
        """Whether real waiting helps a client that is over the rate limit."""
        return self.journal.is_time_real and self._settings.rate_limit_clock == "real"

    def admit(self, rate: str | None = None) -> float | None:
        """Count a request against the rate limit, and against `rate`; return the seconds to wait, or None."""
        if self._throttle is None:
            return None
        now = self._seconds(self._settings.rate_limit_clock)
        wait = self._throttle.admit(now)
        if rate is None:
            return wait
        return max(
            (each for each in (wait, self._throttles[rate].admit(now)) if each is not None), default=None
        )

    def strike(self, request: Request, *, has_response: bool = False) -> list[Strike]:
        """Return the strikes on a request; the strike of the mutation comes first (see `Faults.strike`)."""
        strikes, faults = list[Strike](), self._faults
        if self._mutation is not None:
            strikes = self._mutation.strike(request, has_faults=bool(faults), has_response=has_response)
        if faults is None:
            return strikes
        has_response = has_response or any(each.fault.is_response for each in strikes)
        return strikes + faults.strike(request, self._seconds, has_response=has_response)

    def _seconds(self, clock: str) -> float:
        return self._timer() if clock == "real" else self._clock.now() / 1e6

    def _settle(self) -> None:
        # Not limited: a running clock settles rows at any request, which cannot be refused for that.
        self._hold(self._account.settled(self._clock.now()), self._snapshots, is_limited=False)
        self._update_view()

    def _set_account(self, account: Account) -> None:
        self._hold(account, self._snapshots)
        self._update_view()

    # For tests, over HTTP and in Python.

    def state(self) -> Dataset:
        """Return the whole account as a data set, unaffected by later changes."""
        return self.view.account.at(self.now)

    def put_state(self, dataset: Dataset) -> None:
        """Replace the data by a data set (see `read_state`); set the clock to its `now`."""
        self._hold(Account.of(dataset), self._snapshots)
        self._clock.set(dataset.now, is_running=self._clock.is_running)
        self._update_view()

    def rows(self, name: str) -> Sequence[Any]:
        """Return the rows of a resource by ascending id, unaffected by later changes."""
        return self._table(name).rows

    def row(self, name: str, row_id: int | None = None) -> dict[str, Any]:
        """Return one row as JSON data; without an id, the one object of the resource."""
        wire: dict[str, Any] = self._row(name, row_id).wire()
        return wire

    def create(self, name: str, /, **fields: Any) -> dict[str, Any]:
        """Add a row, and return it; a field that is not given has its default as of now."""
        rows, row_type = self._table(name).rows, self._row_type(name)
        _require_rows(row_type.resource)
        if len(rows) >= MAX_ROWS:
            raise Conflict(f"there are {MAX_ROWS} {name} already; more are not allowed")
        completed = row_type.with_defaults(fields, rows, format_instant(self.now))
        row_id, singular = completed.get("id"), row_type.resource.singular
        if type(row_id) is int and self._table(name).find(row_id) is not None:
            raise Contradiction.invalid(singular, "/id", row_id, f"an id that no other {singular} has")
        return self._store(row_type, completed, fields)

    def change(self, name: str, row_id: int | None = None, /, **fields: Any) -> dict[str, Any]:
        """Change fields of a row, and return the row; `updated_at` is now, unless it is given.

        `updated_at` increases even if the clock stands still, so that it differs in any two states of a row.
        """
        before, row_type = self._row(name, row_id), self._row_type(name)
        if "id" in fields:
            singular = row_type.resource.singular
            raise DataError.invalid(singular, "/id", fields["id"], "no id, for it never changes")
        changed = before.wire()
        if UPDATED_AT in changed:
            changed[UPDATED_AT] = format_instant(max((before.updated_at or 0) + 1, self.now))
        return self._store(row_type, {**changed, **fields}, fields)

    def end(self, name: str, row_id: int) -> dict[str, Any]:
        """End a row as of now (a credit is then reverted), and return the row."""
        life = self._row_type(name).resource.lifecycle
        if life is None:
            raise UsageError(
                f"{name} cannot be ended, for they have no lifecycle; change or delete one instead"
            )
        return self.change(name, row_id, **{life.field: life.ended})

    def delete(self, name: str, row_id: int) -> None:
        """Delete a row; raise `Conflict` if other rows refer to it."""
        row, resource = self._row(name, row_id), self._row_type(name).resource
        _require_rows(resource)
        self._set_account(self.view.account.without_row(resource, row.id))

    def clock(self) -> dict[str, Any]:
        """Return the time of the clock, and whether it runs."""
        return {"now": format_instant(self.now), "running": self._clock.is_running}

    def set_clock(
        self, *, now: str | None = None, advance: str | timedelta | None = None, running: bool | None = None
    ) -> dict[str, Any]:
        """Set the clock, advance it by an ISO 8601 duration, start or stop it; return what `clock` returns.

        Rows whose pending period has passed by then ripen: a pending credit becomes available. Setting the
        clock back does not undo that.
        """
        given = {"now": now, "advance": advance, "running": running}
        given = {name: value for name, value in given.items() if value is not None}
        if not given:
            raise DataError("clock", "", "nothing is given; needed: now, advance (like P30D) or running")
        change = read_object("clock", "", given, CLOCK, optional=True)
        instant = change.get("now", self.now) + change.get("advance", 0)
        if not 0 <= instant < LIMIT:
            allowed = "a duration that ends from 1970 to 9998"
            raise Contradiction.invalid("clock", "/advance", advance, allowed)
        self._hold(self.view.account.settled(instant), self._snapshots)
        self._clock.set(instant, is_running=change.get("running", self._clock.is_running))
        self._update_view()
        return self.clock()

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults; `seen` counts matching requests, `struck` those to which a fault was applied."""
        return [each.wire() for each in self._faults or ()]

    def add_fault(self, /, **fault: Any) -> dict[str, Any]:
        """Set a fault (see `faults`), and return it with its id.

        If the service does not have the path of the fault, the result and the log have a warning.
        """
        parsed = parse(fault, self._contract)
        self._faults = self._faults or Faults()
        added = self._faults.add(parsed, path_warning(parsed, self._contract))
        self.changes += 1
        if added.warning:
            _log.warning("fault %d: %s", added.number, added.warning)
        return added.wire()

    def remove_fault(self, fault_id: int) -> None:
        """Remove a fault; raise `NotFound` if it does not exist."""
        _ANY_ID.require("fault id", fault_id)
        if self._faults is None or not self._faults.remove(fault_id):
            raise NotFound("fault", fault_id)
        self.changes += 1

    def clear_faults(self) -> None:
        self.changes += 1
        self._faults = None

    def count_requests(self, method: str, path: str, query: Mapping[str, Any] | None = None) -> int:
        """Return how many requests of the journal match (see `RequestMatcher`)."""
        return self.journal.count(RequestMatcher(method, path, query or {}))

    def clear_requests(self) -> None:
        """Clear the journal."""
        if self._clears:
            self._clears(self, False)
        self.journal.clear()

    def settings(self) -> dict[str, Any]:
        return {name: getattr(self._settings, name) for name in WORLD_SETTINGS}

    def set_settings(self, /, **settings: Any) -> dict[str, Any]:
        """Change settings, and return all; the rate limit counts from zero again."""
        require_keys("settings", "", settings, (), WORLD_SETTINGS)
        for name, value in settings.items():
            try:
                replace(self._settings, **{name: value})
            except UsageError as error:
                raise DataError("settings", f"/{name}", str(error)) from error
        self._apply(replace(self._settings, **settings))
        return self.settings()

    def rate_limit(self) -> dict[str, Any]:
        """Return the rate limit, its clock, and how many requests are left; None left: there is no limit."""
        clock, throttle = self._settings.rate_limit_clock, self._throttle
        left = None if throttle is None else throttle.left(self._seconds(clock))
        return {"rate": self._settings.rate_limit, "clock": clock, "left": left}

    def snapshots(self) -> list[str]:
        """Return the names of the snapshots, sorted."""
        return sorted(self._snapshots)

    def take_snapshot(self, name: str) -> None:
        """Save account, clock, settings and faults, but neither journal nor rate limit."""
        _NAME.require("snapshot name", name)
        if len(self._snapshots) >= MAX_SNAPSHOTS and name not in self._snapshots:
            raise Conflict(f"there are {MAX_SNAPSHOTS} snapshots already; delete some first")
        faults = deepcopy(self._faults)
        state = Beginning(self.view.account, self.now, self._settings, faults, self._clock.is_running)
        size = _SNAPSHOT_BYTES + sum(each.size for each in faults or ())
        self._hold(self._account, {**self._snapshots, name: Snapshot(state, size)})

    def restore_snapshot(self, name: str) -> None:
        """Restore what a snapshot saved; raise `NotFound` if it does not exist."""
        _NAME.require("snapshot name", name)
        if name not in self._snapshots:
            raise NotFound("snapshot", name)
        self._restore(self._snapshots[name].state)

    def delete_snapshot(self, name: str) -> None:
        """Delete a snapshot; raise `NotFound` if it does not exist."""
        _NAME.require("snapshot name", name)
        if name not in self._snapshots:
            raise NotFound("snapshot", name)
        kept = {each: snapshot for each, snapshot in self._snapshots.items() if each != name}
        self._hold(self._account, kept)

    @property
    def _contract(self) -> Contract:
        return self._settings.contract

    def _row_type(self, name: str) -> RowType:
        types = row_types(self._contract)
        if name not in types:
            raise UnknownName("resource", name, sorted(types))
        return types[name]

    def _table(self, name: str) -> Table:
        return self.view.account.tables[self._row_type(name).resource.name]

    def _row(self, name: str, row_id: int | None) -> Any:
        table, resource = self._table(name), self._row_type(name).resource
        if resource.is_object:
            return table.rows[0]
        _ANY_ID.require(f"{resource.singular} id", row_id)
        position = table.find(row_id or 0)
        if position is None:
            raise NotFound(resource.singular, row_id)
        return table.rows[position]

    def _store(self, row_type: RowType, fields: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Store a row, with the fields that follow from the given ones, and return it."""
        account, resource = self.view.account, row_type.resource
        sources = row_type.sources({name: table.rows for name, table in account.tables.items()})
        row = row_type.read(
            resource.singular, "", row_type.completed(fields, given, sources, format_instant(self.now))
        )
        row_type.check_relations(resource.singular, "", row, sources)
        self._set_account(account.with_row(resource, row))
        wire: dict[str, Any] = row.wire()
        return wire


def read_state(document: Any, contract: Contract = WEBSHARE) -> Dataset:
    """Return the data set in JSON data; raise `DataError` if it is bad or too large."""
    for name in contract.resources:
        rows = document.get(name) if isinstance(document, dict) else None
        if isinstance(rows, list) and len(rows) > MAX_ROWS:
            raise DataError("state", f"/{name}", f"has {len(rows)} rows; allowed: {MAX_ROWS}")
    found = dataset.from_wire(document, source="state", contract=contract)
    # The sizes of rows and their JSON are counted here, because the event loop does not wait for this.
    return replace(found, sizes={name: 2 * sum(map(size_of, rows)) for name, rows in found.rows.items()})


def _require_rows(resource: Resource) -> None:
    if resource.is_object:
        raise UsageError(f"there is one {resource.singular} only; change it instead")
