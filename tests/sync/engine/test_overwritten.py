"""An edit made in the very second of our write is not lost without a word."""

from __future__ import annotations

from sqlalchemy import select

from sync.engine import columns
from sync.model import Status
from sync.store.tables import conflicts, items
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make


def test_a_detail_set_in_the_second_of_our_resolve_is_named_and_the_resolve_stands(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(90)
    day.agent(ticket, "open")
    day.world.wait(90)
    day.engineer(issue, "In Progress")
    day.world.wait(90)
    # The agent's edit and our write fall into one second: the version alone cannot tell them apart.
    day.zendesk.act({"act": "tag", "ticket": ticket, "add": ["seen"]})
    day.at_write["support"].acts.append({"act": "status", "ticket": ticket, "status": "hold"})
    day.engineer(issue, "Done")
    day.world.quiet()
    day.world.wait(120)
    with day.world.store.read() as conn:
        found = conn.execute(select(conflicts.c.kind, conflicts.c.lost)).all()
    assert ("overwritten_edit", "hold") in [tuple(row) for row in found]
    assert day.statuses(ticket, issue) == ("solved", "Done")


def test_a_resolve_in_the_second_of_our_detail_is_named_and_resolves_the_item(day: Launch) -> None:
    """Found by the demo: the agent's resolve was named and not heard."""
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.world.wait(90)
    day.zendesk.act({"act": "tag", "ticket": ticket, "add": ["seen"]})
    day.at_write["support"].acts.append({"act": "status", "ticket": ticket, "status": "solved"})
    day.jira.act({"act": "transition", "issue": issue, "to": "Blocked", "force": True})
    day.world.quiet()
    day.world.wait(120)
    with day.world.store.read() as conn:
        found = conn.execute(select(conflicts.c.kind, conflicts.c.lost)).all()
    assert ("overwritten_edit", "solved") in [tuple(row) for row in found]
    assert day.statuses(ticket, issue) == ("solved", "Done")


def test_a_detail_set_in_the_moment_of_our_resolve_of_the_issue_is_named_and_the_resolve_stands(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.world.wait(90)
    # Jira compares no versions itself: the step to Done leads from In Review as well.
    day.at_write["tracker"].acts.append({"act": "transition", "issue": issue, "to": "In Review"})
    day.agent(ticket, "solved")
    day.world.wait(120)
    with day.world.store.read() as conn:
        found = conn.execute(select(conflicts.c.kind, conflicts.c.kept, conflicts.c.lost)).all()
    assert [tuple(row) for row in found] == [("overwritten_edit", "Done", "In Review")]
    assert day.statuses(ticket, issue) == ("solved", "Done")


def test_another_kind_of_done_in_the_moment_of_our_resolve_is_named_and_the_item_is_what_its_issue_shows(
    make: Make,
) -> None:
    """Found by the history mixed 61022: the item was closed, and its issue, which may rest there, resolved."""
    day = make(jira_settings={"workflow": "global"})
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.world.wait(90)
    day.at_write["tracker"].acts.append({"act": "transition", "issue": issue, "to": "Won't Do"})
    day.agent(ticket, "solved")
    day.world.wait(120)
    with day.world.store.read() as conn:
        found = conn.execute(select(conflicts.c.kind, conflicts.c.kept, conflicts.c.lost)).all()
        state = columns.item_state(conn.execute(select(items.c.state)).scalar_one())
    assert [tuple(row) for row in found] == [("overwritten_edit", "Done", "Won't Do")]
    assert day.statuses(ticket, issue) == ("solved", "Done")
    assert state.status is Status.RESOLVED


def test_a_transition_from_the_status_that_was_read_names_no_conflict(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.world.wait(90)
    day.agent(ticket, "solved")
    day.world.wait(120)
    day.agent(ticket, "open")
    day.world.wait(120)
    with day.world.store.read() as conn:
        assert conn.execute(select(conflicts.c.kind)).all() == []
    assert day.statuses(ticket, issue) == ("open", "To Do")
