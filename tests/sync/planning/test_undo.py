"""A plan that was applied is taken back, as far as it can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.planning import stored, undoing
from sync.planning.row import Plan
from tests.support.launch import ROUTES, Launch, launch
from tests.sync.planning.place import (
    REVIEW_WAITS,
    apply,
    edited,
    in_force,
    planned,
    ready,
    shown,
)


def undone(day: Launch) -> Plan:
    with day.world.store.read() as conn:
        plan = undoing.build(conn, day.world.hub, undoing.last_applied(conn))
    return day.world.store.step(lambda conn: stored.store(conn, plan, "a test"))


def test_an_applied_plan_is_taken_back_where_it_still_shows(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 2)
    apply(day, plan)
    day.world.quiet()
    day.agent(tickets[1], "pending")
    day.world.wait(120)
    back = undone(day)
    (row,) = back.rows
    assert [(each.before, each.after) for each in row.changes] == [("hold", "open")]
    (left,) = back.summary.left
    assert (left.why, left.samples) == ("it was changed since, and stays as it is", (f"#{tickets[1]}",))
    writes = day.writes()
    apply(day, back)
    day.world.wait(600)
    assert shown(day, tickets) == ["open", "pending"]
    assert day.writes() == writes + 1
    with day.world.store.read() as conn, pytest.raises(undoing.NothingToUndo, match="no plan was applied"):
        undoing.last_applied(conn)


def test_tags_that_a_plan_added_are_taken_off_and_stay_off(tmp_path: Path) -> None:
    narrow = edited(
        "jira.yaml", '    include: ["*"]\n    exclude: ["hub*"', '    include: ["team-*"]\n    exclude: ["hub*"'
    )
    day = launch(tmp_path, texts=narrow)
    _, issue = day.linked_pair(status="open", tags=["one"])
    day.world.wait(120)
    texts = edited("jira.yaml", "To Do: new", "To Do: new")
    plan = planned(day, texts)
    in_force(day, texts)
    apply(day, plan)
    day.world.quiet()
    assert day.issue_now(issue)["labels"] == ["one"]
    back = undone(day)
    apply(day, back)
    day.world.wait(600)
    assert day.issue_now(issue)["labels"] == []
    day.engineer(issue, "In Progress")
    day.world.wait(600)
    assert day.issue_now(issue)["labels"] == []
    assert [each.after for each in planned(day, texts).rows[0].changes] == ["+one"]


def test_a_create_is_not_taken_back_and_that_is_said(tmp_path: Path) -> None:
    day = launch(tmp_path)
    day.world.start()
    day.world.clock.advance(60)
    day.ticket(tags=["outage"])
    day.world.wait(300)
    texts = edited(*REVIEW_WAITS, routes=ROUTES)
    plan = planned(day, texts)
    in_force(day, texts)
    apply(day, plan)
    day.world.wait(300)
    back = undone(day)
    assert back.rows == ()
    assert back.summary.left[0].why == "a record that was created stays: delete it by hand"


def test_before_any_apply_there_is_nothing_to_undo(tmp_path: Path) -> None:
    day, _, plan = ready(tmp_path, 1)
    with day.world.store.read() as conn, pytest.raises(undoing.NothingToUndo, match="no plan was applied"):
        undoing.last_applied(conn)
    apply(day, plan)
    with day.world.store.read() as conn, pytest.raises(undoing.NothingToUndo, match="plan 1 is being applied"):
        undoing.last_applied(conn)
