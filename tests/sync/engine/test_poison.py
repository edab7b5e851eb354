"""A record, call or command that our own code stumbles over is told and put off; what is behind it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, Insert, func, insert, select

from connectors.contract import Hint, WebhookRequest
from sync.engine import commands, inbox, poll, refresh, rows
from sync.engine.hub import Mode
from sync.mapping.compiled import Mapping as CompiledMapping
from sync.model import Json, Snapshot
from sync.store.errors import StoreUnavailable
from sync.store.tables import commands as asked_for
from sync.store.tables import inbox as calls_in
from sync.store.tables import records, refreshes
from tests.support.launch import Launch
from tests.sync.engine.conftest import Make
from tests.sync.engine.views import feed, row_of


class Stumbles(Exception):
    """A defect of ours."""


@dataclass
class Poisoned:
    """A mapping that stumbles over one record, as a defect would."""

    inner: CompiledMapping
    remote_id: str

    def watched(self, snap: Snapshot) -> str:
        if snap.ref.id == self.remote_id:
            raise Stumbles(f"over {self.remote_id}")
        return self.inner.watched(snap)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def started(make: Make) -> Launch:
    """A day on which both sides are live and only polled."""
    day = make(hooks=False)
    day.world.start()
    return day


def poison(day: Launch, ticket: int) -> None:
    """From now on our own code stumbles over this ticket."""
    connected = day.world.hub.named("support")
    connected.mapping = Poisoned(connected.mapping, str(ticket))  # type: ignore[assignment]


def cure(day: Launch) -> None:
    """The defect is repaired."""
    connected = day.world.hub.named("support")
    if isinstance(connected.mapping, Poisoned):
        connected.mapping = connected.mapping.inner


def asked(day: Launch) -> dict[str, Any]:
    """The reads of tickets that wait, by id."""
    with day.world.store.read() as conn:
        found = conn.execute(
            select(refreshes).where(refreshes.c.connection_id == day.world.hub.named("support").id)
        ).all()
    return {row.remote_id: row for row in found}


def stored(day: Launch) -> set[str]:
    with day.world.store.read() as conn:
        found = select(records.c.remote_id).where(records.c.connection_id == day.world.hub.named("support").id)
        return set(conn.execute(found).scalars())


def ask_for(day: Launch, tickets: list[int], why: str = "hook") -> None:
    of = day.world.hub.named("support")
    refs = [(of.kind, str(each)) for each in tickets]
    day.world.store.step(lambda conn: rows.ask(conn, of.id, refs, day.world.clock.now(), why))


def errors(day: Launch) -> Sequence[Mapping[str, Any]]:
    return day.world.told("internal_error")


def drain(day: Launch) -> None:
    for _ in range(20):
        if not refresh.refresh(day.world.hub, day.world.hub.named("support")):
            return


def test_one_record_that_we_stumble_over_is_put_off_and_the_rest_of_its_batch_is_stored(make: Make) -> None:
    day = started(make)
    tickets = [day.ticket(subject=f"{n}") for n in range(5)]
    poison(day, tickets[2])
    ask_for(day, tickets)
    drain(day)
    assert {str(each) for each in tickets} - stored(day) == {str(tickets[2])}
    assert set(asked(day)) == {str(tickets[2])}
    assert [str(each["error"]) for each in errors(day)] == [f"over {tickets[2]}"]
    cure(day)
    day.world.wait(60)
    assert str(tickets[2]) in stored(day)
    assert asked(day) == {}


@pytest.mark.parametrize("why", ["hook", "member"])
def test_a_record_that_we_stumble_over_again_and_again_is_asked_for_ever_more_rarely(make: Make, why: str) -> None:
    day = started(make)
    ticket = day.ticket()
    poison(day, ticket)
    ask_for(day, [ticket], why)
    waits = []
    for _ in range(4):
        drain(day)
        row = asked(day)[str(ticket)]
        waits.append((row.not_before - day.world.clock.now()).total_seconds())
        day.world.clock.advance(waits[-1])
    assert waits == sorted(waits)
    assert waits[-1] > 4 * waits[0] > 0
    assert len(errors(day)) == 4


def test_a_client_that_stumbles_over_one_record_reads_the_others(make: Make) -> None:
    day = started(make)
    tickets = [day.ticket(subject=f"{n}") for n in range(3)]
    connected = day.world.hub.named("support")
    remote = connected.remote

    class Stumbling:
        def fetch(self, ids: list[str], *, whole: bool | None) -> Any:
            if str(tickets[0]) in ids:
                raise Stumbles("in the client")
            return remote().fetch(ids, whole=whole)

    connected.remote = Stumbling  # type: ignore[assignment]
    ask_for(day, tickets)
    drain(day)
    day.world.clock.advance(2)
    drain(day)
    assert stored(day) >= {str(each) for each in tickets[1:]}
    assert set(asked(day)) == {str(tickets[0])}


def test_the_feed_goes_on_past_a_record_that_we_stumble_over_and_asks_for_it_directly(make: Make) -> None:
    day = started(make)
    tickets = [day.ticket(subject=f"{n}") for n in range(5)]
    poison(day, tickets[1])
    day.world.clock.advance(300)
    before = feed(day, "support")
    connected = day.world.hub.named("support")
    poll.poll(day.world.hub, connected)
    assert feed(day, "support").pages > before.pages
    assert feed(day, "support").cursor != before.cursor
    assert {str(each) for each in tickets} - stored(day) == {str(tickets[1])}
    assert asked(day)[str(tickets[1])].why == "list"
    assert [str(each["error"]) for each in errors(day)] == [f"over {tickets[1]}"]
    cure(day)
    day.world.wait(60)
    assert str(tickets[1]) in stored(day)


def test_a_webhook_call_that_we_stumble_over_is_done_with_and_those_behind_it_are_read(make: Make) -> None:
    day = started(make)
    ticket = day.ticket()
    connected = day.world.hub.named("support")

    def hints(request: WebhookRequest) -> tuple[Hint, ...]:
        if request.body == b"poison":
            raise Stumbles("over a call")
        return (Hint(kind=connected.kind, id=str(ticket)),)

    connected.hints = hints
    for call, body in (("1", b"poison"), ("2", b"good")):
        row = {"connection_id": connected.id, "call_id": call, "received_at": day.world.clock.now()}
        packed = inbox.pack(WebhookRequest(headers={}, body=body, query={}))
        keep = insert(calls_in).values(**row, body=packed)
        day.world.store.step(partial(_execute, statement=keep))
    inbox.read_inbox(day.world.hub)
    assert set(asked(day)) == {str(ticket)}
    assert [str(each["error"]) for each in errors(day)] == ["over a call"]
    with day.world.store.read() as conn:
        assert not conn.execute(select(func.count()).where(calls_in.c.done_at.is_(None))).scalar_one()


def _execute(conn: Connection, statement: Insert) -> None:
    conn.execute(statement)


# --- commands --------------------------------------------------------------------------------------------------------


def command(day: Launch, verb: str, **args: Json) -> int:
    row = {"at": day.world.clock.now(), "verb": verb, "args": msgspec.json.encode(args)}
    key = day.world.store.step(lambda conn: conn.execute(insert(asked_for).values(**row)).inserted_primary_key)
    assert key is not None
    return int(key[0])


def answer(day: Launch, number: int) -> Any:
    with day.world.store.read() as conn:
        row = conn.execute(select(asked_for).where(asked_for.c.id == number)).one()
    return None if row.answer is None else msgspec.json.decode(row.answer)


def test_a_command_that_we_stumble_over_is_answered_and_those_behind_it_are_carried_out(make: Make) -> None:
    day = started(make)
    ticket = day.ticket()
    day.world.wait(60)
    tracker = day.world.hub.named("tracker")

    def parse(text: str) -> str | None:
        raise Stumbles("over a reference")

    tracker.parse_reference = parse
    odd = command(day, "unlink", record=f"tracker:{ticket}-odd")
    good = command(day, "pause", connection="tracker")
    commands.carry_out(day.world.hub)
    assert answer(day, odd) == {
        "ok": False,
        "message": "nothing was done: this is a defect of hypercare, see the daemon's log",
        "data": {},
    }
    assert answer(day, good)["ok"]
    assert [str(each["error"]) for each in errors(day)] == ["over a reference"]


@dataclass
class FullDisk:
    """A store whose COMMIT fails while `full`."""

    inner: Any
    full: bool = True

    def step(self, fn: Any) -> Any:
        def step(conn: Connection) -> Any:
            value = fn(conn)
            if self.full:
                raise StoreUnavailable("the disk is full")
            return value

        return self.inner.step(step)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.mark.parametrize("verb", ["start", "pause"])
def test_a_command_that_could_not_be_stored_changes_no_mode(make: Make, verb: str) -> None:
    day = started(make)
    connected = day.world.hub.named("support")
    if verb == "start":
        connected.mode, connected.live_since = Mode.OBSERVE, None
    before = (connected.mode, connected.live_since)
    number = command(day, verb, connection="support")
    whole = day.world.hub.store
    full: Any = FullDisk(whole)
    day.world.hub.store = full
    with pytest.raises(StoreUnavailable):
        commands.carry_out(day.world.hub)
    assert (connected.mode, connected.live_since) == before
    assert answer(day, number) is None
    day.world.hub.store = whole
    commands.carry_out(day.world.hub)
    assert answer(day, number)["ok"]
    assert connected.mode is (Mode.LIVE if verb == "start" else Mode.PAUSED)


# --- pages -----------------------------------------------------------------------------------------------------------


@dataclass
class OddPages:
    """A client that stumbles over every page while `odd`."""

    inner: Any
    odd: bool = True
    asked: int = 0

    def page(self, cursor: str | None, since: Any) -> Any:
        if self.odd:
            self.asked += 1
            raise Stumbles("over a page")
        return self.inner.page(cursor, since)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def odd_pages(day: Launch) -> OddPages:
    connected = day.world.hub.named("support")
    odd = OddPages(connected.remote())
    connected.remote = lambda: odd  # pyright: ignore[reportAttributeAccessIssue]  # all but its pages is the real one
    return odd


def test_a_page_that_we_stumble_over_is_asked_for_ever_more_rarely_and_a_person_is_told(make: Make) -> None:
    day = started(make)
    odd = odd_pages(day)
    day.world.wait(3600)
    assert 8 <= odd.asked <= 14, "a poll every half minute would ask 120 times"
    assert len(errors(day)) == odd.asked
    assert "reading the live feed" in str(errors(day)[0]["where"])
    row = row_of(day, "support")
    assert row.down_since is not None
    assert "a defect of hypercare (Stumbles)" in row.down_why


def test_while_a_feed_cannot_be_read_single_reads_and_writes_go_on(make: Make) -> None:
    day = make()
    ticket, issue = day.linked_pair()
    odd_pages(day)
    day.world.wait(600)
    day.engineer(issue, "In Progress")
    day.world.wait(120)
    assert day.ticket_now(ticket)["status"] == "open"
    day.tag(ticket, add=("told",))
    day.world.wait(60)
    assert "told" in day.issue_now(issue)["labels"], "its webhook tells"


def test_a_feed_goes_on_where_it_was_when_the_defect_is_gone(make: Make) -> None:
    day = started(make)
    odd = odd_pages(day)
    ticket = day.ticket()
    day.world.wait(600)
    assert str(ticket) not in stored(day)
    odd.odd = False
    day.world.wait(900)
    assert str(ticket) in stored(day)
    assert row_of(day, "support").down_since is None
    assert not day.world.hub.named("support").health.stuck
