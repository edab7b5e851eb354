"""A write whose answer was lost is not sent again when the item has moved on meanwhile."""

from __future__ import annotations

from connectors.sandbox.faults import FaultKind, FaultRule
from tests.support.launch import Launch


def test_a_resolve_that_was_lost_does_not_arrive_after_the_reopen(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.engineer(issue, "In Progress")
    day.world.wait(60)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.DROP_BEFORE, operation="tickets.update", count=2))
    day.engineer(issue, "Done")
    day.world.quiet(polls=False)
    assert day.ticket_now(ticket)["status"] == "open"
    day.engineer(issue, "To Do")
    day.world.wait(300)
    edits = [edit for row in day.ticket_now(ticket)["history"] for edit in row["edits"] if edit["field"] == "status"]
    assert [edit["new"] for edit in edits] == ["new", "open"]
    assert day.statuses(ticket, issue) == ("open", "To Do")
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(300)
    assert day.statuses(ticket, issue) == ("solved", "Done")
