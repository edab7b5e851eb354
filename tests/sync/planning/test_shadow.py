"""Shadow mode: nothing is written, what would be is noted, and what people do by hand is compared with it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sync.engine.hub import Mode
from sync.views.shadow import FieldReport, ShadowReport, report
from tests.support.launch import ROUTES, Launch, launch


def shadowed(tmp_path: Path, *, routes: str = "routes: []\n") -> tuple[Launch, int, str]:
    """A linked pair at rest whose ticket's side is in shadow; the tracker is live."""
    day = launch(tmp_path, routes=routes)
    ticket, issue = day.linked_pair(status="open", tags=["launch"])
    day.world.wait(120)
    answer = day.world.command("shadow", connection="support", on=True)
    assert answer.ok, answer.message
    day.world.quiet()
    return day, ticket, issue


def looked_back(day: Launch, hours: float = 24) -> ShadowReport:
    with day.world.store.read() as conn:
        return report(conn, day.world.clock.now(), timedelta(hours=hours))


def field(day: Launch, name: str, hours: float = 24) -> FieldReport:
    (found,) = [each for each in looked_back(day, hours).fields if each.field == name]
    return found


def test_what_would_be_written_is_noted_and_not_written(tmp_path: Path) -> None:
    day, ticket, issue = shadowed(tmp_path)
    writes = day.writes()
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.label(issue, add="launch-2")
    day.world.wait(300)
    assert day.writes() == writes
    assert day.ticket_now(ticket)["status"] == "open"
    status = field(day, "status")
    (example,) = status.examples["waiting"]
    assert (example.record, example.before, example.wanted) == (f"#{ticket}", "open", "solved")
    assert [each.wanted for each in field(day, "tags").examples["waiting"]] == ["+launch-2"]


def test_the_same_value_by_hand_is_told_with_its_hours(tmp_path: Path) -> None:
    day, ticket, issue = shadowed(tmp_path)
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(2 * 3600, step=600)
    day.agent(ticket, "solved")
    day.tag(ticket, add=("launch-2",))
    day.world.wait(600)
    found = field(day, "status")
    assert {name: count for name, count in found.counts.items() if count} == {"same": 1}
    assert found.median_hours is not None
    assert 1.7 < found.median_hours < 2.2
    assert {name: count for name, count in field(day, "status", hours=1).counts.items() if count} == {"later": 1}


def test_another_value_and_no_value_are_told_apart(tmp_path: Path) -> None:
    day, ticket, issue = shadowed(tmp_path)
    second, other = day.linked_pair(start=False, status="open")
    for one in (issue, other):
        day.engineer(one, "In Progress")
        day.engineer(one, "Done")
    day.world.wait(600)
    day.agent(ticket, "pending")
    day.world.wait(26 * 3600, step=3600)
    found = field(day, "status")
    assert {name: count for name, count in found.counts.items() if count} == {"other": 1, "never": 1}
    assert [(each.record, each.shown) for each in found.examples["other"]] == [(f"#{ticket}", "pending")]
    assert [each.record for each in found.examples["never"]] == [f"#{second}"]


def test_a_value_that_the_item_leaves_again_is_overtaken(tmp_path: Path) -> None:
    day, _, issue = shadowed(tmp_path)
    day.engineer(issue, "Blocked", force=True)
    day.world.wait(300)
    day.engineer(issue, "Done", force=True)
    day.world.wait(300)
    found = field(day, "status")
    assert {name: count for name, count in found.counts.items() if count} == {"overtaken": 1, "waiting": 1}
    assert [each.wanted for each in found.examples["overtaken"]] == ["hold"]


def test_a_ticket_that_a_route_would_have_taken_is_noted_once(tmp_path: Path) -> None:
    day, _, _ = shadowed(tmp_path, routes=ROUTES)
    issues = len(day.issues())
    ticket = day.ticket(tags=["outage"])
    day.world.wait(300)
    day.tag(ticket, add=("more",))
    day.world.wait(300)
    found = field(day, "record")
    (example,) = found.examples["waiting"]
    assert (example.record, example.wanted, example.why) == (f"#{ticket}", "a record on tracker", "route outage")
    assert len(day.issues()) == issues
    issue = day.issue()
    day.world.wait(120)
    assert day.world.command("link", one=f"support:{ticket}", two=issue).ok
    day.world.quiet()
    assert field(day, "record").counts["same"] == 1


def test_going_live_from_a_shadow_leaves_what_differs_as_it_is(tmp_path: Path) -> None:
    day, ticket, issue = shadowed(tmp_path)
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(300)
    assert day.world.command("start", connection="support").ok
    day.world.wait(300)
    assert day.world.hub.named("support").mode is Mode.LIVE
    assert day.ticket_now(ticket)["status"] == "open"
    assert looked_back(day).since == {}


def test_a_shadow_outlives_the_process(tmp_path: Path) -> None:
    day, ticket, issue = shadowed(tmp_path)
    day.world.restart()
    assert day.world.hub.named("support").mode is Mode.SHADOW
    day.engineer(issue, "In Progress")
    day.engineer(issue, "Done")
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] == "open"
    assert field(day, "status").total == 1


def test_leaving_a_shadow_observes_again(tmp_path: Path) -> None:
    day, _, _ = shadowed(tmp_path)
    assert day.world.command("shadow", connection="support", on=True).message == "support is in shadow mode already"
    assert day.world.command("shadow", connection="support", on=False).ok
    assert day.world.hub.named("support").mode is Mode.OBSERVE
