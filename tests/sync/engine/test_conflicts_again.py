"""A record that somebody changes without a pause is not written to without a pause."""

from __future__ import annotations

from sqlalchemy import select

from connectors.sandbox.faults import FaultKind, FaultRule
from sync.engine import columns
from sync.engine.deliver import CONFLICTS
from sync.store.tables import links
from tests.support.launch import Launch


def put_offs(day: Launch) -> list[object]:
    with day.world.store.read() as conn:
        return [columns.base(each).put_off for each in conn.execute(select(links.c.base)).scalars()]


def restless(day: Launch, times: int) -> None:
    """Before each of our next writes to a ticket, somebody has changed it."""
    day.zendesk.control.faults.add(
        FaultRule(
            kind=FaultKind.GIVEN,
            operation="tickets.update",
            method="PUT",
            status=409,
            count=times,
            body='{"error": "UpdateConflict", "description": "Safe update prevented the update"}',
        )
    )


def test_a_few_conflicts_in_a_row_hold_nothing_up(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.world.wait(60)
    restless(day, CONFLICTS - 1)
    day.engineer(issue, "In Progress")
    day.world.wait(10)
    assert day.ticket_now(ticket)["status"] == "open"
    assert len(day.world.told("write_conflict")) == CONFLICTS - 1
    assert put_offs(day) == [None, None]


def test_a_record_that_never_rests_is_asked_less_and_less_often(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.world.wait(60)
    restless(day, 10_000)
    day.engineer(issue, "In Progress")
    day.world.wait(60)
    first = len(day.world.told("write_conflict"))
    assert CONFLICTS < first < 2 * CONFLICTS + 8
    day.world.wait(1800)
    assert len(day.world.told("write_conflict")) - first < 2 * CONFLICTS + 8
    assert day.ticket_now(ticket)["status"] == "new"


def test_when_the_record_rests_the_write_lands_and_all_is_as_before(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.world.wait(60)
    restless(day, CONFLICTS + 3)
    day.engineer(issue, "In Progress")
    day.world.wait(600)
    assert day.ticket_now(ticket)["status"] == "open"
    assert put_offs(day) == [None, None]
    told = len(day.world.told("write_conflict"))
    restless(day, CONFLICTS - 1)
    day.engineer(issue, "Done")
    day.world.wait(10)
    assert day.ticket_now(ticket)["status"] == "solved"
    assert len(day.world.told("write_conflict")) == told + CONFLICTS - 1


def test_a_write_that_was_found_to_have_landed_counts_as_landed(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.world.wait(60)
    restless(day, CONFLICTS - 1)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.DROP_AFTER, operation="tickets.update", count=1))
    day.engineer(issue, "In Progress")
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == "open"
    restless(day, 1)
    day.engineer(issue, "Done")
    day.world.wait(10)
    assert day.ticket_now(ticket)["status"] == "solved"
    assert put_offs(day) == [None, None]
