"""Edits that make the same record read otherwise write nothing by themselves: renames, prefixes, other fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.launch import Launch, launch
from tests.sync.planning.place import edited, in_force, planned

EXCLUDE = '    exclude:\n      - "hub*"  '
EDITS = {
    "a tag gets another name": ("zendesk.yaml", EXCLUDE, f"    rename: {{sev1: critical}}\n{EXCLUDE}"),
    "tags get a prefix": ("zendesk.yaml", EXCLUDE, f'    prefix: "x-"\n{EXCLUDE}'),
    "fewer tags pass": ("zendesk.yaml", 'include: ["*"]', 'include: ["team-*"]'),
    "labels get another name": (
        "jira.yaml",
        '    exclude: ["hub*", "hyper',
        '    rename: {sev1: critical}\n    exclude: ["hub*", "hyper',
    ),
    "tags are in another field": ("jira.yaml", "field: labels", "field: custom_fields.10001"),
    "links are not read any more": (
        "jira.yaml",
        "    show: remote_link ",
        "    direction: out\n    show: remote_link ",
    ),
    "links are shown by nobody": ("jira.yaml", "    show: remote_link ", "    show: none "),
    "a status means something else": ("jira.yaml", "To Do: new\n", "To Do: in_progress\n"),
}


def at_rest(tmp_path: Path) -> tuple[Launch, int, str]:
    day = launch(tmp_path)
    ticket, issue = day.linked_pair(status="open", tags=["sev1", "launch"])
    day.world.wait(300)
    assert sorted(day.issue_now(issue)["labels"]) == ["launch", "sev1"]
    return day, ticket, issue


@pytest.mark.parametrize("edit", list(EDITS))
def test_an_edit_alone_writes_nothing_whatever_it_reads_otherwise(tmp_path: Path, edit: str) -> None:
    day, ticket, issue = at_rest(tmp_path)
    before = day.ticket_now(ticket)["tags"], day.issue_now(issue)["labels"], day.statuses(ticket, issue), day.writes()
    in_force(day, edited(*EDITS[edit]))
    day.zendesk.act({"act": "comment", "ticket": ticket, "body": "Any news?", "public": True})
    assert day.world.command("refresh", item="hc-1").ok
    day.world.wait(600)
    day.world.store.step(lambda conn: conn.exec_driver_sql("UPDATE items SET gen = gen + 1").close())
    day.world.wait(60)
    after = day.ticket_now(ticket)["tags"], day.issue_now(issue)["labels"], day.statuses(ticket, issue), day.writes()
    assert after == before
    with day.world.store.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM links WHERE ended_at IS NULL").scalar() == 2


def test_after_a_rename_a_users_edit_travels_under_the_new_name(tmp_path: Path) -> None:
    day, ticket, issue = at_rest(tmp_path)
    in_force(day, edited(*EDITS["a tag gets another name"]))
    day.tag(ticket, remove=("launch",))
    day.world.wait(300)
    assert day.issue_now(issue)["labels"] == ["sev1"]
    day.label(issue, add="critical")
    day.world.wait(300)
    assert sorted(day.ticket_now(ticket)["tags"]) == ["sev1"]


def test_a_user_who_edits_just_before_the_files_are_saved_is_heard(tmp_path: Path) -> None:
    day, ticket, issue = at_rest(tmp_path)
    day.tag(ticket, add=("late",))
    in_force(day, edited(*EDITS["a tag gets another name"]))
    day.world.wait(300)
    assert sorted(day.issue_now(issue)["labels"]) == ["late", "launch", "sev1"]


@pytest.mark.parametrize("edit", list(EDITS))
def test_a_plan_for_it_is_made_without_a_fault(tmp_path: Path, edit: str) -> None:
    day, _, _ = at_rest(tmp_path)
    texts = edited(*EDITS[edit])
    plan = planned(day, texts)
    assert plan.summary.itself == 0
    assert all(change.field in ("status", "tags") for row in plan.rows for change in row.changes)


def test_an_edit_of_the_rules_writes_nothing_to_the_records_that_are_there(tmp_path: Path) -> None:
    day, ticket, issue = at_rest(tmp_path)
    second = day.ticket()
    day.world.wait(120)
    assert day.world.command("link", one=f"support:{second}", two=issue).ok
    day.world.wait(120)
    tags = sorted(day.ticket_now(second)["tags"])
    day.tag(ticket, add=("mine",))
    day.world.wait(120)
    assert sorted(day.ticket_now(second)["tags"]) == tags
    writes = day.writes()
    texts = edited("rules.yaml", "siblings: false", "siblings: true")
    in_force(day, texts)
    day.engineer(issue, "In Progress")
    day.world.wait(300)
    assert sorted(day.ticket_now(second)["tags"]) == tags
    assert day.writes() == writes + 1
    planned_tags = [each.after for row in planned(day, texts).rows for each in row.changes]
    assert planned_tags == ["+launch", "+mine", "+sev1"]
    day.tag(ticket, add=("ours",))
    day.world.wait(300)
    assert sorted(day.ticket_now(second)["tags"]) == sorted([*tags, "ours"])
