"""A history is asked for within its budget: where there is no room, what needs it waits."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from connectors.contract import Act
from connectors.errors import RateLimited
from connectors.sandbox.faults import FaultKind, FaultRule
from sync.core.state import Want
from sync.engine import brakes, columns, doubt, outcome
from sync.engine.columns import Errand
from sync.engine.hub import Connected
from sync.store.tables import deliveries, records, refreshes
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.test_fights import round_of
from tests.sync.engine.views import holds_now


class Counting:
    """A remote that counts how often it is asked for a history."""

    def __init__(self, remote: Any) -> None:
        self._remote = remote
        self.asked = 0

    def history(self, ref: Any, since: str) -> Any:
        self.asked += 1
        return self._remote.history(ref, since)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._remote, name)


def without_room(day: Launch, seconds: float) -> tuple[Connected, Counting]:
    """The desk's histories have a budget of their own, closed for so long."""
    support = day.world.hub.named("support")
    inner = support.draws
    support.draws = lambda act: ("histories",) if act is Act.HISTORY else inner(act)
    day.world.hub.budgets.block(support.id, "histories", seconds)
    remote: Any = Counting(support.remote())
    support.remote = lambda: remote
    return support, remote


def test_a_write_in_doubt_waits_until_its_history_may_be_asked_for(make: Make) -> None:
    day = make()
    number, key = day.linked_pair()
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.DROP_AFTER, operation="tickets.update", count=1))
    day.label(key, add="regression")

    def doubted() -> Any:
        with day.world.store.read() as conn:
            return conn.execute(select(deliveries).where(deliveries.c.state == "in_doubt")).first()

    while doubted() is None:
        day.world.clock.advance(1)
        day.world.turn(polls=True)
    day.world.clock.advance(60)
    support, remote = without_room(day, 120)
    assert doubt.settle(day.world.hub, support)
    assert remote.asked == 0
    assert (doubted().not_before - day.world.clock.now()).total_seconds() == pytest.approx(120)
    day.world.clock.advance(121)
    assert doubt.settle(day.world.hub, support)
    assert remote.asked == 1
    assert doubted() is None
    assert day.ticket_now(number)["tags"] == ["regression"]


def test_an_answer_that_differs_says_nothing_until_the_history_may_be_asked_for(make: Make) -> None:
    day = make()
    number, _ = day.linked_pair()
    support, remote = without_room(day, 120)
    with day.world.store.read() as conn:
        body = conn.execute(select(records.c.body).where(records.c.remote_id == str(number))).scalar_one()
    snap = columns.snapshot(body)
    errand = Errand(want=Want(status="solved"), expect=snap.version)
    with pytest.raises(RateLimited, match="120 seconds"):
        outcome.of_answer(day.world.hub, support, snap.ref, errand, snap, "d-1")
    assert remote.asked == 0
    day.world.clock.advance(121)
    # Asked now, and still nobody's: the history knows no row of ours, so the write is in doubt.
    assert outcome.of_answer(day.world.hub, support, snap.ref, errand, snap, "d-1") is None
    assert remote.asked == 1


def test_the_other_writer_of_a_fight_is_named_once_the_history_may_be_asked_for(make: Make) -> None:
    day = make()
    ticket, key = day.linked_pair()
    for _ in range(3):
        round_of(day, ticket, key)
    support, remote = without_room(day, 900)
    with day.world.store.read() as conn:
        snap = columns.snapshot(
            conn.execute(select(records.c.body).where(records.c.remote_id == str(ticket))).scalar_one()
        )
    round_of(day, ticket, key)
    assert [each.reason for each in holds_now(day)] == ["fight"]
    assert "the other writer is" not in holds_now(day)[0].detail
    assert remote.asked == 0
    brakes.name_other(day.world.hub, support, snap)
    with day.world.store.read() as conn:
        waiting = conn.execute(select(refreshes).where(refreshes.c.why == "fight")).one()
    assert waiting.not_before > day.world.clock.now()
    day.world.wait(1200)
    assert "the other writer is" in holds_now(day)[0].detail
