"""Plans of edited routes and links: creates, joins, proposals, and what is shown in another way."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy import select

from sync.store.tables import holds
from tests.support.launch import ROUTES, Launch, launch
from tests.sync.planning.place import (
    REVIEW_WAITS,
    apply,
    edited,
    in_force,
    planned,
    progress,
    ready,
    shown,
)


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
