"""The writer: steps share a COMMIT, and nothing is acknowledged before it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import CancelledError, Future, wait
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from sync.store.errors import Stale, StoreUnavailable
from sync.store.migrate import open_store
from sync.store.sqlite import SqliteStore
from sync.store.writer import Limits
from tests.sync.store.clocks import RunningClock
from tests.sync.store.rows import add_connection, call, calls, fact, facts


def open_sqlite(path: Path, clock: RunningClock, **more: Any) -> SqliteStore:
    opened = open_store(path, clock=clock, **more)
    assert isinstance(opened, SqliteStore)
    return opened


@pytest.fixture
def store(path: Path, clock: RunningClock) -> Iterator[SqliteStore]:
    opened = open_sqlite(path, clock)
    yield opened
    opened.close()


@contextmanager
def writer_stopped(store: SqliteStore) -> Generator[None]:
    """While this lasts, the writer is inside a step; what is submitted meanwhile waits."""
    inside, go_on = threading.Event(), threading.Event()

    def step(_conn: Connection) -> None:
        inside.set()
        assert go_on.wait(30)

    blocked = store.submit(step)
    assert inside.wait(30)
    try:
        yield
    finally:
        go_on.set()
        wait([blocked], timeout=30)


def commits_of(store: SqliteStore) -> list[int]:
    """Grows with each COMMIT of the store."""
    seen: list[int] = []
    event.listen(store._writing, "commit", lambda _conn: seen.append(1))
    return seen


def test_waiting_steps_share_one_commit(store: SqliteStore) -> None:
    with writer_stopped(store):
        commits = commits_of(store)
        futures = [store.submit(fact(f"{number:02}")) for number in range(50)]
        assert not any(future.done() for future in futures)
    assert [future.result(timeout=30) for future in futures] == [f"{number:02}" for number in range(50)]
    assert len(commits) <= 2  # the stopped step's own group, and one more
    assert len(facts(store)) == 50


def test_waiting_receipts_share_the_commit_of_the_steps(store: SqliteStore) -> None:
    store.step(add_connection)
    with writer_stopped(store):
        commits = commits_of(store)
        futures = [store.receipts([call(number)]) for number in range(300)]
    for future in futures:
        assert future.result(timeout=30) == 1
    assert len(commits) <= 2
    assert calls(store) == 300


def test_a_failed_step_leaves_the_others_of_its_group(path: Path, clock: RunningClock) -> None:
    store = open_sqlite(path, clock, limits=Limits(group_seconds=60))
    with writer_stopped(store):
        commits = commits_of(store)
        first, last = store.submit(fact("first")), store.submit(fact("last"))

        def moved(conn: Connection) -> None:
            fact("half")(conn)
            raise Stale("moved")

        futures: list[Future[Any]] = [store.submit(fact("first")), store.submit(moved), store.submit(fact("good"))]
    assert first.result(timeout=30) == "first"
    assert last.result(timeout=30) == "last"
    assert type(futures[0].exception(timeout=30)).__name__ == "IntegrityError"
    assert isinstance(futures[1].exception(timeout=30), Stale)
    assert futures[2].result(timeout=30) == "good"
    assert len(commits) == 1
    assert sorted(facts(store)) == ["first", "good", "last"]
    store.close()


def test_a_future_resolves_only_after_the_commit(path: Path, clock: RunningClock) -> None:
    store = open_sqlite(path, clock, limits=Limits(group_seconds=60))
    seen: list[int] = []

    def count(_future: Future[str]) -> None:
        with closing(sqlite3.connect(path)) as other:
            seen.append(int(other.execute("SELECT count(*) FROM meta").fetchone()[0]))

    with writer_stopped(store):
        futures = [store.submit(fact(f"{number}")) for number in range(10)]
        for future in futures:
            future.add_done_callback(count)
    for future in futures:
        future.result(timeout=30)
    store.step(lambda _conn: None)
    assert seen == [10] * 10
    store.close()


def test_no_more_steps_share_a_commit_than_the_limit(path: Path, clock: RunningClock) -> None:
    store = open_sqlite(path, clock, limits=Limits(group_steps=5, group_seconds=60))
    with writer_stopped(store):
        commits = commits_of(store)
        futures = [store.submit(fact(f"{number}")) for number in range(24)]
    for future in futures:
        future.result(timeout=30)
    assert len(commits) == 5  # 25 steps with the stopped one
    store.close()


def test_slow_steps_do_not_hold_up_a_commit(path: Path) -> None:
    class StepClock(RunningClock):
        def __init__(self, at: datetime) -> None:
            super().__init__(at)
            self.passed = 0.0

        def monotonic(self) -> float:
            return self.passed

    clock = StepClock(datetime.fromisoformat("2026-01-02T03:04:05Z"))
    store = open_sqlite(path, clock, limits=Limits(group_seconds=1.0))

    def slow(conn: Connection) -> None:
        clock.passed += 0.6

    with writer_stopped(store):
        commits = commits_of(store)
        futures = [store.submit(slow) for _ in range(4)]
    for future in futures:
        future.result(timeout=30)
    store.step(lambda _conn: None)
    assert len(commits) >= 3
    store.close()


def test_work_beyond_the_queue_is_refused_at_once(path: Path, clock: RunningClock) -> None:
    store = open_sqlite(path, clock, limits=Limits(steps=10, receipt_bytes=10_000))
    store.step(add_connection)
    with writer_stopped(store):
        futures: list[Future[Any]] = [store.submit(fact(f"{number}")) for number in range(10)]
        with pytest.raises(StoreUnavailable, match="wait"):
            store.submit(fact("one too many"))
        futures.append(store.receipts([call(1, body=b"x" * 6_000)]))
        with pytest.raises(StoreUnavailable, match="wait"):
            store.receipts([call(2, body=b"x" * 6_000)])
        futures.append(store.receipts([call(3, body=b"x" * 100)]))
    for future in futures:
        future.result(timeout=30)
    store.step(fact("room again"))
    assert store.receipts([call(2, body=b"x" * 6_000)]).result(timeout=30) == 1
    store.close()


def test_a_cancelled_step_is_not_run_and_harms_nobody(store: SqliteStore) -> None:
    store.step(add_connection)
    with writer_stopped(store):
        unwanted, unwanted_call = store.submit(fact("unwanted")), store.receipts([call(1)])
        wanted = store.submit(fact("wanted"))
        assert unwanted.cancel()
        assert unwanted_call.cancel()
    assert wanted.result(timeout=30) == "wanted"
    with pytest.raises(CancelledError):
        unwanted.result(timeout=30)
    assert sorted(facts(store)) == ["wanted"]
    assert calls(store) == 0


def test_a_bad_receipt_fails_alone_among_others_of_its_group(store: SqliteStore) -> None:
    store.step(add_connection)
    with writer_stopped(store):
        good = [store.receipts([call(number)]) for number in range(3)]
        bad = store.receipts([{**call(9), "received_at": datetime(2026, 1, 1)}])  # noqa: DTZ001  naive on purpose
        more = store.receipts([call(4)])
    assert [future.result(timeout=30) for future in (*good, more)] == [1, 1, 1, 1]
    assert "naive time" in str(bad.exception(timeout=30))
    assert calls(store) == 4


def test_the_writer_survives_a_step_that_ends_its_thread(store: SqliteStore) -> None:
    def leave(_conn: Connection) -> None:
        raise SystemExit(3)

    assert isinstance(store.submit(leave).exception(timeout=30), SystemExit)
    assert store.step(fact("a")) == "a"


def test_an_inline_crash_before_commit_keeps_nothing_and_after_commit_everything(
    path: Path, clock: RunningClock
) -> None:
    class Crash(BaseException):
        pass

    crash_at = ""

    def crash(where: str) -> None:
        if where == crash_at:
            raise Crash

    store = open_sqlite(path, clock, inline=True, crash=crash)
    crash_at = "before commit"
    with pytest.raises(Crash):
        store.step(fact("a"))
    assert facts(store) == {}
    crash_at = "after commit"
    with pytest.raises(Crash):
        store.step(fact("b"))
    assert facts(store) == {"b": "x"}
    store.close()
