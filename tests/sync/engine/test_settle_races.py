"""An item that moves while it is decided is decided again; the others of its batch do not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, select, update

from sync.engine import refresh, rows, settle
from sync.store.tables import deliveries, items, journal
from tests.sync.engine.conftest import Make


class Interrupted:
    """A store in front of whose next step something else is stored, once."""

    def __init__(self, store: Any, before: Callable[[Connection], object]) -> None:
        self._store = store
        self._before: Callable[[Connection], object] | None = before

    def step(self, fn: Callable[[Connection], Any]) -> Any:
        before, self._before = self._before, None
        if before is not None:
            self._store.step(before)
        return self._store.step(fn)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_an_item_that_changes_just_before_its_members_are_moved_is_decided_again(make: Make) -> None:
    """Found by real kills: the whole batch was given up, and a defect was logged."""
    day = make()
    first, key = day.linked_pair()
    second = day.ticket()
    day.world.wait(120)
    hub = day.world.hub
    tracker = hub.named("tracker")
    item = day.item(key)
    day.jira.act({"act": "remote_link", "issue": key, "url": f"http://127.0.0.1:8101/agent/tickets/{second}"})
    issue = str(day.issue_now(key)["id"])
    hub.store.step(lambda conn: rows.ask(conn, tracker.id, [(tracker.kind, issue)], hub.clock.now(), "command"))
    while refresh.refresh(hub, tracker):
        pass

    def also(conn: Connection) -> None:
        conn.execute(update(items).where(items.c.id == item).values(gen=items.c.gen + 1))

    store: Any = Interrupted(hub.store, also)
    hub.store = store
    assert settle.settle(hub)
    assert day.item(f"support:{second}") == item == day.item(f"support:{first}")
    with day.world.store.read() as conn:
        assert conn.execute(select(items.c.id).where(items.c.gen > items.c.done_gen)).all() == []


class Overtaken:
    """A store in front of whose next decision another decider does the whole of its work, once."""

    def __init__(self, store: Any, other: Callable[[], object]) -> None:
        self._store = store
        self._other: Callable[[], object] | None = other

    def submit(self, fn: Callable[[Connection], Any]) -> Any:
        other, self._other = self._other, None
        if other is not None:
            other()
        return self._store.submit(fn)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_of_two_deciders_of_one_item_only_the_first_is_heard(make: Make) -> None:
    """Found by a history with two deciders: a second delivery for one record broke the worker."""
    day = make()
    ticket, key = day.linked_pair()
    item = day.item(key)
    day.world.wait(120)
    hub, store = day.world.hub, day.world.hub.store
    support, tracker = hub.named("support"), hub.named("tracker")
    day.label(key, add="vip")
    issue = str(day.issue_now(key)["id"])
    hub.store.step(lambda conn: rows.ask(conn, tracker.id, [(tracker.kind, issue)], hub.clock.now(), "command"))
    while refresh.refresh(hub, tracker):
        pass
    settle.settle(hub)

    def given_up(conn: Connection) -> None:
        # As after a refusal: the same is planned anew, and no base moves for it.
        conn.execute(update(deliveries).where(deliveries.c.state == "waiting").values(state="superseded"))
        rows.mark(conn, [item], hub.clock.now())

    store.step(given_up)

    def decides() -> None:
        hub.store = store
        settle.settle(hub)

    overtaken: Any = Overtaken(store, decides)
    hub.store = overtaken
    settle.settle(hub)
    hub.store = store
    with store.read() as conn:
        told = conn.execute(select(journal.c.new).where(journal.c.field == "tags", journal.c.new == "vip")).all()
        sent = (deliveries.c.connection_id == support.id, deliveries.c.state == "waiting")
        due = conn.execute(select(deliveries.c.id).where(*sent)).all()
        left = conn.execute(select(items.c.id).where(items.c.gen > items.c.done_gen)).all()
    assert (len(told), len(due), left) == (1, 1, [])
    day.world.wait(60)
    assert "vip" in day.ticket_now(ticket)["tags"]
