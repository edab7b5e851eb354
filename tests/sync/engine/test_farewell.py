"""A ticket that is taken out of its item shows the issue no more: one last write, and none where nothing is shown."""

from __future__ import annotations

import pytest

from connectors.sandbox.faults import FaultKind, FaultRule
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.test_hoped_links import in_field
from tests.sync.engine.test_official_app import AS_APP, app_links
from tests.sync.engine.views import many, waiting

FIELD = in_field(360002)


def shown_on(day: Launch, ticket: int) -> object:
    """What the ticket's link field holds."""
    return day.ticket_now(ticket)["custom_fields"].get("360002")


def linked(make: Make, texts: dict[str, str]) -> tuple[Launch, int, str]:
    day = make(texts=texts, zendesk_config={"jira_app": True} if texts is AS_APP else None)
    ticket, issue = day.linked_pair()
    day.world.wait(300)
    assert (shown_on(day, ticket) if texts is FIELD else app_links(day, ticket)) in (issue, [issue])
    return day, ticket, issue


def remove_by_hand(day: Launch, issue: str) -> None:
    """An engineer removes the ticket from the issue."""
    link = day.issue_now(issue)["remote_links"][0]
    day.jira.act({"act": "remove_remote_link", "issue": issue, "id": link["id"]})
    day.world.sweep()


def unlink(day: Launch, ticket: int) -> None:
    """A person takes the ticket out by command."""
    assert day.world.command("unlink", record=f"support:{ticket}").ok


@pytest.mark.parametrize("by", ["hand", "command"])
@pytest.mark.parametrize("texts", [FIELD, AS_APP], ids=["field", "app"])
def test_a_ticket_that_is_taken_out_shows_the_issue_no_more(make: Make, by: str, texts: dict[str, str]) -> None:
    day, ticket, issue = linked(make, texts)
    if by == "hand":
        remove_by_hand(day, issue)
    else:
        unlink(day, ticket)
    day.world.wait(300)
    assert not shown_on(day, ticket)
    assert app_links(day, ticket) == []
    assert day.links_on(issue) == []
    before = day.writes()
    day.agent(ticket, "open")
    day.world.sweep()
    assert day.writes() == before
    assert waiting(day, "support") == 0
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] == "open"


def test_a_note_is_not_taken_back(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.world.wait(300)
    before = day.calls("support").get("tickets.update", 0)
    remove_by_hand(day, issue)
    day.world.wait(300)
    assert day.calls("support").get("tickets.update", 0) == before
    assert len(day.notes_on(ticket)) == 1


def test_what_an_agent_put_into_the_field_meanwhile_stays(make: Make) -> None:
    day, ticket, issue = linked(make, FIELD)
    other = day.issue(summary="Another matter")
    day.world.wait(120)
    fields = [{"id": 360002, "value": other}]
    day.at_write["support"].acts.append({"act": "update", "ticket": ticket, "set": {"custom_fields": fields}})
    unlink(day, ticket)
    day.world.wait(600)
    assert shown_on(day, ticket) == other
    assert day.item(f"support:{ticket}") == day.item(other) != day.item(issue)


def test_a_farewell_to_a_ticket_that_moved_is_sent_on_what_it_shows_now(make: Make) -> None:
    day, ticket, _ = linked(make, FIELD)
    day.at_write["support"].acts.append({"act": "tag", "ticket": ticket, "add": ["late"], "remove": []})
    unlink(day, ticket)
    day.world.wait(600)
    assert not shown_on(day, ticket)
    assert "late" in day.ticket_now(ticket)["tags"]


@pytest.mark.parametrize("fault", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_a_farewell_whose_answer_is_lost_is_made_once(make: Make, fault: FaultKind) -> None:
    day, ticket, issue = linked(make, FIELD)
    day.zendesk.control.faults.add(FaultRule(kind=fault, operation="tickets.update", count=1))
    before = day.zendesk.state()["writes"].get("hub@example.com", 0)
    unlink(day, ticket)
    day.world.wait(1200)
    assert not shown_on(day, ticket)
    assert day.zendesk.state()["writes"].get("hub@example.com", 0) == before + 1
    assert waiting(day, "support") == 0
    assert day.links_on(issue) == []


@pytest.mark.parametrize("texts", [FIELD, AS_APP], ids=["field", "app"])
def test_a_ticket_that_is_linked_again_before_its_farewell_keeps_its_link(make: Make, texts: dict[str, str]) -> None:
    day, ticket, issue = linked(make, texts)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, method="write", count=2))
    unlink(day, ticket)
    day.world.wait(1)
    assert day.world.command("link", one=f"support:{ticket}", two=issue).ok
    day.world.wait(900)
    day.world.sweep()
    assert (shown_on(day, ticket) if texts is FIELD else app_links(day, ticket)) in (issue, [issue])
    assert day.item(f"support:{ticket}") == day.item(issue)


