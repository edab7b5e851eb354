"""A wall clock that is set back by a day while a write is in doubt: no time stored before is waited for."""

from __future__ import annotations

import pytest

from connectors.sandbox.faults import FaultKind, FaultRule
from tests.support.launch import ROUTES, Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.test_restore import back_up, restore
from tests.sync.engine.views import holds_now, waiting


@pytest.mark.parametrize("restarts", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("fault", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_a_write_in_doubt_is_settled_at_once_though_the_clock_was_set_back_by_a_day(
    make: Make, fault: FaultKind, restarts: bool
) -> None:
    """A process that starts after the clock was set back has never seen it jump."""
    day = make()
    ticket, issue = day.linked_pair()
    day.world.wait(300)
    day.zendesk.control.faults.add(FaultRule(kind=fault, operation="tickets.update", count=1))
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, operation="tickets.show", count=4))
    day.label(issue, add="payments")
    day.world.wait(2, step=1)
    assert waiting(day, "support") == 1
    if restarts:
        day.world.close()
        day.world.clock.jump(-86_400)
        day.world.open()
    else:
        day.world.clock.jump(-86_400)
    day.world.wait(600)
    assert waiting(day, "support") == 0
    assert "payments" in day.ticket_now(ticket)["tags"]


def test_a_doubt_that_is_outdated_ends_though_the_clock_was_set_back_by_a_day(day: Launch) -> None:
    _, issue = day.linked_pair()
    day.world.wait(300)
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.DROP_BEFORE, operation="tickets.update", count=1))
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, operation="tickets.show", count=7))
    day.label(issue, add="payments")
    day.world.wait(1, step=0.5)
    assert waiting(day, "support") == 1
    day.label(issue, remove="payments")
    day.world.wait(20, step=1)
    assert waiting(day, "support") == 1
    day.world.clock.jump(-86_400)
    day.world.wait(1200)
    assert waiting(day, "support") == 0


def test_the_hold_of_a_restore_ends_though_the_clock_was_set_back_by_a_day(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    copy = back_up(day)
    day.world.wait(600)
    restore(day, copy)
    assert {each.reason for each in holds_now(day)} == {"restored"}
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.clock.jump(-86_400)
    day.world.wait(900)
    assert holds_now(day) == []
    assert day.statuses(ticket, issue) == ("solved", "Done")


@pytest.mark.parametrize("fault", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_a_create_in_doubt_is_made_once_and_soon_though_the_clock_was_set_back_by_a_day(
    make: Make, fault: FaultKind
) -> None:
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(60)
    day.jira.control.faults.add(FaultRule(kind=fault, operation="issue.create", count=1))
    day.ticket(tags=["outage"])
    for _ in range(120):
        if waiting(day, "tracker"):
            break
        day.world.wait(1, step=1)
    day.world.clock.jump(-86_400)
    day.world.wait(1800)
    assert len(day.issues()) == 1
    assert waiting(day, "tracker") == 0


@pytest.mark.parametrize("made", [False, True], ids=["not made yet", "made"])
def test_a_create_that_a_restored_database_does_not_know_is_made_once_and_soon_though_the_clock_was_set_back_by_a_day(
    make: Make, made: bool
) -> None:
    """Found by the history operators 62014: it was looked for again and again until the clock had caught up."""
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(600)
    copy = back_up(day)
    day.world.wait(60)
    day.ticket(tags=["outage"])
    if made:
        day.world.wait(60)
        assert len(day.issues()) == 1
    restore(day, copy)
    day.world.wait(30)
    day.world.clock.jump(-86_400)
    day.world.wait(1800)
    assert len(day.issues()) == 1
    assert waiting(day, "tracker") == 0
    assert holds_now(day) == []


@pytest.mark.parametrize("fault", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_a_create_in_doubt_in_a_restored_database_is_made_once_and_soon_though_the_clock_was_set_back_by_a_day(
    make: Make, fault: FaultKind
) -> None:
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(600)
    day.jira.control.faults.add(FaultRule(kind=fault, operation="issue.create", count=1))
    day.ticket(tags=["outage"])
    for _ in range(120):
        if waiting(day, "tracker"):
            break
        day.world.wait(1, step=1)
    restore(day, back_up(day))
    day.world.wait(30)
    day.world.clock.jump(-86_400)
    day.world.wait(1800)
    assert len(day.issues()) == 1
    assert waiting(day, "tracker") == 0
