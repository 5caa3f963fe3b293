"""The worlds by key: created on first use; if there are too many, the least recently used are deleted."""

from __future__ import annotations

import json
import logging
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import count
from typing import Any, NamedTuple, Protocol

from mock_webshare.contract.timestamps import zone
from mock_webshare.errors import UsageError
from mock_webshare.service.data import dataset as datasets
from mock_webshare.service.data import generator
from mock_webshare.service.data.account import Account
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.data.settlement import settled, shifted, with_period
from mock_webshare.service.faults import Faults, Mutation, parse, path_warning
from mock_webshare.service.settings import REFUSED_KEY, SCENARIO_PREFIX, Settings
from mock_webshare.service.world import scenarios
from mock_webshare.service.world.journal import Entry, Journal, new_id
from mock_webshare.service.world.scenarios import Scenario
from mock_webshare.service.world.world import Beginning, Budget, Timer, World

MAX_WORLDS = 10_000
MAX_JOURNAL_BYTES = 512 * 1024 * 1024
"""About how many bytes all journals may take; beyond that, those of the least recently used worlds go."""
LONGEST_NAME = 300
"""Characters of the name of a world that are kept; the id of a test with many parameters is long."""
_log = logging.getLogger(__name__)


class KeyUser(NamedTuple):
    """The test that uses a key."""

    test: str | None = ""
    """The name of the test; empty: it has no name. None: nothing about the test is reported."""
    keyless: int = 0
    """How many requests had come without a known key before the test."""
    has_failed: bool = False
    """Whether the test has failed, so that its client may have been interrupted."""


class Retired(NamedTuple):
    """A key that is no longer used."""

    key: str
    keyless: int = 0
    """How many requests had come without a known key when this key was retired."""


class Watcher(Protocol):
    """Examines requests before a journal drops them."""

    def note(self, key: str, world: World, is_over: bool) -> None:
        """Examine the requests of a world; `is_over` is True if its clients send no more."""

    def noted(self, key: str) -> list[dict[str, Any]]:
        """Return the results of `note` for a key that are not reported yet, as JSON data."""

    def note_keyless(self, entries: Sequence[Entry], test: str | None) -> None:
        """Examine requests without a known key that came during a test, or between tests."""

    def finish(self, key: str, test: str | None) -> None:
        """Report the results of `note` for a key, under the name of a test."""


