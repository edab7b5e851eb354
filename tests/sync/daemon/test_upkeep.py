"""The daemon's own upkeep: schedule, lease, health, figures."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from sync.daemon import figures
from sync.daemon.frame import Frame, Worker
from sync.daemon.health import health
from sync.daemon.lease import LeaseKeeper
from sync.daemon.roster import last_write, only_if_written
from sync.daemon.schedule import Schedule
from sync.ports import Bells, RealClock, spawn_thread
from sync.store.contract import Store
from sync.store.errors import AlreadyRunning, StoreUnavailable
from sync.store.lock import Owner, lease, take_lease
from sync.store.migrate import open_store
from sync.store.tables import connections, cursors, deliveries, holds, inbox, items, parked, refreshes
from sync.web.app import ConnectionHealth
from sync.web.metrics import Gauge, Metrics

ME = Owner(host="here", pid=1, boot="a")


class MovedClock(RealClock):
    """The machine's clock, and as many seconds as a test adds."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def store(tmp_path: Path, clock: MovedClock) -> Generator[Store]:
    opened = open_store(tmp_path / "hypercare.db", clock=clock)
    yield opened
    opened.close()


# --- schedule ------------------------------------------------------------------------------------------------------


def test_a_tick_rings_its_bell_again_and_again() -> None:
    rung, thrice = [], threading.Event()

    def ring(topic: str) -> None:
        rung.append(topic)
        if len(rung) == 3:
            thrice.set()

    schedule = Schedule(ring)
    schedule.every(0.01, "poll:1")
    schedule.start()
    assert thrice.wait(10)
    schedule.stop()
    assert set(rung) == {"poll:1"}


def test_a_ring_that_fails_does_not_end_the_schedule() -> None:
    rung, again = [], threading.Event()

    def ring(topic: str) -> None:
        rung.append(topic)
        if len(rung) == 1:
            raise KeyError(topic)
        again.set()

    schedule = Schedule(ring)
    schedule.every(0.01, "poll:1")
    schedule.start()
    assert again.wait(10)
    schedule.stop()


def test_a_schedule_that_was_never_started_stops() -> None:
    Schedule(lambda topic: None).stop()


# --- roster --------------------------------------------------------------------------------------------------------


def test_a_look_is_spared_while_nobody_has_written(store: Store, clock: MovedClock, tmp_path: Path) -> None:
    answers, looks = [True, False, False, False], []

    def run() -> bool:
        looks.append(True)
        return answers.pop(0)

    def write() -> None:
        store.step(lambda conn: take_lease(conn, ME, clock.now()))

    write()
    look = only_if_written(run, last_write(tmp_path / "hypercare.db"))
    assert [look(), look()] == [True, False]  # it found something, so it looked again
    assert [look(), look(), look()] == [False] * 3
    assert len(looks) == 2
    write()
    assert look() is False
    assert len(looks) == 3


def test_without_a_write_ahead_log_every_look_is_made(tmp_path: Path) -> None:
    looks: list[bool] = []

    def run() -> bool:
        looks.append(True)
        return False

    look = only_if_written(run, last_write(tmp_path / "nothing.db"))
    assert [look(), look()] == [False, False]
    assert len(looks) == 2


# --- lease ---------------------------------------------------------------------------------------------------------


def test_the_lease_is_taken_renewed_and_given_back(store: Store, clock: MovedClock) -> None:
    keeper = LeaseKeeper(store, ME, clock)
    keeper.take()
    with store.read() as conn:
        first = lease(conn)
    assert first is not None
    assert first.owner == ME
    assert keeper.worker().run() is False
    with store.read() as conn:
        second = lease(conn)
    assert second is not None
    assert second.until > first.until
    keeper.give_back()
    with store.read() as conn:
        assert lease(conn) is None


def test_a_lease_that_another_took_over_is_not_renewed(store: Store, clock: MovedClock) -> None:
    keeper = LeaseKeeper(store, ME, clock)
    keeper.take()
    other = Owner(host="here", pid=2, boot="b")
    store.step(lambda conn: take_lease(conn, other, clock.now()))
    with pytest.raises(AlreadyRunning, match="taken over by process 2 on here"):
        keeper.renew()


# --- health --------------------------------------------------------------------------------------------------------


def frame_of(*workers: Worker) -> Frame:
    return Frame(
        workers=workers,
        clock=RealClock(),
        bells=Bells(),
        spawn=spawn_thread,
        tell=lambda event, /, **facts: None,
        store_patience=(60, 60),
    )


UP = {"dev": ConnectionHealth(state="down", mode="live")}


def test_a_daemon_with_a_remote_system_down_is_well(store: Store, clock: MovedClock) -> None:
    frame = frame_of(Worker(name="settle", topic="settle", run=lambda: False))
    frame.start()
    keeper = LeaseKeeper(store, ME, clock)
    shown = health(frame, keeper, lambda: UP)
    assert (shown.ok, shown.store, shown.connections) == (True, "writable", UP)
    assert set(shown.workers) == {"settle"}
    frame.stop()
    assert frame.drain(10) == []
    assert not health(frame, keeper, lambda: UP).ok  # stopping: send no more work here


def test_a_daemon_whose_lease_is_not_renewed_is_unwell(store: Store, clock: MovedClock) -> None:
    keeper = LeaseKeeper(store, ME, clock)
    keeper.take()
    clock.ahead = 9
    assert health(frame_of(), keeper, dict).ok
    clock.ahead = 11
    shown = health(frame_of(), keeper, dict)
    assert (shown.ok, shown.store) == (False, "no write for 11 s")


