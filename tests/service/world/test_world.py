"""A world: each of its methods, what follows from a change, and that a reset restores everything."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mock_webshare.contract.endpoints import CREDIT_LIST, MODES
from mock_webshare.contract.schemas import SERVICE_SCHEMAS
from mock_webshare.contract.timestamps import DAY, SECOND, format_instant
from mock_webshare.errors import Contradiction, DataError, MockWebshareError, NotFound, UsageError
from mock_webshare.service.data import dataset
from mock_webshare.service.data.account import Account
from mock_webshare.service.data.fields import LARGEST_ID
from mock_webshare.service.faults import Fault, Faults
from mock_webshare.service.settings import Settings
from mock_webshare.service.world import world
from mock_webshare.service.world.journal import Entry
from mock_webshare.service.world.world import Beginning, World, read_state
from tests.control_plane import digest
from tests.requests_to import request_to
from tests.sampling import examples

EDGE_CASES = dataset.load("edge-cases")
NOW = "2026-03-16T09:00:00-07:00"
CHANNELS = [{"id": 7, "code": "SPRING10"}, {"id": 9, "code": "SUMMER20"}]
OLD, NEW = "2026-02-20T09:00:00-08:00", "2026-03-15T09:00:00-07:00"


def credit(number: int, **fields: Any) -> dict[str, Any]:
    """Return a pending credit that no channel brought."""
    return {
        "id": number,
        "user_id": 100 + number,
        "mode": "payout",
        "amount": 2.5,
        "status": "pending",
        "referral_channel": None,
        "referral_channel_code": None,
        "created_at": OLD,
        "updated_at": OLD,
        "reverted_at": None,
        **fields,
    }


STATE = {
    "now": NOW,
    "credits": [
        credit(1),
        credit(2, status="available", referral_channel=7, referral_channel_code="SPRING10"),
        credit(3, status="reverted", updated_at=NEW, reverted_at=NEW),
        credit(4, created_at=NEW, updated_at=NEW),
    ],
    "channels": CHANNELS,
}


WRITTEN = read_state(STATE).wire()
"""The same in the present format."""


class Seconds:
    """A timer that goes on when it is told to."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return self.passed


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


def begun(timer: Callable[[], float], **settings: Any) -> World:
    """Return a new world that holds the state above."""
    held = read_state(STATE)
    return World(Beginning(Account.of(held), held.now, Settings(**settings)), timer)


@pytest.fixture
def ours(seconds: Seconds) -> World:
    return begun(seconds)


def noted(ours: World) -> None:
    ours.journal.add(Entry(ours.now, "GET", "/", (), b"", None, 0.0))


class TestState:
    def test_is_what_was_put(self, ours: World) -> None:
        state = ours.state().wire()
        assert state == WRITTEN
        assert (state["now"], state["credits"]) == (NOW, STATE["credits"])
        assert [{"id": row["id"], "code": row["code"]} for row in state["channels"]] == CHANNELS

    def test_stays_what_it_was_when_the_world_changes(self, ours: World) -> None:
        before = ours.state()
        ours.delete("credits", 1)
        assert before.wire() == WRITTEN

    def test_without_now_is_as_of_its_latest_change(self, ours: World) -> None:
        ours.put_state(read_state({"credits": [credit(1)], "channels": []}))
        assert ours.clock()["now"] == OLD

    def test_that_is_put_leaves_faults_settings_and_snapshots(self, ours: World) -> None:
        ours.add_fault(status=503)
        ours.set_settings(max_page_size=5)
        ours.take_snapshot("before")
        ours.put_state(read_state({"credits": [], "channels": []}))
        assert (len(ours.faults()), ours.settings()["max_page_size"], ours.snapshots()) == (1, 5, ["before"])

    def test_that_is_put_leaves_the_clock_running(self, ours: World, seconds: Seconds) -> None:
        ours.set_clock(running=True)
        ours.put_state(read_state(STATE))
        seconds.passed = 1.0
        assert ours.clock() == {"now": NOW.replace("00:00-", "00:01-"), "running": True}


