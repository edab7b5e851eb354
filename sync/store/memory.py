"""A database in memory, for one thread: the simulation's. Its statements and steps are those of the file.

What a process leaves behind when it ends is the bytes that were committed; the next one begins with them. There is no
disk and no other process here, so there is no log, no lock and no waiting; everything else is the same code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from connectors.contract import Clock
from sync.store import direct
from sync.store.copies import mark_copy
from sync.store.errors import StoreError, StoreUnavailable
from sync.store.group import Group
from sync.store.inline import Inline
from sync.store.migrate import VERSION_TABLE
from sync.store.migrations import NEWEST
from sync.store.tables import metadata

if TYPE_CHECKING:
    from concurrent.futures import Future  # noqa: TID251  the type only

T = TypeVar("T")
_HERE = Path(":memory:")
_STATEMENTS = 512


class MemoryStore:
    """A database that begins with the bytes of an image. Implements `sync.store.contract.Store`.

    image: what `image` of an earlier one gave; b"" for an empty database. after: a store that was closed and whose
    database this one goes on with, instead of an image: that is what was committed, too, and nothing has to be copied.
    crash: see `sync.store.inline`.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        image: bytes = b"",
        after: MemoryStore | None = None,
        crash: Callable[[str], None] | None = None,
    ) -> None:
        self._clock = clock
        self._reads = 0
        if after is not None:
            self._driver, self._writing, self._reading = after.let_go()
        else:
            self._driver, self._writing, self._reading = _connected(image)
        self._closed = False
        self._inline = Inline(self._begin, crash)

    def _begin(self) -> Group:
        if self._reads:
            raise RuntimeError("a step began while its caller was reading: a read is short, and asks for no step")
        return Group(self._writing, _HERE)

    def step(self, fn: Callable[[Connection], T]) -> T:
        """See the contract."""
        return self._inline.step(fn)

    def submit(self, fn: Callable[[Connection], T]) -> Future[T]:
        """See the contract."""
        return self._inline.submit(fn)

    def receipts(self, rows: Sequence[Mapping[str, Any]]) -> Future[int]:
        """See the contract."""
        return self._inline.receive(rows)

    def read(self) -> AbstractContextManager[Connection]:
        """See the contract. Raises RuntimeError within a step: it would see what is not committed."""
        return _Read(self)

    def begin_read(self) -> Connection:
        """For `read`."""
        if self._closed:
            raise StoreUnavailable("the store is closed: the daemon is stopping")
        if self._inline.is_busy:
            raise RuntimeError("a step reads past its own connection: it would see what is not committed yet")
        self._reads += 1
        return self._reading

    def end_read(self) -> None:
        """For `read`."""
        self._reads -= 1
        if self._reading.in_transaction():
            self._reading.rollback()

    def backup(self, path: Path) -> None:
        """See the contract."""
        if path.exists():
            raise StoreError(f"{path} exists already: a backup never overwrites one")
        path.write_bytes(self.copy())

    def copy(self) -> bytes:
        """The image that a backup would hold, with its mark."""
        with closing(_opened(self.image())) as copied:
            mark_copy(copied, self._clock.now())
            return copied.serialize()

    def image(self) -> bytes:
        """Everything that is committed."""
        return self._driver.serialize()

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def close(self) -> None:
        """See the contract."""
        if self._closed:
            return
        self._closed = True
        self._inline.close()

    def forget(self) -> None:
        """Close it for good: nobody goes on with its database. An empty one may begin with what is left of it."""
        self.close()
        at_rest = not self._writing.in_transaction() and not self._reading.in_transaction()
        if at_rest and len(_SPARE) < _MOST_SPARE and _emptied(self._driver):
            _SPARE.append((self._driver, self._writing, self._reading))
            return
        for connection in (self._writing, self._reading):
            connection.close()
        self._driver.close()

    def let_go(self) -> tuple[sqlite3.Connection, Connection, _Reader]:
        """For the store that goes on with this one's database. Raises StoreError while this one is open."""
        if not self._closed:
            raise StoreError("a database in memory is worked on by one store at a time: close it first")
        return self._driver, self._writing, self._reading


class _Read(AbstractContextManager[Connection]):
    """A read that begins and ends with the block. There are many, and a generator costs three times as much."""

    __slots__ = ("_store",)

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def __enter__(self) -> Connection:
        return self._store.begin_read()

    def __exit__(self, *_error: object) -> None:
        self._store.end_read()


class _Reader(direct.Direct):
    """The same database for those who only ask: without a transaction, since nobody writes meanwhile."""

    def execute(self, statement: Any, parameters: Any = None, *, execution_options: Any = None) -> Any:
        if getattr(statement, "is_dml", False):
            raise RuntimeError("a read wrote: what changes the database is a step")
        return super().execute(statement, parameters, execution_options=execution_options)

    def _standing(self) -> sqlite3.Connection | None:
        fairy: Any = self._dbapi_connection
        found: sqlite3.Connection | None = None if fairy is None else fairy.dbapi_connection
        return found


_SPARE: list[tuple[sqlite3.Connection, Connection, _Reader]] = []
_MOST_SPARE = 2
"""Emptied databases that are kept: with one of them come the statements that SQLite has compiled for it."""


def _connected(image: bytes) -> tuple[sqlite3.Connection, Connection, _Reader]:
    if not image and _SPARE:
        return _SPARE.pop()
    driver = _opened(image or empty())
    with _OPENING(driver):
        return driver, _engine().connect(), _Reader(_engine())


def _emptied(driver: sqlite3.Connection) -> bool:
    """Delete everything that was stored, as if nothing had ever been written. False when it cannot be."""
    try:
        driver.execute("BEGIN IMMEDIATE")
        for statement in _emptying():
            driver.execute(statement)
        driver.execute("COMMIT")
    except sqlite3.Error:  # a step was dropped where it stood
        return False
    return True


@cache
def _emptying() -> tuple[str, ...]:
    # What refers to others goes before them, and `sqlite_sequence` has the ids that are never used again.
    tables = [table.name for table in reversed(metadata.sorted_tables)]
    return tuple(f"DELETE FROM {name}" for name in (*tables, "sqlite_sequence"))  # noqa: S608  our own names


def _opened(image: bytes) -> sqlite3.Connection:
    connection = sqlite3.connect(
        ":memory:", isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS
    )
    connection.execute("PRAGMA foreign_keys=ON")
    if image:
        connection.deserialize(image)
    return connection


@cache
def empty() -> bytes:
    """The image of a database in which nothing was written yet."""
    with closing(_opened(b"")) as driver:
        with _OPENING(driver):
            conn = _engine().connect()
        with conn.begin():
            metadata.create_all(conn)
            conn.execute(text(VERSION_TABLE))
            conn.execute(text("INSERT INTO alembic_version (version_num) VALUES (:version)"), {"version": NEWEST})
        return driver.serialize()


class _Opening:
    """Which driver's connection the one engine is to wrap next."""

    def __init__(self) -> None:
        self.next: sqlite3.Connection | None = None

    @contextmanager
    def __call__(self, driver: sqlite3.Connection) -> Generator[None]:
        self.next = driver
        try:
            yield
        finally:
            self.next = None

    def take(self) -> sqlite3.Connection:
        assert self.next is not None  # nobody connects but those above
        return self.next


_OPENING = _Opening()


@cache
def _engine() -> Engine:
    """One engine for all: what SQLAlchemy finds out about SQLite once is the same for each of them."""
    engine = create_engine("sqlite://", creator=_OPENING.take, poolclass=NullPool, pool_reset_on_return=None)
    return direct.through(engine, "BEGIN IMMEDIATE")
