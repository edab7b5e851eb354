"""A restored database is old: everything is read anew before anything is written, and nothing is made twice."""

from __future__ import annotations

from pathlib import Path

from connectors.sandbox.faults import FaultKind, FaultRule
from sync.engine.hub import EngineSettings
from tests.support.launch import ROUTES, Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import holds_now, known, many, waiting


def back_up(day: Launch) -> Path:
    """A copy made while the daemon runs."""
    copy = day.world.folder / "copy.db"
    day.world.store.backup(copy)
    return copy


def restore(day: Launch, copy: Path) -> None:
    """The daemon's database is lost, and the copy takes its place."""
    day.world.store.close()
    database = day.world.folder / "hypercare.db"
    for path in day.world.folder.glob("hypercare.db*"):
        path.unlink()
    database.write_bytes(copy.read_bytes())
    day.world.open()


def held(day: Launch) -> set[str]:
    return {each.connection for each in holds_now(day) if each.reason == "restored"}


def test_a_restored_database_holds_every_connection_until_all_is_read_anew(day: Launch) -> None:
    ticket, key = day.linked_pair()
    copy = back_up(day)
    day.world.wait(600)
    restore(day, copy)
    assert held(day) == {"support", "tracker"}
    before = day.writes()
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(240)
    assert held(day), "the lists of the remotes are late by minutes"
    assert day.writes() == before
    day.world.wait(600)
    assert held(day) == set()
    assert day.statuses(ticket, key) == ("solved", "Done")
    assert {facts["connection"] for facts in day.world.told("connection_released")} == {"support", "tracker"}


def test_a_running_copy_is_no_restore_for_the_daemon_that_made_it(day: Launch) -> None:
    day.linked_pair()
    back_up(day)
    day.world.restart()
    day.world.wait(120)
    assert holds_now(day) == []


def test_a_restore_while_our_clock_is_a_day_ahead_passes_over_nothing(make: Make) -> None:
    day = make(hooks=False)
    ticket, key = day.linked_pair()
    day.world.clock.jump(86_400)
    day.world.wait(120)
    restore(day, back_up(day))
    day.world.wait(1200)
    assert held(day) == set()
    day.tag(ticket, add=("later",))
    late = day.ticket(tags=["outage"], status="open")
    day.label(key, add="from-the-issue")
    day.world.wait(600)
    assert "later" in day.issue_now(key)["labels"]
    assert "from-the-issue" in day.ticket_now(ticket)["tags"]
    assert str(late) in known(day, "support")


def test_what_was_written_after_the_backup_is_not_undone(day: Launch) -> None:
    ticket, key = day.linked_pair(tags=["before"])
    day.world.wait(120)
    copy = back_up(day)
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.tag(ticket, add=("after",))
    day.label(key, remove="before")
    day.world.wait(600)
    desk, site = day.ticket_now(ticket), day.issue_now(key)
    assert (desk["status"], site["status"]) == ("solved", "Done")
    restore(day, copy)
    day.world.wait(1800)
    assert held(day) == set()
    assert day.statuses(ticket, key) == ("solved", "Done")
    assert day.ticket_now(ticket)["tags"] == desk["tags"] == ["after"]
    assert day.issue_now(key)["labels"] == site["labels"] == ["after"]


def test_an_issue_created_after_the_backup_is_not_created_again(make: Make) -> None:
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(600)
    copy = back_up(day)
    day.world.wait(60)
    ticket = day.ticket(tags=["outage"])
    day.world.wait(600)
    assert len(day.issues()) == 1
    notes = day.ticket_now(ticket)["comments"]
    restore(day, copy)
    assert known(day, "support") == []
    day.world.wait(3600)
    assert held(day) == set()
    assert len(day.issues()) == 1
    assert day.item(f"support:{ticket}") == day.item(day.issues()[0]["key"])
    assert len(day.ticket_now(ticket)["comments"]) <= len(notes) + 1, "at worst the link is told once more"


def test_an_issue_created_after_the_backup_that_shows_no_link_yet_is_not_created_again(make: Make) -> None:
    """Found by simulation: its marker was lost with the database."""
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(600)
    copy = back_up(day)
    day.world.wait(60)
    day.jira.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, operation="*remotelink*", seconds=1))
    ticket = day.ticket(tags=["outage"])
    day.world.wait(30)
    (issue,) = day.issues()
    assert issue["remote_links"] == []
    restore(day, copy)
    day.jira.control.faults.clear()
    day.world.wait(3600)
    assert held(day) == set()
    assert [each["key"] for each in day.issues()] == [issue["key"]]
    assert day.item(f"support:{ticket}") == day.item(issue["key"])
    assert day.links_on(issue["key"]) == [f"http://127.0.0.1:8101/agent/tickets/{ticket}"]