class TestACreditThatIsCreated:
    def test_is_a_pending_one_of_now_unless_something_else_is_said(self, ours: World) -> None:
        assert ours.create("credits") == credit(5, created_at=NOW, updated_at=NOW)

    @pytest.mark.parametrize(
        ("given", "follows"),
        [
            ({"created_at": OLD}, {"updated_at": OLD}),
            ({"referral_channel": 7}, {"referral_channel_code": "SPRING10"}),
            ({"referral_channel_code": "SUMMER20"}, {"referral_channel": 9}),
            ({"referral_channel": None}, {"referral_channel_code": None}),
            ({"referral_channel_code": None}, {"referral_channel": None}),
            ({"status": "reverted"}, {"reverted_at": NOW}),
            ({"status": "reverted", "updated_at": NEW}, {"reverted_at": NEW}),
            ({"status": "reverted", "reverted_at": NEW}, {"updated_at": NOW}),
            ({"status": "available"}, {"reverted_at": None}),
            ({"id": 9}, {"user_id": 105}),
            ({"amount": 3}, {"amount": 3.0}),
        ],
    )
    def test_has_what_follows_from_what_is_said(
        self, ours: World, given: dict[str, Any], follows: dict[str, Any]
    ) -> None:
        created = ours.create("credits", **given)
        assert created.items() >= {**given, **follows}.items()
        assert ours.row("credits", created["id"]) == created

    def test_is_at_its_place_among_the_others(self, ours: World) -> None:
        ours.delete("credits", 2)
        ours.create("credits", id=2)
        ours.create("credits", id=1000)
        assert [row.id for row in ours.state().rows["credits"]] == [1, 2, 3, 4, 1000]

    def test_has_a_free_id_even_if_the_largest_is_taken(self, ours: World) -> None:
        ours.create("credits", id=LARGEST_ID, user_id=LARGEST_ID)
        ours.create("credits", id=LARGEST_ID - 1)
        created = ours.create("credits")
        assert (created["id"], created["user_id"]) == (5, LARGEST_ID)

    def test_is_the_first_of_an_empty_account(self, ours: World) -> None:
        ours.put_state(read_state({"credits": [], "channels": []}))
        assert (ours.create("credits")["id"], ours.create("credits")["id"]) == (1, 2)

    @pytest.mark.parametrize(
        ("fields", "pointer"),
        [
            ({"id": 1}, "/id"),
            ({"id": True}, "/id"),
            ({"amount": math.inf}, "/amount"),
            ({"amount": math.nan}, "/amount"),
            ({"created_at": datetime(2026, 1, 1)}, "/created_at"),
            ({"referral_channel": 8}, "/referral_channel"),
            ({"referral_channel": True}, "/referral_channel"),
            ({"referral_channel": 7, "referral_channel_code": "SUMMER20"}, "/referral_channel_code"),
            ({"referral_channel_code": "NOBODYS"}, "/referral_channel_code"),
            ({"status": "pending", "reverted_at": NOW}, "/reverted_at"),
            ({"status": "reverted", "reverted_at": None}, "/reverted_at"),
            ({"colour": "red"}, ""),
        ],
    )
    def test_is_refused_if_it_breaks_a_rule(self, ours: World, fields: dict[str, Any], pointer: str) -> None:
        with pytest.raises(DataError) as refusal:
            ours.create("credits", **fields)
        assert refusal.value.pointer == pointer
        assert ours.state().wire() == WRITTEN

    def test_is_refused_if_there_are_too_many(self, ours: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(world, "MAX_ROWS", 4)
        with pytest.raises(UsageError, match="there are 4 credits already; more are not allowed"):
            ours.create("credits")


class TestACreditThatIsChanged:
    @pytest.mark.parametrize(
        ("number", "given", "follows"),
        [
            (1, {"amount": 9.0}, {"updated_at": NOW, "status": "pending"}),
            (1, {"updated_at": NEW}, {}),
            (1, {"status": "reverted"}, {"updated_at": NOW, "reverted_at": NOW}),
            (1, {"status": "reverted", "reverted_at": NEW}, {"updated_at": NOW}),
            (3, {"status": "available"}, {"reverted_at": None, "updated_at": NOW}),
            (3, {"amount": 1.0}, {"reverted_at": NEW, "updated_at": NOW}),
            (1, {"referral_channel": 9}, {"referral_channel_code": "SUMMER20"}),
            (2, {"referral_channel": None}, {"referral_channel_code": None}),
            (2, {"referral_channel_code": "SUMMER20"}, {"referral_channel": 9}),
            (2, {"amount": 1.0}, {"referral_channel": 7, "referral_channel_code": "SPRING10"}),
        ],
    )
    def test_has_what_follows_from_the_change(
        self, ours: World, number: int, given: dict[str, Any], follows: dict[str, Any]
    ) -> None:
        before = ours.row("credits", number)
        changed = ours.change("credits", number, **given)
        assert changed.items() >= {**given, **follows}.items()
        assert {name for name in changed if changed[name] != before[name]} <= {*given, *follows, "updated_at"}
        assert ours.row("credits", number) == changed

    def test_was_never_changed_before_it_was(self, ours: World) -> None:
        ours.set_clock(now=OLD)
        assert ours.change("credits", 4, amount=1.0)["updated_at"] == NEW.replace("-07:00", ".000001-07:00")

    def test_has_a_later_update_each_time_though_the_clock_stands_still(self, ours: World) -> None:
        updates = [ours.change("credits", 1, amount=amount)["updated_at"] for amount in (1.0, 2.0, 3.0)]
        assert updates == sorted(set(updates))

    def test_keeps_its_id(self, ours: World) -> None:
        with pytest.raises(DataError, match="for it never changes") as refusal:
            ours.change("credits", 1, id=5)
        assert refusal.value.pointer == "/id"

    def test_is_reverted_as_of_now(self, ours: World) -> None:
        assert ours.end("credits", 1).items() >= {"status": "reverted", "reverted_at": NOW}.items()

    def test_stays_reverted_as_of_the_first_time(self, ours: World) -> None:
        assert ours.end("credits", 3)["reverted_at"] == NEW

    @pytest.mark.parametrize("method", ["row", "change", "end", "delete"])
    def test_has_to_be_there(self, ours: World, method: str) -> None:
        with pytest.raises(NotFound, match="there is no credit 5 in this world"):
            getattr(ours, method)("credits", 5)

    def test_is_gone_once_it_is_deleted(self, ours: World) -> None:
        ours.delete("credits", 1)
        assert [row.id for row in ours.state().rows["credits"]] == [2, 3, 4]


class TestAChannel:
    def test_that_is_created_has_the_next_id(self, ours: World) -> None:
        created = ours.create("channels", code="NEW")
        assert (created["id"], created["code"], created["created_at"]) == (10, "NEW", NOW)
        assert [row.wire() for row in ours.rows("channels")] == [*WRITTEN["channels"], created]

    def test_may_have_an_id_of_its_own(self, ours: World) -> None:
        ours.create("channels", id=8, code="NEW")
        assert [channel["id"] for channel in [row.wire() for row in ours.rows("channels")]] == [7, 8, 9]

    def test_has_a_free_id_even_if_the_largest_is_taken(self, ours: World) -> None:
        ours.create("channels", id=LARGEST_ID, code="LAST")
        assert ours.create("channels", code="NEW")["id"] == 10

    def test_needs_an_id_that_is_free(self, ours: World) -> None:
        with pytest.raises(DataError, match="an id that no other channel has"):
            ours.create("channels", id=7, code="NEW")

    def test_can_be_filtered_for_at_once(self, ours: World) -> None:
        number = ours.create("channels", code="NEW")["id"]
        assert number in ours.view.account.owned(CREDIT_LIST)["channels"]

    def test_that_is_renamed_is_renamed_in_its_credits_too(self, ours: World) -> None:
        credit = ours.create("credits", referral_channel=7)
        ours.change("channels", 7, code="RENAMED")
        assert ours.row("credits", credit["id"])["referral_channel_code"] == "RENAMED"

    def test_that_no_credit_names_can_be_deleted(self, ours: World) -> None:
        ours.delete("channels", 9)
        assert [row.wire() for row in ours.rows("channels")] == WRITTEN["channels"][:1]

    def test_that_a_credit_names_stays(self, ours: World) -> None:
        with pytest.raises(UsageError, match="channel 7 is named by 1 credit; change what names it first"):
            ours.delete("channels", 7)

    def test_that_is_not_there_cannot_be_deleted(self, ours: World) -> None:
        with pytest.raises(NotFound, match="there is no channel 8 in this world"):
            ours.delete("channels", 8)


class TestAnEarnout:
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("status", ["processing", "completed", "failed"])
    def test_is_as_documented_however_it_is_arranged(self, ours: World, status: str, mode: str) -> None:
        made = ours.create("earnouts", amount=20, status=status, mode=mode)
        changed = ours.change("earnouts", ours.create("earnouts")["id"], status=status, mode=mode)
        document = SERVICE_SCHEMAS.validator("referral-earnout")
        assert not list(document.iter_errors(made)) + list(document.iter_errors(changed))
        assert (made["error_reason"] is None) == (status != "failed")
        assert (made["paypal_payout_email"] is None) == (mode == "credits")

    def test_loses_its_reason_when_it_has_not_failed_after_all(self, ours: World) -> None:
        failed = ours.create("earnouts", status="failed", error_reason="No.")
        assert failed["error_reason"] == "No."
        assert ours.change("earnouts", failed["id"], status="completed")["error_reason"] is None

    def test_of_money_may_lack_an_address(self, ours: World) -> None:
        assert ours.create("earnouts", paypal_payout_email=None)["paypal_payout_email"] is None

    @pytest.mark.parametrize(
        "fields",
        [
            {"error_reason": "No."},
            {"status": "processing", "error_reason": ""},
            {"status": "failed", "error_reason": None},
            {"mode": "credits", "paypal_payout_email": "ada@example.com"},
        ],
        ids=str,
    )
    def test_does_not_contradict_itself(self, ours: World, fields: dict[str, Any]) -> None:
        with pytest.raises(Contradiction, match=f"{list(fields)[-1]}: .* as "):
            ours.create("earnouts", **fields)


class TestTheClock:
    @pytest.mark.parametrize(
        ("change", "clock"),
        [
            ({"running": False}, {"now": NOW, "running": False}),
            ({"now": NEW}, {"now": NEW, "running": False}),
            ({"advance": "P1D"}, {"now": "2026-03-17T09:00:00-07:00", "running": False}),
            ({"advance": timedelta(days=1)}, {"now": "2026-03-17T09:00:00-07:00", "running": False}),
            ({"now": NEW, "advance": "P1D"}, {"now": NOW, "running": False}),
            ({"now": "1970-01-01T00:00:00Z"}, {"now": "1969-12-31T16:00:00-08:00", "running": False}),
            ({"running": True}, {"now": NOW, "running": True}),
        ],
    )
    def test_is_what_it_is_set_to(self, ours: World, change: dict[str, Any], clock: dict[str, Any]) -> None:
        assert ours.set_clock(**change) == clock == ours.clock()

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"now": "tomorrow"}, "/now"),
            ({"now": "9999-01-01T00:00:00Z"}, "/now"),
            ({"now": 0}, "/now"),
            ({"advance": "P1M"}, "/advance"),
            ({"advance": "P999999W"}, "/advance"),
            ({"advance": timedelta(microseconds=-1)}, "/advance"),
            ({"running": 1}, "/running"),
        ],
    )
    def test_that_is_refused_a_change_shows_what_it_did(
        self, ours: World, change: dict[str, Any], pointer: str
    ) -> None:
        with pytest.raises(DataError) as refusal:
            ours.set_clock(**{"running": True, **change})
        assert refusal.value.pointer == pointer
        assert ours.clock() == {"now": NOW, "running": False}

    def test_makes_available_what_was_pending_for_its_period(self, ours: World) -> None:
        instant = ours.state().rows["credits"][0].created_at + 30 * DAY
        due = format_instant(instant)
        ours.set_clock(now=format_instant(instant - 1))
        assert ours.row("credits", 1)["status"] == "pending"
        ours.set_clock(advance="PT0.000001S")
        assert ours.row("credits", 1) == credit(1, status="available", updated_at=due)
        assert ours.row("credits", 4)["status"] == "pending"

    def test_makes_nothing_pending_again(self, ours: World) -> None:
        ours.set_clock(advance="P60D")
        ours.set_clock(now=OLD)
        assert ours.row("credits", 1)["status"] == "available"

    def test_that_runs_makes_it_available_when_it_is_due(self, ours: World, seconds: Seconds) -> None:
        due = ours.state().rows["credits"][0].created_at + 30 * DAY
        ours.set_clock(now=format_instant(due - 10 * SECOND), running=True)
        seconds.passed = 9.9
        assert ours.view.account.tables["credits"].rows[0].status == "pending"
        seconds.passed = 10.0
        assert ours.view.account.tables["credits"].rows[0].status == "available"
        assert ours.row("credits", 1)["updated_at"] == format_instant(due)

    def test_that_stands_still_lets_no_time_pass(self, ours: World, seconds: Seconds) -> None:
        seconds.passed = 1e9
        assert ours.state().wire() == WRITTEN

    def test_stops_at_the_end_of_time(self, ours: World, seconds: Seconds) -> None:
        ours.set_clock(now="9998-12-31T23:59:59Z", running=True)
        seconds.passed = 1e9
        assert ours.clock()["now"] == "9998-12-31T15:59:59.999999-08:00"
        assert ours.create("credits")["created_at"] == ours.clock()["now"]
        with pytest.raises(DataError, match="1970 to 9998"):
            ours.set_clock(advance="PT1S")

    def test_that_is_set_back_does_not_prolong_a_wait(self) -> None:
        ours = begun(lambda: 0.0, rate_limit="1/min", rate_limit_clock="world")
        assert (ours.admit(), ours.admit()) == (None, 60.0)
        ours.set_clock(now=OLD)
        assert ours.admit() is None


