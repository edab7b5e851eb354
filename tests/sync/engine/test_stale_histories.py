"""A change history may come from a replica that is behind, too: what it does not account for, it says nothing about."""

from __future__ import annotations

from connectors.sandbox.faults import FaultKind, FaultRule
from tests.support.launch import Launch


def group(day: Launch) -> tuple[int, int, str]:
    """Two tickets of one issue, at rest."""
    ticket, key = day.linked_pair()
    other = day.ticket()
    day.world.wait(60)
    assert day.world.command("link", one=f"support:{other}", two=key).ok
    day.world.quiet()
    day.world.wait(60)
    return ticket, other, key


def rule(day: Launch, kind: FaultKind, operation: str, *, skip: int = 0, count: int = 1) -> None:
    day.jira.control.faults.add(FaultRule(kind=kind, operation=operation, skip=skip, count=count))


def test_a_write_in_doubt_is_not_taken_for_an_engineers_by_a_history_that_is_behind(day: Launch) -> None:
    """Found by the soak: the ticket's tag counted as the tracker's too, and lived on when its agent took it off."""
    ticket, other, key = group(day)
    rule(day, FaultKind.DROP_AFTER, "issue.edit")
    rule(day, FaultKind.STALE_READ, "issue.changelog")
    day.tag(ticket, add=("one",))
    day.world.quiet()
    day.world.wait(120)
    assert [each["fired"] for each in day.jira.control.faults.listing()] == [1, 1]
    assert day.issue_now(key)["labels"] == ["one"]
    assert day.ticket_now(other)["tags"] == []
    day.tag(ticket, remove=("one",))
    day.world.wait(120)
    assert day.issue_now(key)["labels"] == []


def test_an_answer_and_a_history_that_are_both_behind_take_no_reopen_for_an_engineers(day: Launch) -> None:
    """What one ticket's reopen made of the issue is no word of its engineers: the other ticket stays solved."""
    ticket, other, key = group(day)
    for each in (ticket, other):
        day.agent(each, "solved")
    day.world.quiet()
    day.world.wait(120)
    rule(day, FaultKind.STALE_READ, "issue.get", skip=1)
    rule(day, FaultKind.STALE_READ, "issue.changelog")
    day.agent(ticket, "open")
    day.world.quiet()
    day.world.wait(120)
    assert [each["fired"] for each in day.jira.control.faults.listing()] == [1, 1]
    assert day.statuses(ticket, key) == ("open", "To Do")
    assert day.ticket_now(other)["status"] == "solved"


def test_a_write_in_doubt_that_is_looked_at_late_is_not_taken_for_an_engineers_either(day: Launch) -> None:
    ticket, other, key = group(day)
    rule(day, FaultKind.DROP_AFTER, "issue.edit")
    day.tag(ticket, add=("one",))
    while not day.jira.control.faults.listing()[0]["fired"]:
        day.world.clock.advance(1)
        day.world.turn()
    until = day.world.clock.now().timestamp() + 150
    down = FaultRule(kind=FaultKind.UNAVAILABLE, seconds=5, until=until)
    day.jira.control.faults.add(down)
    rule(day, FaultKind.STALE_READ, "issue.changelog")
    day.world.wait(400)
    assert [each["fired"] > 0 for each in day.jira.control.faults.listing()] == [True, True, True]
    assert day.issue_now(key)["labels"] == ["one"]
    assert day.ticket_now(other)["tags"] == []
