"""First contact: a connection only looks until a person starts it, and what it learns then holds from there on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.engine import contact, poll
from sync.engine.hub import Mode
from tests.support.launch import ROUTES, Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import calls, feed, holds_now, item_count, known, many, members, row_of

DAY = 86400.0


def linked_before(day: Launch, **ticket: object) -> tuple[int, str]:
    """A ticket and an issue that people linked before anybody heard of the hub."""
    number, key = day.ticket(**ticket), day.issue()
    day.jira.act({"act": "remote_link", "issue": key, "url": f"http://127.0.0.1:8101/agent/tickets/{number}"})
    return number, key


def test_a_connection_that_only_observes_is_never_written_to(make: Make) -> None:
    day = make(routes=ROUTES)
    ticket, key = linked_before(day, tags=["outage"])
    day.world.wait(300)
    day.engineer(key, "In Progress")
    day.tag(ticket, add=("checkout",))
    day.label(key, add="regression")
    day.agent(ticket, "solved")
    day.ticket(tags=["outage"])
    day.world.wait(600)
    assert day.world.hub.named("support").mode is Mode.OBSERVE
    assert day.writes() == 0
    assert not [row for row in calls(day, "support") if row["method"] != "GET" and row["operation"] != "oauth.grant"]
    assert len(day.issues()) == 1


def test_what_is_linked_already_is_linked_while_only_observing(day: Launch) -> None:
    ticket, key = linked_before(day)
    day.world.wait(300)
    day.world.sweep()
    assert day.item(f"support:{ticket}") == day.item(key)
    assert day.writes() == 0


def test_what_was_linked_while_observing_stays_linked_when_it_goes_live(day: Launch) -> None:
    key, tickets = many(day, 3)
    day.engineer(key, "In Progress")
    day.world.wait(120)
    day.world.sweep()
    assert members(day, day.item(key)) == 4
    day.engineer(key, "Done")
    day.world.wait(120)
    assert {day.ticket_now(each)["status"] for each in tickets} == {"solved"}
    assert len(day.issue_now(key)["remote_links"]) == 3


def test_links_found_while_observing_are_announced_to_nobody(day: Launch) -> None:
    _, tickets = many(day, 2)
    day.world.wait(600)
    assert day.writes() == 0
    assert [each for each in day.ticket_now(tickets[0])["comments"] if not each["public"]] == []


def test_a_pair_that_differs_stays_as_it_is_until_one_side_changes(day: Launch) -> None:
    ticket, key = linked_before(day, status="solved", tags=["left"])
    day.label(key, add="right")
    day.world.wait(300)
    day.world.command("link", one=key, two=f"support:{ticket}")
    day.world.wait(120)
    day.world.start()
    day.world.wait(600)
    assert day.statuses(ticket, key) == ("solved", "To Do")
    assert day.writes() == 0
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(120)
    day.agent(ticket, "open")
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == "open"
    assert day.issue_now(key)["status"] in ("To Do", "In Progress")


def test_what_changes_between_observing_and_the_start_is_not_written_afterwards(day: Launch) -> None:
    ticket, key = linked_before(day)
    day.world.wait(300)
    day.world.command("link", one=key, two=f"support:{ticket}")
    day.world.wait(60)
    day.tag(ticket, add=("early",))
    day.world.wait(120)
    day.world.start()
    day.world.wait(300)
    assert "early" not in day.issue_now(key)["labels"]
    day.tag(ticket, add=("late",))
    day.world.wait(300)
    assert "late" in day.issue_now(key)["labels"]


def test_routes_apply_from_the_start_on(make: Make) -> None:
    day = make(routes=ROUTES)
    day.ticket(tags=["outage"])
    day.world.wait(300)
    day.world.start()
    day.world.wait(60)
    day.ticket(tags=["outage"])
    day.world.wait(300)
    assert len(day.issues()) == 1


def test_since_widens_the_routes_to_what_it_said_it_would_create(make: Make) -> None:
    day = make(routes=ROUTES)
    before = day.world.clock.now()
    day.world.wait(3600)
    for tags in (["outage"], ["praise"], ["outage"], []):
        day.ticket(tags=tags)
    day.world.wait(300)
    support = day.world.hub.named("support")
    with day.world.store.read() as conn:
        assert contact.would_create(conn, day.world.hub, support, before) == 2
        assert contact.would_create(conn, day.world.hub, support, day.world.clock.now()) == 0
    day.world.command("start", connection="tracker")
    answer = day.world.command("start", connection="support", since=before.isoformat())
    assert answer.data["routed"] == 2
    assert "2 records" in answer.message
    day.world.wait(300)
    assert len(day.issues()) == 2


def test_a_ticket_that_is_linked_already_is_not_counted_as_one_to_create(make: Make) -> None:
    day = make(routes=ROUTES)
    before = day.world.clock.now()
    day.world.wait(60)
    ticket, key = linked_before(day, tags=["outage"])
    day.world.wait(300)
    day.world.command("link", one=key, two=f"support:{ticket}")
    day.world.wait(60)
    with day.world.store.read() as conn:
        assert contact.would_create(conn, day.world.hub, day.world.hub.named("support"), before) == 0
    day.world.command("start", connection="tracker")
    day.world.command("start", connection="support", since=before.isoformat())
    day.world.wait(300)
    assert len(day.issues()) == 1


def test_a_pause_writes_nothing_and_loses_nothing(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.world.command("pause", connection="support")
    before = day.zendesk.state()["writes"].get("hub@example.com", 0)
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.tag(ticket, add=("meanwhile",))
    day.world.wait(3600, step=300)
    assert day.zendesk.state()["writes"].get("hub@example.com", 0) == before
    assert day.ticket_now(ticket)["status"] != "solved"
    answer = day.world.command("start", connection="support")
    assert answer.message == "support goes on"
    day.world.wait(300)
    assert day.statuses(ticket, key) == ("solved", "Done")
    assert "meanwhile" in day.issue_now(key)["labels"]


def test_a_pause_outlives_a_restart(day: Launch) -> None:
    day.linked_pair()
    day.world.command("pause", connection="tracker")
    day.world.restart()
    assert day.world.hub.named("tracker").mode is Mode.PAUSED
    assert day.world.hub.named("support").mode is Mode.LIVE


# --- import ----------------------------------------------------------------------------------------------------


def seeded(day: Launch, count: int) -> None:
    day.zendesk.act({"act": "seed", "count": count, "spread": 30 * DAY})
    day.zendesk.change_settings({"export_page_limit": 100})


def test_an_import_goes_on_after_a_restart_where_it_stopped(day: Launch) -> None:
    seeded(day, 1000)
    day.world.wait(3600)
    support = day.world.hub.named("support")
    for _ in range(3):
        contact.greet(day.world.hub, support)
        poll.poll(day.world.hub, support, poll.IMPORT)
        day.world.clock.advance(15)
    day.world.restart()
    pages = len(calls(day, "support", "export.cursor"))
    day.world.wait(1800, step=15)
    row = feed(day, "support", poll.IMPORT)
    assert row.finished_at is not None
    assert len(known(day, "support")) == len(set(known(day, "support"))) == 1000
    asked = [each for each in calls(day, "support", "export.cursor")[pages:] if "cursor" in each["query"]]
    assert asked, "it went on from a cursor"


def test_an_import_tells_how_far_it_is(day: Launch) -> None:
    seeded(day, 300)
    support = day.world.hub.named("support")
    contact.greet(day.world.hub, support)
    poll.poll(day.world.hub, support, poll.IMPORT)
    first = feed(day, "support", poll.IMPORT)
    assert (first.records, first.pages, first.finished_at) == (100, 1, None)
    day.world.wait(600)
    last = feed(day, "support", poll.IMPORT)
    assert last.records >= 300
    assert last.finished_at is not None
    assert day.world.told("import_finished")[0]["connection"] in ("support", "tracker")


def test_an_import_yields_to_live_work(day: Launch) -> None:
    day.zendesk.act({"act": "seed", "count": 3000, "spread": 30 * DAY})
    day.zendesk.change_settings({"export_page_limit": 100})
    hub, support = day.world.hub, day.world.hub.named("support")
    contact.greet(hub, support)
    while poll.poll(hub, support, poll.IMPORT):
        pass
    assert feed(day, "support", poll.IMPORT).finished_at is None
    polled = feed(day, "support").pages
    poll.poll(hub, support, poll.LIVE)
    assert feed(day, "support").pages == polled + 1, "the live feed still has room in the budget"
    assert not [row for row in calls(day, "support") if row["status"] == 429]


def test_an_import_asked_for_reads_everything_once_more(day: Launch) -> None:
    ticket, key = day.linked_pair()
    before = day.writes()
    answer = day.world.command(
        "import", connection="support", since=(day.world.clock.now() - timedelta(days=1)).isoformat()
    )
    assert answer.ok
    day.world.wait(300)
    assert feed(day, "support", poll.IMPORT).finished_at is not None
    assert known(day, "support") == [str(ticket)]
    assert day.writes() == before
    assert item_count(day) == 1
    assert day.item(key) == day.item(f"support:{ticket}")


# --- the account -----------------------------------------------------------------------------------------------


def settings_of(day: Launch, name: str, **changes: object) -> None:
    """An administrator edits one connection's settings and restarts the daemon."""
    day.world.configured = [
        replace(one, settings=one.settings.model_copy(update=changes)) if one.name == name else one
        for one in day.world.configured
    ]
    day.world.restart()


