"""The worlds by key: made on first use, forgotten when too many others were used since."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from mock_webshare.errors import UsageError
from mock_webshare.service.data import dataset as datasets
from mock_webshare.service.data import generator
from mock_webshare.service.data.account import Account, advance
from mock_webshare.service.data.dataset import Dataset
from mock_webshare.service.settings import REFUSED_KEY, SCENARIO_PREFIX, Settings
from mock_webshare.service.world.journal import Entry, Journal
from mock_webshare.service.world.world import Beginning, Timer, World

if TYPE_CHECKING:
    from mock_webshare.service.world.scenarios import Scenario

MOST_WORLDS = 10_000
MOST_NOTED = 512 * 1024 * 1024
"""About how many bytes of requests all journals keep; of more, those of the worlds unused for longest go."""
_log = logging.getLogger(__name__)


class Worlds:
    """The worlds of a stand-in, over one account that they share until one changes it.

    `forgotten` counts those that had to go: more than `MOST_WORLDS` are not kept. `reached` is called with
    the first request.
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: Settings,
        timer: Timer,
        reached: Callable[[], object] = lambda: None,
    ) -> None:
        self._settings = settings
        self._timer = timer
        self._beginning = Beginning(Account.of(dataset), dataset.now, settings)
        self._scenarios: dict[str, Beginning] = {}
        self._worlds: OrderedDict[str, World] = OrderedDict()
        self.keyless = Journal()
        self.retired: deque[str] = deque()  # keys that nobody uses any more, put here by any thread
        self.forgotten = 0
        self.is_reached = False
        self._reached = reached
        self._noted = 0

    def __len__(self) -> int:
        return len(self._worlds)

    @property
    def now(self) -> int:
        """The instant at which every world begins."""
        return self._beginning.now

    def get(self, key: str) -> World | None:
        """Given a well-formed key, return its world, or None if the key is not known."""
        world = self._worlds.get(key)
        if world is None:
            beginning = self._beginning_of(key)
            return None if beginning is None else self._begin(key, beginning)
        self._worlds.move_to_end(key)
        return world

    def require(self, key: str) -> World:
        """Given a key, return its world; raise `UsageError` if the key is not known."""
        world = self.get(key)
        if world is None:
            raise _unknown_key()
        return world

    def begin(self, key: str, beginning: Beginning) -> World:
        """Give a key a new world, and return it; raise `UsageError` if the key is not known."""
        if self._beginning_of(key) is None:
            raise _unknown_key()
        return self._begin(key, beginning)

    def _begin(self, key: str, beginning: Beginning) -> World:
        while self.retired:
            self.forget(self.retired.popleft())
        world = self._worlds[key] = World(beginning, self._timer)
        self._worlds.move_to_end(key)
        if len(self._worlds) > MOST_WORLDS:
            self._worlds.popitem(last=False)
            self.forgotten += 1
            if self.forgotten == 1:
                _log.warning("more than %d keys: the worlds that are unused for longest go", MOST_WORLDS)
        return world

    def asked_elsewhere(self, key: str) -> int:
        """Return how many requests came with other keys than this one, or without a known one."""
        journals = [world.journal for each, world in self._worlds.items() if each != key]
        return sum(map(len, journals)) + len(self.keyless)

    def counted(self) -> dict[str, int]:
        """Return how many worlds there are, how many are kept, and how many had to go."""
        return {"worlds": len(self._worlds), "most": MOST_WORLDS, "forgotten": self.forgotten}

    def note(self, journal: Journal, entry: Entry, size: int | None = None) -> None:
        """Note a request in one of the journals, and make room if they hold too many together."""
        if not self.is_reached:
            self.reach()
        before = journal.size
        journal.note(entry, size)
        self._noted += journal.size - before
        if self._noted > MOST_NOTED:
            self._make_room()

    def reach(self) -> None:
        """Note that there was a request, here or at a mock that is started for one of ours."""
        self.is_reached = True
        self._reached()

    def _make_room(self) -> None:
        journals = [world.journal for world in self._worlds.values()]
        # What was cleared since was counted all the same.
        self._noted = sum(journal.size for journal in journals) + self.keyless.size
        if self._noted <= MOST_NOTED:
            return
        for journal in journals:
            if self._noted <= MOST_NOTED // 2:
                break
            self._noted -= journal.size
            journal.drop()

    def forget(self, key: str) -> None:
        """Let the world of a key go; the next request with the key begins a new one."""
        self._worlds.pop(key, None)

    def forget_all(self) -> None:
        """Let all worlds go, and the requests that came without a known key."""
        self._worlds.clear()
        self.keyless.clear()
        self.forgotten = 0

    def beginning(
        self, *, dataset: Dataset | None = None, scenario: str | None = None, settings: Settings | None = None
    ) -> Beginning:
        """Return how a world begins that holds a data set, or is in a scenario, or both.

        Raise `UnknownName` if there is no such scenario.
        """
        usual = self._beginning if scenario is None else self._scenario(scenario)
        settings = settings or usual.settings
        if dataset is None:
            return usual._replace(settings=settings)
        return usual._replace(account=Account.of(dataset), now=dataset.now, settings=settings)

    def _beginning_of(self, key: str) -> Beginning | None:
        if key == REFUSED_KEY or (self._settings.api_keys and key not in self._settings.api_keys):
            return None
        if not key.startswith(SCENARIO_PREFIX):
            return self._beginning
        from mock_webshare.service.world import scenarios

        name = scenarios.name_of(key)
        return self._scenario(name) if name in scenarios.of(self._settings.contract) else None

    def _scenario(self, name: str) -> Beginning:
        from mock_webshare.service.world import scenarios

        scenario = scenarios.find(name, self._settings.contract)
        if name not in self._scenarios:
            self._scenarios[name] = self._made(scenario)
        return self._scenarios[name]

    def _made(self, scenario: Scenario) -> Beginning:
        from mock_webshare.service.faults.fault import Faults, parse

        contract = self._settings.contract

        beginning = self._beginning._replace(
            settings=replace(self._settings, **scenario.settings),
            faults=Faults(parse(each, contract) for each in scenario.faults) if scenario.faults else None,
        )
        if scenario.data is not None:
            dataset = datasets.load(scenario.data, contract)
        elif scenario.credits is not None:
            dataset = generator.seeded(self._settings.seed, scenario.credits, contract=contract)
        else:
            return beginning
        if (now := self._settings.now_instant) is not None:
            dataset = advance(dataset, now)
        return beginning._replace(account=Account.of(dataset), now=dataset.now)


def _unknown_key() -> UsageError:
    """Return the error of who wants the world of a key that is not known."""
    return UsageError("there is no world of this key, for the server refuses the key")
