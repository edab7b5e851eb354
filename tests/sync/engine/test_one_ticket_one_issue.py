"""A ticket and an issue that belong together: status and tags travel both ways."""

from __future__ import annotations

import pytest

from tests.support.launch import Launch


def test_a_resolved_issue_solves_its_ticket(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.world.wait(60)
    assert day.statuses(ticket, issue) == ("new", "In Progress") or day.statuses(ticket, issue) == (
        "open",
        "In Progress",
    )
    day.engineer(issue, "Done")
    day.world.wait(60)
    assert day.statuses(ticket, issue) == ("solved", "Done")


def test_a_solved_ticket_finishes_its_issue(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.agent(ticket, "solved")
    day.world.wait(120)
    assert day.statuses(ticket, issue) == ("solved", "Done")


def test_a_ticket_opened_again_opens_its_issue_again(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(60)
    day.agent(ticket, "open")
    day.world.wait(60)
    status = day.issue_now(issue)["status"]
    assert status in ("To Do", "In Progress")
    assert day.ticket_now(ticket)["status"] == "open"


@pytest.mark.parametrize("hooks", [True, False])
def test_tags_travel_both_ways_with_and_without_webhooks(make, hooks: bool) -> None:  # type: ignore[no-untyped-def]
    day = make(hooks=hooks)
    ticket, issue = day.linked_pair()
    day.tag(ticket, add=("checkout",))
    day.world.wait(180)
    assert "checkout" in day.issue_now(issue)["labels"]
    day.label(issue, add="regression")
    day.world.wait(180)
    assert "regression" in day.ticket_now(ticket)["tags"]
    day.label(issue, remove="checkout")
    day.world.wait(180)
    assert "checkout" not in day.ticket_now(ticket)["tags"]
    assert "regression" in day.ticket_now(ticket)["tags"]


def test_a_day_at_rest_writes_nothing(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.tag(ticket, add=("checkout",))
    day.world.wait(300)
    before = day.writes()
    day.world.wait(3600, step=60)
    day.world.sweep()
    assert day.writes() == before
