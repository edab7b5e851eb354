"""What every store promises, whichever database is below."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from sync.store.contract import RESTORE_MARK, Store
from sync.store.errors import Stale, StoreError, StoreUnavailable
from sync.store.lock import lease, take_lease, this_process
from sync.store.migrate import open_store
from sync.store.tables import connections, inbox, meta, refreshes
from sync.store.upsert import upsert
from tests.sync.store.clocks import RunningClock
from tests.sync.store.rows import START, add_connection, call, calls, fact, facts


@pytest.fixture(params=["sqlite", "sqlite-inline"])
def store(request: pytest.FixtureRequest, path: Path, clock: RunningClock) -> Iterator[Store]:
    opened = open_store(path, clock=clock, inline=request.param == "sqlite-inline")
    yield opened
    opened.close()


# --- steps


def test_a_step_returns_its_value_and_is_there_for_readers(store: Store) -> None:
    assert store.step(fact("a")) == "a"
    assert facts(store) == {"a": "x"}


def test_a_step_that_raises_is_undone_and_raises_to_its_caller(store: Store) -> None:
    def step(conn: Connection) -> None:
        fact("a")(conn)
        raise Stale("moved")

    with pytest.raises(Stale, match="moved"):
        store.step(step)
    store.step(fact("b"))  # whatever the first one left would be committed with this one at the latest
    assert facts(store) == {"b": "x"}


def test_a_step_that_breaks_a_constraint_raises_and_leaves_the_store_working(store: Store) -> None:
    store.step(fact("a"))
    with pytest.raises(IntegrityError):
        store.step(fact("a"))
    store.step(fact("b"))
    assert sorted(facts(store)) == ["a", "b"]


def test_a_reference_to_a_row_that_is_not_there_is_refused(store: Store) -> None:
    with pytest.raises(IntegrityError):
        store.step(lambda conn: conn.execute(insert(inbox).values(**call(1, connection_id=7))).close())


def test_a_step_may_undo_a_part_of_itself(store: Store) -> None:
    def step(conn: Connection) -> None:
        fact("kept")(conn)
        try:
            with conn.begin_nested():
                fact("dropped")(conn)
                raise LookupError
        except LookupError:
            fact("after")(conn)

    store.step(step)
    assert sorted(facts(store)) == ["after", "kept"]


def test_a_submitted_step_resolves_to_its_value(store: Store) -> None:
    assert store.submit(fact("a")).result(timeout=10) == "a"
    assert facts(store) == {"a": "x"}


def test_a_submitted_step_carries_what_it_raised(store: Store) -> None:
    def step(_conn: Connection) -> None:
        raise Stale("moved")

    assert isinstance(store.submit(step).exception(timeout=10), Stale)


def test_a_step_that_commits_by_itself_is_not_acknowledged(store: Store) -> None:
    def step(conn: Connection) -> None:
        fact("a")(conn)
        conn.commit()

    with pytest.raises(StoreError, match="by itself"):
        store.step(step)
    store.step(fact("b"))
    assert "b" in facts(store)


def test_a_step_that_rolls_back_by_itself_is_not_acknowledged(store: Store) -> None:
    def step(conn: Connection) -> None:
        conn.rollback()
        fact("a")(conn)

    with pytest.raises(StoreError, match="by itself"):
        store.step(step)
    assert facts(store) == {}


def test_a_step_inside_a_step_is_refused_instead_of_waiting_for_ever(store: Store) -> None:
    with pytest.raises(RuntimeError, match="step"):
        store.step(lambda _conn: store.step(fact("a")))
    store.step(fact("b"))
    assert sorted(facts(store)) == ["b"]


def test_steps_of_many_threads_are_all_kept(threaded: Store) -> None:
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda number: threaded.step(fact(f"{number:03}")), range(200)))
    assert len(facts(threaded)) == 200


# --- reads


def test_a_reader_sees_one_snapshot_while_others_write(store: Store) -> None:
    store.step(fact("a"))
    with store.read() as conn:
        before = conn.execute(select(meta.c.key)).scalars().all()
        store.step(fact("b"))
        assert conn.execute(select(meta.c.key)).scalars().all() == before == ["a"]
    assert sorted(facts(store)) == ["a", "b"]


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(DBAPIError, match="readonly"), store.read() as conn:
        fact("a")(conn)
    assert facts(store) == {}


def test_more_readers_than_the_pool_holds_never_wait_for_each_other(store: Store) -> None:
    opened = [store.read() for _ in range(20)]
    for reader in opened:
        assert reader.__enter__().execute(text("SELECT 1")).scalar() == 1
    for reader in opened:
        reader.__exit__(None, None, None)


def test_readers_of_many_threads_do_not_disturb_each_other(store: Store) -> None:
    store.step(fact("a"))
    with ThreadPoolExecutor(8) as workers:
        assert list(workers.map(lambda _: facts(store), range(100))) == [{"a": "x"}] * 100


# --- receipts


def test_receipts_are_stored_and_counted(store: Store) -> None:
    store.step(add_connection)
    assert store.receipts([call(1), call(2)]).result(timeout=10) == 2
    assert calls(store) == 2


def test_a_call_that_is_stored_already_is_left_as_it_is(store: Store) -> None:
    store.step(add_connection)
    store.receipts([call(1, body=b"first")]).result(timeout=10)
    assert store.receipts([call(1, body=b"again"), call(2), call(2)]).result(timeout=10) == 3
    with store.read() as conn:
        assert conn.execute(select(inbox.c.body).order_by(inbox.c.id)).scalars().all() == [b"first", b"{}"]


def test_a_receipt_for_a_connection_that_is_not_there_fails_alone(store: Store) -> None:
    store.step(add_connection)
    futures = [store.receipts([call(number, connection_id=1 + number % 2)]) for number in range(10)]
    for number, future in enumerate(futures):
        if number % 2:
            assert isinstance(future.exception(timeout=10), IntegrityError)
        else:
            assert future.result(timeout=10) == 1
    assert calls(store) == 5


def test_no_receipts_at_all_are_stored_at_once(store: Store) -> None:
    assert store.receipts([]).result(timeout=10) == 0


# --- end


def test_a_closed_store_refuses_work(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.step(fact("a"))
    with pytest.raises(StoreUnavailable, match="closed"), store.read():
        pass


def test_what_was_submitted_before_the_end_is_finished(threaded: Store, path: Path, clock: RunningClock) -> None:
    futures = [threaded.submit(fact(f"{number:03}")) for number in range(100)]
    threaded.close()
    assert [future.result(timeout=0) for future in futures] == [f"{number:03}" for number in range(100)]
    again = open_store(path, clock=clock)
    assert len(facts(again)) == 100
    again.close()


# --- values


def test_times_come_back_aware_and_exact(store: Store) -> None:
    given = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    store.step(
        lambda conn: conn.execute(
            insert(connections).values(id=1, name="c", system="s", role="r", created_at=given)
        ).close()
    )
    with store.read() as conn:
        found = conn.execute(select(connections.c.created_at)).scalar_one()
    assert found == given
    assert found.tzinfo == UTC


def test_times_sort_in_every_year(store: Store) -> None:
    years = [datetime(year, 1, 1, tzinfo=UTC) for year in (9999, 2026, 970)]

    def step(conn: Connection) -> None:
        for number, at in enumerate(years):
            conn.execute(
                insert(connections).values(id=number + 1, name=f"c{number}", system="s", role="r", created_at=at)
            )

    store.step(step)
    with store.read() as conn:
        found = conn.execute(select(connections.c.created_at).order_by(connections.c.created_at)).scalars().all()
    assert found == years[::-1]


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="naive time"):
        store.step(
            lambda conn: conn.execute(
                insert(connections).values(id=1, name="c", system="s", role="r", created_at=datetime(2026, 1, 1))  # noqa: DTZ001
            ).close()
        )


# --- upsert


def test_upsert_takes_the_new_value_an_expression_or_a_literal(store: Store) -> None:
    def ask(conn: Connection, why: str) -> None:
        statement = upsert(
            conn,
            refreshes,
            ["connection_id", "kind", "remote_id"],
            {"gen": refreshes.c.gen + 1, "why": "excluded", "attempts": 0},
        )
        row = {"connection_id": 1, "kind": "ticket", "asked_at": START, "why": why, "gen": 1, "attempts": 5}
        conn.execute(statement, [{**row, "remote_id": "7"}, {**row, "remote_id": "8"}])

    store.step(add_connection)
    store.step(lambda conn: ask(conn, "hook"))
    store.step(lambda conn: ask(conn, "sweep"))
    with store.read() as conn:
        rows = conn.execute(select(refreshes.c.gen, refreshes.c.why, refreshes.c.attempts)).all()
    assert [tuple(row) for row in rows] == [(2, "sweep", 0)] * 2


def test_upsert_without_changes_leaves_the_row(store: Store) -> None:
    def step(conn: Connection, value: str) -> None:
        conn.execute(upsert(conn, meta, ["key"], {}), {"key": "a", "value": value})

    store.step(lambda conn: step(conn, "first"))
    store.step(lambda conn: step(conn, "second"))
    assert facts(store) == {"a": "first"}


# --- backup


def test_a_backup_taken_while_others_write_is_whole_and_can_be_restored(
    threaded: Store, tmp_path: Path, clock: RunningClock
) -> None:
    stop = threading.Event()

    def write_pairs() -> int:
        number = 0
        while not stop.is_set():
            threaded.step(lambda conn, number=number: (fact(f"{number}-a")(conn), fact(f"{number}-b")(conn)))  # type: ignore[misc]
            number += 1
        return number

    with ThreadPoolExecutor(2) as workers:
        writing = workers.submit(write_pairs)
        threaded.step(fact("before"))
        for number in range(3):
            threaded.backup(tmp_path / f"copy-{number}.bak")
        stop.set()
        assert writing.result() > 0
    for number in range(3):
        restored = open_store(tmp_path / f"copy-{number}.bak", clock=clock)
        found = facts(restored)
        assert "before" in found
        halves = {key for key in found if key.endswith(("-a", "-b"))}
        assert {key[:-1] + "a" for key in halves} == {key for key in halves if key.endswith("-a")}
        assert {key[:-1] + "b" for key in halves} == {key for key in halves if key.endswith("-b")}
        restored.step(fact("works"))
        restored.close()


def test_a_copy_is_marked_as_one_and_the_original_is_not(store: Store, tmp_path: Path, clock: RunningClock) -> None:
    store.backup(tmp_path / "copy.bak")
    assert RESTORE_MARK not in facts(store)
    restored = open_store(tmp_path / "copy.bak", clock=clock)
    assert facts(restored)[RESTORE_MARK] == START.isoformat()
    restored.close()


def test_a_copy_is_leased_to_nobody(store: Store, tmp_path: Path, clock: RunningClock) -> None:
    store.step(lambda conn: take_lease(conn, this_process("first"), START))
    store.backup(tmp_path / "copy.bak")
    restored = open_store(tmp_path / "copy.bak", clock=clock)
    with restored.read() as conn:
        assert lease(conn) is None
    restored.close()
    with store.read() as conn:
        assert lease(conn) is not None


def test_a_backup_never_overwrites_a_file(store: Store, tmp_path: Path) -> None:
    precious = tmp_path / "copy.bak"
    precious.write_text("precious")
    with pytest.raises(StoreError, match="exists already"):
        store.backup(precious)
    assert precious.read_text() == "precious"


def test_a_backup_into_a_folder_that_is_not_there_says_so(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a folder"):
        store.backup(tmp_path / "nowhere" / "copy.bak")


def test_a_backup_is_private_to_its_owner(store: Store, tmp_path: Path) -> None:
    store.backup(tmp_path / "copy.bak")
    assert (tmp_path / "copy.bak").stat().st_mode & 0o777 == 0o600
    assert sorted(entry.name for entry in tmp_path.iterdir() if "copy" in entry.name) == ["copy.bak"]
