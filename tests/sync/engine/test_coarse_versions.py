"""Zendesk's versions are seconds: a reading of the second of our own write that does not show it proves nothing."""

from __future__ import annotations

from connectors.sandbox.faults import FaultKind, FaultRule
from tests.support.launch import Launch


def written_within_a_second(day: Launch) -> tuple[int, str]:
    """A ticket that an agent edited and the hub wrote a tag to, both in the second that has not passed yet."""
    ticket, key = day.linked_pair()
    day.world.wait(60)
    day.tag(ticket, add=("one",))
    day.label(key, add="two")
    day.world.quiet()
    assert day.ticket_now(ticket)["tags"] == ["one", "two"]
    return ticket, key


def stale(day: Launch, count: int) -> None:
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.STALE_READ, operation="tickets.show", count=count))


def test_a_stale_reading_of_the_second_of_our_own_write_takes_nothing_back(day: Launch) -> None:
    """Found by simulation: the tag was taken off the issue, and put back one reading later."""
    ticket, key = written_within_a_second(day)
    writes = day.writes()
    stale(day, 1)
    day.world.command("refresh", item=key)
    day.world.quiet()
    assert set(day.issue_now(key)["labels"]) == {"one", "two"}
    day.world.wait(300)
    assert set(day.issue_now(key)["labels"]) == {"one", "two"}
    assert day.ticket_now(ticket)["tags"] == ["one", "two"]
    assert day.writes() == writes


def test_a_remote_that_stays_behind_for_half_a_minute_takes_nothing_back(day: Launch) -> None:
    _, key = written_within_a_second(day)
    writes = day.writes()
    stale(day, 5)
    for _ in range(30):
        day.world.command("refresh", item=key)
        day.world.wait(1, step=1)
    assert day.zendesk.control.faults.listing()[0]["fired"] == 5
    day.world.wait(300)
    assert set(day.issue_now(key)["labels"]) == {"one", "two"}
    assert day.writes() == writes


def test_a_tag_that_its_agent_takes_off_in_the_second_of_our_write_goes_everywhere_a_minute_later(day: Launch) -> None:
    ticket, key = written_within_a_second(day)
    day.tag(ticket, remove=("two",))
    day.world.wait(180)
    assert day.ticket_now(ticket)["tags"] == ["one"]
    assert day.issue_now(key)["labels"] == ["one"]


def test_an_agent_who_solves_in_the_second_of_our_write_is_heard_at_once(day: Launch) -> None:
    """Found by the demo: the change history tells an edit after our write from a reading that is older than it."""
    ticket, key = day.linked_pair()
    day.world.wait(60)
    day.engineer(key, "In Progress")
    day.world.quiet()
    assert day.ticket_now(ticket)["status"] == "open"
    day.agent(ticket, "solved")
    day.world.quiet()
    assert day.statuses(ticket, key) == ("solved", "Done")


def test_a_reading_is_doubted_while_the_history_shows_no_edit_after_ours(day: Launch) -> None:
    """The agent's edit came before our write, in its second, and the history ends with ours."""
    ticket, key = day.linked_pair()
    day.world.wait(60)
    day.agent(ticket, "hold")
    day.engineer(key, "In Progress")
    day.world.quiet()
    shown = day.ticket_now(ticket)["status"]
    stale(day, 1)
    day.world.command("refresh", item=key)
    day.world.quiet()
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == shown


def test_nothing_is_written_to_a_record_while_its_reading_is_doubted(day: Launch) -> None:
    """An agent's solve, while the history cannot be read, is not written over meanwhile."""
    ticket, key = day.linked_pair()
    day.world.wait(60)
    day.engineer(key, "In Progress")
    day.world.quiet()
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.HTML, operation="audits.list", count=4))
    day.agent(ticket, "solved")
    day.world.quiet()
    day.jira.act({"act": "transition", "issue": key, "to": "Blocked", "force": True})
    day.world.quiet()
    assert day.ticket_now(ticket)["status"] == "solved"
    day.world.wait(180)
    assert day.statuses(ticket, key) == ("solved", "Done")


def test_another_edit_in_the_second_of_our_write_is_heard_at_once(day: Launch) -> None:
    ticket, key = written_within_a_second(day)
    day.tag(ticket, add=("three",))
    day.world.quiet()
    assert set(day.issue_now(key)["labels"]) == {"one", "two", "three"}


def test_a_doubt_is_not_settled_by_a_reading_older_than_the_write_that_the_history_shows(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.world.wait(60)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.DROP_AFTER, operation="tickets.update", count=1))
    day.tag(ticket, add=("one",))
    day.label(key, add="two")
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.STALE_READ, operation="tickets.show", skip=1, count=2))
    day.world.wait(1, step=1)
    assert set(day.issue_now(key)["labels"]) == {"one", "two"}
    day.world.wait(300)
    assert [each["fired"] for each in day.zendesk.control.faults.listing()] == [1, 2]
    assert set(day.issue_now(key)["labels"]) == {"one", "two"}
    assert day.ticket_now(ticket)["tags"] == ["one", "two"]


def test_a_stale_reading_of_the_second_of_an_agents_edit_takes_nothing_back(day: Launch) -> None:
    """Found by the soak: two edits in one second, and a reading from between them: the tag went, and came back."""
    ticket, key = day.linked_pair()
    day.world.wait(60)
    day.tag(ticket, add=("one",))
    day.tag(ticket, add=("two",))
    day.world.quiet()
    assert set(day.issue_now(key)["labels"]) == {"one", "two"}
    writes = day.writes()
    stale(day, 1)
    day.world.command("refresh", item=key)
    day.world.quiet()
    assert day.zendesk.control.faults.listing()[0]["fired"] == 1
    assert set(day.issue_now(key)["labels"]) == {"one", "two"}
    day.world.wait(300)
    assert day.writes() == writes


def test_a_stale_reading_of_the_second_of_an_agents_removal_brings_nothing_back(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.world.wait(60)
    day.tag(ticket, add=("one",))
    day.world.quiet()
    day.world.wait(60)
    day.tag(ticket, add=("two",))
    day.tag(ticket, remove=("one",))
    day.world.quiet()
    assert day.issue_now(key)["labels"] == ["two"]
    writes = day.writes()
    stale(day, 1)
    day.world.command("refresh", item=key)
    day.world.quiet()
    assert day.issue_now(key)["labels"] == ["two"]
    day.world.wait(300)
    assert day.writes() == writes