class TestSettings:
    def test_are_those_of_the_server_until_they_are_changed(self) -> None:
        assert begun(lambda: 0.0, max_page_size=7).settings() == {
            "max_page_size": 7,
            "default_ordering": "id",
            "unknown_code": 404,
            "rate_limit": "240/min",
            "rate_limit_clock": "real",
        }

    def test_decide_how_pages_are_made(self, ours: World) -> None:
        ours.set_settings(max_page_size=5, default_ordering="-amount,id")
        assert ours.view.paging(CREDIT_LIST).max_page_size == 5
        assert ours.view.default_ordering == ("-amount", "id")

    def test_reset_the_count_of_requests(self, ours: World) -> None:
        ours.set_settings(rate_limit="1/min")
        assert (ours.admit(), ours.admit()) == (None, 60.0)
        ours.set_settings(rate_limit="1/min")
        assert ours.admit() is None

    @pytest.mark.parametrize(
        ("settings", "pointer"),
        [
            ({"max_page_size": 0}, "/max_page_size"),
            ({"max_page_size": 5, "rate_limit": "often"}, "/rate_limit"),
            ({"default_ordering": "colour"}, "/default_ordering"),
            ({"rate_limit_clock": "sun"}, "/rate_limit_clock"),
            ({"port": 80}, ""),
            ({"control_token": "12345678"}, ""),
        ],
    )
    def test_that_are_refused_change_nothing(
        self, ours: World, settings: dict[str, Any], pointer: str
    ) -> None:
        before = ours.settings()
        with pytest.raises(DataError) as refusal:
            ours.set_settings(**settings)
        assert refusal.value.pointer == pointer
        assert ours.settings() == before