class Worlds:
    """The worlds of a server, which share one account until they change it.

    Beyond `MAX_WORLDS`, the least recently used ones are deleted. `reached` is called at the first request.
    `watcher`, unless None, sees requests before they are dropped. `mutation`, unless None, is in every world.
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: Settings,
        timer: Timer,
        reached: Callable[[], object] = lambda: None,
        watcher: Watcher | None = None,
        mutation: Mutation | None = None,
    ) -> None:
        self._settings = settings
        self._timer = timer
        is_running = settings.clock == "running"
        faults = _initial_faults(settings)
        for each in faults or ():
            if each.warning:
                _log.warning("fault %d: %s", each.number, each.warning)
        self._beginning = Beginning(Account.of(dataset), dataset.now, settings, faults, is_running)
        self._scenarios: dict[str, Beginning] = {}
        self._worlds: OrderedDict[str, World] = OrderedDict()
        self._keys: dict[str, str] = {}  # of the worlds by their ids
        self._names: dict[str, str] = {}  # of worlds by their keys, set by any thread
        self._numbers = count(1)
        self.id = new_id()
        """A random id of the server, another one after a restart."""
        self.keyless = Journal()
        self.retired: deque[Retired] = deque()  # appended by any thread
        self.users: dict[str, KeyUser] = {}  # by their keys, added by any thread
        self.watcher = watcher
        self._keyless_seen = 0  # how many of `keyless` the watcher has seen
        self._evicted = 0
        self.not_served = Counter[str]()  # requests by the operation that is not served
        self.is_reached = False
        self._reached = reached
        self._mutation = mutation
        self._journal_bytes = 0
        self.budget = Budget()

        self._load()

    @property
    def _default(self) -> Beginning:
        """The initial state of the worlds of keys that name no scenario."""
        name = self._settings.scenario
        return self._beginning if name is None else self._scenario(name)

    def _load(self) -> None:
        """Read from files what any request may need: later, a test may have replaced the file system."""
        zone()
        contract = self._settings.contract
        generator.seeded(self._settings.seed, 0, contract=contract)
        for name, scenario in scenarios.of(contract).items():
            if scenario.data is not None or name == self._settings.scenario:
                self._scenario(name)

    def __len__(self) -> int:
        return len(self._worlds)

    @property
    def now(self) -> int:
        """The initial time of every world."""
        return self._default.now

    def get(self, key: str) -> World | None:
        """Return the world of a well-formed key, or None if the key is not known."""
        world = self._worlds.get(key)
        if world is None:
            beginning = self._beginning_of(key)
            return None if beginning is None else self._create(key, beginning)
        self._worlds.move_to_end(key)
        return world

    def peek(self, key: str) -> World | None:
        """Return the world of a key like `get`, but do not create it, and do not mark it as used.

        If the world does not exist yet, return another world in the initial state, which is not kept.
        """
        if (world := self._worlds.get(key)) is not None:
            return world
        beginning = self._beginning_of(key)
        return None if beginning is None else World(beginning, self._timer)

    def key_of(self, world_id: str) -> str | None:
        """Return the key of the world with an id; None if the world does not exist any more."""
        return self._keys.get(world_id)

    def recent(self) -> Iterator[tuple[str, World]]:
        """Yield the worlds with their keys, the most recently used first."""
        return reversed(self._worlds.items())

    def name(self, key: str, name: str) -> None:
        """Name the world of a key, now or when it is created; any thread may call this."""
        self._names[key] = name
        if (world := self._worlds.get(key)) is not None:
            world.given_name = name

    def retire(self, key: str) -> None:
        """Delete the world of a key when the next one is created; any thread may call this."""
        self._names.pop(key, None)
        self.retired.append(Retired(key, self.keyless.total))

    def _name(self, key: str) -> str:
        """Return the name of a new world: its scenario, or `world`, with a number unless a user named it."""
        if scenario := scenarios.name_of(key):
            return f"{SCENARIO_PREFIX}{scenario}"
        return "world" if key in self._names else f"world {next(self._numbers)}"

    @cached_property
    def open(self) -> World:
        """The world of requests without a known key, which are sent to endpoints that need no key."""
        return World(self._default, self._timer, self.budget, mutation=self._mutation)

    def require(self, key: str) -> World:
        world = self.get(key)
        if world is None:
            raise _unknown_key()
        return world

    def create(self, key: str, beginning: Beginning) -> World:
        """Replace the world of a key by a new one; raise `UsageError` for an unknown key."""
        if self._beginning_of(key) is None:
            raise _unknown_key()
        return self._create(key, beginning)

    def _create(self, key: str, beginning: Beginning) -> World:
        while self.retired:
            self._retire(self.retired.popleft())
        self._discard(key)
        world = self._worlds[key] = self._new(key, beginning)
        world.id, world.given_name = new_id(), self._names.get(key)
        self._keys[world.id] = key
        if len(self._worlds) > MAX_WORLDS:
            oldest = next(iter(self._worlds))
            self._names.pop(oldest, None)
            self._retire(Retired(oldest))
            self._evicted += 1
            if self._evicted == 1:
                _log.warning("more than %d keys: the least recently used worlds are deleted", MAX_WORLDS)
        return world

    def _new(self, key: str, beginning: Beginning) -> World:
        note = partial(self.watcher.note, key) if self.watcher else None
        return World(beginning, self._timer, self.budget, self._name(key), note, self._mutation)

    def _discard(self, key: str) -> None:
        if world := self._worlds.pop(key, None):
            user = self.users.get(key, KeyUser())
            if self.watcher is not None and user.test is not None:
                self.watcher.note(key, world, not user.has_failed)
            del self._keys[world.id]
            world.discard()

    def _retire(self, retired: Retired) -> None:
        """Delete the world of a key that is no longer used."""
        self._discard(retired.key)
        user = self.users.pop(retired.key, KeyUser())
        if self.watcher is not None:
            self._show_keyless(user.keyless, "")
            self._show_keyless(retired.keyless, user.test)
            self.watcher.finish(retired.key, user.test)

    def _show_keyless(self, total: int, test: str | None) -> None:
        """Show the watcher the first `total` requests without a known key, except those it has seen."""
        if self.watcher is not None and (count := total - self._keyless_seen) > 0:
            self.watcher.note_keyless(self.keyless.since(self._keyless_seen)[:count], test)
            self._keyless_seen = total

    def clear_keyless(self) -> None:
        """Clear the journal of requests without a known key."""
        self._show_keyless(self.keyless.total, "")
        self.keyless.clear()
        self._keyless_seen = 0

    def close(self) -> None:
        """Show the watcher everything that it has not seen."""
        while self.retired:
            self._retire(self.retired.popleft())
        for key in list(self._worlds):
            self._retire(Retired(key, self.keyless.total))
        self._show_keyless(self.keyless.total, "")

    def count_other_requests(self, key: str, since: float) -> int:
        """Return how many requests without this key came since a time in seconds (see `Entry.began`)."""
        journals = [world.journal for each, world in self._worlds.items() if each != key]
        return sum(entry.began >= since for journal in (*journals, self.keyless) for entry in journal)

    def counted(self) -> dict[str, int]:
        """Return how many worlds there are, how many there can be, and how many were deleted to make room."""
        return {"worlds": len(self._worlds), "most": MAX_WORLDS, "forgotten": self._evicted}

    def record(self, journal: Journal, entry: Entry, size: int | None = None) -> None:
        """Add a request to one of the journals; empty some journals if all together are too large."""
        if not self.is_reached:
            self.reach()
        before = journal.size
        journal.add(entry, size)
        self._journal_bytes += journal.size - before
        if self._journal_bytes > MAX_JOURNAL_BYTES:
            self._drop_journals()

    def reach(self) -> None:
        """Note that a request came, to this server or to a mock that a client has started."""
        self.is_reached = True
        self._reached()

    def _drop_journals(self) -> None:
        journals = {key: world.journal for key, world in self._worlds.items()}
        # Counted again, because cleared requests are still in the sum.
        self._journal_bytes = sum(journal.size for journal in journals.values()) + self.keyless.size
        if self._journal_bytes <= MAX_JOURNAL_BYTES:
            return
        for key, journal in journals.items():
            if self._journal_bytes <= MAX_JOURNAL_BYTES // 2:
                break
            if self.watcher is not None:
                self.watcher.note(key, self._worlds[key], False)
            self._journal_bytes -= journal.size
            journal.drop()

    def delete_all(self) -> None:
        """Delete all worlds, and the requests that came without a known key."""
        self.close()
        self.clear_keyless()
        self._evicted = 0

    def renew(self, dataset: Dataset) -> dict[str, int]:
        """Replace the initial data; return how many worlds have the new data now, and how many after a reset.

        A world that was changed keeps its data until it is reset. A world that began with other data is
        neither changed nor counted.
        """
        before, account = self._beginning.account, Account.of(dataset)

        def renewed(state: Beginning) -> Beginning:
            return state._replace(account=account, now=dataset.now)

        self._beginning = renewed(self._beginning)
        for name, each in self._scenarios.items():
            self._scenarios[name] = renewed(each) if each.account is before else each
        if self.open.initial.account is before:
            self.open.renew(renewed(self.open.initial))
        concerned = [world for world in self._worlds.values() if world.initial.account is before]
        counted = Counter(world.renew(renewed(world.initial)) for world in concerned)
        return {"renewed": counted[True], "kept": counted[False]}

    def beginning(self, *, dataset: Dataset | None = None, scenario: str | None = None) -> Beginning:
        """Return the initial state of a world with a data set, in a scenario, or both.

        Raise `UnknownName` if the scenario does not exist.
        """
        default = self._default if scenario is None else self._scenario(scenario)
        if dataset is None:
            return default
        return default._replace(account=Account.of(dataset), now=dataset.now)

    def _beginning_of(self, key: str) -> Beginning | None:
        if key == REFUSED_KEY or (self._settings.api_keys and key not in self._settings.api_keys):
            return None
        name = scenarios.name_of(key)
        if name is None:
            return self._default
        return self._scenario(name) if name in scenarios.of(self._settings.contract) else None

    def _scenario(self, name: str) -> Beginning:
        scenario = scenarios.find(name, self._settings.contract)
        if name not in self._scenarios:
            self._scenarios[name] = self._made(scenario)
        return self._scenarios[name]

    def _made(self, scenario: Scenario) -> Beginning:
        contract = self._settings.contract
        beginning = self._beginning._replace(
            settings=replace(self._settings, **scenario.settings),
            is_scenario=True,
            faults=_initial_faults(self._settings, scenario.faults),
        )
        if scenario.data is not None:
            dataset = datasets.load(scenario.data, contract)
        elif scenario.credits is not None:
            dataset = generator.seeded(self._settings.seed, scenario.credits, contract=contract)
        else:
            return beginning
        dataset = arranged(dataset, self._settings)
        return beginning._replace(account=Account.of(dataset), now=dataset.now)


def _initial_faults(settings: Settings, more: Iterable[Mapping[str, Any]] = ()) -> Faults | None:
    """Return the faults of the settings, followed by `more`; None if there are no faults."""
    faults, contract = Faults(), settings.contract
    initial = (json.loads(each) for each in settings.faults if isinstance(each, str))
    for document in (*initial, *more):
        fault = parse(document, contract)
        faults.add(fault, path_warning(fault, contract))
    return faults if len(faults) else None


def arranged(dataset: Dataset, settings: Settings) -> Dataset:
    """Return a data set with the pending period and at the time that the settings name."""
    if settings.pending_days is not None:
        dataset = with_period(dataset, settings.pending_days)
    if (moved_to := settings.shifted_to) is not None:
        return shifted(dataset, moved_to)
    return dataset if (now := settings.now_instant) is None else settled(dataset, now)


def require_name(name: object) -> str:
    """Return the name of a world, cut if it is too long; raise `UsageError` if it is not a text."""
    if not isinstance(name, str) or not name:
        raise UsageError.invalid("name", name, "a text")
    return name[:LONGEST_NAME]


def _unknown_key() -> UsageError:
    return UsageError("there is no world of this key, for the server refuses the key")
