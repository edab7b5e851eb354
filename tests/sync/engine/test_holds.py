"""Dead remotes and refused credentials: the others go on, nothing is lost, and it ends by itself."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from connectors.sandbox.faults import FaultKind, FaultRule
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import calls, holds_now, parked_now, row_of, waiting

DEAD = {
    "refused": FaultRule(kind=FaultKind.DROP_BEFORE),
    "unavailable": FaultRule(kind=FaultKind.UNAVAILABLE, seconds=1.0),
    "bad gateway": FaultRule(kind=FaultKind.SERVER_ERROR, status=502),
    "a page of HTML": FaultRule(kind=FaultKind.HTML),
}


@pytest.mark.parametrize("how", sorted(DEAD))
def test_a_dead_remote_is_told_once_and_its_backlog_goes_out_when_it_is_back(make: Make, how: str) -> None:
    day = make()
    ticket, key = day.linked_pair()
    other, other_key = day.linked_pair()
    day.zendesk.control.faults.add(DEAD[how])
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(1800)
    assert len(day.world.told("connection_down")) == 1
    assert row_of(day, "support").down_since is not None
    assert row_of(day, "support").down_why
    assert day.world.told("connection_back") == []
    assert holds_now(day) == []
    day.zendesk.control.faults.clear()
    day.tag(other, add=("meanwhile",))
    day.world.wait(1200)
    assert len(day.world.told("connection_down")) == 1
    assert len(day.world.told("connection_back")) == 1
    assert row_of(day, "support").down_since is None
    assert day.statuses(ticket, key) == ("solved", "Done")
    assert "meanwhile" in day.issue_now(other_key)["labels"]
    assert waiting(day, "support") == 0
    assert parked_now(day) == []


def test_a_dead_remote_is_probed_with_patience(day: Launch) -> None:
    day.linked_pair()
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.DROP_BEFORE))
    day.world.wait(600)
    since = day.world.clock.now()
    day.world.wait(3600, step=5)
    asked = calls(day, "support", since=since)
    moments = sorted({row["at"] for row in asked})
    apart = [later - earlier for earlier, later in pairwise(moments) if later - earlier > 10]
    assert min(apart) >= 20, "a probe is one call and its repeats within seconds, then patience"
    assert len(apart) <= 3600 / 20


def test_the_other_connection_goes_on_while_one_is_dead(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.jira.control.faults.add(FaultRule(kind=FaultKind.DROP_BEFORE))
    day.world.wait(600)
    pages = len(calls(day, "support", "export.cursor"))
    day.tag(ticket, add=("alive",))
    day.world.wait(300)
    assert len(calls(day, "support", "export.cursor")) > pages
    day.jira.control.faults.clear()
    day.world.wait(600)
    assert "alive" in day.issue_now(key)["labels"]


def test_an_outage_of_a_day_loses_nothing(day: Launch) -> None:
    pairs = [day.linked_pair() for _ in range(4)]
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.UNAVAILABLE, seconds=2.0))
    for number, (ticket, key) in enumerate(pairs):
        day.tag(ticket, add=(f"desk-{number}",))
        day.label(key, add=f"site-{number}")
    day.engineer(pairs[0][1], "In Progress")
    day.engineer(pairs[0][1], "Done")
    day.agent(pairs[1][0], "solved")
    day.world.wait(86_400, step=600)
    day.zendesk.control.faults.clear()
    day.world.wait(3600, step=60)
    for number, (ticket, key) in enumerate(pairs):
        assert f"site-{number}" in day.ticket_now(ticket)["tags"]
        assert f"desk-{number}" in day.issue_now(key)["labels"]
    assert day.statuses(*pairs[0]) == ("solved", "Done")
    assert day.statuses(*pairs[1]) == ("solved", "Done")


def test_a_connection_that_was_down_at_a_restart_is_told_back(day: Launch) -> None:
    day.linked_pair()
    day.zendesk.control.faults.add(FaultRule(kind=FaultKind.DROP_BEFORE))
    day.world.wait(900)
    day.world.restart()
    day.world.wait(300)
    assert len(day.world.told("connection_down")) == 1
    day.zendesk.control.faults.clear()
    day.world.wait(300)
    assert len(day.world.told("connection_back")) == 1
    assert row_of(day, "support").down_since is None


def test_maintenance_is_left_alone_for_as_long_as_it_asked(day: Launch) -> None:
    day.linked_pair()
    until = day.world.clock.now() + timedelta(hours=1)
    day.zendesk.control.faults.add(
        FaultRule(kind=FaultKind.UNAVAILABLE, seconds=1200.0, until=until.timestamp(), operation="export.cursor")
    )
    day.world.wait(60)
    since = day.world.clock.now()
    day.world.wait(1000, step=20)
    assert calls(day, "support", since=since) == []


# --- credentials -----------------------------------------------------------------------------------------------


def refuse(day: Launch) -> None:
    """Somebody revokes the hub's token in Jira."""
    day.jira.act({"act": "token", "by": "hub", "tokens": ["another"]})


