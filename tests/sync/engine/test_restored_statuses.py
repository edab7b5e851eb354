"""After a restore: statuses that the hub had set since the backup, and what users have made of them since."""

from __future__ import annotations

from sqlalchemy import select

from sync.engine import columns
from sync.store.tables import items
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.test_restore import back_up, both_solved, held, restore, two_tickets


def item_status(day: Launch, of: str) -> str:
    """The status of a record's item."""
    with day.world.store.read() as conn:
        state = conn.execute(select(items.c.state).where(items.c.id == day.item(of))).scalar_one()
    status = columns.item_state(state).status
    return "" if status is None else status.value


def walk_half_way(day: Launch, key: str) -> None:
    """The hub begins to walk an issue to done."""
    while day.issue_now(key)["status"] == "To Do":
        day.world.clock.advance(1)
        day.world.turn(polls=True)
    assert day.issue_now(key)["status"] in ("In Progress", "In Review")


def test_an_issue_that_the_hub_left_half_way_gives_its_item_the_value_when_the_solver_has_left(make: Make) -> None:
    """Found by the history mixed 300412: the item stayed new for good."""
    day = make(jira_settings={"workflow": "long"})
    ticket, key = day.linked_pair()
    copy = back_up(day)
    day.agent(ticket, "solved")
    walk_half_way(day, key)
    day.zendesk.act({"act": "delete", "ticket": ticket})
    restore(day, copy)
    day.world.wait(4000)
    assert day.issue_now(key)["status"] in ("In Progress", "In Review")
    assert item_status(day, key) == "in_progress"


def test_an_issue_that_was_half_way_to_done_goes_on_when_its_tickets_are_still_solved(make: Make) -> None:
    day = make(jira_settings={"workflow": "long"})
    ticket, key = day.linked_pair()
    copy = back_up(day)
    day.agent(ticket, "solved")
    walk_half_way(day, key)
    restore(day, copy)
    day.world.wait(1800)
    assert day.statuses(ticket, key) == ("solved", "Done")


def test_a_ticket_that_its_agent_reopened_after_the_hub_had_solved_it_since_the_backup_stays_open(day: Launch) -> None:
    """Found by the history mixed 300265: it was solved a second time, for the one resolve."""
    ticket, other, key = two_tickets(day)
    day.agent(ticket, "open")
    day.world.wait(120)
    copy = back_up(day)
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(300)
    assert day.statuses(ticket, key) == ("solved", "Done")
    day.agent(ticket, "open")
    restore(day, copy)
    day.world.wait(1800)
    assert day.statuses(ticket, key) == ("open", "To Do")
    assert day.ticket_now(other)["status"] == "solved"
    assert held(day) == set()


def test_an_issue_that_its_people_reopened_after_the_hub_had_finished_it_since_the_backup_stays_open(
    day: Launch,
) -> None:
    ticket, key = day.linked_pair(status="open")
    day.engineer(key, "In Progress")
    day.world.wait(120)
    copy = back_up(day)
    day.agent(ticket, "solved")
    day.world.wait(300)
    assert day.statuses(ticket, key) == ("solved", "Done")
    day.engineer(key, "In Progress", force=True)
    restore(day, copy)
    day.world.wait(1800)
    assert day.statuses(ticket, key) == ("open", "In Progress")


def test_a_detail_that_the_hub_carried_to_a_ticket_and_whose_issue_has_left_does_not_outlive_it(day: Launch) -> None:
    """Found by the history mixed 300926: the ticket stayed on hold, the item was new."""
    ticket, key = day.linked_pair()
    copy = back_up(day)
    day.engineer(key, "Blocked", force=True)
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == "hold"
    day.jira.act({"act": "delete", "issue": key})
    restore(day, copy)
    day.world.wait(4000)
    assert day.ticket_now(ticket)["status"] == "open"
    assert item_status(day, f"support:{ticket}") == "new"


def test_a_detail_that_the_hub_carried_to_a_ticket_goes_with_the_issues_word(day: Launch) -> None:
    ticket, key = day.linked_pair()
    copy = back_up(day)
    day.engineer(key, "Blocked", force=True)
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == "hold"
    day.engineer(key, "To Do", force=True)
    restore(day, copy)
    day.world.wait(1800)
    assert day.statuses(ticket, key) == ("open", "To Do")


def test_a_reopen_that_the_hub_carried_to_a_ticket_and_whose_issue_has_left_is_the_items(day: Launch) -> None:
    """Found by the history operators 62899: the ticket was open, the item resolved."""
    ticket, _, key = both_solved(day)
    copy = back_up(day)
    day.engineer(key, "To Do", force=True)
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == "open"
    day.jira.act({"act": "delete", "issue": key})
    restore(day, copy)
    day.world.wait(4000)
    assert day.ticket_now(ticket)["status"] == "open"
    assert item_status(day, f"support:{ticket}") == "new"


def test_a_reopen_that_the_hub_carried_to_a_ticket_ends_with_the_issues_next_done(day: Launch) -> None:
    ticket, other, key = both_solved(day)
    copy = back_up(day)
    day.engineer(key, "To Do", force=True)
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == day.ticket_now(other)["status"] == "open"
    day.engineer(key, "Done", force=True)
    restore(day, copy)
    day.world.wait(1800)
    assert day.statuses(ticket, key) == day.statuses(other, key) == ("solved", "Done")


def test_a_ticket_that_was_solved_and_opened_again_since_the_backup_is_not_solved_by_the_issue_that_it_finished(
    day: Launch,
) -> None:
    """Found by the history operators 310219."""
    ticket, other, key = two_tickets(day)
    day.engineer(key, "In Progress")
    day.world.wait(120)
    copy = back_up(day)
    day.agent(ticket, "solved")
    day.agent(other, "solved")
    day.world.wait(300)
    assert day.issue_now(key)["status"] == "Done"
    day.agent(ticket, "open")
    restore(day, copy)
    day.world.wait(1800)
    assert day.statuses(ticket, key) == ("open", "In Progress")
    assert day.ticket_now(other)["status"] == "solved"
