"""A webhook call names a record to read; one that says nothing new costs no read."""

from __future__ import annotations

from tests.support.launch import Launch


def test_a_change_in_the_second_of_our_own_write_is_read(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.label(issue, add="checkout")
    day.world.quiet(polls=False)
    assert "checkout" in day.ticket_now(ticket)["tags"]
    day.agent(ticket, "solved")  # no time has passed: the version is that of our own write
    day.world.quiet(polls=False)
    assert day.statuses(ticket, issue) == ("solved", "Done")