def test_a_create_that_waited_in_the_backup_and_was_made_since_is_not_made_again(make: Make) -> None:
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(600)
    day.jira.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, operation="issue.create", seconds=1))
    ticket = day.ticket(tags=["outage"])
    day.world.wait(60)
    assert waiting(day, "tracker") == 1
    copy = back_up(day)
    day.jira.control.faults.clear()
    day.jira.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, operation="*remotelink*", seconds=1))
    while not day.issues():
        day.world.wait(30)
    restore(day, copy)
    day.jira.control.faults.clear()
    day.world.wait(3600)
    assert len(day.issues()) == 1
    assert day.item(f"support:{ticket}") == day.item(day.issues()[0]["key"])


def test_a_connection_let_go_early_creates_nothing_before_the_lists_of_the_remote_must_have_caught_up(
    make: Make,
) -> None:
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(600)
    copy = back_up(day)
    day.world.wait(60)
    day.jira.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, operation="*remotelink*", seconds=1))
    day.ticket(tags=["outage"])
    day.world.wait(30)
    assert len(day.issues()) == 1
    restore(day, copy)
    for hold in holds_now(day):
        assert day.world.command("resume", hold=hold.id).ok
    day.world.wait(240)
    day.jira.control.faults.clear()
    day.world.wait(1800)
    assert len(day.issues()) == 1


def test_with_a_new_database_a_record_from_before_it_gets_no_second_issue(make: Make) -> None:
    day = make(routes=ROUTES)
    day.world.start()
    begun = day.world.clock.now()
    day.world.wait(60)
    ticket = day.ticket(tags=["outage"])
    day.world.wait(600)
    (issue,) = day.issues()
    day.jira.act({"act": "remove_remote_link", "issue": issue["key"], "id": issue["remote_links"][0]["id"]})
    day.world.store.close()
    for path in day.world.folder.glob("hypercare.db*"):
        path.unlink()
    day.world.open()
    day.world.wait(600)
    day.world.start("tracker")
    assert day.world.command("start", connection="support", since=begun.isoformat()).ok
    day.world.wait(1800)
    assert [each["key"] for each in day.issues()] == [issue["key"]]
    assert day.item(f"support:{ticket}") == day.item(issue["key"])


def test_a_ticket_of_the_time_without_a_hub_is_routed_after_the_restore(make: Make) -> None:
    day = make(routes=ROUTES)
    day.world.start()
    day.world.wait(600)
    copy = back_up(day)
    day.world.wait(120)
    day.ticket(tags=["outage"])
    restore(day, copy)
    day.world.wait(120)
    assert day.issues() == []
    day.world.wait(1800)
    assert len(day.issues()) == 1


def test_a_delivery_that_was_waiting_when_the_backup_was_made_is_decided_anew(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.world.hub.budgets.block(day.world.hub.named("support").id, "account", 120)
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(60)
    assert waiting(day, "support") == 1
    copy = back_up(day)
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] == "solved"
    day.engineer(key, "To Do")
    day.world.wait(300)
    assert day.ticket_now(ticket)["status"] == "open"
    writes = day.writes()
    restore(day, copy)
    day.world.wait(1800)
    assert day.ticket_now(ticket)["status"] == "open", "the old plan is not carried out"
    assert day.writes() == writes


def test_a_mass_difference_after_a_restore_meets_the_brake(make: Make) -> None:
    day = make(settings=EngineSettings(brake_writes=(4, 0.1)))
    key, tickets = many(day, 8)
    copy = back_up(day)
    day.world.store.close()
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.open()
    restore(day, copy)
    before = day.writes()
    day.world.wait(1800)
    assert [(each.connection, each.reason) for each in holds_now(day)] == [("support", "mass_writes")]
    assert day.writes() == before
    assert {day.ticket_now(each)["status"] for each in tickets} == {"new"}


def test_a_person_may_let_a_restored_connection_go(day: Launch) -> None:
    day.linked_pair()
    copy = back_up(day)
    restore(day, copy)
    for hold in holds_now(day):
        assert day.world.command("resume", hold=hold.id).ok
    assert held(day) == set()


