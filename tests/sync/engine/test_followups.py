"""A customer goes on after a ticket was closed for good: the follow-up belongs to the same item and reopens it."""

from __future__ import annotations

from tests.support.launch import ROUTES, Launch
from tests.sync.engine.conftest import Make


def follow(day: Launch, ticket: int, **given: object) -> int:
    """A customer answers a closed ticket: Zendesk opens a new one that names it."""
    return day.ticket(subject="Still broken", set={"via_followup_source_id": ticket}, **given)


def closed_pair(day: Launch) -> tuple[int, str]:
    """A ticket whose issue was finished, solved and then closed for good."""
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(90)
    day.zendesk.act({"act": "close", "ticket": ticket})
    day.world.wait(120)
    return ticket, issue


def test_a_follow_up_joins_the_item_of_its_closed_ticket_and_reopens_it(day: Launch) -> None:
    ticket, issue = closed_pair(day)
    again = follow(day, ticket)
    day.world.wait(180)
    assert day.item(f"support:{again}") == day.item(issue)
    assert day.issue_now(issue)["status"] == "To Do"
    assert day.ticket_now(ticket)["status"] == "closed"
    assert f"http://127.0.0.1:8101/agent/tickets/{again}" in day.links_on(issue)
    assert len(day.notes_on(again)) == 1


def test_the_follow_up_is_a_member_like_any_other_from_then_on(day: Launch) -> None:
    ticket, issue = closed_pair(day)
    again = follow(day, ticket)
    day.world.wait(180)
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(120)
    assert day.ticket_now(again)["status"] == "solved"


def test_a_follow_up_reopens_once_and_not_again_when_it_is_linked_anew(day: Launch) -> None:
    ticket, issue = closed_pair(day)
    again = follow(day, ticket)
    day.world.wait(180)
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(120)
    day.world.command("unlink", record=f"support:{again}")
    day.world.wait(60)
    day.agent(again, "open")
    day.world.wait(60)
    day.world.command("link", one=f"support:{again}", two=issue)
    day.world.wait(120)
    assert day.issue_now(issue)["status"] == "Done"


def test_a_follow_up_gets_no_issue_of_its_own_from_a_route(make: Make) -> None:
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(60)
    ticket = day.ticket(tags=["outage"])
    day.world.wait(120)
    key = day.issues()[0]["key"]
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(120)
    day.zendesk.act({"act": "close", "ticket": ticket})
    day.world.wait(60)
    again = follow(day, ticket, tags=["outage"])
    day.world.wait(240)
    assert [each["key"] for each in day.issues()] == [key]
    assert day.item(f"support:{again}") == day.item(key)


def test_a_follow_up_of_a_ticket_that_was_in_no_item_is_routed_like_any_other(make: Make) -> None:
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(60)
    ticket = day.ticket(tags=["praise"], status="solved")
    day.world.wait(120)
    day.zendesk.act({"act": "close", "ticket": ticket})
    day.world.wait(60)
    again = follow(day, ticket, tags=["outage"])
    day.world.wait(240)
    assert len(day.issues()) == 1
    assert day.item(f"support:{again}") == day.item(day.issues()[0]["key"])


def test_a_follow_up_of_a_ticket_that_cannot_be_read_is_routed_once_that_is_known(make: Make) -> None:
    day = make(routes=ROUTES, settings=None)
    old = day.ticket(status="solved")
    day.zendesk.act({"act": "close", "ticket": old})
    day.zendesk.act({"act": "forbid", "ticket": old})
    day.world.start()
    day.world.wait(60)
    follow(day, old, tags=["outage"])
    follow(day, old, tags=["outage"])
    day.world.wait(300)
    assert len(day.issues()) == 2


def test_a_follow_up_from_before_the_start_is_taken_as_it_stands(day: Launch) -> None:
    ticket, issue = day.ticket(status="solved"), day.issue(status="Done")
    day.world.wait(120)
    day.world.command("link", one=f"support:{ticket}", two=issue)
    day.zendesk.act({"act": "close", "ticket": ticket})
    day.world.wait(120)
    again = follow(day, ticket)
    day.world.wait(120)
    day.world.start()
    day.world.wait(300)
    assert day.item(f"support:{again}") == day.item(issue)
    assert day.statuses(again, issue) == ("new", "Done")