def test_another_account_is_held_and_nothing_of_it_is_read_or_written(make: Make) -> None:
    day = make()
    ticket, key = day.linked_pair()
    foreign = make(seed=9)
    foreign.ticket(subject="Not ours", tags=["not-ours"])
    own = day.world.stand_ins
    day.world.stand_ins = {**own, "support": foreign.zendesk}
    settings_of(day, "support", subdomain="elsewhere")
    day.engineer(key, "In Progress")
    day.world.wait(600)
    held = holds_now(day)
    assert [(each.connection, each.reason) for each in held] == [("support", "account_mismatch")]
    assert "belongs to acme" in held[0].detail
    assert "lead to elsewhere" in held[0].detail
    assert foreign.zendesk.state()["writes"].get("hub@example.com", 0) == 0
    assert "not-ours" not in day.issue_now(key)["labels"]
    assert row_of(day, "support").account == "acme"
    released = day.world.command("resume", hold=held[0].id)
    assert released.message == f"hold {held[0].id} (account_mismatch) is released as soon as the check passes"
    day.world.wait(120)
    assert holds_now(day) != [], "a person cannot wave another account through"
    day.world.stand_ins = own
    settings_of(day, "support", subdomain="acme")
    day.world.wait(300)
    assert holds_now(day) == []
    assert day.statuses(ticket, key)[1] == "In Progress"
    assert day.ticket_now(ticket)["status"] == "open"


def test_a_connection_is_registered_once_and_keeps_its_account(day: Launch) -> None:
    day.world.start()
    account = row_of(day, "tracker").account
    day.world.restart()
    assert row_of(day, "tracker").account == account != ""
    assert row_of(day, "tracker").created_at <= datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize("name", ["support", "tracker"])
def test_findings_of_the_check_are_told(make: Make, name: str) -> None:
    more: dict[str, object] = (
        {"zendesk_settings": {"oauth_scopes": "read"}} if name == "support" else {"jira_settings": {}}
    )
    day = make(**more)
    if name == "tracker":
        day.jira.act({"act": "permission", "by": "hub", "project": "OPS", "permission": "EDIT_ISSUES"})
    day.world.wait(120)
    told = day.world.told("finding") + [{"connection": each.connection, "what": each.detail} for each in holds_now(day)]
    assert [each for each in told if each["connection"] == name], "what is missing is said"