class TestASnapshot:
    def test_brings_back_account_clock_settings_and_faults(self, ours: World, seconds: Seconds) -> None:
        ours.set_clock(running=True)
        ours.add_fault(status=503)
        ours.set_settings(max_page_size=5)
        before = digest(ours)
        ours.take_snapshot("before")
        ours.delete("credits", 1)
        ours.set_clock(advance="P1D", running=False)
        ours.clear_faults()
        ours.set_settings(max_page_size=6)
        ours.restore_snapshot("before")
        assert digest(ours).replace('["before"]', "[]") == before

    def test_leaves_the_journal(self, ours: World) -> None:
        ours.take_snapshot("before")
        noted(ours)
        ours.restore_snapshot("before")
        assert len(ours.journal) == 1

    def test_can_be_restored_again_and_again(self, ours: World) -> None:
        ours.take_snapshot("before")
        for _ in range(2):
            ours.delete("credits", 1)
            ours.restore_snapshot("before")
            assert ours.state().wire() == WRITTEN

    def test_of_the_same_name_takes_the_place_of_the_first(self, ours: World) -> None:
        ours.take_snapshot("before")
        ours.delete("credits", 1)
        ours.take_snapshot("before")
        ours.restore_snapshot("before")
        assert (ours.snapshots(), len(ours.state().rows["credits"])) == (["before"], 3)

    def test_lets_its_faults_go_on_from_where_they_were(self, ours: World) -> None:
        ours.add_fault(status=503, times=2)
        request = request_to("/")
        assert ours.strike(request)
        ours.take_snapshot("before")
        for _ in range(2):
            assert [bool(ours.strike(request)) for _ in range(3)] == [True, False, False]
            ours.restore_snapshot("before")
        assert ours.faults() == [{"id": 1, "status": 503, "times": 2, "seen": 1, "struck": 1}]

    def test_holds_what_a_throttle_has_let_pass(self, ours: World) -> None:
        ours.add_fault(throttle="2/min", clock="world")
        request = request_to("/")
        ours.strike(request)
        ours.take_snapshot("before")
        ours.set_clock(advance="PT1H")
        for _ in range(2):
            ours.restore_snapshot("before")
            assert [bool(ours.strike(request)) for _ in range(2)] == [False, True]

    @pytest.mark.parametrize("name", ["", "a/b", "\n", "x" * 201, "\ud800", None, 5])
    def test_needs_a_name_that_a_path_can_have(self, ours: World, name: Any) -> None:
        with pytest.raises(UsageError, match="allowed: 1 to 200 printable characters, none of them a slash"):
            ours.take_snapshot(name)

    def test_can_be_deleted(self, ours: World) -> None:
        ours.take_snapshot("before")
        ours.delete_snapshot("before")
        for method in (ours.delete_snapshot, ours.restore_snapshot):
            with pytest.raises(NotFound, match="there is no snapshot 'before' in this world"):
                method("before")

    def test_is_one_of_a_hundred_at_most(self, ours: World) -> None:
        for number in range(100):
            ours.take_snapshot(str(number))
        with pytest.raises(UsageError, match="there are 100 snapshots already; delete some first"):
            ours.take_snapshot("one more")


