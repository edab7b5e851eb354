"""The disk fills, in the middle of a group: nothing is acknowledged, nothing is damaged, and work goes on by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import OperationalError

from sync.store.driver import raw
from sync.store.errors import StoreError, StoreUnavailable
from sync.store.sqlite import SqliteStore
from sync.store.tables import meta
from sync.store.writer import Limits
from tests.sync.store.clocks import RunningClock
from tests.sync.store.rows import START, add_connection, call, calls, fact, facts, verdict
from tests.sync.store.test_writer import open_sqlite, writer_stopped

BIG = "x" * 40_000
"""Ten pages."""


@pytest.fixture(params=["sqlite", "sqlite-inline"])
def store(request: pytest.FixtureRequest, path: Path, clock: RunningClock) -> Iterator[SqliteStore]:
    opened = open_sqlite(path, clock, inline=request.param == "sqlite-inline")
    yield opened
    opened.close()


@pytest.fixture
def grouping(path: Path, clock: RunningClock) -> Iterator[SqliteStore]:
    """A store whose waiting steps all go into one group."""
    opened = open_sqlite(path, clock, limits=Limits(group_seconds=60))
    yield opened
    opened.close()


def room(store: SqliteStore, pages: int) -> None:
    """Leave room for so many pages more. It lasts as long as the writer's connection."""

    def step(conn: Connection) -> None:
        used = conn.execute(text("PRAGMA page_count")).scalar_one()
        raw(conn).execute(f"PRAGMA max_page_count={used + pages}")

    store.step(step)


def test_a_full_disk_in_the_middle_of_a_group_acknowledges_none_of_it(grouping: SqliteStore, path: Path) -> None:
    store = grouping
    store.step(add_connection)
    store.step(fact("before"))
    room(store, 25)
    with writer_stopped(store):
        futures: list[Future[Any]] = [store.submit(fact(f"{number}", BIG)) for number in range(5)]
        futures.append(store.receipts([call(1)]))
    for future in futures[:3]:
        assert isinstance(future.exception(timeout=30), StoreUnavailable)
    assert "no room is left" in str(futures[0].exception())
    acknowledged = {str(number) for number, future in enumerate(futures[:5]) if future.exception(timeout=30) is None}
    assert set(facts(store)) - {"before"} == acknowledged
    assert verdict(path) == "ok"


def test_after_room_was_made_the_same_work_succeeds(store: SqliteStore, path: Path) -> None:
    room(store, 5)
    with pytest.raises(StoreUnavailable, match="no room is left"):
        store.step(fact("a", BIG))
    assert facts(store) == {}
    # The writer opened its connection anew, and with that the test's limit is gone: there is room again.
    store.step(fact("a", BIG))
    assert facts(store) == {"a": BIG}
    assert verdict(path) == "ok"


def test_a_step_that_hides_a_full_disk_is_not_acknowledged(store: SqliteStore, path: Path) -> None:
    def hiding(conn: Connection) -> str:
        with suppress(OperationalError):
            conn.execute(insert(meta).values(key="big", value="x" * 200_000))
        return "done"

    room(store, 5)
    with pytest.raises(StoreUnavailable):
        store.step(hiding)
    assert facts(store) == {}
    assert verdict(path) == "ok"


def test_a_commit_survives_a_power_cut_by_the_setting_for_it(store: SqliteStore) -> None:
    """Only a power cut would show it: FULL (2) syncs the log at each COMMIT (sqlite.org/pragma.html)."""
    found = store.step(
        lambda conn: [conn.execute(text(f"PRAGMA {name}")).scalar() for name in ("synchronous", "journal_mode")]
    )
    assert found == [2, "wal"]


def test_receipts_on_a_full_disk_are_not_acknowledged(store: SqliteStore, path: Path) -> None:
    store.step(add_connection)
    room(store, 5)
    future = store.receipts([call(number, body=BIG.encode()) for number in range(3)])
    assert isinstance(future.exception(timeout=30), StoreUnavailable)
    assert calls(store) == 0
    assert store.receipts([call(1)]).result(timeout=30) == 1
    assert verdict(path) == "ok"


def test_a_step_that_goes_on_after_the_disk_was_full_stores_nothing(store: SqliteStore, path: Path) -> None:
    """SQLite rolls back by itself: what the step did next would be committed statement by statement."""

    def stubborn(conn: Connection) -> str:
        fact("first")(conn)
        try:
            conn.execute(insert(meta).values(key="big", value="x" * 200_000))
        except OperationalError:
            fact("second")(conn)
        return "done"

    room(store, 5)
    with pytest.raises(StoreError):
        store.step(stubborn)
    assert facts(store) == {}
    store.step(fact("third"))
    assert facts(store) == {"third": "x"}
    assert verdict(path) == "ok"


_CHILD = """
import json, resource, sys
from pathlib import Path
from sync.store.errors import StoreUnavailable
from sync.store.migrate import open_store
from sync.store.writer import Limits
from tests.sync.store.clocks import RunningClock
from tests.sync.store.rows import START, fact, facts

path = Path(sys.argv[1])
store = open_store(path, clock=RunningClock(START), limits=Limits(group_seconds=60))
store.step(fact("before"))
log = path.with_name(path.name + "-wal")
resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size + 100_000, resource.RLIM_INFINITY))
futures = [store.submit(fact(str(number), "x" * 40_000)) for number in range(20)]
errors = [future.exception(timeout=30) for future in futures]
acknowledged = [str(number) for number, error in enumerate(errors) if error is None]
kinds = sorted({type(error).__name__ for error in errors if error is not None})
stored = sorted(key for key in facts(store) if key != "before")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.step(fact("after", "x" * 40_000))
store.close()
print(json.dumps({"acknowledged": acknowledged, "kinds": kinds, "stored": stored}))
"""


def test_a_file_size_limit_loses_and_damages_nothing(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    told = json.loads(done.stdout)
    assert told["kinds"] == ["StoreUnavailable"]
    assert sorted(told["acknowledged"]) == told["stored"]
    assert verdict(path) == "ok"
    again = open_sqlite(path, RunningClock(START))
    assert set(facts(again)) == {"before", "after", *told["acknowledged"]}
    again.close()