def test_an_ignored_farewell_does_not_bring_the_ticket_back(make: Make) -> None:
    day, ticket, issue = linked(make, FIELD)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.IGNORE_WRITE, operation="tickets.update", count=1))
    unlink(day, ticket)
    day.world.wait(300)
    day.tag(ticket, add=("later",))
    day.world.sweep()
    day.engineer(issue, "In Progress")
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] == "new"
    assert day.links_on(issue) == []


def test_an_issue_that_is_taken_out_shows_its_tickets_no_more(make: Make) -> None:
    day = make(texts=FIELD)
    key, tickets = many(day, 3)
    day.world.wait(300)
    assert len(day.links_on(key)) == 3
    assert day.world.command("unlink", record=key).ok
    day.world.wait(600)
    assert day.links_on(key) == []
    assert [shown_on(day, each) for each in tickets] == [None, None, None]
    before = day.writes()
    day.world.sweep()
    assert day.writes() == before
    assert len({day.item(f"support:{each}") for each in tickets}) == 1
    assert waiting(day, "tracker") == 0


def test_a_link_that_leads_elsewhere_stays_on_an_issue_that_is_taken_out(day: Launch) -> None:
    _, issue = day.linked_pair()
    day.jira.act({"act": "remote_link", "issue": issue, "url": "https://example.com/runbook"})
    day.world.wait(300)
    day.world.sweep()
    assert day.world.command("unlink", record=issue).ok
    day.world.wait(600)
    assert day.links_on(issue) == ["https://example.com/runbook"]


@pytest.mark.parametrize("fault", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_a_ticket_that_is_taken_out_while_a_write_to_it_is_in_doubt_shows_the_issue_no_more(
    make: Make, fault: FaultKind
) -> None:
    day, ticket, issue = linked(make, FIELD)
    day.zendesk.control.faults.add(FaultRule(kind=fault, operation="tickets.update", count=1))
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, operation="tickets.show", count=3, seconds=5))
    day.label(issue, add="late")
    day.world.wait(2, step=1)
    unlink(day, ticket)
    day.world.wait(900)
    assert not shown_on(day, ticket)
    assert waiting(day, "support") == 0
    assert day.links_on(issue) == []


@pytest.mark.parametrize("texts", [FIELD, AS_APP], ids=["field", "app"])
@pytest.mark.parametrize("fault", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_a_ticket_that_is_linked_again_while_its_farewell_is_in_doubt_stays_linked(
    make: Make, texts: dict[str, str], fault: FaultKind
) -> None:
    day, ticket, issue = linked(make, texts)
    day.zendesk.control.faults.add(FaultRule(kind=fault, method="write", count=1))
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, operation="tickets.show", count=3, seconds=5))
    unlink(day, ticket)
    day.world.wait(2, step=1)
    assert day.world.command("link", one=f"support:{ticket}", two=issue).ok
    day.world.wait(900)
    day.world.sweep()
    assert (shown_on(day, ticket) if texts is FIELD else app_links(day, ticket)) in (issue, [issue])
    assert day.item(f"support:{ticket}") == day.item(issue)


def test_a_farewell_that_is_never_kept_is_made_a_few_times_only(make: Make) -> None:
    day, ticket, _ = linked(make, FIELD)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.IGNORE_WRITE, operation="tickets.update"))
    before = day.calls("support").get("tickets.update", 0)
    unlink(day, ticket)
    day.world.wait(1800)
    assert day.calls("support")["tickets.update"] - before == 3
    assert waiting(day, "support") == 0


@pytest.mark.parametrize(("fault", "left"), [(FaultKind.IGNORE_WRITE, 1), (FaultKind.STALE_READ, 0)])
def test_one_link_that_an_issue_does_not_let_go_keeps_none_of_the_others_there(
    day: Launch, fault: FaultKind, left: int
) -> None:
    key, _ = many(day, 3)
    day.world.wait(300)
    assert len(day.links_on(key)) == 3
    method = "DELETE" if fault is FaultKind.IGNORE_WRITE else "read"
    day.jira.control.faults.add(FaultRule(kind=fault, method=method, operation="remotelinks.*", count=3))
    assert day.world.command("unlink", record=key).ok
    day.world.wait(1200)
    assert len(day.links_on(key)) == left
    assert waiting(day, "tracker") == 0
