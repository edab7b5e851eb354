"""What people say to each other is theirs: comments on either side never disturb a sync."""

from __future__ import annotations

import pytest

from tests.support.launch import Launch
from tests.sync.engine.conftest import Make


@pytest.mark.parametrize("public", [True, False])
def test_an_agents_comment_writes_nothing_anywhere(day: Launch, public: bool) -> None:
    ticket, issue = day.linked_pair(status="open")
    day.world.wait(60)
    before, notes = day.writes(), len(day.ticket_now(ticket)["comments"])
    day.zendesk.act({"act": "comment", "ticket": ticket, "body": "Looking into it", "public": public})
    day.world.wait(180)
    assert day.writes() == before
    assert len(day.ticket_now(ticket)["comments"]) == notes + 1
    assert day.issue_now(issue)["comments"] == []


@pytest.mark.parametrize("fires_update", [True, False])
def test_an_engineers_comment_writes_nothing_anywhere(make: Make, fires_update: bool) -> None:
    day = make(jira_settings={"comment_fires_update": fires_update})
    ticket, issue = day.linked_pair(status="open")
    day.world.wait(60)
    before, said = day.writes(), len(day.ticket_now(ticket)["comments"])
    day.jira.act({"act": "comment", "issue": issue, "body": f"See #{ticket} and OPS-99, closes it"})
    day.world.wait(180)
    assert day.writes() == before
    assert len(day.ticket_now(ticket)["comments"]) == said


def test_a_customers_reply_to_a_solved_ticket_reopens_because_zendesk_says_so(day: Launch) -> None:
    ticket, issue = day.linked_pair(status="open")
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(90)
    day.zendesk.act({"act": "comment", "ticket": ticket, "body": "Thanks!", "as": "customer@example.com"})
    day.world.wait(90)
    assert day.statuses(ticket, issue) == ("open", "To Do")


def test_an_internal_comment_on_a_solved_ticket_leaves_it_solved(day: Launch) -> None:
    ticket, issue = day.linked_pair(status="open")
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(90)
    before = day.writes()
    day.zendesk.act({"act": "comment", "ticket": ticket, "body": "Credited", "public": False})
    day.jira.act({"act": "comment", "issue": issue, "body": "Post-mortem on Monday"})
    day.world.wait(180)
    assert day.statuses(ticket, issue) == ("solved", "Done")
    assert day.writes() == before


def test_a_comment_between_our_read_and_our_write_delays_the_write_and_is_kept(day: Launch) -> None:
    ticket, issue = day.linked_pair(status="open")
    day.world.wait(60)
    day.at_write["support"].acts.append({"act": "comment", "ticket": ticket, "body": "One moment please"})
    day.label(issue, add="regression")
    day.world.wait(180)
    assert day.ticket_now(ticket)["tags"] == ["regression"]
    assert "One moment please" in [each["body"] for each in day.ticket_now(ticket)["comments"]]
