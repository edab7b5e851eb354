"""One transaction of the embedded database, shared by the steps that were waiting for it.

Nothing that ran in a group may be acknowledged before `commit` has returned. SQLite may roll back everything by itself
(disk full, input/output error, no memory) and a COMMIT after that succeeds without having stored anything: so the
driver is asked after each step, and once more before the COMMIT, whether the transaction still stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.dialects.sqlite import insert

from sync.store.driver import raw, translate
from sync.store.errors import StoreError, StoreUnavailable
from sync.store.tables import inbox

T = TypeVar("T")

_RECEIVE = insert(inbox).on_conflict_do_nothing(index_elements=["connection_id", "call_id"])


class GroupLost(Exception):
    """The whole transaction is gone. error: what every step in it is told."""

    def __init__(self, error: StoreError) -> None:
        super().__init__(error.message)
        self.error = error


class Group:
    """An open write transaction. Made: begun, with the write lock held. Raises GroupLost when it cannot begin.

    way: the engine, of which a connection is taken for this group alone, or one that its owner keeps open.
    """

    def __init__(self, way: Engine | Connection, path: Path) -> None:
        self._path = path
        self._kept = isinstance(way, Connection)
        conn: Connection | None = None
        try:
            conn = way if isinstance(way, Connection) else way.connect()
            self._root = conn.begin()
        except Exception as error:
            if conn is not None:
                conn.invalidate()
                conn.close()
            meaning = translate(error, path)
            if meaning is None:
                raise
            raise GroupLost(meaning) from error
        self._conn = conn
        self._driver = raw(conn)
        self._lost = False

    def run(self, fn: Callable[[Connection], T]) -> T:
        """Run one step. What it raises undoes it alone and is raised. Raises GroupLost when nothing can be kept."""
        self._driver.execute("SAVEPOINT step")
        try:
            value = fn(self._conn)
            self._confirm()
            self._driver.execute("RELEASE step")
        except GroupLost:
            raise
        except BaseException as error:
            self._undo(error)
            raise
        return value

    def run_alone(self, fn: Callable[[Connection], T]) -> T:
        """Run the only step of this group. What it raises is raised, and undoes the group: `close` it then.

        Nothing else is there to be kept, so it needs no savepoint. Raises GroupLost as `run` does.
        """
        try:
            value = fn(self._conn)
        except GroupLost:
            raise
        except BaseException as error:
            meaning = translate(error, self._path)
            if meaning is not None:
                self._lose(meaning, error)
            self._confirm()
            raise
        self._confirm()
        return value

    def receive(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store webhook receipts in one statement, known ones ignored.

        Raises what is wrong with a row, with the transaction still good, or GroupLost.
        """
        if not rows:
            return
        try:
            self._conn.execute(_RECEIVE, list(rows))
        except Exception as error:
            meaning = translate(error, self._path)
            if meaning is not None:
                self._lose(meaning, error)
            self._confirm()
            raise
        self._confirm()

    def commit(self) -> None:
        """Make everything durable. Raises GroupLost: then none of it may be acknowledged."""
        self._confirm()
        try:
            self._root.commit()
        except Exception as error:  # noqa: BLE001  told to every step, with its cause
            self._lose(translate(error, self._path), error)

    def close(self) -> None:
        """Let go of the connection; what was not committed is undone. A lost one is opened anew by the next group."""
        if self._kept:
            if self._root.is_active:
                self._root.rollback()
            return
        if self._lost:
            self._conn.invalidate()
        self._conn.close()

    def _undo(self, error: BaseException) -> None:
        meaning = translate(error, self._path)
        if meaning is not None:
            # Whether SQLite undid one statement or everything depends on the statement: everything, then.
            self._lose(meaning, error)
        self._confirm()
        try:
            self._driver.execute("ROLLBACK TO step")
            self._driver.execute("RELEASE step")
        except Exception as trouble:  # noqa: BLE001  told to every step, with its cause
            self._lose(translate(trouble, self._path), trouble)

    def _confirm(self) -> None:
        if not self._root.is_active:
            self._lose(StoreError("a step committed or rolled back by itself: nothing of its group was acknowledged"))
        if not self._driver.in_transaction:
            self._lose(
                StoreUnavailable(
                    f"the database rolled back by itself: nothing was stored in {self._path}; see its disk"
                )
            )

    def _lose(self, meaning: StoreError | None, cause: BaseException | None = None) -> NoReturn:
        self._lost = True
        raise GroupLost(meaning or StoreError(f"the group of steps failed: {cause}")) from cause
