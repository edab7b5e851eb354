"""Applying a plan: refused as a whole, row by row, stopped, limited, killed and gone on with, and taken back."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select, update

from sync.planning import stored, undoing
from sync.planning.row import Plan
from sync.store.tables import deliveries, holds, plan_rows, plans
from tests.support.launch import ROUTES, Launch, launch
from tests.sync.planning.place import edited, in_force, planned, progress

REVIEW_WAITS = ("jira.yaml", "In Review: in_progress", "In Review: waiting")


def pairs(tmp_path: Path, count: int) -> tuple[Launch, list[int], list[str]]:
    """So many tickets whose issues are in review, and the edit that says what that means."""
    day = launch(tmp_path)
    tickets: list[int] = []
    issues: list[str] = []
    for number in range(count):
        ticket, issue = day.linked_pair(start=number == 0, status="open")
        day.engineer(issue, "In Progress")
        day.engineer(issue, "In Review")
        tickets.append(ticket)
        issues.append(issue)
    day.world.wait(120)
    return day, tickets, issues


def ready(tmp_path: Path, count: int) -> tuple[Launch, list[int], Plan]:
    """The same, planned, and the edit in force."""
    day, tickets, _ = pairs(tmp_path, count)
    plan = planned(day, edited(*REVIEW_WAITS))
    assert len(plan.rows) == count
    in_force(day, edited(*REVIEW_WAITS))
    return day, tickets, plan


def apply(day: Launch, plan: Plan, **more: int) -> str:
    return day.world.command("apply", plan=str(plan.id), **more).message


def shown(day: Launch, tickets: list[int]) -> list[str]:
    return [day.ticket_now(ticket)["status"] for ticket in tickets]


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


# --- creates and joins -----------------------------------------------------------------------------------------------


def test_an_edited_route_takes_the_records_that_were_there(tmp_path: Path) -> None:
    day = launch(tmp_path)
    day.world.start()
    day.world.clock.advance(60)
    ticket = day.ticket(tags=["outage"])
    day.world.wait(300)
    assert day.issues() == []
    texts = edited(*REVIEW_WAITS, routes=ROUTES)
    plan = planned(day, texts)
    (row,) = plan.rows
    assert (row.kind, row.record, row.changes[0].after) == ("create", f"#{ticket}", "a record on tracker")
    assert row.changes[0].rule == "route outage"
    in_force(day, texts)
    assert day.issues() == []
    apply(day, plan)
    day.world.wait(300)
    assert progress(day, plan).counts == {"done": 1}
    assert len(day.issues()) == 1
    assert planned(day, texts).rows == ()


def test_a_record_that_was_linked_since_gets_no_second_one(tmp_path: Path) -> None:
    day = launch(tmp_path)
    day.world.start()
    day.world.clock.advance(60)
    ticket, issue = day.ticket(tags=["outage"]), day.issue()
    day.world.wait(300)
    texts = edited(*REVIEW_WAITS, routes=ROUTES)
    plan = planned(day, texts)
    assert [row.kind for row in plan.rows] == ["create"]
    in_force(day, texts)
    assert day.world.command("link", one=f"support:{ticket}", two=issue).ok
    apply(day, plan)
    day.world.wait(300)
    assert progress(day, plan).counts == {"left": 1}
    assert len(day.issues()) == 1


def test_a_daemon_that_dies_around_any_commit_writes_each_once(tmp_path: Path) -> None:
    day, tickets, plan = ready(tmp_path, 2)
    writes = day.writes()
    apply(day, plan)
    left = 0

    def crash(where: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed(where)

    for death in range(1, 60):
        left = 1 + death % 5
        day.world.crash = crash
        with suppress(Killed):
            day.world.turn()
        day.world.crash = None
        if progress(day, plan).state == "done":
            break
        day.world.restart()
    day.world.wait(900)
    assert progress(day, plan).counts == {"done": 2}
    assert shown(day, tickets) == ["hold", "hold"]
    assert day.writes() == writes + 2


class Killed(BaseException):
    """The process is gone."""


# --- links -----------------------------------------------------------------------------------------------------------


def test_links_shown_in_another_way_are_written_by_a_plan_only(tmp_path: Path) -> None:
    day = launch(tmp_path, texts=edited("zendesk.yaml", "    show: note ", "    show: none "))
    ticket, issue = day.linked_pair(status="open")
    day.world.wait(120)
    assert day.notes_on(ticket) == []
    texts = edited("zendesk.yaml", "    show: note ", "    show: note ")
    before = planned(day, texts)
    in_force(day, texts)
    day.engineer(issue, "In Progress")
    day.world.wait(300)
    assert day.notes_on(ticket) == []
    plan = planned(day, texts)
    (row,) = plan.rows
    assert row.changes == before.rows[0].changes
    assert (row.changes[0].field, row.changes[0].after) == ("links", f"show {issue}")
    apply(day, plan)
    day.world.wait(300)
    assert len(day.notes_on(ticket)) == 1
    assert progress(day, plan).counts == {"done": 1}
    day.world.wait(300)
    assert len(day.notes_on(ticket)) == 1


# --- undo ------------------------------------------------------------------------------------------------------------


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


# --- what a plan is ---------------------------------------------------------------------------------------------------


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


# --- routes that only propose, or attach ------------------------------------------------------------------------------


def lone_ticket(tmp_path: Path) -> tuple[Launch, int, str]:
    """A ticket and an issue that nobody has linked, known before any route."""
    day = launch(tmp_path)
    day.world.start()
    day.world.clock.advance(60)
    ticket, issue = day.ticket(tags=["outage"]), day.issue()
    day.world.wait(300)
    return day, ticket, issue


def test_a_route_that_attaches_is_planned_as_a_join(tmp_path: Path) -> None:
    day, ticket, issue = lone_ticket(tmp_path)
    texts = edited(
        *REVIEW_WAITS, routes=ROUTES.replace("create:", "attach:").replace("fields: {project: OPS}", f"record: {issue}")
    )
    plan = planned(day, texts)
    (row,) = plan.rows
    assert (row.kind, row.changes[0].after, row.changes[0].rule) == ("join", f"joins {issue}", "route outage")
    in_force(day, texts)
    apply(day, plan)
    day.world.wait(300)
    assert progress(day, plan).counts == {"done": 1}
    assert day.item(f"support:{ticket}") == day.item(issue)


def test_a_route_that_proposes_leaves_it_to_a_person(tmp_path: Path) -> None:
    day, _, _ = lone_ticket(tmp_path)
    texts = edited(*REVIEW_WAITS, routes=ROUTES.replace("create:", "propose:"))
    plan = planned(day, texts)
    assert [row.changes[0].after for row in plan.rows] == ["a proposal of a record on tracker"]
    in_force(day, texts)
    apply(day, plan)
    day.world.wait(300)
    assert progress(day, plan).counts == {"done": 1}
    assert len(day.issues()) == 1


def test_creates_of_a_plan_are_no_reason_to_hold(tmp_path: Path) -> None:
    day = launch(tmp_path)
    day.world.start()
    day.world.clock.advance(60)
    for _ in range(4):
        day.ticket(tags=["outage"])
    day.world.wait(2 * 3600, step=600)
    texts = edited(*REVIEW_WAITS, routes=ROUTES)
    plan = planned(day, texts)
    in_force(day, texts)
    day.world.hub.settings = type(day.world.hub.settings)(brake_writes=(1, 0.0))
    apply(day, plan)
    day.world.wait(600)
    with day.world.store.read() as conn:
        assert conn.execute(select(holds.c.reason)).all() == []
    assert progress(day, plan).counts == {"done": 4}
    assert len(day.issues()) == 4
