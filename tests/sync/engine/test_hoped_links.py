"""A link that was written counts as shown once a read shows it: what a remote did not keep was not removed by hand."""

from __future__ import annotations

import pytest

from connectors.sandbox.faults import FaultKind, FaultRule
from sync.engine.hub import EngineSettings
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import parked_now
from tests.sync.mapping.records import shipped_texts

LIMIT = EngineSettings().miss_limit


def in_field(number: int) -> dict[str, str]:
    """The mappings with the ticket's issue shown in a custom field."""
    text = shipped_texts()["zendesk.yaml"]
    assert "    show: note " in text
    return {"zendesk.yaml": text.replace("    show: note ", f"    show: field\n    field: custom_fields.{number} ")}


def together(day: Launch, ticket: int, issue: str) -> bool:
    return day.item(f"support:{ticket}") == day.item(issue)


def test_a_field_that_zendesk_ignores_is_parked_and_the_ticket_stays(make: Make) -> None:
    day = make(texts=in_field(999999))
    ticket, issue = day.linked_pair()
    day.world.wait(600)
    day.world.sweep()
    assert together(day, ticket, issue)
    [parked] = parked_now(day)
    assert (parked.connection, parked.field, parked.reason) == ("support", "links", "write_ignored")
    assert parked.wanted == f"custom_fields.999999={issue}"
    assert parked.shown == ""
    before = day.writes()
    day.agent(ticket, "open")
    day.world.wait(600)
    day.world.sweep()
    assert day.writes() == before, "it is not tried for ever"
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] == "solved"


@pytest.mark.parametrize("times", [1, LIMIT - 1])
def test_a_ticket_write_that_is_not_kept_is_made_again(make: Make, times: int) -> None:
    day = make(texts=in_field(360002))
    day.zendesk.control.faults.add(
        FaultRule(kind=FaultKind.IGNORE_WRITE, operation="tickets.update", method="PUT", count=times)
    )
    ticket, issue = day.linked_pair()
    day.world.wait(600)
    assert together(day, ticket, issue)
    assert day.ticket_now(ticket)["custom_fields"]["360002"] == issue
    assert parked_now(day) == []


@pytest.mark.parametrize("times", [1, LIMIT - 1])
def test_a_remote_link_that_is_not_kept_is_made_again(day: Launch, times: int) -> None:
    day.jira.control.faults.add(FaultRule(kind=FaultKind.IGNORE_WRITE, operation="remotelinks.put", count=times))
    ticket, issue = day.linked_pair()
    day.world.wait(600)
    day.world.sweep()
    assert together(day, ticket, issue)
    assert day.links_on(issue) == [f"http://127.0.0.1:8101/agent/tickets/{ticket}"]
    assert parked_now(day) == []


def test_a_remote_link_that_is_never_kept_is_parked_and_tried_again_when_asked(day: Launch) -> None:
    day.jira.control.faults.add(FaultRule(kind=FaultKind.IGNORE_WRITE, operation="remotelinks.put", count=LIMIT))
    ticket, issue = day.linked_pair()
    day.world.wait(600)
    day.world.sweep()
    assert together(day, ticket, issue)
    assert day.calls("tracker")["remotelinks.put"] == LIMIT
    [parked] = parked_now(day)
    assert (parked.connection, parked.field, parked.reason) == ("tracker", "links", "write_ignored")
    assert parked.wanted.startswith("show ")
    assert day.world.command("retry", parked=parked.id).ok
    day.world.wait(300)
    assert day.links_on(issue) == [f"http://127.0.0.1:8101/agent/tickets/{ticket}"]
    assert parked_now(day) == []


def test_a_parked_link_that_a_person_makes_is_not_parked_any_more(day: Launch) -> None:
    day.jira.control.faults.add(FaultRule(kind=FaultKind.IGNORE_WRITE, operation="remotelinks.put", count=LIMIT))
    ticket, issue = day.linked_pair()
    day.world.wait(600)
    assert len(parked_now(day)) == 1
    url = f"http://127.0.0.1:8101/agent/tickets/{ticket}"
    day.jira.act({"act": "remote_link", "issue": issue, "url": url})
    day.world.sweep()
    assert parked_now(day) == []
    assert together(day, ticket, issue)
    link = day.issue_now(issue)["remote_links"][0]
    day.jira.act({"act": "remove_remote_link", "issue": issue, "id": link["id"]})
    day.world.sweep()
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] != "solved", "a link that was shown and is removed detaches as ever"


def test_a_link_that_is_refused_is_parked_and_the_ticket_stays(day: Launch) -> None:
    day.jira.control.faults.add(
        FaultRule(kind=FaultKind.GIVEN, operation="remotelinks.put", status=400, body='{"errorMessages": ["no"]}')
    )
    ticket, issue = day.linked_pair()
    day.world.wait(600)
    day.world.sweep()
    assert together(day, ticket, issue)
    assert [(each.field, each.reason) for each in parked_now(day)] == [("links", "write_rejected")]


# --- links that were taken away --------------------------------------------------------------------------------------


def taken_out(day: Launch) -> tuple[int, str]:
    """A ticket with a sibling, whose issue has just been taken out of their item."""
    ticket, issue = day.linked_pair()
    other = day.ticket(subject="Me too")
    day.world.wait(300)
    assert day.world.command("link", one=f"support:{other}", two=issue).ok
    day.world.wait(300)
    return ticket, issue


@pytest.mark.parametrize("times", [1, LIMIT - 1])
def test_a_link_that_is_not_taken_away_is_taken_away_again(make: Make, times: int) -> None:
    day = make(texts=in_field(360002))
    ticket, issue = taken_out(day)
    ignored = FaultRule(kind=FaultKind.IGNORE_WRITE, operation="tickets.update", method="PUT", count=times)
    day.zendesk.control.faults.add(ignored)
    assert day.world.command("unlink", record=issue).ok
    day.world.wait(900)
    assert not day.ticket_now(ticket)["custom_fields"]["360002"]
    assert parked_now(day) == []


def test_a_link_that_can_not_be_taken_away_is_parked_and_brings_nobody_back(make: Make) -> None:
    day = make(texts=in_field(360002))
    ticket, issue = taken_out(day)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.IGNORE_WRITE, operation="tickets.update", method="PUT"))
    before = day.calls("support").get("tickets.update", 0)
    assert day.world.command("unlink", record=issue).ok
    day.world.wait(1800)
    assert day.calls("support")["tickets.update"] - before == 2 * LIMIT
    assert {(each.connection, each.field, each.reason) for each in parked_now(day)} == {
        ("support", "links", "write_ignored")
    }
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] == "new"


def test_a_remote_link_that_jira_does_not_take_away_brings_no_ticket_back(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.world.wait(300)
    rule = FaultRule(kind=FaultKind.IGNORE_WRITE, operation="remotelinks.*", method="DELETE", count=LIMIT - 1)
    day.jira.control.faults.add(rule)
    assert day.world.command("unlink", record=f"support:{ticket}").ok
    day.world.wait(600)
    day.world.sweep()
    assert day.links_on(issue) == []
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] == "new"
