"""The database in memory keeps what the file keeps: steps whole or not at all, and what was committed for the next."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select

from sync.store.contract import RESTORE_MARK
from sync.store.errors import StoreError, StoreUnavailable
from sync.store.memory import MemoryStore
from sync.store.migrate import open_store
from sync.store.tables import budgets, connections, items, meta
from tests.sync.store.clocks import RunningClock

CLOCK = RunningClock(datetime(2026, 3, 1, tzinfo=UTC))


class Ended(BaseException):
    """The process ends."""


def put(key: str) -> object:
    return lambda conn: conn.execute(insert(meta).values(key=key, value="v")).close()


def keys(store: MemoryStore) -> list[str]:
    with store.read() as conn:
        return [str(key) for key in conn.execute(select(meta.c.key).order_by(meta.c.key)).scalars()]


def test_what_was_committed_is_there_for_the_next_process() -> None:
    store = MemoryStore(clock=CLOCK)
    store.step(put("a"))  # type: ignore[arg-type]
    image = store.image()
    store.close()
    assert keys(MemoryStore(clock=CLOCK, image=image)) == ["a"]


def test_a_store_goes_on_with_the_database_of_one_that_was_closed() -> None:
    store = MemoryStore(clock=CLOCK)
    with pytest.raises(StoreError, match="close it first"):
        MemoryStore(clock=CLOCK, after=store)
    store.step(put("a"))  # type: ignore[arg-type]
    store.close()
    following = MemoryStore(clock=CLOCK, after=store)
    following.step(put("b"))  # type: ignore[arg-type]
    assert keys(following) == ["a", "b"]
    with pytest.raises(StoreUnavailable):
        keys(store)
    following.forget()


@pytest.mark.parametrize(("where", "kept"), [("before commit", []), ("after commit", ["a"])])
def test_a_process_that_ends_around_a_commit_leaves_the_step_whole_or_not_at_all(where: str, kept: list[str]) -> None:
    def crash(at: str) -> None:
        if at == where:
            raise Ended

    store = MemoryStore(clock=CLOCK, crash=crash)
    with pytest.raises(Ended):
        store.step(put("a"))  # type: ignore[arg-type]
    store.close()
    assert keys(MemoryStore(clock=CLOCK, after=store)) == kept


def test_a_step_that_fails_is_undone_alone() -> None:
    store = MemoryStore(clock=CLOCK)

    def fails(conn: Connection) -> None:
        conn.execute(insert(meta).values(key="b", value="v"))
        raise LookupError("b")

    store.step(put("a"))  # type: ignore[arg-type]
    with pytest.raises(LookupError):
        store.step(fails)
    assert keys(store) == ["a"]


def test_a_read_neither_writes_nor_looks_into_a_step() -> None:
    store = MemoryStore(clock=CLOCK)
    with store.read() as conn, pytest.raises(RuntimeError, match="a read wrote"):
        conn.execute(insert(meta).values(key="a", value="v"))
    with pytest.raises(RuntimeError, match="a step reads"):
        store.step(lambda _conn: keys(store))
    with store.read(), pytest.raises(RuntimeError, match="a step began"):
        store.step(put("a"))  # type: ignore[arg-type]
    assert keys(store) == []


def test_a_closed_store_takes_nothing_more() -> None:
    store = MemoryStore(clock=CLOCK)
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable):
        store.step(put("a"))  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable):
        keys(store)


def test_a_copy_says_that_it_is_one(tmp_path: Path) -> None:
    store = MemoryStore(clock=CLOCK)
    store.step(put("a"))  # type: ignore[arg-type]
    store.backup(tmp_path / "copy.db")
    assert keys(MemoryStore(clock=CLOCK, image=(tmp_path / "copy.db").read_bytes())) == ["a", RESTORE_MARK]


def test_its_schema_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "hypercare.db"
    open_store(path, clock=CLOCK).close()
    (tmp_path / "memory.db").write_bytes(MemoryStore(clock=CLOCK).image())
    found = []
    for each in (path, tmp_path / "memory.db"):
        with closing(sqlite3.connect(each)) as database:
            found.append(sorted(str(row) for row in database.execute("SELECT type, name, sql FROM sqlite_master")))
    assert found[0] == found[1]


def test_an_empty_database_that_was_another_one_before_has_nothing_of_it() -> None:
    def fill(conn: Connection) -> None:
        conn.execute(insert(meta).values(key="a", value="v"))
        made = {"state": b"", "tag_texts": b"", "created_at": CLOCK.now(), "updated_at": CLOCK.now()}
        assert conn.execute(insert(items).values(**made)).inserted_primary_key == (1,)
        at = {"name": "desk", "system": "zendesk", "role": "helpdesk", "created_at": CLOCK.now()}
        conn.execute(insert(connections).values(id=1, **at))
        conn.execute(insert(budgets).values(connection_id=1, name="calls", record="", next_free=0.0))

    fresh = dump(MemoryStore(clock=CLOCK))
    for _ in range(3):
        store = MemoryStore(clock=CLOCK)
        assert dump(store) == fresh
        store.step(fill)
        store.forget()


def test_a_database_that_was_dropped_within_a_step_is_not_used_again() -> None:
    store = MemoryStore(clock=CLOCK)

    def dropped(conn: Connection) -> None:
        conn.execute(insert(meta).values(key="a", value="v"))
        store.forget()

    with pytest.raises(StoreError):
        store.step(dropped)
    assert keys(MemoryStore(clock=CLOCK)) == []


def dump(store: MemoryStore) -> list[str]:
    """Everything in it, and the ids that it gives next."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(store.image())
        return sorted(database.iterdump())
