"""Severity kept in step: what an edit makes of it is planned, applied, taken back, and watched in shadow mode."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sync.planning import stored, undoing
from sync.planning.row import Plan
from sync.views.explain import explain
from sync.views.shadow import report
from tests.support.launch import Launch, launch
from tests.sync.mapping.records import shipped_texts
from tests.sync.planning.place import apply, in_force, planned, progress

RULES = "fields: {severity: {}}\n"


def texts(*, edited: bool = False, rules: str = RULES) -> dict[str, str]:
    """The shipped files with severity in step; edited: an issue of `Medium` is high by now."""
    shipped = shipped_texts()
    jira = shipped["jira.yaml"]
    if edited:
        jira = jira.replace("Major: high, Medium: medium", "Major: high, Medium: high")
        jira = jira.replace("high: High, medium: Medium", "high: High, medium: Low")
        jira = jira.replace("Low: low, Minor: low", "Low: medium, Minor: low").replace("low: Low}", "low: Lowest}")
        assert jira != shipped["jira.yaml"]
    return {**shipped, "jira.yaml": jira, "rules.yaml": rules}


def pair(tmp_path: Path, rules: str = RULES) -> tuple[Launch, int, str]:
    """A linked pair of normal severity, at rest."""
    day = launch(tmp_path, texts=texts(rules=rules))
    ticket, issue = day.linked_pair(status="open", priority="normal")
    day.world.wait(120)
    return day, ticket, issue


def both(day: Launch, ticket: int, issue: str) -> tuple[str, str]:
    return day.ticket_now(ticket)["priority"], day.issue_now(issue)["priority"]


def undone(day: Launch) -> Plan:
    with day.world.store.read() as conn:
        plan = undoing.build(conn, day.world.hub, undoing.last_applied(conn))
    return day.world.store.step(lambda conn: stored.store(conn, plan, "a test"))


def test_a_severity_that_reads_otherwise_is_planned_with_the_rule_behind_it(tmp_path: Path) -> None:
    day, ticket, _ = pair(tmp_path)
    assert planned(day, texts()).rows == ()
    (row,) = planned(day, texts(edited=True)).rows
    assert (row.kind, row.connection, row.record) == ("write", "support", f"#{ticket}")
    (change,) = row.changes
    assert (change.field, change.before, change.after) == ("severity", "normal", "high")
    assert change.rule == "Medium of tracker reads as high; support's mapping writes high as high"


def test_it_is_applied_once_and_the_item_takes_the_value(tmp_path: Path) -> None:
    day, ticket, issue = pair(tmp_path)
    plan = planned(day, texts(edited=True))
    writes = day.writes()
    in_force(day, texts(edited=True))
    day.world.wait(600)
    assert day.writes() == writes
    assert apply(day, plan)
    day.world.wait(600)
    assert both(day, ticket, issue) == ("high", "Medium")
    assert (day.writes(), progress(day, plan).counts) == (writes + 1, {"done": 1})
    assert planned(day, texts(edited=True)).rows == ()
    day.jira.act({"act": "edit", "issue": issue, "priority": "Highest"})
    day.world.wait(300)
    assert both(day, ticket, issue) == ("urgent", "Highest")


def test_a_severity_that_somebody_changed_since_is_refused(tmp_path: Path) -> None:
    day, ticket, issue = pair(tmp_path)
    plan = planned(day, texts(edited=True))
    in_force(day, texts(edited=True))
    day.zendesk.act({"act": "update", "ticket": ticket, "set": {"priority": "low"}})
    apply(day, plan)
    day.world.wait(600)
    assert progress(day, plan).counts == {"refused": 1}
    assert both(day, ticket, issue) == ("low", "Lowest")


def test_it_is_taken_back_and_stays_so(tmp_path: Path) -> None:
    day, ticket, issue = pair(tmp_path)
    plan = planned(day, texts(edited=True))
    in_force(day, texts(edited=True))
    apply(day, plan)
    day.world.wait(300)
    back = undone(day)
    (row,) = back.rows
    assert [(each.field, each.before, each.after) for each in row.changes] == [("severity", "high", "normal")]
    apply(day, back)
    day.world.wait(600)
    assert both(day, ticket, issue) == ("normal", "Medium")
    assert progress(day, back).counts == {"done": 1}


def test_records_that_differ_since_they_were_linked_are_planned(tmp_path: Path) -> None:
    day = launch(tmp_path, texts=texts())
    ticket, issue = day.linked_pair(status="open", priority="urgent")
    day.world.wait(120)
    assert both(day, ticket, issue) == ("urgent", "Medium")
    plan = planned(day, texts())
    (row,) = plan.rows
    assert [(each.before, each.after) for each in row.changes] == [("urgent", "normal")]
    apply(day, plan)
    day.world.wait(300)
    assert both(day, ticket, issue) == ("normal", "Medium")


def test_what_would_be_set_is_noted_in_shadow_mode_and_what_people_set_is_compared(tmp_path: Path) -> None:
    day, ticket, issue = pair(tmp_path)
    assert day.world.command("shadow", connection="support", on=True).ok
    day.world.quiet()
    writes = day.writes()
    day.jira.act({"act": "edit", "issue": issue, "priority": "High"})
    day.world.wait(300)
    assert (day.writes(), both(day, ticket, issue)) == (writes, ("normal", "High"))
    day.zendesk.act({"act": "update", "ticket": ticket, "set": {"priority": "high"}})
    day.world.wait(300)
    with day.world.store.read() as conn:
        (found,) = report(conn, day.world.clock.now(), timedelta(hours=24)).fields
    assert (found.connection, found.field, found.counts["same"]) == ("support", "severity", 1)
    (example,) = found.examples["same"]
    assert (example.before, example.wanted) == ("normal", "high")


def test_explain_shows_the_items_value_and_what_each_record_shows(tmp_path: Path) -> None:
    day, ticket, issue = pair(tmp_path)
    day.jira.act({"act": "edit", "issue": issue, "priority": "High"})
    day.world.wait(300)
    with day.world.store.read() as conn:
        page = explain(conn, day.world.hub, issue, day.world.clock.now())
    assert page.values == {"severity": "high"}
    found = {one.connection: [(each.field, each.shown, each.means) for each in one.values] for one in page.members}
    assert found == {"support": [("severity", "high", "high")], "tracker": [("severity", "High", "high")]}
    assert day.ticket_now(ticket)["priority"] == "high"
