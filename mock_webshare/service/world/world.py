"""A world: all that belongs to one API key.

The verbs here take and return JSON data, and data sets, which may be large; `control` offers them over
HTTP and `MockWorld` in Python, under the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_webshare.contract.timestamps import LIMIT, format_instant
from mock_webshare.errors import DataError, UnknownRow, UsageError, counted
from mock_webshare.service.data import dataset
from mock_webshare.service.data.account import Account, View
from mock_webshare.service.data.dataset import ID, LARGEST_ID, Credit, Dataset
from mock_webshare.service.data.fields import BOOLEAN, Kind, is_text, read_object, require_keys
from mock_webshare.service.settings import MOST_CREDITS, RateLimit, Settings
from mock_webshare.service.world.clock import DURATION, Clock
from mock_webshare.service.world.journal import Journal, Wanted
from mock_webshare.service.world.throttle import Throttle

if TYPE_CHECKING:
    from mock_webshare.service.faults.fault import Asked, Faults, Strike

MOST_SNAPSHOTS = 100
WORLD_SETTINGS = ("max_page_size", "default_ordering", "rate_limit", "rate_limit_clock")
"""The settings that a world may have of its own."""
CLOCK: Mapping[str, Kind] = {"now": dataset.DATE, "advance": DURATION, "running": BOOLEAN}
"""What a clock is changed by."""
_NAME = Kind(
    lambda value: is_text(value) and 0 < len(value) <= 200 and value.isprintable() and "/" not in value,
    "1 to 200 printable characters, none of them a slash",
)

Timer = Callable[[], float]


class Beginning(NamedTuple):
    """What a world begins with, and a snapshot of what it has become."""

    account: Account
    now: int
    settings: Settings
    faults: Faults | None = (
        None  # with what they have seen; a world strikes with a copy. None: there are none
    )
    is_running: bool = False


class World:
    """What the account of one key holds, its clock, faults, settings, rate limit, journal and snapshots.

    `timer` returns seconds and drives the rate limit and a running clock.
    """

    def __init__(self, beginning: Beginning, timer: Timer) -> None:
        self._beginning = beginning
        self._timer = timer
        self.reset()

    def reset(self) -> None:
        """Be as in the beginning: nothing of what was changed, set, noted or saved stays."""
        self.journal = Journal()
        self._snapshots: dict[str, Beginning] = {}
        self._restore(self._beginning)

    def _restore(self, saved: Beginning) -> None:
        self._account = saved.account
        self._clock = Clock(saved.now, self._timer)
        self._clock.set(saved.now, is_running=saved.is_running)
        # None stands for none, so that a server without any starts sooner.
        self._faults: Faults | None = None if saved.faults is None else saved.faults.copy()
        self._use(saved.settings)

    def _use(self, settings: Settings) -> None:
        self._settings = settings
        limit = RateLimit.parse(settings.rate_limit)
        self._throttle = Throttle(limit) if limit else None
        self._look()

    def _look(self) -> None:
        """Make the view anew, after a change of what an answer depends on."""
        settings = self._settings
        self._view = self._account.view(settings.max_page_size, settings.ordering_terms)
        self._due = self._account.next_due if self._clock.is_running else None

    # What the service asks, for every request.

    @property
    def now(self) -> int:
        """The instant that the world's clock shows."""
        return self._clock.now()

    @property
    def view(self) -> View:
        """What answers are made from, as of now."""
        if self._due is not None and self._due <= self._clock.now():
            self._settle()
        return self._view

    @property
    def has_faults(self) -> bool:
        """Whether any fault waits for a request."""
        return self._faults is not None

    def admit(self) -> float | None:
        """Count a request against the rate limit, and return None, or the seconds to wait."""
        if self._throttle is None:
            return None
        return self._throttle.admit(self._seconds(self._settings.rate_limit_clock))

    def strike(self, asked: Asked, *, is_answered: bool = False) -> list[Strike]:
        """Given a request, return what strikes it (see `Faults.strike`)."""
        if self._faults is None:
            return []
        return self._faults.strike(asked, self._seconds, is_answered=is_answered)

    def _seconds(self, clock: str) -> float:
        return self._timer() if clock == "real" else self._clock.now() / 1e6

    def _settle(self) -> None:
        self._account = self._account.settled(self._clock.now())
        self._look()

    def _change(self, account: Account) -> None:
        self._account = account
        self._look()

    # The verbs.

    def state(self) -> Dataset:
        """Return the whole account as a data set; it stays as it is, whatever becomes of the world."""
        return self.view.account.at(self.now)

    def put_state(self, held: Dataset) -> None:
        """Hold what a data set describes (see `read_state`), from now on; the clock shows its `now`."""
        self._clock.set(held.now, is_running=self._clock.is_running)
        self._change(Account.of(held))

    def credit(self, credit_id: int) -> dict[str, Any]:
        """Return one credit; raise `UnknownRow` if there is none of that id."""
        return self._credit(credit_id).wire()

    def create_credit(self, /, **fields: Any) -> dict[str, Any]:
        """Add a credit, and return it; a field that is not given is as in a new pending credit of now."""
        account = self.view.account
        rows = account.credits.rows
        if len(rows) >= MOST_CREDITS:
            raise UsageError(f"there are {MOST_CREDITS} credits already; more are not allowed")
        now = format_instant(self.now)
        usual = {
            "id": _following(rows),
            "user_id": min(max((row.user_id for row in rows[-100:]), default=0) + 1, LARGEST_ID),
            "mode": "payout",
            "amount": 2.5,
            "status": "pending",
            "created_at": now,
        }
        given = {**usual, **fields}
        given.setdefault("updated_at", given["created_at"])
        if account.credits.find(given["id"] if type(given["id"]) is int else 0) is not None:
            raise DataError.refused("credit", "/id", given["id"], "an id that no other credit has")
        return self._hold_credit({"reverted_at": None, **given}, fields)

    def change_credit(self, credit_id: int, /, **fields: Any) -> dict[str, Any]:
        """Change fields of a credit, and return it; `updated_at` is now, unless it is given.

        Where the clock stands it moves on all the same: no two states of a credit are of one instant.
        """
        if "id" in fields:
            raise DataError.refused("credit", "/id", fields["id"], "no id, for it never changes")
        before = self._credit(credit_id)
        updated_at = format_instant(max(before.updated_at + 1, self.now))
        changed = {**before.wire(), "updated_at": updated_at, **fields}
        return self._hold_credit(changed, fields)

    def revert_credit(self, credit_id: int) -> dict[str, Any]:
        """Revert a credit as of now, as when the purchase is undone, and return it."""
        return self.change_credit(credit_id, status="reverted")

    def delete_credit(self, credit_id: int) -> None:
        """Remove a credit, as the service never does."""
        self._change(self.view.account.without_credits([self._credit(credit_id).id]))

    def channels(self) -> list[dict[str, Any]]:
        """Return all channels, by ascending id."""
        return [channel._asdict() for channel in self._account.channels]

    def create_channel(self, /, **fields: Any) -> dict[str, Any]:
        """Add a channel, and return it; without an id it has the next one."""
        channels = self._account.channels
        require_keys("channel", "", fields, ("code",), ("id", "code"))
        usual = {"id": _following(channels)}
        channel = dataset.read_channel({**usual, **fields}, source="channel")
        if any(channel.id == each.id for each in channels):
            raise DataError.refused("channel", "/id", channel.id, "an id that no other channel has")
        self._change(self.view.account.with_channels([*channels, channel]))
        return channel._asdict()

    def delete_channel(self, channel_id: int) -> None:
        """Remove a channel that no credit names."""
        _require_id("channel", channel_id)
        account = self.view.account
        if channel_id not in account.owned["channels"]:
            raise UnknownRow("channel", channel_id)
        users = [row.id for row in account.credits.rows if row.referral_channel == channel_id]
        if users:
            named = counted(len(users), "credit")
            raise UsageError(f"channel {channel_id} is named by {named}; change what names it first")
        self._change(account.with_channels(each for each in account.channels if each.id != channel_id))

    def clock(self) -> dict[str, Any]:
        """Return what the clock shows, and whether it runs."""
        return {"now": format_instant(self.now), "running": self._clock.is_running}

    def set_clock(
        self, *, now: str | None = None, advance: str | timedelta | None = None, running: bool | None = None
    ) -> dict[str, Any]:
        """Set the clock and return it: to an instant, on by an ISO 8601 duration, standing or running.

        A credit whose pending period has passed by then is available. Going back makes none pending again.
        """
        given = {"now": now, "advance": advance, "running": running}
        given = {name: value for name, value in given.items() if value is not None}
        change = read_object("clock", "", given, CLOCK, optional=True)
        instant = change.get("now", self.now) + change.get("advance", 0)
        if not 0 <= instant < LIMIT:
            raise DataError.refused("clock", "/advance", advance, "a duration that ends from 1970 to 9998")
        self._clock.set(instant, is_running=change.get("running", self._clock.is_running))
        self._settle()
        return self.clock()

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults that are set, with how many requests each has seen and struck."""
        return [each.wire() for each in self._faults or ()]

    def add_fault(self, /, **fault: Any) -> dict[str, Any]:
        """Set a fault (see `faults`), and return it with its id."""
        from mock_webshare.service.faults.fault import Faults, parse

        parsed = parse(fault)
        self._faults = self._faults or Faults()
        return self._faults.add(parsed).wire()

    def remove_fault(self, fault_id: int) -> None:
        """Remove a fault; raise `UnknownRow` if there is none of that id."""
        _require_id("fault", fault_id)
        if self._faults is None or not self._faults.remove(fault_id):
            raise UnknownRow("fault", fault_id)

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._faults = None

    def count_requests(self, method: str, path: str, query: Mapping[str, Any] | None = None) -> int:
        """Return how many requests of the journal were like that (see `Wanted`)."""
        return self.journal.count(Wanted(method, path, query or {}))

    def settings(self) -> dict[str, Any]:
        """Return the settings of this world."""
        return {name: getattr(self._settings, name) for name in WORLD_SETTINGS}

    def set_settings(self, /, **settings: Any) -> dict[str, Any]:
        """Change some settings of this world, and return all; the rate limit begins to count anew."""
        if unknown := settings.keys() - set(WORLD_SETTINGS):
            allowed = ", ".join(WORLD_SETTINGS)
            raise DataError("settings", "", f"unknown key {min(unknown)!r:.80}; allowed: {allowed}")
        for name, value in settings.items():
            try:
                replace(self._settings, **{name: value})
            except UsageError as error:
                raise DataError("settings", f"/{name}", str(error)) from error
        self._use(replace(self._settings, **settings))
        return self.settings()

    def snapshots(self) -> list[str]:
        """Return the names of the snapshots, sorted."""
        return sorted(self._snapshots)

    def take_snapshot(self, name: str) -> None:
        """Save account, clock, settings and faults, with what these have seen, under a name.

        Journal and rate limit are none of it.
        """
        _require_name(name)
        if len(self._snapshots) >= MOST_SNAPSHOTS and name not in self._snapshots:
            raise UsageError(f"there are {MOST_SNAPSHOTS} snapshots already; delete some first")
        faults = None if self._faults is None else self._faults.copy()
        self._snapshots[name] = Beginning(
            self.view.account, self.now, self._settings, faults, self._clock.is_running
        )

    def restore_snapshot(self, name: str) -> None:
        """Be as when a snapshot was taken; raise `UnknownRow` if there is none of that name."""
        _require_name(name)
        if name not in self._snapshots:
            raise UnknownRow("snapshot", name)
        self._restore(self._snapshots[name])

    def delete_snapshot(self, name: str) -> None:
        """Forget a snapshot; raise `UnknownRow` if there is none of that name."""
        _require_name(name)
        if self._snapshots.pop(name, None) is None:
            raise UnknownRow("snapshot", name)

    def _credit(self, credit_id: int) -> Credit:
        _require_id("credit", credit_id)
        table = self.view.account.credits
        position = table.find(credit_id)
        if position is None:
            raise UnknownRow("credit", credit_id)
        credit: Credit = table.rows[position]
        return credit

    def _hold_credit(self, credit: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Hold a credit whose dependent fields follow from the given ones, and return it."""
        account = self.view.account
        _fill_channel(credit, given, account.channels)
        if "reverted_at" not in given:
            is_reverted = credit["status"] == "reverted"
            credit["reverted_at"] = (credit["reverted_at"] or credit["updated_at"]) if is_reverted else None
        ordered = {name: credit.pop(name) for name in Credit._fields}
        held = dataset.read_credit({**ordered, **credit}, account.channels, source="credit")
        self._change(account.with_credit(held))
        return held.wire()


