"""Answers that are no answers, clocks that jump, feeds that go round: nothing is lost, nothing is taken for true."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from connectors.sandbox.faults import FaultKind, FaultRule
from sync.engine import poll
from sync.store.tables import cursors
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.test_parks import remap
from tests.sync.engine.views import calls, feed, holds_now, item_count, known, parked_now, presence

PAGES = {"support": "export.cursor", "tracker": "search.jql"}
USELESS = [FaultKind.HTML, FaultKind.TRUNCATED, FaultKind.EMPTY, FaultKind.NULL, FaultKind.CUT_BODY]


@pytest.mark.parametrize("kind", USELESS)
@pytest.mark.parametrize("side", ["support", "tracker"])
def test_a_page_of_no_use_moves_no_cursor_and_loses_nothing(make: Make, side: str, kind: FaultKind) -> None:
    day = make(hooks=False)
    ticket, key = day.linked_pair()
    day.world.wait(120)
    before = feed(day, side).cursor
    control = (day.zendesk if side == "support" else day.jira).control
    control.faults.add(FaultRule(kind=kind, operation=PAGES[side]))
    day.tag(ticket, add=("desk",))
    day.label(key, add="site")
    day.world.wait(240)
    assert feed(day, side).cursor == before
    control.faults.clear()
    day.world.wait(300)
    assert "desk" in day.issue_now(key)["labels"]
    assert "site" in day.ticket_now(ticket)["tags"]
    assert item_count(day) == 1
    assert holds_now(day) == []


@pytest.mark.parametrize("side", ["support", "tracker"])
def test_a_body_of_fifty_megabytes_is_refused_unread(make: Make, side: str) -> None:
    day = make(hooks=False)
    ticket, key = day.linked_pair()
    control = (day.zendesk if side == "support" else day.jira).control
    control.faults.add(FaultRule(kind=FaultKind.HUGE, operation=PAGES[side], count=1))
    day.tag(ticket, add=("desk",))
    day.label(key, add="site")
    day.world.wait(300)
    assert "desk" in day.issue_now(key)["labels"]
    assert "site" in day.ticket_now(ticket)["tags"]
    assert row_count(day, side) == 1


def row_count(day: Launch, side: str) -> int:
    return len(known(day, side))


def test_an_expired_cursor_reads_again_from_the_last_safe_time(make: Make) -> None:
    day = make(hooks=False, jira_settings={"token_life": 60.0, "page_cap": 1})
    tickets = [day.linked_pair() for _ in range(3)]
    day.world.wait(300)
    connection = day.world.hub.named("tracker")
    day.world.store.step(
        lambda conn: poll.restart(conn, connection, poll.IMPORT, day.world.clock.now(), day.world.clock.now())
    )
    for ticket, _ in tickets:
        day.tag(ticket, add=("later",))
    day.world.wait(900)
    assert sorted(known(day, "tracker")) == sorted(set(known(day, "tracker")))
    assert all("later" in day.issue_now(key)["labels"] for _, key in tickets)


def test_a_cursor_that_the_remote_does_not_know_is_begun_anew(make: Make) -> None:
    day = make(hooks=False)
    ticket, key = day.linked_pair()
    connection = day.world.hub.named("support").id
    day.world.store.step(
        lambda conn: conn.execute(
            update(cursors)
            .where(cursors.c.connection_id == connection, cursors.c.feed == poll.LIVE)
            .values(cursor="bm8gY3Vyc29y")
        ).close()
    )
    day.tag(ticket, add=("later",))
    day.world.wait(300)
    assert "later" in day.issue_now(key)["labels"]
    assert day.world.told("cursor_expired")


@pytest.mark.parametrize("switch", ["token_repeats", "token_lost"])
def test_a_feed_that_goes_round_ends_and_is_read_on(make: Make, switch: str) -> None:
    day = make(hooks=False)
    for _ in range(3):
        day.issue()
    day.world.start()
    day.jira.change_settings({switch: True, "page_cap": 1})
    day.issue()
    asked = len(calls(day, "tracker", "search.jql"))
    day.world.wait(600)
    assert len(calls(day, "tracker", "search.jql")) - asked < 200, "no loop without end"
    day.jira.change_settings({switch: False})
    key = day.issue()
    day.world.wait(600)
    assert len(known(day, "tracker")) == 5
    assert day.issue_now(key)


def test_an_empty_list_of_tickets_deletes_nothing(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.FORBIDDEN, path="/deleted_tickets"))
    day.zendesk.act({"act": "forbid", "ticket": ticket})
    day.world.command("refresh", item=key)
    day.world.wait(120)
    assert presence(day, "support", str(ticket)) == "unreachable"
    assert day.item(f"support:{ticket}") == day.item(key)


# --- clocks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [24, -24, 1, -1])
def test_a_wall_clock_that_jumps_loses_and_delays_nothing(make: Make, hours: int) -> None:
    day = make(hooks=False)
    ticket, key = day.linked_pair()
    day.zendesk.control.faults.add(
        FaultRule(kind=FaultKind.RATE_LIMITED, seconds=60.0, operation="tickets.update", count=1)
    )
    day.engineer(key, "In Progress")
    day.world.wait(30)
    day.world.clock.jump(hours * 3600)
    day.engineer(key, "Done")
    day.tag(ticket, add=("desk",))
    day.label(key, add="site")
    day.world.wait(900)
    assert day.statuses(ticket, key) == ("solved", "Done")
    assert "desk" in day.issue_now(key)["labels"]
    assert "site" in day.ticket_now(ticket)["tags"]
    assert holds_now(day) == []
    day.world.clock.jump(-hours * 3600)
    day.agent(ticket, "open")
    day.world.wait(900)
    assert day.issue_now(key)["status"] in ("To Do", "In Progress")


@pytest.mark.parametrize("hours", [24, -24])
def test_what_waits_for_its_time_does_not_wait_for_a_clock_that_was_set_back(make: Make, hours: int) -> None:
    day = make(hooks=False)
    ticket, key = day.linked_pair()
    day.zendesk.control.faults.add(
        FaultRule(kind=FaultKind.RATE_LIMITED, seconds=60.0, operation="tickets.update", count=1)
    )
    day.label(key, add="patient")
    day.world.wait(30)
    day.world.clock.jump(hours * 3600)
    day.world.wait(300)
    assert "patient" in day.ticket_now(ticket)["tags"]
    assert [facts["seconds"] for facts in day.world.told("clock_jumped")] == [hours * 3600.0]


def test_a_retry_after_is_kept_over_a_jump_of_the_wall_clock(day: Launch) -> None:
    _, key = day.linked_pair()
    day.zendesk.control.faults.add(
        FaultRule(kind=FaultKind.RATE_LIMITED, seconds=600.0, operation="tickets.update", count=1)
    )
    day.label(key, add="patient")
    day.world.wait(30)
    day.world.clock.jump(86_400)
    asked = len(calls(day, "support"))
    day.world.wait(480)
    assert len(calls(day, "support")) == asked


# --- many and odd values ---------------------------------------------------------------------------------------


def test_a_ticket_of_a_thousand_tags_is_taken_in(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.tag(ticket, add=tuple(f"t{number}" for number in range(1000)))
    day.world.wait(300)
    assert len(day.issue_now(key)["labels"]) == 1000
    day.tag(ticket, remove=tuple(f"t{number}" for number in range(999)))
    day.world.wait(300)
    assert day.issue_now(key)["labels"] == ["t999"]


def test_fields_that_nobody_knows_disturb_nothing(make: Make) -> None:
    day = make(jira_settings={"unknown_fields": True}, zendesk_settings={"extra_ticket_keys": {"new_thing": "x"}})
    ticket, key = day.linked_pair()
    day.agent(ticket, "solved")
    day.world.wait(120)
    assert day.statuses(ticket, key) == ("solved", "Done")


# --- an edited mapping -----------------------------------------------------------------------------------------


def test_an_edited_mapping_writes_nothing_by_itself_and_holds_for_the_next_change(day: Launch) -> None:
    ticket, key = day.linked_pair(status="hold", tags=["one"])
    day.engineer(key, "Blocked")
    day.world.wait(300)
    writes = day.writes()
    remap(
        day,
        {
            "zendesk.yaml": ("      hold: waiting\n", "      hold: in_progress\n"),
            "jira.yaml": ('    include: ["*"]\n', '    include: ["team-*"]\n'),
        },
    )
    day.world.wait(600)
    day.world.sweep()
    assert day.writes() == writes
    day.tag(ticket, add=("two", "team-red"))
    day.world.wait(300)
    assert "team-red" in day.issue_now(key)["labels"]
    assert "two" not in day.issue_now(key)["labels"]
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] == "solved"
    assert parked_now(day) == []
