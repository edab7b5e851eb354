"""A launch day whose mappings somebody edits: plans are made and applied as the command line and the daemon do."""

from __future__ import annotations

from pathlib import Path

from sync.daemon import build as assembly
from sync.mapping.load import load
from sync.planning import stored
from sync.planning.build import build
from sync.planning.row import Plan
from tests.support.launch import Launch, launch
from tests.sync.mapping.records import shipped_texts

CONNECTIONS = {"support": "zendesk", "tracker": "jira"}


def edited(file: str, old: str, new: str, routes: str = "routes: []\n") -> dict[str, str]:
    """The shipped files with one place of one file edited."""
    texts = {**shipped_texts(), "routes.yaml": routes}
    assert old in texts[file], f"{file} does not have {old!r}"
    return {**texts, file: texts[file].replace(old, new, 1)}


def planned(day: Launch, texts: dict[str, str]) -> Plan:
    """What edited files would do; the day goes on with the old ones."""
    mappings = load(texts, CONNECTIONS)
    world = day.world
    hub = assembly.offline(world.store, world.configured, mappings, world.clock, world.rng)
    with world.store.read() as conn:
        plan = build(conn, hub, "mappings")
    return world.store.step(lambda conn: stored.store(conn, plan, "a test"))


def in_force(day: Launch, texts: dict[str, str]) -> None:
    """The daemon is started again with the edited files."""
    day.world.mappings = load(texts, CONNECTIONS)
    day.world.restart()
    day.world.quiet()


def progress(day: Launch, plan: Plan) -> stored.Progress:
    assert plan.id is not None
    with day.world.store.read() as conn:
        return stored.progress(conn, plan.id)


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