def test_a_daemon_that_waits_for_its_store_is_unwell() -> None:
    told = threading.Event()

    def fail() -> bool:
        raise StoreUnavailable("the disk is full")

    frame = frame_of(Worker(name="settle", topic="settle", run=fail))
    frame.tell = lambda event, /, **facts: told.set() if event == "store_unavailable" else None
    frame.start()
    assert told.wait(10)
    assert health(frame, None, dict).store == "unavailable"
    frame.stop()
    assert frame.drain(10) == []


def test_a_daemon_with_a_worker_that_ended_is_unwell() -> None:
    ended = threading.Event()

    def end() -> bool:
        raise SystemExit

    frame = frame_of(Worker(name="settle", topic="settle", run=end))
    frame.on_end = lambda why, what: ended.set()
    frame.start()
    assert ended.wait(10)
    assert frame.drain(10) == []
    shown = health(frame, None, dict)
    assert (shown.ok, shown.workers) == (False, {"settle": "ended"})


# --- figures -------------------------------------------------------------------------------------------------------


def fill(store: Store, clock: MovedClock) -> None:
    now = clock.now()
    empty = b"{}"

    def step(conn: object) -> None:
        put = conn.execute  # type: ignore[attr-defined]
        put(insert(connections).values(id=1, name="dev", system="jira", role="tracker", created_at=now))
        put(insert(connections).values(id=2, name="support", system="zendesk", role="helpdesk", created_at=now))
        put(insert(items).values(id=1, state=empty, tag_texts=empty, gen=2, done_gen=1, created_at=now, updated_at=now))
        put(insert(items).values(id=2, state=empty, tag_texts=empty, gen=2, done_gen=2, created_at=now, updated_at=now))
        row = {"connection_id": 2, "body": b"", "received_at": now - timedelta(seconds=90)}
        put(insert(inbox).values(call_id="1", **row))
        put(insert(inbox).values(call_id="2", done_at=now, **row))
        row = {"item_id": 1, "connection_id": 1, "kind": "write", "want": empty, "made_at": now}
        put(insert(deliveries).values(id="a", state="waiting", **row))
        put(insert(deliveries).values(id="b", state="settled", **row))
        put(insert(refreshes).values(connection_id=1, kind="issue", remote_id="9", asked_at=now, why="hook"))
        row = {"item_id": 1, "connection_id": 1, "field": "status", "reason": "no_path", "wanted": "", "shown": ""}
        put(insert(parked).values(since=now, **row))
        put(insert(parked).values(since=now, ended_at=now, **row))
        put(insert(holds).values(connection_id=2, reason="mass_missing", since=now))
        moved = now - timedelta(seconds=30)
        put(insert(cursors).values(connection_id=1, feed="live", since=now, started_at=now, moved_at=moved))

    store.step(step)


def test_figures_show_what_waits(store: Store, clock: MovedClock) -> None:
    fill(store, clock)
    metrics = Metrics()
    metrics.add(lambda: figures.of_store(store, clock))
    lines = [
        line
        for line in metrics.text().decode().splitlines()
        if line.startswith("hypercare_") and "_created" not in line
    ]
    shown = dict(line.rsplit(" ", 1) for line in lines)
    ages = {name: float(shown.pop(name)) for name in list(shown) if name.split("{")[0].endswith("_seconds")}
    assert {name: float(value) for name, value in shown.items() if float(value)} == {
        "hypercare_store_readable": 1,
        "hypercare_items_waiting": 1,
        "hypercare_webhooks_waiting": 1,
        'hypercare_deliveries{connection="dev",state="waiting"}': 1,
        'hypercare_reads_waiting{connection="dev"}': 1,
        'hypercare_parked{connection="dev"}': 1,
        'hypercare_holds{connection="support"}': 1,
    }
    assert shown['hypercare_deliveries{connection="support",state="in_doubt"}'] == "0.0"
    assert 90 <= ages["hypercare_webhooks_oldest_seconds"] < 120
    assert 30 <= ages['hypercare_poll_age_seconds{connection="dev"}'] < 60


def test_no_figure_is_read_by_going_through_everything(store: Store, clock: MovedClock) -> None:
    traced: list[str] = []
    with store.read() as conn:
        raw = conn.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(traced.append)
        list(figures.of_connection(conn, clock.now()))
        raw.set_trace_callback(None)
        plans = [str(step[3]) for text in traced for step in raw.execute(f"EXPLAIN QUERY PLAN {text}")]
    assert len(traced) == 9
    # Two rows a connection; everything else by an index over what is open.
    assert [plan for plan in plans if plan.startswith("SCAN") and "INDEX" not in plan] == ["SCAN cursors"]


def test_a_store_that_cannot_be_read_is_a_figure_too(store: Store, clock: MovedClock) -> None:
    store.close()
    assert figures.of_store(store, clock) == [
        Gauge(name="store_readable", about="1: the database can be read", value=0)
    ]


def test_each_worker_is_a_figure() -> None:
    frame = frame_of(Worker(name="settle", topic="settle", run=lambda: False))
    frame.start()
    assert [(gauge.labels, gauge.value) for gauge in figures.of_frame(frame)] == [({"worker": "settle"}, 1)]
    frame.stop()
    assert frame.drain(10) == []
    assert [gauge.value for gauge in figures.of_frame(frame)] == [0]
