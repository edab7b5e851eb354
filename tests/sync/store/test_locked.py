"""Another process holds the database's write lock, or the file is taken away."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sync.store.errors import StoreUnavailable
from sync.store.migrate import open_store
from tests.sync.store.clocks import RunningClock
from tests.sync.store.rows import add_connection, call, calls, fact, facts


@contextmanager
def locked(path: Path) -> Generator[sqlite3.Connection]:
    """Another connection holds the write lock."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other
        if other.in_transaction:
            other.execute("ROLLBACK")


@pytest.mark.parametrize("inline", [False, True])
def test_a_lock_held_beyond_the_timeout_fails_the_waiting_work(path: Path, clock: RunningClock, inline: bool) -> None:
    store = open_store(path, clock=clock, inline=inline, busy_seconds=0.1)
    store.step(add_connection)
    with locked(path):
        with pytest.raises(StoreUnavailable, match="locked by another process"):
            store.step(fact("a"))
        assert isinstance(store.receipts([call(1)]).exception(timeout=30), StoreUnavailable)
        assert facts(store) == {}  # readers go on
    store.step(fact("b"))
    assert store.receipts([call(2)]).result(timeout=30) == 1
    assert sorted(facts(store)) == ["b"]
    assert calls(store) == 1
    store.close()


def test_a_lock_that_ends_within_the_timeout_is_waited_for(path: Path, clock: RunningClock) -> None:
    store = open_store(path, clock=clock, busy_seconds=30)
    with locked(path) as other:
        future = store.submit(fact("a"))
        threading.Timer(0.05, lambda: other.execute("COMMIT")).start()
        assert future.result(timeout=30) == "a"
    store.close()
