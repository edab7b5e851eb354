"""The connector against a stand-in that fails: each failure has one meaning, and nothing is ever sent twice."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from connectors.contract import Ports
from connectors.errors import (
    AuthRejected,
    CursorExpired,
    Forbidden,
    RateLimited,
    RecordMissing,
    RemoteError,
    Unavailable,
    UnexpectedAnswer,
)
from connectors.http import Limits
from connectors.zendesk import CONNECTOR
from connectors.zendesk.client import ZendeskRemote
from sync.model import Absent, Changes, CreateIntent, Draft, Snapshot, StatusChange
from tests.connectors.zendesk.account import START, Account, Chance, read, write

SOLVE = Changes(status=StatusChange(raw="solved"), note="solved elsewhere")
DRAFT = Draft(kind="ticket", fields={"subject": "From the hub"})


def failed(zendesk: Account, kind: str, **more: Any) -> tuple[RemoteError, Any]:
    """The error of one write under a fault, and the ticket as the account has it afterwards."""
    ticket = zendesk.create()
    remote = zendesk.connect(jira_app="false")
    snap = read(remote, ticket)
    zendesk.fault(kind, operation="tickets.update", **more)
    with pytest.raises(RemoteError) as raised:
        write(remote, snap, SOLVE)
    assert zendesk.calls("tickets.update") == 1, "a write is sent once"
    zendesk.heal()
    return raised.value, zendesk.record(ticket)


# --- writes ---------------------------------------------------------------------------------------------------------


def test_a_write_whose_connection_drops_before_it_is_applied_is_in_doubt(zendesk: Account) -> None:
    error, record = failed(zendesk, "drop_before")
    assert isinstance(error, Unavailable)
    assert error.applied
    assert record["status"] == "new"


def test_a_write_whose_answer_is_lost_is_in_doubt_and_was_applied_once(zendesk: Account) -> None:
    error, record = failed(zendesk, "drop_after")
    assert isinstance(error, Unavailable)
    assert error.applied
    assert record["status"] == "solved"
    assert [comment["body"] for comment in record["comments"]].count("solved elsewhere") == 1


def test_a_lost_answer_is_settled_by_the_history(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    snap = read(remote, ticket)
    zendesk.fault("drop_after", operation="tickets.update", count=1)
    with pytest.raises(Unavailable):
        write(remote, snap, SOLVE, op="d-lost")
    assert [row.op for row in remote.history(snap.ref, snap.version) if row.ours] == ["d-lost"]


@pytest.mark.parametrize("kind", ["cut_body", "truncated", "html", "empty", "null"])
def test_a_write_with_an_answer_of_no_use_may_have_been_applied(zendesk: Account, kind: str) -> None:
    error, record = failed(zendesk, kind, **({} if kind in {"cut_body", "truncated"} else {"applied": True}))
    assert isinstance(error, (Unavailable, UnexpectedAnswer))
    assert error.applied
    assert record["status"] == "solved"


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_leaves_a_write_in_doubt(zendesk: Account, status: int) -> None:
    error, _ = failed(zendesk, "server_error", status=status)
    assert isinstance(error, Unavailable)
    assert error.applied
    assert "<" not in error.message


def test_maintenance_says_how_long(zendesk: Account) -> None:
    error, _ = failed(zendesk, "unavailable", seconds=120)
    assert isinstance(error, Unavailable)
    assert error.retry_after == 120


@pytest.mark.parametrize(
    ("kind", "seconds", "wait"),
    [
        ("rate_limited", 93, 93.0),
        ("rate_limited", 1800, 1800.0),
        ("rate_limited", 999_999, 86400.0),
        ("rate_limited_bare", None, None),
        ("rate_limited_date", 60, 60.0),
        ("rate_limited_garbage", None, None),
    ],
)
def test_a_rate_limit_is_an_error_at_once_and_never_slept_on(
    zendesk: Account, kind: str, seconds: float | None, wait: float | None
) -> None:
    started = time.monotonic()
    error, record = failed(zendesk, kind, **({"seconds": seconds} if seconds is not None else {}))
    assert time.monotonic() - started < 5
    assert isinstance(error, RateLimited)
    assert not error.applied
    assert error.retry_after == (pytest.approx(wait, abs=2) if wait else None)
    assert record["status"] == "new"
    assert zendesk.clock.slept == []


def test_the_limit_of_one_ticket_names_that_ticket(zendesk: Account) -> None:
    ticket = zendesk.create()
    zendesk.switch(ticket_updates_per_10_minutes=2)
    remote = zendesk.connect()
    for tag in ("a", "b"):
        write(remote, read(remote, ticket), Changes(add_tags=(tag,)))
    with pytest.raises(RateLimited) as raised:
        write(remote, read(remote, ticket), Changes(add_tags=("c",)))
    assert raised.value.scope == f"record:{ticket}"
    readings = [one for one in zendesk.readings if one.budget == "record"]
    assert {(one.record, one.limit) for one in readings} == {(ticket, 2)}
    assert readings[-1].remaining == 0


def test_a_write_with_refused_credentials_was_not_applied(zendesk: Account) -> None:
    error, record = failed(zendesk, "unauthorised")
    assert isinstance(error, AuthRejected)
    assert not error.applied
    assert record["status"] == "new"


def test_a_forbidden_write_is_its_own_error(zendesk: Account) -> None:
    assert isinstance(failed(zendesk, "forbidden")[0], Forbidden)


def test_a_write_to_a_deleted_ticket_finds_no_record(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    snap = read(remote, ticket)
    zendesk.act("delete", ticket=ticket)
    with pytest.raises(RecordMissing):
        write(remote, snap, SOLVE)


def test_a_write_that_was_taken_and_ignored_shows_in_its_answer(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    zendesk.fault("ignore_write", operation="tickets.update", count=1)
    answer = write(remote, read(remote, ticket), SOLVE)
    assert isinstance(answer, Snapshot)
    assert answer.fields["status"] == "new"


def test_a_dead_address_leaves_no_doubt(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    snap = read(remote, ticket)
    nowhere = zendesk.connect(base_url="http://127.0.0.1:9")
    with pytest.raises(Unavailable) as raised:
        write(nowhere, snap, SOLVE)
    assert not raised.value.applied
    assert "127.0.0.1" in raised.value.message or "refused" in raised.value.message


# --- creates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "exists"), [("drop_before", False), ("drop_after", True)])
def test_a_create_whose_answer_is_lost_is_settled_by_its_marker(zendesk: Account, kind: str, exists: bool) -> None:
    remote = zendesk.connect()
    zendesk.fault(kind, operation="tickets.create", count=1)
    with pytest.raises(Unavailable) as raised:
        remote.create(DRAFT, "m-1")
    assert raised.value.applied
    assert zendesk.calls("tickets.create") == 1
    found = remote.find_created(CreateIntent(marker="m-1", at=START, probe={}, draft=DRAFT))
    assert (found != Absent()) is exists
    again = remote.create(DRAFT, "m-1")
    assert found in (Absent(), again)


# --- reads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop_before", "server_error", "cut_body"])
def test_a_read_that_fails_once_is_tried_again(zendesk: Account, kind: str) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    read(remote, ticket)
    zendesk.forget_calls()
    zendesk.fault(kind, operation="tickets.show", count=1)
    read(remote, ticket)
    assert zendesk.calls("tickets.show") == 2


def test_a_read_that_keeps_failing_is_given_up_within_five_seconds(zendesk: Account) -> None:
    ticket = zendesk.create()
    remote = zendesk.connect()
    zendesk.fault("server_error", method="read")
    with pytest.raises(Unavailable):
        remote.fetch([ticket])
    assert sum(zendesk.clock.slept) <= 5


@pytest.mark.parametrize("kind", ["html", "truncated", "empty", "null"])
def test_a_page_of_no_use_is_unexpected_and_asked_once(zendesk: Account, kind: str) -> None:
    zendesk.create()
    remote = zendesk.connect()
    zendesk.fault(kind, operation="export.cursor")
    with pytest.raises(UnexpectedAnswer) as raised:
        remote.page(None, START - timedelta(days=1))
    assert "/api/v2/incremental/tickets/cursor" in raised.value.message
    assert zendesk.calls("export.cursor") == 1


def test_a_body_of_fifty_megabytes_is_refused(zendesk: Account) -> None:
    zendesk.create()
    remote = zendesk.connect()
    zendesk.fault("huge", operation="export.cursor", size=60_000_000)
    with pytest.raises(UnexpectedAnswer, match="larger than"):
        remote.page(None, START - timedelta(days=1))


def test_a_body_that_drips_in_ends_at_the_deadline(zendesk: Account) -> None:
    ticket = zendesk.create()
    ports = Ports(clock=zendesk.clock, rng=Chance(3), meter=zendesk.readings.append)
    remote = ZendeskRemote(zendesk.settings(jira_app="false"), ports, limits=Limits(connect=1, read=1, total=1.5))
    zendesk.fault("drip", operation="tickets.show", seconds=0.2)
    started = time.monotonic()
    with pytest.raises(Unavailable):
        remote.fetch([ticket])
    assert time.monotonic() - started < 12
    remote.close()


def test_the_export_has_a_budget_of_its_own(zendesk: Account) -> None:
    zendesk.create()
    remote = zendesk.connect()
    cursor = remote.page(None, START - timedelta(days=1)).cursor
    for _turn in range(9):
        remote.page(cursor, START)
    with pytest.raises(RateLimited) as raised:
        remote.page(cursor, START)
    assert raised.value.scope == "export"
    assert raised.value.retry_after
    assert zendesk.clock.slept == []


def test_a_plain_text_rate_limit_is_understood(zendesk: Account) -> None:
    zendesk.switch(plain_text_429=True, account_per_minute=1)
    with pytest.raises(RateLimited, match="Number of allowed API requests"):
        zendesk.connect().fetch(["1", "2"])


def test_a_cursor_that_the_export_does_not_know_is_expired(zendesk: Account) -> None:
    with pytest.raises(CursorExpired):
        zendesk.connect().page("bm90IGEgY3Vyc29y!", START)


def test_a_clock_that_runs_ahead_is_told(zendesk: Account) -> None:
    zendesk.switch(clock_skew=-7200.0)
    with pytest.raises(UnexpectedAnswer, match="StartTimeTooRecent"):
        zendesk.connect().page(None, zendesk.clock.now())


def test_the_feed_without_permission_is_a_matter_for_an_administrator(zendesk: Account) -> None:
    with pytest.raises(AuthRejected, match="admin"):
        zendesk.connect(email="agent@example.com").page(None, START)


def test_no_secret_is_in_any_message(zendesk: Account) -> None:
    remote = zendesk.connect(token="canary-token")
    with pytest.raises(AuthRejected) as raised:
        remote.check()
    assert "canary" not in str(raised.value)


def test_connecting_makes_no_call(zendesk: Account) -> None:
    zendesk.connect()
    zendesk.connect(auth="client_credentials")
    assert zendesk.calls() == 0


def test_an_unknown_key_of_a_later_api_is_passed_over(zendesk: Account) -> None:
    zendesk.switch(extra_ticket_keys={"brand_new": "x"})
    ticket = zendesk.create()
    assert read(zendesk.connect(), ticket).ref.id == ticket


def test_our_calls_name_our_program(zendesk: Account) -> None:
    zendesk.connect().fetch(["1"])
    assert {call["user_agent"] for call in zendesk.requests()} == {"hypercare"}


def test_a_simulated_transport_is_used_instead_of_the_network(zendesk: Account) -> None:
    class Down(BaseAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            raise requests.ConnectionError("simulated")

        def close(self) -> None: ...

    ports = Ports(clock=zendesk.clock, rng=Chance(3), meter=zendesk.readings.append, transport=Down())
    with pytest.raises(Unavailable):
        CONNECTOR.connect(zendesk.settings(), ports).fetch(["1"])
    assert zendesk.calls() == 0
