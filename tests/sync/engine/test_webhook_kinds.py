"""Webhook calls of every kind: a hint to look, whatever it says, however often and in whatever order it comes."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import func, select

from connectors.sandbox.wire import OutgoingHook
from sync.engine import find, rows
from sync.store.tables import inbox, refreshes
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make

TRIGGER = {"subscriptions": ["conditional_ticket_events"]}
EVERY_EVENT = {
    "subscriptions": [
        f"zen:event-type:ticket.{name}"
        for name in ("created", "status_changed", "tags_changed", "comment_added", "soft_deleted", "merged")
    ]
}


def stored(day: Launch) -> int:
    """How many calls were believed and kept."""
    with day.world.store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(inbox)).scalar_one())


def waiting_reads(day: Launch) -> list[Any]:
    """The direct reads that wait."""
    with day.world.store.read() as conn:
        return list(conn.execute(select(refreshes)).all())


def caught(day: Launch) -> list[OutgoingHook]:
    """The calls that are on their way from Zendesk, not yet delivered; they stay on their way."""
    return day.zendesk.due_hooks(day.world.clock.epoch())


@pytest.mark.parametrize("hook", [{}, TRIGGER], ids=["event", "trigger"])
def test_both_kinds_of_zendesk_webhook_bring_a_change_at_once(make: Make, hook: dict[str, Any]) -> None:
    day = make(zendesk_hook=hook)
    ticket, issue = day.linked_pair()
    # Calls of one second with one body are one call: only what is signed tells calls apart. The poll finds the rest.
    day.world.clock.advance(1)
    day.tag(ticket, add=("checkout",))
    day.agent(ticket, "solved")
    day.world.quiet(polls=False)
    assert day.issue_now(issue)["labels"] == ["checkout"]
    assert day.issue_now(issue)["status"] == "Done"


@pytest.mark.parametrize(
    ("desk", "site"),
    [
        ({"hook_duplicates": 1.0}, {"hook_duplicates": 1.0}),
        ({"hook_shuffle": 30.0}, {"hook_reorder": 1.0}),
        ({"hook_drops": 1.0}, {"hook_drops": 1.0}),
    ],
    ids=["twice", "out of order", "never"],
)
def test_calls_that_come_twice_or_out_of_order_or_never_end_alike(
    make: Make, desk: dict[str, float], site: dict[str, float]
) -> None:
    day = make(zendesk_settings=desk, jira_settings=site)
    ticket, issue = day.linked_pair()
    for status in ("open", "pending", "open", "solved"):
        day.agent(ticket, status)
    day.label(issue, add="regression")
    day.world.wait(240)
    assert day.statuses(ticket, issue) == ("solved", "Done")
    assert day.ticket_now(ticket)["tags"] == ["regression"]
    transitions = [each for each in day.issue_now(issue)["changelog"] if each["items"][0]["field"] == "status"]
    assert len(transitions) == 2  # To Do, In Progress, Done: once, however often it was told


def test_a_call_that_comes_twice_is_kept_once(make: Make) -> None:
    day = make(zendesk_settings={"hook_duplicates": 1.0})
    ticket, _ = day.linked_pair()
    before = stored(day)
    day.agent(ticket, "open")
    day.world.wait(60)
    assert stored(day) - before == 1


@pytest.mark.parametrize("forge", ["body", "signature", "unsigned", "old"])
def test_a_forged_call_is_answered_401_and_nothing_is_kept(day: Launch, forge: str) -> None:
    ticket, _ = day.linked_pair()
    day.agent(ticket, "solved")
    genuine = caught(day)[0]
    headers = dict(genuine.headers)
    if forge == "body":
        genuine = structs.replace(genuine, body=genuine.body.replace(b"SOLVED", b"CLOSED"))
    elif forge == "signature":
        signature = next(name for name in headers if name.lower() == "x-zendesk-webhook-signature")
        genuine = structs.replace(genuine, headers={**headers, signature: "c3Rvcm1zYXJlY29taW5n"})
    elif forge == "unsigned":
        genuine = structs.replace(genuine, headers={})
    else:
        day.world.clock.advance(3600)
    before = stored(day)
    assert day.world._receive("support", genuine) == 401
    assert stored(day) == before
    assert waiting_reads(day) == []


def test_a_hook_for_a_record_nobody_knows_reads_it_and_that_is_all(day: Launch) -> None:
    day.linked_pair()
    day.world.wait(60)
    writes, reads = day.writes(), sum(day.calls("support").values())
    ticket = day.ticket(subject="Something else")
    day.world.quiet(polls=False)
    assert waiting_reads(day) == []
    assert day.writes() == writes
    assert 1 <= sum(day.calls("support").values()) - reads <= 2
    with pytest.raises(find.NotFound, match="belongs to no item"):
        day.item(f"support:{ticket}")


def test_a_call_about_a_ticket_that_is_gone_before_it_is_read_changes_nobody(make: Make) -> None:
    day = make(zendesk_hook=EVERY_EVENT)
    ticket, issue = day.linked_pair()
    day.tag(ticket, add=("checkout",))
    day.zendesk.act({"act": "delete", "ticket": ticket})
    day.world.wait(300)
    assert day.issue_now(issue)["status"] == "To Do"
    assert day.links_on(issue) == []


def test_a_deleted_issue_is_noticed_by_its_call(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.tag(ticket, add=("checkout",))
    day.world.wait(60)
    day.jira.act({"act": "delete", "issue": issue})
    day.world.quiet(polls=False)
    before = day.writes()
    day.agent(ticket, "solved")
    day.world.wait(120)
    assert day.writes() == before
    assert day.ticket_now(ticket)["tags"] == ["checkout"]


def test_a_call_older_than_what_was_read_costs_no_call(day: Launch) -> None:
    _, issue = day.linked_pair()
    day.world.wait(60)
    day.label(issue, add="regression")
    late = day.jira.due_hooks(day.world.clock.epoch())
    day.world.clock.advance(30)
    day.world.quiet()  # the poll finds the change first
    day.world.wait(60)
    before = day.calls("tracker")
    assert late
    for hook in late:
        assert day.world._receive("tracker", hook) == 202
    day.world.quiet(polls=False)
    assert day.calls("tracker") == before


def test_our_own_write_comes_back_as_a_call_and_costs_no_further_one(day: Launch) -> None:
    ticket, issue = day.linked_pair()
    day.world.wait(60)
    before = sum(day.calls("support").values()) + sum(day.calls("tracker").values())
    day.label(issue, add="regression")
    day.world.quiet(polls=False)
    assert day.ticket_now(ticket)["tags"] == ["regression"]
    assert day.zendesk.state()["hooks"]
    # The issue is read once and the ticket written once; the ticket's own call about it is no news.
    assert sum(day.calls("support").values()) + sum(day.calls("tracker").values()) - before == 2


def test_polling_alone_shows_a_link_on_both_sides(make: Make) -> None:
    day = make(hooks=False)
    ticket, issue = day.linked_pair()
    day.world.wait(120)
    assert day.links_on(issue) == [f"http://127.0.0.1:8101/agent/tickets/{ticket}"]
    assert len(day.notes_on(ticket)) == 1


def test_a_read_that_somebody_waits_for_stays_theirs_when_a_call_names_the_record(day: Launch) -> None:
    day.linked_pair()
    connection, now = day.world.hub.named("tracker"), day.world.clock.now()
    asks = (("member", 7), ("hook", None), ("sweep", None))
    for why, asker in asks:
        day.world.store.step(
            lambda conn, why=why, asker=asker: rows.ask(  # type: ignore[misc]
                conn, connection.id, [("issue", "99999")], now, why, asker=asker
            )
        )
    assert [(row.why, row.askers) for row in waiting_reads(day)] == [("member", ",7,")]


def test_a_read_that_several_wait_for_is_told_to_each_of_them_once(day: Launch) -> None:
    day.linked_pair()
    connection, now = day.world.hub.named("tracker"), day.world.clock.now()
    for asker in (7, 12, 2, 7, None, 12):
        day.world.store.step(
            lambda conn, asker=asker: rows.ask(  # type: ignore[misc]
                conn, connection.id, [("issue", "99999")], now, "member", asker=asker
            )
        )
    assert [row.askers for row in waiting_reads(day)] == [",7,12,2,"]


def test_a_question_about_history_gives_way_to_a_call_that_tells_of_a_change(day: Launch) -> None:
    day.linked_pair()
    connection, now = day.world.hub.named("tracker"), day.world.clock.now()
    for why in ("history", "hook"):
        day.world.store.step(
            lambda conn, why=why: rows.ask(conn, connection.id, [("issue", "99999")], now, why)  # type: ignore[misc]
        )
    assert [row.why for row in waiting_reads(day)] == ["hook"]
