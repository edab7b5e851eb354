"""What the brake and the housekeeping look at is cheap: memory first, and it may be lost."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from sync.engine import create, deliver, doubt, tidy
from sync.engine.hub import EngineSettings
from sync.store.tables import commands
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import holds_now, many

FEW = EngineSettings(brake_missing=(4, 0.05))


def forbid(day: Launch, key: str, tickets: list[int]) -> None:
    for ticket in tickets:
        day.zendesk.act({"act": "forbid", "ticket": ticket})
    assert day.world.command("refresh", item=key).ok
    day.world.wait(120)


def test_records_that_went_missing_before_a_restart_still_count(make: Make) -> None:
    day = make(settings=FEW)
    key, tickets = many(day, 8)
    forbid(day, key, tickets[:3])
    assert holds_now(day) == []
    day.world.restart()
    day.world.wait(60)
    forbid(day, key, tickets[3:5])
    assert [each.reason for each in holds_now(day)] == ["mass_missing"]


def test_records_that_went_missing_more_than_an_hour_ago_do_not_count(make: Make) -> None:
    day = make(settings=FEW)
    key, tickets = many(day, 8)
    forbid(day, key, tickets[:3])
    day.world.wait(7200, step=600)
    forbid(day, key, tickets[3:5])
    assert holds_now(day) == []


def test_while_memory_counts_few_missing_records_the_tables_are_not_asked(make: Make) -> None:
    day = make(settings=FEW)
    key, tickets = many(day, 8)
    forbid(day, key, tickets[:4])
    day.world.hub.named("support").health.missed = []  # so the tables alone know that it is one too many now
    forbid(day, key, tickets[4:5])
    assert holds_now(day) == []


def old_command(day: Launch) -> None:
    at = day.world.clock.now() - timedelta(days=30)
    row = {"at": at, "verb": "refresh", "args": b"{}", "answer": b"{}", "done_at": at}
    day.world.store.step(lambda conn: conn.execute(insert(commands).values(**row)).close())


@pytest.mark.parametrize(("later", "kept"), [(3540, 1), (3660, 0)])
def test_what_is_past_its_time_is_looked_for_once_an_hour(day: Launch, later: int, kept: int) -> None:
    tidy.tidy(day.world.hub)
    old_command(day)
    day.world.clock.advance(later)
    tidy.tidy(day.world.hub)
    with day.world.store.read() as conn:
        assert len(conn.execute(select(commands.c.id)).all()) == kept


def test_short_periods_are_looked_after_in_time(make: Make) -> None:
    day = make(settings=EngineSettings(raw_days=1 / 1440))  # type: ignore[arg-type]  # the proof's soak does so
    tidy.tidy(day.world.hub)
    old_command(day)
    day.world.clock.advance(60)
    tidy.tidy(day.world.hub)
    with day.world.store.read() as conn:
        assert conn.execute(select(commands.c.id)).all() == []


def test_who_looks_for_open_deliveries_passes_by_those_that_were_settled_long_ago(make: Make) -> None:
    day = make()
    connected = day.world.hub.named("support")
    traced: list[str] = []
    with day.world.store.read() as conn:
        raw = conn.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.set_trace_callback(traced.append)
    assert not deliver.due(day.world.hub, connected, "write")
    assert not doubt.settle(day.world.hub, connected)
    assert not create.create(day.world.hub, connected)
    raw.set_trace_callback(None)
    asked = [text for text in traced if "FROM deliveries" in text]
    plans = [str(step[3]) for text in asked for step in raw.execute(f"EXPLAIN QUERY PLAN {text}")]
    assert len(asked) >= 3
    assert {plan for plan in plans if "deliveries" in plan} == {
        "SEARCH deliveries USING INDEX ix_deliveries_state (state=?)"
    }