def read_state(document: Any) -> Dataset:
    """Given a data set as JSON data, return it; raise `DataError` if it is none, or has too many credits."""
    credits = document.get("credits") if isinstance(document, dict) else None
    if isinstance(credits, list) and len(credits) > MOST_CREDITS:
        raise DataError("state", "/credits", f"has {len(credits)} rows; allowed: {MOST_CREDITS}")
    return dataset.from_wire(document, source="state")


def _require_id(kind: str, value: object) -> None:
    # Any whole number may be asked for, and is not found; True is one to Python, and no id.
    if not isinstance(value, int) or isinstance(value, bool):
        raise UsageError(f"{kind} id {value!r:.80} is not allowed; allowed: {ID.allowed}")


def _require_name(name: object) -> None:
    if not _NAME.is_allowed(name):
        raise UsageError(f"snapshot name {name!r:.80} is not allowed; allowed: {_NAME.allowed}")


def _following(rows: Sequence[Any]) -> int:
    """Given rows by ascending id, return the id of one more: after the last, or else where one is free."""
    bound = LARGEST_ID + 1
    for row in reversed(rows):
        if row.id + 1 < bound:
            return int(row.id) + 1
        bound = row.id
    return 1


def _fill_channel(credit: dict[str, Any], given: Mapping[str, Any], channels: Any) -> None:
    """Given a credit of which one of the two channel fields was given, fill in the other."""
    codes: dict[Any, str] = {channel.id: channel.code for channel in channels}
    ids: dict[Any, int] = {channel.code: channel.id for channel in channels}
    channel, code = "referral_channel", "referral_channel_code"
    if channel in given and code not in given:
        value = given[channel]
        credit[code] = codes.get(value) if isinstance(value, int) else None
    elif code in given and channel not in given:
        value = given[code]
        credit[channel] = ids.get(value) if isinstance(value, str) else None
    credit.setdefault(channel, None)
    credit.setdefault(code, None)
