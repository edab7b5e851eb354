"""What a plan is: made of what is known, the same for the same world, and it writes nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import select

from sync.daemon import build as assembly
from sync.mapping.load import load
from sync.planning import stored
from sync.planning.build import build
from sync.store.tables import deliveries, plans
from tests.support.launch import Launch, launch
from tests.sync.planning.place import (
    CONNECTIONS,
    REVIEW_WAITS,
    edited,
    pairs,
    planned,
)


def test_the_same_world_gives_the_same_digest_and_another_one_another(tmp_path: Path) -> None:
    day, tickets, _ = pairs(tmp_path, 1)
    texts = edited(*REVIEW_WAITS)
    first, second = planned(day, texts), planned(day, texts)
    assert first.digest == second.digest
    day.zendesk.act({"act": "comment", "ticket": tickets[0], "body": "Any news?", "public": True})
    day.world.wait(120)
    assert planned(day, texts).digest != first.digest
    assert planned(day, edited("jira.yaml", "Open: new", "Open: in_progress")).digest != first.digest
    with day.world.store.read() as conn:
        assert stored.load(conn, first.id or 0) == first
        assert stored.find(conn, first.digest[:10]) == second.id
        assert stored.find(conn, str(first.id)) == first.id


def test_a_plan_writes_nothing_and_asks_nobody(tmp_path: Path) -> None:
    day, _, _ = pairs(tmp_path, 1)
    calls = day.calls("support"), day.calls("tracker")
    plan = planned(day, edited(*REVIEW_WAITS))
    assert (day.calls("support"), day.calls("tracker")) == calls
    assert plan.summary.records == 2
    assert plan.summary.oldest_at is not None
    with day.world.store.read() as conn:
        assert conn.execute(select(plans.c.state)).scalars().all() == ["made"]
        waiting = conn.execute(select(deliveries.c.id).where(deliveries.c.state == "waiting")).all()
    assert waiting == []


def test_a_ticket_whose_agent_moved_it_is_left_alone_and_told(tmp_path: Path) -> None:
    day, tickets, _ = pairs(tmp_path, 1)
    day.agent(tickets[0], "hold")
    day.world.wait(120)
    plan = planned(day, edited("jira.yaml", "Open: new", "Open: in_progress"))
    assert plan.rows == ()
    (left,) = plan.summary.left
    assert (left.why, left.samples) == ("their own users moved them against the item", (f"#{tickets[0]}",))


def test_a_plan_under_the_mapping_that_is_in_force_is_empty(tmp_path: Path) -> None:
    day, _, _ = pairs(tmp_path, 2)
    assert planned(day, edited("jira.yaml", "To Do: new", "To Do: new")).rows == ()


def test_nothing_is_planned_for_a_connection_that_only_observes(tmp_path: Path) -> None:
    day, _, _ = pairs(tmp_path, 1)
    assert day.world.command("shadow", connection="support", on=True).ok
    day.world.quiet()
    plan = planned(day, edited(*REVIEW_WAITS))
    assert plan.summary.writes == 0
    assert "support is in shadow mode: nothing is written to it" in plan.summary.notes
    assert [row.kind for row in plan.rows] == ["item"]


def test_a_plan_asks_the_database_as_often_for_many_records_as_for_few(tmp_path: Path) -> None:
    day, _, _ = pairs(tmp_path, 1)
    asked = [_statements(day)]
    for _ in range(3):
        _, issue = day.linked_pair(start=False, status="open")
        day.engineer(issue, "In Progress")
        day.engineer(issue, "In Review")
    day.world.wait(120)
    asked.append(_statements(day))
    assert asked[0] == asked[1] < 20


def _statements(day: Launch) -> int:
    """How many statements one plan takes."""
    hub = assembly.offline(
        day.world.store, day.world.configured, load(edited(*REVIEW_WAITS), CONNECTIONS), day.world.clock, day.world.rng
    )
    seen: list[str] = []
    with day.world.store.read() as conn:
        raw = conn.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(seen.append)
        build(conn, hub, "mappings")
        raw.set_trace_callback(None)
    return len(seen)


def test_an_edit_that_the_way_back_undoes_is_told(tmp_path: Path) -> None:
    day = launch(tmp_path)
    _, issue = day.linked_pair(status="open")
    plan = planned(day, edited("jira.yaml", "To Do: new", "To Do: waiting"))
    assert plan.rows == ()
    (left,) = plan.summary.left
    assert (left.count, left.samples) == (1, (issue,))
    assert left.why == (
        "`To Do` reads as waiting, and is also what the mapping writes for new: their items stay new. To change that, "
        "write another status for new"
    )
    assert planned(day, edited("jira.yaml", "To Do: new", "To Do: new")).summary.left == ()
