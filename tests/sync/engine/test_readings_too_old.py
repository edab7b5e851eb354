"""A list has shown a change and the feed has gone on: a direct reading from before that change is no answer."""

from __future__ import annotations

from connectors.sandbox.faults import FaultKind, FaultRule
from tests.support.launch import Launch


def rule(day: Launch, count: int) -> None:
    day.jira.control.faults.add(FaultRule(kind=FaultKind.STALE_READ, operation="issue.get", count=count))


def test_a_change_that_a_list_has_shown_is_read_until_a_reading_shows_it(day: Launch) -> None:
    """Found by a history (race 71010): the place in the feed had passed the change, and nobody asked for it again."""
    ticket, key = day.linked_pair()
    day.world.wait(120)
    day.world.hooks_on = False
    rule(day, 2)
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(90, step=10)
    assert [each["fired"] for each in day.jira.control.faults.listing()] == [2]
    assert day.ticket_now(ticket)["status"] == "solved"


def test_it_is_not_read_for_ever(day: Launch) -> None:
    _, key = day.linked_pair()
    day.world.wait(120)
    day.world.hooks_on = False
    rule(day, 100)
    day.label(key, add="vip")
    day.world.wait(1200)
    [listing] = day.jira.control.faults.listing()
    assert listing["fired"] == 4
