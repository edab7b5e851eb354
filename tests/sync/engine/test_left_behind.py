"""What an error in the middle of a call leaves behind is taken up again without a restart, and stops nobody else."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import text

from connectors.sandbox.faults import FaultKind, FaultRule
from sync.engine import poll
from sync.store.errors import StoreUnavailable
from tests.support.launch import ROUTES, Launch
from tests.sync.engine.conftest import Make


def disk_full_once(day: Launch, when: Callable[[], bool]) -> None:
    """The next commit for which `when` holds fails, as on a full disk; the store is opened anew for it."""
    failed: list[str] = []

    def crash(where: str) -> None:
        if where == "before commit" and not failed and when():
            failed.append(where)
            raise StoreUnavailable("database or disk is full")

    day.world.crash = crash
    day.world.restart()
    day.world.quiet()


def test_a_write_whose_receipt_could_not_be_stored_is_settled_without_a_restart(make: Make) -> None:
    day = make()
    ticket, issue = day.linked_pair()
    disk_full_once(day, lambda: day.ticket_now(ticket)["status"] == "open")
    day.engineer(issue, "In Progress")
    with pytest.raises(StoreUnavailable):
        day.world.wait(60)
    day.world.wait(600)
    assert [each["status"] for each in states(day)] == ["settled"] * len(states(day))
    day.engineer(issue, "Done")
    day.world.wait(60)
    assert day.ticket_now(ticket)["status"] == "solved"


def test_a_create_whose_outcome_could_not_be_stored_happens_once_without_a_restart(make: Make) -> None:
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(60)
    disk_full_once(day, lambda: bool(day.issues()))
    ticket = day.ticket(tags=["outage"])
    with pytest.raises(StoreUnavailable):
        day.world.wait(60)
    day.world.wait(1800)
    assert [day.item(each["key"]) for each in day.issues()] == [day.item(f"support:{ticket}")]


def states(day: Launch) -> list[dict[str, str]]:
    with day.world.store.read() as conn:
        return [{"status": row.state} for row in conn.execute(text("SELECT state FROM deliveries"))]


def test_an_item_that_cannot_be_decided_stops_no_other(make: Make) -> None:
    day = make()
    _, damaged = day.linked_pair()
    ticket, issue = day.linked_pair()
    broken = {"item": day.item(damaged)}
    spoil = text("UPDATE items SET state = x'7b22' WHERE id = :item")
    day.world.store.step(lambda conn: conn.execute(spoil, broken).close())
    day.engineer(damaged, "In Progress")
    day.engineer(issue, "In Progress")
    with pytest.raises(msgspec.DecodeError):
        day.world.wait(30)
    day.world.quiet()
    assert day.ticket_now(ticket)["status"] == "open"


def test_a_cursor_lost_while_catching_up_loses_nothing(make: Make) -> None:
    day = make(routes=ROUTES, hooks=False, zendesk_config={"page_size": 2})
    day.world.start()
    day.world.wait(120)
    for _ in range(6):
        day.world.clock.advance(6 * 3600)
        day.ticket(tags=["outage"])
    assert poll.poll(day.world.hub, day.world.hub.named("support"))
    expired = '{"error": "InvalidValue", "description": "cursor is not valid"}'
    day.zendesk.control.faults.add(
        FaultRule(kind=FaultKind.GIVEN, operation="export.cursor", count=1, status=422, body=expired)
    )
    day.world.wait(3600)
    assert len(day.world.told("cursor_expired")) == 1
    assert len(day.issues()) == 6


def test_a_history_that_asks_for_patience_is_left_alone(make: Make) -> None:
    day = make()
    ticket, issue = day.linked_pair()
    day.zendesk.control.faults.add(
        FaultRule(kind=FaultKind.RATE_LIMITED, operation="audits.list", count=1, seconds=1800)
    )
    before = day.calls("support").get("audits.list", 0)
    day.agent(ticket, "solved")
    for _ in range(4):
        day.world.clock.advance(60)
        for _ in range(5):
            day.world.turn(polls=True)
    assert day.calls("support")["audits.list"] == before + 1
    day.world.wait(3600)
    assert day.issue_now(issue)["status"] == "Done"
