"""Applying a plan: refused as a whole, row by row, stopped, limited, killed and gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from sync.planning import stored
from sync.store.tables import holds, plan_rows
from tests.support.launch import launch
from tests.sync.planning.place import (
    REVIEW_WAITS,
    apply,
    edited,
    in_force,
    pairs,
    planned,
    progress,
    ready,
    shown,
)


def test_a_plan_of_other_mappings_is_refused_whole(tmp_path: Path) -> None:
    day, tickets, _ = pairs(tmp_path, 1)
    plan = planned(day, edited(*REVIEW_WAITS))
    with pytest.raises(Exception, match="was made with other mappings") as refused:
        apply(day, plan)
    assert "make a new plan with `hypercare plan`" in str(refused.value)
    day.world.wait(60)
    assert shown(day, tickets) == ["open"]


def test_a_plan_whose_rows_were_changed_is_refused_whole(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 1)
    with day.world.store.read() as conn:
        (body,) = stored.bodies(conn, plan.id or 0)
    forged = body.replace(b'"hold"', b'"solved"')
    day.world.store.step(lambda conn: conn.execute(update(plan_rows).values(body=forged)).close())
    with pytest.raises(Exception, match="is not the one that was shown"):
        apply(day, plan)
    day.world.wait(60)
    assert shown(day, tickets) == ["open"]


def test_a_plan_is_applied_once(tmp_path: Path) -> None:
    day, _, plan = ready(tmp_path, 1)
    assert apply(day, plan) == "plan 1 is applied from now on"
    assert apply(day, plan) == "plan 1 is being applied already"
    day.world.quiet()
    with pytest.raises(Exception, match="plan 1 was applied already"):
        apply(day, plan)


def test_a_plan_that_nobody_made_is_not_found(tmp_path: Path) -> None:
    day = launch(tmp_path)
    for name in ("7", "abcdef", "", "'; drop table plans"):
        with pytest.raises(Exception, match="there is no plan"):
            day.world.command("apply", plan=name)


def test_a_limit_stops_a_plan_and_the_next_apply_goes_on(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 3)
    apply(day, plan, max_writes=2)
    day.world.quiet()
    assert shown(day, tickets) == ["hold", "hold", "open"]
    halfway = progress(day, plan)
    assert (halfway.state, halfway.counts) == ("stopped", {"done": 2, "planned": 1})
    assert day.world.told("plan_stopped")[-1]["why"] == "its limit of writes is reached"
    apply(day, plan, max_writes=2)
    day.world.quiet()
    assert shown(day, tickets) == ["hold"] * 3
    assert progress(day, plan).state == "done"


@pytest.mark.parametrize("limit", [0, -1, 1.5, "many", True])
def test_a_limit_that_is_no_number_is_refused(tmp_path: Path, limit: object) -> None:
    day, _, plan = ready(tmp_path, 1)
    with pytest.raises(Exception, match="give a whole number from 1 on"):
        day.world.command("apply", plan=str(plan.id), max_writes=limit)


def test_a_plan_stops_when_the_mappings_change_under_it(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 1)
    apply(day, plan)
    in_force(day, edited("jira.yaml", "Open: new", "Open: in_progress"))
    assert shown(day, tickets) == ["open"]
    assert progress(day, plan).state == "stopped"
    assert day.world.told("plan_stopped")[-1]["why"] == "the mappings were changed while it was applied"


def test_a_stopped_plan_begins_nothing_more(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 1)
    apply(day, plan)
    assert day.world.command("apply_stop", plan=str(plan.id)).ok
    day.world.quiet()
    assert shown(day, tickets) == ["open"]
    assert progress(day, plan).counts == {"planned": 1}
    with pytest.raises(Exception, match="is not being applied"):
        day.world.command("apply_stop", plan=str(plan.id))


def test_a_daemon_that_is_killed_anywhere_goes_on_and_writes_each_once(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 2)
    writes = day.writes()
    apply(day, plan)
    for _ in range(40):
        day.world.turn()
        if progress(day, plan).state == "done":
            break
        day.world.restart()
    day.world.wait(300)
    assert progress(day, plan).counts == {"done": 2}
    assert shown(day, tickets) == ["hold", "hold"]
    assert day.writes() == writes + 2


def test_more_writes_than_the_brake_lets_pass_are_no_reason_to_hold(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 3)
    day.world.hub.settings = type(day.world.hub.settings)(brake_writes=(1, 0.0))
    apply(day, plan)
    day.world.quiet()
    assert shown(day, tickets) == ["hold"] * 3
    with day.world.store.read() as conn:
        assert conn.execute(select(holds.c.reason)).all() == []


def test_an_edit_between_the_read_and_the_write_is_left_alone(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 1)
    day.at_write["support"].acts.append({"act": "status", "ticket": tickets[0], "status": "pending"})
    apply(day, plan)
    day.world.wait(300)
    assert shown(day, tickets) == ["pending"]
    assert progress(day, plan).counts == {"refused": 1}


def test_a_comment_in_between_does_not_stop_a_row(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 1)
    day.zendesk.act({"act": "comment", "ticket": tickets[0], "body": "Any news?", "public": True})
    apply(day, plan)
    day.world.quiet()
    assert shown(day, tickets) == ["hold"]


def test_what_people_reached_by_hand_is_not_written_again(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 1)
    day.agent(tickets[0], "hold")
    writes = day.writes()
    apply(day, plan)
    day.world.quiet()
    assert progress(day, plan).counts == {"left": 1}
    assert day.writes() == writes


def test_a_record_that_left_its_item_is_refused(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 1)
    assert day.world.command("unlink", record=f"support:{tickets[0]}").ok
    day.world.quiet()
    apply(day, plan)
    day.world.quiet()
    assert progress(day, plan).refused == ((f"support #{tickets[0]}", "it has left its item since"),)


def test_a_write_that_the_remote_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 1)
    day.agent(tickets[0], "solved")
    day.world.wait(60)
    apply(day, plan)
    day.world.quiet()
    assert progress(day, plan).refused[0][1] == "its status is solved now, and was open"


def test_nothing_is_written_while_the_connection_is_paused(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 1)
    assert day.world.command("pause", connection="support").ok
    apply(day, plan)
    for _ in range(20):
        day.world.turn()
    assert shown(day, tickets) == ["open"]