def two_tickets(day: Launch) -> tuple[int, int, str]:
    """Two tickets of one issue, at rest, and a copy of the database made then."""
    ticket, key = day.linked_pair()
    other = day.ticket()
    day.world.wait(60)
    assert day.world.command("link", one=f"support:{other}", two=key).ok
    day.world.wait(120)
    return ticket, other, key


def test_a_tag_that_the_hub_put_on_the_issue_after_the_backup_is_not_its_engineers(day: Launch) -> None:
    """Found by simulation: it was carried to the other ticket, and outlived its removal."""
    ticket, other, key = two_tickets(day)
    copy = back_up(day)
    day.tag(ticket, add=("ours",))
    day.world.wait(120)
    day.label(key, add="theirs")
    day.world.wait(120)
    assert set(day.issue_now(key)["labels"]) == {"ours", "theirs"}
    restore(day, copy)
    day.world.wait(1800)
    assert (day.ticket_now(ticket)["tags"], day.ticket_now(other)["tags"]) == (["ours", "theirs"], ["theirs"])
    day.tag(ticket, remove=("ours",))
    day.world.wait(120)
    assert day.issue_now(key)["labels"] == ["theirs"]


def test_who_added_a_tag_is_asked_again_when_the_history_cannot_be_read_after_a_restore(day: Launch) -> None:
    ticket, other, _ = two_tickets(day)
    copy = back_up(day)
    day.tag(ticket, add=("ours",))
    day.world.wait(120)
    day.jira.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, operation="issue.changelog", seconds=5, count=2))
    restore(day, copy)
    day.world.wait(1800)
    assert [each["fired"] for each in day.jira.control.faults.listing()] == [2]
    assert (day.ticket_now(ticket)["tags"], day.ticket_now(other)["tags"]) == (["ours"], [])
    assert held(day) == set()


def test_a_tag_that_the_hub_brought_and_the_issues_people_took_off_after_the_backup_stays_off(day: Launch) -> None:
    """Found by the history mixed 106: it was put on the issue again."""
    ticket, other, key = two_tickets(day)
    copy = back_up(day)
    day.tag(ticket, add=("ours",))
    day.world.wait(120)
    assert day.issue_now(key)["labels"] == ["ours"]
    day.label(key, remove="ours")
    restore(day, copy)
    day.world.wait(1800)
    assert day.issue_now(key)["labels"] == []
    assert (day.ticket_now(ticket)["tags"], day.ticket_now(other)["tags"]) == ([], [])
    assert held(day) == set()


def test_a_tag_that_was_owed_in_the_backup_and_taken_off_since_stays_off(day: Launch) -> None:
    ticket, _, key = two_tickets(day)
    day.world.hub.budgets.block(day.world.hub.named("tracker").id, "account", 90)
    day.tag(ticket, add=("ours",))
    day.world.wait(60)
    assert waiting(day, "tracker") == 1
    copy = back_up(day)
    day.world.wait(120)
    assert day.issue_now(key)["labels"] == ["ours"]
    day.label(key, remove="ours")
    restore(day, copy)
    day.world.wait(1800)
    assert (day.issue_now(key)["labels"], day.ticket_now(ticket)["tags"]) == ([], [])


def test_a_tag_that_the_hub_brought_and_an_agent_took_off_after_the_backup_is_not_put_back_on_that_ticket(
    day: Launch,
) -> None:
    ticket, other, key = two_tickets(day)
    copy = back_up(day)
    day.label(key, add="theirs")
    day.world.wait(120)
    assert day.ticket_now(ticket)["tags"] == day.ticket_now(other)["tags"] == ["theirs"]
    day.tag(ticket, remove=("theirs",))
    restore(day, copy)
    day.world.wait(1800)
    assert (day.ticket_now(ticket)["tags"], day.ticket_now(other)["tags"]) == ([], ["theirs"])
    assert day.issue_now(key)["labels"] == ["theirs"]
    day.tag(other, remove=("theirs",))
    day.world.wait(120)
    assert day.issue_now(key)["labels"] == [], "no ticket keeps it"


def test_a_tag_that_its_ticket_brought_and_took_off_after_the_backup_goes_from_the_issue(day: Launch) -> None:
    ticket, other, key = two_tickets(day)
    copy = back_up(day)
    day.tag(ticket, add=("brief", "kept"))
    day.label(key, add="theirs")
    day.world.wait(120)
    assert set(day.issue_now(key)["labels"]) == {"brief", "kept", "theirs"}
    day.tag(ticket, remove=("brief",))
    day.label(key, remove="theirs")
    restore(day, copy)
    day.world.wait(1800)
    assert day.issue_now(key)["labels"] == ["kept"]
    assert (day.ticket_now(ticket)["tags"], day.ticket_now(other)["tags"]) == (["kept"], [])


