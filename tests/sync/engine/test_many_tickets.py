"""Many customers, one issue: the normal case of a launch day."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from sync.engine import columns
from sync.store.tables import links, records
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import members

MANY = 40


@pytest.fixture
def crowd(make: Make) -> tuple[Launch, list[int], str]:
    """One issue and forty tickets of customers, linked by hand in the tracker and found by the sweep, at rest."""
    day = make()
    tickets, issue = [day.ticket(subject=f"Checkout fails ({n})") for n in range(MANY)], day.issue()
    day.world.start()
    day.world.wait(60)
    answer = day.world.command("link", one=f"support:{tickets[0]}", two=issue)
    assert answer.ok, answer.message
    day.world.wait(60)
    for ticket in tickets[1:]:
        day.jira.act({"act": "remote_link", "issue": issue, "url": f"http://127.0.0.1:8101/agent/tickets/{ticket}"})
    day.world.sweep()
    day.engineer(issue, "In Progress")
    day.world.wait(300, step=60)
    return day, tickets, issue


def finish(day: Launch, issue: str) -> None:
    """Engineers finish the issue; the hub has a while, since Zendesk takes a hundred updates a minute."""
    day.engineer(issue, "Done")
    day.world.wait(300, step=60)


def statuses(day: Launch, tickets: list[int]) -> list[str]:
    """What the tickets show."""
    shown = {int(each["id"]): each["status"] for each in day.zendesk.state()["records"]}
    return [shown[ticket] for ticket in tickets]


def is_aside(day: Launch, ticket: int) -> bool:
    """Whether the hub says of a ticket that its own agent put it where it is."""
    statement = (
        select(links.c.base)
        .select_from(links.join(records, links.c.record_id == records.c.id))
        .where(records.c.kind == "ticket", records.c.remote_id == str(ticket), links.c.ended_at.is_(None))
    )
    with day.world.store.read() as conn:
        status = columns.base(conn.execute(statement).scalar_one()).status
    return status is not None and status.aside


def test_all_of_them_are_in_one_item_and_each_has_one_note_and_one_link(crowd: tuple[Launch, list[int], str]) -> None:
    day, tickets, issue = crowd
    assert members(day, day.item(issue)) == MANY + 1
    assert [len(day.notes_on(ticket)) for ticket in tickets] == [1] * MANY
    assert len(day.links_on(issue)) == len(set(day.links_on(issue))) == MANY
    day.world.sweep()
    assert [len(day.notes_on(ticket)) for ticket in tickets] == [1] * MANY
    assert len(day.links_on(issue)) == MANY


def test_a_resolve_reaches_every_open_ticket_and_no_closed_one(crowd: tuple[Launch, list[int], str]) -> None:
    day, tickets, issue = crowd
    for ticket in tickets[:3]:
        day.agent(ticket, "solved")
        day.world.wait(30)
        day.zendesk.act({"act": "close", "ticket": ticket})
    day.world.wait(60)
    before = [day.ticket_now(ticket)["version"] for ticket in tickets[:3]]
    finish(day, issue)
    assert statuses(day, tickets) == ["closed"] * 3 + ["solved"] * (MANY - 3)
    assert [day.ticket_now(ticket)["version"] for ticket in tickets[:3]] == before


def test_one_customer_who_replies_opens_the_issue_and_no_sibling(crowd: tuple[Launch, list[int], str]) -> None:
    day, tickets, issue = crowd
    finish(day, issue)
    before = day.writes()
    day.zendesk.act({"act": "comment", "ticket": tickets[7], "body": "Still broken", "as": "customer@example.com"})
    day.world.wait(120)
    assert day.issue_now(issue)["status"] == "To Do"
    assert statuses(day, tickets) == ["solved"] * 7 + ["open"] + ["solved"] * (MANY - 8)
    assert day.writes() == before + 1


def test_one_ticket_solved_alone_stays_aside_and_moves_nobody(crowd: tuple[Launch, list[int], str]) -> None:
    day, tickets, issue = crowd
    before = day.writes()
    day.agent(tickets[0], "solved")
    day.world.wait(120)
    assert day.issue_now(issue)["status"] == "In Progress"
    assert set(statuses(day, tickets[1:])) == {"open"}
    assert day.writes() == before
    assert is_aside(day, tickets[0])
    assert not is_aside(day, tickets[1])


def test_a_tag_of_one_ticket_reaches_the_tracker_only_and_a_label_reaches_all(
    crowd: tuple[Launch, list[int], str],
) -> None:
    day, tickets, issue = crowd
    day.tag(tickets[0], add=("vip",))
    day.world.wait(90)
    assert day.issue_now(issue)["labels"] == ["vip"]
    day.label(issue, add="regression")
    day.world.wait(300, step=60)
    shown = [day.ticket_now(ticket)["tags"] for ticket in tickets]
    assert shown == [["regression", "vip"]] + [["regression"]] * (MANY - 1)


def test_agents_who_solve_all_of_them_finish_the_issue_and_an_automation_does_not(
    crowd: tuple[Launch, list[int], str],
) -> None:
    day, tickets, issue = crowd
    for ticket in tickets[:-1]:
        day.agent(ticket, "solved")
    day.world.wait(120)
    day.zendesk.act({"act": "status", "ticket": tickets[-1], "status": "solved", "as": "automation"})
    day.world.wait(300)
    assert day.issue_now(issue)["status"] == "In Progress"
    day.agent(tickets[-1], "open")
    day.world.wait(60)
    day.agent(tickets[-1], "solved")
    day.world.wait(300)
    assert day.issue_now(issue)["status"] == "Done"


def test_a_ticket_that_leaves_takes_nobody_along(crowd: tuple[Launch, list[int], str]) -> None:
    day, tickets, issue = crowd
    gone = f"http://127.0.0.1:8101/agent/tickets/{tickets[0]}"
    link = next(each for each in day.issue_now(issue)["remote_links"] if each["object"]["url"] == gone)
    day.jira.act({"act": "remove_remote_link", "issue": issue, "id": link["id"]})
    day.world.sweep()
    finish(day, issue)
    assert statuses(day, tickets) == ["open"] + ["solved"] * (MANY - 1)


@pytest.mark.parametrize(("by", "finished"), [("agent", True), ("automation", False)])
def test_a_ticket_that_is_closed_before_anybody_looked_counts_as_whoever_solved_it(
    day: Launch, by: str, finished: bool
) -> None:
    """Found by simulation: the automation that closes what is solved was taken for the one who had solved it."""
    ticket, issue = day.linked_pair()
    day.world.wait(60)
    more = {} if by == "agent" else {"as": by}
    day.zendesk.act({"act": "status", "ticket": ticket, "status": "solved", **more})
    day.zendesk.act({"act": "status", "ticket": ticket, "status": "closed", "as": "automation"})
    day.world.wait(300)
    assert day.statuses(ticket, issue) == ("closed", "Done" if finished else "To Do")
