"""`hypercare plan`, `apply` and `undo` beside a running daemon, between stand-ins on real sockets."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.sync.cli.command import COMMAND, environment
from tests.sync.cli.test_with_daemon import Between, between, daemon, until

__all__ = ["between"]


def edit(place: Between, file: str, old: str, new: str) -> None:
    path = place.folder / "mappings" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def opened(place: Between) -> tuple[int, str]:
    """A ticket and an issue in review, which nobody has linked."""
    ticket = int(place.zendesk.act({"act": "create", "subject": "Checkout fails", "status": "open"})["ticket"])
    issue = str(place.jira.act({"act": "create", "summary": "Checkout fails"})["key"])
    for to in ("In Progress", "In Review"):
        place.jira.act({"act": "transition", "issue": issue, "to": to})
    return ticket, issue


def linked(place: Between, ticket: int, issue: str) -> None:
    """Both are known, live and members of one item, at rest."""
    until(lambda: [one["records"] for one in place.run("status", "--json").json["connections"]] == [1, 1])
    for name in ("support", "tracker"):
        assert place.run("start", name).code == 0
    assert place.run("link", f"support:{ticket}", issue).code == 0
    settled(place)


def settled(place: Between) -> None:
    def rests() -> bool:
        found = place.run("status", "--json").json
        return found["items_waiting"] == 0 and not any(
            one["deliveries"] or one["reads"] for one in found["connections"]
        )

    until(rests)


def ticket_of(place: Between, ticket: int) -> dict[str, object]:
    return next(each for each in place.zendesk.state()["records"] if int(each["id"]) == ticket)


def test_an_edit_is_planned_applied_and_taken_back(between: Between, tmp_path: Path) -> None:
    ticket, issue = opened(between)
    with daemon(between):
        linked(between, ticket, issue)
        edit(between, "jira.yaml", "In Review: in_progress", "In Review: waiting")
        page = tmp_path / "plan.html"
        shown = between.run("plan", "--html", str(page))
        assert shown.code == 0, shown.err
        assert "1 write\n" in shown.out
        assert "      1  support: status open -> hold\n" in shown.out
        assert max(map(len, shown.out.replace(str(tmp_path), "").splitlines())) <= 80
        assert "open</del> → <ins>hold" in page.read_text("utf-8")
        assert ticket_of(between, ticket)["status"] == "open"
        done = between.run("apply", "1", "--json")
        assert done.code == 0, done.err
        assert done.json["counts"] == {"done": 1}
        assert ticket_of(between, ticket)["status"] == "hold"
        again = between.run("apply", "1")
        assert (again.code, again.err) == (
            1,
            "plan 1 was applied already; make a new one with `hypercare plan`\n",
        )
        back = between.run("undo", "--yes")
        assert back.code == 0, back.err
        assert "plan 2 takes plan 1 back\n1 write\n" in back.out
        assert ticket_of(between, ticket)["status"] == "open"
        assert between.run("undo", "--yes").err.startswith("no plan was applied that is not taken back already")


def test_files_that_are_wrong_are_shown_by_status_until_they_are_put_right(between: Between) -> None:
    ticket, issue = opened(between)
    with daemon(between):
        linked(between, ticket, issue)
        edit(between, "jira.yaml", "In Review: in_progress", "In Review: in_progres")
        until(lambda: between.run("status", "--json").json["wrong_files"] is not None)
        shown = between.run("status").out
        assert "are wrong, and those from before are in force:" in shown
        assert "jira.yaml:21:18: fields.status.values.In Review: `in_progres` is not one of" in shown
        assert between.run("plan").code == 2
        edit(between, "jira.yaml", "In Review: in_progres\n", "In Review: waiting\n")
        until(lambda: between.run("status", "--json").json["wrong_files"] is None)
        between.run("plan")
        assert between.run("apply", "1").code == 0
        assert ticket_of(between, ticket)["status"] == "hold"


def test_a_killed_daemon_goes_on_with_a_plan(between: Between) -> None:
    ticket, issue = opened(between)
    with daemon(between):
        linked(between, ticket, issue)
        edit(between, "jira.yaml", "In Review: in_progress", "In Review: waiting")
    between.run("plan")
    assert between.run("apply", "1").out.endswith("(no daemon is running: `hypercare run` goes on)\n")
    log = between.folder / "killed.txt"
    with log.open("wb") as file:
        process = subprocess.Popen([COMMAND, "run"], cwd=between.folder, env=environment(), stderr=file)
    until(lambda: '"event":"started"' in log.read_text(), process)
    process.kill()
    process.wait(30)
    with daemon(between):
        until(lambda: between.run("plan", "--list", "--json").json[0]["state"] == "done")
        assert between.run("plan", "--list", "--json").json[0]["counts"] == {"done": 1}
    assert ticket_of(between, ticket)["status"] == "hold"