METHODS: dict[str, Callable[[World, int], object]] = {
    "renew": lambda it, _: it.renew(it.initial),
    "put_state": lambda it, n: it.put_state(read_state({"credits": [credit(n)], "channels": []})),
    "create": lambda it, n: it.create("credits", id=n),
    "create (channel)": lambda it, n: it.create("channels", id=n, code=f"C{n}"),
    "change": lambda it, n: it.change("credits", n, amount=n),
    "end": lambda it, n: it.end("credits", n),
    "delete": lambda it, n: it.delete("credits", n),
    "delete (channel)": lambda it, n: it.delete("channels", n),
    "set_clock": lambda it, n: it.set_clock(advance=timedelta(days=n), running=n % 2 == 0),
    "add_fault": lambda it, n: it.add_fault(status=500 + n),
    "remove_fault": lambda it, n: it.remove_fault(n),
    "clear_faults": lambda it, n: it.clear_faults(),
    "clear_requests": lambda it, _: it.clear_requests(),
    "set_settings": lambda it, n: it.set_settings(max_page_size=n, rate_limit=f"{n}/min"),
    "take_snapshot": lambda it, n: it.take_snapshot(str(n % 2)),
    "restore_snapshot": lambda it, n: it.restore_snapshot(str(n % 2)),
    "delete_snapshot": lambda it, n: it.delete_snapshot(str(n % 2)),
    "discard": lambda it, n: it.discard(),
    "admit": lambda it, n: it.admit(),
    "strike": lambda it, n: it.strike(request_to("/")),
    "view": lambda it, n: it.view,
}
"""All that can be done to a world, of which a reset is to leave nothing."""
READING = {"state", "row", "rows", "clock", "faults", "settings", "snapshots", "count_requests"}
READING |= {"now", "has_faults", "can_wait", "reset", "name", "start", "is_changed", "rate_limit"}