def test_a_tag_that_was_owed_in_the_backup_and_taken_off_its_ticket_since_goes_from_the_issue(day: Launch) -> None:
    """Found by the history operators 62025: it stayed on the issue for good."""
    ticket, _, key = two_tickets(day)
    day.world.hub.budgets.block(day.world.hub.named("tracker").id, "account", 90)
    day.tag(ticket, add=("ours",))
    day.world.wait(60)
    assert waiting(day, "tracker") == 1
    copy = back_up(day)
    day.world.wait(120)
    assert day.issue_now(key)["labels"] == ["ours"]
    day.tag(ticket, remove=("ours",))
    restore(day, copy)
    day.world.wait(1800)
    assert (day.issue_now(key)["labels"], day.ticket_now(ticket)["tags"]) == ([], [])


def test_a_tag_of_a_ticket_that_has_left_since_the_backup_stays_on_the_issue(day: Launch) -> None:
    """Nothing that is missing removes anything."""
    ticket, _, key = two_tickets(day)
    copy = back_up(day)
    day.tag(ticket, add=("ours",))
    day.world.wait(120)
    day.zendesk.act({"act": "delete", "ticket": ticket})
    restore(day, copy)
    day.world.wait(4000)
    assert day.issue_now(key)["labels"] == ["ours"]


def test_a_tag_that_a_user_brought_and_took_off_after_the_backup_is_nobodys(day: Launch) -> None:
    ticket, _, key = two_tickets(day)
    copy = back_up(day)
    day.tag(ticket, add=("brief", "kept"))
    day.tag(ticket, remove=("brief",))
    restore(day, copy)
    day.world.wait(1800)
    assert (day.ticket_now(ticket)["tags"], day.issue_now(key)["labels"]) == (["kept"], ["kept"])


def both_solved(day: Launch) -> tuple[int, int, str]:
    """Two tickets of one issue, all of it done."""
    ticket, other, key = two_tickets(day)
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(300)
    assert day.statuses(ticket, key) == ("solved", "Done")
    return ticket, other, key


def test_a_reopen_that_the_hub_carried_to_the_issue_after_the_backup_does_not_reopen_the_siblings(day: Launch) -> None:
    """What the hub did to the tracker reaches nobody."""
    ticket, other, key = both_solved(day)
    copy = back_up(day)
    day.agent(ticket, "open")
    day.world.wait(120)
    assert day.statuses(ticket, key) == ("open", "To Do")
    restore(day, copy)
    day.world.wait(1800)
    assert day.statuses(ticket, key) == ("open", "To Do")
    assert day.ticket_now(other)["status"] == "solved"


def test_a_reopen_since_the_backup_whose_ticket_has_left_counts_as_the_trackers(day: Launch) -> None:
    ticket, other, key = both_solved(day)
    copy = back_up(day)
    day.agent(ticket, "open")
    day.world.wait(120)
    assert day.issue_now(key)["status"] == "To Do"
    day.zendesk.act({"act": "delete", "ticket": ticket})
    restore(day, copy)
    day.world.wait(4000)
    # The issue is open, so its item is, and whoever is left is told.
    assert day.statuses(other, key) == ("open", "To Do")
    assert held(day) == set()


def test_a_resolve_that_the_hub_carried_to_a_ticket_after_the_backup_is_not_its_agents(day: Launch) -> None:
    ticket, other, key = two_tickets(day)
    copy = back_up(day)
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(300)
    assert day.statuses(ticket, key) == day.statuses(other, key) == ("solved", "Done")
    day.engineer(key, "In Progress", force=True)
    restore(day, copy)
    day.world.wait(1800)
    assert day.issue_now(key)["status"] == "In Progress"


def test_what_the_hub_did_is_asked_for_though_the_clock_was_set_back_since_the_backup(day: Launch) -> None:
    ticket, other, key = two_tickets(day)
    copy = back_up(day)
    day.tag(ticket, add=("ours",))
    day.world.wait(120)
    assert day.issue_now(key)["labels"] == ["ours"]
    day.world.clock.jump(-86_400)
    restore(day, copy)
    day.world.wait(1800)
    assert (day.ticket_now(ticket)["tags"], day.ticket_now(other)["tags"]) == (["ours"], [])
