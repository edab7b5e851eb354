"""Records that are closed, deleted, restored, moved or merged: nobody else's record is touched because of it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from sync.store.tables import deliveries, inbox
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import calls, holds_now, members, parked_now, presence, waiting


def test_a_closed_ticket_is_never_written(day: Launch) -> None:
    ticket, key = day.linked_pair(tags=["vip"])
    day.agent(ticket, "solved")
    day.world.wait(120)
    day.zendesk.act({"act": "close", "ticket": ticket})
    day.world.wait(120)
    before = len(calls(day, "support", "tickets.update"))
    day.engineer(key, "To Do")
    day.label(key, add="later")
    day.label(key, remove="vip")
    day.world.wait(600)
    day.world.sweep()
    assert len(calls(day, "support", "tickets.update")) == before
    assert waiting(day, "support") == 0
    assert parked_now(day) == []
    assert day.ticket_now(ticket)["tags"] == ["vip"]


def test_a_ticket_that_closes_moves_nobody(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.agent(ticket, "solved")
    day.world.wait(120)
    day.engineer(key, "To Do")
    day.engineer(key, "In Progress")
    day.zendesk.act({"act": "close", "ticket": ticket})
    day.world.wait(300)
    assert day.statuses(ticket, key) == ("closed", "In Progress")


def test_a_deleted_ticket_that_is_restored_is_known_again(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.zendesk.act({"act": "delete", "ticket": ticket})
    day.world.wait(600)
    assert presence(day, "support", str(ticket)) == "gone"
    assert members(day, day.item(key)) == 1
    day.zendesk.act({"act": "restore", "ticket": ticket})
    day.tag(ticket, add=("back",))
    day.world.wait(600)
    assert presence(day, "support", str(ticket)) == "present"
    assert day.world.command("link", one=f"support:{ticket}", two=key).ok
    day.world.wait(120)
    assert members(day, day.item(key)) == 2


def test_a_deleted_issue_leaves_its_ticket_as_it_is(day: Launch) -> None:
    ticket, key = day.linked_pair(tags=["vip"], status="open")
    day.world.wait(120)
    before = day.ticket_now(ticket)
    day.jira.act({"act": "delete", "issue": key})
    day.world.sweep()
    now = day.ticket_now(ticket)
    assert (now["status"], now["tags"]) == (before["status"], before["tags"])
    assert presence(day, "tracker", "10000") != "present"
    assert holds_now(day) == []


def test_an_issue_moved_to_a_project_that_is_not_polled_keeps_its_ticket(day: Launch) -> None:
    ticket, key = day.linked_pair()
    moved = str(day.jira.act({"act": "move", "issue": key, "project": "WEB"})["key"])
    day.world.sweep()
    day.agent(ticket, "solved")
    day.world.wait(300)
    assert day.issue_now(moved)["status"] == "Done"


def test_tickets_merged_into_one_that_is_a_member_already_leave_one_member(day: Launch) -> None:
    first, key = day.linked_pair()
    second = day.ticket(subject="Me too")
    day.world.wait(60)
    assert day.world.command("link", one=f"support:{second}", two=key).ok
    day.world.wait(60)
    day.zendesk.act({"act": "merge", "ticket": second, "from": [first]})
    day.world.wait(600)
    assert members(day, day.item(key)) == 2
    assert day.issue_now(key)["status"] == "To Do", "a merge closes a ticket and resolves nothing"


def test_what_is_past_its_time_is_forgotten_while_the_daemon_runs(make: Make) -> None:
    day = make()
    ticket, key = day.linked_pair()
    day.tag(ticket, add=("one",))
    day.world.wait(300)

    def rows() -> tuple[int, int]:
        with day.world.store.read() as conn:
            return (
                len(conn.execute(select(inbox.c.id)).all()),
                len(conn.execute(select(deliveries.c.id).where(deliveries.c.state == "settled")).all()),
            )

    assert min(rows()) > 0
    day.world.clock.advance(timedelta(days=8).total_seconds())
    day.world.quiet()
    assert rows()[0] == 0
    assert rows()[1] > 0
    day.world.clock.advance(timedelta(days=90).total_seconds())
    day.world.quiet()
    assert rows() == (0, 0)
    assert day.world.told("forgotten")
    assert day.item(key) == day.item(f"support:{ticket}")