def test_whatever_a_world_can_do_is_tried_before_a_reset() -> None:
    assert {name for name in vars(World) if not name.startswith("_")} == {
        *(name.partition(" ")[0] for name in METHODS),
        *READING,
    }


@hypothesis_settings(max_examples=examples(60), deadline=None, database=None)
@given(done=st.lists(st.tuples(st.sampled_from(sorted(METHODS)), st.integers(1, 9)), max_size=12))
def test_after_whatever_was_done_a_reset_world_is_as_a_new_one(done: list[tuple[str, int]]) -> None:
    seconds = Seconds()
    ours, new = begun(seconds, rate_limit="2/min"), begun(seconds, rate_limit="2/min")
    for method, number in done:
        seconds.passed += number
        noted(ours)
        try:
            METHODS[method](ours, number)
        except MockWebshareError:
            continue
    ours.reset()
    for each in (ours, new):
        seconds.passed += 1e6
        assert [each.admit() is None for _ in range(3)] == [True, True, False]
        assert each.add_fault(status=503)["id"] == 1
    assert digest(ours) == digest(new)
    assert vars(ours).keys() == vars(new).keys()


def test_a_reset_leaves_the_faults_with_which_the_world_began(seconds: Seconds) -> None:
    held = read_state(STATE)
    fault = Fault(action="status", value=503)
    ours = World(Beginning(Account.of(held), held.now, Settings(), Faults([fault])), seconds)
    ours.strike(request_to("/"))
    ours.clear_faults()
    ours.reset()
    assert ours.faults() == [{"id": 1, "status": 503, "seen": 0, "struck": 0}]


