"""What an edit of the mapping does: nothing by itself, and by a plan exactly what the plan showed."""

from __future__ import annotations

from pathlib import Path

from tests.support.launch import Launch, launch
from tests.sync.planning.place import edited, in_force, planned, progress

REVIEW_WAITS = ("jira.yaml", "In Review: in_progress", "In Review: waiting")
NARROW = ('    include: ["*"]\n    exclude: ["hub*"', '    include: ["team-*"]\n    exclude: ["hub*"')


def in_review(tmp_path: Path) -> tuple[Launch, int, str]:
    """A ticket whose issue is in review."""
    day = launch(tmp_path)
    ticket, issue = day.linked_pair(status="open")
    day.engineer(issue, "In Progress")
    day.engineer(issue, "In Review")
    day.world.wait(120)
    assert day.statuses(ticket, issue) == ("open", "In Review")
    return day, ticket, issue


def test_a_value_that_reads_otherwise_is_planned_field_by_field(tmp_path: Path) -> None:
    day, ticket, _ = in_review(tmp_path)
    plan = planned(day, edited(*REVIEW_WAITS))
    (row,) = plan.rows
    assert (row.kind, row.connection, row.record, row.item) == ("write", "support", f"#{ticket}", "hc-1")
    (change,) = row.changes
    assert (change.field, change.before, change.after) == ("status", "open", "hold")
    assert change.rule == "In Review of tracker reads as waiting; support's mapping writes waiting as hold"
    assert plan.summary.writes == 1
    assert plan.summary.by_connection == {"support": 1}


def test_a_plan_is_applied_as_it_was_shown(tmp_path: Path) -> None:
    day, ticket, issue = in_review(tmp_path)
    texts = edited(*REVIEW_WAITS)
    plan = planned(day, texts)
    writes = day.writes()
    in_force(day, texts)
    assert day.writes() == writes
    answer = day.world.command("apply", plan=str(plan.id))
    assert answer.ok, answer.message
    day.world.quiet()
    assert day.statuses(ticket, issue) == ("hold", "In Review")
    assert day.writes() == writes + 1
    done = progress(day, plan)
    assert (done.state, done.counts) == ("done", {"done": 1})
    day.world.wait(600)
    assert day.writes() == writes + 1
    assert planned(day, texts).rows == ()


def test_a_tag_that_a_wider_filter_lets_pass_is_planned_before_and_after_the_edit_is_in_force(tmp_path: Path) -> None:
    narrow = edited("jira.yaml", *NARROW)
    day = launch(tmp_path, texts=narrow)
    ticket, issue = day.linked_pair(status="open", tags=["one"])
    day.world.wait(120)
    texts = edited("jira.yaml", 'include: ["*"]', 'include: ["*"]')
    (before,) = planned(day, texts).rows
    in_force(day, texts)
    day.engineer(issue, "In Progress")
    day.world.wait(120)
    plan = planned(day, texts)
    (row,) = plan.rows
    assert row.changes == before.changes
    assert [(each.field, each.after) for each in row.changes] == [("tags", "+one")]
    assert day.issue_now(issue)["labels"] == []
    assert day.world.command("apply", plan=str(plan.id)).ok
    day.world.quiet()
    assert day.issue_now(issue)["labels"] == ["one"]
    assert progress(day, plan).counts == {"done": 1}
    assert "one" in day.ticket_now(ticket)["tags"]


def test_a_record_that_somebody_moved_since_is_refused_and_the_others_are_written(tmp_path: Path) -> None:
    day, ticket, _ = in_review(tmp_path)
    second, other = day.linked_pair(start=False, status="open")
    day.engineer(other, "In Progress")
    day.engineer(other, "In Review")
    day.world.wait(120)
    texts = edited(*REVIEW_WAITS)
    plan = planned(day, texts)
    assert len(plan.rows) == 2
    in_force(day, texts)
    day.agent(ticket, "pending")
    assert day.world.command("apply", plan=str(plan.id)).ok
    day.world.quiet()
    done = progress(day, plan)
    assert done.counts == {"done": 1, "refused": 1}
    assert done.refused == ((f"support #{ticket}", "its status is pending now, and was open"),)
    assert day.ticket_now(ticket)["status"] == "pending"
    assert day.ticket_now(second)["status"] == "hold"
