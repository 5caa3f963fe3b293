"""`MockWorld`: the control plane's operations on a world as Python methods."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from io import StringIO
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from mock_webshare.control import hints
from mock_webshare.server.arguments import for_tests
from mock_webshare.server.loop import monotonic
from mock_webshare.service import transactions
from mock_webshare.service.settings import require_key
from mock_webshare.service.world.clock import lasting
from mock_webshare.service.world.journal import Entry, RequestMatcher, exchanges, not_requested, transcript
from mock_webshare.service.world.world import World, read_state

if TYPE_CHECKING:
    from mock_webshare.server.thread import MockServer

T = TypeVar("T")
_LOOPBACK = ("127.0.0.1", "localhost")
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")


@for_tests
class MockWorld:
    """The world of one API key: its data, clock, faults, settings and journal.

    All values are JSON data, as over HTTP; a time may also be an aware datetime. An invalid argument raises
    a `MockWebshareError` that lists what is allowed.
    """

    def __init__(self, server: MockServer, api_key: str) -> None:
        require_key(api_key)
        self._server = server
        self.api_key = api_key
        self._began = monotonic()

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return self._server.url

    @property
    def env(self) -> dict[str, str]:
        """The variables that `mock-webshare run` sets; official clients read only the key.

        If this process has a proxy in its environment, variables that exempt the server from it are added.
        """
        has_proxy = any(name.lower() in _PROXY_VARIABLES for name in os.environ)
        exemptions = proxy_exemptions(self.url, os.environ) if has_proxy else {}
        return {"WEBSHARE_BASE_URL": self.url, "WEBSHARE_API_KEY": self.api_key, **exemptions}

    @property
    def requests(self) -> Sequence[Entry]:
        """The requests with this key, in order, each with its response."""
        return self._call(lambda world: tuple(world.journal))

    def assert_requested(self, method: str, path: str, /, **query: Any) -> None:
        """Raise AssertionError unless there was such a request.

        The message shows the nearest requests. Only the given query parameters are compared: with a string or
        a number, with a list if a parameter is repeated, or with None if it must be absent.
        """
        __tracebackhide__ = True
        wanted, entries = RequestMatcher(method, path, query), self.requests
        if all(wanted.differences(entry) for entry in entries):
            elsewhere = self._server.call(
                lambda worlds: worlds.count_other_requests(self.api_key, self._began)
            )
            raise AssertionError(not_requested(wanted, entries, elsewhere, self.url))

    def transcript(self) -> str:
        """Return the requests, a line each, with the status of the response, and a second line for a hint."""
        return transcript(self.requests)

    def count_requests(self, method: str, path: str, /, **query: Any) -> int:
        """Return how many requests match (see `assert_requested`)."""
        return self._call(lambda world: world.count_requests(method, path, query))

    def clear_requests(self) -> None:
        self._call(lambda world: world.clear_requests())

    def hints(self) -> list[dict[str, Any]]:
        """Return what the client does wrong though nothing fails, as if the client had ended now."""
        contract = self._server.contract
        return [each.document() for each in self._call(lambda world: hints.of_world(world, contract))]

    def har(self) -> str:
        """Return the journal as HAR 1.2, without the keys."""
        from mock_webshare.exchange.writers import write_har

        return self._archive(write_har)

    def ndjson(self) -> str:
        """Return the journal as NDJSON, one exchange a line, without the keys."""
        from mock_webshare.exchange.writers import write_ndjson

        return self._archive(write_ndjson)

    def begin(
        self,
        *,
        seed: int | None = None,
        credits: int | None = None,
        data: str | PathLike[str] | None = None,
        scenario: str | None = None,
    ) -> None:
        """Replace the world by one with generated credits, a data set or a scenario.

        `data` is a file, or the name of a data set.
        """
        self._server.begin(self.api_key, seed=seed, credits=credits, data=data, scenario=scenario)

    def discard(self) -> None:
        """Delete the world soon; the next request with the key creates a new one."""
        self._server.discard(self.api_key)

    def reset(self) -> None:
        """Reset to the initial state."""
        self._call(lambda world: world.reset())

    def state(self) -> dict[str, Any]:
        """Return the whole account as a data set."""
        return self._call(lambda world: world.state()).wire()

    def put_state(self, document: Mapping[str, Any]) -> None:
        """Replace the data by a data set."""
        dataset = read_state(document, self._server.contract)  # in the thread of the caller
        self._call(lambda world: world.put_state(dataset))

    def snapshots(self) -> list[str]:
        """Return the names of the snapshots."""
        return self._call(lambda world: world.snapshots())

    def take_snapshot(self, name: str) -> None:
        """Save account, clock, settings and faults under a name."""
        self._call(lambda world: world.take_snapshot(name))

    def restore_snapshot(self, name: str) -> None:
        """Restore what a snapshot saved."""
        self._call(lambda world: world.restore_snapshot(name))

    def delete_snapshot(self, name: str) -> None:
        self._call(lambda world: world.delete_snapshot(name))

    def rows(self, resource: str) -> list[dict[str, Any]]:
        """Return all rows of a resource, such as `credits`."""
        return [row.wire() for row in self._call(lambda world: world.rows(resource))]

    def row(self, resource: str, row_id: int | None = None) -> dict[str, Any]:
        """Return one row; without an id, the single object of the resource."""
        return self._call(lambda world: world.row(resource, row_id))

    def create(self, resource: str, /, **fields: Any) -> dict[str, Any]:
        """Add a row; fields that are left out get their default."""
        return self._call(lambda world: world.create(resource, **fields))

    def change(self, resource: str, row_id: int | None = None, /, **fields: Any) -> dict[str, Any]:
        """Change fields of a row, or of the single object of the resource."""
        return self._call(lambda world: world.change(resource, row_id, **fields))

    def end(self, resource: str, row_id: int) -> dict[str, Any]:
        """End a row now, for instance revert a credit."""
        return self._call(lambda world: world.end(resource, row_id))

    def delete(self, resource: str, row_id: int) -> None:
        """Delete a row that no other row refers to."""
        self._call(lambda world: world.delete(resource, row_id))

    # The same for the resources of the vendor, in short.

    def credits(self) -> list[dict[str, Any]]:
        return self.rows("credits")

    def credit(self, credit_id: int) -> dict[str, Any]:
        return self.row("credits", credit_id)

    def create_credit(self, /, **fields: Any) -> dict[str, Any]:
        return self.create("credits", **fields)

    def change_credit(self, credit_id: int, /, **fields: Any) -> dict[str, Any]:
        return self.change("credits", credit_id, **fields)

    def revert_credit(self, credit_id: int) -> dict[str, Any]:
        return self.end("credits", credit_id)

    def delete_credit(self, credit_id: int) -> None:
        self.delete("credits", credit_id)

    def channels(self) -> list[dict[str, Any]]:
        return self.rows("channels")

    def create_channel(self, /, **fields: Any) -> dict[str, Any]:
        return self.create("channels", **fields)

    def delete_channel(self, channel_id: int) -> None:
        self.delete("channels", channel_id)

    def purchase(
        self, amount: float, *, user_id: int | None = None, code: str | None = None
    ) -> dict[str, Any] | None:
        """Let a referred user buy something; return the credit, or None if the user is at the cap.

        `code` is the code of a channel; without a code, the user came by the referral link.
        """
        given = {"amount": amount, "user_id": user_id, "code": code}
        credit: dict[str, Any] | None = self._call(lambda it: transactions.purchase(it, **given))["credit"]
        return credit

    def pay(self) -> str | None:
        """Let the account itself pay; return the coupon code that this redeems, if any."""
        code: str | None = self._call(transactions.pay)["redeemed"]
        return code

    def simulate(self, *, months: int = 1, purchases: int = 40, seed: int = 0) -> dict[str, Any]:
        """Let months pass, each with a number of purchases; return the clock."""
        given = {"months": months, "purchases": purchases, "seed": seed}
        return self._call(lambda world: transactions.simulate(world, **given))

    def clock(self) -> dict[str, Any]:
        """Return the time of the clock, and whether it runs."""
        return self._call(lambda world: world.clock())

    def set_clock(
        self,
        *,
        now: str | datetime | None = None,
        advance: str | timedelta | float | None = None,
        running: bool | None = None,
    ) -> dict[str, Any]:
        """Set the clock, advance it, run or freeze it: one of them at least.

        `advance` is a number of seconds, an ISO 8601 duration (`P30D`) or a timedelta.
        """
        given = {"now": now, "advance": lasting(advance), "running": running}
        return self._call(lambda world: world.set_clock(**given))

    def faults(self) -> list[dict[str, Any]]:
        """Return the active faults."""
        return self._call(lambda world: world.faults())

    def add_fault(self, /, **fault: Any) -> dict[str, Any]:
        """Add a fault: `add_fault(status=503, times=2)`."""
        return self._call(lambda world: world.add_fault(**fault))

    def remove_fault(self, fault_id: int) -> None:
        self._call(lambda world: world.remove_fault(fault_id))

    def clear_faults(self) -> None:
        self._call(lambda world: world.clear_faults())

    def settings(self) -> dict[str, Any]:
        """Return the settings of the world."""
        return self._call(lambda world: world.settings())

    def set_settings(self, /, **settings: Any) -> dict[str, Any]:
        """Change settings of the world: `set_settings(rate_limit="5/min")`."""
        return self._call(lambda world: world.set_settings(**settings))

    def _call(self, function: Callable[[World], T]) -> T:
        return self._server.call(lambda worlds: function(worlds.require(self.api_key)))

    def _archive(self, write: Callable[[Any, StringIO], None]) -> str:
        stream = StringIO()
        write(exchanges(self.requests, (self.api_key,)), stream)
        return stream.getvalue()

    def __repr__(self) -> str:
        return f"<MockWorld at {self._server!r}>"


def proxy_exemptions(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep clients from sending requests for `url` to a proxy.

    Some clients prefer `no_proxy`, others `NO_PROXY`, so both are returned. If only one of them is set in
    `environ`, both get its hosts, because a client may read just the other one.
    """
    hosts = dict.fromkeys([*_LOOPBACK, urlsplit(url).hostname or ""])
    lower, upper = environ.get("no_proxy", ""), environ.get("NO_PROXY", "")
    return {"NO_PROXY": _with_hosts(upper or lower, hosts), "no_proxy": _with_hosts(lower or upper, hosts)}


def _with_hosts(listed: str, hosts: Iterable[str]) -> str:
    """Return a comma-separated list of hosts with more hosts added; the list `*` has all and stays."""
    if listed.strip() == "*":
        return listed
    known = [each.strip() for each in listed.split(",")]
    return ",".join([*filter(None, [listed.strip(", ")]), *(host for host in hosts if host not in known)])