CHANGES: Mapping[str, Callable[[World], object]] = {
    "reset": lambda world: world.reset(),
    "put_state": lambda world: world.put_state(read_state(STATE)),
    "create": lambda world: world.create("channels", code="NEW10"),
    "delete": lambda world: world.delete("channels", world.create("channels", code="NEW10")["id"]),
    "set_clock": lambda world: world.set_clock(advance="PT1S"),
    "add_fault": lambda world: world.add_fault(status=503),
    "clear_faults": lambda world: world.clear_faults(),
    "set_settings": lambda world: world.set_settings(max_page_size=5),
    "take_snapshot": lambda world: world.take_snapshot("a"),
}
"""Ways to change a world."""


class TestChanges:
    @pytest.mark.parametrize("change", CHANGES)
    def test_are_counted(self, ours: World, change: str) -> None:
        before = ours.changes
        CHANGES[change](ours)
        assert ours.changes > before

    def test_of_a_fault_or_a_snapshot_that_goes_are_counted(self, ours: World) -> None:
        fault = ours.add_fault(status=503)
        ours.take_snapshot("a")
        before = ours.changes
        ours.remove_fault(fault["id"])
        removed = ours.changes
        ours.restore_snapshot("a")
        restored = ours.changes
        ours.delete_snapshot("a")
        assert before < removed < restored < ours.changes

    def test_of_what_is_only_read_or_refused_are_none(self, ours: World) -> None:
        before = ours.changes
        for read in (ours.state, ours.clock, ours.faults, ours.settings, ours.snapshots):
            read()
        noted(ours)
        with pytest.raises(MockWebshareError):
            ours.add_fault(status=1)
        with pytest.raises(MockWebshareError):
            ours.remove_fault(5)
        assert ours.changes == before


class TestJournalId:
    def test_changes_with_clear_and_reset_only(self, ours: World) -> None:
        ids = [ours.journal.id]
        noted(ours)
        assert ours.journal.id == ids[0]
        ours.journal.drop()
        assert ours.journal.id == ids[0]
        ours.journal.clear()
        ids.append(ours.journal.id)
        ours.reset()
        ids.append(ours.journal.id)
        assert len(set(ids)) == 3