def allow(day: Launch) -> None:
    day.jira.act({"act": "token", "by": "hub", "tokens": ["hub-token"]})


def test_refused_credentials_hold_the_connection_and_stop_every_call_but_the_check(day: Launch) -> None:
    ticket, _ = day.linked_pair()
    refuse(day)
    day.tag(ticket, add=("later",))
    day.world.wait(600)
    held = holds_now(day)
    assert [(each.connection, each.reason) for each in held] == [("tracker", "auth_rejected")]
    assert held[0].detail
    since = day.world.clock.now()
    day.world.wait(3600, step=10)
    asked = calls(day, "tracker", since=since)
    assert len(asked) <= 8, "more failed logins lock the account"


def test_good_credentials_release_the_hold_by_themselves_and_the_backlog_goes_out(day: Launch) -> None:
    ticket, key = day.linked_pair()
    refuse(day)
    day.tag(ticket, add=("later",))
    day.world.wait(600)
    assert "later" not in day.issue_now(key)["labels"]
    allow(day)
    day.world.wait(1800)
    assert holds_now(day) == []
    assert "later" in day.issue_now(key)["labels"]


def test_a_person_who_renewed_the_credentials_need_not_wait_for_the_next_check(day: Launch) -> None:
    day.linked_pair()
    refuse(day)
    day.world.wait(3600, step=60)
    allow(day)
    held = holds_now(day)[0]
    answer = day.world.command("resume", hold=held.id)
    assert "as soon as the check passes" in answer.message
    day.world.wait(30)
    assert holds_now(day) == []


def test_a_hold_cannot_be_waved_through_while_the_credentials_are_refused(day: Launch) -> None:
    day.linked_pair()
    refuse(day)
    day.world.wait(300)
    day.world.command("resume", hold=holds_now(day)[0].id)
    day.world.wait(300)
    assert [each.reason for each in holds_now(day)] == ["auth_rejected"]


def test_wrong_credentials_from_the_start_are_held_and_nothing_is_known(make: Make) -> None:
    day = make()
    refuse(day)
    day.issue()
    day.world.wait(600)
    assert [(each.connection, each.reason) for each in holds_now(day)] == [("tracker", "auth_rejected")]
    allow(day)
    day.world.wait(1800)
    assert holds_now(day) == []
    assert day.world.hub.named("tracker").account_checked


def test_a_token_that_just_expired_holds_nothing(day: Launch) -> None:
    ticket, key = day.linked_pair()
    day.zendesk.act({"act": "revoke_tokens"})
    day.engineer(key, "In Progress")
    day.engineer(key, "Done")
    day.world.wait(300)
    assert holds_now(day) == []
    assert day.ticket_now(ticket)["status"] == "solved"
