"""Rate budgets: nothing goes out before its time, only what is meant is stopped, and live work goes first."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.contract import Budget, BudgetReading
from connectors.sandbox.faults import FaultKind, FaultRule
from sync.engine import poll
from sync.engine.budgets import Budgets, Priority
from sync.simulation.virtual import VirtualClock
from sync.views.status import BudgetView, status
from tests.support.launch import ROUTES, Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import calls, holds_now, parked_now, row_of

ACCOUNT = Budget(name="account", limit=60, seconds=60.0)
RECORD = Budget(name="record", limit=2, seconds=10.0, per_record=True)


def made(*budgets: Budget) -> tuple[Budgets, VirtualClock]:
    clock = VirtualClock()
    found = Budgets(clock)
    found.declare(1, budgets or (ACCOUNT,))
    return found, clock


def taken(budgets: Budgets, names: tuple[str, ...] = (), **more: object) -> int:
    """How many calls may go at once."""
    count = 0
    while not budgets.take(1, names, **more):  # type: ignore[arg-type]
        count += 1
    return count


# --- the buckets -----------------------------------------------------------------------------------------------


def test_a_budget_may_be_used_whole_and_fills_evenly() -> None:
    budgets, clock = made()
    assert taken(budgets) == 60
    clock.advance(10)
    assert taken(budgets) == 10
    clock.advance(3600)
    assert taken(budgets) == 60


def test_a_wait_is_as_long_as_it_takes() -> None:
    budgets, clock = made()
    taken(budgets)
    wait = budgets.take(1, ())
    assert 0 < wait <= 1
    clock.advance(wait)
    assert budgets.take(1, ()) == 0


def test_backfill_leaves_half_of_a_budget_to_live_work() -> None:
    budgets, _ = made()
    assert taken(budgets, priority=Priority.BACKFILL) == 30
    assert taken(budgets) == 30


def test_a_record_has_a_budget_of_its_own() -> None:
    budgets, _ = made(ACCOUNT, RECORD)
    assert taken(budgets, ("record",), record="7") == 2
    assert taken(budgets, ("record",), record="8") == 2


def test_a_blocked_record_stops_no_other_record() -> None:
    budgets, clock = made(ACCOUNT, RECORD)
    budgets.block(1, "record:7", 30)
    assert budgets.take(1, ("record",), record="7") == 30
    assert budgets.take(1, ("record",), record="8") == 0
    assert budgets.take(1, ()) == 0
    clock.advance(30)
    assert budgets.take(1, ("record",), record="7") == 0


def test_a_blocked_account_stops_everything_of_it_and_nothing_of_another() -> None:
    budgets, _ = made(ACCOUNT, RECORD)
    budgets.declare(2, (ACCOUNT,))
    budgets.block(1, "account", 1800)
    assert budgets.take(1, ()) == 1800
    assert budgets.take(1, ("record",), record="8") == 1800
    assert budgets.take(2, ()) == 0


def test_a_shorter_block_does_not_open_a_longer_one() -> None:
    budgets, _ = made()
    budgets.block(1, "account", 60)
    budgets.block(1, "account", 5)
    assert budgets.take(1, ()) == 60


def test_a_scope_that_nobody_declared_is_blocked_as_well() -> None:
    budgets, _ = made()
    budgets.block(1, "search", 20)
    assert budgets.take(1, ("search",)) == 20
    assert budgets.take(1, ()) == 0


def test_what_others_use_of_a_budget_is_seen_in_the_headers() -> None:
    budgets, _ = made()
    budgets.observe(1, BudgetReading(budget="account", limit=60, remaining=10))
    assert taken(budgets) == 10


def test_a_budget_that_the_headers_call_empty_waits_for_its_reset() -> None:
    budgets, clock = made()
    budgets.observe(1, BudgetReading(budget="account", limit=60, remaining=0, resets_in=42.0))
    assert budgets.take(1, ()) >= 42
    clock.advance(59)
    assert taken(budgets) > 0


def test_the_limit_of_the_headers_replaces_the_published_one() -> None:
    budgets, _ = made()
    budgets.observe(1, BudgetReading(budget="account", limit=120))
    assert taken(budgets) == 120


def test_an_older_answer_gives_nothing_back() -> None:
    budgets, _ = made()
    taken(budgets)
    budgets.observe(1, BudgetReading(budget="account", limit=60, remaining=50))
    assert budgets.take(1, ()) > 0


def test_what_is_left_is_shown() -> None:
    budgets, _ = made()
    for _ in range(15):
        budgets.take(1, ())
    budgets.block(1, "account", 90)
    (room,) = budgets.room(1)
    assert (room.budget, room.limit, room.left, room.blocked_for) == ("account", 60, 45, 90.0)


def test_the_buckets_of_single_records_are_forgotten_once_they_are_whole_again() -> None:
    budgets, clock = made(ACCOUNT, RECORD)
    budgets.take(1, ("record",), record="blocked")
    budgets.block(1, "record:blocked", 1e6)
    for number in range(20_000):
        clock.advance(1)
        assert budgets.take(1, ("record",), record=str(number)) == 0
    assert len(budgets) < 2_000
    assert budgets.take(1, ("record",), record="blocked") > 0


# --- in the engine ---------------------------------------------------------------------------------------------

KINDS = {
    FaultKind.RATE_LIMITED: 300.0,
    FaultKind.RATE_LIMITED_DATE: 300.0,
    FaultKind.RATE_LIMITED_BARE: 1.0,
    FaultKind.RATE_LIMITED_GARBAGE: 1.0,
}
OPERATIONS = {
    "support": ("export.cursor", "tickets.update", "tickets.show*"),
    "tracker": ("search.jql", "issue.get", "issue.bulkfetch", "transitions.do", "issue.create", "remotelinks.*"),
}


def busy(day: Launch) -> tuple[int, str, int]:
    """Something of everything is to be done: a status, tags both ways, a create."""
    ticket, key = day.linked_pair()
    day.world.wait(60)
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.tag(ticket, add=("desk",))
    day.label(key, add="site")
    return ticket, key, day.ticket(subject="Another outage", tags=["outage"])


def done(day: Launch, ticket: int, key: str) -> bool:
    return (
        day.statuses(ticket, key) == ("solved", "Done")
        and "desk" in day.issue_now(key)["labels"]
        and "site" in day.ticket_now(ticket)["tags"]
        and len(day.issues()) == 2
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", ["support", "tracker"])
def test_no_call_goes_out_before_a_retry_after_is_over_and_all_is_done_in_the_end(
    make: Make, side: str, kind: FaultKind
) -> None:
    day = make(routes=ROUTES)
    ticket, key, _ = busy(day)
    control = (day.zendesk if side == "support" else day.jira).control
    control.faults.add(FaultRule(kind=kind, seconds=300.0, skip=3, count=2))
    day.world.wait(1500, step=20)
    limited = [row for row in control._requests if row["status"] == 429]
    assert len(limited) == 2
    for row in limited:
        early = [
            other
            for other in control._requests
            if row["at"] < other["at"] < row["at"] + KINDS[kind]
            and (other["operation"] == row["operation"] or row["operation"] != "export.cursor")
        ]
        assert early == []
    assert done(day, ticket, key)
    assert day.jira.state()["creates"].get("hub", 0) == 1
    assert holds_now(day) == []
    assert parked_now(day) == []
    assert row_of(day, side).down_since is None
    assert day.world.told("connection_down") == []


@pytest.mark.parametrize(("side", "operation"), [(side, each) for side, some in OPERATIONS.items() for each in some])
def test_every_kind_of_call_may_be_told_to_wait(make: Make, side: str, operation: str) -> None:
    day = make(routes=ROUTES)
    ticket, key, _ = busy(day)
    control = (day.zendesk if side == "support" else day.jira).control
    control.faults.add(FaultRule(kind=FaultKind.RATE_LIMITED, seconds=60.0, operation=operation, count=3))
    day.world.wait(900, step=20)
    assert done(day, ticket, key)
    assert day.jira.state()["creates"].get("hub", 0) == 1
    assert parked_now(day) == []


def test_half_an_hour_of_patience_is_nobodys_sleep(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.zendesk.control.faults.add(
        FaultRule(kind=FaultKind.RATE_LIMITED, seconds=1800.0, operation="tickets.update", count=1)
    )
    day.label(key, add="patient")
    day.world.clock.advance(30)
    before = day.world.clock.monotonic()
    day.world.quiet()
    assert day.world.clock.monotonic() - before < 1, "no thread slept"
    since = day.world.clock.now()
    day.world.wait(1700, step=20)
    assert calls(day, "support", since=since + timedelta(seconds=1)) == []
    (room,) = [each for each in day.world.hub.budgets.room(day.world.hub.named("support").id) if each.blocked_for]
    assert room.budget == "account"
    assert day.issue_now(key)["labels"] == ["patient"]
    day.world.wait(400, step=20)
    assert "patient" in day.ticket_now(ticket)["tags"]


def test_absurd_patience_ends_after_a_day(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.zendesk.control.faults.add(
        FaultRule(kind=FaultKind.RATE_LIMITED, seconds=200_000.0, operation="tickets.update", count=1)
    )
    day.label(key, add="patient")
    day.world.wait(86_000, step=600)
    assert "patient" not in day.ticket_now(ticket)["tags"]
    day.world.wait(2400, step=60)
    assert "patient" in day.ticket_now(ticket)["tags"]


def test_an_issue_that_is_written_too_often_stops_no_other_issue(make: Make) -> None:
    day = make(jira_settings={"issue_writes_2s": 1})
    hot, hot_key = day.linked_pair()
    calm, calm_key = day.linked_pair()
    day.world.wait(60)
    tracker = day.world.hub.named("tracker")
    hot_id = day.issue_now(hot_key)["id"]
    day.world.hub.budgets.block(tracker.id, f"record:{hot_id}", 600)
    day.agent(hot, "solved")
    day.agent(calm, "solved")
    day.world.wait(300)
    assert day.issue_now(calm_key)["status"] == "Done"
    assert day.issue_now(hot_key)["status"] != "Done"
    day.world.wait(600)
    assert day.issue_now(hot_key)["status"] == "Done"


def test_a_limit_of_one_issue_named_by_jira_blocks_that_issue_only(make: Make) -> None:
    day = make(jira_settings={"issue_writes_2s": 1, "workflow": "long"})
    pairs = [day.linked_pair() for _ in range(3)]
    for ticket, _ in pairs:
        day.agent(ticket, "solved")
        day.tag(ticket, add=("also",))
    day.world.wait(300, step=2)
    assert [day.issue_now(key)["status"] for _, key in pairs] == ["Done"] * 3
    assert all("also" in day.issue_now(key)["labels"] for _, key in pairs)
    assert day.world.told("connection_down") == []
    scopes = {facts["scope"] for facts in day.world.told("rate_limited")}
    assert scopes, "the stand-in did refuse"
    assert all(scope.startswith("record:") for scope in scopes)


# --- as shown to people ----------------------------------------------------------------------------------------


def shown(day: Launch, connection: str = "support") -> dict[str, BudgetView]:
    with day.world.store.read() as conn:
        page = status(conn, day.world.clock.now())
    (one,) = [each for each in page.connections if each.name == connection]
    return {each.name: each for each in one.budgets}


def test_status_shows_the_budgets_as_of_the_last_poll(day: Launch) -> None:
    day.world.start()
    day.world.wait(60)
    account = shown(day)["account"]
    assert account.limit is not None
    assert account.remaining is not None
    assert 0 < account.remaining <= account.limit
    assert account.blocked_until is None
    assert account.read_at is not None
    assert day.world.clock.now() - account.read_at < timedelta(minutes=2)


def test_status_shows_a_budget_that_is_closed_until_it_opens_again(day: Launch) -> None:
    day.world.start()
    day.world.wait(60)
    support = day.world.hub.named("support")
    day.world.hub.budgets.block(support.id, "account", 600)
    opens = day.world.clock.now() + timedelta(seconds=600)
    assert not poll.poll(day.world.hub, support)
    assert shown(day)["account"].blocked_until == opens
    day.world.clock.advance(601)
    assert shown(day)["account"].blocked_until is None
